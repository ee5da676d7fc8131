//! A run of a policy as a value: what goes in and what comes out. So it can be done where it can do no harm, in a process of
//! its own: what a policy makes of memory in one step (a text joined with itself forty times) no limit inside can stop.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::{Denial, Interpreter, ask, parse, read_denials};

/// The most bytes that the messages of one rule may have together.
const MOST_TEXT: usize = 16 << 20;

/// What to run.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    /// The file's name.
    name: String,
    /// The policy.
    text: String,
    /// Rules as paths, e.g. `data.flowlogs.deny`.
    rules: Vec<String>,
    /// What it judges, as JSON.
    input: String,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Said {
    /// What it denies.
    Denials(Vec<Denial>),
    /// Something that is no set of denials, and why.
    NoDenials(String),
    /// There is no such rule.
    NoRule,
    /// It went wrong: what the interpreter tells.
    Wrong(String),
}

/// Runs a job that is given as bytes, and gives what is said as bytes; or says why that can't be.
type Elsewhere = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, String> + Send + Sync>;

static ELSEWHERE: OnceLock<Elsewhere> = OnceLock::new();

/// Has policies run elsewhere from now on: `run` is given a job as bytes, hands it to [`run_policy_job`] in another
/// process, and gives what that gave, or why there is nothing. Only the first call counts.
pub fn run_policies_elsewhere(run: impl Fn(&[u8]) -> Result<Vec<u8>, String> + Send + Sync + 'static) {
    if ELSEWHERE.set(Box::new(run)).is_err() {
        tracing::debug!("policies are run elsewhere already");
    }
}

/// Does a job, in this process. Nothing for bytes that are no job.
#[must_use]
pub fn run_policy_job(job: &[u8]) -> Option<Vec<u8>> {
    let Job { name, text, rules, input } = serde_json::from_slice(job).ok()?;
    let said: Vec<Said> = match parse(&name, &text) {
        Ok((interpreter, _)) => say(&interpreter, &rules, &input),
        Err(told) => rules.iter().map(|_| Said::Wrong(told.clone())).collect(),
    };
    serde_json::to_vec(&said).ok()
}

/// What rules say of an input, one after the other.
///
/// # Errors
/// Why they could not be run.
pub(super) fn run(
    (name, text): (&str, &str),
    interpreter: &Interpreter,
    rules: &[String],
    input: &str,
) -> Result<Vec<Said>, String> {
    let Some(elsewhere) = ELSEWHERE.get() else { return Ok(say(interpreter, rules, input)) };
    let job =
        Job { name: name.to_owned(), text: text.to_owned(), rules: rules.to_vec(), input: input.to_owned() };
    let job = serde_json::to_vec(&job).map_err(|error| error.to_string())?;
    let said = elsewhere(&job)?;
    let said: Vec<Said> = serde_json::from_slice(&said).map_err(|_| "it ended without a word".to_owned())?;
    if said.len() == rules.len() { Ok(said) } else { Err("it ended before its end".to_owned()) }
}

fn say(interpreter: &Interpreter, rules: &[String], input: &str) -> Vec<Said> {
    let of_rule = |rule: &String| match ask(interpreter, rule, input) {
        Err(text) if text.contains("not a valid rule path") => Said::NoRule,
        Err(text) => Said::Wrong(text),
        Ok(value) => match read_denials(rule, &value) {
            Err(text) => Said::NoDenials(text),
            Ok(denials) => bounded(denials),
        },
    };
    rules.iter().map(of_rule).collect()
}

fn bounded(denials: Vec<Denial>) -> Said {
    let bytes: usize = denials.iter().flat_map(|denial| &denial.names).map(String::len).sum();
    if bytes > MOST_TEXT {
        return Said::NoDenials(format!("its messages have {bytes} bytes: it may tell at most {MOST_TEXT}"));
    }
    Said::Denials(denials)
}
