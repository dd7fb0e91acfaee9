//! The font that lies in the program: widths for layout, outlines for PNG.

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont, point};

/// A subset of DejaVu Sans; its licence lies beside it.
static SANS: &[u8] = include_bytes!("sans.ttf");

/// A font, read.
pub(super) struct Font(FontRef<'static>);

impl Font {
    /// The font in the program.
    pub(super) fn sans() -> Self {
        Self(FontRef::try_from_slice(SANS).expect("the font in the program is whole"))
    }

    /// What `ab_glyph` calls the scale of a font of `size` pixels to the em.
    fn scale(&self, size: f64) -> PxScale {
        let em = self.0.units_per_em().unwrap_or(1000.0);
        PxScale::from(size as f32 * self.0.height_unscaled() / em)
    }

    /// The width of `text` at `size` pixels to the em.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        let scaled = self.0.as_scaled(self.scale(size));
        text.chars().map(|letter| f64::from(scaled.h_advance(self.0.glyph_id(letter)))).sum()
    }

    /// Calls `paint` with each pixel that `text` covers and the share it covers of it.
    pub(super) fn draw(
        &self,
        text: &str,
        size: f64,
        [mut x, y]: [f64; 2],
        mut paint: impl FnMut(i64, i64, f64),
    ) {
        let scale = self.scale(size);
        let scaled = self.0.as_scaled(scale);
        for letter in text.chars() {
            let id = self.0.glyph_id(letter);
            let glyph = Glyph { id, scale, position: point(x as f32, y as f32) };
            if let Some(outline) = self.0.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|right, down, share| {
                    let (left, top) = (corner.x as i64, corner.y as i64);
                    paint(left + i64::from(right), top + i64::from(down), f64::from(share));
                });
            }
            x += f64::from(scaled.h_advance(id));
        }
    }
}
