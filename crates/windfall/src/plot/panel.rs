//! Lay out one histogram: title, bars, interval, estimate, axes, with labels that do not overlap.

use super::Drawer;
use super::axis::{Bins, bins, ticks};
use super::font::Font;
use super::forest::cut;
use super::scene::{Anchor, Colour, Scene, Shape};
use crate::readable::{count, significant, with_error};
use windfall_core::{Answer, Interval, Quantity};

/// The size of a panel in pixels.
pub(super) const WIDTH: f64 = 760.0;
/// The size of a panel in pixels.
pub(super) const HEIGHT: f64 = 430.0;

pub(super) const LEFT: f64 = 64.0;
pub(super) const RIGHT: f64 = WIDTH - 28.0;
/// From the panel's top to the plot's, with room for two lines of title and one of labels.
pub(super) const TOP: f64 = 96.0;
pub(super) const BOTTOM: f64 = HEIGHT - 58.0;

pub(super) const INK: Colour = [31, 41, 55];
pub(super) const QUIET: Colour = [107, 114, 128];
pub(super) const FAINT: Colour = [229, 231, 235];
pub(super) const INSIDE: Colour = [79, 129, 189];
pub(super) const OUTSIDE: Colour = [190, 207, 228];
const BAND: Colour = [241, 245, 250];
pub(super) const EDGE: Colour = [37, 78, 128];
pub(super) const ESTIMATE: Colour = [192, 57, 43];

/// A histogram a quantity, one below the other.
pub(super) const DRAWER: Drawer = Drawer {
    serves: |answer| !answer.distribution.is_empty(),
    draw: |answer, font| {
        let mut scene = Scene { width: WIDTH, height: 0.0, shapes: Vec::new() };
        for (quantity, values) in answer.quantities.iter().zip(&answer.distribution) {
            let panel = Panel { answer, quantity, values, top: scene.height, font };
            scene.shapes.extend(panel.shapes());
            scene.height += HEIGHT;
        }
        scene
    },
};

/// One quantity's distribution, to be drawn at `top`.
pub(super) struct Panel<'a> {
    pub answer: &'a Answer,
    pub quantity: &'a Quantity,
    pub values: &'a [f64],
    pub top: f64,
    pub font: &'a Font,
}

impl Panel<'_> {
    /// All that is to be drawn, from the back to the front.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        let mut sorted: Vec<f64> = self.values.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut shapes = Vec::new();
        if sorted.is_empty() {
            self.title(&mut shapes, None);
            return shapes;
        }
        let bins = bins(&sorted);
        self.title(&mut shapes, Some(&bins));
        let across = self.range(&bins);
        let most = bins.counts.iter().copied().max().unwrap_or(1).max(1) as f64 * 1.04;
        self.band(&mut shapes, across);
        self.scale(&mut shapes, most);
        self.bars(&mut shapes, &bins, across, most);
        self.marks(&mut shapes, across);
        self.axis(&mut shapes, across);
        shapes
    }

    /// The ends of the axis: all bins, the estimate and the interval, with a little room.
    fn range(&self, bins: &Bins) -> [f64; 2] {
        let mut low = bins.low;
        let mut high = bins.low + bins.width * bins.counts.len() as f64;
        for mark in self.interval_ends().into_iter().flatten().chain([self.quantity.estimate]) {
            if mark.is_finite() {
                (low, high) = (low.min(mark), high.max(mark));
            }
        }
        let room = 0.02 * (high - low);
        [low - room, high + room]
    }

    /// The finite ends of the interval.
    fn interval_ends(&self) -> [Option<f64>; 2] {
        let end = |end: fn(&Interval) -> f64| {
            self.quantity.interval.as_ref().map(end).filter(|end| end.is_finite())
        };
        [end(|interval| interval.low), end(|interval| interval.high)]
    }

    fn title(&self, shapes: &mut Vec<Shape>, bins: Option<&Bins>) {
        let Answer { problem, draws, seed, .. } = self.answer;
        let mut parts = vec![problem.clone()];
        if let Some(interval) = &self.quantity.interval {
            let level = significant(100.0 * interval.level, 3);
            let level = level.trim_end_matches('0').trim_end_matches('.');
            parts.push(format!("{level} % {} interval", interval.method));
        }
        parts.push(format!("{} {}", count(draws.count), draws.name));
        parts.push(format!("seed {seed}"));
        let odd = self.values.iter().filter(|x| !x.is_finite()).count();
        if odd > 0 {
            parts.push(format!("{} not finite", count(odd as u64)));
        }
        if let Some(beyond) = bins.map(|bins| bins.beyond).filter(|&beyond| beyond > 0) {
            parts.push(format!("{} beyond the axis", count(beyond)));
        }
        let at = |y: f64, size, text: String, colour| {
            let text = self.cut(&text, size);
            let y = self.top + y;
            Shape::Text { x: LEFT, y, size, anchor: Anchor::Start, text, colour }
        };
        shapes.push(at(34.0, 17.0, self.quantity.name.clone(), INK));
        shapes.push(at(55.0, 12.0, parts.join(" · "), QUIET));
    }

    /// `text`, ended by an ellipsis if it is wider than the plot.
    fn cut(&self, text: &str, size: f64) -> String {
        cut(self.font, text, size, RIGHT - LEFT)
    }

    /// The light ground of the interval.
    fn band(&self, shapes: &mut Vec<Shape>, across: [f64; 2]) {
        if let [Some(low), Some(high)] = self.interval_ends() {
            let (x, end) = (place(low, across), place(high, across));
            shapes.push(Shape::Box {
                x,
                y: self.top + TOP,
                width: end - x,
                height: BOTTOM - TOP,
                colour: BAND,
            });
        }
    }

    /// Lines at round counts, with their labels.
    fn scale(&self, shapes: &mut Vec<Shape>, most: f64) {
        let all = ticks(0.0, most, 4);
        for (tick, label) in all.places.iter().zip(all.labels) {
            let y = self.top + height(*tick, most);
            let text = label.parse().map_or(label, count);
            if *tick > 0.0 {
                let width = RIGHT - LEFT;
                shapes.push(Shape::Box { x: LEFT, y: y - 0.5, width, height: 1.0, colour: FAINT });
            }
            shapes.push(Shape::Text {
                x: LEFT - 8.0,
                y: y + 4.0,
                size: 11.0,
                anchor: Anchor::End,
                text,
                colour: QUIET,
            });
        }
    }

    /// The bars, dark within the interval and light outside; a bar on its edge is split there.
    fn bars(&self, shapes: &mut Vec<Shape>, bins: &Bins, across: [f64; 2], most: f64) {
        let [low, high] = self.interval_ends();
        let (low, high) = (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
        for (index, &number) in bins.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let start = bins.low + bins.width * index as f64;
            let end = start + bins.width;
            let (inner, outer) = (low.clamp(start, end), high.clamp(start, end));
            let last = place(end, across) - 0.6;
            for (from, to, colour) in
                [(start, inner, OUTSIDE), (inner, outer, INSIDE), (outer, end, OUTSIDE)]
            {
                let (x, right) = (place(from, across), place(to, across).min(last));
                if right > x {
                    let y = height(number as f64, most);
                    let (width, tall) = (right - x, BOTTOM - y);
                    shapes.push(Shape::Box { x, y: self.top + y, width, height: tall, colour });
                }
            }
        }
    }

    /// The ends of the interval and the estimate, each with its number above the plot.
    fn marks(&self, shapes: &mut Vec<Shape>, across: [f64; 2]) {
        let interval = self.quantity.interval.as_ref();
        let mut marks = Vec::new();
        if let Some(Interval { low, high, low_mcse, high_mcse, .. }) = interval {
            for (end, error) in [(*low, *low_mcse), (*high, *high_mcse)] {
                marks.push((end, with_error(end, error).0, EDGE));
            }
        }
        let digits = match interval {
            Some(interval) => with_error(self.quantity.estimate, interval.low_mcse).0,
            None => significant(self.quantity.estimate, 5),
        };
        marks.push((self.quantity.estimate, digits, ESTIMATE));
        marks.retain(|(at, _, _)| at.is_finite());
        marks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let widths: Vec<f64> =
            marks.iter().map(|(_, text, _)| self.font.width(text, 12.0) + 10.0).collect();
        let wanted: Vec<f64> = marks.iter().map(|(at, _, _)| place(*at, across)).collect();
        let middles = apart(&wanted, &widths);
        for ((at, text, colour), x) in marks.into_iter().zip(middles) {
            let dashed = colour == EDGE;
            let (top, bottom) = (self.top + TOP - 6.0, self.top + BOTTOM);
            let width = if dashed { 1.2 } else { 2.0 };
            shapes.push(Shape::Rule { x: place(at, across), top, bottom, width, dashed, colour });
            let (y, size, anchor) = (self.top + TOP - 12.0, 12.0, Anchor::Middle);
            shapes.push(Shape::Text { x, y, size, anchor, text, colour });
        }
    }

    /// The line below the bars, its ticks and its name.
    fn axis(&self, shapes: &mut Vec<Shape>, across: [f64; 2]) {
        let y = self.top + BOTTOM;
        shapes.push(Shape::Box { x: LEFT, y, width: RIGHT - LEFT, height: 1.2, colour: INK });
        let all = ticks(across[0], across[1], 8);
        for (tick, text) in all.places.iter().zip(all.labels) {
            let (x, bottom) = (place(*tick, across), y + 6.0);
            let (width, dashed) = (1.2, false);
            shapes.push(Shape::Rule { x, top: y, bottom, width, dashed, colour: INK });
            let (anchor, colour) = (Anchor::Middle, QUIET);
            shapes.push(Shape::Text { x, y: y + 20.0, size: 11.0, anchor, text, colour });
        }
        let (x, anchor, colour) = ((LEFT + RIGHT) / 2.0, Anchor::Middle, INK);
        let text = self.cut(&self.quantity.name, 12.0);
        shapes.push(Shape::Text { x, y: y + 42.0, size: 12.0, anchor, text, colour });
    }
}

/// Where a value lies between the left and right end of the plot.
fn place(value: f64, [low, high]: [f64; 2]) -> f64 {
    LEFT + (value - low) / (high - low) * (RIGHT - LEFT)
}

/// Where a count lies between the bottom and top of the plot.
fn height(value: f64, most: f64) -> f64 {
    BOTTOM - value / most * (BOTTOM - TOP)
}

/// Middles as near to `wanted` (in rising order) as labels of these widths allow within the plot.
fn apart(wanted: &[f64], widths: &[f64]) -> Vec<f64> {
    let mut middles = wanted.to_vec();
    for _ in 0..50 {
        for right in 1..middles.len() {
            let need = (widths[right - 1] + widths[right]) / 2.0;
            let overlap = need - (middles[right] - middles[right - 1]);
            if overlap > 0.0 {
                middles[right - 1] -= overlap / 2.0;
                middles[right] += overlap / 2.0;
            }
        }
        for (middle, width) in middles.iter_mut().zip(widths) {
            *middle = middle.clamp(LEFT - 20.0 + width / 2.0, RIGHT + 20.0 - width / 2.0);
        }
    }
    middles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_apart_and_inside() {
        for wanted in [[300.0, 300.0, 300.0], [LEFT, LEFT + 3.0, LEFT + 4.0], [100.0, 400.0, RIGHT]]
        {
            let middles = apart(&wanted, &[60.0, 50.0, 60.0]);
            assert!(middles[1] - middles[0] >= 54.9 && middles[2] - middles[1] >= 54.9);
            assert!(middles[0] >= LEFT + 10.0 - 0.1 && middles[2] <= RIGHT - 10.0 + 0.1);
        }
    }
}
