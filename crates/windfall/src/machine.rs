//! Find out what this machine grants us, from texts that the system and the scheduler provide.
//!
//! The only reader of the environment in the house. What it finds decides speed and never a value.
//! Every rule is a function of texts, so that tests can pose as any machine.

use std::fmt;
use std::path::PathBuf;
use std::sync::LazyLock;
use windfall_core::{Error, Result};

/// How many workers to run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workers {
    /// The number of threads.
    pub count: usize,
    /// Where it comes from, such as `affinity: 2 CPUs`.
    pub source: String,
}

impl Workers {
    /// The count that the user asked for, by `asked_by`.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if `text` is not a whole number from 1 to 65,536.
    pub fn asked(text: &str, asked_by: &str) -> Result<Self> {
        match text.trim().parse() {
            Ok(count @ 1..=WORKERS_MAX) => {
                Ok(Self { count, source: format!("{asked_by}: {count}") })
            }
            _ => {
                let expected = format!("a whole number from 1 to {WORKERS_MAX}");
                Err(Error::invalid(asked_by, text, &expected))
            }
        }
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.count == 1 { "worker" } else { "workers" };
        write!(f, "{} {unit} ({})", self.count, self.source)
    }
}

/// More threads than this is a slip of the pen.
const WORKERS_MAX: usize = 65_536;

/// The variable that sets the worker count.
const WORKERS: &str = "WINDFALL_WORKERS";

/// The variable that lowers the instruction set.
const ISA: &str = "WINDFALL_ISA";

/// The worker count that this machine grants: `WINDFALL_WORKERS` if it is set, else the least of
/// what Slurm allots, the cgroup's CPU quota (rounded up) and the CPU affinity.
///
/// # Errors
/// [`windfall_core::ErrorKind::Invalid`] if `WINDFALL_WORKERS` is set to anything but a count.
pub fn workers() -> Result<Workers> {
    let file = |path: &str| std::fs::read_to_string(path).ok();
    let system = std::thread::available_parallelism().map_or(1, usize::from);
    Evidence { variable: &variable, file: &file, system }.workers()
}

/// What the launcher of an MPI job says that it has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The number of ranks.
    pub ranks: usize,
    /// Which of them this process is.
    pub rank: usize,
    /// The variable that says so.
    pub variable: String,
}

/// What launched this process as a rank of an MPI job, if anything did: Open MPI's or MPICH's
/// `mpirun`, or Slurm's `srun`.
pub fn launch() -> Option<Launch> {
    Evidence { variable: &variable, file: &|_| None, system: 1 }.launch()
}

/// Lowers the instruction set to the one that `WINDFALL_ISA` names (`scalar`, `neon`, `avx2`,
/// `avx512`), if it is set. Values do not change, only speed.
///
/// # Errors
/// [`windfall_core::ErrorKind::Invalid`] if the name is unknown or the machine lacks it.
pub fn limit_isa() -> Result<()> {
    let Some(name) = variable(ISA) else { return Ok(()) };
    let limited = name.parse().and_then(windfall_lanes::limit);
    limited.map_err(|error| {
        let names: Vec<String> =
            windfall_lanes::available().iter().map(ToString::to_string).collect();
        let expected = format!("one of {}", names.join(", "));
        Error::invalid(ISA, name, &expected).hint(error.to_string())
    })
}

/// The instruction set that runs, such as `avx512`: the one `WINDFALL_ISA` names, else the best.
pub fn isa() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        let named = variable(ISA).and_then(|name| name.parse().ok());
        named.unwrap_or_else(windfall_lanes::detected).to_string()
    });
    &NAME
}

/// The name of this host, or an empty text; asked for once.
pub fn host() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        let file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let name = file.or_else(|| variable("HOSTNAME")).or_else(|| variable("COMPUTERNAME"));
        name.unwrap_or_default().trim().to_owned()
    });
    &NAME
}

/// The folder in which programs of this user keep what outlives a run and is no setting:
/// `XDG_STATE_HOME`, else `.local/state` at home (`LOCALAPPDATA` on Windows), in it `windfall`.
pub fn state_folder() -> Option<PathBuf> {
    let of_system = variable("XDG_STATE_HOME").or_else(|| variable("LOCALAPPDATA"));
    let at_home = || Some(PathBuf::from(variable("HOME")?).join(".local/state"));
    of_system.map(PathBuf::from).or_else(at_home).map(|folder| folder.join("windfall"))
}

/// Whether each of these programs lies in a folder of `PATH`.
pub fn is_on_path(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    programs.iter().all(|program| folders.iter().any(|folder| folder.join(program).is_file()))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Where the rules look.
struct Evidence<'a> {
    /// An environment variable, unless it is empty.
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// The text of a file.
    file: &'a dyn Fn(&str) -> Option<String>,
    /// What the standard library reports.
    system: usize,
}

impl Evidence<'_> {
    fn workers(&self) -> Result<Workers> {
        if let Some(text) = (self.variable)(WORKERS) {
            return Workers::asked(&text, WORKERS);
        }
        // On a tie the first stands: it says the most about why.
        let limits = [self.slurm(), self.quota(), self.affinity(), Some(self.system())];
        let least = limits.into_iter().flatten().min_by_key(|workers| workers.count);
        Ok(least.unwrap_or_else(|| self.system()))
    }

    /// The launcher nearest to this process that names itself.
    fn launch(&self) -> Option<Launch> {
        let pairs = [
            ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
            ("PMI_SIZE", "PMI_RANK"),
            ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
        ];
        let number = |name| (self.variable)(name)?.trim().parse().ok();
        pairs.into_iter().find_map(|(ranks, rank)| {
            Some(Launch { ranks: number(ranks)?, rank: number(rank)?, variable: ranks.into() })
        })
    }

    /// What Slurm allots to this task: its own count, else its share of the node.
    fn slurm(&self) -> Option<Workers> {
        let number = |name| (self.variable)(name)?.trim().parse::<usize>().ok();
        if let Some(count) = number("SLURM_CPUS_PER_TASK").filter(|&count| count > 0) {
            return Some(Workers { count, source: format!("Slurm: SLURM_CPUS_PER_TASK={count}") });
        }
        let on_node = number("SLURM_CPUS_ON_NODE").filter(|&count| count > 0)?;
        // Such as `2(x3),1`: two tasks on each of three nodes, one on the last.
        let tasks = (self.variable)("SLURM_STEP_TASKS_PER_NODE")
            .and_then(|text| text.split(['(', ',']).next()?.trim().parse().ok())
            .unwrap_or(1)
            .max(1);
        let count = (on_node / tasks).max(1);
        let share = if tasks > 1 { format!(", {tasks} tasks") } else { String::new() };
        Some(Workers { count, source: format!("Slurm: SLURM_CPUS_ON_NODE={on_node}{share}") })
    }

    /// The tightest CPU quota on the way from this process's cgroups to their roots.
    fn quota(&self) -> Option<Workers> {
        let groups = (self.file)("/proc/self/cgroup")?;
        let limits = groups.lines().filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            self.limit(fields.next()?, fields.next()?)
        });
        let tightest = limits.min_by(f64::total_cmp)?;
        let rounded = (tightest * 100.0).round() / 100.0;
        Some(Workers {
            count: (tightest.ceil() as usize).max(1),
            source: format!("cgroup quota: {rounded} CPUs"),
        })
    }

    /// The CPUs granted by the cgroup at `path` and by those above it, in the hierarchy of these
    /// controllers: version 2 if there are none, else version 1.
    fn limit(&self, controllers: &str, path: &str) -> Option<f64> {
        let version_2 = controllers.is_empty();
        if !version_2 && !controllers.split(',').any(|name| name == "cpu") {
            return None;
        }
        let roots = match version_2 {
            true => ["/sys/fs/cgroup".into(), "/sys/fs/cgroup/unified".into()],
            false => [format!("/sys/fs/cgroup/{controllers}"), "/sys/fs/cgroup/cpu".into()],
        };
        let folders = roots.iter().flat_map(|root| ancestors(root, path));
        let granted = folders.filter_map(|folder| {
            let text = |name| (self.file)(&format!("{folder}/{name}"));
            match version_2 {
                true => cpus_granted(&text("cpu.max")?),
                false => cpus_granted(&format!(
                    "{} {}",
                    text("cpu.cfs_quota_us")?,
                    text("cpu.cfs_period_us")?
                )),
            }
        });
        granted.min_by(f64::total_cmp)
    }

    /// The CPUs that the scheduler may put us on.
    fn affinity(&self) -> Option<Workers> {
        let status = (self.file)("/proc/self/status")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        let count = cpus_in(list)?;
        Some(Workers { count, source: format!("affinity: {count} {}", cpus(count)) })
    }

    fn system(&self) -> Workers {
        let count = self.system.max(1);
        Workers { count, source: format!("system: {count} {}", cpus(count)) }
    }
}

fn cpus(count: usize) -> &'static str {
    if count == 1 { "CPU" } else { "CPUs" }
}

/// `root` joined with `path` and with every folder above it.
fn ancestors(root: &str, path: &str) -> Vec<String> {
    let mut rest = path.trim_matches('/');
    let mut folders = Vec::new();
    while !rest.is_empty() {
        folders.push(format!("{root}/{rest}"));
        rest = rest.rsplit_once('/').map_or("", |(above, _)| above);
    }
    folders.push(root.to_owned());
    folders
}

/// CPUs granted by a quota and a period, such as `150000 100000`; none for `max` or `-1`.
fn cpus_granted(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let quota: f64 = words.next()?.parse().ok()?;
    let period: f64 = words.next()?.parse().ok()?;
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// The number of CPUs in a list such as `0-3,8,10-11`.
fn cpus_in(list: &str) -> Option<usize> {
    let mut count = 0;
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count += (last + 1).checked_sub(first)?;
    }
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a machine with these variables and files grants; the library reports 64 CPUs.
    fn on(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Workers> {
        let find = |table: &[(&str, &str)], name: &str| {
            let row = table.iter().find(|(candidate, _)| *candidate == name);
            row.map(|(_, text)| (*text).to_owned())
        };
        let variable = |name: &str| find(variables, name);
        let file = |path: &str| find(files, path);
        Evidence { variable: &variable, file: &file, system: 64 }.workers()
    }

    const STATUS: (&str, &str) = (
        "/proc/self/status",
        "Name:\twindfall\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8,10-11\n",
    );

    #[test]
    fn the_launcher_of_ranks_names_itself() {
        let launch = |variables: &[(&str, &str)]| {
            let find = |name: &str| {
                let row = variables.iter().find(|(candidate, _)| *candidate == name);
                row.map(|(_, text)| (*text).to_owned())
            };
            let launch = Evidence { variable: &find, file: &|_| None, system: 1 }.launch();
            launch.map(|launch| (launch.ranks, launch.rank, launch.variable))
        };
        let slurm = [("SLURM_STEP_NUM_TASKS", "4"), ("SLURM_PROCID", "3")];
        assert_eq!(launch(&slurm), Some((4, 3, "SLURM_STEP_NUM_TASKS".into())));
        let both = [slurm[0], slurm[1], ("PMI_SIZE", "2"), ("PMI_RANK", "0")];
        assert_eq!(launch(&both), Some((2, 0, "PMI_SIZE".into())));
        assert_eq!(launch(&[("SLURM_NTASKS", "4")]), None);
    }

    #[test]
    fn affinity_counts_ranges_and_single_cpus() {
        let workers = on(&[], &[STATUS]).unwrap();
        assert_eq!(workers, Workers { count: 7, source: "affinity: 7 CPUs".into() });
        assert_eq!(workers.to_string(), "7 workers (affinity: 7 CPUs)");
        assert_eq!(on(&[], &[]).unwrap().source, "system: 64 CPUs");
    }

    #[test]
    fn the_tightest_quota_above_us_counts() {
        let version_2 = [
            STATUS,
            ("/proc/self/cgroup", "0::/jobs/mine/step\n"),
            ("/sys/fs/cgroup/jobs/mine/step/cpu.max", "max 100000\n"),
            ("/sys/fs/cgroup/jobs/cpu.max", "150000 100000\n"),
            ("/sys/fs/cgroup/cpu.max", "400000 100000\n"),
        ];
        let expected = Workers { count: 2, source: "cgroup quota: 1.5 CPUs".into() };
        assert_eq!(on(&[], &version_2).unwrap(), expected);
        let version_1 = [
            STATUS,
            ("/proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "-1\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ];
        assert_eq!(on(&[], &version_1).unwrap().source, "cgroup quota: 3 CPUs");
    }

    #[test]
    fn slurm_counts_per_task_or_shares_the_node() {
        let per_task = [("SLURM_CPUS_PER_TASK", "4"), ("SLURM_CPUS_ON_NODE", "6")];
        assert_eq!(on(&per_task, &[STATUS]).unwrap().source, "Slurm: SLURM_CPUS_PER_TASK=4");
        let shared = [("SLURM_CPUS_ON_NODE", "6"), ("SLURM_STEP_TASKS_PER_NODE", "2(x3),1")];
        let expected = Workers { count: 3, source: "Slurm: SLURM_CPUS_ON_NODE=6, 2 tasks".into() };
        assert_eq!(on(&shared, &[STATUS]).unwrap(), expected);
        // What Slurm allots is no licence to leave the affinity.
        assert_eq!(on(&[("SLURM_CPUS_PER_TASK", "40")], &[STATUS]).unwrap().count, 7);
    }

    #[test]
    fn the_users_word_is_final_and_checked() {
        let workers = on(&[("WINDFALL_WORKERS", "12")], &[STATUS]).unwrap();
        assert_eq!(workers, Workers { count: 12, source: "WINDFALL_WORKERS: 12".into() });
        for text in ["0", "-1", "two", "1e9"] {
            let message = on(&[("WINDFALL_WORKERS", text)], &[STATUS]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("`WINDFALL_WORKERS` is `{text}`")), "{message}");
        }
    }

    #[test]
    fn malformed_texts_are_no_evidence() {
        let files = [
            ("/proc/self/status", "Cpus_allowed_list:\tnone\n"),
            ("/proc/self/cgroup", "garbage\n0::/\n"),
            ("/sys/fs/cgroup/cpu.max", "\n"),
        ];
        assert_eq!(on(&[("SLURM_CPUS_PER_TASK", "many")], &files).unwrap().count, 64);
    }
}
