//! Exit codes, and how errors are said.

use std::io::{self, Write};
use std::process::ExitCode;
use windfall::{Error, ErrorKind};

/// How the command ends; `windfall --help` lists the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Done,
    Failed,
    BadInput,
    Differs,
    Incomplete,
    Interrupted,
}

impl Exit {
    /// The code as a number.
    pub(super) fn code(self) -> ExitCode {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Differs => 3,
            Self::Incomplete => 4,
            Self::Interrupted => 130,
        }
        .into()
    }
}

/// An error with the code that it ends in.
#[derive(Debug)]
pub(super) struct Failure {
    error: Error,
    exit: Exit,
}

/// What obeying a command yields.
pub(super) type Done = Result<Exit, Failure>;

impl Failure {
    /// A file that should have been written and was not.
    pub(super) fn writing(error: Error) -> Self {
        Self { error, exit: Exit::Failed }
    }

    /// What ended a run that had begun: a file that cannot be written is no bad input any more.
    pub(super) fn running(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Io { .. } => Self { error, exit: Exit::Failed },
            _ => error.into(),
        }
    }

    /// Says the error on standard error and returns its code.
    pub(super) fn say(&self) -> ExitCode {
        // There is nowhere left to say that standard error is closed.
        let _ = writeln!(io::stderr(), "error: {}", self.error);
        self.exit.code()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::Task { .. } | ErrorKind::Unsupported { .. } | ErrorKind::Wire { .. } => {
                Exit::Failed
            }
            ErrorKind::Interrupted => Exit::Interrupted,
            _ => Exit::BadInput,
        };
        Self { error, exit }
    }
}

/// Writes `text` to standard output. A reader that went away is no error: it has what it wants.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::writing(Error::io("standard output", error)))
        }
        _ => Ok(()),
    }
}
