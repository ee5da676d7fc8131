//! What is the same is held, and written, once: columns that agree, relations that are two ends of one. And slices are
//! the same rows whether they are judged as assets or not.

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder, Image},
    import::{Division, ImportLimits, read_rows},
    model::{Outcome, SliceKey, SliceState, Time},
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};

const ROWS: usize = 4000;

fn catalog(sdl: &str) -> Arc<Catalog> {
    Arc::new(Catalog::read(&[Source::new("shared.graphql", sdl)]).unwrap())
}

fn now() -> Time {
    Time::from_millis(1_700_000_000_000).unwrap()
}

/// The graph of lines that threads read.
fn graph(catalog: &Arc<Catalog>, lines: &str) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let division = Division { threads: 2, block_bytes: 10_000 };
    let summary =
        read_rows("f", lines.as_bytes(), catalog, ImportLimits::default(), division, &mut builder).unwrap();
    builder.finish(summary.slices, now()).unwrap()
}

fn image(graph: &Graph) -> Vec<u8> {
    let image = graph.image(b"stamp");
    let mut bytes = Vec::new();
    image.write(&mut bytes).unwrap();
    assert_eq!(image.bytes(), bytes.len() as u64);
    bytes
}

fn read(catalog: &Arc<Catalog>, bytes: &[u8]) -> Graph {
    Image::open(bytes).unwrap().into_graph(Arc::clone(catalog)).unwrap()
}

fn ask(graph: &Graph, query: &str) -> String {
    let engine =
        Engine::new(Arc::clone(graph.catalog()), Fragments::default(), GuardLimits::default()).unwrap();
    let response = engine.execute(graph, &Request::new(query), &RunLimits::unlimited());
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    String::from_utf8(response.body).unwrap()
}

#[test]
fn an_image_holds_the_texts_of_columns_that_agree_once() {
    let sdl = "type Box { id: ID! one: String other: String third: String }";
    let catalog = catalog(sdl);
    let text = |row: usize| format!("a-text-of-some-length-{row:08}");
    let lines = |others: &dyn Fn(usize) -> String| -> String {
        let line = |row: usize| {
            let text = text(row);
            format!(
                "{{\"__typename\":\"Box\",\"id\":\"arn:box/{text}\",\"one\":\"{text}\"{}}}\n",
                others(row)
            )
        };
        (0..ROWS).map(line).collect()
    };
    let alone = graph(&catalog, &lines(&|_| String::new()));
    let agreeing = graph(&catalog, &lines(&|row| format!(",\"other\":\"{0}\",\"third\":\"{0}\"", text(row))));
    let (alone, agreeing) = (image(&alone), image(&agreeing));
    // The set of nulls of two columns goes, a few numbers come; 30 bytes a text would be more than either.
    assert!(agreeing.len() < alone.len() + ROWS / 4, "{} and {}", agreeing.len(), alone.len());
    // And what is read from it shares them again.
    let read = read(&catalog, &agreeing);
    assert_eq!(image(&read), agreeing);
    let answer = ask(&read, "{ boxes(where: {other_ENDS_WITH: \"00000007\"}) { id one other third } }");
    assert!(answer.contains(&format!("\"third\":\"{}\"", text(7))), "{answer}");
}

#[test]
fn two_ends_of_one_relation_are_joined_and_kept_once() {
    let items = "type Item { id: ID! box: String place: String INVERSE }";
    let one_end = "type Box { id: ID! name: String place: String
        items: [Item!]! @relation(fields: [\"name\", \"place\"], references: [\"box\", \"place\"]) }";
    let both =
        "in: Box @relation(fields: [\"place\", \"box\"], references: [\"place\", \"name\"])".to_owned();
    let lines: String = (0..ROWS)
        .map(|row| match row % 4 {
            0 => format!(
                "{{\"__typename\":\"Box\",\"id\":\"b{row}\",\"name\":\"n{}\",\"place\":\"p{}\"}}\n",
                row / 4,
                row % 3
            ),
            _ => format!(
                "{{\"__typename\":\"Item\",\"id\":\"i{row}\",\"box\":\"n{}\",\"place\":\"p{}\"}}\n",
                row / 4,
                row / 4 * 4 % 3
            ),
        })
        .collect();
    let with = |inverse: &str| {
        let catalog = catalog(&format!("{one_end}\n{}", items.replace("INVERSE", inverse)));
        let graph = graph(&catalog, &lines);
        let answer = ask(&graph, "{ boxes(sort: [{id: ASC}]) { id items { id } } }");
        (image(&graph), answer, graph)
    };
    let ((one, one_answer, _), (two, two_answer, graph)) = (with(""), with(&both));
    assert_eq!(one_answer, two_answer);
    assert!(two.len() < one.len() + ROWS, "{} and {}", two.len(), one.len());
    assert!(ask(&graph, "{ items(where: {id: \"i5\"}) { in { id } } }").contains("\"in\":{\"id\":\"b4\"}"));
    // A to-one end that has several candidates keeps the first, and the other end all of them.
    let twice = format!("{lines}{{\"__typename\":\"Box\",\"id\":\"a\",\"name\":\"n1\",\"place\":\"p1\"}}\n");
    let graph = self::graph(graph.catalog(), &twice);
    assert!(ask(&graph, "{ items(where: {id: \"i5\"}) { in { id } } }").contains("\"in\":{\"id\":\"a\"}"));
    assert!(ask(&graph, "{ boxes(where: {id: \"b4\"}) { items { id } } }").contains("\"id\":\"i5\""));
    assert!(ask(&graph, "{ boxes(where: {id: \"a\"}) { items { id } } }").contains("\"id\":\"i5\""));
}

/// The type as it is shipped, and one that this forces to be judged: a list is nothing that slices fill.
fn slice_type(more: &str) -> Arc<Catalog> {
    catalog(&format!(
        "type Vpc {{ id: ID! accountId: String region: String }}
         type Slice {{ id: ID! accountId: String! region: String! assetType: String! api: String outcome: String!
           reason: String attemptedAt: DateTime completedAt: DateTime assetCount: BigInt! {more} }}"
    ))
}

fn slices() -> Vec<SliceState> {
    let outcomes = Outcome::ALL;
    let state = |number: usize| SliceState {
        key: SliceKey::new(format!("{:012}", number % 7), format!("region-{}", number / 7), "Vpc"),
        api: if number.is_multiple_of(3) { String::new() } else { "ec2:DescribeVpcs".to_owned() },
        outcome: outcomes[number % outcomes.len()],
        reason: number.is_multiple_of(2).then(|| format!("because \"of\" {number}")),
        attempted_at: (!number.is_multiple_of(5)).then(now),
        completed_at: (!number.is_multiple_of(4)).then(now),
        assets: number as u64 * 1_000_000_007,
    };
    (0..50).map(state).collect()
}

#[test]
fn slices_are_the_same_rows_as_assets_that_are_judged() {
    let rows = |catalog: Arc<Catalog>| -> Vec<String> {
        let graph = GraphBuilder::new(Arc::clone(&catalog)).finish(Some(slices()), now()).unwrap();
        let (of, _) = catalog.find("Slice").unwrap();
        let row = |row: u32| {
            let mut out = Vec::new();
            graph.write_asset(of, row, &mut out);
            String::from_utf8(out).unwrap()
        };
        (0..u32::try_from(graph.count(of)).unwrap()).map(row).collect()
    };
    let shipped = rows(slice_type(""));
    assert_eq!(shipped.len(), 50);
    assert_eq!(shipped, rows(slice_type("list: [String!]")));
    assert!(shipped[0].contains("\"id\":\"000000000000/region-0/Vpc\""), "{}", shipped[0]);
}

#[test]
fn a_type_of_slices_that_wants_more_than_there_is_refuses_them() {
    let builder = GraphBuilder::new(slice_type("owner: String!"));
    let refused = builder.finish(Some(slices()), now()).unwrap_err();
    assert!(refused.to_string().contains("owner"), "{refused}");
}
