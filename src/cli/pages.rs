//! All pages of a connection, one after the other: `query --all`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{failure::Failure, variables};
use crate::query::{Engine, Graphs, Request, Response, run::RunLimits};

/// What a query must look like to be paged through.
const NEEDED: &str = "with --all a query is one connection that takes `after: $after` and shows `pageInfo { hasNextPage \
                      endCursor }` and `edges { node {..} }`, as in 'query($after: String) { vpcsConnection(first: 100, \
                      after: $after) { pageInfo { hasNextPage endCursor } edges { node { vpcId } } } }'";

#[derive(Deserialize)]
struct Body {
    data: BTreeMap<String, Page>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_info: PageInfo,
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Edge {
    node: Box<RawValue>,
}

/// Answers a query page by page; the body of the answer is one list of all nodes, under the key of the connection.
/// An answer with errors ends it and is the answer.
pub(crate) fn execute_all(
    engine: &Engine,
    graphs: &Graphs<'_>,
    request: &Request,
) -> Result<Response, Failure> {
    if !variables::declared(&request.query).iter().any(|declared| declared.starts_with("after:")) {
        return Err(Failure::bad_input(NEEDED));
    }
    let mut request = request.clone();
    let (mut nodes, mut rows) = (Vec::new(), 0);
    loop {
        let mut response = engine.execute_over(graphs, &request, &RunLimits::unlimited());
        if !response.errors.is_empty() {
            return Ok(response);
        }
        let body: Body = serde_json::from_slice(&response.body).map_err(|_| Failure::bad_input(NEEDED))?;
        let mut pages = body.data.into_iter();
        let (Some((key, page)), None) = (pages.next(), pages.next()) else {
            return Err(Failure::bad_input(NEEDED));
        };
        let is_empty = page.edges.is_empty();
        rows += response.rows;
        nodes.extend(page.edges.into_iter().map(|edge| edge.node));
        let next = page.page_info.end_cursor.map(serde_json::Value::from);
        match next.filter(|_| page.page_info.has_next_page && !is_empty) {
            // A cursor that leads nowhere means that the query does not take it.
            Some(next) if request.variables.get("after") == Some(&next) => {
                return Err(Failure::bad_input(NEEDED));
            }
            Some(next) => {
                request.variables.insert("after".to_owned(), next);
            }
            None => {
                let nodes: Vec<&str> = nodes.iter().map(|node| node.get()).collect();
                let key = serde_json::Value::from(key);
                response.body = format!("{{\"data\":{{{key}:[{}]}}}}", nodes.join(",")).into_bytes();
                response.rows = rows;
                return Ok(response);
            }
        }
    }
}
