//! The comparison of kernels as meant: every variation with its data, every kernel on it with its identity.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::config::{KernelFamily, RegressConfig, RegressTable, Solver};
use crate::arch::{Activation, Architecture, Mlp, Parametrization};
use crate::data::{DataConfig, Dataset, Loader, Split};
use crate::error::{Error, Result};
use crate::net::{Backend, Dtype, ensure_countable};
use crate::record::{KernelManifest, REGRESSION_SCHEMA, RunKind};
use crate::regress::Scorer;
use crate::study::config::{Config, TrainConfig};
use crate::study::plan::{computed_here, data_facts, digest, distinct_notes, ensure_folder_name};
use crate::study::vary::{Vary, combinations};

/// A checked comparison.
#[derive(Debug, Clone)]
pub struct RegressPlan {
    /// As written, with overrides applied.
    pub config: RegressConfig,
    /// The variations, in order.
    pub cells: Vec<Cell>,
    /// Threads.
    pub n_threads: usize,
}

/// One variation: one data set, split and prepared.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What it has of the varied settings.
    pub label: String,
    /// Its config, in which nothing varies.
    pub config: RegressConfig,
    /// The data before the split; variations share what they have in common.
    pub dataset: Arc<Dataset>,
    /// What kernels see.
    pub split: Arc<Split>,
    /// The kernels on it, in the order in which they are computed.
    pub kernels: Vec<KernelPlan>,
}

/// One kernel to regress with.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelPlan {
    /// Hash of everything that decides its numbers.
    pub id: String,
    /// Which.
    pub family: KernelFamily,
    /// Of which network, where it is of one; of the linear kernel, a network without hidden layers.
    pub architecture: Option<Architecture>,
}

/// Everything that decides a point's numbers; hashed in this order.
#[derive(Serialize)]
struct Identity<'a> {
    schema: u32,
    varied: &'a str,
    data_digest: &'a str,
    data: &'a DataConfig,
    family: KernelFamily,
    architecture: Option<&'a Architecture>,
    regress: &'a RegressTable,
    root_seed: u64,
    /// Of networks alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<Training<'a>>,
}

/// What decides the numbers of trained networks.
#[derive(Serialize)]
struct Training<'a> {
    train: Option<&'a TrainConfig>,
    n_seeds: usize,
    backend: Backend,
    dtype: Dtype,
}

impl RegressPlan {
    /// Checks `config`, loads the data of every variation and lays out its points. Relative paths start at `base`.
    ///
    /// # Errors
    /// An impossible value, by its key; data that cannot be used, by their place.
    pub fn new(config: RegressConfig, base: &Path) -> Result<Self> {
        ensure_folder_name(&config.study.name)?;
        config.compute.check()?;
        config.verdict.validate()?;
        ensure_variable(&config.vary)?;
        let mut loader = Loader::new(base);
        let mut cells = combinations(&config, &config.vary)?
            .into_iter()
            .map(|varied| Cell::new(varied.label, varied.config, &mut loader))
            .collect::<Result<Vec<_>>>()?;
        ensure_distinct(&cells)?;
        tell_apart(&mut cells);
        let n_threads =
            config.compute.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        Ok(Self { config, cells, n_threads })
    }

    /// How many kernels there are to regress with.
    #[must_use]
    pub fn n_points(&self) -> usize {
        self.cells.iter().map(|cell| cell.kernels.len()).sum()
    }

    /// Every kernel with its variation, in the order in which they are computed.
    pub fn points(&self) -> impl Iterator<Item = (&Cell, &KernelPlan)> {
        self.cells.iter().flat_map(|cell| cell.kernels.iter().map(move |kernel| (cell, kernel)))
    }

    /// What was found in the data and done about it, each once.
    #[must_use]
    pub fn notes(&self) -> Vec<&str> {
        distinct_notes(self.cells.iter().map(|cell| &*cell.split))
    }

    /// What is written before the first point.
    ///
    /// # Errors
    /// When the config cannot be encoded.
    pub fn manifest(&self) -> Result<KernelManifest> {
        let points = self.points().map(|(_, kernel)| kernel.id.clone());
        Ok(KernelManifest {
            kind: RunKind::Regression,
            schema: REGRESSION_SCHEMA,
            study: self.config.study.name.clone(),
            question: self.config.study.question.clone(),
            config: self.config.to_toml()?,
            root_seed: self.config.seeds.root,
            data: data_facts(self.cells.iter().map(|cell| (&*cell.dataset, &*cell.split))),
            margin: self.config.verdict.margin,
            confidence: self.config.verdict.confidence,
            earlier_criteria: Vec::new(),
            points: points.collect(),
            computed_by: vec![computed_here(self.n_threads)],
        })
    }
}

impl Cell {
    fn new(label: String, config: RegressConfig, loader: &mut Loader<'_>) -> Result<Self> {
        config.regress.validate()?;
        let (dataset, split) = loader.load(&config.data, config.seeds.root)?;
        let n_train = split.x_train.n_rows();
        let n_selection = match config.regress.solver {
            Solver::Exact => n_train,
            _ => n_train.min(config.regress.n_selection),
        };
        Scorer::new(config.regress.select, n_selection, config.seeds.root)?;
        // What was left to a default is as much a setting as what was written.
        let data = DataConfig { n_train: Some(n_train), n_test: Some(split.x_test.n_rows()), ..config.data.clone() };
        let mut kernels = Vec::new();
        for (family, architecture) in members(&config, &split)? {
            let identity = Identity {
                schema: REGRESSION_SCHEMA,
                varied: &label,
                data_digest: &dataset.digest,
                data: &data,
                family,
                architecture: architecture.as_ref(),
                regress: &config.regress,
                root_seed: config.seeds.root,
                training: (family == KernelFamily::Network).then(|| Training {
                    train: config.train.as_ref(),
                    n_seeds: config.seeds.n_seeds,
                    backend: config.compute.backend.unwrap_or_else(Backend::preferred),
                    dtype: config.compute.dtype,
                }),
            };
            kernels.push(KernelPlan { id: digest(&identity)?, family, architecture });
        }
        Ok(Self { label, config, dataset, split, kernels })
    }
}

/// What says nothing about a regression cannot tell one from another.
fn ensure_variable(vary: &Vary) -> Result<()> {
    let is_of_regression = |key: &str| {
        ["data", "arch", "regress", "seeds", "train"].iter().any(|table| key.split('.').next() == Some(*table))
    };
    match vary.keys().find(|key| !is_of_regression(key)) {
        None => Ok(()),
        Some(key) => Err(Error::config(
            format!("vary.\"{key}\""),
            "this setting cannot vary: no regression depends on it",
            "vary settings of [data], [arch], [regress], [train] or [seeds]",
        )),
    }
}

/// A point that is there twice would count as two.
fn ensure_distinct(cells: &[Cell]) -> Result<()> {
    let mut seen = HashSet::new();
    for cell in cells {
        for kernel in &cell.kernels {
            if !seen.insert(&kernel.id) {
                return Err(Error::config(
                    if cell.label.is_empty() { "regress.kernels".to_owned() } else { format!("vary: {}", cell.label) },
                    format!("the kernel `{}` is there twice with the same settings", kernel.family),
                    "name every kernel, and every value that varies, once",
                ));
            }
        }
    }
    Ok(())
}

/// Sources that call their data alike get what differs between them into the name.
fn tell_apart(cells: &mut [Cell]) {
    let source = |cell: &Cell| -> Vec<String> {
        let value = cell.label.split(' ').find_map(|part| part.strip_prefix("data.source="));
        value.map_or(Vec::new(), |value| value.split(',').map(|part| part.replace(':', " ")).collect())
    };
    let all: Vec<(String, String, Vec<String>)> =
        cells.iter().map(|cell| (cell.dataset.name.clone(), cell.dataset.digest.clone(), source(cell))).collect();
    for cell in cells.iter_mut() {
        let of_name: Vec<_> = all.iter().filter(|(name, ..)| *name == cell.dataset.name).collect();
        let differs = |part: &String| of_name.iter().any(|(.., parts)| !parts.contains(part));
        let parts: Vec<String> = source(cell).into_iter().filter(differs).collect();
        let is_shared = of_name.iter().any(|(_, digest, _)| *digest != cell.dataset.digest);
        if is_shared && !parts.is_empty() {
            let name = format!("{} ({})", cell.dataset.name, parts.join(", "));
            Arc::make_mut(&mut cell.dataset).name = name;
        }
    }
}

/// The kernels of a config, those of networks once for every different limit.
fn members(config: &RegressConfig, split: &Split) -> Result<Vec<(KernelFamily, Option<Architecture>)>> {
    let (d_in, d_out) = (split.x_train.n_cols(), split.y_train.n_cols());
    let mut architectures: Vec<Architecture> = Vec::new();
    let mut limits: Vec<Architecture> = Vec::new();
    let of_networks = config.regress.kernels.iter().any(|family| family.is_of_network());
    if of_networks {
        let table = config.arch.as_ref().ok_or_else(|| {
            Error::config(
                "arch",
                "kernels of networks are asked for, and no network is described",
                "add `[arch]` with depth, width, activation and w_std, or leave `ntk` and `nngp` out of `regress.kernels`",
            )
        })?;
        architectures = table.architectures(d_in, d_out)?;
        for architecture in architectures.iter().cloned() {
            if limits.iter().all(|limit| architecture.ensure_same_kernel(limit).is_err()) {
                limits.push(architecture);
            }
        }
    }
    let mut members = Vec::new();
    for &family in &config.regress.kernels {
        match family {
            KernelFamily::Ntk | KernelFamily::Nngp => {
                members.extend(limits.iter().map(|architecture| (family, Some(architecture.clone()))));
            }
            KernelFamily::Network => {
                Config::of_regression(config)?;
                ensure_one_width(&architectures)?;
                architectures.iter().try_for_each(ensure_countable)?;
                members.extend(architectures.iter().map(|architecture| (family, Some(architecture.clone()))));
            }
            KernelFamily::Linear => members.push((family, Some(affine(d_in, d_out)?))),
            KernelFamily::Laplace | KernelFamily::Matern | KernelFamily::Rbf => members.push((family, None)),
        }
    }
    Ok(members)
}

/// Rows tell networks apart by their depth.
fn ensure_one_width(architectures: &[Architecture]) -> Result<()> {
    let is_alike = |a: &Architecture, b: &Architecture| a.depth() == b.depth();
    match architectures.iter().enumerate().find(|(i, a)| architectures[..*i].iter().any(|b| is_alike(a, b))) {
        None => Ok(()),
        Some((_, twice)) => Err(Error::config(
            "arch.width",
            format!("there are several networks of depth {}, and beside kernels one is compared", twice.depth()),
            "give one width; `ntk run` compares widths",
        )),
    }
}

/// A network without hidden layers, whose NNGP is <x, x'> / d + 1.
fn affine(d_in: usize, d_out: usize) -> Result<Architecture> {
    let (activation, parametrization) = (Activation::Identity, Parametrization::Ntk);
    Mlp { depth: 0, width: 1, activation, w_std: 1.0, b_std: 1.0, parametrization }.architecture(d_in, d_out)
}
