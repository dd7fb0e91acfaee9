//! Hold every method of the trait to one meaning: that of plain code, on every instruction set.

use windfall_lanes::{Isa, Scalar, Simd, Task, available, dispatch_on};

/// What a method returned, as bits; every NaN is the same NaN.
type Seen = (&'static str, [u64; 8]);

/// Calls every method on three vectors, read as floats and as integers.
struct Everything<'a>([&'a [u64; 8]; 3]);

fn one_nan(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

macro_rules! see {
    ($seen:ident, $s:ident; f64 { $($f:expr;)* } u64 { $($u:expr;)* } bool { $($m:expr;)* }) => {
        $($seen.push((stringify!($f), $s.to_array($f).map(one_nan)));)*
        $($seen.push((stringify!($u), $s.to_array_u($u)));)*
        $($seen.push((stringify!($m), [u64::from($s.mask_bits($m)); 8]));)*
    };
}

impl Task for Everything<'_> {
    type Output = Vec<Seen>;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Vec<Seen> {
        let mut seen = Vec::new();
        let [u, v, w] = self.0.map(|x| s.load_u(x));
        let [a, b, c] = [u, v, w].map(|x| s.from_bits(x));
        let m = s.lt(a, b);
        let n = s.lt_u(u, v);
        let table: Vec<f64> = (0..100).map(f64::from).collect();
        let counts: Vec<u64> = (0..77).map(|i| i * i).collect();
        let pairs: Vec<[f64; 2]> = (0..60).map(|i| [f64::from(i), -f64::from(i)]).collect();
        let (small, low) = (s.and(u, s.splat_u(127)), s.and(u, s.splat_u(!0 >> 13)));
        let bytes = std::array::from_fn(|i| (29 * i) as u8);
        let eight: &[f64; 8] = table[..8].try_into().expect("eight");
        let sixteen: &[f64; 16] = table[9..25].try_into().expect("sixteen");
        let many: &[f64; 64] = table[30..94].try_into().expect("sixty-four");
        see! { seen, s;
            f64 {
                s.add(a, b); s.sub(a, b); s.mul(a, b); s.div(a, b); s.fma(a, b, c); s.fnma(a, b, c);
                s.min(a, b); s.max(a, b); s.sqrt(a); s.floor(a); s.ceil(a); s.trunc(a);
                s.round_even(a); s.select(m, a, b); s.neg(a); s.abs(a); s.copysign(a, b);
                s.u53_to_f64(low); s.u52_to_f64(s.shr::<12>(u)); s.gather(&table, small);
                s.gather(&table, u); s.gather32(&table, small); s.gather32(&table, u);
                s.gather_pair(&pairs, small).0; s.gather_pair(&pairs, u).1;
                s.lookup(eight, u); s.lookup(sixteen, u); s.lookup(many, u);
                s.splat(self.0[0][3] as f64);
                s.i64_to_f64(s.sub_u(s.shr::<14>(u), s.splat_u(1 << 49)));
                s.scale(s.u52_to_f64(small), s.sub(s.u52_to_f64(s.shr::<54>(v)), s.splat(600.0)));
                s.load_head(&s.to_array(a)[..(self.0[2][0] % 9) as usize], 0.5);
            } u64 {
                s.add_u(u, v); s.sub_u(u, v); s.and(u, v); s.or(u, v); s.xor(u, v); s.not(u);
                s.shl::<0>(u); s.shl::<7>(u); s.shr::<13>(u); s.shr::<63>(u); s.rotl::<1>(u);
                s.rotl::<23>(u); s.rotl::<32>(u); s.rotl::<63>(u); s.shl_var(u, small);
                s.shr_var(u, small); s.shl_var(u, v); s.shr_var(u, v); s.mul_lo32(u, v);
                s.square_lo32(u); s.mul_hi16(u, v); s.mul_lo16(u, v); s.sub_down16(u, v);
                s.count_above8(u, v, w); s.sum8(u);
                s.lookup8(&bytes, s.and(u, s.splat_u(0x0f0f_0f0f_0f0f_0f0f)));
                s.splat_u(s.above8_bits(u, v));
                s.select_u(n, u, v); s.swap_halves(u); s.blend_halves(u, v); s.add32(u, v);
                s.sub32(u, v); s.shl32::<5>(u); s.shr32::<28>(u); s.lt32(u, v); s.eq32(u, v);
                s.select32(s.lt32(u, v), v, w); s.splat32(self.0[0][0] as u32);
                s.gather_u(&counts, small); s.gather_u(&counts, u); s.to_bits(a);
                s.through_words(u);
                s.f64_to_i64(s.sub(s.u52_to_f64(s.shr::<14>(u)), s.splat(562_949_953_421_312.5)));
            } bool {
                m; n; s.le(a, b); s.eq(a, b); s.eq_u(u, v); s.is_nan(a); s.mask_and(m, n);
                s.mask_or(m, n); s.mask_xor(m, n); s.mask_not(m);
                s.mask_from_bits(self.0[1][1] as u8);
            }
        }
        seen.push(("sum_lanes", [one_nan(s.sum_lanes(a)); 8]));
        let mut part = [7.0; 8];
        s.store_head(a, &mut part[..(self.0[2][1] % 9) as usize]);
        seen.push(("store_head", part.map(one_nan)));
        seen
    }
}

/// Loads and stores of narrow integers, gathered in one value.
trait Words: Simd {
    #[inline(always)]
    fn through_words(self, x: Self::U) -> Self::U {
        let mut words = [0; 16];
        self.store32(x, &mut words);
        let (low, _) = words.split_first_chunk::<8>().expect("eight of sixteen");
        let bytes = low.map(|word| word as u8);
        let sum = self.add_u(self.load_u32(low), self.load_u8(&bytes));
        let floats = self.add(self.load_u32_as_f64(low), self.load_u8_as_f64(&bytes));
        self.add_u(self.add_u(sum, self.load32(&words)), self.to_bits(floats))
    }
}
impl<S: Simd> Words for S {}

/// Bits that find faults: random, equal in part, and of special floats.
fn vector(state: &mut u64, turn: u64) -> [u64; 8] {
    const SPECIAL: [f64; 12] = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        2.5,
        0.5,
        5e-324,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        4_503_599_627_370_497.5,
    ];
    std::array::from_fn(|_| {
        *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let bits = *state ^ (*state >> 29);
        match turn % 4 {
            0 => bits,
            1 => SPECIAL[(bits >> 32) as usize % SPECIAL.len()].to_bits(),
            2 => ((bits >> 40) as f64 / 1024.0 - 8000.0).to_bits(),
            _ => ((bits >> 33 & 3) * 0x0000_0001_0000_0001) | ((bits >> 63) << 63),
        }
    })
}

#[test]
fn every_method_means_the_same_everywhere() {
    let state = &mut 2;
    for turn in 0..4000 {
        let [a, b, c] = [turn, turn / 4, turn / 16].map(|t| vector(state, t));
        let want = dispatch_on(Isa::Scalar, Everything([&a, &b, &c]));
        for &isa in available() {
            let got = dispatch_on(isa, Everything([&a, &b, &c]));
            for (got, want) in got.iter().zip(&want) {
                assert_eq!(got, want, "{isa}, {a:x?}, {b:x?}, {c:x?}");
            }
        }
    }
}

#[test]
fn plain_code_means_what_the_documents_say() {
    let s = Scalar::find().expect("always there");
    let (nan, zero) = (s.splat(f64::NAN), s.splat(0.0));
    assert_eq!(s.min(nan, zero)[0].to_bits(), 0);
    assert!(s.min(zero, nan)[0].is_nan() && s.max(zero, nan)[0].is_nan());
    assert!(s.max(zero, s.neg(zero))[0].is_sign_negative());
    assert_eq!(s.round_even(s.splat(2.5))[0], 2.0);
    assert_eq!(s.fnma(s.splat(2.0), s.splat(3.0), s.splat(10.0))[0], 4.0);
    assert_eq!(
        s.mask_count(s.lt(zero, s.load(&[1.0, 0.0, -1.0, 2.0, f64::NAN, 3.0, 0.0, 1.0]))),
        4
    );
    assert_eq!(s.shl_var(s.splat_u(1), s.splat_u(64))[0], 0);
    assert_eq!(s.f64_to_i64(s.splat(-2.5))[0] as i64, -2);
    assert_eq!(s.scale(s.splat(1.5), s.splat(-1074.0))[0], 1e-323); // a tie, to even
    assert_eq!(s.scale(s.splat(1.5), s.splat(3.7))[0], 12.0);
    let words = s.load32(&std::array::from_fn(|i| i as u32));
    assert_eq!(s.lt32(words, s.splat32(1))[0], 0xffff_ffff);
    assert_eq!(s.mul_lo32(s.splat_u(!0), s.splat_u(!0))[0], 0xffff_fffe_0000_0001);
    let (bytes, limits) = (s.splat_u(0x80_7f_00_ff), s.splat_u(0x00_00_ff_fe));
    assert_eq!(s.count_above8(s.splat_u(0x05_ff_05_05), bytes, limits)[0], 0x05_00_06_06);
    assert_eq!(s.above8_bits(bytes, limits) & 0xff, 0b0111);
    let table = std::array::from_fn(|i| 3 * i as u8);
    assert_eq!(s.lookup8(&table, s.splat_u(0x0f_02_00_01))[0], 0x2d_06_00_03);
    assert_eq!(s.sum8(s.splat_u(0x01_ff_00_00_00_00_00_03))[0], 0x103);
    let (a, b) = (s.splat_u(0xffff_8000_0003), s.splat_u(0xffff_0002_0004));
    assert_eq!(s.mul_hi16(a, b)[0], 0xfffe_0001_0000);
    assert_eq!(s.mul_lo16(a, b)[0], 0x0001_0000_000c);
    assert_eq!(s.sub_down16(a, b)[0], 0x7ffe_0000);
    assert_eq!(s.square_lo32(s.splat_u(7 << 32 | 0x8000_0000))[0], 1 << 62);
    assert_eq!(s.square_lo32(s.splat_u(0xffff_fffd))[0], 9);
    assert_eq!(s.blend_halves(s.splat_u(1 << 32 | 2), s.splat_u(3 << 32 | 4))[0], 3 << 32 | 2);
    assert_eq!(s.sum_lanes(s.load(&[1e16, 1.0, 0.0, 0.0, -1e16, 1.0, 0.0, 0.0])), 2.0);
}

/// Gathers from a table without entries.
struct Empty;
impl Task for Empty {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        s.sum_lanes(s.gather(&[], s.splat_u(0)))
    }
}

#[test]
fn an_empty_table_panics_everywhere() {
    for &isa in available() {
        assert!(std::panic::catch_unwind(|| dispatch_on(isa, Empty)).is_err(), "{isa}");
    }
}
