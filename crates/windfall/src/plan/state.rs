//! Files of the planner: a calibration and a history. Nothing is written unless it is asked for.

use super::calibration::Calibration;
use crate::files::replace;
use crate::machine;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use windfall_core::plan::{Costs, Errors, Pair};
use windfall_core::{Error, Result, now_us};

/// The folder that they lie in, and whether it was asked for.
#[derive(Clone, Debug)]
pub struct State(PathBuf);

impl State {
    /// The folder `asked`, else the one for a program's state in the user's home.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if the user has no home.
    pub fn new(asked: Option<&Path>) -> Result<Self> {
        match asked.map(Path::to_path_buf).or_else(machine::state_folder) {
            Some(folder) => Ok(Self(folder)),
            None => {
                let error = Error::invalid("HOME", "", "the folder of a user");
                Err(error.hint("name a folder with --state, or set XDG_STATE_HOME"))
            }
        }
    }

    /// The file of measured costs.
    pub fn calibration_path(&self) -> PathBuf {
        self.0.join("calibration.json")
    }

    /// The file of predicted and actual times.
    pub fn history_path(&self) -> PathBuf {
        self.0.join("history.jsonl")
    }

    /// The kept calibration, if there is one.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Io`] if it cannot be read.
    pub fn calibration(&self) -> Result<Option<Calibration>> {
        let path = self.calibration_path();
        let Some(text) = read(&path)? else { return Ok(None) };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|error| {
            Error::io(path.display(), format!("is no calibration: {error}"))
                .hint("`windfall plan --calibrate` writes it anew")
        })
    }

    /// Keeps what was measured with what is kept already; returns all of it.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Io`] if it cannot be read or written.
    pub fn calibrate(&self, found: Vec<(String, Costs)>) -> Result<Calibration> {
        let calibration = self.calibration()?.unwrap_or_default().with(found);
        self.make()?;
        let text = serde_json::to_string_pretty(&calibration).unwrap_or_default() + "\n";
        replace(&self.calibration_path(), |file| file.write_all(text.as_bytes()))?;
        Ok(calibration)
    }

    /// The kept pairs, oldest first.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Io`] with the line that cannot be read.
    pub fn history(&self) -> Result<Vec<Pair>> {
        let path = self.history_path();
        let Some(text) = read(&path)? else { return Ok(Vec::new()) };
        Pair::read_lines(&text).map_err(|error| Error::io(path.display(), error))
    }

    /// The errors of the kept pairs.
    ///
    /// # Errors
    /// As [`State::history`].
    pub fn errors(&self) -> Result<Errors> {
        Ok(Errors::of(&self.history()?))
    }

    fn make(&self) -> Result<()> {
        std::fs::create_dir_all(&self.0)
            .map_err(|error| Error::io(self.0.display(), crate::files::plain(&error)))
    }
}

/// Appends pairs to the history, stamped with time, host and version, in one write.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] if it cannot be written.
pub fn keep(state: &State, pairs: &[Pair]) -> Result<()> {
    state.make()?;
    let path = state.history_path();
    let (host, version) = (machine::host(), env!("CARGO_PKG_VERSION"));
    let stamped = pairs.iter().map(|pair| {
        let (host, version) = (host.to_owned(), version.to_owned());
        Pair { time_us: now_us(), host, version, ..pair.clone() }.to_line() + "\n"
    });
    let text: String = stamped.collect();
    let opened = OpenOptions::new().append(true).create(true).open(&path);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::io(path.display(), crate::files::plain(&error)))
}

fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path.display(), crate::files::plain(&error))),
    }
}
