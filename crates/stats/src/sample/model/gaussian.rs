//! The Gaussian law: independent directions, or a given covariance.

use super::catalogue::Kind;
use super::{Model, ModelOptions, Room, indexed, place_reals};
use windfall_core::{Error, Result, Table};
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "gaussian",
    about: "a Gaussian law with given means and standard deviations or covariance",
    keys: &["dimensions", "mean", "sd", "covariance"],
    data: false,
    build,
};

/// Dimensions at most.
const DIMENSIONS_MAX: usize = 10_000;
/// Dimensions at most where a covariance is given.
const DENSE_MAX: usize = 2_000;

/// A Gaussian law in `d` dimensions.
///
/// # Cost
/// `d` multiply-adds an evaluation where directions are independent, `d²` with a covariance; eight
/// at a time.
#[derive(Clone, Debug)]
pub struct Gaussian {
    names: Vec<String>,
    mean: Vec<f64>,
    precision: Precision,
}

/// The inverse of the covariance.
#[derive(Clone, Debug)]
enum Precision {
    /// One number a dimension.
    Diagonal(Vec<f64>),
    /// Column by column, each padded with zeros to whole vectors.
    Dense(Vec<[f64; LANES]>),
}

impl Gaussian {
    /// Independent directions with these means and standard deviations.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if the lists differ in length or a number makes no
    /// sense.
    pub fn independent(mean: &[f64], sd: &[f64]) -> Result<Self> {
        let mut law = Self::centred_at(mean, DIMENSIONS_MAX)?;
        if sd.len() != mean.len() {
            return Err(wrong_length("sd", sd.len(), mean.len()));
        }
        if let Some(sd) = sd.iter().find(|&&sd| !(sd > 0.0 && (sd * sd).is_normal())) {
            return Err(Error::invalid("sd", sd, "a number above 0"));
        }
        law.precision = Precision::Diagonal(sd.iter().map(|sd| (sd * sd).recip()).collect());
        Ok(law)
    }

    /// The law with this mean and covariance.
    ///
    /// # Shapes
    /// `covariance`: `d` rows of `d` numbers.
    ///
    /// # Cost
    /// `d³` once, for its inverse.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if it is not symmetric and positive definite.
    pub fn correlated(mean: &[f64], covariance: &[Vec<f64>]) -> Result<Self> {
        let mut law = Self::centred_at(mean, DENSE_MAX)?;
        let d = mean.len();
        if let Some(row) = covariance.iter().find(|row| row.len() != d) {
            return Err(wrong_length("covariance", row.len(), d));
        }
        if covariance.len() != d {
            return Err(wrong_length("covariance", covariance.len(), d));
        }
        for (i, row) in covariance.iter().enumerate() {
            for (j, &a) in row[..i].iter().enumerate() {
                let b = covariance[j][i];
                if (a - b).abs() > 1e-12 * (a.abs() + b.abs()) {
                    let what = format!("covariance[{i}][{j}]");
                    return Err(Error::invalid(&what, a, &format!("symmetric: {b}")));
                }
            }
        }
        let inverse = inverse(covariance).map_err(|place| {
            let what = format!("covariance[{place}][{place}]");
            let expected = "part of a positive definite matrix, which this row makes it not";
            Error::invalid(&what, covariance[place][place], expected)
        })?;
        let mut dense = Vec::with_capacity(d * d.div_ceil(LANES));
        for column in &inverse {
            for part in column.chunks(LANES) {
                let mut vector = [0.0; LANES];
                vector[..part.len()].copy_from_slice(part);
                dense.push(vector);
            }
        }
        law.precision = Precision::Dense(dense);
        Ok(law)
    }

    fn centred_at(mean: &[f64], dimensions_max: usize) -> Result<Self> {
        let d = mean.len();
        if !(1..=dimensions_max).contains(&d) {
            let expected = format!("1 to {dimensions_max} numbers");
            return Err(Error::invalid("mean", format!("{d} numbers"), &expected));
        }
        if let Some(mean) = mean.iter().find(|mean| !mean.is_finite()) {
            return Err(Error::invalid("mean", mean, "a finite number"));
        }
        Ok(Self {
            names: indexed("x", d).collect(),
            mean: mean.to_vec(),
            precision: Precision::Diagonal(Vec::new()),
        })
    }
}

fn wrong_length(what: &str, found: usize, expected: usize) -> Error {
    Error::invalid(what, format!("{found} long"), &format!("as long as the mean: {expected}"))
}

fn build(options: &ModelOptions, _: &Table) -> Result<Box<dyn Model>> {
    let ModelOptions { dimensions, mean, sd, covariance, .. } = options;
    let sizes = [
        dimensions.map(|d| ("dimensions", d)),
        mean.as_ref().map(|mean| ("mean", mean.len())),
        sd.as_ref().map(|sd| ("sd", sd.len())),
        covariance.as_ref().map(|rows| ("covariance", rows.len())),
    ];
    let mut sizes = sizes.into_iter().flatten();
    let Some((first, d)) = sizes.next() else {
        return Err(super::options::missing("dimensions", "a number such as 10"));
    };
    if let Some((key, other)) = sizes.find(|&(_, other)| other != d) {
        let expected = format!("as `{first}` says, {d}");
        return Err(Error::invalid(key, format!("of {other} dimensions"), &expected));
    }
    if !(1..=DIMENSIONS_MAX).contains(&d) {
        return Err(Error::invalid(first, d, &format!("1 to {DIMENSIONS_MAX}")));
    }
    let mean = mean.clone().unwrap_or_else(|| vec![0.0; d]);
    match (sd, covariance) {
        (Some(sd), None) => Ok(Box::new(Gaussian::independent(&mean, sd)?)),
        (None, Some(rows)) => Ok(Box::new(Gaussian::correlated(&mean, rows)?)),
        (None, None) => Ok(Box::new(Gaussian::independent(&mean, &vec![1.0; d])?)),
        (Some(_), Some(_)) => {
            Err(Error::invalid("sd", "given", "left out where `covariance` is given"))
        }
    }
}

/// The inverse of a symmetric positive definite matrix by Cholesky's factor, or the row at which
/// the matrix turns out to be none.
fn inverse(matrix: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, usize> {
    let d = matrix.len();
    let mut factor = vec![vec![0.0; d]; d];
    for i in 0..d {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = matrix[i][j] - known;
            if i == j {
                // What rounding leaves of a singular matrix is no variance.
                if rest <= 1e-14 * matrix[i][i] || rest.is_nan() {
                    return Err(i);
                }
                factor[i][i] = rest.sqrt();
            } else {
                factor[i][j] = rest / factor[j][j];
            }
        }
    }
    // Column by column of the inverse of the factor, then its square.
    let mut roots = vec![vec![0.0; d]; d];
    for j in 0..d {
        roots[j][j] = factor[j][j].recip();
        for i in j + 1..d {
            let known: f64 = (j..i).map(|k| factor[i][k] * roots[j][k]).sum();
            roots[j][i] = -known / factor[i][i];
        }
    }
    let entry =
        |i: usize, j: usize| -> f64 { (i.max(j)..d).map(|k| roots[i][k] * roots[j][k]).sum() };
    Ok((0..d).map(|j| (0..d).map(|i| entry(i, j)).collect()).collect())
}

impl Model for Gaussian {
    fn dimensions(&self) -> usize {
        self.mean.len()
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], _: &mut Room) -> Result<f64> {
        Ok(dispatch(Evaluate { law: self, x, gradient }))
    }

    fn value(&self, x: &[f64], room: &mut Room) -> Result<f64> {
        let mut gradient = std::mem::take(room.hold::<Vec<f64>>());
        gradient.resize(x.len(), 0.0);
        let value = self.log_density(x, &mut gradient, room);
        *room.hold() = gradient;
        value
    }

    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        out.copy_from_slice(x);
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        place_reals(&self.names, parameters, x)
    }
}

/// One evaluation: half the product of the deviation and the gradient.
struct Evaluate<'a> {
    law: &'a Gaussian,
    x: &'a [f64],
    gradient: &'a mut [f64],
}

impl Task for Evaluate<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self { law, x, gradient } = self;
        let zero = simd.splat(0.0);
        let mut total = zero;
        let vectors = x.len().div_ceil(LANES);
        let parts = x.chunks(LANES).zip(law.mean.chunks(LANES)).zip(gradient.chunks_mut(LANES));
        for (place, ((part, mean), gradient)) in parts.enumerate() {
            let away = simd.sub(simd.load_head(mean, 0.0), simd.load_head(part, 0.0));
            let slope = match &law.precision {
                Precision::Diagonal(precision) => {
                    let precision = &precision[LANES * place..];
                    simd.mul(away, simd.load_head(&precision[..part.len()], 0.0))
                }
                Precision::Dense(columns) => {
                    let columns = columns[place..].iter().step_by(vectors);
                    let (mut even, mut odd) = (zero, zero);
                    for ((column, x), mean) in columns.zip(x).zip(&law.mean) {
                        let next = simd.fma(simd.load(column), simd.splat(mean - x), even);
                        (even, odd) = (odd, next);
                    }
                    simd.add(even, odd)
                }
            };
            total = simd.fma(away, slope, total);
            simd.store_head(slope, gradient);
        }
        -0.5 * simd.sum_lanes(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covariance_is_undone() {
        // The inverse of [[2, 1], [1, 3]] is [[3, -1], [-1, 2]]/5.
        let law = Gaussian::correlated(&[1.0, -1.0], &[vec![2.0, 1.0], vec![1.0, 3.0]]).unwrap();
        let mut gradient = [0.0; 2];
        let value = law.log_density(&[2.0, 1.0], &mut gradient, &mut Room::default()).unwrap();
        assert!((value + 0.7).abs() < 1e-15, "{value}");
        assert!((gradient[0] + 0.2).abs() < 1e-15 && (gradient[1] + 0.6).abs() < 1e-15);
    }

    #[test]
    fn any_number_of_dimensions_agrees_with_plain_sums() {
        for d in [1, 2, 7, 8, 9, 17, 40] {
            let correlation = |i: usize, j: usize| 0.5f64.powi(i.abs_diff(j) as i32);
            let row = |i| (0..d).map(|j| correlation(i, j)).collect::<Vec<_>>();
            let covariance: Vec<_> = (0..d).map(row).collect();
            let x: Vec<f64> = (0..d).map(|i| (i as f64).sin()).collect();
            let law = Gaussian::correlated(&vec![0.5; d], &covariance).unwrap();
            let mut gradient = vec![0.0; d];
            let value = law.log_density(&x, &mut gradient, &mut Room::default()).unwrap();
            // The covariance times the gradient gives the deviations back.
            let mut expected = 0.0;
            for i in 0..d {
                let back: f64 = (0..d).map(|j| covariance[i][j] * gradient[j]).sum();
                assert!((back - (0.5 - x[i])).abs() < 1e-14, "{d}: {i}");
                expected += 0.5 * gradient[i] * (x[i] - 0.5);
            }
            assert!((value - expected).abs() < 1e-13);
            let alone = law.value(&x, &mut Room::default()).unwrap();
            assert_eq!(alone.to_bits(), value.to_bits());
        }
    }

    #[test]
    fn what_is_no_covariance_is_refused() {
        let of = |rows: &[[f64; 2]; 2]| {
            let rows: Vec<_> = rows.iter().map(|row| row.to_vec()).collect();
            Gaussian::correlated(&[0.0; 2], &rows).unwrap_err().to_string()
        };
        assert!(of(&[[1.0, 0.5], [0.4, 1.0]]).starts_with("`covariance[1][0]` is `0.4`"));
        assert!(of(&[[1.0, 1.0], [1.0, 1.0]]).starts_with("`covariance[1][1]`"));
        assert!(of(&[[1.0, 2.0], [2.0, 1.0]]).contains("positive definite"));
        assert!(of(&[[-1.0, 0.0], [0.0, 1.0]]).contains("positive definite"));
    }
}
