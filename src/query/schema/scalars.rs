//! The scalars beyond GraphQL's own, and the enums of the catalog.

use std::collections::BTreeSet;

use async_graphql::dynamic::{Enum, Scalar, SchemaBuilder};

use crate::catalog::{Catalog, FieldKind, ScalarType};

/// Registers the custom scalars that the catalog uses and all its enums.
pub(super) fn register(catalog: &Catalog, mut builder: SchemaBuilder) -> SchemaBuilder {
    let mut used = BTreeSet::new();
    let fields = catalog.types().iter().flat_map(|definition| &definition.fields);
    let scalars = fields.filter_map(|field| match field.kind {
        FieldKind::Scalar { scalar, .. } => Some(scalar),
        _ => None,
    });
    // `asOf` takes a moment, whether or not a type has one.
    for scalar in scalars.chain([ScalarType::DateTime]) {
        if let Some(description) = describe(scalar)
            && used.insert(catalog.scalar_name(scalar))
        {
            builder = builder.register(Scalar::new(catalog.scalar_name(scalar)).description(description));
        }
    }
    for definition in catalog.enums() {
        let mut generated = Enum::new(&definition.name).items(&definition.values);
        if let Some(description) = &definition.description {
            generated = generated.description(description);
        }
        builder = builder.register(generated);
    }
    builder
}

fn describe(scalar: ScalarType) -> Option<&'static str> {
    Some(match scalar {
        ScalarType::BigInt => "An integer of 64 bits: read from an integer or a string, written as a string.",
        ScalarType::DateTime => {
            "A moment: read from any ISO 8601 form, a bare date included, written as UTC with milliseconds."
        }
        ScalarType::Date => "A day, as 2026-11-20.",
        ScalarType::Cidr => "A prefix of IPv4 or IPv6 addresses, as 10.0.0.0/16.",
        ScalarType::IpAddress => "An IPv4 or IPv6 address.",
        ScalarType::Json => "Any JSON, as it was collected.",
        _ => return None,
    })
}
