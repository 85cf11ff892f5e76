//! An extension of CubeCL, what Burn has GPUs compute by: products in the precision of their numbers, with their gradients.
//!
//! Burn's own products round f32 to 10 bits where a device has matrix units for that (TF32), and a kernel is then wrong in its fourth
//! digit. These use units that compute in f32, or f64, alone.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary};
use burn::backend::cubecl::{RuntimeId, dtype_to_storage_type};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, BackendTensor, Cube, Dispatch, DispatchTensorKind, TensorMetadata, backend_extension,
};
use burn::tensor::{DType, Tensor};
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level::Strategy;
use cubek::std::InputBinding;

/// A B, of matrices or of as many matrices on both sides, where they lie on such a device; otherwise what was given.
#[expect(clippy::result_large_err, reason = "what cannot be multiplied here is handed back as it came")]
pub(super) fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Result<Tensor<D>, (Tensor<D>, Tensor<D>)> {
    let (of_a, of_b) = (a.dims(), b.dims());
    let fits = D >= 2 && of_a[..D - 2] == of_b[..D - 2] && of_a[D - 1] == of_b[D - 2] && a.device() == b.device();
    let (a, b) = (a.into_dispatch(), b.into_dispatch());
    if fits && lies_here(&a.kind) && lies_here(&b.kind) {
        return Ok(Tensor::from_dispatch(Dispatch::product(a, b)));
    }
    Err((Tensor::from_dispatch(a), Tensor::from_dispatch(b)))
}

fn lies_here(kind: &DispatchTensorKind) -> bool {
    let kind = if let DispatchTensorKind::Autodiff(tracked) = kind { tracked } else { kind };
    matches!(kind, DispatchTensorKind::Cube(BackendTensor::Float(_) | BackendTensor::Autodiff(_)))
}

/// Backends with a product of their own.
#[backend_extension(Cube, Autodiff)]
pub(super) trait Products: Backend {
    /// A B, with as many matrices on both sides.
    fn product(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Products for Cube {
    fn product(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let (mut shape, last) = (a.shape(), a.rank() - 1);
        shape[last] = b.shape()[last];
        let n_numbers = shape[last - 1] * shape[last];
        if n_numbers * a.shape()[last] == 0 {
            return Self::float_matmul(a, b);
        }
        let fast = if has_small_blocks(&a, n_numbers) {
            Strategy::DoubleUnit(Default::default())
        } else {
            Strategy::SimpleUnit(Default::default())
        };
        let product = Self::float_empty(shape, &a.device(), a.dtype().into());
        let is_done = [fast, Strategy::Naive].iter().any(|strategy| launch(strategy, &a, &b, &product));
        if is_done { product } else { Self::float_matmul(a, b) }
    }
}

/// Whether a product of so many numbers had better be made in small blocks, each read while the one before is multiplied. On an H100 through
/// CUDA that is twice as fast in f64, and in f32 where large blocks would leave most of it idle; through Vulkan it is slower.
fn has_small_blocks(a: &FloatTensor<Cube>, n_numbers: usize) -> bool {
    a.device.runtime() == RuntimeId::Cuda && (a.dtype == DType::F64 || n_numbers < 1 << 21)
}

/// Whether the device can do it this way.
fn launch(strategy: &Strategy, a: &FloatTensor<Cube>, b: &FloatTensor<Cube>, product: &FloatTensor<Cube>) -> bool {
    let number = dtype_to_storage_type(a.dtype);
    let mut numbers = MatmulElems::from_globals(&MatmulGlobalElems { lhs: number, rhs: number, out: number });
    let [a, b] = [a, b].map(|factor| InputBinding::new(factor.clone().binding(), number));
    launch_ref(&strategy.clone().into(), &product.client, a, b, product.clone().binding(), &mut numbers).is_ok()
}

impl<B: Products, C: CheckpointStrategy> Products for Autodiff<B, C> {
    fn product(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let (needs_a, needs_b) = (b.is_tracked(), a.is_tracked());
        match Product.prepare::<C>([a.node(), b.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let kept = (needs_a.then(|| step.checkpoint(&a)), needs_b.then(|| step.checkpoint(&b)));
                step.finish(kept, B::product(a.into_primitive(), b.into_primitive()))
            }
            OpsKind::UnTracked(step) => step.finish(B::product(a.into_primitive(), b.into_primitive())),
        }
    }
}

/// The way back through a product: dC B^T and A^T dC.
#[derive(Debug)]
struct Product;

impl<B: Products> Backward<B, 2> for Product {
    type State = (Option<NodeId>, Option<NodeId>);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let (a, b) = ops.state;
        let mut kept = |node: Option<NodeId>| {
            node.map(|node| B::float_transpose(checkpointer.retrieve_node_output::<FloatTensor<B>>(node)))
        };
        let (a, b) = (kept(a), kept(b));
        // A factor is asked for only where the other one was kept.
        let through_a = |slope| if let Some(b) = b { B::product(slope, b) } else { slope };
        let through_b = |slope| if let Some(a) = a { B::product(a, slope) } else { slope };
        binary::<B, _, _>(ops.parents, ops.node, gradients, through_a, through_b);
    }
}
