//! The inputs of `sort`.

use async_graphql::dynamic::{Enum, EnumItem, InputObject, InputValue, SchemaBuilder, TypeRef};

use super::asset_types;
use crate::catalog::{Catalog, Field, FieldKind, ScalarType, TypeDef};

/// The enum of directions.
pub(super) const DIRECTION: &str = "SortDirection";
/// The order by how many are related.
const BY_COUNT: &str = "CountSort";

/// The input of a type's order.
pub(super) fn sort_name(definition: &TypeDef) -> String {
    format!("{}Sort", definition.name)
}

/// Registers the orders of every type with root fields.
pub(super) fn register(catalog: &Catalog, builder: SchemaBuilder) -> SchemaBuilder {
    let direction = Enum::new(DIRECTION)
        .item(EnumItem::new("ASC").description("Least first, null last."))
        .item(EnumItem::new("DESC").description("Greatest first, null before it."));
    let by_count = InputObject::new(BY_COUNT)
        .description("An order by how many assets are related.")
        .field(InputValue::new("count", TypeRef::named(DIRECTION)));
    let builder = builder.register(direction).register(by_count);
    asset_types(catalog).fold(builder, |builder, (_, definition)| {
        let input = InputObject::new(sort_name(definition))
            .description("One key of the order. The id breaks every tie.");
        builder.register(definition.fields.iter().fold(input, |input, field| add_keys(catalog, input, field)))
    })
}

fn add_keys(catalog: &Catalog, input: InputObject, field: &Field) -> InputObject {
    match &field.kind {
        FieldKind::Scalar { list: None, scalar, .. } if *scalar != ScalarType::Json => {
            input.field(InputValue::new(&field.name, TypeRef::named(DIRECTION)))
        }
        FieldKind::Computed { .. } => input.field(InputValue::new(&field.name, TypeRef::named(DIRECTION))),
        FieldKind::Relation { target, many, .. } => {
            let by_count = InputValue::new(format!("{}Aggregate", field.name), TypeRef::named(BY_COUNT));
            let input = input.field(by_count);
            if *many {
                return input;
            }
            let through = TypeRef::named(sort_name(catalog.get(*target)));
            input.field(InputValue::new(&field.name, through).description("By a field of the related asset."))
        }
        FieldKind::Scalar { .. } | FieldKind::Embedded { .. } => input,
    }
}
