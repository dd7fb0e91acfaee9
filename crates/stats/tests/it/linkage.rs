//! EM of a model that is no mixture of normals: rounds of a kernel of one's own.

use windfall_core::wire::{Reader, put_f64};
use windfall_core::{
    Cancel, Control, Executor, Job, Kernel, Partial, Result, Seed, Serial, Shard, Shards, Shuffled,
    Streams, Threads, run,
};

/// The expectation step of the genetic linkage of 197 animals (Rao 1965): a task is a cell, with
/// the probabilities 1/2 + p/4, (1 - p)/4, (1 - p)/4 and p/4.
struct Linkage {
    p: f64,
}

/// Expected animals whose cell speaks for p, and for 1 - p.
struct Counts([f64; 2]);

impl Partial for Counts {
    fn empty() -> Self {
        Self([0.0; 2])
    }

    fn merge(self, later: Self) -> Self {
        Self([self.0[0] + later.0[0], self.0[1] + later.0[1]])
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|&count| put_f64(out, count));
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let counts = Self([reader.f64()?, reader.f64()?]);
        reader.finish().map(|()| counts)
    }
}

impl Kernel for Linkage {
    type Partial = Counts;

    fn shards(&self) -> Shards {
        Shards::new(4, 1)
    }

    fn run_shard(&self, shard: Shard, _: &Streams, _: &Cancel) -> Result<Counts> {
        let mut counts = Counts::empty();
        for task in shard.tasks() {
            counts = counts.merge(Counts(match task {
                // A part of the first cell speaks for p, the rest for neither.
                0 => [125.0 * (0.25 * self.p) / (0.25f64.mul_add(self.p, 0.5)), 0.0],
                1 => [0.0, 18.0],
                2 => [0.0, 20.0],
                _ => [34.0, 0.0],
            }));
        }
        Ok(counts)
    }
}

/// The estimates after each of `rounds` rounds from 0.5.
fn climb(rounds: usize, on: &dyn Executor) -> Vec<f64> {
    let mut p = 0.5;
    let mut path = Vec::new();
    for _ in 0..rounds {
        let kernel = Linkage { p };
        let job = Job::new(&kernel, Streams::new(Seed::from(1u64), "linkage"));
        let Counts([linked, not]) = run(&job, on, &Control::default()).unwrap().partial;
        p = linked / (linked + not);
        path.push(p);
    }
    path
}

#[test]
fn rounds_follow_the_published_path() {
    // Dempster, Laird & Rubin (1977), table 1; the limit is the root of a quadratic equation.
    let published = [
        0.608_247_423,
        0.624_321_050,
        0.626_488_879,
        0.626_777_322,
        0.626_815_632,
        0.626_820_719,
        0.626_821_395,
        0.626_821_484,
    ];
    let path = climb(40, &Serial);
    for (found, published) in path.iter().zip(published) {
        assert!((found - published).abs() < 1e-9, "{found}, not {published}");
    }
    let limit = (15.0 + 53_809f64.sqrt()) / 394.0;
    assert!((path[39] - limit).abs() < 1e-15);
    assert_eq!(climb(40, &Threads::new(3)), path);
    assert_eq!(climb(40, &Shuffled(Seed::from(5u64))), path);
}
