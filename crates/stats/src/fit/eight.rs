//! The normal equations of eight fits at once, one in each lane.
//!
//! Alone, roots, divisions and what they go into wait for one another; eight chains of them wait
//! together. A lane knows nothing of its neighbours: a fit is the same number by number whatever
//! stands beside it, or nothing does.

use super::room::Room;
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Solves the scaled normal equations of the rooms that are well, at most eight of one size, and
/// leaves coefficients, basis and inflation there: NaN if there is no solution.
///
/// With S the scales and T the inverse of the factor's transpose, `b = S T Tᵀ S Xᵀ y`.
pub(super) fn solve(rooms: &mut [Room], work: &mut Work, penalty: f64) {
    let Some(size) =
        rooms.iter().find(|room| room.status.is_ok()).map(|room| room.cross.size() - 1)
    else {
        return;
    };
    work.read(rooms, size);
    dispatch(Solve { size, penalty, work });
    work.write(rooms, size);
}

/// Numbers of eight fits; entry (i, j), `j <= i`, of a symmetric matrix is at [`place`].
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Cross products of the terms and the response.
    cross: Vec<[f64; LANES]>,
    factor: Vec<[f64; LANES]>,
    /// The basis: entry (j, i) of the upper triangle stands where (i, j) of a lower one does.
    basis: Vec<[f64; LANES]>,
    scales: Vec<[f64; LANES]>,
    coefficients: Vec<[f64; LANES]>,
    inflation: [f64; LANES],
}

/// Where entry (row, column) of a lower triangle stands.
#[inline(always)]
fn place(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

impl Work {
    /// Takes the cross products of each room that is well; the other lanes keep what they hold.
    fn read(&mut self, rooms: &[Room], size: usize) {
        let entries = place(size + 1, 0);
        for list in [&mut self.cross, &mut self.factor, &mut self.basis] {
            list.resize(entries, [0.0; LANES]);
        }
        for list in [&mut self.scales, &mut self.coefficients] {
            list.resize(size, [0.0; LANES]);
        }
        for (lane, room) in rooms.iter().enumerate().filter(|(_, room)| room.status.is_ok()) {
            let mut at = 0;
            for row in 0..=size {
                for value in &room.cross.row(row)[..=row] {
                    self.cross[at][lane] = *value;
                    at += 1;
                }
            }
        }
    }

    fn write(&self, rooms: &mut [Room], size: usize) {
        for (lane, room) in rooms.iter_mut().enumerate().filter(|(_, room)| room.status.is_ok()) {
            room.inner.reset(size);
            for row in 0..size {
                for column in row..size {
                    room.inner.set(row, column, self.basis[place(column, row)][lane]);
                }
            }
            room.coefficients.clear();
            room.coefficients.extend(self.coefficients.iter().map(|of| of[lane]));
            room.inflation = self.inflation[lane];
        }
    }
}

struct Solve<'a> {
    size: usize,
    penalty: f64,
    work: &'a mut Work,
}

impl Task for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { size, penalty, work } = self;
        let (one, penalty) = (simd.splat(1.0), simd.splat(penalty));
        for i in 0..size {
            let square = simd.add(simd.load(&work.cross[place(i, i)]), penalty);
            simd.store(simd.div(one, simd.sqrt(square)), &mut work.scales[i]);
        }
        let solved = factorise(simd, size, work);
        let inflation = invert(simd, size, work);
        let inflation = simd.select(solved, inflation, simd.splat(f64::NAN));
        simd.store(inflation, &mut work.inflation);
        multiply(simd, size, work);
    }
}

/// Makes the Cholesky factor of the scaled matrix, the inverses of its diagonal in place of the
/// diagonal; true where each pivot is above rounding.
#[inline(always)]
fn factorise<S: Simd>(simd: S, size: usize, work: &mut Work) -> S::M {
    let Work { cross, factor, scales, .. } = work;
    let (one, least) = (simd.splat(1.0), simd.splat(f64::EPSILON));
    let mut solved = simd.eq(one, one);
    for j in 0..size {
        let (before, of_j) = (place(j, 0), simd.load(&scales[j]));
        let mut pivot = one;
        for k in 0..j {
            let own = simd.load(&factor[before + k]);
            pivot = simd.sub(pivot, simd.mul(own, own));
        }
        solved = simd.mask_and(solved, simd.lt(least, pivot));
        let inverse = simd.div(one, simd.sqrt(pivot));
        simd.store(inverse, &mut factor[before + j]);
        for (i, scale) in scales.iter().enumerate().take(size).skip(j + 1) {
            let first = place(i, 0);
            let scaled = simd.mul(simd.load(&cross[first + j]), simd.load(scale));
            let mut sum = simd.mul(scaled, of_j);
            for k in 0..j {
                let product =
                    simd.mul(simd.load(&factor[first + k]), simd.load(&factor[before + k]));
                sum = simd.sub(sum, product);
            }
            simd.store(simd.mul(sum, inverse), &mut factor[first + j]);
        }
    }
    solved
}

/// Makes the basis and returns the largest variance inflation factor.
#[inline(always)]
fn invert<S: Simd>(simd: S, size: usize, work: &mut Work) -> S::F {
    let Work { factor, basis, scales, .. } = work;
    for j in 0..size {
        let first = place(j, 0);
        let inverse = simd.load(&factor[first + j]);
        for k in 0..j {
            let mut sum = simd.splat(0.0);
            for i in k..j {
                let product =
                    simd.mul(simd.load(&factor[first + i]), simd.load(&basis[place(i, k)]));
                sum = simd.sub(sum, product);
            }
            simd.store(simd.mul(sum, inverse), &mut basis[first + k]);
        }
        simd.store(inverse, &mut basis[first + j]);
    }
    let mut inflation = simd.splat(1.0);
    for i in 0..size {
        let (scale, mut norm) = (simd.load(&scales[i]), simd.splat(0.0));
        for j in i..size {
            let entry = &mut basis[place(j, i)];
            let own = simd.load(entry);
            norm = simd.add(norm, simd.mul(own, own));
            simd.store(simd.mul(own, scale), entry);
        }
        inflation = simd.max(inflation, norm);
    }
    inflation
}

/// `b = T Tᵀ Xᵀ y`, T scaled.
#[inline(always)]
fn multiply<S: Simd>(simd: S, size: usize, work: &mut Work) {
    let Work { cross, basis, scales: part, coefficients, .. } = work;
    let response = place(size, 0);
    for k in 0..size {
        let mut sum = simd.splat(0.0);
        for i in 0..=k {
            let product = simd.mul(simd.load(&basis[place(k, i)]), simd.load(&cross[response + i]));
            sum = simd.add(sum, product);
        }
        simd.store(sum, &mut part[k]);
    }
    for (i, out) in coefficients.iter_mut().enumerate().take(size) {
        let mut sum = simd.splat(0.0);
        for k in i..size {
            let product = simd.mul(simd.load(&basis[place(k, i)]), simd.load(&part[k]));
            sum = simd.add(sum, product);
        }
        simd.store(sum, out);
    }
}
