//! One pass over a block of rows: densities, responsibilities and sums, eight rows at a time.
//!
//! A tile of rows stays in the first cache while three loops walk over it: each component's log
//! density with its parameters in registers; the share of each component in each row; each
//! component's sums in registers. Deviations are taken from a component's own mean, so that sums
//! of products lose no digits however far the data lie from zero.

use super::model::{Densities, Density};
use std::ops::Range;
use windfall_lanes::math::{exp, log};
use windfall_lanes::{LANES, Simd, Task};

/// Vectors of eight rows in a tile.
const TILE: usize = 16;
/// Rows of a tile.
const TILE_ROWS: usize = TILE * LANES;
/// Logarithms of shares below this count as this: the share is below 10^-304 either way.
const LEAST: f64 = -700.0;

type Eight = [f64; LANES];

/// Memory that passes use again and again.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Log densities, then shares: `TILE` vectors a component.
    shares: Vec<Eight>,
    /// Sums in lanes: `width` vectors a component.
    totals: Vec<Eight>,
    /// Deviations, then their products with shares, for many columns: `TILE` vectors a column.
    deviations: Vec<Eight>,
}

/// How a row is shared out among the components.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sharing<'a> {
    /// By the probability of each component given the row.
    Soft,
    /// Wholly to one component, drawn with these probabilities by one uniform number a row.
    Drawn(&'a [f64]),
}

/// The sums of a block of rows, see [`Densities::sums`].
pub(super) struct SumUp<'a> {
    pub columns: &'a [&'a [f64]],
    pub rows: Range<usize>,
    pub densities: &'a Densities,
    pub sharing: Sharing<'a>,
    pub room: &'a mut Room,
    /// Added to, in one step.
    pub out: &'a mut [f64],
}

impl Task for SumUp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match (self.densities.diagonal, self.columns.len()) {
            (true, 1) => sum_up::<S, 1, 1, true>(simd, self),
            (true, 2) => sum_up::<S, 2, 2, true>(simd, self),
            (true, 3) => sum_up::<S, 3, 3, true>(simd, self),
            (false, 2) => sum_up::<S, 2, 3, false>(simd, self),
            (false, 3) => sum_up::<S, 3, 6, false>(simd, self),
            (true, _) => sum_up::<S, 0, 0, true>(simd, self),
            (false, _) => sum_up::<S, 0, 0, false>(simd, self),
        }
    }
}

/// The pass for `D` columns and `P` products of theirs (0: for any number).
#[inline(always)]
fn sum_up<S: Simd, const D: usize, const P: usize, const DIAGONAL: bool>(simd: S, pass: SumUp<'_>) {
    let SumUp { columns, rows, densities, sharing, room, out } = pass;
    let (k, d, width) = (densities.components.len(), columns.len(), densities.width());
    ready(room, k, d, width);
    let mut log_likelihood = simd.splat(0.0);
    for first in rows.clone().step_by(TILE_ROWS) {
        let tile = Tile { columns, first, end: rows.end.min(first + TILE_ROWS) };
        for (component, log) in densities.components.iter().zip(room.shares.chunks_exact_mut(TILE))
        {
            log_densities::<S, D, DIAGONAL>(simd, &tile, component, log, &mut room.deviations);
        }
        let shares = &mut room.shares[..k * TILE];
        let found = match sharing {
            Sharing::Soft => share(simd, &tile, shares, &Soft),
            Sharing::Drawn(uniforms) => {
                share(simd, &tile, shares, &Drawn(&uniforms[first - rows.start..]))
            }
        };
        log_likelihood = simd.add(log_likelihood, found);
        let shares = room.shares.chunks_exact(TILE).zip(room.totals.chunks_exact_mut(width));
        for (component, (shares, totals)) in densities.components.iter().zip(shares) {
            if D == 0 {
                let deviations = &mut room.deviations;
                add_many::<S, DIAGONAL>(simd, &tile, component, shares, deviations, totals);
            } else {
                add_few::<S, D, P, DIAGONAL>(simd, &tile, component, shares, totals);
            }
        }
    }
    for (out, total) in out.iter_mut().zip(&room.totals[..k * width]) {
        *out += simd.sum_lanes(simd.load(total));
    }
    out[k * width] += simd.sum_lanes(log_likelihood);
}

/// Makes the room large enough, its sums zero.
fn ready(room: &mut Room, k: usize, d: usize, width: usize) {
    room.shares.resize(k * TILE, [0.0; LANES]);
    room.deviations.resize(2 * d * TILE, [0.0; LANES]);
    room.totals.clear();
    room.totals.resize(k * width, [0.0; LANES]);
}

/// A few rows of the columns.
struct Tile<'a> {
    columns: &'a [&'a [f64]],
    first: usize,
    end: usize,
}

impl Tile<'_> {
    #[inline(always)]
    fn vectors(&self) -> usize {
        (self.end - self.first).div_ceil(LANES)
    }

    /// Eight values of a column; past the last row its value again.
    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, column: usize, vector: usize) -> S::F {
        let at = self.first + vector * LANES;
        match self.columns[column][at..self.end].first_chunk() {
            Some(eight) => simd.load(eight),
            None => simd
                .load_head(&self.columns[column][at..self.end], self.columns[column][self.end - 1]),
        }
    }

    /// Which lanes of a vector are rows.
    #[inline(always)]
    fn rows(&self, vector: usize) -> usize {
        (self.end - self.first - vector * LANES).min(LANES)
    }
}

/// The log density of one component, weight included, at each row of a tile.
#[inline(always)]
fn log_densities<S: Simd, const D: usize, const DIAGONAL: bool>(
    simd: S,
    tile: &Tile<'_>,
    component: &Density,
    out: &mut [Eight],
    deviations: &mut [Eight],
) {
    let (half, constant) = (simd.splat(-0.5), simd.splat(component.constant));
    let d = if D == 0 { component.mean.len() } else { D };
    let (mean, factor) = (&component.mean[..d], component.factor.as_slice());
    for (vector, out) in out[..tile.vectors()].iter_mut().enumerate() {
        let mut square = simd.splat(0.0);
        let mut near = [square; D];
        let mut at = 0;
        for a in 0..d {
            let deviation = simd.sub(tile.load(simd, a, vector), simd.splat(mean[a]));
            let mut z;
            if DIAGONAL {
                z = simd.mul(simd.splat(factor[a]), deviation);
            } else {
                z = simd.splat(0.0);
                for b in 0..a {
                    let other = if D == 0 { simd.load(&deviations[b]) } else { near[b] };
                    z = simd.fma(simd.splat(factor[at + b]), other, z);
                }
                z = simd.fma(simd.splat(factor[at + a]), deviation, z);
                at += a + 1;
                if D == 0 {
                    simd.store(deviation, &mut deviations[a]);
                } else {
                    near[a] = deviation;
                }
            }
            square = simd.fma(z, z, square);
        }
        simd.store(simd.fma(square, half, constant), out);
    }
}

/// What is made of the densities of eight rows over the largest of each.
trait Finish {
    /// `sum` holds the sum of each row's densities, `present` which lanes are rows.
    fn finish<S: Simd>(&self, simd: S, shares: &mut [Eight], at: At<S>);
}

/// A vector of a tile.
struct At<S: Simd> {
    vector: usize,
    sum: S::F,
    present: S::M,
}

/// Shares: each density over the sum.
struct Soft;

impl Finish for Soft {
    #[inline(always)]
    fn finish<S: Simd>(&self, simd: S, shares: &mut [Eight], at: At<S>) {
        let scale = simd.div(simd.splat(1.0), at.sum);
        let scale = simd.select(at.present, scale, simd.splat(0.0));
        for component in 0..shares.len() / TILE {
            let place = &mut shares[component * TILE + at.vector];
            simd.store(simd.mul(simd.load(place), scale), place);
        }
    }
}

/// An allocation: 1 for the component whose part of the sum the row's uniform number falls into.
struct Drawn<'a>(&'a [f64]);

impl Finish for Drawn<'_> {
    #[inline(always)]
    fn finish<S: Simd>(&self, simd: S, shares: &mut [Eight], at: At<S>) {
        let (zero, one) = (simd.splat(0.0), simd.splat(1.0));
        let uniforms = simd.load_head(&self.0[at.vector * LANES..], 0.5);
        let (mut rest, mut free) = (simd.mul(uniforms, at.sum), at.present);
        let k = shares.len() / TILE;
        for component in 0..k {
            let place = &mut shares[component * TILE + at.vector];
            let part = simd.load(place);
            // The last one takes what rounding has left over.
            let hit = if component + 1 < k { simd.lt(rest, part) } else { at.present };
            let taken = simd.mask_and(free, hit);
            simd.store(simd.select(taken, one, zero), place);
            free = simd.mask_and(free, simd.mask_not(taken));
            rest = simd.sub(rest, part);
        }
    }
}

/// Turns the log densities of a tile into densities over the row's largest and finishes each
/// vector of them; returns the rows' log-likelihood in lanes.
///
/// The sum of a row's relative densities lies in `[1, k]`: their logarithm is taken once a tile,
/// of the product.
#[inline(always)]
fn share<S: Simd>(simd: S, tile: &Tile<'_>, shares: &mut [Eight], finish: &impl Finish) -> S::F {
    let (zero, one, least) = (simd.splat(0.0), simd.splat(1.0), simd.splat(LEAST));
    let k = shares.len() / TILE;
    let (mut total, mut product) = (zero, one);
    for vector in 0..tile.vectors() {
        let mut most = simd.load(&shares[vector]);
        for component in 1..k {
            most = simd.max(most, simd.load(&shares[component * TILE + vector]));
        }
        let mut sum = zero;
        for component in 0..k {
            let place = &mut shares[component * TILE + vector];
            let density = exp(simd, simd.max(simd.sub(simd.load(place), most), least));
            simd.store(density, place);
            sum = simd.add(sum, density);
        }
        let rows = tile.rows(vector);
        let present = simd.mask_from_bits(if rows == LANES { 0xff } else { (1 << rows) - 1 });
        total = simd.add(total, simd.select(present, most, zero));
        product = simd.mul(product, simd.select(present, sum, one));
        finish.finish(simd, shares, At { vector, sum, present });
    }
    simd.add(total, log(simd, product))
}

/// Adds a tile to one component's sums, with few columns: all sums in registers.
#[inline(always)]
fn add_few<S: Simd, const D: usize, const P: usize, const DIAGONAL: bool>(
    simd: S,
    tile: &Tile<'_>,
    component: &Density,
    shares: &[Eight],
    totals: &mut [Eight],
) {
    let zero = simd.splat(0.0);
    let (mut count, mut firsts, mut seconds) = (zero, [zero; D], [zero; P]);
    let mean: [S::F; D] = std::array::from_fn(|a| simd.splat(component.mean[a]));
    for (vector, share) in shares[..tile.vectors()].iter().enumerate() {
        let share = simd.load(share);
        count = simd.add(count, share);
        let mut near = [zero; D];
        let mut at = 0;
        for a in 0..D {
            near[a] = simd.sub(tile.load(simd, a, vector), mean[a]);
            let weighted = simd.mul(share, near[a]);
            firsts[a] = simd.add(firsts[a], weighted);
            for other in &near[if DIAGONAL { a } else { 0 }..=a] {
                seconds[at] = simd.fma(weighted, *other, seconds[at]);
                at += 1;
            }
        }
    }
    let sums = std::iter::once(count).chain(firsts).chain(seconds);
    for (total, sum) in totals.iter_mut().zip(sums) {
        simd.store(simd.add(simd.load(total), sum), total);
    }
}

/// Adds a tile to one component's sums, with any number of columns: one product at a time.
#[inline(always)]
fn add_many<S: Simd, const DIAGONAL: bool>(
    simd: S,
    tile: &Tile<'_>,
    component: &Density,
    shares: &[Eight],
    deviations: &mut [Eight],
    totals: &mut [Eight],
) {
    let (d, vectors) = (component.mean.len(), tile.vectors());
    let (near, weighted) = deviations.split_at_mut(d * TILE);
    let add = |total: &mut Eight, sum: S::F| simd.store(simd.add(simd.load(total), sum), total);
    let mut count = simd.splat(0.0);
    shares[..vectors].iter().for_each(|share| count = simd.add(count, simd.load(share)));
    add(&mut totals[0], count);
    let mut at = 1 + d;
    for a in 0..d {
        let mut first = simd.splat(0.0);
        for vector in 0..vectors {
            let deviation = simd.sub(tile.load(simd, a, vector), simd.splat(component.mean[a]));
            let product = simd.mul(simd.load(&shares[vector]), deviation);
            first = simd.add(first, product);
            simd.store(deviation, &mut near[a * TILE + vector]);
            simd.store(product, &mut weighted[vector]);
        }
        add(&mut totals[1 + a], first);
        // Four products at a time share what they load.
        let start = if DIAGONAL { a } else { 0 };
        for b in (start..=a).step_by(4) {
            let mut sums = [simd.splat(0.0); 4];
            for vector in 0..vectors {
                let product = simd.load(&weighted[vector]);
                for (ahead, sum) in sums.iter_mut().enumerate() {
                    let other = simd.load(&near[(b + ahead).min(a) * TILE + vector]);
                    *sum = simd.fma(product, other, *sum);
                }
            }
            for sum in &sums[..4.min(a + 1 - b)] {
                add(&mut totals[at], *sum);
                at += 1;
            }
        }
    }
}

/// The log density and the shares of each row of a block: what prediction is made of.
pub(super) struct Tell<'a> {
    pub columns: &'a [&'a [f64]],
    pub rows: Range<usize>,
    pub densities: &'a Densities,
    pub room: &'a mut Room,
    /// The rows' log densities, then the share of each component: a list each, appended to.
    pub out: &'a mut [Vec<f64>],
}

impl Task for Tell<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { columns, rows, densities, room, out } = self;
        let (k, d) = (densities.components.len(), columns.len());
        ready(room, k, d, densities.width());
        for first in rows.clone().step_by(LANES) {
            // A tile of one vector: the logarithm of its product is that of each row.
            let tile = Tile { columns, first, end: rows.end.min(first + LANES) };
            let components = densities.components.iter();
            for (component, log) in components.zip(room.shares.chunks_exact_mut(TILE)) {
                let deviations = &mut room.deviations;
                if densities.diagonal {
                    log_densities::<S, 0, true>(simd, &tile, component, log, deviations);
                } else {
                    log_densities::<S, 0, false>(simd, &tile, component, log, deviations);
                }
            }
            let rows = tile.end - tile.first;
            let log_density = share(simd, &tile, &mut room.shares[..k * TILE], &Soft);
            out[0].extend_from_slice(&simd.to_array(log_density)[..rows]);
            for (out, shares) in out[1..].iter_mut().zip(room.shares.chunks_exact(TILE)) {
                out.extend_from_slice(&shares[0][..rows]);
            }
        }
    }
}
