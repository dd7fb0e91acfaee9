//! Known answers: published vectors, and addresses computed a second time in Python.

use std::fs;
use windfall_streams::{Seed, Streams, philox4x32};

/// Returns the lines of a golden file that hold data, cut into words.
fn lines(file: &str) -> Vec<Vec<String>> {
    let path = format!("{}/../../tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect(&path);
    let data = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let found: Vec<Vec<String>> = data
        .map(|line| {
            let (bare, name) = line.split_once('"').unwrap_or((line, ""));
            let name = name.strip_suffix('"').map(str::to_owned);
            bare.split_whitespace().map(str::to_owned).chain(name).collect()
        })
        .collect();
    assert!(!found.is_empty(), "{file} is empty");
    found
}

/// Returns the lines of streams.txt that begin with `kind`, without that word.
fn entries(kind: &str) -> Vec<Vec<String>> {
    let all = lines("streams.txt").into_iter();
    let found: Vec<_> = all.filter(|line| line[0] == kind).map(|l| l[1..].to_vec()).collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

fn hex32(word: &str) -> u32 {
    u32::from_str_radix(word, 16).unwrap()
}

fn streams(seed: &str, name: &str) -> Streams {
    Streams::new(seed.parse().unwrap(), name)
}

#[test]
fn philox_as_published() {
    for line in lines("philox.txt") {
        let words: Vec<u32> = line.iter().map(|word| hex32(word)).collect();
        let counter = words[..4].try_into().unwrap();
        assert_eq!(philox4x32([words[4], words[5]], counter), words[6..10]);
    }
}

#[test]
fn children() {
    for line in entries("child") {
        let seed: Seed = line[0].parse().unwrap();
        assert_eq!(seed.child(&line[2]).to_string(), line[1]);
    }
}

#[test]
fn bits() {
    for line in entries("bits") {
        let found =
            streams(&line[0], &line[7]).bits(line[1].parse().unwrap(), line[2].parse().unwrap());
        assert_eq!(found.map(|word| format!("{word:08x}")), line[3..7]);
    }
}

#[test]
fn words() {
    for line in entries("word") {
        let mut stream = streams(&line[0], &line[4]).task(line[1].parse().unwrap());
        let position: usize = line[2].parse().unwrap();
        let word = (0..=position).map(|_| stream.next_u64()).last().unwrap();
        assert_eq!(format!("{word:016x}"), line[3]);
    }
}

#[test]
fn uniform_draws() {
    for (kind, open) in [("uniform", false), ("open", true)] {
        for line in entries(kind) {
            let mut stream = streams("42", "draws").task(line[0].parse().unwrap());
            for text in &line[1..] {
                let drawn = if open { stream.open_uniform() } else { stream.uniform() };
                assert_eq!(drawn, text.parse::<f64>().unwrap());
            }
        }
    }
}

#[test]
fn bounded_draws() {
    for line in entries("below") {
        let mut stream = streams("42", "draws").task(line[0].parse().unwrap());
        for text in &line[2..] {
            assert_eq!(stream.below(line[1].parse().unwrap()).to_string(), *text);
        }
    }
}

#[test]
fn numpy_seed_sequences() {
    for line in entries("numpy") {
        let part = |text: &String| -> Vec<u32> {
            text.split(',').filter(|word| *word != "-").map(hex32).collect()
        };
        let expected = part(&line[2]);
        let seed = Seed::from_seed_sequence(&part(&line[0]), &part(&line[1])).0;
        assert_eq!(expected, [0, 32, 64, 96].map(|shift| (seed >> shift) as u32));
    }
}

#[test]
fn bounded_blocks() {
    for line in entries("fill_below") {
        let mut stream = streams("42", "draws").task(line[0].parse().unwrap());
        let mut drawn = vec![0; line.len() - 2];
        stream.fill_below(line[1].parse().unwrap(), &mut drawn);
        assert_eq!(drawn.iter().map(u32::to_string).collect::<Vec<_>>(), line[2..]);
    }
}
