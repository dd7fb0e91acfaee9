//! MPI, started and checked; what rank 0 tells all others.

use crate::talk::{Header, ORDER_BYTES_MAX, Pause, broadcast};
use mpi::Threading;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::Communicator;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use windfall_core::{Error, Result};

/// Orders that a rank has at a time: one that it runs and one that waits, so that it never does.
pub(crate) const ORDERS_A_RANK: usize = 2;
/// What MPI may need beside a message that it keeps, in bytes.
const MESSAGE_OVERHEAD_BYTES: usize = 512;

/// All ranks of the job, one of which this process is.
pub struct World {
    ranks: usize,
    rank: usize,
    library: String,
    late: AtomicU8,
    state: Mutex<State>,
    /// MPI ends when it is dropped.
    _universe: Universe,
}

/// What rank 0 remembers from run to run.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The number of the last run.
    pub run: u64,
    /// How many orders each rank has not answered.
    pub owed: Vec<usize>,
    /// The name of the tables that the others have.
    pub sent: Option<String>,
}

/// Why a rank still runs a shard that nobody waits for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Another shard has failed.
    Failed,
    /// The run was stopped.
    Stopped,
}

impl World {
    /// Starts MPI in this process, once.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Io`] if it was started before, or serves one thread only.
    pub fn join() -> Result<Self> {
        let failed = |text: &str| Error::io("MPI", text);
        let (mut universe, threading) = mpi::initialize_with_threading(Threading::Serialized)
            .ok_or_else(|| failed("it runs in this process already"))?;
        if threading < Threading::Serialized {
            return Err(failed("it was built without support for threads"));
        }
        let world = universe.world();
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        let (ranks, rank) = (count(world.size()), count(world.rank()));
        if rank == 0 {
            let nbytes = ranks * (ORDERS_A_RANK + 2) * (ORDER_BYTES_MAX + MESSAGE_OVERHEAD_BYTES);
            universe.set_buffer_size(nbytes);
        }
        let library = short(&mpi::environment::library_version().unwrap_or_default());
        let state = Mutex::new(State { owed: vec![0; ranks], ..State::default() });
        Ok(Self { ranks, rank, library, late: AtomicU8::new(0), state, _universe: universe })
    }

    /// How many ranks there are.
    pub fn ranks(&self) -> usize {
        self.ranks
    }

    /// Which of them this process is, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The MPI that runs, such as `Open MPI v4.1.4`.
    pub fn library(&self) -> &str {
        &self.library
    }

    /// Whether a rank still runs a shard that a run has given up: what has to end now should
    /// [`World::abort`], since it would wait for that shard.
    pub fn late(&self) -> Option<Late> {
        match self.late.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Late::Failed),
            _ => Some(Late::Stopped),
        }
    }

    pub(crate) fn set_late(&self, late: Option<Late>) {
        let code = late.map_or(0, |late| if late == Late::Failed { 1 } else { 2 });
        self.late.store(code, Ordering::Relaxed);
    }

    /// On rank 0: tells the others that there are no more jobs.
    pub fn dismiss(&self) {
        let leave = Header { kind: Header::LEAVE, run: 0, order: 0, tables: 0 };
        let mut pause = Pause::default();
        broadcast(&self.comm(), &mut leave.to_bytes(), || pause.rest());
    }

    /// Ends all ranks at once; the launcher returns `code` or another one that is not 0.
    pub fn abort(&self, code: u8) -> ! {
        self.comm().abort(code.into())
    }

    pub(crate) fn comm(&self) -> SimpleCommunicator {
        SimpleCommunicator::world()
    }

    /// Holds the turn of the one thread that may talk.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name and version out of what an MPI says of itself.
fn short(library: &str) -> String {
    let line = library.lines().next().unwrap_or_default();
    let name = line.split(',').next().unwrap_or_default();
    let words: Vec<&str> = name.split_whitespace().filter(|word| *word != "Version:").collect();
    if words.is_empty() { "MPI".into() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_called_by_name_and_version() {
        let open = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4";
        assert_eq!(short(open), "Open MPI v4.1.4");
        assert_eq!(short("MPICH Version:      4.0.2\nMPICH Release date: x"), "MPICH 4.0.2");
        assert_eq!(short(""), "MPI");
    }
}
