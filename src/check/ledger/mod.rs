//! What verdicts leave behind: findings that open, are excepted, resolve and open again; what is not known, and why;
//! and the runs that said so. `settle` decides, a pure function of what was known, what a run says and the moment;
//! `record` reads and commits.
//!
//! **Invariant**: only an asset that certainly fails opens a finding; only one that certainly passes, is certainly gone
//! or is no longer covered resolves it. What is not known, and a check that could not be run, leave it as it is.

mod excepting;
pub(in crate::check) mod fields;
mod finding;
mod gone;
mod known;
mod lint;
mod outbox;
mod record;
mod run;
mod settle;
mod standing;
mod unknown;

pub use excepting::{Matches, match_exceptions};
pub use fields::Misfit;
pub use finding::{AssetVerdict, Finding, SeenSlice, Status, finding_id};
pub use gone::gone;
pub use known::{Known, LedgerMemory, read_exceptions, read_findings, read_states};
pub use lint::{ExceptionProblem, lint_exception};
pub use outbox::{News, NoOutbox, Outbox};
pub use record::{
    LedgerError, Recorded, Run, SettledRun, record_exceptions, record_run, record_run_from, settle_run,
};
pub use run::{CheckState, RunRecord, Trigger};
pub use settle::{
    ChangeKind, FindingChange, Previous, Settled, Settling, settle, settle_exceptions, settle_gone,
};
pub use standing::{Standing, standings};
pub use unknown::{UnknownReason, UnknownVerdict};
