//! What a result says of each asset by name: of those that fail or are not known, and of those that are remembered to
//! have failed and are neither now.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use super::{
    super::{
        definition::Check,
        result::{AssetName, CheckResult, Reason, Verdict},
    },
    finding::{Finding, SeenSlice, finding_id},
};
use crate::{
    graph::Graph,
    model::{SliceKey, SliceState, Time},
};

/// What a result says of one asset, or of a check as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It certainly fails.
    Fails {
        /// The asset; nothing for a check as a whole.
        asset: Option<AssetName>,
        /// The labels of the priority rules that are true of it.
        priority: Vec<String>,
        /// The slices that show it.
        seen_in: Arc<[SeenSlice]>,
    },
    /// Nobody can say.
    Unknown {
        /// The asset; nothing for a check as a whole.
        asset: Option<AssetName>,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// It certainly passes.
    Passes {
        /// The slices that show it.
        seen_in: Arc<[SeenSlice]>,
    },
    /// It is certainly gone: where it would be listed was seen whole, and it was not there.
    Gone {
        /// The slices that show it.
        seen_in: Arc<[SeenSlice]>,
    },
    /// It is not there, and where it would be listed was not seen whole, or not lately.
    Unseen,
    /// It is there, and the check doesn't judge it.
    NotCovered,
}

/// What a result says of every asset that fails or is not known, and of those that `known` findings are about; by the
/// ids of findings. Nothing where the check could not be run: then it says nothing of anything.
#[must_use]
pub fn standings<'f>(
    check: &Check,
    result: &CheckResult,
    graph: &Graph,
    known: impl Iterator<Item = &'f Finding>,
    now: Time,
) -> Option<BTreeMap<String, Standing>> {
    if result.verdict == Verdict::Error {
        return None;
    }
    let oldest = now.before(check.max_age.0);
    let places = Places { check, graph, oldest, verdict: result.verdict, known: RefCell::default() };
    let mut standings = BTreeMap::new();
    if result.figure.is_some() {
        // Which slices that rests on is for the run to say: there may be thousands.
        let standing = match result.verdict {
            Verdict::Fail => Standing::Fails { asset: None, priority: Vec::new(), seen_in: places.nothing() },
            Verdict::Unknown => Standing::Unknown { asset: None, reasons: result.unknown_coverage.clone() },
            Verdict::Pass | Verdict::NotApplicable | Verdict::Error => {
                Standing::Passes { seen_in: places.nothing() }
            }
        };
        standings.insert(finding_id(&check.id, None), standing);
    }
    for finding in &result.findings {
        let id = finding_id(&check.id, Some(&finding.asset.id));
        let asset = Some(AssetName::clone(&finding.asset));
        let (priority, seen_in) = (finding.priority.clone(), places.of(&finding.asset));
        standings.insert(id, Standing::Fails { asset, priority, seen_in });
    }
    for unknown in &result.unknown {
        let id = finding_id(&check.id, Some(&unknown.asset.id));
        let asset = Some(AssetName::clone(&unknown.asset));
        standings.insert(id, Standing::Unknown { asset, reasons: unknown.reasons.to_vec() });
    }
    for finding in known {
        if !standings.contains_key(&finding.id) {
            standings.insert(finding.id.clone(), places.standing(finding.asset.as_ref()));
        }
    }
    Some(standings)
}

/// Account and region.
type Place = (Option<String>, Option<String>);

/// Where the assets of a check are seen.
struct Places<'a> {
    check: &'a Check,
    graph: &'a Graph,
    oldest: Time,
    verdict: Verdict,
    /// The slices of each place: there are few places and many assets.
    known: RefCell<BTreeMap<Place, Arc<[SeenSlice]>>>,
}

impl Places<'_> {
    /// Of an asset that neither fails nor is unknown.
    fn standing(&self, asset: Option<&AssetName>) -> Standing {
        let Some(asset) = asset else { return self.standing_as_a_whole() };
        let catalog = self.graph.catalog();
        let is_there =
            catalog.find(&asset.typename).is_some_and(|(of, _)| self.graph.find(of, &asset.id).is_some());
        let is_judged = self.check.judged.contains(&asset.typename);
        match (is_there, is_judged) {
            (true, true) => Standing::Passes { seen_in: self.of(asset) },
            (true, false) => Standing::NotCovered,
            (false, _) => match self.absence(asset) {
                Some(seen_in) => Standing::Gone { seen_in },
                None => Standing::Unseen,
            },
        }
    }

    /// Of a check as a whole, where the result says nothing of it.
    fn standing_as_a_whole(&self) -> Standing {
        match (self.check.is_judged_by_policy(), self.verdict) {
            // It had one verdict as a whole once, and judges asset by asset now.
            (false, _) => Standing::NotCovered,
            (true, Verdict::Unknown) => Standing::Unseen,
            // What the policy denies, it denies of assets that it names.
            (true, _) => Standing::Passes { seen_in: self.nothing() },
        }
    }

    /// The slice that shows that an asset is gone; nothing where that is not certain.
    fn absence(&self, asset: &AssetName) -> Option<Arc<[SeenSlice]>> {
        // A file without slices is complete as it stands.
        let Some(slices) = self.graph.slices() else { return Some(self.nothing()) };
        let account_id = asset.account_id.as_deref()?;
        let own = slices.own(&asset.typename, account_id, asset.region.as_deref())?;
        own.is_complete_since(Some(self.oldest)).then(|| Arc::from([seen(own)]))
    }

    /// The slices of the types that the verdict rests on, where an asset is.
    fn of(&self, asset: &AssetName) -> Arc<[SeenSlice]> {
        let place = (asset.account_id.clone(), asset.region.clone());
        let mut known = self.known.borrow_mut();
        Arc::clone(known.entry(place).or_insert_with(|| self.slices_of(asset)))
    }

    fn slices_of(&self, asset: &AssetName) -> Arc<[SeenSlice]> {
        let (Some(slices), Some(account_id)) = (self.graph.slices(), asset.account_id.as_deref()) else {
            return self.nothing();
        };
        let own = |typename: &String| slices.own(typename, account_id, asset.region.as_deref());
        let mut found: Vec<SeenSlice> = self.check.touches.iter().filter_map(own).map(seen).collect();
        found.sort();
        found.dedup();
        found.into()
    }

    fn nothing(&self) -> Arc<[SeenSlice]> {
        Arc::from([])
    }
}

fn seen(state: &SliceState) -> SeenSlice {
    let SliceKey { account_id, region, asset_type } = &state.key;
    SeenSlice { slice_id: format!("{account_id}/{region}/{asset_type}"), completed_at: state.completed_at }
}
