//! Rows and columns, and the forms they can be printed in: a table for people, CSV and NDJSON for machines.

use std::borrow::Cow;

use comfy_table::{Attribute, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;
use serde_json::Value;

use super::text::{group, heading, printable};

/// Blanks between columns.
const GAP: u16 = 2;
/// The least width of a column whose text is broken over lines, where nothing else is said.
const LEAST_BROKEN: u16 = 10;

/// How a table is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; nothing for as wide as it gets.
    pub width: Option<u16>,
    /// Whether to colour. Colour never is the only carrier of meaning.
    pub colour: bool,
}

/// What a cell tells beyond its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Not known.
    Unsure,
    /// Beside the point.
    Faint,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// For machines: null, a string, a number, a list, ..
    pub value: Value,
    /// For people, where it isn't the value itself.
    pub shown: Option<String>,
    /// For people.
    pub tone: Tone,
}

impl Cell {
    /// A value that is shown as it is.
    pub fn new(value: impl Into<Value>) -> Self {
        Self { value: value.into(), shown: None, tone: Tone::Plain }
    }

    /// The same, shown to people in other words.
    #[must_use]
    pub fn shown_as(mut self, shown: impl Into<String>) -> Self {
        self.shown = Some(shown.into());
        self
    }

    /// The same with a tone.
    #[must_use]
    pub fn toned(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    pub(super) fn for_people(&self) -> String {
        match (&self.shown, &self.value) {
            (Some(shown), _) => printable(shown),
            (None, Value::Null) => "–".to_owned(),
            (None, Value::String(text)) => printable(text),
            (None, Value::Number(number)) => group(&number.to_string()),
            (None, Value::Bool(true)) => "yes".to_owned(),
            (None, Value::Bool(false)) => "no".to_owned(),
            (None, other) => printable(&other.to_string()),
        }
    }

    fn for_csv(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::String(text) => harmless(text),
            Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), harmless))
                .collect::<Vec<_>>()
                .join(";"),
            other => other.to_string(),
        }
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// For machines, e.g. `hasFlowLog`.
    pub key: Cow<'static, str>,
    /// Whether its numbers stand flush right.
    pub numbers: bool,
    /// The least width its text may be broken to where the terminal is narrow; nothing for an id, which is of no use
    /// in two pieces.
    pub least: Option<u16>,
}

/// Rows under columns; every row has a cell for each column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// A sheet without rows yet. A key that starts with `#` is a column of numbers, one that starts with `~` a column
    /// of text that may be broken over lines.
    #[must_use]
    pub fn new(keys: &[&'static str]) -> Self {
        let column = |key: &&'static str| Column {
            key: Cow::Borrowed(key.trim_start_matches(['#', '~'])),
            numbers: key.starts_with('#'),
            least: key.starts_with('~').then_some(LEAST_BROKEN),
        };
        Self { columns: keys.iter().map(column).collect(), rows: Vec::new() }
    }

    /// A table without lines, each line at most as wide as the terminal, ending with a newline.
    #[must_use]
    pub fn table(&self, style: Style) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(width) = style.width {
            table.set_width(width.max(20));
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        if style.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let header = self
            .columns
            .iter()
            .map(|column| comfy_table::Cell::new(heading(&column.key)).add_attribute(Attribute::Bold));
        table.set_header(header.collect::<Vec<_>>());
        for row in &self.rows {
            table.add_row(row.iter().map(drawn).collect::<Vec<_>>());
        }
        let natural = table.column_max_content_widths();
        let fits = style.width.is_none_or(|width| self.least_width(&natural) <= usize::from(width));
        for ((column, drawn), natural) in self.columns.iter().zip(table.column_iter_mut()).zip(&natural) {
            drawn.set_padding((0, GAP));
            if column.numbers {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
            if column.numbers || (fits && column.least.is_none()) {
                drawn.set_constraint(ColumnConstraint::ContentWidth);
            } else {
                let least = column.least.unwrap_or(LEAST_BROKEN).min(*natural);
                drawn.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least + GAP)));
            }
        }
        table.lines().fold(String::new(), |mut text, line| {
            text.push_str(line.trim_end());
            text.push('\n');
            text
        })
    }

    /// Whether the table keeps every id whole on a terminal of this style.
    pub(super) fn fits(&self, style: Style) -> bool {
        let widest = |index: usize, column: &Column| {
            let cells = self
                .rows
                .iter()
                .filter_map(|row| row.get(index))
                .map(|cell| cell.for_people().chars().count());
            let widest = cells.chain([heading(&column.key).chars().count()]).max().unwrap_or(0);
            u16::try_from(widest).unwrap_or(u16::MAX)
        };
        let natural: Vec<u16> =
            (0..).zip(&self.columns).map(|(index, column)| widest(index, column)).collect();
        style.width.is_none_or(|width| self.least_width(&natural) <= usize::from(width))
    }

    /// The least width at which only the columns that may be broken are broken, given the widest content of each.
    fn least_width(&self, natural: &[u16]) -> usize {
        let width = |(column, natural): (&Column, &u16)| {
            let least = column.least.unwrap_or(*natural).min(*natural);
            usize::from(least) + usize::from(GAP)
        };
        self.columns.iter().zip(natural).map(width).sum()
    }

    /// CSV with a header of keys (RFC 4180, lines ending in a newline). Null is empty; a list of plain values is
    /// joined with semicolons; anything deeper is JSON. Text that begins as a formula does gets an apostrophe before it.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = String::new();
        push_csv_line(&mut text, self.columns.iter().map(|column| column.key.to_string()));
        for row in &self.rows {
            push_csv_line(&mut text, row.iter().map(Cell::for_csv));
        }
        text
    }

    /// One JSON object a row, keys in the order of the columns.
    #[must_use]
    pub fn ndjson(&self) -> String {
        self.rows.iter().fold(String::new(), |mut text, row| {
            text.push_str(&self.object(row));
            text.push('\n');
            text
        })
    }

    /// A JSON list of one object a row, keys in the order of the columns, ending with a newline.
    #[must_use]
    pub fn json(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(|row| format!("  {}", self.object(row))).collect();
        if rows.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", rows.join(",\n")) }
    }

    fn object(&self, row: &[Cell]) -> String {
        let entries = self.columns.iter().zip(row);
        let entries = entries.map(|(column, cell)| format!("{}:{}", Value::from(&*column.key), cell.value));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
    }
}

/// A value as pretty JSON, ending with a newline.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_else(|error| {
        Value::from(format!("this result can't be written as JSON: {error}")).to_string()
    });
    text.push('\n');
    text
}

fn drawn(cell: &Cell) -> comfy_table::Cell {
    let drawn = comfy_table::Cell::new(cell.for_people());
    match cell.tone {
        Tone::Plain => drawn,
        Tone::Good => drawn.fg(comfy_table::Color::Green),
        Tone::Bad => drawn.fg(comfy_table::Color::Red).add_attribute(Attribute::Bold),
        Tone::Unsure => drawn.fg(comfy_table::Color::Yellow),
        Tone::Faint => drawn.add_attribute(Attribute::Dim),
    }
}

/// Text that a spreadsheet doesn't take for a formula: one that begins like one gets an apostrophe before it.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn push_csv_line(text: &mut String, fields: impl Iterator<Item = String>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&field.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&field);
        }
    }
    text.push('\n');
}
