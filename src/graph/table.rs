//! The rows of one asset type, or of the embedded objects of one field in the order of their owners. Nobody outside
//! this room may take the order of rows for the order of ids, or every row for an asset: the methods here say which.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    bitmap::Bitmap,
    column::{Column, Data},
    image::{ImageError, ImageReader, ImageWriter, Imaged},
    text::TextData,
};
use crate::catalog::{FieldId, TypeId};

/// One table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// An asset type or an embedded one.
    pub(crate) of: TypeId,
    /// How many rows it has: the length of its columns and of every set of its rows.
    pub(crate) rows: usize,
    /// By [`FieldId`].
    pub(crate) columns: Vec<Arc<Column>>,
    /// The column of the id; nothing in a table of embedded objects.
    pub(crate) id: Option<FieldId>,
    /// The rows that hold something; nothing where all do.
    held: Option<Bitmap>,
    /// How many rows it was built with: they are in the order of ids.
    pub(super) built: usize,
    /// The rows behind those, where they have ids.
    appended: Option<Arc<Appended>>,
    /// Another one wherever anything differs: in the cells, or in where the rows lead.
    pub(super) stamp: u64,
}

/// The next stamp of this process. It is compared and never shown.
pub(super) fn next_stamp() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Rows that were appended, by their ids.
#[derive(Debug)]
struct Appended {
    /// In the order of ids.
    order: Vec<u32>,
    /// The rank of each, in the order of rows.
    ranks: Vec<u64>,
}

impl Table {
    /// A table built whole: rows sorted by id, every row an asset (or an embedded object).
    pub(crate) fn new(of: TypeId, rows: usize, mut columns: Vec<Column>, id: Option<FieldId>) -> Self {
        let ids = id.and_then(|id| columns.get_mut(id.0 as usize));
        if let Some(Column { data: Data::Text(ids), .. }) = ids {
            ids.mark_ids();
        }
        let columns = columns.into_iter().map(Arc::new).collect();
        Self { of, rows, columns, id, held: None, built: rows, appended: None, stamp: next_stamp() }
    }

    /// The same with other columns, of `rows` rows, of which those in `gone` hold nothing and those in `back` do.
    pub(super) fn patched(&self, rows: usize, columns: Vec<Arc<Column>>, gone: &[u32], back: &[u32]) -> Self {
        let mut held = self.held.clone();
        if !gone.is_empty() && held.is_none() {
            held = Some(Bitmap::ones(self.rows));
        }
        let held = held.map(|held| {
            let mut held = held.resized(rows);
            for &row in gone {
                held.clear(row as usize);
            }
            let appended =
                u32::try_from(self.rows).unwrap_or(u32::MAX)..u32::try_from(rows).unwrap_or(u32::MAX);
            for row in appended.chain(back.iter().copied()) {
                held.set(row as usize);
            }
            held
        });
        let mut table = Self {
            of: self.of,
            rows,
            columns,
            id: self.id,
            held,
            built: self.built,
            appended: None,
            stamp: next_stamp(),
        };
        table.appended = if rows == self.rows {
            self.appended.clone()
        } else {
            table.rank_appended(self.appended.as_deref()).map(Arc::new)
        };
        table
    }

    /// The same with another column of links. Where these lead to what is kept and not collected, the table still says
    /// the same of its own assets: whoever reads what they lead to looks at that table's stamp.
    pub(super) fn with_links(&self, field: FieldId, column: Column, lead_to_ledger: bool) -> Self {
        let stamp = if lead_to_ledger { self.stamp } else { next_stamp() };
        let mut table = Self { stamp, ..self.clone() };
        if let Some(slot) = table.columns.get_mut(field.0 as usize) {
            *slot = Arc::new(column);
        }
        table
    }

    /// The order of the appended rows: those of before in theirs, the others put in between.
    fn rank_appended(&self, before: Option<&Appended>) -> Option<Appended> {
        let ids = self.ids()?;
        let built = u32::try_from(self.built).ok()?;
        let known = before.map_or(&[][..], |before| &before.ranks);
        let mut order = before.map_or_else(Vec::new, |before| before.order.clone());
        order.extend(built + u32::try_from(known.len()).ok()?..u32::try_from(self.rows).ok()?);
        // One sorted run and a short one: the stable sort merges them.
        order.sort_by(|one, other| ids.compare(Some(*one), Some(*other)));
        let mut ranks = vec![0; order.len()];
        for (place, &row) in (0u64..).zip(&order) {
            let index = (row - built) as usize;
            let between = match known.get(index) {
                Some(rank) => rank >> 32,
                None => u64::from(ids.lower_bound(&ids.text(row))),
            };
            if let Some(rank) = ranks.get_mut(index) {
                *rank = between << 32 | place;
            }
        }
        Some(Appended { order, ranks })
    }

    /// How many rows hold nothing, or were appended: what it would be rid of if it were built whole.
    pub(super) fn wear(&self) -> usize {
        self.rows - self.built + (self.rows - self.count())
    }

    /// The column of a field.
    #[expect(clippy::indexing_slicing, reason = "a table has a column for every field of its type")]
    pub(crate) fn column(&self, field: FieldId) -> &Column {
        &self.columns[field.0 as usize]
    }

    /// The row of an id, whether it still holds the asset or not.
    pub(super) fn slot(&self, id: &str) -> Option<u32> {
        self.ids()?.find(id)
    }

    fn ids(&self) -> Option<&TextData> {
        match &self.column(self.id?).data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The row of an id. Ids are distinct and numbered as the rows are, so the code of an id is its row.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.slot(id).filter(|&row| self.holds(row))
    }

    /// The id of a row; empty in a table of embedded objects.
    pub(crate) fn id_of(&self, row: u32) -> Cow<'_, str> {
        self.id.and_then(|id| self.column(id).text(row)).unwrap_or_default()
    }

    /// How many assets (or embedded objects) it holds.
    pub(crate) fn count(&self) -> usize {
        self.held.as_ref().map_or(self.rows, Bitmap::count)
    }

    /// Whether a row holds anything.
    #[inline]
    pub(crate) fn holds(&self, row: u32) -> bool {
        match &self.held {
            None => (row as usize) < self.rows,
            Some(held) => held.get(row as usize),
        }
    }

    /// Whether any row holds a code of one of its columns: texts that were changed leave theirs behind.
    pub(crate) fn has_text(&self, text: &TextData, code: u32) -> bool {
        let may_be_left = text.is_patched || self.held.is_some();
        !may_be_left || text.rows_of(code).iter().any(|&row| self.holds(row))
    }

    /// No row.
    pub(crate) fn none(&self) -> Bitmap {
        Bitmap::zeros(self.rows)
    }

    /// Every row that holds something.
    pub(crate) fn all(&self) -> Bitmap {
        self.held.clone().unwrap_or_else(|| Bitmap::ones(self.rows))
    }

    /// Whether a set has every row that holds something.
    pub(crate) fn is_all(&self, rows: &Bitmap) -> bool {
        match &self.held {
            None => rows.is_full(),
            Some(held) => {
                let mut missing = held.clone();
                missing.and_not(rows);
                missing.is_empty()
            }
        }
    }

    /// Every row that holds something and is not in the set.
    pub(crate) fn complement(&self, rows: Bitmap) -> Bitmap {
        let mut rows = rows.complement();
        self.keep_held(&mut rows);
        rows
    }

    /// Leaves out the rows that hold nothing: what a scan of a column finds may be left over from before.
    pub(crate) fn keep_held(&self, rows: &mut Bitmap) {
        if let Some(held) = &self.held {
            rows.and(held);
        }
    }

    /// A number for each row that ascends with the ids of the rows. Not a place: there are gaps.
    #[inline]
    pub(crate) fn rank(&self, row: u32) -> u64 {
        let appended = self.appended.as_ref().zip((row as usize).checked_sub(self.built));
        match appended.and_then(|(appended, place)| appended.ranks.get(place)) {
            Some(rank) => *rank,
            None => u64::from(row) << 32 | u64::from(u32::MAX),
        }
    }

    /// The least [rank](Self::rank) that the row of this id, or of a greater one, can have; and whether a row has the id.
    pub(crate) fn rank_of_id(&self, id: &str) -> (u64, bool) {
        let Some(ids) = self.ids() else { return (0, false) };
        if let Some(row) = ids.find(id) {
            return (self.rank(row), true);
        }
        let before = |row: &u32| ids.text(*row).as_ref() < id;
        let place = self.appended.as_ref().map_or(0, |appended| appended.order.partition_point(before));
        (u64::from(ids.lower_bound(id)) << 32 | place as u64, false)
    }

    /// The rows of a set in the order of their ids (in a table of embedded objects, in that of rows).
    pub(crate) fn in_id_order<'t>(&'t self, rows: &'t Bitmap) -> impl Iterator<Item = u32> + 't {
        self.in_id_order_from(rows, 0)
    }

    /// The same, from a [rank](Self::rank) on.
    pub(crate) fn in_id_order_from<'t>(
        &'t self,
        rows: &'t Bitmap,
        rank: u64,
    ) -> impl Iterator<Item = u32> + 't {
        let first = u32::try_from(rank >> 32).unwrap_or(u32::MAX);
        let order = self.appended.as_ref().map_or(&[][..], |appended| &appended.order);
        let order = order.get(order.partition_point(|&row| self.rank(row) < rank)..).unwrap_or_default();
        let mut appended = order.iter().copied().filter(|&row| rows.get(row as usize)).peekable();
        let end = if self.appended.is_some() { self.built } else { self.rows };
        let mut built = rows.iter_from(first).take_while(move |&row| (row as usize) < end).peekable();
        std::iter::from_fn(move || match (built.peek(), appended.peek()) {
            (Some(&one), Some(&other)) if self.rank(other) < self.rank(one) => appended.next(),
            (None, Some(_)) => appended.next(),
            _ => built.next(),
        })
    }

    /// Every row that holds something, in the order of ids.
    pub(crate) fn all_in_id_order(&self) -> impl Iterator<Item = u32> {
        let order = self.appended.as_ref().map_or(&[][..], |appended| &appended.order);
        let mut appended = order.iter().copied().peekable();
        let end = if self.appended.is_some() { self.built } else { self.rows };
        let mut built = (0u32..).take(end).peekable();
        let rows = std::iter::from_fn(move || match (built.peek(), appended.peek()) {
            (Some(&one), Some(&other)) if self.rank(other) < self.rank(one) => appended.next(),
            (None, Some(_)) => appended.next(),
            _ => built.next(),
        });
        rows.filter(|&row| self.holds(row))
    }

    /// Puts rows in the order of their ids.
    pub(crate) fn sort_by_id(&self, rows: &mut [u32]) {
        rows.sort_unstable_by_key(|&row| self.rank(row));
    }
}

impl Imaged for Table {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        // The order of appended rows follows from their ids; a stamp is of one process.
        let Self { of, rows, columns, id, held, built, appended: _, stamp: _ } = self;
        image.number(of.0.into());
        image.count(*rows);
        columns.put(image);
        image.flag(id.is_some());
        image.number(id.map_or(0, |id| id.0.into()));
        held.put(image);
        image.count(*built);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        let mut table = Self {
            of: image.type_id()?,
            rows: image.count()?,
            columns: Vec::take_from(image)?,
            id: image.flag()?.then_some(FieldId(0)),
            held: None,
            built: 0,
            appended: None,
            stamp: next_stamp(),
        };
        let id = image.number()?.try_into().map_err(|_| ImageError::OtherFormat)?;
        table.id = table.id.map(|_| FieldId(id));
        table.held = Option::take_from(image)?;
        table.built = image.count()?;
        if table.built < table.rows && table.id.is_some_and(|id| (id.0 as usize) < table.columns.len()) {
            table.appended = table.rank_appended(None).map(Arc::new);
        }
        Ok(table)
    }
}
