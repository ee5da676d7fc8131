//! Holding a bundle against itself: its parts against their digests, its records against each other, its assets and slices
//! against its records, its verdict against its assets.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use serde_json::Value;

use super::{
    Evidence,
    gather::{Bench, slice_of_json, slice_to_json},
    result,
};
use crate::{
    model::{Asset, SliceState, Time},
    store::{ChainFault, Proof, StoreError, compare_with_journal},
};

/// The most differences of one kind that are named.
const MOST_NAMED: usize = 20;

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The part: `verdict`, `files`, `schema`, `slices`, `assets`, `journal` or `store`.
    pub part: &'static str,
    /// What differs.
    pub problem: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.part, self.problem)
    }
}

/// What was found.
#[derive(Default)]
struct Told(Vec<Disagreement>);

impl Told {
    fn tell(&mut self, part: &'static str, problem: impl Into<String>) {
        self.0.push(Disagreement { part, problem: problem.into() });
    }

    fn tell_all(&mut self, part: &'static str, problems: impl IntoIterator<Item = String>) {
        let mut problems = problems.into_iter();
        for problem in problems.by_ref().take(MOST_NAMED) {
            self.tell(part, problem);
        }
        let more = problems.count();
        if more > 0 {
            self.tell(part, format!("and {more} more differences"));
        }
    }
}

const PARTS: [&str; 6] = ["verdict", "files", "schema", "slices", "assets", "journal"];

impl Evidence {
    /// Everything in it that does not agree with the rest; empty where all does. Nothing else is asked: no store, no
    /// network, no clock.
    #[must_use]
    pub fn verify(&self) -> Vec<Disagreement> {
        let mut told = Told::default();
        let digests = self.digests();
        for part in PARTS {
            if self.digests.get(part) != digests.get(part) {
                told.tell(part, "it is not what its digest says: it was changed after the bundle was made");
            }
        }
        let bench = match Bench::set_up(&self.schema, &self.files, &self.check) {
            Ok(bench) => bench,
            Err(error) => {
                told.tell("files", chain(&error));
                return told.0;
            }
        };
        let stated: BTreeSet<String> = self.types.iter().cloned().collect();
        if stated != bench.types {
            told.tell("schema", format!("the verdict rests on {:?}, not on {:?}", bench.types, stated));
        }
        self.judge(&bench, &mut told);
        match self.journal.proof() {
            Ok(proof) => self.replay(&bench, &proof, &mut told),
            Err(problem) => told.tell("journal", problem),
        }
        told.0
    }

    /// Holds its records against the journal of a store, which may be in use.
    ///
    /// # Errors
    /// Where there is no store, or its journal can't be read.
    pub fn compare_with_store(&self, folder: &Path) -> Result<Vec<Disagreement>, StoreError> {
        let mut told = Told::default();
        let Ok(proof) = self.journal.proof() else { return Ok(told.0) };
        let types = self.types.iter().cloned().collect();
        let faults = compare_with_journal(folder, &proof, self.journal.in_force, &types)?;
        told.tell_all("store", faults.iter().map(describe));
        Ok(told.0)
    }

    /// The verdict, computed again from the assets and slices.
    fn judge(&self, bench: &Bench, told: &mut Told) {
        let at: Option<Time> = self.at.parse().ok();
        let assets: Result<Vec<Asset>, _> = self.assets.iter().cloned().map(Asset::from_json).collect();
        let slices: Option<Vec<SliceState>> = self.slices.iter().map(slice_of_json).collect();
        let (at, assets, slices) = match (at, assets, slices) {
            (Some(at), Ok(assets), Some(slices)) => (at, assets, slices),
            (None, ..) => return told.tell("verdict", format!("`{}` is no moment", self.at)),
            (_, Err(error), _) => return told.tell("assets", error.to_string()),
            (_, _, None) => return told.tell("slices", "one of them is no slice"),
        };
        match bench.judge(&assets, slices, at) {
            Ok(found) => {
                let found = result::to_json(&found);
                told.tell_all("verdict", result::differences(&self.result, &found));
            }
            Err(error) => told.tell("assets", chain(&error)),
        }
    }

    /// The assets and slices, computed again from the records.
    fn replay(&self, bench: &Bench, proof: &Proof, told: &mut Told) {
        told.tell_all("journal", proof.faults().iter().map(describe));
        let last = proof.records.last().map_or(0, |record| record.sequence);
        if !proof.records.is_empty() && last < self.journal.in_force {
            let problem = format!("it ends at record {last}, before {}", self.journal.in_force);
            told.tell("journal", problem);
        }
        let mut replayed = match proof.replay(self.journal.in_force, &bench.types) {
            Ok(replayed) => replayed,
            Err(error) => return told.tell("journal", chain(&error)),
        };
        bench.fit(&mut replayed.assets);
        let assets: Vec<Value> = replayed.assets.iter().map(Asset::to_json).collect();
        told.tell_all("assets", compare("asset", &self.assets, &assets, asset_name));
        let slices: Vec<Value> = replayed.slices.iter().map(slice_to_json).collect();
        told.tell_all("slices", compare("slice", &self.slices, &slices, slice_name));
    }
}

fn describe(fault: &ChainFault) -> String {
    format!("record {}: {}", fault.sequence, fault.problem)
}

/// What the bundle holds against what its records give, each by name.
fn compare(what: &str, held: &[Value], given: &[Value], name: fn(&Value) -> String) -> Vec<String> {
    fn by_name(all: &[Value], name: fn(&Value) -> String) -> BTreeMap<String, &Value> {
        all.iter().map(|one| (name(one), one)).collect()
    }
    let (by_held, by_given) = (by_name(held, name), by_name(given, name));
    let names: BTreeSet<&String> = by_held.keys().chain(by_given.keys()).collect();
    let mut told: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (by_held.get(name), by_given.get(name)) {
            (None, Some(_)) => Some(format!("the {what} {name} is missing: the records hold it")),
            (Some(_), None) => Some(format!("the {what} {name} is in no record")),
            (Some(held), Some(given)) => other_fields(held, given)
                .map(|fields| format!("the {what} {name} is not as the records hold it: {fields}")),
            (None, None) => None,
        })
        .collect();
    if told.is_empty() && held != given {
        told.push(format!("the {what}s are in another order, or one stands twice"));
    }
    told
}

/// The fields that two objects differ in.
fn other_fields(held: &Value, given: &Value) -> Option<String> {
    if held == given {
        return None;
    }
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
    };
    let all: BTreeSet<String> = keys(held).union(&keys(given)).cloned().collect();
    let fields: Vec<String> = all.into_iter().filter(|key| held.get(key) != given.get(key)).collect();
    Some(fields.join(", "))
}

fn asset_name(asset: &Value) -> String {
    let text = |key: &str| asset.get(key).and_then(Value::as_str).unwrap_or("?");
    format!("{} {}", text("__typename"), text("id"))
}

fn slice_name(slice: &Value) -> String {
    let text = |key: &str| slice.get(key).and_then(Value::as_str).unwrap_or("?");
    format!("{} {} {}", text("accountId"), text("region"), text("assetType"))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
