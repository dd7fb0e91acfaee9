//! Pi on every core: as the problem that Windfall knows, and by a closure of one's own.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::f64::consts::PI;
use windfall::prelude::*;

/// Estimates pi both ways and holds each to its own error.
pub fn main() -> Result<()> {
    let answer = windfall::pi(100_000_000, 314_159)?;
    let pi = &answer.quantities[0];
    assert!((pi.estimate - PI).abs() < 5.0 * pi.mcse);

    // A thousand tasks, each with a stream and a hundred thousand points of its own.
    let shares = windfall::replicate(1_000, 314_159, |rng| {
        let inside = (0..100_000).filter(|_| {
            let (x, y) = (rng.uniform(), rng.uniform());
            x * x + y * y < 1.0
        });
        4.0 * inside.count() as f64 / 100_000.0
    })?;
    let mut own = Moments::default();
    shares.iter().for_each(|&share| own.push(share));
    assert!((own.mean() - PI).abs() < 5.0 * own.mcse());

    println!("problem: {} ± {}", pi.estimate, pi.mcse);
    println!("closure: {} ± {}", own.mean(), own.mcse());
    Ok(())
}
