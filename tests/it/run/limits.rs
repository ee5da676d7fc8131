//! Limits: each an error that names the limit and the actual value.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use passmuster::query::{
    Filters, Nodes, Output, OutputField, OutputKind, ResponseKey, RootKind,
    run::{RunError, RunLimits, Stop, run},
};
use serde_json::json;

use super::support::{World, a_box, graph_of, item, plan};

fn three_boxes() -> World {
    graph_of(vec![
        a_box("a", json!({})),
        a_box("b", json!({})),
        a_box("c", json!({})),
        item("i", json!({"boxId": "a"})),
    ])
}

fn run_within(world: &World, nodes: Nodes, limits: &RunLimits<'_>) -> Result<u64, RunError> {
    run(&plan(RootKind::Nodes(nodes)), &world.graph, &BTreeMap::new(), limits).map(|ran| ran.rows)
}

#[test]
fn more_rows_than_allowed_are_refused_with_both_figures() {
    let world = three_boxes();
    let boxes = || world.nodes("Box", Filters::default());
    let limits = |max_rows| RunLimits { max_rows, ..RunLimits::unlimited() };
    assert_eq!(run_within(&world, boxes(), &limits(3)), Ok(3));
    assert_eq!(run_within(&world, boxes(), &limits(2)), Err(RunError::TooManyRows { limit: 2, actual: 3 }));
    assert_eq!(run_within(&world, Nodes { limit: Some(2), ..boxes() }, &limits(2)), Ok(2));
}

#[test]
fn nested_rows_count_as_well() {
    let world = three_boxes();
    let items = OutputKind::Many {
        field: world.field("Box", "items"),
        nodes: world.nodes("Item", Filters::default()),
    };
    let output =
        Output(vec![(world.of("Box"), vec![OutputField { key: ResponseKey::new("items"), kind: items }])]);
    let nodes = || Nodes { output: output.clone(), ..world.nodes("Box", Filters::default()) };
    let limits = |max_rows| RunLimits { max_rows, ..RunLimits::unlimited() };
    assert_eq!(run_within(&world, nodes(), &limits(4)), Ok(4));
    assert_eq!(run_within(&world, nodes(), &limits(3)), Err(RunError::TooManyRows { limit: 3, actual: 4 }));
}

#[test]
fn more_bytes_than_allowed_are_refused() {
    let world = three_boxes();
    let limits = RunLimits { max_bytes: 20, ..RunLimits::unlimited() };
    let refused = run_within(&world, world.nodes("Box", Filters::default()), &limits);
    assert!(matches!(refused, Err(RunError::TooManyBytes { limit: 20, actual: 21.. })), "{refused:?}");
}

#[test]
fn a_run_stops_when_its_time_is_up_or_nobody_waits() {
    let world = three_boxes();
    let boxes = || world.nodes("Box", world.filters("Box", world.is_null("text")));
    let time_is_up =
        || Some(Stop::OutOfTime { limit: Duration::from_millis(5), elapsed: Duration::from_millis(7) });
    let limits = RunLimits { stop: &time_is_up, ..RunLimits::unlimited() };
    assert_eq!(run_within(&world, boxes(), &limits), Err(RunError::OutOfTime { limit_ms: 5, elapsed_ms: 7 }));
    let asked = AtomicU32::new(0);
    let later = || (asked.fetch_add(1, Ordering::Relaxed) > 0).then_some(Stop::Cancelled);
    let limits = RunLimits { stop: &later, ..RunLimits::unlimited() };
    assert_eq!(run_within(&world, boxes(), &limits), Err(RunError::Cancelled));
    assert!(asked.load(Ordering::Relaxed) > 1);
}
