//! What a sampler is: it walks, is asked where it stands, and tunes itself while it is warm.

use super::model::Model;
use super::nuts::Source;
use windfall_core::{Error, Result};

/// One chain of any sampler. It draws from its chain's stream and from nothing else.
pub(super) trait Walk {
    /// Goes one step. `warm` counts the steps of the warm-up from 0; afterwards it is none, and
    /// nothing may be tuned any more.
    fn step(&mut self, warm: Option<u64>, source: &mut Source<'_>) -> Result<()>;

    /// Where walker `walker` stands, in the model's unconstrained space; may be longer than its
    /// dimensions.
    fn point(&self, walker: usize) -> &[f64];

    /// Puts what stands beside the draw of this walker, in the sampler's order.
    fn beside(&self, walker: usize, put: &mut dyn FnMut(f64));

    /// Whether the last step diverged.
    fn diverged(&self) -> bool {
        false
    }

    /// Log densities evaluated so far, with or without their gradient.
    fn evaluations(&self) -> u64;

    /// What the warm-up arrived at.
    fn tuned(&self) -> Vec<f64>;
}

/// Starting points tried before a chain gives up.
const TRIES_MAX: usize = 100;

/// Draws starting points until `density` of one is finite; with `init`, that one alone.
pub(super) fn find_start(
    init: Option<&[f64]>,
    source: &mut Source<'_>,
    mut density: impl FnMut(&[f64], &mut Source<'_>) -> Result<f64>,
) -> Result<()> {
    let mut x = vec![0.0; source.model.dimensions()];
    if let Some(init) = init {
        x.copy_from_slice(init);
        return match density(&x, source)?.is_finite() {
            true => Ok(()),
            false => Err(Error::task("the log density at `init` is not finite")
                .hint("start where the model has a density, or leave `init` out")),
        };
    }
    for _ in 0..TRIES_MAX {
        source.model.start(source.stream, &mut x);
        if density(&x, source)?.is_finite() {
            return Ok(());
        }
    }
    let message = format!("no starting point with a finite log density in {TRIES_MAX} tries");
    Err(Error::task(message).hint("give one by `init`, or check the model's support"))
}

/// The log density at `x`, without its gradient; what is no number counts as outside the support.
pub(super) fn value(x: &[f64], source: &mut Source<'_>) -> Result<f64> {
    let model: &dyn Model = source.model;
    let value = model.value(x, source.room)?;
    Ok(if value < f64::INFINITY { value } else { f64::NEG_INFINITY })
}
