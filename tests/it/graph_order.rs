//! The order of texts, nets and ids in a graph, whatever texts its columns hold and in however many pieces they came:
//! each way of putting texts in order has texts here that ask for it.

use std::{collections::BTreeSet, sync::Arc};

use fastrand::Rng;
use passmuster::{
    catalog::{Catalog, Source, scalar},
    graph::{Graph, GraphBuilder},
    import::{Division, ImportLimits, read_rows},
    model::Time,
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};
use serde_json::{Value, json};

const SDL: &str = r"
type A { id: ID! name: String net: CIDR region: String accountId: String nativeId: String flag: Boolean
  number: Int share: Float names: [String] }
";

/// The graph of some lines, each read by one of three threads.
fn graph_of(assets: &[Value]) -> Graph {
    let catalog = Arc::new(Catalog::read(&[Source::new("order.graphql", SDL)]).unwrap());
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    let text: String = assets.iter().map(|asset| format!("{asset}\n")).collect();
    let division = Division { threads: 3, block_bytes: text.len() / 7 + 1 };
    read_rows("f", text.as_bytes(), &catalog, ImportLimits::default(), division, &mut builder).unwrap();
    builder.finish(None, Time::from_millis(0).unwrap()).unwrap()
}

/// The same of an asset for each text, which stands in one field.
fn graph_with(field: &str, texts: &[String]) -> Graph {
    let asset =
        |(id, text): (u32, &String)| json!({"__typename": "A", "id": format!("{id:05}"), field: text});
    graph_of(&(0..).zip(texts).map(asset).collect::<Vec<_>>())
}

/// The rows of a question.
fn rows(graph: &Graph, question: &str) -> Vec<Value> {
    let engine =
        Engine::new(Arc::clone(graph.catalog()), Fragments::default(), GuardLimits::default()).unwrap();
    let response = engine.execute(graph, &Request::new(question), &RunLimits::unlimited());
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(body.get("errors").is_none(), "{body}");
    body["data"]["as"].as_array().unwrap().clone()
}

fn texts(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
}

/// Columns of texts of one kind each: some fit into a number, and some just do not.
fn kinds(random: &mut Rng) -> Vec<Vec<String>> {
    let mut from =
        |alphabet: &str, lengths: std::ops::RangeInclusive<usize>, beginning: &str, count: usize| {
            let letters: Vec<char> = alphabet.chars().collect();
            let mut text = || {
                let length = random.usize(lengths.clone());
                let rest: String = (0..length).map(|_| letters[random.usize(0..letters.len())]).collect();
                format!("{beginning}{rest}")
            };
            (0..count).map(|_| text()).collect::<Vec<_>>()
        };
    let hex = "0123456789abcdef";
    vec![
        // Of one length: 64 bits, one digit more, and one letter more.
        from(hex, 16..=16, "vpc-0", 300),
        from(hex, 17..=17, "vpc-", 300),
        from(&format!("{hex}g"), 16..=16, "vpc-0", 300),
        // Of several lengths, with nothing as the shortest, and with many alike.
        from("0123456789", 0..=12, "", 300),
        from("01", 0..=9, "account-", 700),
        from("a", 0..=70, "", 300),
        // What has no bytes of its own, and what ends like something shorter.
        from("\u{0}a", 0..=6, "", 300),
        from("\u{0}\u{1}\u{7f}", 3..=8, "x", 300),
        from("éa", 0..=6, "", 300),
        from("😀\"\\", 1..=5, "é", 300),
        // Longer than a number holds, alike for long.
        from("ab", 0..=40, "arn:aws:ec2:eu-central-1:", 300),
        vec!["the same".to_owned(); 20],
        vec![String::new(); 3],
    ]
}

#[test]
fn texts_are_in_the_order_of_code_points_whatever_they_are_made_of() {
    for seed in 0..8 {
        for names in kinds(&mut Rng::with_seed(seed)) {
            let graph = graph_with("name", &names);
            let mut expected = names.clone();
            expected.sort_unstable();
            let found = rows(&graph, "{ as(sort: [{name: ASC}]) { name } }");
            assert_eq!(texts(&found, "name"), expected, "seed {seed}");
            let distinct: BTreeSet<&String> = names.iter().collect();
            for name in [names.first(), names.last()].into_iter().flatten() {
                let with = names.iter().filter(|other| *other == name).count();
                let below = names.iter().filter(|other| *other < name).count();
                // As a query may hold it.
                let quoted = json!(name).to_string().replace('\u{7f}', "\\u007f");
                assert_eq!(
                    rows(&graph, &format!("{{ as(where: {{name: {quoted}}}) {{ id }} }}")).len(),
                    with
                );
                let question = format!("{{ as(where: {{name_LT: {quoted}}}) {{ id }} }}");
                assert_eq!(rows(&graph, &question).len(), below, "{quoted} of {} texts", distinct.len());
            }
        }
    }
}

#[test]
fn nets_are_in_the_order_of_addresses_in_whatever_form_they_are_written() {
    let mut random = Rng::with_seed(3);
    let mut plain = || {
        let length = random.u8(0..=32);
        let address = std::net::Ipv4Addr::from_bits(random.u32(..) & 0xffff_0000);
        ipnet::Ipv4Net::new(address, length.max(16)).unwrap().to_string()
    };
    let usual: Vec<String> = (0..300).map(|_| plain()).collect();
    let with = |more: &[&str]| [usual.clone(), more.iter().map(ToString::to_string).collect()].concat();
    for nets in [
        usual.clone(),
        with(&["10.0.0.1/16", "10.0.0.0/16", "10.0.200.0/16", "10.0.100.0/24"]),
        with(&["10.0.0.1", "10.0.0.1/32", "10.0.0.2"]),
        with(&["fd00::/8", "::1", "fd00:0::/8", "2001:db8::/32"]),
        vec!["0.0.0.0/0".to_owned(), "255.255.255.255/32".to_owned(), "0.0.0.0/1".to_owned()],
    ] {
        let graph = graph_with("net", &nets);
        let mut expected = nets.clone();
        expected.sort_by_key(|text| (scalar::parse_net(text).unwrap(), text.clone()));
        let found = rows(&graph, "{ as(sort: [{net: ASC}]) { net } }");
        let by_net =
            |texts: &[String]| -> Vec<_> { texts.iter().map(|text| scalar::parse_net(text)).collect() };
        let found = texts(&found, "net");
        assert_eq!(by_net(&found), by_net(&expected));
        let distinct = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(distinct(&found), distinct(&nets), "each is written as it came");
    }
}

/// Ids that are put together from fields in one way, in another, and in none; of regions and accounts of which one is
/// the beginning of another.
#[test]
fn ids_are_in_the_order_of_code_points_however_they_are_put_together() {
    let forms: [fn(&str, &str, &str) -> String; 6] = [
        |region, account, id| format!("arn:aws:ec2:{region}:{account}:vpc/{id}"),
        |region, account, id| format!("{account}/{region}/{id}"),
        |region, account, id| format!("{region}{account}{id}"),
        |_, account, id| format!("arn:{account}:{}:{id}", account.len()),
        |region, _, id| format!("{id}:{region}:{id}"),
        |region, account, id| format!("{}-{region}-{account}-{id}", id.len() % 3),
    ];
    for (seed, form) in (0..).zip(forms) {
        for regions in [&["eu-west-1", "eu-west-10", "eu-west-1-a"][..], &["us-east-1", "me-south-1"]] {
            for rows_of in [40, 1_500] {
                let mut random = Rng::with_seed(seed);
                let assets: Vec<Value> = (0..rows_of)
                    .map(|index| {
                        let region = regions[random.usize(0..regions.len())];
                        let account = format!("{:0>12}", random.u8(0..20));
                        let id = format!("vpc-{:x}", index * 7919 % 10_007);
                        json!({
                            "__typename": "A", "id": form(region, &account, &id), "region": region,
                            "accountId": account, "nativeId": id, "name": id,
                        })
                    })
                    .collect();
                let graph = graph_of(&assets);
                let (of, _) = graph.catalog().find("A").unwrap();
                let mut ids: Vec<&str> = assets.iter().map(|asset| asset["id"].as_str().unwrap()).collect();
                ids.sort_unstable();
                for (row, id) in (0u32..).zip(&ids) {
                    assert_eq!(graph.id(of, row), *id);
                    assert_eq!(graph.find(of, id), Some(row));
                }
                for asset in &assets {
                    let row = graph.find(of, asset["id"].as_str().unwrap()).unwrap();
                    let mut out = Vec::new();
                    graph.write_asset(of, row, &mut out);
                    assert_eq!(&serde_json::from_slice::<Value>(&out).unwrap(), asset);
                }
            }
        }
    }
}

/// More rows than a piece of a column has, some of them without a value.
#[test]
fn a_long_column_keeps_each_value_in_its_row() {
    let mut random = Rng::with_seed(1);
    let count = 70_000u32;
    let assets: Vec<Value> = (0..count)
        .map(|index| {
            let mut asset = json!({
                "__typename": "A", "id": format!("{:08x}", index.wrapping_mul(2_654_435_761)), "flag": index % 3 == 0,
                "number": index, "share": f64::from(index) + 0.5, "name": format!("name-{index}"),
            });
            for field in ["flag", "number", "share", "name"] {
                if random.u8(0..50) == 0 || index + 100 > count {
                    asset.as_object_mut().unwrap().remove(field);
                }
            }
            if random.u8(0..4) == 0 {
                asset["names"] = json!([format!("n{}", index % 10), null]);
            }
            asset
        })
        .collect();
    let graph = graph_of(&assets);
    let (of, _) = graph.catalog().find("A").unwrap();
    assert_eq!(graph.count(of), assets.len());
    let without = assets.iter().filter(|asset| asset.get("name").is_none()).count();
    assert_eq!(rows(&graph, "{ as(where: {name: null}) { id } }").len(), without);
    let mut out = Vec::new();
    for asset in &assets {
        out.clear();
        graph.write_asset(of, graph.find(of, asset["id"].as_str().unwrap()).unwrap(), &mut out);
        assert_eq!(&serde_json::from_slice::<Value>(&out).unwrap(), asset);
    }
}

/// A column that ends long before its table does.
#[test]
fn assets_without_a_region_count_as_global_ones_however_many_come_behind_those_with_one() {
    let catalog = Arc::new(Catalog::read(&[Source::new("order.graphql", SDL)]).unwrap());
    let slice = |region: &str| {
        json!({
            "__typename": "Slice", "assetType": "A", "accountId": "a", "region": region, "outcome": "COMPLETE",
            "api": "ec2:DescribeVpcs", "attemptedAt": "2026-11-20T12:04:11Z", "completedAt": "2026-11-20T12:04:11Z",
        })
    };
    let asset = |index: u32| {
        let mut asset = json!({"__typename": "A", "id": format!("{index:05}"), "accountId": "a"});
        if index < 100 {
            asset["region"] = json!("r");
        }
        asset
    };
    let lines = (0..40_000).map(asset).chain([slice("r"), slice("global")]);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let division = Division { threads: 1, block_bytes: 1 << 20 };
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    let summary =
        read_rows("f", text.as_bytes(), &catalog, ImportLimits::default(), division, &mut builder).unwrap();
    let slices = summary.slices.unwrap();
    let counts = slices.iter().map(|slice| (slice.key.region.as_str(), slice.assets)).collect::<Vec<_>>();
    assert_eq!(counts, [("global", 39_900), ("r", 100)]);
}
