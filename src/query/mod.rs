//! From GraphQL text to JSON bytes: guard, parse, validate, plan, run, write. Each stage is a value.

mod document;
mod engine;
mod error;
pub mod guard;
mod plan;
mod planner;
pub mod run;
pub mod schema;
mod specification;

pub use document::Fragments;
pub use engine::{Engine, Request, Response, slice_to_json};
pub use error::{Place, QueryError, QueryErrorKind};
pub use guard::GuardLimits;
pub use plan::{
    AggregateFilter, AggregateFunction, Comparison, Filter, Filters, Nodes, Operand, Output, OutputField,
    OutputKind, Pattern, Plan, Quantifier, RootField, RootKind, SortKey, Test,
};
