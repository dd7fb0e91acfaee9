//! From a table and the design keys of a job to everything that bootstrap and jackknife share.

use crate::jackknife::{LeaveOneOut, Units};
use crate::resample::{BlockKind, Blocks, Design, DesignOptions};
use crate::statistic::{
    Counts, Frame, Gathered, Statistic, Target, UserStatistic, read, vocabulary,
};
use std::collections::HashMap;
use std::sync::OnceLock;
use windfall_core::{Column, Error, ErrorKind, Labels, Result, Table};

/// The keys that say how the rows of a table were come by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keys<'a> {
    pub strata: Option<&'a str>,
    pub groups: Option<&'a str>,
    pub clusters: Option<&'a str>,
    pub weights: Option<&'a str>,
    pub blocks: Option<BlockKind>,
    pub block_length: Option<f64>,
    pub bayesian: bool,
    /// Whether units are left out: for a jackknife, or the acceleration of bca.
    pub leaves_out: bool,
}

/// What to estimate.
pub(crate) enum Wish<'a> {
    /// Formulas.
    Formulas(&'a [String]),
    /// A user's function of these columns.
    User(Box<dyn UserStatistic>, &'a [String]),
}

/// A statistic, ready for both jobs.
#[derive(Debug)]
pub(crate) enum Form {
    /// Formulas, bound for resamples and, where that differs and is wanted, for leaving out units.
    Formula { drawn: Box<Statistic>, left: Option<Box<Statistic>> },
    /// A user's function.
    User(Gathered),
}

/// A table made ready to be resampled.
#[derive(Debug)]
pub(crate) struct Setup {
    pub design: Design,
    pub form: Form,
    pub rows: usize,
    /// Whether rows are drawn one by one, in strata perhaps: no clusters, no blocks.
    pub is_rowwise: bool,
    /// Whether every label or the whole table is resampled plainly.
    pub is_plain_within: bool,
    /// The codes of strata and of clusters.
    codes: [Option<Vec<u32>>; 2],
    units: OnceLock<Units>,
}

impl Setup {
    /// Checks the data and binds the statistic.
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`] for fewer than two rows, clusters, or rows of a label; the errors of
    /// columns, formulas and designs.
    pub fn new(table: &Table, keys: Keys<'_>, wish: Wish<'_>) -> Result<Self> {
        let rows = table.rows();
        if rows < 2 {
            return Err(Error::too_few("rows", rows as u64, 2));
        }
        let labels = |name: Option<&str>| name.map(|name| table.labels(name)).transpose();
        let (groups, strata) = (labels(keys.groups)?, labels(keys.strata)?);
        let clusters = labels(keys.clusters)?;
        check_sizes(groups.as_ref(), clusters.as_ref())?;
        let strata = crossed(groups.as_ref(), strata.as_ref());
        let clusters = clusters.as_ref().map(Labels::codes);
        let design = Design::new(DesignOptions {
            rows,
            strata: strata.as_deref(),
            clusters,
            blocks: blocks(&keys)?,
            bayesian: keys.bayesian,
        })?;
        let counts = match (keys.bayesian, clusters) {
            (true, _) => Counts::Real,
            (_, Some(_)) => Counts::Varying,
            _ => Counts::Fixed,
        };
        let frame = |counts| Frame::new(table, keys.groups, keys.weights, counts);
        let form = match wish {
            Wish::Formulas([]) => {
                return Err(Error::invalid("statistic", "missing", "a formula")
                    .hint("write for example: statistic = \"mean(x)\""));
            }
            Wish::Formulas(texts) => {
                let exchangeable = strata.is_none() && clusters.is_none() && keys.blocks.is_none();
                let formulas = read(texts, &vocabulary(frame(counts)?.names()))?;
                let bind = |counts| {
                    let mut frame = frame(counts)?;
                    let statistic = Statistic::bind(&formulas, &frame)?;
                    match statistic.order() {
                        Some(order) if exchangeable => {
                            frame.reorder(order.to_vec());
                            Statistic::bind(&formulas, &frame)
                        }
                        _ => Ok(statistic),
                    }
                    .map(Box::new)
                };
                let left = keys.leaves_out && counts != Counts::Varying;
                let left = left.then(|| bind(Counts::Varying)).transpose()?;
                Form::Formula { drawn: bind(counts)?, left }
            }
            Wish::User(..) if keys.bayesian => {
                return Err(Error::invalid("bayesian", true, "false with a user's function")
                    .hint("the Bayesian bootstrap weighs rows; write the statistic as a formula"));
            }
            Wish::User(statistic, columns) => {
                Form::User(Gathered::new(statistic, columns, &frame(counts)?)?)
            }
        };
        let is_rowwise = clusters.is_none() && keys.blocks.is_none() && !keys.bayesian;
        let is_plain_within = is_rowwise && keys.strata.is_none();
        let codes = [strata, clusters.map(<[u32]>::to_vec)];
        let units = OnceLock::new();
        Ok(Self { design, form, rows, is_rowwise, is_plain_within, codes, units })
    }

    /// What can be left out, put in order when first asked for.
    pub fn units(&self) -> &Units {
        let [strata, clusters] = &self.codes;
        self.units.get_or_init(|| Units::new(self.rows, strata.as_deref(), clusters.as_deref()))
    }

    /// The names of the quantities.
    pub fn names(&self) -> Vec<String> {
        match self.target() {
            Target::Formula(statistic) => statistic.names.clone(),
            Target::User(gathered) => gathered.names(),
        }
    }

    /// The quantities of the data themselves.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if one has no value; what a user's function reports.
    pub fn estimates(&self) -> Result<Vec<f64>> {
        let estimates = match self.target() {
            Target::Formula(statistic) => statistic.estimates(),
            Target::User(gathered) => {
                let mut out = vec![0.0; gathered.names().len()];
                let mut columns = gathered.room();
                let rows: Vec<u32> = (0..self.rows as u32).collect();
                gathered.gather(&rows, &mut columns);
                gathered.evaluate(&mut columns, 1, &mut out)?;
                out
            }
        };
        match estimates.iter().position(|estimate| !estimate.is_finite()) {
            None => Ok(estimates),
            Some(place) => {
                let value = format!("{} = {}", self.names()[place], estimates[place]);
                Err(Error::invalid("statistic", value, "a number on the data themselves")
                    .hint("a constant or collinear column has no correlation, slope or ratio"))
            }
        }
    }

    /// What is evaluated on resamples.
    pub fn target(&self) -> Target<'_> {
        match &self.form {
            Form::Formula { drawn, .. } => Target::Formula(drawn),
            Form::User(gathered) => Target::User(gathered),
        }
    }

    /// The place of each row in the order of the strata.
    pub fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.rows];
        for (place, &row) in self.units().rows().iter().enumerate() {
            places[row as usize] = place as u32;
        }
        places
    }

    /// The job of leaving out each unit.
    pub fn leave_one_out(&self) -> LeaveOneOut<'_> {
        let target = match &self.form {
            Form::Formula { drawn, left } => Target::Formula(left.as_ref().unwrap_or(drawn)),
            Form::User(gathered) => Target::User(gathered),
        };
        LeaveOneOut { target, units: self.units() }
    }
}

/// Refuses labels and tables that hold fewer than two units.
fn check_sizes(groups: Option<&Labels>, clusters: Option<&Labels>) -> Result<()> {
    if let Some(clusters) = clusters
        && clusters.names().len() < 2
    {
        return Err(Error::too_few("clusters", clusters.names().len() as u64, 2));
    }
    let Some(groups) = groups else { return Ok(()) };
    for (code, name) in groups.names().iter().enumerate() {
        let rows = groups.codes().iter().filter(|&&own| own as usize == code).count();
        if rows < 2 {
            return Err(Error::too_few(&format!("rows of group `{name}`"), rows as u64, 2));
        }
    }
    Ok(())
}

/// The codes of strata: those of groups, of strata, or of both crossed.
fn crossed(groups: Option<&Labels>, strata: Option<&Labels>) -> Option<Vec<u32>> {
    match (groups, strata) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.codes().to_vec()),
        (Some(groups), Some(strata)) => {
            let mut known = HashMap::new();
            let pairs = groups.codes().iter().zip(strata.codes());
            Some(
                pairs
                    .map(|pair| {
                        let next = known.len() as u32;
                        *known.entry(pair).or_insert(next)
                    })
                    .collect(),
            )
        }
    }
}

/// The blocks that the keys ask for.
fn blocks(keys: &Keys<'_>) -> Result<Option<Blocks>> {
    match (keys.blocks, keys.block_length) {
        (None, None) => Ok(None),
        (Some(kind), Some(length)) => Ok(Some(Blocks { kind, length })),
        (Some(kind), None) => Err(Error::new(ErrorKind::Invalid {
            what: "block_length".into(),
            value: "missing".into(),
            expected: format!("given with `blocks = \"{kind}\"`"),
        })
        .hint("n^(1/3) rows is a common first choice")),
        (None, Some(length)) => {
            Err(Error::invalid("block_length", length, "left out without `blocks`")
                .hint("write blocks = \"moving\", \"circular\" or \"stationary\""))
        }
    }
}

/// The columns named or, if none are, all columns of numbers.
pub(crate) fn columns_or_all(table: &Table, columns: &[String]) -> Vec<String> {
    if !columns.is_empty() {
        return columns.to_vec();
    }
    let numbers = |name: &&str| matches!(table.column(name), Ok(Column::Numbers(_)));
    table.names().filter(numbers).map(str::to_owned).collect()
}
