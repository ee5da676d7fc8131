//! The straight path of files into a graph: for any file, good or bad, it gives the graph or the message that reading
//! line by line gives, however the file is divided among threads.

use std::sync::Arc;

use fastrand::Rng;
use passmuster::{
    catalog::{Catalog, Source, TypeKind, scalar},
    graph::{Graph, GraphBuilder},
    import::{Division, FileSummary, ImportLimits, read_ndjson, read_rows},
    model::Time,
};

const SDL: &str = r#"
interface Asset { id: ID! accountId: String region: String name: String }
enum Colour { RED GREEN }
type Inner { key: String! value: String }
type Tag { key: String! value: String inner: [Inner!] }
type Empty { note: String }
type Account implements Asset { id: ID! accountId: String region: String name: String
  vpcs: [Vpc!]! @relation(fields: ["accountId"], references: ["accountId"]) }
type Vpc implements Asset { id: ID! accountId: String region: String name: String vpcId: String! nativeId: String
  isDefault: Boolean count: Int big: BigInt share: Float colour: Colour cidr: CIDR address: IPAddress at: DateTime
  day: Date tags: [Tag!] names: [String] numbers: [Int!] one: Tag empty: Empty other: ID json: JSON
  account: Account @relation(fields: ["accountId"], references: ["accountId"]) }
"#;

fn catalog() -> Arc<Catalog> {
    Arc::new(Catalog::read(&[Source::new("straight.graphql", SDL)]).unwrap())
}

/// The summary and every asset, or the message with its causes.
type Outcome = Result<(FileSummary, Vec<String>), String>;

fn outcome(read: Result<(FileSummary, Graph), Box<dyn std::error::Error>>) -> Outcome {
    match read {
        Ok((summary, graph)) => {
            let mut assets = Vec::new();
            let types = graph.catalog().iter().filter(|(_, definition)| definition.kind == TypeKind::Asset);
            for (of, _) in types {
                for row in 0..u32::try_from(graph.count(of)).unwrap() {
                    let mut out = Vec::new();
                    graph.write_asset(of, row, &mut out);
                    assets.push(String::from_utf8(out).unwrap());
                }
            }
            Ok((summary, assets))
        }
        Err(error) => {
            let mut message = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                message = format!("{message}: {cause}");
                source = cause.source();
            }
            Err(message)
        }
    }
}

fn line_by_line(text: &[u8], catalog: &Arc<Catalog>, limits: ImportLimits) -> Outcome {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let mut push = |asset| builder.push(&asset).map_err(Into::into);
    let summary = read_ndjson("f", text, catalog, limits, &mut push);
    outcome(summary.map_err(Into::into).and_then(|summary| {
        let graph = builder.finish(summary.slices.clone(), Time::from_millis(0).unwrap())?;
        Ok((summary, graph))
    }))
}

fn straight(text: &[u8], catalog: &Arc<Catalog>, limits: ImportLimits, division: Division) -> Outcome {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let summary = read_rows("f", text, catalog, limits, division, &mut builder);
    outcome(summary.map_err(Into::into).and_then(|summary| {
        let graph = builder.finish(summary.slices.clone(), Time::from_millis(0).unwrap())?;
        Ok((summary, graph))
    }))
}

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(0..from.len())]
}

/// A key with a value that fits, mostly.
fn pair(random: &mut Rng) -> String {
    let texts =
        [r#""a""#, r#""""#, r#""ö€😀""#, r#""say \"x\"""#, r#""aA""#, "null", r#""a""#, r#""10.0.0.0""#];
    let tags = [
        r#"[{"key":"k","value":"v"}]"#,
        r#"[ {"value":null , "key": "k"}, {"key":"l"} ]"#,
        "[]",
        r#"[{"key":"k","inner":[{"key":"i"},{"key":"j","value":"z"}],"value":"w"}]"#,
        r#"[{"value":"v"}]"#,
        r#"[{"key":"k","key":"l"}]"#,
        r#"[{"key":"k","value":"a","inner":null}]"#,
        r#"[null]"#,
        "{}",
    ];
    let times = [
        r#""2026-11-20T12:04:11Z""#,
        r#""2026-02-28T23:59:59.999Z""#,
        r#""2026-11-20""#,
        r#""2026-02-30T00:00:00Z""#,
    ];
    let numbers = [
        "0",
        "-1",
        "7",
        "2147483647",
        "2147483648",
        "3.0",
        "1e2",
        "-0",
        "01",
        "1.5",
        r#""9""#,
        "null",
        "9.",
        "-",
    ];
    let (key, values): (&str, &[&str]) = match random.u8(0..22) {
        0 => ("accountId", &texts),
        1 => ("region", &texts),
        2 => ("name", &texts),
        3 => ("nativeId", &texts),
        4 => ("isDefault", &["true", "false", "null", r#""yes""#, "truex"]),
        5 => ("count", &numbers),
        6 => ("big", &numbers),
        7 => ("share", &numbers),
        8 => ("colour", &[r#""RED""#, r#""GREEN""#, r#""BLUE""#, "null"]),
        9 => (
            "cidr",
            &[
                r#""10.0.0.0/16""#,
                r#""10.0.0.1/16""#,
                r#""fd00::/8""#,
                r#""10.0.0.0""#,
                r#""10.0.0.0/33""#,
                r#""010.0.0.0/8""#,
            ],
        ),
        10 => ("address", &[r#""10.0.0.1""#, r#""::1""#, r#""10.0.0.0/8""#]),
        11 => ("at", &times),
        12 => ("day", &[r#""2026-11-20""#, r#""2026-02-30""#, "null"]),
        13 | 14 => ("tags", &tags),
        15 => ("names", &["[]", r#"["a",null,"b"]"#, r#"["a" , "a"]"#, r#"[1]"#, r#""a""#]),
        16 => ("numbers", &["[1,2]", "[ ]", "[1,null]", "[1,]", "[3]"]),
        17 => ("one", &[r#"{"key":"k"}"#, r#"{}"#, "null", r#"{"key":"k","value":"v"}"#, "[]"]),
        18 => ("empty", &["{}", r#"{"note":"n"}"#, r#"{"nota":"n"}"#]),
        19 => ("other", &[r#""x""#, "7", "1.5", "null"]),
        20 => ("json", &["1", r#"{"b":1,"a":[null]}"#, "null", r#""t""#]),
        _ => pick_rare(random),
    };
    format!("\"{key}\"{}:{}{}", blank(random), blank(random), pick(random, values))
}

fn pick_rare(random: &mut Rng) -> (&'static str, &'static [&'static str]) {
    match random.u8(0..5) {
        0 => ("__unknown", &[r#"["name"]"#, r#"["count","tags"]"#, r#"[]"#, r#""name""#]),
        1 => ("account", &["null", "{}"]),
        2 => ("nome", &["1"]),
        3 => ("n\\u0061me", &[r#""z""#]),
        _ => ("name", &["\"tab\there\"", "\"ctl\u{1}\""]),
    }
}

fn blank(random: &mut Rng) -> &'static str {
    if random.u8(0..8) == 0 { pick(random, &[" ", "  ", "\t"]) } else { "" }
}

/// A slice, mostly one that is in order.
fn slice_line(random: &mut Rng) -> String {
    let of = pick(random, &["Vpc", "Vpc", "Account", "Account", "Vpc", "Vpx", "Slice"]);
    let mut pairs = vec![
        r#""__typename":"Slice""#.to_owned(),
        format!(r#""assetType":"{of}""#),
        format!(r#""accountId":"{}""#, pick(random, &["a", "b", "ö"])),
        format!(r#""region":"{}""#, random.u8(0..80)),
        format!(r#""outcome":"{}""#, pick(random, &["COMPLETE", "DENIED", "failed", "COMPLETE"])),
    ];
    let more = [
        r#""reason":null"#,
        r#""reason":"no \"reason\"""#,
        r#""reason" : "none""#,
        r#""api":"ec2:DescribeVpcs""#,
        r#""attemptedAt":"2026-11-20T12:04:11Z""#,
        r#""attemptedAt":"2026-11-20""#,
        r#""completedAt":"2026-11-20T12:04:11+02:00""#,
    ];
    let wrong = [
        r#""api":"""#,
        r#""completedAt":"today""#,
        r#""region":7"#,
        r#""regions":"x""#,
        r#""accountId":null"#,
    ];
    for _ in 0..random.usize(0..3) {
        pairs.push(pick(random, &more).to_owned());
    }
    if random.u8(0..8) == 0 {
        pairs.push(pick(random, &wrong).to_owned());
    }
    if random.u8(0..20) == 0 {
        pairs.remove(random.usize(1..5));
    }
    let begin = if random.bool() { 0 } else { 1 };
    random.shuffle(&mut pairs[begin..]);
    format!("{{{}{}}}{}", blank(random), pairs.join(","), blank(random))
}

fn line(random: &mut Rng, ids: u32) -> String {
    if random.u8(0..30) == 0 {
        return pick(random, &["", "  ", "[]", "7", "{}", "{", "nul", "\u{feff}{}", "{\"id\":\"a\"}"])
            .to_owned();
    }
    if random.u8(0..25) == 0 {
        return slice_line(random);
    }
    let id = random.u32(0..ids);
    let mut pairs = vec![
        format!(r#""__typename":"{}""#, pick(random, &["Vpc", "Vpc", "Vpc", "Account"])),
        format!(r#""id":"arn:{}:{id:05}""#, id % 7),
        format!(r#""vpcId":"v{id}""#),
    ];
    let kept = if random.u8(0..40) == 0 { random.usize(0..3) } else { 3 };
    pairs.truncate(kept);
    if pairs.first().is_some_and(|pair| pair.contains("Account")) && kept == 3 {
        pairs.truncate(2);
        pairs.push(format!(r#""accountId":"{}""#, pick(random, &["a", "b"])));
    } else {
        let mut names: Vec<String> = Vec::new();
        for _ in 0..random.usize(0..6) {
            let pair = pair(random);
            let name = pair.split(':').next().unwrap_or_default().trim().to_owned();
            if !names.contains(&name) || random.u8(0..20) == 0 {
                names.push(name);
                pairs.push(pair);
            }
        }
        // Most values are to be good ones, or no file would be.
        if random.u8(0..5) == 0 {
            random.shuffle(&mut pairs);
        }
    }
    let separator = if random.u8(0..10) == 0 { " , " } else { "," };
    let end = pick(random, &["", "", "", "", "\r", "  "]);
    format!("{{{}{}}}{end}", pairs.join(separator), blank(random))
}

/// A file of lines that are good alone, or of any.
fn file(random: &mut Rng, catalog: &Arc<Catalog>) -> Vec<u8> {
    let is_clean = random.u8(0..4) > 0;
    let count = random.u32(0..40);
    let ids = if random.bool() { 1_000_000 } else { count * 3 + 1 };
    let mut lines = Vec::new();
    while lines.len() < count as usize {
        let line = line(random, ids);
        if !is_clean || line_by_line(line.as_bytes(), catalog, ImportLimits::default()).is_ok() {
            lines.push(line);
        }
    }
    let mut bytes = lines.join("\n").into_bytes();
    if random.bool() {
        bytes.push(b'\n');
    }
    if !bytes.is_empty() && random.u8(0..8) == 0 {
        let place = random.usize(0..bytes.len());
        bytes[place] = random.u8(..);
    }
    bytes
}

#[test]
fn whatever_a_file_holds_the_straight_path_says_what_reading_line_by_line_says() {
    let catalog = catalog();
    let (mut good, mut refused) = (0, 0);
    for seed in 0..600 {
        let mut random = Rng::with_seed(seed);
        let text = file(&mut random, &catalog);
        let limits = ImportLimits { line_bytes: if random.u8(0..10) == 0 { 60 } else { 100_000 } };
        let expected = line_by_line(&text, &catalog, limits);
        for division in [
            Division { threads: 1, block_bytes: 1 << 20 },
            Division { threads: 3, block_bytes: random.usize(1..600) },
        ] {
            let found = straight(&text, &catalog, limits, division);
            assert_eq!(found, expected, "seed {seed}, {division:?}\n{}", String::from_utf8_lossy(&text));
        }
        if expected.is_ok() { good += 1 } else { refused += 1 }
    }
    assert!(good > 100 && refused > 100, "{good} good files, {refused} refused");
}

/// F3
#[test]
fn of_several_mistakes_the_first_line_s_is_told_whichever_thread_saw_it() {
    let catalog = catalog();
    let vpc = |id: &str| format!("{{\"__typename\":\"Vpc\",\"id\":\"{id}\",\"vpcId\":\"v\"}}\n");
    for (mistake, message) in [
        (vpc("3"), "f:9: `Vpc` with id `3` stands on line 4 already: keep one of the two"),
        ("{\"a\":\n".to_owned(), "f:9:5: EOF while parsing a value"),
    ] {
        let mut lines: Vec<String> = (0..40).map(|id| vpc(&id.to_string())).collect();
        lines[8] = mistake;
        lines[20] = "nothing\n".to_owned();
        lines[30] = vpc("5");
        for block_bytes in [1, 50, 100, 400, 100_000] {
            let division = Division { threads: 3, block_bytes };
            let found = straight(lines.concat().as_bytes(), &catalog, ImportLimits::default(), division);
            assert_eq!(found.unwrap_err(), message);
        }
    }
}

/// Ids that end with the text of a field, up to a row where they do not; columns that are the same, up to such a row.
#[test]
fn what_holds_for_nearly_all_rows_is_given_up_where_one_differs() {
    let catalog = catalog();
    let arn = |of: &str, index: u32| {
        let (account, id) = (index % 5, (index * 7919) % 1000);
        format!(
            r#"{{"__typename":"Vpc","id":"arn:{account}:{of}/v{id}","vpcId":"v{id}","nativeId":"v{id}","name":"{}","region":"r"}}"#,
            index % 3
        )
    };
    for odd in [
        r#"{"__typename":"Vpc","id":"odd","vpcId":"v9999","nativeId":"v9999"}"#,
        r#"{"__typename":"Vpc","id":"v9999","vpcId":"v9999","nativeId":"v9999"}"#,
        r#"{"__typename":"Vpc","id":"arn:3:vpc/v9999","vpcId":"v9999","nativeId":"v9998","region":"r"}"#,
        r#"{"__typename":"Vpc","id":"arn:3:vpc/v9999","vpcId":"v9999","name":"x"}"#,
        r#"{"__typename":"Vpc","id":"arn:3:vpc/v\"9999","vpcId":"v\"9999","nativeId":"v\"9999","name":"x"}"#,
        r#"{"__typename":"Vpc","id":"arn:3:vpc/a/v9999","vpcId":"v9999","nativeId":"v9999"}"#,
        r#"{"__typename":"Vpc","id":"arn:3:vpc/","vpcId":"/","nativeId":"/"}"#,
        r#"{"__typename":"Vpc","id":"arn:3:vpc/v9999","vpcId":"v9999","__unknown":["nativeId"]}"#,
    ] {
        for place in [0, 1, 40, 59] {
            let mut lines: Vec<String> = (0..60).map(|index| arn("vpc", index)).collect();
            lines.insert(place, odd.to_owned());
            let text = lines.join("\n");
            let expected = line_by_line(text.as_bytes(), &catalog, ImportLimits::default());
            let ids = |outcome: &Outcome| -> Vec<String> {
                let (_, assets) = outcome.as_ref().unwrap();
                let id = |asset: &String| {
                    let asset: serde_json::Value = serde_json::from_str(asset).unwrap();
                    asset["id"].as_str().unwrap().to_owned()
                };
                assets.iter().map(id).collect()
            };
            let found = ids(&expected);
            assert!(found.is_sorted() && found.len() == 61, "{found:?}");
            for block_bytes in [1, 300, 100_000] {
                let division = Division { threads: 2, block_bytes };
                let found = straight(text.as_bytes(), &catalog, ImportLimits::default(), division);
                assert_eq!(found, expected, "{odd} at {place}");
            }
        }
    }
}

#[test]
fn every_id_is_found_however_it_is_kept() {
    let catalog = catalog();
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    let ids: Vec<String> =
        (0..3000).map(|index| format!("arn:{}:vpc/v{}", index % 40, (index * 7919) % 3001)).collect();
    let lines: Vec<String> = ids
        .iter()
        .map(|id| {
            let end = id.split('/').next_back().unwrap();
            format!(r#"{{"__typename":"Vpc","id":"{id}","vpcId":"{end}","nativeId":"{end}"}}"#)
        })
        .collect();
    let division = Division { threads: 2, block_bytes: 4000 };
    let text = lines.join("\n");
    read_rows("f", text.as_bytes(), &catalog, ImportLimits::default(), division, &mut builder).unwrap();
    let graph = builder.finish(None, Time::from_millis(0).unwrap()).unwrap();
    let (of, _) = catalog.find("Vpc").unwrap();
    for id in &ids {
        let row = graph.find(of, id).unwrap();
        assert_eq!(graph.id(of, row), *id);
        assert_eq!(graph.text(of, row, "nativeId").as_deref(), id.split('/').next_back());
    }
    for absent in ["", "arn:", "arn:1:vpc/", "arn:1:vpc/v", "arn:99:vpc/v1", "zzz", "arn:1:vpc/v1x"] {
        assert_eq!(graph.find(of, absent), None, "{absent}");
    }
}

/// A slice is a line of its own form, whatever type the schema has under its name.
#[test]
fn a_slice_line_is_never_an_asset() {
    let sdl = format!(
        "{SDL}\ntype Slice implements Asset {{ id: ID! accountId: String region: String name: String }}"
    );
    let catalog = Arc::new(Catalog::read(&[Source::new("slice.graphql", sdl)]).unwrap());
    let text = "{\"__typename\":\"Vpc\",\"id\":\"a\",\"vpcId\":\"v\"}\n{\"__typename\":\"Slice\",\"id\":\"s\",\"accountId\":\"a\"}\n";
    let expected = line_by_line(text.as_bytes(), &catalog, ImportLimits::default());
    assert!(expected.as_ref().is_err_and(|message| message.contains("`id`")), "{expected:?}");
    assert_eq!(straight(text.as_bytes(), &catalog, ImportLimits::default(), Division::default()), expected);
}

#[test]
fn an_id_that_stands_three_times_names_the_first_two_lines() {
    let vpc = |id: &str| format!("{{\"__typename\":\"Vpc\",\"id\":\"{id}\",\"vpcId\":\"v\"}}\n");
    let text: String = ["a", "b", "a", "c", "a", "b"].map(vpc).concat();
    for block_bytes in [1, 100, 100_000] {
        let division = Division { threads: 2, block_bytes };
        let found = straight(text.as_bytes(), &catalog(), ImportLimits::default(), division);
        assert!(found.unwrap_err().starts_with("f:3: `Vpc` with id `a` stands on line 1 already"));
    }
}

#[test]
fn moments_and_prefixes_mean_the_same_in_their_usual_form_as_in_any_other() {
    let mut random = Rng::with_seed(7);
    for _ in 0..20_000 {
        let (year, month, day) = (random.u16(0..10_000), random.u8(0..14), random.u8(0..33));
        let (hour, minute, second, millis) =
            (random.u8(0..26), random.u8(0..62), random.u8(0..62), random.u16(0..1000));
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
        let expected = text.parse::<Time>().ok().map(Time::millis);
        assert_eq!(scalar::parse_datetime(&text), expected, "{text}");
        let bytes: Vec<u16> = (0..5).map(|_| random.u16(0..300)).collect();
        let text = format!("{}.{}.{}.{}/{}", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4] % 40);
        let by_parts = bytes[..4].iter().all(|byte| *byte < 256) && bytes[4] % 40 <= 32;
        assert_eq!(scalar::parse_net(&text).is_some(), by_parts, "{text}");
        // The other way to write it.
        let long = format!("::ffff:{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
        assert_eq!(scalar::parse_net(&long).is_some(), bytes[..4].iter().all(|byte| *byte < 256));
    }
    for (text, net) in
        [("10.1.2.3/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("1.2.3.4/32", "1.2.3.4/32")]
    {
        assert_eq!(scalar::parse_net(text).unwrap().to_string(), net);
    }
    for text in
        ["1.2.3/8", "1.2.3.4.5/8", "1.2.3.4/", "/8", "1..2.3/8", "1.2.3.4/08x", " 1.2.3.4/8", "1.2.3.4/8 "]
    {
        assert_eq!(scalar::parse_net(text), None, "{text}");
    }
}
