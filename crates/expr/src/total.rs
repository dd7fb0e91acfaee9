//! A number made of parameters and of sums over rows, with its gradient by the parameters.

use crate::error::Problems;
use crate::evaluate::Workspace;
use crate::frame::{BLOCK_VECTORS, GROUP_MAX, Splat, Vector};
use crate::names::Names;
use crate::parser::parse;
use crate::rows::Rows;
use crate::stages::{Packed, Stages};
use crate::statistic::{check, inside_aggregates};
use crate::tree::{NodeId, NodeKind, Tree};
use crate::vocabulary::{Aggregate, Argument, Vocabulary};
use std::fmt;

/// The words that a [`Total`] may use. No name stands twice; that is the caller's to check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    /// What the total is a function of.
    pub parameters: Vec<String>,
    /// The columns that stand inside `sum(…)`.
    pub columns: Vec<String>,
    /// Names for numbers.
    pub constants: Vec<(String, f64)>,
}

/// A formula over parameters, with `sum(…)` over the rows of columns, and its gradient.
///
/// The gradient is exact: derivatives of the operations, not differences. Sums run over blocks of
/// rows at the speed of [`Expr::evaluate`](crate::Expr::evaluate), in a fixed order, so that value
/// and gradient have the same bits on every processor. Work that does not depend on the row is done
/// once a call, work that does not depend on the parameters once for all.
///
/// ```
/// use windfall_expr::{Total, Words, Workspace};
///
/// let words = Words {
///     parameters: vec!["a".into(), "b".into()],
///     columns: vec!["x".into(), "y".into()],
///     constants: vec![("tenth".into(), 0.1)],
/// };
/// let total = Total::parse("-sum((y - a - b*x)^2) - tenth*b^2", &words)?;
/// let rows = total.pack(&[&[0.0, 1.0], &[1.0, 2.0]]);
/// let (mut gradient, mut workspace) = ([0.0; 2], Workspace::new());
/// let value = total.gradient(&[1.0, 2.0], &rows, &mut gradient, &mut workspace);
/// assert!((value + 1.4).abs() < 1e-15); // residuals 0 and -1
/// assert!((gradient[0] + 2.0).abs() < 1e-15 && (gradient[1] + 2.4).abs() < 1e-15);
/// # Ok::<(), windfall_expr::Problems>(())
/// ```
#[derive(Clone, Debug)]
pub struct Total {
    text: String,
    parameters: usize,
    columns: usize,
    has_sums: bool,
    stages: Stages,
}

impl Total {
    /// Reads and checks the formula `text`.
    ///
    /// # Errors
    /// [`Problems`] lists every mistake: beside those of [`Expr::parse`](crate::Expr::parse), a sum
    /// inside another and a column outside any.
    ///
    /// # Cost
    /// Proportional to the length of `text` and the number of parameters.
    pub fn parse(text: &str, words: &Words) -> Result<Total, Problems> {
        let Words { parameters, columns, constants } = words;
        let constant_names = constants.iter().map(|(name, _)| name);
        let names = Names::columns(parameters.iter().chain(columns).chain(constant_names));
        let sum = Aggregate::new("sum", &[Argument::Column]);
        let vocabulary = Vocabulary::new(names).with([sum]);
        let tree = parse(text, &vocabulary)?;
        let inside = inside_aggregates(&tree);
        let in_rows = parameters.len()..parameters.len() + columns.len();
        check(&tree, &inside, (text, &vocabulary), |index| !in_rows.contains(&index))?;

        let tree = tree.map_leaves(|index| match index.checked_sub(in_rows.end) {
            Some(place) => NodeKind::Number(constants[place].1),
            None => NodeKind::Variable(index),
        });
        let (mut outer, mut sums) = (Tree::default(), Vec::new());
        let mut new_ids: Vec<NodeId> = vec![0; tree.nodes.len()];
        for (id, node) in tree.nodes.iter().enumerate().filter(|(id, _)| !inside[*id]) {
            let kind = match &node.kind {
                NodeKind::Aggregate(_, arguments) => {
                    sums.push(tree.subtree(arguments[0]));
                    NodeKind::Variable(parameters.len() + sums.len() - 1)
                }
                other => other.clone().map_children(|child| new_ids[child]),
            };
            new_ids[id] = outer.nodes.len();
            outer.push(kind, node.bytes.clone(), new_ids[id]);
        }
        Ok(Total {
            text: text.to_owned(),
            parameters: parameters.len(),
            columns: columns.len(),
            has_sums: !sums.is_empty(),
            stages: Stages::new(&outer, &sums, parameters.len(), columns.len()),
        })
    }

    /// Whether it sums over rows at all.
    pub fn has_sums(&self) -> bool {
        self.has_sums
    }

    /// For each parameter, whether the total depends on it.
    pub fn uses(&self) -> &[bool] {
        &self.stages.used
    }

    /// The columns that it reads, ascending.
    pub fn columns_used(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self.stages.packed.iter().flat_map(Packed::columns).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Packs the columns it sums over, once for many evaluations.
    ///
    /// # Shapes
    /// `columns`: one slice per column of the words, all of one length; those that
    /// [`columns_used`](Total::columns_used) does not list may hold anything.
    ///
    /// # Panics
    /// If the number of columns or a length is wrong.
    pub fn pack(&self, columns: &[&[f64]]) -> Rows {
        let (found, wanted) = (columns.len(), self.columns);
        assert!(found == wanted, "{found} columns for a total over {wanted}");
        let rows = columns.first().map_or(0, |column| column.len());
        assert!(columns.iter().all(|column| column.len() == rows), "columns differ in length");
        let mut workspace = Workspace::new();
        let column = |packed: &Packed| match packed {
            Packed::Column(index) => columns[*index].to_vec(),
            Packed::Made(code) => {
                let mut made = vec![0.0; rows];
                code.evaluate(columns, &mut made, &mut workspace);
                made
            }
        };
        Rows::pack(&self.stages.packed.iter().map(column).collect::<Vec<_>>(), rows)
    }

    /// The total at `parameters`.
    ///
    /// # Panics
    /// If the number of parameters is wrong; if `rows` were packed by another total, anything may
    /// come out.
    pub fn value(&self, parameters: &[f64], rows: &Rows, workspace: &mut Workspace) -> f64 {
        self.evaluate(parameters, rows, &mut [], workspace)
    }

    /// The total at `parameters`; its derivative by each parameter is written to `gradient`.
    ///
    /// # Panics
    /// As [`value`](Total::value).
    pub fn gradient(
        &self,
        parameters: &[f64],
        rows: &Rows,
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> f64 {
        let (found, wanted) = (gradient.len(), self.parameters);
        assert!(found == wanted, "room for {found} derivatives by {wanted} parameters");
        self.evaluate(parameters, rows, gradient, workspace)
    }

    fn evaluate(
        &self,
        parameters: &[f64],
        rows: &Rows,
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> f64 {
        let (found, wanted) = (parameters.len(), self.parameters);
        assert!(found == wanted, "{found} parameters for a total of {wanted}");
        let with_gradient = usize::from(!gradient.is_empty());
        let Stages { prelude, sums, postlude, .. } = &self.stages;
        let (sums, postlude) = (&sums[with_gradient], &postlude[with_gradient]);
        let uniforms = prelude.results.len();
        let Workspace { blocks, total: Room { inputs, splats, totals }, .. } = workspace;
        grow(inputs, parameters.len() + uniforms + sums.terms.len(), [0.0; 8]);
        grow(splats, uniforms, [[0.0; 8]; GROUP_MAX]);
        grow(totals, sums.terms.len(), [0.0; 8]);
        for (input, &value) in inputs.iter_mut().zip(parameters) {
            *input = [value; 8];
        }
        let (given, made) = inputs.split_at_mut(parameters.len());
        prelude.run(given, blocks, |place, value| {
            splats[place] = [[value; 8]; GROUP_MAX];
            made[place] = [value; 8];
        });
        if self.has_sums {
            grow(blocks, sums.code.blocks() * BLOCK_VECTORS, [0.0; 8]);
            let totals = &mut totals[..sums.terms.len()];
            sums.run(rows, splats, blocks, totals);
            for (input, total) in made[uniforms..].iter_mut().zip(totals) {
                let [a, b, c, d, e, f, g, h] = *total;
                *input = [((a + e) + (c + g)) + ((b + f) + (d + h)); 8];
            }
        }
        let mut total = 0.0;
        postlude.run(inputs, blocks, |place, value| match place.checked_sub(1) {
            None => total = value,
            Some(parameter) => gradient[parameter] = value,
        });
        total
    }
}

/// Makes `list` at least `len` long.
fn grow<T: Copy>(list: &mut Vec<T>, len: usize, fill: T) {
    if list.len() < len {
        list.resize(len, fill);
    }
}

/// What the evaluation of totals keeps from call to call.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Parameters, results of the prelude, sums.
    inputs: Vec<Vector>,
    splats: Vec<Splat>,
    totals: Vec<Vector>,
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
