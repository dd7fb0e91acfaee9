//! What `windfall submit` asks of Slurm, by commands that stand in for Slurm's.

use crate::{Done, Scratch};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const JOB: &str = "problem = 'pi'\nseed = 7\nn = 80000000\n";

/// A folder with a job in it and, in `bin`, a Slurm whose arrays have at most three tasks.
fn scratch(config: &str) -> Scratch {
    let scratch = Scratch::new();
    scratch.put("job.toml", JOB);
    let commands = [
        ("scontrol", format!("[ \"$*\" = 'show config' ] && printf '{config}'")),
        ("squeue", "true".to_owned()),
        ("sbatch", "echo \"$@\" >>asked; echo 42".to_owned()),
    ];
    for (name, does) in commands {
        scratch.put(&format!("bin/{name}"), &format!("#!/bin/sh\n{does}\n"));
        let path = scratch.path().join("bin").join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    scratch
}

fn submit(scratch: &Scratch, tasks: &str) -> Done {
    let mut command = scratch.command(&["submit", "job.toml", "--slurm", "--tasks", tasks]);
    let path = format!("{}:/usr/bin:/bin", scratch.path().join("bin").display());
    Done::of(command.env("PATH", path).output().expect("it starts"))
}

#[test]
fn an_array_that_slurm_would_refuse_is_refused_before_anything_is_submitted() {
    let config = "Configuration data\\nMaxArraySize            = 3\\nMaxJobCount  = 9\\n";
    let scratch = scratch(config);
    let done = submit(&scratch, "4");
    assert_eq!(done.code, 2, "{}", done.stderr);
    for part in ["`tasks` is `4`", "at most 3", "MaxArraySize", "hint: give fewer --tasks"] {
        assert!(done.stderr.contains(part), "{part} is not in {}", done.stderr);
    }
    assert!(!scratch.path().join("asked").exists(), "nothing is submitted");
    let done = submit(&scratch, "3");
    assert_eq!(done.code, 0, "{}", done.stderr);
    let asked = fs::read_to_string(scratch.path().join("asked")).expect("a file");
    assert!(asked.contains("--array=0-2 ") && asked.lines().count() == 2, "{asked}");
}

#[test]
fn a_slurm_that_does_not_tell_its_limit_is_asked_all_the_same() {
    let scratch = scratch("Configuration data\\n");
    let done = submit(&scratch, "4");
    assert_eq!(done.code, 0, "{}", done.stderr);
}
