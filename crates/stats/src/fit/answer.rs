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
    let failed = fits.models().filter(|model| model[MODEL - 1] != 0.0).count();
    answer.extra.insert("failed".into(), failed.into());
    if failed > 0 {
        answer.notes.push(failures(fit, &fits, failed));
    }
    if fit.data.groups() == 1 {
        answer.quantities = quantities(fit, &fits);
    }
    answer.table = Some(table(fit, &fits)?);
    answer.notes.push("exact: no random number was drawn".into());
    Ok(answer)
}

/// Why a model is none, in words; `ok` of one that is.
fn status(fit: &Fit, code: f64) -> String {
    reason(code, &fit.names, fit.allowed())
}

/// How many groups have no fit, and why.
fn failures(fit: &Fit, fits: &Fits, failed: usize) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for code in fits.models().map(|model| model[MODEL - 1]).filter(|&code| code != 0.0) {
        *counts.entry(status(fit, code)).or_default() += 1;
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
    let (all, verb) = (fits.groups(), if failed == 1 { "has" } else { "have" });
    format!("{failed} of {all} groups {verb} no fit: {}{hint}", parts.join(", "))
}

/// The coefficients of a single group.
fn quantities(fit: &Fit, fits: &Fits) -> Vec<Quantity> {
    let method = match fits.models().next().map(|model| model[2]) {
        Some(f64::INFINITY) => "normal",
        _ => "t",
    };
    let quantity = |(name, term): (&String, &[f64; TERM])| Quantity {
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
    let terms = fits.parts.iter().flat_map(|part| part.terms.as_chunks::<TERM>().0);
    fit.names.iter().zip(terms).map(quantity).collect()
}

/// A row for each group and term.
fn table(fit: &Fit, fits: &Fits) -> Result<Table> {
    let (terms, groups) = (fit.names.len(), fits.groups());
    let mut columns: Vec<(String, Column)> = Vec::new();
    for (name, key) in &fit.keys {
        columns.push((name.clone(), repeated(key, fits, terms)));
    }
    let codes = (0..groups).flat_map(|_| 0..terms as u32);
    columns.push(("term".into(), labels(codes.collect(), &fit.names)));
    // Part by part, which then stays in cache for all columns.
    let wanted = of_model(fit.options.family);
    let mut of_terms = [const { Vec::new() }; TERM];
    let mut of_models = vec![Vec::new(); wanted.len()];
    of_terms.iter_mut().chain(&mut of_models).for_each(|values| values.reserve(groups * terms));
    for part in &fits.parts {
        for (at, values) in of_terms.iter_mut().enumerate() {
            values.extend(part.terms.as_chunks::<TERM>().0.iter().map(|term| term[at]));
        }
        for (values, (_, at)) in of_models.iter_mut().zip(wanted) {
            let own = part.models.as_chunks::<MODEL>().0.iter().map(|model| model[*at]);
            repeat(own, terms, values);
        }
    }
    let names = OF_TERM.iter().chain(wanted.iter().map(|(name, _)| name));
    for (name, values) in names.zip(of_terms.into_iter().chain(of_models)) {
        columns.push(((*name).into(), Column::Numbers(Numbers::from(values))));
    }
    let mut known: Vec<f64> = Vec::new();
    let codes = fits.models().map(|model| {
        let code = model[MODEL - 1];
        known.iter().position(|&old| old == code).unwrap_or_else(|| {
            known.push(code);
            known.len() - 1
        }) as u32
    });
    let mut rows = Vec::with_capacity(groups * terms);
    repeat(codes, terms, &mut rows);
    let reasons: Vec<String> = known.iter().map(|&code| status(fit, code)).collect();
    columns.push(("status".into(), labels(rows, &reasons)));
    Table::new(columns)
}

/// Appends each of `values` as many times.
fn repeat<T: Copy>(values: impl Iterator<Item = T>, times: usize, to: &mut Vec<T>) {
    values.for_each(|value| to.extend(std::iter::repeat_n(value, times)));
}

fn labels(codes: Vec<u32>, names: &[String]) -> Column {
    Column::Labels(Labels::coded(codes, names))
}

/// The rows of a column that belong to the groups, each as many times.
fn repeated(column: &Column, fits: &Fits, times: usize) -> Column {
    let rows = fits.parts.iter().flat_map(|part| &part.groups).map(|&group| group as usize);
    let count = fits.groups() * times;
    match column {
        Column::Numbers(numbers) => {
            let (values, mut out) = (numbers.as_slice(), Vec::with_capacity(count));
            repeat(rows.map(|row| values[row]), times, &mut out);
            Column::Numbers(Numbers::from(out))
        }
        Column::Labels(own) => {
            let (codes, mut out) = (own.codes(), Vec::with_capacity(count));
            repeat(rows.map(|row| codes[row]), times, &mut out);
            labels(out, own.names())
        }
    }
}
