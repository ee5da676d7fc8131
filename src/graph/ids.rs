//! The ids of a table while rows come in. Most ids end with the text of another field (an ARN with the native id): as
//! long as all rows do, only what comes before it is kept, and that is the same for many rows.

use super::{
    arrivals::{AllTexts, Texts},
    column::{Column, Data},
    column_builder::{ColumnBuilder, Ranked},
    dictionary::{Dictionary, DictionaryBuilder, Form},
    table_builder::{Place, TableBuilder},
    text::TextData,
};
use crate::catalog::{Cell, FieldId, Row};

/// The ids of a part of a table.
#[derive(Debug)]
pub(crate) enum IdTexts {
    /// Each whole.
    Whole(Texts),
    /// The beginning of each; the rest is the text of a field.
    Split { end: Place, beginnings: Texts, codes: Vec<u32> },
}

/// The ids of all parts of a table, put in order.
#[derive(Debug)]
pub(crate) struct Ids {
    /// The rows of all parts in the order of their ids; nothing where they are in it.
    order: Option<Vec<u32>>,
    /// Rows that have one id.
    repeated: Vec<Vec<u32>>,
    split: Option<SplitIds>,
}

#[derive(Debug)]
struct SplitIds {
    end: FieldId,
    /// The column of the ends.
    ends: Ranked,
    beginnings: Dictionary,
    /// The first code of each beginning, and at the end the number of ids.
    firsts: Vec<u32>,
}

impl Default for IdTexts {
    fn default() -> Self {
        Self::Whole(Texts::plain())
    }
}

impl IdTexts {
    /// Ids whose ends are a field of theirs.
    pub(crate) fn split(end: FieldId) -> Self {
        Self::Split { end: Place::new(end), beginnings: Texts::default(), codes: Vec::new() }
    }

    /// Appends the id of a row that is not in the columns yet.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>, columns: &[ColumnBuilder]) {
        if let Self::Split { end, beginnings, codes } = self {
            if let Cell::Text(text) = end.cell(row.given())
                && let Some(beginning) = row.id.strip_suffix(text)
            {
                codes.push(beginnings.intern(beginning));
                return;
            }
            self.make_whole(columns);
        }
        if let Self::Whole(texts) = self {
            texts.append(row.id);
        }
    }

    /// Puts every id together.
    fn make_whole(&mut self, columns: &[ColumnBuilder]) {
        if !matches!(self, Self::Split { .. }) {
            return;
        }
        let mut whole = Texts::plain();
        let mut text = String::new();
        for row in 0..self.len() {
            text.clear();
            self.write(row, columns, &mut text);
            whole.append(&text);
        }
        *self = Self::Whole(whole);
    }

    fn len(&self) -> u32 {
        match self {
            Self::Whole(texts) => u32::try_from(texts.len()).unwrap_or(u32::MAX),
            Self::Split { codes, .. } => u32::try_from(codes.len()).unwrap_or(u32::MAX),
        }
    }

    /// Appends the id of a row.
    fn write(&self, row: u32, columns: &[ColumnBuilder], out: &mut String) {
        match self {
            Self::Whole(texts) => out.push_str(texts.text(row)),
            Self::Split { end, beginnings, codes } => {
                out.push_str(codes.get(row as usize).map_or("", |&code| beginnings.text(code)));
                let column = columns.get(end.field.0 as usize);
                out.push_str(
                    column.and_then(|column| Some(column.text(column.code(row)?))).unwrap_or_default(),
                );
            }
        }
    }

    /// The field that the ids of all parts end with, where it is one and pays.
    fn common_end(parts: &[TableBuilder]) -> Option<FieldId> {
        let mut common = None;
        let (mut distinct, mut rows) = (0, 0);
        for part in parts {
            let Self::Split { end, beginnings, codes } = &part.ids else { return None };
            if *common.get_or_insert(end.field) != end.field {
                return None;
            }
            distinct += beginnings.len();
            rows += codes.len();
        }
        // With a beginning of its own for nearly every row, a text in two pieces is larger than a whole one.
        common.filter(|_| rows < 1000 || distinct * 2 < rows)
    }
}

impl Ids {
    /// Puts the ids of all parts of a table in order. Nothing where they are too many.
    pub(crate) fn of(parts: &mut [TableBuilder]) -> Option<Self> {
        if let Some(end) = IdTexts::common_end(parts) {
            let columns = parts.iter().filter_map(|part| part.columns.get(end.0 as usize)).collect();
            let ends = ColumnBuilder::rank(columns)?;
            if let Some(ids) = Self::split(parts, end, ends)? {
                return Some(ids);
            }
        }
        for part in parts.iter_mut() {
            part.ids.make_whole(&part.columns);
        }
        let texts = Self::whole_texts(parts)?;
        let order = texts.sorted();
        let repeated = texts.repeated(order.as_deref());
        Some(Self { order, repeated, split: None })
    }

    fn whole_texts(parts: &[TableBuilder]) -> Option<AllTexts<'_>> {
        let whole = parts.iter().filter_map(|part| match &part.ids {
            IdTexts::Whole(texts) => Some(texts),
            IdTexts::Split { .. } => None,
        });
        AllTexts::new(whole.collect())
    }

    /// Ids in order by the numbers of their beginnings and ends; nothing (within) where a beginning is that of another
    /// one, so that numbers do not tell the order.
    fn split(parts: &[TableBuilder], end: FieldId, ends: Ranked) -> Option<Option<Self>> {
        let split = parts.iter().filter_map(|part| match &part.ids {
            IdTexts::Split { beginnings, codes, .. } => Some((beginnings, codes)),
            IdTexts::Whole(_) => None,
        });
        let (beginnings, codes): (Vec<&Texts>, Vec<&Vec<u32>>) = split.unzip();
        let texts = AllTexts::new(beginnings)?;
        let mut dictionary = DictionaryBuilder::new(Form::Escaped);
        let ranks = texts.rank(texts.sorted().as_deref(), |text| dictionary.push(text));
        let beginnings = dictionary.finish()?;
        if !beginnings.is_prefix_free() {
            return Some(None);
        }
        let mut firsts = vec![0u32; beginnings.len() + 1];
        let mut keys: Vec<(u64, u32)> = Vec::with_capacity(ends.codes().len());
        let beginning_of = codes
            .iter()
            .zip(texts.bases())
            .flat_map(|(codes, &base)| codes.iter().map(move |code| code + base));
        for ((row, code), &end) in (0u32..).zip(beginning_of).zip(ends.codes()) {
            let beginning = ranks.get(code as usize).copied()?;
            if let Some(count) = firsts.get_mut(beginning as usize + 1) {
                *count += 1;
            }
            keys.push((u64::from(beginning) << 32 | u64::from(end), row));
        }
        let mut total = 0;
        for first in &mut firsts {
            total += *first;
            *first = total;
        }
        let is_sorted = keys.is_sorted();
        if !is_sorted {
            keys.sort_unstable();
        }
        let repeated = keys.chunk_by(|one, other| one.0 == other.0).filter(|rows| rows.len() > 1);
        let repeated = repeated.map(|rows| rows.iter().map(|(_, row)| *row).collect()).collect();
        let order = (!is_sorted).then(|| keys.into_iter().map(|(_, row)| row).collect());
        Some(Some(Self { order, repeated, split: Some(SplitIds { end, ends, beginnings, firsts }) }))
    }

    /// The rows of all parts in the order of their ids; nothing where they are in it.
    pub(crate) fn order(&self) -> Option<&[u32]> {
        self.order.as_deref()
    }

    /// The first asset whose id stands on an earlier line already: its id, its line and the earlier one.
    pub(crate) fn repeated(&self, parts: &[TableBuilder]) -> Option<(String, u64, u64)> {
        if self.repeated.is_empty() {
            return None;
        }
        let lines: Vec<u32> = parts.iter().flat_map(|part| part.lines.iter().copied()).collect();
        let line = |row: u32| lines.get(row as usize).copied().map_or(0, u64::from);
        let pairs = self.repeated.iter().filter_map(|rows| {
            let mut lines: Vec<u64> = rows.iter().map(|&row| line(row)).collect();
            lines.sort_unstable();
            Some((*lines.get(1)?, *lines.first()?, *rows.first()?))
        });
        let (line, first_line, mut row) = pairs.min()?;
        let mut id = String::new();
        for part in parts {
            match row.checked_sub(part.ids.len()) {
                Some(rest) => row = rest,
                None => {
                    part.ids.write(row, &part.columns, &mut id);
                    break;
                }
            }
        }
        Some((id, line, first_line))
    }

    /// The finished column of ids, and that of their ends where they have any.
    pub(crate) fn columns(self, parts: &[TableBuilder]) -> Option<(Column, Option<(FieldId, Column)>)> {
        let column = |text| Column { nulls: None, unknown: None, data: Data::Text(text) };
        if let Some(SplitIds { end, ends, beginnings, firsts }) = self.split {
            let ends = ends.text(self.order.as_deref());
            let ids = TextData::joined(beginnings, firsts, &ends)?;
            return Some((column(ids), Some((end, column(ends)))));
        }
        let texts = Self::whole_texts(parts)?;
        let mut dictionary = texts.dictionary(Form::Escaped);
        texts.rank(self.order.as_deref(), |text| dictionary.push(text));
        let dictionary = dictionary.finish()?;
        let codes = (0u32..).take(dictionary.len()).collect();
        Some((column(TextData::new(codes, dictionary)), None))
    }
}
