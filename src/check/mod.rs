//! Stored checks: files in, verdicts out. A check is a query over the type it covers and what its result must be; the
//! verdict evaluates the same query in an open world, where what was not seen is not taken for absent.
//!
//! Findings that are remembered, exceptions and frameworks will stand beside `evaluate`, on its results.

mod cases;
mod definition;
mod error;
mod evaluate;
mod load;
mod raw;
mod remembered;
mod result;
mod shipped;
mod source;
mod yaml;

pub use cases::{Case, CaseOutcome, Difference, Expected, run_case, run_cases};
pub use definition::{Check, Expectation, PriorityRule, Severity, UnknownSeverity};
pub use error::{CheckError, CheckErrors, Place, Problem};
pub use evaluate::{evaluate, evaluate_all};
pub use load::load;
pub use remembered::RememberedVerdicts;
pub use result::{
    AssetName, CheckResult, Counts, ExitCode, Finding, Reason, RestsOn, SliceCount, UnknownAsset, Verdict,
};
pub use source::{SourceFile, Sources, shipped};
