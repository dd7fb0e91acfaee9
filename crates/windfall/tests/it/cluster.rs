//! Engines without Python: the suite of executors on them, and the commands around them.

use crate::{LAW_SCHOOL, Scratch};
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};
use windfall::cluster::jobs::Engines;
use windfall::cluster::message::Message;
use windfall::cluster::os;
use windfall::cluster::wire::Wire;
use windfall::{Control, REGISTRY, Serial};

const PROGRAM: &str = env!("CARGO_BIN_EXE_windfall");

/// Says to this program that it is started as an engine.
const AS_ENGINE: &str = "WINDFALL_TEST_ENGINE";

/// The engines of the suite are this program again, told to run this one test: they know the
/// problem that fails and panics as it is told, which the command does not.
#[test]
fn an_engine_of_the_suite() {
    match std::env::var_os(AS_ENGINE) {
        Some(_) => windfall::cluster::jobs::serve_jobs(&windfall_conformance::REGISTRY).unwrap(),
        None => assert!(windfall_conformance::REGISTRY.0.iter().any(|row| row.name == "probe")),
    }
}

/// A cluster that ends with this process, since its owner does.
static CLUSTER: LazyLock<(String, Mutex<(Child, Wire)>)> = LazyLock::new(|| {
    let name = format!("conformance-{}", std::process::id());
    let program = std::env::current_exe().expect("this program has a path");
    let engine = ["--exact", "cluster::an_engine_of_the_suite"];
    let engine = [&["env", &format!("{AS_ENGINE}=1"), &*program.to_string_lossy()], &engine[..]];
    let options = json!({ "command": engine.concat(), "engines": 3, "owner_within_s": 30.0 });
    let mut command = Command::new(PROGRAM);
    command.args(["serve", &name, &options.to_string()]).stdin(Stdio::null());
    let child = command.spawn().expect("the controller starts");
    let fd = wait_for("the controller", || os::connect(&name).ok());
    let mut wire = Wire::new(fd);
    wire.outbox.push(&Message::hello(true));
    wire.flush().expect("it listens");
    (name, Mutex::new((child, wire)))
});

fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

static SOURCE: LazyLock<Box<dyn windfall::Source + Sync + Send>> =
    LazyLock::new(|| Box::new(windfall_conformance::source()));

fn engines() -> Engines<'static> {
    Engines::new(&CLUSTER.0, None, &*windfall_conformance::REGISTRY, &**SOURCE)
        .expect("the cluster is there")
}

windfall_conformance::conformance!(engines());

#[test]
fn a_killed_engine_costs_one_run_of_shards() {
    let spec = windfall::JobSpec::from_toml("problem = 'pi'\nn = 2e9\nseed = 3").unwrap();
    let source = windfall_conformance::source();
    let problem = REGISTRY.build(&spec, &source).unwrap();
    let name = format!("killed-{}", std::process::id());
    let scratch = Scratch::new();
    assert_eq!(scratch.run(&["start", "-n", "2", "--native", "--name", &name]).code, 0);
    let on = Engines::new(&name, None, &REGISTRY, &source).unwrap();
    let status = || scratch.run(&["status", "--name", &name, "--json"]).object();
    let pid = status()["engines"][0]["pid"].as_u64().unwrap();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs")
    });
    let answer = problem.solve(&on, &Control::default()).unwrap();
    assert!(killer.join().unwrap().success());
    assert_eq!(answer.to_bytes(), problem.solve(&Serial, &Control::default()).unwrap().to_bytes());
    wait_for("a new engine", || {
        let engines = &status()["engines"];
        (engines[0]["state"] == "ready" && engines[0]["pid"] != pid).then_some(())
    });
    assert_eq!(scratch.run(&["stop", "--name", &name]).code, 0);
}

#[test]
fn a_controller_that_is_silent_is_given_up() {
    let scratch = Scratch::new();
    let name = &format!("silent-{}", std::process::id());
    let _listener = os::listen(name).unwrap();
    for command in [&["status", "--name", name][..], &["pi", "-n", "1e6", "--on", name]] {
        let asked = scratch.run(command);
        assert!(asked.code != 0 && asked.stderr.contains("does not answer"), "{}", asked.stderr);
    }
}

#[test]
fn a_cluster_is_started_used_watched_and_stopped() {
    let scratch = Scratch::new();
    scratch.put("law.csv", LAW_SCHOOL);
    let name = &format!("shell-{}", std::process::id());
    let ask = |command: &str| scratch.run(&[command, "--name", name]);
    assert!(ask("stop").stderr.contains("windfall start"), "a hint says what to do");
    let started = scratch.run(&["start", "-n", "2", "--native", "--name", name, "--json"]);
    assert_eq!(started.code, 0, "{}", started.stderr);
    assert_eq!(started.object()["engines"].as_array().unwrap().len(), 2);
    let again = scratch.run(&["start", "-n", "2", "--native", "--name", name]);
    assert!(again.code == 2 && again.stderr.contains("runs already"), "{}", again.stderr);
    let job = ["bootstrap", "law.csv", "--statistic", "mean(gpa)", "--seed", "1", "--json", "-q"];
    let here = scratch.run(&job).object();
    let mut there = scratch.run(&[&job[..], &["--on", name]].concat()).object();
    assert_eq!(there["run"]["workers"], 2);
    there.insert("run".into(), here["run"].clone());
    assert_eq!(here, there);
    let top = scratch.run(&["top", "--name", name, "--every", "0.05", "--looks", "2"]);
    assert_eq!(top.stdout.matches("tasks/s").count(), 2, "{}", top.stdout);
    assert!(ask("status").stdout.contains("ready"));
    assert_eq!(ask("stop").code, 0);
    assert!(!os::clusters().contains(name));
}

#[test]
fn what_cannot_be_started_says_why_and_leaves_nothing() {
    let scratch = Scratch::new();
    let name = &format!("missing-{}", std::process::id());
    let done = scratch.run(&["start", "-n", "2", "--name", name, "--python", "no-such-python"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("`no-such-python` cannot be started"), "{}", done.stderr);
    assert!(!os::clusters().contains(name));
    let done = scratch.run(&["pi", "-n", "1000", "--on", name]);
    assert!(done.code == 2 && done.stderr.contains("windfall start"), "{}", done.stderr);
}
