//! A world for the controller: engines that work, stall and die, clients that leave; by a seed.
//!
//! Time is a number. What the controller sends arrives a little later, so messages cross; an engine
//! works off its line one task at a time with a moment before each, gives back or gives up what it
//! is asked to and has not begun, and may die at any moment with whatever it holds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use windfall_cluster::controller::{Comm, Controller, Event};
use windfall_cluster::message::{
    ClientId, EngineId, Message, Outcome, Payload, Status, Submission, TaskId,
};
use windfall_cluster::os::End;
use windfall_core::{Seed, Stream, Streams};

/// How long a message is under way, in microseconds.
const WAY_US: u64 = 20;
/// How long an engine takes to begin a task that it has, in microseconds.
const BEGIN_US: u64 = 5;
/// How long a process takes to become an engine, in microseconds.
const START_US: u64 = 100_000;

/// What the world does to those in it.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub engines: u32,
    /// One task in so many kills its engine; 0 for none.
    pub deadly_in: u64,
    /// One task in so many takes a second.
    pub long_in: u64,
    /// One task in so many fails.
    pub failing_in: u64,
}

/// The world and the controller in it.
pub struct World {
    pub now: u64,
    pub controller: Option<Controller>,
    pub outside: Outside,
    stream: Stream,
}

/// What is outside the controller.
pub struct Outside {
    weather: Weather,
    agenda: BinaryHeap<Reverse<(u64, u64, Thing)>>,
    count: u64,
    now: u64,
    engines: Vec<Engine>,
    kept: HashMap<TaskId, Outcome>,
    /// How each task ended, for whoever heard of it.
    pub ended: HashMap<TaskId, Vec<Status>>,
    /// The tasks as they ended.
    pub order: Vec<TaskId>,
    pub deaths: u64,
    pub starts: u64,
    pub returned: u64,
}

#[derive(Default)]
struct Engine {
    /// Counts the processes: what concerns a dead one is void.
    life: u32,
    is_alive: bool,
    /// Whether it runs the first of its line, or only has it.
    is_running: bool,
    line: VecDeque<TaskId>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Arrives(EngineId, u32, Note),
    Begins(EngineId, u32),
    Finishes(EngineId, u32, TaskId),
    Says(EngineId, u32, TaskId, u8),
    Ready(EngineId, u32),
    Dies(EngineId, u32),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Note {
    Run(TaskId),
    Recall,
    Abort(Vec<TaskId>),
}

impl Outside {
    fn plan(&mut self, in_us: u64, thing: Thing) {
        self.count += 1;
        self.agenda.push(Reverse((self.now + in_us, self.count, thing)));
    }

    /// Starts the first task of an engine's line.
    fn work(&mut self, engine: EngineId) {
        let Engine { life, is_running, line, .. } = &mut self.engines[engine as usize];
        let Some(&task) = line.front() else { return };
        if std::mem::replace(is_running, true) {
            return;
        }
        let life = *life;
        let every = |count: u64| count > 0 && task % count == count - 1;
        if every(self.weather.deadly_in) {
            return self.plan(50, Thing::Dies(engine, life));
        }
        let us = if every(self.weather.long_in) { 1_000_000 } else { 1 + task * 7919 % 40 };
        self.plan(us, Thing::Finishes(engine, life, task));
    }
}

impl Comm for Outside {
    fn to_engine(&mut self, engine: EngineId, message: Message) {
        let life = self.engines[engine as usize].life;
        let note = match message {
            Message::Run { task, .. } => Note::Run(task),
            Message::Recall => Note::Recall,
            Message::Abort { tasks } => Note::Abort(tasks),
            _ => return,
        };
        self.plan(WAY_US, Thing::Arrives(engine, life, note));
    }
    fn to_client(&mut self, _: ClientId, message: Message) {
        if let Message::Result(outcome) = message {
            self.order.push(outcome.task);
            self.ended.entry(outcome.task).or_default().push(outcome.status);
        }
    }
    fn start(&mut self, engine: EngineId) {
        let known = self.engines.len().max(engine as usize + 1);
        self.engines.resize_with(known, Engine::default);
        self.engines[engine as usize].life += 1;
        self.starts += 1;
        let life = self.engines[engine as usize].life;
        self.plan(START_US, Thing::Ready(engine, life));
    }
    fn signal(&mut self, engine: EngineId, signal: i32) {
        let life = self.engines[engine as usize].life;
        if signal == 9 {
            self.plan(1, Thing::Dies(engine, life));
        }
    }
    fn keep(&mut self, outcome: Outcome) {
        self.kept.insert(outcome.task, outcome);
    }
    fn take_kept(&mut self, task: TaskId) -> Option<Outcome> {
        self.kept.remove(&task)
    }
    fn purge(&mut self) {
        self.kept.clear();
    }
    fn stop(&mut self) {}
}

impl World {
    pub fn new(weather: Weather, seed: u64) -> Self {
        let mut outside = Outside {
            weather,
            agenda: BinaryHeap::new(),
            count: 0,
            now: 0,
            engines: Vec::new(),
            kept: HashMap::new(),
            ended: HashMap::new(),
            order: Vec::new(),
            deaths: 0,
            starts: 0,
            returned: 0,
        };
        let controller = Controller::new(weather.engines, &mut outside);
        let stream = Streams::new(Seed::from(seed), "simulation").task(0);
        let mut world = Self { now: 0, controller: Some(controller), outside, stream };
        world.tell(Event::ClientCame { client: 1, is_owner: false });
        world
    }

    /// A whole number below `bound`, by the seed.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.stream.below(bound)
    }

    pub fn tell(&mut self, event: Event) {
        let controller = self.controller.as_mut().expect("it is there");
        self.outside.now = self.now;
        controller.on(self.now, event, &mut self.outside);
    }

    pub fn submit(&mut self, client: ClientId, submission: Submission) {
        self.tell(Event::FromClient(client, Message::Submit(submission)));
    }

    pub fn request(&mut self, client: ClientId, json: &str) {
        let json = json.to_owned();
        self.tell(Event::FromClient(client, Message::Request { request: 1, json }));
    }

    /// A random engine's process is killed, whatever it does.
    pub fn strike(&mut self) {
        let engine = self.below(u64::from(self.outside.weather.engines)) as EngineId;
        let life = self.outside.engines[engine as usize].life;
        self.outside.now = self.now;
        self.outside.plan(0, Thing::Dies(engine, life));
    }

    /// When the controller wants to be woken, and when the next thing happens.
    fn coming(&self) -> (Option<u64>, Option<u64>) {
        let wakes = self.controller.as_ref().and_then(Controller::wakes_at_us);
        (wakes, self.outside.agenda.peek().map(|Reverse((at, ..))| *at))
    }

    /// Lets the next thing happen; false if nothing is left to happen.
    pub fn step(&mut self) -> bool {
        let (wakes, next) = self.coming();
        match (next, wakes) {
            (None, None) => return false,
            (next, Some(wakes)) if next.is_none_or(|at| wakes < at) => {
                self.now = self.now.max(wakes);
                self.tell(Event::Tick);
            }
            _ => {
                let Some(Reverse((at, _, thing))) = self.outside.agenda.pop() else { return false };
                self.now = self.now.max(at);
                self.outside.now = self.now;
                self.happen(thing);
            }
        }
        true
    }

    /// Lets happen what happens before that time.
    pub fn wait_until(&mut self, at: u64) {
        let is_before = |(wakes, next): (Option<u64>, Option<u64>)| {
            wakes.into_iter().chain(next).any(|coming| coming < at)
        };
        while is_before(self.coming()) {
            self.step();
        }
        self.now = self.now.max(at);
    }

    /// Lets things happen until nothing is left to happen.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    fn happen(&mut self, thing: Thing) {
        let is_now = |outside: &Outside, engine: EngineId, life: u32| {
            outside.engines[engine as usize].life == life
        };
        let outside = &mut self.outside;
        match thing {
            Thing::Ready(engine, life) if is_now(outside, engine, life) => {
                outside.engines[engine as usize].is_alive = true;
                self.tell(Event::FromEngine(engine, Message::Ready { pid: life }));
            }
            Thing::Arrives(engine, life, note) if is_now(outside, engine, life) => {
                self.arrive(engine, life, note);
            }
            Thing::Finishes(engine, life, task) if is_now(outside, engine, life) => {
                let finished = &mut outside.engines[engine as usize];
                finished.line.pop_front();
                finished.is_running = false;
                let fails = outside.weather.failing_in;
                let is_failure = fails > 0 && task % fails == fails - 1;
                let status = if is_failure { Status::Error } else { Status::Ok };
                outside.plan(WAY_US, Thing::Says(engine, life, task, status as u8));
                outside.plan(BEGIN_US, Thing::Begins(engine, life));
            }
            Thing::Begins(engine, life) if is_now(outside, engine, life) => outside.work(engine),
            Thing::Says(engine, life, task, status) if is_now(outside, engine, life) => {
                let status = Status::from_u8(status).expect("it was one");
                outside.returned += u64::from(status == Status::Returned);
                let (started_us, ended_us) = (self.now - WAY_US, self.now - WAY_US + 20);
                let payload = Payload::default();
                let done = Message::Done { task, status, started_us, ended_us, payload };
                self.tell(Event::FromEngine(engine, done));
            }
            Thing::Dies(engine, life) if is_now(outside, engine, life) => {
                let dying = &mut outside.engines[engine as usize];
                if dying.is_alive {
                    // What it has sent still arrives: its socket is read to the end first.
                    (dying.is_alive, dying.is_running) = (false, false);
                    dying.line.clear();
                    outside.deaths += 1;
                    self.flush_words(engine, life);
                    self.outside.engines[engine as usize].life += 1;
                    let end = End { signal: Some(9), ..End::default() };
                    self.tell(Event::EngineGone(engine, end));
                }
            }
            _ => {}
        }
    }

    /// Delivers what an engine said before it died.
    fn flush_words(&mut self, engine: EngineId, life: u32) {
        let agenda = std::mem::take(&mut self.outside.agenda);
        let mut words: BTreeMap<(u64, u64), Thing> = BTreeMap::new();
        for Reverse((at, count, thing)) in agenda {
            match thing {
                Thing::Says(from, of, ..) if (from, of) == (engine, life) => {
                    words.insert((at, count), thing);
                }
                thing => self.outside.agenda.push(Reverse((at, count, thing))),
            }
        }
        words.into_values().for_each(|thing| self.happen(thing));
    }

    fn arrive(&mut self, engine: EngineId, life: u32, note: Note) {
        let outside = &mut self.outside;
        let Engine { is_running, line, .. } = &mut outside.engines[engine as usize];
        let (status, is_meant): (Status, Box<dyn Fn(TaskId) -> bool>) = match note {
            Note::Run(task) => {
                line.push_back(task);
                return outside.plan(BEGIN_US, Thing::Begins(engine, life));
            }
            Note::Recall => (Status::Returned, Box::new(|_| true)),
            Note::Abort(tasks) => (Status::Aborted, Box::new(move |task| tasks.contains(&task))),
        };
        let begun = usize::from(*is_running);
        let waiting: Vec<TaskId> = line.iter().skip(begun).copied().collect();
        for task in waiting.into_iter().filter(|task| is_meant(*task)) {
            self.outside.engines[engine as usize].line.retain(|held| *held != task);
            self.outside.plan(WAY_US, Thing::Says(engine, life, task, status as u8));
        }
    }
}

/// `count` tasks for whichever engine is free.
pub fn balanced(first: TaskId, retries: u32) -> Submission {
    Submission { first, retries, balanced: true, ..Submission::default() }
}
