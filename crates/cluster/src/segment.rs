//! Memory behind a descriptor: written once, then mapped by whoever is handed the descriptor.

use crate::os;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use std::io::Result;
use std::ptr::NonNull;
use std::sync::Arc;

/// Buffers in a segment begin at multiples of this, in bytes: a cache line.
pub const ALIGN: usize = 64;

/// Memory without a name that can be passed to other processes. Clones share it.
#[derive(Clone, Debug)]
pub struct Segment {
    fd: Arc<OwnedFd>,
    nbytes: usize,
}

impl Segment {
    /// So many bytes, all zero.
    ///
    /// # Errors
    /// What the system says: no memory, or no descriptors left.
    pub fn zeros(nbytes: usize) -> Result<Self> {
        Ok(Self { fd: Arc::new(os::memory(nbytes as u64)?), nbytes })
    }

    /// Copies `buffers` one after the other, each to the next multiple of [`ALIGN`].
    ///
    /// # Cost
    /// About 3.5 GB/s: pages are made as they are written.
    ///
    /// # Errors
    /// What the system says: no memory (`/dev/shm` or the control group is full).
    pub fn of(buffers: &[&[u8]]) -> Result<Self> {
        let nbytes = offsets(buffers.iter().map(|buffer| buffer.len())).1;
        let segment = Self::zeros(nbytes)?;
        let mut at = 0u64;
        for buffer in buffers {
            let mut left = *buffer;
            let mut to = at;
            while !left.is_empty() {
                match rustix::io::pwrite(&segment.fd, left, to) {
                    Ok(0) => return Err(Errno::NOSPC.into()),
                    Ok(count) => (left, to) = (&left[count..], to + count as u64),
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            at += buffer.len().next_multiple_of(ALIGN) as u64;
        }
        segment.seal()?;
        Ok(segment)
    }

    /// Makes what is in it final: nobody can write to it any more, whoever has the descriptor.
    ///
    /// # Errors
    /// If it is mapped shared somewhere.
    pub fn seal(&self) -> Result<()> {
        os::seal(self.fd())
    }

    /// The segment behind a descriptor that came from another process.
    ///
    /// # Errors
    /// If the descriptor is not one of memory or a file.
    pub fn received(fd: OwnedFd) -> Result<Self> {
        let nbytes = rustix::fs::fstat(&fd)?.st_size;
        let nbytes = usize::try_from(nbytes).map_err(|_| Errno::INVAL)?;
        Ok(Self { fd: Arc::new(fd), nbytes })
    }

    /// Its size in bytes.
    pub fn nbytes(&self) -> usize {
        self.nbytes
    }

    /// The descriptor.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Maps the whole.
    ///
    /// # Errors
    /// What the system says: no room in the address space.
    pub fn map(&self, kind: Kind) -> Result<Mapping> {
        Mapping::new(self, kind)
    }
}

/// Where buffers of these sizes begin, and where the last one ends.
pub fn offsets(sizes: impl Iterator<Item = usize>) -> (Vec<usize>, usize) {
    let (mut starts, mut at, mut end) = (Vec::new(), 0, 0);
    for size in sizes {
        starts.push(at);
        end = at + size;
        at += size.next_multiple_of(ALIGN);
    }
    (starts, end)
}

/// Who sees what is written through a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody else: a page that is written is copied first.
    Private,
    /// Every process that maps the segment.
    Shared,
}

/// A segment in this process's address space, until it is dropped.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    nbytes: usize,
    /// Whether nobody can change what is in it, this process neither.
    is_final: bool,
}

impl Mapping {
    fn new(segment: &Segment, kind: Kind) -> Result<Self> {
        if segment.nbytes == 0 {
            return Ok(Self { start: NonNull::dangling(), nbytes: 0, is_final: true });
        }
        let (protection, flags) = match kind {
            Kind::Private => (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE),
            Kind::Shared => (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED),
        };
        // SAFETY: the address is the system's choice, so no mapping in use is replaced.
        let start = unsafe {
            let any = std::ptr::null_mut();
            rustix::mm::mmap(any, segment.nbytes, protection, flags, segment.fd(), 0)?
        };
        let start = NonNull::new(start.cast()).ok_or(Errno::NOMEM)?;
        let is_final = kind == Kind::Private && os::is_sealed(segment.fd());
        Ok(Self { start, nbytes: segment.nbytes, is_final })
    }

    /// The first byte; [`Mapping::nbytes`] follow, readable and writable while this value lives.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Its size in bytes.
    pub fn nbytes(&self) -> usize {
        self.nbytes
    }

    /// What is in it, if nobody can change it.
    ///
    /// A private mapping could be written through [`Mapping::start`]; whoever does so must not
    /// have asked for this.
    pub fn bytes(&self) -> Option<&[u8]> {
        // SAFETY: the range is mapped and readable while `self` lives, initialised by the system,
        // and sealed, so that no other process changes it.
        self.is_final
            .then(|| unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.nbytes) })
    }
}

// SAFETY: a mapping is plain memory of the process; it belongs to no thread.
unsafe impl Send for Mapping {}
// SAFETY: it hands out only a pointer and a size; whoever follows the pointer answers for races.
unsafe impl Sync for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.nbytes > 0 {
            // SAFETY: the range is the one that `mmap` gave and nothing else unmaps it.
            let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.nbytes) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_lie_at_multiples_of_a_cache_line() {
        assert_eq!(offsets([3, 64, 65].into_iter()), (vec![0, 64, 128], 193));
        let segment = Segment::of(&[b"abc", &[7; 64], b""]).unwrap();
        assert_eq!(segment.nbytes(), 128);
        let mut bytes = [0; 128];
        rustix::io::pread(segment.fd(), &mut bytes, 0).unwrap();
        assert_eq!((&bytes[..3], bytes[63], bytes[64], bytes[127]), (&b"abc"[..], 0, 7, 7));
    }

    #[test]
    fn a_segment_maps_by_its_descriptor() {
        let segment = Segment::zeros(4096).unwrap();
        let again = Segment::received(segment.fd().try_clone_to_owned().unwrap()).unwrap();
        assert_eq!(again.nbytes(), 4096);
        assert_eq!(again.map(Kind::Shared).unwrap().nbytes(), 4096);
    }
}
