//! A network written out as loops over numbers: from the layers as a config has them, and from nothing that the library derives.

use ntk::arch::{Architecture, Extent, Layer, Padding, Parametrization};
use ntk::net::DenseWeights;

/// Channels at every position of a plane; a sequence is a plane of height 1, and a vector of one position.
#[derive(Clone)]
struct Plane {
    height: usize,
    width: usize,
    /// `[height][width][channels]`, flattened.
    values: Vec<f64>,
}

/// f(x).
pub(crate) fn evaluate(architecture: &Architecture, weights: &[DenseWeights], x: &[f64]) -> Vec<f64> {
    let sizes: Vec<usize> =
        serde_json::from_value(serde_json::to_value(architecture).expect("plain")["input"].clone()).expect("sizes");
    let (height, width) = match sizes[..] {
        [_] => (1, 1),
        [length, _] => (1, length),
        _ => (sizes[0], sizes[1]),
    };
    let mut network = Loops { architecture, is_plane: sizes.len() == 3, weights: weights.iter() };
    let values = x.iter().map(|v| architecture.input_scale() * v).collect();
    let output = network.run(architecture.layers(), Plane { height, width, values });
    output.values.iter().map(|v| architecture.output_scale() * v).collect()
}

struct Loops<'a> {
    architecture: &'a Architecture,
    is_plane: bool,
    weights: std::slice::Iter<'a, DenseWeights>,
}

impl Loops<'_> {
    fn run(&mut self, layers: &[Layer], input: Plane) -> Plane {
        layers.iter().fold(input, |h, layer| self.layer(layer, h))
    }

    fn layer(&mut self, layer: &Layer, h: Plane) -> Plane {
        match layer {
            Layer::Dense(_) => Plane { height: 1, width: 1, values: self.affine(&h.values) },
            Layer::Conv(conv) => {
                let windows = self.windows(&h, conv.window, conv.stride, conv.padding);
                let weights = self.weights.next().expect("a convolution has weights");
                let values = windows.rows.iter().flat_map(|seen| self.affine_of(weights, &seen.concat())).collect();
                Plane { height: windows.height, width: windows.width, values }
            }
            Layer::AvgPool(pool) => {
                let windows = self.windows(&h, pool.window, pool.stride.unwrap_or(pool.window), Padding::Valid);
                let values = windows.rows.iter().flat_map(|seen| mean(seen)).collect();
                Plane { height: windows.height, width: windows.width, values }
            }
            Layer::GlobalAvgPool => {
                let all: Vec<Vec<f64>> = h.values.chunks(h.n_channels()).map(<[f64]>::to_vec).collect();
                Plane { height: 1, width: 1, values: mean(&all) }
            }
            Layer::Activation(activation) => {
                let family = activation.family();
                Plane { values: h.values.iter().map(|z| family.value(*z)).collect(), ..h }
            }
            Layer::LayerNorm(norm) => {
                let normalized = |z: &[f64]| {
                    let n = z.len() as f64;
                    let mean = z.iter().sum::<f64>() / n;
                    let variance = z.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
                    z.iter().map(|v| (v - mean) / (variance + norm.eps).sqrt()).collect::<Vec<f64>>()
                };
                Plane { values: h.values.chunks(h.n_channels()).flat_map(normalized).collect(), ..h }
            }
            Layer::Flatten | Layer::Dropout(_) => h,
            Layer::Sum(branches) => self.join(branches, &h, |a, b| a + b),
            Layer::Product(branches) => self.join(branches, &h, |a, b| a * b),
            Layer::Residual(branch) => {
                let end = self.run(branch, h.clone());
                Plane { values: h.values.iter().zip(&end.values).map(|(a, b)| a + b).collect(), ..h }
            }
        }
    }

    fn join(&mut self, branches: &[Vec<Layer>], h: &Plane, join: impl Fn(f64, f64) -> f64) -> Plane {
        let ends: Vec<Plane> = branches.iter().map(|branch| self.run(branch, h.clone())).collect();
        let values = 0..ends[0].values.len();
        let values = values.map(|i| ends.iter().map(|end| end.values[i]).reduce(&join).expect("a branch")).collect();
        Plane { values, ..ends[0] }
    }

    fn affine(&mut self, h: &[f64]) -> Vec<f64> {
        let weights = self.weights.next().expect("a dense layer has weights");
        self.affine_of(weights, h)
    }

    fn affine_of(&self, weights: &DenseWeights, h: &[f64]) -> Vec<f64> {
        let (w_scale, b_scale) = match self.architecture.parametrization() {
            Parametrization::Ntk | Parametrization::Mup => {
                (self.architecture.w_std() / (h.len() as f64).sqrt(), self.architecture.b_std())
            }
            Parametrization::Standard => (1.0, 1.0),
        };
        let unit = |j: usize| {
            let sum: f64 = h.iter().enumerate().map(|(i, v)| v * weights.weight[(i, j)]).sum();
            w_scale * sum + weights.bias.as_ref().map_or(0.0, |bias| b_scale * bias[j])
        };
        (0..weights.weight.n_cols()).map(unit).collect()
    }

    fn windows(&self, h: &Plane, window: Extent, stride: Extent, padding: Padding) -> Windows {
        let ([rows, columns], [down, right]) = (self.sizes(window), self.sizes(stride));
        let (height, top) = outputs_and_padding(h.height, rows, down, padding);
        let (width, left) = outputs_and_padding(h.width, columns, right, padding);
        let mut all = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let mut seen = Vec::new();
                for i in 0..rows {
                    for j in 0..columns {
                        let row = (y * down + i) as isize - top as isize;
                        let column = (x * right + j) as isize - left as isize;
                        seen.push(h.at(row, column, padding));
                    }
                }
                all.push(seen);
            }
        }
        Windows { height, width, rows: all }
    }

    fn sizes(&self, extent: Extent) -> [usize; 2] {
        match extent {
            Extent::Each(sizes) => sizes,
            Extent::Same(size) => [if self.is_plane { size } else { 1 }, size],
        }
    }
}

/// For every output position, the channels under each offset of its window.
struct Windows {
    height: usize,
    width: usize,
    rows: Vec<Vec<Vec<f64>>>,
}

impl Plane {
    fn n_channels(&self) -> usize {
        self.values.len() / (self.height * self.width)
    }

    fn at(&self, row: isize, column: isize, padding: Padding) -> Vec<f64> {
        let (height, width) = (self.height as isize, self.width as isize);
        let (row, column) = match padding {
            Padding::Circular => (row.rem_euclid(height), column.rem_euclid(width)),
            Padding::Same | Padding::Valid => (row, column),
        };
        let n_channels = self.n_channels();
        if !(0..height).contains(&row) || !(0..width).contains(&column) {
            return vec![0.0; n_channels];
        }
        let start = (row * width + column) as usize * n_channels;
        self.values[start..start + n_channels].to_vec()
    }
}

/// How often the window stands along `n` positions, and how many positions lie before the first of them.
fn outputs_and_padding(n: usize, window: usize, stride: usize, padding: Padding) -> (usize, usize) {
    if padding == Padding::Valid {
        return ((n - window) / stride + 1, 0);
    }
    let n_outputs = n.div_ceil(stride);
    (n_outputs, ((n_outputs - 1) * stride + window).saturating_sub(n) / 2)
}

fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    (0..rows[0].len()).map(|channel| rows.iter().map(|row| row[channel]).sum::<f64>() / rows.len() as f64).collect()
}
