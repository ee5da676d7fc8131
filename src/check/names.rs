//! The names of assets as reports have them, and their order: each is read of the graph once for all checks, and not
//! again as long as the graphs that follow say the same of it.

use std::{array, borrow::Cow, cmp::Ordering, collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::result::AssetName;
use crate::{
    catalog::TypeId,
    graph::{Bitmap, Graph, TextFields},
    model::parallel::in_parallel,
};

/// An asset by type and row.
pub(super) type Row = (TypeId, u32);

/// What an asset is named by, in the order of [`AssetName`]; the name comes last.
const FIELDS: [&str; 5] = ["accountId", "region", "nativeId", "id", "name"];

/// Those of [`FIELDS`] that decide the order within a type: no two assets of it have the same id.
const DECISIVE: usize = 4;

/// So many assets are named by one thread at a time.
const SHARE: usize = 16 * 1024;

/// The names of some assets of one graph.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What they were read from.
    fields: BTreeMap<TypeId, TextFields>,
    /// Each with its place in the order of names.
    known: FxHashMap<Row, (u32, Arc<AssetName>)>,
}

impl Names {
    /// The names of some assets. Those that `before` has and that are still so are taken from there.
    pub(super) fn of(graph: &Graph, rows: impl Iterator<Item = Row>, before: &Self) -> Self {
        // Several checks may each name a million.
        let mut by_type: BTreeMap<TypeId, Bitmap> = BTreeMap::new();
        let all = |of| graph.table_of(of).map_or(0, |(_, table)| table.rows);
        for (of, row) in rows {
            by_type.entry(of).or_insert_with(|| Bitmap::zeros(all(of))).set(row as usize);
        }
        let mut fields = BTreeMap::new();
        let mut named: Vec<(Row, Arc<AssetName>)> = Vec::new();
        for (of, rows) in by_type {
            let Some(read) = graph.text_fields(of, &FIELDS) else { continue };
            let of_type = OfType { of, typename: &graph.catalog().get(of).name, read: &read, before };
            named.extend(of_type.in_order(&rows));
            fields.insert(of, read);
        }
        if fields.len() > 1 {
            // Each type is in order: the stable sort merges them.
            named.sort_by(|(_, one), (_, other)| one.cmp(other));
        }
        let known = (0u32..).zip(named).map(|(place, (row, name))| (row, (place, name)));
        Self { fields, known: known.collect() }
    }

    /// The place of an asset in the order of names, and its name; nothing for an asset that was not asked for.
    pub(super) fn get(&self, row: Row) -> Option<(u32, &Arc<AssetName>)> {
        self.known.get(&row).map(|(place, name)| (*place, name))
    }
}

/// The assets of one type while they are named.
struct OfType<'a> {
    of: TypeId,
    typename: &'a str,
    read: &'a TextFields,
    before: &'a Names,
}

impl OfType<'_> {
    fn in_order(&self, rows: &Bitmap) -> Vec<(Row, Arc<AssetName>)> {
        let codes = |row: u32| array::from_fn(|place| self.read.code(place, row));
        let mut coded: Vec<([Option<u32>; DECISIVE], u32)> =
            rows.iter().map(|row| (codes(row), row)).collect();
        coded.sort_unstable_by(|(one, _), (other, _)| self.compare(one, other));
        let shares: Vec<_> = coded.chunks(SHARE).collect();
        let is_large = shares.len() > 1;
        let named = in_parallel(shares, is_large, |share| {
            share.iter().map(|(_, row)| ((self.of, *row), self.name(*row))).collect::<Vec<_>>()
        });
        named.into_iter().flatten().collect()
    }

    fn compare(&self, one: &[Option<u32>; DECISIVE], other: &[Option<u32>; DECISIVE]) -> Ordering {
        let each = one.iter().zip(other).enumerate();
        let mut orders = each.map(|(place, (one, other))| self.read.compare(place, *one, *other));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn name(&self, row: u32) -> Arc<AssetName> {
        let known = self.before.fields.get(&self.of).filter(|before| self.read.says_as(before, row));
        let known = known.and_then(|_| self.before.known.get(&(self.of, row)));
        known.map_or_else(|| Arc::new(name_of(self.read, self.typename, row)), |(_, name)| Arc::clone(name))
    }
}

fn name_of(read: &TextFields, typename: &str, row: u32) -> AssetName {
    let texts: [Option<String>; FIELDS.len()] =
        array::from_fn(|place| read.text(place, row).map(Cow::into_owned));
    let [account_id, region, native_id, id, name] = texts;
    let id = id.unwrap_or_default();
    AssetName { account_id, region, typename: typename.to_owned(), native_id, id, name }
}
