//! Functions of a policy that call themselves, straight or by way of others. The language forbids it, and an interpreter
//! that runs one anyway ends with its stack.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::LazyLock,
};

use regex::Regex;
use regorus::{
    Engine as Interpreter,
    unstable::{Rule, RuleHead},
};

use super::mistake::span_at;

/// Comments and texts, in which nothing is called.
static NO_CODE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""(?:\\.|[^"\\])*"|`[^`]*`|#[^\n]*"#).ok());

/// A name that is called.
static CALLS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\w+)\s*\(").ok());

/// A function that is called while it runs: its name and where it stands.
pub(super) fn find(interpreter: &mut Interpreter, text: &str) -> Option<(Range<usize>, String)> {
    let calls = calls(interpreter, text);
    calls
        .iter()
        .find(|(name, function)| reaches(&calls, &function.called, name))
        .map(|(name, function)| (function.place.clone(), name.clone()))
}

/// A function: where it stands, and what it calls.
struct Function {
    place: Range<usize>,
    called: BTreeSet<String>,
}

fn calls(interpreter: &mut Interpreter, text: &str) -> BTreeMap<String, Function> {
    let mut rules: Vec<(Range<usize>, Option<String>)> = Vec::new();
    for rule in interpreter.get_modules().iter().flat_map(|module| &module.policy) {
        let span = rule.span();
        let place = span_at(text, span.line as usize, span.col as usize);
        let name = match &**rule {
            Rule::Spec { head: RuleHead::Func { refr, .. }, .. } => {
                refr.span().text().rsplit('.').next().map(|name| name.trim().to_owned())
            }
            _ => None,
        };
        rules.push((place, name));
    }
    rules.sort_by_key(|(place, _)| place.start);
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    for (index, (place, name)) in rules.iter().enumerate() {
        let Some(name) = name else { continue };
        let end = rules.get(index + 1).map_or(text.len(), |(next, _)| next.start);
        let rule = text.get(place.start..end).unwrap_or_default();
        let code = NO_CODE.as_ref().map_or(rule.into(), |no_code| no_code.replace_all(rule, " "));
        // The first name is the function's own, where it is defined.
        let called = CALLS.iter().flat_map(|calls| calls.captures_iter(&code)).skip(1);
        let called = called.filter_map(|call| call.get(1)).map(|name| name.as_str().to_owned());
        let function = functions
            .entry(name.clone())
            .or_insert_with(|| Function { place: place.clone(), called: BTreeSet::new() });
        function.called.extend(called);
    }
    functions
}

/// Whether a function is among those called, or among those that they call.
fn reaches(calls: &BTreeMap<String, Function>, called: &BTreeSet<String>, name: &str) -> bool {
    let mut open: Vec<&String> = called.iter().collect();
    let mut seen: BTreeSet<&String> = BTreeSet::new();
    while let Some(next) = open.pop() {
        if next == name {
            return true;
        }
        if seen.insert(next) {
            open.extend(calls.get(next).into_iter().flat_map(|function| &function.called));
        }
    }
    false
}
