//! Names people write: which known one was meant.

/// The known name that is most like a name, or nothing if none is like it.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let written = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            let candidate_lower = candidate.to_lowercase();
            let slips = strsim::damerau_levenshtein(&written, &candidate_lower);
            let likeness = strsim::jaro_winkler(&written, &candidate_lower);
            (slips, likeness, candidate)
        })
        // A slip in three letters, as in `Vcp`, or much in common, as in `vpcs` and `vpcsByAccount`.
        .filter(|(slips, likeness, _)| slips * 3 <= written.len() || *likeness > 0.75)
        .min_by(|one, other| {
            one.0.cmp(&other.0).then(other.1.total_cmp(&one.1)).then_with(|| one.2.cmp(other.2))
        })
        .map(|(_, _, candidate)| candidate)
}
