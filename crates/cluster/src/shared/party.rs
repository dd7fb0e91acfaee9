//! Who holds, waits or takes part: a thread of a process, perhaps of an engine.

use super::board;
use super::memory::Memory;
use crate::os;
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// A thread, as it is written into shared memory: three words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The thread, as [`os::thread`] names it; zero is nobody.
    pub thread: u64,
    /// Its process in the low half, the descriptor of that process's board in the high half.
    pub process: u64,
    /// The number of the engine plus one, or zero.
    pub engine: u64,
}

/// How often this process has come out of a fork, plus one; tells whether what is cached holds.
static FORKS: AtomicU32 = AtomicU32::new(1);
static ENGINE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static ME: Cell<(u32, Party)> = const {
        Cell::new((0, Party { thread: 0, process: 0, engine: 0 }))
    };
}

/// To be called in the child of a fork, before anything shared is used there.
pub fn forked() {
    FORKS.fetch_add(1, Relaxed);
}

/// The number of forks since the program started, plus one.
pub fn forks() -> u32 {
    FORKS.load(Relaxed)
}

/// Says which engine this process is, for messages.
pub fn set_engine(engine: Option<u32>) {
    ENGINE.store(engine.map_or(0, |engine| u64::from(engine) + 1), Relaxed);
    forked();
}

impl Party {
    /// The calling thread.
    #[inline]
    pub fn me() -> Self {
        let (forks, party) = ME.get();
        if forks == FORKS.load(Relaxed) { party } else { Self::look_up() }
    }

    #[cold]
    fn look_up() -> Self {
        let process = u64::from(std::process::id()) | (board::descriptor() as u64) << 32;
        let party = Self { thread: os::thread(), process, engine: ENGINE.load(Relaxed) };
        ME.set((FORKS.load(Relaxed), party));
        party
    }

    /// The calling thread's process, known by its first thread.
    pub fn my_process() -> Self {
        let me = Self::me();
        Self { thread: os::process(me.pid()).unwrap_or(me.thread), ..me }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process as u32
    }

    /// The descriptor of its process's board.
    pub fn board(&self) -> i32 {
        (self.process >> 32) as i32
    }

    /// Whether the thread still runs.
    pub fn is_alive(&self) -> bool {
        os::is_alive(self.thread)
    }

    /// Writes it to three words from `index` on, the thread last.
    pub fn store(&self, memory: &Memory, index: usize) {
        memory.word(index + 1).store(self.process, Relaxed);
        memory.word(index + 2).store(self.engine, Relaxed);
        memory.word(index).store(self.thread, std::sync::atomic::Ordering::Release);
    }

    /// Reads it from three words.
    pub fn load(memory: &Memory, index: usize) -> Self {
        Self::of([0, 1, 2].map(|word| memory.word(index + word).load(Relaxed)))
    }

    /// The party of these words.
    pub fn of([thread, process, engine]: [u64; 3]) -> Self {
        Self { thread, process, engine }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pid, number) = (self.pid(), self.thread as u32);
        match self.engine {
            0 => write!(f, "process {pid}")?,
            engine => write!(f, "engine {} (process {pid})", engine - 1)?,
        }
        if number != pid { write!(f, " in thread {number}") } else { Ok(()) }
    }
}
