//! Whether the data of an asset fits its type. What does not is refused by name and field; nothing is guessed.

use serde_json::{Map, Value};

use super::{
    scalar,
    types::{Catalog, Field, FieldKind, ScalarType, TypeDef, TypeId, TypeKind},
};
use crate::model::{Asset, nearest};

/// Why an asset does not fit the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssetMisfit {
    /// No type of that name holds assets.
    #[error("there is no asset type `{typename}`{}", did_you_mean(.nearest))]
    UnknownType {
        /// The name given.
        typename: String,
        /// The known name most like it.
        nearest: Option<String>,
    },
    /// The type is an interface or has no id.
    #[error("`{typename}` is {what}: an asset names its own type")]
    NotAnAssetType {
        /// The name given.
        typename: String,
        /// What it is instead.
        what: &'static str,
    },
    /// The type has no such field.
    #[error("`{typename}` `{id}`: there is no field `{field}`{}", did_you_mean(.nearest))]
    UnknownField {
        /// The asset's type.
        typename: String,
        /// The asset's id.
        id: String,
        /// The field, with the way to it, e.g. `tags[0].kee`.
        field: String,
        /// The known name most like it.
        nearest: Option<String>,
    },
    /// The field is derived and can't be given.
    #[error("`{typename}` `{id}`: `{field}` is {what} and cannot be given; leave it out")]
    Derived {
        /// The asset's type.
        typename: String,
        /// The asset's id.
        id: String,
        /// The field.
        field: String,
        /// A relation or computed.
        what: &'static str,
    },
    /// A field that is never null is absent or null.
    #[error("`{typename}` `{id}`: `{field}` is missing; give it, or list `{}` in `__unknown`", top_field(.field))]
    Missing {
        /// The asset's type.
        typename: String,
        /// The asset's id.
        id: String,
        /// The field, with the way to it.
        field: String,
    },
    /// The value is not of the field's type.
    #[error("`{typename}` `{id}`: `{field}` must be {expected}, not {found}")]
    WrongValue {
        /// The asset's type.
        typename: String,
        /// The asset's id.
        id: String,
        /// The field, with the way to it.
        field: String,
        /// What it must be, e.g. `a DateTime such as 2026-11-20T12:04:11Z`.
        expected: String,
        /// What stands there, cut short.
        found: String,
    },
}

/// The field of the asset itself that a way begins with.
fn top_field(way: &str) -> &str {
    way.split(['.', '[']).next().unwrap_or(way)
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

impl AssetMisfit {
    /// The stable code, unique among the misfits.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownType { .. } => "unknown_asset_type",
            Self::NotAnAssetType { .. } => "not_an_asset_type",
            Self::UnknownField { .. } => "unknown_asset_field",
            Self::Derived { .. } => "derived_asset_field",
            Self::Missing { .. } => "missing_asset_field",
            Self::WrongValue { .. } => "wrong_asset_value",
        }
    }
}

impl Catalog {
    /// Checks an asset against its type: every field known and of the right kind, none missing that is never null (a
    /// field in `asset.unknown` counts as given), no relation or computed field given.
    ///
    /// # Errors
    /// The first misfit: a name the type does not store, then a value that does not fit.
    pub fn check_asset(&self, asset: &Asset) -> Result<(), AssetMisfit> {
        self.fitting_type(asset).map(|_| ())
    }

    /// The type of an asset that fits it, checked as [`Catalog::check_asset`] does.
    pub(super) fn fitting_type(&self, asset: &Asset) -> Result<(TypeId, &TypeDef), AssetMisfit> {
        let (of, definition) = self.asset_type(&asset.typename)?;
        let check = Check { catalog: self, asset };
        let fitting = check.fields_of_type(definition);
        // Names are looked up one by one only where something is off: this runs for every line of an import.
        if fitting.as_ref() != Ok(&asset.fields.len()) || !asset.unknown.is_empty() {
            check.known_fields(definition)?;
        }
        fitting.map(|_| (of, definition))
    }

    fn asset_type(&self, typename: &str) -> Result<(TypeId, &TypeDef), AssetMisfit> {
        let what = match self.find(typename) {
            Some((of, definition)) => match definition.kind {
                TypeKind::Asset => return Ok((of, definition)),
                TypeKind::Interface => "an interface",
                TypeKind::Embedded => "a type without an id",
            },
            None => {
                let assets = self.types.iter().filter(|definition| definition.kind == TypeKind::Asset);
                let near = nearest(typename, assets.map(|definition| definition.name.as_str()));
                return Err(AssetMisfit::UnknownType {
                    typename: typename.to_owned(),
                    nearest: near.map(str::to_owned),
                });
            }
        };
        Err(AssetMisfit::NotAnAssetType { typename: typename.to_owned(), what })
    }
}

struct Check<'c> {
    catalog: &'c Catalog,
    asset: &'c Asset,
}

impl Check<'_> {
    /// How many of the type's stored fields are given; an error where one does not fit or is missing.
    fn fields_of_type(&self, definition: &TypeDef) -> Result<usize, AssetMisfit> {
        let mut given = 0;
        for field in definition.fields.iter().filter(|field| field.name != "id") {
            match (self.asset.fields.get(&field.name), &field.kind) {
                (_, FieldKind::Relation { .. } | FieldKind::Computed { .. }) => {}
                (None, _) if field.nullable || self.asset.unknown.contains(&field.name) => {}
                (None, _) => return Err(self.missing(&field.name)),
                (Some(value), _) => {
                    self.value(field, value, &field.name)?;
                    given += 1;
                }
            }
        }
        Ok(given)
    }

    /// An error where a field is given or listed as unknown that the type does not store.
    fn known_fields(&self, definition: &TypeDef) -> Result<(), AssetMisfit> {
        for name in self.asset.fields.keys().chain(&self.asset.unknown) {
            let Some((_, field)) = definition.find(name) else {
                return Err(self.unknown_field(definition, name, name));
            };
            let what = match &field.kind {
                FieldKind::Relation { .. } => "a relation",
                FieldKind::Computed { .. } => "computed",
                FieldKind::Scalar { .. } | FieldKind::Embedded { .. } => continue,
            };
            let Asset { typename, id, .. } = self.asset;
            return Err(AssetMisfit::Derived {
                typename: typename.clone(),
                id: id.clone(),
                field: name.clone(),
                what,
            });
        }
        Ok(())
    }

    fn value(&self, field: &Field, value: &Value, path: &str) -> Result<(), AssetMisfit> {
        if value.is_null() {
            return if field.nullable { Ok(()) } else { Err(self.missing(path)) };
        }
        let list = match &field.kind {
            FieldKind::Scalar { list, .. } | FieldKind::Embedded { list, .. } => *list,
            FieldKind::Relation { .. } | FieldKind::Computed { .. } => None,
        };
        let Some(shape) = list else { return self.item(field, value, path) };
        let Value::Array(items) = value else {
            return Err(self.wrong(path, "a list".to_owned(), value));
        };
        for (position, item) in items.iter().enumerate() {
            if item.is_null() && shape.nullable_items {
                continue;
            }
            // The path is only written out once something is wrong.
            if item.is_null() || self.item(field, item, path).is_err() {
                let path = format!("{path}[{position}]");
                return if item.is_null() { Err(self.missing(&path)) } else { self.item(field, item, &path) };
            }
        }
        Ok(())
    }

    fn item(&self, field: &Field, value: &Value, path: &str) -> Result<(), AssetMisfit> {
        match &field.kind {
            FieldKind::Scalar { scalar, .. } => {
                if self.fits(*scalar, value) {
                    Ok(())
                } else {
                    Err(self.wrong(path, self.expected(*scalar), value))
                }
            }
            FieldKind::Embedded { of, .. } => match value {
                Value::Object(object) => self.object(self.catalog.get(*of), object, path),
                _ => Err(self.wrong(path, "an object".to_owned(), value)),
            },
            FieldKind::Relation { .. } | FieldKind::Computed { .. } => Ok(()),
        }
    }

    fn object(
        &self,
        definition: &TypeDef,
        object: &Map<String, Value>,
        path: &str,
    ) -> Result<(), AssetMisfit> {
        if let Some(name) = object.keys().find(|name| definition.find(name).is_none()) {
            return Err(self.unknown_field(definition, name, &format!("{path}.{name}")));
        }
        for field in &definition.fields {
            match object.get(&field.name) {
                None if field.nullable => {}
                None => return Err(self.missing(&format!("{path}.{}", field.name))),
                // The path is only written out once something is wrong.
                Some(value) if self.value(field, value, path).is_ok() => {}
                Some(value) => self.value(field, value, &format!("{path}.{}", field.name))?,
            }
        }
        Ok(())
    }

    fn fits(&self, kind: ScalarType, value: &Value) -> bool {
        let text = value.as_str();
        match kind {
            ScalarType::String => text.is_some(),
            ScalarType::Id => text.is_some() || value.is_i64() || value.is_u64(),
            ScalarType::Int => scalar::read_int(value).is_some(),
            ScalarType::BigInt => scalar::read_big_int(value).is_some(),
            ScalarType::Float => scalar::read_float(value).is_some(),
            ScalarType::Boolean => value.is_boolean(),
            ScalarType::DateTime => text.and_then(scalar::parse_datetime).is_some(),
            ScalarType::Date => text.and_then(scalar::parse_date).is_some(),
            ScalarType::Cidr => text.and_then(scalar::parse_net).is_some(),
            ScalarType::IpAddress => text.is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
            ScalarType::Json => true,
            ScalarType::Enum(id) => {
                let values = &self.catalog.get_enum(id).values;
                text.is_some_and(|text| values.iter().any(|value| value == text))
            }
        }
    }

    fn expected(&self, kind: ScalarType) -> String {
        let expected = match kind {
            ScalarType::String => "a string",
            ScalarType::Id => "a string or an integer",
            ScalarType::Int => "an integer of 32 bits",
            ScalarType::BigInt => "an integer of 64 bits, or a string of one",
            ScalarType::Float => "a number",
            ScalarType::Boolean => "true or false",
            ScalarType::DateTime => "a DateTime such as 2026-11-20T12:04:11Z",
            ScalarType::Date => "a Date such as 2026-11-20",
            ScalarType::Cidr => "a CIDR such as 10.0.0.0/16",
            ScalarType::IpAddress => "an IP address such as 10.0.0.1",
            ScalarType::Json => "JSON",
            ScalarType::Enum(id) => {
                let definition = self.catalog.get_enum(id);
                return format!("one of {}", definition.values.join(", "));
            }
        };
        expected.to_owned()
    }

    fn missing(&self, path: &str) -> AssetMisfit {
        let Asset { typename, id, .. } = self.asset;
        AssetMisfit::Missing { typename: typename.clone(), id: id.clone(), field: path.to_owned() }
    }

    fn unknown_field(&self, definition: &TypeDef, name: &str, path: &str) -> AssetMisfit {
        let known = definition
            .fields
            .iter()
            .filter(|field| matches!(field.kind, FieldKind::Scalar { .. } | FieldKind::Embedded { .. }));
        let Asset { typename, id, .. } = self.asset;
        AssetMisfit::UnknownField {
            typename: typename.clone(),
            id: id.clone(),
            field: path.to_owned(),
            nearest: nearest(name, known.map(|field| field.name.as_str())).map(str::to_owned),
        }
    }

    fn wrong(&self, path: &str, expected: String, value: &Value) -> AssetMisfit {
        const SHOWN: usize = 60;
        let mut found = match value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::String(text) => format!("`{}`", text.chars().take(SHOWN + 1).collect::<String>()),
            other => other.to_string(),
        };
        if found.chars().count() > SHOWN {
            found = found.chars().take(SHOWN).chain("..`".chars()).collect();
        }
        let Asset { typename, id, .. } = self.asset;
        AssetMisfit::WrongValue {
            typename: typename.clone(),
            id: id.clone(),
            field: path.to_owned(),
            expected,
            found,
        }
    }
}
