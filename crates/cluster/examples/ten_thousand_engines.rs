//! The controller with 10,000 simulated engines and 10,000,000 tasks: what a task costs, round by
//! round. Run it with `cargo run --release -p windfall-cluster --example ten_thousand_engines`.
#![allow(clippy::print_stdout, dead_code)] // It prints its figures; the tests use all of the world.

#[path = "../tests/it/simulation.rs"]
mod simulation;

use simulation::{Weather, World, balanced};
use windfall_core::Stopwatch;

/// Tasks of one round.
const ROUND: u64 = 200_000;

fn main() {
    let argument = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let tasks: u64 = argument.unwrap_or(10_000_000);
    let weather = Weather { engines: 10_000, deadly_in: 0, long_in: 0, failing_in: 0 };
    let mut world = World::new(weather, 1);
    world.settle();
    for first in (0..tasks).step_by(ROUND as usize) {
        let watch = Stopwatch::start();
        for task in first..first + ROUND {
            world.submit(1, balanced(task, 0));
        }
        world.settle();
        let us = watch.elapsed_s() * 1e6 / ROUND as f64;
        assert_eq!(world.outside.ended.len() as u64, ROUND, "every task has ended");
        world.outside.ended.clear();
        world.outside.order.clear();
        println!("{:>9} tasks: {us:.2} us a task, the world's own share included", first + ROUND);
    }
}
