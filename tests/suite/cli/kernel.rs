//! `ntk kernel`: matrices on inputs of the user's own.

use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::empirical::{EmpiricalNngp, EmpiricalNtk};
use ntk::kernel::{Kernel, KernelKind};
use ntk::linalg::Matrix;
use ntk::net::{self, Backend, Compute, Dtype, InitialFunction, Predictor};
use ntk::record::npy;

use super::Desk;

const ARCH: &str = "[arch]\ndepth = 2\nwidth = 8\nactivation = 'erf'\nw_std = 1.5\nb_std = 0.1\n";

fn architecture(d_in: usize) -> Architecture {
    let (w_std, b_std, parametrization) = (1.5, 0.1, Parametrization::Ntk);
    Mlp { depth: 2, width: 8, activation: Activation::Erf, w_std, b_std, parametrization }
        .architecture(d_in, 1)
        .unwrap()
}

fn desk() -> (Desk, Matrix) {
    let desk = Desk::new();
    desk.write("arch.toml", ARCH);
    desk.write("x.csv", "1,2,3\n0.5,-0.25,0.125\n-1,0,7\n1,1,1\n");
    let x = Matrix::from_vec(4, 3, vec![1., 2., 3., 0.5, -0.25, 0.125, -1., 0., 7., 1., 1., 1.]).unwrap();
    (desk, x)
}

fn read(desk: &Desk, name: &str) -> Matrix {
    npy::read(&desk.path(name)).unwrap()
}

#[test]
fn a_file_with_an_arch_table_alone_gives_all_three_kernels() {
    let (desk, _) = desk();
    let printed = desk.ntk(&["kernel", "arch.toml", "--x1", "x.csv", "--get", "nngp,ntk,empirical", "--out", "k"]);
    assert_eq!(printed, "k/nngp.npy\nk/ntk.npy\nk/empirical.npy\n");
    for name in ["nngp", "ntk", "empirical"] {
        let kernel = read(&desk, &format!("k/{name}.npy"));
        assert_eq!(kernel.shape(), (4, 4), "{name}");
        assert!(kernel.first_non_finite().is_none() && kernel.transpose() == kernel, "{name}");
    }
}

#[test]
fn the_kernels_of_the_command_line_are_those_of_the_library_bit_for_bit() {
    let (desk, x) = desk();
    desk.ntk(&["kernel", "arch.toml", "--x1", "x.csv", "--out", "k", "-q"]);
    let analytic = AnalyticKernel::new(architecture(3));
    for (name, kind) in [("k/nngp.npy", KernelKind::Nngp), ("k/ntk.npy", KernelKind::Ntk)] {
        assert_eq!(read(&desk, name), analytic.of_kind(kind).gram(&x).unwrap().into_matrix(), "{name}");
    }
}

#[test]
fn npy_inputs_and_csv_inputs_give_the_same_kernel() {
    let (desk, x) = desk();
    npy::write(&desk.path("x.npy"), &x).unwrap();
    desk.ntk(&["kernel", "arch.toml", "--x1", "x.csv", "--get", "ntk,empirical", "--out", "a", "-q"]);
    desk.ntk(&["kernel", "arch.toml", "--x1", "x.npy", "--get", "ntk,empirical", "--out", "b", "-q"]);
    assert_eq!(read(&desk, "a/ntk.npy"), read(&desk, "b/ntk.npy"));
    assert_eq!(read(&desk, "a/empirical.npy"), read(&desk, "b/empirical.npy"));
}

#[test]
fn diagonals_and_single_precision_are_written_as_asked() {
    let (desk, x) = desk();
    let all = "ntk,nngp-diagonal,ntk-diagonal";
    let printed = desk.ntk(&["kernel", "arch.toml", "--x1", "x.csv", "--get", all, "--store", "f32", "--out", "k"]);
    assert_eq!(printed, "k/ntk.npy\nk/nngp_diagonal.npy\nk/ntk_diagonal.npy\n");
    let kernels = AnalyticKernel::new(architecture(3)).grams(&x).unwrap();
    let (ntk, diagonal) = (read(&desk, "k/ntk.npy"), read(&desk, "k/nngp_diagonal.npy"));
    for i in 0..4 {
        assert_eq!(ntk[(i, 1)], f64::from(kernels.ntk[(i, 1)] as f32));
        assert!((diagonal[(i, 0)] / kernels.nngp[(i, i)] - 1.0).abs() < 1e-7);
    }
    assert_eq!(std::fs::metadata(desk.path("k/ntk.npy")).unwrap().len(), 128 + 4 * 16);
}

/// Layers, an input shape and a convention, all from a file.
#[test]
fn convolutions_and_conventions_are_read_from_the_config() {
    let (desk, x) = desk();
    let layers = "layers = [{ conv = { channels = 4, window = 2 } }, { activation = 'tanh' }, 'global-avg-pool']";
    desk.write("conv.toml", &format!("[arch]\ninput = [3, 1]\n{layers}\nw_std = 1.2\n"));
    let called = desk.call(&["kernel", "conv.toml", "--x1", "x.csv", "--get", "ntk,empirical", "--out", "c"]);
    assert!(called.code == 0 && called.stderr.contains("no closed form"), "{}", called.stderr);
    assert_eq!(read(&desk, "c/ntk.npy").shape(), (4, 4));
    desk.refused(
        2,
        &["kernel", "conv.toml", "--x1", "x.csv", "--set", "arch.input=[4,1]", "--out", "c"],
        &["arch.input"],
    );
    desk.write("arora.toml", "[arch]\ndepth = 2\nwidth = 8\nactivation = 'relu'\nconvention = 'arora'\n");
    desk.ntk(&["kernel", "arora.toml", "--x1", "x.csv", "--get", "ntk", "--out", "a", "-q"]);
    let ntk = read(&desk, "a/ntk.npy");
    for i in 0..4 {
        let squared: f64 = x.row(i).iter().map(|v| v * v).sum();
        assert!((ntk[(i, i)] / (3.0 * squared) - 1.0).abs() < 1e-14);
    }
    desk.refused(
        2,
        &["kernel", "arora.toml", "--x1", "x.csv", "--set", "arch.b_std=0.1", "--out", "a"],
        &["no biases"],
    );
}

#[test]
fn two_files_give_the_block_between_them() {
    let (desk, x) = desk();
    desk.write("x2.csv", "1,2,3\n-1,0,7\n");
    let all = "nngp,ntk,empirical";
    desk.ntk(&["kernel", "arch.toml", "--x1", "x.csv", "--x2", "x2.csv", "--get", all, "--out", "k", "-q"]);
    let x2 = x.select_rows(&[0, 2]);
    let expected = AnalyticKernel::new(architecture(3)).of_kind(KernelKind::Ntk).cross_gram(&x, &x2).unwrap();
    assert_eq!(read(&desk, "k/ntk.npy"), expected);
    assert_eq!(read(&desk, "k/nngp.npy").shape(), (4, 2));
    assert_eq!(read(&desk, "k/empirical.npy").shape(), (4, 2));
}

#[test]
fn a_whole_study_serves_once_a_sweep_is_narrowed() {
    let (desk, _) = desk();
    let call = ["kernel", "tiny.toml", "--x1", "x.csv", "--out", "k"];
    desk.refused(2, &call, &["`arch`", "2 architectures where one is needed", "--set arch.depth=2 --set arch.width="]);
    let printed = desk.ntk(&[&call[..], &["--set", "arch.width=8", "--json"]].concat());
    assert_eq!(serde_json::from_str::<Vec<String>>(&printed).unwrap(), ["k/nngp.npy", "k/ntk.npy"]);
    assert_eq!(read(&desk, "k/ntk.npy").shape(), (4, 4));
}

#[test]
fn inputs_that_do_not_fit_are_refused_by_file() {
    let (desk, _) = desk();
    desk.write("x2.csv", "1,2\n");
    desk.write("no.npy", "1,2,3\n");
    desk.write("text.csv", "1,2,3\n1,two,3\n");
    let refused = |inputs: &[&str], parts: &[&str]| {
        desk.refused(2, &[&["kernel", "arch.toml", "--out", "k"], inputs].concat(), parts);
    };
    refused(&["--x1", "x.csv", "--x2", "x2.csv"], &["x.csv and x2.csv", "3 and 2 columns", "the same columns"]);
    refused(&["--x1", "no.npy"], &["no.npy: this is not a .npy file", "numpy.save"]);
    refused(&["--x1", "absent.npy"], &["absent.npy: no such file", "check the path"]);
    refused(&["--x1", "absent.csv"], &["absent.csv: no such file", "check the path"]);
    refused(&["--x1", "text.csv"], &["text.csv, line 2, column 2: `two` is not a number", "numbers only"]);
    npy::write(&desk.path("nan.npy"), &Matrix::from_fn(2, 3, |i, _| 0.0 / i as f64)).unwrap();
    refused(&["--x1", "nan.npy"], &["nan.npy: NaN at row 0, column 0", "not finite"]);
    refused(
        &["--x1", "x.csv", "--get", "ntkk"],
        &["ntkk", "possible values: nngp, ntk, nngp-diagonal, ntk-diagonal, empirical"],
    );
}

/// Once the analytic kernel was written before the network was found to have no backend.
#[test]
fn a_kernel_that_cannot_be_computed_leaves_none_of_the_others_behind() {
    let (desk, _) = desk();
    let call = ["kernel", "arch.toml", "--x1", "x.csv", "--get", "ntk,empirical", "--out", "k"];
    let backend = if cfg!(feature = "rocm") { return } else { "compute.backend=rocm" };
    desk.refused(2, &[&call[..], &["--set", backend]].concat(), &["`rocm`", "--features rocm"]);
    desk.refused(2, &[&call[..], &["--set", "compute.threads=0"]].concat(), &["`compute.threads`", "0 is too few"]);
}

#[test]
fn empirical_kernels_come_whole_in_parts_and_in_little_memory() {
    let (desk, _) = desk();
    let ask = |get: &str, out: &str, more: &[&str]| {
        let arguments =
            ["kernel", "arch.toml", "--x1", "x.csv", "--set", "arch.d_out=2", "--set", "compute.dtype=\"f64\""];
        desk.ntk(&[&arguments[..], &["--get", get, "--out", out, "-q"], more].concat());
    };
    ask("empirical,empirical-outputs,empirical-layers,empirical-nngp", "whole", &[]);
    let full = read(&desk, "whole/empirical.npy");
    assert_eq!(full.shape(), (8, 8));
    // Three axes; read as bytes, because matrices have two.
    let numbers = |name: &str| -> Vec<f64> {
        let bytes = std::fs::read(desk.path(name)).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        bytes[header..].chunks_exact(8).map(|number| f64::from_le_bytes(number.try_into().unwrap())).collect()
    };
    let (outputs, layers) = (numbers("whole/empirical_outputs.npy"), numbers("whole/empirical_layers.npy"));
    assert_eq!((outputs.len(), layers.len()), (2 * 4 * 4, 3 * 8 * 8));
    ask("empirical", "trace", &["--outputs", "trace"]);
    let trace = read(&desk, "trace/empirical.npy");
    for i in 0..4 {
        for j in 0..4 {
            let mean = 0.5 * (outputs[4 * i + j] + outputs[16 + 4 * i + j]);
            assert!((trace[(i, j)] - mean).abs() < 1e-13 * trace[(0, 0)]);
        }
    }
    for i in 0..64 {
        let sum: f64 = (0..3).map(|map| layers[64 * map + i]).sum();
        assert!((sum - full.values()[i]).abs() < 1e-13 * full[(0, 0)]);
    }
    assert_eq!(read(&desk, "whole/empirical_nngp.npy").shape(), (4, 4));
    // Of the first limit, the factors of two inputs take 880 bytes, passes 5300, products 200 and a row of the result 128; the whole result takes
    // 512. The 122 parameters take 976 bytes.
    ask("empirical", "rows", &["--memory-limit", "7776B", "--threads", "2"]);
    ask("empirical", "jacobian", &["--method", "jacobian"]);
    ask("empirical", "structured", &["--method", "structured", "--memory-limit", "1MB"]);
    for name in ["rows", "jacobian", "structured"] {
        let gap = (&read(&desk, &format!("{name}/empirical.npy")) - &full).frobenius() / full.frobenius();
        assert!(gap < 1e-13, "{name}: {gap:e}");
    }
}

#[test]
fn the_kernel_of_a_saved_network_is_the_library_s_and_not_the_random_one_s() {
    let (desk, x) = desk();
    for initial in [InitialFunction::Plain, InitialFunction::Centred, InitialFunction::Antisymmetric] {
        let config = format!("{ARCH}[train]\nn_steps = 5\ninitial_function = '{initial}'\n[compute]\ndtype = 'f64'\n");
        desk.write("trained.toml", &config);
        let compute = Compute::open(Backend::preferred(), Dtype::F64).unwrap();
        let network = Predictor::of_seed(&architecture(3), initial, (7, 3), &compute).unwrap();
        net::save(&network, &desk.path("n.safetensors")).unwrap();
        let ask = |out: &str, more: &[&str]| {
            let call =
                ["kernel", "trained.toml", "--x1", "x.csv", "--get", "empirical,empirical-nngp", "-q", "--out", out];
            desk.ntk(&[&call[..], more].concat());
        };
        ask("saved", &["--network", "n.safetensors"]);
        ask("random", &[]);
        let expected = EmpiricalNtk::new(&network, &compute).gram(&x).unwrap().into_matrix();
        assert_eq!(read(&desk, "saved/empirical.npy"), expected, "{initial}");
        let expected = EmpiricalNngp::new(&network, &compute).cross_gram(&x, &x).unwrap();
        assert_eq!(read(&desk, "saved/empirical_nngp.npy"), expected, "{initial}");
        assert!((&read(&desk, "random/empirical.npy") - &read(&desk, "saved/empirical.npy")).rms() > 1e-3);
    }
    let refused = |config: &str, more: &[&str], parts: &[&str]| {
        desk.refused(2, &[&["kernel", config, "--x1", "x.csv", "--out", "no"], more].concat(), parts);
    };
    let (saved, empirical) = (["--network", "n.safetensors"], ["--get", "ntk,empirical"]);
    refused("trained.toml", &saved, &["--network", "of infinite width", "--get empirical"]);
    let wrong = |more: &[&str], parts: &[&str]| refused("trained.toml", &[&saved, &empirical, more].concat(), parts);
    wrong(&["--set", "arch.width=9"], &["n.safetensors: this is another network", "[9] here"]);
    wrong(&["--dtype", "f32"], &["another network", "F64", "F32"]);
    wrong(&["--set", "train.initial_function=plain"], &["`twin.", "initial function"]);
    refused("tiny.toml", &[&saved[..], &empirical].concat(), &["2 architectures where one is needed"]);
}
