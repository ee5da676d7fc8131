//! What lies between two moments: assets that appeared, changed and vanished. One pass over the rows of the present;
//! only what was touched since the earlier moment, or what another account lists, is taken apart.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Deserialize;

use super::{
    Store,
    codec::AssetRow,
    error::StoreError,
    index::Index,
    keys,
    past::{Past, Undone},
    read::{AssetRows, States, choose, read_listing, states_of},
    timeline::InForce,
};
use crate::model::{Asset, Change, field_changes};

impl Store {
    /// Hands every asset that differs between two commits to `visit`, sorted by type and id, with the fields it was
    /// collected with (not the times at which the store has seen it); returns both moments. `asset_type` keeps to
    /// one type. Commits wait meanwhile, so `visit` must not call the store.
    ///
    /// # Errors
    /// Where index or journal can't be read.
    pub fn changes(
        &self,
        from: InForce,
        to: InForce,
        asset_type: Option<&str>,
        visit: &mut dyn FnMut(Change),
    ) -> Result<(Past, Past), StoreError> {
        let index = self.index();
        let before = self.undo(&index, from.sequence)?;
        let after = self.undo(&index, to.sequence)?;
        let mut pass = Pass {
            index: &index,
            before: (states_of(&before.slices), &before.rows),
            after: (states_of(&after.slices), &after.rows),
            group: Vec::new(),
            visit,
        };
        match asset_type {
            Some(name) => pass.run(&keys::names(keys::kind::ASSET, &[name]))?,
            None => pass.run(&[keys::kind::ASSET])?,
        }
        let past = |in_force, Undone { slices, work, .. }| Past { in_force, slices, work };
        Ok((past(from, before), past(to, after)))
    }
}

/// One row of an asset at both moments.
struct Row {
    key: Vec<u8>,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    is_touched: bool,
}

/// A pass over all rows of assets.
struct Pass<'a> {
    index: &'a Index,
    before: (States<'a>, &'a AssetRows),
    after: (States<'a>, &'a AssetRows),
    /// The rows of one asset.
    group: Vec<Row>,
    visit: &'a mut dyn FnMut(Change),
}

impl Pass<'_> {
    fn run(&mut self, prefix: &[u8]) -> Result<(), StoreError> {
        let index = self.index;
        let touched: BTreeSet<Vec<u8>> = self.before.1.keys().chain(self.after.1.keys()).cloned().collect();
        let mut touched = touched.into_iter().filter(|key| key.starts_with(prefix)).peekable();
        index.scan(prefix, &mut |key, value| {
            while let Some(earlier) = touched.next_if(|other| other.as_slice() < key) {
                self.touched_row(earlier, None)?;
            }
            if let Some(key) = touched.next_if(|other| other.as_slice() == key) {
                return self.touched_row(key, Some(value));
            }
            let row = Row { key: key.to_vec(), before: None, after: Some(value.to_vec()), is_touched: false };
            self.push(row)
        })?;
        touched.try_for_each(|key| self.touched_row(key, None))?;
        self.finish_group()
    }

    fn touched_row(&mut self, key: Vec<u8>, now: Option<&[u8]>) -> Result<(), StoreError> {
        let of = |rows: &AssetRows| match rows.get(&key) {
            Some(row) => row.clone(),
            None => now.map(<[u8]>::to_vec),
        };
        let (before, after) = (of(self.before.1), of(self.after.1));
        self.push(Row { key, before, after, is_touched: true })
    }

    fn push(&mut self, row: Row) -> Result<(), StoreError> {
        if self.group.first().is_some_and(|first| asset_of(&first.key) != asset_of(&row.key)) {
            self.finish_group()?;
        }
        self.group.push(row);
        Ok(())
    }

    /// Compares the asset of the group at both moments, and empties the group.
    fn finish_group(&mut self) -> Result<(), StoreError> {
        let mut group = std::mem::take(&mut self.group);
        if let [row] = group.as_slice()
            && !row.is_touched
            && row.after.as_deref().is_some_and(|value| is_owners(&row.key, value))
        {
            return Ok(());
        }
        for row in group.iter_mut().filter(|row| !row.is_touched) {
            row.before.clone_from(&row.after);
        }
        let before = self.asset(&self.before.0, group.iter().map(|row| (&row.key, &row.before)))?;
        let after = self.asset(&self.after.0, group.iter().map(|row| (&row.key, &row.after)))?;
        match (before, after) {
            (None, None) => {}
            (None, Some(after)) => (self.visit)(Change::Appeared(after)),
            (Some(before), None) => (self.visit)(Change::Vanished(before)),
            (Some(before), Some(after)) => {
                if !field_changes(&before, &after).is_empty() {
                    (self.visit)(Change::Changed { before, after });
                }
            }
        }
        Ok(())
    }

    /// The asset as it can be seen through these rows.
    fn asset<'r>(
        &self,
        states: &States<'_>,
        rows: impl Iterator<Item = (&'r Vec<u8>, &'r Option<Vec<u8>>)>,
    ) -> Result<Option<Asset>, StoreError> {
        let mut listings = Vec::new();
        for (key, value) in rows {
            if let Some(value) = value {
                listings.push(read_listing(self.index, key, value, states)?);
            }
        }
        Ok(choose(listings.into_iter(), states).map(|listing| listing.asset))
    }
}

/// Type and id of a row's asset.
fn asset_of(key: &[u8]) -> Option<[String; 2]> {
    keys::parse::<2>(key)
}

/// Whether the slice of the row is that of the asset's own account: then, untouched and listed by no other, it is the
/// same at both moments.
fn is_owners(key: &[u8], value: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Owner<'a> {
        #[serde(rename = "accountId", borrow)]
        account_id: Cow<'a, str>,
    }
    let account = keys::parse::<3>(key);
    let owner = AssetRow::decode(value).and_then(|(_, body)| serde_json::from_slice::<Owner<'_>>(body).ok());
    matches!((account, owner), (Some([_, _, account]), Some(owner)) if owner.account_id == account)
}
