//! A simulation study with closures: does the usual interval of a mean cover, if data are skewed?
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use windfall::prelude::*;

/// Rows of each simulated sample.
const ROWS: usize = 20;
/// Samples for each shape.
const SAMPLES: usize = 100_000;
/// The 97.5 % quantile of Student's law with 19 degrees of freedom.
const T: f64 = 2.093_024;

/// Runs the study by shape, then once more with every sample a task of its own.
pub fn main() -> Result<()> {
    // One item, one stream: the results are the same on any number of cores.
    let shapes = [32, 4, 1];
    let coverage = windfall::map_seeded(&shapes, 19, |&shape, rng| {
        let covered = (0..SAMPLES).filter(|_| interval_covers(shape, rng)).count();
        covered as f64 / SAMPLES as f64
    })?;
    for (shape, coverage) in shapes.iter().zip(&coverage) {
        let mcse = (coverage * (1.0 - coverage) / SAMPLES as f64).sqrt();
        println!("gamma of shape {shape:2}: {coverage:.4} ± {mcse:.4}");
    }
    // Nearly normal data keep the level, skewed ones fall short of it.
    assert!((coverage[0] - 0.95).abs() < 0.005);
    assert!(coverage.is_sorted_by(|a, b| a > b) && coverage[2] < 0.93);

    let skewed = windfall::replicate(SAMPLES as u64, 20, |rng| interval_covers(1, rng))?;
    let share = skewed.iter().filter(|&&covers| covers).count() as f64 / SAMPLES as f64;
    assert!((share - coverage[2]).abs() < 0.01);
    Ok(())
}

/// Draws a sample of sums of `shape` exponential numbers and says whether Student's interval holds
/// their true mean.
fn interval_covers(shape: usize, rng: &mut Stream) -> bool {
    let mut sample = Moments::default();
    for _ in 0..ROWS {
        sample.push((0..shape).map(|_| rng.exponential()).sum());
    }
    (sample.mean() - shape as f64).abs() <= T * sample.mcse()
}
