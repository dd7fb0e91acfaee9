//! What a controller says of its cluster, as a table and as an object.

use serde_json::{Value, json};
use windfall::cluster::os;
use windfall::readable::{count, duration};

/// The state of a cluster at one moment.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub name: String,
    pub engines: Vec<Engine>,
    pub clients: usize,
    pub tasks: u64,
    pub queued: u64,
    pub done: u64,
}

/// One engine of it.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub engine: u64,
    pub pid: u64,
    /// The machine of a rank of MPI, if it is another than this.
    pub host: String,
    pub state: String,
    pub running: Option<String>,
    pub line: u64,
    pub queue: u64,
    pub done: u64,
    pub mean_us: Option<f64>,
    pub text: String,
    pub usage: Option<os::Usage>,
}

impl State {
    pub(super) fn of(name: &str, answer: Value) -> Self {
        let number = |value: &Value, key: &str| value[key].as_u64().unwrap_or(0);
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        let engine = |value: &Value| Engine {
            engine: number(value, "engine"),
            pid: number(value, "pid"),
            host: text(value, "host").unwrap_or_default(),
            state: text(value, "state").unwrap_or_default(),
            running: text(value, "running"),
            line: number(value, "line"),
            queue: number(value, "queue"),
            done: number(value, "done"),
            mean_us: value["mean_us"].as_f64(),
            text: text(value, "text").unwrap_or_default(),
            usage: u32::try_from(number(value, "pid"))
                .ok()
                .filter(|_| value["host"].as_str().is_none_or(str::is_empty))
                .and_then(os::usage),
        };
        let engines = answer["engines"].as_array().map_or(&[][..], Vec::as_slice);
        Self {
            name: name.to_owned(),
            engines: engines.iter().map(engine).collect(),
            // The one who asks does not count.
            clients: answer["clients"].as_array().map_or(0, Vec::len).saturating_sub(1),
            tasks: number(&answer, "tasks"),
            queued: number(&answer, "queued"),
            done: number(&answer, "done"),
        }
    }

    /// Whether every engine is there.
    pub(super) fn are_ready(&self) -> bool {
        self.engines.iter().all(|engine| engine.state == "ready")
    }

    /// Why an engine cannot be started, if one cannot.
    pub(super) fn failure(&self) -> Option<String> {
        let failed = self.engines.iter().find(|engine| engine.state == "failed")?;
        Some(format!("engine {} cannot be started: {}", failed.engine, failed.text.trim()))
    }

    pub(super) fn object(&self) -> Value {
        let engines = self.engines.iter().map(|engine| {
            json!({
                "engine": engine.engine, "pid": engine.pid, "host": engine.host,
                "state": engine.state,
                "running": engine.running, "line": engine.line, "queue": engine.queue,
                "done": engine.done, "mean_us": engine.mean_us,
                "rss_bytes": engine.usage.map(|usage| usage.rss_bytes),
            })
        });
        json!({
            "name": self.name, "engines": engines.collect::<Vec<Value>>(),
            "clients": self.clients, "tasks": self.tasks, "queued": self.queued, "done": self.done,
        })
    }
}

/// A line for the cluster and one for each engine.
pub(super) fn table(state: &State) -> String {
    let clients = if state.clients == 1 { "client" } else { "clients" };
    let mut text = format!(
        "cluster {}: {} {clients}, {} tasks unfinished ({} waiting), {} done\n\n",
        state.name,
        state.clients,
        count(state.tasks),
        count(state.queued),
        count(state.done)
    );
    text.push_str("  engine      pid  state       memory   tasks done  mean task  running\n");
    for engine in &state.engines {
        let memory = engine.usage.map_or_else(|| "-".into(), |usage| megabytes(usage.rss_bytes));
        let mean = engine.mean_us.map_or_else(|| "-".into(), |us| duration(us * 1e-6));
        let line = match (engine.line + engine.queue).saturating_sub(1) {
            0 => String::new(),
            waiting => format!(" (+{waiting})"),
        };
        let running = match &engine.running {
            Some(label) if label.is_empty() => format!("a task{line}"),
            Some(label) => format!("{label}{line}"),
            None => String::new(),
        };
        let pid = match engine.host.as_str() {
            "" => engine.pid.to_string(),
            host => format!("{}@{host}", engine.pid),
        };
        let row = format!(
            "  {:>6}  {pid:>7}  {:<9}  {memory:>7}  {:>11}  {mean:>9}  {running}",
            engine.engine,
            engine.state,
            count(engine.done),
        );
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// Bytes as whole megabytes.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}
