//! Connections: pages with cursors, at the root and beside relations.

use async_graphql::{
    Value,
    dynamic::{Field, FieldFuture, FieldValue, InputObject, InputValue, Object, SchemaBuilder, TypeRef},
};

use super::{
    asset_types,
    filters::{connection_where_name, where_name},
    outputs::{no_assets, nothing},
    related_types,
    sorts::sort_name,
};
use crate::{
    catalog::{Catalog, TypeDef},
    query::names,
};

/// Registers the connection, edge and order of every type with root fields.
pub(super) fn register(catalog: &Catalog, mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = builder.register(page_info());
    for (_, definition) in asset_types(catalog) {
        builder = builder.register(connection(definition)).register(edge(definition));
    }
    for id in related_types(catalog) {
        builder = builder.register(connection_sort(catalog.get(id)));
    }
    builder
}

/// The arguments of `vpcsConnection`.
pub(super) fn root_arguments(definition: &TypeDef) -> Vec<InputValue> {
    arguments(where_name(definition), sort_name(definition))
}

/// The arguments of `relConnection`, whose `where` and `sort` speak of `node`.
pub(super) fn relation_arguments(target: &TypeDef) -> Vec<InputValue> {
    arguments(connection_where_name(target), names::connection_sort(target))
}

fn arguments(filter: String, sort: String) -> Vec<InputValue> {
    vec![
        InputValue::new("where", TypeRef::named(filter)).description("Which ones to keep."),
        InputValue::new("sort", TypeRef::named_nn_list(sort))
            .description("In which order, the first key first. By id where nothing is said."),
        InputValue::new("first", TypeRef::named(TypeRef::INT)).description("The most edges; 0 gives none."),
        InputValue::new("after", TypeRef::named(TypeRef::STRING))
            .description("Begin behind this cursor, which must come from the same connection and `sort`."),
    ]
}

fn page_info() -> Object {
    Object::new(names::PAGE_INFO)
        .description("Where a page stands among the others.")
        .field(Field::new("hasNextPage", TypeRef::named_nn(TypeRef::BOOLEAN), |_| falsehood()))
        .field(Field::new("hasPreviousPage", TypeRef::named_nn(TypeRef::BOOLEAN), |_| falsehood()))
        .field(
            Field::new("startCursor", TypeRef::named(TypeRef::STRING), |_| nothing())
                .description("The cursor of the first edge; null on an empty page."),
        )
        .field(
            Field::new("endCursor", TypeRef::named(TypeRef::STRING), |_| nothing())
                .description("The cursor of the last edge; null on an empty page."),
        )
}

fn connection(definition: &TypeDef) -> Object {
    Object::new(names::connection(definition))
        .description(format!("A page of `{}`.", definition.name))
        .field(
            Field::new("totalCount", TypeRef::named_nn(TypeRef::INT), |_| zero())
                .description("How many there are on all pages together."),
        )
        .field(Field::new("pageInfo", TypeRef::named_nn(names::PAGE_INFO), |_| an_object()))
        .field(Field::new("edges", TypeRef::named_nn_list_nn(names::edge(definition)), |_| no_assets()))
}

fn edge(definition: &TypeDef) -> Object {
    Object::new(names::edge(definition))
        .description(format!("A `{}` on a page.", definition.name))
        .field(
            Field::new("cursor", TypeRef::named_nn(TypeRef::STRING), |_| nothing())
                .description("Where it stands in the order. What is put in before it does not move it."),
        )
        .field(Field::new("node", TypeRef::named_nn(&definition.name), |_| nothing()))
}

fn connection_sort(target: &TypeDef) -> InputObject {
    InputObject::new(names::connection_sort(target))
        .description("One key of the order of a relation's connection.")
        .field(InputValue::new("node", TypeRef::named(sort_name(target))))
}

/// What the resolvers of numbers that are never null give.
pub(super) fn zero<'a>() -> FieldFuture<'a> {
    FieldFuture::Value(Some(FieldValue::value(Value::from(0))))
}

fn falsehood<'a>() -> FieldFuture<'a> {
    FieldFuture::Value(Some(FieldValue::value(false)))
}

/// What the resolvers of objects that are never null give.
pub(super) fn an_object<'a>() -> FieldFuture<'a> {
    FieldFuture::Value(Some(FieldValue::owned_any(())))
}
