//! Where nothing is missing: whether a type was collected completely wherever anything was, and whether every asset of a
//! table stands in such a place. Told once for a state of the slices and of the table, so that a verdict over a complete
//! inventory need not ask every place.

use std::{
    hash::Hash,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Column, Graph, Slices, TableId};
use crate::model::Time;

/// What was told so far, shared by the graphs before and after.
#[derive(Clone, Debug, Default)]
pub(super) struct Wholes(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// By the stamps of where a type was collected and where anything was: whether that is the same.
    types: FxHashMap<(u64, u64), bool>,
    /// By columns of accounts and regions, and the stamp of the places: whether each of their rows is in a place.
    columns: ByPair<Column>,
    /// By what such columns share with those before and after, and the stamp: the same of the rows of that part.
    shared: ByPair<[u32]>,
}

/// What was told of two things that were asked together in one state of the places, by where they stand: as long as they
/// are held, no others stand there.
type ByPair<T> = FxHashMap<(usize, usize, u64), ([Weak<T>; 2], bool)>;

/// What is remembered of more states than these is forgotten.
const MOST_TOLD: usize = 512;

impl Wholes {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_type(&self, stamps: (u64, u64), work_out: impl FnOnce() -> bool) -> bool {
        let known = self.told().types.get(&stamps).copied();
        known.unwrap_or_else(|| {
            let is_everywhere = work_out();
            put(&mut self.told().types, stamps, is_everywhere);
            is_everywhere
        })
    }

    /// What was told of a pair, or is worked out now.
    fn of_pair<T: ?Sized>(
        &self,
        known: fn(&mut Told) -> &mut ByPair<T>,
        [one, other]: [&Arc<T>; 2],
        places_stamp: u64,
        work_out: impl FnOnce() -> bool,
    ) -> bool {
        let key = (Arc::as_ptr(one).addr(), Arc::as_ptr(other).addr(), places_stamp);
        let told = known(&mut self.told()).get(&key).map(|(_, is_placed)| *is_placed);
        told.unwrap_or_else(|| {
            let is_placed = work_out();
            let held = [one, other].map(Arc::downgrade);
            put(known(&mut self.told()), key, (held, is_placed));
            is_placed
        })
    }
}

fn put<K: Eq + Hash, T>(known: &mut FxHashMap<K, T>, key: K, value: T) {
    if known.len() >= MOST_TOLD {
        known.clear();
    }
    known.insert(key, value);
}

impl Slices {
    /// Whether every slice of a type is complete since `oldest` ([`SliceState::is_complete_since`]), and there is one in
    /// every account and region that anything was collected from.
    ///
    /// [`SliceState::is_complete_since`]: crate::model::SliceState::is_complete_since
    pub(crate) fn is_whole_since(&self, asset_type: &str, oldest: Option<Time>) -> bool {
        let is_complete = match oldest {
            Some(oldest) => self.count_complete(asset_type, oldest) == self.count_of(asset_type),
            None => self.incomplete(asset_type).next().is_none(),
        };
        let stamps = self.places_stamps(asset_type).filter(|_| is_complete);
        stamps.is_some_and(|stamps| self.wholes().of_type(stamps, || self.is_everywhere(asset_type)))
    }
}

impl Graph {
    /// Whether every row of a table, also one that holds nothing any more, stands in an account and region that something
    /// was collected from.
    pub(crate) fn is_placed(&self, id: TableId) -> bool {
        let Some(slices) = self.slices() else { return false };
        let table = self.table(id);
        let column = |name| {
            let (field, _) = self.catalog().get(table.of).find(name)?;
            table.columns.get(field.0 as usize)
        };
        let (Some(account), Some(region)) = (column("accountId"), column("region")) else { return false };
        let (Some(accounts), Some(regions)) = (account.text_data(), region.text_data()) else { return false };
        let (wholes, stamp) = (slices.wholes(), slices.places_stamp());
        let are_known = |rows| are_known_places(rows, account, region, slices);
        wholes.of_pair(
            |told| &mut told.columns,
            [account, region],
            stamp,
            || {
                // A change appends rows; those it shares with the graph before were asked there.
                let shared = [accounts.codes.shared(), regions.codes.shared()];
                let of_shared = shared.map(|codes| codes.len()).into_iter().min().unwrap_or(0);
                wholes.of_pair(|told| &mut told.shared, shared, stamp, || are_known(0..of_shared))
                    && are_known(of_shared..table.rows)
            },
        )
    }
}

fn are_known_places(rows: Range<usize>, account: &Column, region: &Column, slices: &Slices) -> bool {
    let code = |column: &Column, row: u32| column.text_data()?.code(row);
    let (mut seen, mut before) = (FxHashSet::default(), None);
    (0u32..).take(rows.end).skip(rows.start).all(|row| {
        let Some(place) = code(account, row).zip(code(region, row)) else { return false };
        // Rows in the order of their ids mostly stand beside others of their account and region.
        if before.replace(place) == Some(place) || !seen.insert(place) {
            return true;
        }
        let place = account.text(row).zip(region.text(row));
        place.is_some_and(|(account_id, region)| slices.has_place(&account_id, &region))
    })
}
