//! What each mapping costs beside the work itself, as data.

use serde::{Deserialize, Serialize};

/// What a mapping costs beside the work itself. All that is left out is zero, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Costs {
    /// Until its first worker can begin: starting processes, waiting in a queue. Seconds, once.
    pub start_s: f64,
    /// Each run on workers that are there: connecting, comparing versions. Seconds.
    pub open_s: f64,
    /// Each time that something to read is brought to all workers: tables, and what the rounds so
    /// far have found. Seconds beside what its bytes take.
    pub share_s: f64,
    /// Each round: connecting, handing out the job. Seconds.
    pub round_s: f64,
    /// Each worker in each round, one after the other: starting a thread. Seconds.
    pub worker_s: f64,
    /// Each order, which is what a worker is handed at once: one shard or several. The seconds of
    /// a worker that it takes beside its shards while all workers are busy, so that one order alone
    /// may take longer, from its sending to its answer.
    pub order_s: f64,
    /// Each shard, at its worker. Seconds.
    pub shard_s: f64,
    /// How fast partials come back; none if they stay in the process.
    pub bytes_per_s: Option<f64>,
    /// How many orders each worker gets at most; none if each shard is an order of its own.
    pub orders_per_worker: Option<u64>,
    /// Whether each worker builds the problem anew, every round, from tables that it is given.
    pub builds: bool,
    /// Whether the main job goes out once and whole, as shards that are told nothing but the job:
    /// rounds are not waited for, so that an order runs those before its shards again if it needs
    /// them, and what is no part of the main job runs where it is merged.
    pub submits: bool,
}

impl Costs {
    /// Nothing beside the work: what serial costs.
    pub const NONE: Self = Self {
        start_s: 0.0,
        open_s: 0.0,
        share_s: 0.0,
        round_s: 0.0,
        worker_s: 0.0,
        order_s: 0.0,
        shard_s: 0.0,
        bytes_per_s: None,
        orders_per_worker: None,
        builds: false,
        submits: false,
    };
}

impl std::default::Default for Costs {
    fn default() -> Self {
        Self::NONE
    }
}

/// A choice of executor and worker count, with what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// Its name: `serial`, `threads`, `mpi`, …; calibrations and histories go by it.
    pub name: String,
    /// Which one of that name, such as the name of a cluster.
    pub place: Option<String>,
    /// How many shards it runs at once.
    pub workers: usize,
    /// What it costs.
    pub costs: Costs,
    /// Where the costs come from, such as `measured here` or a kept result.
    pub source: String,
    /// Why it cannot be used here and now; none if it can.
    pub missing: Option<String>,
}

impl Mapping {
    /// The mapping of one worker that costs nothing beside the work.
    pub fn serial() -> Self {
        let source = "it is the work itself".into();
        let (name, place) = ("serial".into(), None);
        Self { name, place, workers: 1, costs: Costs::NONE, source, missing: None }
    }

    /// The mapping of [`DEFAULTS`] called `name`, with so many workers; none if no row is.
    pub fn of_default(name: &str, workers: usize) -> Option<Self> {
        let Default { name, costs, source, .. } = *default_of(name)?;
        let (name, source, place, missing) = (name.into(), source.into(), None, None);
        Some(Self { name, place, workers, costs, source, missing })
    }

    /// Its name with its workers, such as `threads × 4` or `engines of lab × 8`.
    pub fn title(&self) -> String {
        let Self { name, workers, .. } = self;
        match &self.place {
            Some(place) => format!("{name} of {place} × {workers}"),
            None if name == "serial" => name.clone(),
            None => format!("{name} × {workers}"),
        }
    }
}

/// A row of [`DEFAULTS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Default {
    /// The mapping's name.
    pub name: &'static str,
    /// What it costs.
    pub costs: Costs,
    /// Where that was measured.
    pub source: &'static str,
    /// The spread of actual over predicted time that is assumed before there is a history: the
    /// standard deviation of its logarithm.
    pub error: f64,
}

/// Costs where nothing was measured on the machine at hand. A new mapping is a new row.
pub const DEFAULTS: &[Default] = &[
    Default { name: "serial", costs: Costs::NONE, source: "it is the work itself", error: 0.1 },
    Default {
        name: "threads",
        costs: Costs { round_s: 1e-6, worker_s: 4e-5, shard_s: 2.5e-7, ..Costs::NONE },
        source: "2 cores, Linux, 2026-11",
        error: 0.1,
    },
    Default {
        name: "engines",
        costs: ENGINES,
        source: "2 native engines, Linux, 2026-11",
        error: 0.15,
    },
    Default {
        name: "new-engines",
        costs: Costs { start_s: 0.01, ..ENGINES },
        source: "2 native engines, Linux, 2026-11",
        error: 0.2,
    },
    Default {
        name: "python-engines",
        costs: Costs { start_s: 0.18, ..ENGINES },
        source: CLUSTERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "rank-engines",
        costs: Costs { round_s: 1.4e-3, order_s: 2e-4, bytes_per_s: Some(1e9), ..ENGINES },
        source: CLUSTERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "mpi",
        costs: Costs { start_s: 0.32, order_s: 2e-5, bytes_per_s: Some(1e9), ..SENT },
        source: "Open MPI 4.1, 2 ranks on 2 cores, 2026-11",
        error: 0.3,
    },
    Default {
        name: "slurm",
        costs: Costs {
            start_s: 1.0,
            order_s: 1.0,
            bytes_per_s: Some(1e8),
            orders_per_worker: Some(1),
            submits: true,
            ..SENT
        },
        source: "Slurm 22.05 on one node, by benches/mappings/costs.py, 2026-11",
        error: 0.5,
    },
    Default {
        name: "thread-pool",
        costs: Costs { order_s: 2e-4, bytes_per_s: None, ..OTHERS },
        source: OTHERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "pool",
        costs: Costs { round_s: 1e-3, order_s: 5.4e-4, ..OTHERS },
        source: OTHERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "joblib",
        costs: Costs { round_s: 1e-2, order_s: 7.6e-4, ..OTHERS },
        source: OTHERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "mpi-pool",
        costs: Costs { round_s: 5e-3, order_s: 7.6e-4, ..OTHERS },
        source: OTHERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "dask",
        costs: Costs { start_s: 1.1, share_s: 1.6e-2, round_s: 1.2e-2, order_s: 1.2e-2, ..OTHERS },
        source: OTHERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "ray",
        costs: Costs { start_s: 4.4, share_s: 5e-3, round_s: 1.8e-2, order_s: 3.8e-3, ..OTHERS },
        source: OTHERS_KEPT,
        error: 0.3,
    },
    Default {
        name: "spark",
        costs: Costs {
            start_s: 21.0,
            round_s: 2e-2,
            order_s: 8.3e-2,
            bytes_per_s: Some(1e8),
            ..OTHERS
        },
        source: OTHERS_KEPT,
        error: 0.3,
    },
];

/// Engines of a cluster that runs.
const ENGINES: Costs =
    Costs { round_s: 2.5e-4, order_s: 2e-5, bytes_per_s: Some(2e9), shard_s: 1e-6, ..SENT };

/// The engines of others while they run. What orders cost there was measured on two workers with
/// both of them busy; the kept table has what an order adds to a run's time, half of it. What a
/// round costs is what a job of one shard takes beside its order.
const OTHERS: Costs = Costs { orders_per_worker: Some(5), bytes_per_s: Some(1e9), ..SENT };

const OTHERS_KEPT: &str = "benches/results/mappings-2026-11-30.md";
const CLUSTERS_KEPT: &str = "benches/results/mappings-2026-11-29.md";

/// What leaves the process: shards grouped so that all workers end together.
const SENT: Costs = Costs { orders_per_worker: Some(8), builds: true, ..Costs::NONE };

/// The row of [`DEFAULTS`] called `name`.
pub(super) fn default_of(name: &str) -> Option<&'static Default> {
    DEFAULTS.iter().find(|row| row.name == name)
}
