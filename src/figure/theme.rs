//! Colours, markers, dashes and sizes: one look for all figures.
//!
//! Colours are those of Okabe and Ito, Color Universal Design (2008), which readers with a colour vision deficiency can tell
//! apart; a marker and a dash style go with each, so that a print in grey can be read. The network, the NTK and the NNGP have
//! the same colour wherever they appear. Ordered things (depths, bands of eigenvectors) take shades of viridis.

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Color(pub(super) u8, pub(super) u8, pub(super) u8);

pub(super) const INK: Color = Color(0x22, 0x22, 0x22);
pub(super) const AXIS: Color = Color(0x66, 0x66, 0x66);
pub(super) const GRID: Color = Color(0xe6, 0xe6, 0xe6);
pub(super) const PAPER: Color = Color(0xff, 0xff, 0xff);

pub(super) const BLACK: Color = Color(0x00, 0x00, 0x00);
pub(super) const GREY: Color = Color(0x77, 0x77, 0x77);
pub(super) const BLUE: Color = Color(0x00, 0x72, 0xb2);
pub(super) const ORANGE: Color = Color(0xe6, 0x9f, 0x00);
pub(super) const SKY: Color = Color(0x56, 0xb4, 0xe9);
pub(super) const PURPLE: Color = Color(0xcc, 0x79, 0xa7);

pub(super) const NETWORK: Color = BLUE;
pub(super) const NTK: Color = Color(0xd5, 0x5e, 0x00);
pub(super) const NNGP: Color = Color(0x00, 0x9e, 0x73);
pub(super) const DIVERGED: Color = Color(0xb0, 0x00, 0x20);

/// Text sizes, in units of 1/96 inch to the em: 11 is 8 points at the figure's own size.
pub(super) const LABEL: f64 = 11.0;
pub(super) const TICK: f64 = 10.0;
pub(super) const NOTE: f64 = 9.0;

/// Radius of a marker on a line.
pub(super) const MARKER: f64 = 3.0;
/// Opacity of a confidence band.
pub(super) const BAND: f64 = 0.16;

/// How a line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dash {
    Solid,
    Dashed,
    Dotted,
    /// Dash, dot, dash, dot.
    Chain,
    Long,
}

impl Dash {
    /// Lengths on, off, on, off, ...; empty for a solid line.
    pub(super) fn pattern(self) -> &'static [f64] {
        match self {
            Self::Solid => &[],
            Self::Dashed => &[5.0, 3.0],
            Self::Dotted => &[1.4, 2.2],
            Self::Chain => &[6.0, 2.2, 1.4, 2.2],
            Self::Long => &[9.0, 3.5],
        }
    }
}

/// A line's look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub(super) color: Color,
    pub(super) width: f64,
    pub(super) dash: Dash,
}

impl Stroke {
    pub(super) const fn new(color: Color, width: f64, dash: Dash) -> Self {
        Self { color, width, dash }
    }
}

/// The expected rate, drawn to compare slopes with.
pub(super) const GUIDE: Stroke = Stroke::new(Color(0x99, 0x99, 0x99), 1.2, Dash::Dotted);
/// A threshold or an identity.
pub(super) const REFERENCE: Stroke = Stroke::new(INK, 0.9, Dash::Long);

/// The shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Left,
    Plus,
}

impl Marker {
    /// Corners for unit radius, sized to look as large as the circle; none for the circle.
    pub(super) fn corners(self) -> &'static [(f64, f64)] {
        match self {
            Self::Circle => &[],
            Self::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Self::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            Self::Up => &[(0.0, -1.3), (1.2, 0.85), (-1.2, 0.85)],
            Self::Down => &[(0.0, 1.3), (1.2, -0.85), (-1.2, -0.85)],
            Self::Left => &[(-1.3, 0.0), (0.85, -1.2), (0.85, 1.2)],
            Self::Plus => &[
                (-0.4, -1.3),
                (0.4, -1.3),
                (0.4, -0.4),
                (1.3, -0.4),
                (1.3, 0.4),
                (0.4, 0.4),
                (0.4, 1.3),
                (-0.4, 1.3),
                (-0.4, 0.4),
                (-1.3, 0.4),
                (-1.3, -0.4),
                (-0.4, -0.4),
            ],
        }
    }
}

/// What a series of measurements looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) color: Color,
    pub(super) dash: Dash,
    pub(super) marker: Marker,
}

impl Look {
    pub(super) const fn new(color: Color, dash: Dash, marker: Marker) -> Self {
        Self { color, dash, marker }
    }

    /// The look of thing `i` of `n` ordered things.
    pub(super) fn ordered(i: usize, n: usize) -> Self {
        const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Chain, Dash::Dotted];
        const MARKERS: [Marker; 5] = [Marker::Circle, Marker::Square, Marker::Up, Marker::Diamond, Marker::Down];
        let position = if n > 1 { i as f64 / (n - 1) as f64 } else { 0.0 };
        Self { color: viridis(0.05 + 0.75 * position), dash: DASHES[i % 4], marker: MARKERS[i % 5] }
    }

    pub(super) fn stroke(self) -> Stroke {
        Stroke::new(self.color, 1.5, self.dash)
    }
}

/// The fill of class `i` of `n` ordered ones, light to dark, so that a print in grey keeps the order.
pub(super) fn fill(i: usize, n: usize) -> Color {
    viridis(1.0 - if n > 1 { i as f64 / (n - 1) as f64 } else { 0.0 })
}

/// What can be read on a fill.
pub(super) fn ink_on(Color(red, green, blue): Color) -> Color {
    let luminance = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
    if luminance < 128.0 { PAPER } else { INK }
}

/// The colour `position` of the way along viridis, linear between five of its colours; its yellow end is too light for lines.
fn viridis(position: f64) -> Color {
    const STOPS: [[f64; 3]; 5] =
        [[68.0, 1.0, 84.0], [59.0, 82.0, 139.0], [33.0, 145.0, 140.0], [94.0, 201.0, 98.0], [253.0, 231.0, 37.0]];
    let along = position.clamp(0.0, 1.0) * 4.0;
    let stop = (along as usize).min(3);
    let share = along - stop as f64;
    let channel = |c: usize| (STOPS[stop][c] + share * (STOPS[stop + 1][c] - STOPS[stop][c])).round() as u8;
    Color(channel(0), channel(1), channel(2))
}
