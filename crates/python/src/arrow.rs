//! Columns from the Arrow C stream interface: float64 without nulls is shared, the rest converted.

use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, DataType};
use pyo3::exceptions::PyValueError;
use pyo3::ffi::{PyCapsule_GetPointer, PyCapsule_IsValid};
use pyo3::prelude::*;
use windfall::{Column, Labels, Numbers};

const STREAM: &std::ffi::CStr = c"arrow_array_stream";

/// The columns of an object with `__arrow_c_stream__`.
pub fn columns(data: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Column)>> {
    let capsule = data.call_method0("__arrow_c_stream__")?;
    // SAFETY: the call only looks at the object, which is alive.
    if unsafe { PyCapsule_IsValid(capsule.as_ptr(), STREAM.as_ptr()) } == 0 {
        return Err(PyValueError::new_err("`__arrow_c_stream__` gave no Arrow stream"));
    }
    // SAFETY: the capsule is valid under this name, so the pointer is that of a stream; `from_raw`
    // moves the stream out and leaves a released one, as the interface prescribes.
    let reader = unsafe {
        let stream = PyCapsule_GetPointer(capsule.as_ptr(), STREAM.as_ptr());
        RecordBatchStreamReader::from_raw(stream.cast::<FFI_ArrowArrayStream>())
    };
    let reader = reader.map_err(|error| unreadable(&error))?;
    let schema = reader.schema();
    let batches: Vec<RecordBatch> =
        reader.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
    let column = |(place, field): (usize, &arrow_schema::FieldRef)| {
        let chunks: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(place)).collect();
        Ok((field.name().clone(), convert(field.name(), field.data_type(), &chunks)?))
    };
    schema.fields().iter().enumerate().map(column).collect()
}

fn unreadable(error: &ArrowError) -> PyErr {
    PyValueError::new_err(format!("the Arrow stream cannot be read: {error}"))
}

fn convert(name: &str, kind: &DataType, chunks: &[&ArrayRef]) -> PyResult<Column> {
    Ok(match kind {
        DataType::Float64 => match chunks {
            [one] if one.null_count() == 0 => {
                Column::Numbers(Numbers::shared(one.as_primitive::<Float64Type>().values().clone()))
            }
            _ => numbers::<Float64Type>(chunks, |x| x),
        },
        DataType::Float32 => numbers::<Float32Type>(chunks, f64::from),
        DataType::Int8 => numbers::<Int8Type>(chunks, f64::from),
        DataType::Int16 => numbers::<Int16Type>(chunks, f64::from),
        DataType::Int32 => numbers::<Int32Type>(chunks, f64::from),
        DataType::Int64 => numbers::<Int64Type>(chunks, |x| x as f64),
        DataType::UInt8 => numbers::<UInt8Type>(chunks, f64::from),
        DataType::UInt16 => numbers::<UInt16Type>(chunks, f64::from),
        DataType::UInt32 => numbers::<UInt32Type>(chunks, f64::from),
        DataType::UInt64 => numbers::<UInt64Type>(chunks, |x| x as f64),
        DataType::Boolean => {
            let values = chunks.iter().flat_map(|chunk| chunk.as_boolean());
            Column::Numbers(
                values.map(|x| x.map_or(f64::NAN, f64::from)).collect::<Vec<_>>().into(),
            )
        }
        DataType::Utf8 => labels(chunks.iter().flat_map(|chunk| chunk.as_string::<i32>())),
        DataType::LargeUtf8 => labels(chunks.iter().flat_map(|chunk| chunk.as_string::<i64>())),
        DataType::Utf8View => labels(chunks.iter().flat_map(|chunk| chunk.as_string_view())),
        DataType::Dictionary(_, values) => dictionary(name, values, chunks)?,
        other => return Err(unsupported(name, other)),
    })
}

fn unsupported(name: &str, kind: &DataType) -> PyErr {
    PyValueError::new_err(format!(
        "column `{name}` has the Arrow type `{kind}`; it must hold numbers, booleans or text\n\
         hint: cast it, or leave it out"
    ))
}

fn numbers<T: ArrowPrimitiveType>(chunks: &[&ArrayRef], to_f64: fn(T::Native) -> f64) -> Column {
    let values = chunks.iter().flat_map(|chunk| chunk.as_primitive::<T>());
    Column::Numbers(values.map(|x| x.map_or(f64::NAN, to_f64)).collect::<Vec<_>>().into())
}

fn labels<'a>(rows: impl Iterator<Item = Option<&'a str>>) -> Column {
    Column::Labels(Labels::new(rows.map(Option::unwrap_or_default)))
}

/// A dictionary-encoded column (categories), as labels.
fn dictionary(name: &str, values: &DataType, chunks: &[&ArrayRef]) -> PyResult<Column> {
    let mut rows: Vec<String> = Vec::new();
    for chunk in chunks {
        let coded = chunk.as_any_dictionary();
        let names: Vec<Option<&str>> = match values {
            DataType::Utf8 => coded.values().as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => coded.values().as_string::<i64>().iter().collect(),
            DataType::Utf8View => coded.values().as_string_view().iter().collect(),
            other => return Err(unsupported(name, other)),
        };
        for (row, key) in coded.normalized_keys().into_iter().enumerate() {
            let label = if coded.keys().is_null(row) { None } else { names[key] };
            rows.push(label.unwrap_or_default().to_owned());
        }
    }
    Ok(Column::Labels(Labels::new(rows.iter().map(String::as_str))))
}
