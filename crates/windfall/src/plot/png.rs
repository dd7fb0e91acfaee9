//! Turn a scene into pixels and those into a PNG file: boxes by coverage, text by an own font.

use super::font::Font;
use super::scene::{Anchor, Colour, DASH, Scene, Shape};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Pixels of the file for one of the scene: sharp on screens of high density.
const SCALE: f64 = 2.0;

/// The scene as a PNG file of 8-bit red, green and blue.
///
/// # Errors
/// None that memory does not cause; the encoder's signature has them.
pub(super) fn encode(scene: &Scene, font: &Font) -> io::Result<Vec<u8>> {
    let mut canvas = Canvas::new((scene.width * SCALE) as usize, (scene.height * SCALE) as usize);
    for shape in &scene.shapes {
        canvas.draw(shape, font);
    }
    canvas.encode()
}

/// Pixels, row by row.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[255; 3]; width * height] }
    }

    fn draw(&mut self, shape: &Shape, font: &Font) {
        match shape {
            Shape::Box { x, y, width, height, colour } => {
                self.fill([*x, x + width], [*y, y + height], *colour);
            }
            Shape::Rule { x, top, bottom, width, dashed, colour } => {
                let across = [x - width / 2.0, x + width / 2.0];
                let (dash, step) = if *dashed { DASH } else { (bottom - top, bottom - top) };
                let mut start = *top;
                while start < *bottom && step > 0.0 {
                    self.fill(across, [start, bottom.min(start + dash)], *colour);
                    start += step;
                }
            }
            Shape::Line { points, width, colour } => self.line(points, *width, *colour),
            Shape::Band { points, colour } => {
                points.windows(2).for_each(|ends| self.band(ends[0], ends[1], *colour));
            }
            Shape::Text { x, y, size, anchor, text, colour } => {
                let start = match anchor {
                    Anchor::Start => *x,
                    Anchor::Middle => x - font.width(text, *size) / 2.0,
                    Anchor::End => x - font.width(text, *size),
                };
                font.draw(text, size * SCALE, [start * SCALE, y * SCALE], |x, y, share| {
                    self.blend(x, y, share, *colour);
                });
            }
        }
    }

    /// Fills the area between two upright edges, pixel column by pixel column.
    fn band(&mut self, from: [f64; 3], to: [f64; 3], colour: Colour) {
        let columns = ((to[0] - from[0]) * SCALE).ceil().max(1.0);
        let along = |share: f64, part: usize| from[part] + share * (to[part] - from[part]);
        for column in 0..columns as usize {
            let (start, end) = (column as f64 / columns, (column as f64 + 1.0) / columns);
            let middle = 0.5 * (start + end);
            let across = [along(start, 0), along(end, 0)];
            self.fill(across, [along(middle, 1), along(middle, 2)], colour);
        }
    }

    /// Fills the box between these edges; a pixel takes the colour by the share that is covered.
    fn fill(&mut self, across: [f64; 2], down: [f64; 2], colour: Colour) {
        let share = |edges: [f64; 2], pixel: usize| {
            let (low, high) = (edges[0] * SCALE, edges[1] * SCALE);
            (high.min(pixel as f64 + 1.0) - low.max(pixel as f64)).clamp(0.0, 1.0)
        };
        let range = |edges: [f64; 2], end: usize| {
            let last = (edges[1] * SCALE).ceil().max(0.0) as usize;
            ((edges[0] * SCALE).floor().max(0.0) as usize)..last.min(end)
        };
        for y in range(down, self.height) {
            for x in range(across, self.width) {
                let covered = share(across, x) * share(down, y);
                self.blend(x as i64, y as i64, covered, colour);
            }
        }
    }

    /// Draws a line through points: a pixel takes the colour once, by its distance from the line.
    fn line(&mut self, points: &[[f64; 2]], width: f64, colour: Colour) {
        let reach = 0.5 * (width * SCALE + 1.0);
        let mut covered: BTreeMap<(i64, i64), f64> = BTreeMap::new();
        for pair in points.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|point| point.map(|at| at * SCALE));
            let along = [b[0] - a[0], b[1] - a[1]];
            let length = along[0] * along[0] + along[1] * along[1];
            let range = |axis: usize| {
                let (low, high) = (a[axis].min(b[axis]) - reach, a[axis].max(b[axis]) + reach);
                (low.floor().max(0.0) as i64)..=(high.ceil() as i64)
            };
            for y in range(1) {
                for x in range(0) {
                    let off = [x as f64 + 0.5 - a[0], y as f64 + 0.5 - a[1]];
                    let share = (off[0] * along[0] + off[1] * along[1]) / length.max(1e-12);
                    let share = share.clamp(0.0, 1.0);
                    let gap = [off[0] - share * along[0], off[1] - share * along[1]];
                    let cover = (reach - gap[0].hypot(gap[1])).clamp(0.0, 1.0);
                    if cover > 0.0 {
                        let most = covered.entry((y, x)).or_insert(0.0);
                        *most = most.max(cover);
                    }
                }
            }
        }
        for ((y, x), cover) in covered {
            self.blend(x, y, cover, colour);
        }
    }

    fn blend(&mut self, x: i64, y: i64, share: f64, colour: Colour) {
        if (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y) {
            let pixel = &mut self.pixels[y as usize * self.width + x as usize];
            for (below, above) in pixel.iter_mut().zip(colour) {
                let mixed = f64::from(*below) * (1.0 - share) + f64::from(above) * share;
                *below = mixed.round() as u8;
            }
        }
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        for row in self.pixels.chunks(self.width) {
            packed.write_all(&[0])?;
            packed.write_all(row.as_flattened())?;
        }
        let mut header = Vec::new();
        header.extend((self.width as u32).to_be_bytes());
        header.extend((self.height as u32).to_be_bytes());
        // 8 bits a channel, red-green-blue, deflate, filters by row, not interlaced.
        header.extend([8, 2, 0, 0, 0]);
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [(b"IHDR", header), (b"IDAT", packed.finish()?), (b"IEND", vec![])] {
            file.extend((data.len() as u32).to_be_bytes());
            let start = file.len();
            file.extend(kind);
            file.extend(data);
            let mut crc = Crc::new();
            crc.update(&file[start..]);
            file.extend(crc.sum().to_be_bytes());
        }
        Ok(file)
    }
}
