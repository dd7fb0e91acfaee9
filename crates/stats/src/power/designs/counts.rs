//! Tests of counts: proportions by z and by Fisher, tables by chi-square.
//!
//! A test sees only how many values fall where, so that a binomial or multinomial draw stands for
//! a sample, exactly; with `full_data` each value is drawn and counted.

use super::means::contrast;
use super::sources;
use crate::hypothesis::fisher::Margins;
use crate::hypothesis::{Alternative, chi_square, proportion};
use crate::law;
use crate::power::catalogue::Setup;
use crate::power::law::{Base, Law};
use crate::power::options::between;
use crate::power::ready::{Decide, Decision, Drawn, Ready, Source};
use std::ops::RangeInclusive;
use windfall_core::{Error, Result};
use windfall_streams::{Binomial, Multinomial};

/// The source of the number of successes in `n`: one binomial number, or `n` zeros and ones.
fn successes(setup: &Setup<'_>, n: usize, p: f64) -> Result<Source> {
    let wrong = |_| Error::invalid("proportions", p, "from 0 to 1");
    let plain = |base| Law { base, shift: 0.0, scale: 1.0 };
    let law = Binomial::new(n as u64, p).map_err(wrong)?;
    Ok(match setup.design.full_data {
        true => Source { law: plain(Base::Bernoulli(p)), size: n },
        false => Source { law: plain(Base::Binomial(law, n as u64, p)), size: 1 },
    })
}

fn drawn(setup: &Setup<'_>) -> Drawn {
    if setup.design.full_data { Drawn::Values } else { Drawn::Summaries }
}

/// The proportion that lies Cohen's `h` above `p`; at most 1 and at least 0.
fn above(p: f64, h: f64) -> f64 {
    let angle = windfall_lanes::scalar_math::asin(p.sqrt()) + 0.5 * h;
    let sine = windfall_lanes::scalar_math::sin(angle.clamp(0.0, std::f64::consts::FRAC_PI_2));
    sine * sine
}

/// The proportions given, `count` of them, or those that lie the effect apart from `null`.
fn proportions(setup: &Setup<'_>, count: usize, null: f64) -> Result<Vec<f64>> {
    let given = setup.design.proportions.row("proportions")?;
    if given.is_empty() {
        let mut all = vec![above(null, setup.effect()?), null];
        all.truncate(count);
        return Ok(all);
    }
    if setup.point.effect.is_some() {
        return Err(Error::invalid("effect", "given", "left out where `proportions` are given"));
    }
    if given.len() != count {
        let expected = format!("{count} of them, one a sample");
        return Err(Error::invalid("proportions", given.len(), &expected));
    }
    for &p in &given {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::invalid("proportions", p, "from 0 to 1"));
        }
    }
    Ok(given)
}

/// The value that a standard normal number passes with probability alpha.
pub(super) fn critical_z(setup: &Setup<'_>) -> f64 {
    let two = setup.design.alternative == Alternative::TwoSided;
    -law::normal::quantile(if two { 0.5 * setup.design.alpha } else { setup.design.alpha })
}

/// Whether z lies beyond the critical value; none if it is NaN.
pub(super) fn z_rejects(z: f64, critical: f64, side: Alternative) -> Option<bool> {
    if z.is_nan() {
        return None;
    }
    Some(match side {
        Alternative::TwoSided => z.abs() >= critical,
        Alternative::Less => -z >= critical,
        Alternative::Greater => z >= critical,
    })
}

pub(in crate::power) fn one_proportion(setup: &Setup<'_>) -> Result<Ready> {
    let null = between("null", setup.design.null.unwrap_or(0.5), (0.0, 1.0))?;
    let p = proportions(setup, 1, null)?;
    let sources = vec![successes(setup, setup.n(), p[0])?];
    let (critical, side) = (critical_z(setup), setup.design.alternative);
    let test = One { n: setup.n() as f64, null, critical, side };
    Ok(Ready { sources, decision: Decision::Data(Box::new(test)), drawn: drawn(setup) })
}

#[derive(Debug)]
struct One {
    n: f64,
    null: f64,
    critical: f64,
    side: Alternative,
}

impl Decide for One {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let z = proportion::one_sample_statistic(count(&samples[0]), self.n, self.null);
        z_rejects(z, self.critical, self.side)
    }
}

/// The successes of a sample, whichever way they were drawn: whole numbers, so exact.
fn count(sample: &[f64]) -> f64 {
    windfall_lanes::sum(sample)
}

/// The samples of two proportions.
fn two(setup: &Setup<'_>) -> Result<Vec<Source>> {
    let p = proportions(setup, 2, 0.5)?;
    let sizes = setup.pair();
    (0..2).map(|sample| successes(setup, sizes[sample], p[sample])).collect()
}

pub(in crate::power) fn two_proportions(setup: &Setup<'_>) -> Result<Ready> {
    let sizes = setup.pair().map(|size| size as f64);
    let (critical, side) = (critical_z(setup), setup.design.alternative);
    let decision = Decision::Data(Box::new(Two { sizes, critical, side }));
    Ok(Ready { sources: two(setup)?, decision, drawn: drawn(setup) })
}

#[derive(Debug)]
struct Two {
    sizes: [f64; 2],
    critical: f64,
    side: Alternative,
}

impl Decide for Two {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let [x, y] = [0, 1].map(|sample| (count(&samples[sample]), self.sizes[sample]));
        z_rejects(proportion::two_sample_statistic(x, y), self.critical, self.side)
    }
}

pub(in crate::power) fn fisher(setup: &Setup<'_>) -> Result<Ready> {
    let sizes = setup.pair();
    if sizes[0] + sizes[1] > Fisher::ALL_MAX {
        let expected = format!("at most {} in both samples", Fisher::ALL_MAX);
        let error = Error::invalid("n", setup.point.n, &expected);
        return Err(error.hint("use `proportions`, the z test, which is as good at such sizes"));
    }
    let (first, second) = (sizes[0] as u64, sizes[1] as u64);
    let accepted = (0..=first + second).map(|total| {
        let margins = Margins { first, second, total };
        margins.accepted(setup.design.alpha, setup.design.alternative)
    });
    let test = Fisher { accepted: accepted.collect() };
    Ok(Ready {
        sources: two(setup)?,
        decision: Decision::Data(Box::new(test)),
        drawn: drawn(setup),
    })
}

/// The counts of the first sample that are not rejected, for each total.
#[derive(Debug)]
struct Fisher {
    accepted: Vec<RangeInclusive<u64>>,
}

impl Fisher {
    /// The most subjects: the regions of all totals then take some 0.1 s to work out.
    const ALL_MAX: usize = 10_000;
}

impl Decide for Fisher {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let [x, y] = [0, 1].map(|sample| count(&samples[sample]) as u64);
        Some(!self.accepted[(x + y) as usize].contains(&x))
    }
}

/// Chances that sum to 1, from numbers that nearly do.
fn chances(key: &str, given: Vec<f64>) -> Result<Vec<f64>> {
    let total: f64 = given.iter().sum();
    if given.iter().any(|&p| !(0.0..=1.0).contains(&p)) || (total - 1.0).abs() > 1e-6 {
        return Err(Error::invalid(key, total, "chances from 0 to 1 that sum to 1"));
    }
    Ok(given.into_iter().map(|p| p / total).collect())
}

/// The most cells of a table.
const CELLS_MAX: usize = 10_000;

/// The numbers of `cells`, `count` of them.
fn cells(setup: &Setup<'_>, count: usize) -> Result<Vec<usize>> {
    let given = setup.design.cells.row("cells")?;
    let whole = given.iter().all(|&k| k >= 2.0 && k.fract() == 0.0);
    if given.len() != count || !whole || given.iter().product::<f64>() > CELLS_MAX as f64 {
        let expected = match count {
            1 => "the number of cells, at least 2",
            _ => "the numbers of rows and columns, at least 2 each",
        };
        let shown =
            if given.is_empty() { "missing".into() } else { setup.design.cells.0.to_string() };
        return Err(Error::invalid("cells", shown, expected)
            .hint("or give the chances themselves: `probabilities`"));
    }
    Ok(given.into_iter().map(|k| k as usize).collect())
}

/// Even chances, tilted by `effect` along contrasts of rows and columns, so that Cohen's w is it.
fn tilted(effect: f64, rows: usize, columns: usize) -> Result<Vec<f64>> {
    let row = if rows == 1 { vec![1.0] } else { contrast(rows) };
    let (column, all) = (contrast(columns), (rows * columns) as f64);
    let pairs = row.iter().flat_map(|r| column.iter().map(move |c| r * c));
    let chances: Vec<f64> = pairs.map(|tilt| effect.mul_add(tilt, 1.0) / all).collect();
    if chances.iter().any(|&p| p < 0.0) {
        let expected = "a w so small that no chance falls below 0";
        return Err(Error::invalid("effect", effect, expected));
    }
    Ok(chances)
}

/// The table test of `chances`: counts drawn at once or values sorted into cells.
fn table(setup: &Setup<'_>, chances: Vec<f64>, null: Null, freedom: f64) -> Result<Ready> {
    let wrong =
        |e: windfall_streams::ParameterError| Error::invalid("probabilities", e.value, e.allowed);
    let critical = law::chi_square::quantile(freedom, 1.0 - setup.design.alpha);
    let law = Multinomial::new(setup.point.n, &chances).map_err(wrong)?;
    let cells = chances.len();
    let (source, ends) = if setup.design.full_data {
        let ends = chances.iter().scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        });
        (Source { law: Law::uniform(), size: setup.n() }, Some(ends.collect()))
    } else {
        let law = Law { base: Base::Counts(law), shift: 0.0, scale: 1.0 };
        (Source { law, size: cells }, None)
    };
    let test = Table { ends, cells, null, critical };
    let decision = Decision::Data(Box::new(test));
    Ok(Ready { sources: sources([source.law], [source.size]), decision, drawn: drawn(setup) })
}

pub(in crate::power) fn goodness_of_fit(setup: &Setup<'_>) -> Result<Ready> {
    let given = setup.design.probabilities.row("probabilities")?;
    let null = setup.design.null_probabilities.row("null_probabilities")?;
    let chances = if given.is_empty() {
        if !null.is_empty() {
            let expected = "left out with an effect, which starts from even chances";
            return Err(Error::invalid("null_probabilities", "given", expected));
        }
        tilted(setup.effect()?, 1, cells(setup, 1)?[0])?
    } else {
        without_effect(setup)?;
        self::chances("probabilities", given)?
    };
    let null = match null.is_empty() {
        true => vec![1.0 / chances.len() as f64; chances.len()],
        false => self::chances("null_probabilities", null)?,
    };
    if null.len() != chances.len() || null.contains(&0.0) || null.len() < 2 {
        let expected = format!("{} chances above 0, at least two", chances.len());
        return Err(Error::invalid("null_probabilities", null.len(), &expected));
    }
    let freedom = chances.len() as f64 - 1.0;
    table(setup, chances, Null::Chances(null), freedom)
}

pub(in crate::power) fn independence(setup: &Setup<'_>) -> Result<Ready> {
    let given = setup.design.probabilities.rows("probabilities")?;
    let (chances, rows, columns) = if given.is_empty() {
        let cells = cells(setup, 2)?;
        (tilted(setup.effect()?, cells[0], cells[1])?, cells[0], cells[1])
    } else {
        without_effect(setup)?;
        let (rows, columns) = (given.len(), given[0].len());
        if rows < 2 || columns < 2 || given.iter().any(|row| row.len() != columns) {
            let expected =
                "rows of one length, at least two of at least two, such as 0.1,0.2;0.3,0.4";
            return Err(Error::invalid("probabilities", &setup.design.probabilities.0, expected));
        }
        (self::chances("probabilities", given.concat())?, rows, columns)
    };
    let freedom = ((rows - 1) * (columns - 1)) as f64;
    table(setup, chances, Null::Columns(columns), freedom)
}

fn without_effect(setup: &Setup<'_>) -> Result<()> {
    let given = setup.point.effect.is_some() || setup.design.cells.is_given();
    let expected = "left out where `probabilities` are given";
    if given { Err(Error::invalid("effect or cells", "given", expected)) } else { Ok(()) }
}

/// What counts are held against.
#[derive(Debug)]
enum Null {
    /// These chances.
    Chances(Vec<f64>),
    /// Independence of the rows and this many columns.
    Columns(usize),
}

#[derive(Debug)]
struct Table {
    /// Where each cell ends in (0, 1), if values are drawn.
    ends: Option<Vec<f64>>,
    cells: usize,
    null: Null,
    critical: f64,
}

impl Decide for Table {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let counts = &mut samples[0];
        if let Some(ends) = &self.ends {
            let mut sorted = vec![0.0; self.cells];
            for value in counts.iter() {
                let cell = ends.partition_point(|end| end <= value);
                sorted[cell.min(self.cells - 1)] += 1.0;
            }
            *counts = sorted;
        }
        let statistic = match &self.null {
            Null::Chances(null) => chi_square::goodness_statistic(counts, null),
            Null::Columns(columns) => chi_square::independence_statistic(counts, *columns),
        };
        if statistic.is_nan() { None } else { Some(statistic >= self.critical) }
    }
}
