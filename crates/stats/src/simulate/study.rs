//! A study of one's own code: a closure that makes data, and closures that analyse them.

use super::Simulate;
use super::conditions::{Condition, Conditions};
use super::options::{SimulateOptions, Texts};
use super::procedure::{IntoOutcome, Outcome, Procedure, Replicate, Results};
use std::fmt;
use windfall_core::{Result, Seed, Stream, catch};

type Generate<D> = Box<dyn Fn(&Condition<'_>, &mut Stream) -> D + Send + Sync>;
type Analyse<D> = Box<dyn Fn(&D, &Condition<'_>, &mut Stream) -> Outcome + Send + Sync>;
type Truth = Box<dyn Fn(&Condition<'_>) -> f64>;

/// A simulation study that is being put together from closures.
///
/// A closure that panics makes a failed replicate, not a failed run.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Moments, Problem, Serial, Table};
/// use windfall_stats::simulate::{Conditions, Estimate, Study};
///
/// let conditions = Conditions::new(&Table::from_numbers([("n", vec![10.0, 40.0])])?)?;
/// let study = Study::new(conditions, |condition, rng| {
///     (0..condition.number("n") as usize).map(|_| rng.exponential()).collect::<Vec<f64>>()
/// })
/// .method("mean", |x, _, _| {
///     let mut moments = Moments::default();
///     x.iter().for_each(|&x| moments.push(x));
///     Estimate::new(moments.mean()).standard_error(moments.mcse())
/// })
/// .method("midrange", |x, _, _| {
///     let ends = [f64::min, f64::max].map(|end| x.iter().copied().reduce(end));
///     ends.into_iter().flatten().sum::<f64>() / 2.0
/// })
/// .truth(|_| 1.0)
/// .replicates(200)
/// .seed(1u64)
/// .build()?;
/// let answer = study.solve(&Serial, &Control::default())?;
/// assert_eq!(answer.table.unwrap().labels("method")?.names(), ["mean", "midrange"]);
/// // One replicate again, to look at it closely.
/// assert!(study.replay(1, 17)?[0].is_ok());
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub struct Study<D> {
    conditions: Conditions,
    code: Code<D>,
    labels: Vec<String>,
    truth: Option<Truth>,
    options: SimulateOptions,
    seed: Option<Seed>,
}

impl<D> fmt::Debug for Study<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Study")
            .field("conditions", &self.conditions)
            .field("methods", &self.labels)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<D: 'static> Study<D> {
    /// A study under these conditions, of the data that `generate` makes.
    pub fn new(
        conditions: Conditions,
        generate: impl Fn(&Condition<'_>, &mut Stream) -> D + Send + Sync + 'static,
    ) -> Self {
        let code = Code { generate: Box::new(generate), methods: Vec::new() };
        let (labels, options) = (Vec::new(), SimulateOptions::default());
        Self { conditions, code, labels, truth: None, options, seed: None }
    }

    /// One more method, with the label that the results give it. It may draw from the replicate's
    /// stream, from where the method before it stopped.
    #[must_use]
    pub fn method<T: IntoOutcome>(
        mut self,
        label: &str,
        analyse: impl Fn(&D, &Condition<'_>, &mut Stream) -> T + Send + Sync + 'static,
    ) -> Self {
        self.labels.push(label.to_owned());
        self.code.methods.push(Box::new(move |data, condition, stream| {
            analyse(data, condition, stream).into_outcome()
        }));
        self
    }

    /// The truth that every method estimates, by condition.
    #[must_use]
    pub fn truth(mut self, truth: impl Fn(&Condition<'_>) -> f64 + 'static) -> Self {
        self.truth = Some(Box::new(truth));
        self
    }

    /// The number of replicates of each condition; 1,000 by default.
    #[must_use]
    pub fn replicates(mut self, replicates: u64) -> Self {
        self.options.replicates = replicates;
        self
    }

    /// The other options: level, alpha, reference, measures, whether replicates are kept.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut SimulateOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// The seed; a fresh one by default.
    #[must_use]
    pub fn seed(mut self, seed: impl Into<Seed>) -> Self {
        self.seed = Some(seed.into());
        self
    }

    /// The study, checked and ready to run.
    ///
    /// # Errors
    /// As [`Simulate::new`].
    pub fn build(self) -> Result<Simulate> {
        let Self { conditions, code, labels, truth, mut options, seed } = self;
        options.method = Texts::Many(labels.clone());
        let truths: Option<Vec<f64>> = truth.map(|truth| {
            let of = |place| std::iter::repeat_n(truth(&conditions.get(place)), labels.len());
            (0..conditions.len()).flat_map(of).collect()
        });
        let mut study = Simulate::new(conditions, labels, code, options)?;
        if let Some(truths) = truths {
            study = study.with_truths(truths)?;
        }
        Ok(match seed {
            Some(seed) => study.with_seed(seed),
            None => study,
        })
    }
}

/// The closures.
struct Code<D> {
    generate: Generate<D>,
    methods: Vec<Analyse<D>>,
}

impl<D> Procedure for Code<D> {
    fn run(&self, replicates: &[Replicate<'_>], results: &mut Results<'_>) -> Result<()> {
        for replicate in replicates {
            if results.is_stopped() {
                break;
            }
            let mut stream = replicate.stream();
            let condition = &replicate.condition;
            let data = match catch(|| (self.generate)(condition, &mut stream)) {
                Ok(data) => data,
                Err(caught) => {
                    results.fail(replicate, &caught.message);
                    continue;
                }
            };
            let outcomes = self.methods.iter().map(|analyse| {
                let found = catch(|| analyse(&data, condition, &mut stream));
                found.unwrap_or_else(|caught| Err(caught.message))
            });
            results.put(replicate, outcomes);
        }
        Ok(())
    }
}
