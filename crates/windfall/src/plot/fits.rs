//! Lay out fits: coefficients with their intervals, a panel a term, a line a group.

use super::Drawer;
use super::forest::{Forest, Mark, Panel};
use super::tidy::{distinct, key_names, values};
use crate::readable::{count, significant};
use windfall_core::{Answer, Result, Table};

/// Lines and panels that are drawn at most.
const LINES_MAX: usize = 40;
const TERMS_MAX: usize = 12;

/// Coefficients across groups; of a single group, one panel with a line a term.
pub(super) const DRAWER: Drawer = Drawer {
    serves: |answer| answer.problem == "fit" && forest(answer).is_some(),
    draw: |answer, font| {
        let nothing = || Forest {
            title: answer.method.clone(),
            about: String::new(),
            lines: Vec::new(),
            series: Vec::new(),
            panels: Vec::new(),
        };
        forest(answer).unwrap_or_else(nothing).scene(font)
    },
};

fn forest(answer: &Answer) -> Option<Forest> {
    let table = answer.table.as_ref()?;
    let told = |key: &str| answer.extra.get(key).and_then(|value| value.as_str());
    let (lines, panels, left_out) = laid_out(answer, table).ok()?;
    let level = answer.extra.get("level").and_then(serde_json::Value::as_f64).unwrap_or(0.95);
    let level = significant(100.0 * level, 3);
    let level = level.trim_end_matches('0').trim_end_matches('.');
    let se = told("se").unwrap_or("classical");
    let mut about = vec![answer.method.clone(), format!("{level} % intervals, {se} errors")];
    about.extend(left_out);
    let title =
        format!("fit: {}", told("formula").filter(|text| !text.is_empty()).unwrap_or("arrays"));
    Some(Forest { title, about: about.join(" · "), lines, series: Vec::new(), panels })
}

/// Lines, panels and what is left out.
fn laid_out(answer: &Answer, table: &Table) -> Result<(Vec<String>, Vec<Panel>, Vec<String>)> {
    let terms = table.labels("term")?;
    let [low, estimate, high] =
        [values(table, "low")?, values(table, "estimate")?, values(table, "high")?];
    let names = distinct(terms.rows());
    let each = names.len().max(1);
    let groups = table.rows() / each;
    let mark = |row: usize, line: usize| Mark {
        line,
        series: 0,
        at: [low[row], estimate[row], high[row]],
    };
    if groups <= 1 {
        let marks = (0..table.rows()).map(|row| mark(row, row)).collect();
        let panel = Panel { name: "coefficient".into(), reference: Some(0.0), marks };
        return Ok((names.into_iter().map(str::to_owned).collect(), vec![panel], Vec::new()));
    }
    let shown = groups.min(LINES_MAX);
    let mut keys = key_names(table, "term");
    let lines = (0..shown).map(|group| std::mem::take(&mut keys[group * each])).collect();
    let panel = |(place, name): (usize, &&str)| {
        let marks = (0..shown).map(|group| mark(group * each + place, group)).collect();
        Panel { name: (*name).to_owned(), reference: Some(0.0), marks }
    };
    let panels = names.iter().enumerate().take(TERMS_MAX).map(panel).collect();
    let mut left_out = Vec::new();
    if shown < groups {
        left_out.push(format!("the first {LINES_MAX} of {} groups", count(answer.draws.count)));
    }
    if each > TERMS_MAX {
        left_out.push(format!("the first {TERMS_MAX} of {each} terms"));
    }
    Ok((lines, panels, left_out))
}
