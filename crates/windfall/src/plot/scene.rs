//! A picture as a list of boxes, rules, lines and texts; written as SVG here, as PNG by `png.rs`.

use std::fmt::Write;

/// A colour as red, green and blue.
pub(super) type Colour = [u8; 3];

/// Colours that people with any sight can tell apart (Okabe and Ito).
pub(super) const COLOURS: [Colour; 7] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
    [230, 159, 0],
    [90, 90, 90],
];

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One thing to draw. Lengths are in pixels of the SVG, `y` downwards.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A filled box.
    Box { x: f64, y: f64, width: f64, height: f64, colour: Colour },
    /// An upright line; dashes are 5 long and 4 apart.
    Rule { x: f64, top: f64, bottom: f64, width: f64, dashed: bool, colour: Colour },
    /// A line through points, its corners round.
    Line { points: Vec<[f64; 2]>, width: f64, colour: Colour },
    /// The area between two lines over the same points: x, upper y, lower y each.
    Band { points: Vec<[f64; 3]>, colour: Colour },
    /// A line of text, its baseline at `y`.
    Text { x: f64, y: f64, size: f64, anchor: Anchor, text: String, colour: Colour },
}

/// The length of a dash and of a dash with the gap behind it.
pub(super) const DASH: (f64, f64) = (5.0, 9.0);

/// A picture, drawn in the order of its shapes on white.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
}

impl Scene {
    /// The picture as an SVG document.
    pub(super) fn to_svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans, Verdana, Helvetica, \
             Arial, sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        );
        for shape in &self.shapes {
            // Writing to a String cannot fail.
            let _ = match shape {
                Shape::Box { x, y, width, height, colour } => writeln!(
                    svg,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
                    short(*x),
                    short(*y),
                    short(*width),
                    short(*height),
                    hex(*colour)
                ),
                Shape::Rule { x, top, bottom, width, dashed, colour } => writeln!(
                    svg,
                    "<path d=\"M{0} {1}V{2}\" stroke=\"{3}\" stroke-width=\"{width}\"{4}/>",
                    short(*x),
                    short(*top),
                    short(*bottom),
                    hex(*colour),
                    if *dashed { " stroke-dasharray=\"5 4\"" } else { "" }
                ),
                Shape::Line { points, width, colour } => writeln!(
                    svg,
                    "<path d=\"{}\" transform=\"scale(.1)\" fill=\"none\" stroke=\"{}\" \
                     stroke-width=\"{}\" stroke-linejoin=\"round\"/>",
                    steps(points),
                    hex(*colour),
                    short(10.0 * width)
                ),
                Shape::Band { points, colour } => {
                    let upper = points.iter().map(|[x, y, _]| (x, y));
                    let corners = upper.chain(points.iter().rev().map(|[x, _, y]| (x, y)));
                    let path: Vec<String> =
                        corners.map(|(x, y)| format!("{} {}", short(*x), short(*y))).collect();
                    let (path, colour) = (path.join("L"), hex(*colour));
                    writeln!(svg, "<path d=\"M{path}Z\" fill=\"{colour}\"/>")
                }
                Shape::Text { x, y, size, anchor, text, colour } => writeln!(
                    svg,
                    "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" text-anchor=\"{}\" \
                     fill=\"{}\">{}</text>",
                    short(*x),
                    short(*y),
                    match anchor {
                        Anchor::Start => "start",
                        Anchor::Middle => "middle",
                        Anchor::End => "end",
                    },
                    hex(*colour),
                    escaped(text)
                ),
            };
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A length to a hundredth of a pixel.
fn short(length: f64) -> String {
    let text = format!("{length:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A path through points in tenths of a pixel, each told by the step from the one before: a line of
/// many points takes half the room.
fn steps(points: &[[f64; 2]]) -> String {
    let (mut path, mut from) = ("M".to_owned(), [0, 0]);
    for (place, point) in points.iter().enumerate() {
        let to = point.map(|length| (10.0 * length).round() as i64);
        if place == 1 {
            path.push('l');
        }
        for (axis, step) in [to[0] - from[0], to[1] - from[1]].into_iter().enumerate() {
            // A sign parts two numbers as well as a space does.
            if step >= 0 && (axis == 1 || place > 1) {
                path.push(' ');
            }
            path.push_str(&step.to_string());
        }
        from = to;
    }
    path
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_steps_in_tenths() {
        let points = [[1.0, 2.04], [3.5, -1.0], [3.5, 0.0], [2.0, 7.0]];
        assert_eq!(steps(&points), "M10 20l25-30 0 10-15 70");
        assert_eq!(steps(&points[..1]), "M10 20");
    }
}
