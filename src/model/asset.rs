//! One asset as a collector or a file gives it: a type name, an id, and fields that no schema has judged yet.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One thing in the inventory, of one type, under one id (its ARN where AWS gives it one).
///
/// The fields are plain JSON; whether they fit the type is the catalog's to say (`Catalog::check_asset`).
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// The name of the type, e.g. `Vpc`.
    pub typename: String,
    /// Unique within the type.
    pub id: String,
    /// Everything but `__typename`, `id` and `__unknown`, sorted by name.
    pub fields: Map<String, Value>,
    /// Fields whose value could not be seen (denied, known only after apply): neither a value nor null.
    pub unknown: BTreeSet<String>,
}

/// Why a JSON object is not an asset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    /// The line is JSON, but not an object.
    #[error("an asset is a JSON object, not {found}")]
    NotAnObject {
        /// What stands there instead.
        found: &'static str,
    },
    /// `__typename` or `id` is missing or not a non-empty string.
    #[error("`{key}` must be a non-empty string")]
    MissingKey {
        /// The key that is missing.
        key: &'static str,
    },
    /// `__unknown` is not a list of field names.
    #[error("`__unknown` must be a list of field names")]
    BadUnknown,
    /// A field is listed as unknown and has a value as well.
    #[error("`{field}` is listed in `__unknown` and has a value: give one of the two")]
    UnknownWithValue {
        /// The field.
        field: String,
    },
}

impl Asset {
    /// An asset without any fields yet.
    pub fn new(typename: impl Into<String>, id: impl Into<String>) -> Self {
        Self { typename: typename.into(), id: id.into(), fields: Map::new(), unknown: BTreeSet::new() }
    }

    /// Sets one field; a JSON null is kept as an explicit null.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// The string value of a field, or nothing where it is null, absent or not a string.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// The account that owns the asset.
    #[must_use]
    pub fn account_id(&self) -> Option<&str> {
        self.text("accountId")
    }

    /// The region the asset lives in.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.text("region")
    }

    /// Reads the NDJSON form: `{"__typename": "Vpc", "id": "arn:..", ..}`, with `"__unknown": ["field"]` for what
    /// could not be seen.
    ///
    /// # Errors
    /// Says what is missing or malformed.
    pub fn from_json(value: Value) -> Result<Self, AssetError> {
        let Value::Object(mut fields) = value else {
            return Err(AssetError::NotAnObject { found: kind_of(&value) });
        };
        let typename = take_text(&mut fields, "__typename")?;
        let id = take_text(&mut fields, "id")?;
        let unknown = match fields.remove("__unknown") {
            None => BTreeSet::new(),
            Some(Value::Array(names)) => names
                .into_iter()
                .map(|name| match name {
                    Value::String(name) => Ok(name),
                    _ => Err(AssetError::BadUnknown),
                })
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(AssetError::BadUnknown),
        };
        if let Some(field) = unknown.iter().find(|field| fields.contains_key(*field)) {
            return Err(AssetError::UnknownWithValue { field: field.clone() });
        }
        Ok(Self { typename, id, fields, unknown })
    }

    /// The NDJSON form, the inverse of [`Asset::from_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.clone().into_json()
    }

    /// The same, of an asset that is not needed any more.
    #[must_use]
    pub fn into_json(self) -> Value {
        let Self { typename, id, fields: mut object, unknown } = self;
        object.insert("__typename".to_owned(), Value::String(typename));
        object.insert("id".to_owned(), Value::String(id));
        if !unknown.is_empty() {
            object.insert("__unknown".to_owned(), unknown.into_iter().collect());
        }
        Value::Object(object)
    }
}

fn take_text(fields: &mut Map<String, Value>, key: &'static str) -> Result<String, AssetError> {
    match fields.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(AssetError::MissingKey { key }),
    }
}

/// What a JSON value is, in words that stand in a sentence: `a string`.
#[must_use]
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
