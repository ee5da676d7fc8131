//! The fields of the query root: many and one of every asset type and interface, pages, figures and groups of them, and
//! the search over all.

use async_graphql::dynamic::{Field, InputValue, Object, SchemaBuilder, TypeRef};

use super::{
    asset_types,
    connections::{self, an_object},
    groups,
    outputs::{no_assets, nothing, page_arguments, where_argument},
    searches,
};
use crate::{
    catalog::{Catalog, TypeDef},
    query::names,
};

/// The name of the query root.
pub(super) const QUERY: &str = "Query";

/// Registers the query root.
pub(super) fn register(catalog: &Catalog, builder: SchemaBuilder) -> SchemaBuilder {
    let query = Object::new(QUERY).description("The inventory, as of the newest complete collection.");
    let query = asset_types(catalog).fold(query, |query, (_, definition)| {
        let fields = [many, one, connection, aggregate, group].map(|field| field(definition));
        fields.into_iter().fold(query, of_inventory)
    });
    builder.register(of_inventory(query, searches::field()))
}

fn many(definition: &TypeDef) -> Field {
    let field = Field::new(&definition.plural, TypeRef::named_nn_list_nn(&definition.name), |_| no_assets());
    page_arguments(definition)
        .into_iter()
        .fold(field, Field::argument)
        .description(format!("Every `{}` that the filter keeps.", definition.name))
}

fn one(definition: &TypeDef) -> Field {
    Field::new(&definition.singular, TypeRef::named(&definition.name), |_| nothing())
        .argument(InputValue::new("id", TypeRef::named_nn(TypeRef::ID)))
        .description(format!("The `{}` with this id, or null.", definition.name))
}

/// Every field of the inventory takes the moment that is asked for.
fn of_inventory(query: Object, field: Field) -> Object {
    let as_of = InputValue::new("asOf", TypeRef::named("DateTime")).description(
        "The inventory as it was at that moment, since the first collection; now, where left out.",
    );
    query.field(field.argument(as_of))
}

fn connection(definition: &TypeDef) -> Field {
    let of = TypeRef::named_nn(names::connection(definition));
    let field = Field::new(format!("{}Connection", definition.plural), of, |_| an_object());
    connections::root_arguments(definition)
        .into_iter()
        .fold(field, Field::argument)
        .description(format!("A page of every `{}` that the filter keeps.", definition.name))
}

fn aggregate(definition: &TypeDef) -> Field {
    let of = TypeRef::named_nn(names::aggregation(definition));
    Field::new(format!("{}Aggregate", definition.plural), of, |_| an_object())
        .argument(where_argument(definition))
        .description(format!("How many `{}` the filter keeps, and figures over them.", definition.name))
}

fn group(definition: &TypeDef) -> Field {
    let of = TypeRef::named_nn_list_nn(names::group(definition));
    let field = Field::new(format!("{}Group", definition.plural), of, |_| no_assets());
    groups::arguments(definition)
        .into_iter()
        .fold(field, Field::argument)
        .description(format!("How many `{}` the filter keeps, by value.", definition.name))
}
