//! Records of the ledger as assets, and back.

use serde_json::Value;

use crate::model::{Asset, Time};

/// Why an asset of the ledger is not what this program writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the `{typename}` `{id}` in the store makes no sense: `{field}` is missing or of another kind")]
pub struct Misfit {
    /// Its type.
    pub typename: String,
    /// Its id.
    pub id: String,
    /// The field that makes no sense.
    pub field: &'static str,
}

/// Reads the fields of an asset.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Fields<'a>(pub(in crate::check) &'a Asset);

impl<'a> Fields<'a> {
    pub(in crate::check) fn misfit(self, field: &'static str) -> Misfit {
        Misfit { typename: self.0.typename.clone(), id: self.0.id.clone(), field }
    }

    pub(in crate::check) fn text(self, field: &'static str) -> Result<&'a str, Misfit> {
        self.0.text(field).ok_or_else(|| self.misfit(field))
    }

    pub(in crate::check) fn optional(self, field: &str) -> Option<String> {
        self.0.text(field).map(str::to_owned)
    }

    pub(in crate::check) fn word<T>(
        self,
        field: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Misfit> {
        self.0.text(field).and_then(read).ok_or_else(|| self.misfit(field))
    }

    pub(in crate::check) fn time(self, field: &'static str) -> Result<Time, Misfit> {
        self.word(field, |text| text.parse().ok())
    }

    pub(in crate::check) fn optional_time(self, field: &'static str) -> Result<Option<Time>, Misfit> {
        match self.0.text(field) {
            Some(text) => text.parse().map(Some).map_err(|_| self.misfit(field)),
            None => Ok(None),
        }
    }

    pub(in crate::check) fn count(self, field: &'static str) -> Result<u64, Misfit> {
        // A graph writes large numbers as texts.
        let value = self.0.fields.get(field);
        let number = value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
        number.ok_or_else(|| self.misfit(field))
    }

    pub(in crate::check) fn texts(self, field: &'static str) -> Vec<String> {
        self.items(field).filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    pub(in crate::check) fn items(self, field: &'static str) -> impl Iterator<Item = &'a Value> {
        self.0.fields.get(field).and_then(Value::as_array).into_iter().flatten()
    }
}

/// A moment as a field holds it.
pub(in crate::check) fn moment(time: Option<Time>) -> Value {
    time.map_or(Value::Null, |time| Value::String(time.to_string()))
}

/// A text of a JSON object.
pub(in crate::check) fn text_of(object: &Value, field: &str) -> Option<String> {
    object.get(field).and_then(Value::as_str).map(str::to_owned)
}
