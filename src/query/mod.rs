//! From GraphQL text to JSON bytes: guard, parse, validate, plan, run, write. Each stage is a value.

mod action;
mod actions;
mod cache;
mod cursor;
mod document;
mod engine;
mod error;
mod explain;
pub mod guard;
mod lint;
mod moments;
mod names;
mod outlines;
mod plan;
mod planner;
mod prepare;
mod response;
pub mod run;
pub mod schema;
mod specification;

pub use action::NotDone;
pub use actions::FINDING_CHANGE_KINDS;
pub use cursor::CursorFault;
pub use document::Fragments;
pub use engine::{Engine, Request, Response};
pub use error::{Place, QueryError, QueryErrorKind};
pub use explain::{ExplainRequest, Explanation, PlanText};
pub use guard::GuardLimits;
pub use lint::{Warning, WarningKind};
pub use moments::{Graphs, MomentError, Moments};
pub use plan::{
    Action, ChangeField, ChangeFieldKind, Collection, Command, MutationField, NewException,
    SubscriptionField, Told, WaitsFor,
};
pub use plan::{
    Aggregate, AggregateField, AggregateFilter, AggregateFunction, AggregateKind, AskedId, Comparison,
    Connection, ConnectionField, ConnectionKind, EdgeField, EdgeKind, Figure, FigureField, FigureKind,
    Filter, Filters, GroupField, GroupKeyField, GroupKeyKind, GroupKind, GroupSort, GroupedBy, Groups, Nodes,
    Operand, Output, OutputField, OutputKind, PageInfoField, PageInfoKind, Pattern, Plan, Position,
    Quantifier, ResponseKey, RootField, RootKind, Search, SearchField, SearchKind, SortBy, SortKey,
    SortedValue, Test,
};
pub use prepare::{CacheLimits, Preparations};
pub use response::slice_to_json;
