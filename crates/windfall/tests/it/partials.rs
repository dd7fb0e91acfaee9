//! Shards run apart, merged; and runs that are cut off and go on: always the bytes of a plain run.

use crate::{Done, Scratch};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

const JOB: &str = "problem = 'bootstrap'\ndata = 'law_school.csv'\nseed = 7\n\
                   statistic = 'correlation(lsat, gpa)'\nmethod = 'bca'\nresamples = 400000\n";

fn scratch() -> Scratch {
    let scratch = Scratch::with_law_school();
    scratch.put("job.toml", JOB);
    scratch
}

/// Writes the partials of `shards` into `file`.
fn shard(scratch: &Scratch, shards: &str, file: &str) {
    let done = scratch.run(&["shard", "job.toml", shards, "--out", file]);
    assert_eq!(done.code, 0, "{}", done.stderr);
}

fn count(scratch: &Scratch) -> u64 {
    let done = scratch.run(&["shard", "job.toml", "--count"]);
    done.stdout.trim().parse().expect("a number of shards")
}

#[test]
fn merged_partials_give_the_answer_of_a_run() {
    let scratch = scratch();
    let all = count(&scratch);
    assert!(all > 4, "{all} shards");
    let plain = scratch.answer(&["run", "job.toml"]);
    shard(&scratch, &format!("2..{all}"), "b.partials");
    shard(&scratch, "0..2", "a.partials");
    shard(&scratch, "1..3", "c.partials");
    let files = ["c.partials", "b.partials", "a.partials"];
    assert_eq!(scratch.answer(&[&["merge", "job.toml"][..], &files].concat()), plain);
    // Files of partials may be put one behind the other, and their names do not matter.
    let both =
        [fs::read(scratch.path().join("b.partials")), fs::read(scratch.path().join("a.partials"))];
    let both = both.map(|bytes| bytes.expect("a file")).concat();
    fs::write(scratch.path().join("all"), both).expect("a file");
    assert_eq!(scratch.answer(&["merge", "job.toml", "all"]), plain);
    // The replicates come along.
    let done = scratch.run(&["merge", "job.toml", "all", "--quiet", "--out", "merged.csv"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let done = scratch.run(&["run", "job.toml", "--quiet", "--out", "run.csv"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let read = |name: &str| fs::read(scratch.path().join(name)).expect("a file");
    assert_eq!(read("merged.csv"), read("run.csv"));
}

#[test]
fn a_search_is_merged_too() {
    let scratch = Scratch::with_law_school();
    let job = "problem = 'sample_size'\ntest = 't-test'\neffect = 0.9\npower = 0.8\nseed = 3\n";
    scratch.put("job.toml", job);
    shard(&scratch, &format!("0..{}", count(&scratch)), "a.partials");
    let merged = scratch.answer(&["merge", "job.toml", "a.partials"]);
    assert_eq!(merged, scratch.answer(&["run", "job.toml"]));
}

#[test]
fn lines_go_through_a_pipe() {
    let scratch = scratch();
    let all = count(&scratch);
    let mut child = scratch
        .command(&["shard", "job.toml", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // As Hadoop Streaming hands over lines: an offset, a tab, the line.
    for shard in (0..all).rev() {
        writeln!(stdin, "{}\t{shard}", 17 * shard).expect("it reads");
    }
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(text.lines().count() as u64, all);
    assert!(text.starts_with(&format!("{}\t", all - 1)), "each line begins with its shard");
    scratch.put("lines", &text);
    assert_eq!(
        scratch.answer(&["merge", "job.toml", "lines"]),
        scratch.answer(&["run", "job.toml"])
    );
    let mut merge = scratch.command(&["merge", "job.toml", "-", "--quiet"]);
    let mut child = merge.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    assert_eq!(Done::of(child.wait_with_output().expect("it ends")).code, 0);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let scratch = scratch();
    let all = count(&scratch);
    shard(&scratch, "0..2", "a.partials");
    shard(&scratch, &format!("4..{all}"), "b.partials");
    let refused = |arguments: &[&str], parts: &[&str]| {
        let done = scratch.run(&[&["merge"], arguments].concat());
        assert_ne!(done.code, 0, "{arguments:?}");
        for part in parts {
            assert!(done.stderr.contains(part), "{part} is not in: {}", done.stderr);
        }
    };
    refused(
        &["job.toml", "a.partials", "b.partials"],
        &[
            &format!("2 of the job's {all} shards are missing: 2..4"),
            "windfall shard job.toml SHARDS",
        ],
    );
    scratch.put("other.toml", &JOB.replace("seed = 7", "seed = 8"));
    refused(&["other.toml", "a.partials"], &["those of another job"]);
    scratch.put("unsown.toml", &JOB.replace("seed = 7\n", ""));
    refused(&["unsown.toml", "a.partials"], &["`seed` is `missing`"]);
    // Other data under the same name.
    let data = crate::LAW_SCHOOL.replace("576", "577");
    assert_ne!(data, crate::LAW_SCHOOL);
    scratch.put("law_school.csv", &data);
    refused(&["job.toml", "a.partials"], &["those of another job", "its data changed"]);
    scratch.put("law_school.csv", crate::LAW_SCHOOL);
    let mut bytes = fs::read(scratch.path().join("a.partials")).expect("a file");
    bytes[200] ^= 1;
    fs::write(scratch.path().join("bent.partials"), &bytes).expect("a file");
    refused(&["job.toml", "bent.partials"], &["bent.partials", "byte 0", "checksum"]);
    let torn = [&bytes[..90], &bytes[..]].concat();
    fs::write(scratch.path().join("torn.partials"), torn).expect("a file");
    refused(&["job.toml", "torn.partials"], &["torn.partials", "byte 0"]);
    refused(&["job.toml", "job.toml"], &["no partial of Windfall's"]);
    refused(&["job.toml", "nowhere"], &["nowhere"]);
    for (shards, part) in [("0..99999", "below"), ("3..3", "0..64"), ("x", "0..64")] {
        let done = scratch.run(&["shard", "job.toml", shards, "--out", "none"]);
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    assert!(!scratch.names().contains(&"none".to_owned()));
}

#[test]
fn what_a_killed_command_has_finished_stays_in_its_file() {
    let scratch = Scratch::new();
    scratch.put("job.toml", LONG);
    let plain = scratch.answer(&["run", "job.toml"]);
    let all = count(&scratch);
    let file = scratch.path().join("a.partials");
    let size = || fs::metadata(&file).map_or(0, |file| file.len());
    let mut child = scratch
        .command(&["shard", "job.toml", "--out", "a.partials", "--workers", "1"])
        .spawn()
        .expect("it starts");
    while size() == 0 && child.try_wait().expect("it can be asked").is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it can be killed");
    assert!(!child.wait().expect("it ends").success(), "the job is too short to be killed");
    let whole = fs::read(&file).expect("it is there");
    assert!(!whole.is_empty());
    // As if the kill had come in the midst of a partial.
    fs::write(&file, &whole[..whole.len() - 7]).expect("a file");
    let done = scratch.run(&["merge", "job.toml", "a.partials"]);
    assert!(done.code == 2 && done.stderr.contains("shards are missing"), "{}", done.stderr);
    let kept = size();
    shard(&scratch, &format!("0..{all}"), "a.partials");
    let full = size();
    assert!(full > kept, "the others are appended");
    assert_eq!(scratch.answer(&["merge", "job.toml", "a.partials"]), plain);
    shard(&scratch, &format!("1..{all}"), "a.partials");
    assert_eq!(size(), full, "nothing runs twice");
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let scratch = scratch();
    shard(&scratch, "0..2", "a.partials");
    scratch.put("other.toml", &JOB.replace("seed = 7", "seed = 8"));
    scratch.put("notes", "what was found");
    let ours = fs::read(scratch.path().join("a.partials")).expect("a file");
    let bent = [&ours[..], &[1; 300], &ours[..]].concat();
    fs::write(scratch.path().join("bent.partials"), bent).expect("a file");
    for (job, file, part) in [
        ("other.toml", "a.partials", "a file of this job's partials"),
        ("job.toml", "notes", "no partial of Windfall's"),
        ("job.toml", "bent.partials", "no partial of Windfall's"),
    ] {
        let before = fs::read(scratch.path().join(file)).expect("a file");
        let done = scratch.run(&["shard", job, "0..3", "--out", file]);
        assert!(done.code == 2 && done.stderr.contains(part), "{}", done.stderr);
        assert_eq!(fs::read(scratch.path().join(file)).expect("a file"), before, "{file}");
    }
}

/// What is on the disk when: strace tells the order of the calls.
#[test]
#[cfg(target_os = "linux")]
fn names_and_the_job_are_on_the_disk_before_the_first_partial() {
    let scratch = scratch();
    let shown = "trace=fsync,fdatasync,rename,renameat,renameat2,write";
    let command = env!("CARGO_BIN_EXE_windfall");
    let traced = Command::new("strace")
        .args(["-f", "-y", "-e", shown, "-o", "calls", command])
        .args(["run", "job.toml", "--quiet", "--checkpoint", "deep/kept", "--workers", "2"])
        .current_dir(scratch.path())
        .output();
    // Without strace, or where no process may watch another, there is nothing to see.
    let (is_done, said) = match traced {
        Ok(traced) => (traced.status.success(), String::from_utf8_lossy(&traced.stderr).into()),
        Err(error) => (false, format!("PTRACE: {error}")),
    };
    if said.contains("PTRACE") {
        let reason = format!("skipped: strace cannot be used here: {}\n", said.trim());
        // Not by a macro, whose words the harness keeps to itself.
        std::io::stderr().write_all(reason.as_bytes()).expect("it can be said");
        return;
    }
    assert!(is_done, "{said}");
    let calls = fs::read_to_string(scratch.path().join("calls")).expect("a file");
    let top = fs::canonicalize(scratch.path()).expect("a folder").display().to_string();
    let place = |call: &str, of: &str| {
        let is_it = |line: &&str| line.contains(&format!("{call}(")) && line.contains(of);
        let mut all = calls.lines().enumerate().filter(|(_, line)| is_it(line));
        let (first, _) = all.next().unwrap_or_else(|| panic!("no {call} of {of} in\n{calls}"));
        (first, all.last().map_or(first, |(last, _)| last))
    };
    let partial = place("write", &format!("<{top}/deep/kept/partials>"));
    let rename = place("rename", "job.json");
    assert!(place("fsync", &format!("<{top}>")).0 < partial.0, "the name of `deep`");
    assert!(place("fsync", &format!("<{top}/deep>")).0 < partial.0, "the name of `kept`");
    assert!(place("fsync", ".job.json.").1 < rename.0, "the job before its name");
    let names = place("fsync", &format!("<{top}/deep/kept>"));
    assert!(rename.0 < names.1 && names.1 < partial.0, "the names in `kept`");
    let forced = place("fdatasync", &format!("<{top}/deep/kept/partials>"));
    assert!(partial.1 < forced.1, "and all partials at the end");
}

/// Takes about a second on one worker.
const LONG: &str = "problem = 'integrate'\nseed = 3\nformula = 'sin(x0 * x1) / (1 + x0^2)'\n\
                    bounds = [[0, 1], [0, 1]]\nn = 30000000\n";

#[test]
fn a_run_killed_at_fifty_moments_goes_on_to_the_same_bytes() {
    let scratch = Scratch::new();
    scratch.put("job.toml", LONG);
    let plain = scratch.answer(&["run", "job.toml"]);
    let run = ["run", "job.toml", "--checkpoint", "kept", "--json"];
    let (mut cut_off, mut random) = (0, 12345_u64);
    while cut_off < 50 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut child = scratch.command(&run).stdout(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(5 + (random >> 33) % 40));
        child.kill().expect("it can be killed");
        if child.wait().expect("it ends").success() {
            // It was done before: what it kept goes, and the killing goes on.
            assert_eq!(scratch.answer(&run[..4]), plain);
            fs::remove_dir_all(scratch.path().join("kept")).expect("the folder is there");
        }
        cut_off += 1;
    }
    assert_eq!(scratch.answer(&run[..4]), plain);
    let names: Vec<String> = fs::read_dir(scratch.path().join("kept"))
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".part"))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // What was kept is a file of partials like any other.
    let seeded = scratch.answer(&["merge", "job.toml", "kept/partials"]);
    assert_eq!(seeded, plain);
}

#[test]
fn a_checkpoint_belongs_to_one_job_and_lends_its_seed() {
    let scratch = scratch();
    let law = ["bootstrap", "law_school.csv", "-s", "mean(gpa)", "--checkpoint", "kept"];
    let of = |more: &[&str]| scratch.answer(&[&law[..], more].concat());
    let first = of(&["--resamples", "200000"]);
    let second = of(&["--resamples", "200000"]);
    assert_eq!(first, second, "the seed is that of the first run");
    let seed = first["seed"].as_u64().map_or(first["seed"].to_string(), |seed| seed.to_string());
    let seed = seed.trim_matches('"');
    let plain = scratch.answer(&[&law[..4], &["--resamples", "500000", "--seed", seed]].concat());
    assert_eq!(of(&["--resamples", "500000"]), plain, "more draws use those that are there");
    for (more, part) in
        [(&["--method", "basic"][..], "`method`"), (&["--seed", "99"], "`seed` is `99`")]
    {
        let done = scratch.run(&[&law[..], more].concat());
        assert_eq!(done.code, 2);
        assert!(
            done.stderr.contains(part) && done.stderr.contains("another folder"),
            "{}",
            done.stderr
        );
    }
    scratch.put("law_school.csv", &crate::LAW_SCHOOL.replace("576", "577"));
    let done = scratch.run(&law);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("`data`"), "{}", done.stderr);
}

#[test]
#[cfg(unix)]
fn a_full_disk_ends_the_run_and_loses_nothing() {
    let scratch = Scratch::new();
    scratch.put("job.toml", LONG);
    let plain = scratch.answer(&["run", "job.toml"]);
    // A file may have four blocks of 1,024 bytes; the signal that says so is ignored.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 4; exec {} run job.toml --checkpoint kept",
        env!("CARGO_BIN_EXE_windfall")
    );
    let output = Command::new("bash").args(["-c", &limited]).current_dir(scratch.path()).output();
    let done = Done::of(output.expect("there is a shell"));
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(
        done.stderr.contains("kept/partials") && done.stderr.contains("make room"),
        "{}",
        done.stderr
    );
    let size = fs::metadata(scratch.path().join("kept/partials")).expect("it is there").len();
    assert!((1..=4096).contains(&size));
    assert_eq!(scratch.answer(&["run", "job.toml", "--checkpoint", "kept"]), plain);
}
