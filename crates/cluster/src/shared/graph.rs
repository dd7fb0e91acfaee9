//! Who waits for whom, and whether that can ever end.
//!
//! A thread waits for an object; an object is freed by threads: a lock by its holder, a barrier by
//! *all* who are missing, a queue by *any* thread that has it. From one wait on, the graph is read
//! from the boards and objects of all processes. Then every thread is taken away that may go on by
//! itself, and every thread whose object those can free, until nothing changes: the rest waits for
//! ever (Knapp 1987, "Deadlock detection in distributed databases", section 3, the AND-OR model).
//!
//! What was read may be old by the time it is used, but a deadlock does not pass: one is believed
//! when two readings, some time apart, find the same waits. Of the threads of a circle the one with
//! the highest number gets the error, so that the others can go on.

use super::board::{View, Wait};
use super::object::{HEADER_BYTES, Header, Kind};
use super::party::Party;
use super::{barrier, lock, queue};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a thread waits for an object to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A lock to be free.
    Hold = 1,
    /// A barrier to be complete.
    Meet = 2,
    /// A queue to have an item.
    Get = 3,
    /// A queue to have room.
    Put = 4,
}

impl Want {
    /// The want of that number.
    pub fn of(number: u64) -> Option<Self> {
        [Self::Hold, Self::Meet, Self::Get, Self::Put]
            .into_iter()
            .find(|&want| want as u64 == number)
    }
}

/// Where the graph is read from.
pub trait Waits {
    /// The board of a process.
    fn board(&self, pid: u32, fd: i32) -> Option<View>;
    /// The first bytes of what a process has open, as words; fewer if there are fewer.
    fn words(&self, pid: u32, fd: i32, nbytes: usize) -> Option<Vec<u64>>;
    /// Whether that thread still runs.
    fn is_alive(&self, party: &Party) -> bool;
}

/// Who can end a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// It has ended, or nobody knows.
    Open,
    /// All of these threads.
    All(Vec<Party>),
    /// Any thread of these processes.
    Any(Vec<Party>),
}

/// A circle of waits that nothing ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// The waits that it consists of: threads and numbers.
    pub waits: Vec<(u64, u64)>,
    /// The thread that gets the error.
    pub victim: u64,
    /// Who waits for whom.
    pub story: String,
}

struct Node {
    wait: Wait,
    object: String,
    needs: Needs,
    /// Threads on whose waits this one depends.
    next: Vec<u64>,
    /// Whether it ends by itself, or by a thread that runs.
    free: bool,
}

/// The deadlock that `start` is part of, if there is one.
pub fn deadlock(source: &dyn Waits, start: Wait) -> Option<Deadlock> {
    let mut nodes = read(source, start);
    reduce(&mut nodes);
    let me = start.party.thread;
    let reached = reach(&nodes, me);
    let circle: Vec<u64> =
        reached.iter().copied().filter(|&other| reach(&nodes, other).contains(&me)).collect();
    let victim = *circle.iter().max()?;
    // Whoever waits for the dead will notice. To ask costs more than all the rest: it comes last.
    let waits_for_the_dead = |thread: &u64| match &nodes[thread].needs {
        Needs::All(parties) => parties.iter().any(|party| !source.is_alive(party)),
        _ => false,
    };
    if circle.iter().any(waits_for_the_dead) {
        return None;
    }
    Some(Deadlock {
        waits: circle.iter().map(|thread| (*thread, nodes[thread].wait.number)).collect(),
        victim,
        story: story(&nodes, me, &circle),
    })
}

/// All waits that `start` depends on, and what each needs.
fn read(source: &dyn Waits, start: Wait) -> BTreeMap<u64, Node> {
    let mut nodes = BTreeMap::new();
    let mut todo = VecDeque::from([start]);
    while let Some(wait) = todo.pop_front() {
        if nodes.contains_key(&wait.party.thread) {
            continue;
        }
        let (object, needs) = needs(source, &wait).unwrap_or((String::new(), Needs::Open));
        let (mut next, mut free) = (Vec::new(), needs == Needs::Open);
        match &needs {
            Needs::Open => {}
            Needs::All(parties) => {
                for party in parties {
                    match wait_of(source, party) {
                        Some(other) => {
                            next.push(other.party.thread);
                            todo.push_back(other);
                        }
                        None if parties.len() == 1 => free = true,
                        None => {}
                    }
                }
                free |= next.is_empty();
            }
            Needs::Any(processes) => {
                for process in processes {
                    let view = source.board(process.pid(), process.board()).unwrap_or_default();
                    free |= view.threads == 0 || (view.waits.len() as u64) < view.threads;
                    next.extend(view.waits.iter().map(|wait| wait.party.thread));
                    todo.extend(view.waits);
                }
            }
        }
        nodes.insert(wait.party.thread, Node { wait, object, needs, next, free });
    }
    nodes
}

fn wait_of(source: &dyn Waits, party: &Party) -> Option<Wait> {
    let view = source.board(party.pid(), party.board())?;
    view.waits.into_iter().find(|wait| wait.party.thread == party.thread)
}

/// The object of a wait in words, and what it needs.
fn needs(source: &dyn Waits, wait: &Wait) -> Option<(String, Needs)> {
    let pid = wait.party.pid();
    let read = |nbytes: usize| source.words(pid, wait.fd, nbytes);
    let first = read(HEADER_BYTES)?;
    let bytes: Vec<u8> = first.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let header = Header::of(&bytes).filter(|header| header.identity == wait.identity)?;
    let needs = match (wait.want, header.kind) {
        (Want::Hold, Kind::Lock) => lock::needs(&read(8 * lock::WORDS)?, wait),
        (Want::Meet, Kind::Barrier) => {
            barrier::needs(&read(8 * barrier::words(header.size))?, wait)
        }
        (Want::Get | Want::Put, Kind::Queue) if header.on_its_way == 0 => {
            queue::needs(&read(8 * queue::WORDS)?, wait, source)
        }
        _ => Needs::Open,
    };
    Some((header.name, needs))
}

/// Marks as free whatever a free thread can free, until nothing changes.
fn reduce(nodes: &mut BTreeMap<u64, Node>) {
    loop {
        let blocked: BTreeSet<u64> =
            nodes.iter().filter(|(_, node)| !node.free).map(|(&thread, _)| thread).collect();
        let mut changed = false;
        for node in nodes.values_mut().filter(|node| !node.free) {
            let stuck = |thread: &u64| blocked.contains(thread);
            node.free = match node.needs {
                Needs::Open => true,
                Needs::All(_) => !node.next.iter().any(stuck),
                Needs::Any(_) => !node.next.iter().all(stuck),
            };
            changed |= node.free;
        }
        if !changed {
            return;
        }
    }
}

/// The blocked threads on which `from` depends, itself only if it depends on itself.
fn reach(nodes: &BTreeMap<u64, Node>, from: u64) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    let mut todo = vec![from];
    while let Some(thread) = todo.pop() {
        for &next in blocked_after(nodes, thread) {
            if nodes.get(&next).is_some_and(|node| !node.free) && found.insert(next) {
                todo.push(next);
            }
        }
    }
    found
}

fn blocked_after(nodes: &BTreeMap<u64, Node>, thread: u64) -> &[u64] {
    match nodes.get(&thread) {
        Some(node) if !node.free => &node.next,
        _ => &[],
    }
}

/// Who waits for whom, from `me` on: round the circle, or if a queue is part of it all of them.
fn story(nodes: &BTreeMap<u64, Node>, me: u64, circle: &[u64]) -> String {
    let is_queue = |thread: &u64| matches!(nodes[thread].needs, Needs::Any(_));
    let way = if circle.iter().any(is_queue) {
        let others = circle.iter().copied().filter(|&thread| thread != me);
        [me].into_iter().chain(others).collect()
    } else {
        way(nodes, me)
    };
    let line = |thread: &u64| {
        let node = &nodes[thread];
        let next = node.next.iter().filter(|&next| next != thread && circle.contains(next));
        let next: Vec<String> = next.map(|next| nodes[next].wait.party.to_string()).collect();
        let (who, object, next) = (&node.wait.party, &node.object, next.join(" and "));
        match (node.wait.want, next.is_empty()) {
            (Want::Hold, _) => format!("{who} waits for {object}, which {next} holds"),
            (Want::Meet, _) => format!("{who} waits at {object} for {next}"),
            (Want::Get, true) => {
                format!("{who} waits for an item of {object}, which no one else could put")
            }
            (Want::Get, false) => format!("{who} waits for an item of {object} from {next}"),
            (Want::Put, true) => {
                format!("{who} waits for room in {object}, which no one else could make")
            }
            (Want::Put, false) => format!("{who} waits for room in {object}, made by {next}"),
        }
    };
    way.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// The shortest way from `me` back to `me`, without its end.
fn way(nodes: &BTreeMap<u64, Node>, me: u64) -> Vec<u64> {
    let mut before: BTreeMap<u64, u64> = BTreeMap::new();
    let mut todo = VecDeque::from([me]);
    while let Some(thread) = todo.pop_front() {
        for &next in blocked_after(nodes, thread) {
            before.entry(next).or_insert_with(|| {
                todo.push_back(next);
                thread
            });
        }
    }
    let mut way = vec![me];
    let mut at = before.get(&me).copied();
    while let Some(thread) = at.filter(|&thread| thread != me) {
        way.push(thread);
        at = before.get(&thread).copied();
    }
    way[1..].reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::graph_tests::World;

    #[test]
    fn a_circle_of_three_has_one_victim_and_a_story() {
        let mut world = World::default();
        world.holds(1, 10).holds(2, 20).holds(3, 30);
        let waits = [world.waits(1, 20), world.waits(2, 30), world.waits(3, 10)];
        let found = waits.map(|wait| deadlock(&world, wait).unwrap());
        assert!(found.iter().all(|one| one.victim == 3 && one.waits == found[0].waits));
        assert_eq!(
            found[0].story,
            "process 1 waits for lock `20`, which process 2 holds; \
             process 2 waits for lock `30`, which process 3 holds; \
             process 3 waits for lock `10`, which process 1 holds"
        );
    }

    #[test]
    fn whoever_waits_for_a_circle_is_not_part_of_it() {
        let mut world = World::default();
        world.holds(1, 10).holds(2, 20).holds(9, 90);
        world.waits(1, 20);
        world.waits(2, 10);
        let outside = world.waits(9, 10);
        assert_eq!(deadlock(&world, outside), None);
    }

    #[test]
    fn a_holder_that_runs_or_is_dead_is_no_deadlock() {
        let mut world = World::default();
        world.holds(1, 10).holds(2, 20);
        let wait = world.waits(1, 20);
        assert_eq!(deadlock(&world, wait), None);
        world.waits(2, 10);
        assert!(deadlock(&world, wait).is_some());
        world.dead.insert(2);
        assert_eq!(deadlock(&world, wait), None);
    }

    #[test]
    fn what_became_free_meanwhile_is_no_deadlock() {
        let mut world = World::default();
        world.holds(1, 10).holds(2, 20);
        let wait = world.waits(1, 20);
        world.waits(2, 10);
        world.holds(2, 10);
        assert_eq!(deadlock(&world, wait), None);
    }

    #[test]
    fn in_any_world_of_locks_a_thread_is_told_if_its_way_leads_back_to_it() {
        let mut state = 1u64;
        let mut below = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % most
        };
        let mut told = 0;
        for _ in 0..500 {
            // Thread t holds lock 10 + t and waits for a lock or, if that is number 0, for none.
            let wanted: Vec<u64> = (0..7).map(|_| below(7)).collect();
            let mut world = World::default();
            for thread in 1..7 {
                world.holds(thread, 10 + thread as i32);
            }
            let waiting = (1..7).filter(|&thread| wanted[thread as usize] != 0);
            let waits: Vec<Wait> = waiting
                .map(|thread| world.waits(thread, 10 + wanted[thread as usize] as i32))
                .filter(|wait| wait.fd != 10 + wait.party.thread as i32)
                .collect();
            for wait in waits {
                let follow = |at: &u64| Some(wanted[*at as usize]).filter(|&next| next != 0);
                let mut way = std::iter::successors(Some(wait.party.thread), follow).skip(1);
                let leads_back = way.by_ref().take(7).any(|at| at == wait.party.thread);
                assert_eq!(deadlock(&world, wait).is_some(), leads_back, "{wanted:?}");
                told += u32::from(leads_back);
            }
        }
        assert!(told > 300, "{told}");
    }

    #[test]
    fn a_barrier_needs_all_who_are_missing() {
        let mut world = World::default();
        world.meeting(50, &[(1, 1), (2, 0), (3, 0)]).holds(1, 10);
        let wait = world.meets(1, 50);
        assert_eq!(deadlock(&world, wait), None);
        let other = world.waits(2, 10);
        assert!(deadlock(&world, wait).is_some_and(|found| found.victim == 2));
        assert!(deadlock(&world, other).is_some());
        world.meeting(50, &[(1, 1), (2, 0), (0, 0)]);
        assert_eq!(deadlock(&world, wait), None);
    }

    #[test]
    fn a_queue_needs_any_thread_of_those_who_have_it() {
        let mut world = World::default();
        world.queue(60, &[1, 2]);
        let wait = world.gets(1, 60);
        assert_eq!(deadlock(&world, wait), None);
        world.gets(2, 60);
        let found = deadlock(&world, wait).unwrap();
        assert_eq!(found.victim, 2);
        world.threads.insert(2, 2);
        assert_eq!(deadlock(&world, wait), None);
        world.threads.remove(&2);
        world.dead.insert(2);
        let alone = deadlock(&world, wait).unwrap();
        assert!(alone.story.ends_with("which no one else could put"), "{}", alone.story);
    }
}
