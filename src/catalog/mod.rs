//! `schema/*.graphql`, read into types, fields, relations and computed fields. Everything downstream (columns,
//! the GraphQL schema, filters) is generated from the [`Catalog`]; no type of the inventory is written in Rust.

mod asset;
mod build;
mod computed;
mod definitions;
mod directives;
mod error;
mod interfaces;
mod keys;
mod names;
mod read;
mod relations;
mod row;
mod rules;
pub mod scalar;
mod shipped;
mod source;
pub(crate) mod syntax;
mod types;

pub use asset::AssetMisfit;
pub use error::{CatalogError, CatalogErrors, SchemaProblem};
pub use keys::{
    COMBINATORS, FIGURE_COMPARISONS, FilterKey, SCALARS_WITH_FIGURES, TYPENAME_KEY, figures, operators,
};
pub use row::{Cell, Given, RepeatedAsset, Row, RowBuffer, RowShard, RowTarget, Span};
pub use rules::{ComputedRule, RuleError, RuleProblem, RulesRefused, with_rules};
pub use shipped::shipped;
pub use source::Source;
pub(crate) use source::line_and_column;
pub use types::{
    Catalog, EnumId, EnumType, Field, FieldId, FieldKind, KeyPairs, ListShape, PageLimit, RelationKeys,
    ScalarType, TypeDef, TypeId, TypeKind,
};
