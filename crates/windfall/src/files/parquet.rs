//! Tables as Parquet: flat columns of numbers, truths, text, dates, times and decimals.

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescriptor, Type};
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use windfall_core::{Column, Labels, Table};

/// The bytes that every Parquet file begins with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// How the values of a column become numbers or labels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meaning {
    /// As they are.
    Signed,
    /// Whole numbers whose top bit counts.
    Unsigned,
    /// Whole numbers or big-endian bytes, divided by this.
    Decimal(f64),
    /// Days since 1970, written as `2024-02-29`, as a CSV file would.
    Date,
    /// UTF-8.
    Text,
    /// Half-precision numbers.
    Half,
}

/// Reads the table; the error is a message.
///
/// Times are numbers in the file's own unit (milli-, micro- or nanoseconds). A null is NaN in a
/// column of numbers and the empty label in one of text.
pub(super) fn read(file: File) -> Result<Table, String> {
    let reader = SerializedFileReader::new(file).map_err(message)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let rows = reader.metadata().file_metadata().num_rows().max(0) as usize;
    let mut columns = Vec::new();
    for (place, described) in schema.columns().iter().enumerate() {
        let name = described.path().parts().join(".");
        let meaning = meaning(described).ok_or_else(|| {
            format!("column `{name}` is of type {}, which is not read", kind(described))
        })?;
        let mut cells = Cells::new(rows, meaning);
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group).map_err(message)?;
            let rows = group.metadata().num_rows().max(0) as usize;
            let column = group.get_column_reader(place).map_err(message)?;
            cells
                .read(column, rows, described)
                .map_err(|error| format!("column `{name}`: {}", message(error)))?;
        }
        columns.push((name, cells.finish()));
    }
    Table::new(columns).map_err(|error| error.to_string())
}

/// What the values of this column mean; none if it is nested or of a type without a meaning here.
fn meaning(column: &ColumnDescriptor) -> Option<Meaning> {
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return None;
    }
    let scale = || Meaning::Decimal(10f64.powi(column.type_scale()));
    let bytes = matches!(
        column.physical_type(),
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY | Physical::INT96
    );
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => Some(scale()),
        (Some(LogicalType::Float16), _) => Some(Meaning::Half),
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
        | (_, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON) => {
            Some(Meaning::Text)
        }
        _ if bytes => None,
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Some(Meaning::Date),
        (
            _,
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64,
        ) => Some(Meaning::Unsigned),
        _ => Some(Meaning::Signed),
    }
}

/// The type of a column in the words of the format.
fn kind(column: &ColumnDescriptor) -> String {
    if column.max_rep_level() > 0 {
        return "list".into();
    }
    match column.logical_type_ref() {
        Some(logical) => format!("{} ({logical:?})", column.physical_type()),
        None => column.physical_type().to_string(),
    }
}

/// A column while it is read.
struct Cells {
    meaning: Meaning,
    numbers: Vec<f64>,
    texts: Vec<String>,
}

impl Cells {
    fn new(rows: usize, meaning: Meaning) -> Self {
        let numbers = match meaning {
            Meaning::Text | Meaning::Date => Vec::new(),
            // The count in a broken file may be anything.
            _ => Vec::with_capacity(rows.min(1 << 24)),
        };
        Self { meaning, numbers, texts: Vec::new() }
    }

    /// Reads this column of one row group.
    fn read(
        &mut self,
        column: ColumnReader,
        rows: usize,
        described: &ColumnDescriptor,
    ) -> Result<(), ParquetError> {
        let full = described.max_def_level();
        let unsigned = self.meaning == Meaning::Unsigned;
        match column {
            ColumnReader::BoolColumnReader(reader) => {
                self.all(reader, rows, full, |truth| f64::from(u8::from(*truth)))
            }
            ColumnReader::Int32ColumnReader(reader) if unsigned => {
                self.all(reader, rows, full, |value| f64::from(*value as u32))
            }
            ColumnReader::Int32ColumnReader(reader) => {
                self.all(reader, rows, full, |value| f64::from(*value))
            }
            ColumnReader::Int64ColumnReader(reader) if unsigned => {
                self.all(reader, rows, full, |value| *value as u64 as f64)
            }
            ColumnReader::Int64ColumnReader(reader) => {
                self.all(reader, rows, full, |value| *value as f64)
            }
            ColumnReader::FloatColumnReader(reader) => {
                self.all(reader, rows, full, |value| f64::from(*value))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                self.all(reader, rows, full, |value| *value)
            }
            ColumnReader::ByteArrayColumnReader(reader) if self.meaning == Meaning::Text => {
                let text = |value: Option<&ByteArray>| match value {
                    Some(bytes) => bytes.as_utf8().map(str::to_owned),
                    None => Ok(String::new()),
                };
                each(reader, rows, full, |value| text(value).map(|text| self.texts.push(text)))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                self.all(reader, rows, full, |value| whole(value.data()))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                if self.meaning == Meaning::Half {
                    return self.all(reader, rows, full, |value| half(value.data()));
                }
                self.all(reader, rows, full, |value| whole(value.data()))
            }
            ColumnReader::Int96ColumnReader(_) => Err(ParquetError::NYI("INT96".into())),
        }
    }

    /// Reads values as numbers, as `meaning` says.
    fn all<T: DataType>(
        &mut self,
        reader: ColumnReaderImpl<T>,
        rows: usize,
        full: i16,
        number: impl Fn(&T::T) -> f64,
    ) -> Result<(), ParquetError> {
        each(reader, rows, full, |value| {
            match (self.meaning, value.map(&number)) {
                (Meaning::Date, day) => {
                    self.texts.push(day.map_or_else(String::new, |day| date(day as i64)));
                }
                (Meaning::Decimal(scale), value) => {
                    self.numbers.push(value.map_or(f64::NAN, |value| value / scale));
                }
                (_, value) => self.numbers.push(value.unwrap_or(f64::NAN)),
            }
            Ok(())
        })
    }

    fn finish(self) -> Column {
        match self.meaning {
            Meaning::Text | Meaning::Date => {
                Column::Labels(Labels::new(self.texts.iter().map(String::as_str)))
            }
            _ => Column::Numbers(self.numbers.into()),
        }
    }
}

/// Hands each of the `rows` values of `reader` to `take`, nulls as none, a block at a time.
fn each<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    full: i16,
    mut take: impl FnMut(Option<&T::T>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    const BLOCK: usize = 1 << 14;
    let (mut values, mut levels, mut done) = (Vec::new(), Vec::new(), 0);
    while done < rows {
        values.clear();
        levels.clear();
        let nullable = (full > 0).then_some(&mut levels);
        let (records, _, _) =
            reader.read_records(BLOCK.min(rows - done), nullable, None, &mut values)?;
        if records == 0 {
            return Err(ParquetError::EOF(format!("row {done} of {rows} is missing")));
        }
        let mut present = values.iter();
        for row in 0..records {
            let there = levels.get(row).is_none_or(|&level| level == full);
            take(if there { present.next() } else { None })?;
        }
        done += records;
    }
    Ok(())
}

/// The whole number in big-endian two's complement, as decimals of many digits are stored.
fn whole(bytes: &[u8]) -> f64 {
    let negative = bytes.first().is_some_and(|&byte| byte >= 0x80);
    let magnitude = bytes
        .iter()
        .fold(0.0, |sum, &byte| sum * 256.0 + f64::from(if negative { !byte } else { byte }));
    if negative { -magnitude - 1.0 } else { magnitude }
}

/// The half-precision number in two little-endian bytes.
fn half(bytes: &[u8]) -> f64 {
    let bits = u16::from_le_bytes([bytes[0], bytes[1]]);
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// The date `days` after 1970-01-01, by Howard Hinnant's `civil_from_days`.
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn message(error: ParquetError) -> String {
    error.to_string()
}

/// Writes columns as required doubles, 2^20 rows a group, plain and uncompressed: what is drawn
/// at random does not compress.
pub(super) fn write(out: &mut (impl Write + Send), table: &Table) -> io::Result<()> {
    const GROUP: usize = 1 << 20;
    let fields = table.columns().map(|(name, column)| {
        let (physical, logical) = match column {
            Column::Numbers(_) => (Physical::DOUBLE, None),
            Column::Labels(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        field.with_repetition(Repetition::REQUIRED).build().map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
    let schema = Type::group_type_builder("windfall").with_fields(fields).build();
    let schema = Arc::new(schema.map_err(io::Error::other)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_created_by(concat!("windfall ", env!("CARGO_PKG_VERSION")).into());
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
    let rows = table.rows();
    for first in (0..rows).step_by(GROUP) {
        let end = rows.min(first + GROUP);
        let mut group = writer.next_row_group()?;
        for (_, values) in table.columns() {
            let Some(mut column) = group.next_column()? else { break };
            match values {
                Column::Numbers(numbers) => {
                    let values = &numbers.as_slice()[first..end];
                    column.typed::<DoubleType>().write_batch(values, None, None)?;
                }
                Column::Labels(labels) => {
                    let values: Vec<ByteArray> =
                        (first..end).map(|row| labels.get(row).into()).collect();
                    column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
                }
            }
            column.close()?;
        }
        group.close()?;
    }
    writer.close().map(|_| ()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::data_type::{
        BoolType, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, FloatType, Int32Type,
        Int64Type,
    };
    use parquet::schema::parser::parse_message_type;
    use std::io::Seek;

    /// A file without a name.
    fn scratch(name: &str) -> File {
        let path = std::env::temp_dir().join(format!("windfall-{name}-{}", std::process::id()));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        std::fs::remove_file(path).unwrap();
        file.unwrap()
    }

    /// The table in a file of one row group of this schema, filled by `fill`.
    fn table(
        name: &str,
        schema: &str,
        codec: Compression,
        fill: impl FnOnce(&mut dyn FnMut(Values<'_>)),
    ) -> Result<Table, String> {
        let mut file = scratch(name);
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(codec).build());
        let mut writer = SerializedFileWriter::new(&mut file, schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        fill(&mut |values| {
            let mut column = group.next_column().unwrap().unwrap();
            match values {
                Values::Bool(v, d) => column.typed::<BoolType>().write_batch(v, d, None),
                Values::I32(v, d) => column.typed::<Int32Type>().write_batch(v, d, None),
                Values::I64(v, d) => column.typed::<Int64Type>().write_batch(v, d, None),
                Values::F32(v, d) => column.typed::<FloatType>().write_batch(v, d, None),
                Values::Text(v, d) => column.typed::<ByteArrayType>().write_batch(v, d, None),
                Values::Fixed(v, d) => {
                    column.typed::<FixedLenByteArrayType>().write_batch(v, d, None)
                }
            }
            .unwrap();
            column.close().unwrap();
        });
        group.close().unwrap();
        writer.close().unwrap();
        file.rewind().unwrap();
        read(file)
    }

    enum Values<'a> {
        Bool(&'a [bool], Option<&'a [i16]>),
        I32(&'a [i32], Option<&'a [i16]>),
        I64(&'a [i64], Option<&'a [i16]>),
        F32(&'a [f32], Option<&'a [i16]>),
        Text(&'a [ByteArray], Option<&'a [i16]>),
        Fixed(&'a [FixedLenByteArray], Option<&'a [i16]>),
    }

    #[test]
    fn every_flat_type_and_codec_is_read() {
        let schema = "message m {
            required boolean flag; required int32 small (INTEGER(32, false));
            optional int64 large; required float single;
            optional binary who (STRING); required int32 day (DATE);
            required int64 price (DECIMAL(18, 2));
            required fixed_len_byte_array(3) cents (DECIMAL(6, 2));
            required fixed_len_byte_array(2) half (FLOAT16);
        }";
        let zstd = parquet::basic::ZstdLevel::default();
        for codec in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::ZSTD(zstd),
            Compression::GZIP(Default::default()),
            Compression::LZ4_RAW,
        ] {
            let fixed = |bytes: &[u8]| FixedLenByteArray::from(bytes.to_vec());
            let table = table("types", schema, codec, |put| {
                put(Values::Bool(&[true, false, true], None));
                put(Values::I32(&[1, -1, 2], None));
                put(Values::I64(&[7, -8], Some(&[1, 0, 1])));
                put(Values::F32(&[0.5, -2.0, 3.25], None));
                put(Values::Text(&["ann".into(), "bob".into()], Some(&[1, 1, 0])));
                put(Values::I32(&[0, 19_782, -1], None));
                put(Values::I64(&[1999, -5, 0], None));
                put(Values::Fixed(&[fixed(&[0, 1, 0]), fixed(&[255; 3]), fixed(&[0; 3])], None));
                put(Values::Fixed(&[fixed(&[0, 0x3c]), fixed(&[1, 0]), fixed(&[0, 0xc0])], None));
            })
            .unwrap();
            let numbers = |name| table.numbers(name).unwrap();
            assert_eq!(numbers("flag"), [1.0, 0.0, 1.0]);
            assert_eq!(numbers("small"), [1.0, 4_294_967_295.0, 2.0]);
            assert_eq!(numbers("single"), [0.5, -2.0, 3.25]);
            assert_eq!(numbers("price"), [19.99, -0.05, 0.0]);
            assert_eq!(numbers("cents"), [2.56, -0.01, 0.0]);
            assert_eq!(numbers("half"), [1.0, 2f64.powi(-24), -2.0]);
            assert_eq!(table.labels("who").unwrap().names(), ["ann", "bob", ""]);
            let days = table.labels("day").unwrap();
            assert_eq!(days.names(), ["1970-01-01", "2024-02-29", "1969-12-31"]);
            let message = table.numbers("large").unwrap_err().to_string();
            assert!(message.contains("`NaN` in row 1"), "{message}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let schema = "message m { required binary blob; }";
        let blob = table("blob", schema, Compression::UNCOMPRESSED, |put| {
            put(Values::Text(&["x".into()], None));
        });
        assert_eq!(blob.unwrap_err(), "column `blob` is of type BYTE_ARRAY, which is not read");
        let mut file = scratch("broken");
        file.write_all(b"PAR1 and then nothing of sense").unwrap();
        assert!(read(file).is_err());
    }

    #[test]
    fn what_is_written_reads_back_to_the_same_bits() {
        let values = [vec![0.1 + 0.2, -0.0, f64::INFINITY], vec![5e-324, f64::NAN, 3.0]];
        let who = Labels::new(["ann", "", "ann"]);
        let mut columns = vec![("who".to_owned(), Column::Labels(who.clone()))];
        for (name, values) in ["a", "b c"].into_iter().zip(&values) {
            columns.push((name.to_owned(), Column::Numbers(values.clone().into())));
        }
        let mut file = scratch("written");
        write(&mut file, &Table::new(columns).unwrap()).unwrap();
        file.rewind().unwrap();
        let table = read(file).unwrap();
        assert_eq!(table.labels("who").unwrap(), who);
        for (name, expected) in ["a", "b c"].into_iter().zip(&values) {
            let Column::Numbers(numbers) = table.column(name).unwrap() else { panic!("{name}") };
            let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(numbers.as_slice()), bits(expected));
        }
    }
}
