//! Lay out the draws of chains: for each quantity their densities, traces and ranks side by side.
//!
//! Chains that agree lie over each other in the first two and are flat in the third. Source of
//! rank plots: A. Vehtari et al., "Rank-normalization, folding, and localization", Bayesian
//! Analysis 16(2), 2021.

use super::Drawer;
use super::axis::ticks;
use super::font::Font;
use super::panel::{FAINT, INK, QUIET};
use super::scene::{Anchor, COLOURS, Colour, Scene, Shape};
use crate::readable::count;
use windfall_core::{Answer, Column, Table};

/// Panels side by side.
pub(super) const DRAWER: Drawer =
    Drawer { serves: |answer| !answer.distribution.is_empty() && lengths(answer).is_some(), draw };

/// The width of a panel, with room for its labels.
const WIDTH: f64 = 350.0;
/// The height of a row of panels.
const HEIGHT: f64 = 230.0;
/// The title above all rows.
const TITLE: f64 = 64.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 44.0;

/// Quantities that are drawn at most.
const ROWS_MAX: usize = 40;
/// Points of a density.
const GRID: usize = 120;
/// Stretches of a trace; each shows its lowest and highest draw.
const STRETCHES: usize = 200;
/// Bins of the ranks.
const RANK_BINS: usize = 20;

/// The draws of each chain one after the other, as the index tells it; none without chains.
fn lengths(answer: &Answer) -> Option<Vec<usize>> {
    let index: &Table = answer.index.as_ref()?;
    let (Ok(Column::Numbers(chains)), Ok(_)) = (index.column("chain"), index.column("draw")) else {
        return None;
    };
    let runs = chains.as_slice().chunk_by(|a, b| a == b);
    Some(runs.map(<[f64]>::len).collect())
}

fn draw(answer: &Answer, font: &Font) -> Scene {
    let lengths = lengths(answer).unwrap_or_default();
    let rows = answer.quantities.iter().zip(&answer.distribution).take(ROWS_MAX);
    let mut scene = Scene { width: 3.0 * WIDTH, height: TITLE, shapes: Vec::new() };
    title(&mut scene.shapes, answer, lengths.len());
    for (quantity, draws) in rows {
        let mut rest = draws.as_slice();
        let mut chains = Vec::with_capacity(lengths.len());
        for &length in &lengths {
            let (chain, after) = rest.split_at(length.min(rest.len()));
            chains.push(chain);
            rest = after;
        }
        for (place, lines) in
            [densities(&chains), traces(&chains), ranks(&chains)].into_iter().enumerate()
        {
            let corner = [WIDTH * place as f64, scene.height];
            panel(&mut scene.shapes, font, corner, &quantity.name, &lines);
        }
        scene.height += HEIGHT;
    }
    scene
}

/// One line a chain, with the names of both axes.
struct Lines {
    across: &'static str,
    up: &'static str,
    chains: Vec<Vec<[f64; 2]>>,
    /// Whether the lower end of the axis is 0.
    from_zero: bool,
}

fn title(shapes: &mut Vec<Shape>, answer: &Answer, chains: usize) {
    let Answer { problem, method, draws, seed, .. } = answer;
    let text = format!(
        "{problem} · {method} · {} chains · {} {} · seed {seed}",
        count(chains as u64),
        count(draws.count),
        draws.name
    );
    let (x, anchor) = (LEFT, Anchor::Start);
    shapes.push(Shape::Text { x, y: 26.0, size: 14.0, anchor, text, colour: INK });
    let mut x = LEFT;
    for (chain, colour) in COLOURS.into_iter().enumerate().take(chains) {
        shapes.push(Shape::Box { x, y: 40.0, width: 14.0, height: 4.0, colour });
        let text = format!("chain {chain}");
        shapes.push(Shape::Text { x: x + 19.0, y: 46.0, size: 11.0, anchor, text, colour: QUIET });
        x += 80.0;
    }
}

/// Frame, ticks, names and lines of one panel whose corner lies here.
fn panel(shapes: &mut Vec<Shape>, font: &Font, corner: [f64; 2], name: &str, lines: &Lines) {
    let all = || lines.chains.iter().flatten();
    let ends = |axis: usize| {
        let values = all().map(|point| point[axis]).filter(|value| value.is_finite());
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        match low < high {
            true => [low, high],
            // All the same, or nothing at all.
            false => [low.clamp(-1e9, 1e9) - 0.5, low.clamp(-1e9, 1e9) + 0.5],
        }
    };
    let across = ends(0);
    let [low, high] = ends(1);
    let room = 0.05 * (high - low);
    let up = [if lines.from_zero { 0.0 } else { low - room }, high + room];
    let x_at = |value: f64| {
        corner[0] + LEFT + (value - across[0]) / (across[1] - across[0]) * (RIGHT - LEFT)
    };
    let y_at = |value: f64| corner[1] + BOTTOM - (value - up[0]) / (up[1] - up[0]) * (BOTTOM - TOP);
    let mut text = |x: f64, y: f64, size: f64, anchor: Anchor, text: String, colour: Colour| {
        shapes.push(Shape::Text { x, y, size, anchor, text, colour });
    };
    let (left, bottom) = (corner[0] + LEFT, corner[1] + BOTTOM);
    let mut label = name.to_owned();
    while font.width(&label, 12.0) > RIGHT - LEFT - 90.0 && label.pop().is_some() {}
    text(left, corner[1] + TOP - 10.0, 12.0, Anchor::Start, label, INK);
    text(corner[0] + RIGHT, corner[1] + TOP - 10.0, 11.0, Anchor::End, lines.up.into(), QUIET);
    let middle = corner[0] + 0.5 * (LEFT + RIGHT);
    text(middle, bottom + 32.0, 11.0, Anchor::Middle, lines.across.into(), QUIET);
    let (below, beside) = (ticks(across[0], across[1], 4), ticks(up[0], up[1], 4));
    for (place, label) in below.places.iter().zip(below.labels) {
        text(x_at(*place), bottom + 16.0, 10.0, Anchor::Middle, label, QUIET);
    }
    for (place, label) in beside.places.iter().zip(beside.labels) {
        text(left - 6.0, y_at(*place) + 3.5, 10.0, Anchor::End, label, QUIET);
    }
    let width = RIGHT - LEFT;
    for place in &beside.places {
        let y = y_at(*place) - 0.5;
        shapes.push(Shape::Box { x: left, y, width, height: 1.0, colour: FAINT });
    }
    shapes.push(Shape::Box { x: left, y: bottom, width, height: 1.0, colour: INK });
    for (chain, points) in lines.chains.iter().enumerate() {
        let finite = points.iter().filter(|point| point.iter().all(|at| at.is_finite()));
        let points = finite.map(|[x, y]| [x_at(*x), y_at(*y)]).collect();
        let colour = COLOURS[chain % COLOURS.len()];
        shapes.push(Shape::Line { points, width: 1.2, colour });
    }
}

/// The lowest and highest draw of each stretch of each chain.
fn traces(chains: &[&[f64]]) -> Lines {
    let trace = |chain: &&[f64]| {
        let stretch = chain.len().div_ceil(STRETCHES).max(1);
        if stretch < 3 {
            return chain.iter().enumerate().map(|(draw, x)| [draw as f64, *x]).collect();
        }
        let mut points = Vec::new();
        for (place, draws) in chain.chunks(stretch).enumerate() {
            let at = (place * stretch) as f64 + 0.5 * draws.len() as f64;
            let low = draws.iter().copied().fold(f64::INFINITY, f64::min);
            let high = draws.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            points.extend([[at, low], [at, high]]);
        }
        points
    };
    let chains = chains.iter().map(trace).collect();
    Lines { across: "draw", up: "", chains, from_zero: false }
}

/// Normal kernels over binned draws, Silverman's width, on one grid for all chains.
fn densities(chains: &[&[f64]]) -> Lines {
    let mut all: Vec<f64> =
        chains.iter().flat_map(|chain| chain.iter().copied()).filter(|x| x.is_finite()).collect();
    all.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| all.get((all.len().saturating_sub(1) as f64 * share) as usize).copied();
    let (low, high) = (at(0.002).unwrap_or(0.0), at(0.998).unwrap_or(0.0));
    let quartiles = at(0.75).unwrap_or(0.0) - at(0.25).unwrap_or(0.0);
    let draws = chains.iter().map(|chain| chain.len()).max().unwrap_or(1) as f64;
    let spread = if quartiles > 0.0 { quartiles / 1.34 } else { (high - low).max(1e-12) };
    let width = 0.9 * spread * draws.powf(-0.2);
    let (low, high) = (low - 2.0 * width, high + 2.0 * width);
    let step = (high - low) / (GRID - 1) as f64;
    let density = |chain: &&[f64]| {
        let mut bins = vec![0.0; GRID];
        for x in chain.iter().filter(|x| (low..=high).contains(*x)) {
            bins[((x - low) / step + 0.5) as usize] += 1.0;
        }
        let scale = 1.0 / (chain.len().max(1) as f64 * width * std::f64::consts::TAU.sqrt());
        let value = |place: usize| {
            let term = |(bin, count): (usize, &f64)| {
                let away = (bin as f64 - place as f64) * step / width;
                count * (-0.5 * away * away).exp()
            };
            scale * bins.iter().enumerate().map(term).sum::<f64>()
        };
        (0..GRID).map(|place| [low + step * place as f64, value(place)]).collect()
    };
    let chains = chains.iter().map(density).collect();
    Lines { across: "", up: "density", chains, from_zero: true }
}

/// How many draws of each chain have their rank among all draws in each bin, as steps.
fn ranks(chains: &[&[f64]]) -> Lines {
    let mut order: Vec<(f64, usize)> = chains
        .iter()
        .enumerate()
        .flat_map(|(chain, draws)| draws.iter().map(move |draw| (*draw, chain)))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut counts = vec![[0.0; RANK_BINS]; chains.len()];
    for (rank, (_, chain)) in order.iter().enumerate() {
        counts[*chain][rank * RANK_BINS / order.len()] += 1.0;
    }
    let bin = order.len() as f64 / RANK_BINS as f64;
    let steps = |counts: [f64; RANK_BINS]| {
        let step = |(place, count): (usize, f64)| {
            [[bin * place as f64, count], [bin * (place + 1) as f64, count]]
        };
        counts.into_iter().enumerate().flat_map(step).collect()
    };
    let chains = counts.into_iter().map(steps).collect();
    Lines { across: "rank", up: "draws", chains, from_zero: true }
}
