//! Share what the tests need: a small generator of random numbers and short ways to evaluate.

use windfall_expr::{Expr, Names, Workspace};

/// A generator for tests (splitmix64): fixed seeds, the same on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An integer in `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// A number in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The formula over `x0, x1, …`.
pub fn expr(text: &str, columns: usize) -> Expr {
    match Expr::parse(text, &Names::indexed(columns)) {
        Ok(expr) => expr,
        Err(problems) => panic!("`{text}` should be fine:\n{problems}"),
    }
}

/// The value of a formula at one point.
pub fn at(text: &str, point: &[f64]) -> f64 {
    expr(text, point.len()).evaluate_one(point, &mut Workspace::new())
}

/// The value of a formula of constants.
pub fn value(text: &str) -> f64 {
    at(text, &[])
}

/// Whether two doubles have the same bits, or are both NaN.
pub fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}
