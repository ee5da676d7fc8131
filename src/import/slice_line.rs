//! A slice as a line of a file: `{"__typename": "Slice", "assetType": "FlowLog", "accountId": "..", ..}`.

use serde_json::{Map, Value};

use super::SliceProblem;
use crate::{
    catalog::{Catalog, TypeKind},
    model::{SliceKey, SliceState, Time, nearest},
};

/// The `__typename` that marks a line as a slice.
pub(super) const TYPENAME: &str = "Slice";

/// Every key a slice line may have besides `__typename`.
pub(super) const KEYS: [&str; 8] =
    ["assetType", "accountId", "region", "outcome", "reason", "api", "attemptedAt", "completedAt"];

/// Reads one slice line; the count of its assets is left at 0.
pub(super) fn read(catalog: &Catalog, object: &Map<String, Value>) -> Result<SliceState, SliceProblem> {
    if let Some(key) = object.keys().find(|key| *key != "__typename" && !KEYS.contains(&key.as_str())) {
        return Err(SliceProblem::UnknownKey { key: key.clone() });
    }
    let asset_type = required(object, "assetType")?;
    check_type(catalog, asset_type)?;
    let key = SliceKey::new(required(object, "accountId")?, required(object, "region")?, asset_type);
    Ok(SliceState {
        key,
        api: optional(object, "api")?.unwrap_or_default().to_owned(),
        outcome: required(object, "outcome")?.parse()?,
        reason: optional(object, "reason")?.map(str::to_owned),
        attempted_at: time(object, "attemptedAt")?,
        completed_at: time(object, "completedAt")?,
        assets: 0,
    })
}

fn check_type(catalog: &Catalog, name: &str) -> Result<(), SliceProblem> {
    if catalog.find(name).is_some_and(|(_, definition)| definition.kind == TypeKind::Asset) {
        return Ok(());
    }
    let types = catalog.types().iter().filter(|definition| definition.kind == TypeKind::Asset);
    let nearest = nearest(name, types.map(|definition| definition.name.as_str())).map(str::to_owned);
    Err(SliceProblem::UnknownType { name: name.to_owned(), nearest })
}

fn required<'a>(object: &'a Map<String, Value>, key: &'static str) -> Result<&'a str, SliceProblem> {
    optional(object, key)?.ok_or(SliceProblem::MissingKey { key })
}

/// Null counts as absent; anything but a non-empty string is refused.
fn optional<'a>(object: &'a Map<String, Value>, key: &'static str) -> Result<Option<&'a str>, SliceProblem> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(SliceProblem::MissingKey { key }),
    }
}

fn time(object: &Map<String, Value>, key: &'static str) -> Result<Option<Time>, SliceProblem> {
    optional(object, key)?
        .map(|text| text.parse().map_err(|source| SliceProblem::BadTime { key, source }))
        .transpose()
}
