//! What shows, without the store, that assets are as the journal has them: its records from the first that matters to its
//! end, the ones that say something whole, of the others as much as it takes to compute the chain of hashes again.
//!
//! The hash of a record is BLAKE3 of the hash before, the sequence and the payload. BLAKE3 is a tree over pieces of 1,024
//! bytes, so the first piece and one inner hash a level give the root again: such a record is a few hundred bytes here,
//! however large it is in the journal. Read-only. (`docs/decisions/026-evidence.md`)

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
    sync::PoisonError,
};

use blake3::{
    Hasher,
    hazmat::{HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root},
};

use super::{
    Store,
    codec::{Entry, SliceEntry},
    error::StoreError,
    folder::Folder,
    journal::{self, NO_HASH, PAYLOAD_LIMIT, Position},
    past::read_entry,
    read::{Listing, choose, states_of},
    timeline::{InForce, scan_commits},
};
use crate::model::{Asset, Outcome, SliceKey, SliceState, Time};

/// A piece of BLAKE3's tree.
const CHUNK_BYTES: usize = blake3::CHUNK_LEN;
/// What stands before the payload in what is hashed: the hash before and the sequence.
const PREFIX_BYTES: usize = 32 + 8;
/// The bytes of a payload in the first piece.
const HEAD_BYTES: usize = CHUNK_BYTES - PREFIX_BYTES;

/// Records of a journal, one after the other, up to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The hash of the record before the first.
    pub previous: [u8; 32],
    /// Without a gap.
    pub records: Vec<ProofRecord>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRecord {
    /// Its number.
    pub sequence: u64,
    /// Its hash, as the journal has it.
    pub hash: [u8; 32],
    /// What its hash is computed from.
    pub body: RecordBody,
}

/// What the hash of a record is computed from, beside the hash before and the sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordBody {
    /// The payload.
    Whole(Vec<u8>),
    /// The beginning of the payload, and the inner hashes to its right, the nearest first.
    Spine {
        /// 984 bytes.
        head: Vec<u8>,
        /// One a level of the tree.
        siblings: Vec<[u8; 32]>,
    },
}

/// Something in a proof that does not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainFault {
    /// The record.
    pub sequence: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// What the records of a proof add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// Every asset there was, by type and id.
    pub assets: Vec<Asset>,
    /// The slices, sorted.
    pub slices: Vec<SliceState>,
}

impl Store {
    /// The proof for everything of some types as a commit left it.
    ///
    /// # Errors
    /// Where index or journal can't be read.
    pub fn proof(&self, in_force: InForce, types: &BTreeSet<String>) -> Result<Proof, StoreError> {
        // No record is written meanwhile.
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = self.telling(in_force.sequence, types)?;
        let end = self.sequence();
        let first = whole.first().copied().unwrap_or(end + 1);
        let before = self.revision_at(first - 1)?.map_or(NO_HASH, |revision| revision.hash);
        let mut records = Vec::new();
        journal::replay(&self.folder.journal, first - 1, &mut |record| {
            if record.sequence <= end {
                let is_whole = whole.contains(&record.sequence);
                let previous = records.last().map_or(before, |last: &ProofRecord| last.hash);
                let body = RecordBody::of(&previous, record.sequence, &record.payload, is_whole);
                records.push(ProofRecord { sequence: record.sequence, hash: record.hash, body });
            }
            Ok(())
        })?;
        Ok(Proof { previous: before, records })
    }

    /// The records that say something of the types: what changed, how each slice ended last, and when it was last whole.
    fn telling(&self, sequence: u64, types: &BTreeSet<String>) -> Result<BTreeSet<u64>, StoreError> {
        let (mut whole, mut attempted, mut completed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let index = self.index();
        scan_commits(&index, 1, sequence, &mut |sequence, commit| {
            if !types.contains(&commit.asset_type) {
                return Ok(());
            }
            let Some(key) = commit.slice() else { return Ok(()) };
            let mut tells = attempted.insert(key.clone()) || commit.touched > 0;
            if !completed.contains(&key) {
                let position = Position { sequence, segment: commit.segment, offset: commit.offset };
                let entry = read_entry(&self.folder.journal, position)?;
                if let Entry::Slice(entry) = entry
                    && entry.outcome == Outcome::Complete.as_str()
                {
                    completed.insert(key);
                    tells = true;
                }
            }
            if tells {
                whole.insert(sequence);
            }
            Ok(())
        })?;
        Ok(whole)
    }
}

impl RecordBody {
    fn of(previous: &[u8; 32], sequence: u64, payload: &[u8], is_whole: bool) -> Self {
        if is_whole || payload.len() <= HEAD_BYTES {
            return Self::Whole(payload.to_vec());
        }
        let mut input = Vec::with_capacity(PREFIX_BYTES + payload.len());
        input.extend_from_slice(previous);
        input.extend_from_slice(&sequence.to_le_bytes());
        input.extend_from_slice(payload);
        let mut siblings = Vec::new();
        let mut left: &[u8] = &input;
        while left.len() > CHUNK_BYTES {
            let length = left_subtree_len(left.len() as u64);
            let (inner, right) = left.split_at(usize::try_from(length).unwrap_or(left.len()));
            siblings.push(Hasher::new().set_input_offset(length).update(right).finalize_non_root());
            left = inner;
        }
        siblings.reverse();
        Self::Spine { head: payload.get(..HEAD_BYTES).unwrap_or(payload).to_vec(), siblings }
    }

    /// The hash of a record with this body; nothing where it can be no body.
    fn hash(&self, previous: &[u8; 32], sequence: u64) -> Option<[u8; 32]> {
        let mut hasher = Hasher::new();
        hasher.update(previous).update(&sequence.to_le_bytes());
        match self {
            Self::Whole(payload) => Some(*hasher.update(payload).finalize().as_bytes()),
            Self::Spine { head, siblings } => {
                let (top, lower) = siblings.split_last().filter(|_| head.len() == HEAD_BYTES)?;
                let first = hasher.update(head).finalize_non_root();
                let left =
                    lower.iter().fold(first, |left, right| merge_subtrees_non_root(&left, right, Mode::Hash));
                Some(*merge_subtrees_root(&left, top, Mode::Hash).as_bytes())
            }
        }
    }
}

impl Proof {
    /// The hash it ends with: whoever noted it when the journal ended there can hold it against this one.
    #[must_use]
    pub fn end(&self) -> [u8; 32] {
        self.records.last().map_or(self.previous, |record| record.hash)
    }

    /// Every record whose hash does not follow from the one before; empty where the chain holds.
    #[must_use]
    pub fn faults(&self) -> Vec<ChainFault> {
        let mut faults = Vec::new();
        let mut previous = self.previous;
        let mut expected = self.records.first().map_or(1, |record| record.sequence);
        if expected == 0 || (expected == 1 && previous != NO_HASH) {
            let problem = "it is said to follow a record before the first".to_owned();
            faults.push(ChainFault { sequence: expected, problem });
        }
        for record in &self.records {
            let mut fault = |problem: String| faults.push(ChainFault { sequence: record.sequence, problem });
            if record.sequence != expected {
                fault(format!("record {expected} should stand there"));
            } else if record.body.hash(&previous, record.sequence) != Some(record.hash) {
                fault("its hash does not follow from its content and the record before".to_owned());
            }
            previous = record.hash;
            expected = record.sequence.saturating_add(1);
        }
        faults
    }

    /// The assets and slices of some types that the whole records up to a commit add up to, by the store's own rules.
    ///
    /// # Errors
    /// A record that can't be read.
    pub fn replay(&self, sequence: u64, types: &BTreeSet<String>) -> Result<Replayed, StoreError> {
        let mut replay = Replay::default();
        for record in self.records.iter().filter(|record| record.sequence <= sequence) {
            let RecordBody::Whole(payload) = &record.body else { continue };
            if let Some(Entry::Slice(entry)) = decode(record.sequence, payload)?
                && types.contains(&entry.asset_type)
            {
                replay.take(entry, record.sequence)?;
            }
        }
        Ok(replay.finish())
    }
}

/// What a record says; nothing where it is of a kind that lists no assets.
fn decode(sequence: u64, payload: &[u8]) -> Result<Option<Entry>, StoreError> {
    let unreadable = |source| StoreError::Unreadable { sequence, source };
    let mut json = Vec::new();
    let limit = PAYLOAD_LIMIT as u64;
    let decoder = zstd::Decoder::new(payload).map_err(unreadable)?;
    decoder.take(limit).read_to_end(&mut json).map_err(unreadable)?;
    serde_json::from_slice(&json).map(Some).map_err(|error| unreadable(std::io::Error::other(error)))
}

/// An asset as one slice lists it.
struct Listed {
    asset: Asset,
    changed_at: i64,
}

/// Records being added up.
#[derive(Default)]
struct Replay {
    slices: BTreeMap<SliceKey, SliceState>,
    /// By type and id, then slice: the order in which the store looks at them.
    listed: BTreeMap<(String, String), BTreeMap<(String, String), Listed>>,
    /// When an asset was first seen, by type and id.
    first_seen: BTreeMap<(String, String), i64>,
}

impl Replay {
    fn take(&mut self, entry: SliceEntry, sequence: u64) -> Result<(), StoreError> {
        let unreadable =
            |problem: String| StoreError::Unreadable { sequence, source: std::io::Error::other(problem) };
        let key = entry.key();
        let at = Time::from_millis(entry.at).ok_or_else(|| unreadable("its time is none".to_owned()))?;
        let outcome: Outcome = entry.outcome.parse().map_err(|error| unreadable(format!("{error}")))?;
        let place = (key.account_id.clone(), key.region.clone());
        for put in entry.puts {
            let value =
                serde_json::from_str(put.asset.get()).map_err(|error| unreadable(error.to_string()))?;
            let asset = Asset::from_json(value).map_err(|error| unreadable(error.to_string()))?;
            let name = (key.asset_type.clone(), put.id);
            self.first_seen.entry(name.clone()).or_insert(entry.at);
            let listed = Listed { asset, changed_at: entry.at };
            self.listed.entry(name).or_default().insert(place.clone(), listed);
        }
        for id in entry.removes {
            if let Some(listings) = self.listed.get_mut(&(key.asset_type.clone(), id)) {
                listings.remove(&place);
            }
        }
        let before = self.slices.get(&key).and_then(|state| state.completed_at);
        let state = SliceState {
            key: key.clone(),
            api: entry.api,
            outcome,
            reason: entry.reason,
            attempted_at: Some(at),
            completed_at: if outcome == Outcome::Complete { Some(at) } else { before },
            assets: 0,
        };
        self.slices.insert(key, state);
        Ok(())
    }

    fn finish(mut self) -> Replayed {
        for ((asset_type, _), listings) in &self.listed {
            for (account_id, region) in listings.keys() {
                let key = SliceKey::new(account_id, region, asset_type);
                if let Some(state) = self.slices.get_mut(&key) {
                    state.assets += 1;
                }
            }
        }
        let slices: Vec<SliceState> = self.slices.into_values().collect();
        let states = states_of(&slices);
        let mut assets = Vec::new();
        for (name, listings) in self.listed {
            let first_seen = self.first_seen.get(&name).copied().unwrap_or_default();
            let group = listings.into_iter().map(|((account_id, region), listed)| {
                let slice = SliceKey::new(account_id, region, &name.0);
                Listing::new(slice, listed.asset, (first_seen, listed.changed_at), &states)
            });
            assets.extend(choose(group, &states).map(Listing::into_asset));
        }
        drop(states);
        Replayed { assets, slices }
    }
}

/// Holds a proof against the journal of a store: which records differ there, and which of them say something of the types
/// and are missing from the proof. The store may be in use: only what is confirmed long since is read.
///
/// # Errors
/// Where there is no store, or its journal can't be read.
pub fn compare_with_journal(
    dir: &Path,
    proof: &Proof,
    sequence: u64,
    types: &BTreeSet<String>,
) -> Result<Vec<ChainFault>, StoreError> {
    let folder = Folder::new(dir);
    if !dir.is_dir() || !folder.has_store()? {
        return Err(StoreError::Absent { dir: dir.to_owned() });
    }
    let mut faults = Vec::new();
    let mut fault = |sequence: u64, problem: &str| {
        faults.push(ChainFault { sequence, problem: problem.to_owned() });
    };
    let shown: BTreeMap<u64, &ProofRecord> =
        proof.records.iter().map(|record| (record.sequence, record)).collect();
    let end = proof.records.last().map_or(sequence, |record| record.sequence);
    let (mut last, mut previous) = (0, NO_HASH);
    let mut visit = |record: &journal::Record| {
        if record.sequence > end {
            return Ok(());
        }
        let hash = RecordBody::Whole(record.payload.clone()).hash(&previous, record.sequence);
        if hash != Some(record.hash) {
            fault(record.sequence, "the store's own record does not follow from the one before");
        }
        (last, previous) = (record.sequence, record.hash);
        match shown.get(&record.sequence) {
            Some(found) if found.hash != record.hash => {
                fault(record.sequence, "the store has another record there")
            }
            Some(ProofRecord { body: RecordBody::Whole(_), .. }) => {}
            _ if record.sequence > sequence => {}
            // What is not shown whole must have nothing to say.
            _ => {
                if let Some(Entry::Slice(entry)) = decode(record.sequence, &record.payload)?
                    && types.contains(&entry.asset_type)
                    && !(entry.puts.is_empty() && entry.removes.is_empty())
                {
                    fault(record.sequence, "it changed assets that the bundle is about, and is not in it");
                }
            }
        }
        Ok(())
    };
    let read = journal::replay(&folder.journal, 0, &mut visit);
    if last < end {
        // Behind what the proof is about, a record may be half written by whoever has the store open.
        read?;
        fault(end, "the store's journal ends before it");
    }
    Ok(faults)
}
