//! The fields of the query root: many and one of every asset type and interface.

use async_graphql::dynamic::{Field, InputValue, Object, SchemaBuilder, TypeRef};

use super::{
    asset_types,
    outputs::{no_assets, nothing, page_arguments},
};
use crate::catalog::{Catalog, TypeDef};

/// The name of the query root.
pub(super) const QUERY: &str = "Query";

/// Registers the query root.
pub(super) fn register(catalog: &Catalog, builder: SchemaBuilder) -> SchemaBuilder {
    let query = Object::new(QUERY).description("The inventory, as of the newest complete collection.");
    let query = asset_types(catalog)
        .fold(query, |query, (_, definition)| query.field(many(definition)).field(one(definition)));
    builder.register(query)
}

fn many(definition: &TypeDef) -> Field {
    let field = Field::new(&definition.plural, TypeRef::named_nn_list_nn(&definition.name), |_| no_assets());
    page_arguments(definition)
        .into_iter()
        .chain([as_of()])
        .fold(field, Field::argument)
        .description(format!("Every `{}` that the filter keeps.", definition.name))
}

fn one(definition: &TypeDef) -> Field {
    Field::new(&definition.singular, TypeRef::named(&definition.name), |_| nothing())
        .argument(InputValue::new("id", TypeRef::named_nn(TypeRef::ID)))
        .argument(as_of())
        .description(format!("The `{}` with this id, or null.", definition.name))
}

/// The moment that is asked for: every root field of the inventory takes one.
pub(super) fn as_of() -> InputValue {
    InputValue::new("asOf", TypeRef::named("DateTime")).description(
        "The inventory as it was at that moment, since the first collection; now, where left out.",
    )
}
