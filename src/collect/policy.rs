//! What policy documents of IAM allow, as far as documents alone can say: statements that allow an action, less those
//! that deny it everywhere. Resources and conditions are not weighed.

use serde_json::Value;

/// The statements of several documents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    statements: Vec<Value>,
    /// A document could not be read, so nothing can be said.
    has_unreadable: bool,
}

impl Policies {
    /// Adds a document as IAM hands it out: JSON, written as in a URL.
    pub(crate) fn add_encoded(&mut self, document: &str) {
        let query = format!("document={document}");
        let decoded = form_urlencoded::parse(query.as_bytes()).next().map(|(_, text)| text.into_owned());
        let parsed: Option<Value> = decoded.and_then(|text| serde_json::from_str(&text).ok());
        match parsed.as_ref().and_then(|document| document.get("Statement")) {
            Some(Value::Array(statements)) => self.statements.extend(statements.iter().cloned()),
            Some(statement @ Value::Object(_)) => self.statements.push(statement.clone()),
            _ => self.has_unreadable = true,
        }
    }

    /// Whether an action is allowed on some resource; nothing where a document could not be read.
    pub(crate) fn allow(&self, action: &str) -> Option<bool> {
        self.decide(|statement| names_action(statement, action), names_everything)
    }

    /// Whether a service may take the role on, of whose trust these are the documents.
    pub(crate) fn lets_take_on(&self, service: &str) -> Option<bool> {
        let names = |statement: &Value| {
            names_action(statement, "sts:AssumeRole") && names_service(statement, service)
        };
        self.decide(names, |_| true)
    }

    fn decide(&self, names: impl Fn(&Value) -> bool, denies: impl Fn(&Value) -> bool) -> Option<bool> {
        let of = |effect: &'static str| {
            let has =
                move |statement: &&Value| statement.get("Effect").and_then(Value::as_str) == Some(effect);
            self.statements.iter().filter(has).filter(|statement| names(statement))
        };
        let denied = of("Deny").any(|statement| statement.get("Condition").is_none() && denies(statement));
        (!self.has_unreadable).then(|| of("Allow").next().is_some() && !denied)
    }
}

fn names_action(statement: &Value, action: &str) -> bool {
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => words(actions).any(|pattern| matches(pattern, action)),
        (None, Some(others)) => !words(others).any(|pattern| matches(pattern, action)),
        (None, None) => false,
    }
}

fn names_everything(statement: &Value) -> bool {
    statement.get("Resource").is_some_and(|resources| words(resources).any(|resource| resource == "*"))
}

fn names_service(statement: &Value, service: &str) -> bool {
    match statement.get("Principal") {
        Some(Value::String(all)) => all == "*",
        Some(Value::Object(principals)) => {
            let services = principals.get("Service").into_iter().flat_map(words);
            services
                .chain(principals.get("*").into_iter().flat_map(words))
                .any(|name| name == service || name == "*")
        }
        _ => false,
    }
}

/// A text, or a list of texts.
fn words(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value.as_str().into_iter().chain(list.iter().filter_map(Value::as_str))
}

/// Whether a pattern with `*` and `?` matches an action; case does not count.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let (mut rest, mut open) = (pattern.as_str(), vec![action.as_str()]);
    while let Some(wanted) = rest.chars().next() {
        rest = rest.strip_prefix(wanted).unwrap_or_default();
        open = match wanted {
            // From the longest tail, every shorter one is open as well.
            '*' => open.first().map(|longest| tails(longest).collect()).unwrap_or_default(),
            '?' => open.into_iter().filter_map(|tail| tail.get(1..)).collect(),
            letter => open.into_iter().filter_map(|tail| tail.strip_prefix(letter)).collect(),
        };
    }
    open.iter().any(|tail| tail.is_empty())
}

/// A text and all its ends, the longest first.
fn tails(text: &str) -> impl Iterator<Item = &str> {
    (0..=text.len()).filter_map(move |start| text.get(start..))
}
