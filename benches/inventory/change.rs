//! What a change costs: the graph patched by a slice of 1,000 VPCs, beside building it whole. Prints minima.

use std::time::{Duration, Instant};

use passmuster::{
    catalog::TypeId,
    graph::{Changes, Graph, Patched},
    model::{Asset, Time},
    query::Engine,
};
use serde_json::json;

const SLICE: u32 = 1000;
const REPEATS: usize = 7;
/// The check whose verdict follows.
const CHECK: &str =
    r#"{ vpcs(where: {OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}]}) { id } }"#;

fn now() -> Time {
    Time::from_millis(1_700_000_000_000).expect("a moment")
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

/// Prints what changes of one slice cost, and the first check and query afterwards.
pub fn measure(graph: &Graph, engine: &Engine, built_in: Duration) {
    let (of, _) = graph.catalog().find("Vpc").expect("the type of VPCs");
    let begun = Instant::now();
    graph.index_keys();
    println!("built whole in {built_in:.2?}; keys indexed in {:.2?}", begun.elapsed());
    let assets = vpcs(graph, of);
    let with = |change: &dyn Fn(usize, Asset) -> Asset| -> Changes {
        let put = assets.iter().cloned().enumerate().map(|(place, asset)| change(place, asset)).collect();
        Changes { put, ..Changes::default() }
    };
    let renamed = with(&|place, asset| asset.with("name", format!("renamed {}", place % 300)));
    let seen = with(&|_, asset| asset.with("state", "pending"));
    let same = with(&|_, asset| asset);
    let new = with(&|place, mut asset| {
        asset.id = format!("{}-new", asset.id);
        asset.with("vpcId", format!("vpc-new-{place}")).with("tags", json!([{"key": "env", "value": "new"}]))
    });
    let removed = assets.iter().map(|asset| (asset.typename.clone(), asset.id.clone())).collect();
    let gone = Changes { removed, ..Changes::default() };
    let cases = [
        ("nothing differs", &same),
        ("one field differs", &seen),
        ("names differ", &renamed),
        ("1,000 new", &new),
        ("1,000 gone", &gone),
    ];
    for (name, changes) in cases {
        let (took, patched) = patch(graph, changes);
        let begun = Instant::now();
        let judged = engine.judge(&patched.graph, CHECK, None).expect("a check");
        let judging = begun.elapsed();
        let failing: usize = judged.types.iter().map(|judged| judged.failing.len()).sum();
        println!(
            "  {name:18} patched in {took:>9.2?}, judged in {judging:>9.2?} ({failing} fail), {:?}",
            patched.work
        );
    }
}
