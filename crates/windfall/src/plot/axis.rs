//! Ticks at round numbers, and bins that show a distribution's shape.

/// Round places on an axis, with labels of the same number of decimals.
pub(super) struct Ticks {
    pub places: Vec<f64>,
    pub labels: Vec<String>,
}

/// About `wanted` ticks from `low` to `high`, a step of 1, 2 or 5 times a power of ten apart.
pub(super) fn ticks(low: f64, high: f64, wanted: usize) -> Ticks {
    let rough = (high - low) / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|unit| unit * power);
    let step = step.into_iter().find(|&step| step >= rough * 0.999).unwrap_or(power * 10.0);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let places: Vec<f64> = (first..=last).map(|k| k as f64 * step).collect();
    let decimals = -(step.log10() + 1e-9).floor();
    let label = |place: &f64| {
        let largest = low.abs().max(high.abs());
        if !(1e-4..1e7).contains(&largest) {
            let digits = (largest.log10().floor() + decimals).clamp(0.0, 15.0) as usize;
            return format!("{place:.digits$e}");
        }
        // Adding zero turns a negative zero into a plain one.
        format!("{:.*}", decimals.max(0.0) as usize, place + 0.0)
    };
    let labels = places.iter().map(label).collect();
    Ticks { places, labels }
}

/// Counts of values between equally spaced edges.
pub(super) struct Bins {
    pub low: f64,
    pub width: f64,
    pub counts: Vec<u64>,
    /// Values that lie beyond the edges.
    pub beyond: u64,
}

/// Bins for `sorted`, which holds at least one value and only finite ones.
///
/// Their width follows Freedman and Diaconis (1981), `2 IQR / n^(1/3)`, within 12 to 90 bins. They
/// end six interquartile ranges beyond the quartiles, so that a few wild values do not press all
/// others into one bin.
pub(super) fn bins(sorted: &[f64]) -> Bins {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let spread = at(0.75) - at(0.25);
    let (mut low, mut high) = (at(0.0), at(1.0));
    if spread > 0.0 {
        low = low.max(at(0.25) - 6.0 * spread);
        high = high.min(at(0.75) + 6.0 * spread);
    }
    if high <= low {
        let half = if low == 0.0 { 0.5 } else { low.abs() * 0.05 };
        (low, high) = (low - half, low + half);
    }
    let ideal = 2.0 * spread / (sorted.len() as f64).cbrt();
    let count = if ideal > 0.0 { ((high - low) / ideal).ceil().clamp(12.0, 90.0) } else { 45.0 };
    let width = (high - low) / count;
    let mut bins = Bins { low, width, counts: vec![0; count as usize], beyond: 0 };
    for &value in sorted {
        let place = (value - low) / width;
        if value < low || value > high {
            bins.beyond += 1;
        } else {
            let last = bins.counts.len() - 1;
            bins.counts[(place as usize).min(last)] += 1;
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        for (low, high, expected) in [
            (0.33, 0.98, vec!["0.4", "0.6", "0.8"]),
            (-12.0, 31.0, vec!["-10", "0", "10", "20", "30"]),
            (0.0, 4321.0, vec!["0", "1000", "2000", "3000", "4000"]),
            (1e-9, 3e-9, vec!["1.0e-9", "1.5e-9", "2.0e-9", "2.5e-9", "3.0e-9"]),
        ] {
            assert_eq!(ticks(low, high, 5).labels, expected);
        }
    }

    #[test]
    fn bins_hold_every_value_once_and_bound_the_wild() {
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        assert_eq!(bins(&values).counts.iter().sum::<u64>(), 1000);
        values.push(1e9);
        let wild = bins(&values);
        assert_eq!((wild.counts.iter().sum::<u64>(), wild.beyond), (1000, 1));
        let same = bins(&[2.0; 9]);
        assert_eq!((same.counts.iter().sum::<u64>(), same.beyond), (9, 0));
    }
}
