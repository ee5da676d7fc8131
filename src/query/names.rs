//! The names of the types that the schema generates beside those of the catalog, for the schema that declares them and
//! the planner that reads them in fragments and writes them as `__typename`.

use crate::catalog::{FieldKind, ScalarType, TypeDef, TypeKind};

/// The type of `pageInfo`.
pub(super) const PAGE_INFO: &str = "PageInfo";
/// The type of what `search` finds.
pub(super) const SEARCH_HIT: &str = "SearchHit";
/// The interface over every asset type, whatever interfaces the catalog has.
pub(super) const SEARCHED_ASSET: &str = "SearchedAsset";
/// The enum of the types that `search` can be bounded to.
pub(super) const SEARCHABLE_TYPE: &str = "SearchableType";
/// The root field of searches.
pub(super) const SEARCH: &str = "search";

/// `VpcsConnection`
pub(super) fn connection(definition: &TypeDef) -> String {
    let plural = &definition.plural;
    let first: String = plural.chars().take(1).flat_map(char::to_uppercase).collect();
    let rest: String = plural.chars().skip(1).collect();
    format!("{first}{rest}Connection")
}

/// `VpcEdge`
pub(super) fn edge(definition: &TypeDef) -> String {
    format!("{}Edge", definition.name)
}

/// `VpcConnectionSort`
pub(super) fn connection_sort(definition: &TypeDef) -> String {
    format!("{}ConnectionSort", definition.name)
}

/// `VpcAggregation`
pub(super) fn aggregation(definition: &TypeDef) -> String {
    format!("{}Aggregation", definition.name)
}

/// `VpcFigures`
pub(super) fn figures(definition: &TypeDef) -> String {
    format!("{}Figures", definition.name)
}

/// `IntFigures`; nothing for scalars that have none.
pub(super) fn scalar_figures(scalar: ScalarType) -> Option<&'static str> {
    Some(match scalar {
        ScalarType::Int => "IntFigures",
        ScalarType::BigInt => "BigIntFigures",
        ScalarType::Float => "FloatFigures",
        ScalarType::String => "StringFigures",
        ScalarType::Id => "IDFigures",
        ScalarType::DateTime => "DateTimeFigures",
        ScalarType::Date => "DateFigures",
        _ => return None,
    })
}

/// `VpcGroup`
pub(super) fn group(definition: &TypeDef) -> String {
    format!("{}Group", definition.name)
}

/// `VpcGroupKey`
pub(super) fn group_key(definition: &TypeDef) -> String {
    format!("{}GroupKey", definition.name)
}

/// `VpcGroupBy`: the enum of what can be grouped by.
pub(super) fn group_by(definition: &TypeDef) -> String {
    format!("{}GroupBy", definition.name)
}

/// `VpcGroupSort`
pub(super) fn group_sort(definition: &TypeDef) -> String {
    format!("{}GroupSort", definition.name)
}

/// `VpcGroupKeySort`
pub(super) fn group_key_sort(definition: &TypeDef) -> String {
    format!("{}GroupKeySort", definition.name)
}

/// What groups over an interface call the type of an asset, unless it has a field of that name.
pub(super) const GROUPED_TYPENAME: &str = "typename";

/// What assets of a type can be grouped by: single stored values, computed fields, and over an interface the type.
pub(super) fn group_keys(definition: &TypeDef) -> Vec<String> {
    let single = definition.fields.iter().filter(|field| match &field.kind {
        FieldKind::Scalar { scalar, list: None, .. } => *scalar != ScalarType::Json,
        FieldKind::Computed { .. } => true,
        _ => false,
    });
    let mut keys: Vec<String> = single.map(|field| field.name.clone()).collect();
    if definition.kind == TypeKind::Interface && definition.find(GROUPED_TYPENAME).is_none() {
        keys.push(GROUPED_TYPENAME.to_owned());
    }
    keys
}
