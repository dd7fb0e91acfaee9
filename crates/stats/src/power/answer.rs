//! From counts to power with its Monte Carlo error, one quantity and one row a point.

use super::counts::Counts;
use super::ready::{Drawn, Point};
use crate::law::binomial::clopper_pearson;
use windfall_core::{Interval, Quantity, Result, Table};

/// The power at each point: the share of simulations that the test rejected.
///
/// MCSE √(p (1 - p) / N), interval of Clopper and Pearson.
pub(crate) fn quantities(points: &[Point], counts: &Counts, level: f64) -> Vec<Quantity> {
    let named = points.iter().zip(&counts.points);
    let n = counts.simulations;
    let quantity = |(point, count): (&Point, &super::counts::Count)| {
        let p = count.rejected as f64 / n as f64;
        let mcse = (p * (1.0 - p) / n as f64).sqrt();
        let (low, high) = clopper_pearson(count.rejected, n, level);
        let method = "clopper-pearson".into();
        let interval = Interval { low, high, level, method, low_mcse: mcse, high_mcse: mcse };
        Quantity { interval: Some(interval), ..Quantity::new(name(point, points), p, mcse) }
    };
    named.map(quantity).collect()
}

/// `power`, with what tells the point from the others.
fn name(point: &Point, all: &[Point]) -> String {
    let mut parts = Vec::new();
    if all.iter().any(|other| other.n != point.n) {
        parts.push(format!("n = {}", point.n));
    }
    if let Some(effect) = point.effect
        && all.iter().any(|other| other.effect != point.effect)
    {
        parts.push(format!("effect = {effect}"));
    }
    if parts.is_empty() { "power".into() } else { format!("power at {}", parts.join(", ")) }
}

/// The points as rows: n, effect if there is one, power, mcse and the interval.
pub(crate) fn table(points: &[Point], quantities: &[Quantity]) -> Result<Table> {
    let end = |end: fn(&Interval) -> f64| {
        let ends =
            quantities.iter().map(|quantity| quantity.interval.as_ref().map_or(f64::NAN, end));
        ends.collect::<Vec<f64>>()
    };
    let mut columns = vec![("n", points.iter().map(|point| point.n as f64).collect())];
    let effects: Option<Vec<f64>> = points.iter().map(|point| point.effect).collect();
    columns.extend(effects.map(|effects| ("effect", effects)));
    columns.extend([
        ("power", quantities.iter().map(|quantity| quantity.estimate).collect::<Vec<f64>>()),
        ("mcse", quantities.iter().map(|quantity| quantity.mcse).collect()),
        ("low", end(|interval| interval.low)),
        ("high", end(|interval| interval.high)),
    ]);
    Table::from_numbers(columns)
}

/// What the user should know.
pub(crate) fn notes(points: &[Point], counts: &Counts, drawn: Drawn) -> Vec<String> {
    let mut notes = Vec::new();
    if drawn == Drawn::Summaries {
        notes.push(
            "the test sees only sums or counts of each sample: these were drawn by their exact \
             law in place of the data; `full_data = true` draws every value"
                .to_owned(),
        );
    }
    for (point, count) in points.iter().zip(&counts.points) {
        if count.undefined > 0 {
            notes.push(format!(
                "{} of {} simulations at n = {} allowed no test (no spread, no events, outcomes \
                 that a predictor separates): they count as not rejecting",
                count.undefined, counts.simulations, point.n
            ));
        }
    }
    let sure = |rejected: u64| rejected == 0 || rejected == counts.simulations;
    if counts.points.iter().any(|count| sure(count.rejected)) {
        notes.push(
            "where all simulations agree the Monte Carlo standard error shows as 0; the interval \
             tells what they bear"
                .to_owned(),
        );
    }
    notes
}
