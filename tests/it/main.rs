//! All integration tests, in one binary: a module for each room, in the order of the rooms.

mod support;

mod model;

mod catalog;
mod store;

mod collect;
mod import;

mod graph;
mod guard;
mod query;
mod schema;

mod check;
mod report;

mod api;

mod cli;

mod property;
mod tidy;
mod vectors;
