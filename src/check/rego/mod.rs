//! Policies in Rego as expectations: what a policy written for Open Policy Agent denies of the answer of a check's query.
//!
//! A policy is run a bounded number of steps, without a clock, files or a network; what could make it more than that is
//! refused when it is read. Memory is bounded by the process that a policy is run in (`job`,
//! `docs/decisions/034-policies-run-apart.md`).

mod job;
mod mistake;
mod recursion;
mod verdict;

use std::{cell::Cell, num::NonZeroU32, sync::Once, time::Duration};

use regorus::{
    Engine as Interpreter, Value,
    utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source},
};

use serde::{Deserialize, Serialize};

use super::{
    error::{CheckError, Problem},
    source::SourceFile,
};

pub use job::{run_policies_elsewhere, run_policy_job};
pub(super) use verdict::{covered_rows, fill};

use job::Said;

/// The rules whose elements are denials, as Conftest and Gatekeeper name them.
const RULES: [&str; 2] = ["deny", "violation"];

/// The most steps that one run of a policy may take.
const MOST_STEPS: u64 = 10_000_000;

/// The steps between two looks at the limit.
const STEPS_A_LOOK: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

/// The most bytes of an answer that a policy is given.
const MOST_INPUT: usize = 32 << 20;

/// Functions that make something large out of a number, at no cost in steps.
const REFUSED: [&str; 3] = ["numbers.range", "numbers.range_step", "bits.lsh"];

/// A policy that is known to be valid.
#[derive(Clone)]
pub(super) struct Policy {
    /// Its file's name, e.g. `policy.rego`.
    pub(super) name: String,
    /// Of its text.
    pub(super) digest: String,
    text: String,
    interpreter: Interpreter,
    /// The rules it has, as paths, e.g. `data.flowlogs.deny`.
    rules: Vec<String>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Policy")
            .field("name", &self.name)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// One thing that a policy denies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Denial {
    /// What it says.
    pub(super) message: String,
    /// The texts of it that may name an asset.
    pub(super) names: Vec<String>,
}

impl Policy {
    /// Reads a policy and tries it on `empty`, the answer over an inventory without assets; every mistake is reported.
    pub(super) fn read(file: &SourceFile, empty: &str, errors: &mut Vec<CheckError>) -> Option<Self> {
        if let Some((span, name)) = mistake::call_of(&file.text, &REFUSED) {
            let reason = format!("`{name}` can't be used in a check");
            errors.push(file.error(Some(span), Problem::Rego { reason }));
            return None;
        }
        let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
        let (mut interpreter, package) = match parse(&name, &file.text) {
            Ok(parsed) => parsed,
            Err(text) => {
                errors.push(mistake::of_text(file, &text));
                return None;
            }
        };
        if let Some((span, name)) = recursion::find(&mut interpreter, &file.text) {
            let reason = format!("the function `{name}` calls itself");
            errors.push(file.error(Some(span), Problem::Rego { reason }));
            return None;
        }
        let digest = blake3::hash(file.text.as_bytes()).to_hex().to_string();
        let text = file.text.to_string();
        let mut policy = Self { name, digest, text, interpreter, rules: Vec::new() };
        let paths = RULES.map(|rule| format!("{package}.{rule}"));
        let said = match policy.ask(&paths, empty) {
            Ok(said) => said,
            Err(reason) => {
                errors.push(file.error(Some(0..0), Problem::Rego { reason }));
                return None;
            }
        };
        for (path, said) in paths.into_iter().zip(said) {
            match said {
                // Of what form it is when there is something to deny is seen then.
                Said::Denials(_) | Said::NoDenials(_) => policy.rules.push(path),
                Said::NoRule => {}
                Said::Wrong(text) => {
                    errors.push(mistake::of_text(file, &text));
                    return None;
                }
            }
        }
        if policy.rules.is_empty() {
            let reason = format!(
                "the package `{}` has no rule `deny` or `violation`",
                package.trim_start_matches("data.")
            );
            let span = mistake::word(&file.text, "package");
            errors.push(file.error(Some(span), Problem::Rego { reason }));
            return None;
        }
        Some(policy)
    }

    /// Everything that the policy denies of an answer, sorted, none twice.
    ///
    /// # Errors
    /// What went wrong in it, in one line.
    pub(super) fn denials(&self, answer: &str) -> Result<Vec<Denial>, String> {
        if answer.len() > MOST_INPUT {
            let bytes = answer.len();
            return Err(format!("the answer has {bytes} bytes: a policy is given at most {MOST_INPUT}"));
        }
        let mut denials = Vec::new();
        for (rule, said) in self.rules.iter().zip(self.ask(&self.rules, answer)?) {
            match said {
                Said::Denials(told) => denials.extend(told),
                Said::NoDenials(text) => return Err(text),
                Said::NoRule => return Err(format!("there is no `{rule}`")),
                Said::Wrong(text) => return Err(mistake::line_of(&text)),
            }
        }
        denials.sort_by(|left, right| {
            left.message.cmp(&right.message).then_with(|| left.names.cmp(&right.names))
        });
        denials.dedup();
        Ok(denials)
    }

    /// What rules say of an input.
    fn ask(&self, rules: &[String], input: &str) -> Result<Vec<Said>, String> {
        job::run((&self.name, &self.text), &self.interpreter, rules, input)
    }
}

/// The value of a rule for an input.
fn ask(interpreter: &Interpreter, rule: &str, input: &str) -> Result<Value, String> {
    let mut interpreter = interpreter.clone();
    interpreter.set_input_json(input).map_err(|error| error.to_string())?;
    let limit = Duration::from_nanos(MOST_STEPS / u64::from(STEPS_A_LOOK.get()));
    interpreter.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: STEPS_A_LOOK });
    interpreter.eval_rule(rule.to_owned()).map_err(|error| {
        let text = error.to_string();
        if text.contains("time limit") {
            return format!("error: it takes more than {MOST_STEPS} steps");
        }
        text
    })
}

/// An interpreter that has read a policy, and its package. Rego of before 1.0 is read as well.
fn parse(name: &str, text: &str) -> Result<(Interpreter, String), String> {
    count_steps();
    let read = |is_old: bool| {
        let mut interpreter = Interpreter::new();
        interpreter.set_rego_v0(is_old);
        let package = interpreter.add_policy(name.to_owned(), text.to_owned());
        package.map(|package| (interpreter, package)).map_err(|error| error.to_string())
    };
    read(false).or_else(|told| read(true).map_err(|_| told))
}

/// The elements of a rule's value.
fn read_denials(rule: &str, value: &Value) -> Result<Vec<Denial>, String> {
    let elements: Vec<&Value> = match value {
        Value::Undefined | Value::Bool(false) => return Ok(Vec::new()),
        Value::Set(elements) => elements.iter().collect(),
        Value::Array(elements) => elements.iter().collect(),
        _ => return Err(format!("`{rule}` must be a set of messages")),
    };
    elements.into_iter().map(|element| read_denial(rule, element)).collect()
}

/// A text, or an object with a `msg` (or `message`).
fn read_denial(rule: &str, element: &Value) -> Result<Denial, String> {
    match element {
        Value::String(text) => Ok(Denial { message: text.to_string(), names: vec![text.to_string()] }),
        Value::Object(entries) => {
            let texts = entries.iter().filter_map(|(key, value)| match (key, value) {
                (Value::String(key), Value::String(text)) => Some((key.to_string(), text.to_string())),
                _ => None,
            });
            let texts: std::collections::BTreeMap<String, String> = texts.collect();
            let message = texts.get("msg").or_else(|| texts.get("message")).cloned();
            let message = message.ok_or_else(|| format!("an element of `{rule}` has no `msg`"))?;
            // What is called an id names the asset before any word of the message does.
            let called = ["id", "asset", "resource", "assetId", "resourceId"];
            let ids = called.iter().filter_map(|key| texts.get(*key));
            let names = ids.chain(std::iter::once(&message)).cloned().collect();
            Ok(Denial { message, names })
        }
        _ => Err(format!("an element of `{rule}` is neither a text nor an object with a `msg`")),
    }
}

/// Counts looks instead of time, so that the same policy over the same answer always ends the same.
struct Looks;

thread_local! {
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

impl TimeSource for Looks {
    fn now(&self) -> Option<Duration> {
        LOOKS.with(|looks| {
            looks.set(looks.get().wrapping_add(1));
            Some(Duration::from_nanos(looks.get()))
        })
    }
}

/// Has the interpreter count its steps.
fn count_steps() {
    static ONCE: Once = Once::new();
    static COUNTER: Looks = Looks;
    ONCE.call_once(|| {
        if set_time_source(&COUNTER).is_err() {
            tracing::debug!("the steps of policies are counted already");
        }
    });
}
