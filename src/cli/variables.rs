//! Variables from the command line. `--var name=value` takes the value in the type the query declares, so that an
//! account id stays text without quotes.

use serde_json::{Map, Value};

/// Scalars whose values are text, whatever they look like.
const TEXT_SCALARS: [&str; 7] = ["String", "ID", "DateTime", "Date", "CIDR", "IPAddress", "BigInt"];

/// Reads `--variables` and then each `--var` over it.
///
/// # Errors
/// What is not `name=value`, or not a JSON object.
pub(crate) fn read(query: &str, pairs: &[String], json: Option<&str>) -> Result<Map<String, Value>, String> {
    let mut variables = match json.map(serde_json::from_str::<Value>) {
        None => Map::new(),
        Some(Ok(Value::Object(variables))) => variables,
        Some(Ok(_)) => {
            return Err("`--variables` must be a JSON object, as in '{\"region\": \"eu-west-1\"}'".into());
        }
        Some(Err(error)) => return Err(format!("`--variables` is not valid JSON: {error}")),
    };
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(format!("`--var {pair}` has no value: write it as in --var region=eu-west-1"));
        };
        let name = name.strip_prefix('$').unwrap_or(name);
        variables.insert(name.to_owned(), read_value(declared_type(query, name), value));
    }
    Ok(variables)
}

/// Text where the declared type is text; else JSON where it is JSON; else text. A list may be written `a,b`.
fn read_value(declared: Option<&str>, text: &str) -> Value {
    let inner = declared.and_then(|declared| {
        let inner = declared.trim_end_matches('!').strip_prefix('[')?;
        Some(inner.strip_suffix(']').unwrap_or(inner))
    });
    if let Some(inner) = inner {
        return match serde_json::from_str(text) {
            Ok(Value::Array(items)) => Value::Array(items),
            Ok(Value::Null) => Value::Null,
            _ if text.is_empty() => Value::Array(Vec::new()),
            _ => text.split(',').map(|item| read_value(Some(inner), item)).collect(),
        };
    }
    let is_text = declared.is_some_and(|declared| TEXT_SCALARS.contains(&declared.trim_end_matches('!')));
    let parsed = if is_text { None } else { serde_json::from_str(text).ok() };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The variables that a query declares, as `name: Type`, in the order of the text.
pub(crate) fn declared(query: &str) -> Vec<String> {
    let names = query.split('$').skip(1).filter_map(|after| {
        let name = after.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).next()?;
        Some(format!("{name}: {}", declared_type(query, name)?))
    });
    let mut declared: Vec<String> = Vec::new();
    for name in names {
        if !declared.contains(&name) {
            declared.push(name);
        }
    }
    declared
}

/// The type after `$name:`, found without a parser: a query that can't be parsed is the engine's to refuse.
fn declared_type<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('$').skip(1).find_map(|after| {
        let declared = after.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim_start();
        let is_type = |letter: char| letter.is_ascii_alphanumeric() || "_[]!".contains(letter);
        Some(declared.split(|letter| !is_type(letter)).next().unwrap_or_default())
    })
}
