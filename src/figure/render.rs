//! A scene as SVG and as PNG, through the drawing library's backends.
//!
//! The backends count whole pixels, so a scene is drawn much larger than its size: ten times for SVG, whose `viewBox` scales
//! it back, and four times for PNG, where blocks of 2 x 2 pixels are then averaged to an image at twice its size.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, RGBAColor, RGBColor, ShapeStyle, TextStyle};

use super::font::{BITMAP_SIZE_PER_EM, font};
use super::scene::{Anchor, Mark, Place, Scene, Text};
use super::theme::{Color, PAPER};

/// What differs between the backends.
struct Target {
    /// Pixels for one unit of the scene.
    scale: f64,
    /// The backend's font size for one unit of em.
    size_per_em: f64,
    /// How far below the given position the backend puts the baseline of text anchored at its top, in em.
    baseline: f64,
}

const SVG: Target = Target { scale: 10.0, size_per_em: 1.24, baseline: 0.76 };
const PNG: Target = Target { scale: 4.0, size_per_em: BITMAP_SIZE_PER_EM, baseline: 0.5 * BITMAP_SIZE_PER_EM };
const PNG_OVERSAMPLING: usize = 2;

/// The scene as an SVG document that states `title`.
pub(super) fn svg(scene: &Scene, title: &str) -> Result<String, String> {
    let mut document = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut document, SVG.pixels(scene));
        SVG.draw(scene, &mut backend)?;
        backend.present().map_err(|e| e.to_string())?;
    }
    let (_, body) = document.split_once('>').ok_or("the backend wrote no opening tag")?;
    let (width, height) = SVG.pixels(scene);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{title}</title>{body}",
        scene.width, scene.height
    ))
}

/// The scene as a PNG image.
pub(super) fn png(scene: &Scene) -> Result<Vec<u8>, String> {
    let (width, height) = PNG.pixels(scene);
    let mut large = vec![0; width as usize * height as usize * 3];
    {
        let mut backend = BitMapBackend::with_buffer(&mut large, (width, height));
        PNG.draw(scene, &mut backend)?;
        backend.present().map_err(|e| e.to_string())?;
    }
    let small = average(&large, width as usize, PNG_OVERSAMPLING);
    let (width, height) = (width / PNG_OVERSAMPLING as u32, height / PNG_OVERSAMPLING as u32);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    writer.write_image_data(&small).and_then(|()| writer.finish()).map_err(|e| e.to_string())?;
    Ok(file)
}

/// Averages blocks of `n` x `n` pixels of an RGB image whose sides `n` divides.
fn average(pixels: &[u8], width: usize, n: usize) -> Vec<u8> {
    let stride = 3 * width;
    let mut averaged = Vec::with_capacity(pixels.len() / (n * n));
    for block_row in pixels.chunks_exact(n * stride) {
        for left in (0..stride).step_by(3 * n) {
            for channel in 0..3 {
                let sum: usize =
                    (0..n * n).map(|k| usize::from(block_row[(k / n) * stride + left + 3 * (k % n) + channel])).sum();
                averaged.push(((sum + n * n / 2) / (n * n)) as u8);
            }
        }
    }
    averaged
}

impl Target {
    fn pixels(&self, scene: &Scene) -> (u32, u32) {
        // The scene's size is rounded first, so that every scale gives a whole multiple of it.
        ((scene.width.ceil() * self.scale) as u32, (scene.height.ceil() * self.scale) as u32)
    }

    fn draw<B: DrawingBackend>(&self, scene: &Scene, to: &mut B) -> Result<(), String> {
        let (width, height) = to.get_size();
        let sheet = [(0, 0), (width as i32, 0), (width as i32, height as i32), (0, height as i32)];
        to.fill_polygon(sheet, &fill(PAPER, 1.0)).map_err(|e| e.to_string())?;
        for mark in &scene.marks {
            let drawn = match mark {
                Mark::Path { points, color, width } => {
                    let stroke_width = (width * self.scale).round().max(1.0) as u32;
                    let style = ShapeStyle { color: rgb(*color).into(), filled: false, stroke_width };
                    to.draw_path(self.places(points), &style)
                }
                Mark::Area { points, color, opacity } => to.fill_polygon(self.places(points), &fill(*color, *opacity)),
                Mark::Disc { centre, radius, color, opacity } => {
                    let radius = (radius * self.scale).round() as u32;
                    to.draw_circle(self.place(*centre), radius, &fill(*color, *opacity), true)
                }
                Mark::Text(text) => {
                    let (style, at) = self.text(text);
                    to.draw_text(&text.text, &style, at)
                }
            };
            drawn.map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// A text's style, and where the backend must be told to put its top.
    fn text(&self, text: &Text) -> (TextStyle<'static>, (i32, i32)) {
        let anchor = match text.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let rise = self.baseline * text.size;
        let (transform, at) = if text.upwards {
            (FontTransform::Rotate270, (text.at.0 - rise, text.at.1))
        } else {
            (FontTransform::None, (text.at.0, text.at.1 - rise))
        };
        let font = font(text.size * self.size_per_em * self.scale).transform(transform);
        (font.color(&rgb(text.color)).pos(Pos::new(anchor, VPos::Top)), self.place(at))
    }

    fn place(&self, (x, y): Place) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    fn places(&self, points: &[Place]) -> Vec<(i32, i32)> {
        points.iter().map(|&p| self.place(p)).collect()
    }
}

fn rgb(Color(r, g, b): Color) -> RGBColor {
    RGBColor(r, g, b)
}

fn fill(Color(r, g, b): Color, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: RGBAColor(r, g, b, opacity), filled: true, stroke_width: 1 }
}
