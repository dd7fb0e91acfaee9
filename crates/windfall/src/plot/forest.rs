//! Lay out estimates with their intervals: a line each, panels side by side over the same lines.

use super::axis::ticks;
use super::font::Font;
use super::panel::{EDGE, FAINT, INK, QUIET, WIDTH};
use super::scene::{Anchor, COLOURS, Colour, Scene, Shape};

/// Estimates of several things on the same lines.
pub(super) struct Forest {
    pub title: String,
    /// What there is to know, in small letters.
    pub about: String,
    /// The names of the lines, from the top.
    pub lines: Vec<String>,
    /// The names of what shares a line, each with a colour of its own.
    pub series: Vec<String>,
    pub panels: Vec<Panel>,
}

/// One thing that is estimated on each line.
pub(super) struct Panel {
    pub name: String,
    /// A value to compare with.
    pub reference: Option<f64>,
    pub marks: Vec<Mark>,
}

/// An estimate with its interval.
pub(super) struct Mark {
    pub line: usize,
    pub series: usize,
    /// Low end, estimate, high end; a mark without an estimate is not drawn.
    pub at: [f64; 3],
}

/// The left and right edge of the picture.
const SIDE: f64 = 28.0;
/// The most that the names of lines take.
const NAMES_MAX: f64 = 190.0;
const GAP: f64 = 26.0;
const HEAD: f64 = 26.0;
const FOOT: f64 = 46.0;
const LABEL: f64 = 11.0;

impl Forest {
    /// The picture, as high as its lines need.
    pub fn scene(&self, font: &Font) -> Scene {
        let mut shapes = Vec::new();
        for (y, size, text, colour) in
            [(34.0, 17.0, &self.title, INK), (55.0, 12.0, &self.about, QUIET)]
        {
            let text = cut(font, text, size, WIDTH - 2.0 * SIDE);
            shapes.push(Shape::Text { x: SIDE, y, size, anchor: Anchor::Start, text, colour });
        }
        let mut top = 70.0 + self.legend(font, &mut shapes);
        let names = self.lines.iter().map(|name| font.width(name, LABEL)).fold(0.0, f64::max);
        let left = SIDE + names.min(NAMES_MAX) + if names > 0.0 { 14.0 } else { 0.0 };
        let across = match self.panels.len() {
            4 => 2,
            many => many.clamp(1, 3),
        };
        let width = (WIDTH - SIDE - left - GAP * (across - 1) as f64) / across as f64;
        for panels in self.panels.chunks(across) {
            self.names(font, top, &mut shapes);
            for (place, panel) in panels.iter().enumerate() {
                let x = left + place as f64 * (width + GAP);
                self.panel(font, panel, [x, width, top], &mut shapes);
            }
            top += HEAD + self.height() + FOOT;
        }
        Scene { width: WIDTH, height: top, shapes }
    }

    /// The height of one line.
    fn step(&self) -> f64 {
        (9.0 * self.series.len() as f64 + 9.0).max(20.0)
    }

    fn height(&self) -> f64 {
        self.step() * self.lines.len() as f64
    }

    /// The names of the series in their colours; returns the height that they take.
    fn legend(&self, font: &Font, shapes: &mut Vec<Shape>) -> f64 {
        if self.series.len() < 2 {
            return 0.0;
        }
        let (mut x, mut y) = (SIDE, 80.0);
        for (place, name) in self.series.iter().enumerate() {
            let text = cut(font, name, LABEL, WIDTH - 2.0 * SIDE - 14.0);
            let width = 14.0 + font.width(&text, LABEL) + 18.0;
            if x > SIDE && x + width > WIDTH - SIDE {
                (x, y) = (SIDE, y + 16.0);
            }
            shapes.push(square(x + 4.0, y - 4.0, 8.0, of_series(place)));
            let (anchor, size, colour) = (Anchor::Start, LABEL, INK);
            shapes.push(Shape::Text { x: x + 14.0, y, size, anchor, text, colour });
            x += width;
        }
        y - 62.0
    }

    /// The names of the lines, below `top`.
    fn names(&self, font: &Font, top: f64, shapes: &mut Vec<Shape>) {
        for (line, name) in self.lines.iter().enumerate() {
            let y = top + HEAD + (line as f64 + 0.5) * self.step() + 4.0;
            let text = cut(font, name, LABEL, NAMES_MAX);
            let (x, size, anchor, colour) = (SIDE, LABEL, Anchor::Start, INK);
            shapes.push(Shape::Text { x, y, size, anchor, text, colour });
        }
    }

    /// One panel of `width` at `left` and `top`.
    fn panel(
        &self,
        font: &Font,
        panel: &Panel,
        [left, width, top]: [f64; 3],
        shapes: &mut Vec<Shape>,
    ) {
        let text = cut(font, &panel.name, 12.0, width);
        let (anchor, size, colour) = (Anchor::Start, 12.0, INK);
        shapes.push(Shape::Text { x: left, y: top + 16.0, size, anchor, text, colour });
        let [low, high] = panel.range();
        let place = |value: f64| left + (value - low) / (high - low) * width;
        let (top, step) = (top + HEAD, self.step());
        let bottom = top + self.height();
        for line in 0..self.lines.len() {
            let y = top + (line as f64 + 0.5) * step;
            shapes.push(Shape::Box { x: left, y, width, height: 1.0, colour: FAINT });
        }
        if let Some(reference) = panel.reference.filter(|x| (low..=high).contains(x)) {
            let (x, width, dashed) = (place(reference), 1.2, true);
            shapes.push(Shape::Rule { x, top, bottom, width, dashed, colour: QUIET });
        }
        for mark in panel.marks.iter().filter(|mark| mark.at[1].is_finite()) {
            let off = mark.series as f64 - 0.5 * (self.series.len().max(1) - 1) as f64;
            let y = top + (mark.line as f64 + 0.5) * step + 9.0 * off + 0.5;
            let colour = if self.series.len() < 2 { EDGE } else { of_series(mark.series) };
            let [from, at, to] = mark.at.map(place);
            if from.is_finite() && to.is_finite() {
                let points = vec![[from.max(left), y], [to.min(left + width), y]];
                shapes.push(Shape::Line { points, width: 1.6, colour });
            }
            shapes.push(square(at, y, 5.0, colour));
        }
        shapes.push(Shape::Box { x: left, y: bottom, width, height: 1.2, colour: INK });
        let wanted = (width / 75.0) as usize;
        // A range between two round numbers has a tick in it only if steps are finer.
        let mut finer = (1..=4).map(|times| ticks(low, high, wanted * times));
        let all = finer.find(|all| all.places.len() > 1);
        let all = all.unwrap_or_else(|| ticks(low, high, wanted));
        for (tick, text) in all.places.iter().zip(all.labels) {
            let x = place(*tick);
            let (width, dashed, colour) = (1.2, false, INK);
            let end = bottom + 5.0;
            shapes.push(Shape::Rule { x, top: bottom, bottom: end, width, dashed, colour });
            let (y, size, anchor, colour) = (bottom + 18.0, LABEL, Anchor::Middle, QUIET);
            shapes.push(Shape::Text { x, y, size, anchor, text, colour });
        }
    }
}

impl Panel {
    /// The ends of the axis: all intervals, and the reference if it lies near.
    fn range(&self) -> [f64; 2] {
        let drawn = self.marks.iter().filter(|mark| mark.at[1].is_finite());
        let ends = drawn.flat_map(|mark| mark.at).filter(|end| end.is_finite());
        let (mut low, mut high) = ends
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| {
                (low.min(end), high.max(end))
            });
        if low > high {
            return [0.0, 1.0];
        }
        let reach = high - low;
        if let Some(reference) = self.reference
            && (low - reach..=high + reach).contains(&reference)
        {
            (low, high) = (low.min(reference), high.max(reference));
        }
        if low == high {
            let half = if low == 0.0 { 0.5 } else { low.abs() * 0.05 };
            return [low - half, high + half];
        }
        let room = 0.05 * (high - low);
        [low - room, high + room]
    }
}

fn of_series(series: usize) -> Colour {
    COLOURS[series % COLOURS.len()]
}

fn square(x: f64, y: f64, side: f64, colour: Colour) -> Shape {
    Shape::Box { x: x - side / 2.0, y: y - side / 2.0, width: side, height: side, colour }
}

/// `text`, ended by an ellipsis if it is wider than `width`.
pub(super) fn cut(font: &Font, text: &str, size: f64, width: f64) -> String {
    let fits = |text: &str| font.width(text, size) <= width;
    let mut cut = text.to_owned();
    while !fits(&cut) && cut.pop().is_some() {
        if fits(&format!("{cut}…")) {
            return format!("{cut}…");
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(marks: &[[f64; 3]], reference: Option<f64>) -> Panel {
        let marks = marks.iter().enumerate();
        let marks = marks.map(|(line, &at)| Mark { line, series: 0, at }).collect();
        Panel { name: "bias".into(), reference, marks }
    }

    #[test]
    fn a_reference_far_off_does_not_squeeze_the_marks() {
        let marks = [[1.0, 2.0, 3.0], [f64::NAN; 3]];
        let [low, high] = panel(&marks, Some(0.0)).range();
        assert!(low < 0.0 && high > 3.0);
        let [low, high] = panel(&marks, Some(-5.0)).range();
        assert!(low > 0.5 && high < 3.5);
        assert_eq!(panel(&[[f64::NAN; 3]], None).range(), [0.0, 1.0]);
        let [low, high] = panel(&[[7.0; 3]], None).range();
        assert!(low < 7.0 && 7.0 < high);
    }

    #[test]
    fn what_has_no_estimate_keeps_its_line_empty() {
        let forest = |marks| Forest {
            title: "study".into(),
            about: String::new(),
            lines: vec!["a".into(), "b".into()],
            series: Vec::new(),
            panels: vec![panel(marks, Some(0.0))],
        };
        let scene = forest(&[[-1.0, 0.0, 1.0], [0.0, f64::NAN, 1.0]]).scene(&Font::sans());
        assert_eq!(scene.to_svg().matches("fill=\"none\"").count(), 1);
        let scene = forest(&[[-1.0, 0.0, 1.0], [f64::NAN, 0.5, f64::NAN]]).scene(&Font::sans());
        assert_eq!(scene.to_svg().matches("fill=\"none\"").count(), 1);
    }
}
