//! What to cite for the methods that a run used.

use crate::record::Row;

/// The references of the methods behind these rows, alphabetically.
pub(super) fn of_run(rows: &[&Row]) -> Vec<&'static str> {
    let uses = |test: &dyn Fn(&Row) -> bool| rows.iter().any(|row| test(row));
    let mut references = vec![
        "Jacot, Gabriel, Hongler 2018. Neural tangent kernel: convergence and generalization in neural networks. arXiv:1806.07572.",
        "Lee, Bahri, Novak, Schoenholz, Pennington, Sohl-Dickstein 2018. Deep neural networks as Gaussian processes. arXiv:1711.00165.",
        "Lee, Xiao, Schoenholz, Bahri, Novak, Sohl-Dickstein, Pennington 2019. Wide neural networks of any depth evolve as linear models \
         under gradient descent. arXiv:1902.06720.",
        "Liu, Tai, Crandall, Huang 2025. Issues with neural tangent kernel approach to neural networks. arXiv:2501.10929. (The question; \
         its settings and numbers are not reproduced here.)",
        "Novak, Sohl-Dickstein, Schoenholz 2022. Fast finite width neural tangent kernel. arXiv:2206.08720. (Structured derivatives.)",
        "Rasmussen, Williams 2006. Gaussian processes for machine learning. MIT Press. (RBF, Laplace and Matern kernels.)",
        "Cortes, Mohri, Rostamizadeh 2012. Algorithms for learning kernels based on centered alignment. JMLR 13:795-828.",
    ];
    let activation = |names: &[&str]| uses(&|row| names.iter().any(|name| row.activation.contains(name)));
    if activation(&["relu", "two-slope", "abs", "sign", "step"]) {
        references.push(
            "Cho, Saul 2009. Kernel methods for deep learning. NIPS 22. (Duals of activations with a kink or a jump.)",
        );
    }
    if activation(&["erf", "sigmoid-like"]) {
        references.push("Williams 1997. Computing with infinite networks. NIPS 9. (The erf dual activation.)");
    }
    if activation(&["gelu"]) {
        references.push("Hendrycks, Gimpel 2016. Gaussian error linear units. arXiv:1606.08415.");
    }
    if uses(&|row| row.initial_function != "plain") {
        references
            .push("Chizat, Oyallon, Bach 2019. On lazy training in differentiable programming. arXiv:1812.07956.");
    }
    if uses(&|row| row.parametrization == "standard") {
        references.push("Sohl-Dickstein, Novak, Schoenholz, Lee 2020. On the infinite width limit of neural networks with a standard \
                         parameterization. arXiv:2001.07301.");
    }
    references.sort_unstable();
    references
}
