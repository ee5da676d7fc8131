//! Regions that a narrowed collection left out: no verdict speaks of them, and that is said.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use passmuster::{
    check::unread_regions,
    graph::{Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
};

use super::shipped;

const NOW: &str = "2026-11-20T12:00:00Z";

fn region(account: &str, region: &str, status: &str) -> Asset {
    Asset::new("Region", format!("{account}/{region}"))
        .with("accountId", account)
        .with("region", region)
        .with("optInStatus", status)
}

fn slice(account: &str, region: &str, outcome: Outcome) -> SliceState {
    SliceState {
        key: SliceKey::new(account, region, "Vpc"),
        api: String::new(),
        outcome,
        reason: None,
        attempted_at: None,
        completed_at: None,
        assets: 0,
    }
}

fn graph_of(assets: &[Asset], slices: Option<Vec<SliceState>>) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(shipped().0.catalog()));
    for asset in assets {
        builder.push(asset).expect("an asset");
    }
    let now: Time = NOW.parse().expect("a time");
    builder.finish(slices, now).expect("a graph")
}

#[test]
fn an_enabled_region_that_was_never_read_is_told_of() {
    let regions = [
        region("1", "eu-west-1", "opt-in-not-required"),
        region("1", "us-east-1", "opt-in-not-required"),
        region("1", "af-south-1", "opted-in"),
        region("1", "me-south-1", "not-opted-in"),
        region("2", "us-east-1", "opt-in-not-required"),
        // Nothing at all was read of it: its verdicts are UNKNOWN.
        region("3", "us-east-1", "opt-in-not-required"),
    ];
    let slices = vec![
        slice("1", "eu-west-1", Outcome::Complete),
        // What could not be read is unknown, and no region that was left out.
        slice("2", "us-east-1", Outcome::Denied),
    ];
    let told = unread_regions(&graph_of(&regions, Some(slices)));
    let left_out = BTreeSet::from(["af-south-1", "us-east-1"].map(str::to_owned));
    assert_eq!(told, BTreeMap::from([("1".to_owned(), left_out)]));
    assert_eq!(unread_regions(&graph_of(&regions, None)), BTreeMap::new(), "a file counts as it stands");
    assert_eq!(unread_regions(&graph_of(&[], Some(Vec::new()))), BTreeMap::new());
}
