//! Where nothing is missing: whether a type was collected completely wherever anything was, and whether every asset of a
//! table stands in such a place. Told once for a state of the slices and of the table, so that a verdict over a complete
//! inventory need not ask every place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Column, Graph, Slices, Table, TableId};
use crate::model::{GLOBAL_REGION, Outcome, Time};

/// What was told so far, shared by the graphs before and after.
#[derive(Clone, Debug, Default)]
pub(super) struct Wholes(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// By the stamps of a type and of the places: since when it is whole, if it is.
    types: FxHashMap<(u64, u64), Option<Time>>,
    /// By the stamps of a table and of the places: whether each of its assets stands in a place.
    tables: FxHashMap<(u64, u64), bool>,
}

/// What is remembered of more states than these is forgotten.
const MOST_TOLD: usize = 512;

impl Wholes {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when a type is whole, if it is; worked out where it is not known.
    pub(super) fn of_type(
        &self,
        stamps: (u64, u64),
        work_out: impl FnOnce() -> Option<Time>,
    ) -> Option<Time> {
        let known = self.told().types.get(&stamps).copied();
        known.unwrap_or_else(|| {
            let since = work_out();
            put(&mut self.told().types, stamps, since);
            since
        })
    }

    fn of_table(&self, stamps: (u64, u64), work_out: impl FnOnce() -> bool) -> bool {
        let known = self.told().tables.get(&stamps).copied();
        known.unwrap_or_else(|| {
            let is_placed = work_out();
            put(&mut self.told().tables, stamps, is_placed);
            is_placed
        })
    }
}

fn put<T>(known: &mut FxHashMap<(u64, u64), T>, stamps: (u64, u64), value: T) {
    if known.len() >= MOST_TOLD {
        known.clear();
    }
    known.insert(stamps, value);
}

impl Slices {
    /// Whether the latest attempt of a type was complete, and since `oldest`, in every account and region that anything
    /// was collected from.
    pub(crate) fn is_whole_since(&self, asset_type: &str, oldest: Option<Time>) -> bool {
        let since = self
            .stamps_of(asset_type)
            .and_then(|stamps| self.wholes().of_type(stamps, || self.whole_since(asset_type)));
        since.is_some_and(|since| oldest.is_none_or(|oldest| since >= oldest))
    }

    /// The first of its completions, if it is complete everywhere.
    fn whole_since(&self, asset_type: &str) -> Option<Time> {
        let is_account_wide = self.is_account_wide(asset_type);
        let mut first: Option<Time> = None;
        for account_id in self.accounts() {
            let mut regions = self.regions_of(account_id).peekable();
            let of_account = self.find(asset_type, account_id, GLOBAL_REGION);
            if of_account.is_none() && (is_account_wide || regions.peek().is_none()) {
                return None;
            }
            let of_regions = regions.map(|region| self.find(asset_type, account_id, region));
            let needed = of_regions.filter(|state| !(state.is_none() && of_account.is_some()));
            for state in needed.chain(of_account.map(Some)) {
                let state = state.filter(|state| state.outcome == Outcome::Complete)?;
                let completed_at = state.completed_at?;
                first = Some(first.map_or(completed_at, |first| first.min(completed_at)));
            }
        }
        first
    }
}

impl Graph {
    /// Whether every asset of a table stands in an account and region that something was collected from.
    pub(crate) fn is_placed(&self, id: TableId) -> bool {
        let Some(slices) = self.slices() else { return false };
        let table = self.table(id);
        let stamps = (table.stamp, slices.places_stamp());
        slices.wholes().of_table(stamps, || self.has_known_places(table, slices))
    }

    fn has_known_places(&self, table: &Table, slices: &Slices) -> bool {
        let column = |name| self.catalog().get(table.of).find(name).map(|(field, _)| table.column(field));
        let (Some(account), Some(region)) = (column("accountId"), column("region")) else { return false };
        let code = |column: &Column, row: u32| column.text_data()?.code(row);
        let (mut seen, mut before) = (FxHashSet::default(), None);
        table.all().iter().all(|row| {
            let Some(place) = code(account, row).zip(code(region, row)) else { return false };
            // Rows in the order of their ids mostly stand beside others of their account and region.
            if before.replace(place) == Some(place) || !seen.insert(place) {
                return true;
            }
            let place = account.text(row).zip(region.text(row));
            place.is_some_and(|(account_id, region)| slices.has_place(&account_id, &region))
        })
    }
}
