//! What ranks say to one another: broadcasts from rank 0, messages between two, and patience.

use mpi::request::{LocalScope, Request, scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Equivalence, Root, Source};
use mpi::{Rank, Tag};
use std::time::Duration;
use windfall_core::{Error, Result};

/// To a rank: run these shards. Number of the run, shards as text.
pub(crate) const ORDER: Tag = 1;
/// To a rank: this run is over.
pub(crate) const END: Tag = 2;
/// From a rank: number of the run; where orders are handed out, how many shards and microseconds
/// they took; partials.
pub(crate) const REPLY: Tag = 3;
/// From a rank: number of the run, why a shard failed.
pub(crate) const FAILURE: Tag = 4;

/// The most bytes of one step of a collective: MPI counts with 31 bits.
pub(crate) const PIECE_BYTES: usize = 1 << 30;
/// The most runs of consecutive shards in one order, so that its text stays below
/// [`ORDER_BYTES_MAX`].
pub(crate) const ORDER_RUNS_MAX: usize = 64;
/// The most bytes of an order.
pub(crate) const ORDER_BYTES_MAX: usize = 4096;

/// Rest between two looks: first only a turn for others, then longer and longer up to 1 ms.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    looks: u32,
}

/// So many looks follow one another with nothing but a turn for others between them.
const QUICK_LOOKS: u32 = 64;

impl Pause {
    /// Waits before the next look.
    pub(crate) fn rest(&mut self) {
        match self.looks.checked_sub(QUICK_LOOKS) {
            None => std::thread::yield_now(),
            Some(slow) => std::thread::sleep(Duration::from_micros(20 << slow.min(6)).min(LONGEST)),
        }
        self.looks = self.looks.saturating_add(1);
    }

    /// Something happened: look quickly again.
    pub(crate) fn end(&mut self) {
        self.looks = 0;
    }
}

/// The longest rest.
const LONGEST: Duration = Duration::from_millis(1);

/// What is announced to all ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// 0: leave; 1: a job, dynamic; 2: a job, static.
    pub kind: u64,
    /// Its number.
    pub run: u64,
    /// The bytes of the order that follows.
    pub order: u64,
    /// The bytes of the tables that follow it.
    pub tables: u64,
}

impl Header {
    pub(crate) const LEAVE: u64 = 0;
    pub(crate) const DYNAMIC: u64 = 1;
    pub(crate) const STATIC: u64 = 2;
    pub(crate) const BYTES: usize = 32;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let words = [self.kind, self.run, self.order, self.tables];
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |place: usize| u64::from_le_bytes(words[place]);
        Self { kind: word(0), run: word(1), order: word(2), tables: word(3) }
    }
}

/// Looks until `request` is done; `wait` is called between two looks. What MPI waits for itself
/// keeps a core busy.
pub(crate) fn done<'a, D: ?Sized>(
    mut request: Request<'a, D, &LocalScope<'a>>,
    mut wait: impl FnMut(),
) {
    while let Err(left) = request.test() {
        request = left;
        wait();
    }
}

/// Rank 0 gives `bytes` to all others, who have as many; `wait` is called while it is under way.
pub(crate) fn broadcast(world: &SimpleCommunicator, bytes: &mut [u8], mut wait: impl FnMut()) {
    let root = world.process_at_rank(0);
    for piece in bytes.chunks_mut(PIECE_BYTES) {
        scope(|scope| done(root.immediate_broadcast_into(scope, piece), &mut wait));
    }
}

/// A message, if one is there: who sent it, its tag and its bytes.
pub(crate) fn take(from: &impl Source) -> Option<(Rank, Tag, Vec<u8>)> {
    let (message, status) = from.immediate_matched_probe()?;
    let count = usize::try_from(status.count(u8::equivalent_datatype())).unwrap_or(0);
    let (mut bytes, mut pause) = (vec![0; count], Pause::default());
    scope(|scope| {
        let request = message.immediate_matched_receive_into(scope, &mut bytes[..]);
        done(request, || pause.rest());
    });
    Some((status.source_rank(), status.tag(), bytes))
}

/// Sends from rank 0, which never waits for the receiver: the bytes are copied.
pub(crate) fn post(world: &SimpleCommunicator, rank: Rank, tag: Tag, run: u64, text: &str) {
    let bytes = [&run.to_le_bytes()[..], text.as_bytes()].concat();
    world.process_at_rank(rank).buffered_send_with_tag(&bytes[..], tag);
}

/// Sends to rank 0, which always listens.
///
/// # Errors
/// [`windfall_core::ErrorKind::Wire`] if it is more than MPI can count.
pub(crate) fn answer(world: &SimpleCommunicator, tag: Tag, run: u64, body: &[u8]) -> Result<()> {
    let bytes = &[&run.to_le_bytes()[..], body].concat()[..];
    if i32::try_from(bytes.len()).is_err() {
        let text = format!("a reply of {} bytes, and MPI carries 2^31 - 1", bytes.len());
        return Err(Error::wire(text).hint("cut the job into smaller shards"));
    }
    let (to, mut pause) = (world.process_at_rank(0), Pause::default());
    scope(|scope| done(to.immediate_send_with_tag(scope, bytes, tag), || pause.rest()));
    Ok(())
}

/// The number of the run that a message belongs to, and the rest of it.
pub(crate) fn split(bytes: &[u8]) -> Result<(u64, &[u8])> {
    let short = || Error::wire("a message of MPI that ends too early");
    let (run, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    Ok((u64::from_le_bytes(*run), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_as_it_went() {
        let header = Header { kind: Header::STATIC, run: 7, order: 1 << 40, tables: 3 };
        assert_eq!(Header::from_bytes(&header.to_bytes()), header);
        assert!(split(&[0; 7]).is_err());
        assert_eq!(split(&[2, 0, 0, 0, 0, 0, 0, 0, 9]).unwrap(), (2, &[9][..]));
    }
}
