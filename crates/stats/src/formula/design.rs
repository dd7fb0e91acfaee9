//! Lay out the columns of a model: values, treatment-coded factors, and their products.

use super::terms::same;
use super::{Factor, Formula, Operand, Variable};
use windfall_core::{Column, Error, Numbers, Result, Table};
use windfall_expr::Workspace;

/// The most columns of a design matrix: a factor with more levels is a mistake.
pub const COLUMNS_MAX: usize = 2_000;
/// The most numbers of a design matrix: 8 GB.
const CELLS_MAX: usize = 1 << 30;

/// A design matrix by columns, with the response beside it.
///
/// # Shapes
/// Every column, the response and the offset hold one number a row of the table; one that is
/// missing there, or undefined, is not finite here.
#[derive(Clone, Debug)]
pub struct Design {
    /// The name of each column, as R writes it.
    pub names: Vec<String>,
    /// The columns; plain columns of the table are shared, not copied.
    pub columns: Vec<Numbers>,
    /// Whether the first column is the intercept.
    pub intercept: bool,
    /// The response; 1 for the later of the two labels of a text column.
    pub response: Numbers,
    /// The sum of the offsets.
    pub offset: Option<Numbers>,
}

/// The columns of one variable or term, each with its name.
type Block = Vec<(String, Numbers)>;

/// A factor over the rows of a table.
struct Levels {
    /// The level of each row; none if it is missing.
    codes: Vec<Option<usize>>,
    /// The names of the levels, the reference first.
    names: Vec<String>,
}

impl Formula {
    /// The design matrix over the rows of `table`, whose columns must be those that the model was
    /// read for.
    ///
    /// # Cost
    /// One pass and one column for each coefficient that is not a plain column.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for a reference level that a factor does not have, a
    /// response that is text with other than two labels, a model without terms or with more than
    /// [`COLUMNS_MAX`] columns.
    pub fn design(&self, table: &Table) -> Result<Design> {
        let response = self.response_values(table)?;
        let mut offset: Option<Vec<f64>> = None;
        for operand in &self.offsets {
            let values = self.values(operand, table)?;
            offset = Some(match offset {
                None => values.as_slice().to_vec(),
                Some(sum) => sum.iter().zip(values.as_slice()).map(|(a, b)| a + b).collect(),
            });
        }
        let mut columns = Block::new();
        if self.intercept {
            columns.push(("(Intercept)".into(), Numbers::from(vec![1.0; table.rows()])));
        }
        let levels = self.levels(table)?;
        for place in 0..self.terms.len() {
            let block = self.term(place, table, &levels)?;
            let count = columns.len() + block.len();
            if count > COLUMNS_MAX || count.saturating_mul(table.rows()) > CELLS_MAX {
                return Err(self.too_wide(count, table.rows()));
            }
            columns.extend(block);
        }
        if columns.is_empty() {
            return Err(Error::invalid("formula", &self.text, "a model with at least one term"));
        }
        let (names, columns) = columns.into_iter().unzip();
        let offset = offset.map(Numbers::from);
        Ok(Design { names, columns, intercept: self.intercept, response, offset })
    }

    fn too_wide(&self, columns: usize, rows: usize) -> Error {
        let expected = format!(
            "a model of at most {COLUMNS_MAX} columns and {CELLS_MAX} numbers; this has {columns} \
             columns or more over {rows} rows"
        );
        Error::invalid("formula", &self.text, &expected)
            .hint("a factor with so many levels may be meant for `by`")
    }

    fn response_values(&self, table: &Table) -> Result<Numbers> {
        let Operand::Column(name) = &self.response else {
            return self.values(&self.response, table);
        };
        let Column::Labels(labels) = table.column(name)? else {
            return self.values(&self.response, table);
        };
        let levels = Levels::new(&Factor::new(name, name), table)?;
        if levels.names.len() != 2 {
            let count = labels.names().len();
            let expected = "a response of numbers, or of text with two labels";
            return Err(Error::invalid(name, format!("text with {count} labels"), expected));
        }
        let of = |code: &Option<usize>| code.map_or(f64::NAN, |code| code as f64);
        Ok(Numbers::from(levels.codes.iter().map(of).collect::<Vec<_>>()))
    }

    /// One value a row.
    fn values(&self, operand: &Operand, table: &Table) -> Result<Numbers> {
        match operand {
            Operand::Column(name) => match table.column(name)? {
                Column::Numbers(numbers) => Ok(numbers.clone()),
                Column::Labels(_) => Err(Error::invalid(name, "text", "a column of numbers")),
            },
            Operand::Expression(expr) => {
                let used = expr.program().columns_used();
                let mut columns: Vec<&[f64]> = Vec::new();
                for (place, (_, column)) in table.columns().enumerate() {
                    columns.push(match column {
                        Column::Numbers(numbers) if used.contains(&place) => numbers.as_slice(),
                        _ => &[],
                    });
                }
                let mut out = vec![0.0; table.rows()];
                expr.evaluate(&columns, &mut out, &mut Workspace::new());
                Ok(Numbers::from(out))
            }
        }
    }

    /// The levels of each variable that is a factor.
    fn levels(&self, table: &Table) -> Result<Vec<Option<Levels>>> {
        let of = |variable: &Variable| match variable {
            Variable::Factor(factor) => Levels::new(factor, table).map(Some),
            Variable::Values { .. } => Ok(None),
        };
        self.variables.iter().map(of).collect()
    }

    /// The columns of the term at `place`: the first variable varies fastest.
    fn term(&self, place: usize, table: &Table, levels: &[Option<Levels>]) -> Result<Block> {
        let mut block: Option<Block> = None;
        for &variable in &self.terms[place] {
            let own = match (&self.variables[variable], &levels[variable]) {
                (Variable::Values { label, operand }, _) => {
                    vec![(label.clone(), self.values(operand, table)?)]
                }
                (Variable::Factor(factor), Some(levels)) => {
                    let skip = usize::from(!self.is_full(place, variable, first_factor(self)));
                    let count = (levels.names.len() - skip.min(levels.names.len()))
                        * block.as_ref().map_or(1, Vec::len);
                    if count > COLUMNS_MAX || count.saturating_mul(table.rows()) > CELLS_MAX {
                        return Err(self.too_wide(count, table.rows()));
                    }
                    levels.indicators(&factor.label, skip)
                }
                (Variable::Factor(_), None) => Block::new(),
            };
            block = Some(match block {
                None => own,
                Some(before) => products(&before, &own),
            });
        }
        Ok(block.unwrap_or_default())
    }

    /// Whether a factor in a term has a column for each level, not only for those beyond the
    /// reference: if the term without it is not in the model, or if it is the first factor of a
    /// model without intercept.
    fn is_full(&self, place: usize, variable: usize, first: Option<(usize, usize)>) -> bool {
        if !self.intercept && first == Some((place, variable)) {
            return true;
        }
        let rest: Vec<usize> =
            self.terms[place].iter().copied().filter(|&other| other != variable).collect();
        !rest.is_empty() && !self.terms.iter().any(|term| same(term, &rest))
    }
}

/// The first factor of the first term that has one: term and variable.
fn first_factor(formula: &Formula) -> Option<(usize, usize)> {
    formula.terms.iter().enumerate().find_map(|(place, term)| {
        let factor =
            |&&variable: &&usize| matches!(formula.variables[variable], Variable::Factor(_));
        term.iter().find(factor).map(|&variable| (place, variable))
    })
}

impl Levels {
    fn new(factor: &Factor, table: &Table) -> Result<Self> {
        let (codes, mut names, mut order) = match table.column(&factor.column)? {
            Column::Numbers(numbers) => of_numbers(numbers.as_slice()),
            Column::Labels(_) => {
                let labels = table.labels(&factor.column)?;
                let missing = |name: &str| matches!(name, "" | "NA");
                let code = |&code: &u32| {
                    let there = !missing(&labels.names()[code as usize]);
                    there.then_some(code as usize)
                };
                let mut order: Vec<usize> =
                    (0..labels.names().len()).filter(|&c| !missing(&labels.names()[c])).collect();
                order.sort_by(|&a, &b| labels.names()[a].cmp(&labels.names()[b]));
                (labels.codes().iter().map(code).collect(), labels.names().to_vec(), order)
            }
        };
        if let Some((reference, _)) = &factor.reference {
            let Some(at) = order.iter().position(|&code| names[code] == *reference) else {
                let known: Vec<&str> = order.iter().map(|&code| names[code].as_str()).collect();
                return Err(Error::unknown(
                    &format!("level of `{}`", factor.column),
                    reference,
                    &known,
                ));
            };
            let code = order.remove(at);
            order.insert(0, code);
        }
        let mut ranks = vec![0; names.len()];
        for (rank, &code) in order.iter().enumerate() {
            ranks[code] = rank;
        }
        let codes = codes.into_iter().map(|code: Option<usize>| code.map(|c| ranks[c])).collect();
        names = order.iter().map(|&code| std::mem::take(&mut names[code])).collect();
        Ok(Self { codes, names })
    }

    /// A column of 0 and 1 for each level but the first `skip`.
    fn indicators(&self, label: &str, skip: usize) -> Block {
        let column = |level: usize| {
            let of = |code: &Option<usize>| code.map_or(f64::NAN, |c| f64::from(c == level));
            let values: Vec<f64> = self.codes.iter().map(of).collect();
            (format!("{label}{}", self.names[level]), Numbers::from(values))
        };
        (skip..self.names.len()).map(column).collect()
    }
}

/// The codes of numbers in sorted order, their names and that order.
fn of_numbers(values: &[f64]) -> (Vec<Option<usize>>, Vec<String>, Vec<usize>) {
    let mut levels: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let code = |value: &f64| levels.iter().position(|level| level == value);
    let by_search = |value: &f64| match value.is_nan() {
        true => None,
        false => {
            levels.binary_search_by(|level| level.total_cmp(value)).ok().or_else(|| code(value))
        }
    };
    let codes = values.iter().map(by_search).collect();
    (codes, levels.iter().map(f64::to_string).collect(), (0..levels.len()).collect())
}

/// Each column of `left` times each of `right`.
fn products(left: &Block, right: &Block) -> Block {
    let mut block = Block::with_capacity(left.len() * right.len());
    for (their, b) in right {
        for (our, a) in left {
            let pairs = a.as_slice().iter().zip(b.as_slice());
            let values: Vec<f64> = pairs.map(|(a, b)| a * b).collect();
            block.push((format!("{our}:{their}"), Numbers::from(values)));
        }
    }
    block
}
