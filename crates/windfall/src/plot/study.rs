//! Lay out a simulation study: a panel a measure, a line a condition, a colour a method.

use super::Drawer;
use super::forest::{Forest, Mark, Panel};
use super::tidy::{distinct, key_names, values};
use crate::readable::count;
use windfall_core::{Answer, Result, Table};

/// What is drawn of a study that tells many measures, in this order.
const SHOWN: [&str; 6] = ["bias", "empirical_se", "model_se", "rmse", "coverage", "rejection"];
/// Lines that are drawn at most.
const LINES_MAX: usize = 40;
/// Errors that a bar reaches to either side: it covers in 95 of 100 cases.
const REACH: f64 = 1.96;

/// Performance with its Monte Carlo error.
pub(super) const DRAWER: Drawer = Drawer {
    serves: |answer| answer.problem == "simulate" && answer.table.is_some(),
    draw: |answer, font| {
        let table = answer.table.as_ref().and_then(|table| forest(answer, table).ok());
        table.unwrap_or_else(|| empty(answer)).scene(font)
    },
};

fn empty(answer: &Answer) -> Forest {
    let (lines, series, panels) = (Vec::new(), Vec::new(), Vec::new());
    Forest { title: answer.method.clone(), about: String::new(), lines, series, panels }
}

fn forest(answer: &Answer, table: &Table) -> Result<Forest> {
    let (methods, measures) = (table.labels("method")?, table.labels("measure")?);
    let (estimates, errors) = (values(table, "estimate")?, values(table, "mcse")?);
    let conditions = key_names(table, "method");
    let all = distinct(conditions.iter().map(String::as_str));
    let shown = &all[..all.len().min(LINES_MAX)];
    let series = distinct(methods.rows());
    let told = distinct(measures.rows());
    let names: Vec<&str> = match told.len() {
        few if few <= SHOWN.len() => told,
        _ => SHOWN.into_iter().filter(|name| told.contains(name)).collect(),
    };
    let panel = |name: &str| {
        let rows = (0..table.rows()).filter(|&row| measures.get(row) == name);
        let mark = |row: usize| {
            let line = shown.iter().position(|line| *line == conditions[row])?;
            let series = series.iter().position(|series| *series == methods.get(row))?;
            let (at, reach) = (estimates[row], REACH * errors[row]);
            Some(Mark { line, series, at: [at - reach, at, at + reach] })
        };
        let marks: Vec<Mark> = rows.filter_map(mark).collect();
        Panel { name: name.replace('_', " "), reference: reference(answer, name), marks }
    };
    let panels = names.into_iter().map(panel);
    let panels: Vec<Panel> =
        panels.filter(|panel| panel.marks.iter().any(|mark| mark.at[1].is_finite())).collect();
    let mut about = vec![
        format!("{} {}", count(answer.draws.count), answer.draws.name),
        "bars: ± 1.96 MCSE".into(),
    ];
    if shown.len() < all.len() {
        about.push(format!("the first {LINES_MAX} of {} conditions", count(all.len() as u64)));
    }
    about.push(format!("seed {}", answer.seed));
    Ok(Forest {
        title: format!("simulate: {}", answer.method),
        about: about.join(" · "),
        lines: shown.iter().map(|&line| line.to_owned()).collect(),
        series: series.into_iter().map(str::to_owned).collect(),
        panels,
    })
}

/// The value that a measure has if nothing is wrong.
fn reference(answer: &Answer, measure: &str) -> Option<f64> {
    match measure {
        "bias" | "relative_bias" | "model_se_error" | "precision_gain" => Some(0.0),
        "coverage" | "bias_eliminated_coverage" => answer.extra.get("level")?.as_f64(),
        "rejection" => answer.extra.get("alpha")?.as_f64(),
        _ => None,
    }
}
