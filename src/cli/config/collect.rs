//! `[collect]`: what is collected, and how patiently.

use std::{collections::BTreeSet, time::Duration};

use super::reader::{Reader, Table};
use crate::{
    collect::{CollectOptions, collected_types},
    model::{MaxAge, nearest},
};

const KEYS: &[&str] = &["attempt_timeout", "attempts", "concurrency", "only", "operation_timeout", "regions"];

/// The bounds of both time-outs.
const TIMEOUTS: std::ops::RangeInclusive<MaxAge> =
    MaxAge(Duration::from_secs(1))..=MaxAge(Duration::from_secs(3600));

/// What the section says; what it doesn't say is left to the defaults of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CollectSection {
    /// Only these regions, unless it is empty.
    pub(crate) regions: BTreeSet<String>,
    /// Only these types, unless it is empty.
    pub(crate) only: BTreeSet<String>,
    /// How many slices are read at the same time.
    concurrency: Option<u32>,
    attempts: Option<u32>,
    attempt_timeout: Option<Duration>,
    operation_timeout: Option<Duration>,
}

impl CollectSection {
    /// The options of a collection for which nothing else is said.
    pub(crate) fn options(&self) -> CollectOptions {
        let mut options = CollectOptions {
            regions: self.regions.clone(),
            only: self.only.clone(),
            ..CollectOptions::default()
        };
        if let Some(concurrency) = self.concurrency {
            options.concurrency = usize::try_from(concurrency).unwrap_or(usize::MAX);
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
        attempts: reader.number(&section, "attempts", 1..=20),
        attempt_timeout: reader.span(&section, "attempt_timeout", TIMEOUTS),
        operation_timeout: reader.span(&section, "operation_timeout", TIMEOUTS),
    }
}

fn read_types(reader: &mut Reader<'_>, section: &Table<'_>) -> BTreeSet<String> {
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
