//! Orders handed out as ranks come free: small ones, the next when one comes back.

use crate::World;
use crate::board::Board;
use crate::ranks::end;
use crate::schedule::Pace;
use crate::talk::{FAILURE, ORDER, Pause, REPLY, post, split, take};
use crate::world::{Late, ORDERS_A_RANK, State};
use mpi::traits::Communicator;
use mpi::{Rank, Tag};
use std::thread;
use windfall_core::remote::{deliver, read_failure};
use windfall_core::{Error, Result, Sink, Stopwatch, Work};

/// How long a run that is over waits for orders under way, in seconds; then they are given up.
const GRACE_S: f64 = 1.0;

/// Leads a run: hands out orders and takes replies here, while a thread runs shards as well.
pub(crate) fn lead(
    world: &World,
    state: &mut State,
    (work, sink): (&dyn Work, &dyn Sink),
    tick: &mut dyn FnMut(),
) -> Result<()> {
    let board = Board::new(work, sink, work.shards());
    thread::scope(|scope| {
        let own = thread::Builder::new()
            .name("windfall-rank".into())
            .spawn_scoped(scope, || board.run_all());
        let mut lead = Lead {
            world,
            board: &board,
            sink,
            is_long: work.has_long_shards(),
            pace: Pace::default(),
            waiting: 0,
        };
        let mut pause = Pause::default();
        let mut over: Option<Stopwatch> = None;
        loop {
            tick();
            let heard = lead.hear(state);
            lead.give(state);
            if heard {
                pause.end();
                continue;
            }
            if board.is_over() {
                over.get_or_insert_with(Stopwatch::start);
            }
            let is_given_up = over.as_ref().is_some_and(|since| since.elapsed_s() > GRACE_S);
            let is_done = lead.waiting == 0 && (over.is_some() || board.left() == 0);
            let is_alone = own.as_ref().map_or(true, |own| own.is_finished());
            if is_alone && (is_done || is_given_up) {
                break;
            }
            if own.is_err() && world.ranks() == 1 {
                board.run_all();
            }
            pause.rest();
        }
        if lead.waiting > 0 {
            world.set_late(Some(if board.has_failed() { Late::Failed } else { Late::Stopped }));
        }
    });
    end(world, state.run);
    board.finish()
}

/// Rank 0's side of a run under way.
struct Lead<'a> {
    world: &'a World,
    board: &'a Board<'a>,
    sink: &'a dyn Sink,
    is_long: bool,
    pace: Pace,
    /// Orders of this run that nobody has answered.
    waiting: usize,
}

impl Lead<'_> {
    /// Takes what has come; whether there was anything.
    fn hear(&mut self, state: &mut State) -> bool {
        let comm = self.world.comm();
        let mut heard = false;
        while let Some((rank, tag, bytes)) = take(&comm.any_process()) {
            heard = true;
            state.owed[rank as usize] -= 1;
            let result = match split(&bytes) {
                Ok((run, _)) if run != state.run => continue,
                Ok((_, body)) => self.put(rank, tag, body),
                Err(error) => Err((0, error)),
            };
            self.waiting -= 1;
            if let Err((shard, error)) = result {
                self.board.fail(shard, error);
            }
        }
        if heard && state.owed.iter().all(|owed| *owed == 0) {
            self.world.set_late(None);
        }
        heard
    }

    fn put(&mut self, rank: Rank, tag: Tag, body: &[u8]) -> Result<(), (u64, Error)> {
        match tag {
            REPLY => {
                let parts = split(body).and_then(|(shards, rest)| Ok((shards, split(rest)?)));
                let (shards, (micros, reply)) = parts.map_err(|error| (0, error))?;
                self.pace.learn(shards, micros as f64 * 1e-6);
                deliver(reply, self.sink)
            }
            FAILURE => {
                let failed = read_failure(body, &format!("rank {rank}"));
                Err(failed.unwrap_or_else(|| (0, Error::wire("a failure that says nothing"))))
            }
            _ => Err((0, Error::wire(format!("a message with tag {tag}")))),
        }
    }

    /// Gives orders to ranks that have too few.
    fn give(&mut self, state: &mut State) {
        let comm = self.world.comm();
        let depth = if self.is_long { 1 } else { ORDERS_A_RANK };
        let workers = self.world.ranks() as u64;
        // One more for each in turn, so that the last ones are spread.
        for owes in 0..depth {
            for rank in 1..self.world.ranks() {
                if state.owed[rank] != owes {
                    continue;
                }
                let count = match self.is_long {
                    true => 1,
                    false => self.pace.order(self.board.left(), workers),
                };
                let Some(shards) = self.board.take(count) else { return };
                post(&comm, rank as Rank, ORDER, state.run, &shards.to_string());
                state.owed[rank] += 1;
                self.waiting += 1;
            }
        }
    }
}
