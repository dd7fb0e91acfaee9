//! Names that outlive a power cut: a file that is on the disk is lost if its folder is not.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Makes `folder` and those that it lies in, and forces their names to the disk.
///
/// # Errors
/// The system's.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let made: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(folder)?;
    made.iter().try_for_each(|folder| sync_name(folder))
}

/// Forces the name of `path` in its folder to the disk, as it must be after `path` was made or
/// renamed. A file system that has nothing to force is left in peace.
///
/// # Errors
/// The system's.
pub fn sync_name(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Ok(()),
    };
    if cfg!(not(unix)) {
        // Elsewhere a folder is no file that could be opened.
        return Ok(());
    }
    let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) else { return Ok(()) };
    match error.kind() {
        // It cannot be forced, or not by us, who may still write into it.
        ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied => Ok(()),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_wherever_they_lie() {
        let top = std::env::temp_dir().join(format!("windfall-disk-{}", std::process::id()));
        let deep = top.join("a/b/c");
        make_folder(&deep).unwrap();
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
        sync_name(&deep.join("not/there")).unwrap_err();
        sync_name(Path::new("Cargo.toml")).unwrap();
        sync_name(Path::new("/")).unwrap();
        fs::write(top.join("file"), "").unwrap();
        make_folder(&top.join("file/folder")).unwrap_err();
        fs::remove_dir_all(&top).unwrap();
    }
}
