//! The `windfall` command as people and scripts meet it: shapes, bytes, codes, interruptions; and
//! what the manual shows of the library.

mod bad_input;
mod bytes;
#[cfg(unix)]
mod cluster;
mod examples;
mod formulas;
mod help;
#[cfg(unix)]
mod interrupt;
mod partials;
mod plan;
mod shapes;
mod simulate;
#[cfg(unix)]
mod slurm;
mod values;

use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// Efron and Tibshirani (1993), table 3.1.
const LAW_SCHOOL: &str = include_str!("../../../../examples/law_school.csv");

/// A folder of its own for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("windfall-it-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    /// Such a folder with the law school data in it.
    fn with_law_school() -> Self {
        let scratch = Self::new();
        scratch.put("law_school.csv", LAW_SCHOOL);
        scratch
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// The names of what lies in the folder, hidden files included.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder is there");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// The command in this folder, with an environment that says nothing.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windfall"));
        command.args(arguments).current_dir(&self.0);
        for name in ["WINDFALL_WORKERS", "WINDFALL_ISA", "SLURM_CPUS_PER_TASK", "COLUMNS"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().expect("the command starts"))
    }

    /// The object that the command prints with `--json`.
    fn json(&self, arguments: &[&str]) -> Map<String, Value> {
        let done = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
        done.object()
    }

    /// The same without what may differ from run to run.
    fn answer(&self, arguments: &[&str]) -> Map<String, Value> {
        let mut object = self.json(arguments);
        assert!(object.shift_remove("run").is_some_and(|run| run.is_object()));
        object
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// How the command ended and what it said.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    fn object(&self) -> Map<String, Value> {
        serde_json::from_str(&self.stdout).expect("one JSON object")
    }
}

/// The number under `key`.
fn number(object: &Map<String, Value>, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("`{key}` is no number in {object:?}"))
}
