//! Any text as a query: the guard never panics, and what it lets through no parser and no validator dies of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use passmuster_fuzz::{
    engine_and_graph,
    graph::Graph,
    query::{
        Engine, Request,
        guard::{GuardLimits, guard},
        run::RunLimits,
    },
};

thread_local! {
    static FIXTURE: (Engine, Graph) = engine_and_graph();
}

fuzz_target!(|text: &str| {
    let _ = guard(text, &GuardLimits::default());
    FIXTURE.with(|(engine, graph)| {
        let limits = RunLimits { max_rows: 10_000, max_bytes: 1 << 20, ..RunLimits::unlimited() };
        let response = engine.execute(graph, &Request::new(text), &limits);
        serde_json::from_slice::<serde_json::Value>(&response.body).expect("a response is JSON");
    });
});
