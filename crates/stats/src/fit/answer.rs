//! The answer of many fits: one tidy table, a row for each group and term.

use super::partial::{Fits, MODEL, TERM, reason};
use super::{Family, Fit};
use std::collections::BTreeMap;
use windfall_core::{
    Answer, Column, Draws, Interval, Labels, Numbers, Outcome, Quantity, Result, Table,
};

/// The columns of a term, in their order in a record.
const OF_TERM: [&str; TERM] = ["estimate", "standard_error", "statistic", "p_value", "low", "high"];

/// The columns of a model with their place in a record.
fn of_model(family: Family) -> &'static [(&'static str, usize)] {
    match family {
        Family::Gaussian => &[
            ("n", 0),
            ("df", 2),
            ("sigma", 3),
            ("r_squared", 4),
            ("adjusted_r_squared", 5),
            ("log_likelihood", 6),
            ("aic", 8),
            ("bic", 9),
        ],
        Family::Logistic | Family::Poisson => &[
            ("n", 0),
            ("df", 2),
            ("df_residual", 1),
            ("deviance", 7),
            ("log_likelihood", 6),
            ("aic", 8),
            ("bic", 9),
            ("iterations", 10),
        ],
        Family::Quantile => &[
            ("n", 0),
            ("df", 2),
            ("loss", 7),
            ("log_likelihood", 6),
            ("aic", 8),
            ("bic", 9),
            ("iterations", 10),
        ],
    }
}

/// The names of all columns but those that tell groups apart.
pub(super) fn column_names(family: Family) -> impl Iterator<Item = &'static str> {
    let terms = std::iter::once("term").chain(OF_TERM);
    terms.chain(of_model(family).iter().map(|row| row.0)).chain(["status"])
}

/// The answer of `fit` from its merged partial.
pub(super) fn answer(fit: &Fit, outcome: Outcome<Fits>) -> Result<Answer> {
    let Outcome { partial: fits, tasks, complete } = outcome;
    let draws = Draws { name: "groups", count: tasks };
    let mut answer = Answer::new("fit", fit.method(), draws, fit.seed);
    answer.complete = complete;
    answer.data.clone_from(&fit.note);
    let options = &fit.options;
    let mut tell = |key: &str, value: String| answer.extra.insert(key.into(), value.into());
    tell("formula", options.formula.clone());
    tell("family", options.family.name().into());
    tell("se", options.errors().name().into());
    answer.extra.insert("level".into(), options.level.into());
    let reasons: Vec<String> = fits
        .models
        .chunks(MODEL)
        .map(|model| reason(model[MODEL - 1], &fit.names, fit.allowed()))
        .collect();
    let failed = reasons.iter().filter(|reason| *reason != "ok").count();
    answer.extra.insert("failed".into(), failed.into());
    if failed > 0 {
        answer.notes.push(failures(&reasons, failed));
    }
    if fit.data.groups() == 1 {
        answer.quantities = quantities(fit, &fits);
    }
    answer.table = Some(table(fit, &fits, &reasons)?);
    answer.notes.push("exact: no random number was drawn".into());
    Ok(answer)
}

/// How many groups have no fit, and why.
fn failures(reasons: &[String], failed: usize) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons.iter().filter(|reason| *reason != "ok") {
        *counts.entry(reason).or_default() += 1;
    }
    const SHOWN_MAX: usize = 5;
    let mut parts: Vec<String> = counts
        .iter()
        .take(SHOWN_MAX)
        .map(|(reason, count)| format!("{reason} ({count})"))
        .collect();
    if counts.len() > SHOWN_MAX {
        parts.push("…".into());
    }
    let hint = match counts.contains_key("missing values") {
        true => "; missing = \"drop\" leaves rows with missing values out",
        false => "",
    };
    let (all, verb) = (reasons.len(), if failed == 1 { "has" } else { "have" });
    format!("{failed} of {all} groups {verb} no fit: {}{hint}", parts.join(", "))
}

/// The coefficients of a single group.
fn quantities(fit: &Fit, fits: &Fits) -> Vec<Quantity> {
    let method = match fits.models.get(2) {
        Some(&f64::INFINITY) => "normal",
        _ => "t",
    };
    let quantity = |(name, term): (&String, &[f64])| Quantity {
        standard_error: Some(term[1]),
        interval: Some(Interval {
            low: term[4],
            high: term[5],
            level: fit.options.level,
            method: method.into(),
            low_mcse: 0.0,
            high_mcse: 0.0,
        }),
        ..Quantity::new(name.clone(), term[0], 0.0)
    };
    fit.names.iter().zip(fits.terms.chunks(TERM)).map(quantity).collect()
}

/// A row for each group and term.
fn table(fit: &Fit, fits: &Fits, reasons: &[String]) -> Result<Table> {
    let terms = fit.names.len();
    let mut columns: Vec<(String, Column)> = Vec::new();
    for (name, key) in &fit.keys {
        columns.push((name.clone(), repeated(key, &fits.groups, terms)));
    }
    let groups = fits.groups.len();
    let codes = (0..groups * terms).map(|row| (row % terms) as u32);
    columns.push(("term".into(), labels(codes.collect(), &fit.names)));
    for (at, name) in OF_TERM.iter().enumerate() {
        let values: Vec<f64> = fits.terms.iter().skip(at).step_by(TERM).copied().collect();
        columns.push(((*name).into(), Column::Numbers(Numbers::from(values))));
    }
    for (name, at) in of_model(fit.options.family) {
        let mut values = Vec::with_capacity(groups * terms);
        for model in fits.models.chunks(MODEL) {
            values.resize(values.len() + terms, model[*at]);
        }
        columns.push(((*name).into(), Column::Numbers(Numbers::from(values))));
    }
    let mut known: Vec<String> = Vec::new();
    let mut codes = Vec::with_capacity(groups * terms);
    for reason in reasons {
        let code = known.iter().position(|old| old == reason).unwrap_or_else(|| {
            known.push(reason.clone());
            known.len() - 1
        });
        codes.resize(codes.len() + terms, code as u32);
    }
    columns.push(("status".into(), labels(codes, &known)));
    Table::new(columns)
}

fn labels(codes: Vec<u32>, names: &[String]) -> Column {
    Column::Labels(Labels::coded(codes, names))
}

/// The rows `groups` of a column, each as many times.
fn repeated(column: &Column, groups: &[u64], times: usize) -> Column {
    let rows = groups.iter().flat_map(|&group| std::iter::repeat_n(group as usize, times));
    match column {
        Column::Numbers(numbers) => {
            let values = numbers.as_slice();
            Column::Numbers(Numbers::from(rows.map(|row| values[row]).collect::<Vec<_>>()))
        }
        Column::Labels(own) => {
            let codes = own.codes();
            labels(rows.map(|row| codes[row]).collect(), own.names())
        }
    }
}
