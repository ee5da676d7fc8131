//! One view of an argument, whether it was written in the query or came as a variable's JSON. The specification's
//! coercion differs between the two (an enum is a name here and a string there), so the view remembers which it was.

use std::collections::BTreeMap;

use apollo_compiler::{Node, ast::Value as Literal, parser::SourceSpan};
use serde_json::Value as Json;

/// The values of the operation's variables: absent names were neither given nor have a default.
pub(super) type VariableValues = BTreeMap<String, VariableValue>;

/// Where a variable's value comes from.
#[derive(Clone, Debug)]
pub(super) enum VariableValue {
    Given(Json),
    Default(Node<Literal>),
    /// Whatever is given: the plan is made without it.
    Blank(Blank),
}

/// A variable whose value is put into a plan afterwards: a scalar, or where it is a list scalars, none of them null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blank {
    /// Its place among the operation's variables.
    pub(super) variable: usize,
    pub(super) is_list: bool,
}

/// An argument or part of one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'a> {
    Literal(&'a Node<Literal>),
    /// A part of a variable's value; the span is where the variable is used.
    Json(&'a Json, Option<SourceSpan>),
}

/// What an input is, with its variable looked up.
#[derive(Debug)]
pub(super) enum Shape<'a> {
    /// A variable that was not given and has no default.
    Absent,
    Null,
    Boolean(bool),
    /// A number as written, with or without a fraction.
    Number(String),
    Text(&'a str),
    /// A name written without quotes.
    Name(&'a str),
    List(Vec<Input<'a>>),
    Object(Vec<Entry<'a>>),
    /// A variable that the operation doesn't declare; the validator names it too.
    Undeclared(&'a str),
    /// A value that the plan is made without: neither absent nor null.
    Blank(Blank),
}

/// One key of an input object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) key_span: Option<SourceSpan>,
    pub(super) value: Input<'a>,
}

/// The variables in force: what is declared, and what each stands for.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) declared: Vec<String>,
    pub(super) values: VariableValues,
}

impl<'a> Input<'a> {
    pub(super) fn span(self) -> Option<SourceSpan> {
        match self {
            Input::Literal(node) => node.location(),
            Input::Json(_, span) => span,
        }
    }

    /// What it is. A variable in a default value can't occur: the validator refuses it, and here it is undeclared.
    pub(super) fn shape(self, scope: &'a Scope) -> Shape<'a> {
        match self {
            Input::Literal(node) => match &**node {
                Literal::Null => Shape::Null,
                Literal::Enum(name) => Shape::Name(name.as_str()),
                Literal::Boolean(value) => Shape::Boolean(*value),
                Literal::String(text) => Shape::Text(text),
                Literal::Int(number) => Shape::Number(number.as_str().to_owned()),
                Literal::Float(number) => Shape::Number(number.as_str().to_owned()),
                Literal::List(items) => Shape::List(items.iter().map(Input::Literal).collect()),
                Literal::Object(entries) => Shape::Object(
                    entries
                        .iter()
                        .map(|(key, value)| Entry {
                            key: key.as_str(),
                            key_span: key.location(),
                            value: Input::Literal(value),
                        })
                        .collect(),
                ),
                Literal::Variable(name) => match scope.values.get(name.as_str()) {
                    Some(VariableValue::Given(json)) => Input::Json(json, node.location()).shape(scope),
                    Some(VariableValue::Default(literal)) => Input::Literal(literal).shape(scope),
                    Some(VariableValue::Blank(blank)) => Shape::Blank(*blank),
                    None if scope.declared.iter().any(|declared| declared == name.as_str()) => Shape::Absent,
                    None => Shape::Undeclared(name.as_str()),
                },
            },
            Input::Json(json, span) => match json {
                Json::Null => Shape::Null,
                Json::Bool(value) => Shape::Boolean(*value),
                Json::Number(number) => Shape::Number(number.to_string()),
                Json::String(text) => Shape::Text(text),
                Json::Array(items) => Shape::List(items.iter().map(|item| Input::Json(item, span)).collect()),
                Json::Object(entries) => Shape::Object(
                    entries
                        .iter()
                        .map(|(key, value)| Entry { key, key_span: span, value: Input::Json(value, span) })
                        .collect(),
                ),
            },
        }
    }

    /// Whether it came as JSON, where enum values are strings.
    pub(super) fn is_json(self, scope: &Scope) -> bool {
        match self {
            Input::Json(..) => true,
            Input::Literal(node) => match &**node {
                Literal::Variable(name) => {
                    let value = scope.values.get(name.as_str());
                    matches!(value, Some(VariableValue::Given(_) | VariableValue::Blank(_)))
                }
                _ => false,
            },
        }
    }
}

impl Shape<'_> {
    /// For messages: what was given, without quoting long values.
    pub(super) fn describe(&self) -> String {
        match self {
            Shape::Absent => "nothing".to_owned(),
            Shape::Null => "null".to_owned(),
            Shape::Boolean(value) => format!("`{value}`"),
            Shape::Number(number) => format!("`{}`", shorten(number)),
            Shape::Text(text) => format!("the string `\"{}\"`", shorten(text)),
            Shape::Name(name) => format!("the name `{}`", shorten(name)),
            Shape::List(_) => "a list".to_owned(),
            Shape::Object(_) => "an object".to_owned(),
            Shape::Undeclared(name) => format!("the undeclared variable `${name}`"),
            Shape::Blank(_) => "a value that is not known yet".to_owned(),
        }
    }
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}
