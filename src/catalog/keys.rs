//! The keys a filter may have: one for each field and operator, and the figures of aggregates. The generated schema, the
//! planner and the check for clashing names all read them here.

use super::types::{Catalog, Field, FieldId, FieldKind, ScalarType, TypeDef, TypeId, TypeKind};

/// One key of a filter over a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterKey {
    /// As written in a query, e.g. `flowLogStatus_NOT_IN`.
    pub name: String,
    /// The field it is about.
    pub field: FieldId,
    /// What stands behind the field's name: an empty text for equality, `_NOT_IN`, `Connection_SOME`, `Aggregate`.
    pub operator: &'static str,
}

/// The key over interfaces that asks for the type.
pub const TYPENAME_KEY: &str = "typename_IN";

/// The keys that combine filters.
pub const COMBINATORS: [&str; 3] = ["AND", "OR", "NOT"];

const TEXT: &[&str] = &[
    "",
    "_NOT",
    "_IN",
    "_NOT_IN",
    "_CONTAINS",
    "_NOT_CONTAINS",
    "_STARTS_WITH",
    "_NOT_STARTS_WITH",
    "_ENDS_WITH",
    "_NOT_ENDS_WITH",
    "_MATCHES",
    "_LT",
    "_LTE",
    "_GT",
    "_GTE",
];
const ORDERED: &[&str] = &["", "_NOT", "_IN", "_NOT_IN", "_LT", "_LTE", "_GT", "_GTE"];
const EQUALITY: &[&str] = &["", "_NOT"];
const CHOICE: &[&str] = &["", "_NOT", "_IN", "_NOT_IN"];
const NETWORK: &[&str] = &["", "_NOT", "_IN", "_NOT_IN", "_WITHIN", "_CONTAINS", "_OVERLAPS"];
const LIST: &[&str] = &["", "_NOT", "_INCLUDES", "_NOT_INCLUDES"];
const EMBEDDED_MANY: &[&str] = &["", "_SOME", "_NONE", "_NOT", "_ALL", "_SINGLE"];
const TO_ONE: &[&str] = &["", "_NOT", "Aggregate"];
const TO_MANY: &[&str] = &[
    "",
    "_SOME",
    "_NONE",
    "_NOT",
    "_ALL",
    "_SINGLE",
    "Connection",
    "Connection_SOME",
    "Connection_NONE",
    "Connection_NOT",
    "Connection_ALL",
    "Connection_SINGLE",
    "Aggregate",
];

const NUMBER_FIGURES: &[&str] = &["", "_AVERAGE", "_MIN", "_MAX", "_SUM"];
const TIME_FIGURES: &[&str] = &["", "_MIN", "_MAX"];
const TEXT_FIGURES: &[&str] = &["", "_SHORTEST_LENGTH", "_LONGEST_LENGTH", "_AVERAGE_LENGTH"];

/// How a figure of an aggregate is compared. A key of `node` is a field, a figure and one of these.
pub const FIGURE_COMPARISONS: [&str; 5] = ["_EQUAL", "_LT", "_LTE", "_GT", "_GTE"];

/// The operators of a field, as they stand behind its name in a key.
#[must_use]
pub fn operators(field: &Field) -> &'static [&'static str] {
    match &field.kind {
        FieldKind::Scalar { list: Some(_), .. } => LIST,
        FieldKind::Scalar { scalar, list: None, .. } => match scalar {
            ScalarType::String | ScalarType::Id => TEXT,
            ScalarType::Int
            | ScalarType::BigInt
            | ScalarType::Float
            | ScalarType::DateTime
            | ScalarType::Date => ORDERED,
            ScalarType::Boolean | ScalarType::Json => EQUALITY,
            ScalarType::Enum(_) => CHOICE,
            ScalarType::Cidr | ScalarType::IpAddress => NETWORK,
        },
        FieldKind::Computed { .. } => EQUALITY,
        FieldKind::Embedded { list: None, .. } => EQUALITY,
        FieldKind::Embedded { list: Some(_), .. } => EMBEDDED_MANY,
        FieldKind::Relation { many: false, .. } => TO_ONE,
        FieldKind::Relation { many: true, .. } => TO_MANY,
    }
}

/// The scalars that have figures.
pub const SCALARS_WITH_FIGURES: [ScalarType; 7] = [
    ScalarType::Int,
    ScalarType::BigInt,
    ScalarType::Float,
    ScalarType::String,
    ScalarType::Id,
    ScalarType::DateTime,
    ScalarType::Date,
];

/// The figures an aggregate can be filtered by for a field, as they stand behind its name: `_MIN`, `_SHORTEST_LENGTH`;
/// an empty text is any one of the values (`name_EQUAL`: some related asset has it; `name_GT: 3`: some name is longer than 3).
/// None for what has no figures.
#[must_use]
pub fn figures(field: &Field) -> &'static [&'static str] {
    match &field.kind {
        FieldKind::Scalar { scalar, list: None, .. } => match scalar {
            ScalarType::String | ScalarType::Id => TEXT_FIGURES,
            ScalarType::Int | ScalarType::BigInt | ScalarType::Float => NUMBER_FIGURES,
            ScalarType::DateTime | ScalarType::Date => TIME_FIGURES,
            _ => &[],
        },
        _ => &[],
    }
}

impl TypeDef {
    /// Every key of a filter over this type but [`COMBINATORS`] and [`TYPENAME_KEY`], in the order of the fields.
    pub fn filter_keys(&self) -> impl Iterator<Item = FilterKey> {
        self.iter().flat_map(|(id, field)| {
            operators(field).iter().map(move |operator| FilterKey {
                name: format!("{}{operator}", field.name),
                field: id,
                operator,
            })
        })
    }

    /// The key of this name.
    #[must_use]
    pub fn find_key(&self, name: &str) -> Option<FilterKey> {
        self.iter().find_map(|(id, field)| {
            let rest = name.strip_prefix(field.name.as_str())?;
            let operator = operators(field).iter().find(|operator| **operator == rest)?;
            Some(FilterKey { name: name.to_owned(), field: id, operator })
        })
    }
}

impl Catalog {
    /// Every key a filter over a type may have, as a query writes it: fields, combinators, and the type's name for
    /// an interface. For messages that name the nearest.
    #[must_use]
    pub fn key_names(&self, id: TypeId) -> Vec<String> {
        let definition = self.get(id);
        let mut names: Vec<String> = definition.filter_keys().map(|key| key.name).collect();
        names.extend(COMBINATORS.map(str::to_owned));
        if definition.kind == TypeKind::Interface {
            names.push(TYPENAME_KEY.to_owned());
        }
        names
    }
}
