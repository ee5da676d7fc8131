//! All integration tests, in one binary: a module for each room, in the order of the rooms.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::needless_pass_by_value,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test fails by panicking, and makes the files it needs"
)]

mod support;

mod model;

mod catalog;
mod store;
mod straight;

mod collect;
mod import;

mod explain;
mod graph;
mod graph_image;
mod graph_order;
mod guard;
mod language;
mod lint;
mod plan_cache;
mod query;
mod query_faults;
mod run;
mod schema;
mod specification;
mod streaming;

mod check;
mod report;

mod api;
mod notify;
mod schedule;
mod socket;

mod cli;

mod patch;
mod property;
mod shared;
mod tidy;
mod time;
mod vectors;
