//! Starts a cluster in the background and waits until its engines are there.

use super::super::exit::{Done, Exit, print};
use super::Which;
use super::ask::Asker;
use super::state::{State, table};
use clap::Args;
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use windfall::readable::duration;
use windfall::{Error, Result, Stopwatch, machine};

/// How often to look whether the cluster is there yet.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Args, Debug)]
pub(in super::super) struct Start {
    /// Engines to start  [default: one for each core that this machine grants]
    #[arg(short, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=4096))]
    n: Option<u32>,
    #[command(flatten)]
    which: Which,
    /// The Python that engines run on; the package windfall must be installed there
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// Start engines that need no Python and run Windfall's own jobs only
    #[arg(long, conflicts_with = "python")]
    native: bool,
    /// Threads of numerical libraries in each engine  [default: cores divided by engines]
    #[arg(long, value_name = "COUNT")]
    threads: Option<u32>,
    /// How long the engines may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    wait: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Start {
    pub(in super::super) fn obey(&self) -> Done {
        let name = &self.which.name;
        if windfall::cluster::os::clusters().contains(name) {
            let hint = "`windfall stop` stops it; `--name` starts another beside it";
            return Err(Error::io(format!("cluster {name}"), "it runs already").hint(hint).into());
        }
        let watch = Stopwatch::start();
        let cores = machine::workers()?.count as u32;
        let engines = self.n.unwrap_or(cores);
        let threads = self.threads.unwrap_or((cores / engines).max(1));
        let failed = |error| Error::io("this program", error);
        let here = std::env::current_exe().map_err(failed)?.to_string_lossy().into_owned();
        let command: &[&str] = match self.native {
            true => &[&here, "engine"],
            false => &[&self.python, "-m", "windfall._cluster.engine"],
        };
        let options = json!({ "command": command, "engines": engines, "threads": threads });
        let mut controller = self.spawn(&options.to_string())?;
        let state = self.wait(&mut controller, &watch)?;
        print(&if self.json {
            format!("{}\n", state.object())
        } else {
            let (seconds, threads) = (duration(watch.elapsed_s()), threads_text(threads));
            format!("{}\n{engines} engines in {seconds}, {threads} each\n", table(&state))
        })?;
        Ok(Exit::Done)
    }

    fn spawn(&self, options: &str) -> Result<Child> {
        let failed = |error| Error::io("the controller", error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(["serve", &self.which.name, options]).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(failed)
    }

    /// Waits until every engine is there; if one cannot be, everything is stopped again.
    fn wait(&self, controller: &mut Child, watch: &Stopwatch) -> Result<State> {
        let name = format!("cluster {}", self.which.name);
        loop {
            if let Ok(asker) = Asker::new(&self.which.name) {
                let state = State::of(&self.which.name, asker.ask(&json!({ "do": "status" }))?);
                if state.are_ready() {
                    return Ok(state);
                }
                let is_late = watch.elapsed_s() > self.wait;
                if let Some(text) = state.failure().or(is_late.then(|| "it takes too long".into()))
                {
                    asker.ask(&json!({ "do": "stop" }))?;
                    asker.wait_for_end()?;
                    let test = format!("{} -c 'import windfall, cloudpickle'", self.python);
                    let hint = format!("does `{test}` work? --python names another");
                    return Err(Error::io(name, text).hint(hint));
                }
            }
            if let Ok(Some(status)) = controller.try_wait() {
                return Err(Error::io(name, format!("the controller has ended: {status}")));
            }
            std::thread::sleep(LOOK);
        }
    }
}

fn threads_text(threads: u32) -> String {
    if threads == 1 { "1 thread".into() } else { format!("{threads} threads") }
}
