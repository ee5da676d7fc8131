//! The inputs of `sort`.

use async_graphql::dynamic::{Enum, EnumItem, InputObject, InputValue, SchemaBuilder, TypeRef};

use super::asset_types;
use crate::catalog::{Catalog, Field, FieldKind, ScalarType, TypeDef};

const DIRECTION: &str = "SortDirection";

/// The input of a type's order.
pub(super) fn sort_name(definition: &TypeDef) -> String {
    format!("{}Sort", definition.name)
}

/// Registers the orders of every type with root fields.
pub(super) fn register(catalog: &Catalog, builder: SchemaBuilder) -> SchemaBuilder {
    let direction = Enum::new(DIRECTION)
        .item(EnumItem::new("ASC").description("Least first, null last."))
        .item(EnumItem::new("DESC").description("Greatest first, null before it."));
    asset_types(catalog).fold(builder.register(direction), |builder, (_, definition)| {
        let input = InputObject::new(sort_name(definition))
            .description("One key of the order. The id breaks every tie.");
        let sortable = definition.fields.iter().filter(|field| is_sortable(field));
        builder.register(
            sortable.fold(input, |input, field| {
                input.field(InputValue::new(&field.name, TypeRef::named(DIRECTION)))
            }),
        )
    })
}

fn is_sortable(field: &Field) -> bool {
    match &field.kind {
        FieldKind::Scalar { scalar, list, .. } => list.is_none() && *scalar != ScalarType::Json,
        FieldKind::Computed { .. } => true,
        FieldKind::Embedded { .. } | FieldKind::Relation { .. } => false,
    }
}
