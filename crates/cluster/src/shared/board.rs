//! What the threads of a process wait for, where any process of the user can read it.
//!
//! Each process has one board, a segment whose descriptor stands in every lock it holds and every
//! barrier it takes part in. All boards together with the holders written in the objects are the
//! graph of who waits for whom; no process keeps it whole.

use super::graph::{Waits, Want};
use super::memory::Memory;
use super::object::Identity;
use super::party::{self, Party};
use crate::os;
use crate::segment::{Kind, Segment};
use rustix::fd::AsRawFd;
use std::cell::RefCell;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU64, fence};
use std::sync::{Arc, Mutex, PoisonError};

/// Threads of one process that can be on its board at once; further ones are not seen, so that a
/// deadlock they are part of ends by a time limit only.
pub const WAITS_MAX: usize = 63;

const MAGIC: u64 = u64::from_le_bytes(*b"wfboard1");
const PROCESS: usize = 1;
const THREADS: usize = 2;
const WORDS: usize = 8;
const NBYTES: usize = (WAITS_MAX + 1) * WORDS * 8;

/// A thread's wait, as it stands on the board of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waits.
    pub party: Party,
    /// Which of all waits of its process.
    pub number: u64,
    /// For which object.
    pub identity: Identity,
    /// The descriptor of that object in the waiter's process.
    pub fd: i32,
    /// What must happen.
    pub want: Want,
    /// The round of a barrier, or the bytes that must find room in a queue.
    pub ticket: u64,
}

/// What a board says at one moment.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The threads of the process that could do anything, those that wait included.
    pub threads: u64,
    /// Those that wait without a time limit.
    pub waits: Vec<Wait>,
}

struct Board {
    segment: Segment,
    memory: Memory,
}

static MINE: Mutex<Made> = Mutex::new(None);

/// A board, and the number of forks when it was made.
type Made = Option<(u32, Arc<Board>)>;

thread_local! {
    static HERE: RefCell<Made> = const { RefCell::new(None) };
}

/// The board of this process; made anew after a fork. None if there is no memory for it.
///
/// Each thread keeps it, so that only its first call locks: whoever forks keeps threads from making
/// their first calls meanwhile (Python by its own lock), lest the child find the board locked.
fn mine() -> Option<Arc<Board>> {
    let forks = party::forks();
    let current = |made: &Made| made.as_ref().filter(|made| made.0 == forks).cloned();
    HERE.with_borrow_mut(|here| {
        if current(here).is_none() {
            let mut mine = MINE.lock().unwrap_or_else(PoisonError::into_inner);
            if current(&mine).is_none() {
                *mine = Some((forks, Arc::new(Board::new()?)));
            }
            here.clone_from(&mine);
        }
        here.as_ref().map(|made| made.1.clone())
    })
}

impl Board {
    fn new() -> Option<Self> {
        let segment = Segment::zeros(NBYTES).ok()?;
        let memory = Memory::new(segment.map(Kind::Shared).ok()?);
        memory.word(PROCESS).store(u64::from(std::process::id()), Relaxed);
        memory.word(0).store(MAGIC, Release);
        Some(Self { segment, memory })
    }
}

/// The descriptor of this process's board, or -1.
pub fn descriptor() -> i32 {
    mine().map_or(-1, |board| board.segment.fd().as_raw_fd())
}

/// A wait on the board, until it is dropped.
pub struct Entry {
    board: Arc<Board>,
    slot: usize,
    wait: Wait,
}

impl Entry {
    /// Writes `wait` on the board; its number is given here. None if there is no room.
    pub fn new(mut wait: Wait, threads: u32) -> Option<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        wait.number = NUMBER.fetch_add(1, Relaxed);
        let board = mine()?;
        let free = |slot: &usize| {
            let word = board.memory.word(slot * WORDS);
            word.compare_exchange(0, wait.party.thread, Acquire, Relaxed).is_ok()
        };
        let slot = (1..=WAITS_MAX).find(free)?;
        let place = fd_and_want(wait.fd, wait.want);
        let [one, two] = wait.identity;
        let rest = [wait.party.process, wait.party.engine, one, two, place, wait.ticket];
        for (word, value) in rest.into_iter().enumerate() {
            board.memory.word(slot * WORDS + 2 + word).store(value, Relaxed);
        }
        board.memory.word(slot * WORDS + 1).store(wait.number, Release);
        let entry = Self { board, slot, wait };
        entry.note_threads(threads);
        Some(entry)
    }

    /// Says how many threads of the process could do anything.
    pub fn note_threads(&self, threads: u32) {
        self.board.memory.word(THREADS).store(threads.into(), Relaxed);
        // What is written here comes before what is then read of other boards, on every processor:
        // of two threads that begin to wait for one another, one sees the other.
        fence(SeqCst);
    }

    /// The wait, with its number.
    pub fn wait(&self) -> Wait {
        self.wait
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.board.memory.word(self.slot * WORDS + 1).store(0, Relaxed);
        self.board.memory.word(self.slot * WORDS).store(0, Release);
    }
}

fn fd_and_want(fd: i32, want: Want) -> u64 {
    u64::from(fd as u32) | (want as u64) << 32
}

/// The boards and objects of all processes of this user, read through their descriptors.
pub struct Processes;

impl Waits for Processes {
    fn board(&self, pid: u32, fd: i32) -> Option<View> {
        let words = self.words(pid, fd, NBYTES)?;
        if words.len() * 8 != NBYTES || (words[0], words[PROCESS]) != (MAGIC, pid.into()) {
            return None;
        }
        let waits = words.chunks_exact(WORDS).skip(1).filter_map(|slot| {
            let want = Want::of(slot[6] >> 32)?;
            (slot[0] != 0 && slot[1] != 0).then(|| Wait {
                party: Party::of([slot[0], slot[2], slot[3]]),
                number: slot[1],
                identity: [slot[4], slot[5]],
                fd: slot[6] as i32,
                want,
                ticket: slot[7],
            })
        });
        Some(View { threads: words[THREADS], waits: waits.collect() })
    }

    fn words(&self, pid: u32, fd: i32, nbytes: usize) -> Option<Vec<u64>> {
        let fd = os::open_elsewhere(pid, fd).ok()?;
        let mut bytes = vec![0; nbytes];
        let count = rustix::io::pread(&fd, &mut bytes, 0).ok()?;
        let words = bytes[..count].chunks_exact(8);
        Some(words.map(|word| u64::from_ne_bytes(word.try_into().unwrap_or_default())).collect())
    }

    fn is_alive(&self, party: &Party) -> bool {
        party.is_alive()
    }
}
