//! What lies between two commits: what must be put into the inventory of the one, and taken out of it, to make it that
//! of the other, forwards or backwards. Its cost is what was committed in between, and how much those slices list.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

use rustc_hash::FxHashMap;

use super::{
    Store,
    codec::SliceRow,
    error::StoreError,
    index::Index,
    journal::Position,
    keys,
    past::{Older, read_entry},
    read::{Completed, choose, read_listing, scan_over},
    rows::{Rows, bad_row},
    timeline::scan_commits,
};
use crate::model::{Asset, SliceKey, SliceState, Time};

/// More commits than this are not taken one by one.
const MOST_COMMITS: u64 = 20_000;

/// What makes the inventory of one commit that of another.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// The commit that it leads to.
    pub sequence: u64,
    /// Assets as they are then; some of them may be no different from before.
    pub put: Vec<Asset>,
    /// Type and id of assets that are not there then.
    pub removed: Vec<(String, String)>,
    /// Slices as they are then; nothing for one that had not been collected.
    pub slices: Vec<(SliceKey, Option<SliceState>)>,
}

/// Assets that some slice lists and that are not shown, since their owner no longer has them.
#[derive(Debug)]
pub(super) struct Hidden {
    /// The first commit from which on all of them are known.
    pub(super) since: u64,
    /// By type and id: every one there is, or was since.
    pub(super) assets: BTreeSet<(String, String)>,
}

/// Names the assets of an inventory that a slice would list if it were that of their own account: those of its type,
/// account and region, and those without a region.
pub type Owned<'a> = &'a dyn Fn(&SliceKey) -> Vec<String>;

impl Store {
    /// What leads from the inventory of commit `from` to that of commit `to` (without one, of the newest). Nothing where
    /// that is more than `most` assets, or can't be told without reading everything. `owned` answers for the inventory
    /// of `from`. Commits wait meanwhile, so `owned` must not call the store.
    ///
    /// # Errors
    /// Where index or journal can't be read.
    pub fn delta(
        &self,
        from: u64,
        to: Option<u64>,
        most: usize,
        owned: Owned<'_>,
    ) -> Result<Option<Delta>, StoreError> {
        let index = self.index();
        let newest = self.sequence();
        let to = to.unwrap_or(newest);
        let (low, high) = (from.min(to), from.max(to));
        if high > newest || newest - low > MOST_COMMITS {
            return Ok(None);
        }
        let commits = self.commits_between(&index, (from, to), newest)?;
        let before = StatesAt { index: &index, at: &commits.states_from, known: RefCell::default() };
        let after = StatesAt { index: &index, at: &commits.states_to, known: RefCell::default() };
        let mut delta = Delta { sequence: to, ..Delta::default() };
        let mut assets: BTreeSet<(String, String)> = BTreeSet::new();
        let mut may_show_hidden = false;
        for slice in &commits.between {
            let (was, is) = (before.state(slice)?, after.state(slice)?);
            let completed = |state: &Option<SliceState>| state.as_ref().and_then(|state| state.completed_at);
            let typed = |id: String| (slice.asset_type.clone(), id);
            let touched = commits.touched.get(slice);
            assets.extend(touched.into_iter().flatten().cloned().map(typed));
            if completed(&was) != completed(&is) {
                may_show_hidden |= completed(&is) < completed(&was);
                index.scan(&keys::listed_prefix(slice), &mut |key, _| {
                    let [_, _, _, id] = keys::parse::<4>(key).ok_or_else(|| bad_row(keys::kind::LISTED))?;
                    assets.insert(typed(id));
                    Ok(())
                })?;
                assets.extend(owned(slice).into_iter().map(typed));
            }
            if !keys::is_ledger(slice) {
                delta.slices.push((slice.clone(), is));
            }
            if assets.len() > most {
                return Ok(None);
            }
        }
        let mut hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        match hidden.as_ref().filter(|hidden| hidden.since <= from) {
            Some(hidden) => {
                let types: BTreeSet<&str> =
                    commits.between.iter().map(|slice| slice.asset_type.as_str()).collect();
                assets.extend(hidden.assets.iter().filter(|(of, _)| types.contains(of.as_str())).cloned());
            }
            None if may_show_hidden => return Ok(None),
            None => {}
        }
        let rows = Older::find(&index, commits.touched_since_to(), to)?.read(
            &index,
            &self.folder.journal,
            &mut Default::default(),
        )?;
        for (typename, id) in assets {
            let mut listings = Vec::new();
            scan_over(
                &index,
                &keys::names(keys::kind::ASSET, &[&typename, &id]),
                &rows,
                &mut |key, value| {
                    listings.push(read_listing(&index, key, value, &after)?);
                    Ok(())
                },
            )?;
            let is_listed = !listings.is_empty();
            match choose(listings.into_iter(), &after) {
                Some(listing) => delta.put.push(listing.into_asset()),
                None => {
                    if is_listed && let Some(hidden) = hidden.as_mut() {
                        hidden.assets.insert((typename.clone(), id.clone()));
                    }
                    delta.removed.push((typename, id));
                }
            }
        }
        after.check()?;
        Ok(Some(delta))
    }

    fn commits_between(
        &self,
        index: &Index,
        (from, to): (u64, u64),
        newest: u64,
    ) -> Result<Commits, StoreError> {
        let mut commits = Commits::default();
        scan_commits(index, from.min(to) + 1, newest, &mut |sequence, commit| {
            if commit.touched > 0 {
                let position = Position { sequence, segment: commit.segment, offset: commit.offset };
                for (key, id) in read_entry(&self.folder.journal, position)?.into_touched() {
                    if sequence > to {
                        commits.since_to.entry(key.clone()).or_default().insert(id.clone());
                    }
                    if sequence <= from.max(to) && keys::is_ledger(&key) {
                        commits.between.insert(key.clone());
                    }
                    commits.touched.entry(key).or_default().insert(id);
                }
            }
            let Some(key) = commit.slice() else { return Ok(()) };
            let bad = || bad_row(keys::kind::COMMIT);
            let state = match commit.before {
                None => None,
                Some(row) => Some(row.into_state(key.clone()).ok_or_else(bad)?),
            };
            // The newest comes first, so the state that stays is the one before the oldest of these commits.
            if sequence > to {
                commits.states_to.insert(key.clone(), state.clone());
            }
            if sequence > from {
                commits.states_from.insert(key.clone(), state);
            }
            if sequence <= from.max(to) {
                commits.between.insert(key);
            }
            Ok(())
        })?;
        Ok(commits)
    }
}

/// Ids by slice.
type Ids = BTreeMap<SliceKey, BTreeSet<String>>;

/// What commits say of two moments.
#[derive(Debug, Default)]
struct Commits {
    /// The slices that were committed between the two, and the types that were written to the ledger.
    between: BTreeSet<SliceKey>,
    /// What was put or removed since the earlier of the two.
    touched: Ids,
    /// What was put or removed since the one it leads to.
    since_to: Ids,
    /// States at the one it comes from, and at the one it leads to, of slices that were committed since.
    states_from: BTreeMap<SliceKey, Option<SliceState>>,
    states_to: BTreeMap<SliceKey, Option<SliceState>>,
}

impl Commits {
    fn touched_since_to(&self) -> BTreeSet<(SliceKey, String)> {
        let slices = self.since_to.iter();
        slices.flat_map(|(slice, ids)| ids.iter().map(move |id| (slice.clone(), id.clone()))).collect()
    }
}

/// The states of slices at a moment, each read when it is asked for.
struct StatesAt<'a> {
    index: &'a Index,
    /// Those that are not the present ones.
    at: &'a BTreeMap<SliceKey, Option<SliceState>>,
    known: RefCell<FxHashMap<SliceKey, Result<Option<Time>, ()>>>,
}

impl StatesAt<'_> {
    fn state(&self, key: &SliceKey) -> Result<Option<SliceState>, StoreError> {
        if let Some(state) = self.at.get(key) {
            return Ok(state.clone());
        }
        let bad = || bad_row(keys::kind::SLICE);
        let Some(value) = self.index.get(&keys::slice(key))? else { return Ok(None) };
        let row: SliceRow = serde_json::from_slice(&value).map_err(|_| bad())?;
        Ok(Some(row.into_state(key.clone()).ok_or_else(bad)?))
    }

    /// Whether every state that was asked for could be read.
    fn check(&self) -> Result<(), StoreError> {
        let known = self.known.borrow();
        match known.iter().find(|(_, completed)| completed.is_err()) {
            Some((key, _)) => self.state(key).map(drop),
            None => Ok(()),
        }
    }
}

impl Completed for StatesAt<'_> {
    fn completed_at(&self, key: &SliceKey) -> Option<Time> {
        if let Some(known) = self.known.borrow().get(key) {
            return (*known).ok().flatten();
        }
        let read = self.state(key).map(|state| state.and_then(|state| state.completed_at)).map_err(drop);
        self.known.borrow_mut().insert(key.clone(), read);
        read.ok().flatten()
    }
}
