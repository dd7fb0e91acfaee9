//! The mappings there are: those of this machine, and those elsewhere that a job could go to.

use super::calibration::Calibration;
use crate::machine;
use windfall_core::plan::{Costs, DEFAULTS, Errors, Limits, Mapping, Profile};
use windfall_core::{Carries, Error, Result};

/// What is known of this machine and what it is asked to consider.
#[derive(Clone, Debug)]
pub struct Here {
    /// Workers of this machine.
    pub workers: usize,
    /// Workers that engines elsewhere would have.
    pub elsewhere: usize,
    /// Seconds of the pilot.
    pub pilot_s: f64,
    /// Costs that were measured; what it does not hold has its default.
    pub calibration: Calibration,
    /// How far earlier predictions were off.
    pub errors: Errors,
    /// Engines that run already and are at hand, beside those that are found here.
    pub given: Option<Mapping>,
}

/// The programs that a job on MPI's ranks needs.
pub const MPI: [&str; 2] = ["mpirun", "windfall-mpi"];

/// The program that a job on Slurm needs.
const SLURM: [&str; 1] = ["sbatch"];

/// Engines elsewhere: their name, what they carry, programs that must be on the path, and why they
/// cannot be used from here without them. Those without programs are there where they are given.
const ELSEWHERE: [(&str, Carries, Option<&[&str]>, &str); 5] = [
    ("mpi", Carries::Specs, Some(&MPI), "windfall-mpi and mpirun are not on the path"),
    ("slurm", Carries::Specs, Some(&SLURM), "sbatch is not on the path"),
    ("dask", Carries::Code, None, "from Python, with `on=`"),
    ("ray", Carries::Code, None, "from Python, with `on=`"),
    ("spark", Carries::Code, None, "from Python, with `on=`"),
];

/// Up to so many workers each number of threads has its row; then each power of two.
const ROWS_MAX: usize = 8;

/// Why what carries so much cannot run a job that needs so much, if it cannot.
fn refusal(needs: Carries, carries: Carries) -> Option<&'static str> {
    match needs {
        _ if needs <= carries => None,
        Carries::Closures => Some("the job holds code or data that cannot be written down"),
        Carries::Specs | Carries::Code => Some("it carries no functions"),
    }
}

impl Here {
    /// This machine with so many workers, nothing calibrated and no history.
    pub fn new(workers: usize) -> Self {
        Self {
            workers,
            elsewhere: workers,
            pilot_s: Limits::SECONDS,
            calibration: Calibration::default(),
            errors: Errors::default(),
            given: None,
        }
    }

    /// Considers engines at hand too: those of the mapping `name`, of `place` if there are several
    /// of that name, with so many workers. They run already, so that starting costs nothing.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Unknown`] if there is no such mapping.
    pub fn with_given(self, name: &str, place: Option<&str>, workers: usize) -> Result<Self> {
        let known: Vec<&str> = DEFAULTS.iter().map(|row| row.name).collect();
        let row = self.row(name, workers);
        let row = row.ok_or_else(|| Error::unknown("mapping", name, &known))?;
        let costs = Costs { start_s: 0.0, ..row.costs };
        Ok(Self { given: Some(Mapping { place: place.map(str::to_owned), costs, ..row }), ..self })
    }

    /// What the pilot may run.
    pub fn limits(&self) -> Limits {
        Limits { seconds: self.pilot_s, workers: self.workers }
    }

    /// Every mapping, from the simplest on; what cannot be used here says why.
    ///
    /// # Errors
    /// None today; a cluster that ends while it is asked is left out.
    pub fn mappings(&self, profile: &Profile) -> Result<Vec<Mapping>> {
        let mut rows = vec![Mapping::serial()];
        rows.extend(self.threads().into_iter().filter_map(|workers| self.row("threads", workers)));
        let within = |row: Mapping, carries| match refusal(profile.needs, carries) {
            Some(why) => Mapping { missing: Some(why.into()), ..row },
            None => row,
        };
        rows.extend(self.engines(profile).into_iter().map(|row| within(row, Carries::Code)));
        for (name, carries, programs, why) in ELSEWHERE {
            let is_here = programs.is_some_and(machine::is_on_path);
            let missing = (!is_here).then(|| why.to_owned());
            let row = self.row(name, self.elsewhere).map(|row| Mapping { missing, ..row });
            rows.extend(row.map(|row| within(row, carries)));
        }
        if let Some(given) = &self.given {
            rows.retain(|row| match &given.place {
                Some(_) => row.place != given.place,
                None => row.name != given.name,
            });
            rows.push(within(given.clone(), Carries::Code));
        }
        Ok(rows)
    }

    /// The mapping called `name` with its costs: measured here, or the default.
    fn row(&self, name: &str, workers: usize) -> Option<Mapping> {
        let row = Mapping::of_default(name, workers)?;
        Some(match self.calibration.costs(name) {
            Some(costs) => Mapping { costs, source: self.calibration.source(), ..row },
            None => row,
        })
    }

    fn threads(&self) -> Vec<usize> {
        if self.workers <= ROWS_MAX {
            return (2..=self.workers).collect();
        }
        let doubled = std::iter::successors(Some(2usize), |workers| workers.checked_mul(2));
        doubled.take_while(|&workers| workers < self.workers).chain([self.workers]).collect()
    }

    /// Clusters that run, and new engines: those that know Python if the job has code.
    fn engines(&self, profile: &Profile) -> Vec<Mapping> {
        use crate::cluster::{jobs::Engines, os};
        let nowhere = crate::files::Folder::default();
        let running = os::clusters().into_iter().filter_map(|name| {
            let on = Engines::new(&name, None, &windfall_stats::REGISTRY, &nowhere).ok()?;
            Some(Mapping { place: Some(name), ..self.row("engines", on.workers())? })
        });
        let fresh = match profile.needs {
            Carries::Specs => "new-engines",
            Carries::Code | Carries::Closures => "python-engines",
        };
        running.chain(self.row(fresh, self.workers)).collect()
    }
}
