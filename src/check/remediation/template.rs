//! The templates' own language: minijinja with strict names, a short list of filters, and a printer that refuses what no
//! filter has quoted.

use minijinja::{Environment, Error, ErrorKind, Output, UndefinedBehavior, Value, filters, value::ValueKind};

use serde_json::Value as Json;

use super::{
    Fields,
    blocks::{Part, Segment},
    quoting,
};

/// The filters of all templates. None of them makes a text that counts as quoted.
pub(super) const FILTERS: &[&str] = &[
    "batch",
    "chain",
    "default",
    "first",
    "flat",
    "groupby",
    "json",
    "last",
    "length",
    "list",
    "map",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
    "sort",
    "unique",
];

/// The filter that quotes for a part.
pub(super) fn quoting_filters(part: Option<Part>) -> &'static [&'static str] {
    match part {
        None => &[],
        Some(part) if part.is_shell() => &["sh"],
        Some(_) => &["hcl", "hcl_name", "hcl_reference"],
    }
}

/// What a template of a part is rendered with.
pub(super) fn environment<'source>(part: Option<Part>) -> Environment<'source> {
    // The built-in filters hold some that call a text safe; those that are left do not.
    let mut environment = Environment::empty();
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("batch", filters::batch);
    environment.add_filter("chain", filters::chain);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("flat", quoting::flat);
    environment.add_filter("groupby", filters::groupby);
    environment.add_filter("json", quoting::json);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("list", filters::list);
    environment.add_filter("map", filters::map);
    environment.add_filter("reject", filters::reject);
    environment.add_filter("rejectattr", filters::rejectattr);
    environment.add_filter("select", filters::select);
    environment.add_filter("selectattr", filters::selectattr);
    environment.add_filter("sort", filters::sort);
    environment.add_filter("unique", filters::unique);
    environment.add_test("defined", minijinja::tests::is_defined);
    environment.add_test("none", minijinja::tests::is_none);
    environment.add_test("eq", minijinja::tests::is_eq);
    environment.add_test("ne", minijinja::tests::is_ne);
    environment.add_test("lt", minijinja::tests::is_lt);
    environment.add_test("le", minijinja::tests::is_le);
    environment.add_test("gt", minijinja::tests::is_gt);
    environment.add_test("ge", minijinja::tests::is_ge);
    environment.add_test("in", minijinja::tests::is_in);
    environment.add_test("startingwith", minijinja::tests::is_startingwith);
    match part {
        None => {}
        Some(part) if part.is_shell() => environment.add_filter("sh", quoting::sh),
        Some(_) => {
            environment.add_filter("hcl", quoting::hcl);
            environment.add_filter("hcl_name", quoting::hcl_name);
            environment.add_filter("hcl_reference", quoting::hcl_reference);
        }
    }
    if part.is_some() {
        let filter = quoting_filters(part).first().copied().unwrap_or_default();
        environment.set_formatter(move |out, _, value| print_quoted(out, value, filter));
    } else {
        environment.set_formatter(|out, _, value| print_prose(out, value));
    }
    environment
}

/// A block takes what was quoted, and numbers.
fn print_quoted(out: &mut Output<'_>, value: &Value, filter: &str) -> Result<(), Error> {
    if !value.is_safe() && value.kind() != ValueKind::Number {
        let reason = format!("nothing is printed here but through `| {filter}`");
        return Err(Error::new(ErrorKind::InvalidOperation, reason));
    }
    write(out, value)
}

fn print_prose(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "a value it needs is not known"));
    }
    write(out, value)
}

fn write(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    out.write_str(&value.to_string())
        .map_err(|_| Error::new(ErrorKind::WriteFailure, "the text could not be written"))
}

/// Fields as templates see them.
pub(super) fn value_of(fields: &Fields) -> Value {
    Value::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), value_of_json(value))))
}

fn value_of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(float)) => Value::from(float),
            (None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(value_of_json).collect(),
        Json::Object(fields) => value_of(fields),
    }
}

/// Renders one segment.
pub(super) fn render(segment: &Segment, context: &Value) -> Result<String, Error> {
    environment(segment.part).render_str(&segment.text, context)
}

/// What went wrong, in one line.
pub(super) fn reason(error: &Error) -> String {
    let text = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match text.lines().next() {
        Some(line) => line.trim_end_matches('.').to_owned(),
        None => "it can't be rendered".to_owned(),
    }
}
