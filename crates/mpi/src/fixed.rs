//! Shards cut beforehand: every rank knows its own from its number, and one gather ends the run.
//! What a longer run has found is given once a second before that, so that it can be kept.

use crate::World;
use crate::board::Board;
use crate::ranks::end;
use crate::schedule::Pace;
use crate::serve::{Server, unasked};
use crate::talk::{END, FAILURE, PIECE_BYTES, Pause, REPLY, broadcast, done, split, take};
use crate::world::State;
use mpi::Count;
use mpi::datatype::PartitionMut;
use mpi::request::scope;
use mpi::traits::{Communicator, Root};
use std::cell::Cell;
use std::thread;
use windfall_core::remote::{Order, deliver, read_failure};
use windfall_core::{Result, ShardSet, Sink, Stopwatch, Work};

/// How often a rank gives what it has before the end, in seconds.
const GIVE_S: f64 = 1.0;

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
        heard.set(heard.get() + hear(world, state, (&board, sink)));
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
    let (replies, messages) = gather(world, &mut look);
    let mut pause = Pause::default();
    while heard.get() < messages {
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

/// Takes what ranks give and tell before the end; how many messages there were.
fn hear(world: &World, state: &mut State, (board, sink): (&Board<'_>, &dyn Sink)) -> u64 {
    let mut heard = 0;
    while let Some((rank, tag, bytes)) = take(&world.comm().any_process()) {
        let Some((_, body)) = split(&bytes).ok().filter(|(run, _)| *run == state.run) else {
            // An order of an earlier run that was given up.
            state.owed[rank as usize] = state.owed[rank as usize].saturating_sub(1);
            continue;
        };
        heard += 1;
        let failed = match tag {
            FAILURE => read_failure(body, &format!("rank {rank}")),
            _ => deliver(body, sink).err(),
        };
        if let Some((shard, error)) = failed {
            board.fail(shard, error);
        }
    }
    heard
}

/// Serves a run: does what is its own, piece by piece, unless it is told that the run is over.
pub(crate) fn serve(world: &World, server: &mut Server, run: u64, order: &Order) -> Result<()> {
    let shards = own(&order.shards, world);
    let mut left = Order { shards: ShardSet::default(), ..order.clone() };
    let (mut reply, mut pace, mut next) = (Vec::new(), Pace::default(), 0);
    let (mut has_ended, mut messages, mut since) = (false, 0, Stopwatch::start());
    while next < shards.len() && !has_ended {
        let end = shards.len().min(next + pace.shards());
        left.shards = (next..end).filter_map(|place| shards.get(place)).collect();
        let watch = Stopwatch::start();
        match server.run(&left) {
            Ok(partials) => reply.extend(partials),
            Err(failure) => {
                server.tell(run, FAILURE, &failure)?;
                messages += 1;
                break;
            }
        }
        pace.learn(end - next, watch.elapsed_s());
        next = end;
        if since.elapsed_s() > GIVE_S && next < shards.len() {
            server.tell(run, REPLY, &reply)?;
            reply.clear();
            messages += 1;
            since = Stopwatch::start();
        }
        has_ended = is_told(server, run)?;
    }
    give(server, &reply, messages);
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

/// On rank 0: what every other rank [gives](give), and how many messages came before; `look` is
/// called while it is under way.
fn gather(world: &World, look: &mut dyn FnMut()) -> (Vec<Vec<u8>>, u64) {
    let comm = world.comm();
    let root = comm.process_at_rank(0);
    let mut pause = Pause::default();
    let mut wait = || {
        look();
        pause.rest();
    };
    let (none, mut told) = ([0u64; 2], vec![0u64; 2 * world.ranks()]);
    scope(|scope| {
        done(root.immediate_gather_into_root(scope, &none[..], &mut told[..]), &mut wait);
    });
    let (pairs, _) = told.as_chunks::<2>();
    let sizes: Vec<u64> = pairs.iter().map(|[size, _]| *size).collect();
    let messages = pairs.iter().map(|[_, messages]| messages).sum();
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
    (gathered, messages)
}

/// On every other rank: its part of a [`gather`], and how many messages came before it.
fn give(server: &Server, bytes: &[u8], messages: u64) {
    let root = server.comm.process_at_rank(0);
    let mut pause = Pause::default();
    let told = [bytes.len() as u64, messages];
    scope(|scope| done(root.immediate_gather_into(scope, &told[..]), || pause.rest()));
    let mut steps = [0; 8];
    broadcast(&server.comm, &mut steps, || pause.rest());
    let step = step_bytes(server.comm.size());
    let mut left = bytes;
    for _ in 0..u64::from_le_bytes(steps) {
        let (now, later) = left.split_at(left.len().min(step));
        let now = if now.is_empty() { nothing() } else { now };
        scope(|scope| {
            done(root.immediate_gather_varcount_into(scope, now), || pause.rest());
        });
        left = later;
    }
}
