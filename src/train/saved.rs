//! A run that is not finished, as a file: enough to end with the same numbers as if it had never stopped.
//!
//! A safetensors file. Parameters, and what the optimizer remembers, are kept bit by bit in their own number type; the function at the
//! checkpoints in f64.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::optimizer::Memory;
use super::training::{Best, State};
use super::{Checkpoint, Plan};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::net::{self, Compute, to_data};
use crate::record::file;

/// What was read.
pub(super) struct Saved {
    /// One flat tensor per trainable parameter.
    pub(super) theta: Vec<Tensor<1>>,
    pub(super) state: State,
    /// The monitor's.
    pub(super) notes: String,
}

/// What is no tensor.
#[derive(Serialize, Deserialize)]
struct Header {
    plan: String,
    n_steps: usize,
    /// Step, loss and parameter distance of every checkpoint.
    checkpoints: Vec<(usize, f64, f64)>,
    /// Step, error and looks since.
    best: Option<(usize, f64, usize)>,
    notes: String,
}

const HEADER: &str = "ntk";

impl Saved {
    pub(super) fn write(path: &Path, plan: &Plan, theta: &[Tensor<1>], state: &State, notes: &str) -> Result<()> {
        let header = Header {
            plan: format!("{plan:?}"),
            n_steps: state.n_steps,
            checkpoints: state.checkpoints.iter().map(|seen| (seen.step, seen.loss, seen.parameter_distance)).collect(),
            best: state.best.as_ref().map(|best| (best.step, best.error, best.n_worse)),
            notes: notes.to_owned(),
        };
        let header = serde_json::to_string(&header).map_err(|reason| unwritable(path, reason))?;
        let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for (name, tensors) in lists(theta, state) {
            for (number, tensor) in tensors.iter().enumerate() {
                let data = to_data(tensor.clone())?;
                let dtype = if data.dtype().size() == 8 { Dtype::F64 } else { Dtype::F32 };
                parts.push((format!("{name}.{number}"), dtype, data.shape().to_vec(), data.bytes().to_vec()));
            }
        }
        for (number, seen) in state.checkpoints.iter().enumerate() {
            for (name, f) in [("f_train", &seen.f_train), ("f_test", &seen.f_test)] {
                let bytes = f.values().iter().flat_map(|value| value.to_le_bytes()).collect();
                parts.push((format!("{name}.{number}"), Dtype::F64, vec![f.n_rows(), f.n_cols()], bytes));
            }
        }
        let views = parts.iter().map(|(name, dtype, shape, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let views = views.collect::<std::result::Result<Vec<_>, _>>().map_err(|reason| unwritable(path, reason))?;
        let metadata = HashMap::from([(HEADER.to_owned(), header)]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|reason| unwritable(path, reason))?;
        file::replace(path, &bytes)
    }

    /// `theta` are the parameters of the network that is to go on.
    pub(super) fn read(path: &Path, plan: &Plan, theta: &[Tensor<1>], compute: &Compute) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let broken = |reason: &dyn std::fmt::Display| Error::Store {
            path: path.to_path_buf(),
            problem: format!("this unfinished run cannot be read: {reason}"),
            remedy: "remove the file; the network is then trained from the start".to_owned(),
        };
        let file = SafeTensors::deserialize(&bytes).map_err(|reason| broken(&reason))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|reason| broken(&reason))?;
        let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(HEADER));
        let header = header.ok_or_else(|| broken(&"it has no header of this program"))?;
        let header: Header = serde_json::from_str(header).map_err(|reason| broken(&reason))?;
        let present = format!("{plan:?}");
        if header.plan != present {
            return Err(other(path, "training", &header.plan, &present));
        }
        let tensor = |name: String| file.tensor(&name).map_err(|reason| broken(&reason));
        let matrix = |name: String| -> Result<Matrix> {
            let view = tensor(name)?;
            let values =
                view.data().chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap_or_default()));
            let (n_rows, n_cols) = (view.shape().first().copied(), view.shape().get(1).copied());
            Matrix::from_vec(n_rows.unwrap_or(0), n_cols.unwrap_or(0), values.collect())
        };
        let dtype = match compute.dtype() {
            net::Dtype::F32 => Dtype::F32,
            net::Dtype::F64 => Dtype::F64,
        };
        let list = |name: &str| -> Result<Vec<Tensor<1>>> {
            let mut list = Vec::with_capacity(theta.len());
            for (number, present) in theta.iter().enumerate() {
                let name = format!("{name}.{number}");
                let view = tensor(name.clone())?;
                let n = present.dims()[0];
                if view.dtype() != dtype {
                    return Err(other(path, "number type", &view.dtype(), &dtype));
                }
                if view.shape() != [n] {
                    return Err(other(path, &format!("network: {name}"), &view.shape(), &[n]));
                }
                let data = match dtype {
                    Dtype::F64 => TensorData::new(bytemuck::pod_collect_to_vec::<u8, f64>(view.data()), [n]),
                    _ => TensorData::new(bytemuck::pod_collect_to_vec::<u8, f32>(view.data()), [n]),
                };
                list.push(compute.restored(data));
            }
            Ok(list)
        };
        if file.names().iter().filter(|name| name.starts_with("theta.")).count() != theta.len() {
            return Err(other(path, "network: parameters", &"another number", &theta.len()));
        }
        let has = |name: &str| file.names().iter().any(|found| **found == format!("{name}.0"));
        let optional = |name: &str| -> Result<Vec<Option<Tensor<1>>>> {
            if has(name) { Ok(list(name)?.into_iter().map(Some).collect()) } else { Ok(vec![None; theta.len()]) }
        };
        let memory = optional("first")?.into_iter().zip(optional("second")?);
        let checkpoint =
            |(number, &(step, loss, parameter_distance)): (usize, &(usize, f64, f64))| -> Result<Checkpoint> {
                let (f_train, f_test) = (matrix(format!("f_train.{number}"))?, matrix(format!("f_test.{number}"))?);
                Ok(Checkpoint { step, f_train, f_test, loss, parameter_distance })
            };
        let state = State {
            memory: memory.map(|(first, second)| Memory { first, second }).collect(),
            n_steps: header.n_steps,
            checkpoints: header.checkpoints.iter().enumerate().map(checkpoint).collect::<Result<_>>()?,
            best: match header.best {
                None => None,
                Some((step, error, n_worse)) => Some(Best { theta: list("best")?, step, error, n_worse }),
            },
        };
        Ok(Self { theta: list("theta")?, state, notes: header.notes })
    }
}

fn lists(theta: &[Tensor<1>], state: &State) -> [(&'static str, Vec<Tensor<1>>); 4] {
    let remembered =
        |of: fn(&Memory) -> &Option<Tensor<1>>| state.memory.iter().filter_map(|memory| of(memory).clone()).collect();
    [
        ("theta", theta.to_vec()),
        ("first", remembered(|memory| &memory.first)),
        ("second", remembered(|memory| &memory.second)),
        ("best", state.best.as_ref().map_or(Vec::new(), |best| best.theta.clone())),
    ]
}

fn unwritable(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Check(format!("the unfinished run cannot be written to {}: {reason}", path.display()))
}

fn other(path: &Path, of_what: &str, found: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug) -> Error {
    Error::Store {
        path: path.to_path_buf(),
        problem: format!("this unfinished run is of another {of_what}: {found:?}, where {expected:?} goes on"),
        remedy: "remove the file to train from the start, or go on with the settings it was written with".to_owned(),
    }
}
