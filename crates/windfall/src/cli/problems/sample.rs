//! Flags of `windfall sample`.

use super::{Flags, number};
use crate::cli::job::Job;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use windfall::{Error, Result};

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Sample {
    /// A formula of parameters and, inside sum(…), of columns; then the table, a CSV or Parquet
    /// file. With --model the table alone, for models that want one
    #[arg(value_name = "LOG DENSITY] [DATA", num_args = 0..=2)]
    #[serde(skip)]
    given: Vec<String>,
    /// A built-in model: linear, logistic, poisson, hierarchical, eight-schools, mixture, gaussian,
    /// rosenbrock or funnel
    #[arg(long, short, value_name = "NAME")]
    model: Option<String>,
    /// A parameter of the formula and where it lives: mu=real, tau=positive, p=unit or x=-1:5; one
    /// flag each, in the order in which they are reported
    #[arg(long, short, value_name = "NAME=SUPPORT", value_parser = pair)]
    #[serde(skip)]
    parameter: Vec<(String, String)>,
    /// A number that the formula names, such as scale=2.5
    #[arg(long, value_name = "NAME=NUMBER", value_parser = pair)]
    #[serde(skip)]
    constant: Vec<(String, String)>,
    /// A formula of the parameters that is reported too, such as 'ratio=mu/tau'
    #[arg(long, value_name = "NAME=FORMULA", value_parser = pair)]
    #[serde(skip)]
    derived: Vec<(String, String)>,
    /// What a built-in model wants, such as formula='y ~ x1 + x2', dimensions=10 or sd=1,2,0.5
    #[arg(long = "with", value_name = "KEY=VALUE", value_parser = pair)]
    #[serde(skip)]
    with: Vec<(String, String)>,
    /// How chains move: nuts, metropolis, ensemble or tempering [default: nuts]
    #[arg(long, short, value_name = "NAME", help_heading = "Chains")]
    sampler: Option<String>,
    /// Independent chains [default: 4]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    chains: Option<Value>,
    /// Steps of each chain that tune the sampler and are thrown away [default: 1000]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    warmup: Option<Value>,
    /// Draws that are kept of each chain [default: 1000]
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    draws: Option<Value>,
    /// Steps for one draw [default: 1]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    thin: Option<Value>,
    /// Where all chains start: the parameters on their own scale [default: drawn]
    #[arg(
        long,
        value_name = "X,…",
        value_parser = list,
        allow_hyphen_values = true,
        help_heading = "Chains"
    )]
    init: Option<Value>,
    /// Acceptance rate that warm-up aims at [default: 0.8 for nuts, 0.234 for random walks]
    #[arg(
        long,
        value_name = "RATE",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    target_acceptance: Option<Value>,
    /// Doublings of a trajectory of nuts at most [default: 10]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    depth_max: Option<Value>,
    /// Walkers of an ensemble [default: 2 d + 2, at least 32]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    walkers: Option<Value>,
    /// Temperatures of a ladder [default: 8]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    rungs: Option<Value>,
    /// The highest temperature of a ladder [default: 100]
    #[arg(
        long,
        value_name = "T",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Chains"
    )]
    hottest: Option<Value>,
    /// Level of the credible intervals [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
}

impl Flags for Sample {
    fn job(&self) -> Result<Job> {
        let mut job = Job::from_flags("sample", self);
        let options = &mut job.spec.options;
        match (&self.model, self.given.as_slice()) {
            (None, [density]) | (None, [density, _]) => {
                options.insert("log_density".into(), density.clone().into());
            }
            (Some(_), [_, data]) => {
                return Err(Error::invalid(
                    "DATA",
                    data,
                    "one table: with --model there is no formula",
                ));
            }
            _ => {}
        }
        job.spec.data = match (&self.model, self.given.as_slice()) {
            (Some(_), [data]) | (None, [_, data]) => Some(data.clone()),
            _ => None,
        };
        let map = |given: &[(String, String)], value: fn(&str) -> Value| -> Map<String, Value> {
            given.iter().map(|(name, text)| (name.clone(), value(text))).collect()
        };
        for (key, map) in [
            ("parameters", map(&self.parameter, support)),
            ("constants", map(&self.constant, plain)),
            ("derived", map(&self.derived, |formula| formula.into())),
        ] {
            if !map.is_empty() {
                options.insert(key.into(), map.into());
            }
        }
        for (key, text) in &self.with {
            options.insert(key.clone(), plain(text));
        }
        Ok(job)
    }
}

/// A name and a value with `=` between.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Where a parameter lives: a word, or two ends with `:` between.
fn support(text: &str) -> Value {
    match text.split_once(':') {
        Some((low, high)) => vec![plain(low), plain(high)].into(),
        None => text.into(),
    }
}

/// The list of what stands between commas.
fn list(text: &str) -> Result<Value, std::convert::Infallible> {
    let one = |part: &str| {
        let Ok(value) = number(part.trim());
        value
    };
    Ok(text.split(',').map(one).collect())
}

/// A number, a list of numbers, true or false; anything else is text.
fn plain(text: &str) -> Value {
    let Ok(list) = list(text);
    match list.as_array().map(Vec::as_slice) {
        Some([one]) => match text {
            "true" => true.into(),
            "false" => false.into(),
            _ => one.clone(),
        },
        Some(several) if several.iter().all(Value::is_number) => list,
        _ => text.into(),
    }
}
