//! `[schedule]`: what `passmuster serve` does by itself, and when.

use std::{collections::BTreeSet, time::Duration};

use super::{
    collect::read_types,
    reader::{Reader, Table, Text},
};
use crate::{
    model::{Cron, CronError, MaxAge, Zone},
    query::Collection,
    schedule::When,
};

const KEYS: &[&str] = &["checks", "collections", "jitter", "time_zone"];
const COLLECTION_KEYS: &[&str] = &["accounts", "cron", "every", "name", "only", "regions"];

/// The bounds of jitter.
const JITTERS: std::ops::RangeInclusive<MaxAge> =
    MaxAge(Duration::from_secs(1))..=MaxAge(Duration::from_secs(24 * 3600));
/// The bounds of an interval.
const INTERVALS: std::ops::RangeInclusive<MaxAge> =
    MaxAge(Duration::from_secs(60))..=MaxAge(Duration::from_secs(366 * 24 * 3600));

/// What the section says.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScheduleSection {
    /// The zone of expressions that name none; UTC where it isn't said.
    pub(crate) time_zone: Option<Zone>,
    /// The most that a job is put off.
    pub(crate) jitter: Duration,
    /// When checks run that say nothing of it.
    pub(crate) checks: Option<Cron>,
    /// What is collected when.
    pub(crate) collections: Vec<PlannedCollection>,
}

/// One of `[[schedule.collections]]`.
#[derive(Clone, Debug)]
pub(crate) struct PlannedCollection {
    /// Its name.
    pub(crate) name: String,
    /// When it recurs, without jitter and zone.
    pub(crate) when: When,
    /// What it collects.
    pub(crate) what: Collection,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader<'_>, root: &Table<'_>) -> ScheduleSection {
    let section = reader.table(root, "schedule", "[schedule]", KEYS);
    let time_zone = reader.text(&section, "time_zone").and_then(|text| zone(reader, &text));
    let checks = cron(reader, &section, "checks");
    let jitter = reader.span(&section, "jitter", JITTERS).unwrap_or_default();
    let tables = reader.tables(&section, "collections", "[[schedule.collections]]", COLLECTION_KEYS);
    let mut names = BTreeSet::new();
    let collections = tables.iter().filter_map(|table| collection(reader, table, &mut names)).collect();
    ScheduleSection { time_zone, jitter, checks, collections }
}

fn collection(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    names: &mut BTreeSet<String>,
) -> Option<PlannedCollection> {
    let name = reader.required(table, "name").filter(|name| is_name(reader, name, names));
    let cron = cron(reader, table, "cron");
    let every = reader.span(table, "every", INTERVALS);
    let what = Collection {
        accounts: reader.words(table, "accounts").into_iter().collect(),
        regions: reader.words(table, "regions").into_iter().collect(),
        only: read_types(reader, table).into_iter().collect(),
    };
    let when = match (cron, every) {
        (Some(cron), None) => When::Cron { cron: Box::new(cron), jitter: Duration::ZERO },
        (None, Some(interval)) => When::Every(interval),
        (Some(_), Some(_)) => {
            let said = reader.text(table, "every")?;
            reader.bad("every", said.span, "`cron` says when already", "leave one of the two out");
            return None;
        }
        (None, None) => {
            if table.get("cron").is_none() && table.get("every").is_none() {
                reader.required(table, "cron");
            }
            return None;
        }
    };
    Some(PlannedCollection { name: name?.value, when, what })
}

/// Notes a name that can't be one of a job, or is one already.
fn is_name(reader: &mut Reader<'_>, name: &Text, names: &mut BTreeSet<String>) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.value == REQUESTED || !name.value.chars().all(is_plain) {
        let reason = format!("`{}` is no name of a collection", name.value);
        reader.bad("name", name.span.clone(), reason, "write letters, digits, - and _, and not `requested`");
        return false;
    }
    let is_new = names.insert(name.value.clone());
    if !is_new {
        let reason = format!("there are two collections `{}`", name.value);
        reader.bad("name", name.span.clone(), reason, "give one of the two another name");
    }
    is_new
}

/// The name of the collection that somebody asks a server for.
pub(crate) const REQUESTED: &str = "requested";

fn cron(reader: &mut Reader<'_>, table: &Table<'_>, key: &'static str) -> Option<Cron> {
    let text = reader.text(table, key)?;
    text.value.parse().map_err(|error| refuse(reader, key, &text, &error)).ok()
}

fn zone(reader: &mut Reader<'_>, text: &Text) -> Option<Zone> {
    text.value.parse().map_err(|error| refuse(reader, "time_zone", text, &error)).ok()
}

fn refuse(reader: &mut Reader<'_>, key: &'static str, text: &Text, error: &CronError) {
    let remedy = match error {
        CronError::UnknownZone { .. } => "names are those of the tz database",
        _ => "as in \"0 6 * * *\" or \"0 6 * * 1-5 Europe/Berlin\"",
    };
    reader.bad(key, text.span.clone(), error.to_string(), remedy);
}
