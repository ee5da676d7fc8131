//! Lists of rows of which only names and stored values are printed: most lists, and every long one. They are written a
//! block of rows at a time: first the texts of each column are looked up, one column after the other, so that the
//! processor waits for many of them at once; then they are joined row by row. A long list is shared by two threads.

use std::{iter::repeat_n, panic::resume_unwind, thread};

use super::{
    select::Pick,
    shape::{Shape, Slot, SlotKind, prefix_of},
    write::Halt,
};
use crate::graph::{Bitmap, Column, Data, Graph, TableId, TextData};

/// Rows whose texts are looked up together.
const BLOCK: usize = 256;
/// Rows that one thread writes at a time, when two do.
const SHARE: usize = 8192;
/// A list is shared by two threads from so many rows on.
const LONG: usize = 4 * SHARE;

/// A shape without relations, embedded and computed fields, bound to its columns.
#[derive(Debug)]
pub(super) struct FlatShape<'s> {
    cells: Vec<FlatCell<'s>>,
}

#[derive(Debug)]
struct FlatCell<'s> {
    prefix: Vec<u8>,
    value: FlatValue<'s>,
}

#[derive(Debug)]
enum FlatValue<'s> {
    Same(&'s [u8]),
    Text(&'s TextData),
    Truth(&'s Column, &'s Bitmap),
    /// Formatted cell by cell.
    Other(&'s Column),
}

impl<'s> FlatShape<'s> {
    /// Nothing where a row needs more than its own cells, or a cell that may not be null is.
    pub(super) fn of(graph: &'s Graph, id: TableId, shape: &'s Shape<'_>) -> Option<Self> {
        let cell = |(place, slot): (usize, &'s Slot<'_>)| {
            let value = match &slot.kind {
                SlotKind::Typename(name) => FlatValue::Same(name),
                SlotKind::Scalar { field, nullable } => {
                    let column = graph.table(id).column(*field);
                    if !nullable && column.lacks_values() {
                        return None;
                    }
                    match &column.data {
                        Data::Text(text) | Data::Net { text, .. } if text.is_whole() => FlatValue::Text(text),
                        Data::Bool(values) => FlatValue::Truth(column, values),
                        _ => FlatValue::Other(column),
                    }
                }
                _ => return None,
            };
            Some(FlatCell { prefix: prefix_of(place, slot.key.name()), value })
        };
        let cells = shape.slots.iter().enumerate().map(cell).collect::<Option<Vec<_>>>()?;
        (!cells.is_empty()).then_some(Self { cells })
    }

    /// Appends the rows as objects with commas between them. `after_block` is given the bytes so far after every block:
    /// it may take what stands in them.
    pub(super) fn write(
        &self,
        picks: &[Pick],
        out: &mut Vec<u8>,
        mut after_block: impl FnMut(&mut Vec<u8>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        if picks.len() < LONG {
            return self.write_share(picks, out, &mut after_block);
        }
        let mut second = Vec::new();
        for (place, pair) in picks.chunks(2 * SHARE).enumerate() {
            let (ours, theirs) = pair.split_at(pair.len().min(SHARE));
            if place > 0 {
                out.push(b',');
            }
            second.clear();
            thread::scope(|scope| {
                let other = scope.spawn(|| self.write_share(theirs, &mut second, &mut |_| Ok(())));
                let written = self.write_share(ours, out, &mut after_block);
                // An answer that lacks the rows of a thread that panicked must not look whole.
                other.join().unwrap_or_else(|panic| resume_unwind(panic)).and(written)
            })?;
            if !theirs.is_empty() {
                out.push(b',');
                out.extend_from_slice(&second);
            }
        }
        after_block(out)
    }

    fn write_share(
        &self,
        picks: &[Pick],
        out: &mut Vec<u8>,
        after_block: &mut impl FnMut(&mut Vec<u8>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let mut rows = Vec::with_capacity(BLOCK);
        let mut texts = Vec::with_capacity(BLOCK * self.cells.len());
        for (place, block) in picks.chunks(BLOCK).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            rows.clear();
            rows.extend(block.iter().map(|(_, row)| *row));
            self.write_block(&rows, &mut texts, out);
            after_block(out)?;
        }
        Ok(())
    }

    fn write_block(&self, rows: &[u32], texts: &mut Vec<&'s [u8]>, out: &mut Vec<u8>) {
        texts.clear();
        for cell in &self.cells {
            cell.value.look_up(rows, texts);
        }
        for (place, &row) in rows.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            for (cell, texts) in self.cells.iter().zip(texts.chunks_exact(rows.len())) {
                out.extend_from_slice(&cell.prefix);
                match (&cell.value, texts.get(place)) {
                    (FlatValue::Other(column), _) => {
                        if !column.write_json(row, out) {
                            out.extend_from_slice(NULL);
                        }
                    }
                    (_, Some(text)) => out.extend_from_slice(text),
                    (_, None) => {}
                }
            }
            out.push(b'}');
        }
    }
}

const NULL: &[u8] = b"null";

impl<'s> FlatValue<'s> {
    /// Appends the JSON of each row, or nothing for each where it has yet to be formatted.
    fn look_up(&self, rows: &[u32], texts: &mut Vec<&'s [u8]>) {
        match *self {
            Self::Same(text) => texts.extend(repeat_n(text, rows.len())),
            Self::Text(text) => {
                texts.extend(
                    rows.iter().map(|&row| text.code(row).and_then(|code| text.json(code)).unwrap_or(NULL)),
                );
            }
            Self::Truth(column, values) => texts.extend(rows.iter().map(|&row| -> &'s [u8] {
                match (column.has_value(row), values.get(row as usize)) {
                    (false, _) => NULL,
                    (true, true) => b"true",
                    (true, false) => b"false",
                }
            })),
            Self::Other(_) => texts.extend(repeat_n(&[][..], rows.len())),
        }
    }
}
