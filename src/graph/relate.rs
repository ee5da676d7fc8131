//! Edges derived from keys: a join for each relation and each concrete target type, and the composition of relations
//! that are written as paths. What `join` leaves to this file (lists, numbers) is joined by hashing.

use std::{borrow::Borrow, collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    adjacency::{Adjacency, Neighbours},
    column::{Column, Data, Link, TableId},
    dictionary::NO_CODE,
    join::join_scalars,
    table::Table,
};
use crate::{
    catalog::{Catalog, FieldId, FieldKind, KeyPairs, RelationKeys, TypeId},
    model::parallel::{WORTH_A_THREAD, in_parallel},
};

/// A relation that has more edges than numbers for them.
pub(crate) struct TooManyEdges {
    pub(crate) of: TypeId,
}

/// The edges from one table to one target type.
type Edges = (TypeId, TableId, Adjacency);

/// A relation that is written as pairs of keys.
type ByKeys<'c> = (TypeId, TableId, FieldId, TypeId, bool, &'c [(String, String)]);

/// Two tables and the keys that are equal where an edge is, whichever side says so: `Subnet.vpc` and `Vpc.subnets` are
/// one join, read from either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Join<'c> {
    source: TableId,
    target: TableId,
    /// Of the source, then of the target; sorted.
    pairs: Vec<(&'c str, &'c str)>,
}

impl<'c> Join<'c> {
    /// The join behind a relation, and whether its source is that of the relation. It begins at the larger table, each
    /// of whose rows mostly leads to one of the other.
    fn of(
        tables: &[Table],
        (source, target): (TableId, TableId),
        pairs: &'c [(String, String)],
    ) -> (Self, bool) {
        let rows = |table: TableId| tables.get(table.0).map_or(0, |table| table.rows);
        let mut along: Vec<_> = pairs.iter().map(|(own, other)| (own.as_str(), other.as_str())).collect();
        let mut against: Vec<_> = pairs.iter().map(|(own, other)| (other.as_str(), own.as_str())).collect();
        along.sort_unstable();
        against.sort_unstable();
        let is_along = (rows(target), target, &along) <= (rows(source), source, &against);
        let join = if is_along {
            Self { source, target, pairs: along }
        } else {
            Self { source: target, target: source, pairs: against }
        };
        (join, is_along)
    }
}

/// Fills the links of every relation. `by_type` names the table of every asset type.
pub(crate) fn relate(
    catalog: &Catalog,
    tables: &mut [Table],
    by_type: &BTreeMap<TypeId, TableId>,
) -> Result<(), TooManyEdges> {
    let mut paths = Vec::new();
    let mut by_keys: Vec<ByKeys<'_>> = Vec::new();
    for (&of, &table) in by_type {
        for (field, definition) in catalog.get(of).iter() {
            let FieldKind::Relation { target, many, keys } = &definition.kind else { continue };
            match keys {
                RelationKeys::Fields(KeyPairs { pairs, .. }) => {
                    by_keys.push((of, table, field, *target, *many, pairs));
                }
                RelationKeys::Paths(hops) => paths.push((of, table, field, *many, hops)),
            }
        }
    }
    let joined = join_all(catalog, tables, by_type, &by_keys)?;
    for (of, table, field, target, many, pairs) in by_keys {
        let mut edges = Vec::new();
        for (target, target_table) in targets(catalog, tables, by_type, (table, target)) {
            let (join, is_along) = Join::of(tables, (table, target_table), pairs);
            let Some(adjacency) = joined.get(&join) else { continue };
            let adjacency = if is_along { adjacency.clone() } else { adjacency.reversed() };
            edges.push((target, target_table, adjacency));
        }
        let links = links(tables, many, edges).ok_or(TooManyEdges { of })?;
        store(tables, table, field, many, links).ok_or(TooManyEdges { of })?;
    }
    for (of, table, field, many, hops) in in_order(catalog, paths) {
        let edges = compose(catalog, tables, table, hops).ok_or(TooManyEdges { of })?;
        let links = links(tables, many, edges).ok_or(TooManyEdges { of })?;
        store(tables, table, field, many, links).ok_or(TooManyEdges { of })?;
    }
    Ok(())
}

/// The types that a relation leads to, with their tables, where there is anything on both sides: most inventories hold
/// few of the types there are.
fn targets(
    catalog: &Catalog,
    tables: &[Table],
    by_type: &BTreeMap<TypeId, TableId>,
    (table, target): (TableId, TypeId),
) -> Vec<(TypeId, TableId)> {
    let with_table = |target: TypeId| by_type.get(&target).map(|table| (target, *table));
    let targets = catalog.concrete(target).into_iter().filter_map(with_table);
    targets.filter(|(_, target)| !is_empty(tables, table) && !is_empty(tables, *target)).collect()
}

/// Makes every join that some relation needs once.
fn join_all<'c>(
    catalog: &Catalog,
    tables: &[Table],
    by_type: &BTreeMap<TypeId, TableId>,
    by_keys: &[ByKeys<'c>],
) -> Result<BTreeMap<Join<'c>, Adjacency>, TooManyEdges> {
    let mut joins: BTreeMap<Join<'_>, TypeId> = BTreeMap::new();
    for (of, table, _, target, _, pairs) in by_keys {
        for (_, target) in targets(catalog, tables, by_type, (*table, *target)) {
            joins.entry(Join::of(tables, (*table, target), pairs).0).or_insert(*of);
        }
    }
    let rows = |table: TableId| tables.get(table.0).map_or(0, |table| table.rows);
    let mut joins: Vec<(Join<'_>, TypeId)> = joins.into_iter().collect();
    // The long ones first, so that no thread is left alone with one.
    joins.sort_by_key(|(join, _)| std::cmp::Reverse(rows(join.source) + rows(join.target)));
    let is_large = tables.iter().any(|table| table.rows > WORTH_A_THREAD);
    let joined = in_parallel(joins, is_large, |(made, of)| {
        let Join { source, target, pairs } = &made;
        let forward = join(catalog, tables, *source, *target, pairs).ok_or(TooManyEdges { of })?;
        let adjacency = Adjacency::new(forward, rows(*target));
        Ok((made, adjacency))
    });
    joined.into_iter().collect()
}

/// A relation that is written as paths.
pub(super) type ByPaths<'c> = (TypeId, TableId, FieldId, bool, &'c Vec<Vec<String>>);

/// Relations that are written as paths, each behind those that its paths go over. The catalog refuses cycles, so each
/// round finishes at least one.
pub(super) fn in_order<'c>(catalog: &Catalog, mut paths: Vec<ByPaths<'c>>) -> Vec<ByPaths<'c>> {
    let mut ordered = Vec::with_capacity(paths.len());
    while !paths.is_empty() {
        let pending: Vec<(TypeId, &str)> = paths
            .iter()
            .map(|(of, _, field, ..)| (*of, catalog.get(*of).get(*field).name.as_str()))
            .collect();
        let is_ready = |of: TypeId, hops: &Vec<Vec<String>>| {
            !hops.iter().any(|path| crosses(catalog, of, path, &pending))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|(of, _, _, _, hops)| is_ready(*of, hops));
        if ready.is_empty() {
            break;
        }
        ordered.extend(ready);
        paths = waiting;
    }
    ordered
}

fn is_empty(tables: &[Table], table: TableId) -> bool {
    tables.get(table.0).is_none_or(|table| table.rows == 0)
}

/// Whether a path goes over one of the relations named.
fn crosses(catalog: &Catalog, of: TypeId, path: &[String], relations: &[(TypeId, &str)]) -> bool {
    let mut reached = vec![of];
    for hop in path {
        if reached.iter().any(|of| relations.contains(&(*of, hop.as_str()))) {
            return true;
        }
        let mut next = Vec::new();
        for of in reached {
            if let Some((_, field)) = catalog.get(of).find(hop)
                && let FieldKind::Relation { target, .. } = &field.kind
            {
                next.extend(catalog.concrete(*target));
            }
        }
        next.sort_unstable();
        next.dedup();
        reached = next;
    }
    false
}

/// The edges of a relation, without the targets it has none to; of a to-one, the target with the least id.
fn links(tables: &[Table], many: bool, mut edges: Vec<Edges>) -> Option<Vec<Link>> {
    edges.retain(|(_, _, adjacency)| adjacency.forward.edges() > 0);
    let is_cut = |(_, _, adjacency): &Edges| adjacency.forward.has_many();
    if !many && (edges.len() > 1 || edges.iter().any(is_cut)) {
        edges = keep_first(tables, &edges)?;
    }
    let mut links: Vec<Link> =
        edges.into_iter().map(|(of, table, adjacency)| Link { of, table, adjacency }).collect();
    links.sort_by_key(|link| link.of);
    Some(links)
}

/// Keeps the edges of a relation.
fn store(tables: &mut [Table], table: TableId, field: FieldId, many: bool, links: Vec<Link>) -> Option<()> {
    let column = tables.get_mut(table.0)?.columns.get_mut(field.0 as usize)?;
    Arc::make_mut(column).data = Data::Links { links, many };
    Some(())
}

fn keep_first(tables: &[Table], edges: &[Edges]) -> Option<Vec<Edges>> {
    let rows = edges.iter().map(|(_, _, edges)| edges.forward.len()).max().unwrap_or(0);
    let id_of = |place: usize, row: u32| {
        let (_, table, _) = edges.get(place)?;
        Some(tables.get(table.0)?.id_of(row))
    };
    let mut first: Vec<Option<(usize, u32)>> = vec![None; rows];
    for (place, (_, _, adjacency)) in edges.iter().enumerate() {
        for (row, slot) in (0u32..).zip(&mut first) {
            let Some(&target) = adjacency.forward.of(row).first() else { continue };
            if slot.is_none_or(|(other, other_row)| id_of(place, target) < id_of(other, other_row)) {
                *slot = Some((place, target));
            }
        }
    }
    let mut kept = Vec::new();
    for (place, (of, table, _)) in edges.iter().enumerate() {
        let forward = Neighbours::build(rows, |row, out| {
            if let Some(Some((winner, target))) = first.get(row)
                && *winner == place
            {
                out.push(*target);
            }
        })?;
        if forward.edges() > 0 {
            kept.push((*of, *table, Adjacency::new(forward, tables.get(table.0)?.rows)));
        }
    }
    Some(kept)
}

/// The edges where every pair of keys is equal. Each side's keys become codes of one space, pair by pair.
pub(super) fn join(
    catalog: &Catalog,
    tables: &[impl Borrow<Table>],
    source: TableId,
    target: TableId,
    pairs: &[(&str, &str)],
) -> Option<Neighbours> {
    let (source, target): (&Table, &Table) = (tables.get(source.0)?.borrow(), tables.get(target.0)?.borrow());
    let columns = pairs.iter().map(|(own, reference)| {
        let (own, _) = catalog.get(source.of).find(own)?;
        let (reference, _) = catalog.get(target.of).find(reference)?;
        Some((source.column(own), target.column(reference)))
    });
    let Some(columns) = columns.collect::<Option<Vec<_>>>() else {
        return Neighbours::build(source.rows, |_, _| {});
    };
    if let Some(joined) = join_scalars(&columns, source.rows)? {
        return Some(joined);
    }
    let mut joined: Option<KeyCodes> = None;
    for (own, reference) in columns {
        let codes = KeyCodes::of_pair(own, source.rows, reference, target.rows)?;
        joined = Some(match joined {
            None => codes,
            Some(before) => before.and(&codes)?,
        });
    }
    let Some(keys) = joined else { return Neighbours::build(source.rows, |_, _| {}) };
    let holders = Adjacency::new(keys.target, keys.distinct).backward;
    let mut found: Vec<u32> = Vec::new();
    Neighbours::build(source.rows, |row, out| {
        let codes = u32::try_from(row).map_or(&[][..], |row| keys.source.of(row));
        match codes {
            [] => {}
            [code] if !keys.has_lists => out.extend_from_slice(holders.of(*code)),
            codes => {
                found.clear();
                for &code in codes {
                    found.extend_from_slice(holders.of(code));
                }
                found.sort_unstable();
                found.dedup();
                out.extend_from_slice(&found);
            }
        }
    })
}

/// The keys of both sides as codes below `distinct`; a code of the source is always one that a target holds.
struct KeyCodes {
    source: Neighbours,
    target: Neighbours,
    distinct: usize,
    has_lists: bool,
}

impl KeyCodes {
    fn of_pair(own: &Column, own_rows: usize, reference: &Column, reference_rows: usize) -> Option<Self> {
        let (own_codes, reference_codes, distinct) = item_codes(items_of(own), items_of(reference));
        Some(Self {
            source: by_row(own, own_rows, &own_codes)?,
            target: by_row(reference, reference_rows, &reference_codes)?,
            distinct,
            has_lists: own.is_list() || reference.is_list(),
        })
    }

    /// The codes of both pairs together: one for each combination that a target holds.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut places: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let target = combine(&self.target, &other.target, |pair| {
            let next = u32::try_from(places.len()).unwrap_or(NO_CODE);
            Some(*places.entry(pair).or_insert(next))
        })?;
        let source = combine(&self.source, &other.source, |pair| places.get(&pair).copied())?;
        Some(Self { source, target, distinct: places.len(), has_lists: self.has_lists || other.has_lists })
    }
}

fn combine(
    left: &Neighbours,
    right: &Neighbours,
    mut code_of: impl FnMut((u32, u32)) -> Option<u32>,
) -> Option<Neighbours> {
    Neighbours::build(left.len(), |row, out| {
        let Ok(row) = u32::try_from(row) else { return };
        for &first in left.of(row) {
            out.extend(right.of(row).iter().filter_map(|&second| code_of((first, second))));
        }
    })
}

/// The column itself, or that of its items.
pub(super) fn items_of(column: &Column) -> &Column {
    match &column.data {
        Data::List { items, .. } => items,
        _ => column,
    }
}

/// The code of every item of both columns, where equal values have equal codes, below the number returned.
fn item_codes(own: &Column, reference: &Column) -> (Vec<u32>, Vec<u32>, usize) {
    if let (Some(own), Some(reference)) = (own.text_data(), reference.text_data()) {
        let places: FxHashMap<_, _> = reference.iter().map(|(code, text)| (text, code)).collect();
        let known: Vec<u32> =
            own.iter().map(|(_, text)| places.get(&text).copied().unwrap_or(NO_CODE)).collect();
        let own_codes =
            own.codes.iter().map(|&code| known.get(code as usize).copied().unwrap_or(NO_CODE)).collect();
        return (own_codes, reference.codes.iter().copied().collect(), reference.distinct());
    }
    let (Some(own), Some(reference)) = (whole_numbers(own), whole_numbers(reference)) else {
        return (Vec::new(), Vec::new(), 0);
    };
    let mut places: FxHashMap<i64, u32> = FxHashMap::default();
    let reference_codes = reference
        .into_iter()
        .map(|value| {
            let next = u32::try_from(places.len()).unwrap_or(NO_CODE);
            value.map_or(NO_CODE, |value| *places.entry(value).or_insert(next))
        })
        .collect();
    let own_codes = own
        .into_iter()
        .map(|value| value.and_then(|value| places.get(&value).copied()).unwrap_or(NO_CODE))
        .collect();
    (own_codes, reference_codes, places.len())
}

/// The values of a column that can be a key besides text: whole numbers, times and Booleans.
fn whole_numbers(column: &Column) -> Option<Vec<Option<i64>>> {
    let value_at = |row: u32, value: i64| column.has_value(row).then_some(value);
    match &column.data {
        Data::Int { values, .. } => {
            Some((0u32..).zip(values.iter()).map(|(row, &value)| value_at(row, value)).collect())
        }
        Data::Bool(values) => Some(
            (0u32..).take(values.len()).map(|row| value_at(row, values.get(row as usize).into())).collect(),
        ),
        _ => None,
    }
}

/// The codes of each row: its own, or those of its items.
fn by_row(column: &Column, rows: usize, codes: &[u32]) -> Option<Neighbours> {
    let code_of = |item: u32| codes.get(item as usize).copied().filter(|&code| code != NO_CODE);
    Neighbours::build(rows, |row, out| {
        let Ok(row) = u32::try_from(row) else { return };
        match column.items(row) {
            Some((items, _)) => out.extend(items.filter_map(code_of)),
            None => out.extend(code_of(row)),
        }
    })
}

/// The distinct union of paths: from each row, hop by hop. Only hops that have edges are walked.
fn compose(
    catalog: &Catalog,
    tables: &[Table],
    source: TableId,
    paths: &[Vec<String>],
) -> Option<Vec<Edges>> {
    let mut by_target: BTreeMap<TableId, Vec<Vec<&Neighbours>>> = BTreeMap::new();
    for path in paths {
        for (target, chain) in chains(catalog, tables, source, path) {
            by_target.entry(target).or_default().push(chain);
        }
    }
    let rows = tables.get(source.0)?.rows;
    let (mut ends, mut here, mut next) = (Vec::new(), Vec::new(), Vec::new());
    by_target
        .into_iter()
        .map(|(table, chains)| {
            let forward = Neighbours::build(rows, |row, out| {
                let Ok(row) = u32::try_from(row) else { return };
                ends.clear();
                for chain in &chains {
                    here.clear();
                    here.push(row);
                    for hop in chain {
                        next.clear();
                        next.extend(here.iter().flat_map(|&row| hop.of(row)));
                        std::mem::swap(&mut here, &mut next);
                        here.sort_unstable();
                        here.dedup();
                    }
                    ends.extend_from_slice(&here);
                }
                ends.sort_unstable();
                ends.dedup();
                out.extend_from_slice(&ends);
            })?;
            let target = tables.get(table.0)?;
            Some((target.of, table, Adjacency::new(forward, target.rows)))
        })
        .collect()
}

/// The rows at the end of a path from one row, distinct.
pub(super) fn follow(
    catalog: &Catalog,
    tables: &[impl Borrow<Table>],
    from: (TableId, u32),
    path: &[String],
) -> Vec<(TableId, u32)> {
    let mut reached = vec![from];
    for hop in path {
        let mut next = Vec::new();
        for (table, row) in reached {
            let Some(table) = tables.get(table.0) else { continue };
            let table: &Table = table.borrow();
            let Some((field, _)) = catalog.get(table.of).find(hop) else { continue };
            for link in table.column(field).links() {
                next.extend(link.adjacency.forward.of(row).iter().map(|&target| (link.table, target)));
            }
        }
        next.sort_unstable();
        next.dedup();
        reached = next;
    }
    reached
}

/// The ways along a path, a hop for each concrete type on it, with the tables they end at.
fn chains<'t>(
    catalog: &Catalog,
    tables: &'t [Table],
    from: TableId,
    path: &[String],
) -> Vec<(TableId, Vec<&'t Neighbours>)> {
    let Some((hop, rest)) = path.split_first() else { return vec![(from, Vec::new())] };
    let Some(table) = tables.get(from.0) else { return Vec::new() };
    let Some((field, _)) = catalog.get(table.of).find(hop) else { return Vec::new() };
    let mut found = Vec::new();
    for link in table.column(field).links() {
        for (end, mut chain) in chains(catalog, tables, link.table, rest) {
            chain.insert(0, &link.adjacency.forward);
            found.push((end, chain));
        }
    }
    found
}
