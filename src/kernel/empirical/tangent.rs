//! The tangent map of a module at given inputs: products of vectors with J = d f / d theta, with J^T, and with the kernel J J^T that is
//! never formed.
//!
//! With a map's inputs h and output deltas g of every sample, both products are matrix products, without forward mode and without a second
//! backward pass:
//!
//! ```text
//! J^T u = sum over samples i and outputs o of u_io (s_w h_i g_io^T,  s_b g_io)
//! (J (V, v))_io = <s_w V^T h_i + s_b v, g_io>
//! ```
//!
//! One product costs as much as a forward and a backward pass, where the kernel costs N times that: for solvers and spectra.

use burn::tensor::Tensor;

use super::anatomy::{Anatomy, Part};
use super::factors::{Factors, Source};
use super::plan::TILE;
use crate::error::{Error, Result};
use crate::kernel::ensure_input_dimension;
use crate::linalg::Matrix;
use crate::net::{Compute, Probed, Trainable, to_matrix};

/// J of a module at `n` inputs, `[n d_out, n_parameters]`: row i O + o is output o of input i, and parameters are in the order in which
/// Burn visits them, as in [`flatten`](crate::net::flatten) and [`jacobian`](super::jacobian::jacobian).
#[derive(Debug)]
pub struct Tangent<'a> {
    compute: &'a Compute,
    anatomy: Anatomy,
    tiles: Vec<Factors>,
    n: usize,
}

/// A vector of parameters on the device, map by map.
type Direction = Vec<(Option<Tensor<2>>, Option<Tensor<2>>)>;

impl<'a> Tangent<'a> {
    /// Of `module` at the inputs `x` `[n, d_in]`. Holds every map's inputs and deltas.
    ///
    /// # Errors
    /// Inputs of another dimension; a module that is not what [`Probed`] promises.
    pub fn of<M: Probed>(module: &M, compute: &'a Compute, x: &Matrix) -> Result<Self> {
        ensure_input_dimension(x, module.d_in())?;
        let valid = module.valid();
        let anatomy = Anatomy::of(module, &valid, compute.tensor(&Matrix::zeros(1, module.d_in())))?;
        let trainable = Trainable::of(module);
        let source = Source { module: &valid, trainable: &trainable, anatomy: &anatomy, compute };
        let (n, x) = (x.n_rows(), compute.tensor(x));
        let tiles =
            (0..n).step_by(TILE).map(|first| source.for_tangent(&x.clone().narrow(0, first, TILE.min(n - first))));
        let tiles = tiles.collect::<Result<_>>()?;
        Ok(Self { compute, anatomy, tiles, n })
    }

    /// n d_out.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n * self.anatomy.d_out
    }

    /// Trained parameters.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.anatomy.n_parameters()
    }

    /// J v: how the outputs move with the parameters, `[n d_out]`.
    ///
    /// # Errors
    /// When `v` has not one number per parameter; a device that fails.
    pub fn forward(&self, v: &[f64]) -> Result<Vec<f64>> {
        self.along(&self.to_direction(v)?)
    }

    /// J^T u: `[n_parameters]`.
    ///
    /// # Errors
    /// When `u` has not one number per output of every input; a device that fails.
    pub fn backward(&self, u: &[f64]) -> Result<Vec<f64>> {
        self.to_vector(&self.against(u)?)
    }

    /// J J^T u, the kernel times a vector: `[n d_out]`.
    ///
    /// # Errors
    /// As [`Tangent::backward`].
    pub fn kernel_times(&self, u: &[f64]) -> Result<Vec<f64>> {
        self.along(&self.against(u)?)
    }

    /// The kernel between these inputs and those of `other`, a tangent of the same module, times a vector of `other`: `[n d_out]`.
    ///
    /// # Errors
    /// As [`Tangent::backward`]; another module.
    pub fn cross_kernel_times(&self, other: &Self, u: &[f64]) -> Result<Vec<f64>> {
        if self.anatomy != other.anatomy {
            return Err(Error::shape(
                "tangents of one module",
                format!("{} parameters", self.n_parameters()),
                format!("{} parameters", other.n_parameters()),
            ));
        }
        self.along(&other.against(u)?)
    }

    fn along(&self, direction: &Direction) -> Result<Vec<f64>> {
        let d_out = self.anatomy.d_out;
        let mut values = Vec::with_capacity(self.n_rows());
        for tile in &self.tiles {
            let maps = tile.maps.iter().zip(direction);
            let shares = maps.filter_map(|(map, (weight, bias))| map.forward(weight.as_ref(), bias.as_ref()));
            match shares.reduce(|sum, share| sum + share) {
                Some(sum) => values.extend_from_slice(to_matrix(sum)?.values()),
                None => values.resize(values.len() + tile.n * d_out, 0.0),
            }
        }
        Ok(values)
    }

    fn against(&self, u: &[f64]) -> Result<Direction> {
        let d_out = self.anatomy.d_out;
        if u.len() != self.n_rows() {
            return Err(Error::shape("numbers of the vector", self.n_rows(), u.len()));
        }
        let add = |sum: &mut Option<Tensor<2>>, term: Option<Tensor<2>>| {
            *sum = match (sum.take(), term) {
                (Some(sum), Some(term)) => Some(sum + term),
                (sum, term) => sum.or(term),
            };
        };
        let mut direction: Direction = self.anatomy.trained_maps().map(|_| (None, None)).collect();
        let mut first = 0;
        for tile in &self.tiles {
            let u = u[first * d_out..(first + tile.n) * d_out].to_vec();
            let u = self.compute.tensor(&Matrix::from_vec(tile.n, d_out, u)?);
            for (map, (weight, bias)) in tile.maps.iter().zip(&mut direction) {
                let (to_weight, to_bias) = map.backward(&u);
                add(weight, to_weight);
                add(bias, to_bias);
            }
            first += tile.n;
        }
        Ok(direction)
    }

    fn to_direction(&self, v: &[f64]) -> Result<Direction> {
        if v.len() != self.n_parameters() {
            return Err(Error::shape("numbers of the vector", self.n_parameters(), v.len()));
        }
        let shapes: Vec<_> = self.anatomy.trained_maps().collect();
        let mut direction: Direction = shapes.iter().map(|_| (None, None)).collect();
        let mut rest = v;
        for (map, part) in &self.anatomy.parameters {
            let (n_rows, n_out) = (if *part == Part::Weight { shapes[*map].n_in } else { 1 }, shapes[*map].n_out);
            let (values, others) = rest.split_at(n_rows * n_out);
            rest = others;
            let tensor = self.compute.tensor(&Matrix::from_vec(n_rows, n_out, values.to_vec())?);
            match part {
                Part::Weight => direction[*map].0 = Some(tensor),
                Part::Bias => direction[*map].1 = Some(tensor),
            }
        }
        Ok(direction)
    }

    fn to_vector(&self, direction: &Direction) -> Result<Vec<f64>> {
        let mut values = Vec::with_capacity(self.n_parameters());
        for (map, part) in &self.anatomy.parameters {
            let (weight, bias) = &direction[*map];
            match if *part == Part::Weight { weight } else { bias } {
                Some(tensor) => values.extend_from_slice(to_matrix(tensor.clone())?.values()),
                None => return Err(Error::Check("a trained parameter without a gradient".to_owned())),
            }
        }
        Ok(values)
    }
}
