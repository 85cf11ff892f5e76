//! The known name closest to a mistyped one.

/// "did you mean `concrete`?" after a semicolon, or nothing when no candidate is close.
pub(super) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_answered_with_the_nearest_name_and_nonsense_with_none() {
        let names = ["concrete", "ccpp", "wine_red"];
        assert_eq!(did_you_mean("Concrte", names), "; did you mean `concrete`?");
        assert_eq!(did_you_mean("xqzk", names), "");
    }
}
