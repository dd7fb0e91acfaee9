//! Partials that are kept: whatever becomes of a journal, the answer is the same bytes.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use windfall_conformance::source;
use windfall_core::partials::{Archive, Basis, Journal, Keep};
use windfall_core::{
    Capabilities, Carries, Control, ErrorKind, Executor, JobSpec, Problem, Result, Sink, Threads,
    Work,
};
use windfall_stats::REGISTRY;
use windfall_stats::integrate::Integrate;

/// A file of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("windfall-keep-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn open(&self) -> (Journal, Archive, u64) {
        Journal::open(&self.0, Duration::from_millis(5)).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Threads with a fresh journal for each run.
struct Journalled;

impl Executor for Journalled {
    fn capabilities(&self) -> Capabilities {
        Capabilities { carries: Carries::Specs, ..Threads::new(3).capabilities() }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let scratch = Scratch::new();
        let (journal, archive, _) = scratch.open();
        let (on, journal) = (&Threads::new(3), Some(&journal));
        let basis = Basis::default();
        Keep { on, archive: &archive, journal, basis }.run(work, sink, tick)
    }
}

windfall_conformance::conformance!(Journalled);

fn problem(text: &str) -> Box<dyn Problem> {
    REGISTRY.build(&JobSpec::from_toml(text).unwrap(), &source()).unwrap()
}

/// Solves with the journal; the answer, how many partials were there, how many bytes were damaged.
fn solve(problem: &dyn Problem, scratch: &Scratch) -> (Vec<u8>, u64, u64) {
    let (journal, archive, damage) = scratch.open();
    let on = Keep {
        on: &Threads::new(2),
        archive: &archive,
        journal: Some(&journal),
        basis: Basis { grows_by: problem.grows_by(), ..Basis::default() },
    };
    let answer = problem.solve(&on, &Control::default()).unwrap();
    (answer.to_bytes(), archive.used(), damage)
}

const SMALL: &str = "problem = 'pi'\nseed = 8\nn = 2200000";

#[test]
fn a_second_run_finds_everything_and_answers_the_same() {
    for text in [
        SMALL,
        "problem = 'bootstrap'\nseed = 1\ndata = 'law'\nstatistic = 'mean(gpa)'\n\
         method = 'bca'\nresamples = 40000\ntolerance = 0.0001",
        "problem = 'mixture'\nseed = 1\ndata = 'law'\ncomponents = [1, 2]\nstarts = 3",
        "problem = 'integrate'\nseed = 1\nformula = 'x0 * x1'\nbounds = [[0, 1], [0, 1]]\n\
         n = 400000\nmethod = 'vegas'",
    ] {
        let (problem, scratch) = (problem(text), Scratch::new());
        let plain = problem.solve(&Threads::new(2), &Control::default()).unwrap().to_bytes();
        let (first, used, _) = solve(problem.as_ref(), &scratch);
        assert_eq!((&first, used), (&plain, 0), "{text}");
        let size = fs::metadata(&scratch.0).unwrap().len();
        let (second, used, damage) = solve(problem.as_ref(), &scratch);
        assert_eq!((second, damage), (plain, 0), "{text}");
        assert!(used > 0);
        assert_eq!(fs::metadata(&scratch.0).unwrap().len(), size, "nothing was run again");
    }
}

#[test]
fn a_longer_job_uses_what_a_shorter_one_did() {
    for (short, long, uses) in [
        ("n = 3000000", "n = 9000000", true),
        ("n = 3000001", "n = 3000000", true),
        ("n = 3000000\nseed = 2", "n = 9000000\nseed = 3", false),
    ] {
        let scratch = Scratch::new();
        let of = |more: &str| problem(&format!("problem = 'pi'\n{more}"));
        let with = |more: &str| {
            if more.contains("seed") { more.into() } else { format!("seed = 1\n{more}") }
        };
        let (short, long) = (of(&with(short)), of(&with(long)));
        solve(short.as_ref(), &scratch);
        let (bytes, used, _) = solve(long.as_ref(), &scratch);
        let plain = long.solve(&Threads::new(2), &Control::default()).unwrap();
        assert_eq!(bytes, plain.to_bytes());
        // All but the last one, whose last task may be shorter.
        let expected = if uses { short.shards().count().min(long.shards().count()) - 1 } else { 0 };
        assert_eq!(used, expected);
    }
}

#[test]
fn bootstraps_permutations_and_studies_grow_too() {
    let correlation = "data = 'law'\nstatistic = 'correlation(lsat, gpa)'";
    let bootstrap = format!("problem = 'bootstrap'\nmethod = 'percentile'\n{correlation}");
    let permutation = format!("problem = 'permutation'\npermute = 'gpa'\n{correlation}");
    let study = "problem = 'simulate'\nrows = '9'\ngenerate = ['x = t(3)']\nmethod = ['mean(x)']";
    for (text, key, counts) in [
        (bootstrap.as_str(), "resamples", (200_001, 423_457)),
        (&permutation, "resamples", (200_001, 423_457)),
        (study, "replicates", (2100, 4001)),
    ] {
        let scratch = Scratch::new();
        let of = |count| problem(&format!("{text}\nseed = 1\n{key} = {count}"));
        let (short, long) = (of(counts.0), of(counts.1));
        assert_eq!(long.grows_by(), Some(key));
        solve(short.as_ref(), &scratch);
        let (bytes, used, _) = solve(long.as_ref(), &scratch);
        assert!(used > 0, "{text}");
        let plain = long.solve(&Threads::new(2), &Control::default()).unwrap();
        assert_eq!(bytes, plain.to_bytes());
    }
}

#[test]
fn code_is_kept_under_its_name_and_refused_without_one() {
    let scratch = Scratch::new();
    let mut spec = JobSpec::new("integrate");
    (spec.seed, spec.has_code) = (Some(1_u64.into()), true);
    spec.options.insert("bounds".into(), vec![vec![0, 1]].into());
    let solve = |factor: f64, code| {
        let problem = Integrate::of(move |x: &[f64]| factor * x[0], &spec).unwrap();
        let (journal, archive, _) = scratch.open();
        let basis = Basis { code, ..Basis::default() };
        let on = Keep { on: &Threads::new(2), archive: &archive, journal: Some(&journal), basis };
        let answer = problem.solve(&on, &Control::default());
        answer.map(|answer| (answer.quantities[0].estimate, archive.used()))
    };
    let (once, used) = solve(1.0, Some("once x")).unwrap();
    assert_eq!(used, 0);
    let (twice, used) = solve(2.0, Some("twice x")).unwrap();
    assert_eq!((twice, used), (2.0 * once, 0), "partials of other code are not used");
    let (again, used) = solve(1.0, Some("once x")).unwrap();
    assert!(again == once && used > 0);
    let error = solve(1.0, None).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }), "{error}");
}

#[test]
fn every_cut_and_every_flipped_byte_of_a_journal_is_noticed_or_harmless() {
    let (problem, scratch) = (problem(SMALL), Scratch::new());
    let (expected, ..) = solve(problem.as_ref(), &scratch);
    let whole = fs::read(&scratch.0).unwrap();
    let shards = problem.shards().count();
    let frame = whole.len() as u64 / shards;
    assert!(shards > 2 && whole.len() as u64 == shards * frame, "{shards} shards");
    for length in 0..whole.len() {
        fs::write(&scratch.0, &whole[..length]).unwrap();
        let (answer, used, damage) = solve(problem.as_ref(), &scratch);
        assert_eq!(answer, expected, "cut at {length}");
        assert_eq!((used, damage), (length as u64 / frame, length as u64 % frame));
        assert_eq!(fs::metadata(&scratch.0).unwrap().len(), whole.len() as u64);
    }
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x55;
        fs::write(&scratch.0, &bytes).unwrap();
        let (answer, used, damage) = solve(problem.as_ref(), &scratch);
        assert_eq!(answer, expected, "byte {place} flipped");
        assert_eq!(used, shards - 1);
        assert!(damage > 0);
        let (answer, used, _) = solve(problem.as_ref(), &scratch);
        assert_eq!((answer, used), (expected.clone(), shards), "and then all is there again");
    }
}

#[test]
fn one_run_at_a_time_writes_a_journal() {
    let scratch = Scratch::new();
    let (_journal, ..) = scratch.open();
    let error = Journal::open(&scratch.0, Duration::from_secs(1)).unwrap_err().to_string();
    assert!(error.contains("another run writes it"), "{error}");
}

#[test]
fn files_of_partials_must_be_whole_and_agree() {
    let (problem, scratch) = (problem(SMALL), Scratch::new());
    solve(problem.as_ref(), &scratch);
    let whole = fs::read(&scratch.0).unwrap();
    let mut archive = Archive::default();
    archive.add_file(&scratch.0).unwrap();
    archive.add_bytes("again", whole.clone()).unwrap();
    archive.settle().unwrap();
    assert_eq!(archive.len() as u64, problem.shards().count(), "twins count once");
    let frame_length = whole.len() / archive.len();
    // A frame of the same shard with another partial in it.
    let (frame, partial) = windfall_core::partials::Frame::read(&whole[..frame_length]).unwrap();
    let mut other = Vec::new();
    frame.write(&vec![0; partial.len()], &mut other);
    archive.add_bytes("other", other).unwrap();
    let error = archive.settle().unwrap_err().to_string();
    assert!(error.contains("differs in") && error.contains("`other`"), "{error}");
}

#[test]
fn a_frame_that_breaks_off_is_left_out_at_the_end_and_refused_elsewhere() {
    let (problem, scratch) = (problem(SMALL), Scratch::new());
    solve(problem.as_ref(), &scratch);
    let whole = fs::read(&scratch.0).unwrap();
    let shards = problem.shards().count() as usize;
    let frame = whole.len() / shards;
    for length in 0..whole.len() {
        let mut archive = Archive::default();
        archive.add_bytes("cut", whole[..length].to_vec()).unwrap();
        assert_eq!(archive.len(), length / frame, "cut at {length}");
    }
    for length in (1..whole.len()).filter(|length| length % frame != 0) {
        let torn = [&whole[..length], &whole[..]].concat();
        let error = Archive::default().add_bytes("torn", torn).unwrap_err().to_string();
        let at = format!("byte {}:", length - length % frame);
        assert!(error.contains(&at) && error.contains("hint: write its partials again"), "{error}");
    }
    let error = Archive::default().add_bytes("text", b"problem = 'pi'".to_vec()).unwrap_err();
    assert!(error.to_string().contains("no partial of Windfall's"), "{error}");
}

/// The frame with one byte of its head changed and its checksums put right.
fn changed(frame: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    bytes[place] += 1;
    for end in [88, bytes.len() - 8] {
        let check = *blake3::hash(&bytes[..end]).as_bytes();
        bytes[end..end + 8].copy_from_slice(&check[..8]);
    }
    bytes
}

#[test]
fn whole_partials_of_another_version_are_refused_and_stay() {
    let (problem, scratch) = (problem(SMALL), Scratch::new());
    solve(problem.as_ref(), &scratch);
    let whole = fs::read(&scratch.0).unwrap();
    let frame = whole.len() / problem.shards().count() as usize;
    for (place, part) in [(7, "`format of a partial` is `2`"), (14, "`version of a partial` is `")]
    {
        for (first, others) in [(0, 0), (frame, whole.len())] {
            // Alone in a file, and behind one of ours with others after it.
            let foreign = changed(&whole[..frame], place);
            let bytes = [&whole[..first], &foreign, &whole[..others]].concat();
            fs::write(&scratch.0, &bytes).unwrap();
            let journal = Journal::open(&scratch.0, Duration::from_secs(1)).unwrap_err();
            let archive = Archive::default().add_file(&scratch.0).unwrap_err();
            for error in [journal.to_string(), archive.to_string()] {
                let at = format!("byte {first}: {part}");
                assert!(error.contains(&at) && error.contains("hint: use one version"), "{error}");
            }
            assert_eq!(fs::read(&scratch.0).unwrap(), bytes, "nothing is cut away");
        }
    }
}
