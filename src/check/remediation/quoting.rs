//! The filters that values pass on their way into a block: for the shell and for Terraform.

use minijinja::{Error, ErrorKind, Value, value::ValueKind};
use serde_json::{Map, Value as Json};

/// What the AWS CLI takes, at the beginning of a parameter, for the place to read its value from. (Version 1 reads URLs
/// as well.)
const READ_FROM: [&str; 4] = ["file://", "fileb://", "http://", "https://"];

/// Characters that no shell reads as anything but themselves.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_@%+=:,./-".contains(letter)
}

/// One word of a command line, whatever the text holds.
pub(super) fn shell_word(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `{{ value | sh }}`: a value as one word, a list as several. A word of a list may not look like an option, since
/// nothing stands before it that takes it as a value; for a single value write `--option={{ value | sh }}`. No word may
/// be one that the AWS CLI would put the contents of a file for.
pub(super) fn sh(value: &Value) -> Result<Value, Error> {
    let quoted = match elements(value)? {
        None => shell_word(&shell_text(value)?),
        Some(items) => {
            let words = items.iter().map(|item| {
                let text = shell_text(item)?;
                if text.starts_with('-') {
                    return Err(refused(format!("`{text}` in a list would be read as an option")));
                }
                Ok(shell_word(&text))
            });
            words.collect::<Result<Vec<_>, _>>()?.join(" ")
        }
    };
    Ok(Value::from_safe_string(quoted))
}

/// The text of a scalar, which a command line can hold.
fn shell_text(value: &Value) -> Result<String, Error> {
    let text = scalar(value)?;
    if text.contains('\0') {
        return Err(refused("a text with a NUL can't be written on a command line".to_owned()));
    }
    if let Some(from) = READ_FROM.iter().find(|from| text.starts_with(**from)) {
        let reason =
            format!("of a text that begins with `{from}` the AWS CLI would take what it reads there");
        return Err(refused(reason));
    }
    Ok(text)
}

/// `{{ value | json | sh }}`: a value, a list or a map as JSON, for parameters that take it. In JSON no text is taken for
/// the name of a file, and none for more than one.
pub(super) fn json(value: &Value) -> Result<String, Error> {
    Ok(json_of(value)?.to_string())
}

fn json_of(value: &Value) -> Result<Json, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.map(|item| json_of(&item));
            Ok(Json::Array(items.collect::<Result<_, _>>()?))
        }
        ValueKind::Map => {
            let mut entries = Map::new();
            for key in value.try_iter()? {
                entries.insert(scalar(&key)?, json_of(&value.get_item(&key)?)?);
            }
            Ok(Json::Object(entries))
        }
        ValueKind::Bool => Ok(value.is_true().into()),
        ValueKind::Number => match value.as_i64() {
            Some(whole) => Ok(whole.into()),
            None => f64::try_from(value.clone()).map(Json::from),
        },
        _ => scalar(value).map(Json::String),
    }
}

/// `{{ lists | flat }}`: the elements of lists as one list.
pub(super) fn flat(value: &Value) -> Result<Value, Error> {
    let mut all = Vec::new();
    for list in value.try_iter()? {
        match list.kind() {
            ValueKind::Seq | ValueKind::Iterable => all.extend(list.try_iter()?),
            ValueKind::Undefined | ValueKind::None => drop(scalar(&list)?),
            kind => return Err(refused(format!("`flat` takes lists, not a {kind}"))),
        }
    }
    Ok(Value::from(all))
}

/// `{{ value | hcl }}`: a value as Terraform writes it, a text as a literal that interpolates nothing.
pub(super) fn hcl(value: &Value) -> Result<Value, Error> {
    let literal = match elements(value)? {
        None => hcl_scalar(value)?,
        Some(items) => {
            let items = items.iter().map(hcl_scalar).collect::<Result<Vec<_>, _>>()?;
            format!("[{}]", items.join(", "))
        }
    };
    Ok(Value::from_safe_string(literal))
}

fn hcl_scalar(value: &Value) -> Result<String, Error> {
    let text = scalar(value)?;
    Ok(if value.kind() == ValueKind::String { hcl_literal(&text) } else { text })
}

/// A quoted template without any interpolation.
fn hcl_literal(text: &str) -> String {
    let mut literal = String::from("\"");
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '$' | '%' if letters.peek() == Some(&'{') => literal.extend([letter, letter]),
            letter if letter.is_control() => {
                literal.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => literal.push(letter),
        }
    }
    literal.push('"');
    literal
}

/// `{{ value | hcl_name }}`: a quoted name of a resource; what a name can't hold becomes an underscore.
pub(super) fn hcl_name(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(format!("\"{}\"", name(value)?)))
}

/// `{{ value | hcl_reference }}`: the same name where another resource refers to it.
pub(super) fn hcl_reference(value: &Value) -> Result<Value, Error> {
    name(value).map(Value::from_safe_string)
}

fn name(value: &Value) -> Result<String, Error> {
    let text = scalar(value)?;
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let mut name: String = text.chars().map(|letter| if is_letter(letter) { letter } else { '_' }).collect();
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        name.insert_str(0, "r_");
    }
    Ok(name)
}

/// The elements of a list; nothing for anything else.
fn elements(value: &Value) -> Result<Option<Vec<Value>>, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(None);
    }
    let items: Vec<Value> = value.try_iter()?.collect();
    if items.is_empty() { Err(refused("the list is empty".to_owned())) } else { Ok(Some(items)) }
}

fn scalar(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
        ValueKind::Undefined => Err(refused("a value it needs is not known".to_owned())),
        ValueKind::None => Err(refused("a value it needs is null".to_owned())),
        kind => Err(refused(format!("a {kind} can't be written here"))),
    }
}

fn refused(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}
