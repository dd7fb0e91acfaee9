//! Problems with code of one's own: the integral and the bootstrap of closures.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::path::Path;
use windfall::prelude::*;
use windfall::stats::bootstrap::{Bootstrap, BootstrapOptions};
use windfall::stats::integrate::{Integrate, IntegrateOptions, Method};
use windfall::stats::statistic::Columns;
use windfall::{Control, Problem, Threads, files, machine};

/// The cities' populations in 1920 and 1930.
const CITIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/city.csv");

/// Solves both problems on every core and holds the answers to known values.
pub fn main() -> Result<()> {
    let every_core = Threads::new(machine::workers()?.count);

    // The volume under 1/(1 + x² + y²) over the unit square: 0.639510351870311.
    let dome = |x: &[f64]| 1.0 / (1.0 + x[0] * x[0] + x[1] * x[1]);
    let options = IntegrateOptions { method: Method::Sobol, ..Default::default() };
    let integral = Integrate::new(dome, &[(0.0, 1.0), (0.0, 1.0)], options, 1_u64.into())?;
    let volume = &integral.solve(&every_core, &Control::default())?.quantities[0];
    assert!((volume.estimate - 0.639_510_351_870_311).abs() < 6.0 * volume.mcse);
    println!("volume {} ± {}", volume.estimate, volume.mcse);

    // How unequal are cities? The Gini coefficient is no formula of aggregates.
    let table = files::read(Path::new(CITIES))?;
    let options = BootstrapOptions::default();
    let bootstrap = Bootstrap::with_statistic(&table, &["x".into()], Columns(gini), options)?;
    let answer = bootstrap.with_seed(1_u64.into()).solve(&every_core, &Control::default())?;
    let inequality = &answer.quantities[0];
    assert!((inequality.estimate - GINI_1930).abs() < 1e-12);
    println!("Gini {} {:?}", inequality.estimate, inequality.interval);
    Ok(())
}

/// In whole numbers from the ten populations of 1930.
const GINI_1930: f64 = 2993.0 / 9730.0;

/// The Gini coefficient of the first column: half the mean absolute difference over the mean.
fn gini(columns: &[&[f64]]) -> f64 {
    let x = columns[0];
    let differences: f64 = x.iter().flat_map(|a| x.iter().map(move |b| (a - b).abs())).sum();
    differences / (2.0 * x.len() as f64 * x.iter().sum::<f64>())
}
