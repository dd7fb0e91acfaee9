//! Laws: a block equals its draws one at a time, however it is cut, on every instruction set.

use windfall_lanes::{available, detected, limit};
use windfall_streams::{Seed, Stream, Streams};

fn stream(task: u64) -> Stream {
    Streams::new(Seed(2024), "laws").task(task)
}

fn skip(stream: &mut Stream, words: u64) {
    for _ in 0..words {
        stream.next_u64();
    }
}

/// Lengths around the edges of a block, and a long one.
const LENGTHS: [usize; 9] = [0, 1, 7, 8, 9, 15, 16, 17, 1003];

/// Holds `fill` to `one`, from each lane on, in one piece and in two.
fn filling_is_drawing<T: Copy + Default + PartialEq + std::fmt::Debug>(
    one: impl Fn(&mut Stream) -> T,
    fill: impl Fn(&mut Stream, &mut [T]),
) {
    for start in 0..8 {
        for length in LENGTHS {
            let mut single = stream(start);
            skip(&mut single, start);
            let mut whole = single.clone();
            let mut cut = single.clone();
            let expected: Vec<T> = (0..length).map(|_| one(&mut single)).collect();
            let mut block = vec![T::default(); length];
            fill(&mut whole, &mut block);
            assert_eq!(block, expected);
            assert_eq!(whole, single);
            let mut pieces = vec![T::default(); length];
            let (first, second) = pieces.split_at_mut(length / 3);
            fill(&mut cut, first);
            fill(&mut cut, second);
            assert_eq!(pieces, expected);
            assert_eq!(cut, single);
        }
    }
}

#[test]
fn words() {
    filling_is_drawing(Stream::next_u64, Stream::fill_u64);
}

#[test]
fn uniform() {
    filling_is_drawing(Stream::uniform, Stream::fill_uniform);
}

#[test]
fn exponential() {
    filling_is_drawing(Stream::exponential, Stream::fill_exponential);
}

#[test]
fn normal_blocks_begin_alike() {
    let mut longest = vec![0.0; 1003];
    stream(5).fill_normal(&mut longest);
    for length in LENGTHS {
        let mut stream = stream(5);
        let mut words = stream.clone();
        let mut block = vec![0.0; length];
        stream.fill_normal(&mut block);
        assert_eq!(block, longest[..length]);
        skip(&mut words, 16 * length.div_ceil(16) as u64);
        assert_eq!(stream, words);
    }
}

#[test]
fn open_uniform() {
    filling_is_drawing(Stream::open_uniform, Stream::fill_open_uniform);
}

/// The definition of `fill_below`, one half at a time.
fn below_by_halves(stream: &mut Stream, bound: u32, length: usize) -> Vec<u32> {
    let range = if bound == 0 { 1 << 32 } else { u64::from(bound) };
    let mut kept = Vec::new();
    stream.align();
    while kept.len() < length {
        let words: Vec<u64> = (0..8).map(|_| stream.next_u64()).collect();
        for half in words.iter().flat_map(|word| [word & 0xffff_ffff, word >> 32]) {
            let product = half * range;
            if (product & 0xffff_ffff) >= (1 << 32) % range {
                kept.push((product >> 32) as u32);
            }
        }
    }
    kept.truncate(length);
    kept
}

#[test]
fn below_keeps_every_half_that_is_fair() {
    for bound in [0, 1, 2, 6, 1 << 16, 1_000_003, (1 << 31) + 1, u32::MAX] {
        for (task, length) in LENGTHS.into_iter().enumerate() {
            let mut single = stream(task as u64);
            skip(&mut single, task as u64 % 3);
            let mut block = single.clone();
            let mut numbers = vec![0; length];
            block.fill_below(bound, &mut numbers);
            assert_eq!(numbers, below_by_halves(&mut single, bound, length), "below {bound}");
            assert_eq!(block, single);
        }
    }
}

#[test]
fn a_bound_of_zero_is_the_whole_range() {
    let mut drawn = stream(0);
    let mut words = drawn.clone();
    assert!((0..100).all(|_| drawn.below(0) == words.next_u64()));
}

#[test]
fn tasks_names_and_seeds_differ() {
    let mut first_words: Vec<u64> = (0..1000)
        .map(|task| stream(task).next_u64())
        .chain((0..1000).map(|seed| Streams::new(Seed(seed), "laws").task(0).next_u64()))
        .chain((0..1000).map(|i| Streams::new(Seed(1), &i.to_string()).task(0).next_u64()))
        .collect();
    first_words.sort_unstable();
    first_words.dedup();
    assert_eq!(first_words.len(), 3000);
}

/// Bytes of everything that runs over the lanes.
fn everything() -> Vec<u64> {
    let mut stream = stream(u64::MAX);
    let mut words = vec![0; 333];
    stream.fill_u64(&mut words);
    let mut numbers = vec![0.0; 333];
    let fills = [
        Stream::fill_uniform,
        Stream::fill_open_uniform,
        Stream::fill_normal,
        Stream::fill_exponential,
    ];
    for fill in fills {
        fill(&mut stream, &mut numbers);
        words.extend(numbers.iter().map(|x| x.to_bits()));
    }
    let mut single = |draw: &dyn Fn(&mut Stream) -> f64| {
        words.extend((0..333).map(|_| draw(&mut stream).to_bits()));
    };
    single(&Stream::normal);
    single(&|s| s.gamma(0.4, 2.0).unwrap());
    single(&|s| s.beta(0.5, 3.0).unwrap());
    single(&|s| s.poisson(3.0).unwrap() as f64 + s.poisson(30.0).unwrap() as f64);
    single(&|s| s.binomial(9, 0.3).unwrap() as f64 + s.binomial(90, 0.3).unwrap() as f64);
    let mut bounded = vec![0; 333];
    for bound in [10, 3 << 30] {
        stream.fill_below(bound, &mut bounded);
        words.extend(bounded.iter().map(|&x| u64::from(x)));
    }
    words
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let expected = everything();
    for &isa in available() {
        limit(isa).unwrap();
        assert_eq!(everything(), expected, "on {isa}");
    }
    limit(detected()).unwrap();
}
