//! A problem that does as it is told: it fails, panics or takes its time, here and anywhere else.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use windfall_core::{
    Answer, Cancel, Control, Draws, Entry, Error, Executor, Job, JobSpec, Kernel, Moments, Problem,
    Quantity, Registry, Result, Seed, Shard, Shards, Streams, read_options, run, run_bytes,
};

/// The problems of Windfall and the probe: what the workers of an executor under test know.
pub static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let rows: Vec<Entry> = [&[ENTRY], windfall_stats::REGISTRY.0].concat();
    Registry(Vec::leak(rows))
});

const ENTRY: Entry = Entry {
    name: "probe",
    about: "tasks that do as they are told",
    build: |spec, _| Ok(Box::new(Probe::new(read_options(&spec.options)?))),
};

const SEED: u64 = 7;

/// What the tasks of a probe do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Script {
    /// How many there are.
    pub tasks: u64,
    /// How many a shard has.
    pub tasks_per_shard: u64,
    /// The task that fails.
    pub fails: Option<u64>,
    /// The task that panics.
    pub panics: Option<u64>,
    /// How long a shard sleeps, in milliseconds.
    pub pause_ms: u64,
    /// Whether the kernel says that its shards are long.
    pub is_long: bool,
}

impl Default for Script {
    /// No tasks, three to a shard.
    fn default() -> Self {
        let (fails, panics) = (None, None);
        Self { tasks: 0, tasks_per_shard: 3, fails, panics, pause_ms: 0, is_long: false }
    }
}

/// A kernel that follows a script and counts how often each shard ran in this process.
#[derive(Debug)]
pub struct Probe {
    spec: JobSpec,
    script: Script,
    /// How often each shard ran here.
    pub runs: Vec<AtomicU64>,
}

impl Probe {
    /// A probe that follows `script`.
    pub fn new(script: Script) -> Self {
        let mut spec = JobSpec::new(ENTRY.name);
        spec.seed = Some(SEED.into());
        let options = serde_json::to_value(&script).ok();
        spec.options =
            options.as_ref().and_then(Value::as_object).map_or_else(Map::new, Map::clone);
        // A job file says nothing where there is nothing to say.
        spec.options.retain(|_, value| !value.is_null());
        let mut probe = Self { spec, script, runs: Vec::new() };
        probe.runs = (0..probe.cut().count()).map(|_| AtomicU64::new(0)).collect();
        probe
    }

    /// A probe with this many well-behaved tasks.
    pub fn of(tasks: u64) -> Self {
        Self::new(Script { tasks, ..Script::default() })
    }

    fn cut(&self) -> Shards {
        Shards::new(self.script.tasks, self.script.tasks_per_shard)
    }

    /// The job, written down.
    pub fn job(&self) -> Job<'_, Self> {
        let streams = Streams::new(Seed::from(SEED), ENTRY.name);
        Job { kernel: self, streams, spec: Some(&self.spec) }
    }
}

impl Kernel for Probe {
    type Partial = Moments;

    fn shards(&self) -> Shards {
        self.cut()
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, _: &Cancel) -> Result<Moments> {
        let mut moments = Moments::default();
        for task in shard.tasks() {
            if self.script.fails == Some(task) {
                return Err(Error::task(format!("task {task} does not feel well")));
            }
            assert!(self.script.panics != Some(task), "task {task} panics");
            moments.push(streams.task(task).uniform());
        }
        thread::sleep(Duration::from_millis(self.script.pause_ms));
        if let Some(runs) = self.runs.get(shard.index as usize) {
            runs.fetch_add(1, Ordering::Relaxed);
        }
        Ok(moments)
    }

    fn moments(&self, partial: &Moments) -> Option<Moments> {
        Some(*partial)
    }

    fn has_long_shards(&self) -> bool {
        self.script.is_long
    }
}

impl Problem for Probe {
    fn spec(&self) -> Option<&JobSpec> {
        Some(&self.spec)
    }

    fn shards(&self) -> Shards {
        self.cut()
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        run_bytes(&self.job(), shard)
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let outcome = run(&self.job(), on, control)?;
        let moments = outcome.partial;
        let draws = Draws { name: "tasks", count: outcome.tasks };
        Ok(Answer {
            quantities: vec![Quantity::new("mean", moments.mean(), moments.mcse())],
            complete: outcome.complete,
            ..Answer::new(ENTRY.name, "plain", draws, SEED.into())
        })
    }
}
