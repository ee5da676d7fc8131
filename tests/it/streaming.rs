//! Large answers leave while they are written: the pieces are the whole answer, nothing goes that could still become
//! null, and whoever stops reading stops the work. Short queries are told from long ones by counting.

use std::{fmt::Write as _, sync::Arc};

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::{Asset, Time},
    query::{
        Engine, Fragments, GuardLimits, QueryErrorKind, Request, Response,
        run::{RunError, RunLimits},
    },
};
use serde_json::{Value, json};

const SDL: &str = r#"
type Box {
  id: ID! name: String required: String!
  items: [Item!]! @relation(fields: ["id"], references: ["boxId"])
}
type Item {
  id: ID! boxId: String required: String!
  box: Box @relation(fields: ["boxId"], references: ["id"])
}
"#;

struct Fixture {
    engine: Engine,
    graph: Graph,
}

/// Boxes with three items each; of what is `hidden` the field that every asset must have could not be seen.
fn fixture(boxes: usize, hidden: impl Fn(&str) -> bool) -> Fixture {
    let catalog =
        Catalog::read(&[Source::new("test.graphql", SDL)]).unwrap_or_else(|errors| panic!("{errors}"));
    let catalog = Arc::new(catalog);
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    let mut push = |asset: Value| {
        let mut asset = Asset::from_json(asset).unwrap();
        if hidden(&asset.id) {
            asset.fields.remove("required");
            asset.unknown.insert("required".to_owned());
        }
        builder.push(&asset).unwrap();
    };
    for place in 0..boxes {
        let (id, name) = (format!("box-{place:06}"), format!("a \"name\" of {place}"));
        push(json!({"__typename": "Box", "id": id, "name": name, "required": "r"}));
        for item in 0..3 {
            push(
                json!({"__typename": "Item", "id": format!("item-{place:06}-{item}"), "boxId": id, "required": "r"}),
            );
        }
    }
    let graph = builder.finish(None, Time::from_millis(0).unwrap()).unwrap();
    Fixture { engine: Engine::new(catalog, Fragments::new(), GuardLimits::default()).unwrap(), graph }
}

const ALL: &str = "{ boxes { id name required items { id required } } }";

impl Fixture {
    fn whole(&self, query: &str) -> Response {
        self.engine.execute(&self.graph, &Request::new(query), &RunLimits::unlimited())
    }

    /// The pieces that were handed on, as long as they are wanted, and the response.
    fn pieces(&self, query: &str, limits: &RunLimits<'_>, wanted: usize) -> (Vec<Vec<u8>>, Response) {
        let mut pieces = Vec::new();
        let mut outlet = |piece| {
            pieces.push(piece);
            pieces.len() < wanted
        };
        let graphs = (&self.graph).into();
        let response = self.engine.stream_over(&graphs, &Request::new(query), limits, &mut outlet);
        (pieces, response)
    }

    /// The same answer comes in pieces as comes whole. Gives the number of pieces before the last.
    fn agree(&self, query: &str) -> usize {
        let whole = self.whole(query);
        let (pieces, response) = self.pieces(query, &RunLimits::unlimited(), usize::MAX);
        assert!(pieces.iter().all(|piece| (131_072..140_000).contains(&piece.len())), "about 128 KiB each");
        assert_eq!(response.sent, pieces.iter().map(Vec::len).sum::<usize>());
        let joined: Vec<u8> = pieces.iter().chain([&response.body]).flatten().copied().collect();
        assert!(joined == whole.body, "{query}");
        assert_eq!((response.rows, response.errors), (whole.rows, whole.errors));
        pieces.len()
    }
}

#[test]
fn the_pieces_of_a_large_answer_are_the_whole_answer() {
    let fixture = fixture(3_000, |_| false);
    for query in [
        ALL,
        "{ one: boxes { id items { id } } two: items(sort: [{id: DESC}]) { id box { id name } } }",
        "{ boxesConnection { totalCount edges { cursor node { id items { id } } } pageInfo { hasNextPage } } }",
        "{ boxes(where: {name_CONTAINS: \"1\"}) { id name items { id box { id } } } }",
        "{ boxes { id } items { id } i: items { id } odd: boxes(where: {name: \"A \\\"name\\\" of 1\"}) { id } }",
    ] {
        assert!(fixture.agree(query) >= 1, "{query}");
    }
    assert_eq!(fixture.agree("{ boxes(limit: 100) { id } }"), 0, "a small answer comes whole");
    assert_eq!(fixture.agree("{ boxes { nme } }"), 0, "a refusal comes whole");
}

#[test]
fn a_part_that_becomes_null_is_held_back_until_it_is_known() {
    let fixture = fixture(3_000, |id| id.starts_with("box") && id.ends_with('7'));
    let query = "{ items { id box { id name required items { id } } } }";
    assert!(fixture.agree(query) >= 2);
    assert_eq!(fixture.whole(query).errors.len(), 900, "a tenth of 9,000 has a box with a hidden field");
}

#[test]
fn an_answer_that_may_become_null_as_a_whole_is_held_back_as_a_whole() {
    for gappy in ["box-002999", "item-002999-2"] {
        let fixture = fixture(3_000, |id| id == gappy);
        assert_eq!(fixture.agree(ALL), 0, "nothing went before the gap was met");
        let answer: Value = serde_json::from_slice(&fixture.whole(ALL).body).unwrap();
        assert_eq!(answer["data"], Value::Null);
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
        assert!(
            fixture.agree("{ boxes { id name items { id } } i: items { id } }") >= 1,
            "it isn't asked for"
        );
    }
}

/// H7
#[test]
fn the_work_stops_when_nobody_takes_the_next_piece() {
    let fixture = fixture(6_000, |_| false);
    let all = fixture.agree(ALL);
    assert!(all > 4);
    let (pieces, response) = fixture.pieces(ALL, &RunLimits::unlimited(), 2);
    assert_eq!(pieces.len(), 2, "nothing was written after the client had gone");
    assert_eq!(response.errors[0].kind, QueryErrorKind::Stopped(RunError::Cancelled));
    assert!(response.body.is_empty());
}

#[test]
fn a_limit_within_an_answer_leaves_nothing_that_looks_whole() {
    let fixture = fixture(6_000, |_| false);
    let bytes = RunLimits { max_bytes: 300_000, ..RunLimits::unlimited() };
    let rows = RunLimits { max_rows: 10_000, ..RunLimits::unlimited() };
    for limits in [bytes, rows] {
        let (pieces, response) = fixture.pieces(ALL, &limits, usize::MAX);
        assert!(!pieces.is_empty() && response.sent > 0 && response.body.is_empty());
        assert!(matches!(response.errors[0].kind, QueryErrorKind::Stopped(_)), "{:?}", response.errors);
        assert!(serde_json::from_slice::<Value>(&pieces.concat()).is_err());
    }
    let few = RunLimits { max_rows: 5_000, ..RunLimits::unlimited() };
    let (pieces, response) = fixture.pieces(ALL, &few, usize::MAX);
    assert_eq!(
        (pieces.len(), response.sent),
        (0, 0),
        "the list alone is too long: told before its first byte"
    );
    assert!(serde_json::from_slice::<Value>(&response.body).is_ok());
}

#[test]
fn what_is_long_is_not_answered_where_others_wait() {
    let fixture = fixture(3_000, |_| false);
    let limits = RunLimits { max_work: 500, ..RunLimits::unlimited() };
    let at_once = |query: &str| fixture.engine.execute_at_once(&fixture.graph, &Request::new(query), &limits);
    for query in [
        "{ boxes(where: {id: \"box-000007\"}) { id items { id } } }",
        "{ box(id: \"box-000007\") { id items { id } } }",
        "{ boxes(limit: 10) { id } }",
        "{ boxes { nme } }",
        "{ __typename }",
    ] {
        let response = at_once(query).unwrap_or_else(|| panic!("{query} is short"));
        assert_eq!(response.body, fixture.whole(query).body);
    }
    for query in [
        ALL,
        "{ boxes { id } }",
        "{ boxes(where: {name_MATCHES: \".*x\"}) { id } }",
        "{ boxes(sort: [{name: ASC}], limit: 1) { id } }",
        "{ boxes(where: {itemsAggregate: {count_GT: 7}}) { id } }",
        "{ boxesAggregate(where: {name_CONTAINS: \"7\"}) { count } }",
        "{ boxesGroup(by: [name]) { count } }",
        "{ box(id: \"box-000007\") { id items { box { items { box { items { box { items { box { items { id } } } } } } } } } } }",
        "{ search(text: \"x\") { id } }",
    ] {
        assert!(at_once(query).is_none(), "{query}");
    }
    let explained =
        Request { explain: Some(Default::default()), ..Request::new("{ boxes(limit: 1) { id } }") };
    assert!(fixture.engine.execute_at_once(&fixture.graph, &explained, &limits).is_none());
    let lists: Vec<String> = (0..10).map(|list| format!("l{list}: boxes(limit: 100) {{ id }}")).collect();
    assert!(at_once(&format!("{{ {} }}", lists[..4].join(" "))).is_some(), "400 rows in all");
    assert!(at_once(&format!("{{ {} }}", lists.join(" "))).is_none(), "short lists that are long together");
    let mut long = String::from("{");
    for place in 0..100 {
        write!(long, " a_rather_long_name_{place}: __typename").unwrap();
    }
    assert!(at_once(&(long + "}")).is_none(), "a long text is new");
}

#[test]
fn a_document_that_was_long_is_not_tried_again_at_once() {
    let fixture = fixture(3_000, |_| false);
    let limits = RunLimits { max_work: 500, ..RunLimits::unlimited() };
    let query = "query ($id: ID) { boxes(where: {id: $id}) { id } }";
    let ask = |variables: Value| {
        let request = Request { variables: variables.as_object().unwrap().clone(), ..Request::new(query) };
        fixture.engine.execute_at_once(&fixture.graph, &request, &limits)
    };
    assert!(ask(json!({"id": "box-000001"})).is_some());
    assert!(ask(json!({})).is_none(), "without the id it is all of them");
    let untried = (0..100).take_while(|_| ask(json!({"id": "box-000001"})).is_none()).count();
    assert!((1..100).contains(&untried), "but not for ever: {untried}");
}
