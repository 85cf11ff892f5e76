//! The only list of backends: what Burn can compute on, and what of it this program was built with.

use std::fmt;
use std::panic::catch_unwind;
use std::str::FromStr;

use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

#[cfg(feature = "cube")]
use super::card::Card;
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// A Burn backend; the name is also that of the Cargo feature which compiles it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Burn's own CPU backend.
    Flex,
    /// The CPU backend on the ndarray crate, flex's predecessor.
    Ndarray,
    /// GPUs through WebGPU.
    Wgpu,
    /// GPUs through Vulkan.
    Vulkan,
    /// Apple GPUs.
    Metal,
    /// NVIDIA GPUs.
    Cuda,
    /// AMD GPUs.
    Rocm,
}

impl Backend {
    /// Every backend, compiled in or not.
    pub const ALL: [Self; 7] =
        [Self::Flex, Self::Ndarray, Self::Wgpu, Self::Vulkan, Self::Metal, Self::Cuda, Self::Rocm];

    /// The name, which is that of the Cargo feature.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
        }
    }

    /// What hardware it is for.
    #[must_use]
    pub fn hardware(self) -> &'static str {
        match self {
            Self::Flex | Self::Ndarray => "CPU",
            Self::Wgpu => "GPU through WebGPU",
            Self::Vulkan => "GPU through Vulkan",
            Self::Metal => "Apple GPU",
            Self::Cuda => "NVIDIA GPU",
            Self::Rocm => "AMD GPU",
        }
    }

    /// Whether this program was built with it.
    #[must_use]
    pub fn is_compiled(self) -> bool {
        match self {
            Self::Flex => cfg!(feature = "flex"),
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
        }
    }

    /// The backend used when none is named: the first of [`Backend::ALL`] that is compiled in.
    #[must_use]
    pub fn preferred() -> Self {
        Self::ALL.into_iter().find(|backend| backend.is_compiled()).unwrap_or(Self::Flex)
    }

    /// Opens the device.
    ///
    /// # Errors
    /// When the program was built without the backend, or the machine has no such device.
    pub fn device(self) -> Result<Device> {
        let open: fn() -> Device = match self {
            #[cfg(feature = "flex")]
            Self::Flex => Device::flex,
            // Burn deprecates it in favour of flex; this project keeps it as long as Burn ships it.
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)]
            Self::Ndarray => Device::ndarray,
            #[cfg(feature = "wgpu")]
            Self::Wgpu => || Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => || Device::vulkan(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "metal")]
            Self::Metal => || Device::metal(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            Self::Cuda => || Device::cuda(0),
            #[cfg(feature = "rocm")]
            Self::Rocm => || Device::rocm(0),
            #[allow(unreachable_patterns)]
            absent => {
                return Err(Error::Device {
                    problem: format!("this program was built without the `{absent}` backend"),
                    remedy: format!(
                        "build with `--features {absent}`, or choose one that is compiled in: {}",
                        Self::compiled_names()
                    ),
                });
            }
        };
        // Graphics drivers are first touched by a computation, and Burn panics where none is found.
        catch_unwind(|| {
            let device = open();
            let _ = Tensor::<1>::ones([1], &device).sum().into_data();
            device
        })
        .map_err(|_| Error::Device {
            problem: format!("the `{self}` backend finds no device it can use ({})", self.hardware()),
            remedy: format!("install its driver, or choose another backend: {}", Self::compiled_names()),
        })
    }

    /// Whether it is the CPU, in the memory of this process.
    #[must_use]
    pub fn is_host(self) -> bool {
        matches!(self, Self::Flex | Self::Ndarray)
    }

    /// Whether its device can be opened, and does not compute in f64.
    #[must_use]
    pub fn lacks_f64(self) -> bool {
        self.device().is_ok_and(|device| !Dtype::F64.is_supported_by(&device))
    }

    fn compiled_names() -> String {
        let names: Vec<_> = Self::ALL.into_iter().filter(|b| b.is_compiled()).map(Self::name).collect();
        names.join(", ")
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        Self::ALL.into_iter().find(|backend| backend.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.into_iter().map(Self::name).collect();
            format!("no backend is called `{name}`; there are {}", names.join(", "))
        })
    }
}

/// The number type of a network's parameters and activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dtype {
    /// 32-bit floating point.
    #[default]
    F32,
    /// 64-bit floating point.
    F64,
}

impl Dtype {
    /// Whether `device` computes in this number type: not only sums and products, but functions as well.
    #[must_use]
    pub fn is_supported_by(self, device: &Device) -> bool {
        device.supports_dtype(self.float()) && (self == Self::F32 || has_functions_of_f64(device))
    }

    /// Bytes of one number.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The distance from 1 to the next number.
    #[must_use]
    pub fn epsilon(self) -> f64 {
        match self {
            Self::F32 => f64::from(f32::EPSILON),
            Self::F64 => f64::EPSILON,
        }
    }

    fn float(self) -> FloatDType {
        match self {
            Self::F32 => FloatDType::F32,
            Self::F64 => FloatDType::F64,
        }
    }
}

/// Through Vulkan the exponential in f64 is right to f32 alone, and so is what is made of it.
fn has_functions_of_f64(device: &Device) -> bool {
    let half = TensorData::new(vec![0.5_f64], [1]);
    let exponential = Tensor::<1>::from_data(half, (device, DType::F64)).exp().try_into_vec_as::<f64>();
    exponential.is_ok_and(|values| values.iter().all(|value| (value - 0.5_f64.exp()).abs() < 1e-14))
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// Where and in which number type networks are computed.
#[derive(Debug, Clone)]
pub struct Compute {
    backend: Backend,
    dtype: Dtype,
    has_f64: bool,
    memory: Option<f64>,
    device: Device,
}

impl Compute {
    /// Opens `backend` for networks in `dtype`.
    ///
    /// # Errors
    /// As [`Backend::device`], and when the device does not compute in `dtype`.
    pub fn open(backend: Backend, dtype: Dtype) -> Result<Self> {
        let device = backend.device()?;
        let has_f64 = Dtype::F64.is_supported_by(&device);
        if dtype == Dtype::F64 && !has_f64 {
            return Err(Error::Device {
                problem: format!("the `{backend}` backend does not compute in {dtype} on this machine"),
                remedy: "set `dtype = \"f32\"`, or choose the flex, ndarray or cuda backend".to_owned(),
            });
        }
        let memory = memory_of(&device, backend);
        Ok(Self { backend, dtype, has_f64, memory, device })
    }

    /// Where.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The number type.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Whether the device computes in f64, whatever the number type of the networks.
    #[must_use]
    pub fn has_f64(&self) -> bool {
        self.has_f64
    }

    /// Whether the device is the CPU, in the memory of this process.
    pub(crate) fn is_host(&self) -> bool {
        self.backend.is_host()
    }

    /// What a GPU calls itself.
    #[must_use]
    pub fn device_name(&self) -> Option<String> {
        #[cfg(feature = "cube")]
        if let Some(card) = Card::of(&self.device) {
            return Some(card.name);
        }
        None
    }

    /// Bytes of a device that has memory of its own; infinitely many, where it does not say.
    pub(crate) fn device_memory(&self) -> Option<f64> {
        self.memory
    }

    /// `matrix` on the device, rounded to the number type, outside of any gradient.
    #[must_use]
    pub fn tensor(&self, matrix: &Matrix) -> Tensor<2> {
        let data = TensorData::new(matrix.values().to_vec(), [matrix.n_rows(), matrix.n_cols()]);
        Tensor::from_data(data, self.options())
    }

    pub(super) fn vector(&self, values: &[f64]) -> Tensor<1> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), self.options())
    }

    /// What [`to_data`] read, on the device again.
    pub(crate) fn restored(&self, data: TensorData) -> Tensor<1> {
        Tensor::from_data(data, self.options())
    }

    /// Positions to select, in the device's own integer type.
    pub(crate) fn indices(&self, positions: &[usize]) -> Tensor<1, Int> {
        let positions: Vec<i64> = positions.iter().map(|position| *position as i64).collect();
        let n = positions.len();
        Tensor::from_data(TensorData::new(positions, [n]), &self.device)
    }

    fn options(&self) -> (&Device, DType) {
        (&self.device, self.dtype.float().into())
    }
}

#[cfg_attr(not(feature = "cube"), expect(unused_variables, reason = "CPUs share the memory of the host"))]
fn memory_of(device: &Device, backend: Backend) -> Option<f64> {
    #[cfg(feature = "cube")]
    if let Some(Card { memory: Some(bytes), .. }) = Card::of(device) {
        return Some(bytes);
    }
    (!backend.is_host()).then_some(f64::INFINITY)
}

/// A tensor read back to the host in f64.
///
/// # Errors
/// When the device fails to compute or to deliver it.
pub fn to_matrix(tensor: Tensor<2>) -> Result<Matrix> {
    let [n_rows, n_cols] = tensor.dims();
    Matrix::from_vec(n_rows, n_cols, to_vec(tensor)?)
}

/// A tensor read back to the host as it is, for readers that take either number type.
pub(crate) fn to_data<const D: usize>(tensor: Tensor<D>) -> Result<TensorData> {
    tensor.inner().try_into_data().map_err(unreadable)
}

/// The numbers of what [`to_data`] read, in the number type they have. What a device works off late fails here, if it does.
pub(crate) fn numbers<T: burn::tensor::Element>(data: &TensorData) -> Result<&[T]> {
    data.as_slice::<T>().map_err(unreadable)
}

/// A tensor of any rank read back to the host in f64, last dimension fastest.
pub(super) fn to_vec<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>> {
    tensor.inner().try_into_vec_as::<f64>().map_err(unreadable)
}

fn unreadable(reason: impl fmt::Debug) -> Error {
    Error::Device {
        problem: format!("reading a result back from the device failed: {reason:?}"),
        remedy: "if the device ran out of memory, use a smaller `arch.width` or `data.n_train`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_compiled_backend_opens_and_keeps_f64_exactly() {
        let matrix = Matrix::from_fn(2, 3, |i, j| 1.0 / (1.0 + i as f64 + 3.0 * j as f64));
        for backend in [Backend::Flex, Backend::Ndarray].into_iter().filter(|b| b.is_compiled()) {
            let compute = Compute::open(backend, Dtype::F64).expect("CPU backends compute in f64");
            assert_eq!(to_matrix(compute.tensor(&matrix)).expect("readable"), matrix);
        }
    }

    #[test]
    fn an_absent_backend_names_the_feature_to_build_with() {
        let Some(absent) = Backend::ALL.into_iter().find(|b| !b.is_compiled()) else { return };
        let message = absent.device().expect_err("not compiled").to_string();
        assert!(message.contains(&format!("--features {absent}")), "{message}");
    }
}
