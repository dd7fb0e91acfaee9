//! What a method finds, and what becomes of it: volume, control variates, tolerance.

use super::joint::{Joint, place, triangle};
use serde_json::{Map, Value};

/// The means of the weighted values with their errors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Estimate {
    /// Means and errors, as if they came from plain values.
    pub joint: Joint,
    /// Points evaluated.
    pub points: u64,
    /// Degrees of freedom of the errors where they are few.
    pub freedom: Option<u64>,
    /// Whether the errors are a rule's own and not Monte Carlo errors.
    pub rule_errors: bool,
    /// Further results by name.
    pub extra: Map<String, Value>,
    /// What the user should know of how the points were placed.
    pub notes: Vec<String>,
}

impl Estimate {
    /// The standard error of one value's mean, or the rule's error.
    pub fn error(&self, value: usize) -> f64 {
        self.joint.moments(value).mcse()
    }
}

/// What becomes of an estimate, and when it is good enough.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Goal {
    /// What means are multiplied by.
    pub volume: f64,
    /// Points for each value: 2 where a point stands for its mirror image too.
    pub points_per_value: u64,
    /// The error that is small enough.
    pub tolerance: Option<f64>,
    /// The same as a fraction of the estimate.
    pub relative_tolerance: Option<f64>,
    /// The integrals of the controls, which are the last of the values.
    pub controls: Vec<f64>,
}

impl Goal {
    /// Whether a run may end before its points are used up.
    pub fn is_tolerant(&self) -> bool {
        self.tolerance.is_some() || self.relative_tolerance.is_some()
    }

    /// Whether an estimate, not yet settled, is good enough: never without a tolerance.
    pub fn is_met(&self, estimate: Estimate) -> bool {
        self.is_tolerant() && self.is_met_by(&self.settle(estimate))
    }

    /// Whether every error of a settled estimate is within the larger of the tolerances.
    pub fn is_met_by(&self, settled: &Estimate) -> bool {
        (0..settled.joint.width()).all(|value| {
            let size = settled.joint.means()[value].abs();
            let relative = self.relative_tolerance.map_or(0.0, |share| share * size);
            settled.error(value) <= self.tolerance.unwrap_or(0.0).max(relative)
        })
    }

    /// Integrals from means; the controls are used and dropped.
    pub fn settle(&self, estimate: Estimate) -> Estimate {
        let joint = estimate.joint.scaled(self.volume);
        let points = estimate.points * self.points_per_value;
        let settled = Estimate { joint, points, ..estimate };
        if self.controls.is_empty() || settled.joint.width() == 0 {
            return settled;
        }
        self.controlled(settled)
    }

    /// Subtracts from each mean what it owes to the controls' deviations from their integrals, with
    /// the coefficients of least squares: A. B. Owen, "Monte Carlo Theory, Methods and Examples"
    /// (2013), section 8.9. The error is that of what is left, its degrees of freedom less one a
    /// control.
    fn controlled(&self, mut estimate: Estimate) -> Estimate {
        let joint = &estimate.joint;
        let (width, count) = (joint.width(), joint.count());
        let kept = width - self.controls.len();
        let mut means = joint.means().to_vec();
        let before: Vec<f64> = (0..kept).map(|i| joint.moments(i).squares()).collect();
        let mut rest: Vec<f64> = vec![0.0; width * width];
        for i in 0..width {
            for j in 0..width {
                rest[i * width + j] = joint.covariance(i, j) * factor(count);
            }
        }
        let mut used = 0;
        for (control, integral) in (kept..width).zip(&self.controls) {
            let own = rest[control * width + control];
            let whole = joint.moments(control).squares();
            // A control that the others determine, or that is constant, has nothing to add.
            if own.is_nan() || own <= 1e-12 * whole || own <= 0.0 {
                continue;
            }
            used += 1;
            let row: Vec<f64> = rest[control * width..][..width].to_vec();
            let off = means[control] - integral;
            for i in (0..width).filter(|&i| i != control) {
                let slope = row[i] / own;
                means[i] = (-slope).mul_add(off, means[i]);
                for j in (0..width).filter(|&j| j != control) {
                    rest[i * width + j] = (-slope).mul_add(row[j], rest[i * width + j]);
                }
            }
            // What later controls owe to this one is gone from their deviations as well.
            means[control] = *integral;
        }
        let freedom = (count.saturating_sub(1 + used)) as f64;
        let inflation = (count.saturating_sub(1)) as f64 / freedom;
        let mut products = vec![0.0; triangle(kept)];
        for i in 0..kept {
            for j in 0..=i {
                products[place(i, j)] = rest[i * width + j] * inflation;
            }
            products[place(i, i)] = products[place(i, i)].max(0.0);
        }
        let gain = |i: usize| before[i] / products[place(i, i)];
        let gains: Vec<Value> = (0..kept).map(|i| gain(i).into()).collect();
        let gains = if kept == 1 { gains[0].clone() } else { gains.into() };
        estimate.extra.insert("control_gain".into(), gains);
        estimate.freedom = estimate.freedom.map(|freedom| freedom.saturating_sub(used));
        means.truncate(kept);
        estimate.joint = Joint::new(count, means, products);
        estimate
    }
}

/// What turns a covariance of means into a sum of products.
fn factor(count: u64) -> f64 {
    count as f64 * count.saturating_sub(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(controls: Vec<f64>) -> Goal {
        Goal {
            volume: 1.0,
            points_per_value: 1,
            tolerance: None,
            relative_tolerance: None,
            controls,
        }
    }

    fn estimate(rows: impl Iterator<Item = Vec<f64>>) -> Estimate {
        let mut joint = Joint::default();
        rows.for_each(|row| joint.push(&row));
        Estimate { points: joint.count(), joint, freedom: Some(99), ..Default::default() }
    }

    /// A value that is a linear function of two correlated controls is known exactly.
    #[test]
    fn controls_remove_what_they_explain() {
        let rows = (0..100).map(|i| {
            let (g, h) = (f64::from(i * i % 31), f64::from(i * 7 % 13));
            vec![2.0 * g - 3.0 * h + 1.0, g, g + h]
        });
        let settled = goal(vec![10.0, 14.0]).settle(estimate(rows));
        assert!((settled.joint.means()[0] - (20.0 - 12.0 + 1.0)).abs() < 1e-10);
        assert!(settled.error(0) < 1e-8);
        assert_eq!((settled.joint.width(), settled.freedom), (1, Some(97)));
    }

    #[test]
    fn a_constant_control_and_a_repeated_one_add_nothing() {
        let rows = || (0..100).map(|i| (f64::from(i * i % 31), f64::from(i * 7 % 13)));
        let one = goal(vec![7.0]).settle(estimate(rows().map(|(f, g)| vec![f, g])));
        let wide = rows().map(|(f, g)| vec![f, g, 5.0, 2.0 * g]);
        let three = goal(vec![7.0, 5.0, 14.0]).settle(estimate(wide));
        assert_eq!(one.joint.means(), three.joint.means());
        assert_eq!(one.joint.covariance(0, 0), three.joint.covariance(0, 0));
    }

    #[test]
    fn the_larger_tolerance_counts() {
        let rows = || (0..100).map(|i| vec![100.0 + f64::from(i % 2)]);
        let met = |tolerance, relative_tolerance| {
            let goal = Goal { tolerance, relative_tolerance, ..goal(vec![]) };
            goal.is_met(estimate(rows()))
        };
        // The error is 0.05025.
        assert!(!met(None, None) && !met(Some(0.05), None) && met(Some(0.051), None));
        assert!(!met(None, Some(4e-4)) && met(None, Some(6e-4)) && met(Some(1e-9), Some(6e-4)));
    }
}
