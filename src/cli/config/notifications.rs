//! `[[notifications]]`: whom to tell of what. Secrets stand in the environment or in files of their own, never here; they
//! are read when they are needed.

use std::{collections::BTreeSet, fmt, path::PathBuf};

use super::{
    masked::named,
    reader::{Reader, Table, Text},
};
use crate::{
    check::Severity,
    model::nearest,
    notify::{AddressRule, ChangeKind, Channel, ChannelKind, Secret, Target, TargetError},
};

const KEYS: &[&str] = &[
    "allow_http",
    "allow_private",
    "checks",
    "kind",
    "name",
    "on",
    "secret_env",
    "secret_file",
    "severity",
    "url",
    "url_env",
    "url_file",
];
const KINDS: [&str; 2] = ["webhook", "slack"];

/// One entry of `[[notifications]]`, whose address and secret may still have to be read.
#[derive(Clone, Debug)]
pub(crate) struct ChannelSection {
    /// Its name.
    pub(crate) name: String,
    is_slack: bool,
    url: Source,
    secret: Option<Source>,
    rule: AddressRule,
    on: Vec<ChangeKind>,
    severity: Severity,
    checks: Vec<String>,
}

/// Where a text is.
#[derive(Clone)]
enum Source {
    /// Here.
    Written(String),
    /// In this variable of the environment.
    Variable(String),
    /// In this file.
    File(PathBuf),
}

/// Reads the sections.
pub(super) fn read(reader: &mut Reader<'_>, root: &Table<'_>) -> Vec<ChannelSection> {
    let tables = reader.tables(root, "notifications", "[[notifications]]", KEYS);
    let mut names = BTreeSet::new();
    tables.iter().filter_map(|table| channel(reader, table, &mut names)).collect()
}

fn channel(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    names: &mut BTreeSet<String>,
) -> Option<ChannelSection> {
    let name = reader.required(table, "name");
    if let Some(name) = name.as_ref().filter(|name| !names.insert(name.value.clone())) {
        let reason = format!("there are two channels `{}`", name.value);
        reader.bad("name", name.span.clone(), reason, "give one of the two another name");
    }
    let is_slack = is_slack(reader, table);
    let rule = AddressRule {
        allow_private: reader.flag(table, "allow_private").unwrap_or_default(),
        allow_http: reader.flag(table, "allow_http").unwrap_or_default(),
    };
    let url = url(reader, table, is_slack.unwrap_or_default(), rule);
    let secret = source(reader, table, [None, Some("secret_env"), Some("secret_file")]);
    if let (Some(true), Some(key)) =
        (is_slack, ["secret_env", "secret_file"].into_iter().find(|key| table.get(key).is_some()))
        && let Some(text) = reader.text(table, key)
    {
        reader.bad(
            key,
            text.span,
            "a Slack message is not signed: its address is the secret",
            "leave it out",
        );
    }
    let on = kinds(reader, table);
    let severity = severity(reader, table);
    let checks = reader.texts(table, "checks").into_iter().map(|text| text.value).collect();
    let (name, is_slack, url) = (name?.value, is_slack?, url?);
    Some(ChannelSection { name, is_slack, url, secret, rule, on, severity, checks })
}

fn is_slack(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<bool> {
    let kind = reader.required(table, "kind")?;
    match kind.value.as_str() {
        "webhook" => Some(false),
        "slack" => Some(true),
        other => {
            let reason = format!("`{other}` is no kind of channel");
            reader.bad("kind", kind.span, reason, did_you_mean(other, KINDS));
            None
        }
    }
}

/// The address. That of a Slack hook is a secret: whoever knows it can write there.
fn url(reader: &mut Reader<'_>, table: &Table<'_>, is_slack: bool, rule: AddressRule) -> Option<Source> {
    let keys = if is_slack {
        if let Some(text) = reader.text(table, "url") {
            let reason = "the address of a Slack hook is a secret";
            reader.bad("url", text.span, reason, "write `url_env` and the name of a variable, or `url_file`");
            return None;
        }
        [None, Some("url_env"), Some("url_file")]
    } else {
        [Some("url"), Some("url_env"), Some("url_file")]
    };
    let missing = if is_slack { "url_env" } else { "url" };
    if keys.into_iter().flatten().all(|key| table.get(key).is_none()) {
        reader.required(table, missing);
        return None;
    }
    if let Some(text) = reader.text(table, "url")
        && let Err(error) = Target::read(&text.value, rule)
    {
        let remedy = "addresses are https and public, as in \"https://example.com/hook\"";
        reader.bad("url", text.span, error.to_string(), remedy);
        return None;
    }
    source(reader, table, keys)
}

/// The one of several keys that says where a text is.
fn source(reader: &mut Reader<'_>, table: &Table<'_>, keys: [Option<&'static str>; 3]) -> Option<Source> {
    let [written, variable, file] = keys;
    let mut found: Vec<(&'static str, Text, Source)> = Vec::new();
    if let Some((key, text)) = written.and_then(|key| Some((key, reader.text(table, key)?))) {
        found.push((key, text.clone(), Source::Written(text.value)));
    }
    if let Some((key, text)) = variable.and_then(|key| Some((key, reader.text(table, key)?))) {
        found.push((key, text.clone(), Source::Variable(text.value)));
    }
    if let Some((key, text)) = file.and_then(|key| Some((key, reader.text(table, key)?)))
        && let Some(path) = reader.path(table, key)
    {
        found.push((key, text, Source::File(path)));
    }
    if let [first, .., (key, text, _)] = found.as_slice() {
        let reason = format!("`{}` says it already", first.0);
        reader.bad(key, text.span.clone(), reason, "leave one of the two out");
        return None;
    }
    found.pop().map(|(_, _, source)| source)
}

fn kinds(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<ChangeKind> {
    if table.get("on").is_none() {
        return ChangeKind::ALL.to_vec();
    }
    let mut kinds = Vec::new();
    for text in reader.texts(table, "on") {
        match text.value.parse() {
            Ok(kind) => kinds.push(kind),
            Err(_) => {
                let reason = format!("`{}` is no change of a finding", text.value);
                let remedy = did_you_mean(&text.value, ChangeKind::ALL.map(ChangeKind::as_str));
                reader.bad("on", text.span, reason, remedy);
            }
        }
    }
    kinds
}

fn severity(reader: &mut Reader<'_>, table: &Table<'_>) -> Severity {
    let Some(text) = reader.text(table, "severity") else { return Severity::Low };
    text.value.parse().unwrap_or_else(|_| {
        let reason = format!("`{}` is no severity", text.value);
        let remedy = did_you_mean(&text.value, Severity::ALL.map(Severity::as_str));
        reader.bad("severity", text.span, reason, remedy);
        Severity::Low
    })
}

fn did_you_mean<const N: usize>(written: &str, known: [&str; N]) -> String {
    match nearest(written, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("write one of {}", known.join(", ")),
    }
}

impl ChannelSection {
    /// The channel, with its address and secret read.
    ///
    /// # Errors
    /// What is missing or makes no sense, without what is secret.
    pub(crate) fn channel(&self) -> Result<Channel, String> {
        let of_channel = |reason: &dyn fmt::Display| format!("channel `{}`: {reason}", self.name);
        let url = self.url.read().map_err(|error| of_channel(&error))?;
        let target = Target::read(&url, self.rule).map_err(|error: TargetError| of_channel(&error))?;
        let secret = match &self.secret {
            None => None,
            Some(source) => {
                let text = source.read().map_err(|error| of_channel(&error))?;
                Some(Secret::read(&text).map_err(|error| of_channel(&error))?)
            }
        };
        let kind = if self.is_slack { ChannelKind::Slack } else { ChannelKind::Webhook { secret } };
        Ok(Channel {
            name: self.name.clone(),
            kind,
            target,
            rule: self.rule,
            on: self.on.clone(),
            severity: self.severity,
            checks: self.checks.clone(),
        })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may be a secret.
        formatter.write_str("..")
    }
}

impl Source {
    fn read(&self) -> Result<String, String> {
        match self {
            Self::Written(text) => Ok(text.clone()),
            Self::Variable(name) => std::env::var(name)
                .map_err(|_| format!("the environment has no variable {} that is text", named(name))),
            #[expect(clippy::disallowed_methods, reason = "the file is named in the configuration")]
            Self::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim().to_owned())
                .map_err(|error| format!("cannot read {}: {error}", named(&path.display().to_string()))),
        }
    }
}
