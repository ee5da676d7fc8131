//! The ids of a table while rows come in. Most ids are put together from other fields (an ARN of the region, the account
//! and the native id): as long as those of all rows are, in one way, only what stands before these fields is kept, which
//! is the same for many rows, and ids are put in order by the places of the fields' texts.

use super::{
    arrivals::{AllTexts, Texts},
    column::{Column, Data},
    column_builder::{ColumnBuilder, Ranked},
    dictionary::{DictionaryBuilder, Form},
    pieces::Pieces,
    table_builder::{Place, TableBuilder},
    text::TextData,
    workspace::Workspace,
};
use crate::{
    catalog::{Cell, FieldId, Row},
    model::bytes::without_end,
};

/// The ids of a part of a table.
#[derive(Debug)]
pub(crate) enum IdTexts {
    /// Each whole.
    Whole(Texts),
    /// Each a beginning and the texts of some fields.
    Composed { composition: Composition, beginnings: Texts, codes: Pieces<u32> },
}

/// How ids are put together behind their beginning: of fields, with the same text behind each in every row, and nothing
/// behind the last.
#[derive(Clone, Debug)]
pub(crate) struct Composition(Vec<(Place, Box<str>)>);

/// The ids of all parts of a table, put in order.
#[derive(Debug)]
pub(crate) struct Ids {
    /// The rows of all parts in the order of their ids; nothing where they are in it.
    order: Option<Vec<u32>>,
    /// Rows that have one id.
    repeated: Vec<Vec<u32>>,
    composed: Option<ComposedIds>,
}

#[derive(Debug)]
struct ComposedIds {
    composition: Composition,
    /// The beginnings, and the texts of each field.
    levels: Vec<Ranked>,
    /// The places on all levels but the last, in order, as one number.
    combinations: Vec<u64>,
    /// The first id of each of these, and at the end the number of ids.
    firsts: Vec<u32>,
}

impl Default for IdTexts {
    fn default() -> Self {
        Self::Whole(Texts::plain())
    }
}

impl Composition {
    /// How an id is put together from the fields of its row; nothing where it does not end with one.
    pub(crate) fn of(id: &str, fields: &[(FieldId, &str)]) -> Option<Self> {
        /// Shorter texts may be in an id by chance.
        const LONG: usize = 8;
        let ends = fields.iter().filter(|(_, text)| text.len() < id.len() && !text.is_empty());
        let (field, text) = ends.filter(|(_, text)| id.ends_with(text)).max_by_key(|(_, text)| text.len())?;
        let mut composition = vec![(Place::new(*field), Box::from(""))];
        let mut rest = id.strip_suffix(text)?;
        // From behind, whichever field comes next.
        let is_apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        loop {
            let places = fields.iter().filter(|(_, text)| text.len() >= LONG).filter_map(|(field, text)| {
                let start = rest.rfind(text)?;
                let (before, after) = (rest.as_bytes().get(..start)?, rest.get(start + text.len()..)?);
                let stands_alone = is_apart(before.last()) && is_apart(after.as_bytes().first());
                (stands_alone && !after.is_empty()).then_some((start + text.len(), start, *field))
            });
            let Some((end, start, field)) = places.max_by_key(|(end, start, _)| (*end, *start)) else {
                return Some(Self(composition));
            };
            composition.insert(0, (Place::new(field), Box::from(rest.get(end..)?)));
            rest = rest.get(..start)?;
        }
    }

    /// What stands before the fields in the id of a row; nothing where it is put together in another way.
    fn beginning<'a>(&mut self, row: &Row<'a, '_>) -> Option<&'a str> {
        self.0.iter_mut().rev().try_fold(row.id, |rest, (place, literal)| {
            let Cell::Text(text) = place.cell(row.given()) else { return None };
            without_end(without_end(rest, literal)?, text)
        })
    }

    fn fields(&self) -> impl DoubleEndedIterator<Item = (FieldId, &str)> {
        self.0.iter().map(|(place, literal)| (place.field, &**literal))
    }
}

impl IdTexts {
    /// Ids that are put together so.
    pub(crate) fn composed(composition: Composition) -> Self {
        Self::Composed { composition, beginnings: Texts::default(), codes: Pieces::default() }
    }

    /// Appends the id of a row that is not in the columns yet.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>, columns: &[ColumnBuilder]) {
        if let Self::Composed { composition, beginnings, codes } = self {
            if let Some(beginning) = composition.beginning(row) {
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
        if !matches!(self, Self::Composed { .. }) {
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
            Self::Composed { codes, .. } => u32::try_from(codes.len()).unwrap_or(u32::MAX),
        }
    }

    /// Appends the id of a row.
    fn write(&self, row: u32, columns: &[ColumnBuilder], out: &mut String) {
        match self {
            Self::Whole(texts) => out.push_str(texts.text(row)),
            Self::Composed { composition, beginnings, codes } => {
                out.push_str(codes.get(row as usize).map_or("", |code| beginnings.text(code)));
                for (field, literal) in composition.fields() {
                    let column = columns.get(field.0 as usize);
                    let text = column.and_then(|column| Some(column.text(column.code(row)?)));
                    out.push_str(text.unwrap_or_default());
                    out.push_str(literal);
                }
            }
        }
    }

    /// The way in which the ids of all parts are put together, where it is one.
    fn common(parts: &[TableBuilder]) -> Option<Composition> {
        let compositions = parts.iter().map(|part| match &part.ids {
            Self::Composed { composition, .. } => Some(composition),
            Self::Whole(_) => None,
        });
        let compositions = compositions.collect::<Option<Vec<_>>>()?;
        let (first, others) = compositions.split_first()?;
        others.iter().all(|other| other.fields().eq(first.fields())).then(|| Composition::clone(first))
    }
}

impl Ids {
    /// Puts the ids of all parts of a table in order. Nothing where they are too many.
    pub(crate) fn of(parts: &mut [TableBuilder]) -> Option<Self> {
        if let Some(composition) = IdTexts::common(parts)
            && let Some(ids) = Self::composed(parts, composition)?
        {
            return Some(ids);
        }
        for part in parts.iter_mut() {
            part.ids.make_whole(&part.columns);
        }
        let texts = Self::whole_texts(parts)?;
        let order = texts.sorted();
        let repeated = texts.repeated(order.as_deref());
        Some(Self { order, repeated, composed: None })
    }

    fn whole_texts(parts: &[TableBuilder]) -> Option<AllTexts<'_>> {
        let whole = parts.iter().filter_map(|part| match &part.ids {
            IdTexts::Whole(texts) => Some(texts),
            IdTexts::Composed { .. } => None,
        });
        AllTexts::new(whole.collect())
    }

    /// Ids in order by the places of their beginnings and of the texts behind; nothing (within) where places do not tell
    /// the order, because a text is the beginning of another one, or take more than a number.
    fn composed(parts: &[TableBuilder], composition: Composition) -> Option<Option<Self>> {
        let work = &mut Workspace::default();
        let beginnings = parts.iter().filter_map(|part| match &part.ids {
            IdTexts::Composed { beginnings, codes, .. } => Some((codes, beginnings)),
            IdTexts::Whole(_) => None,
        });
        let mut levels = vec![Ranked::of_texts(beginnings.collect(), work)?];
        for (field, _) in composition.fields() {
            let columns = parts.iter().filter_map(|part| part.columns.get(field.0 as usize)).collect();
            levels.push(ColumnBuilder::rank(columns, work)?);
        }
        let Some((ends, others)) = levels.split_last() else { return Some(None) };
        let width = levels.iter().map(Ranked::bits).sum::<u32>();
        if width >= u64::BITS || !others.iter().all(|level| level.dictionary().is_prefix_free()) {
            return Some(None);
        }
        let mut keys: Vec<(u64, u32)> = ends.codes().iter().map(|&end| u64::from(end)).zip(0..).collect();
        let mut shift = ends.bits();
        for level in others.iter().rev() {
            for ((key, _), &code) in keys.iter_mut().zip(level.codes()) {
                *key |= u64::from(code) << shift;
            }
            shift += level.bits();
        }
        let is_sorted = keys.is_sorted();
        if !is_sorted {
            keys.sort_unstable();
        }
        let repeated = keys.chunk_by(|one, other| one.0 == other.0).filter(|rows| rows.len() > 1);
        let repeated = repeated.map(|rows| rows.iter().map(|(_, row)| *row).collect()).collect();
        let (mut combinations, mut firsts) = (Vec::new(), Vec::new());
        for ((key, _), place) in keys.iter().zip(0..) {
            let combination = key >> ends.bits();
            if combinations.last() != Some(&combination) {
                combinations.push(combination);
                firsts.push(place);
            }
        }
        firsts.push(u32::try_from(keys.len()).ok()?);
        let order = (!is_sorted).then(|| keys.into_iter().map(|(_, row)| row).collect());
        let composed = Some(ComposedIds { composition, levels, combinations, firsts });
        Some(Some(Self { order, repeated, composed }))
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
        let lines: Vec<u32> = parts.iter().flat_map(|part| part.lines.iter()).collect();
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

    /// The finished column of ids, and those of the fields that they are put together from.
    pub(crate) fn columns(self, parts: &[TableBuilder]) -> Option<(Column, Vec<(FieldId, Column)>)> {
        let column = |text| Column { nulls: None, unknown: None, data: Data::Text(text) };
        let order = self.order.as_deref();
        if let Some(composed) = self.composed {
            let (ids, fields) = composed.columns(order)?;
            let fields = fields.into_iter().map(|(field, text)| (field, column(text)));
            return Some((column(ids), fields.collect()));
        }
        let texts = Self::whole_texts(parts)?;
        let mut dictionary = texts.dictionary(Form::Escaped);
        texts.rank(order, &mut Vec::new(), |text| dictionary.push(text));
        Some((column(TextData::one_each(dictionary.finish()?)), Vec::new()))
    }
}

impl ComposedIds {
    /// The texts of the ids and those of the fields.
    fn columns(self, order: Option<&[u32]>) -> Option<(TextData, Vec<(FieldId, TextData)>)> {
        let rows = self.firsts.last().map_or(0, |&rows| rows as usize);
        /// Where fewer rows share a beginning, a text in two pieces saves little, and costs more wherever it is asked for.
        const ROWS_A_BEGINNING: usize = 4;
        let in_two = rows < 1000 || self.combinations.len() * ROWS_A_BEGINNING < rows;
        let mut beginnings = DictionaryBuilder::new(Form::Escaped);
        if in_two {
            let mut text = String::new();
            for &combination in &self.combinations {
                self.write_beginning(combination, &mut text);
                beginnings.push(&text);
            }
        }
        let whole = if in_two { None } else { Some(self.whole(order)?) };
        let Self { composition, levels, firsts, .. } = self;
        let fields = composition.fields().zip(levels.into_iter().skip(1));
        let fields: Vec<(FieldId, TextData)> =
            fields.map(|((field, _), level)| (field, level.text(order).0)).collect();
        let ids = match whole {
            Some(whole) => whole,
            None => TextData::joined(beginnings.finish()?, firsts, &fields.last()?.1)?,
        };
        Some((ids, fields))
    }

    /// What the ids of a combination begin with.
    fn write_beginning(&self, mut combination: u64, out: &mut String) {
        let mut codes = Vec::with_capacity(self.levels.len());
        for level in self.levels.iter().rev().skip(1) {
            codes.push((combination & ((1 << level.bits()) - 1)) as u32);
            combination >>= level.bits();
        }
        let literals = std::iter::once("").chain(self.composition.fields().map(|(_, literal)| literal));
        out.clear();
        for ((level, code), literal) in self.levels.iter().zip(codes.into_iter().rev()).zip(literals) {
            out.push_str(&level.dictionary().text(code));
            out.push_str(literal);
        }
    }

    /// Each id in one piece.
    ///
    /// Their ends stand anywhere in memory: some are copied ahead, which the processor does side by side.
    fn whole(&self, order: Option<&[u32]>) -> Option<TextData> {
        const AHEAD: u32 = 32;
        let ends = self.levels.last()?;
        let end_of = |place: u32| {
            let row = order.map_or(Some(place), |order| order.get(place as usize).copied())?;
            Some(ends.dictionary().text(*ends.codes().get(row as usize)?))
        };
        let mut dictionary = DictionaryBuilder::new(Form::Escaped);
        let mut combinations = self.combinations.iter().zip(self.firsts.iter().skip(1));
        let (mut text, mut length, mut past) = (String::new(), 0, 0);
        let (mut ahead, mut cuts) = (String::new(), Vec::new());
        let rows = *self.firsts.last()?;
        for start in (0..rows).step_by(AHEAD as usize) {
            ahead.clear();
            cuts.clear();
            for place in start..rows.min(start.saturating_add(AHEAD)) {
                ahead.push_str(&end_of(place)?);
                cuts.push(ahead.len());
            }
            let mut from = 0;
            for (place, &cut) in (start..).zip(&cuts) {
                if place == past {
                    let (&combination, &end) = combinations.next()?;
                    self.write_beginning(combination, &mut text);
                    (length, past) = (text.len(), end);
                }
                text.truncate(length);
                text.push_str(ahead.get(from..cut)?);
                dictionary.push(&text);
                from = cut;
            }
        }
        Some(TextData::one_each(dictionary.finish()?))
    }
}
