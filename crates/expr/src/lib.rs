//! Turn a formula that a person typed into numbers by the million.
//!
//! [`Expr::parse`] reads and checks a formula over columns; [`Expr::evaluate`] runs it in blocks
//! over those columns, with the same bits on every processor. [`Statistic::parse`] reads a formula
//! of aggregates such as `sd(x)/mean(x)`, whose aggregates someone else computes. Between text and
//! numbers stands a [`Program`], a straight line of operations that other back ends can read too.
//!
//! ```text
//! text > lexer > parser > tree > lower, builder > Program > schedule > evaluate > numbers
//! ```
//!
//! The files, in about that order: `error.rs` collects what is wrong; `names.rs`,
//! `vocabulary.rs`, `functions.rs` and `laws.rs` say what a formula may mention; `lexer.rs`,
//! `parser.rs`, `calls.rs` and `tree.rs` read it; `lower.rs` decides what is fused and `builder.rs`
//! folds and shares; `program.rs` is the form in between; `schedule.rs` plans the passes,
//! `frame.rs`, `chain.rs` and `elementary.rs` run them and `evaluate.rs` cuts columns into blocks;
//! `derive.rs` differentiates, `stages.rs` splits what depends on rows from what does not, and
//! `rows.rs` sums; `expr.rs`, `statistic.rs` and `total.rs` are the three faces.
//!
//! ```
//! use windfall_expr::{Expr, Names, Workspace};
//!
//! let expr = Expr::parse("gpa/4 + log(lsat)", &Names::columns(["lsat", "gpa"]))?;
//! assert_eq!(expr.evaluate_one(&[1.0, 3.0], &mut Workspace::new()), 0.75);
//! # Ok::<(), windfall_expr::Problems>(())
//! ```

mod builder;
mod calls;
mod chain;
mod derive;
mod elementary;
mod error;
mod evaluate;
mod expr;
mod frame;
mod functions;
mod laws;
mod lexer;
mod lower;
mod names;
mod parser;
mod program;
mod rows;
mod schedule;
mod stages;
mod statistic;
mod total;
mod tree;
mod vocabulary;

pub use error::{PROBLEMS_MAX, Problem, ProblemKind, Problems};
pub use evaluate::Workspace;
pub use expr::Expr;
pub use functions::{Function, all as functions};
pub use names::Names;
pub use parser::{DEPTH_MAX, LENGTH_BYTES_MAX};
pub use program::{Binary, Fused, Op, Program, Unary, ValueId};
pub use rows::Rows;
pub use statistic::{Slot, Statistic};
pub use total::{Total, Words};
pub use vocabulary::{Aggregate, Argument, Vocabulary};
