//! Which world a filter is evaluated in. Closed: what is known is all there is. Open: what was not collected, not
//! lately, or not seen could be anything; this says which rows of which relation that concerns.

use std::{cell::RefCell, rc::Rc};

use rustc_hash::FxHashMap;

use super::{
    loose::Loose,
    needed::ByPlace,
    places::{Places, ToldBy},
};
use crate::{
    catalog::{FieldId, FieldKind, KeyPairs, RelationKeys, TypeId},
    graph::{Bitmap, Column, Data, Graph, Need, Table, TableId, is_own_type},
    model::{SliceState, Time},
};

/// The field that says when an asset was last collected.
const LAST_SEEN: &str = "lastSeenAt";

/// The field that says why no more than an asset's name is known; null for an asset that was read.
const STUB: &str = "stubReason";

/// A graph, and how far it is trusted.
#[derive(Debug)]
pub(super) struct World<'g> {
    pub(super) graph: &'g Graph,
    open: Option<Open>,
}

#[derive(Debug, Default)]
struct Open {
    oldest: Option<Time>,
    places: RefCell<FxHashMap<(TableId, ToldBy), Rc<Places>>>,
    stale: Remembered<TableId>,
    stubs: Remembered<TableId>,
    incomplete: Remembered<(TableId, FieldId)>,
    loose: Remembered<(TableId, FieldId), Loose>,
    needs: Remembered<(TableId, FieldId), Vec<ByPlace>>,
    own: Remembered<TableId, ByPlace>,
    unknown_keys: RefCell<FxHashMap<(TableId, FieldId), Targets>>,
}

/// Rows of the tables that a relation leads to.
type Targets = Rc<[(TableId, u32)]>;

/// Sets of rows (or of edges) worked out so far; nothing for an empty one.
type Remembered<K, S = Bitmap> = RefCell<FxHashMap<K, Option<Rc<S>>>>;

impl<'g> World<'g> {
    /// What is known is all there is.
    pub(super) fn closed(graph: &'g Graph) -> Self {
        Self { graph, open: None }
    }

    /// What was not collected completely since `oldest` could be anything.
    pub(super) fn open(graph: &'g Graph, oldest: Option<Time>) -> Self {
        Self { graph, open: Some(Open { oldest, ..Open::default() }) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What was collected before is not believed any more.
    pub(super) fn oldest(&self) -> Option<Time> {
        self.open.as_ref()?.oldest
    }

    pub(super) fn is_complete(&self, slice: &SliceState) -> bool {
        self.open.as_ref().is_none_or(|open| slice.is_complete_since(open.oldest))
    }

    /// The rows that may not be there, and that may hold anything: those whose own slice was whole once, but too long
    /// ago, and stubs. Nothing where no row is.
    pub(super) fn stale(&self, id: TableId) -> Option<Rc<Bitmap>> {
        let open = self.open.as_ref()?;
        if let Some(known) = open.stale.borrow().get(&id) {
            return known.clone();
        }
        let rows = match (self.seen_too_long_ago(id), self.stubs(id)) {
            (Some(mut rows), Some(stubs)) => {
                rows.or(&stubs);
                Some(Rc::new(rows))
            }
            (rows, stubs) => rows.map(Rc::new).or(stubs),
        };
        open.stale.borrow_mut().insert(id, rows.clone());
        rows
    }

    /// The rows of which no more than the name is known. Nothing where no row is.
    fn stubs(&self, id: TableId) -> Option<Rc<Bitmap>> {
        let open = self.open.as_ref()?;
        if let Some(known) = open.stubs.borrow().get(&id) {
            return known.clone();
        }
        let table = self.graph.table(id);
        let rows = self.stub_column(id).and_then(|column| {
            let mut rows = table.all();
            for without in [&column.nulls, &column.unknown].into_iter().flatten() {
                rows.and_not(without);
            }
            (!rows.is_empty()).then(|| Rc::new(rows))
        });
        open.stubs.borrow_mut().insert(id, rows.clone());
        rows
    }

    fn stub_column(&self, id: TableId) -> Option<&Column> {
        let table = self.graph.table(id);
        let (field, _) = self.graph.catalog().get(table.of).find(STUB).filter(|_| table.id.is_some())?;
        Some(table.column(field))
    }

    /// Why no more than the name of a row is known; nothing for a row that was read.
    pub(super) fn stub_reason(&self, id: TableId, row: u32) -> Option<String> {
        self.open.as_ref()?;
        Some(self.stub_column(id)?.text(row)?.into_owned())
    }

    /// The rows whose own slice was whole once, but too long ago.
    fn seen_too_long_ago(&self, id: TableId) -> Option<Bitmap> {
        let open = self.open.as_ref()?;
        let slices = self.graph.slices()?;
        let table = self.graph.table(id);
        let asset_type = &self.graph.catalog().get(table.of).name;
        // Mostly nothing is missing: then no place is asked.
        let is_whole = slices.is_whole_since(asset_type, open.oldest) && self.graph.is_placed(id);
        if is_own_type(asset_type) || is_whole {
            return None;
        }
        let rows = table.id.and_then(|_| {
            let places = self.places(id)?;
            let own = |account: Option<&str>, region: Option<&str>| slices.own(asset_type, account?, region);
            let listed = places.rows_where(|account, region| {
                own(account, region).is_some_and(|own| own.is_stale_since(open.oldest))
            });
            let elsewhere = places.rows_where(|account, region| own(account, region).is_none());
            let unlisted = elsewhere.and_then(|rows| self.seen_long_ago(table, rows));
            match (listed, unlisted) {
                (Some(mut listed), Some(unlisted)) => {
                    listed.or(&unlisted);
                    Some(listed)
                }
                (listed, unlisted) => listed.or(unlisted),
            }
        });
        rows.map(|mut rows| {
            table.keep_held(&mut rows);
            rows
        })
    }

    pub(super) fn is_stale(&self, id: TableId, row: u32) -> bool {
        self.stale(id).is_some_and(|stale| stale.get(row as usize))
    }

    /// Of rows without a slice of their own (a VPC shared by an account that was not scanned) those whose `lastSeenAt`
    /// is too long ago.
    fn seen_long_ago(&self, table: &Table, mut rows: Bitmap) -> Option<Bitmap> {
        let oldest = self.open.as_ref()?.oldest?.millis();
        let (field, _) = self.graph.catalog().get(table.of).find(LAST_SEEN)?;
        let column = table.column(field);
        let Data::Int { values, .. } = &column.data else { return None };
        rows.and(&values.scan(|seen| seen < oldest));
        for without in [&column.nulls, &column.unknown].into_iter().flatten() {
            rows.and_not(without);
        }
        (!rows.is_empty()).then_some(rows)
    }

    /// When a row was last seen.
    pub(super) fn last_seen(&self, id: TableId, row: u32) -> Option<Time> {
        let table = self.graph.table(id);
        let (field, _) = self.graph.catalog().get(table.of).find(LAST_SEEN)?;
        match &table.column(field).data {
            Data::Int { values, .. } => Time::from_millis(*values.get(row as usize)?),
            _ => None,
        }
    }

    /// The rows for which a relation (or a list of embedded objects) may have more than is seen. Nothing where it is
    /// complete for every row.
    pub(super) fn incomplete(&self, id: TableId, field: FieldId) -> Option<Rc<Bitmap>> {
        let open = self.open.as_ref()?;
        if let Some(known) = open.incomplete.borrow().get(&(id, field)) {
            return known.clone();
        }
        let table = self.graph.table(id);
        let column = table.column(field);
        let mut rows = column.unknown.clone().unwrap_or_else(|| table.none());
        let definition = self.graph.catalog().get(table.of).get(field);
        if let FieldKind::Relation { target, keys, .. } = &definition.kind {
            match keys {
                RelationKeys::Fields(keys) => {
                    if let Some(mut unlisted) = self.unlisted(id, *target, keys) {
                        self.remove_null_keys(table, &keys.pairs, &mut unlisted);
                        rows.or(&unlisted);
                    }
                    self.add_unknown_keys((id, field), *target, &keys.pairs, &mut rows);
                }
                RelationKeys::Paths(paths) => {
                    for path in paths {
                        if let Some(along) = self.incomplete_along(id, path) {
                            rows.or(&along);
                        }
                    }
                }
            }
        }
        table.keep_held(&mut rows);
        let rows = (!rows.is_empty()).then(|| Rc::new(rows));
        open.incomplete.borrow_mut().insert((id, field), rows.clone());
        rows
    }

    pub(super) fn is_incomplete(&self, id: TableId, field: FieldId, row: u32) -> bool {
        self.incomplete(id, field).is_some_and(|rows| rows.get(row as usize))
    }

    /// The slices of a type that are missing in an account and region.
    pub(super) fn missing_at(
        &self,
        target: TypeId,
        account: Option<&str>,
        region: Option<&str>,
    ) -> Vec<Need> {
        let mut needs = Vec::new();
        let Some(slices) = self.graph.slices() else { return needs };
        for of in self.graph.catalog().concrete(target) {
            let asset_type = &self.graph.catalog().get(of).name;
            let place = (account, region);
            slices.missing_for(asset_type, place, &|slice| self.is_complete(slice), &mut needs);
        }
        needs
    }

    /// Whether there are any.
    fn is_missing_at(&self, target: TypeId, account: Option<&str>, region: Option<&str>) -> bool {
        let Some(slices) = self.graph.slices() else { return false };
        self.graph.catalog().concrete(target).iter().any(|of| {
            let asset_type = &self.graph.catalog().get(*of).name;
            slices.is_missing_for(asset_type, (account, region), &|slice| self.is_complete(slice))
        })
    }

    /// The rows for which a slice is missing that would list what they relate to.
    fn unlisted(&self, id: TableId, target: TypeId, keys: &KeyPairs) -> Option<Bitmap> {
        let slices = self.graph.slices()?;
        let table = self.graph.table(id);
        let catalog = self.graph.catalog();
        let is_whole = catalog.concrete(target).iter().all(|of| {
            let asset_type = catalog.get(*of).name.as_str();
            is_own_type(asset_type) || slices.is_whole_since(asset_type, self.oldest())
        });
        let mut found: Option<Bitmap> = None;
        for told_by in ToldBy::keys(self.graph, table, keys) {
            // Mostly nothing is missing: then no place is asked.
            if is_whole && self.is_collected_from(id, told_by) {
                continue;
            }
            let Some(places) = self.places_told_by(id, told_by) else { continue };
            let here = places.rows_where(|account, region| self.is_missing_at(target, account, region));
            found = match (found, here) {
                (Some(mut found), Some(here)) => {
                    found.or(&here);
                    Some(found)
                }
                (found, here) => found.or(here),
            };
        }
        found
    }

    /// Whether something was collected from wherever these places are: beside the assets of a table, if something was
    /// from there, or any that something was from.
    fn is_collected_from(&self, id: TableId, told_by: ToldBy) -> bool {
        match told_by {
            ToldBy::Fields { account: None, .. } => true,
            told_by => {
                told_by == ToldBy::header(self.graph, self.graph.table(id)) && self.graph.is_placed(id)
            }
        }
    }

    /// Where what a relation leads to would be listed, row by row: at every one of these places.
    pub(super) fn places_needed(&self, id: TableId, keys: &KeyPairs) -> Vec<Rc<Places>> {
        if self.graph.slices().is_none() {
            return Vec::new();
        }
        let told_by = ToldBy::keys(self.graph, self.graph.table(id), keys);
        told_by.into_iter().filter_map(|told_by| self.places_told_by(id, told_by)).collect()
    }

    /// Removes the rows that have a null for a key: whatever there is, they relate to nothing.
    fn remove_null_keys(&self, table: &Table, pairs: &[(String, String)], rows: &mut Bitmap) {
        for (own, _) in pairs {
            let column = self.graph.catalog().get(table.of).find(own).map(|(field, _)| table.column(field));
            if let Some(nulls) = column.and_then(|column| column.nulls.as_ref()) {
                rows.and_not(nulls);
            }
        }
    }

    /// Adds the rows that relate by a key that could not be seen, their own or a target's.
    fn add_unknown_keys(
        &self,
        (id, field): (TableId, FieldId),
        target: TypeId,
        pairs: &[(String, String)],
        rows: &mut Bitmap,
    ) {
        let table = self.graph.table(id);
        for (own, _) in pairs {
            let column = self.graph.catalog().get(table.of).find(own).map(|(field, _)| table.column(field));
            if let Some(unknown) = column.and_then(|column| column.unknown.as_ref()) {
                rows.or(unknown);
            }
        }
        for &(other, row) in self.targets_with_unknown_key((id, field), target, pairs).iter() {
            rows.or(&self.possible_sources(table, self.graph.table(other), pairs, row));
        }
    }

    /// The target rows of a relation with a key that could not be seen, one of each combination of the keys that were.
    fn targets_with_unknown_key(
        &self,
        relation: (TableId, FieldId),
        target: TypeId,
        pairs: &[(String, String)],
    ) -> Targets {
        let known = self.open.as_ref().and_then(|open| open.unknown_keys.borrow().get(&relation).cloned());
        known.unwrap_or_else(|| {
            let tables = self.graph.catalog().concrete(target).into_iter();
            let tables = tables.filter_map(|of| self.graph.table_of(of));
            let of_table =
                |(id, table)| self.unknown_key_rows(table, pairs).into_iter().map(move |row| (id, row));
            let found: Targets = tables.flat_map(of_table).collect();
            if let Some(open) = &self.open {
                open.unknown_keys.borrow_mut().insert(relation, Rc::clone(&found));
            }
            found
        })
    }

    /// The target rows with a key that could not be seen, one of each combination of the keys that were.
    fn unknown_key_rows(&self, target: &Table, pairs: &[(String, String)]) -> Vec<u32> {
        let definition = self.graph.catalog().get(target.of);
        let columns: Vec<_> = pairs
            .iter()
            .filter_map(|(_, reference)| definition.find(reference))
            .map(|(field, _)| target.column(field))
            .collect();
        let mut unknown = target.none();
        for hidden in columns.iter().filter_map(|column| column.unknown.as_ref()) {
            unknown.or(hidden);
        }
        target.keep_held(&mut unknown);
        let mut seen = rustc_hash::FxHashSet::default();
        target
            .in_id_order(&unknown)
            .filter(|&row| {
                let keys: Vec<Option<u32>> =
                    columns.iter().map(|column| column.text_data().and_then(|text| text.code(row))).collect();
                let is_null = columns.iter().any(|column| column.is_null(row));
                !is_null && seen.insert(keys)
            })
            .collect()
    }

    /// The target rows with a key that could not be seen that a source row could be related to.
    pub(super) fn possible_targets(
        &self,
        (id, field): (TableId, FieldId),
        target: TypeId,
        pairs: &[(String, String)],
        row: u32,
    ) -> Vec<(TableId, u32)> {
        let found = self.targets_with_unknown_key((id, field), target, pairs);
        let is_possible = |(other, target): &(TableId, u32)| {
            self.is_possible_source((id, row), self.graph.table(*other), pairs, *target)
        };
        found.iter().copied().filter(is_possible).collect()
    }

    /// Whether a row is among the [`possible_sources`](Self::possible_sources) of a target row.
    fn is_possible_source(
        &self,
        (id, row): (TableId, u32),
        target: &Table,
        pairs: &[(String, String)],
        target_row: u32,
    ) -> bool {
        let catalog = self.graph.catalog();
        let table = self.graph.table(id);
        pairs.iter().all(|(own, reference)| {
            let own = catalog.get(table.of).find(own).map(|(field, _)| table.column(field));
            let reference = catalog.get(target.of).find(reference).map(|(field, _)| target.column(field));
            let (Some(own), Some(known)) = (own, reference.and_then(|column| column.text(target_row))) else {
                return true;
            };
            let Data::Text(text) = &own.data else { return true };
            own.is_unknown(row) || text.find(&known).is_some_and(|code| text.code(row) == Some(code))
        })
    }

    /// The source rows that a target row with an unknown key could belong to: those that agree on the keys that are
    /// known, as far as they are plain text.
    fn possible_sources(
        &self,
        table: &Table,
        target: &Table,
        pairs: &[(String, String)],
        row: u32,
    ) -> Bitmap {
        let catalog = self.graph.catalog();
        let mut sources = table.all();
        for (own, reference) in pairs {
            let own = catalog.get(table.of).find(own).map(|(field, _)| table.column(field));
            let reference = catalog.get(target.of).find(reference).map(|(field, _)| target.column(field));
            let (Some(own), Some(known)) = (own, reference.and_then(|column| column.text(row))) else {
                continue;
            };
            let Data::Text(text) = &own.data else { continue };
            let mut agreeing = text.find(&known).map_or_else(
                || table.none(),
                |code| Bitmap::from_rows(table.rows, text.rows_of(code).iter().copied()),
            );
            if let Some(unknown) = &own.unknown {
                agreeing.or(unknown);
            }
            sources.and(&agreeing);
        }
        sources
    }

    /// The rows from which a path may lead further than is seen: by its first hop, or from a row that hop leads to.
    fn incomplete_along(&self, id: TableId, path: &[String]) -> Option<Bitmap> {
        let (hop, rest) = path.split_first()?;
        let table = self.graph.table(id);
        let (field, _) = self.graph.catalog().get(table.of).find(hop)?;
        let mut rows = self.incomplete(id, field).map_or_else(|| table.none(), |rows| (*rows).clone());
        for link in table.column(field).links() {
            let mut beyond = self
                .incomplete_along(link.table, rest)
                .unwrap_or_else(|| self.graph.table(link.table).none());
            if let Some(stale) = self.stale(link.table) {
                beyond.or(&stale);
            }
            for target in beyond.iter() {
                for &row in link.adjacency.backward.of(target) {
                    rows.set(row as usize);
                }
            }
        }
        Some(rows)
    }

    /// The edges of a relation that may not be there, found at most once; none in a closed world.
    pub(super) fn remembered_loose(
        &self,
        relation: (TableId, FieldId),
        find: impl FnOnce() -> Option<Rc<Loose>>,
    ) -> Option<Rc<Loose>> {
        let open = self.open.as_ref()?;
        if let Some(known) = open.loose.borrow().get(&relation) {
            return known.clone();
        }
        let found = find();
        open.loose.borrow_mut().insert(relation, found.clone());
        found
    }

    /// Where what a relation leads to would be listed, with what is missing there, found at most once.
    pub(super) fn remembered_needs(
        &self,
        relation: (TableId, FieldId),
        find: impl FnOnce() -> Vec<ByPlace>,
    ) -> Option<Rc<Vec<ByPlace>>> {
        let open = self.open.as_ref()?;
        let known = open.needs.borrow().get(&relation).cloned();
        known.unwrap_or_else(|| {
            let found = Some(Rc::new(find()));
            open.needs.borrow_mut().insert(relation, found.clone());
            found
        })
    }

    /// Where the rows of a table are, with the slice of each place, found at most once.
    pub(super) fn remembered_own(
        &self,
        id: TableId,
        find: impl FnOnce() -> Option<ByPlace>,
    ) -> Option<Rc<ByPlace>> {
        let open = self.open.as_ref()?;
        let known = open.own.borrow().get(&id).cloned();
        known.unwrap_or_else(|| {
            let found = find().map(Rc::new);
            open.own.borrow_mut().insert(id, found.clone());
            found
        })
    }

    /// Where the rows of a table themselves are.
    pub(super) fn places(&self, id: TableId) -> Option<Rc<Places>> {
        self.places_told_by(id, ToldBy::header(self.graph, self.graph.table(id)))
    }

    fn places_told_by(&self, id: TableId, told_by: ToldBy) -> Option<Rc<Places>> {
        let open = self.open.as_ref()?;
        if let Some(known) = open.places.borrow().get(&(id, told_by)) {
            return Some(Rc::clone(known));
        }
        let places = Rc::new(Places::read(self.graph.table(id), told_by));
        open.places.borrow_mut().insert((id, told_by), Rc::clone(&places));
        Some(places)
    }
}
