//! [`Loader`]: the data of many settings, each source loaded once and each split made once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::config::DataConfig;
use super::dataset::Dataset;
use super::repeats::{Settled, settle};
use super::source::Source;
use super::split::Split;
use crate::error::{Error, Result};

/// Loads and splits data for the settings of one study, which mostly share them.
#[derive(Debug)]
pub struct Loader<'a> {
    base: &'a Path,
    datasets: HashMap<String, Arc<Dataset>>,
    settled: HashMap<String, Arc<Settled>>,
    splits: HashMap<String, Arc<Split>>,
}

impl<'a> Loader<'a> {
    /// Of sources whose relative paths start at `base`, the config file's folder.
    #[must_use]
    pub fn new(base: &'a Path) -> Self {
        Self { base, datasets: HashMap::new(), settled: HashMap::new(), splits: HashMap::new() }
    }

    /// The data of `config` and their split.
    ///
    /// # Errors
    /// As [`Source::load`] and [`Split::new`].
    pub fn load(&mut self, config: &DataConfig, root_seed: u64) -> Result<(Arc<Dataset>, Arc<Split>)> {
        // Rows that nobody draws are the same for every seed.
        let draws = matches!(config.source, Source::Synthetic(_)).then_some(root_seed);
        let (source, choice) = (&config.source, config.repeated_inputs);
        let dataset = once(&mut self.datasets, &(source, draws), || source.load(root_seed, self.base))?;
        let settled = once(&mut self.settled, &(source, draws, choice), || Ok(settle(&dataset, choice)))?;
        let split =
            once(&mut self.splits, &(config, root_seed), || Split::of_settled(&dataset, &settled, config, root_seed))?;
        Ok((dataset, split))
    }
}

/// What is known under `key`, or else made and remembered.
fn once<T>(
    known: &mut HashMap<String, Arc<T>>,
    key: &impl serde::Serialize,
    make: impl FnOnce() -> Result<T>,
) -> Result<Arc<T>> {
    let key = serde_json::to_string(key)
        .map_err(|reason| Error::Check(format!("the data settings cannot be written as JSON: {reason}")))?;
    if let Some(there) = known.get(&key) {
        return Ok(Arc::clone(there));
    }
    let made = Arc::new(make()?);
    known.insert(key, Arc::clone(&made));
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(source: &str) -> DataConfig {
        toml::from_str(&format!("source = {source}\nn_train = 20\nn_test = 10")).expect("a config of data")
    }

    #[test]
    fn settings_share_what_is_the_same_and_nothing_else() {
        let mut loader = Loader::new(Path::new("."));
        let yacht = config("{ vendored = 'yacht' }");
        let (dataset, split) = loader.load(&yacht, 1).unwrap();
        let (again, same) = loader.load(&yacht, 1).unwrap();
        assert!(Arc::ptr_eq(&dataset, &again) && Arc::ptr_eq(&split, &same));

        let (again, other) = loader.load(&yacht, 2).unwrap();
        assert!(Arc::ptr_eq(&dataset, &again), "a file does not depend on the seed");
        assert_ne!(split.x_train, other.x_train, "its split does");
        let noisy = DataConfig { label_noise: 0.1, ..yacht.clone() };
        assert_ne!(loader.load(&noisy, 1).unwrap().1.y_train, split.y_train);

        let drawn = config("{ synthetic = { kind = 'sine', n_rows = 40, frequency = 1 } }");
        assert_ne!(loader.load(&drawn, 1).unwrap().0.inputs, loader.load(&drawn, 2).unwrap().0.inputs);
    }

    #[test]
    fn the_loader_gives_what_source_and_split_give() {
        let yacht = config("{ vendored = 'yacht' }");
        let (dataset, split) = Loader::new(Path::new(".")).load(&yacht, 3).unwrap();
        assert_eq!(*dataset, yacht.source.load(3, Path::new(".")).unwrap());
        assert_eq!(*split, Split::new(&dataset, &yacht, 3).unwrap());
    }
}
