//! Shards cut beforehand: every rank knows its own from its number, and one gather ends the run.

use crate::World;
use crate::board::Board;
use crate::ranks::end;
use crate::schedule::Pace;
use crate::serve::{Server, unasked};
use crate::talk::{END, FAILURE, PIECE_BYTES, Pause, broadcast, done, split, take};
use crate::world::State;
use mpi::Count;
use mpi::datatype::PartitionMut;
use mpi::request::scope;
use mpi::traits::{Communicator, Root};
use std::cell::Cell;
use std::thread;
use windfall_core::remote::{Order, deliver, read_failure};
use windfall_core::{Result, ShardSet, Sink, Stopwatch, Work};

/// The shards of a rank.
fn own(shards: &ShardSet, world: &World) -> ShardSet {
    shards.cut(world.ranks() as u64).into_iter().nth(world.rank()).unwrap_or_default()
}

/// Leads a run: watches here while a thread runs the shards of rank 0, then gathers.
pub(crate) fn lead(
    world: &World,
    state: &mut State,
    (work, sink): (&dyn Work, &dyn Sink),
    tick: &mut dyn FnMut(),
) -> Result<()> {
    let shards = own(work.shards(), world);
    let board = Board::new(work, sink, &shards);
    let (mut has_ended, run, heard) = (false, state.run, Cell::new(0));
    let mut look = || {
        tick();
        heard.set(heard.get() + hear_failures(world, state, &board));
        if board.is_over() && !has_ended {
            has_ended = true;
            end(world, run);
        }
    };
    thread::scope(|threads| {
        let own = thread::Builder::new()
            .name("windfall-rank".into())
            .spawn_scoped(threads, || board.run_all());
        let mut pause = Pause::default();
        while own.as_ref().is_ok_and(|own| !own.is_finished()) {
            look();
            pause.rest();
        }
        if own.is_err() {
            board.run_all();
        }
    });
    let (replies, failures) = gather(world, &mut look);
    let mut pause = Pause::default();
    while heard.get() < failures {
        look();
        pause.rest();
    }
    if !has_ended {
        end(world, run);
    }
    if !board.has_failed() {
        for reply in &replies {
            if let Err((shard, error)) = deliver(reply, sink) {
                board.fail(shard, error);
            }
        }
    }
    board.finish()
}

/// Takes what ranks tell of failed shards; how many there were.
fn hear_failures(world: &World, state: &mut State, board: &Board<'_>) -> usize {
    let mut heard = 0;
    while let Some((rank, tag, bytes)) = take(&world.comm().any_process()) {
        match split(&bytes) {
            Ok((run, body)) if run == state.run && tag == FAILURE => {
                heard += 1;
                if let Some((shard, error)) = read_failure(body, &format!("rank {rank}")) {
                    board.fail(shard, error);
                }
            }
            // An order of an earlier run that was given up.
            _ => state.owed[rank as usize] = state.owed[rank as usize].saturating_sub(1),
        }
    }
    heard
}

/// Serves a run: does what is its own, piece by piece, unless it is told that the run is over.
pub(crate) fn serve(world: &World, server: &mut Server, run: u64, order: &Order) -> Result<()> {
    let shards = own(&order.shards, world);
    let mut left = Order { shards: ShardSet::default(), ..order.clone() };
    let (mut reply, mut pace, mut next) = (Vec::new(), Pace::default(), 0);
    let (mut has_ended, mut has_failed) = (false, false);
    while next < shards.len() && !has_ended {
        let end = shards.len().min(next + pace.shards());
        left.shards = (next..end).filter_map(|place| shards.get(place)).collect();
        let watch = Stopwatch::start();
        match server.run(&left) {
            Ok(partials) => reply.extend(partials),
            Err(failure) => {
                server.fail(run, &failure)?;
                has_failed = true;
                break;
            }
        }
        pace.learn(end - next, watch.elapsed_s());
        next = end;
        has_ended = is_told(server, run)?;
    }
    give(server, (!has_failed).then_some(&reply));
    let mut pause = Pause::default();
    while !has_ended {
        pause.rest();
        has_ended = is_told(server, run)?;
    }
    Ok(())
}

/// Whether rank 0 has said that the run is over.
fn is_told(server: &Server, run: u64) -> Result<bool> {
    let Some((_, tag, bytes)) = take(&server.comm.process_at_rank(0)) else { return Ok(false) };
    match split(&bytes)? {
        (of_run, _) if of_run == run && tag == END => Ok(true),
        (of_run, _) => Err(unasked(tag, of_run, run)),
    }
}

/// No bytes, at an address that is one: that of an empty vector means something else to MPI.
fn nothing() -> &'static [u8] {
    static BYTE: [u8; 1] = [0];
    &BYTE[..0]
}

/// The most bytes that each rank gives in one step of a gather.
fn step_bytes(ranks: i32) -> usize {
    PIECE_BYTES / usize::try_from(ranks).unwrap_or(1).max(1)
}

/// What a rank that has failed says instead of how many bytes it gives.
const FAILED: u64 = u64::MAX;

/// On rank 0: what every other rank [gives](give), and how many have failed; `look` is called while
/// it is under way.
fn gather(world: &World, look: &mut dyn FnMut()) -> (Vec<Vec<u8>>, usize) {
    let comm = world.comm();
    let root = comm.process_at_rank(0);
    let mut pause = Pause::default();
    let mut wait = || {
        look();
        pause.rest();
    };
    let (none, mut sizes) = (0u64, vec![0u64; world.ranks()]);
    scope(|scope| done(root.immediate_gather_into_root(scope, &none, &mut sizes[..]), &mut wait));
    let failures = sizes.iter().filter(|size| **size == FAILED).count();
    sizes.iter_mut().filter(|size| **size == FAILED).for_each(|size| *size = 0);
    let step = step_bytes(comm.size());
    let largest = sizes.iter().max().copied().unwrap_or(0) as usize;
    let steps = largest.div_ceil(step) as u64;
    broadcast(&comm, &mut steps.to_le_bytes(), &mut wait);
    let mut gathered: Vec<Vec<u8>> = vec![Vec::new(); world.ranks()];
    for _ in 0..steps {
        let left = sizes.iter().zip(&gathered).map(|(size, have)| *size as usize - have.len());
        let counts: Vec<Count> = left.map(|left| left.min(step) as Count).collect();
        let starts = counts.iter().scan(0, |end, count| {
            *end += count;
            Some(*end - count)
        });
        let starts: Vec<Count> = starts.collect();
        let mut buffer = vec![0u8; counts.iter().sum::<Count>() as usize];
        let mut parts = PartitionMut::new(&mut buffer[..], &counts[..], &starts[..]);
        scope(|scope| {
            let request = root.immediate_gather_varcount_into_root(scope, nothing(), &mut parts);
            done(request, &mut wait);
        });
        for ((have, start), count) in gathered.iter_mut().zip(starts).zip(counts) {
            have.extend(&buffer[start as usize..(start + count) as usize]);
        }
    }
    (gathered, failures)
}

/// On every other rank: its part of a [`gather`]; none if it has failed.
fn give(server: &Server, bytes: Option<&Vec<u8>>) {
    let root = server.comm.process_at_rank(0);
    let mut pause = Pause::default();
    let size = bytes.map_or(FAILED, |bytes| bytes.len() as u64);
    scope(|scope| done(root.immediate_gather_into(scope, &size), || pause.rest()));
    let mut steps = [0; 8];
    broadcast(&server.comm, &mut steps, || pause.rest());
    let step = step_bytes(server.comm.size());
    let mut left = bytes.map_or(&[][..], Vec::as_slice);
    for _ in 0..u64::from_le_bytes(steps) {
        let (now, later) = left.split_at(left.len().min(step));
        let now = if now.is_empty() { nothing() } else { now };
        scope(|scope| {
            done(root.immediate_gather_varcount_into(scope, now), || pause.rest());
        });
        left = later;
    }
}
