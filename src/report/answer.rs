//! A query's answer as a table, CSV or NDJSON: one table for each root field, nested objects and lists summed up in
//! one cell for people and kept whole for machines.

use std::fmt::Write as _;

use serde_json::Value;

use super::ordered::Ordered;
use super::sheet::{Cell, Column, Sheet, Style, Tone};
use super::text::{heading, printable, shortened};

/// Items of a nested list that a table shows; the rest is counted.
const SHOWN_ITEMS: usize = 4;
/// Characters of one nested item that a table shows.
const SHOWN_CHARACTERS: usize = 60;

/// The body of a response is not the JSON of a GraphQL response with `data`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response is not a GraphQL response with data: {reason}")]
pub struct NoAnswer {
    /// What is wrong with it.
    pub reason: String,
}

/// A GraphQL response, read for printing.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    roots: Vec<(String, Ordered)>,
}

impl Answer {
    /// Reads the body of a response.
    ///
    /// # Errors
    /// It is not JSON, or has no `data` (a refused query: show its errors instead).
    pub fn read(body: &[u8]) -> Result<Self, NoAnswer> {
        let refuse = |reason: String| NoAnswer { reason };
        let response: Ordered = serde_json::from_slice(body).map_err(|error| refuse(error.to_string()))?;
        match response.get("data") {
            Some(Ordered::Object(roots)) => Ok(Self { roots: roots.clone() }),
            Some(_) => Err(refuse("`data` is null".to_owned())),
            None => Err(refuse("it has no `data`".to_owned())),
        }
    }

    /// The root fields and how many rows each has.
    pub fn rows(&self) -> impl Iterator<Item = (&str, usize)> {
        self.roots.iter().map(|(key, value)| (key.as_str(), rows_of(value).len()))
    }

    /// A table for each root field, under its name where there are several.
    #[must_use]
    pub fn table(&self, style: Style) -> String {
        let mut text = String::new();
        for (index, (key, value)) in self.roots.iter().enumerate() {
            if self.roots.len() > 1 {
                let gap = if index > 0 { "\n" } else { "" };
                let _ = writeln!(text, "{gap}{}:", printable(key));
            }
            match value {
                Ordered::List(_) | Ordered::Object(_) => {
                    let sheet = sheet_of(&rows_of(value), key);
                    if !sheet.rows.is_empty() {
                        text.push_str(&sheet.table(style));
                    }
                }
                Ordered::Null => text.push_str("nothing found\n"),
                plain => {
                    let _ = writeln!(text, "{}", printable(&summary(plain)));
                }
            }
        }
        text
    }

    /// CSV of the rows; with several root fields one block each, under a first column `root`.
    #[must_use]
    pub fn csv(&self) -> String {
        if let [(key, value)] = self.roots.as_slice() {
            return sheet_of(&flattened(value), key).csv();
        }
        let rows = self.roots.iter().flat_map(|(key, value)| {
            flattened(value).into_iter().map(move |row| {
                let mut entries = vec![("root".to_owned(), Ordered::Text(key.clone()))];
                match row {
                    Ordered::Object(own) => entries.extend(own),
                    plain => entries.push(("value".to_owned(), plain)),
                }
                Ordered::Object(entries)
            })
        });
        sheet_of(&rows.collect::<Vec<_>>(), "value").csv()
    }

    /// One row a line as JSON; with several root fields each line is `{"<root field>": row}`.
    #[must_use]
    pub fn ndjson(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.roots {
            for row in rows_of(value) {
                let line = if self.roots.len() > 1 {
                    Ordered::Object(vec![(key.clone(), row)]).to_line()
                } else {
                    row.to_line()
                };
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }
}

/// The rows behind a root field: the items of a list, one object, or nothing for null.
fn rows_of(value: &Ordered) -> Vec<Ordered> {
    match value {
        Ordered::List(items) => items.clone(),
        Ordered::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// The rows with nested objects spread over columns `a.b`.
fn flattened(value: &Ordered) -> Vec<Ordered> {
    rows_of(value)
        .iter()
        .map(|row| match row {
            Ordered::Object(entries) => {
                let mut flat = Vec::new();
                spread("", entries, &mut flat);
                Ordered::Object(flat)
            }
            plain => plain.clone(),
        })
        .collect()
}

fn spread(prefix: &str, entries: &[(String, Ordered)], flat: &mut Vec<(String, Ordered)>) {
    for (key, value) in entries {
        let key = format!("{prefix}{key}");
        match value {
            Ordered::Object(nested) => spread(&format!("{key}."), nested, flat),
            other => flat.push((key, other.clone())),
        }
    }
}

/// Whether a column holds ids, which are of no use when they are broken over lines.
fn is_id(key: &str) -> bool {
    key == "id" || key.ends_with("Id") || key == "region"
}

/// A sheet with a column for every key, in the order in which the keys first appear.
fn sheet_of(rows: &[Ordered], root: &str) -> Sheet {
    let mut keys: Vec<String> = Vec::new();
    for row in rows {
        match row.entries() {
            Some(entries) => {
                for (key, _) in entries {
                    if !keys.contains(key) {
                        keys.push(key.clone());
                    }
                }
            }
            None if !keys.iter().any(|key| key == root) => keys.push(root.to_owned()),
            None => {}
        }
    }
    let numbers = |key: &str| {
        let mut values = rows.iter().filter_map(|row| row.get(key)).filter(|value| **value != Ordered::Null);
        let are_numbers = |value: &Ordered| matches!(value, Ordered::Number(_));
        values.next().is_some_and(are_numbers) && values.all(are_numbers)
    };
    let columns = keys
        .iter()
        .map(|key| Column {
            key: key.clone().into(),
            numbers: numbers(key),
            least: if is_id(key) { None } else { Some(12) },
        })
        .collect();
    let cells = |row: &Ordered| {
        let value = |key: &String| match row.entries() {
            Some(_) => row.get(key).cloned().unwrap_or(Ordered::Null),
            None if key == root => row.clone(),
            None => Ordered::Null,
        };
        keys.iter().map(|key| cell_of(&value(key))).collect()
    };
    Sheet { columns, rows: rows.iter().map(cells).collect() }
}

fn cell_of(value: &Ordered) -> Cell {
    match value {
        Ordered::Null => Cell::new(Value::Null).toned(Tone::Faint),
        Ordered::List(items) if items.is_empty() => {
            Cell::new(Value::Array(Vec::new())).shown_as("–").toned(Tone::Faint)
        }
        Ordered::List(items)
            if items.iter().all(|item| !matches!(item, Ordered::Object(_) | Ordered::List(_))) =>
        {
            Cell::new(plain(value)).shown_as(summary(value))
        }
        // Kept as text, so that the keys stay in the order they were asked.
        Ordered::List(_) | Ordered::Object(_) => Cell::new(value.to_line()).shown_as(summary(value)),
        other => Cell::new(plain(other)),
    }
}

fn plain(value: &Ordered) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// A nested value in few words: `REJECT, ACCEPT`, `env=prod, team=payments`, `10.0.0.0/16 available`.
fn summary(value: &Ordered) -> String {
    match value {
        Ordered::Null => "–".to_owned(),
        Ordered::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Ordered::Number(number) => number.to_string(),
        Ordered::Text(text) => text.clone(),
        Ordered::List(items) => {
            let mut shown: Vec<String> = items
                .iter()
                .take(SHOWN_ITEMS)
                .map(|item| shortened(&summary(item), SHOWN_CHARACTERS))
                .collect();
            if items.len() > SHOWN_ITEMS {
                shown.push(format!("+{}", items.len() - SHOWN_ITEMS));
            }
            shown.join(", ")
        }
        Ordered::Object(entries) => match entries.as_slice() {
            [(key, Ordered::Text(name)), (value_key, value)] if key == "key" && value_key == "value" => {
                format!("{name}={}", summary(value))
            }
            entries => entries.iter().map(|(_, value)| summary(value)).collect::<Vec<_>>().join(" "),
        },
    }
}

/// The heading of a column, as a table shows it.
#[must_use]
pub fn column_heading(key: &str) -> String {
    heading(key)
}
