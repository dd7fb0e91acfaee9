//! Simulations one by one: draw every value, let the test look at them.

use super::counts::Counts;
use super::ready::Ready;
use std::ops::Range;
use windfall_core::{Cancel, Shard, Streams};

/// Runs the simulations of `shard`, one a task, and counts what the tests at `points` reject.
///
/// Source `s` of task `i` has the stream `i · sources + s` to itself, so that the data of a
/// smaller sample are the first of a larger one, and neighbouring points of a curve see the same
/// draws.
pub(super) fn run(points: &[Ready], shard: Shard, streams: &Streams, cancel: &Cancel) -> Counts {
    let batches = batches(points);
    let sources = points.first().map_or(0, |point| point.sources.len());
    let mut raw = vec![Vec::new(); sources];
    let mut samples = vec![Vec::new(); sources];
    let mut counts = Counts::of(points.len());
    for task in shard.tasks() {
        if cancel.is_stopped() {
            break;
        }
        for batch in &batches {
            let points = &points[batch.clone()];
            for (place, raw) in raw.iter_mut().enumerate() {
                let all = points.iter().map(|point| point.sources[place].size);
                raw.resize(all.max().unwrap_or(0), 0.0);
                let mut stream = streams.task(task * sources as u64 + place as u64);
                points[0].sources[place].law.base.fill(&mut stream, raw);
            }
            for (point, count) in points.iter().zip(&mut counts.points[batch.clone()]) {
                for ((source, raw), sample) in point.sources.iter().zip(&raw).zip(&mut samples) {
                    let (scale, shift) = (source.law.scale, source.law.shift);
                    sample.clear();
                    sample.extend(raw[..source.size].iter().map(|x| scale.mul_add(*x, shift)));
                }
                match point.rejects(&mut samples) {
                    Some(rejects) => count.rejected += u64::from(rejects),
                    None => count.undefined += 1,
                }
            }
        }
        counts.simulations += 1;
    }
    counts
}

/// Runs of points whose data are the same draws, moved, stretched or cut.
fn batches(points: &[Ready]) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    for (place, point) in points.iter().enumerate() {
        let same = |batch: &&mut Range<usize>| {
            let first = points[batch.start].sources.iter();
            first.zip(&point.sources).all(|(a, b)| a.law.base == b.law.base)
        };
        match batches.last_mut().filter(same) {
            Some(batch) => batch.end = place + 1,
            None => batches.push(place..place + 1),
        }
    }
    batches
}
