//! Does the trained network predict like kernel regression with its neural tangent kernel (NTK)? Where not, which step of the theorem
//! fails, and by how much?
//!
//! One description of an architecture ([`arch`]). Two readings of it: a finite network on Burn ([`net`]) and its infinite-width kernels
//! ([`kernel::analytic`]). One matrix type ([`linalg`]) between them and everything downstream. Plain records ([`record`]) between
//! computing and drawing. One command from a config file to a figure and a verdict ([`study`]).
//!
//! # Conventions
//! - **Depth** L counts hidden layers; a network has L + 1 dense maps. The default parametrization is the NTK's, in which
//!   z^{l+1} = (W_std / sqrt n_l) W h^l + b_std b with all parameters N(0, 1); inputs are divided by sqrt d like any other layer.
//! - **Loss** is (1/(2 N O)) sum ||f(x_i) - y_i||^2, half the mean over all N x O training entries.
//! - **Time** is learning rate x step, in the unit which that loss gives: a direction of eigenvalue s decays as e^{-s t / (N O)}, and gradient
//!   descent is stable below 2 N O / s_max.
//! - **Kernels**: test inputs index rows, `k_test_train`; for O outputs the analytic kernel is (kernel) x I_O, and an empirical kernel is the
//!   full `[N O, N O]` matrix whose row i O + o is output o of input i.
//! - **Errors and gaps** are in units of the training targets' standard deviation.
//!
//! # The equivalence gap
//! For one trained network f_T (width n, depth L, T steps), at every test input, exactly ([`dynamics::Decomposition`]):
//!
//! ```text
//! f_T - A_inf^ntk Y =   (f_T       - flin_T)         nonlinearity: the network left its linearization
//!                     + (flin_T    - A_T^emp Y)      initial function
//!                     + (A_T^emp Y - A_T^ntk Y)      finite width: empirical kernel at initialization against the analytic one
//!                     + (A_T^ntk Y - A_inf^ntk Y)    finite time, of the analytic kernel alone
//! ```
//!
//! where A_T maps targets to the predictions of gradient descent after T steps from zero under a kernel, and flin_T is the linearized
//! network after the same steps. Where the optimizer is not full-batch gradient descent, the first term is that of the network f_GD which
//! gradient descent trains from the same start, and f_T - f_GD is a fifth. The theorem says the first and third vanish as n grows, the second
//! only where f_0 is removed, the last as T grows. Which of them does not is the answer this crate exists to give.
//!
//! # Layers
//! Imports go down only; a test reads them.
//!
//! | layer | modules | knows |
//! |---|---|---|
//! | 6 | the program's `main` and `cli` | clap; the only printing |
//! | 5 | [`report`], [`figure`] | records; never Burn, never faer |
//! | 4 | [`study`] | the only module that knows experiments: what a run computes, and what each analysis reads from its rows |
//! | 3 | [`train`], [`dynamics`], [`regress`] | `dynamics` and `regress` see matrices only, or their products, so any kernel can be passed |
//! | 2 | [`net`], [`kernel`] | [`kernel::analytic`] knows no Burn and draws no random numbers |
//! | 1 | [`arch`], [`data`], [`record`] | plain values |
//! | 0 | [`linalg`], [`stats`], [`number`], [`seed`], [`error`] | numbers |
//!
//! Burn is named in [`net`], [`train`] and [`kernel::empirical`] and nowhere else; faer in [`linalg`], plotters in [`figure`].
//!
//! # Invariants
//! - A network and a kernel are compared only where both come from one [`arch::Architecture`]; another pair is an error.
//! - Analytic kernels, regression and the decomposition are computed in f64; a network and its empirical kernel in the number type that the
//!   config names.
//! - Weights are drawn on the host in f64 from named streams ([`seed`]), so every backend starts from the same network.
//! - A [`record::Row`] does not depend on when, how fast, on how many threads or beside which other networks it was computed; running again
//!   resumes, in the middle of a network too, and changes nothing.
//! - Divergence is an outcome that is recorded and drawn, never an error and never averaged; a value that does not exist is `None`.

pub mod error;
pub mod number;
pub mod seed;

pub mod linalg;
pub mod stats;

pub mod arch;
pub mod data;
pub mod record;

pub mod kernel;
pub mod net;

pub mod dynamics;
pub mod regress;
pub mod train;

pub mod study;

pub mod figure;
pub mod report;
