//! Diagnostics against ArviZ 0.23.4 and the R package posterior 1.4.0, which agree to 8 digits.

use windfall_lanes::scalar_math::normal_quantile;
use windfall_stats::sample::diagnose::{Chains, e_bfmi};

/// Autoregressive chains from a multiplicative generator: the same numbers in any language.
fn chains(count: usize, draws: usize, phi: f64, shift: f64) -> Vec<Vec<f64>> {
    const MODULUS: u64 = (1 << 31) - 1;
    let mut state = 12345u64;
    let mut chain = |place: usize| {
        let mut x = 0.0;
        let mut draw = || {
            state = 48271 * state % MODULUS;
            x = phi * x + normal_quantile(state as f64 / MODULUS as f64);
            x + shift * place as f64
        };
        (0..draws).map(|_| draw()).collect::<Vec<f64>>()
    };
    (0..count).map(&mut chain).collect()
}

fn views(chains: &[Vec<f64>]) -> Vec<&[f64]> {
    chains.iter().map(Vec::as_slice).collect()
}

/// R-hat by ranks and split alone, effective sizes of bulk, tail, mean and median, errors of the
/// mean and of the 5 % quantile.
const PUBLISHED: [((usize, usize, f64), [f64; 8]); 4] = [
    (
        (4, 250, 0.0),
        [
            0.99825994,
            0.99825384,
            959.70019252,
            974.08912898,
            957.36732979,
            1085.51150283,
            0.03217124,
            0.06263531,
        ],
    ),
    (
        (4, 250, 0.9),
        [
            1.03950785,
            1.04100542,
            77.63261381,
            124.18710899,
            75.67681500,
            119.53933504,
            0.26236571,
            0.51738862,
        ],
    ),
    (
        (4, 250, -0.5),
        [
            1.00242969,
            0.99672414,
            3000.0,
            1002.94687765,
            3000.0,
            2945.38179910,
            0.02148931,
            0.08353292,
        ],
    ),
    (
        (2, 101, 0.5),
        [
            0.99802075,
            0.99455417,
            77.36820483,
            60.96117031,
            79.33482791,
            131.06335875,
            0.12425516,
            0.38039531,
        ],
    ),
];

#[test]
fn diagnostics_are_as_published() {
    for ((count, draws, phi), expected) in PUBLISHED {
        let drawn = chains(count, draws, phi, 0.0);
        let chains = Chains::new(&views(&drawn));
        let found = [
            chains.r_hat(),
            chains.r_hat_split(),
            chains.ess_bulk(),
            chains.ess_tail(),
            chains.ess_mean(),
            chains.ess_quantile(0.5),
            chains.mcse_mean(),
            chains.mcse_quantile(0.05),
        ];
        for (place, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            // The table has eight decimals.
            let close = (found - expected).abs() <= 6e-9 * expected.abs().max(1.0);
            assert!(
                close,
                "{count} x {draws}, phi {phi}: number {place} is {found}, not {expected}"
            );
        }
        let all = chains.diagnosis();
        assert_eq!(
            [all.r_hat, all.ess_bulk, all.ess_tail, all.mcse_mean].map(f64::to_bits),
            [found[0], found[2], found[3], found[6]].map(f64::to_bits)
        );
    }
}

/// The two programs differ here in the second digit: 21.50053 and 21.84181.
#[test]
fn shifted_chains_are_noticed() {
    let drawn = chains(4, 250, 0.3, 0.5);
    let chains = Chains::new(&views(&drawn));
    assert!((chains.r_hat() - 1.13588105).abs() < 6e-9, "{}", chains.r_hat());
    assert!((chains.r_hat_split() - 1.13675528).abs() < 6e-9);
    assert!((chains.ess_bulk() / 21.7 - 1.0).abs() < 0.02, "{}", chains.ess_bulk());
}

#[test]
fn the_generator_is_the_published_one() {
    let drawn = chains(1, 2, 0.0, 0.0);
    assert!((drawn[0][0] + 0.590313873236973).abs() < 1e-12);
    assert!((drawn[0][1] - 0.599513294604656).abs() < 1e-12);
}

#[test]
fn odd_chains_have_no_number_rather_than_a_wrong_one() {
    let few = Chains::new(&[&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]]);
    assert!(few.r_hat().is_nan() && few.ess_bulk().is_nan() && few.mcse_mean().is_nan());
    let holes = Chains::new(&[&[1.0, 2.0, f64::NAN, 4.0, 5.0]]);
    assert!(
        holes.r_hat().is_nan() && holes.ess_tail().is_nan() && holes.mcse_quantile(0.5).is_nan()
    );
    let same = Chains::new(&[&[2.0; 8], &[2.0; 8]]);
    assert!(same.r_hat().is_nan());
    assert_eq!((same.ess_bulk(), same.ess_tail(), same.mcse_mean()), (16.0, 16.0, 0.0));
}

/// `arviz.mcse(x, method="sd")` assumes a normal law; this is posterior's, checked by its formula:
/// of independent normal draws it is near `sd / sqrt(2 n)`.
#[test]
fn the_error_of_a_standard_deviation_is_that_of_normal_draws() {
    let drawn = chains(4, 2500, 0.0, 0.0);
    let chains = Chains::new(&views(&drawn));
    assert!((chains.mcse_sd() / (chains.sd() / 20_000f64.sqrt()) - 1.0).abs() < 0.1);
}

#[test]
fn energy_that_wanders_has_a_low_fraction() {
    let energies = chains(2, 1000, 0.95, 0.0);
    assert!(e_bfmi(&energies[0]) < 0.2);
    let independent = chains(1, 1000, 0.0, 0.0);
    assert!((e_bfmi(&independent[0]) - 2.0).abs() < 0.2);
}
