//! The controller by plain calls: what each event makes it do.

use super::*;
use crate::message::{Payload, Status, Submission};
use serde_json::{Value, json};

/// Notes what the controller has done.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub to_engines: Vec<(EngineId, Message)>,
    pub to_clients: Vec<(ClientId, Message)>,
    pub started: Vec<EngineId>,
    pub signals: Vec<(EngineId, i32)>,
    pub kept: Vec<Outcome>,
    pub is_stopped: bool,
}

impl Comm for Notes {
    fn to_engine(&mut self, engine: EngineId, message: Message) {
        self.to_engines.push((engine, message));
    }
    fn to_client(&mut self, client: ClientId, message: Message) {
        self.to_clients.push((client, message));
    }
    fn start(&mut self, engine: EngineId) {
        self.started.push(engine);
    }
    fn signal(&mut self, engine: EngineId, signal: i32) {
        self.signals.push((engine, signal));
    }
    fn keep(&mut self, outcome: Outcome) {
        self.kept.push(outcome);
    }
    fn take_kept(&mut self, task: TaskId) -> Option<Outcome> {
        let place = self.kept.iter().position(|outcome| outcome.task == task)?;
        Some(self.kept.remove(place))
    }
    fn purge(&mut self) {
        self.kept.clear();
    }
    fn stop(&mut self) {
        self.is_stopped = true;
    }
}

/// A controller with ready engines and one client, number 1.
struct Bench {
    all: Controller,
    notes: Notes,
    now: u64,
}

impl Bench {
    fn new(engines: u32) -> Self {
        let mut notes = Notes::default();
        let all = Controller::new(engines, &mut notes);
        let mut bench = Self { all, notes, now: 1_000_000 };
        for engine in 0..engines {
            bench.on(Event::FromEngine(engine, Message::Ready { pid: 100 + engine }));
        }
        bench.on(Event::ClientCame { client: 1, is_owner: false });
        bench.notes = Notes::default();
        bench
    }

    fn on(&mut self, event: Event) {
        self.now += 10;
        self.all.on(self.now, event, &mut self.notes);
    }

    fn submit(&mut self, submission: Submission) {
        self.on(Event::FromClient(1, Message::Submit(submission)));
    }

    /// Balanced tasks `first..first + count`.
    fn balanced(&mut self, tasks: std::ops::Range<u64>) {
        tasks.for_each(|first| self.submit(balanced(first)));
    }

    fn done(&mut self, engine: EngineId, task: TaskId, status: Status, took_us: u64) {
        let (started_us, ended_us) = (self.now, self.now + took_us);
        let payload = Payload::default();
        let done = Message::Done { task, status, started_us, ended_us, payload };
        self.on(Event::FromEngine(engine, done));
    }

    fn ask(&mut self, json: &Value) -> Value {
        self.ask_as(1, json)
    }

    fn ask_as(&mut self, client: ClientId, json: &Value) -> Value {
        let request = Message::Request { request: 7, json: json.to_string() };
        self.on(Event::FromClient(client, request));
        let reply = self.notes.to_clients.pop();
        let Some((_, Message::Reply { request: 7, json })) = reply else { panic!("{reply:?}") };
        serde_json::from_str(&json).unwrap()
    }

    /// The tasks sent since the last call, with their engines.
    fn sent(&mut self) -> Vec<(EngineId, TaskId)> {
        let all = std::mem::take(&mut self.notes.to_engines);
        let runs = all.iter().filter_map(|(engine, message)| match message {
            Message::Run { task, .. } => Some((*engine, *task)),
            _ => None,
        });
        runs.collect()
    }

    /// The ends of tasks told to clients since the last call.
    fn ended(&mut self) -> Vec<(TaskId, Status)> {
        let all = std::mem::take(&mut self.notes.to_clients);
        let ends = all.iter().filter_map(|(_, message)| match message {
            Message::Result(outcome) => Some((outcome.task, outcome.status)),
            _ => None,
        });
        ends.collect()
    }

    fn kill(&mut self, engine: EngineId) {
        let end = End { signal: Some(9), ..End::default() };
        self.on(Event::EngineGone(engine, end));
    }
}

fn balanced(first: TaskId) -> Submission {
    Submission { first, balanced: true, ..Submission::default() }
}

fn direct(first: TaskId, targets: &[EngineId]) -> Submission {
    Submission { first, targets: Some(targets.to_vec()), ..Submission::default() }
}

#[test]
fn direct_tasks_go_to_each_target_in_order() {
    let mut bench = Bench::new(3);
    bench.submit(direct(10, &[0, 2]));
    assert_eq!(bench.sent(), [(0, 10), (2, 11)]);
    bench.submit(direct(12, &[0]));
    assert_eq!(bench.sent(), [], "one task at a time while nothing is known of their length");
    bench.done(0, 10, Status::Ok, 1000);
    assert_eq!(bench.sent(), [(0, 12)]);
    assert_eq!(bench.ended(), [(10, Status::Ok)]);
}

#[test]
fn balanced_tasks_go_to_the_engine_with_the_shortest_line() {
    let mut bench = Bench::new(2);
    bench.balanced(0..4);
    assert_eq!(bench.sent(), [(0, 0), (1, 1)]);
    bench.done(1, 1, Status::Ok, 1000);
    assert_eq!(bench.sent(), [(1, 2)]);
}

#[test]
fn short_tasks_stand_in_line_and_long_ones_do_not() {
    let mut bench = Bench::new(1);
    bench.balanced(0..100);
    assert_eq!(bench.sent().len(), 1);
    bench.done(0, 0, Status::Ok, 10);
    assert_eq!(bench.sent().len(), 99, "a millisecond of work holds them all");
    for task in 1..4 {
        bench.done(0, task, Status::Ok, 100_000);
    }
    assert_eq!(bench.sent(), [], "they were longer than thought");
}

#[test]
fn what_stands_behind_a_long_task_is_called_back_and_runs_elsewhere() {
    let mut bench = Bench::new(2);
    bench.balanced(0..2);
    bench.done(0, 0, Status::Ok, 10);
    bench.done(1, 1, Status::Ok, 10);
    bench.sent();
    bench.balanced(2..8);
    let sent = bench.sent();
    let stuck: Vec<TaskId> = sent.iter().filter(|(engine, _)| *engine == 0).map(|s| s.1).collect();
    assert_eq!(stuck.len(), 3, "{sent:?}");
    bench.now = bench.all.wakes_at_us().unwrap();
    bench.on(Event::Tick);
    assert!(matches!(bench.notes.to_engines[0], (0, Message::Recall)));
    // Engine 1 finishes what it has; the first at engine 0 is running and stays.
    for (engine, task) in sent {
        if engine == 1 && bench.all.tasks.contains_key(&task) {
            bench.done(1, task, Status::Ok, 10);
        }
    }
    bench.sent();
    for &task in &stuck[1..] {
        bench.done(0, task, Status::Returned, 0);
    }
    let again = bench.sent();
    assert!(again.iter().all(|(engine, task)| *engine == 1 && stuck[1..].contains(task)));
    assert!(!again.is_empty());
}

#[test]
fn a_killed_engine_is_replaced_and_its_running_task_named() {
    let mut bench = Bench::new(2);
    bench.submit(Submission { label: "f".into(), ..balanced(1) });
    bench.submit(direct(2, &[0]));
    bench.notes.to_clients.clear();
    bench.kill(0);
    assert_eq!(bench.notes.started, [0]);
    let Some((1, Message::Result(lost))) = bench.notes.to_clients.first().cloned() else {
        panic!("{:?}", bench.notes.to_clients)
    };
    let cause: Value = serde_json::from_slice(&lost.payload.body).unwrap();
    assert_eq!((lost.task, lost.status), (1, Status::Lost));
    assert_eq!(
        (&cause["signal"], &cause["label"], &cause["running"]),
        (&json!(9), &json!("f"), &json!(true))
    );
    assert_eq!(bench.ended(), [(1, Status::Lost), (2, Status::Lost)], "its state is gone too");
}

#[test]
fn a_task_is_run_again_after_a_loss_and_quarantined_after_two() {
    let mut bench = Bench::new(3);
    bench.submit(Submission { retries: 5, ..balanced(1) });
    assert_eq!(bench.sent(), [(0, 1)]);
    bench.kill(0);
    assert_eq!(bench.sent(), [(1, 1)]);
    bench.kill(1);
    assert_eq!(bench.ended(), [(1, Status::Lost)]);
    assert_eq!(bench.sent(), []);
}

#[test]
fn what_had_not_begun_goes_elsewhere_without_blame() {
    let mut bench = Bench::new(1);
    bench.balanced(0..1);
    bench.done(0, 0, Status::Ok, 10);
    bench.balanced(1..4);
    bench.ended();
    bench.kill(0);
    assert_eq!(bench.ended(), [(1, Status::Lost)]);
    bench.sent();
    bench.on(Event::FromEngine(0, Message::Ready { pid: 5 }));
    bench.done(0, 2, Status::Ok, 10);
    bench.done(0, 3, Status::Ok, 10);
    assert_eq!(bench.ended(), [(2, Status::Ok), (3, Status::Ok)]);
}

#[test]
fn an_engine_that_never_becomes_ready_is_given_up() {
    let mut notes = Notes::default();
    let all = Controller::new(1, &mut notes);
    let mut bench = Bench { all, notes, now: 0 };
    bench.on(Event::ClientCame { client: 1, is_owner: false });
    bench.balanced(1..2);
    for _ in 0..3 {
        bench.on(Event::EngineText(0, Bytes::from(&b"no module"[..])));
        bench.kill(0);
    }
    assert_eq!(bench.notes.started.len(), 3);
    assert_eq!(bench.ended(), [(1, Status::Lost)]);
    let status = bench.ask(&json!({"do": "status"}));
    assert_eq!(status["engines"][0]["state"], "failed");
    assert_eq!(status["engines"][0]["text"], "no module");
}

#[test]
fn errors_are_retried_elsewhere_as_often_as_allowed() {
    let mut bench = Bench::new(2);
    bench.submit(Submission { retries: 2, ..balanced(1) });
    assert_eq!(bench.sent(), [(0, 1)]);
    bench.done(0, 1, Status::Error, 10);
    assert_eq!(bench.sent(), [(1, 1)]);
    bench.done(1, 1, Status::Error, 10);
    assert_eq!(bench.sent().len(), 1, "all were tried: any will do");
    let engine = bench.all.tasks[&1].sent_to.unwrap();
    bench.done(engine, 1, Status::Error, 10);
    assert_eq!(bench.ended(), [(1, Status::Error)]);
}

#[test]
fn unmet_dependencies_try_every_engine_and_then_end() {
    let mut bench = Bench::new(2);
    bench.submit(balanced(1));
    bench.done(0, 1, Status::Unmet, 10);
    assert_eq!(bench.sent(), [(0, 1), (1, 1)]);
    bench.done(1, 1, Status::Unmet, 10);
    assert_eq!(bench.ended(), [(1, Status::Impossible)]);
}

#[test]
fn tasks_wait_for_others_and_follow_them() {
    let mut bench = Bench::new(3);
    bench.submit(direct(1, &[2]));
    let depends = |json: Value| Some(json.to_string());
    bench.submit(Submission { depends: depends(json!({"follow": [1]})), ..balanced(2) });
    bench.submit(Submission { depends: depends(json!({"after": [2]})), ..balanced(3) });
    let failure = json!({"after": [1], "success": false, "failure": true});
    bench.submit(Submission { depends: depends(failure), ..balanced(4) });
    assert_eq!(bench.sent(), [(2, 1)]);
    bench.done(2, 1, Status::Ok, 10);
    assert_eq!(bench.sent(), [(2, 2)]);
    assert_eq!(bench.ended(), [(1, Status::Ok), (4, Status::Impossible)]);
    bench.done(2, 2, Status::Ok, 10);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_task_waits_for_others_no_longer_than_it_may() {
    let mut bench = Bench::new(2);
    bench.balanced(1..2);
    let depends = |wait_s: f64| Some(json!({"after": [1], "wait_s": wait_s}).to_string());
    bench.submit(Submission { depends: depends(0.5), ..balanced(2) });
    bench.submit(Submission { depends: depends(2.0), ..balanced(3) });
    bench.submit(Submission { depends: depends(9.0), ..balanced(4) });
    bench.now = bench.all.wakes_at_us().unwrap();
    bench.on(Event::Tick);
    assert_eq!(bench.ended(), [(2, Status::Impossible)]);
    assert!(bench.notes.signals.is_empty());
    bench.ask_as(1, &json!({"do": "abort", "tasks": [4]}));
    bench.done(0, 1, Status::Ok, 10);
    assert_eq!(bench.sent().last().map(|(_, task)| *task), Some(3));
    assert_eq!(bench.all.deadlines.len(), 0, "it has begun, and may take as long as it likes");
}

#[test]
fn one_of_several_is_enough_where_any_will_do() {
    let mut bench = Bench::new(3);
    bench.balanced(1..3);
    let depends = Some(json!({"after": [1, 2], "all": false}).to_string());
    bench.submit(Submission { depends, ..balanced(3) });
    bench.sent();
    bench.done(1, 2, Status::Ok, 10);
    assert_eq!(bench.sent().len(), 1);
    bench.done(0, 1, Status::Ok, 10);
    assert_eq!(bench.sent(), []);
}

#[test]
fn a_task_that_takes_too_long_is_interrupted_then_killed() {
    let mut bench = Bench::new(1);
    bench.submit(Submission { timeout_us: 50_000, ..balanced(1) });
    bench.balanced(2..3);
    assert_eq!(bench.sent(), [(0, 1)], "nothing stands behind a timed task");
    for signal in [SIGINT, SIGKILL] {
        bench.now = bench.all.wakes_at_us().unwrap();
        bench.on(Event::Tick);
        assert_eq!(std::mem::take(&mut bench.notes.signals), [(0, signal)]);
    }
    bench.kill(0);
    assert_eq!(bench.ended(), [(1, Status::TimedOut)]);
}

#[test]
fn only_the_engine_that_runs_a_task_is_interrupted_for_it() {
    let mut bench = Bench::new(2);
    bench.balanced(1..3);
    assert_eq!(bench.sent(), [(0, 1), (1, 2)]);
    bench.ask(&json!({ "do": "interrupt", "tasks": [2, 9] }));
    assert_eq!(std::mem::take(&mut bench.notes.signals), [(1, SIGINT)]);
    bench.ask(&json!({ "do": "interrupt" }));
    assert_eq!(std::mem::take(&mut bench.notes.signals), [(0, SIGINT), (1, SIGINT)]);
}

#[test]
fn aborting_takes_back_what_has_not_begun() {
    let mut bench = Bench::new(1);
    bench.balanced(1..4);
    bench.sent();
    assert_eq!(bench.ask(&json!({"do": "abort"}))["aborted"], 3);
    assert_eq!(bench.ended(), [(2, Status::Aborted), (3, Status::Aborted)]);
    assert!(matches!(&bench.notes.to_engines[0], (0, Message::Abort { tasks }) if *tasks == [1]));
    bench.done(0, 1, Status::Ok, 10);
    assert_eq!(bench.ended(), [(1, Status::Ok)], "it had begun");
    assert_eq!(bench.sent(), []);
}

#[test]
fn outcomes_of_a_client_that_is_gone_wait_for_another() {
    let mut bench = Bench::new(2);
    bench.balanced(1..3);
    bench.on(Event::ClientGone(1));
    bench.done(0, 1, Status::Ok, 10);
    assert_eq!(bench.notes.kept.len(), 1);
    bench.on(Event::ClientCame { client: 2, is_owner: false });
    bench.notes.to_clients.clear();
    let reply = bench.ask_as(2, &json!({"do": "fetch", "tasks": [1, 2, 9]}));
    assert_eq!((&reply["running"], &reply["unknown"]), (&json!([2]), &json!([9])));
    assert_eq!(bench.ended(), [(1, Status::Ok)]);
    bench.done(1, 2, Status::Ok, 10);
    assert_eq!(bench.ended(), [(2, Status::Ok)]);
}

#[test]
fn outcomes_that_a_client_had_when_it_died_are_there_for_another() {
    let mut bench = Bench::new(1);
    bench.balanced(1..3);
    (1..3).for_each(|task| bench.done(0, task, Status::Ok, 10));
    bench.on(Event::ClientCame { client: 2, is_owner: false });
    bench.notes.to_clients.clear();
    // Tasks are numbered by their clients: these are of client 1 by their first bits.
    let first = 1 << 40;
    bench.balanced(first..first + 1);
    bench.done(0, first, Status::Ok, 10);
    bench.notes.to_clients.clear();
    let reply = bench.ask_as(2, &json!({"do": "fetch", "tasks": [first]}));
    assert_eq!(reply["unknown"], json!([]), "even while its client is there");
    bench.on(Event::ClientGone(1));
    assert_eq!(bench.notes.kept.len(), 3);
    let mut leaving = Bench::new(1);
    leaving.balanced(1..2);
    leaving.done(0, 1, Status::Ok, 10);
    leaving.ask_as(1, &json!({"do": "leave"}));
    leaving.on(Event::ClientGone(1));
    assert!(leaving.notes.kept.is_empty());
}

#[test]
fn outcomes_go_to_whoever_asks_and_to_whose_task_it_is() {
    let mut bench = Bench::new(2);
    bench.balanced(1..3);
    bench.on(Event::ClientCame { client: 2, is_owner: false });
    let reply = bench.ask_as(2, &json!({"do": "fetch", "tasks": [1, 2, 1]}));
    assert_eq!(reply["running"], json!([1, 2, 1]));
    bench.notes.to_clients.clear();
    bench.done(0, 1, Status::Ok, 10);
    let told = |bench: &Bench| -> Vec<ClientId> {
        let results =
            bench.notes.to_clients.iter().filter(|(_, m)| matches!(m, Message::Result(_)));
        results.map(|(client, _)| *client).collect()
    };
    assert_eq!(told(&bench), [2, 1]);
    bench.notes.to_clients.clear();
    bench.on(Event::ClientGone(1));
    bench.done(1, 2, Status::Ok, 10);
    assert_eq!(told(&bench), [2]);
    let kept: Vec<TaskId> = bench.notes.kept.iter().map(|outcome| outcome.task).collect();
    assert_eq!(kept, [1], "what it had when it died, and nothing that another was sent");
}

#[test]
fn functions_go_once_to_each_engine() {
    let mut bench = Bench::new(1);
    let name = [3; 16];
    let function = Some(name);
    bench.submit(Submission { function, ..balanced(1) });
    assert_eq!(bench.ended(), [(1, Status::Impossible)], "it was not sent");
    bench.on(Event::FromClient(1, Message::Blob { name, body: Bytes::from(&b"f"[..]) }));
    for task in 2..4 {
        bench.submit(Submission { function, ..balanced(task) });
        bench.done(0, task, Status::Ok, 10);
    }
    let is_blob = |(_, message): &&(EngineId, Message)| matches!(message, Message::Blob { .. });
    assert_eq!(bench.notes.to_engines.iter().filter(is_blob).count(), 1);
    bench.kill(0);
    bench.on(Event::FromEngine(0, Message::Ready { pid: 5 }));
    bench.submit(Submission { function, ..balanced(5) });
    assert_eq!(bench.notes.to_engines.iter().filter(is_blob).count(), 2, "a new process");
}

#[test]
fn engines_come_and_go_on_request() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.ask(&json!({"do": "add", "n": 2}))["engines"], json!([1, 2]));
    bench.on(Event::FromEngine(1, Message::Ready { pid: 7 }));
    bench.balanced(1..3);
    assert_eq!(bench.sent(), [(0, 1), (1, 2)]);
    assert_eq!(bench.ask(&json!({"do": "restart", "engine": 0}))["engine"], 0);
    assert_eq!(bench.notes.signals, [(0, SIGKILL)]);
    bench.ask(&json!({"do": "remove", "engines": [1]}));
    bench.done(1, 2, Status::Ok, 10);
    bench.notes.started.clear();
    bench.on(Event::EngineGone(1, End { exit: Some(0), ..End::default() }));
    assert_eq!(bench.notes.started, [] as [EngineId; 0]);
    assert!(bench.ask(&json!({"do": "restart", "engine": 1}))["error"].is_string());
    assert!(bench.ask(&json!({"do": "rest"}))["error"].is_string());
}

#[test]
fn the_cluster_ends_with_its_owner() {
    let mut bench = Bench::new(1);
    bench.on(Event::ClientCame { client: 2, is_owner: true });
    bench.on(Event::ClientGone(2));
    assert!(bench.notes.is_stopped);
    assert!(!bench.all.is_over());
    bench.on(Event::EngineGone(0, End { exit: Some(0), ..End::default() }));
    assert!(bench.all.is_over());
}
