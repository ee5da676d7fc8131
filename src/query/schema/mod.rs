//! The GraphQL schema, generated from the catalog: one file for each kind of generated type. async-graphql holds it and
//! prints it; what the specification's rules are held against is made from that text.

mod actions;
mod aggregates;
mod connections;
mod figures;
mod filters;
mod groups;
mod outputs;
mod roots;
mod scalars;
mod searches;
mod sorts;

use async_graphql::{
    SDLExportOptions,
    dynamic::{Schema, SchemaBuilder},
};

use crate::catalog::{Catalog, FieldKind, TypeId, TypeKind};

/// The schema that a catalog gives.
#[derive(Debug)]
pub struct GeneratedSchema {
    schema: Schema,
}

/// The schema could not be generated: the catalog allowed a name that clashes with a generated one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the GraphQL schema cannot be generated: {message}; rename the type or field")]
pub struct SchemaError {
    /// What the library says, with the names.
    pub message: String,
}

impl GeneratedSchema {
    /// Generates the schema of a catalog.
    ///
    /// # Errors
    /// Where two generated types or fields would have one name.
    pub fn new(catalog: &Catalog) -> Result<Self, SchemaError> {
        let (mutation, subscription) = actions::roots(catalog);
        let mut builder = Schema::build(roots::QUERY, mutation, subscription);
        let parts: [fn(&Catalog, SchemaBuilder) -> SchemaBuilder; 11] = [
            scalars::register,
            filters::register,
            aggregates::register,
            sorts::register,
            connections::register,
            figures::register,
            groups::register,
            searches::register,
            outputs::register,
            roots::register,
            actions::register,
        ];
        for register in parts {
            builder = register(catalog, builder);
        }
        let schema = builder.finish().map_err(|error| SchemaError { message: error.to_string() })?;
        Ok(Self { schema })
    }

    /// The schema definition, the same for the same catalog.
    #[must_use]
    pub fn sdl(&self) -> String {
        let options = SDLExportOptions::new()
            .prefer_single_line_descriptions()
            .include_specified_by()
            .use_space_ident()
            .indent_width(2);
        self.schema.sdl_with_options(options)
    }
}

/// The types that root fields, filters and sorts are generated for.
fn asset_types(catalog: &Catalog) -> impl Iterator<Item = (TypeId, &crate::catalog::TypeDef)> {
    catalog.iter().filter(|(_, definition)| definition.kind != TypeKind::Embedded)
}

/// The types that relations lead to, each once, in the order of the catalog.
fn related_types(catalog: &Catalog) -> Vec<TypeId> {
    let fields = catalog.types().iter().flat_map(|definition| &definition.fields);
    let targets = fields.filter_map(|field| match field.kind {
        FieldKind::Relation { target, .. } => Some(target),
        _ => None,
    });
    targets.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
