//! Searches over every type. What is found is an asset of any type, so every asset type implements a generated
//! interface: a schema need not have one of its own.

use async_graphql::dynamic::{
    Enum, Field, InputValue, Interface, InterfaceField, Object, SchemaBuilder, TypeRef,
};

use super::{
    asset_types,
    outputs::{no_assets, nothing},
};
use crate::{catalog::Catalog, query::names};

/// Registers what `search` takes and finds.
pub(super) fn register(catalog: &Catalog, builder: SchemaBuilder) -> SchemaBuilder {
    let types = asset_types(catalog).map(|(_, definition)| definition.name.as_str());
    let searchable = Enum::new(names::SEARCHABLE_TYPE)
        .description("The types a search can be bounded to; an interface stands for all its types.")
        .items(types);
    let asset = Interface::new(names::SEARCHED_ASSET)
        .description("An asset of any type. Write `... on Vpc { vpcId }` for what one type has.")
        .field(InterfaceField::new("id", TypeRef::named_nn(TypeRef::ID)));
    builder.register(searchable).register(asset).register(hit())
}

/// The root field.
pub(super) fn field() -> Field {
    Field::new(names::SEARCH, TypeRef::named_nn_list_nn(names::SEARCH_HIT), |_| no_assets())
        .description(
            "The assets that hold a text in their `id`, `name` or `tags`, whatever its case: whole values first, then \
             those that begin with it, then the others.",
        )
        .argument(InputValue::new("text", TypeRef::named_nn(TypeRef::STRING)))
        .argument(
            InputValue::new("types", TypeRef::named_nn_list(names::SEARCHABLE_TYPE))
                .description("Only these types."),
        )
        .argument(InputValue::new("limit", TypeRef::named(TypeRef::INT)).description("The most hits."))
}

fn hit() -> Object {
    let text = |name: &str, of: TypeRef, description: &str| {
        Field::new(name, of, |_| nothing()).description(description)
    };
    Object::new(names::SEARCH_HIT)
        .description("An asset that holds the text.")
        .field(text("typename", TypeRef::named_nn(TypeRef::STRING), "The name of its type."))
        .field(text("id", TypeRef::named_nn(TypeRef::ID), "Its id."))
        .field(text("name", TypeRef::named(TypeRef::STRING), "Its name; null where it has none."))
        .field(text(
            "field",
            TypeRef::named_nn(TypeRef::STRING),
            "Where the text stands: `id`, `name` or `tags`.",
        ))
        .field(text("asset", TypeRef::named_nn(names::SEARCHED_ASSET), "The asset itself."))
}
