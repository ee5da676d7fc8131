//! The edges of a patch. A relation by keys is joined again only for rows whose keys changed, came or went, on either
//! side; one by paths only for rows from which something that changed can be reached.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rustc_hash::FxHashMap;

use super::{
    adjacency::Adjacency,
    column::{Column, Data, Link, TableId},
    patch::PatchWork,
    patch_cells::{ChangedCells, RowChanges, TooLarge},
    relate::{self, items_of},
    table::Table,
    text::TextData,
};
use crate::{
    catalog::{Catalog, FieldId, FieldKind, KeyPairs, RelationKeys, TypeId},
    model::is_ledger_type,
};

/// What changed in a table.
#[derive(Debug)]
pub(super) struct TableChanges {
    /// Rows that hold an asset and didn't before.
    appeared: Vec<u32>,
    /// Rows that no longer hold one.
    gone: Vec<u32>,
    cells: ChangedCells,
}

impl TableChanges {
    /// `old_rows` is how many rows there were.
    pub(super) fn new(old_rows: usize, rows: &RowChanges, cells: ChangedCells) -> Self {
        let appended = rows.pairs.iter().map(|(row, _)| *row).filter(|row| *row as usize >= old_rows);
        Self { appeared: appended.chain(rows.back.iter().copied()).collect(), gone: rows.gone.clone(), cells }
    }

    /// The rows that came, went, or have another value in one of these fields.
    fn rows_by(&self, fields: &[FieldId]) -> BTreeSet<u32> {
        let cells = fields.iter().filter_map(|field| self.cells.get(field)).flatten();
        self.appeared.iter().chain(&self.gone).chain(cells).copied().collect()
    }
}

/// The rows of a relation that lead elsewhere than before.
type Moved = BTreeMap<(TableId, FieldId), BTreeSet<u32>>;

/// New related rows of some rows, by the table they are in.
type Lists = Vec<(u32, Vec<(TableId, Vec<u32>)>)>;

/// Brings every relation up to the tables.
pub(super) fn patch(
    catalog: &Catalog,
    tables: &mut [Arc<Table>],
    by_type: &[Option<TableId>],
    changed: &BTreeMap<TableId, TableChanges>,
    work: &mut PatchWork,
) -> Result<(), TooLarge> {
    let mut moved = Moved::new();
    let mut paths = Vec::new();
    for (of, id, field, shape, keys) in relations(catalog, by_type) {
        match keys {
            RelationKeys::Fields(KeyPairs { pairs, .. }) => {
                let keyed = Keyed { catalog, tables, by_type, id, field, pairs };
                let lists = keyed.lists(changed, work).ok_or(TooLarge { of })?;
                let rows = replace(tables, (id, field), shape, lists, work);
                moved.insert((id, field), rows);
            }
            RelationKeys::Paths(hops) => paths.push((of, id, field, shape.many, hops)),
        }
    }
    for (_, id, field, many, hops) in relate::in_order(catalog, paths) {
        let mut lists = Lists::new();
        let rows: BTreeSet<u32> =
            hops.iter().flat_map(|path| affected_along(catalog, tables, &moved, id, path)).collect();
        for row in rows {
            work.joined += 1;
            let mut ends: BTreeMap<TableId, Vec<u32>> = BTreeMap::new();
            for path in hops {
                for (table, end) in relate::follow(catalog, tables, (id, row), path) {
                    work.edges += 1;
                    ends.entry(table).or_default().push(end);
                }
            }
            let sort = |(table, mut rows): (TableId, Vec<u32>)| {
                rows.sort_unstable();
                rows.dedup();
                if let Some(known) = tables.get(table.0) {
                    known.sort_by_id(&mut rows);
                }
                (table, rows)
            };
            lists.push((row, ends.into_iter().map(sort).collect()));
        }
        let rows = replace(tables, (id, field), Shape { many, leads_to_ledger: false }, lists, work);
        moved.insert((id, field), rows);
    }
    Ok(())
}

/// Makes the indexes over the keys of relations.
pub(super) fn index_keys(catalog: &Catalog, tables: &[Arc<Table>], by_type: &[Option<TableId>]) {
    for (_, id, field, _, keys) in relations(catalog, by_type) {
        let RelationKeys::Fields(KeyPairs { pairs, .. }) = keys else { continue };
        let keyed = Keyed { catalog, tables, by_type, id, field, pairs };
        for (_, target) in keyed.targets() {
            for (own, other) in keyed.keys(target).into_iter().flatten().flatten() {
                own.text.rows_of(0);
                other.text.rows_of(0);
            }
        }
    }
}

/// What a relation leads to.
#[derive(Clone, Copy, Debug)]
struct Shape {
    many: bool,
    /// To nothing but what is kept and not collected.
    leads_to_ledger: bool,
}

impl Shape {
    fn new(catalog: &Catalog, target: TypeId, many: bool) -> Self {
        let targets = catalog.concrete(target);
        Self { many, leads_to_ledger: targets.iter().all(|of| is_ledger_type(&catalog.get(*of).name)) }
    }
}

/// Every relation of every asset type.
fn relations<'c>(
    catalog: &'c Catalog,
    by_type: &[Option<TableId>],
) -> Vec<(TypeId, TableId, FieldId, Shape, &'c RelationKeys)> {
    let types = (0u32..).map(TypeId).zip(by_type).filter_map(|(of, id)| Some((of, (*id)?)));
    types
        .flat_map(|(of, id)| {
            catalog.get(of).iter().filter_map(move |(field, definition)| match &definition.kind {
                FieldKind::Relation { target, many, keys } => {
                    Some((of, id, field, Shape::new(catalog, *target, *many), keys))
                }
                _ => None,
            })
        })
        .collect()
}

/// The rows from which a path leads over a hop that leads elsewhere now.
fn affected_along(
    catalog: &Catalog,
    tables: &[Arc<Table>],
    moved: &Moved,
    id: TableId,
    path: &[String],
) -> BTreeSet<u32> {
    let Some(((hop, rest), table)) = path.split_first().zip(tables.get(id.0)) else { return BTreeSet::new() };
    let Some((field, _)) = catalog.get(table.of).find(hop) else { return BTreeSet::new() };
    let mut rows = moved.get(&(id, field)).cloned().unwrap_or_default();
    for link in table.column(field).links() {
        for target in affected_along(catalog, tables, moved, link.table, rest) {
            rows.extend(link.adjacency.backward.of(target));
        }
    }
    rows
}

/// Puts new lists in place of those of a relation; of a to-one, only the target with the least id. Returns the rows
/// for which something differs.
fn replace(
    tables: &mut [Arc<Table>],
    (id, field): (TableId, FieldId),
    Shape { many, leads_to_ledger }: Shape,
    mut lists: Lists,
    work: &mut PatchWork,
) -> BTreeSet<u32> {
    let mut moved = BTreeSet::new();
    let Some(column) = tables.get(id.0).map(|table| table.column(field)) else { return moved };
    if !many {
        for (_, of_row) in &mut lists {
            keep_first(tables, of_row);
        }
    }
    let mut links = column.links().to_vec();
    let reached: BTreeSet<TableId> = lists
        .iter()
        .flat_map(|(_, of_row)| of_row)
        .filter(|(_, list)| !list.is_empty())
        .map(|(id, _)| *id)
        .collect();
    for table in reached {
        if !links.iter().any(|link| link.table == table)
            && let Some(target) = tables.get(table.0)
        {
            links.push(Link { of: target.of, table, adjacency: Adjacency::default() });
        }
    }
    for link in &mut links {
        let differing: Vec<(u32, Vec<u32>)> = lists
            .iter_mut()
            .filter_map(|(row, of_row)| {
                let list = of_row.iter_mut().find(|(table, _)| *table == link.table);
                let list = list.map(|(_, list)| std::mem::take(list)).unwrap_or_default();
                (link.adjacency.forward.of(*row) != list).then_some((*row, list))
            })
            .collect();
        if !differing.is_empty() {
            moved.extend(differing.iter().map(|(row, _)| *row));
            link.adjacency = link.adjacency.with(differing, &mut work.edges);
        }
    }
    if !moved.is_empty() {
        links.sort_by_key(|link| link.of);
        let column = Column { data: Data::Links { links, many }, ..column.clone() };
        if let Some(table) = tables.get_mut(id.0) {
            *table = Arc::new(table.with_links(field, column, leads_to_ledger));
        }
    }
    moved
}

/// Leaves one target: the one with the least id, the first of equals.
fn keep_first(tables: &[Arc<Table>], of_row: &mut [(TableId, Vec<u32>)]) {
    let id = |(table, list): &(TableId, Vec<u32>)| {
        list.first().and_then(|row| Some(tables.get(table.0)?.id_of(*row).into_owned()))
    };
    let ids: Vec<(usize, String)> =
        of_row.iter().enumerate().filter_map(|(place, targets)| Some((place, id(targets)?))).collect();
    let winner = ids.iter().min_by(|one, other| one.1.cmp(&other.1)).map(|(place, _)| *place);
    for (place, (_, list)) in of_row.iter_mut().enumerate() {
        list.truncate(usize::from(Some(place) == winner));
    }
}

/// A relation by keys.
struct Keyed<'a> {
    catalog: &'a Catalog,
    tables: &'a [Arc<Table>],
    by_type: &'a [Option<TableId>],
    id: TableId,
    field: FieldId,
    pairs: &'a [(String, String)],
}

/// One side of a pair of keys that are texts.
struct Key<'a> {
    column: &'a Column,
    /// The column itself, or that of its items.
    items: &'a Column,
    text: &'a TextData,
}

/// Pairs of keys, and for each the codes of the other side as far as they were looked up.
struct Matching<'a> {
    pairs: Vec<(Key<'a>, Key<'a>)>,
    known: Vec<FxHashMap<u32, Option<u32>>>,
    target: &'a Table,
}

impl<'a> Key<'a> {
    fn new(column: &'a Column) -> Option<Self> {
        let items = items_of(column);
        Some(Self { column, items, text: items.text_data()? })
    }

    /// The codes of a row.
    fn codes(&self, row: u32) -> impl Iterator<Item = u32> {
        let items = match self.column.items(row) {
            Some((items, _)) => items,
            None if self.column.is_list() => 0..0,
            None => row..row + 1,
        };
        items.filter_map(|item| self.text.code(item))
    }

    /// The rows that hold a code.
    fn rows(&self, code: u32) -> impl Iterator<Item = u32> {
        let lists = match &self.column.data {
            Data::List { lists, .. } => Some(lists),
            _ => None,
        };
        let rows = self.text.rows_of(code).iter();
        rows.filter_map(move |&item| lists.map_or(Some(item), |lists| lists.owner(item)))
    }
}

impl<'a> Matching<'a> {
    fn new(pairs: Vec<(Key<'a>, Key<'a>)>, target: &'a Table) -> Self {
        let known = pairs.iter().map(|_| FxHashMap::default()).collect();
        Self { pairs, known, target }
    }

    /// The rows of the other side whose keys are all equal to those of a row, in the order of ids.
    fn of(&mut self, row: u32, work: &mut PatchWork) -> Vec<u32> {
        work.joined += 1;
        let mut wanted: Vec<Vec<u32>> = Vec::with_capacity(self.pairs.len());
        for ((own, other), known) in self.pairs.iter().zip(&mut self.known) {
            let mut codes: Vec<u32> = own
                .codes(row)
                .filter_map(|code| {
                    *known.entry(code).or_insert_with(|| other.items.find_text(&own.text.text(code)))
                })
                .collect();
            codes.sort_unstable();
            codes.dedup();
            if codes.is_empty() {
                return Vec::new();
            }
            wanted.push(codes);
        }
        let sides = || self.pairs.iter().map(|(_, other)| other).zip(&wanted);
        let holders = |(key, codes): &(&Key<'_>, &Vec<u32>)| -> usize {
            codes.iter().map(|code| key.text.rows_of(*code).len()).sum()
        };
        let Some((place, (key, codes))) = sides().enumerate().min_by_key(|(_, side)| holders(side)) else {
            return Vec::new();
        };
        let mut rows: Vec<u32> = codes.iter().flat_map(|code| key.rows(*code)).collect();
        work.edges += rows.len() as u64;
        rows.retain(|&row| {
            let others = sides().enumerate().filter(|(other, _)| *other != place);
            self.target.holds(row)
                && others
                    .map(|(_, side)| side)
                    .all(|(key, codes)| key.codes(row).any(|code| codes.binary_search(&code).is_ok()))
        });
        rows.sort_unstable();
        rows.dedup();
        self.target.sort_by_id(&mut rows);
        rows
    }
}

impl<'a> Keyed<'a> {
    fn table(&self, id: TableId) -> Option<&'a Table> {
        self.tables.get(id.0).map(Arc::as_ref)
    }

    /// The tables of the types it leads to, in the order of the catalog.
    fn targets(&self) -> Vec<(TypeId, TableId)> {
        let Some(table) = self.table(self.id) else { return Vec::new() };
        let FieldKind::Relation { target, .. } = &self.catalog.get(table.of).get(self.field).kind else {
            return Vec::new();
        };
        let table_of = |of: TypeId| Some((of, (*self.by_type.get(of.0 as usize)?)?));
        self.catalog.concrete(*target).into_iter().filter_map(table_of).collect()
    }

    /// The fields of the keys on both sides; nothing where the target lacks one.
    fn fields(&self, target: TableId) -> Option<(Vec<FieldId>, Vec<FieldId>)> {
        let (own, other) = (self.table(self.id)?, self.table(target)?);
        let find = |table: &Table, name: &str| self.catalog.get(table.of).find(name).map(|(field, _)| field);
        self.pairs.iter().map(|(key, reference)| Some((find(own, key)?, find(other, reference)?))).collect()
    }

    /// The keys of both sides: nothing where the target lacks one; `Some(None)` where they are not all texts.
    fn keys(&self, target: TableId) -> Option<Option<Vec<(Key<'a>, Key<'a>)>>> {
        let (own, other) = (self.table(self.id)?, self.table(target)?);
        let (own_fields, fields) = self.fields(target)?;
        let pairs = own_fields.into_iter().zip(fields);
        Some(
            pairs
                .map(|(field, reference)| {
                    Some((Key::new(own.column(field))?, Key::new(other.column(reference))?))
                })
                .collect(),
        )
    }

    /// The new related rows of every row for which they may differ; nothing where there are too many edges.
    fn lists(&self, changed: &BTreeMap<TableId, TableChanges>, work: &mut PatchWork) -> Option<Lists> {
        let own = self.table(self.id)?;
        let targets = self.targets();
        let mut rows: BTreeSet<u32> = BTreeSet::new();
        let mut is_whole = false;
        for (_, target) in &targets {
            let Some((own_fields, fields)) = self.fields(*target) else { continue };
            let own_rows =
                changed.get(&self.id).map(|changes| changes.rows_by(&own_fields)).unwrap_or_default();
            let target_rows = changed.get(target).map(|changes| changes.rows_by(&fields)).unwrap_or_default();
            if own_rows.is_empty() && target_rows.is_empty() {
                continue;
            }
            rows.extend(own_rows);
            let Some(Some(keys)) = self.keys(*target) else {
                is_whole = true;
                continue;
            };
            let links = own.column(self.field).links();
            if let Some(link) = links.iter().find(|link| link.table == *target) {
                rows.extend(target_rows.iter().flat_map(|row| link.adjacency.backward.of(*row)));
            }
            let backward = keys.into_iter().map(|(own, other)| (other, own)).collect();
            let mut backward = Matching::new(backward, own);
            let other = self.table(*target)?;
            for row in target_rows.into_iter().filter(|row| other.holds(*row)) {
                rows.extend(backward.of(row, work));
            }
        }
        if is_whole {
            work.whole_relations += 1;
            return self.all_lists(&targets);
        }
        if rows.is_empty() {
            return Some(Lists::new());
        }
        let mut lists: Lists = rows.iter().map(|row| (*row, Vec::new())).collect();
        for (_, target) in &targets {
            let Some(Some(keys)) = self.keys(*target) else { continue };
            let mut matching = Matching::new(keys, self.table(*target)?);
            for (row, of_row) in &mut lists {
                let related = if own.holds(*row) { matching.of(*row, work) } else { Vec::new() };
                of_row.push((*target, related));
            }
        }
        Some(lists)
    }

    /// The related rows of every row.
    fn all_lists(&self, targets: &[(TypeId, TableId)]) -> Option<Lists> {
        let own = self.table(self.id)?;
        let mut lists: Lists = (0u32..).take(own.rows).map(|row| (row, Vec::new())).collect();
        for (_, target) in targets {
            let other = self.table(*target)?;
            let pairs: Vec<(&str, &str)> =
                self.pairs.iter().map(|(own, other)| (own.as_str(), other.as_str())).collect();
            let joined = relate::join(self.catalog, self.tables, self.id, *target, &pairs)?;
            for (row, of_row) in lists.iter_mut().filter(|(row, _)| own.holds(*row)) {
                let mut related: Vec<u32> =
                    joined.of(*row).iter().copied().filter(|row| other.holds(*row)).collect();
                other.sort_by_id(&mut related);
                of_row.push((*target, related));
            }
        }
        Some(lists)
    }
}
