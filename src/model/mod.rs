//! The words everything else is written in: assets, slices, outcomes, moments. No IO, no async.

mod asset;
mod change;
mod cron;
mod names;
mod slice;
mod time;

pub use asset::{Asset, AssetError};
pub use change::{Change, FieldChange, FieldValue, field_changes};
pub use cron::{Cron, CronError, Zone};
pub use names::nearest;
pub use slice::{GLOBAL_REGION, Outcome, SliceKey, SliceState, UnknownOutcome};
pub use time::{Clock, FixedClock, MaxAge, SpanError, SystemClock, Time, TimeError};
