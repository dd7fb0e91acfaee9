//! A test made ready for one point: where its data come from, and how it decides.

use super::law::Law;
use super::rule::Rule;
use crate::hypothesis::moments;
use std::fmt;
use windfall_core::{Moments, Stream};

/// A point of a power curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The sample size, as the test counts it.
    pub n: u64,
    /// The effect; none where the laws of the data say it.
    pub effect: Option<f64>,
}

/// Independent draws of one law.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub law: Law,
    pub size: usize,
}

impl Source {
    /// Fills a sample of the size it has here, or of a part of it.
    pub fn draw(&self, stream: &mut Stream, sample: &mut [f64]) {
        self.law.base.fill(stream, sample);
        let (scale, shift) = (self.law.scale, self.law.shift);
        sample.iter_mut().for_each(|x| *x = scale.mul_add(*x, shift));
    }
}

/// A test of the catalogue at one point.
#[derive(Debug)]
pub(crate) struct Ready {
    /// As many at every point of a test.
    pub sources: Vec<Source>,
    pub decision: Decision,
    pub drawn: Drawn,
}

/// What is drawn of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drawn {
    /// Every value.
    Values,
    /// What the test sees of the values, sums or counts, by its exact law.
    Summaries,
}

/// How a test decides.
#[derive(Debug)]
pub(crate) enum Decision {
    /// By size, mean and spread of each source.
    Moments(Rule),
    /// By the values.
    Data(Box<dyn Decide>),
}

/// A decision by values.
pub(crate) trait Decide: fmt::Debug + Send + Sync {
    /// Whether the test rejects these samples, one a source, which it may sort or change; none if
    /// they do not allow it.
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool>;
}

impl Ready {
    /// Whether the test rejects.
    pub fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        match &self.decision {
            Decision::Data(test) => test.rejects(samples),
            Decision::Moments(rule) => {
                let all: Vec<Moments> = samples.iter().map(|sample| moments(sample)).collect();
                rule.rejects(&all)
            }
        }
    }
}
