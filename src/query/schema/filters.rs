//! The inputs of `where`: one for each type, and the one of `relConnection`.

use async_graphql::dynamic::{Enum, InputObject, InputValue, SchemaBuilder, TypeRef};

use super::{asset_types, related_types};
use crate::catalog::{COMBINATORS, Catalog, Field, FieldKind, ScalarType, TYPENAME_KEY, TypeDef, TypeKind};

/// The input of a type's filters.
pub(super) fn where_name(definition: &TypeDef) -> String {
    format!("{}Where", definition.name)
}

/// The input of the filters of a type's connections.
pub(super) fn connection_where_name(definition: &TypeDef) -> String {
    format!("{}ConnectionWhere", definition.name)
}

fn implementation_name(definition: &TypeDef) -> String {
    format!("{}Implementation", definition.name)
}

/// Registers the filters over every type.
pub(super) fn register(catalog: &Catalog, mut builder: SchemaBuilder) -> SchemaBuilder {
    for definition in catalog.types() {
        builder = builder.register(where_input(catalog, definition));
    }
    for id in related_types(catalog) {
        builder = builder.register(connection_where(catalog.get(id)));
    }
    for (_, definition) in asset_types(catalog).filter(|(_, each)| !each.implementors.is_empty()) {
        let names = definition.implementors.iter().map(|id| catalog.get(*id).name.as_str());
        let generated = Enum::new(implementation_name(definition))
            .description(format!("The types that are a `{}`.", definition.name))
            .items(names);
        builder = builder.register(generated);
    }
    builder
}

fn where_input(catalog: &Catalog, definition: &TypeDef) -> InputObject {
    let name = where_name(definition);
    let mut input = InputObject::new(&name).description(format!(
        "Which of the {} to keep. Several keys are AND-ed; a key left out demands nothing.",
        if definition.kind == TypeKind::Embedded { "embedded objects" } else { "assets" }
    ));
    for key in definition.filter_keys() {
        let field = definition.get(key.field);
        let mut value = InputValue::new(&key.name, operand(catalog, field, key.operator));
        if key.operator.is_empty()
            && let Some(description) = &field.description
        {
            value = value.description(description);
        }
        input = input.field(value);
    }
    if definition.kind == TypeKind::Interface && !definition.implementors.is_empty() {
        let names = TypeRef::named_nn_list(implementation_name(definition));
        input = input.field(InputValue::new(TYPENAME_KEY, names).description("Of one of these types."));
    }
    add_combinators(input, &name)
}

/// Adds `AND`, `OR` and `NOT` over the input itself.
pub(super) fn add_combinators(input: InputObject, name: &str) -> InputObject {
    COMBINATORS.iter().fold(input, |input, combinator| {
        let of = if *combinator == "NOT" { TypeRef::named(name) } else { TypeRef::named_nn_list(name) };
        input.field(InputValue::new(*combinator, of))
    })
}

/// What a key takes.
fn operand(catalog: &Catalog, field: &Field, operator: &str) -> TypeRef {
    match &field.kind {
        FieldKind::Scalar { scalar, list, .. } => {
            let name = catalog.scalar_name(*scalar);
            match (list, operator) {
                (Some(shape), "" | "_NOT") if shape.nullable_items => TypeRef::named_list(name),
                (Some(_), "" | "_NOT") => TypeRef::named_nn_list(name),
                (Some(_), _) => TypeRef::named(name),
                (None, "_IN" | "_NOT_IN") => TypeRef::named_list(name),
                (None, "_WITHIN" | "_CONTAINS" | "_OVERLAPS") if is_network(*scalar) => {
                    TypeRef::named(TypeRef::STRING)
                }
                (None, "_MATCHES") => TypeRef::named(TypeRef::STRING),
                (None, _) => TypeRef::named(name),
            }
        }
        FieldKind::Computed { .. } => TypeRef::named(TypeRef::BOOLEAN),
        FieldKind::Embedded { of, .. } => TypeRef::named(where_name(catalog.get(*of))),
        FieldKind::Relation { target, .. } => {
            let target = catalog.get(*target);
            match operator {
                "Aggregate" => TypeRef::named(super::aggregates::where_name(target)),
                operator if operator.starts_with("Connection") => {
                    TypeRef::named(connection_where_name(target))
                }
                _ => TypeRef::named(where_name(target)),
            }
        }
    }
}

fn is_network(scalar: ScalarType) -> bool {
    matches!(scalar, ScalarType::Cidr | ScalarType::IpAddress)
}

fn connection_where(target: &TypeDef) -> InputObject {
    let name = connection_where_name(target);
    let input = InputObject::new(&name)
        .description("The same demands as on the relation itself, under `node`.")
        .field(InputValue::new("node", TypeRef::named(where_name(target))));
    add_combinators(input, &name)
}
