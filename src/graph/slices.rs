//! What was collected, and how well: the slices a graph was built from, found by type, account and region.

use std::{collections::BTreeMap, iter, mem};

use rustc_hash::FxHashMap;

use super::image::{ImageError, ImageReader, ImageWriter, Imaged};
use crate::model::{GLOBAL_REGION, Outcome, SliceKey, SliceState, Time};

/// The slices of an inventory.
#[derive(Clone, Debug, Default)]
pub struct Slices {
    /// Sorted by key, each once.
    states: Vec<SliceState>,
    /// The types there are slices of, and whether any of these is of a region.
    types: BTreeMap<String, bool>,
}

fn parts(key: &SliceKey) -> (&str, &str, &str) {
    (&key.account_id, &key.region, &key.asset_type)
}

/// A slice that something needs and that is not complete: its state, or nothing where it was never collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) key: SliceKey,
    pub(crate) state: Option<SliceState>,
}

impl Slices {
    /// Takes the slices in any order; of two with one key the last counts.
    #[must_use]
    pub fn new(mut states: Vec<SliceState>) -> Self {
        // Stable, so that the last of equals is the one that came last.
        states.sort_by(|left, right| left.key.cmp(&right.key));
        states.dedup_by(|later, kept| {
            let is_same = later.key == kept.key;
            if is_same {
                mem::swap(later, kept);
            }
            is_same
        });
        Self::sorted(states)
    }

    /// From slices that are sorted by key, each once.
    fn sorted(states: Vec<SliceState>) -> Self {
        let mut types: BTreeMap<String, bool> = BTreeMap::new();
        for SliceState { key, .. } in &states {
            let is_regional = key.region != GLOBAL_REGION;
            match types.get_mut(&key.asset_type) {
                Some(known) => *known |= is_regional,
                None => {
                    types.insert(key.asset_type.clone(), is_regional);
                }
            }
        }
        Self { states, types }
    }

    /// All slices, ordered by account, region, type.
    #[must_use]
    pub fn all(&self) -> &[SliceState] {
        &self.states
    }

    /// The slice of a type in one region (or account-wide, under [`GLOBAL_REGION`]).
    #[must_use]
    pub fn find(&self, asset_type: &str, account_id: &str, region: &str) -> Option<&SliceState> {
        let wanted = (account_id, region, asset_type);
        let place = self.states.binary_search_by(|state| parts(&state.key).cmp(&wanted)).ok()?;
        self.states.get(place)
    }

    /// The slice that lists the assets of a type, account and region: the regional one, else the account-wide one.
    pub(crate) fn own(
        &self,
        asset_type: &str,
        account_id: &str,
        region: Option<&str>,
    ) -> Option<&SliceState> {
        region
            .and_then(|region| self.find(asset_type, account_id, region))
            .or_else(|| self.find(asset_type, account_id, GLOBAL_REGION))
    }

    /// Whether a type is collected for whole accounts, never by region.
    pub(crate) fn is_account_wide(&self, asset_type: &str) -> bool {
        self.types.get(asset_type) == Some(&false)
    }

    /// The accounts that anything was collected from.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.states.as_slice();
        iter::from_fn(move || {
            let account = rest.first()?.key.account_id.as_str();
            rest = rest.get(rest.partition_point(|state| state.key.account_id == account)..)?;
            Some(account)
        })
    }

    /// The regions that anything was collected from in an account.
    pub(crate) fn regions_of(&self, account_id: &str) -> impl Iterator<Item = &str> {
        let first = self.states.partition_point(|state| state.key.account_id.as_str() < account_id);
        let of_account =
            self.states.iter().skip(first).take_while(move |state| state.key.account_id == account_id);
        let mut last = None;
        let regions = of_account.map(|state| state.key.region.as_str());
        regions.filter(move |region| *region != GLOBAL_REGION && last.replace(*region) != Some(*region))
    }

    /// Appends the slices of `asset_type` that keep a relation of an asset in this account and region from being
    /// complete; appends nothing where it is. An asset without a region needs the type in every region of its
    /// account, one without an account in all accounts.
    pub(crate) fn missing_for(
        &self,
        asset_type: &str,
        account_id: Option<&str>,
        region: Option<&str>,
        is_complete: &dyn Fn(&SliceState) -> bool,
        missing: &mut Vec<Need>,
    ) {
        let Some(account_id) = account_id else {
            for account_id in self.accounts() {
                self.missing_for(asset_type, Some(account_id), None, is_complete, missing);
            }
            return;
        };
        let global = self.find(asset_type, account_id, GLOBAL_REGION);
        if global.is_some_and(is_complete) {
            return;
        }
        let regions: Vec<&str> = match region.filter(|region| *region != GLOBAL_REGION) {
            _ if self.is_account_wide(asset_type) => Vec::new(),
            Some(region) => vec![region],
            None => self.regions_of(account_id).collect(),
        };
        if regions.is_empty() {
            let key = SliceKey::new(account_id, GLOBAL_REGION, asset_type);
            missing.push(Need { key, state: global.cloned() });
        }
        for region in regions {
            let state = self.find(asset_type, account_id, region);
            if state.is_some_and(is_complete) {
                continue;
            }
            match state.or(global) {
                Some(state) => missing.push(Need { key: state.key.clone(), state: Some(state.clone()) }),
                None => {
                    missing.push(Need { key: SliceKey::new(account_id, region, asset_type), state: None });
                }
            }
        }
    }
}

/// The names of slices in an image, each once.
#[derive(Debug, Default)]
struct Names<'g> {
    places: FxHashMap<&'g str, u32>,
    text: String,
    ends: Vec<u32>,
}

impl<'g> Names<'g> {
    fn place(&mut self, name: &'g str) -> u32 {
        let next = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        *self.places.entry(name).or_insert_with(|| {
            self.text.push_str(name);
            self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
            next
        })
    }
}

/// A slice as an image holds it: places of names, one more than the place of the reason or 0, the outcome.
const NAMES: usize = 6;
/// The times, [`i64::MIN`] where there is none, and the number of assets.
const NUMBERS: usize = 3;

impl Imaged for Slices {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { states, types: _ } = self;
        let mut names = Names::default();
        let mut codes = Vec::with_capacity(states.len() * NAMES);
        let mut numbers = Vec::with_capacity(states.len() * NUMBERS);
        for SliceState { key, api, outcome, reason, attempted_at, completed_at, assets } in states {
            let outcome = Outcome::ALL.iter().position(|known| known == outcome).unwrap_or_default();
            codes.extend([&key.account_id, &key.region, &key.asset_type, api].map(|name| names.place(name)));
            codes.push(reason.as_deref().map_or(0, |reason| names.place(reason) + 1));
            codes.push(u32::try_from(outcome).unwrap_or_default());
            numbers.extend([attempted_at, completed_at].map(|at| at.map_or(i64::MIN, Time::millis)));
            numbers.push(i64::try_from(*assets).unwrap_or(i64::MAX));
        }
        image.made_text(names.text);
        image.made_u32s(&names.ends);
        image.made_u32s(&codes);
        image.made_i64s(&numbers);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        let (text, ends, codes, numbers) = (image.text()?, image.u32s()?, image.u32s()?, image.i64s()?);
        let mut start = 0;
        let names: Option<Vec<&str>> =
            ends.iter().map(|&end| text.get(mem::replace(&mut start, end as usize)..end as usize)).collect();
        let names = names.ok_or(ImageError::OtherFormat)?;
        let (codes, _) = codes.as_chunks::<NAMES>();
        let (numbers, _) = numbers.as_chunks::<NUMBERS>();
        let states = codes.iter().zip(numbers).map(|(codes, numbers)| read_state(&names, *codes, *numbers));
        states.collect::<Option<Vec<_>>>().map(Self::sorted).ok_or(ImageError::OtherFormat)
    }
}

fn read_state(
    names: &[&str],
    [account, region, asset_type, api, reason, outcome]: [u32; NAMES],
    [attempted, completed, assets]: [i64; NUMBERS],
) -> Option<SliceState> {
    let name = |place: u32| names.get(place as usize).map(|name| (*name).to_owned());
    let time = |millis: i64| match millis {
        i64::MIN => Some(None),
        millis => Time::from_millis(millis).map(Some),
    };
    Some(SliceState {
        key: SliceKey { account_id: name(account)?, region: name(region)?, asset_type: name(asset_type)? },
        api: name(api)?,
        outcome: *Outcome::ALL.get(outcome as usize)?,
        reason: match reason.checked_sub(1) {
            Some(place) => Some(name(place)?),
            None => None,
        },
        attempted_at: time(attempted)?,
        completed_at: time(completed)?,
        assets: assets.try_into().ok()?,
    })
}
