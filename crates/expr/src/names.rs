//! Name the columns a formula may use: `x0, x1, …` by index, or the names of a table.

use std::collections::BTreeMap;

/// The variables of a formula, in the order of the columns it is evaluated over.
///
/// ```
/// use windfall_expr::Names;
///
/// assert_eq!(Names::indexed(5).find("x4"), Some(4));
/// assert_eq!(Names::columns(["lsat", "gpa"]).find("gpa"), Some(1));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Names(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Indexed(usize),
    Listed { names: Vec<String>, index: BTreeMap<String, usize> },
}

impl Names {
    /// The variables `x0` to `x(count - 1)`.
    pub fn indexed(count: usize) -> Names {
        Names(Kind::Indexed(count))
    }

    /// The columns of a table by their names, which may be any text: a name that is not an
    /// identifier is written in back quotes or double quotes. Of two equal names the first is
    /// meant; refusing such a table is its reader's duty.
    pub fn columns<I>(names: I) -> Names
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut index = BTreeMap::new();
        for (position, name) in names.iter().enumerate() {
            index.entry(name.clone()).or_insert(position);
        }
        Names(Kind::Listed { names, index })
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Indexed(count) => *count,
            Kind::Listed { names, .. } => names.len(),
        }
    }

    /// Whether there is no column at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column called `name`.
    pub fn find(&self, name: &str) -> Option<usize> {
        match &self.0 {
            Kind::Indexed(count) => {
                let digits = name.strip_prefix('x')?;
                let canonical = digits == "0" || !digits.starts_with('0');
                let plain = digits.bytes().all(|b| b.is_ascii_digit());
                let index: usize = digits.parse().ok()?;
                (canonical && plain && index < *count).then_some(index)
            }
            Kind::Listed { index, .. } => index.get(name).copied(),
        }
    }

    /// The name of column `index`; empty if there is none.
    pub fn name(&self, index: usize) -> String {
        match &self.0 {
            Kind::Indexed(_) => format!("x{index}"),
            Kind::Listed { names, .. } => names.get(index).cloned().unwrap_or_default(),
        }
    }

    /// One sentence for a hint: what could have been meant by `wrong`.
    pub(crate) fn hint(&self, wrong: &str) -> String {
        match &self.0 {
            Kind::Indexed(0) => "this formula has no variables".to_owned(),
            Kind::Indexed(1) => "the only variable is `x0`".to_owned(),
            Kind::Indexed(2) => "the variables are `x0` and `x1`".to_owned(),
            Kind::Indexed(count) => format!("the variables are `x0` to `x{}`", count - 1),
            Kind::Listed { names, .. } => match nearest(wrong, names.iter().map(String::as_str)) {
                Some(name) => format!("did you mean {}?", quoted(name)),
                None => format!("the columns are {}", listed(names)),
            },
        }
    }
}

/// The candidate most like `wrong`, if any is like it at all.
pub(crate) fn nearest<'a>(
    wrong: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    const LIKENESS_MIN: f64 = 0.78;
    let wrong = wrong.to_lowercase();
    let mut best = None;
    for candidate in candidates {
        let likeness = likeness(&wrong, &candidate.to_lowercase());
        if likeness >= LIKENESS_MIN && best.is_none_or(|(old, _)| likeness > old) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How alike two words are, from 0 to 1: by their letters, or one slip of the fingers apart.
fn likeness(a: &str, b: &str) -> f64 {
    const ONE_SLIP: f64 = 0.85;
    let slipped = a.len() > 2 && b.len() > 2 && strsim::osa_distance(a, b) == 1;
    strsim::jaro_winkler(a, b).max(if slipped { ONE_SLIP } else { 0.0 })
}

/// Whether `name` can stand in a formula without quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(is_name_start);
    starts && chars.all(is_name_part) && !name.ends_with('.') && !is_keyword(name)
}

/// Whether `name` is one of the words `and`, `or`, `not`.
fn is_keyword(name: &str) -> bool {
    matches!(name, "and" | "or" | "not")
}

/// Whether a name may start with `c`.
pub(crate) fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name may go on with `c`; dots are for names such as `Sepal.Length`.
pub(crate) fn is_name_part(c: char) -> bool {
    c.is_alphabetic() || c.is_ascii_digit() || c == '_' || c == '.'
}

/// `name` as one writes it in a formula, in code quotes for a message.
fn quoted(name: &str) -> String {
    if is_identifier(name) { format!("`{name}`") } else { format!("\"{name}\"") }
}

/// The first few names of a table for a message.
fn listed(names: &[String]) -> String {
    const SHOWN_MAX: usize = 8;
    let mut text: Vec<String> = names.iter().take(SHOWN_MAX).map(|name| quoted(name)).collect();
    if names.len() > SHOWN_MAX {
        text.push(format!("and {} more", names.len() - SHOWN_MAX));
    }
    if text.is_empty() { "none".to_owned() } else { text.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_indices_are_names() {
        let names = Names::indexed(12);
        assert_eq!(names.find("x11"), Some(11));
        for wrong in ["x12", "x", "x00", "x01", "x+1", "y0", "x-1", "X1", ""] {
            assert_eq!(names.find(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_first_of_two_equal_names_is_meant() {
        assert_eq!(Names::columns(["a", "b", "a"]).find("a"), Some(0));
    }

    #[test]
    fn identifiers_need_no_quotes() {
        for name in ["x", "_a1", "Sepal.Length", "größe"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "1a", "a b", "a.", "and", "x-1", "x\"y"] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
