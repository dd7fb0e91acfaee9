//! Integrate a function over a box, finite or not, and say how far off the answer may be.
//!
//! ```text
//! bounds.rs     the unit cube onto the region, ends at infinity included
//! integrand.rs  what can be integrated: formulas, closures, callbacks
//! block.rs      a block of points: from coordinates to checked values and their moments
//! rule.rs       what a rule is: it places points and knows the error of what they give
//! plain.rs  stratified.rs  sobol.rs (with directions.rs)    the three rules
//! options.rs    what can be asked for
//! ```

mod block;
mod bounds;
mod directions;
mod integrand;
mod options;
mod plain;
mod rule;
mod sobol;
mod stratified;

pub use integrand::{Blocks, Integrand, interleave};
pub use options::{IntegrateOptions, Method};

use crate::law::{normal, student};
use bounds::Space;
use integrand::Formula;
use options::JobOptions;
use plain::Plain;
use rule::{Estimate, Rule, Sampler, Size};
use serde_json::{Map, Value};
use sobol::Sobol;
use stratified::Stratified;
use windfall_core::{
    Answer, Control, Draws, Entry, Error, Executor, Interval, Job, JobSpec, Problem, Quantity,
    Result, Seed, Shard, Shards, Streams, read_options, run, run_bytes, run_rounds,
};

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "integrate",
    about: "the integral of a formula over a box, by plain, stratified or Sobol points",
    build: |spec, _| {
        spec.without_data()?;
        let JobOptions { formula, bounds, options } = read_options(&spec.options)?;
        if formula.trim().is_empty() {
            return Err(Error::invalid("formula", "missing", "a formula in x0, x1, …"));
        }
        let bounds = bounds::read(&bounds)?;
        Ok(Box::new(Integrate::formula(&formula, &bounds, options, spec.seed_or_fresh()?)?))
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
    name: String,
    integrand: Box<dyn Integrand + 'a>,
    space: Space,
    options: IntegrateOptions,
    plan: Plan,
    seed: Seed,
    spec: Option<JobSpec>,
}

/// The rule that a method stands for.
enum Plan {
    Plain(Plain),
    Stratified(Stratified),
    Sobol(Sobol),
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
        let size = Size {
            n: options.checked_n()?,
            dimensions: space.dimensions(),
            cheap: integrand.is_cheap(),
            tolerant: options.tolerance.is_some(),
        };
        let plan = match options.method {
            Method::Plain => Plan::Plain(Plain(size)),
            Method::Stratified => Plan::Stratified(Stratified::new(size)),
            Method::Sobol => Plan::Sobol(Sobol::new(size, options.replicates, seed)?),
        };
        let name = "integral".to_owned();
        let integrand = Box::new(integrand);
        Ok(Self { name, integrand, space, options, plan, seed, spec: None })
    }

    /// The integral that `spec` describes, of an integrand that no job file can hold.
    ///
    /// # Errors
    /// As [`Integrate::new`]; [`windfall_core::ErrorKind::Invalid`] if the spec has a formula too.
    pub fn of(integrand: impl Integrand + 'a, spec: &JobSpec) -> Result<Self> {
        let JobOptions { formula, bounds, options } = read_options(&spec.options)?;
        if !formula.is_empty() {
            return Err(Error::invalid("formula", formula, "left out where a function is given"));
        }
        Self::new(integrand, &bounds::read(&bounds)?, options, spec.seed_or_fresh()?)
    }

    /// The integral of a formula in `x0`, `x1`, …, one variable for each pair of `bounds`; a job
    /// that can be written down.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Expression`] with all mistakes of the formula; as
    /// [`Integrate::new`].
    pub fn formula(
        formula: &str,
        bounds: &[(f64, f64)],
        options: IntegrateOptions,
        seed: Seed,
    ) -> Result<Self> {
        let mut spec = JobSpec::new("integrate");
        spec.seed = Some(seed);
        spec.options = written(formula, bounds, &options);
        // Bounds first: without them every variable of the formula would be unknown.
        Space::new(bounds)?;
        let integrand = Formula::parse(formula, bounds.len())?;
        let mut job = Self::new(integrand, bounds, options, seed)?;
        job.name = formula.to_owned();
        job.spec = Some(spec);
        Ok(job)
    }

    fn sampler<'s, R: Rule>(&'s self, rule: &'s R) -> Sampler<'s, R> {
        Sampler { rule, space: &self.space, integrand: &*self.integrand }
    }

    fn job<'s, R: Rule>(&'s self, kernel: &'s Sampler<'s, R>) -> Job<'s, Sampler<'s, R>> {
        let streams = Streams::new(self.seed, "integrate");
        Job { kernel, streams, spec: self.spec.as_ref() }
    }

    fn run_shard_of<R: Rule>(&self, rule: &R, shard: Shard) -> Result<Vec<u8>> {
        run_bytes(&self.job(&self.sampler(rule)), shard)
    }

    fn solve_by<R: Rule>(
        &self,
        rule: &R,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<Answer> {
        let sampler = self.sampler(rule);
        let job = self.job(&sampler);
        let outcome = match self.options.tolerance {
            None => run(&job, on, control)?,
            Some(tolerance) => run_rounds(&job, on, control, rule.rounds(), |partial, _| {
                self.scaled(rule.estimate(partial, true)).moments.mcse() <= tolerance
            })?,
        };
        let estimate = self.scaled(rule.estimate(&outcome.partial, outcome.complete));
        let mut answer = self.answer(estimate, outcome.complete);
        answer.notes.extend(rule.note(estimate.points));
        Ok(answer)
    }

    fn scaled(&self, estimate: Estimate) -> Estimate {
        Estimate { moments: estimate.moments.scaled(self.space.volume()), ..estimate }
    }

    fn answer(&self, estimate: Estimate, complete: bool) -> Answer {
        // Adding zero turns the -0 of an empty region with a negative integrand into 0.
        let (value, mcse) = (estimate.moments.mean() + 0.0, estimate.moments.mcse());
        let level = self.options.level;
        let (reach, method) = match estimate.freedom {
            Some(freedom) => (student::quantile(freedom as f64, 0.5 + 0.5 * level), "student"),
            None => (normal::quantile(0.5 + 0.5 * level), "normal"),
        };
        let interval = Interval::around(value, mcse, reach, level, method);
        let quantity =
            Quantity { interval: Some(interval), ..Quantity::new(&self.name, value, mcse) };
        let draws = Draws { name: "n", count: estimate.points };
        Answer {
            quantities: vec![quantity],
            complete,
            notes: self.notes(mcse, complete),
            ..Answer::new("integrate", self.options.method.name(), draws, self.seed)
        }
    }

    fn notes(&self, mcse: f64, complete: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(tolerance) = self.options.tolerance
            && complete
            && (mcse > tolerance || mcse.is_nan())
        {
            notes.push(format!("the tolerance `{tolerance}` was not reached: raise `n`"));
        }
        if mcse == 0.0 && self.space.volume() != 0.0 {
            notes.push("all values were equal: what the points missed has no error here".into());
        }
        notes
    }
}

/// The keys of a job file, those left at nothing left out.
fn written(formula: &str, bounds: &[(f64, f64)], options: &IntegrateOptions) -> Map<String, Value> {
    let job = JobOptions {
        formula: formula.to_owned(),
        bounds: bounds::write(bounds),
        options: options.clone(),
    };
    match serde_json::to_value(job) {
        Ok(Value::Object(map)) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

impl Problem for Integrate<'_> {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        match &self.plan {
            Plan::Plain(rule) => rule.shards(),
            Plan::Stratified(rule) => rule.shards(),
            Plan::Sobol(rule) => rule.shards(),
        }
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        match &self.plan {
            Plan::Plain(rule) => self.run_shard_of(rule, shard),
            Plan::Stratified(rule) => self.run_shard_of(rule, shard),
            Plan::Sobol(rule) => self.run_shard_of(rule, shard),
        }
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        match &self.plan {
            Plan::Plain(rule) => self.solve_by(rule, on, control),
            Plan::Stratified(rule) => self.solve_by(rule, on, control),
            Plan::Sobol(rule) => self.solve_by(rule, on, control),
        }
    }
}
