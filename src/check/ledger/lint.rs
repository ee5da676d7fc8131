//! What is wrong with an exception that holds: whoever made it believes that it does something.

use std::fmt;

use super::{
    super::{
        definition::Check,
        exception::{Exception, Scope},
    },
    finding::{Finding, Status},
};
use crate::{
    model::Time,
    query::{Engine, Request},
};

/// An exception that ends sooner than this is mentioned.
const SOON_DAYS: u64 = 14;
const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// What is wrong with an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExceptionProblem {
    /// It is for a check that isn't there.
    NoSuchCheck {
        /// The check.
        check_id: String,
    },
    /// Its filter can't be understood, so it accepts nothing.
    BadFilter {
        /// The filter.
        filter: String,
        /// Why not.
        problem: String,
    },
    /// Its filter is about a type that its check, or any check, doesn't judge by that name.
    NotJudged {
        /// The type.
        typename: String,
    },
    /// No finding is accepted by it.
    AcceptsNothing,
    /// It ends soon.
    EndsSoon {
        /// When.
        expires_at: Time,
        /// How many findings are open again then.
        findings: u64,
    },
}

impl fmt::Display for ExceptionProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCheck { check_id } => {
                write!(formatter, "there is no check `{check_id}`: take it back")
            }
            Self::BadFilter { filter, problem } => {
                write!(formatter, "`{filter}` can't be understood, so it accepts nothing: {problem}")
            }
            Self::NotJudged { typename } => write!(formatter, "no check that it is for judges `{typename}`"),
            Self::AcceptsNothing => {
                formatter.write_str("it accepts no finding: take it back if none is expected")
            }
            Self::EndsSoon { expires_at, findings } => {
                write!(
                    formatter,
                    "it ends at {expires_at}, and its findings ({findings}) are open again then"
                )
            }
        }
    }
}

/// What is wrong with an exception that holds; nothing where all is well. The findings are all there are.
#[must_use]
pub fn lint_exception(
    exception: &Exception,
    checks: &[Check],
    findings: &[Finding],
    engine: &Engine,
    now: Time,
) -> Vec<ExceptionProblem> {
    let mut problems = Vec::new();
    let is_for = |check: &&Check| exception.check_id.as_ref().is_none_or(|id| check.id == *id);
    if let Some(check_id) = &exception.check_id
        && !checks.iter().any(|check| check.id == *check_id)
    {
        problems.push(ExceptionProblem::NoSuchCheck { check_id: check_id.clone() });
    } else if let Scope::Filter { typename, filter } = &exception.scope {
        let judging = checks.iter().filter(is_for).find(|check| check.covers_name == *typename);
        let query = judging.map(|check| Scope::query(&engine.catalog().get(check.covers).plural, filter));
        match query.map(|query| engine.plan(&Request::new(query.as_str()))) {
            None => problems.push(ExceptionProblem::NotJudged { typename: typename.clone() }),
            Some(Err(errors)) => problems.push(ExceptionProblem::BadFilter {
                filter: filter.clone(),
                problem: errors.first().map(ToString::to_string).unwrap_or_default(),
            }),
            Some(Ok(_)) => {}
        }
    }
    let accepted = findings.iter().filter(|finding| {
        finding.status == Status::Excepted && finding.exception_id.as_ref() == Some(&exception.id)
    });
    let accepted = accepted.count() as u64;
    if !problems.is_empty() {
        return problems;
    }
    if accepted == 0 {
        problems.push(ExceptionProblem::AcceptsNothing);
    } else if exception.expires_at.since(now).as_secs() < SOON_DAYS * SECONDS_A_DAY {
        problems.push(ExceptionProblem::EndsSoon { expires_at: exception.expires_at, findings: accepted });
    }
    problems
}
