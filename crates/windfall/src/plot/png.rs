//! Turn a scene into pixels and those into a PNG file: boxes by coverage, text by an own font.

use super::font::Font;
use super::scene::{Anchor, Colour, DASH, Scene, Shape};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
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
