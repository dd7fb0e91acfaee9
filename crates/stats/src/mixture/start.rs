//! Where ascents begin: k-means++ centres, k-means, random shares or random rows; a task a start.
//!
//! Distances are taken in standard deviations of the columns, so that units do not matter.
//! k-means++: Arthur & Vassilvitskii (2007); k-means: Lloyd (1982).

use super::data::Data;
use super::model::{Covariance, Model, spread};
use super::update::{Guard, update};
use serde::{Deserialize, Serialize};
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Cancel, Error, Kernel, Partial, Result, Shard, Shards, Stream, Streams};

/// Rows that a start looks at, drawn without replacement where there are more.
const ROWS_MAX: usize = 1 << 14;
/// Passes of k-means over them.
const PASSES_MAX: usize = 100;

/// How a start is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// Centres far apart, each row to the nearest.
    #[default]
    #[serde(rename = "k-means++", alias = "kmeans++")]
    Seeded,
    /// The same, then moved to the means of their rows until no row changes its centre.
    #[serde(rename = "kmeans", alias = "k-means")]
    Means,
    /// Each row shared out at random.
    Random,
    /// Rows at random as means, the covariance of all rows for each.
    #[serde(rename = "random_from_data", alias = "random-from-data")]
    Rows,
}

/// The job of making starts: those of the first number of components, then those of the next.
#[derive(Debug)]
pub(super) struct Starting<'a> {
    pub data: &'a Data,
    pub init: Init,
    pub covariance: Covariance,
    pub guard: &'a Guard,
    /// The numbers of components.
    pub components: &'a [usize],
    /// Starts for each.
    pub each: u64,
}

impl Kernel for Starting<'_> {
    type Partial = Starts;

    fn shards(&self) -> Shards {
        Shards::new(self.components.len() as u64 * self.each, 1)
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Starts> {
        let mut starts = Starts::empty();
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            let k = self.components[(task / self.each) as usize];
            // A start is the same whichever other numbers of components are tried.
            let streams = Streams::new(streams.seed(), &format!("mixture of {k}: starts"));
            let model = self.make(k, &mut streams.task(task % self.each))?;
            starts.0.push((task % self.each, model));
        }
        Ok(starts)
    }
}

/// Mixtures with the numbers of their starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Starts(pub Vec<(u64, Model)>);

impl Partial for Starts {
    fn empty() -> Self {
        Self(Vec::new())
    }

    fn merge(mut self, later: Self) -> Self {
        self.0.extend(later.0);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.0.len() as u64);
        for (start, model) in &self.0 {
            put_u64(out, *start);
            put_u64(out, model.covariance as u64);
            put_f64s(out, &model.weights);
            put_f64s(out, &model.means);
            put_f64s(out, &model.covariances);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        use Covariance::{Diag, Full, Spherical, Tied};
        let mut reader = Reader::new(bytes);
        let mut starts = Self::empty();
        for _ in 0..reader.u64()? {
            let start = reader.u64()?;
            let shape = reader.u64()?;
            let known = [Full, Tied, Diag, Spherical].into_iter().find(|&c| c as u64 == shape);
            let covariance = known.ok_or_else(|| Error::wire("an unknown shape"))?;
            let (weights, means) = (reader.f64s()?, reader.f64s()?);
            let model = Model { covariance, weights, means, covariances: reader.f64s()? };
            starts.0.push((start, model));
        }
        reader.finish().map(|()| starts)
    }
}

/// The rows that a start looks at, in standard deviations from the columns' means.
struct Rows {
    values: Vec<f64>,
    d: usize,
}

impl Rows {
    fn len(&self) -> usize {
        self.values.len() / self.d
    }

    fn get(&self, row: usize) -> &[f64] {
        &self.values[row * self.d..(row + 1) * self.d]
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| (a - b).mul_add(a - b, sum))
}

impl Starting<'_> {
    fn make(&self, k: usize, stream: &mut Stream) -> Result<Model> {
        let rows = self.rows(stream)?;
        let (n, d) = (rows.len(), rows.d);
        if self.init == Init::Rows {
            let mut chosen = vec![0; k];
            stream.subset(n as u32, &mut chosen).map_err(|error| Error::task(error.to_string()))?;
            let means = chosen.iter().flat_map(|&row| self.back(rows.get(row as usize))).collect();
            let covariances = spread(self.covariance, &self.data.overall, k, d);
            let weights = vec![1.0 / k as f64; k];
            return Ok(Model { covariance: self.covariance, weights, means, covariances });
        }
        let mut shares = vec![0.0; n * k];
        if self.init == Init::Random {
            for row in shares.chunks_exact_mut(k) {
                stream.fill_open_uniform(row);
                let total: f64 = row.iter().sum();
                row.iter_mut().for_each(|share| *share /= total);
            }
        } else {
            let mut centres = seeded(&rows, k, stream);
            let mut nearest = nearest(&rows, &centres);
            if self.init == Init::Means {
                refine(&rows, &mut centres, &mut nearest);
            }
            nearest.iter().enumerate().for_each(|(row, &centre)| shares[row * k + centre] = 1.0);
        }
        Ok(self.shared_out(&rows, k, &shares))
    }

    /// The rows to look at.
    fn rows(&self, stream: &mut Stream) -> Result<Rows> {
        let (n, d) = (self.data.rows(), self.data.columns.len());
        let mut chosen: Vec<u32> = (0..n.min(ROWS_MAX) as u32).collect();
        if n > ROWS_MAX {
            stream.subset(n as u32, &mut chosen).map_err(|error| Error::task(error.to_string()))?;
        }
        let columns = self.data.slices();
        let scale: Vec<f64> = (0..d).map(|a| 1.0 / self.guard.variances[a].sqrt()).collect();
        let mut values = Vec::with_capacity(chosen.len() * d);
        for &row in &chosen {
            let value = |a: usize| (columns[a][row as usize] - self.data.means[a]) * scale[a];
            values.extend((0..d).map(value));
        }
        Ok(Rows { values, d })
    }

    /// A row in the units of the data.
    fn back(&self, row: &[f64]) -> Vec<f64> {
        let scaled = row.iter().zip(&self.guard.variances).zip(&self.data.means);
        scaled.map(|((value, variance), mean)| value.mul_add(variance.sqrt(), *mean)).collect()
    }

    /// The mixture of rows shared out so. Each covariance is drawn towards that within all
    /// components by the weight of `d + 2` rows, so that few rows do not make a spike.
    fn shared_out(&self, rows: &Rows, k: usize, shares: &[f64]) -> Model {
        let d = rows.d;
        let width = 1 + d + d * (d + 1) / 2;
        let mut totals = vec![0.0; k * width + 1];
        for (row, shares) in shares.chunks_exact(k).enumerate() {
            let values = rows.get(row);
            for (sums, &share) in totals.chunks_exact_mut(width).zip(shares) {
                if share == 0.0 {
                    continue;
                }
                sums[0] += share;
                let mut at = 1 + d;
                for a in 0..d {
                    sums[1 + a] = share.mul_add(values[a], sums[1 + a]);
                    for b in 0..=a {
                        sums[at] = (share * values[a]).mul_add(values[b], sums[at]);
                        at += 1;
                    }
                }
            }
        }
        let standard = Guard { added: 0.0, variances: vec![1.0; d], ..*self.guard };
        let blank = |covariance: Covariance| Model {
            covariance,
            weights: vec![1.0 / k as f64; k],
            means: vec![0.0; k * d],
            covariances: vec![0.0; covariance.numbers(k, d)],
        };
        let (within, _) = update(&blank(Covariance::Tied), &totals, &standard);
        let (own, _) = update(&blank(Covariance::Full), &totals, &standard);
        let counts = totals.chunks_exact(width).map(|sums| sums[0]);
        let extra = (d + 2) as f64;
        let mut drawn = blank(self.covariance);
        drawn.weights.clone_from(&own.weights);
        drawn.means = own.means.chunks_exact(d).flat_map(|mean| self.back(mean)).collect();
        let deviation = |a: usize| self.guard.variances[a].sqrt();
        let mut full = Vec::with_capacity(k * d * d);
        for (own, count) in own.covariances.chunks_exact(d * d).zip(counts) {
            for (at, (own, within)) in own.iter().zip(&within.covariances).enumerate() {
                let mixed = (count * own + extra * within) / (count + extra);
                full.push(mixed * (deviation(at / d) * deviation(at % d)));
            }
        }
        drawn.covariances = match self.covariance {
            Covariance::Full => full,
            Covariance::Tied => {
                let scaled = within.covariances.iter().enumerate();
                scaled.map(|(at, v)| v * (deviation(at / d) * deviation(at % d))).collect()
            }
            other => {
                full.chunks_exact(d * d).flat_map(|matrix| spread(other, matrix, 1, d)).collect()
            }
        };
        // No component starts with nothing: it would stay so.
        let least = 1.0 / rows.len() as f64;
        drawn.weights.iter_mut().for_each(|weight| *weight = weight.max(least));
        let total: f64 = drawn.weights.iter().sum();
        drawn.weights.iter_mut().for_each(|weight| *weight /= total);
        drawn
    }
}

/// k rows as centres: each drawn with chances as the squared distance to the nearest before it.
fn seeded(rows: &Rows, k: usize, stream: &mut Stream) -> Vec<f64> {
    let n = rows.len();
    let mut centres = rows.get(stream.below(n as u64) as usize).to_vec();
    let mut squares = vec![f64::INFINITY; n];
    while centres.len() < k * rows.d {
        let last = &centres[centres.len() - rows.d..];
        let mut total = 0.0;
        for (row, square) in squares.iter_mut().enumerate() {
            *square = square.min(distance(rows.get(row), last));
            total += *square;
        }
        let mut rest = stream.uniform() * total;
        let found = squares.iter().position(|&square| {
            rest -= square;
            rest < 0.0
        });
        // Fewer different rows than centres: any will do.
        let row = found.unwrap_or_else(|| stream.below(n as u64) as usize);
        centres.extend_from_slice(rows.get(row));
    }
    centres
}

/// The nearest centre of each row; of several, the first.
fn nearest(rows: &Rows, centres: &[f64]) -> Vec<usize> {
    let of = |row: &[f64]| {
        let squares = centres.chunks_exact(rows.d).map(|centre| distance(row, centre));
        let best = squares.enumerate().reduce(|a, b| if b.1 < a.1 { b } else { a });
        best.map_or(0, |(centre, _)| centre)
    };
    rows.values.chunks_exact(rows.d).map(of).collect()
}

/// Moves centres to the means of their rows until no row changes its centre.
fn refine(rows: &Rows, centres: &mut [f64], of_rows: &mut Vec<usize>) {
    for _ in 0..PASSES_MAX {
        let mut sums = vec![0.0; centres.len()];
        let mut counts = vec![0.0; centres.len() / rows.d];
        for (row, &centre) in of_rows.iter().enumerate() {
            counts[centre] += 1.0;
            let sum = &mut sums[centre * rows.d..(centre + 1) * rows.d];
            sum.iter_mut().zip(rows.get(row)).for_each(|(sum, value)| *sum += value);
        }
        for (place, sum) in sums.iter().enumerate() {
            let count = counts[place / rows.d];
            // A centre without rows stays.
            if count > 0.0 {
                centres[place] = sum / count;
            }
        }
        let again = nearest(rows, centres);
        if again == *of_rows {
            break;
        }
        *of_rows = again;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_survive_the_wire_and_no_others_do() {
        let model = Model {
            covariance: Covariance::Diag,
            weights: vec![0.25, 0.75],
            means: vec![1.0, -0.0, 3.0, 4.0],
            covariances: vec![1.0, 2.0, 3.0, 4.0],
        };
        let starts = Starts(vec![(0, model.clone()), (9, model)]);
        let mut bytes = Vec::new();
        starts.encode(&mut bytes);
        assert_eq!(Starts::decode(&bytes).unwrap(), starts);
        assert!(Starts::decode(&bytes[..bytes.len() - 8]).is_err());
        bytes[16] = 7;
        assert!(Starts::decode(&bytes).unwrap_err().to_string().contains("shape"));
    }
}
