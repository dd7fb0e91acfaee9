//! The log-rank test: whether two groups have one law of survival, some times censored.
//!
//! Source: N. Mantel, "Evaluation of survival data and two new rank order statistics arising in
//! its consideration", Cancer Chemotherapy Reports 50, 1966.

use super::{Alternative, TestResult};

/// One subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject {
    /// How long it was seen.
    pub time: f64,
    /// Whether the event came then; false if the time is censored.
    pub event: bool,
    /// Whether it belongs to the first group.
    pub first: bool,
}

/// Whether two groups have the same hazard: `scipy.stats.logrank`, R `survdiff` (whose
/// chi-square is the square). The statistic is z = (O - E) / √V of the first group: positive
/// where it has more events than expected. NaN without events.
pub fn log_rank(subjects: &[Subject], alternative: Alternative) -> TestResult {
    alternative.of_normal(statistic(&mut subjects.to_vec()))
}

/// z of the first group; sorts the subjects by time.
pub fn statistic(subjects: &mut [Subject]) -> f64 {
    subjects.sort_unstable_by(|a, b| a.time.total_cmp(&b.time));
    let mut at_risk = subjects.len() as f64;
    let mut first_at_risk = subjects.iter().filter(|subject| subject.first).count() as f64;
    let (mut excess, mut variance) = (0.0, 0.0);
    let mut rest = &*subjects;
    while let Some(next) = rest.first() {
        let tied = rest.iter().take_while(|subject| subject.time == next.time).count();
        let (now, later) = rest.split_at(tied);
        let [mut events, mut first_events, mut first] = [0.0; 3];
        for subject in now {
            let mine = f64::from(u8::from(subject.first));
            let event = f64::from(u8::from(subject.event));
            events += event;
            first_events += event * mine;
            first += mine;
        }
        if events > 0.0 {
            let share = first_at_risk / at_risk;
            excess += first_events - events * share;
            if at_risk > 1.0 {
                let left = (at_risk - events) / (at_risk - 1.0);
                variance += events * share * (1.0 - share) * left;
            }
        }
        at_risk -= tied as f64;
        first_at_risk -= first;
        rest = later;
    }
    excess / variance.sqrt()
}
