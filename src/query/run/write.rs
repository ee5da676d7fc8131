//! Rows to JSON bytes, in the order the query asked. A field that may not be null and has nothing to say is an error
//! with its path, and the nearest nullable object around it becomes null, as the GraphQL specification says: the
//! bytes written for it so far are cut off.

use super::{
    connect::Source,
    eval::Evaluator,
    flat::FlatShape,
    limits::RunError,
    select::Pick,
    shape::{BoundNodes, Candidates, Part, Shape, Slot, SlotKind},
};
use crate::{
    catalog::{FieldId, FieldKind},
    graph::{Column, Data, Table, TableId, TextData},
};

/// A part of the answer that could not be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// What was missing, for the reader of the answer.
    pub message: String,
    /// Where it belongs in the answer, from `data` down.
    pub path: Vec<PathSegment>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// A response key.
    Key(String),
    /// A place in a list.
    Index(usize),
}

/// Where the writer is, as a chain through its own calls; only an error turns it into a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    at: At<'a>,
}

#[derive(Clone, Copy, Debug)]
enum At<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(super) fn root(key: &'a str) -> Self {
        Self { parent: None, at: At::Key(key) }
    }

    fn below(&'a self, at: At<'a>) -> Self {
        Self { parent: Some(self), at }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        self.below(At::Key(key))
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        self.below(At::Index(index))
    }

    fn segments(&self) -> Vec<PathSegment> {
        let mut segments = self.parent.map(Path::segments).unwrap_or_default();
        segments.push(match self.at {
            At::Key(key) => PathSegment::Key(key.to_owned()),
            At::Index(index) => PathSegment::Index(index),
        });
        segments
    }
}

/// Why writing a value stopped.
#[derive(Debug)]
pub(super) enum Halt {
    /// It may not be null but is; the error is recorded. Whatever is nullable around it becomes null.
    Null,
    /// The run is over.
    Stop(RunError),
}

impl From<RunError> for Halt {
    fn from(error: RunError) -> Self {
        Self::Stop(error)
    }
}

/// Writes the answer.
pub(super) struct Writer<'e, 'g, 'r> {
    /// That of the root field being written.
    pub(super) evaluator: &'e Evaluator<'g, 'r>,
    pub(super) out: Vec<u8>,
    pub(super) errors: Vec<FieldError>,
    pub(super) rows: u64,
    /// Emptied lists of rows, kept for the next nested list.
    spare: Vec<Vec<Pick>>,
    /// Takes what can no longer change; nothing where the answer is wanted whole.
    pub(super) outlet: Option<Outlet<'e>>,
    /// How many bytes it has taken. Places in the answer are counted with them.
    sent: usize,
    /// Where the outermost value begins that may still become null: what stands before it can go.
    pinned: Option<usize>,
}

/// Takes a piece of an answer; says whether anybody still wants the rest.
pub type Outlet<'a> = &'a mut dyn FnMut(Vec<u8>) -> bool;

/// Pieces have at least so many bytes, and not much more.
const PIECE_BYTES: usize = 128 * 1024;

/// How many rows are written between two looks at the clock.
const ROWS_A_CHECK: u64 = 1024;

/// So many cells of an object are found before the first is copied.
const CELLS_AHEAD: usize = 12;

/// The shortest list that is worth the preparation of a [`FlatShape`].
const FLAT_FROM: usize = 16;

impl<'e, 'g, 'r> Writer<'e, 'g, 'r> {
    pub(super) fn new(evaluator: &'e Evaluator<'g, 'r>) -> Self {
        Self {
            evaluator,
            out: Vec::new(),
            errors: Vec::new(),
            rows: 0,
            spare: Vec::new(),
            outlet: None,
            sent: 0,
            pinned: None,
        }
    }

    /// How many bytes were written, those handed on included.
    pub(super) fn written(&self) -> usize {
        self.sent + self.out.len()
    }

    /// How many bytes were handed on.
    pub(super) fn sent(&self) -> usize {
        self.sent
    }

    /// Hands on what can no longer become null.
    fn hand_on(&mut self) -> Result<(), Halt> {
        let end = self.pinned.map_or(self.out.len(), |place| place.saturating_sub(self.sent));
        let Some(outlet) = self.outlet.as_mut().filter(|_| end >= PIECE_BYTES) else { return Ok(()) };
        let mut rest = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 8);
        rest.extend(self.out.drain(end..));
        let piece = std::mem::replace(&mut self.out, rest);
        self.sent += piece.len();
        if outlet(piece) { Ok(()) } else { Err(RunError::Cancelled.into()) }
    }

    /// A list of assets.
    pub(super) fn write_list(
        &mut self,
        nodes: &BoundNodes<'_>,
        picks: &[Pick],
        path: &Path<'_>,
    ) -> Result<(), Halt> {
        self.expect_rows(picks.len())?;
        self.out.push(b'[');
        if self.write_flat(nodes, picks)? {
            self.out.push(b']');
            return Ok(());
        }
        for (index, &(place, row)) in picks.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            if let Some(candidates) = nodes.candidates.get(place) {
                self.write_asset(candidates.table, &candidates.shape, row, &path.below(At::Index(index)))?;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// The rows of a list that is not short and prints only cells of one table. False, and nothing written, for others.
    fn write_flat(&mut self, nodes: &BoundNodes<'_>, picks: &[Pick]) -> Result<bool, Halt> {
        let [candidates] = nodes.candidates.as_slice() else { return Ok(false) };
        if picks.len() < FLAT_FROM {
            return Ok(false);
        }
        let graph = self.evaluator.world.graph;
        let Some(flat) = FlatShape::of(graph, candidates.table, &candidates.shape) else { return Ok(false) };
        self.count_rows(picks.len())?;
        let mut out = std::mem::take(&mut self.out);
        let written = flat.write(picks, &mut out, |out| {
            std::mem::swap(out, &mut self.out);
            let may_go_on = self.look_at_bytes();
            std::mem::swap(out, &mut self.out);
            may_go_on?;
            Ok(self.evaluator.limits.check_stop()?)
        });
        self.out = out;
        written.map(|()| true)
    }

    /// One asset as an object.
    pub(super) fn write_asset(
        &mut self,
        table: TableId,
        shape: &Shape<'_>,
        row: u32,
        path: &Path<'_>,
    ) -> Result<(), Halt> {
        self.begin_row()?;
        self.write_object(table, shape, row, path)
    }

    /// Refuses a list that is too long before any of it is written.
    pub(super) fn expect_rows(&self, rows: usize) -> Result<(), Halt> {
        let limit = self.evaluator.limits.max_rows;
        let actual = self.rows.saturating_add(rows as u64);
        if actual > limit { Err(RunError::TooManyRows { limit, actual }.into()) } else { Ok(()) }
    }

    /// Counts rows that are about to be written, and looks at the limits of rows and of work.
    fn count_rows(&mut self, rows: usize) -> Result<(), Halt> {
        self.expect_rows(rows)?;
        self.rows += rows as u64;
        Ok(self.evaluator.afford(usize::try_from(self.rows).unwrap_or(usize::MAX))?)
    }

    /// Looks at the limit of bytes, and hands on what is ready.
    fn look_at_bytes(&mut self) -> Result<(), Halt> {
        self.evaluator.limits.check_bytes(self.written())?;
        if self.out.len() >= PIECE_BYTES { self.hand_on() } else { Ok(()) }
    }

    /// Counts one more row, and looks at the limits.
    pub(super) fn begin_row(&mut self) -> Result<(), Halt> {
        self.count_rows(1)?;
        if self.rows.is_multiple_of(ROWS_A_CHECK) {
            self.evaluator.limits.check_stop()?;
        }
        self.look_at_bytes()
    }

    /// The entries of an object of a generated type.
    pub(super) fn write_parts<K>(
        &mut self,
        parts: &[Part<'_, K>],
        mut write: impl FnMut(&mut Self, &Part<'_, K>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        if parts.is_empty() {
            self.out.push(b'{');
        }
        for part in parts {
            self.out.extend_from_slice(&part.prefix);
            write(self, part)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// A text that needs no escape: a name, a cursor.
    pub(super) fn write_text(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    pub(super) fn write_number(&mut self, number: usize) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    pub(super) fn write_truth(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// One row as an object; [`Writer::begin_row`] has counted it.
    pub(super) fn write_object(
        &mut self,
        id: TableId,
        shape: &Shape<'_>,
        row: u32,
        path: &Path<'_>,
    ) -> Result<(), Halt> {
        if shape.slots.is_empty() {
            self.out.push(b'{');
        }
        let mut cells = [&[][..]; CELLS_AHEAD];
        look_ahead(self.evaluator.world.graph.table(id), shape, row, &mut cells);
        for (place, slot) in shape.slots.iter().enumerate() {
            match slot.key.written() {
                [_, first @ ..] if place == 0 => {
                    self.out.push(b'{');
                    self.out.extend_from_slice(first);
                }
                next => self.out.extend_from_slice(next),
            }
            match cells.get(place) {
                Some(json) if !json.is_empty() => self.out.extend_from_slice(json),
                _ => self.write_slot(id, slot, row, path)?,
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn write_slot(&mut self, id: TableId, slot: &Slot<'_>, row: u32, path: &Path<'_>) -> Result<(), Halt> {
        let table = self.evaluator.world.graph.table(id);
        match &slot.kind {
            SlotKind::Typename(name) => {
                self.out.extend_from_slice(name);
                Ok(())
            }
            SlotKind::Scalar { field, nullable } => {
                if table.column(*field).write_json(row, &mut self.out) {
                    return Ok(());
                }
                self.write_null(*nullable, (id, *field, row), &path.below(At::Key(slot.key.name())))
            }
            SlotKind::Computed(candidates) => {
                let holds = self.evaluator.passes(candidates, row)?;
                self.write_truth(holds);
                Ok(())
            }
            SlotKind::Embedded { field, nullable, shapes } => {
                let here = path.below(At::Key(slot.key.name()));
                let column = table.column(*field);
                if !column.has_value(row) {
                    return self.write_null(*nullable, (id, *field, row), &here);
                }
                self.nullable(*nullable, |writer| writer.write_embedded(column, shapes, row, &here))
            }
            SlotKind::Many { field, nullable, nodes } => {
                let mut picks = self.spare.pop().unwrap_or_default();
                let links = table.column(*field).links();
                self.evaluator.select_related(nodes, links, row, &mut picks)?;
                let here = path.below(At::Key(slot.key.name()));
                self.nullable(*nullable, |writer| writer.write_list(nodes, &picks, &here))?;
                picks.clear();
                self.spare.push(picks);
                Ok(())
            }
            SlotKind::Connection { field, connection } => {
                let source = Source::Related(table.column(*field).links(), row);
                self.write_connection(connection, source, &path.below(At::Key(slot.key.name())))
            }
            SlotKind::Aggregate { field, aggregate } => {
                self.write_aggregate(aggregate, Source::Related(table.column(*field).links(), row))
            }
            SlotKind::One { field, nullable, candidates } => {
                let here = path.below(At::Key(slot.key.name()));
                match self.find_one(table.column(*field), candidates, row)? {
                    Some((candidates, target)) => self.nullable(*nullable, |writer| {
                        writer.write_asset(candidates.table, &candidates.shape, target, &here)
                    }),
                    None => self.write_null(*nullable, (id, *field, row), &here),
                }
            }
        }
    }

    fn find_one<'c, 'p>(
        &self,
        column: &Column,
        candidates: &'c [Candidates<'p>],
        row: u32,
    ) -> Result<Option<(&'c Candidates<'p>, u32)>, Halt> {
        for (link, candidates) in column.links().iter().zip(candidates) {
            for &target in link.adjacency.forward.of(row) {
                self.evaluator.work.add_edges(1);
                if self.evaluator.passes(candidates, target)? {
                    return Ok(Some((candidates, target)));
                }
            }
        }
        Ok(None)
    }

    fn write_embedded(
        &mut self,
        column: &Column,
        shapes: &[Shape<'_>],
        row: u32,
        path: &Path<'_>,
    ) -> Result<(), Halt> {
        let many = matches!(column.data, Data::Links { many: true, .. });
        let objects = column.links().iter().zip(shapes).flat_map(|(link, shape)| {
            link.adjacency.forward.of(row).iter().map(move |&object| (link, shape, object))
        });
        if many {
            self.out.push(b'[');
        }
        for (index, (link, shape, object)) in objects.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            if many {
                self.write_object(link.table, shape, object, &path.below(At::Index(index)))?;
            } else {
                self.write_object(link.table, shape, object, path)?;
            }
        }
        if many {
            self.out.push(b']');
        }
        Ok(())
    }

    /// Writes a value that may become null: if something inside must not be null but is, null stands for all of it.
    pub(super) fn nullable(
        &mut self,
        nullable: bool,
        write: impl FnOnce(&mut Self) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let start = self.written();
        let is_outermost = nullable && self.pinned.is_none();
        if is_outermost {
            self.pinned = Some(start);
        }
        let written = write(self);
        if is_outermost {
            self.pinned = None;
        }
        match written {
            Err(Halt::Null) if nullable => {
                self.out.truncate(start - self.sent);
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            written => written,
        }
    }

    /// What to say of a field that may not be null and has nothing to show.
    fn describe_missing(&self, id: TableId, field: FieldId, row: u32) -> String {
        let graph = self.evaluator.world.graph;
        let table = graph.table(id);
        let definition = graph.catalog().get(table.of);
        let name = &definition.get(field).name;
        let what = match (&definition.get(field).kind, table.column(field).is_unknown(row)) {
            (_, true) => "could not be seen",
            (FieldKind::Relation { .. }, _) => "has no related asset",
            _ => "has no value",
        };
        match table.id_of(row) {
            id if id.is_empty() => format!("`{name}` of {} {what}", definition.name),
            id => format!("`{name}` of {} `{id}` {what}", definition.name),
        }
    }

    fn write_null(
        &mut self,
        nullable: bool,
        (id, field, row): (TableId, FieldId, u32),
        path: &Path<'_>,
    ) -> Result<(), Halt> {
        if nullable {
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        let message = self.describe_missing(id, field, row);
        self.errors.push(FieldError { message, path: path.segments() });
        Err(Halt::Null)
    }
}

/// Finds the JSON of an object's texts, step by step for all of them: each step waits for memory, and the processor then
/// waits for all at once. Cells without a text that is stored in one piece stay empty.
fn look_ahead<'t>(table: &'t Table, shape: &Shape<'_>, row: u32, cells: &mut [&'t [u8]; CELLS_AHEAD]) {
    let mut found: [Option<(&TextData, u32)>; CELLS_AHEAD] = [None; CELLS_AHEAD];
    for (found, slot) in found.iter_mut().zip(&shape.slots) {
        if let SlotKind::Scalar { field, .. } = slot.kind
            && let Some(text) = table.column(field).text_data()
        {
            *found = text.code(row).map(|code| (text, code));
        }
    }
    for (cell, found) in cells.iter_mut().zip(found) {
        if let Some(json) = found.and_then(|(text, code)| text.json(code)) {
            *cell = json;
        }
    }
}
