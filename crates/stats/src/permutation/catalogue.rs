//! The table of test statistics: what each is, for which design, as formulas or by a function.
//!
//! Most are formulas of aggregates over columns derived from the data, such as ranks: data, not
//! code. They then take the fast ways of every formula. To add one, write its row and the function
//! that writes its formula.

use super::direct::{Direct, DistanceCorrelation, Energy, Kendall};
use super::ranks::{midranks, tie_correction};
use crate::statistic::{Side, Values};
use windfall_core::{Error, Result};
use windfall_expr::Argument::{self, Column, Number};

/// The designs that a test statistic serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Two independent samples.
    TwoGroups,
    /// Two or more independent samples.
    Groups,
    /// Related samples.
    Samples,
    /// A column permuted against another.
    Pairings,
}

impl Serves {
    /// What the design is, for a message.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::TwoGroups => "two groups",
            Self::Groups => "groups",
            Self::Samples => "related samples",
            Self::Pairings => "a permuted column",
        }
    }
}

/// One test statistic.
#[derive(Debug)]
pub struct TestStatistic {
    /// The word that calls it.
    pub name: &'static str,
    /// Its arguments: columns first, then constants.
    pub arguments: &'static [Argument],
    /// How many of the last arguments may be left out.
    pub optional: usize,
    /// The design it is for.
    pub serves: Serves,
    /// Whether it is large whatever the departure from the hypothesis.
    pub is_large_when_extreme: bool,
    /// What it is, in one sentence.
    pub about: &'static str,
    pub(crate) make: Make,
}

/// Writes a test statistic of these columns and constants as a formula of aggregates.
type Write = fn(&mut Build<'_>, &[Values], &[f64]) -> String;
/// Makes a test statistic of these columns.
type MakeDirect = fn(&Build<'_>, &[Values]) -> Result<Box<dyn Direct>>;

/// How a test statistic is computed.
pub(crate) enum Make {
    /// As a formula of aggregates.
    Formula(Write),
    /// By a function of the arrangement.
    Direct(MakeDirect),
}

impl std::fmt::Debug for Make {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Formula(_) => "Formula",
            Self::Direct(_) => "Direct",
        })
    }
}

/// What a test statistic is made from: the data, and the columns derived from them.
#[derive(Debug)]
pub(crate) struct Build<'a> {
    /// Labels: for each row its code.
    pub codes: &'a [u32],
    /// Labels: their names.
    pub labels: &'a [String],
    /// The number of positions.
    pub rows: usize,
    /// Names that derived columns must not have.
    pub taken: Vec<String>,
    /// The columns derived so far: name, values, whether they move in a pairing.
    pub derived: Vec<(String, Vec<f64>, Side)>,
}

impl Build<'_> {
    /// Adds a column and returns its name.
    fn column(&mut self, values: Vec<f64>, side: Side) -> String {
        let known = self.derived.iter().find(|(_, old, at)| *old == values && *at == side);
        if let Some((name, ..)) = known {
            return name.clone();
        }
        let name = (self.derived.len()..)
            .map(|place| format!("derived {place}"))
            .find(|name| !self.taken.contains(name))
            .unwrap_or_default();
        self.taken.push(name.clone());
        self.derived.push((name.clone(), values, side));
        name
    }

    /// The number of rows under each label.
    pub fn sizes(&self) -> Vec<usize> {
        let size = |label: usize| self.codes.iter().filter(|&&code| code as usize == label).count();
        (0..self.labels.len()).map(size).collect()
    }

    /// A column within each label, as formulas write it.
    fn within(&self, column: &str) -> Vec<String> {
        self.labels.iter().map(|label| format!("`{column}.{label}`")).collect()
    }
}

macro_rules! tests {
    ($($name:literal $arguments:expr, $optional:literal, $serves:ident $large:ident,
       $make:expr, $about:literal;)*) => {
        &[$(TestStatistic {
            name: $name,
            arguments: $arguments,
            optional: $optional,
            serves: Serves::$serves,
            is_large_when_extreme: $large,
            about: $about,
            make: $make,
        }),*]
    };
}

const UP: bool = true;
const ANY: bool = false;
/// The most related samples: each row is laid out in every order of its values.
const SAMPLES: &[Argument] = &[Column; 6];

/// Every test statistic.
pub static TESTS: &[TestStatistic] = tests! {
    "mean_difference" &[Column], 0, TwoGroups ANY, Make::Formula(mean_difference),
        "the mean of the first group less that of the second";
    "median_difference" &[Column], 0, TwoGroups ANY, Make::Formula(median_difference),
        "the median of the first group less that of the second";
    "trimmed_mean_difference" &[Column, Number], 0, TwoGroups ANY,
        Make::Formula(trimmed_difference),
        "the difference of means without the share of the second argument at either end";
    "variance_ratio" &[Column], 0, TwoGroups ANY, Make::Formula(variance_ratio),
        "the variance of the first group over that of the second";
    "t" &[Column], 0, TwoGroups ANY, Make::Formula(t),
        "Student's t of two groups, their variance pooled";
    "welch_t" &[Column], 0, TwoGroups ANY, Make::Formula(welch_t),
        "Welch's t of two groups, each with its own variance";
    "mann_whitney" &[Column], 0, TwoGroups ANY, Make::Formula(mann_whitney),
        "U of Mann and Whitney: pairs in which the first group is larger, ties for one half";
    "f" &[Column], 0, Groups UP, Make::Formula(f),
        "F of a one-way analysis of variance";
    "kruskal_wallis" &[Column], 0, Groups UP, Make::Formula(kruskal_wallis),
        "H of Kruskal and Wallis, corrected for ties";
    "energy_distance" &[Column], 0, Groups UP, Make::Direct(energy_distance),
        "the energy distance of two samples, as in SciPy; of more, DISCO's between-sample energy";
    "paired_t" &[Column, Column], 1, Samples ANY, Make::Formula(paired_t),
        "t of the differences of two related samples, or of one sample";
    "wilcoxon" &[Column, Column], 1, Samples ANY, Make::Formula(wilcoxon),
        "the sum of the ranks of the positive differences; zeros are dropped";
    "friedman" SAMPLES, 4, Samples UP, Make::Formula(friedman),
        "Friedman's chi-square of related samples, corrected for ties";
    "pearson" &[Column, Column], 0, Pairings ANY, Make::Formula(pearson),
        "Pearson's correlation";
    "spearman" &[Column, Column], 0, Pairings ANY, Make::Formula(spearman),
        "Spearman's rank correlation, ties at mid-ranks";
    "kendall" &[Column, Column], 0, Pairings ANY, Make::Direct(kendall),
        "Kendall's tau-b";
    "distance_correlation" &[Column, Column], 0, Pairings UP, Make::Direct(distance_correlation),
        "the distance correlation of Székely, Rizzo and Bakirov";
};

/// A formula of a column within the first label and within the second.
fn of_two(
    build: &mut Build<'_>,
    columns: &[Values],
    write: impl Fn(&str, &str) -> String,
) -> String {
    let x = build.column(columns[0].values.clone(), Side::Still);
    let within = build.within(&x);
    write(&within[0], &within[1])
}

fn mean_difference(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    of_two(build, columns, |a, b| format!("mean({a}) - mean({b})"))
}

fn median_difference(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    of_two(build, columns, |a, b| format!("median({a}) - median({b})"))
}

fn trimmed_difference(build: &mut Build<'_>, columns: &[Values], numbers: &[f64]) -> String {
    let share = numbers[0];
    of_two(build, columns, |a, b| {
        format!("trimmed_mean({a}, {share:?}) - trimmed_mean({b}, {share:?})")
    })
}

fn variance_ratio(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    of_two(build, columns, |a, b| format!("var({a}) / var({b})"))
}

/// The sum of squares within two groups is that of all less that between: one sum to permute.
fn t(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let x = build.column(columns[0].values.clone(), Side::Still);
    let (n, sizes) = (build.rows as f64, build.sizes());
    let (a, b) = (sizes[0] as f64, sizes[1] as f64);
    let within = build.within(&x);
    let d = format!("(mean({}) - mean({}))", within[0], within[1]);
    let square = format!("({:?}*var(`{x}`) - {:?}*{d}^2)", n - 1.0, a * b / n);
    format!("{d} / sqrt(max({square}, 0) * {:?})", (1.0 / a + 1.0 / b) / (n - 2.0))
}

fn welch_t(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let sizes = build.sizes();
    of_two(build, columns, |a, b| {
        let spread = format!("var({a})/{}.0 + var({b})/{}.0", sizes[0], sizes[1]);
        format!("(mean({a}) - mean({b})) / sqrt({spread})")
    })
}

fn mann_whitney(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let ranks = build.column(midranks(&columns[0].values), Side::Still);
    let first = build.sizes()[0] as f64;
    let least = first * (first + 1.0) / 2.0;
    format!("sum({}) - {least:?}", build.within(&ranks)[0])
}

/// `Σ n_g (mean_g - centre)²`, as text.
fn between(build: &Build<'_>, column: &str, centre: &str) -> String {
    let groups = build.within(column).into_iter().zip(build.sizes());
    let terms = groups.map(|(name, size)| format!("{size}.0*(mean({name}) - {centre})^2"));
    terms.collect::<Vec<_>>().join(" + ")
}

fn f(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let x = build.column(columns[0].values.clone(), Side::Still);
    let (n, groups) = (build.rows as f64, build.labels.len() as f64);
    let between = between(build, &x, &format!("mean(`{x}`)"));
    let within = format!("max({:?}*var(`{x}`) - ({between}), 0)", n - 1.0);
    format!("({between}) / ({within}) * {:?}", (n - groups) / (groups - 1.0))
}

fn kruskal_wallis(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let n = build.rows as f64;
    let scale = 12.0 / (n * (n + 1.0)) / tie_correction(&columns[0].values);
    let ranks = build.column(midranks(&columns[0].values), Side::Still);
    let between = between(build, &ranks, &format!("{:?}", (n + 1.0) / 2.0));
    format!("({between}) * {scale:?}")
}

fn energy_distance(build: &Build<'_>, columns: &[Values]) -> Result<Box<dyn Direct>> {
    Ok(Box::new(Energy::new(&columns[0].values, build.codes, &build.sizes())))
}

/// The differences of two related samples over the pool, or the one sample.
fn differences(columns: &[Values]) -> Vec<f64> {
    match columns {
        [x, y] => x.values.iter().zip(&y.values).map(|(x, y)| x - y).collect(),
        _ => columns[0].values.clone(),
    }
}

fn paired_t(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let n = build.rows;
    let d = build.column(differences(columns), Side::Still);
    format!("mean(`{d}`) / sqrt(var(`{d}`)/{n}.0)")
}

fn wilcoxon(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let differences = differences(columns);
    let sizes: Vec<f64> = differences[..build.rows].iter().map(|d| d.abs()).collect();
    let zeros = sizes.iter().filter(|&&size| size == 0.0).count() as f64;
    // Zeros come first among the ranks: dropping them lowers the others by their number.
    let ranks: Vec<f64> = midranks(&sizes).iter().map(|rank| rank - zeros).collect();
    let positive =
        |(place, &d): (usize, &f64)| if d > 0.0 { ranks[place % build.rows] } else { 0.0 };
    let signed = differences.iter().enumerate().map(positive).collect();
    let name = build.column(signed, Side::Still);
    format!("sum(`{name}`)")
}

fn friedman(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let (n, k) = (build.rows as f64, columns.len() as f64);
    let pool = columns[0].values.len();
    let mut ranked = vec![vec![0.0; pool]; columns.len()];
    let mut ties = 0.0;
    for row in 0..pool {
        let values: Vec<f64> = columns.iter().map(|column| column.values[row]).collect();
        let ranks = midranks(&values);
        ranked.iter_mut().zip(ranks).for_each(|(column, rank)| column[row] = rank);
        if row < build.rows {
            ties += (k * k * k - k) * (1.0 - tie_correction(&values));
        }
    }
    let correction = 1.0 - ties / (n * (k * k * k - k));
    let centre = (k + 1.0) / 2.0;
    let terms: Vec<String> = ranked
        .into_iter()
        .map(|ranks| build.column(ranks, Side::Still))
        .map(|name| format!("(mean(`{name}`) - {centre:?})^2"))
        .collect();
    format!("({}) * {:?}", terms.join(" + "), 12.0 * n / (k * (k + 1.0)) / correction)
}

fn pearson(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let name = |column: &Values| build.column(column.values.clone(), column.side);
    let names: Vec<String> = columns.iter().map(name).collect();
    format!("correlation(`{}`, `{}`)", names[0], names[1])
}

fn spearman(build: &mut Build<'_>, columns: &[Values], _: &[f64]) -> String {
    let name = |column: &Values| build.column(midranks(&column.values), column.side);
    let names: Vec<String> = columns.iter().map(name).collect();
    format!("correlation(`{}`, `{}`)", names[0], names[1])
}

/// The column that moves and the one that stays.
fn sides<'v>(columns: &'v [Values], what: &str) -> Result<[&'v [f64]; 2]> {
    match (&columns[0], &columns[1]) {
        (a, b) if (a.side, b.side) == (Side::Moving, Side::Still) => Ok([&a.values, &b.values]),
        (a, b) if (a.side, b.side) == (Side::Still, Side::Moving) => Ok([&b.values, &a.values]),
        (a, b) => {
            let value = format!("{what}({}, {})", a.text, b.text);
            Err(Error::invalid("statistic", value, "of a permuted column and one that stays")
                .hint("`permute` names the columns that move, together"))
        }
    }
}

fn kendall(_: &Build<'_>, columns: &[Values]) -> Result<Box<dyn Direct>> {
    let [moving, still] = sides(columns, "kendall")?;
    Ok(Box::new(Kendall::new(moving, still)))
}

fn distance_correlation(_: &Build<'_>, columns: &[Values]) -> Result<Box<dyn Direct>> {
    let [moving, still] = sides(columns, "distance_correlation")?;
    Ok(Box::new(DistanceCorrelation::new(moving, still)?))
}
