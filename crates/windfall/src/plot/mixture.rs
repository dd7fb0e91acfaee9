//! Lay out a fitted mixture: densities over a histogram of one column, ellipses over points of two.

use super::Drawer;
use super::axis::{bins, ticks};
use super::font::Font;
use super::panel::{FAINT, HEIGHT, INK, QUIET, WIDTH};
use super::scene::{Anchor, COLOURS, Colour, Scene, Shape};
use crate::readable::{count, significant};
use serde_json::Value;
use windfall_core::Answer;

/// One picture of the rows and the components.
pub(super) const DRAWER: Drawer = Drawer {
    serves: |answer| answer.distribution.is_empty() && Picture::of(answer).is_some(),
    draw: |answer, font| match Picture::of(answer) {
        Some(picture) => picture.scene(answer, font),
        None => Scene { width: WIDTH, height: HEIGHT, shapes: Vec::new() },
    },
};

const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 28.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = HEIGHT - 58.0;
/// Points of a density and of an ellipse.
const GRID: usize = 300;
/// Points that are drawn at most: of more rows every so many.
const POINTS_MAX: usize = 6_000;
/// The part of its component that an ellipse holds.
const HELD: f64 = 0.95;
const BAR: Colour = [214, 222, 232];
const POINT: Colour = [160, 170, 184];

/// A component in the columns that are drawn.
struct Component {
    weight: f64,
    mean: [f64; 2],
    /// Variance, covariance, variance.
    covariance: [f64; 3],
}

/// What is drawn.
struct Picture<'a> {
    names: Vec<&'a str>,
    /// One column, or the first two.
    columns: Vec<&'a [f64]>,
    components: Vec<Component>,
}

impl<'a> Picture<'a> {
    /// The picture of a mixture's answer that keeps its rows; none of any other.
    fn of(answer: &'a Answer) -> Option<Self> {
        let (index, model) = (answer.index.as_ref()?, answer.extra.get("model")?);
        let names: Vec<&str> =
            answer.extra.get("columns")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let shown = names.iter().take(2);
        let columns: Vec<&[f64]> =
            shown.map(|name| index.numbers(name)).collect::<Result<_, _>>().ok()?;
        let shape = answer.extra.get("covariance")?.as_str()?;
        let weights = model["weights"].as_array()?;
        let component = |j: usize| {
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            let entry = |a: usize, b: usize| match shape {
                "full" => number(&model["covariances"][j][a][b]),
                "tied" => number(&model["covariances"][a][b]),
                _ if a != b => 0.0,
                "diag" => number(&model["covariances"][j][a]),
                _ => number(&model["covariances"][j]),
            };
            Component {
                weight: number(&weights[j]),
                mean: [0, 1].map(|a| number(&model["means"][j][a])),
                covariance: [entry(0, 0), entry(1, 0), entry(1, 1)],
            }
        };
        let components = (0..weights.len()).map(component).collect();
        (!columns.is_empty()).then_some(Self { names, columns, components })
    }

    fn scene(&self, answer: &Answer, font: &Font) -> Scene {
        let mut scene = Scene { width: WIDTH, height: HEIGHT, shapes: Vec::new() };
        self.title(&mut scene.shapes, answer, font);
        match self.columns.as_slice() {
            [x] => self.densities(&mut scene.shapes, x),
            [x, y, ..] => self.ellipses(&mut scene.shapes, x, y),
            [] => {}
        }
        scene
    }

    fn title(&self, shapes: &mut Vec<Shape>, answer: &Answer, font: &Font) {
        let text = |x: f64, y: f64, size: f64, text: String, colour: Colour| Shape::Text {
            x,
            y,
            size,
            anchor: Anchor::Start,
            text,
            colour,
        };
        let shape = answer.extra.get("covariance").and_then(Value::as_str).unwrap_or("");
        let rows = answer.data.as_ref().map_or(0, |data| data.rows);
        let mut title =
            format!("mixture of {} · {shape} · {} rows", self.components.len(), count(rows));
        if self.names.len() > 2 {
            title.push_str(&format!(" · the first two of {} columns", self.names.len()));
        }
        shapes.push(text(LEFT, 32.0, 16.0, title, INK));
        let mut x = LEFT;
        for (place, component) in self.components.iter().enumerate() {
            let label = format!("{place}: {}", significant(component.weight, 3));
            let width = font.width(&label, 11.0) + 36.0;
            if x + width > RIGHT {
                break;
            }
            let colour = COLOURS[place % COLOURS.len()];
            shapes.push(Shape::Box { x, y: 49.0, width: 14.0, height: 4.0, colour });
            shapes.push(text(x + 19.0, 55.0, 11.0, label, QUIET));
            x += width;
        }
    }

    /// A histogram of the rows, the density of each component by its weight, and their sum.
    fn densities(&self, shapes: &mut Vec<Shape>, x: &[f64]) {
        let mut sorted = x.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let bins = bins(&sorted);
        let end = bins.low + bins.width * bins.counts.len() as f64;
        let room = 0.04 * (end - bins.low);
        let across = [bins.low - room, end + room];
        let places =
            (0..GRID).map(|i| across[0] + (across[1] - across[0]) * i as f64 / (GRID - 1) as f64);
        let places: Vec<f64> = places.collect();
        let density = |component: &Component| -> Vec<f64> {
            let deviation = component.covariance[0].sqrt();
            let scale = component.weight / (deviation * std::f64::consts::TAU.sqrt());
            let at = |x: &f64| {
                let z = (x - component.mean[0]) / deviation;
                scale * (-0.5 * z * z).exp()
            };
            places.iter().map(at).collect()
        };
        let parts: Vec<Vec<f64>> = self.components.iter().map(density).collect();
        let sum = |i: usize| parts.iter().map(|part| part[i]).sum::<f64>();
        let whole: Vec<f64> = (0..GRID).map(sum).collect();
        let bar = |&number: &u64| number as f64 / (x.len() as f64 * bins.width);
        let most = bins.counts.iter().map(bar).chain(whole.iter().copied()).fold(0.0, f64::max);
        let frame = Frame { across, up: [0.0, 1.05 * most] };
        for (place, number) in bins.counts.iter().enumerate().filter(|(_, number)| **number > 0) {
            let left = frame.x(bins.low + bins.width * place as f64);
            let width = frame.x(bins.low + bins.width * (place + 1) as f64) - left - 0.6;
            let y = frame.y(bar(number));
            shapes.push(Shape::Box { x: left, y, width, height: BOTTOM - y, colour: BAR });
        }
        frame.draw(shapes, self.names[0], "density");
        let line = |heights: &[f64]| {
            places.iter().zip(heights).map(|(x, height)| [frame.x(*x), frame.y(*height)]).collect()
        };
        shapes.push(Shape::Line { points: line(&whole), width: 2.2, colour: INK });
        for (place, part) in parts.iter().enumerate() {
            let colour = COLOURS[place % COLOURS.len()];
            shapes.push(Shape::Line { points: line(part), width: 1.6, colour });
        }
    }

    /// The rows as points and, for each component, the ellipse that holds 95 % of it.
    fn ellipses(&self, shapes: &mut Vec<Shape>, x: &[f64], y: &[f64]) {
        let ends = |values: &[f64]| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let room = 0.06 * (high - low);
            [low - room, high + room]
        };
        let frame = Frame { across: ends(x), up: ends(y) };
        frame.draw(shapes, self.names[0], self.names[1]);
        for (x, y) in x.iter().zip(y).step_by(x.len().div_ceil(POINTS_MAX)) {
            let (x, y) = (frame.x(*x) - 1.2, frame.y(*y) - 1.2);
            shapes.push(Shape::Box { x, y, width: 2.4, height: 2.4, colour: POINT });
        }
        let reach = (-2.0 * (1.0 - HELD).ln()).sqrt();
        for (place, component) in self.components.iter().enumerate() {
            let [xx, xy, yy] = component.covariance;
            let (a, b) = (xx.sqrt(), xy / xx.sqrt());
            let c = (yy - b * b).max(0.0).sqrt();
            let point = |i: usize| {
                let (sine, cosine) = (std::f64::consts::TAU * i as f64 / GRID as f64).sin_cos();
                let x = component.mean[0] + reach * a * cosine;
                let y = component.mean[1] + reach * (b * cosine + c * sine);
                let inside = |value: f64, low: f64, high: f64| value.clamp(low, high);
                [inside(frame.x(x), LEFT, RIGHT), inside(frame.y(y), TOP, BOTTOM)]
            };
            let colour = COLOURS[place % COLOURS.len()];
            shapes.push(Shape::Line {
                points: (0..=GRID).map(point).collect(),
                width: 2.0,
                colour,
            });
        }
    }
}

/// From values to places.
struct Frame {
    across: [f64; 2],
    up: [f64; 2],
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        LEFT + (value - self.across[0]) / (self.across[1] - self.across[0]) * (RIGHT - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (value - self.up[0]) / (self.up[1] - self.up[0]) * (BOTTOM - TOP)
    }

    /// Ticks and the names of both axes.
    fn draw(&self, shapes: &mut Vec<Shape>, below: &str, beside: &str) {
        let mut text = |x: f64, y: f64, size: f64, anchor: Anchor, text: &str, colour: Colour| {
            shapes.push(Shape::Text { x, y, size, anchor, text: text.to_owned(), colour });
        };
        let (horizontal, vertical) =
            (ticks(self.across[0], self.across[1], 8), ticks(self.up[0], self.up[1], 5));
        for (place, label) in horizontal.places.iter().zip(&horizontal.labels) {
            text(self.x(*place), BOTTOM + 18.0, 11.0, Anchor::Middle, label, QUIET);
        }
        for (place, label) in vertical.places.iter().zip(&vertical.labels) {
            text(LEFT - 8.0, self.y(*place) + 4.0, 11.0, Anchor::End, label, QUIET);
        }
        text((LEFT + RIGHT) / 2.0, BOTTOM + 42.0, 12.0, Anchor::Middle, below, INK);
        text(LEFT, TOP - 8.0, 12.0, Anchor::Start, beside, INK);
        let width = RIGHT - LEFT;
        for place in &vertical.places {
            let y = self.y(*place) - 0.5;
            shapes.push(Shape::Box { x: LEFT, y, width, height: 1.0, colour: FAINT });
        }
        shapes.push(Shape::Box { x: LEFT, y: BOTTOM, width, height: 1.2, colour: INK });
    }
}
