//! Leave out one unit at a time: bias, standard error and acceleration without a random number.
//!
//! Units are rows, or clusters of rows. The same kernel is the second job of a BCa bootstrap.

use crate::bootstrap::setup::{Keys, Setup, Wish, columns_or_all};
use crate::bootstrap::{Formulas, Replicates, missing_data};
use crate::statistic::{Room, Target, UserStatistic};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::Range;
use windfall_core::{
    Answer, Cancel, Control, DataNote, Draws, Entry, Error, ErrorKind, Executor, Job, JobSpec,
    Kernel, Problem, Quantity, Result, Seed, Shard, Shards, Streams, Table, read_options, run,
    run_bytes,
};

/// Units of a task where leaving one out takes constant time.
const UNITS_PER_TASK_FAST: u64 = 1_024;
/// Work of a shard where it takes a pass over the rows, in row visits.
const VISITS_PER_SHARD: u64 = 1 << 20;

/// What is left out at a time: rows, or clusters of rows, stratum by stratum.
#[derive(Clone, Debug)]
pub(crate) struct Units {
    rows: Vec<u32>,
    edges: Vec<usize>,
    strata: Vec<Range<usize>>,
}

impl Units {
    /// The units of `rows` rows with these strata and clusters.
    pub fn new(rows: usize, strata: Option<&[u32]>, clusters: Option<&[u32]>) -> Self {
        let code = |codes: Option<&[u32]>, row: u32| codes.map_or(0, |codes| codes[row as usize]);
        let unit = |row: u32| clusters.map_or(row, |codes| codes[row as usize]);
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.sort_by_key(|&row| (code(strata, row), unit(row)));
        let mut edges = Vec::with_capacity(rows + 1);
        let (mut bounds, mut units) = (Vec::new(), 0);
        for (place, &row) in order.iter().enumerate() {
            let before = place.checked_sub(1).map(|before| order[before]);
            if before.is_none_or(|before| code(strata, before) != code(strata, row)) {
                bounds.push(units);
            }
            if before.is_none_or(|before| unit(before) != unit(row)) {
                edges.push(place);
                units += 1;
            }
        }
        edges.push(rows);
        bounds.push(units);
        let strata = bounds.windows(2).map(|bounds| bounds[0]..bounds[1]).collect();
        Self { rows: order, edges, strata }
    }

    /// The number of units.
    pub fn len(&self) -> usize {
        self.edges.len() - 1
    }

    /// The units of each stratum.
    pub fn strata(&self) -> &[Range<usize>] {
        &self.strata
    }

    /// The rows in the order of their strata.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    fn unit(&self, unit: usize) -> &[u32] {
        &self.rows[self.edges[unit]..self.edges[unit + 1]]
    }
}

/// The job of leaving out each unit once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaveOneOut<'a> {
    /// What is evaluated; formulas must be bound with varying counts.
    pub target: Target<'a>,
    pub units: &'a Units,
}

impl LeaveOneOut<'_> {
    /// Rows that the job visits, where leaving a unit out takes a pass over all of them; else 0.
    pub fn visits(&self) -> u64 {
        match self.target {
            Target::Formula(statistic) if statistic.leaves_fast() => 0,
            _ => (self.units.len() as u64).saturating_mul(self.units.rows.len() as u64),
        }
    }

    /// Units of a task.
    fn per_task(&self) -> u64 {
        match self.target {
            Target::Formula(statistic) if statistic.leaves_fast() => UNITS_PER_TASK_FAST,
            _ => 8,
        }
    }

    fn run_task(&self, units: Range<usize>, room: &mut Room, out: &mut [f64]) -> Result<()> {
        match self.target {
            Target::Formula(statistic) => {
                statistic.without_units(units.map(|unit| self.units.unit(unit)), room, out);
            }
            Target::User(gathered) => {
                let (mut columns, count) = (gathered.room(), units.len());
                let mut values = vec![0.0; self.target.quantities()];
                for (at, unit) in units.enumerate() {
                    let (first, end) = (self.units.edges[unit], self.units.edges[unit + 1]);
                    let mut rows = self.units.rows[..first].to_vec();
                    rows.extend_from_slice(&self.units.rows[end..]);
                    gathered.gather(&rows, &mut columns);
                    gathered.evaluate(&mut columns, 1, &mut values)?;
                    for (quantity, &value) in values.iter().enumerate() {
                        out[quantity * count + at] = value;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Kernel for LeaveOneOut<'_> {
    type Partial = Replicates;

    fn shards(&self) -> Shards {
        let (units, per_task) = (self.units.len() as u64, self.per_task());
        let per_shard = match self.target {
            Target::Formula(statistic) if statistic.leaves_fast() => 64,
            _ => VISITS_PER_SHARD / (per_task * self.units.rows.len() as u64),
        };
        Shards::new(units.div_ceil(per_task), per_shard)
    }

    fn run_shard(&self, shard: Shard, _: &Streams, cancel: &Cancel) -> Result<Replicates> {
        let quantities = self.target.quantities();
        let mut left_out = Replicates::with_capacity(quantities, 0);
        let (mut room, mut values) = (Room::default(), Vec::new());
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            let edge = |task: u64| (task * self.per_task()).min(self.units.len() as u64) as usize;
            let units = edge(task)..edge(task + 1);
            let count = units.len();
            values.clear();
            values.resize(quantities * count, 0.0);
            self.run_task(units, &mut room, &mut values)?;
            for (column, values) in left_out.columns_mut().iter_mut().zip(values.chunks(count)) {
                column.extend_from_slice(values);
            }
        }
        Ok(left_out)
    }
}

/// What the values without each unit say of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// The bias.
    pub bias: f64,
    /// The standard error.
    pub standard_error: f64,
    /// The acceleration.
    pub acceleration: f64,
}

impl Summary {
    /// Summarises `values`, one for each of `units`, of a statistic that is `estimate` on all.
    ///
    /// With `m` units in a stratum, `t_i` the values there and `t` their mean: the bias is the
    /// sum over strata of `(m - 1)(t - estimate)`, the squared standard error that of
    /// `(m - 1)/m Σ(t - t_i)²`, and with `u_i = (m - 1)(t - t_i)` the acceleration is
    /// `Σ Σu³/m³ / 6(Σ Σu²/m²)^1.5`, as in SciPy. Sources: B. Efron, R. Tibshirani, "An
    /// Introduction to the Bootstrap" (1993), chapters 11 and 14; A. C. Davison, D. V. Hinkley,
    /// "Bootstrap Methods and their Application" (1997), section 5.3.2.
    pub fn new(estimate: f64, values: &[f64], units: &Units) -> Self {
        let (mut bias, mut variance, mut squares, mut cubes) = (0.0, 0.0, 0.0, 0.0);
        for stratum in units.strata() {
            let values = &values[stratum.clone()];
            let m = values.len() as f64;
            let mean = values.iter().sum::<f64>() / m;
            let (mut second, mut third) = (0.0, 0.0);
            for value in values {
                let gap = mean - value;
                second += gap * gap;
                third += gap * gap * gap;
            }
            bias += (m - 1.0) * (mean - estimate);
            variance += (m - 1.0) / m * second;
            let scale = (m - 1.0) / m;
            squares += scale * scale * second;
            cubes += scale * scale * scale * third;
        }
        let acceleration = cubes / (6.0 * squares * squares.sqrt());
        Self { bias, standard_error: variance.sqrt(), acceleration }
    }
}

/// The options of a jackknife.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JackknifeOptions {
    /// What to estimate.
    pub statistic: Formulas,
    /// The column of strata.
    pub strata: Option<String>,
    /// The column of independent samples: `x.label` is column `x` within one of them.
    pub groups: Option<String>,
    /// The column of clusters: whole clusters are left out.
    pub clusters: Option<String>,
    /// The column of case weights, which go with their rows.
    pub weights: Option<String>,
}

impl JackknifeOptions {
    fn keys(&self) -> Keys<'_> {
        Keys {
            strata: self.strata.as_deref(),
            groups: self.groups.as_deref(),
            clusters: self.clusters.as_deref(),
            weights: self.weights.as_deref(),
            leaves_out: true,
            ..Keys::default()
        }
    }

    /// The job with these options on the data of another.
    ///
    /// # Errors
    /// None: plain options can always be written down.
    pub(crate) fn spec(&self, of: &JobSpec) -> Result<JobSpec> {
        let mut spec = JobSpec::new("jackknife");
        (spec.seed, spec.data, spec.has_code) = (of.seed, of.data.clone(), of.has_code);
        match serde_json::to_value(self) {
            Ok(Value::Object(options)) => {
                spec.options = options.into_iter().filter(|(_, value)| !value.is_null()).collect();
                Ok(spec)
            }
            other => Err(Error::wire(format!("options cannot be written down: {other:?}"))),
        }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "jackknife",
    about: "bias, standard error and acceleration of a statistic, by leaving out row after row",
    build: |spec, source| {
        let table = source.table(spec.data.as_deref().ok_or_else(missing_data)?)?;
        let mut problem = Jackknife::new(&table, read_options(&spec.options)?)?;
        let mut spec = spec.clone();
        spec.seed = Some(spec.seed.unwrap_or(problem.seed));
        problem.seed = spec.seed.unwrap_or(problem.seed);
        problem.spec = Some(spec);
        Ok(Box::new(problem))
    },
};

/// A jackknife of a table's rows. It draws nothing: its answer is exact, and its seed is 0
/// unless a job file gives one.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial, Table};
/// use windfall_stats::jackknife::{Jackknife, JackknifeOptions};
///
/// let table = Table::from_numbers([("x", vec![1.0, 2.0, 3.0, 4.0])])?;
/// let options = JackknifeOptions { statistic: "mean(x)".into(), ..Default::default() };
/// let answer = Jackknife::new(&table, options)?.solve(&Serial, &Control::default())?;
/// let error = answer.quantities[0].standard_error.unwrap();
/// assert!((error - (5.0f64 / 12.0).sqrt()).abs() < 1e-15); // sd / sqrt(n)
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Jackknife {
    spec: Option<JobSpec>,
    seed: Seed,
    data: DataNote,
    setup: Setup,
}

impl Jackknife {
    /// A jackknife of formulas over the columns of `table`.
    ///
    /// # Errors
    /// As [`crate::bootstrap::Bootstrap::new`].
    pub fn new(table: &Table, options: JackknifeOptions) -> Result<Self> {
        Self::build(table, &options, Wish::Formulas(options.statistic.texts()))
    }

    /// A jackknife of a caller's own function of the gathered `columns` (all columns of numbers
    /// if none are named); `options.statistic` is not read.
    ///
    /// # Errors
    /// As [`Jackknife::new`].
    pub fn with_statistic(
        table: &Table,
        columns: &[String],
        statistic: impl UserStatistic + 'static,
        options: &JackknifeOptions,
    ) -> Result<Self> {
        let columns = columns_or_all(table, columns);
        Self::build(table, options, Wish::User(Box::new(statistic), &columns))
    }

    /// The same job, which can run elsewhere too: whoever has the code that `spec`
    /// [names](JobSpec::has_code) builds it there.
    #[must_use]
    pub fn described_by(mut self, spec: &JobSpec) -> Self {
        self.spec = spec.with_code(self.seed);
        self
    }

    fn build(table: &Table, options: &JackknifeOptions, wish: Wish<'_>) -> Result<Self> {
        let setup = Setup::new(table, options.keys(), wish)?;
        let data = DataNote { rows: table.rows() as u64, hash: table.hash() };
        Ok(Self { spec: None, seed: Seed(0), data, setup })
    }

    fn streams(&self) -> Streams {
        Streams::new(self.seed, "jackknife")
    }
}

impl Problem for Jackknife {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.setup.leave_one_out().shards()
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        let kernel = self.setup.leave_one_out();
        run_bytes(&Job { kernel: &kernel, streams: self.streams(), spec: self.spec() }, shard)
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let estimates = self.setup.estimates()?;
        let kernel = self.setup.leave_one_out();
        let job = Job { kernel: &kernel, streams: self.streams(), spec: self.spec() };
        let outcome = run(&job, on, control)?;
        if !outcome.complete {
            return Err(Error::new(ErrorKind::Interrupted));
        }
        let columns = outcome.partial.columns();
        let summaries: Vec<Summary> = columns
            .iter()
            .zip(&estimates)
            .map(|(values, &estimate)| Summary::new(estimate, values, self.setup.units()))
            .collect();
        let quantity = |((name, &estimate), summary): ((String, &f64), &Summary)| Quantity {
            name,
            estimate,
            mcse: 0.0,
            standard_error: Some(summary.standard_error),
            bias: Some(summary.bias),
            interval: None,
        };
        let acceleration = match summaries.as_slice() {
            [one] => one.acceleration.into(),
            several => several.iter().map(|one| one.acceleration).collect::<Value>(),
        };
        let named = self.setup.names().into_iter().zip(&estimates);
        let draws = Draws { name: "units", count: self.setup.units().len() as u64 };
        Ok(Answer {
            quantities: named.zip(&summaries).map(quantity).collect(),
            data: Some(self.data.clone()),
            extra: Map::from_iter([("acceleration".to_owned(), acceleration)]),
            ..Answer::new("jackknife", "leave one out", draws, self.seed)
        })
    }
}
