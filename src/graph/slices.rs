//! What was collected, and how well: the slices a graph was built from, found by type, account and region.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hasher,
    mem,
    ops::ControlFlow,
    sync::Arc,
};

use rustc_hash::{FxHashMap, FxHasher};

use super::{
    completions::Completions,
    image::{ImageError, ImageReader, ImageWriter, Imaged},
    table::next_stamp,
    whole::Wholes,
};
use crate::{
    catalog::{Catalog, FieldKind},
    model::{
        Asset, GLOBAL_REGION, Outcome, SliceKey, SliceState, Time, is_ledger_type,
        parallel::{WORTH_A_THREAD, in_parallel, threads},
    },
};

/// The type whose assets are the slices themselves. It is always complete.
pub(crate) const SLICE_TYPE: &str = "Slice";

/// Whether the assets of a type are what Passmuster itself writes: no slice lists them, and all of them are always
/// known.
pub(crate) fn is_own_type(asset_type: &str) -> bool {
    asset_type == SLICE_TYPE || is_ledger_type(asset_type)
}

/// A slice as an asset, with those of its fields that the schema stores; nothing where the schema has no such type.
pub(crate) fn as_asset(slice: &SliceState, catalog: &Catalog) -> Option<Asset> {
    let (_, definition) =
        catalog.find(SLICE_TYPE).filter(|(_, definition)| definition.find("id").is_some())?;
    let SliceKey { account_id, region, asset_type } = &slice.key;
    let asset = Asset::new(SLICE_TYPE, asset_id(&slice.key))
        .with("accountId", account_id.as_str())
        .with("region", region.as_str())
        .with("assetType", asset_type.as_str())
        .with("api", Some(slice.api.as_str()).filter(|api| !api.is_empty()))
        .with("outcome", slice.outcome.as_str())
        .with("reason", slice.reason.as_deref())
        .with("attemptedAt", slice.attempted_at.map(|time| time.to_string()))
        .with("completedAt", slice.completed_at.map(|time| time.to_string()))
        .with("assetCount", slice.assets);
    let is_stored = |name: &String| {
        let field = definition.find(name).map(|(_, field)| &field.kind);
        matches!(field, Some(FieldKind::Scalar { .. }))
    };
    let fields = asset.fields.into_iter().filter(|(name, _)| is_stored(name)).collect();
    Some(Asset { fields, ..asset })
}

/// The id that a slice has as an asset.
pub(super) fn asset_id(SliceKey { account_id, region, asset_type }: &SliceKey) -> String {
    format!("{account_id}/{region}/{asset_type}")
}

/// The slices of an inventory, by account; a change to some leaves the accounts of the others shared.
#[derive(Clone, Debug, Default)]
pub struct Slices {
    accounts: BTreeMap<Arc<str>, Arc<Account>>,
    types: BTreeMap<String, OfType>,
    count: usize,
    /// Another one wherever there is another account, region or slice.
    places_stamp: u64,
    wholes: Wholes,
}

/// The slices of one account.
#[derive(Clone, Debug, Default)]
struct Account {
    /// Sorted by type, then region. In one piece: there are hundreds of thousands of slices, few of one account.
    states: Vec<SliceState>,
    /// The hash of the type and region of each: what is looked for is found among these, not among texts that stand
    /// anywhere.
    hashes: Vec<u32>,
    /// The regions it has regional slices in, and how many.
    regions: BTreeMap<String, usize>,
}

/// What is said of a type.
#[derive(Clone, Debug, Default)]
struct OfType {
    /// How many slices it has, and how many of them are of a region.
    slices: usize,
    regional: usize,
    /// Those whose latest attempt was not complete.
    incomplete: Arc<BTreeSet<SliceKey>>,
    completions: Completions,
    /// When one of them was last attempted.
    attempted_at: Option<Time>,
    /// Another one wherever a slice of the type differs.
    stamp: u64,
    /// Another one wherever there is a slice of the type more, or less.
    keys_stamp: u64,
}

/// A slice that something needs and that is not complete: its state, or nothing where it was never collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) key: SliceKey,
    pub(crate) state: Option<SliceState>,
}

impl OfType {
    /// Takes in a slice that was not there.
    fn add(&mut self, state: &SliceState) {
        self.slices += 1;
        self.regional += usize::from(state.key.region != GLOBAL_REGION);
        self.completions.add(state);
        self.attempted_at = self.attempted_at.max(state.attempted_at);
        if !state.is_complete_since(None) {
            Arc::make_mut(&mut self.incomplete).insert(state.key.clone());
        }
    }

    /// Takes in that a slice is in another state than before, if it is there at all.
    fn change(&mut self, key: &SliceKey, before: Option<&SliceState>, now: Option<&SliceState>) {
        self.stamp = next_stamp();
        if before.is_some() != now.is_some() {
            self.keys_stamp = next_stamp();
        }
        if let Some(before) = before {
            self.completions.remove(before);
        }
        if let Some(now) = now {
            self.completions.add(now);
            self.attempted_at = self.attempted_at.max(now.attempted_at);
        }
        let is_incomplete = now.is_some_and(|state| !state.is_complete_since(None));
        if is_incomplete != self.incomplete.contains(key) {
            let incomplete = Arc::make_mut(&mut self.incomplete);
            if is_incomplete {
                incomplete.insert(key.clone())
            } else {
                incomplete.remove(key)
            };
        }
        count(&mut self.slices, before.is_some(), now.is_some());
        if key.region != GLOBAL_REGION {
            count(&mut self.regional, before.is_some(), now.is_some());
        }
    }
}

impl Account {
    /// Takes in a state of one of its slices.
    fn set(&mut self, key: SliceKey, was_there: bool, state: Option<SliceState>) {
        let SliceKey { region, asset_type, .. } = key;
        if region != GLOBAL_REGION {
            let of_region = self.regions.entry(region.clone()).or_default();
            count(of_region, was_there, state.is_some());
            if *of_region == 0 {
                self.regions.remove(&region);
            }
        }
        match (self.place(&asset_type, &region), state) {
            (Ok(place), Some(state)) => {
                if let Some(known) = self.states.get_mut(place) {
                    *known = state;
                }
            }
            (Ok(place), None) => {
                self.states.remove(place);
                self.hashes.remove(place);
            }
            (Err(place), Some(state)) => {
                self.hashes.insert(place, hash_of(&asset_type, &region));
                self.states.insert(place, state);
            }
            (Err(_), None) => {}
        }
    }

    /// The slice of a type and region.
    fn find(&self, asset_type: &str, region: &str) -> Option<&SliceState> {
        let wanted = hash_of(asset_type, region);
        let alike = self.hashes.iter().zip(&self.states).filter(|(hash, _)| **hash == wanted);
        alike
            .map(|(_, state)| state)
            .find(|state| *state.key.region == *region && *state.key.asset_type == *asset_type)
    }

    /// Where the slice of a type and region stands, or would stand.
    fn place(&self, asset_type: &str, region: &str) -> Result<usize, usize> {
        self.states
            .binary_search_by(|state| (&*state.key.asset_type, &*state.key.region).cmp(&(asset_type, region)))
    }

    /// The slices of a type, by region.
    fn of_type(&self, asset_type: &str) -> &[SliceState] {
        let begin = self.states.partition_point(|state| *state.key.asset_type < *asset_type);
        let rest = self.states.get(begin..).unwrap_or_default();
        let end = rest.partition_point(|state| *state.key.asset_type == *asset_type);
        rest.get(..end).unwrap_or_default()
    }

    /// Whether a type was collected in every region of the account, or for all of it.
    fn has_everywhere(&self, asset_type: &str, is_account_wide: bool) -> bool {
        let states = self.of_type(asset_type);
        // The regions of the account are those of any slice, so of as many slices none is missing.
        states.iter().any(|state| state.key.region == GLOBAL_REGION)
            || (!is_account_wide && !states.is_empty() && states.len() == self.regions.len())
    }
}

/// The hash of a type and region: see [`Account`].
fn hash_of(asset_type: &str, region: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(asset_type.as_bytes());
    hasher.write(region.as_bytes());
    let hash = hasher.finish();
    (hash ^ hash >> 32) as u32
}

fn count(many: &mut usize, was_there: bool, is_there: bool) {
    *many = (*many + usize::from(is_there)).saturating_sub(usize::from(was_there));
}

impl Slices {
    /// Takes the slices in any order; of two with one key the last counts.
    #[must_use]
    pub fn new(states: Vec<SliceState>) -> Self {
        if states.is_sorted_by(|one, other| one.key < other.key) {
            return Self::of_sorted(states);
        }
        let by_key: BTreeMap<SliceKey, SliceState> =
            states.into_iter().map(|state| (state.key.clone(), state)).collect();
        Self::of_sorted(by_key.into_values().collect())
    }

    /// Takes slices of which those of an account stand together, each once: hundreds of thousands of them are read at
    /// every start.
    fn of_sorted(states: Vec<SliceState>) -> Self {
        let (mut types, mut accounts) = (BTreeMap::<String, OfType>::new(), BTreeMap::new());
        let count = states.len();
        let mut states = states.into_iter().peekable();
        while let Some(first) = states.peek() {
            let account_id: Arc<str> = Arc::from(first.key.account_id.as_str());
            let mut account = Account::default();
            while let Some(state) = states.next_if(|state| *state.key.account_id == *account_id) {
                let SliceKey { region, asset_type, .. } = &state.key;
                change(&mut types, asset_type, |of_type: &mut OfType| of_type.add(&state));
                if *region != GLOBAL_REGION {
                    change(&mut account.regions, region, |count| *count += 1);
                }
                account.states.push(state);
            }
            // Those of an image are in order, which the stable sort sees at once.
            account.states.sort_by(|SliceState { key: one, .. }, SliceState { key: other, .. }| {
                (&one.asset_type, &one.region).cmp(&(&other.asset_type, &other.region))
            });
            account.states.shrink_to_fit();
            account.hashes = account
                .states
                .iter()
                .map(|state| hash_of(&state.key.asset_type, &state.key.region))
                .collect();
            accounts.insert(account_id, Arc::new(account));
        }
        for of_type in types.values_mut() {
            (of_type.stamp, of_type.keys_stamp) = (next_stamp(), next_stamp());
        }
        Self { accounts, types, count, places_stamp: next_stamp(), wholes: Wholes::default() }
    }

    /// Adds the slices of other accounts.
    fn append(&mut self, other: Self) {
        let Self { mut accounts, types, count, places_stamp: _, wholes: _ } = other;
        self.accounts.append(&mut accounts);
        self.count += count;
        for (name, of_type) in types {
            change(&mut self.types, &name, |known| {
                known.slices += of_type.slices;
                known.regional += of_type.regional;
                known.completions.append(&of_type.completions);
                known.attempted_at = known.attempted_at.max(of_type.attempted_at);
                (known.stamp, known.keys_stamp) = (of_type.stamp, of_type.keys_stamp);
                if !of_type.incomplete.is_empty() {
                    Arc::make_mut(&mut known.incomplete).extend(of_type.incomplete.iter().cloned());
                }
            });
        }
    }

    /// The same with some slices in another state, or unknown.
    #[must_use]
    pub fn patched(&self, changes: &[(SliceKey, Option<SliceState>)]) -> Self {
        let mut slices = self.clone();
        for (key, state) in changes {
            slices.set(key.clone(), state.clone());
        }
        slices
    }

    fn set(&mut self, key: SliceKey, state: Option<SliceState>) {
        let known = self.find(&key.asset_type, &key.account_id, &key.region).cloned();
        let was_there = known.is_some();
        if known == state {
            return;
        }
        if was_there != state.is_some() {
            self.places_stamp = next_stamp();
            count(&mut self.count, was_there, state.is_some());
        }
        let of_type = self.types.entry(key.asset_type.clone()).or_default();
        of_type.change(&key, known.as_ref(), state.as_ref());
        if of_type.slices == 0 {
            self.types.remove(&key.asset_type);
        }
        let account_id: Arc<str> = Arc::from(key.account_id.as_str());
        let account = Arc::make_mut(self.accounts.entry(Arc::clone(&account_id)).or_default());
        account.set(key, was_there, state);
        if account.states.is_empty() {
            self.accounts.remove(&account_id);
        }
    }

    /// All slices, ordered by account, region, type.
    #[must_use]
    pub fn all(&self) -> Vec<&SliceState> {
        let mut all: Vec<&SliceState> = Vec::with_capacity(self.count);
        for account in self.accounts.values() {
            all.extend(&account.states);
        }
        all.sort_by(|one, other| one.key.cmp(&other.key));
        all
    }

    /// The slices of a type, ordered by account and region.
    pub fn of_type<'s>(&'s self, asset_type: &'s str) -> impl Iterator<Item = &'s SliceState> {
        self.accounts.values().flat_map(|account| account.of_type(asset_type))
    }

    /// The slices of a type whose latest attempt was not complete, ordered by account and region.
    pub(crate) fn incomplete<'s>(&'s self, asset_type: &str) -> impl Iterator<Item = &'s SliceState> {
        let keys = self.types.get(asset_type).into_iter().flat_map(|of_type| of_type.incomplete.iter());
        keys.filter_map(|key| self.find(&key.asset_type, &key.account_id, &key.region))
    }

    /// Whether the latest attempt of every slice was complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.types.values().all(|of_type| of_type.incomplete.is_empty())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing was ever collected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Numbers that differ wherever the states of these types do, or the places that anything was collected from.
    pub(super) fn stamps<'t>(&self, types: impl Iterator<Item = &'t str>) -> Vec<u64> {
        let of_type = |name| self.types.get(name).map_or(0, |of_type| of_type.stamp);
        std::iter::once(self.places_stamp).chain(types.map(of_type)).collect()
    }

    /// What was told of the places where nothing is missing.
    pub(super) fn wholes(&self) -> &Wholes {
        &self.wholes
    }

    /// The stamps of where a type was collected, and where anything was; nothing for a type of which nothing was.
    pub(super) fn places_stamps(&self, asset_type: &str) -> Option<(u64, u64)> {
        Some((self.types.get(asset_type)?.keys_stamp, self.places_stamp))
    }

    /// Whether a type was collected, however that ended, wherever anything was.
    pub(super) fn is_everywhere(&self, asset_type: &str) -> bool {
        let is_account_wide = self.is_account_wide(asset_type);
        self.accounts.values().all(|account| account.has_everywhere(asset_type, is_account_wide))
    }

    /// How many slices a type has.
    #[must_use]
    pub fn count_of(&self, asset_type: &str) -> usize {
        self.types.get(asset_type).map_or(0, |of_type| of_type.slices)
    }

    /// How many slices of a type are complete since a time ([`SliceState::is_complete_since`]).
    #[must_use]
    pub fn count_complete(&self, asset_type: &str, oldest: Time) -> usize {
        self.types.get(asset_type).map_or(0, |of_type| of_type.completions.count_since(oldest))
    }

    /// When a slice of a type was last attempted; of one that is no longer there, too.
    #[must_use]
    pub fn last_attempted(&self, asset_type: &str) -> Option<Time> {
        self.types.get(asset_type)?.attempted_at
    }

    /// The first time from `oldest` on at which a slice of a type was last complete.
    #[must_use]
    pub fn first_completed(&self, asset_type: &str, oldest: Time) -> Option<Time> {
        self.types.get(asset_type)?.completions.first_since(oldest)
    }

    /// Another number wherever there is another account, region or slice.
    pub(super) fn places_stamp(&self) -> u64 {
        self.places_stamp
    }

    /// Whether anything was collected from a region of an account.
    pub(super) fn has_place(&self, account_id: &str, region: &str) -> bool {
        self.accounts.get(account_id).is_some_and(|account| account.regions.contains_key(region))
    }

    /// The slice of a type in one region (or account-wide, under [`GLOBAL_REGION`]).
    #[must_use]
    pub fn find(&self, asset_type: &str, account_id: &str, region: &str) -> Option<&SliceState> {
        self.accounts.get(account_id)?.find(asset_type, region)
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
        self.types.get(asset_type).is_some_and(|of_type| of_type.regional == 0)
    }

    /// The accounts that anything was collected from.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(AsRef::as_ref)
    }

    /// The regions that anything was collected from in an account.
    pub(crate) fn regions_of(&self, account_id: &str) -> impl Iterator<Item = &str> {
        let account = self.accounts.get(account_id).into_iter();
        account.flat_map(|account| account.regions.keys()).map(String::as_str)
    }

    /// Appends the slices of `asset_type` that keep a relation of an asset in this account and region from being
    /// complete; appends nothing where it is. An asset without a region needs the type in every region of its
    /// account, one without an account in all accounts.
    pub(crate) fn missing_for(
        &self,
        asset_type: &str,
        (account_id, region): (Option<&str>, Option<&str>),
        is_complete: &dyn Fn(&SliceState) -> bool,
        missing: &mut Vec<Need>,
    ) {
        let _ = self.each_missing(asset_type, (account_id, region), is_complete, &mut |place, state| {
            let key = state.map_or_else(
                || SliceKey::new(place.0, place.1, asset_type),
                |state: &SliceState| state.key.clone(),
            );
            missing.push(Need { key, state: state.cloned() });
            ControlFlow::Continue(())
        });
    }

    /// Whether there is any such slice.
    pub(crate) fn is_missing_for(
        &self,
        asset_type: &str,
        (account_id, region): (Option<&str>, Option<&str>),
        is_complete: &dyn Fn(&SliceState) -> bool,
    ) -> bool {
        self.each_missing(asset_type, (account_id, region), is_complete, &mut |_, _| ControlFlow::Break(()))
            .is_break()
    }

    /// Tells of each, by account and region, until told to stop.
    fn each_missing<'s>(
        &'s self,
        asset_type: &str,
        (account_id, region): (Option<&'s str>, Option<&'s str>),
        is_complete: &dyn Fn(&SliceState) -> bool,
        tell: &mut TellMissing<'_>,
    ) -> ControlFlow<()> {
        if is_own_type(asset_type) {
            return ControlFlow::Continue(());
        }
        let Some(account_id) = account_id else {
            return self.accounts().try_for_each(|account_id| {
                self.each_missing(asset_type, (Some(account_id), None), is_complete, tell)
            });
        };
        // Of a type that nobody collected nothing is looked for.
        let is_collected = self.types.contains_key(asset_type);
        let account = self.accounts.get(account_id).filter(|_| is_collected);
        let find = |region: &str| account?.find(asset_type, region);
        let global = find(GLOBAL_REGION);
        if global.is_some_and(is_complete) {
            return ControlFlow::Continue(());
        }
        let mut of_region = |region: &str| {
            let state = find(region);
            if state.is_some_and(is_complete) {
                return ControlFlow::Continue(());
            }
            tell((account_id, region), state.or(global))
        };
        match region.filter(|region| *region != GLOBAL_REGION) {
            _ if self.is_account_wide(asset_type) => {}
            Some(region) => return of_region(region),
            None => {
                let mut regions = self.regions_of(account_id).peekable();
                if regions.peek().is_some() {
                    return regions.try_for_each(of_region);
                }
            }
        }
        tell((account_id, GLOBAL_REGION), global)
    }
}

/// Is told of a slice that is missing, by account and region, with its state (or that of the account-wide one); says
/// whether to go on.
type TellMissing<'a> = dyn FnMut((&str, &str), Option<&SliceState>) -> ControlFlow<()> + 'a;

/// Changes the value of a name, made where there is none; the name is copied only then.
fn change<T: Default>(map: &mut BTreeMap<String, T>, name: &str, change: impl FnOnce(&mut T)) {
    match map.get_mut(name) {
        Some(value) => change(value),
        None => change(map.entry(name.to_owned()).or_default()),
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
        // The rest is made of the states. In the order that accounts have them, nothing is left to be sorted.
        let states = self.accounts.values().flat_map(|account| &account.states);
        let mut names = Names::default();
        let mut codes = Vec::with_capacity(self.count * NAMES);
        let mut numbers = Vec::with_capacity(self.count * NUMBERS);
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
        // Those of one account stay together.
        let mut stretches = Vec::new();
        let mut rest = (codes, numbers);
        while !rest.0.is_empty() {
            let share = codes.len().div_ceil(threads()).min(rest.0.len());
            let account = |place: usize| rest.0.get(place).map(|[account, ..]| account);
            let more = (share..rest.0.len()).take_while(|place| account(*place) == account(share - 1));
            let (stretch, after) = rest.0.split_at(share + more.count());
            let (its_numbers, numbers_after) =
                rest.1.split_at_checked(stretch.len()).ok_or(ImageError::OtherFormat)?;
            stretches.push((stretch, its_numbers));
            rest = (after, numbers_after);
        }
        let parts = in_parallel(stretches, codes.len() > WORTH_A_THREAD, |(codes, numbers)| {
            let states =
                codes.iter().zip(numbers).map(|(codes, numbers)| read_state(&names, *codes, *numbers));
            states.collect::<Option<Vec<_>>>().map(Self::of_sorted)
        });
        let mut slices = Self { places_stamp: next_stamp(), ..Self::default() };
        for part in parts {
            slices.append(part.ok_or(ImageError::OtherFormat)?);
        }
        Ok(slices)
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
