//! Every item is handed out once, whoever asks in whatever order, and what the dead held is known.

use super::*;
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

fn memory(slots: usize) -> Vec<AtomicU64> {
    (0..Claims::words(slots)).map(|_| AtomicU64::new(7)).collect()
}

/// Numbers that look random and are not: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.roll() % n as u64) as usize
    }
}

/// Plays the map on simulated clocks: the worker that is free first takes next. Returns when the
/// last is done, and how often each item was done.
fn play(claims: &Claims, cost_ns: impl Fn(u32) -> u64) -> (u64, Vec<u32>) {
    let mut workers: Vec<_> = (0..claims.slots()).map(|slot| claims.worker(slot)).collect();
    let mut free_ns = vec![Some(0_u64); claims.slots()];
    let mut times = vec![0; claims.items() as usize];
    let mut end_ns = 0;
    loop {
        let free = free_ns.iter().enumerate().filter_map(|(slot, at)| at.map(|at| (at, slot)));
        let Some((now_ns, slot)) = free.min() else { return (end_ns, times) };
        let Some(item) = workers[slot].take() else {
            free_ns[slot] = None;
            continue;
        };
        times[item as usize] += 1;
        workers[slot].did(cost_ns(item));
        workers[slot].reported(None);
        end_ns = end_ns.max(now_ns + cost_ns(item));
        free_ns[slot] = Some(now_ns + cost_ns(item));
    }
}

#[test]
fn the_lectures_uneven_tasks_take_what_greedy_and_longest_first_take() {
    let unit_ns = 200_000_000;
    let uneven = [5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 5, 5, 5];
    let words = memory(4);
    let claims = Claims::create(&words, 16, 4, Chunks::default());
    let (end_ns, times) = play(&claims, |item| uneven[item as usize] * unit_ns);
    assert_eq!(end_ns, 9 * unit_ns);
    assert_eq!(times, vec![1; 16]);

    let mut longest_first = uneven;
    longest_first.sort_by(|a, b| b.cmp(a));
    let claims = Claims::create(&words, 16, 4, Chunks::default());
    let (end_ns, _) = play(&claims, |item| longest_first[item as usize] * unit_ns);
    assert_eq!(end_ns, 8 * unit_ns);
}

#[test]
fn a_chunk_is_split_again_while_others_are_idle() {
    // Cheap items make chunks large; then come dear ones, which would leave three engines idle.
    let cost_ns = |item: u32| if item < 100_000 { 100 } else { 1_000_000 };
    let words = memory(4);
    let claims = Claims::create(&words, 100_400, 4, Chunks::default());
    let (end_ns, times) = play(&claims, cost_ns);
    assert!(times.iter().all(|&times| times == 1));
    let ideal_ns = (100_000 * 100 + 400 * 1_000_000) / 4;
    assert!(end_ns <= ideal_ns + 1_100_000, "{end_ns} ns, ideal {ideal_ns} ns");
}

#[test]
fn a_fixed_chunk_is_claimed_as_it_is() {
    let words = memory(2);
    let claims = Claims::create(&words, 100, 2, Chunks { items: 30, ..Chunks::default() });
    let mut worker = claims.worker(1);
    assert_eq!(worker.take(), Some(0));
    assert_eq!(claims.seen(1).ahead, Range::new(1, 30));
    assert_eq!(claims.seen(1).current, Some(0));
}

#[test]
fn threads_claim_each_item_exactly_once() {
    for (seed, items) in [(1, 1), (2, 7), (3, 1_000), (4, 200_000)] {
        let slots = 1 + seed as usize;
        let words = memory(slots);
        let claims = Claims::create(&words, items, slots, Chunks::default());
        let done: Vec<_> = (0..items).map(|_| AtomicU64::new(0)).collect();
        let together = Barrier::new(slots);
        thread::scope(|scope| {
            for slot in 0..slots {
                let (done, together) = (&done, &together);
                scope.spawn(move || {
                    let mut dice = Dice(seed * 1000 + slot as u64);
                    let mut worker = claims.worker(slot);
                    together.wait();
                    while let Some(item) = worker.take() {
                        done[item as usize].fetch_add(1, Relaxed);
                        // What an item seems to cost decides on chunks: let it vary wildly.
                        worker.did(1 << dice.below(30));
                        if worker.must_report() || dice.below(50) == 0 {
                            worker.reported(None);
                        }
                    }
                });
            }
        });
        assert!(done.iter().all(|times| times.load(Relaxed) == 1), "seed {seed}");
        assert_eq!(claims.done(), items);
        assert!(!claims.has_work());
    }
}

/// Threads that are abandoned at any step stand for engines that die: whatever they held is done
/// again by the others, and nothing is left out.
#[test]
fn what_dead_engines_held_is_done_by_others() {
    let mut again = 0;
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let (slots, items) = (2 + dice.below(3), 1 + dice.below(400));
        let words = memory(slots);
        let claims = Claims::create(&words, items as u64, slots, Chunks::default());
        let mut workers: Vec<_> = (0..slots).map(|slot| Some(claims.worker(slot))).collect();
        let mut unreported = vec![vec![]; slots];
        let mut received = BTreeMap::new();
        let mut deaths = 6;
        while received.len() < items {
            let slot = dice.below(slots);
            let Some(worker) = &mut workers[slot] else {
                // The replacement, once what the dead one held is back.
                let lost = claims.lost(slot);
                let missing = |range: &Range| (range.low..range.high).collect::<Vec<_>>();
                let missing = lost.iter().flat_map(missing).filter(|i| !received.contains_key(i));
                let back: Vec<_> = missing.map(|item| Range::new(item, item + 1)).collect();
                assert_eq!(claims.put_back(&Range::union(back)), []);
                workers[slot] = Some(claims.worker(slot));
                continue;
            };
            if let Some(item) = worker.take() {
                worker.came_back();
                unreported[slot].push(item);
                if deaths > 0 && dice.below(20) == 0 {
                    deaths -= 1;
                    unreported[slot].clear();
                    workers[slot] = None;
                    continue;
                }
                worker.did(1 << dice.below(22));
            }
            if worker.must_report() || dice.below(5) == 0 {
                for item in unreported[slot].drain(..) {
                    let times = received.entry(item).or_insert(0);
                    *times += 1;
                    again += i32::from(*times > 1);
                }
                worker.reported(None);
            }
        }
        assert!(received.keys().copied().eq(0..items as u32), "seed {seed}");
    }
    assert_eq!(again, 0, "nothing that was received is done again");
}

#[test]
fn what_an_engine_was_about_to_claim_is_not_forgotten() {
    let words = memory(2);
    let claims = Claims::create(&words, 100, 2, Chunks { items: 10, ..Chunks::default() });
    let mut worker = claims.worker(0);
    assert_eq!(worker.take(), Some(0));
    // As if it had died between the claim of a chunk and its note of it.
    claims.slot(0)[SLOT_INTENT].store(Range::new(40, 50).pack(), Relaxed);
    assert_eq!(claims.lost(0), [Range::new(0, 10), Range::new(40, 50)]);
    assert_eq!(claims.lost(0), []);
}

#[test]
fn a_full_list_of_what_is_held_names_too_much_rather_than_too_little() {
    let words = memory(1);
    let claims = Claims::create(&words, 0, 1, Chunks::default());
    let mut worker = claims.worker(0);
    let items: Vec<_> = (0..HELD_MAX as u32 + 5).map(|k| Range::new(3 * k, 3 * k + 1)).collect();
    for &item in items.iter().take(RETURNED_MAX) {
        assert_eq!(claims.put_back(&[item]), []);
        assert_eq!(worker.take(), Some(item.low));
        assert!(worker.came_back());
    }
    assert!(worker.must_report());
    let lost = claims.lost(0);
    for item in items {
        assert!(lost.iter().any(|range| range.low <= item.low && item.high <= range.high));
    }
}

#[test]
fn a_report_keeps_the_item_under_way() {
    let words = memory(1);
    let claims = Claims::create(&words, 10, 1, Chunks { items: 1, ..Chunks::default() });
    let mut worker = claims.worker(0);
    worker.take();
    worker.did(5);
    let current = worker.take();
    worker.reported(current);
    assert_eq!(claims.lost(0), [Range::new(1, 2)]);
}

#[test]
fn there_is_room_for_so_many_ranges_and_the_rest_is_told() {
    let words = memory(1);
    let claims = Claims::create(&words, 0, 1, Chunks::default());
    let ranges: Vec<_> = (0..70).map(|k| Range::new(2 * k, 2 * k + 1)).collect();
    assert_eq!(claims.put_back(&ranges), ranges[RETURNED_MAX..]);
    assert!(claims.has_work());
    claims.stop();
    assert!(claims.is_stopped() && !claims.has_work());
    assert_eq!(claims.worker(0).take(), None);
    claims.resume();
    assert_eq!(claims.worker(0).take(), Some(0));
}

#[test]
fn memory_without_an_index_is_refused() {
    let words = memory(3);
    assert!(Claims::open(&words).is_none());
    Claims::create(&words, 9, 3, Chunks::default());
    let claims = Claims::open(&words).unwrap();
    assert_eq!((claims.items(), claims.slots()), (9, 3));
    assert!(Claims::open(&words[..Claims::words(2)]).is_none());
    assert!(Claims::open(&[]).is_none());
}
