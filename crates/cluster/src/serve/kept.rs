//! Outcomes that nobody has fetched: in memory up to a limit, then on disk, then forgotten.

use crate::message::{Bytes, Outcome, Payload, TaskId};
use crate::os;
use crate::segment::Segment;
use std::collections::{HashMap, VecDeque};

/// What may lie in memory, in bytes.
const MEMORY_BYTES_MAX: usize = 64 << 20;
/// What may lie on disk, in bytes.
const DISK_BYTES_MAX: usize = 4 << 30;
/// What an outcome takes beside its payload, in bytes.
const OUTCOME_BYTES: usize = 128;
/// How long an outcome is kept, in microseconds: an hour.
const AGE_US_MAX: u64 = 3_600_000_000;

#[derive(Debug, Default)]
pub(super) struct Kept {
    outcomes: HashMap<TaskId, Place>,
    /// The oldest first, with the time it came.
    order: VecDeque<(u64, TaskId)>,
    /// Those in memory, the oldest first.
    in_memory: VecDeque<TaskId>,
    memory_bytes: usize,
    disk_bytes: usize,
}

#[derive(Debug)]
enum Place {
    Memory(Outcome),
    /// The outcome without its payload, the body's file, and the segment as a file.
    Disk(Outcome, Segment),
}

impl Kept {
    pub fn push(&mut self, outcome: Outcome, now_us: u64) {
        let task = outcome.task;
        self.memory_bytes += outcome.payload.nbytes() + OUTCOME_BYTES;
        self.outcomes.insert(task, Place::Memory(outcome));
        self.order.push_back((now_us, task));
        self.in_memory.push_back(task);
        while self.memory_bytes > MEMORY_BYTES_MAX {
            let Some(oldest) = self.in_memory.pop_front() else { break };
            self.spill(oldest);
        }
        while let Some(&(came, oldest)) = self.order.front() {
            if now_us.saturating_sub(came) < AGE_US_MAX && self.disk_bytes <= DISK_BYTES_MAX {
                break;
            }
            self.order.pop_front();
            self.forget(oldest);
        }
    }

    pub fn take(&mut self, task: TaskId) -> Option<Outcome> {
        let place = self.forget(task)?;
        match place {
            Place::Memory(outcome) => Some(outcome),
            Place::Disk(mut outcome, body) => {
                let mut bytes = vec![0; body.nbytes()];
                rustix::io::pread(body.fd(), &mut bytes, 0).ok()?;
                outcome.payload.body = Bytes::from(bytes);
                Some(outcome)
            }
        }
    }

    fn forget(&mut self, task: TaskId) -> Option<Place> {
        let place = self.outcomes.remove(&task)?;
        match &place {
            Place::Memory(outcome) => {
                self.memory_bytes -= outcome.payload.nbytes() + OUTCOME_BYTES;
            }
            Place::Disk(outcome, body) => {
                self.disk_bytes -= outcome.payload.nbytes() + body.nbytes()
            }
        }
        Some(place)
    }

    /// Moves an outcome to disk; if the disk is full, it is forgotten.
    fn spill(&mut self, task: TaskId) {
        let Some(Place::Memory(_)) = self.outcomes.get(&task) else { return };
        let Some(Place::Memory(mut outcome)) = self.forget(task) else { return };
        let Some((body, segment)) = write(&outcome.payload) else { return };
        outcome.payload = Payload { body: Bytes::default(), segment };
        self.disk_bytes += outcome.payload.nbytes() + body.nbytes();
        self.outcomes.insert(task, Place::Disk(outcome, body));
    }
}

/// Writes a payload to files without names.
fn write(payload: &Payload) -> Option<(Segment, Option<Segment>)> {
    let file = |bytes: &[u8]| -> Option<Segment> {
        let fd = os::unnamed_file().ok()?;
        let mut left = bytes;
        while !left.is_empty() {
            let count = rustix::io::write(&fd, left).ok()?;
            left = &left[count..];
        }
        Segment::received(fd).ok()
    };
    let body = file(&payload.body)?;
    let Some(segment) = &payload.segment else { return Some((body, None)) };
    let mut bytes = vec![0; segment.nbytes()];
    let mut at = 0;
    while at < bytes.len() {
        match rustix::io::pread(segment.fd(), &mut bytes[at..], at as u64).ok()? {
            0 => return None,
            count => at += count,
        }
    }
    Some((body, Some(file(&bytes)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Status;

    fn outcome(task: TaskId, bytes: usize) -> Outcome {
        let body = Bytes::from(vec![task as u8; bytes]);
        let segment = Some(Segment::of(&[&[task as u8; 100]]).unwrap());
        let payload = Payload { body, segment };
        Outcome { task, status: Status::Ok, engine: 0, times: [0; 3], payload }
    }

    #[test]
    fn what_does_not_fit_in_memory_comes_back_from_disk() {
        let mut kept = Kept::default();
        for task in 0..10 {
            kept.push(outcome(task, 10 << 20), 0);
        }
        assert!(kept.memory_bytes <= MEMORY_BYTES_MAX);
        assert!(kept.disk_bytes > 30 << 20);
        for task in 0..10 {
            let back = kept.take(task).unwrap();
            assert_eq!(back.payload.body.len(), 10 << 20);
            assert!(back.payload.body.iter().all(|&byte| byte == task as u8));
            let mut bytes = [0; 100];
            rustix::io::pread(back.payload.segment.unwrap().fd(), &mut bytes, 0).unwrap();
            assert_eq!(bytes, [task as u8; 100]);
        }
        assert_eq!((kept.memory_bytes, kept.disk_bytes), (0, 0));
        assert!(kept.take(3).is_none());
    }

    #[test]
    fn the_old_are_forgotten() {
        let mut kept = Kept::default();
        kept.push(outcome(1, 10), 0);
        kept.push(outcome(2, 10), AGE_US_MAX + 1);
        assert!(kept.take(1).is_none());
        assert!(kept.take(2).is_some());
    }
}
