//! Lay out a curve: one line over the rows of a table, with the band of its Monte Carlo interval.

use super::Drawer;
use super::axis::ticks;
use super::panel::{BOTTOM, EDGE, ESTIMATE, FAINT, HEIGHT, INK, INSIDE, LEFT, OUTSIDE};
use super::panel::{QUIET, RIGHT, TOP, WIDTH};
use super::scene::{Anchor, Scene, Shape};
use crate::readable::{count, significant};
use windfall_core::Answer;

/// The column `power` with its ends `low` and `high` over the column that varies, `n` or `effect`;
/// one line for each value of the other.
pub(super) const DRAWER: Drawer = Drawer {
    serves: |answer| lines(answer).iter().any(|line| line.points.len() > 1),
    draw: |answer, _| {
        let curve = Curve { answer, lines: lines(answer) };
        Scene { width: WIDTH, height: HEIGHT, shapes: curve.shapes() }
    },
};

/// Points of one line: x, low, middle, high.
struct Line {
    over: &'static str,
    label: String,
    points: Vec<[f64; 4]>,
}

/// The lines of an answer's table; none if it has no powers.
fn lines(answer: &Answer) -> Vec<Line> {
    let Some(table) = &answer.table else { return Vec::new() };
    let column = |name| table.numbers(name).unwrap_or(&[]);
    let [n, effects, power, low, high] = ["n", "effect", "power", "low", "high"].map(column);
    let varies = |values: &[f64]| values.windows(2).any(|pair| pair[0] != pair[1]);
    let over = if varies(n) || effects.is_empty() { "n" } else { "effect" };
    let mut lines: Vec<Line> = Vec::new();
    for (row, (((&n, &power), &low), &high)) in n.iter().zip(power).zip(low).zip(high).enumerate() {
        let effect = effects.get(row).copied().unwrap_or(f64::NAN);
        let several = over == "n" && varies(effects);
        let label = if several { format!("effect {effect}") } else { String::new() };
        let point = [if over == "n" { n } else { effect }, low, power, high];
        match lines.iter_mut().find(|line| line.label == label) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { over, label, points: vec![point] }),
        }
    }
    lines.iter_mut().for_each(|line| line.points.sort_by(|a, b| a[0].total_cmp(&b[0])));
    lines
}

struct Curve<'a> {
    answer: &'a Answer,
    lines: Vec<Line>,
}

impl Curve<'_> {
    /// All that is to be drawn, from the back to the front.
    fn shapes(&self) -> Vec<Shape> {
        let all = self.lines.iter().flat_map(|line| &line.points).map(|point| point[0]);
        let (low, high) = all
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let room = 0.02 * (high - low);
        let across = [low - room, high + room];
        let mut shapes = Vec::new();
        self.title(&mut shapes);
        scale(&mut shapes);
        for line in &self.lines {
            let at = |point: &[f64; 4], from: f64, to: f64| {
                [place(point[0], across), height(from), height(to)]
            };
            let band = line.points.iter().map(|point| at(point, point[3], point[1])).collect();
            shapes.push(Shape::Band { points: band, colour: OUTSIDE });
        }
        for line in &self.lines {
            let points: Vec<[f64; 2]> = line
                .points
                .iter()
                .map(|point| [place(point[0], across), height(point[2])])
                .collect();
            shapes.push(Shape::Line { points: points.clone(), width: 2.2, colour: INSIDE });
            for [x, y] in &points {
                let (side, colour) = (5.0, EDGE);
                let (x, y) = (x - side / 2.0, y - side / 2.0);
                shapes.push(Shape::Box { x, y, width: side, height: side, colour });
            }
            if let Some([x, y]) = points.last().filter(|_| !line.label.is_empty()) {
                let (x, y, anchor) = (*x, y - 8.0, Anchor::End);
                let text = line.label.clone();
                shapes.push(Shape::Text { x, y, size: 11.0, anchor, text, colour: EDGE });
            }
        }
        self.answer_mark(&mut shapes, across);
        self.axis(&mut shapes, across);
        shapes
    }

    /// The sample size that was found, where that is the answer.
    fn answer_mark(&self, shapes: &mut Vec<Shape>, across: [f64; 2]) {
        let Some(size) = self.answer.quantities.first().filter(|one| one.name == "n") else {
            return;
        };
        let (x, colour) = (place(size.estimate, across), ESTIMATE);
        let (top, bottom, width, dashed) = (TOP - 6.0, BOTTOM, 1.2, true);
        shapes.push(Shape::Rule { x, top, bottom, width, dashed, colour });
        let (text, anchor) = (format!("n = {}", size.estimate), Anchor::Middle);
        shapes.push(Shape::Text { x, y: TOP - 12.0, size: 12.0, anchor, text, colour });
    }

    fn title(&self, shapes: &mut Vec<Shape>) {
        let Answer { problem, method, draws, seed, quantities, .. } = self.answer;
        let mut parts = vec![format!("{} {}", count(draws.count), draws.name)];
        if let Some(interval) = quantities.first().and_then(|one| one.interval.as_ref()) {
            let level = significant(100.0 * interval.level, 3);
            let level = level.trim_end_matches('0').trim_end_matches('.');
            parts.push(format!("band: {level} % Monte Carlo interval"));
        }
        parts.push(format!("seed {seed}"));
        let name = format!("{}: {method}", problem.replace('_', " "));
        for (y, size, text, colour) in
            [(34.0, 17.0, name, INK), (55.0, 12.0, parts.join(" · "), QUIET)]
        {
            shapes.push(Shape::Text { x: LEFT, y, size, anchor: Anchor::Start, text, colour });
        }
    }

    /// The line below the curve, its ticks and its name.
    fn axis(&self, shapes: &mut Vec<Shape>, across: [f64; 2]) {
        let (y, width) = (BOTTOM, RIGHT - LEFT);
        shapes.push(Shape::Box { x: LEFT, y, width, height: 1.2, colour: INK });
        let all = ticks(across[0], across[1], 8);
        for (tick, text) in all.places.iter().zip(all.labels) {
            let (x, bottom) = (place(*tick, across), y + 6.0);
            let (width, dashed) = (1.2, false);
            shapes.push(Shape::Rule { x, top: y, bottom, width, dashed, colour: INK });
            let (anchor, colour) = (Anchor::Middle, QUIET);
            shapes.push(Shape::Text { x, y: y + 20.0, size: 11.0, anchor, text, colour });
        }
        let over = self.lines.first().map_or("n", |line| line.over);
        let text = if over == "n" { "sample size n" } else { over }.to_owned();
        let (x, anchor) = ((LEFT + RIGHT) / 2.0, Anchor::Middle);
        shapes.push(Shape::Text { x, y: y + 42.0, size: 12.0, anchor, text, colour: INK });
    }
}

/// Lines at power 0, 0.2, …, 1, with their labels.
fn scale(shapes: &mut Vec<Shape>) {
    for fifth in 0..=5 {
        let power = f64::from(fifth) / 5.0;
        let (y, width) = (height(power), RIGHT - LEFT);
        if fifth > 0 {
            shapes.push(Shape::Box { x: LEFT, y: y - 0.5, width, height: 1.0, colour: FAINT });
        }
        let (x, anchor, text) = (LEFT - 8.0, Anchor::End, format!("{power:.1}"));
        shapes.push(Shape::Text { x, y: y + 4.0, size: 11.0, anchor, text, colour: QUIET });
    }
    let (x, y, anchor) = (LEFT, TOP - 12.0, Anchor::Start);
    shapes.push(Shape::Text { x, y, size: 12.0, anchor, text: "power".into(), colour: INK });
}

/// Where a value lies between the left and right end of the plot.
fn place(value: f64, [low, high]: [f64; 2]) -> f64 {
    LEFT + (value - low) / (high - low) * (RIGHT - LEFT)
}

/// Where a power lies between the bottom and top of the plot.
fn height(power: f64) -> f64 {
    BOTTOM - power * (BOTTOM - TOP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_core::{Draws, Seed, Table};

    fn answer(n: &[f64], effect: Option<&[f64]>) -> Answer {
        let power: Vec<f64> = n.iter().map(|n| 1.0 - 1.0 / n).collect();
        let mut columns = vec![("n", n.to_vec())];
        columns.extend(effect.map(|effect| ("effect", effect.to_vec())));
        columns.extend([
            ("power", power.clone()),
            ("low", power.iter().map(|p| p - 0.01).collect()),
            ("high", power.iter().map(|p| p + 0.01).collect()),
        ]);
        let draws = Draws { name: "simulations", count: 1000 };
        Answer {
            table: Some(Table::from_numbers(columns).unwrap()),
            ..Answer::new("power", "t-test", draws, Seed::from(1u64))
        }
    }

    #[test]
    fn a_curve_runs_over_what_varies() {
        let over = |answer: &Answer| {
            let lines = lines(answer);
            (lines.len(), lines[0].over, lines.iter().map(|line| line.points.len()).sum::<usize>())
        };
        assert_eq!(over(&answer(&[10., 20., 30.], None)), (1, "n", 3));
        assert_eq!(over(&answer(&[9., 9.], Some(&[0.2, 0.5]))), (1, "effect", 2));
        let both = answer(&[9., 18., 9., 18.], Some(&[0.2, 0.2, 0.5, 0.5]));
        assert_eq!(over(&both), (2, "n", 4));
        let scene = (DRAWER.draw)(&both, &crate::plot::Font::sans());
        let bands = scene.shapes.iter().filter(|shape| matches!(shape, Shape::Band { .. }));
        assert_eq!(bands.count(), 2);
        assert!(scene.to_svg().contains("effect 0.5"));
    }

    #[test]
    fn a_single_point_is_no_curve() {
        assert!((DRAWER.serves)(&answer(&[10., 20.], None)));
        assert!(!(DRAWER.serves)(&answer(&[10.], None)));
        assert!(!(DRAWER.serves)(&Answer { table: None, ..answer(&[10., 20.], None) }));
    }
}
