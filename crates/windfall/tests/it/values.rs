//! The random values of this build: whoever changes one must raise the number that says so.
//!
//! `tests/golden/values.txt` holds that number and, for each job, a hash of the bytes of all its
//! partials: those that checkpoints, `windfall merge` and executors elsewhere put together.

use crate::Scratch;
use crate::bytes::JOBS;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use windfall::partials::checksum;
use windfall::{
    Capabilities, Control, Executor, REGISTRY, Result, Serial, Sink, VALUES, Work, Yield, files,
};

/// Jobs on tables of more rows than those of the other tests, since the number of rows decides how
/// resamples are drawn.
const LARGE: &[&[&str]] = &[
    &["bootstrap", "100.csv", "-s", "mean(x)", "-n", "500", "--method", "percentile"],
    &["bootstrap", "100.csv", "-s", "correlation(x, y)", "-n", "500", "--method", "percentile"],
    &["bootstrap", "500.csv", "-s", "mean(x)", "-n", "500", "--method", "percentile"],
    &["bootstrap", "500.csv", "-s", "median(x)", "-n", "200", "--method", "percentile"],
    &["bootstrap", "3000.csv", "-s", "correlation(x, y)", "-n", "100", "--method", "percentile"],
    &["bootstrap", "140000.csv", "-s", "mean(x)", "-n", "20", "--method", "percentile"],
    &["permutation", "100.csv", "-s", "mean_difference(x)", "--groups", "side", "-n", "5000"],
    &["permutation", "3000.csv", "-s", "mean_difference(x)", "--groups", "side", "-n", "500"],
    &["permutation", "500.csv", "-s", "correlation(x, y)", "--permute", "x", "-n", "500"],
];

/// Runs shards in order and notes the bytes of their partials.
#[derive(Default)]
struct Noting {
    bytes: Mutex<Vec<u8>>,
}

impl Executor for Noting {
    fn capabilities(&self) -> Capabilities {
        Serial.capabilities()
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        Serial.run(work, &NotingSink { work, sink, noting: self }, tick)
    }
}

struct NotingSink<'a> {
    work: &'a dyn Work,
    sink: &'a dyn Sink,
    noting: &'a Noting,
}

impl Sink for NotingSink<'_> {
    fn put(&self, shard: u64, partial: Yield) -> Result<()> {
        let bytes = self.work.to_bytes(&partial)?;
        let mut all = self.noting.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend((bytes.len() as u64).to_le_bytes());
        all.extend(bytes);
        self.sink.put(shard, partial)
    }
}

/// One line a job: the hash of its partials, and the job.
fn found() -> String {
    let scratch = Scratch::with_law_school();
    for rows in [100_u64, 500, 3000, 140_000] {
        let mut text = "x,y,side\n".to_owned();
        for row in 0..rows {
            let (x, y) = (row * 7919 % 1009, row * 104_729 % 997 + row % 10);
            let side = if row % 2 == 0 { "left" } else { "right" };
            writeln!(text, "{x}.5,{y}.25,{side}").expect("memory");
        }
        scratch.put(&format!("{rows}.csv"), &text);
    }
    let mut lines = String::new();
    for &job in JOBS.iter().chain(LARGE) {
        scratch.answer(&[job, &["--seed", "11", "--write-job", "job.toml"]].concat());
        let path = scratch.path().join("job.toml");
        let spec = files::read_job(&path).expect("it was written");
        let problem = REGISTRY.build(&spec, &files::Folder::of(&path)).expect("it ran before");
        let noting = Noting::default();
        problem.solve(&noting, &Control::default()).expect("it ran before");
        let bytes = noting.bytes.into_inner().unwrap_or_else(PoisonError::into_inner);
        writeln!(lines, "{} {}", checksum(&bytes), job.join(" ")).expect("memory");
    }
    lines
}

#[test]
fn whoever_changes_a_random_value_raises_its_number() {
    const NUMBER: &str = "values ";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/values.txt");
    let recorded = std::fs::read_to_string(path).unwrap_or_default();
    let (head, lines) = recorded.split_once('\n').unwrap_or_default();
    let number: u16 = head.strip_prefix(NUMBER).map_or(0, |number| number.parse().unwrap());
    let found = found();
    let is_changed = lines.lines().any(|line| !found.lines().any(|other| other == line));
    assert!(
        number <= VALUES && (!is_changed || number < VALUES),
        "the partials of jobs are others than those that values {number} stands for: this commit \
         is one of VALUES. Raise `VALUES` in crates/core/src/version.rs above {number}, say VALUES \
         in the commit's message and in CHANGELOG.md, and run this with WINDFALL_BLESS=1. Found:\n\
         {found}"
    );
    if std::env::var_os("WINDFALL_BLESS").is_some() {
        std::fs::write(path, format!("{NUMBER}{VALUES}\n{found}")).expect(path);
        return;
    }
    assert_eq!((number, lines), (VALUES, &found[..]), "run this with WINDFALL_BLESS=1");
}
