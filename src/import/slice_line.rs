//! A slice as a line of a file: `{"__typename": "Slice", "assetType": "FlowLog", "accountId": "..", ..}`.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::{SliceProblem, cursor::Cursor};
use crate::{
    catalog::{Catalog, TypeId, TypeKind},
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

/// Reads slice lines of the usual form in one pass. A large organisation has hundreds of thousands of them, most of a
/// few moments.
#[derive(Debug, Default)]
pub(super) struct SliceLines {
    /// The moment that was read last, as it was written.
    last: Option<(String, Time)>,
}

impl SliceLines {
    /// The slice of a line; nothing where [`read`] has to say what it is. `types` names those that can be collected.
    pub(super) fn read(&mut self, text: &str, types: &FxHashMap<&str, TypeId>) -> Option<SliceState> {
        let mut cursor = Cursor::new(text);
        let mut values: [Option<&str>; KEYS.len()] = [None; KEYS.len()];
        let mut given = 0u32;
        cursor.expect(b'{')?;
        loop {
            cursor.skip_blanks();
            let name = cursor.text()?;
            // The one key besides, which has been looked at, stands behind all others.
            let place = KEYS.iter().position(|key| *key == name).unwrap_or(KEYS.len());
            if given & 1 << place != 0 || (place == KEYS.len() && name != "__typename") {
                return None;
            }
            given |= 1 << place;
            cursor.skip_blanks();
            cursor.expect(b':')?;
            cursor.skip_blanks();
            if cursor.peek()? == b'n' {
                cursor.word(b"null")?;
            } else {
                let value = cursor.text().filter(|value| !value.is_empty())?;
                if let Some(slot) = values.get_mut(place) {
                    *slot = Some(value);
                } else if value != TYPENAME {
                    return None;
                }
            }
            cursor.skip_blanks();
            match cursor.take()? {
                b',' => {}
                b'}' if cursor.is_at_end() => break,
                _ => return None,
            }
        }
        let [asset_type, account_id, region, outcome, reason, api, attempted_at, completed_at] = values;
        let asset_type = asset_type.filter(|name| types.contains_key(name))?;
        Some(SliceState {
            key: SliceKey::new(account_id?, region?, asset_type),
            api: api.unwrap_or_default().to_owned(),
            outcome: outcome?.parse().ok()?,
            reason: reason.map(str::to_owned),
            attempted_at: self.time(attempted_at)?,
            completed_at: self.time(completed_at)?,
            assets: 0,
        })
    }

    /// A moment, or that there is none; nothing (at all) where it is no moment.
    fn time(&mut self, text: Option<&str>) -> Option<Option<Time>> {
        let Some(text) = text else { return Some(None) };
        match &self.last {
            Some((last, time)) if last == text => Some(Some(*time)),
            _ => {
                let time = text.parse().ok()?;
                self.last = Some((text.to_owned(), time));
                Some(Some(time))
            }
        }
    }
}
