//! The answer of an integral: estimates, errors, intervals, covariance, and what to know of them.

use super::Integrate;
use super::estimate::Estimate;
use super::plan::Solved;
use crate::law::{normal, student};
use serde_json::Value;
use windfall_core::{Answer, Draws, Interval, Quantity};

impl Integrate<'_> {
    /// The answer that tells what was found.
    pub(super) fn answer(&self, Solved { estimate, complete }: Solved) -> Answer {
        let draws = Draws { name: "n", count: estimate.points };
        let method = self.options.method.name();
        let mut answer = Answer::new("integrate", method, draws, self.seed);
        answer.complete = complete;
        answer.quantities = self
            .names
            .iter()
            .enumerate()
            .map(|(place, name)| self.quantity(name, place, &estimate))
            .collect();
        answer.notes = self.notes(&estimate, complete);
        if estimate.rule_errors {
            answer.extra.insert("error".into(), self.each(|place| estimate.error(place).into()));
        } else if self.names.len() > 1 {
            let row = |i| self.each(|j| estimate.joint.covariance(i, j).into());
            answer.extra.insert("covariance".into(), self.each(row));
        }
        answer.extra.extend(estimate.extra);
        answer.notes.extend(estimate.notes);
        answer
    }

    /// One value an integral, or a list.
    fn each(&self, value: impl Fn(usize) -> Value) -> Value {
        match self.names.len() {
            1 => value(0),
            several => (0..several).map(value).collect(),
        }
    }

    fn quantity(&self, name: &str, place: usize, estimate: &Estimate) -> Quantity {
        // Adding zero turns the -0 of an empty region with a negative integrand into 0.
        let value = estimate.joint.means()[place] + 0.0;
        if estimate.rule_errors {
            return Quantity::new(name, value, f64::NAN);
        }
        let mcse = estimate.error(place);
        let level = self.options.level;
        let (reach, method) = match estimate.freedom {
            Some(freedom) => (student::quantile(freedom as f64, 0.5 + 0.5 * level), "student"),
            None => (normal::quantile(0.5 + 0.5 * level), "normal"),
        };
        let interval = Interval::around(value, mcse, reach, level, method);
        Quantity { interval: Some(interval), ..Quantity::new(name, value, mcse) }
    }

    fn notes(&self, estimate: &Estimate, complete: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if self.goal.is_tolerant() && complete && !self.goal.is_met_by(estimate) {
            let asked = match (self.goal.tolerance, self.goal.relative_tolerance) {
                (Some(tolerance), None) => format!("the tolerance `{tolerance}`"),
                (None, Some(relative)) => format!("the relative tolerance `{relative}`"),
                _ => "neither tolerance".to_owned(),
            };
            let reached = if asked.starts_with("the") { "was not" } else { "was" };
            notes.push(format!("{asked} {reached} reached: raise `n`"));
        }
        let sure = (0..self.names.len()).any(|place| estimate.error(place) == 0.0);
        if sure && !estimate.rule_errors && self.goal.volume != 0.0 {
            notes.push("all values were equal: what the points missed has no error here".into());
        }
        notes
    }
}
