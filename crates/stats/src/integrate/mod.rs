//! Integrate functions over a box, finite or not, and say how far off the answers may be.
//!
//! ```text
//! bounds.rs      the unit cube onto the region, ends at infinity included
//! integrand.rs   what can be integrated: formulas, closures, callbacks, several at once
//! block.rs       a block of points: from coordinates to checked values
//! joint.rs       count, means and co-moments of those values
//! plan.rs        what a plan is: a method with its options, of one of two kinds
//!   rule.rs        places all points at once; replicates.rs randomises even points
//!   search.rs      learns from round to round
//! estimate.rs    what becomes of an estimate; control.rs finds what control variates need
//! options.rs     what can be asked for; answer.rs what is told
//! ```
//!
//! A method is one file and one row of [`METHODS`].

mod answer;
mod block;
mod bounds;
mod control;
mod cubature;
mod directions;
mod estimate;
mod grid;
mod integrand;
mod joint;
mod lattice;
mod options;
mod plain;
mod plan;
mod replicates;
mod rule;
mod search;
mod sobol;
mod stratified;
mod vegas;

pub use integrand::{Blocks, Integrand, Several, interleave};
pub use options::{IntegrateOptions, Method, Numbers};

use crate::bootstrap::Formulas;
use block::Target;
use bounds::Space;
use estimate::Goal;
use integrand::Formula;
use options::JobOptions;
use plan::{Plan, Setting, Work};
use rule::Size;
use serde_json::{Map, Value};
use windfall_core::{
    Answer, Control, Entry, Error, Executor, JobSpec, Problem, Result, Seed, Shard, Shards,
    Streams, read_options,
};

/// A method: its name in job files, and what makes it ready to run.
struct Row {
    method: Method,
    name: &'static str,
    plan: fn(&Setting<'_>) -> Result<Box<dyn Plan>>,
}

/// Every method.
const METHODS: [Row; 6] = [
    Row { method: Method::Plain, name: "plain", plan: plain::Plain::plan },
    Row { method: Method::Stratified, name: "stratified", plan: stratified::Stratified::plan },
    Row { method: Method::Sobol, name: "sobol", plan: sobol::Sobol::plan },
    Row { method: Method::Lattice, name: "lattice", plan: lattice::Lattice::plan },
    Row { method: Method::Vegas, name: "vegas", plan: vegas::Vegas::plan },
    Row { method: Method::Cubature, name: "cubature", plan: cubature::Cubature::plan },
];

impl Method {
    /// Every method there is.
    pub fn all() -> impl Iterator<Item = Self> {
        METHODS.iter().map(|row| row.method)
    }

    /// The name in job files.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    fn row(self) -> &'static Row {
        METHODS.iter().find(|row| row.method == self).expect("each method has its row")
    }
}

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "integrate",
    about: "integrals of formulas over a box: plain, stratified, Sobol, lattice, VEGAS+, cubature",
    build: |spec, source| {
        spec.without_data()?;
        let JobOptions { formula, bounds, options } = read_options(&spec.options)?;
        let bounds = bounds::read(&bounds)?;
        let job = Integrate::formulas(&formula, &bounds, options, spec.seed_or_fresh()?)?;
        Ok(Box::new(job.after(source.learnt().as_deref())?))
    },
};

/// The integral of a function over a box.
///
/// A task is up to 4,096 points. `tolerance` is looked at only where
/// whole rounds end, the same on every mapping. The interval is that of the Monte Carlo error:
/// the estimate is simulated, so both its ends move with it and have the estimate's MCSE.
///
/// # Cost
/// About a quarter of a nanosecond per coordinate drawn and the integrand's own time, on one core
/// with AVX-512; 4 KB per dimension of memory per worker.
///
/// # Errors of a run
/// A value that is not finite stops the run with the point and the task.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial};
/// use windfall_stats::integrate::{Integrate, IntegrateOptions, Method};
///
/// // A closure is given a point; bounds may be infinite.
/// let bell = |x: &[f64]| (-x[0] * x[0]).exp();
/// let bounds = [(f64::NEG_INFINITY, f64::INFINITY)];
/// let options = IntegrateOptions { method: Method::Sobol, ..Default::default() };
/// let job = Integrate::new(bell, &bounds, options, 1u64.into())?;
/// let answer = job.solve(&Serial, &Control::default())?;
/// let (found, root_pi) = (&answer.quantities[0], std::f64::consts::PI.sqrt());
/// assert!(found.mcse < 1e-7);
/// assert!((found.estimate - root_pi).abs() < 5.0 * found.mcse);
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub struct Integrate<'a> {
    names: Vec<String>,
    integrand: Box<dyn Integrand + 'a>,
    space: Space,
    goal: Goal,
    options: IntegrateOptions,
    plan: Box<dyn Plan>,
    seed: Seed,
    spec: Option<JobSpec>,
}

impl<'a> Integrate<'a> {
    /// The integral of `integrand` from the first to the second end of each pair of `bounds`.
    ///
    /// Reversed ends change the sign; equal ends give 0.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] or [`windfall_core::ErrorKind::TooFew`] for a bound
    /// or an option that makes no sense.
    pub fn new(
        integrand: impl Integrand + 'a,
        bounds: &[(f64, f64)],
        options: IntegrateOptions,
        seed: Seed,
    ) -> Result<Self> {
        let space = Space::new(bounds)?;
        let n = options.checked_n()?;
        let names = match integrand.outputs() {
            1 => vec!["integral".to_owned()],
            several => (1..=several).map(|place| format!("integral {place}")).collect(),
        };
        let mut integrand: Box<dyn Integrand + 'a> = Box::new(integrand);
        let mut integrals = Vec::new();
        let controls = control::controls(&options, bounds)?;
        if !controls.is_empty() {
            let mut all = vec![integrand];
            for (formula, integral) in controls {
                all.push(Box::new(formula));
                integrals.push(integral);
            }
            integrand = Box::new(Several(all));
        }
        let points_per_value = if options.antithetic { 2 } else { 1 };
        let size = Size {
            n: n / points_per_value,
            dimensions: space.dimensions(),
            cheap: integrand.is_cheap(),
            tolerant: options.is_tolerant(),
        };
        let plan = (options.method.row().plan)(&Setting { size, options: &options, seed })?;
        let goal = Goal {
            volume: space.volume(),
            points_per_value,
            tolerance: options.tolerance,
            relative_tolerance: options.relative_tolerance,
            controls: integrals,
        };
        Ok(Self { names, integrand, space, goal, options, plan, seed, spec: None })
    }

    /// The integral that `spec` describes, of an integrand that no job file can hold.
    ///
    /// # Errors
    /// As [`Integrate::new`]; [`windfall_core::ErrorKind::Invalid`] if the spec has a formula too.
    pub fn of(integrand: impl Integrand + 'a, spec: &JobSpec) -> Result<Self> {
        let JobOptions { formula, bounds, options } = read_options(&spec.options)?;
        if let Some(text) = formula.texts().first() {
            return Err(Error::invalid("formula", text, "left out where a function is given"));
        }
        let seed = spec.seed_or_fresh()?;
        let job = Self::new(integrand, &bounds::read(&bounds)?, options, seed)?;
        Ok(Self { spec: spec.with_code(seed), ..job })
    }

    /// The integral of a formula in `x0`, `x1`, …, one variable for each pair of `bounds`; a job
    /// that can be written down.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Expression`] with all that is wrong with the formula; as
    /// [`Integrate::new`].
    pub fn formula(
        formula: &str,
        bounds: &[(f64, f64)],
        options: IntegrateOptions,
        seed: Seed,
    ) -> Result<Self> {
        Self::formulas(&formula.into(), bounds, options, seed)
    }

    /// The integrals of formulas, evaluated at the same points: their covariance is in the answer.
    ///
    /// # Errors
    /// As [`Integrate::formula`].
    pub fn formulas(
        formulas: &Formulas,
        bounds: &[(f64, f64)],
        options: IntegrateOptions,
        seed: Seed,
    ) -> Result<Self> {
        let texts = formulas.texts();
        if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
            return Err(Error::invalid("formula", "missing", "a formula in x0, x1, …"));
        }
        if texts.len() > FORMULAS_MAX {
            let expected = format!("at most {FORMULAS_MAX} formulas");
            return Err(Error::invalid("formula", format!("{} formulas", texts.len()), &expected));
        }
        let mut spec = JobSpec::new("integrate");
        spec.seed = Some(seed);
        spec.options = written(formulas, bounds, &options);
        // Bounds first: without them every variable of the formula would be unknown.
        Space::new(bounds)?;
        let mut parsed = Vec::new();
        for text in texts {
            parsed.push(Formula::parse(text, bounds.len())?);
        }
        let mut job = match (parsed.pop(), parsed.is_empty()) {
            (Some(only), true) => Self::new(only, bounds, options, seed)?,
            (last, _) => {
                let all = parsed.into_iter().chain(last);
                let all = all.map(|formula| Box::new(formula) as Box<dyn Integrand>);
                Self::new(Several(all.collect()), bounds, options, seed)?
            }
        };
        job.names = texts.to_vec();
        job.spec = Some(spec);
        Ok(job)
    }

    /// The same job, where `learnt` is what rounds have found ([`windfall_core::Source::learnt`]):
    /// shards of the next one need not run those again.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Wire`] if that belongs to another job.
    pub fn after(mut self, learnt: Option<&[u8]>) -> Result<Self> {
        learnt.map(|learnt| self.plan.take(learnt)).transpose()?;
        Ok(self)
    }

    /// What the plan runs on.
    fn work(&self) -> Work<'_> {
        let antithetic = self.options.antithetic;
        Work {
            target: Target { space: &self.space, integrand: &*self.integrand, antithetic },
            goal: &self.goal,
            streams: Streams::new(self.seed, "integrate"),
            spec: self.spec.as_ref(),
        }
    }
}

/// Formulas at most: their covariance has the square of that many numbers.
const FORMULAS_MAX: usize = 100;

/// The keys of a job file, those left at nothing left out.
fn written(
    formula: &Formulas,
    bounds: &[(f64, f64)],
    options: &IntegrateOptions,
) -> Map<String, Value> {
    let job = JobOptions {
        formula: formula.clone(),
        bounds: bounds::write(bounds),
        options: options.clone(),
    };
    let nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    match serde_json::to_value(job) {
        Ok(Value::Object(map)) => map.into_iter().filter(|(_, value)| !nothing(value)).collect(),
        _ => Map::new(),
    }
}

impl Problem for Integrate<'_> {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.plan.shards()
    }

    fn grows_by(&self) -> Option<&'static str> {
        self.plan.grows_by()
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        self.plan.run_shard(&self.work(), shard)
    }

    fn is_search(&self) -> bool {
        self.goal.is_tolerant() || self.options.method == Method::Cubature
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let solved = self.plan.solve(&self.work(), on, control)?;
        Ok(self.answer(solved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_the_name_that_job_files_use() {
        for method in Method::all() {
            assert_eq!(serde_json::to_value(method).unwrap(), method.name());
        }
    }
}
