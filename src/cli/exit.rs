//! Exit codes: what a script learns from a run.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done, and every verdict is PASS or NOT_APPLICABLE.
    Pass,
    /// The program could not do its work: the disk, the network, a fault of its own.
    Failed,
    /// Assets fail a check.
    Findings,
    /// The input is wrong: arguments, a query, a schema, a check, a file of assets.
    BadInput,
    /// Nothing fails, and not everything is known: verdicts are UNKNOWN, or slices were not collected.
    Unknown,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failed => 1,
            Self::Findings => 2,
            Self::BadInput => 3,
            Self::Unknown => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
