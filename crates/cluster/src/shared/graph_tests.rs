//! A world of processes, locks, barriers and queues made of words, for the tests of the graph.

use super::barrier;
use super::board::{View, Wait};
use super::graph::{Waits, Want};
use super::object::BODY;
use super::party::Party;
use super::queue;
use std::collections::{BTreeMap, BTreeSet};

/// Processes of one thread each, named like it, and objects, named like their descriptor.
#[derive(Default)]
pub struct World {
    objects: BTreeMap<i32, Vec<u64>>,
    waits: BTreeMap<u32, Wait>,
    pub dead: BTreeSet<u64>,
    pub threads: BTreeMap<u32, u64>,
}

fn words(party: u64) -> [u64; 3] {
    if party == 0 { [0; 3] } else { [party, party, 0] }
}

impl World {
    fn object(&mut self, fd: i32, kind: u64, size: u64) -> &mut Vec<u64> {
        let mut words = vec![0; 512];
        words[0] = u64::from_le_bytes(*b"wfshare1");
        (words[1], words[2], words[4]) = (kind, fd as u64, size);
        let mut name = [0; 8];
        name[..2].copy_from_slice(fd.to_string().as_bytes());
        words[8] = u64::from_ne_bytes(name);
        self.objects.entry(fd).insert_entry(words).into_mut()
    }

    /// The thread holds the lock.
    pub fn holds(&mut self, thread: u64, lock: i32) -> &mut Self {
        self.object(lock, 4, 0)[BODY..BODY + 3].copy_from_slice(&words(thread));
        self
    }

    /// A barrier in its round 0, with these members and the rounds they have come to, plus one.
    pub fn meeting(&mut self, fd: i32, members: &[(u64, u64)]) -> &mut Self {
        let start = barrier::words(0);
        let object = self.object(fd, 6, members.len() as u64);
        for (member, place) in members.iter().zip((start..).step_by(4)) {
            object[place..place + 3].copy_from_slice(&words(member.0));
            object[place + 3] = member.1;
        }
        self
    }

    /// An empty queue that these processes have open.
    pub fn queue(&mut self, fd: i32, users: &[u64]) -> &mut Self {
        let object = self.object(fd, 5, 64);
        for (&user, place) in users.iter().zip((queue::USERS..).step_by(3)) {
            object[place..place + 3].copy_from_slice(&words(user));
        }
        self
    }

    /// The thread waits for the lock.
    pub fn waits(&mut self, thread: u64, lock: i32) -> Wait {
        self.wait(thread, lock, Want::Hold)
    }

    /// The thread waits at the barrier.
    pub fn meets(&mut self, thread: u64, barrier: i32) -> Wait {
        self.wait(thread, barrier, Want::Meet)
    }

    /// The thread waits for an item.
    pub fn gets(&mut self, thread: u64, queue: i32) -> Wait {
        self.wait(thread, queue, Want::Get)
    }

    fn wait(&mut self, thread: u64, fd: i32, want: Want) -> Wait {
        let party = Party::of(words(thread));
        let wait = Wait { party, number: 7, identity: [fd as u64, 0], fd, want, ticket: 0 };
        self.waits.insert(thread as u32, wait);
        wait
    }
}

impl Waits for World {
    fn board(&self, pid: u32, _: i32) -> Option<View> {
        let threads = self.threads.get(&pid).copied().unwrap_or(1);
        Some(View { threads, waits: self.waits.get(&pid).copied().into_iter().collect() })
    }

    fn words(&self, _: u32, fd: i32, nbytes: usize) -> Option<Vec<u64>> {
        let words = self.objects.get(&fd)?;
        Some(words[..words.len().min(nbytes / 8)].to_vec())
    }

    fn is_alive(&self, party: &Party) -> bool {
        !self.dead.contains(&party.thread)
    }
}
