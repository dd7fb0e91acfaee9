//! The controller's loop with real sockets: clients that do not read lose nothing, and those of
//! another version are told so.

use rustix::fd::AsFd;
use std::time::Duration;
use windfall_cluster::message::{Message, Submission};
use windfall_cluster::wire::{Read, Wire};
use windfall_cluster::{Link, Options, connect, os, own, serve};
use windfall_core::Version;

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
        if let Ok((link, _)) = own(name, None) {
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
    wire.outbox.push(&Message::hello(false));
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

/// A version that draws other values.
fn other() -> Version {
    Version::from_word(Version::here().word() + (1 << 48))
}

/// What comes until the other side is gone.
fn all(wire: &mut Wire) -> Vec<Message> {
    let mut messages = Vec::new();
    loop {
        let read = wire.read();
        while let Some(message) = wire.inbox.take().expect("readable") {
            messages.push(message);
        }
        if read == Read::End {
            return messages;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_client_of_another_version_is_told_ours_and_cut_off() {
    let name = format!("versions-{}", std::process::id());
    let (thread, owner) = start(&name, &["sleep", "60"]);
    let mut wire = Wire::new(os::connect(&name).expect("it listens"));
    wire.outbox.push(&Message::Hello { is_owner: true, version: other() });
    wire.outbox.push(&Message::Request { request: 1, json: r#"{"do":"stop"}"#.into() });
    assert!(wire.flush().expect("it listens"));
    let said = all(&mut wire);
    let [Message::Welcome { version, .. }] = said[..] else { panic!("{said:?}") };
    assert_eq!(version, Version::here());
    // The cluster goes on: neither its request nor its end counted.
    connect(&name).expect("it serves others");
    drop(owner);
    thread.join().expect("it ends with its owner");
}

#[test]
fn a_controller_of_another_version_is_refused_with_both() {
    let name = format!("older-{}", std::process::id());
    let listener = os::listen(&name).expect("the name is free");
    let controller = std::thread::spawn(move || {
        let accepted = loop {
            match os::accept(listener.as_fd()) {
                Ok(fd) => break fd,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let mut wire = Wire::new(accepted);
        wire.outbox.push(&Message::Welcome { id: 1, version: other() });
        wire.flush().expect("the client is there");
        all(&mut wire)
    });
    let error = connect(&name).expect_err("another version").to_string();
    for part in [&name, &other().to_string(), &Version::here().to_string(), "hint: use one"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert!(matches!(controller.join().unwrap()[..], [Message::Hello { is_owner: false, .. }]));
}
