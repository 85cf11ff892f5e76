//! The references of the methods that a comparison of kernels used, and of its data.

use std::fmt::Write;

use super::super::plain::plain;
use crate::record::{KernelManifest, KernelRow};

pub(super) fn references(manifest: &KernelManifest, rows: &[&KernelRow], ranked: bool) -> String {
    let mut list = vec![
        "Rasmussen, Williams 2006. Gaussian processes for machine learning. MIT Press.",
        "Gneiting, Raftery 2007. Strictly proper scoring rules, prediction, and estimation. JASA 102:359-378. (CRPS.)",
    ];
    if rows.iter().any(|row| row.kernel == "ntk") {
        list.push("Jacot, Gabriel, Hongler 2018. Neural tangent kernel: convergence and generalization in neural networks. arXiv:1806.07572.");
        list.push(
            "Liu, Tai, Crandall, Huang 2025. Issues with neural tangent kernel approach to neural networks. arXiv:2501.10929. (The question; its \
             settings and numbers are not reproduced here.)",
        );
        list.push("Schuirmann 1987. A comparison of the two one-sided tests procedure and the power approach. J. Pharmacokinet. Biopharm. 15:657-680.");
        list.push("Efron 1987. Better bootstrap confidence intervals. JASA 82:171-185. Holm 1979. A simple sequentially rejective multiple test procedure. Scand. J. Stat. 6:65-70.");
    }
    if rows.iter().any(|row| row.kernel == "nngp") {
        list.push("Lee, Bahri, Novak, Schoenholz, Pennington, Sohl-Dickstein 2018. Deep neural networks as Gaussian processes. arXiv:1711.00165.");
    }
    if rows.iter().any(|row| matches!(row.solver.as_str(), "conjugate-gradients" | "nystrom")) {
        list.push("Chen, Epperly, Tropp, Webber 2022. Randomly pivoted Cholesky: practical approximation of a kernel matrix with few entry evaluations. arXiv:2207.06503.");
    }
    if rows.iter().any(|row| row.solver == "conjugate-gradients") {
        list.push("Hestenes, Stiefel 1952. Methods of conjugate gradients for solving linear systems. J. Res. NBS 49:409-436.");
    }
    if rows.iter().any(|row| row.solver == "nystrom") {
        list.push("Williams, Seeger 2001. Using the Nystrom method to speed up kernel machines. NIPS 13.");
    }
    if rows.iter().any(|row| row.solver == "random-features") {
        list.push("Rahimi, Recht 2007. Random features for large-scale kernel machines. NIPS 20.");
    }
    if rows.iter().any(|row| row.mse_predicted.is_some()) {
        list.push(
            "Canatar, Bordelon, Pehlevan 2021. Spectral bias and task-model alignment explain generalization in kernel regression and infinitely \
             wide neural networks. Nature Communications 12:2914.",
        );
    }
    if ranked {
        list.push("Demsar 2006. Statistical comparisons of classifiers over multiple data sets. JMLR 7:1-30.");
        list.push(
            "Wilson 1927. Probable inference, the law of succession, and statistical inference. JASA 22:209-212.",
        );
    }
    list.sort_unstable();
    let mut text = "## References of the methods used\n\n".to_owned();
    for reference in list {
        let _ = writeln!(text, "- {reference}");
    }
    for facts in &manifest.data {
        let _ = writeln!(text, "- Data: {}", plain(&facts.citation));
    }
    text
}
