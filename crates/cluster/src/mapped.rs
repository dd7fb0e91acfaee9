//! What this process has mapped, so that what lies in a segment already is passed on, not copied.

use crate::os;
use crate::segment::{Mapping, Segment};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A segment below this is not worth a descriptor that stays open, in bytes.
pub const MAPPED_BYTES_MIN: usize = 1 << 20;
/// The most segments whose descriptors stay open for this.
const MAPPED_MAX: usize = 128;

/// Private mappings by their first address.
static MAPPED: Mutex<BTreeMap<usize, (Weak<Mapping>, Segment)>> = Mutex::new(BTreeMap::new());

/// Notes that `mapping`, a private one, shows `segment`.
///
/// The segment's descriptor stays open for as long as the mapping lives, or is noted.
pub fn note(mapping: &Arc<Mapping>, segment: &Segment) {
    if mapping.nbytes() < MAPPED_BYTES_MIN {
        return;
    }
    let start = mapping.start().as_ptr() as usize;
    let mut mapped = MAPPED.lock().unwrap_or_else(PoisonError::into_inner);
    mapped.retain(|_, (mapping, _)| mapping.strong_count() > 0);
    if mapped.len() < MAPPED_MAX {
        mapped.insert(start, (Arc::downgrade(mapping), segment.clone()));
    }
}

/// Lets go of the descriptors of mappings that are no more.
pub fn forget_gone() {
    let mut mapped = MAPPED.lock().unwrap_or_else(PoisonError::into_inner);
    mapped.retain(|_, (mapping, _)| mapping.strong_count() > 0);
}

/// The segment in which these bytes of this process lie, and where in it: none if they do not, if
/// they were written to here since, or if they are less than half of it, which would keep the rest.
///
/// # Cost
/// Some 10 ns a page: the system is asked which pages were written to.
pub fn find(address: usize, nbytes: usize) -> Option<(Segment, usize)> {
    let mapped = MAPPED.lock().unwrap_or_else(PoisonError::into_inner);
    let (start, (mapping, segment)) = mapped.range(..=address).next_back()?;
    // Kept from here on, so that nothing else can come to lie there meanwhile.
    let mapping = mapping.upgrade()?;
    let (offset, segment) = (address - start, segment.clone());
    drop(mapped);
    let is_inside = offset.checked_add(nbytes)? <= mapping.nbytes();
    let is_worth_it = nbytes >= segment.nbytes() / 2;
    let found = is_inside && is_worth_it && os::is_unwritten(address, nbytes);
    drop(mapping);
    found.then_some((segment, offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Kind;
    use std::os::unix::fs::FileExt;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_found_until_it_is_written_to() {
        let bytes = vec![7u8; 2 * MAPPED_BYTES_MIN];
        let segment = Segment::of(&[&bytes]).unwrap();
        let mapping = Arc::new(segment.map(Kind::Private).unwrap());
        note(&mapping, &segment);
        let start = mapping.start().as_ptr() as usize;
        let sum: u64 = mapping.bytes().unwrap().iter().map(|&byte| u64::from(byte)).sum();
        assert_eq!(sum, 14 * MAPPED_BYTES_MIN as u64);
        assert_eq!(find(start, bytes.len()).unwrap().1, 0);
        assert_eq!(find(start + 4096, bytes.len() / 2).unwrap().1, 4096);
        assert!(find(start, 4096).is_none());
        assert!(find(start + 4096, bytes.len()).is_none());
        assert!(find(bytes.as_ptr() as usize, bytes.len()).is_none());
        // A system call writes as anybody would.
        let last = MAPPED_BYTES_MIN + 5;
        let memory = std::fs::File::options().write(true).open("/proc/self/mem").unwrap();
        memory.write_all_at(&[1], (start + last) as u64).unwrap();
        assert!(find(start, bytes.len()).is_none());
        assert_eq!(find(start, MAPPED_BYTES_MIN).unwrap().1, 0);
        drop(mapping);
        forget_gone();
        assert!(find(start, bytes.len()).is_none());
    }
}
