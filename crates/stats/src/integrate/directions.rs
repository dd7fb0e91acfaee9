//! Make the direction numbers of Sobol's sequence from the table of Joe and Kuo.
//!
//! The table stands in `joe_kuo.txt` with its source and licence: 1,111 dimensions, from all
//! primitive polynomials up to degree 13.

/// Binary digits of a coordinate: those of the fraction of an `f64`.
pub(crate) const DIGITS: u32 = 52;

/// Dimensions that the table serves.
pub(crate) const DIMENSIONS_MAX: usize = 1111;

const TABLE: &str = include_str!("joe_kuo.txt");

/// The directions of the first axes, [`DIGITS`] words each: word `k` belongs to bit `k` of a
/// point's Gray code, its digit `i` (0 is the half) stands at bit `51 - i`.
pub(crate) struct Directions(Vec<u64>);

impl Directions {
    /// The directions of `dimensions` axes; none if the table has fewer.
    pub fn new(dimensions: usize) -> Option<Self> {
        if dimensions > DIMENSIONS_MAX {
            return None;
        }
        let mut words: Vec<u64> = (0..DIGITS).map(|k| 1 << (DIGITS - 1 - k)).collect();
        let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
        for row in rows.take(dimensions.saturating_sub(1)) {
            let numbers: Vec<u64> = row.split(' ').filter_map(|word| word.parse().ok()).collect();
            extend(&mut words, numbers[0], &numbers[1..]);
        }
        Some(Self(words))
    }

    /// The directions of one axis.
    pub fn of(&self, axis: usize) -> &[u64] {
        &self.0[axis * DIGITS as usize..][..DIGITS as usize]
    }
}

/// Appends an axis by the recurrence of its polynomial (Bratley & Fox 1988, Algorithm 659).
fn extend(words: &mut Vec<u64>, polynomial: u64, first: &[u64]) {
    let (start, degree) = (words.len(), first.len());
    for (k, number) in first.iter().enumerate() {
        words.push(number << (DIGITS as usize - 1 - k));
    }
    for k in start + degree..start + DIGITS as usize {
        let mut word = words[k - degree] ^ words[k - degree] >> degree;
        for back in (1..degree).filter(|back| polynomial >> (degree - 1 - back) & 1 == 1) {
            word ^= words[k - back];
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let rows: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rows.len() + 1, DIMENSIONS_MAX);
        for row in rows {
            let numbers: Vec<u64> = row.split(' ').map(|word| word.parse().unwrap()).collect();
            let degree = numbers.len() - 1;
            assert!(degree >= 1 && numbers[0] < 1 << (degree - 1));
            for (k, number) in numbers[1..].iter().enumerate() {
                assert!(number % 2 == 1 && *number < 2 << k, "{row}");
            }
        }
    }

    /// Each direction has a digit of its own, so every axis alone is evenly covered.
    #[test]
    fn directions_are_triangular() {
        let directions = Directions::new(DIMENSIONS_MAX).unwrap();
        for axis in 0..DIMENSIONS_MAX {
            for (k, word) in directions.of(axis).iter().enumerate() {
                assert_eq!(word.trailing_zeros() as usize, DIGITS as usize - 1 - k, "{axis}");
            }
        }
        assert!(Directions::new(DIMENSIONS_MAX + 1).is_none());
    }
}
