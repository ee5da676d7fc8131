//! The collector against a real AWS API (moto), and against one that misbehaves (the fault server in front of it).
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test fails by panicking, and its helpers do too"
)]

mod ambient;
mod bench;
mod budget;
mod child;
mod cost;
mod faults;
mod fleet;
mod killed;
mod lists;
mod main_job;
mod named;
mod network;
mod organization_faults;
mod organizations;
mod outcomes;
mod peers;
mod profiles;
mod regions;
mod removals;
mod rescan;
mod schema;
mod shapes;
