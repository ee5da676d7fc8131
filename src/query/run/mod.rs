//! Running a plan over a graph. Closed world: rows, sorted and paged, written straight to JSON bytes. Open world:
//! which rows must satisfy a filter, which can't, and for the rest why nobody can say.

mod aggregate;
mod eval;
mod limits;
mod matcher;
mod node;
mod row;
mod world;

pub use limits::{RunError, RunLimits, Stop};
