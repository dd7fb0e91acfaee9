//! From estimates and standard errors to statistics, p-values and intervals.

use super::partial::{MODEL, Records, TERM};
use super::room::Room;
use crate::law::student_many::TwoSided;
use crate::law::{normal, student};
use std::collections::HashMap;
use windfall_lanes::{LANES, Simd, Task, dispatch, math};

/// Quantiles that the last group needed, which the next often needs again.
#[derive(Debug)]
pub(super) struct Reference {
    level: f64,
    /// Degrees of freedom, and how many standard errors the interval reaches.
    last: (f64, f64),
}

impl Reference {
    pub fn new(level: f64) -> Self {
        Self { level, last: (f64::NAN, f64::NAN) }
    }

    /// Appends estimate, standard error, statistic, a place for the p-value, and both ends.
    pub fn fill(&mut self, room: &Room, out: &mut Vec<f64>) {
        let reach = self.reach(room.model.reference);
        for (&estimate, &error) in room.coefficients.iter().zip(&room.errors) {
            let width = reach * error;
            let statistic = estimate / error;
            out.extend([estimate, error, statistic, f64::NAN, estimate - width, estimate + width]);
        }
    }

    fn reach(&mut self, freedom: f64) -> f64 {
        if freedom != self.last.0 {
            let p = 0.5 + 0.5 * self.level;
            let reach = match freedom {
                f64::INFINITY => normal::quantile(p),
                freedom if freedom > 0.0 => student::quantile(freedom, p),
                _ => f64::NAN,
            };
            self.last = (freedom, reach);
        }
        self.last.1
    }

    /// Fills in the p-values of all groups.
    pub fn finish(&self, fits: &mut Records) {
        if fits.groups.is_empty() {
            return;
        }
        let each = fits.terms.len() / fits.groups.len();
        let mut laws: HashMap<u64, TwoSided> = HashMap::new();
        let (mut statistics, mut p_values) = (Vec::new(), Vec::new());
        let mut first = 0;
        while first < fits.groups.len() {
            let freedom = |group: usize| fits.models[group * MODEL + 2];
            let own = freedom(first);
            let alike = |&group: &usize| freedom(group).to_bits() == own.to_bits();
            let end = first + (first..fits.groups.len()).take_while(alike).count();
            let terms = &mut fits.terms[first * each..end * each];
            statistics.clear();
            statistics.extend(terms.iter().skip(2).step_by(TERM));
            p_values.resize(statistics.len(), 0.0);
            if own == f64::INFINITY {
                dispatch(Normal { z: &statistics, out: &mut p_values });
            } else {
                let law = laws.entry(own.to_bits()).or_insert_with(|| TwoSided::new(own));
                law.fill(&statistics, &mut p_values);
            }
            let places = terms.iter_mut().skip(3).step_by(TERM);
            places.zip(&p_values).for_each(|(place, p)| *place = *p);
            first = end;
        }
    }
}

/// Two-sided p-values under the normal law.
struct Normal<'a> {
    z: &'a [f64],
    out: &'a mut [f64],
}

impl Task for Normal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (z, out) in self.z.chunks(LANES).zip(self.out.chunks_mut(LANES)) {
            let size = simd.abs(simd.load_head(z, 0.0));
            let below = math::normal_cdf(simd, simd.neg(size));
            simd.store_head(simd.mul(simd.splat(2.0), below), out);
        }
    }
}
