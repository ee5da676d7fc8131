//! `schema/*.graphql`, read into types, fields, relations and computed fields. Everything downstream (columns,
//! the GraphQL schema, filters) is generated from the [`Catalog`]; no type of the inventory is written in Rust.

mod types;

pub use types::{
    Catalog, EnumId, EnumType, Field, FieldId, FieldKind, ListShape, PageLimit, RelationKeys, ScalarType,
    TypeDef, TypeId, TypeKind,
};
