//! A test of a value, bound to the column it is asked of: text becomes codes of the dictionary, so that rows are
//! compared by number and a predicate is asked once for each distinct value.

use std::{
    cell::{Cell, OnceCell},
    cmp::Ordering,
    ops::Bound,
};

use super::{
    super::{Comparison, Operand, Test},
    patience::Patience,
    select::{FREE_ASKS, SCAN_SHARE},
};
use crate::graph::{Bitmap, Codes, Column, Data, Needle, TextData};

/// The rows of more texts than these are found by a scan.
const MOST_INDEXED: usize = 64;

/// What a column's values are tested with.
#[derive(Debug)]
pub(super) enum Matcher<'p> {
    /// No value passes: the operand is none that the column holds.
    Nothing,
    /// Text or nets: codes of one range, mostly.
    Codes(Codes),
    /// Text: asked of each distinct text, at the first scan; single rows are asked directly.
    Scan {
        test: &'p Test,
        hits: OnceCell<Bitmap>,
        /// How many rows were asked directly: no more than there are texts.
        asked: Cell<usize>,
    },
    /// Whole numbers and times, both ends included.
    Between(i64, i64),
    /// Whole numbers and times: any of these, sorted.
    IntSet(Vec<i64>),
    /// Floats.
    Float(Comparison, f64),
    /// Floats: any of these.
    FloatSet(Vec<f64>),
    /// Booleans: whether false passes, whether true does.
    Bool { no: bool, yes: bool },
    /// A list with exactly these items; nothing stands for a null.
    Items(Vec<Option<Matcher<'p>>>),
    /// A list with an item that passes.
    AnyItem(Box<Matcher<'p>>),
}

impl<'p> Matcher<'p> {
    pub(super) fn new(column: &Column, test: &'p Test) -> Self {
        match (&column.data, test) {
            (Data::List { items, .. }, Test::ListEqual(operands)) => Self::Items(
                operands
                    .iter()
                    .map(|operand| operand.as_ref().map(|operand| equal(items, operand)))
                    .collect(),
            ),
            (Data::List { items, .. }, Test::Includes(operand)) => {
                Self::AnyItem(Box::new(equal(items, operand)))
            }
            (_, Test::Equal(operand)) => equal(column, operand),
            (_, Test::In { values, .. }) => any_of(column, values),
            (_, Test::Compare(comparison, operand)) => compare(column, *comparison, operand),
            (Data::Text(text), Test::StartsWith(prefix)) => Self::Codes(text.starting_with(prefix)),
            (Data::Text(_), Test::Contains(_) | Test::EndsWith(_) | Test::Matches(_)) => {
                Self::Scan { test, hits: OnceCell::new(), asked: Cell::new(0) }
            }
            (Data::Net { nets, .. }, Test::Within(prefix)) => Self::Codes(nets.within(prefix)),
            (Data::Net { nets, .. }, Test::ContainsNet(inner)) => Self::Codes(nets.containing(inner)),
            (Data::Net { nets, .. }, Test::Overlaps(other)) => Self::Codes(nets.overlapping(other)),
            _ => Self::Nothing,
        }
    }

    /// Whether a row that has a value passes.
    pub(super) fn row(&self, column: &Column, row: u32, patience: Patience<'_>) -> bool {
        let code = || column.text_data().and_then(|text| text.code(row));
        match self {
            Self::Nothing => false,
            Self::Codes(codes) => code().is_some_and(|code| codes.contains(code)),
            Self::Scan { test, hits, asked } => {
                let Some(text) = column.text_data() else { return false };
                if hits.get().is_none() && asked.replace(asked.get() + 1) >= text.distinct() {
                    _ = hits.set(passing_codes(text, test, patience));
                }
                text.code(row).is_some_and(|code| match hits.get() {
                    Some(hits) => hits.get(code as usize),
                    None => patience.passes(test, &text.text(code)),
                })
            }
            Self::Between(..) | Self::IntSet(_) => match &column.data {
                Data::Int { values, .. } => values.get(row as usize).is_some_and(|&value| self.int(value)),
                _ => false,
            },
            Self::Float(..) | Self::FloatSet(_) => match &column.data {
                Data::Float(values) => values.get(row as usize).is_some_and(|&value| self.float(value)),
                _ => false,
            },
            Self::Bool { no, yes } => match &column.data {
                Data::Bool(values) if values.get(row as usize) => *yes,
                _ => *no,
            },
            Self::Items(wanted) => column.items(row).is_some_and(|(range, items)| {
                range.len() == wanted.len()
                    && range.zip(wanted).all(|(item, wanted)| match wanted {
                        None => items.is_null(item),
                        Some(wanted) => items.has_value(item) && wanted.row(items, item, patience),
                    })
            }),
            Self::AnyItem(wanted) => column.items(row).is_some_and(|(mut range, items)| {
                range.any(|item| items.has_value(item) && wanted.row(items, item, patience))
            }),
        }
    }

    /// Whether a list that does not pass may not be called FALSE, since a null in it might be the item.
    pub(super) fn is_undecided(&self, column: &Column, row: u32) -> bool {
        matches!(self, Self::AnyItem(_))
            && column.items(row).is_some_and(|(mut range, items)| range.any(|item| items.is_null(item)))
    }

    /// How many distinct values a scan of the column asks its predicate of; those asked before are remembered.
    pub(super) fn distinct_to_ask(&self, column: &Column) -> usize {
        match (self, column.text_data()) {
            (Self::Scan { hits, .. }, Some(text)) if hits.get().is_none() => text.distinct(),
            _ => 0,
        }
    }

    /// The rows that pass. Rows without a value may be among them.
    pub(super) fn scan(&self, column: &Column, rows: usize, patience: Patience<'_>) -> Bitmap {
        match (self, &column.data) {
            (Self::Nothing, _) => Bitmap::zeros(rows),
            (Self::Codes(codes), Data::Text(text) | Data::Net { text, .. }) => text.rows_with(codes),
            (Self::Scan { test, hits, .. }, Data::Text(text)) => {
                let hits = hits.get_or_init(|| passing_codes(text, test, patience));
                text.rows_among(hits)
            }
            (Self::Between(low, high), Data::Int { values, .. }) => {
                values.scan(|value| *low <= value && value <= *high)
            }
            (Self::IntSet(_), Data::Int { values, .. }) => values.scan(|value| self.int(value)),
            (Self::Float(..) | Self::FloatSet(_), Data::Float(values)) => {
                values.scan(|value| self.float(value))
            }
            (Self::Bool { no, yes }, Data::Bool(values)) => match (no, yes) {
                (true, true) => Bitmap::ones(rows),
                (false, false) => Bitmap::zeros(rows),
                (false, true) => values.clone(),
                (true, false) => values.clone().complement(),
            },
            _ => Bitmap::from_fn(rows, |row| {
                u32::try_from(row).is_ok_and(|row| self.row(column, row, patience))
            }),
        }
    }

    /// How many rows an index would leave if each text were in as many; nothing where no index helps.
    pub(super) fn expected_rows(&self, column: &Column) -> Option<usize> {
        let Self::Codes(codes) = self else { return None };
        let text = column.text_data()?;
        let (rows, distinct) = (text.codes.len(), text.distinct());
        // Each of few texts is in many rows: an index over them would help nobody.
        let is_selective = codes.is_empty() || distinct >= SCAN_SHARE || rows <= FREE_ASKS;
        (is_selective && codes.len() <= MOST_INDEXED).then(|| codes.len() * (rows / distinct.max(1)))
    }

    /// The rows with one of the texts, found by the index over them; nothing where there are more than `most`. Rows that
    /// hold nothing any more may be among them.
    pub(super) fn indexed_rows(&self, column: &Column, most: usize) -> Option<Vec<u32>> {
        self.expected_rows(column)?;
        let (Self::Codes(codes), Some(text)) = (self, column.text_data()) else { return None };
        let mut rows = Vec::new();
        for code in codes.iter() {
            let more = text.rows_of(code);
            if rows.len() + more.len() > most {
                return None;
            }
            rows.extend_from_slice(more);
        }
        Some(rows)
    }

    fn int(&self, value: i64) -> bool {
        match self {
            Self::Between(low, high) => *low <= value && value <= *high,
            Self::IntSet(values) => values.binary_search(&value).is_ok(),
            _ => false,
        }
    }

    fn float(&self, value: f64) -> bool {
        match self {
            Self::Float(comparison, operand) => {
                value.partial_cmp(operand).is_some_and(|order| holds(*comparison, order))
            }
            Self::FloatSet(values) => values.contains(&value),
            _ => false,
        }
    }
}

/// Whether an order satisfies a comparison.
pub(super) fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// The codes whose text passes: where one pattern says it, one pass over all texts finds what is worth asking.
fn passing_codes(text: &TextData, test: &Test, patience: Patience<'_>) -> Bitmap {
    let passes = |code: &u32| patience.passes(test, &text.text(*code));
    let found = match test {
        Test::Contains(part) if !part.is_empty() => {
            Needle::new(part, false).map(|needle| text.codes_with(&needle))
        }
        _ => None,
    };
    match found {
        // What is found in an escape of the stored text need not be in the raw one.
        Some(found) => Bitmap::from_rows(text.distinct(), found.into_iter().filter(passes)),
        None => {
            let passing = text.iter().filter(|(_, text)| patience.passes(test, text));
            Bitmap::from_rows(text.distinct(), passing.map(|(code, _)| code))
        }
    }
}

fn equal<'p>(column: &Column, operand: &Operand) -> Matcher<'p> {
    match (&column.data, operand) {
        (Data::Bool(_), Operand::Bool(value)) => Matcher::Bool { no: !value, yes: *value },
        (Data::Text(text), Operand::Text(wanted)) => Matcher::Codes(text.equal(wanted)),
        _ => compare(column, Comparison::Equal, operand),
    }
}

fn any_of<'p>(column: &Column, operands: &[Operand]) -> Matcher<'p> {
    match &column.data {
        Data::Text(_) | Data::Net { .. } => {
            let codes = operands.iter().filter_map(|operand| match equal(column, operand) {
                Matcher::Codes(codes) => Some(codes),
                _ => None,
            });
            Matcher::Codes(Codes::of(codes.flat_map(|codes| codes.iter().collect::<Vec<u32>>()).collect()))
        }
        Data::Int { .. } => {
            let mut values: Vec<i64> = operands
                .iter()
                .filter_map(|operand| if let Operand::Int(value) = operand { Some(*value) } else { None })
                .collect();
            values.sort_unstable();
            Matcher::IntSet(values)
        }
        Data::Float(_) => Matcher::FloatSet(operands.iter().filter_map(as_float).collect()),
        Data::Bool(_) => Matcher::Bool {
            no: operands.contains(&Operand::Bool(false)),
            yes: operands.contains(&Operand::Bool(true)),
        },
        Data::List { .. } | Data::Links { .. } | Data::Computed => Matcher::Nothing,
    }
}

fn compare<'p>(column: &Column, comparison: Comparison, operand: &Operand) -> Matcher<'p> {
    match (&column.data, operand) {
        (Data::Text(text), Operand::Text(wanted)) => {
            let (from, to) = bounds(comparison, wanted.as_str());
            Matcher::Codes(text.between(from, to))
        }
        (Data::Net { nets, .. }, Operand::Net(wanted)) => {
            let (from, to) = bounds(comparison, wanted);
            Matcher::Codes(nets.between(from, to))
        }
        (Data::Int { .. }, Operand::Int(wanted)) => {
            let wanted = *wanted;
            let range = match comparison {
                Comparison::Equal => Some((wanted, wanted)),
                Comparison::Less => wanted.checked_sub(1).map(|high| (i64::MIN, high)),
                Comparison::LessOrEqual => Some((i64::MIN, wanted)),
                Comparison::Greater => wanted.checked_add(1).map(|low| (low, i64::MAX)),
                Comparison::GreaterOrEqual => Some((wanted, i64::MAX)),
            };
            range.map_or(Matcher::Nothing, |(low, high)| Matcher::Between(low, high))
        }
        (Data::Float(_), operand) => {
            as_float(operand).map_or(Matcher::Nothing, |wanted| Matcher::Float(comparison, wanted))
        }
        _ => Matcher::Nothing,
    }
}

/// What a comparison leaves of an order.
fn bounds<T: ?Sized>(comparison: Comparison, wanted: &T) -> (Bound<&T>, Bound<&T>) {
    match comparison {
        Comparison::Equal => (Bound::Included(wanted), Bound::Included(wanted)),
        Comparison::Less => (Bound::Unbounded, Bound::Excluded(wanted)),
        Comparison::LessOrEqual => (Bound::Unbounded, Bound::Included(wanted)),
        Comparison::Greater => (Bound::Excluded(wanted), Bound::Unbounded),
        Comparison::GreaterOrEqual => (Bound::Included(wanted), Bound::Unbounded),
    }
}

/// An operand as a float; whole numbers up to 2^53 are exact.
#[expect(clippy::cast_precision_loss, reason = "a float column can't hold more than a double does")]
pub(super) fn as_float(operand: &Operand) -> Option<f64> {
    match operand {
        Operand::Float(value) => Some(*value),
        Operand::Int(value) => Some(*value as f64),
        Operand::Text(_) | Operand::Bool(_) | Operand::Net(_) => None,
    }
}
