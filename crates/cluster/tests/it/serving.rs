//! The controller's loop with real sockets: clients that do not read lose nothing.

use std::time::Duration;
use windfall_cluster::message::{Message, Submission};
use windfall_cluster::wire::{Read, Wire};
use windfall_cluster::{Link, Options, os, own, serve};

/// Connects as the owner, with which the cluster ends.
fn start(name: &str, command: &[&str]) -> (std::thread::JoinHandle<()>, Link) {
    let options = Options {
        command: command.iter().map(ToString::to_string).collect(),
        environment: Default::default(),
        engines: 1,
        threads: None,
        owner_within_s: Some(20.0),
    };
    let named = name.to_owned();
    let thread = std::thread::spawn(move || serve(&named, options).expect("it serves"));
    for _ in 0..2000 {
        if let Ok(link) = own(name, None) {
            return (thread, link);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("no cluster comes");
}

/// Tasks that can never run end at once, each with a message: here they are what piles up.
#[test]
fn a_client_that_does_not_read_gets_everything_later() {
    let name = format!("unread-{}", std::process::id());
    // A process that never becomes an engine: `sleep` does not read its socket.
    let (thread, owner) = start(&name, &["sleep", "60"]);
    let mut wire = Wire::new(os::connect(&name).expect("it listens"));
    wire.outbox.push(&Message::Hello { is_owner: false });
    let tasks = 1_200_000_u64;
    for first in 0..tasks {
        let submission = Submission { first, targets: Some(vec![9]), ..Submission::default() };
        wire.outbox.push(&Message::Submit(submission));
        while wire.outbox.waiting_bytes() > 1 << 20 && !wire.flush().expect("it listens") {}
    }
    while !wire.flush().expect("it listens") {}
    let mut next = 0;
    while next < tasks {
        assert_ne!(wire.read(), Read::End, "{next} of {tasks}");
        while let Some(message) = wire.inbox.take().expect("readable") {
            if let Message::Result(outcome) = message {
                assert_eq!(outcome.task, next);
                next += 1;
            }
        }
    }
    drop(owner);
    thread.join().expect("it ends with its owner");
}
