//! The collector against a real AWS API (moto), and against one that misbehaves (the fault server in front of it).

mod ambient;
mod bench;
mod faults;
mod lists;
mod outcomes;
mod regions;
mod schema;
mod shapes;
