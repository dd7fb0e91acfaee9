//! Read the terms of a model: `a + b`, `a:b`, `a*b`, `a/b`, `(a + b)^2`, `- 1`, `.`.

use super::scan::{Word, WordKind, tidy, words};
use super::{Factor, Operand, Variable};
use std::ops::Range;
use windfall_core::{Column, Table, nearest};
use windfall_expr::{Expr, Names, ProblemKind, Problems};

/// A product of variables, by their places, in the order of first appearance; empty for the
/// intercept.
pub(super) type Term = Vec<usize>;

/// The most terms that a model may expand to, before its factors have their levels.
const TERMS_MAX: usize = 2_000;
/// The deepest that parentheses may stand.
const DEPTH_MAX: usize = 50;

/// Reads the part after `~`.
pub(super) struct Reader<'a> {
    pub text: &'a str,
    pub table: &'a Table,
    /// Columns that `.` leaves out.
    pub except: &'a [String],
    pub problems: &'a mut Problems,
    /// The variables met so far.
    pub variables: Vec<Variable>,
    pub offsets: Vec<Operand>,
    words: Vec<Word>,
    at: usize,
    depth: usize,
}

/// A list of terms that also remembers what was taken away.
#[derive(Clone, Debug, Default)]
struct Sum {
    terms: Vec<Term>,
    /// Whether `0` or `- 1` stood in it.
    no_intercept: bool,
}

impl<'a> Reader<'a> {
    /// A reader of `text[part]`.
    pub fn new(
        text: &'a str,
        table: &'a Table,
        except: &'a [String],
        problems: &'a mut Problems,
    ) -> Self {
        let (variables, offsets, words) = (Vec::new(), Vec::new(), Vec::new());
        Self { text, table, except, problems, variables, offsets, words, at: 0, depth: 0 }
    }

    /// The terms of `text[part]` without the intercept, main effects first, and whether there is
    /// an intercept.
    pub fn terms(&mut self, part: Range<usize>) -> (Vec<Term>, bool) {
        self.words = words(self.text, part, self.problems);
        let sum = self.sum();
        if self.word().kind != WordKind::End {
            let bytes = self.word().bytes.clone();
            let message = format!("`{}` does not belong here", &self.text[bytes.clone()]);
            let hint = "terms are joined by + - : * / ^; arithmetic goes within I(…)";
            self.problems.add(ProblemKind::Around, bytes, message, Some(hint.into()));
        }
        let mut terms: Vec<Term> = sum.terms.into_iter().filter(|term| !term.is_empty()).collect();
        terms.sort_by_key(Vec::len);
        (terms, !sum.no_intercept)
    }

    /// An operand that must be one value a row: the response, an offset.
    pub fn operand(&mut self, part: Range<usize>, what: &str) -> Option<Operand> {
        // What is no single word is an expression, whose own reader says what is wrong with it.
        let words = words(self.text, part.clone(), &mut Problems::new(self.text));
        match words.as_slice() {
            [Word { kind: WordKind::End, .. }] => {
                let message = format!("{what} is missing");
                let hint = "write the response before `~`, as in `y ~ x1 + x2`";
                self.problems.add(ProblemKind::MissingValue, part, message, Some(hint.into()));
                None
            }
            [Word { kind: WordKind::Name(name), bytes }, _] => {
                self.known(name, bytes.clone()).then(|| Operand::Column(name.clone()))
            }
            [Word { kind: WordKind::Call(name, inside), .. }, _] if name == "I" => {
                self.expression(inside.clone(), part)
            }
            _ => {
                let written = &self.text[part.clone()];
                let start = part.start + written.len() - written.trim_start().len();
                let end = start + written.trim().len();
                self.expression(start..end, start..end)
            }
        }
    }

    fn word(&self) -> &Word {
        &self.words[self.at.min(self.words.len() - 1)]
    }

    fn sign(&self) -> Option<char> {
        match self.word().kind {
            WordKind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn sum(&mut self) -> Sum {
        let mut sum = Sum::default();
        let mut first = true;
        loop {
            let sign = self.sign();
            match sign {
                Some('+' | '-') => self.at += 1,
                _ if first => {}
                _ => return sum,
            }
            first = false;
            let next = self.product();
            if sign == Some('-') {
                sum.terms.retain(|term| !next.terms.contains(term));
                sum.no_intercept = match next.no_intercept {
                    true => false,
                    false => sum.no_intercept || next.terms.contains(&Term::new()),
                };
            } else {
                if next.terms.contains(&Term::new()) {
                    sum.no_intercept = false;
                }
                sum.no_intercept |= next.no_intercept;
                self.unite(&mut sum.terms, next.terms);
            }
        }
    }

    fn product(&mut self) -> Sum {
        let mut left = self.interaction();
        while let Some(sign @ ('*' | '/')) = self.sign() {
            self.at += 1;
            let right = self.interaction();
            let crossed = match sign {
                '*' => self.cross(&left.terms, &right.terms),
                _ => {
                    let mut all: Term = left.terms.concat();
                    dedup(&mut all);
                    self.cross(&[all], &right.terms)
                }
            };
            if sign == '*' {
                self.unite(&mut left.terms, right.terms);
            }
            self.unite(&mut left.terms, crossed);
        }
        left
    }

    fn interaction(&mut self) -> Sum {
        let mut left = self.power();
        while self.sign() == Some(':') {
            self.at += 1;
            let right = self.power();
            left.terms = self.cross(&left.terms, &right.terms);
        }
        left
    }

    fn power(&mut self) -> Sum {
        let mut base = self.atom();
        while self.sign() == Some('^') {
            self.at += 1;
            let Word { kind, bytes } = self.word().clone();
            match kind {
                WordKind::Number(n) if n.fract() == 0.0 && (1.0..=20.0).contains(&n) => {
                    self.at += 1;
                    let once = base.terms.clone();
                    for _ in 1..n as usize {
                        let crossed = self.cross(&base.terms, &once);
                        self.unite(&mut base.terms, crossed);
                    }
                }
                _ => {
                    let message = "the power of a sum of terms must be a whole number";
                    let hint = "a power of the values is written I(x^2)";
                    self.problems.add(ProblemKind::Around, bytes, message, Some(hint.into()));
                    self.at += usize::from(kind != WordKind::End);
                }
            }
        }
        base
    }

    fn atom(&mut self) -> Sum {
        let Word { kind, bytes } = self.word().clone();
        if kind != WordKind::End {
            self.at += 1;
        }
        match kind {
            WordKind::Number(1.0) => Sum { terms: vec![Term::new()], no_intercept: false },
            WordKind::Number(0.0) => Sum { terms: Vec::new(), no_intercept: true },
            WordKind::Name(name) => self.column(&name, bytes),
            WordKind::Call(name, inside) => self.call(&name, inside, bytes),
            WordKind::Sign('.') => self.all_others(),
            WordKind::Sign('(') if self.depth < DEPTH_MAX => {
                self.depth += 1;
                let sum = self.sum();
                self.depth -= 1;
                if self.sign() == Some(')') {
                    self.at += 1;
                } else {
                    let message = "an opening parenthesis without its partner";
                    self.problems.add(ProblemKind::UnclosedParenthesis, bytes, message, None);
                }
                sum
            }
            WordKind::Sign('~') => {
                let message = "a second `~`: a model has one";
                self.problems.add(ProblemKind::Around, bytes, message, None);
                Sum::default()
            }
            WordKind::Number(_) => {
                let written = &self.text[bytes.clone()];
                let message = format!("`{written}` is no term");
                let hint =
                    "1 and 0 mean with and without an intercept; arithmetic goes within I(…)";
                self.problems.add(ProblemKind::Around, bytes, message, Some(hint.into()));
                Sum::default()
            }
            WordKind::Sign(_) | WordKind::End => {
                let message = "a term should stand here";
                self.problems.add(ProblemKind::MissingValue, bytes, message, None);
                Sum::default()
            }
        }
    }

    fn column(&mut self, name: &str, bytes: Range<usize>) -> Sum {
        if !self.known(name, bytes) {
            return Sum::default();
        }
        let variable = match self.table.column(name) {
            Ok(Column::Labels(_)) => Variable::Factor(Factor::new(name, name)),
            _ => Variable::Values { label: name.into(), operand: Operand::Column(name.into()) },
        };
        self.variable(variable)
    }

    fn call(&mut self, name: &str, inside: Range<usize>, bytes: Range<usize>) -> Sum {
        match name {
            "C" | "factor" | "as.factor" => self.factor(inside, bytes),
            "offset" => {
                let operand = self.operand(inside, "the offset");
                self.offsets.extend(operand);
                Sum::default()
            }
            _ => {
                let part = if name == "I" { inside } else { bytes.clone() };
                let label = tidy(&self.text[bytes.clone()]);
                match self.expression(part, bytes) {
                    Some(operand) => self.variable(Variable::Values { label, operand }),
                    None => Sum::default(),
                }
            }
        }
    }

    /// `C(g)`, `C(g, "b")`, `C(g, Treatment(reference="b"))`: a factor, perhaps with its
    /// reference level.
    fn factor(&mut self, inside: Range<usize>, bytes: Range<usize>) -> Sum {
        let written = &self.text[inside.clone()];
        let comma = written.find(',').map_or(inside.end, |at| inside.start + at);
        let words = words(self.text, inside.start..comma, self.problems);
        let [Word { kind: WordKind::Name(name), bytes: at }, _] = words.as_slice() else {
            let message = "a factor is one column";
            let hint = "write such as C(group) or C(group, \"reference\")";
            self.problems.add(ProblemKind::Around, inside, message, Some(hint.into()));
            return Sum::default();
        };
        if !self.known(name, at.clone()) {
            return Sum::default();
        }
        let mut factor = Factor::new(&tidy(&self.text[bytes]), name);
        if comma < inside.end {
            let rest = self.text[comma + 1..inside.end].trim();
            let rest =
                rest.strip_prefix("Treatment(").map_or(rest, |rest| rest.trim_end_matches(')'));
            let rest = rest.rsplit('=').next().unwrap_or(rest);
            let level = rest.trim().trim_matches(['"', '\'', '`']).to_owned();
            factor.label = format!("C({name})");
            factor.reference = Some((level, comma + 1..inside.end));
        }
        self.variable(Variable::Factor(factor))
    }

    /// Every column that is not the response nor set aside.
    fn all_others(&mut self) -> Sum {
        let mut sum = Sum::default();
        let names: Vec<String> = self.table.names().map(str::to_owned).collect();
        for name in names.iter().filter(|name| !self.except.contains(name)) {
            let one = self.column(name, 0..0);
            self.unite(&mut sum.terms, one.terms);
        }
        sum
    }

    /// Whether `name` is a column; if not, that is noted.
    fn known(&mut self, name: &str, bytes: Range<usize>) -> bool {
        if self.table.names().any(|column| column == name) {
            return true;
        }
        let hint = match nearest(name, self.table.names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<&str> = self.table.names().take(8).collect();
                format!("the columns are {}", names.join(", "))
            }
        };
        let message = format!("unknown column `{name}`");
        self.problems.add(ProblemKind::UnknownVariable, bytes, message, Some(hint));
        false
    }

    /// The expression in `part`, written as a whole in `whole`.
    fn expression(&mut self, part: Range<usize>, whole: Range<usize>) -> Option<Operand> {
        let text = &self.text[part.clone()];
        let names: Vec<String> = self.table.names().map(str::to_owned).collect();
        let expr = match Expr::parse(text, &Names::columns(names.clone())) {
            Ok(expr) => expr,
            Err(inner) => {
                self.problems.absorb(&inner, part.start);
                return None;
            }
        };
        for index in expr.program().columns_used() {
            if let Ok(Column::Labels(_)) = self.table.column(&names[index]) {
                let message = format!("the column `{}` holds text", names[index]);
                let hint = "text columns are factors: write them as terms of their own";
                self.problems.add(ProblemKind::Around, whole, message, Some(hint.into()));
                return None;
            }
        }
        Some(Operand::Expression(Box::new(expr)))
    }

    fn variable(&mut self, variable: Variable) -> Sum {
        let known = self.variables.iter().position(|old| old.label() == variable.label());
        let place = known.unwrap_or_else(|| {
            self.variables.push(variable);
            self.variables.len() - 1
        });
        Sum { terms: vec![vec![place]], no_intercept: false }
    }

    /// Adds the terms that are not there yet.
    fn unite(&mut self, terms: &mut Vec<Term>, more: Vec<Term>) {
        for term in more {
            if !terms.iter().any(|old| same(old, &term)) {
                terms.push(term);
            }
        }
        if terms.len() > TERMS_MAX {
            let message = format!("the model expands to more than {TERMS_MAX} terms");
            self.problems.add(ProblemKind::TooLong, 0..0, message, None);
            terms.truncate(TERMS_MAX);
        }
    }

    /// Each term of `left` with each of `right`.
    fn cross(&mut self, left: &[Term], right: &[Term]) -> Vec<Term> {
        let mut all = Vec::new();
        for a in left {
            let mut row = Vec::new();
            for b in right {
                let mut term = [a.as_slice(), b].concat();
                dedup(&mut term);
                row.push(term);
            }
            self.unite(&mut all, row);
        }
        all
    }
}

/// Keeps the first of equal variables.
fn dedup(term: &mut Term) {
    let mut seen = Vec::new();
    term.retain(|variable| {
        let new = !seen.contains(variable);
        seen.push(*variable);
        new
    });
}

/// Whether both are products of the same variables.
pub(super) fn same(a: &[usize], b: &[usize]) -> bool {
    a.len() == b.len() && a.iter().all(|variable| b.contains(variable))
}
