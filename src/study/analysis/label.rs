//! The label of a row or a group, which holds what the study varies: `data.n_train=64 data.split_seed=3 train.ridge=0`. Which part of it is
//! a setting and which repeats one, and how either is put into words.

/// The varied keys that repeat a setting with other data and are no part of what it asks.
///
/// Under `data.split_seed` alone the networks of all replicates start from the same parameters, so that an interval over replicates knows
/// nothing of the seeds; under `seeds.root` both are drawn anew, and replicates are independent of each other.
pub(super) const REPLICATES: [&str; 2] = ["data.split_seed", "seeds.root"];

/// The value of a varied key as it was written: of the label above under `data.n_train`, `64`.
pub(super) fn varied<'a>(label: &'a str, key: &str) -> Option<&'a str> {
    parts(label).find_map(|(other, value)| (other == key).then_some(value))
}

/// The label without some of its keys: what the rows that differ in these alone share.
pub(super) fn without(label: &str, keys: &[&str]) -> String {
    only(label, |key| !keys.contains(&key))
}

/// The label without what repeats its setting.
pub(super) fn setting(label: &str) -> String {
    without(label, &REPLICATES)
}

/// What repeats it.
pub(super) fn replicate(label: &str) -> String {
    only(label, |key| REPLICATES.contains(&key))
}

fn only(label: &str, is_kept: impl Fn(&str) -> bool) -> String {
    let kept = parts(label).filter(|(key, _)| is_kept(key)).map(|(key, value)| format!("{key}={value}"));
    kept.collect::<Vec<_>>().join(" ")
}

/// Key and value of everything in a label.
pub(super) fn parts(label: &str) -> impl Iterator<Item = (&str, &str)> {
    label.split(' ').filter_map(|part| part.split_once('='))
}

/// As "64 training rows, label noise 0.5, plain start"; empty where nothing varies.
pub(super) fn in_words(label: &str) -> String {
    parts(label).map(|(key, value)| phrase(key, value)).collect::<Vec<_>>().join(", ")
}

/// Its values alone, where a figure has no room for more and says elsewhere what they are values of.
pub(super) fn values(label: &str) -> String {
    parts(label).map(|(_, value)| value).collect::<Vec<_>>().join(", ")
}

/// What they are values of.
pub(super) fn names(label: &str) -> String {
    parts(label).map(|(key, _)| name(key)).collect::<Vec<_>>().join(", ")
}

/// The depth, and the setting where there is one.
pub(super) fn title(depth: usize, setting: &str) -> String {
    match in_words(setting) {
        words if words.is_empty() => format!("depth {depth}"),
        words => format!("depth {depth}, {words}"),
    }
}

/// One value in words. A number needs the name of its key; most words, such as those of an activation, do without.
pub(super) fn phrase(key: &str, value: &str) -> String {
    let name = name(key);
    let value = value.replace('_', " ");
    match name.as_str() {
        "n train" => format!("{value} training rows"),
        "n steps" => format!("{value} steps"),
        "initial function" => format!("{value} start"),
        "parametrization" => format!("{value} parametrization"),
        _ if value.parse::<f64>().is_ok() => format!("{name} {value}"),
        _ => value,
    }
}

/// A key in words: `data.label_noise` as "label noise".
pub(super) fn name(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_key_by_key() {
        let label = "data.n_train=64 data.n_train_more=1 seeds.root=7 train.ridge=0";
        assert_eq!(varied(label, "data.n_train"), Some("64"));
        assert_eq!(varied(label, "train.step"), None);
        assert_eq!(without(label, &["data.n_train", "train.ridge"]), "data.n_train_more=1 seeds.root=7");
        assert_eq!(setting(label), "data.n_train=64 data.n_train_more=1 train.ridge=0");
        assert_eq!(replicate(label), "seeds.root=7");
    }

    #[test]
    fn a_value_has_the_words_it_needs() {
        let label = "arch=layer_norm data.n_train=64 data.label_noise=0.5 train.initial_function=plain";
        assert_eq!(in_words(label), "layer norm, 64 training rows, label noise 0.5, plain start");
        assert_eq!(title(2, "data.label_noise=0.5"), "depth 2, label noise 0.5");
        assert_eq!((values("a.n_b=1 c=x").as_str(), names("a.n_b=1 c=x").as_str()), ("1, x", "n b, c"));
        assert_eq!((in_words(""), title(1, "")), (String::new(), "depth 1".to_owned()));
    }
}
