//! Stored checks: files in, verdicts out. A check is a query over the type it covers and what its result must be; the
//! verdict evaluates the same query in an open world, where what was not seen is not taken for absent.
//!
//! Frameworks stand on the results of `evaluate`; so does the ledger, which remembers findings and what is accepted.

mod cases;
mod compliance;
mod definition;
mod error;
mod evaluate;
mod evidence;
mod exception;
mod expect;
mod figure;
mod framework;
pub mod ledger;
mod load;
mod names;
mod raw;
mod rego;
mod remediation;
mod remembered;
mod result;
mod shipped;
mod source;
mod unread;
mod yaml;

pub use cases::{Case, CaseOutcome, Difference, Expected, run_case, run_cases};
pub use compliance::{AccountResult, Compliance, ControlResult, comply};
pub use definition::{Check, PriorityRule, Severity, UnknownSeverity};
pub use error::{CheckError, CheckErrors, Place, Problem};
pub use evaluate::{evaluate, evaluate_all, explain};
pub use evidence::{Disagreement, Evidence, EvidenceError, Moment, NoEvidence};
pub use exception::{Exception, ExceptionError, ExceptionRequest, ExceptionStatus, Scope};
pub use expect::Expectation;
pub use framework::{Control, Framework, load_frameworks};
pub use load::{load, pasted};
pub use rego::{run_policies_elsewhere, run_policy_job};
pub use remediation::{
    Batch, Destination, DestinationError, LeftOut, Need, Part, Remediation, RemediationError, Script,
};
pub use remembered::RememberedVerdicts;
pub use result::{
    AssetName, CheckResult, Counts, ExceptedFinding, ExitCode, Figure, Finding, Found, Reason, RestsOn,
    SliceCount, UnknownAsset, Verdict,
};
pub use source::{SourceFile, Sources, shipped};
pub use unread::unread_regions;
