//! Groups: counts by value.

use async_graphql::dynamic::{Enum, Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};

use super::{asset_types, filters::where_name, outputs::nothing, sorts::DIRECTION};
use crate::{
    catalog::{Catalog, FieldKind, TypeDef},
    query::names,
};

/// Registers the groups of every type with root fields.
pub(super) fn register(catalog: &Catalog, mut builder: SchemaBuilder) -> SchemaBuilder {
    for (_, definition) in asset_types(catalog) {
        builder = builder
            .register(group_by(definition))
            .register(group(definition))
            .register(group_key(catalog, definition))
            .register(group_sort(definition))
            .register(group_key_sort(definition));
    }
    builder
}

/// The arguments of `vpcsGroup`.
pub(super) fn arguments(definition: &TypeDef) -> Vec<InputValue> {
    vec![
        InputValue::new("by", TypeRef::named_nn_list_nn(names::group_by(definition)))
            .description("By which values; null is a value of its own."),
        InputValue::new("where", TypeRef::named(where_name(definition)))
            .description("Which assets to count."),
        InputValue::new("sort", TypeRef::named_nn_list(names::group_sort(definition))).description(
            "In which order. The greatest count first, then by the values, where nothing is said.",
        ),
        InputValue::new("limit", TypeRef::named(TypeRef::INT)).description("The most groups; 0 gives none."),
    ]
}

fn group_by(definition: &TypeDef) -> Enum {
    Enum::new(names::group_by(definition))
        .description(format!("What `{}` can be grouped by.", definition.plural))
        .items(names::group_keys(definition))
}

fn group(definition: &TypeDef) -> Object {
    Object::new(names::group(definition))
        .description(format!("The `{}` that have the same values.", definition.name))
        .field(Field::new("key", TypeRef::named_nn(names::group_key(definition)), |_| nothing()))
        .field(Field::new("count", TypeRef::named_nn(TypeRef::INT), |_| nothing()))
}

fn group_key(catalog: &Catalog, definition: &TypeDef) -> Object {
    let object = Object::new(names::group_key(definition))
        .description("The values of a group: those that `by` names, and no others.");
    names::group_keys(definition).into_iter().fold(object, |object, key| {
        let of = match definition.find(&key).map(|(_, field)| &field.kind) {
            Some(FieldKind::Scalar { scalar, .. }) => catalog.scalar_name(*scalar),
            Some(_) => TypeRef::BOOLEAN,
            None => TypeRef::STRING,
        };
        object.field(Field::new(key, TypeRef::named(of), |_| nothing()))
    })
}

fn group_sort(definition: &TypeDef) -> InputObject {
    InputObject::new(names::group_sort(definition))
        .description("One key of the order of groups.")
        .field(InputValue::new("count", TypeRef::named(DIRECTION)))
        .field(InputValue::new("key", TypeRef::named(names::group_key_sort(definition))))
}

fn group_key_sort(definition: &TypeDef) -> InputObject {
    let input = InputObject::new(names::group_key_sort(definition))
        .description("One key of the order of groups: a value that `by` names.");
    names::group_keys(definition)
        .into_iter()
        .fold(input, |input, key| input.field(InputValue::new(key, TypeRef::named(DIRECTION))))
}
