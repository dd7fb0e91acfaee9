//! One pass over the rows of a regression: linear predictor, log likelihood and gradient, tile by
//! tile.
//!
//! A tile holds 32 rows, column by column. The linear predictor of a tile stays in registers while
//! its columns pass, and the same columns are still in the first-level cache when the gradient
//! takes them again.

use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Vectors of one column in a tile.
const VECTORS: usize = 4;
/// Rows of a tile.
const ROWS: usize = VECTORS * LANES;

/// One column of one tile.
type Part = [[f64; LANES]; VECTORS];

/// The rows of a regression: for each tile the response, the offset if there is one, then the
/// predictors.
#[derive(Clone, Debug)]
pub(super) struct Tiles {
    parts: Vec<Part>,
    rows: usize,
    predictors: usize,
    offset: bool,
}

impl Tiles {
    /// Packs columns of one length; rows past the end are zeros.
    pub fn new(response: &[f64], offset: Option<&[f64]>, predictors: &[Vec<f64>]) -> Self {
        let rows = response.len();
        let columns: Vec<&[f64]> = [Some(response), offset]
            .into_iter()
            .flatten()
            .chain(predictors.iter().map(Vec::as_slice))
            .collect();
        let mut parts = Vec::with_capacity(rows.div_ceil(ROWS) * columns.len());
        for start in (0..rows).step_by(ROWS) {
            for column in &columns {
                let mut part: Part = [[0.0; LANES]; VECTORS];
                let values = &column[start..rows.min(start + ROWS)];
                part.as_flattened_mut()[..values.len()].copy_from_slice(values);
                parts.push(part);
            }
        }
        Self { parts, rows, predictors: predictors.len(), offset: offset.is_some() }
    }
}

/// What the response is, given the linear predictor.
pub(super) trait Family: Send + Sync + 'static {
    /// What a likelihood is summed in.
    type Sums<S: Simd>: Copy;

    /// No rows yet.
    fn none<S: Simd>(simd: S) -> Self::Sums<S>;

    /// Adds the log likelihoods of eight rows, of which only `live` count; yields their
    /// derivatives by the linear predictor, 0 for the others.
    fn add<S: Simd>(
        simd: S,
        sums: &mut Self::Sums<S>,
        eta: S::F,
        response: S::F,
        live: Option<S::M>,
    ) -> S::F;

    /// Called after each 32 rows: makes room for more where sums could overflow.
    fn settle<S: Simd>(_: S, _: &mut Self::Sums<S>, _tiles: usize) {}

    /// The log likelihood of all rows.
    fn total<S: Simd>(simd: S, sums: Self::Sums<S>) -> f64;
}

/// The log likelihood of all rows; its gradient by the intercept and the coefficients, in this
/// order, is written to `gradient` unless that is empty.
///
/// # Cost
/// Two multiply-adds a row and predictor, and an exponential and a division a row.
pub(super) fn pass<F: Family>(
    tiles: &Tiles,
    intercept: f64,
    coefficients: &[f64],
    gradient: &mut [f64],
) -> f64 {
    dispatch(Pass::<F> { tiles, intercept, coefficients, gradient, family: Default::default() })
}

struct Pass<'a, F> {
    tiles: &'a Tiles,
    intercept: f64,
    coefficients: &'a [f64],
    gradient: &'a mut [f64],
    family: std::marker::PhantomData<F>,
}

/// Sums of a gradient that fit on the stack; more predictors than that go by groups.
const GROUP: usize = 64;

impl<F: Family> Task for Pass<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self { tiles, intercept, coefficients, gradient, .. } = self;
        let lead = 1 + usize::from(tiles.offset);
        let width = lead + tiles.predictors;
        let mut likelihood = F::none(simd);
        let mut slopes = [[0.0; LANES]; GROUP + 1];
        gradient.fill(0.0);
        for (place, tile) in tiles.parts.chunks_exact(width).enumerate() {
            let (head, predictors) = tile.split_at(lead);
            let mut eta = [simd.splat(intercept); VECTORS];
            if tiles.offset {
                for i in 0..VECTORS {
                    eta[i] = simd.add(eta[i], simd.load(&head[1][i]));
                }
            }
            for (part, &coefficient) in predictors.iter().zip(coefficients) {
                let coefficient = simd.splat(coefficient);
                for i in 0..VECTORS {
                    eta[i] = simd.fma(simd.load(&part[i]), coefficient, eta[i]);
                }
            }
            let rest = tiles.rows - place * ROWS;
            for i in 0..VECTORS {
                let response = simd.load(&head[0][i]);
                let live = (rest < ROWS).then(|| alive(simd, rest, i));
                eta[i] = F::add(simd, &mut likelihood, eta[i], response, live);
            }
            F::settle(simd, &mut likelihood, place + 1);
            if gradient.is_empty() {
                continue;
            }
            let sum = simd.add(simd.add(eta[0], eta[1]), simd.add(eta[2], eta[3]));
            simd.store(simd.add(simd.load(&slopes[0]), sum), &mut slopes[0]);
            for (part, slope) in predictors.iter().zip(&mut slopes[1..]) {
                add_products(simd, part, &eta, slope);
            }
            for (part, slope) in predictors.iter().zip(&mut gradient[1..]).skip(GROUP) {
                let mut sum = [0.0; LANES];
                add_products(simd, part, &eta, &mut sum);
                *slope += simd.sum_lanes(simd.load(&sum));
            }
        }
        for (slope, sums) in gradient.iter_mut().zip(&slopes) {
            *slope = simd.sum_lanes(simd.load(sums));
        }
        F::total(simd, likelihood)
    }
}

/// Adds the products of a column and the derivatives by the linear predictor.
#[inline(always)]
fn add_products<S: Simd>(
    simd: S,
    part: &Part,
    derivatives: &[S::F; VECTORS],
    sum: &mut [f64; LANES],
) {
    let mut total = simd.load(sum);
    for i in 0..VECTORS {
        total = simd.fma(simd.load(&part[i]), derivatives[i], total);
    }
    simd.store(total, sum);
}

/// Which lanes of vector `i` are among the first `rows` rows of a tile.
#[inline(always)]
fn alive<S: Simd>(simd: S, rows: usize, i: usize) -> S::M {
    let lanes = rows.saturating_sub(i * LANES).min(LANES);
    simd.mask_from_bits(((1u16 << lanes) - 1) as u8)
}
