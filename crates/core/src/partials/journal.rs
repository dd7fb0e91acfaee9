//! The file that a run appends its partials to, so that a run that was cut off can go on.

use super::archive::Archive;
use super::disk::sync_name;
use super::frame::Frame;
use crate::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind as Io, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// An open journal. Only one process has it open for writing.
///
/// Each partial is handed to the system as soon as it is there, which survives whatever happens to
/// the process; once every interval all of them are forced to the disk, which survives a power cut.
#[derive(Debug)]
pub struct Journal {
    name: String,
    file: Mutex<Tail>,
    /// Whether something was written since the last time that all was forced to the disk.
    is_dirty: AtomicBool,
    interval: Duration,
}

#[derive(Debug)]
struct Tail {
    file: File,
    /// Where the next frame begins.
    end: u64,
}

impl Journal {
    /// Opens the journal at `path`, or begins one, that is forced to the disk every `interval`.
    /// Returns it with what it holds and how many bytes of it were damaged.
    ///
    /// A frame that breaks off at the end is cut away. Damaged bytes elsewhere stay where they are
    /// and count as nothing: the shards that they were of run again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] if another process writes it, if it cannot be read or written, and
    /// if it holds partials of another version of Windfall, which stay there.
    pub fn open(path: &Path, interval: Duration) -> Result<(Self, Archive, u64)> {
        let name = path.display().to_string();
        let failed = |error: io::Error| Error::io(&name, error);
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let error = Error::io(&name, "another run writes it");
                return Err(error.hint("wait for that run, or give this one a place of its own"));
            }
            // A file system without locks, as some clusters have, keeps partials as any other.
            Err(TryLockError::Error(error)) if error.kind() == Io::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut archive = Archive::default();
        let reader = File::open(path).map_err(failed)?;
        let damage = archive.add(name.clone(), reader).map_err(failed)?;
        if let Some(foreign) = damage.iter().find(|damage| damage.is_foreign()) {
            return Err(foreign.error(&name));
        }
        archive.settle()?;
        let mut end = file.metadata().map_err(failed)?.len();
        if end == 0 {
            sync_name(path).map_err(failed)?;
        }
        let all = end;
        let torn = damage.iter().find(|damage| damage.is_tail);
        if let Some(torn) = torn {
            end = torn.from;
            file.set_len(end).map_err(failed)?;
        }
        let inner = damage.iter().filter(|damage| !damage.is_tail).count() as u64;
        let lost = if torn.is_some() { all - end } else { 0 } + inner;
        let file = Mutex::new(Tail { file, end });
        Ok((Self { name, file, is_dirty: AtomicBool::new(false), interval }, archive, lost))
    }

    /// Appends a partial.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`], with what was written of this partial taken back, so that those
    /// before it stay whole.
    pub fn append(&self, frame: &Frame, partial: &[u8]) -> Result<()> {
        let mut bytes = Vec::with_capacity(partial.len() + 128);
        frame.write(partial, &mut bytes);
        let mut tail = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = tail.file.write_all(&bytes) {
            // If that fails too, opening the journal cuts it.
            drop(tail.file.set_len(tail.end));
            return Err(self.failed(&error));
        }
        tail.end += bytes.len() as u64;
        self.is_dirty.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Does `work`, and meanwhile forces to the disk what it appends.
    ///
    /// # Errors
    /// That of the work, or [`crate::ErrorKind::Io`] if the disk takes no more.
    pub fn during(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        std::thread::scope(|scope| {
            let (running, done) = channel();
            let force = scope.spawn(move || self.force(&done));
            let worked = work();
            drop(running);
            let forced = force.join().unwrap_or_else(|_| Err(Error::wire("a thread panicked")));
            worked.and(forced)
        })
    }

    /// Forces everything to the disk every interval, until `done` ends, and then once more.
    fn force(&self, done: &Receiver<()>) -> Result<()> {
        let disk = {
            let tail = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            tail.file.try_clone().map_err(|error| self.failed(&error))?
        };
        loop {
            let more = done.recv_timeout(self.interval) == Err(RecvTimeoutError::Timeout);
            if self.is_dirty.swap(false, Ordering::Relaxed) {
                disk.sync_data().map_err(|error| self.failed(&error))?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::io(&self.name, error)
            .hint("make room and run again: the shards that it holds are not run twice")
    }
}
