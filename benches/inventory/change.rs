//! What a change costs: the graph patched by a slice of 1,000 VPCs, until queries see it and until the verdict of every
//! shipped check is that of the new graph. Prints minima.

use std::time::{Duration, Instant};

use passmuster::{
    catalog::TypeId,
    check::{Check, RememberedVerdicts},
    graph::{Changes, Graph, Patched},
    model::{Asset, SliceKey, SliceState, Time},
    query::Engine,
};
use serde_json::json;

const SLICE: u32 = 1000;
const REPEATS: usize = 7;
/// A moment after the slices of the inventory were collected.
pub fn now() -> Time {
    "2026-11-21T01:00:00Z".parse().expect("a moment")
}

/// The slice of an asset, collected again; nothing in an inventory without slices.
fn collected_again(graph: &Graph, asset: &Asset) -> Vec<(SliceKey, Option<SliceState>)> {
    let known = graph.slices().zip(asset.account_id()).zip(asset.region());
    let known = known.and_then(|((slices, account), region)| slices.find(&asset.typename, account, region));
    let again = |state: &SliceState| SliceState { completed_at: Some(now()), ..state.clone() };
    known.map(|state| (state.key.clone(), Some(again(state)))).into_iter().collect()
}

/// The VPCs of some rows.
fn vpcs(graph: &Graph, of: TypeId) -> Vec<Asset> {
    let rows = (0..SLICE).take(graph.count(of));
    rows.map(|row| {
        let mut json = Vec::new();
        graph.write_asset(of, row, &mut json);
        Asset::from_json(serde_json::from_slice(&json).expect("an asset is JSON")).expect("an asset")
    })
    .collect()
}

/// The least of several times, and the last patch.
fn patch(graph: &Graph, changes: &Changes) -> (Duration, Patched) {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..REPEATS {
        let begun = Instant::now();
        let patched = graph.patched(changes, now()).expect("a patch");
        times.push(begun.elapsed());
        last = Some(patched);
    }
    (times.into_iter().min().expect("times"), last.expect("a patch"))
}

/// Prints what changes of one slice cost, and all checks afterwards.
pub fn measure(graph: &Graph, engine: &Engine, checks: &[Check]) {
    let (of, _) = graph.catalog().find("Vpc").expect("the type of VPCs");
    let begun = Instant::now();
    graph.index_keys();
    println!("  keys indexed in {:.2?}", begun.elapsed());
    let mut verdicts = RememberedVerdicts::default();
    let begun = Instant::now();
    verdicts.evaluate_all(checks, engine, graph, now());
    println!("  all {} checks judged in {:.2?}", checks.len(), begun.elapsed());
    let assets = vpcs(graph, of);
    let slices = assets.first().map(|first| collected_again(graph, first)).unwrap_or_default();
    let with = |change: &dyn Fn(usize, Asset) -> Asset| -> Changes {
        let put = assets.iter().cloned().enumerate().map(|(place, asset)| change(place, asset)).collect();
        Changes { put, slices: slices.clone(), ..Changes::default() }
    };
    let renamed = with(&|place, asset| asset.with("name", format!("renamed {}", place % 300)));
    let seen = with(&|_, asset| asset.with("state", "pending"));
    let same = with(&|_, asset| asset);
    let new = with(&|place, mut asset| {
        asset.id = format!("{}-new", asset.id);
        asset.with("vpcId", format!("vpc-new-{place}")).with("tags", json!([{"key": "env", "value": "new"}]))
    });
    let removed = assets.iter().map(|asset| (asset.typename.clone(), asset.id.clone())).collect();
    let gone = Changes { removed, slices: slices.clone(), ..Changes::default() };
    let cases = [
        ("nothing differs", &same),
        ("one field differs", &seen),
        ("names differ", &renamed),
        ("1,000 new", &new),
        ("1,000 gone", &gone),
    ];
    for (name, changes) in cases {
        let (took, patched) = patch(graph, changes);
        verdicts.evaluate_all(checks, engine, graph, now());
        let (before, begun) = (verdicts.evaluated(), Instant::now());
        verdicts.evaluate_all(checks, engine, &patched.graph, now());
        println!(
            "  {name:18} patched in {took:>9.2?}, {} checks judged again in {:>9.2?}, {:?}",
            verdicts.evaluated() - before,
            begun.elapsed(),
            patched.work
        );
    }
}
