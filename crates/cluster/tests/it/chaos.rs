//! Nothing is lost and nothing is done twice, whatever dies; by seeds, without a clock.

use crate::simulation::{Weather, World, balanced};
use windfall_cluster::controller::Event;
use windfall_cluster::message::{Status, Submission, TaskId};

/// A task for the first engine alone.
fn direct(first: TaskId) -> Submission {
    Submission { first, targets: Some(vec![0]), ..Submission::default() }
}

#[test]
fn every_task_ends_exactly_once_whatever_dies() {
    for seed in 0..20 {
        let weather = Weather { engines: 7, deadly_in: 997, long_in: 501, failing_in: 101 };
        let mut world = World::new(weather, seed);
        let tasks = 3000;
        for task in 0..tasks {
            world.submit(1, balanced(task, 3));
            for _ in 0..world.below(4) {
                world.step();
            }
            if world.below(400) == 0 {
                world.strike();
            }
        }
        world.settle();
        for task in 0..tasks {
            let ended = world.outside.ended.get(&task).map_or(&[][..], Vec::as_slice);
            assert_eq!(ended.len(), 1, "task {task} of seed {seed}: {ended:?}");
            let expected = match task {
                _ if task % 997 == 996 => Status::Lost,
                _ if task % 101 == 100 => Status::Error,
                _ => Status::Ok,
            };
            // A strike may hit whatever happens to run, and twice.
            assert!(
                ended[0] == expected || ended[0] == Status::Lost,
                "task {task} of seed {seed}: {ended:?}"
            );
        }
        assert!(world.outside.deaths >= 6, "the deadly tasks alone kill twice each");
        assert!(world.outside.returned > 0, "long tasks had others behind them");
    }
}

#[test]
fn whatever_is_asked_of_a_cluster_ends_exactly_once() {
    for seed in 0..100 {
        let weather = Weather { engines: 4, deadly_in: 397, long_in: 61, failing_in: 53 };
        let mut world = World::new(weather, seed);
        let mut count = 0;
        while count < 400 {
            let submission = anything(&mut world, count);
            count += match &submission.targets {
                Some(targets) if !submission.balanced => targets.len() as TaskId,
                _ => 1,
            };
            world.submit(1, submission);
            match world.below(200) {
                0 => world.strike(),
                1 => world.request(1, &format!(r#"{{"do":"abort","tasks":[{}]}}"#, count / 2)),
                2..12 => world.wait_until(world.now + 1_000_000),
                12..100 => {
                    world.step();
                }
                _ => {}
            }
        }
        world.settle();
        for task in 0..count {
            let ended = world.outside.ended.get(&task).map_or(0, Vec::len);
            assert_eq!(ended, 1, "task {task} of seed {seed}");
        }
    }
}

/// A task for whichever engine is free, of all or of some, or for each of some; one in five waits
/// for an earlier one.
fn anything(world: &mut World, first: TaskId) -> Submission {
    let targets = match world.below(4) {
        0 => None,
        1 => Some(vec![world.below(4) as u32]),
        _ => Some(vec![1, 2]),
    };
    let balanced = targets.is_none() || world.below(3) == 0;
    let retries = world.below(3) as u32;
    let earlier = (world.below(5) == 0 && first > 0).then(|| world.below(first));
    let depends = earlier
        .map(|task| format!(r#"{{"after":[{task}],"success":true,"failure":{}}}"#, task % 2 == 0));
    Submission { first, targets, balanced, retries, depends, ..Submission::default() }
}

#[test]
fn deadly_tasks_take_two_engines_each_and_no_more() {
    let weather = Weather { engines: 4, deadly_in: 100, long_in: 0, failing_in: 0 };
    let mut world = World::new(weather, 1);
    (0..1000).for_each(|task| world.submit(1, balanced(task, 9)));
    world.settle();
    assert_eq!(world.outside.deaths, 20);
    assert_eq!(world.outside.starts, 24, "each is replaced");
    let lost = world.outside.ended.values().filter(|ended| ended[..] == [Status::Lost]).count();
    assert_eq!((lost, world.outside.ended.len()), (10, 1000));
}

#[test]
fn what_a_client_leaves_behind_is_finished_and_fetched() {
    for seed in 0..5 {
        let weather = Weather { engines: 5, deadly_in: 0, long_in: 300, failing_in: 0 };
        let mut world = World::new(weather, seed);
        (0..500).for_each(|task| world.submit(1, balanced(task, 0)));
        for _ in 0..world.below(1500) {
            world.step();
        }
        world.tell(Event::ClientGone(1));
        let heard = world.outside.ended.len();
        for _ in 0..world.below(500) {
            world.step();
        }
        world.tell(Event::ClientCame { client: 2, is_owner: false });
        let tasks: Vec<u64> =
            (0..500).filter(|task| !world.outside.ended.contains_key(task)).collect();
        assert_eq!(tasks.len(), 500 - heard);
        world.request(2, &format!(r#"{{"do":"fetch","tasks":{tasks:?}}}"#));
        world.settle();
        assert!((0..500).all(|task| world.outside.ended[&task][..] == [Status::Ok]), "{seed}");
    }
}

#[test]
fn aborted_tasks_end_as_such_or_as_what_they_became() {
    let weather = Weather { engines: 3, deadly_in: 0, long_in: 50, failing_in: 0 };
    let mut world = World::new(weather, 3);
    (0..1000).for_each(|task| world.submit(1, balanced(task, 0)));
    for _ in 0..600 {
        world.step();
    }
    world.request(1, r#"{"do":"abort"}"#);
    world.settle();
    let count = |status| world.outside.ended.values().filter(|e| e[..] == [status]).count();
    assert_eq!(count(Status::Ok) + count(Status::Aborted), 1000);
    assert!(count(Status::Aborted) > 500);
}

#[test]
fn direct_tasks_keep_their_order_on_each_engine() {
    let weather = Weather { engines: 3, deadly_in: 0, long_in: 97, failing_in: 0 };
    let mut world = World::new(weather, 4);
    for first in (0..600).step_by(3) {
        let targets = Some(vec![0, 1, 2]);
        world.submit(1, Submission { first, targets, ..Submission::default() });
        world.submit(1, balanced(10_000 + first, 0));
        for _ in 0..world.below(3) {
            world.step();
        }
    }
    world.settle();
    assert_eq!(world.outside.ended.len(), 800);
    let order = world.outside.order.iter().filter(|task| **task < 10_000);
    let mut last = [0; 3];
    for task in order {
        let engine = (task % 3) as usize;
        assert!(last[engine] <= *task, "{task} came after {}", last[engine]);
        last[engine] = *task;
    }
}

#[test]
fn what_comes_just_when_a_long_task_ends_is_run_in_order() {
    // The task is silent so long that whatever comes behind it is called back at once, and this
    // crosses with its end.
    for before_us in 0..120 {
        let weather = Weather { engines: 1, deadly_in: 0, long_in: 1000, failing_in: 0 };
        let mut world = World::new(weather, 6);
        world.settle();
        for task in 0..40 {
            world.submit(1, direct(task));
        }
        world.settle();
        let began = world.now;
        world.submit(1, direct(999));
        world.wait_until(began + 1_000_050 - before_us);
        for task in 1000..1004 {
            world.submit(1, direct(task));
        }
        world.settle();
        assert_eq!(world.outside.order[40..], [999, 1000, 1001, 1002, 1003], "{before_us}");
    }
}

#[test]
fn thousands_of_engines_are_kept_busy() {
    let weather = Weather { engines: 10_000, deadly_in: 0, long_in: 0, failing_in: 0 };
    let mut world = World::new(weather, 5);
    world.settle();
    (0..200_000).for_each(|task| world.submit(1, balanced(task, 0)));
    world.settle();
    assert_eq!(world.outside.ended.len(), 200_000);
}
