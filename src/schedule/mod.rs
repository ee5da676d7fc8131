//! What happens by itself: collecting every so often, rebuilding after commits. Whether something is due is a pure
//! function; the loops only sleep, call and record. Tasks are started here (and in `api`) alone, so that a stop
//! reaches all of them.

mod due;
mod every;
mod rebuild;

pub use due::{Due, RunState, due};
pub use every::run_every;
pub use rebuild::{Rebuild, rebuild_loop};
