//! Starts a cluster in the background and waits until its engines are there.

use super::super::exit::{Done, Exit, print};
use super::Which;
use super::ask::Asker;
use super::launched;
use super::state::{State, table};
use clap::Args;
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use windfall::readable::duration;
use windfall::{Error, Result, Stopwatch, machine};

/// How often to look whether the cluster is there yet.
pub(super) const LOOK: Duration = Duration::from_millis(5);
/// How long engines may take to be there, in seconds.
const WAIT_S: f64 = 30.0;

#[derive(Args, Debug)]
pub(in super::super) struct Start {
    /// Engines to start  [default: one for each core that this machine grants]
    #[arg(short, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=4096))]
    n: Option<u32>,
    #[command(flatten)]
    pub(super) which: Which,
    /// The Python that engines run on; the package windfall must be installed there
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(super) python: String,
    /// Start engines that need no Python and run Windfall's own jobs only
    #[arg(long, conflicts_with = "python")]
    native: bool,
    /// Who starts the engines: this machine; mpirun, as ranks of MPI; srun in an allocation of
    /// Slurm, or sbatch outside of one
    #[arg(long, value_enum, default_value_t = Launcher::Local, conflicts_with = "native")]
    pub(super) launcher: Launcher,
    /// The command that starts ranks, instead of the one that is found; `-n` is added
    #[arg(long, value_name = "COMMAND")]
    pub(super) mpirun: Option<String>,
    /// An option for sbatch; may be repeated
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub(super) sbatch: Vec<String>,
    /// Threads of numerical libraries in each engine  [default: cores divided by engines; 1 in
    /// ranks of MPI]
    #[arg(long, value_name = "COUNT")]
    threads: Option<u32>,
    /// How long the engines may take
    #[arg(long, value_name = "SECONDS", default_value_t = WAIT_S)]
    pub(super) wait: f64,
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
        self.check()?;
        let watch = Stopwatch::start();
        let (state, engines, threads) = match self.begin(&watch)? {
            Begun::Runs(state, engines, threads) => (state, engines, threads),
            Begun::Waits(text) => {
                print(&text)?;
                return Ok(Exit::Done);
            }
        };
        print(&if self.json {
            format!("{}\n", state.object())
        } else {
            let (seconds, threads) = (duration(watch.elapsed_s()), threads_text(threads));
            format!("{}\n{engines} engines in {seconds}, {threads} each\n", table(&state))
        })?;
        Ok(Exit::Done)
    }

    /// Refuses options that are for other launchers.
    fn check(&self) -> Result<()> {
        if let (Launcher::Local, Some(command)) = (self.launcher, &self.mpirun) {
            let error = Error::invalid("mpirun", command, "left out where no ranks are started");
            return Err(error.hint("add --launcher mpi"));
        }
        if let (Launcher::Local | Launcher::Mpi, Some(option)) =
            (self.launcher, self.sbatch.first())
        {
            let error =
                Error::invalid("sbatch", option, "left out where no batch job is submitted");
            return Err(error.hint("add --launcher slurm"));
        }
        Ok(())
    }

    /// Starts it.
    fn begin(&self, watch: &Stopwatch) -> Result<Begun> {
        let cores = machine::workers()?.count as u32;
        let engines = self.n.unwrap_or(cores);
        if self.launcher != Launcher::Local {
            let threads = self.threads.unwrap_or(1);
            return launched::start(self, (engines, threads), watch);
        }
        let threads = self.threads.unwrap_or((cores / engines).max(1));
        let failed = |error| Error::io("this program", error);
        let here = std::env::current_exe().map_err(failed)?.to_string_lossy().into_owned();
        let command: &[&str] = match self.native {
            true => &[&here, "engine"],
            false => &[&self.python, "-m", "windfall._cluster.engine"],
        };
        let options = json!({ "command": command, "engines": engines, "threads": threads });
        let mut controller = self.spawn(&options.to_string())?;
        let state = self.wait(&mut controller, watch)?;
        Ok(Begun::Runs(state, engines, threads))
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
            if let Some(state) = self.look(watch)? {
                return Ok(state);
            }
            if let Ok(Some(status)) = controller.try_wait() {
                return Err(Error::io(name, format!("the controller has ended: {status}")));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Its state if every engine is there, and none if that may still be.
    pub(super) fn look(&self, watch: &Stopwatch) -> Result<Option<State>> {
        let name = format!("cluster {}", self.which.name);
        let Ok(asker) = Asker::new(&self.which.name) else { return Ok(None) };
        let state = State::of(&self.which.name, asker.ask(&json!({ "do": "status" }))?);
        if state.are_ready() {
            return Ok(Some(state));
        }
        let is_late = watch.elapsed_s() > self.wait;
        if let Some(text) = state.failure().or(is_late.then(|| "it takes too long".into())) {
            asker.ask(&json!({ "do": "stop" }))?;
            asker.wait_for_end()?;
            let test = format!("{} -c 'import windfall, cloudpickle'", self.python);
            let hint = format!("does `{test}` work? --python names another");
            return Err(Error::io(name, text).hint(hint));
        }
        Ok(None)
    }
}

/// What became of a start.
pub(super) enum Begun {
    /// It is there, with so many engines of so many threads each.
    Runs(State, u32, u32),
    /// A batch job was submitted that will start it: what to say of that.
    Waits(String),
}

/// Who starts engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Launcher {
    /// The controller, on this machine.
    Local,
    /// `mpirun`.
    Mpi,
    /// `srun`, or `sbatch` outside of an allocation.
    Slurm,
}

fn threads_text(threads: u32) -> String {
    if threads == 1 { "1 thread".into() } else { format!("{threads} threads") }
}

/// Native engines for one use, stopped at its end.
pub(in super::super) struct NewEngines {
    name: String,
    runs: bool,
}

impl NewEngines {
    /// Starts so many and waits until they are there.
    pub(in super::super) fn start(workers: usize) -> Result<Self> {
        let name = format!("plan-{}", std::process::id());
        let start = Start {
            n: Some(u32::try_from(workers).unwrap_or(u32::MAX)),
            which: Which { name: name.clone() },
            python: String::new(),
            native: true,
            launcher: Launcher::Local,
            mpirun: None,
            sbatch: Vec::new(),
            threads: Some(1),
            wait: WAIT_S,
            json: false,
        };
        let started = Self { name, runs: true };
        start.begin(&Stopwatch::start())?;
        Ok(started)
    }

    /// The name of their cluster.
    pub(in super::super) fn name(&self) -> &str {
        &self.name
    }

    /// Stops them and waits until they are gone.
    pub(in super::super) fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.runs) {
            return Ok(());
        }
        let asker = Asker::new(&self.name)?;
        asker.ask(&json!({ "do": "stop" }))?;
        asker.wait_for_end()
    }
}

impl Drop for NewEngines {
    fn drop(&mut self) {
        // Where they could not be started there is nothing to stop, and that has been said.
        drop(self.end());
    }
}
