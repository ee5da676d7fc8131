//! Any text as a filter over a schema with every kind of field: it is refused in words, or planned and answered. The
//! first byte says where it is put.
#![no_main]

use libfuzzer_sys::fuzz_target;
use passmuster_fuzz::{
    engine_and_graph,
    graph::Graph,
    query::{Engine, Request, run::RunLimits},
};

thread_local! {
    static FIXTURE: (Engine, Graph) = engine_and_graph();
}

fuzz_target!(|input: (u8, &str)| {
    let (place, text) = input;
    let mut request = Request::default();
    match place % 6 {
        0 => request.query = format!("vpcs(where: {{{text}}}) {{ id }}"),
        1 => request.query = format!("things(where: {{{text}}}) {{ __typename id }}"),
        2 => request.query = format!("vpcs(sort: [{{{text}}}]) {{ id }}"),
        3 => request.query = format!("vpcs {{ hasFlowLog(where: {{{text}}}) {{ id }} }}"),
        4 => request.query = format!("vpcs {{ {text} }}"),
        _ => {
            request.query = "query ($where: VpcWhere) { vpcs(where: $where) { id } }".to_owned();
            let Ok(value) = serde_json::from_str(text) else { return };
            request.variables.insert("where".to_owned(), value);
        }
    }
    FIXTURE.with(|(engine, graph)| {
        let limits = RunLimits { max_rows: 10_000, max_bytes: 1 << 20, ..RunLimits::unlimited() };
        let response = engine.execute(graph, &request, &limits);
        serde_json::from_slice::<serde_json::Value>(&response.body).expect("a response is JSON");
        let _ = engine.judge(graph, &request.query, None);
    });
});
