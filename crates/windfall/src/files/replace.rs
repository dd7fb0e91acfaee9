//! Write a file whole or not at all: under a temporary name beside it, then renamed.

use super::plain;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use windfall_core::partials::sync_name;
use windfall_core::{Error, Result};

/// The temporary files that are being written now.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn pending() -> MutexGuard<'static, Vec<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the file at `path` by `fill`. Readers see the old file or the whole new one, whatever
/// happens to the process or the power; when anything fails, the old one stays and nothing is left
/// beside it.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] with the system's message.
pub fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let failed = |error: io::Error| Error::io(path.display(), plain(&error));
    let name = path.file_name().ok_or_else(|| Error::io(path.display(), "is not a file name"))?;
    let hidden = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
    let temporary = path.with_file_name(hidden);
    let opened = {
        let mut pending = pending();
        let opened = OpenOptions::new().write(true).create_new(true).open(&temporary);
        if opened.is_ok() {
            pending.push(temporary.clone());
        }
        opened
    };
    let mut file = opened.map_err(failed)?;
    // A name must not be on the disk before the bytes that it names.
    let written = fill(&mut file).and_then(|()| file.sync_all());
    drop(file);
    let mut pending = pending();
    let placed = written.and_then(|()| std::fs::rename(&temporary, path));
    if placed.is_err() {
        // The first error is the one to tell; what cannot be removed either is not worth a second.
        drop(std::fs::remove_file(&temporary));
    }
    pending.retain(|other| *other != temporary);
    drop(pending);
    placed.and_then(|()| sync_name(path)).map_err(failed)
}

/// Removes what is half written and lets nothing else begin: for those about to exit at once.
///
/// The guard it returns keeps other threads from starting or finishing a file while it lives.
#[must_use]
pub fn abandon() -> impl Sized {
    let mut pending = pending();
    for temporary in pending.drain(..) {
        drop(std::fs::remove_file(temporary));
    }
    pending
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A new folder for one test.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("windfall-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_nothing() {
        let folder = folder("replace");
        let path = folder.join("out.csv");
        replace(&path, |file| file.write_all(b"old")).unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.unwrap_err().to_string().ends_with("out.csv`: the disk is full"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let error = replace(Path::new("no/such/folder/x.csv"), |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "`no/such/folder/x.csv`: no such file or directory");
    }
}
