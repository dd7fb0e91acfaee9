//! Philox4x32-10: the pure function that turns an address into 128 bits.
//!
//! It is the common tongue of counter-based generators (C++26 `std::philox4x32`, cuRAND, oneMKL),
//! so an address can be checked, and computed, on any device. Seven rounds pass every known test;
//! ten leave the authors' margin. Source: J. K. Salmon, M. A. Moraes,
//! R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011.

use windfall_lanes::{LANES, Simd};

/// Multipliers of the two halves of a round.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What is added to the two key words after each round (golden ratio, sqrt(3) - 1).
const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Returns the 128 bits at `counter` under `key`, low words first.
///
/// For a fixed key this is a bijection of the counter: different counters never share an output.
/// Costs about 10 ns.
///
/// ```
/// // The published vector whose input is the digits of pi.
/// let counter = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
/// let bits = windfall_streams::philox4x32([0xa409_3822, 0x299f_31d0], counter);
/// assert_eq!(bits, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
/// ```
pub fn philox4x32(mut key: [u32; 2], mut counter: [u32; 4]) -> [u32; 4] {
    for _ in 0..10 {
        let first = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let second = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
        key = [key[0].wrapping_add(KEY_STEPS[0]), key[1].wrapping_add(KEY_STEPS[1])];
    }
    counter
}

/// Writes `$body` out for each of the ten rounds: the compiler would keep a loop, half as fast.
macro_rules! ten_times {
    ($body:block) => {
        $body $body $body $body $body $body $body $body $body $body
    };
}

/// Returns sixteen blocks of a task, those whose high counter words are `high ^ i`, `i` in 0..16:
/// in lane `i`, block `i` as two words of 64 bits, then block `8 + i` as two more.
///
/// Each 64-bit lane carries one 32-bit word of a counter; what stands above it is never read.
#[inline(always)]
pub(crate) fn sixteen_blocks<S: Simd>(simd: S, key: [u32; 2], task: u64, high: u64) -> [S::U; 4] {
    const INDEX: [u64; LANES] = [0, 1, 2, 3, 4, 5, 6, 7];
    let (task0, task1) = (simd.splat_u(task), simd.splat_u(task >> 32));
    let high_a = simd.xor(simd.splat_u(high), simd.load_u(&INDEX));
    let high_b = simd.xor(high_a, simd.splat_u(8));
    let mut a = [task0, task1, high_a, simd.shr::<32>(high_a)];
    let mut b = [task0, task1, high_b, simd.shr::<32>(high_b)];
    let mut keys = [simd.splat_u(key[0].into()), simd.splat_u(key[1].into())];
    ten_times!({
        a = round(simd, keys, a);
        b = round(simd, keys, b);
        keys = next_keys(simd, keys);
    });
    [pair(simd, a[0], a[1]), pair(simd, a[2], a[3]), pair(simd, b[0], b[1]), pair(simd, b[2], b[3])]
}

/// The low half of `low` below the low half of `high`.
#[inline(always)]
fn pair<S: Simd>(simd: S, low: S::U, high: S::U) -> S::U {
    simd.blend_halves(low, simd.swap_halves(high))
}

#[inline(always)]
fn round<S: Simd>(simd: S, keys: [S::U; 2], counters: [S::U; 4]) -> [S::U; 4] {
    let first = simd.mul_lo32(simd.splat_u(MULTIPLIERS[0].into()), counters[0]);
    let second = simd.mul_lo32(simd.splat_u(MULTIPLIERS[1].into()), counters[2]);
    let mixed0 = simd.xor(simd.xor(simd.swap_halves(second), counters[1]), keys[0]);
    let mixed2 = simd.xor(simd.xor(simd.swap_halves(first), counters[3]), keys[1]);
    [mixed0, second, mixed2, first]
}

#[inline(always)]
fn next_keys<S: Simd>(simd: S, keys: [S::U; 2]) -> [S::U; 2] {
    let [step0, step1] = KEY_STEPS.map(u64::from);
    [simd.add_u(keys[0], simd.splat_u(step0)), simd.add_u(keys[1], simd.splat_u(step1))]
}
