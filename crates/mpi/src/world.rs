//! MPI, started and checked; what rank 0 tells all others.

use crate::talk::{Header, ORDER_BYTES_MAX, Pause, broadcast};
use mpi::Threading;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use windfall_core::{Error, Result, Version};

/// Orders that a rank has at a time: one that it runs and one that waits, so that it never does.
pub(crate) const ORDERS_A_RANK: usize = 2;
/// What MPI may need beside a message that it keeps, in bytes.
const MESSAGE_OVERHEAD_BYTES: usize = 512;

/// All ranks of the job, one of which this process is.
pub struct World {
    ranks: usize,
    rank: usize,
    library: String,
    /// The version of each rank.
    versions: Vec<Version>,
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
        let mut words = vec![0; ranks];
        world.all_gather_into(&Version::here().word(), &mut words[..]);
        let versions = words.into_iter().map(Version::from_word).collect();
        let state = Mutex::new(State { owed: vec![0; ranks], ..State::default() });
        Ok(Self {
            ranks,
            rank,
            library,
            versions,
            late: AtomicU8::new(0),
            state,
            _universe: universe,
        })
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

    /// Whether all ranks are of the same version: each of them learns the same.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] with the first rank that differs from rank 0, and both
    /// versions.
    pub fn check_versions(&self) -> Result<()> {
        alike(&self.versions)
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

/// Refuses versions that are not that of rank 0.
fn alike(versions: &[Version]) -> Result<()> {
    let Some(rank) = versions.iter().position(|version| *version != versions[0]) else {
        return Ok(());
    };
    let (what, expected) =
        (format!("version of rank {rank}"), format!("{}, that of rank 0", versions[0]));
    let hint = "start the same windfall-mpi on every machine, built from one version of Windfall";
    Err(Error::invalid(&what, versions[rank], &expected).hint(hint))
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

    #[test]
    fn a_rank_of_another_version_is_named_with_both() {
        let here = Version::here();
        let other = Version::from_word(here.word() + (1 << 48));
        assert!(alike(&[here; 4]).is_ok());
        let error = alike(&[here, here, other, here]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("`version of rank 2` is `{other}`; it must be {here}")));
        assert!(error.contains("hint: start the same windfall-mpi"));
    }
}
