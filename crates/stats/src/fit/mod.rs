//! The same regression on many data sets: least squares, ridge, logistic, Poisson, quantiles.
//!
//! A task fits one group of rows. Nothing is random. A group that cannot be fitted leaves its
//! reason; it stops nothing. Each module names the source of its formulas.
//!
//! ```text
//! options.rs         the keys of a job              groups.rs      rows that belong together
//! sample.rs          the rows of one group          room.rs        buffers, and what a fit leaves
//! least_squares.rs   before and after its equations eight.rs       the equations of eight fits
//! glm.rs, pass.rs    Newton's method                quantile.rs    the simplex method
//! covariance.rs      standard errors
//! kernel.rs          groups into tasks and shards   inference.rs   p-values and intervals
//! partial.rs         records                        answer.rs      the tidy table
//! ```

mod answer;
mod covariance;
mod eight;
mod glm;
mod groups;
mod inference;
mod kernel;
mod least_squares;
mod options;
mod partial;
mod pass;
mod quantile;
mod room;
mod sample;

pub use options::{ArraysJob, Family, FitOptions, Missing, Names, StandardErrors};

use crate::bootstrap::missing_data;
use crate::formula::Formula;
use groups::Groups;
use kernel::Fitting;
use sample::{Data, Predictors};
use windfall_core::{
    Answer, Column, Control, DataNote, Entry, Error, ErrorKind, Executor, Job, JobSpec, Kernel,
    Numbers, Problem, Result, Seed, Shard, Shards, Source, Streams, Table, read_options, run,
    run_bytes,
};

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "fit",
    about: "the same regression on each group of rows: coefficients with their standard errors",
    build: |spec, source| {
        let options: FitOptions = read_options(&spec.options)?;
        let mut problem = match &options.arrays {
            Some(job) => {
                spec.without_data()?;
                Fit::arrays(arrays(job, source)?, options)?
            }
            None => {
                let path = spec.data.as_deref().ok_or_else(missing_data)?;
                Fit::new(&source.table(path)?, options)?
            }
        };
        let mut spec = spec.clone();
        // Nothing is drawn, so a seed that nobody gave is always the same.
        spec.seed = spec.seed.or(Some(Seed(0)));
        problem.seed = spec.seed.unwrap_or(Seed(0));
        problem.spec = Some(spec);
        Ok(Box::new(problem))
    },
};

/// Data of groups of equal size.
#[derive(Clone, Debug)]
pub struct Arrays {
    /// The number of groups.
    pub groups: usize,
    /// The number of rows of each.
    pub rows: usize,
    /// The names of the terms.
    pub names: Vec<String>,
    /// The values of the terms, `groups × rows × terms`, the last varying fastest.
    pub x: Numbers,
    /// The responses, `groups × rows`.
    pub y: Numbers,
    /// Weights, as the responses.
    pub weights: Option<Numbers>,
    /// The clusters of the rows, as the responses: equal numbers in a group, the same cluster.
    pub clusters: Option<Vec<u32>>,
    /// Whether to put an intercept before the terms.
    pub intercept: bool,
}

/// The arrays that a job names.
fn arrays(job: &ArraysJob, source: &dyn Source) -> Result<Arrays> {
    let numbers = |path: &String| {
        let table = source.table(path)?;
        match table.columns().next() {
            Some((_, Column::Numbers(numbers))) => Ok(numbers.clone()),
            _ => Err(Error::invalid("arrays", path, "a table of one column of numbers")),
        }
    };
    let codes = |path: &String| {
        let table = source.table(path)?;
        let name = table.names().next().unwrap_or_default();
        Ok::<_, Error>(table.labels(name)?.codes().to_vec())
    };
    Ok(Arrays {
        groups: job.groups as usize,
        rows: job.rows as usize,
        names: job.names.clone(),
        x: numbers(&job.x)?,
        y: numbers(&job.y)?,
        weights: job.weights.as_ref().map(numbers).transpose()?,
        clusters: job.cluster.as_ref().map(codes).transpose()?,
        intercept: job.intercept,
    })
}

/// One regression of each group of rows.
///
/// # Examples
/// ```
/// use windfall_core::{Column, Control, Labels, Numbers, Problem, Serial, Table};
/// use windfall_stats::fit::{Fit, FitOptions};
///
/// let column = |values: &[f64]| Column::Numbers(Numbers::from(values.to_vec()));
/// let table = Table::new(vec![
///     ("x".into(), column(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0])),
///     ("y".into(), column(&[2.0, 4.0, 6.5, 5.0, 3.0, 1.5])),
///     ("g".into(), Column::Labels(Labels::new(["a", "a", "a", "b", "b", "b"]))),
/// ])?;
/// let options = FitOptions {
///     formula: "y ~ x".into(),
///     by: windfall_stats::fit::Names::One("g".into()),
///     ..Default::default()
/// };
/// let answer = Fit::new(&table, options)?.solve(&Serial, &Control::default())?;
/// let rows = answer.table.unwrap();
/// let estimates = rows.numbers("estimate")?;
/// assert_eq!(rows.labels("term")?.get(1), "x");
/// assert!((estimates[1] - 2.25).abs() < 1e-14 && (estimates[3] + 1.75).abs() < 1e-14);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Fit {
    spec: Option<JobSpec>,
    seed: Seed,
    options: FitOptions,
    /// The names of the terms.
    names: Vec<String>,
    /// The columns that tell groups apart, one row a group.
    keys: Vec<(String, Column)>,
    note: Option<DataNote>,
    data: Data,
}

impl Fit {
    /// A fit of the model `options.formula` to each group of the rows of `table`.
    ///
    /// # Cost
    /// A column for each term that is not a plain column of the table, and the grouping.
    ///
    /// # Errors
    /// As [`Formula::parse`] and [`Formula::design`]; [`ErrorKind::Unknown`] for columns;
    /// [`ErrorKind::Invalid`] for options that do not go together and negative weights;
    /// [`ErrorKind::TooFew`] for a table without rows.
    pub fn new(table: &Table, options: FitOptions) -> Result<Self> {
        options.check()?;
        if table.rows() == 0 {
            return Err(Error::too_few("rows", 0, 1));
        }
        if table.rows() > u32::MAX as usize {
            return Err(Error::invalid("rows", table.rows(), "below 2^32"));
        }
        let aside = [&options.cluster, &options.weights].into_iter().flatten();
        let aside: Vec<String> = options.by.list().iter().chain(aside).cloned().collect();
        let formula = Formula::parse(&options.formula, table, &aside)?;
        for name in options.by.list() {
            if answer::column_names(options.family).any(|own| own == name) {
                let expected = "a column that is not named like one of the answer's";
                return Err(Error::invalid("by", name, expected).hint("give it another name"));
            }
        }
        let Groups { order, edges, keys } = Groups::new(table, options.by.list())?;
        let clusters = match &options.cluster {
            None => None,
            Some(name) => Some(table.labels(name)?.codes().to_vec()),
        };
        let weights = options.weights.as_deref().map(|name| weights(table, name)).transpose()?;
        let design = formula.design(table)?;
        let intercept = design.intercept;
        let terms = design.columns.into_iter().skip(usize::from(intercept)).collect();
        let x = Predictors::Columns(terms);
        let (y, offset) = (design.response, design.offset);
        let data = Data { x, intercept, y, offset, weights, clusters, order, edges };
        let note = Some(DataNote { rows: table.rows() as u64, hash: table.hash() });
        Ok(Self { spec: None, seed: Seed(0), options, names: design.names, keys, note, data })
    }

    /// A fit to each group of `arrays`; `options.formula` and the columns that options name are
    /// not read.
    ///
    /// # Cost
    /// Nothing is copied.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for lengths that do not go together, options that name columns, and
    /// negative weights.
    pub fn arrays(arrays: Arrays, mut options: FitOptions) -> Result<Self> {
        let Arrays { groups, rows, names, x, y, weights, clusters, intercept } = arrays;
        let columns =
            [("by", !options.by.list().is_empty()), ("cluster", options.cluster.is_some())];
        if let Some((what, _)) = columns.into_iter().find(|(_, is_given)| *is_given) {
            let expected = "left out with arrays, which have no columns";
            return Err(Error::invalid(what, "given", expected));
        }
        options.cluster = clusters.as_ref().map(|_| "cluster".to_owned());
        options.check()?;
        let count = names.len();
        let all = groups.checked_mul(rows).filter(|&all| all <= u32::MAX as usize);
        let Some(all) = all.filter(|&all| all > 0) else {
            let value = format!("{groups} groups of {rows} rows");
            return Err(Error::invalid("shape", value, "at least one row and fewer than 2^32"));
        };
        let length = |list: &Numbers| list.as_slice().len();
        let lengths = [
            ("x", length(&x), all * count),
            ("y", length(&y), all),
            ("weights", weights.as_ref().map_or(all, length), all),
            ("cluster", clusters.as_ref().map_or(all, Vec::len), all),
        ];
        for (what, got, need) in lengths {
            if got != need {
                let expected = format!("{need} numbers: {groups} groups of {rows} rows");
                return Err(Error::invalid(what, format!("{got} numbers"), &expected));
            }
        }
        if count == 0 && !intercept {
            return Err(Error::too_few("terms", 0, 1));
        }
        if let Some(weights) = &weights {
            check_weights("weights", weights.as_slice())?;
        }
        let edges = (0..=groups).map(|group| group * rows).collect();
        let x = Predictors::Rows(x, count);
        let (offset, order) = (None, None);
        let data = Data { x, intercept, y, offset, weights, clusters, order, edges };
        let group: Vec<f64> = (0..groups).map(|group| group as f64).collect();
        let keys = vec![("group".to_owned(), Column::Numbers(Numbers::from(group)))];
        let first = intercept.then(|| "(Intercept)".to_owned());
        let names = first.into_iter().chain(names).collect();
        Ok(Self { spec: None, seed: Seed(0), options, names, keys, note: None, data })
    }

    fn kernel(&self) -> Fitting<'_> {
        Fitting { data: &self.data, options: &self.options }
    }

    fn job<'a>(&'a self, kernel: &'a Fitting<'a>) -> Job<'a, Fitting<'a>> {
        Job { kernel, streams: Streams::new(self.seed, "fit"), spec: self.spec.as_ref() }
    }

    /// The method, in one word.
    fn method(&self) -> &'static str {
        match self.options.family {
            Family::Gaussian if self.options.ridge > 0.0 => "ridge",
            Family::Gaussian if self.data.weights.is_some() => "wls",
            Family::Gaussian => "ols",
            Family::Logistic => "logistic",
            Family::Poisson => "poisson",
            Family::Quantile => "quantile",
        }
    }

    /// What a response may be.
    fn allowed(&self) -> &'static str {
        match self.options.family {
            Family::Logistic => "it must be from 0 to 1",
            Family::Poisson => "it must not be negative",
            Family::Gaussian | Family::Quantile => "it must be a number",
        }
    }
}

/// The column of weights.
fn weights(table: &Table, name: &str) -> Result<Numbers> {
    match table.column(name)? {
        Column::Numbers(numbers) => {
            check_weights(name, numbers.as_slice())?;
            Ok(numbers.clone())
        }
        Column::Labels(labels) => {
            let first = labels.names().first().map_or("", String::as_str);
            Err(Error::new(ErrorKind::Invalid {
                what: name.into(),
                value: first.into(),
                expected: "a column of numbers".into(),
            }))
        }
    }
}

fn check_weights(what: &str, weights: &[f64]) -> Result<()> {
    match weights.iter().position(|&weight| weight < 0.0) {
        None => Ok(()),
        Some(row) => {
            let value = format!("{} in row {row}", weights[row]);
            Err(Error::invalid(what, value, "a column of weights, none negative"))
        }
    }
}

impl Problem for Fit {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.kernel().shards()
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        let kernel = self.kernel();
        run_bytes(&self.job(&kernel), shard)
    }

    fn is_tabular(&self) -> bool {
        true
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let kernel = self.kernel();
        answer::answer(self, run(&self.job(&kernel), on, control)?)
    }
}
