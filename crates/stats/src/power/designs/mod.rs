//! How each test of the catalogue gets its data and decides, one family a file.

pub(super) mod cluster;
pub(super) mod counts;
pub(super) mod means;
pub(super) mod ranks;
pub(super) mod regression;
pub(super) mod survival;

use super::catalogue::Setup;
use super::law::Law;
use super::ready::Source;
use windfall_core::{Error, Result};

/// The samples that a caller's own test sees: one a law in `groups`, else `arms` of them (2), of
/// one law that the effect moves as it does for the t tests of one and two samples and for the
/// analysis of variance.
pub(super) fn samples(setup: &Setup<'_>) -> Result<Vec<Source>> {
    let design = setup.design;
    let [first, others] = setup.pair();
    let laws = match (design.groups.len(), design.arms) {
        (0, Some(1)) => {
            let law = base_law(setup)?;
            let move_by = setup.effect()?.mul_add(law.sd(), -law.mean());
            vec![law.moved(move_by)]
        }
        (0, None | Some(2)) => two_laws(setup)?.into(),
        (0, Some(arms)) => means::spread_laws(setup, arms)?,
        (given, None) => given_laws(setup, given)?.unwrap_or_default(),
        (given, Some(_)) => {
            return Err(Error::invalid("arms", given, "left out where `groups` lists the samples"));
        }
    };
    let sizes = std::iter::once(first).chain(std::iter::repeat(others));
    Ok(laws.into_iter().zip(sizes).map(|(law, size)| Source { law, size }).collect())
}

/// The laws of two samples: as given, or one law that the effect moves for the first sample.
fn two_laws(setup: &Setup<'_>) -> Result<[Law; 2]> {
    if let Some(laws) = given_laws(setup, 2)? {
        let [first, second] = <[Law; 2]>::try_from(laws).expect("two were asked for");
        return Ok([first, second]);
    }
    let law = base_law(setup)?;
    Ok([law.clone().moved(setup.effect()? * law.sd()), law])
}

/// The laws in `groups`, of which there must be `count`; none if none were given.
fn given_laws(setup: &Setup<'_>, count: usize) -> Result<Option<Vec<Law>>> {
    let laws = setup.design.laws()?;
    if laws.is_empty() {
        return Ok(None);
    }
    for (key, given) in
        [("effect", setup.point.effect.is_some()), ("law", setup.design.law.is_some())]
    {
        if given {
            let expected = "left out where `groups` gives the laws of the data";
            return Err(Error::invalid(key, "given", expected));
        }
    }
    if laws.len() != count {
        let expected = format!("{count} laws, one a sample");
        return Err(Error::invalid("groups", laws.len(), &expected));
    }
    Ok(Some(laws))
}

/// The law that an effect moves.
fn base_law(setup: &Setup<'_>) -> Result<Law> {
    let Some(text) = &setup.design.law else { return Ok(Law::normal()) };
    let law = Law::parse("law", text)?;
    if law.is_discrete() {
        let expected = "a continuous law, which an effect can move";
        return Err(
            Error::invalid("law", text, expected).hint("give the law of each sample in `groups`")
        );
    }
    if !law.sd().is_finite() {
        let expected = "a law with a standard deviation, in which effects are measured";
        return Err(Error::invalid("law", text, expected));
    }
    Ok(law)
}

/// One source a sample.
fn sources<const N: usize>(laws: [Law; N], sizes: [usize; N]) -> Vec<Source> {
    laws.into_iter().zip(sizes).map(|(law, size)| Source { law, size }).collect()
}
