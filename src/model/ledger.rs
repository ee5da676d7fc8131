//! The types of what Passmuster itself keeps beside what it collects: verdicts and what followed from them. They are
//! assets like any other in the graph, but nothing collects them, so no slice lists them and they are never incomplete.

/// A check, and what its last run said.
pub const CHECK_TYPE: &str = "Check";
/// One run of one check.
pub const CHECK_RUN_TYPE: &str = "CheckRun";
/// One asset that failed one check.
pub const FINDING_TYPE: &str = "Finding";
/// One asset of which a check can't say whether it fails.
pub const UNKNOWN_VERDICT_TYPE: &str = "UnknownVerdict";
/// What was accepted, by whom, why and until when.
pub const EXCEPTION_TYPE: &str = "Exception";

/// What recurs, and how its latest run went.
pub const SCHEDULED_JOB_TYPE: &str = "ScheduledJob";
/// A message that tells others what a run changed.
pub const NOTIFICATION_TYPE: &str = "Notification";

/// Every type that is kept and never collected.
pub const LEDGER_TYPES: [&str; 7] = [
    CHECK_TYPE,
    CHECK_RUN_TYPE,
    EXCEPTION_TYPE,
    FINDING_TYPE,
    NOTIFICATION_TYPE,
    SCHEDULED_JOB_TYPE,
    UNKNOWN_VERDICT_TYPE,
];

/// Whether a type is kept and never collected.
#[must_use]
pub fn is_ledger_type(name: &str) -> bool {
    LEDGER_TYPES.contains(&name)
}
