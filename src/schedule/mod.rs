//! What happens by itself: collecting and judging when it is time, rebuilding after commits. What is due is a pure
//! function; the loops only sleep, call and record. Tasks are started here (and in `api`) alone, so that a stop
//! reaches all of them.

mod due;
mod job;
mod keeper;
mod kept;
mod rebuild;
mod run;

pub use due::{Decision, Known, MOST_MISSED, Standing, Start, due, next_run, rebased, standing};
pub use job::{Job, JobName, JobOutcome, JobState, UnknownJob, When};
pub use keeper::{Busy, Schedule};
pub use kept::{keep_jobs, read_held_jobs, read_jobs};
pub use rebuild::{Rebuild, rebuild_loop};
pub use run::{Ended, Perform, Running, run_begun, run_schedule};
