//! The suite of executors on the ranks of MPI: rank 0 runs it, the others serve.
//!
//! `mpirun -n 3 conformance dynamic static` prints a line a promise and how many were kept.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use windfall_conformance::{PROMISES, REGISTRY, source};
use windfall_mpi::{Ranks, Schedule, World};

fn main() {
    let world = World::join().expect("MPI starts");
    world.check_versions().expect("one build");
    if world.rank() > 0 {
        if world.serve(&REGISTRY).is_err() {
            world.abort(1);
        }
        return;
    }
    let (mut kept, mut broken) = (0, 0);
    let mut out = std::io::stdout();
    for schedule in std::env::args().skip(1) {
        let schedule: Schedule = schedule.parse().expect("a schedule");
        for (name, promise) in PROMISES {
            let source = source();
            let on = Ranks::new(&world, &REGISTRY, &source, schedule);
            let is_kept = catch_unwind(AssertUnwindSafe(|| promise(&on))).is_ok();
            let word = if is_kept { "ok" } else { "BROKEN" };
            let _ = writeln!(out, "{} {schedule} {name} ... {word}", world.library());
            *(if is_kept { &mut kept } else { &mut broken }) += 1;
        }
    }
    let _ = writeln!(out, "{kept} passed, {broken} failed, 0 skipped");
    if broken > 0 {
        world.abort(1);
    }
    world.dismiss();
}
