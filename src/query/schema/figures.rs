//! Aggregates as results: counts, and figures over fields.

use async_graphql::dynamic::{Field, Object, SchemaBuilder, TypeRef};

use super::{
    asset_types,
    connections::{an_object, zero},
    outputs::nothing,
};
use crate::{
    catalog::{Catalog, FieldKind, SCALARS_WITH_FIGURES, ScalarType, TypeDef, figures},
    query::names,
};

/// Registers the aggregate of every type with root fields, and the figures of each scalar that is used.
pub(super) fn register(catalog: &Catalog, mut builder: SchemaBuilder) -> SchemaBuilder {
    let fields = || asset_types(catalog).flat_map(|(_, definition)| &definition.fields);
    for scalar in SCALARS_WITH_FIGURES {
        let is_used = fields().any(|field| scalar_of(field) == Some(scalar));
        if let Some(name) = names::scalar_figures(scalar).filter(|_| is_used) {
            builder = builder.register(scalar_figures(catalog, scalar, name));
        }
    }
    for (_, definition) in asset_types(catalog) {
        builder = builder.register(aggregation(definition)).register(figures_of(definition));
    }
    builder
}

fn scalar_of(field: &crate::catalog::Field) -> Option<ScalarType> {
    match field.kind {
        FieldKind::Scalar { scalar, list: None, .. } if !figures(field).is_empty() => Some(scalar),
        _ => None,
    }
}

fn scalar_figures(catalog: &Catalog, scalar: ScalarType, name: &str) -> Object {
    let own = catalog.scalar_name(scalar);
    // The sum of many Ints is no Int any more.
    let (average, sum) = match scalar {
        ScalarType::BigInt => (own, own),
        _ => (TypeRef::FLOAT, TypeRef::FLOAT),
    };
    let fields: &[(&str, &str, &str)] = match scalar {
        ScalarType::String | ScalarType::Id => {
            &[("shortest", own, "Of several the least."), ("longest", own, "Of several the least.")]
        }
        ScalarType::DateTime | ScalarType::Date => {
            &[("min", own, "The earliest."), ("max", own, "The latest.")]
        }
        _ => &[
            ("min", own, "The least."),
            ("max", own, "The greatest."),
            ("average", average, "The mean."),
            ("sum", sum, "The sum; 0 over nothing."),
        ],
    };
    let object = Object::new(name)
        .description(format!("Figures over values of type {own}. Nulls are left out; null over nothing."));
    fields.iter().fold(object, |object, (name, of, description)| {
        object.field(Field::new(*name, TypeRef::named(*of), |_| nothing()).description(*description))
    })
}

fn add_figures(mut object: Object, definition: &TypeDef, taken: &[&str]) -> Object {
    for field in definition.fields.iter().filter(|field| !taken.contains(&field.name.as_str())) {
        if let Some(of) = scalar_of(field).and_then(names::scalar_figures) {
            object = object.field(Field::new(&field.name, TypeRef::named_nn(of), |_| an_object()));
        }
    }
    object
}

fn aggregation(definition: &TypeDef) -> Object {
    let object = Object::new(names::aggregation(definition))
        .description(format!("Figures over many `{}`.", definition.name))
        .field(Field::new("count", TypeRef::named_nn(TypeRef::INT), |_| zero()))
        .field(
            Field::new("node", TypeRef::named_nn(names::figures(definition)), |_| an_object())
                .description("The same figures once more, where a field is called `count` or `node`."),
        );
    add_figures(object, definition, &["count", "node"])
}

fn figures_of(definition: &TypeDef) -> Object {
    let object = Object::new(names::figures(definition))
        .description(format!("Figures over the fields of many `{}`.", definition.name));
    add_figures(object, definition, &[])
}
