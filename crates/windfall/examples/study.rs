//! A simulation study of closures: which interval of a correlation covers, and what replay shows.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use windfall::prelude::*;
use windfall::stats::simulate::Estimate;

/// Runs the study, extends it, and looks at one replicate again.
pub fn main() -> Result<()> {
    let conditions = Table::from_numbers([("n", vec![10.0, 40.0]), ("rho", vec![0.8, 0.8])])?;
    let study = |replicates| {
        windfall::simulate(&conditions, |condition, rng| {
            let (n, rho) = (condition.number("n") as usize, condition.number("rho"));
            let pair = |rng: &mut Stream| {
                let (u, v) = (rng.normal(), rng.normal());
                (u, rho * u + (1.0 - rho * rho).sqrt() * v)
            };
            (0..n).map(|_| pair(rng)).collect::<Vec<_>>()
        })?
        .method("plain", |pairs, _, _| {
            let (r, n) = (correlation(pairs), pairs.len() as f64);
            Estimate::new(r).standard_error((1.0 - r * r) / (n - 1.0).sqrt())
        })
        .method("Fisher", |pairs, _, _| {
            let (r, reach) = (correlation(pairs), 1.96 / (pairs.len() as f64 - 3.0).sqrt());
            let ends = [-reach, reach].map(|reach| (r.atanh() + reach).tanh());
            Estimate::new(r).interval(ends[0], ends[1])
        })
        .truth(|condition| condition.number("rho"))
        .options(|options| options.distribution = true)
        .replicates(replicates)
        .seed(40_u64)
        .build()
    };
    let short = windfall::solve_problem(&study(5_000)?)?;
    let kept = short.index.expect("replicates are kept");
    let answer = windfall::solve_problem(&study(20_000)?.extend(&kept)?)?;
    assert_eq!(answer.to_bytes(), windfall::solve_problem(&study(20_000)?)?.to_bytes());

    let table = answer.table.expect("a study answers with a table");
    let (method, measure) = (table.labels("method")?, table.labels("measure")?);
    let mut covered = Vec::new();
    for row in (0..table.rows()).filter(|&row| measure.get(row) == "coverage") {
        let of = |name| table.numbers(name).map(|column| column[row]);
        println!(
            "n = {}, {}: {:.4} ± {:.4}",
            of("n")?,
            method.get(row),
            of("estimate")?,
            of("mcse")?
        );
        covered.push(of("estimate")?);
    }
    // With ten pairs the plain interval covers too little, Fisher's as it says.
    assert!(covered[0] < 0.92 && (covered[1] - 0.95).abs() < 0.01);
    println!("replicate 7 of n = 10 again: {:?}", study(20_000)?.replay(0, 7)?);
    Ok(())
}

/// Pearson's correlation.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum =
        |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(a, b)| of(a - x, b - y)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}
