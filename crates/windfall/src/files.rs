//! Tables from files and into files: CSV and Parquet, told apart so that users need not.

mod csv;
mod parquet;
mod replace;

pub use replace::{abandon, replace};

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use windfall_core::{Error, JobSpec, Result, Source, Table};

/// Reads the table in the file at `path`: Parquet if its first bytes say so, else CSV.
///
/// Numbers become [`windfall_core::Column::Numbers`], a missing one NaN; columns that are all
/// true or false become 1 and 0; anything else becomes labels.
///
/// # Cost
/// A CSV file is held in memory while it is read; Parquet is read a column at a time.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] with the path and, for CSV, the line at fault.
pub fn read(path: &Path) -> Result<Table> {
    let failed = |error: io::Error| Error::io(path.display(), plain(&error));
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    (&file).take(parquet::MAGIC.len() as u64).read_to_end(&mut bytes).map_err(failed)?;
    let table = if bytes.is_empty() {
        Err("is empty".to_owned())
    } else if bytes == parquet::MAGIC {
        parquet::read(file)
    } else {
        file.read_to_end(&mut bytes).map_err(failed)?;
        csv::read(&bytes)
    };
    table.map_err(|message| Error::io(path.display(), message))
}

/// Reads the job in the file at `path`: JSON if it ends so, else TOML.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] if there is no such file, and as
/// [`windfall_core::JobSpec::from_toml`].
pub fn read_job(path: &Path) -> Result<JobSpec> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => plain(&error),
        };
        Error::io(path.display(), message)
            .hint("every problem's command writes a job file with --write-job FILE")
    })?;
    match extension(path).as_str() {
        "json" => JobSpec::from_json(&text),
        _ => JobSpec::from_toml(&text),
    }
}

/// Writes `table` to the file at `path`: Parquet if it ends in `.parquet` or `.pq`, tab
/// separated if in `.tsv`, CSV if in `.csv` or `.txt`. The file appears whole or not at all.
///
/// # Errors
/// [`windfall_core::ErrorKind::Invalid`] for another ending, [`windfall_core::ErrorKind::Io`] if
/// the file cannot be written.
pub fn write(path: &Path, table: &Table) -> Result<()> {
    let format = format_of(path)?;
    replace(path, |file| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        match format {
            Format::Parquet => parquet::write(&mut out, table)?,
            Format::Separated(by) => csv::write(&mut out, table, by)?,
        }
        out.flush()
    })
}

/// Checks that [`write`] knows what to do with `path`, before any work is spent.
///
/// # Errors
/// As [`write`] for an unknown ending.
pub fn check_ending(path: &Path) -> Result<()> {
    format_of(path).map(|_| ())
}

/// The formats that are written.
enum Format {
    Parquet,
    Separated(char),
}

fn format_of(path: &Path) -> Result<Format> {
    match extension(path).as_str() {
        "parquet" | "pq" => Ok(Format::Parquet),
        "tsv" => Ok(Format::Separated('\t')),
        "csv" | "txt" => Ok(Format::Separated(',')),
        _ => {
            Err(Error::invalid("out", path.display(), "a file that ends in .csv, .tsv or .parquet"))
        }
    }
}

/// The extension of `path` in lower case, without its dot.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Reads what job files name, relative to one folder.
#[derive(Clone, Debug, Default)]
pub struct Folder(
    /// The folder; empty for the current one.
    pub PathBuf,
);

impl Folder {
    /// The folder that `file` lies in.
    pub fn of(file: &Path) -> Self {
        Self(file.parent().map(Path::to_path_buf).unwrap_or_default())
    }
}

impl Source for Folder {
    fn table(&self, path: &str) -> Result<Table> {
        read(&self.0.join(path))
    }
}

/// A table that lies in memory, whatever name the job gives it.
#[derive(Clone, Debug)]
pub struct InMemory(
    /// The table; clones share its columns.
    pub Table,
);

impl Source for InMemory {
    fn table(&self, _: &str) -> Result<Table> {
        Ok(self.0.clone())
    }
}

/// The system's message without its error number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().collect::<String>() + letters.as_str()
    })
}
