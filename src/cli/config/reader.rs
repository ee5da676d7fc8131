//! Walks a TOML document and notes what is wrong with it: unknown keys, values of the wrong kind, each with its place.
//! What is wrong is left out, so that one run tells all mistakes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
    time::Duration,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::error::{ConfigError, Problem};
use crate::model::{MaxAge, nearest};

/// A value and where it stands.
pub(super) type Value<'d> = Spanned<DeValue<'d>>;

/// Reads a text as TOML.
pub(super) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, ConfigError> {
    DeTable::parse(text).map_err(|error| {
        let reason = error.message().replace('\n', ", ");
        ConfigError { span: error.span(), problem: Problem::Toml { reason } }
    })
}

/// A table whose keys are all known, or told of. One that isn't there has no keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Table<'d> {
    entries: Option<&'d DeTable<'d>>,
    /// Where it stands, for what it lacks.
    span: Range<usize>,
}

impl<'d> Table<'d> {
    pub(super) fn get(&self, key: &str) -> Option<&'d Value<'d>> {
        self.entries.and_then(|entries| entries.get(key))
    }
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) span: Range<usize>,
}

/// Walks a document.
#[derive(Debug)]
pub(super) struct Reader<'f> {
    folder: &'f Path,
    errors: Vec<ConfigError>,
}

impl<'f> Reader<'f> {
    /// Paths are meant from `folder`.
    pub(super) fn new(folder: &'f Path) -> Self {
        Self { folder, errors: Vec::new() }
    }

    /// What was read, or every mistake in the order of the text.
    pub(super) fn finish<T>(mut self, read: T) -> Result<T, Vec<ConfigError>> {
        self.errors.sort_by_key(|error| error.span.as_ref().map_or(0, |span| span.start));
        if self.errors.is_empty() { Ok(read) } else { Err(self.errors) }
    }

    /// Takes a table, called `name` in messages; its keys must be among the known ones.
    pub(super) fn open<'d>(
        &mut self,
        name: &'static str,
        entries: &'d DeTable<'d>,
        known: &'static [&'static str],
    ) -> Table<'d> {
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let written = key.get_ref().to_string();
            let nearest = nearest(&written, known.iter().copied()).map(str::to_owned);
            self.error(key.span(), Problem::UnknownKey { key: written, table: name, nearest, known });
        }
        Table { entries: Some(entries), span: 0..0 }
    }

    /// The table under a key, called `name` in messages.
    pub(super) fn table<'d>(
        &mut self,
        parent: &Table<'d>,
        key: &'static str,
        name: &'static str,
        known: &'static [&'static str],
    ) -> Table<'d> {
        let Some(value) = parent.get(key) else { return Table::default() };
        match value.get_ref() {
            DeValue::Table(entries) => self.open(name, entries, known),
            _ => {
                self.wrong_kind(key, "a table", value);
                Table::default()
            }
        }
    }

    /// The tables of a list of tables, each called `name` in messages.
    pub(super) fn tables<'d>(
        &mut self,
        parent: &Table<'d>,
        key: &'static str,
        name: &'static str,
        known: &'static [&'static str],
    ) -> Vec<Table<'d>> {
        let Some(value) = parent.get(key) else { return Vec::new() };
        let Some(entries) = value.get_ref().as_array() else {
            self.wrong_kind(key, "a list of tables (two brackets)", value);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for entry in entries.iter() {
            match entry.get_ref() {
                DeValue::Table(table) => {
                    let table = self.open(name, table, known);
                    tables.push(Table { span: entry.span(), ..table });
                }
                _ => self.wrong_kind(key, "a list of tables", entry),
            }
        }
        tables
    }

    /// Text that must be there and hold something.
    pub(super) fn required(&mut self, table: &Table<'_>, key: &'static str) -> Option<Text> {
        if table.get(key).is_none() {
            self.error(table.span.clone(), Problem::MissingKey { key });
            return None;
        }
        self.text(table, key)
    }

    /// True or false.
    pub(super) fn flag(&mut self, table: &Table<'_>, key: &'static str) -> Option<bool> {
        let value = table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_kind(key, "true or false", value);
        }
        flag
    }

    /// Keys and values of a table whose keys are the user's own.
    pub(super) fn pairs(&mut self, table: &Table<'_>, key: &'static str) -> BTreeMap<String, String> {
        let Some(value) = table.get(key) else { return BTreeMap::new() };
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_kind(key, "a table of texts", value);
            return BTreeMap::new();
        };
        let texts = entries
            .iter()
            .filter_map(|(name, value)| Some((name.get_ref().to_string(), self.text_of(key, value)?.value)));
        texts.collect()
    }

    /// Text that holds something.
    pub(super) fn text(&mut self, table: &Table<'_>, key: &'static str) -> Option<Text> {
        self.text_of(key, table.get(key)?)
    }

    /// The texts of a list, each of which holds something.
    pub(super) fn texts(&mut self, table: &Table<'_>, key: &'static str) -> Vec<Text> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let Some(values) = value.get_ref().as_array() else {
            self.wrong_kind(key, "a list of texts", value);
            return Vec::new();
        };
        values.iter().filter_map(|value| self.text_of(key, value)).collect()
    }

    /// The same as a set.
    pub(super) fn words(&mut self, table: &Table<'_>, key: &'static str) -> BTreeSet<String> {
        self.texts(table, key).into_iter().map(|text| text.value).collect()
    }

    /// A path, from where the file stands.
    pub(super) fn path(&mut self, table: &Table<'_>, key: &'static str) -> Option<PathBuf> {
        self.text(table, key).map(|text| self.folder.join(text.value))
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        table: &Table<'_>,
        key: &'static str,
        bounds: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = table.get(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_kind(key, "a whole number", value);
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let within = number.filter(|number| bounds.contains(number));
        if within.is_none() {
            let reason = "the number is out of bounds".to_owned();
            let remedy = format!("write a number from {} to {}", bounds.start(), bounds.end());
            self.error(value.span(), Problem::BadValue { key, reason, remedy });
        }
        within
    }

    /// A span such as `20s` within bounds, which are whole spans themselves.
    pub(super) fn span(
        &mut self,
        table: &Table<'_>,
        key: &'static str,
        bounds: RangeInclusive<MaxAge>,
    ) -> Option<Duration> {
        let text = self.text(table, key)?;
        let (shortest, longest) = (bounds.start(), bounds.end());
        match text.value.parse::<MaxAge>() {
            Ok(span) if (shortest.0..=longest.0).contains(&span.0) => Some(span.0),
            Ok(_) => {
                let remedy = format!("write a span from {shortest} to {longest}");
                self.bad(key, text.span, "the span is out of bounds", remedy);
                None
            }
            Err(error) => {
                self.bad(key, text.span, error.to_string(), format!("as in \"{shortest}\""));
                None
            }
        }
    }

    /// Notes a value of the right kind that makes no sense.
    pub(super) fn bad(
        &mut self,
        key: &'static str,
        span: Range<usize>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.error(span, Problem::BadValue { key, reason: reason.into(), remedy: remedy.into() });
    }

    fn text_of(&mut self, key: &'static str, value: &Value<'_>) -> Option<Text> {
        match value.get_ref().as_str() {
            None => self.wrong_kind(key, "text", value),
            Some(text) if text.trim().is_empty() => {
                self.bad(key, value.span(), "the text is empty", "write something, or leave the key out");
            }
            Some(text) => return Some(Text { value: text.trim().to_owned(), span: value.span() }),
        }
        None
    }

    fn wrong_kind(&mut self, key: &'static str, expected: &'static str, value: &Value<'_>) {
        let found = kind(value.get_ref());
        self.error(value.span(), Problem::WrongKind { key, expected, found });
    }

    fn error(&mut self, span: Range<usize>, problem: Problem) {
        self.errors.push(ConfigError { span: Some(span), problem });
    }
}

/// What a value is, for messages.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a moment",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
