//! Ctrl-C: the first gives the estimate so far, the second ends at once; nothing is left behind.

use crate::{Done, Scratch, number};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn start(scratch: &Scratch, arguments: &[&str]) -> Child {
    let mut command = scratch.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
}

fn send(signal: &str, child: &Child) {
    let kill = format!("kill -{signal} {}", child.id());
    let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
    assert!(status.success(), "{kill}");
}

/// Long enough for the command to be at work, and short beside the jobs here.
fn a_while() {
    std::thread::sleep(Duration::from_millis(700));
}

#[test]
fn the_first_signal_gives_the_estimate_so_far() {
    let scratch = Scratch::new();
    for signal in ["INT", "TERM"] {
        let child = start(&scratch, &["pi", "-n", "1e14", "--seed", "1", "--json"]);
        a_while();
        send(signal, &child);
        let told = Instant::now();
        let done = Done::of(child.wait_with_output().expect("it ends"));
        assert!(told.elapsed().as_secs_f64() < 5.0);
        assert_eq!(done.code, 4, "{}", done.stderr);
        let object = done.object();
        assert_eq!(object["complete"], false);
        let (estimate, mcse) = (number(&object, "estimate"), number(&object, "mcse"));
        assert!(mcse > 0.0 && number(&object, "n") < 1e14);
        assert!((estimate - std::f64::consts::PI).abs() < 6.0 * mcse);
    }
    let child = start(&scratch, &["pi", "-n", "1e14"]);
    a_while();
    send("INT", &child);
    let done = Done::of(child.wait_with_output().expect("it ends"));
    assert!(done.stdout.contains("INCOMPLETE"), "{}", done.stdout);
}

#[test]
fn the_second_signal_ends_at_once() {
    let scratch = Scratch::with_law_school();
    // One resample of this takes seconds, so that the first signal waits for it: no formula gives
    // the error of a trimmed mean, which is resampled in turn.
    let bootstrap = ["bootstrap", "law_school.csv", "-s", "trimmed_mean(gpa, 0.1)"];
    let slow = ["--method", "studentised", "--inner-resamples", "3e6", "--workers", "1"];
    let out = ["--out", "out.csv", "--seed", "1"];
    let child = start(&scratch, &[&bootstrap[..], &slow, &out].concat());
    a_while();
    send("INT", &child);
    std::thread::sleep(Duration::from_millis(200));
    send("INT", &child);
    let told = Instant::now();
    let done = Done::of(child.wait_with_output().expect("it ends"));
    assert!(told.elapsed().as_secs_f64() < 2.0);
    assert_eq!((done.code, done.stdout.as_str()), (130, ""));
    assert_eq!(scratch.names(), ["law_school.csv"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scratch = Scratch::new();
    let mut child = start(&scratch, &["pi", "-n", "1e6", "--seed", "1"]);
    drop(child.stdout.take());
    let done = Done::of(child.wait_with_output().expect("it ends"));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}
