//! Every sampler against laws whose moments are known.

use windfall_core::{Answer, Control, Problem, Result, Threads};
use windfall_stats::sample::model::{Gaussian, Model, Room};
use windfall_stats::sample::{Sample, SampleOptions, Sampler};

/// A law given by a function that writes its gradient and returns its log density.
pub struct Law<F> {
    names: Vec<String>,
    density: F,
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Send + Sync> Law<F> {
    pub fn new(dimensions: usize, density: F) -> Box<Self> {
        Box::new(Self { names: (0..dimensions).map(|i| format!("x{i}")).collect(), density })
    }
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Send + Sync> Model for Law<F> {
    fn dimensions(&self) -> usize {
        self.names.len()
    }
    fn names(&self) -> &[String] {
        &self.names
    }
    fn log_density(&self, x: &[f64], gradient: &mut [f64], _: &mut Room) -> Result<f64> {
        Ok((self.density)(x, gradient))
    }
    fn value(&self, x: &[f64], _: &mut Room) -> Result<f64> {
        Ok((self.density)(x, &mut vec![0.0; x.len()]))
    }
    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        out.copy_from_slice(x);
        Ok(())
    }
    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        x.copy_from_slice(parameters);
        Ok(())
    }
}

pub fn solved(model: Box<dyn Model>, options: SampleOptions, seed: u64) -> Answer {
    let job = Sample::new(model, options, seed.into()).unwrap();
    job.solve(&Threads::new(2), &Control::default()).unwrap()
}

/// Options of a sampler that gives some thousand effective draws in a second.
pub fn options(sampler: Sampler, draws: u64) -> SampleOptions {
    let thin = if sampler == Sampler::Nuts { 1 } else { 10 };
    SampleOptions { sampler, draws, thin, ..SampleOptions::default() }
}

/// Holds mean and standard deviation of a quantity to the truth; a test that fails by chance does
/// so with probability below 1e-4 for each of the two numbers.
pub fn agree(answer: &Answer, place: usize, mean: f64, sd: f64) {
    let quantity = &answer.quantities[place];
    let errors = &answer.extra["standard_error_mcse"];
    let mcse_sd = errors.get(place).unwrap_or(errors).as_f64().unwrap();
    let found_sd = quantity.standard_error.unwrap();
    let [z, z_sd] = [(quantity.estimate - mean) / quantity.mcse, (found_sd - sd) / mcse_sd];
    let name = &quantity.name;
    assert!(
        z.abs() < 4.0,
        "{}: mean of {name} is {} ± {}, not {mean}",
        answer.method,
        quantity.estimate,
        quantity.mcse
    );
    assert!(
        z_sd.abs() < 4.0,
        "{}: sd of {name} is {found_sd} ± {mcse_sd}, not {sd}",
        answer.method
    );
}

const ALL: [Sampler; 4] =
    [Sampler::Nuts, Sampler::Metropolis, Sampler::Ensemble, Sampler::Tempering];

#[test]
fn a_correlated_normal_law_has_its_moments() {
    let covariance = [vec![1.0, 0.9, 0.0], vec![0.9, 1.0, 0.0], vec![0.0, 0.0, 400.0]];
    for sampler in ALL {
        let law = Gaussian::correlated(&[1.0, 2.0, -30.0], &covariance).unwrap();
        let answer = solved(Box::new(law), options(sampler, 2000), 11);
        for (place, (mean, sd)) in [(1.0, 1.0), (2.0, 1.0), (-30.0, 20.0)].into_iter().enumerate() {
            agree(&answer, place, mean, sd);
        }
        let r_hat = answer.table.as_ref().unwrap().numbers("r_hat").unwrap();
        assert!(r_hat.iter().all(|r_hat| *r_hat < 1.02), "{}: {r_hat:?}", answer.method);
    }
}

/// Goodman and Weare's banana: `exp(-((1 - x)² + 100 (y - x²)²)/20)`.
fn rosenbrock() -> Box<dyn Model> {
    Law::new(2, |x, gradient| {
        let (off, bend) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gradient[0] = (2.0 * off + 400.0 * bend * x[0]) / 20.0;
        gradient[1] = -200.0 * bend / 20.0;
        -(off * off + 100.0 * bend * bend) / 20.0
    })
}

/// Exact: E x = 1, Var x = 10, E y = 11, Var y = 240.1.
#[test]
fn a_banana_has_its_moments() {
    for (sampler, draws) in [(Sampler::Nuts, 10_000), (Sampler::Ensemble, 2000)] {
        let mut options = options(sampler, draws);
        options.target_acceptance = (sampler == Sampler::Nuts).then_some(0.95);
        let answer = solved(rosenbrock(), options, 4);
        agree(&answer, 0, 1.0, 10f64.sqrt());
        agree(&answer, 1, 11.0, 240.1f64.sqrt());
    }
}

/// Two normal laws far apart: only tempering goes from one to the other.
#[test]
fn tempering_finds_both_modes_and_their_weights() {
    let two = || {
        Law::new(2, |x, gradient| {
            let near = |m: f64| -0.5 * ((x[0] - m) * (x[0] - m) + x[1] * x[1]) / 0.25;
            let (a, b) = (near(-4.0) + 0.3f64.ln(), near(4.0) + 0.7f64.ln());
            let top = a.max(b);
            let share = (a - top).exp() / ((a - top).exp() + (b - top).exp());
            gradient[0] = (share * (-4.0 - x[0]) + (1.0 - share) * (4.0 - x[0])) / 0.25;
            gradient[1] = -x[1] / 0.25;
            top + ((a - top).exp() + (b - top).exp()).ln()
        })
    };
    let answer = solved(two(), options(Sampler::Tempering, 5000), 3);
    let sd = (0.25f64 + 16.0 - 1.6 * 1.6).sqrt();
    agree(&answer, 0, 1.6, sd);
    agree(&answer, 1, 0.0, 0.5);
    let stuck = solved(two(), options(Sampler::Nuts, 1000), 3);
    assert!(stuck.notes.iter().any(|note| note.contains("do not agree")), "{:?}", stuck.notes);
}

/// Neal's funnel, v ~ N(0, 3), x_i ~ N(0, exp(v/2)): centred it diverges and says so; with x
/// standardised it is two normal laws, E v = 0, sd v = 3.
#[test]
fn a_funnel_warns_and_its_other_form_is_right() {
    let centred = Law::new(10, |x, gradient| {
        let (v, rest) = (x[0], &x[1..]);
        let scale = (-v).exp();
        let squares: f64 = rest.iter().map(|x| x * x).sum();
        gradient[0] = -v / 9.0 - 4.5 + 0.5 * squares * scale;
        gradient[1..].iter_mut().zip(rest).for_each(|(slope, x)| *slope = -x * scale);
        -v * v / 18.0 - 4.5 * v - 0.5 * squares * scale
    });
    let answer = solved(centred, SampleOptions::default(), 2);
    assert!(answer.extra["divergences"].as_u64().unwrap() > 0);
    assert!(answer.notes.iter().any(|note| note.contains("diverged")), "{:?}", answer.notes);

    let mut sd = vec![1.0; 10];
    sd[0] = 3.0;
    let other = Gaussian::independent(&[0.0; 10], &sd).unwrap();
    let answer = solved(Box::new(other), SampleOptions::default(), 2);
    agree(&answer, 0, 0.0, 3.0);
    assert_eq!(answer.extra["divergences"], 0);
    assert!(answer.notes.is_empty(), "{:?}", answer.notes);
}
