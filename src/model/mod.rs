//! The words everything else is written in: assets, slices, outcomes, moments. No IO, no async.

mod asset;
pub(crate) mod bytes;
mod change;
mod cron;
mod ledger;
mod names;
pub(crate) mod parallel;
mod slice;
mod time;

pub use asset::{Asset, AssetError, kind_of};
pub use change::{Change, FieldChange, FieldValue, field_changes};
pub use cron::{Cron, CronError, Zone};
pub use ledger::{
    CHECK_RUN_TYPE, CHECK_TYPE, EXCEPTION_TYPE, FINDING_TYPE, LEDGER_TYPES, NOTIFICATION_TYPE,
    SCHEDULED_JOB_TYPE, UNKNOWN_VERDICT_TYPE, is_ledger_type,
};
pub use names::nearest;
pub use slice::{GLOBAL_REGION, Outcome, SliceKey, SliceState, UnknownOutcome};
pub use time::{Clock, FixedClock, MaxAge, SpanError, SystemClock, Time, TimeError};
