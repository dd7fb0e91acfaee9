//! Write the raw bits of streams to standard output, for ever, for batteries of tests to read.
//!
//! `words one|interleaved low|high`: one stream, or one word in turn from each of 1,000 streams of
//! neighbouring tasks; of each word the low or the high 32 bits first. Numbers of 32 bits,
//! little-endian. Ends when nobody reads any more.

use std::io::{ErrorKind, Result, Write, stdout};
use windfall_streams::{Seed, Stream, Streams};

const BLOCK_WORDS: usize = 8_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let tasks = match arguments.first().map(String::as_str) {
        Some("one") => 1,
        Some("interleaved") => 1_000,
        _ => return Err(usage()),
    };
    let turn = match arguments.get(1).map(String::as_str) {
        Some("low") => 0,
        Some("high") => 32,
        _ => return Err(usage()),
    };
    let streams = Streams::new(Seed(20_260_101), "testu01");
    let mut open: Vec<Stream> = (0..tasks).map(|task| streams.task(task)).collect();
    let mut words = vec![0; BLOCK_WORDS];
    let mut out = stdout().lock();
    loop {
        for round in words.chunks_exact_mut(open.len()) {
            for (word, stream) in round.iter_mut().zip(&mut open) {
                *word = stream.next_u64();
            }
        }
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.rotate_left(turn).to_le_bytes()).collect();
        match out.write_all(&bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
}

fn usage() -> std::io::Error {
    let hint = "say `words one|interleaved low|high`";
    std::io::Error::new(ErrorKind::InvalidInput, hint)
}
