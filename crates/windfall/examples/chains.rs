//! Chains of a log density of one's own: with its gradient by NUTS, without one by an ensemble.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::path::Path;
use windfall::prelude::*;
use windfall::stats::sample::model::{Constrained, Constraint, ValueOnly};
use windfall::stats::sample::{Sample, SampleOptions, Sampler};
use windfall::{Control, Problem, Threads, files, machine};

/// The 23 flights before Challenger's last: temperature in 10 °F about 70 °F, failure of a ring.
const SHUTTLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shuttle.csv");

/// Draws from both posteriors on every core and holds their means to the exact ones.
pub fn main() -> Result<()> {
    let every_core = Threads::new(machine::workers()?.count);
    let holds = |answer: &Answer, exact: &[f64]| {
        for (quantity, exact) in answer.quantities.iter().zip(exact) {
            println!("{} = {:.4} ± {:.4}", quantity.name, quantity.estimate, quantity.mcse);
            assert!((quantity.estimate - exact).abs() < 5.0 * quantity.mcse);
        }
    };

    // Failures by temperature: a logistic regression with normal priors of standard deviation 5.
    let table = files::read(Path::new(SHUTTLE))?;
    let (t, failure) = (table.numbers("t")?, table.numbers("failure")?);
    let law = |x: &[f64], gradient: &mut [f64]| {
        let (a, b) = (x[0], x[1]);
        let mut log_density = -(a * a + b * b) / 50.0;
        gradient.copy_from_slice(&[-a / 25.0, -b / 25.0]);
        for (t, failure) in t.iter().zip(failure) {
            let logit = a + b * t;
            log_density += failure * logit - logit.exp().ln_1p();
            let residual = failure - 1.0 / (1.0 + (-logit).exp());
            gradient[0] += residual;
            gradient[1] += residual * t;
        }
        log_density
    };
    let parameters = [("a", Constraint::Real), ("b", Constraint::Real)];
    let model = Constrained::new(law, parameters)?.derive("at 31 °F", "1/(1 + exp(3.9*b - a))")?;
    let chains = Sample::new(Box::new(model), SampleOptions::default(), 1_u64.into())?;
    let answer = chains.solve(&every_core, &Control::default())?;
    // By quadrature.
    holds(&answer, &[-1.3145, -2.6944]);
    assert!(answer.notes.is_empty(), "the chains mixed: {:?}", answer.notes);

    // Fourteen events in six years, a gamma(2, 1) prior of their rate: a gamma(16, 7) posterior.
    let rate = ValueOnly(|x: &[f64]| 15.0 * x[0].ln() - 7.0 * x[0]);
    let model = Constrained::new(rate, [("rate", Constraint::POSITIVE)])?;
    let options = SampleOptions { sampler: Sampler::Ensemble, ..Default::default() };
    let chains = Sample::new(Box::new(model), options, 1_u64.into())?;
    holds(&chains.solve(&every_core, &Control::default())?, &[16.0 / 7.0]);
    Ok(())
}
