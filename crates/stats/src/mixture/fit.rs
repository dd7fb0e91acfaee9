//! The fit by maximum likelihood: ascents side by side, then errors, then what each row is.

use super::Mixture;
use super::answer::Fitted;
use super::climb::{Climb, Pace};
use super::errors;
use super::model::{Densities, Model};
use super::options::Acceleration;
use super::round::{Describe, Rounds, Totals, whole};
use windfall_core::{Answer, Control, Error, ErrorKind, Executor, Job, Result};

impl Mixture {
    /// The maximum of the likelihood.
    pub(super) fn maximise(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let mut climbs = self.climbs(on, control)?;
        let complete = self.climb(&mut climbs, on, control)?;
        let mut fitted = Fitted::best(&self.options, &self.data, &climbs)?;
        fitted.complete = complete;
        if complete {
            self.standard_errors(&mut fitted, on, control)?;
        }
        if fitted.complete {
            self.describe(&mut fitted, on, control)?;
        }
        Ok(fitted.answer(self.seed))
    }

    /// The ascents, not begun.
    fn climbs(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Vec<Climb>> {
        let starts = self.starts(on, control)?;
        Ok(starts.into_iter().map(|(start, model)| Climb::new(start, model)).collect())
    }

    /// Lets all ascents climb side by side, a round at a time; whether all came to their end.
    fn climb(
        &self,
        climbs: &mut [Climb],
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<bool> {
        let (columns, rows) = (self.data.slices(), self.data.rows() as f64);
        let leaps = self.options.acceleration == Acceleration::Squarem;
        let pace = Pace {
            tolerance: self.options.tolerance,
            steps_max: self.options.iterations,
            leaps,
            guard: self.guard.clone(),
        };
        // A leap may have to be taken back: two rounds a step at most.
        let rounds = Rounds::new((pace.steps_max + 1) * if leaps { 2 } else { 1 });
        for round in 0..rounds.most {
            let wanted: Vec<&Model> = climbs.iter().filter_map(Climb::wants).collect();
            if wanted.is_empty() {
                break;
            }
            let kernel = self.expect(&columns, &wanted)?;
            let spec = self.round_spec(&wanted);
            let job = Job { kernel: &kernel, streams: self.streams(), spec: spec.as_ref() };
            let Some(Totals(totals)) = rounds.run(round, &job, on, control)? else {
                // Sums of some rows are of no use.
                let nothing = Err(Error::new(ErrorKind::Interrupted));
                return if round > 0 { Ok(false) } else { nothing };
            };
            let mut rest = totals.as_slice();
            let climbing = climbs.iter_mut().filter(|climb| climb.wants().is_some());
            for (climb, densities) in climbing.zip(&kernel.densities) {
                let (totals, later) = rest.split_at(densities.sums());
                climb.take(totals.to_vec(), rows, &pace);
                rest = later;
            }
        }
        Ok(true)
    }

    /// The standard errors of the quantities of `model`; none if they are not wanted or cannot be
    /// had, with a note that says why where the user should know.
    fn standard_errors(
        &self,
        fitted: &mut Fitted<'_>,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<()> {
        let Some(model) = fitted.wants_errors(self.options.standard_errors) else {
            return Ok(());
        };
        let columns = self.data.slices();
        let (models, gaps) = errors::neighbours(&model);
        let models: Vec<&Model> = models.iter().collect();
        let kernel = self.expect(&columns, &models)?;
        let spec = self.round_spec(&models);
        let job = Job { kernel: &kernel, streams: self.streams(), spec: spec.as_ref() };
        let Some(Totals(totals)) = whole(&job, on, control)? else {
            fitted.complete = false;
            return Ok(());
        };
        let sums = kernel.densities[0].sums();
        let scores = models.iter().zip(totals.chunks_exact(sums));
        let scores: Vec<Vec<f64>> =
            scores.map(|(model, totals)| errors::score(model, totals)).collect();
        fitted.errors = errors::standard_errors(model.components(), &scores, &gaps);
        if fitted.errors.is_none() {
            fitted.notes.push(
                "no standard errors: the observed information is not positive definite there"
                    .into(),
            );
        }
        Ok(())
    }

    /// What the mixture says of each row, if the answer is to keep it.
    fn describe(
        &self,
        fitted: &mut Fitted<'_>,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<()> {
        let Some(densities) = Densities::new(&fitted.model).filter(|_| self.options.distribution)
        else {
            return Ok(());
        };
        let columns = self.data.slices();
        let kernel = Describe { columns: &columns, densities };
        let spec = self.round_spec(&[&fitted.model]).map(|mut spec| {
            spec.options.insert("iterations".into(), 0.into());
            spec.options.insert("distribution".into(), true.into());
            spec
        });
        let job = Job { kernel: &kernel, streams: self.streams(), spec: spec.as_ref() };
        fitted.rows = whole(&job, on, control)?;
        fitted.complete = fitted.rows.is_some();
        Ok(())
    }
}
