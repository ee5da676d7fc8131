//! `[collect]`: what is collected, and how patiently.

use std::{collections::BTreeSet, time::Duration};

use super::{
    accounts::is_role,
    reader::{Reader, Table, Text},
};
use crate::{
    collect::{CollectOptions, RoleOptions, collected_types},
    model::{MaxAge, nearest},
};

const KEYS: &[&str] = &[
    "account_concurrency",
    "attempt_timeout",
    "attempts",
    "concurrency",
    "external_id",
    "only",
    "operation_timeout",
    "regions",
    "role",
    "session_duration",
    "session_name",
    "session_tags",
];

/// The bounds of both time-outs.
const TIMEOUTS: std::ops::RangeInclusive<MaxAge> =
    MaxAge(Duration::from_secs(1))..=MaxAge(Duration::from_secs(3600));

/// What AWS allows of a session.
const SESSIONS: std::ops::RangeInclusive<MaxAge> =
    MaxAge(Duration::from_secs(900))..=MaxAge(Duration::from_secs(43_200));

/// What the section says; what it doesn't say is left to the defaults of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CollectSection {
    /// Only these regions, unless it is empty.
    regions: BTreeSet<String>,
    /// Only these types, unless it is empty.
    only: BTreeSet<String>,
    /// How many slices are read at the same time.
    concurrency: Option<u32>,
    /// How many of one account.
    account_concurrency: Option<u32>,
    attempts: Option<u32>,
    attempt_timeout: Option<Duration>,
    operation_timeout: Option<Duration>,
    /// How roles in other accounts are taken on.
    role: RoleOptions,
}

impl CollectSection {
    /// The options of a collection for which nothing else is said.
    pub(crate) fn options(&self) -> CollectOptions {
        let mut options = CollectOptions {
            regions: self.regions.clone(),
            only: self.only.clone(),
            role: self.role.clone(),
            ..CollectOptions::default()
        };
        let counts = [
            (self.concurrency, &mut options.concurrency),
            (self.account_concurrency, &mut options.account_concurrency),
        ];
        for (said, count) in counts {
            *count = said.and_then(|said| usize::try_from(said).ok()).unwrap_or(*count);
        }
        let patience = &mut options.patience;
        patience.attempts = self.attempts.unwrap_or(patience.attempts);
        patience.attempt_timeout = self.attempt_timeout.unwrap_or(patience.attempt_timeout);
        patience.operation_timeout = self.operation_timeout.unwrap_or(patience.operation_timeout);
        options
    }
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader<'_>, root: &Table<'_>) -> CollectSection {
    let section = reader.table(root, "collect", "[collect]", KEYS);
    CollectSection {
        regions: reader.words(&section, "regions"),
        only: read_types(reader, &section),
        concurrency: reader.number(&section, "concurrency", 1..=1024),
        account_concurrency: reader.number(&section, "account_concurrency", 1..=1024),
        attempts: reader.number(&section, "attempts", 1..=20),
        attempt_timeout: reader.span(&section, "attempt_timeout", TIMEOUTS),
        operation_timeout: reader.span(&section, "operation_timeout", TIMEOUTS),
        role: read_role(reader, &section),
    }
}

fn read_role(reader: &mut Reader<'_>, section: &Table<'_>) -> RoleOptions {
    let role = reader.text(section, "role").filter(|role| is_role(reader, role));
    let session_name = reader.text(section, "session_name").filter(|name| is_session_name(reader, name));
    RoleOptions {
        role: role.map(|text| text.value),
        external_id: reader.text(section, "external_id").map(|text| text.value),
        session_name: session_name.map(|text| text.value),
        session_duration: reader.span(section, "session_duration", SESSIONS),
        session_tags: reader.pairs(section, "session_tags"),
    }
}

/// Notes a name that AWS would refuse.
fn is_session_name(reader: &mut Reader<'_>, name: &Text) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    let is_one = (2..=64).contains(&name.value.len()) && name.value.bytes().all(is_plain);
    if !is_one {
        let reason = format!("`{}` is no name of a session", name.value);
        reader.bad("session_name", name.span.clone(), reason, "write 2 to 64 letters, digits and _+=,.@-");
    }
    is_one
}

pub(super) fn read_types(reader: &mut Reader<'_>, section: &Table<'_>) -> BTreeSet<String> {
    let known = collected_types();
    let mut types = BTreeSet::new();
    for text in reader.texts(section, "only") {
        if known.contains(&text.value.as_str()) {
            types.insert(text.value);
            continue;
        }
        let reason = format!("`{}` is not a type that is collected", text.value);
        let remedy = match nearest(&text.value, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("write one of {}", known.join(", ")),
        };
        reader.bad("only", text.span, reason, remedy);
    }
    types
}
