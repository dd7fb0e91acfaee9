//! A job with the folder that its data path starts from: out of flags or a file, into a file.

use serde::Serialize;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use windfall::files::{Folder, read_job, replace};
use windfall::{JobSpec, Result, Seed};

/// A job and where its data lies.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub spec: JobSpec,
    pub folder: Folder,
}

impl Job {
    /// The job of `problem` with these flags as options; data lies in the current folder.
    pub(super) fn from_flags(problem: &str, flags: &impl Serialize) -> Self {
        let mut spec = JobSpec::new(problem);
        if let Ok(Value::Object(given)) = serde_json::to_value(flags) {
            spec.options = given.into_iter().filter(|(_, value)| !value.is_null()).collect();
        }
        if let Some(Value::String(data)) = spec.options.shift_remove("data") {
            spec.data = Some(data);
        }
        Self { spec, folder: Folder::default() }
    }

    /// The job in the file at `path`.
    pub(super) fn from_file(path: &Path) -> Result<Self> {
        Ok(Self { spec: read_job(path)?, folder: Folder::of(path) })
    }

    /// Writes the job, with `seed`, to the file at `path`: JSON if it ends so, else TOML. The data
    /// path is written as seen from there, and so is that of kept replicates.
    pub(super) fn write(&self, path: &Path, seed: Option<Seed>) -> Result<()> {
        let mut spec = self.spec.clone();
        spec.seed = seed.or(spec.seed);
        let from = Folder::of(path).0;
        let kept = spec.options.get_mut(KEPT).and_then(|value| match value {
            Value::String(text) => Some(text),
            _ => None,
        });
        for file in spec.data.iter_mut().chain(kept) {
            *file = seen_from(&from, &self.folder.0.join(&*file));
        }
        let json = path.extension().is_some_and(|ending| ending == "json");
        let text = if json { spec.to_json() + "\n" } else { spec.to_toml() };
        replace(path, |file| file.write_all(text.as_bytes()))
    }
}

/// The key of an option that names a file.
const KEPT: &str = "extend";

/// The path to `target` as seen from `folder`, with `/` between its parts.
fn seen_from(folder: &Path, target: &Path) -> String {
    let whole = |path: &Path| -> PathBuf {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let real = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
        real.unwrap_or_else(|_| path.to_path_buf())
    };
    let (folder, target) = (whole(folder), whole(target));
    let shared = folder.components().zip(target.components()).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return target.display().to_string();
    }
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = target.components().skip(shared);
    let down = down.map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_folder() {
        for (folder, target, expected) in [
            ("/nowhere/jobs", "/nowhere/data/x.csv", "../data/x.csv"),
            ("/nowhere", "/nowhere/data/x.csv", "data/x.csv"),
            ("/nowhere/a/b", "/nowhere/x.csv", "../../x.csv"),
        ] {
            assert_eq!(seen_from(Path::new(folder), Path::new(target)), expected);
        }
    }
}
