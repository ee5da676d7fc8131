//! Passmuster keeps an inventory of cloud assets and answers, in GraphQL, what is there and whether it passes
//! muster.
//!
//! The rooms below are named in the order data flows through them; `ARCHITECTURE.md` has the picture, and a test
//! (`tests/it/tidy.rs`) holds which room may import which.

pub mod model;

pub mod catalog;
pub mod store;

pub mod collect;
pub mod import;

pub mod graph;
pub mod query;

pub mod check;
pub mod report;

pub mod notify;

pub mod api;
pub mod schedule;

pub mod cli;
