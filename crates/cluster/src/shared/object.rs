//! What every shared object has: a segment with a header, an identity, a name.

use super::memory::Memory;
use super::party::Party;
use crate::os;
use crate::segment::{Kind as Map, Segment};
use rustix::fd::AsRawFd;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use windfall_core::{Error, Result};

/// Word where the body begins; the header is two cache lines.
pub const BODY: usize = 16;
/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

const MAGIC: u64 = u64::from_le_bytes(*b"wfshare1");
const KIND: usize = 1;
const IDENTITY: usize = 2;
pub(super) const SIZE: usize = 4;
const SENT: usize = 5;
const OPENED: usize = 6;
const NAME: usize = 8;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 8 * BODY;

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One number.
    Value = 1,
    /// A number that is claimed by ones.
    Counter = 2,
    /// Many numbers.
    Array = 3,
    /// A lock.
    Lock = 4,
    /// Items in order.
    Queue = 5,
    /// A meeting of a number of threads.
    Barrier = 6,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Value, Self::Counter, Self::Array, Self::Lock, Self::Queue, Self::Barrier];

    /// The kind of that number.
    pub fn of(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u64 == number)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "value",
            Self::Counter => "counter",
            Self::Array => "array",
            Self::Lock => "lock",
            Self::Queue => "queue",
            Self::Barrier => "barrier",
        })
    }
}

/// The thread that made an object, and the how manieth of that process it was.
pub type Identity = [u64; 2];

/// Where an object can be had: the process that has it open, under which descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The process.
    pub pid: u32,
    /// The descriptor there.
    pub fd: i32,
    /// Which object it must be.
    pub identity: Identity,
}

/// A segment with a header. Whoever has it open can pass it on.
#[derive(Debug)]
pub struct Object {
    segment: Segment,
    memory: Memory,
    kind: Kind,
    identity: Identity,
}

impl Object {
    /// A new one: `words` of body, all zero, and a number `size` in its header.
    ///
    /// # Errors
    /// If the name is too long, or there is no memory or no descriptor left.
    pub fn create(kind: Kind, name: Option<&str>, size: u64, words: usize) -> Result<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        let name = name.unwrap_or_default();
        if name.len() > NAME_BYTES_MAX || name.contains('\0') {
            return Err(Error::invalid("name", name, "text of at most 64 bytes"));
        }
        let nbytes = words.checked_add(BODY).and_then(|words| words.checked_mul(8));
        let nbytes = nbytes.ok_or_else(|| no_memory(kind, std::io::ErrorKind::OutOfMemory))?;
        let segment = Segment::zeros(nbytes).map_err(|error| no_memory(kind, error))?;
        let memory = segment.map(Map::Shared).map_err(|error| no_memory(kind, error))?;
        let memory = Memory::new(memory);
        let identity = [Party::me().thread, SERIAL.fetch_add(1, Relaxed)];
        memory.write(8 * NAME, name.as_bytes());
        memory.word(KIND).store(kind as u64, Relaxed);
        memory.word(IDENTITY).store(identity[0], Relaxed);
        memory.word(IDENTITY + 1).store(identity[1], Relaxed);
        memory.word(SIZE).store(size, Relaxed);
        memory.word(0).store(MAGIC, Relaxed);
        Ok(Self { segment, memory, kind, identity })
    }

    /// The one that another process, or this one, has open.
    ///
    /// # Errors
    /// If that process is gone, or has closed it since.
    pub fn open(kind: Kind, reference: &Reference) -> Result<Self> {
        let lost = |why: &str| {
            Error::io(format!("shared {kind} of process {}", reference.pid), why).hint(
                "whoever sends a shared object must keep it until it has arrived; the processes \
                 must belong to one user and run on one machine",
            )
        };
        let fd = os::open_elsewhere(reference.pid, reference.fd)
            .map_err(|error| lost(&format!("the process has ended or lets nobody in ({error})")))?;
        let closed = || lost("the process has closed it since");
        let segment = Segment::received(fd).map_err(|_| closed())?;
        if segment.nbytes() < HEADER_BYTES {
            return Err(closed());
        }
        let memory = Memory::new(segment.map(Map::Shared).map_err(|e| no_memory(kind, e))?);
        let word = |index: usize| memory.word(index).load(Relaxed);
        let identity = [word(IDENTITY), word(IDENTITY + 1)];
        let found = (word(0), word(KIND), identity);
        if found != (MAGIC, kind as u64, reference.identity) {
            return Err(closed());
        }
        memory.word(OPENED).fetch_add(1, Relaxed);
        Ok(Self { segment, memory, kind, identity })
    }

    /// Where this process has it.
    pub fn reference(&self) -> Reference {
        Reference { pid: Party::me().pid(), fd: self.fd(), identity: self.identity }
    }

    /// Notes that a reference is on its way to another process.
    pub fn note_sent(&self) {
        self.memory.word(SENT).fetch_add(1, Relaxed);
    }

    /// Notes that a process has got it by a fork.
    pub fn note_inherited(&self) {
        self.memory.word(OPENED).fetch_add(1, Relaxed);
    }

    /// The descriptor.
    pub fn fd(&self) -> i32 {
        self.segment.fd().as_raw_fd()
    }

    /// Its memory, header included.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which one it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The number that [`Object::create`] was given.
    pub fn size(&self) -> u64 {
        self.memory.word(SIZE).load(Relaxed)
    }

    /// Its name, or what tells it from others.
    pub fn name(&self) -> String {
        let mut header = [0; HEADER_BYTES];
        self.memory.read(0, &mut header);
        Header::of(&header).map_or_else(String::new, |header| header.name)
    }

    /// The name it was given, if it was.
    pub fn given_name(&self) -> Option<String> {
        let mut bytes = [0; NAME_BYTES_MAX];
        self.memory.read(8 * NAME, &mut bytes);
        given_name(&bytes)
    }
}

fn given_name(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    (end > 0).then(|| String::from_utf8_lossy(&bytes[..end]).into_owned())
}

fn no_memory(kind: Kind, error: impl std::fmt::Display) -> Error {
    Error::io(format!("memory of a shared {kind}"), error)
        .hint("free memory, raise the limit of open files, or ask for less")
}

/// A header as read from any process's descriptor.
#[derive(Clone, Debug)]
pub struct Header {
    /// What the object is.
    pub kind: Kind,
    /// Which one it is.
    pub identity: Identity,
    /// Its size.
    pub size: u64,
    /// How often it was sent but has not arrived, as far as is known.
    pub on_its_way: u64,
    /// Its name, or what tells it from others.
    pub name: String,
}

impl Header {
    /// The header in these bytes; none if they are not those of a shared object.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let word = |index: usize| {
            let word = bytes.get(8 * index..8 * index + 8)?;
            Some(u64::from_ne_bytes(word.try_into().ok()?))
        };
        let kind = Kind::of(word(KIND)?)?;
        let identity = [word(IDENTITY)?, word(IDENTITY + 1)?];
        let given = given_name(bytes.get(8 * NAME..HEADER_BYTES)?);
        let name = given.map_or_else(
            || format!("{kind} {} of process {}", identity[1], identity[0] as u32),
            |name| format!("{kind} `{name}`"),
        );
        let on_its_way = word(SENT)?.saturating_sub(word(OPENED)?);
        (word(0)? == MAGIC).then_some(Self { kind, identity, size: word(SIZE)?, on_its_way, name })
    }
}
