//! What lies between two states of an asset.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Asset;

/// How an asset differs between two moments.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is there at the later moment only.
    Appeared(Asset),
    /// Its fields differ; at least one of them does.
    Changed {
        /// As it was.
        before: Asset,
        /// As it became.
        after: Asset,
    },
    /// It was there at the earlier moment only.
    Vanished(Asset),
}

/// What is known of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// Its value; null where there is none.
    Known(Value),
    /// It could not be seen.
    Unknown,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The name of the field.
    pub field: String,
    /// What it was.
    pub before: FieldValue,
    /// What it became.
    pub after: FieldValue,
}

/// The fields that differ, by name. A field that is not given is the same as one that is null.
#[must_use]
pub fn field_changes(before: &Asset, after: &Asset) -> Vec<FieldChange> {
    let names =
        |asset: &Asset| asset.fields.keys().chain(&asset.unknown).cloned().collect::<BTreeSet<String>>();
    let value = |asset: &Asset, field: &str| match asset.fields.get(field) {
        _ if asset.unknown.contains(field) => FieldValue::Unknown,
        known => FieldValue::Known(known.cloned().unwrap_or_default()),
    };
    names(before)
        .union(&names(after))
        .map(|field| FieldChange {
            field: field.clone(),
            before: value(before, field),
            after: value(after, field),
        })
        .filter(|change| change.before != change.after)
        .collect()
}
