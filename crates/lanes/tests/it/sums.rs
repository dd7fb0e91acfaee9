//! Hold the sums to their stated order, on every instruction set and for any split into blocks.

use windfall_lanes::{BLOCK, LEAF, available, dot, join, limit, sum};

/// Numbers of mixed sign and magnitude, whose sum depends on the order.
fn numbers(len: usize) -> Vec<f64> {
    (0..len as u32).map(|i| (f64::from(i.wrapping_mul(2_654_435_761)) - 2e9) * 1.1 + 0.3).collect()
}

/// The order of the documents, in plain code: eight lanes of each leaf, trees above.
fn lanes(x: &[f64], factor: &[f64]) -> [f64; 8] {
    if x.len() > LEAF {
        let middle = 1 << (x.len() - 1).ilog2();
        let (low, high) =
            (lanes(&x[..middle], &factor[..middle]), lanes(&x[middle..], &factor[middle..]));
        return std::array::from_fn(|k| low[k] + high[k]);
    }
    let mut sums = [0.0; 32];
    for (i, (x, factor)) in x.iter().zip(factor).enumerate() {
        sums[i % 32] = x.mul_add(*factor, sums[i % 32]);
    }
    std::array::from_fn(|k| (sums[k] + sums[k + 8]) + (sums[k + 16] + sums[k + 24]))
}

fn in_order(x: &[f64], factor: &[f64]) -> f64 {
    if x.len() > BLOCK {
        let middle = 1 << (x.len() - 1).ilog2();
        return in_order(&x[..middle], &factor[..middle])
            + in_order(&x[middle..], &factor[middle..]);
    }
    let v = lanes(x, factor);
    ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
}

#[test]
fn sums_follow_the_stated_order_on_every_instruction_set() {
    let lengths = (0..70).chain([LEAF - 1, LEAF, LEAF + 1, 3 * LEAF, 5 * LEAF + 7, BLOCK - 5]);
    for len in lengths.chain([BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 33]) {
        let (x, ones) = (numbers(len), vec![1.0; len]);
        let (sum_want, dot_want) = (in_order(&x, &ones), in_order(&x, &x));
        for &isa in available() {
            limit(isa).expect("it is available");
            assert_eq!(sum(&x).to_bits(), sum_want.to_bits(), "sum of {len} on {isa}");
            assert_eq!(dot(&x, &x).to_bits(), dot_want.to_bits(), "dot of {len} on {isa}");
        }
    }
}

#[test]
fn blocks_summed_apart_join_to_the_same_bits() {
    for len in [0, 1, BLOCK, BLOCK + 1, 4 * BLOCK, 7 * BLOCK + 100, 11 * BLOCK] {
        let x = numbers(len);
        let blocks: Vec<f64> = x.chunks(BLOCK).map(sum).collect();
        assert_eq!(join(&blocks).to_bits(), sum(&x).to_bits(), "{len}");
    }
}

#[test]
fn the_error_grows_with_the_logarithm_of_the_length() {
    // A plain loop is off by 1e-10 and 1e-14 here.
    let x = vec![0.1; 1 << 22];
    let exact = 0.1 * x.len() as f64; // a power of two times a double
    assert!((sum(&x) / exact - 1.0).abs() < 8.0 * f64::EPSILON);
    let x: Vec<f64> = (0..1 << 22).map(|i| 1.0 / f64::from(i + 1)).collect();
    let n = x.len() as f64;
    let harmonic = n.ln() + 0.577_215_664_901_532_9 + 0.5 / n; // next terms
    assert!((sum(&x) / harmonic - 1.0).abs() < 8.0 * f64::EPSILON);
}
