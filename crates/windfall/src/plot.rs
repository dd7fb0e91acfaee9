//! Draw an answer as SVG or PNG: the first drawer of [`DRAWERS`] that serves it does it.
//!
//! Both formats come from one list of shapes. The font for PNG lies in the program, so that a
//! picture looks the same on a machine without fonts.

mod axis;
mod chains;
mod curve;
mod fits;
mod font;
mod forest;
mod mixture;
mod null;
mod panel;
mod png;
mod scene;
mod study;
mod tidy;

use crate::files::{extension, replace};
use font::Font;
use scene::Scene;
use std::io::Write;
use std::path::Path;
use windfall_core::{Answer, Error, ErrorKind, Result};

/// One way to draw an answer.
struct Drawer {
    /// Whether the answer holds what this one draws.
    serves: fn(&Answer) -> bool,
    draw: fn(&Answer, &Font) -> Scene,
}

/// The ways to draw an answer, the most particular first.
static DRAWERS: &[Drawer] = &[
    study::DRAWER,
    fits::DRAWER,
    mixture::DRAWER,
    chains::DRAWER,
    null::DRAWER,
    panel::DRAWER,
    curve::DRAWER,
];

/// Draws `answer` into the file at `path`: SVG or PNG by its ending. The file appears whole or not
/// at all.
///
/// A distribution is drawn as a histogram a quantity, with estimate and interval; the draws of
/// several chains as densities, traces and ranks; powers along a table as a curve with its band; a
/// mixture as densities or ellipses over its rows; a simulation study as its measures with their
/// Monte Carlo errors, fits as coefficients with their intervals, a line a condition or group.
///
/// # Errors
/// [`ErrorKind::Invalid`] for another ending, [`ErrorKind::TooFew`] if the answer keeps nothing
/// that can be drawn, [`ErrorKind::Io`] if the file cannot be written.
pub fn plot(path: &Path, answer: &Answer) -> Result<()> {
    let format = format_of(path)?;
    let Some(drawer) = DRAWERS.iter().find(|drawer| (drawer.serves)(answer)) else {
        let what = "distributions or curves to draw".into();
        let error = ErrorKind::TooFew { what, got: 0, need: 1 };
        let hint = "set `distribution = true` in the job; a curve has at least two points";
        return Err(Error::new(error).hint(hint));
    };
    let font = Font::sans();
    let scene = (drawer.draw)(answer, &font);
    replace(path, |file| match format {
        Format::Svg => file.write_all(scene.to_svg().as_bytes()),
        Format::Png => file.write_all(&png::encode(&scene, &font)?),
    })
}

/// Checks that [`plot`] knows what to do with `path`, before any work is spent.
///
/// # Errors
/// As [`plot`] for an unknown ending.
pub fn check_ending(path: &Path) -> Result<()> {
    format_of(path).map(|_| ())
}

#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
}

fn format_of(path: &Path) -> Result<Format> {
    match extension(path).as_str() {
        "svg" => Ok(Format::Svg),
        "png" => Ok(Format::Png),
        _ => Err(Error::invalid("plot", path.display(), "a file that ends in .svg or .png")),
    }
}

#[cfg(test)]
mod tests {
    use super::panel::{HEIGHT, WIDTH};
    use super::*;
    use windfall_core::{Draws, Interval, Quantity, Seed};

    /// An answer whose distribution is a triangle around 3.
    fn answer(name: &str) -> Answer {
        let interval = Interval {
            low: 2.25,
            high: 3.75,
            level: 0.95,
            method: "percentile".into(),
            low_mcse: 0.01,
            high_mcse: 0.01,
        };
        let quantity = Quantity {
            name: name.into(),
            estimate: 3.0,
            mcse: 0.01,
            standard_error: Some(0.4),
            bias: None,
            interval: Some(interval),
        };
        let values: Vec<f64> =
            (0..2000).map(|i| 2.0 + f64::from(i % 50) / 50.0 + f64::from(i / 40) / 50.0).collect();
        let draws = Draws { name: "resamples", count: 2000 };
        Answer {
            quantities: vec![quantity],
            distribution: vec![values],
            ..Answer::new("bootstrap", "percentile", draws, Seed::from(1u64))
        }
    }

    fn drawn(name: &str, answer: &Answer) -> Vec<u8> {
        let path = std::env::temp_dir().join(format!("windfall-{}-{name}", std::process::id()));
        plot(&path, answer).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        bytes
    }

    #[test]
    fn an_svg_names_what_it_shows_and_escapes_it() {
        let svg = String::from_utf8(drawn("a.svg", &answer("mean(a) < mean(b)"))).unwrap();
        for part in ["mean(a) &lt; mean(b)", ">2.250<", ">3.750<", ">3.000<", "95 %"] {
            assert!(svg.contains(part), "{part} is missing in {svg}");
        }
    }

    #[test]
    fn a_png_has_the_size_it_says_and_ink_in_it() {
        let png = drawn("a.png", &answer("mean(x)"));
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((side(16), side(20)), (2 * WIDTH as u32, 2 * HEIGHT as u32));
        let mut length = [0; 4];
        length.copy_from_slice(&png[33..37]);
        let packed = &png[41..41 + u32::from_be_bytes(length) as usize];
        let mut pixels = Vec::new();
        let mut reader = flate2::read::ZlibDecoder::new(packed);
        std::io::Read::read_to_end(&mut reader, &mut pixels).unwrap();
        assert_eq!(pixels.len(), (1 + 3 * side(16) as usize) * side(20) as usize);
        let dark = pixels.iter().filter(|&&byte| (1..100).contains(&byte)).count();
        assert!(dark > 2000, "only {dark} dark bytes");
    }

    /// Two chains of a hundred draws: one drifts.
    fn chains() -> Answer {
        let number = |row: u32, of: u32| f64::from(row % of);
        let column = |value: &dyn Fn(u32) -> f64| (0..200).map(value).collect::<Vec<f64>>();
        let index = windfall_core::Table::from_numbers([
            ("chain", column(&|row| f64::from(row / 100))),
            ("draw", column(&|row| number(row, 100))),
        ]);
        let draws = column(&|row| number(37 * row, 101) + if row < 100 { 0.0 } else { 30.0 });
        Answer { distribution: vec![draws], index: Some(index.unwrap()), ..answer("tau") }
    }

    #[test]
    fn chains_are_drawn_as_density_trace_and_ranks() {
        let svg = String::from_utf8(drawn("chains.svg", &chains())).unwrap();
        // Two chains, three panels.
        assert_eq!(svg.matches("fill=\"none\"").count(), 6, "{svg}");
        for part in ["tau", "density", "draw", "rank", "chain 1"] {
            assert!(svg.contains(part), "{part} is missing in {svg}");
        }
        let png = drawn("chains.png", &chains());
        assert!(png.len() > 5000, "{} bytes", png.len());
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut answer = answer("x");
        let message = plot(Path::new("x.pdf"), &answer).unwrap_err().to_string();
        assert!(message.contains("`x.pdf`"), "{message}");
        answer.distribution.clear();
        assert!(plot(Path::new("x.svg"), &answer).is_err());
        for values in [vec![f64::NAN; 3], vec![], vec![7.0; 5], vec![1.0, f64::INFINITY]] {
            answer.distribution = vec![values];
            assert!(drawn("odd.svg", &answer).ends_with(b"</svg>\n"));
        }
    }
}
