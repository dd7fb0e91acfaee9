//! Time the kernels against their peers, in turn: `cargo run --release`, one Markdown row each.
//!
//! Each row is the median of several rounds in which both sides run one after the other, so that
//! the ratio holds on a machine whose speed drifts. Answers are checked before they are timed.

use std::hint::black_box;
use std::time::Instant;
use windfall_core::{Cancel, Control, Executor, Job, Kernel, Moments, Result, Shard, Shards};
use windfall_core::{Seed, Serial, Streams, Threads, run};
use windfall_lanes::{Isa, Simd, Task, available, dispatch_on, limit, math, sum};

const ROUNDS: usize = 15;
const BUFFER: usize = 2048;

/// The median seconds of `ours` and `theirs`, run in turn.
fn in_turn(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    let time = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    let mut times: [Vec<f64>; 2] = Default::default();
    ours();
    theirs();
    for _ in 0..ROUNDS {
        times[0].push(time(&mut ours));
        times[1].push(time(&mut theirs));
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    (median(&mut times[0]), median(&mut times[1]))
}

fn row(what: &str, peer: &str, units: f64, (ours, theirs): (f64, f64), goal: &str) {
    println!(
        "| {what} | {peer} | {:.3} | {:.3} | {:.2} | {goal} |",
        1e9 * ours / units,
        1e9 * theirs / units,
        theirs / ours,
    );
}

/// Bulk random bits against rand's SmallRng, on each instruction set.
fn bits() {
    use rand::{RngCore, SeedableRng, rngs::SmallRng};
    let repeats = 20_000;
    for &isa in available() {
        limit(isa).expect("an available instruction set can be chosen");
        let mut stream = Streams::new(Seed::from(1u64), "bits").task(0);
        let mut small = SmallRng::seed_from_u64(1);
        let (mut words, mut bytes) = ([0u64; BUFFER], [0u8; 8 * BUFFER]);
        let both = in_turn(
            || (0..repeats).for_each(|_| black_box(&mut stream).fill_u64(black_box(&mut words))),
            || (0..repeats).for_each(|_| small.fill_bytes(black_box(&mut bytes))),
        );
        let goal = match isa {
            Isa::Avx512 => "≥ 4",
            Isa::Avx2 => "≥ 2",
            _ => "",
        };
        let units = (repeats * 8 * BUFFER) as f64;
        row(&format!("random bytes, {isa}"), "rand SmallRng::fill_bytes", units, both, goal);
    }
    limit(available().iter().copied().max().expect("there is one")).expect("as above");
}

/// An unordered vector sum: eight accumulators, as wide as the machine.
struct Unordered<'a>(&'a [f64]);

impl Task for Unordered<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let mut sums = [s.splat(0.0); 8];
        let (chunks, _) = self.0.as_chunks::<64>();
        for chunk in chunks {
            let (eights, _) = chunk.as_chunks::<8>();
            for (sum, eight) in sums.iter_mut().zip(eights) {
                *sum = s.add(*sum, s.load(eight));
            }
        }
        let mut out = [0.0; 8];
        s.store(sums.into_iter().reduce(|a, b| s.add(a, b)).expect("eight"), &mut out);
        out.iter().sum()
    }
}

/// Sums in a fixed order against an unordered one.
fn sums() {
    for (name, bytes) in [("L2, 512 KiB", 1 << 19), ("L3, 8 MiB", 1 << 23), ("128 MiB", 1 << 27)] {
        let values: Vec<f64> = (0..bytes / 8).map(|i| 1.0 / (i + 1) as f64).collect();
        let best = windfall_lanes::detected();
        let gap = sum(&values) - dispatch_on(best, Unordered(&values));
        assert!(gap.abs() < 1e-9, "the two sums differ by {gap}");
        let repeats = (1usize << 27) / bytes * 2;
        let both = in_turn(
            || {
                (0..repeats).for_each(|_| {
                    black_box(sum(black_box(&values)));
                });
            },
            || {
                (0..repeats).for_each(|_| {
                    black_box(dispatch_on(best, Unordered(black_box(&values))));
                });
            },
        );
        let units = (repeats * values.len()) as f64;
        row(&format!("sum in a fixed order, {name}"), "eight accumulators", units, both, "≥ 0.87");
    }
}

/// One function over a buffer, eight lanes at a time.
struct Apply<'a, F>(F, &'a [f64; BUFFER], &'a mut [f64; BUFFER]);

/// A function that can be applied on every instruction set.
trait Function: Copy {
    fn apply<S: Simd>(self, s: S, x: S::F) -> S::F;
}

impl<F: Function> Task for Apply<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (input, output) = (self.1.as_chunks::<8>().0, self.2.as_chunks_mut::<8>().0);
        for (x, y) in input.iter().zip(output) {
            s.store(self.0.apply(s, s.load(x)), y);
        }
    }
}

macro_rules! functions {
    ($($name:ident, $low:expr, $high:expr, $std:expr;)*) => {$({
        #[derive(Clone, Copy)]
        struct This;
        impl Function for This {
            #[inline(always)]
            fn apply<S: Simd>(self, s: S, x: S::F) -> S::F {
                math::$name(s, x)
            }
        }
        let step = ($high - $low) / BUFFER as f64;
        let input: [f64; BUFFER] = std::array::from_fn(|i| $low + step * (i as f64 + 0.5));
        let (mut ours, mut theirs) = ([0.0; BUFFER], [0.0; BUFFER]);
        let best = windfall_lanes::detected();
        let peer: fn(f64) -> f64 = $std;
        let repeats = 2000;
        let both = in_turn(
            || (0..repeats).for_each(|_| {
                dispatch_on(best, Apply(This, black_box(&input), black_box(&mut ours)));
            }),
            || (0..repeats).for_each(|_| {
                for (x, y) in black_box(&input).iter().zip(black_box(&mut theirs)) {
                    *y = peer(*x);
                }
            }),
        );
        for (a, b) in ours.iter().zip(&theirs) {
            assert!((a - b).abs() <= 1e-14 * b.abs().max(1e-3), "{} {a} {b}", stringify!($name));
        }
        row(stringify!($name), "std, scalar", (repeats * BUFFER) as f64, both, "");
    })*};
}

fn elementary() {
    functions! {
        exp, -20.0, 20.0, f64::exp;
        log, 0.001, 1000.0, f64::ln;
        sin, -30.0, 30.0, f64::sin;
        cos, -30.0, 30.0, f64::cos;
        tan, -1.5, 1.5, f64::tan;
        atan, -5.0, 5.0, f64::atan;
        tanh, -5.0, 5.0, f64::tanh;
        cbrt, 0.001, 1000.0, f64::cbrt;
    }
}

/// A job whose shards do nothing.
struct Empty(u64);

impl Kernel for Empty {
    type Partial = Moments;
    fn shards(&self) -> Shards {
        Shards::new(self.0, 1)
    }
    fn run_shard(&self, _: Shard, _: &Streams, _: &Cancel) -> Result<Moments> {
        Ok(Moments::default())
    }
}

/// What an executor costs a shard.
fn overhead() {
    let shards = 100_000;
    let (kernel, streams) = (Empty(shards), Streams::new(Seed::from(1u64), "empty"));
    let go = |on: &dyn Executor| {
        let outcome = run(&Job::new(&kernel, streams.clone()), on, &Control::default());
        assert!(outcome.is_ok_and(|outcome| outcome.complete));
    };
    let both = in_turn(|| go(&Threads::new(2)), || go(&Serial));
    row("an empty shard, 2 threads", "serial", shards as f64, both, "");
}

fn main() {
    println!("| work | peer | ours, ns | peer, ns | peer / ours | goal |");
    println!("|---|---|---|---|---|---|");
    bits();
    sums();
    elementary();
    overhead();
}
