//! Files of assets: what is taken, what is refused and with which words, and what a file means for a store.

use std::io::{self, BufReader, Read};

use passmuster::{
    catalog::{Catalog, Source},
    import::{
        FileSummary, ImportError, ImportLimits, SliceBatch, WaitingAssets, read_file, read_ndjson,
        slice_batches,
    },
    model::{Asset, Outcome, SliceKey},
};

const SDL: &str = r#"
interface Asset { id: ID! accountId: String region: String name: String }
type Account implements Asset { id: ID! accountId: String region: String name: String }
type Vpc implements Asset { id: ID! accountId: String region: String name: String vpcId: String! isDefault: Boolean
  hasFlowLog: [FlowLog!]! @relation(fields: ["vpcId"], references: ["resourceId"]) }
type FlowLog implements Asset { id: ID! accountId: String region: String name: String resourceId: String }
"#;

fn catalog() -> Catalog {
    Catalog::read(&[Source::new("test.graphql", SDL)]).unwrap()
}

fn read(text: &[u8]) -> Result<(Vec<Asset>, FileSummary), ImportError> {
    read_within(text, ImportLimits::default())
}

fn read_within(text: impl Read, limits: ImportLimits) -> Result<(Vec<Asset>, FileSummary), ImportError> {
    let mut assets = Vec::new();
    let mut take = |asset| {
        assets.push(asset);
        Ok(())
    };
    let summary = read_ndjson("vpcs.ndjson", BufReader::new(text), &catalog(), limits, &mut take)?;
    Ok((assets, summary))
}

/// The message with its causes.
fn refusal(text: &[u8]) -> String {
    message_of(&read(text).expect_err("the file is refused"))
}

fn message_of(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

fn vpc(id: &str, account: &str, region: &str) -> String {
    format!(
        r#"{{"__typename":"Vpc","id":"{id}","vpcId":"{id}","accountId":"{account}","region":"{region}"}}"#
    ) + "\n"
}

fn slice(asset_type: &str, account: &str, region: &str, rest: &str) -> String {
    format!(
        r#"{{"__typename":"Slice","assetType":"{asset_type}","accountId":"{account}","region":"{region}",{rest}}}"#
    ) + "\n"
}

#[test]
fn a_file_without_slices_is_complete_as_it_stands() {
    let text = vpc("a", "1", "eu-west-1") + "\n  \r\n" + &vpc("b", "1", "us-east-1");
    let (assets, summary) = read(text.as_bytes()).unwrap();
    assert_eq!(assets.iter().map(|asset| asset.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(summary, FileSummary { assets: 2, slices: None });
}

#[test]
fn an_empty_file_is_an_empty_inventory() {
    assert_eq!(read(b"").unwrap().1, FileSummary::default());
    assert_eq!(read(b"\n\n").unwrap().1, FileSummary::default());
}

#[test]
fn slice_lines_become_slices_in_order_with_their_assets_counted() {
    let text = slice("Vpc", "1", "us-east-1", r#""outcome":"complete","attemptedAt":"2026-11-20T10:00:00Z""#)
        + &vpc("a", "1", "us-east-1")
        + &slice(
            "FlowLog",
            "1",
            "eu-west-1",
            r#""outcome":"DENIED","reason":"no","api":"ec2:X","completedAt":null"#,
        );
    let slices = read(text.as_bytes()).unwrap().1.slices.unwrap();
    assert_eq!(slices.len(), 2);
    assert_eq!(slices[0].key, SliceKey::new("1", "eu-west-1", "FlowLog"));
    assert_eq!(
        (slices[0].outcome, slices[0].reason.as_deref(), slices[0].api.as_str()),
        (Outcome::Denied, Some("no"), "ec2:X")
    );
    assert_eq!((slices[0].assets, slices[0].completed_at), (0, None));
    assert_eq!((slices[1].assets, slices[1].outcome), (1, Outcome::Complete));
    assert_eq!(slices[1].completed_at, slices[1].attempted_at, "it was complete when it was attempted");
}

#[test]
fn a_utf_8_byte_order_mark_is_no_mistake() {
    let text = "\u{feff}".to_owned() + &vpc("a", "1", "eu-west-1");
    assert_eq!(read(text.as_bytes()).unwrap().1.assets, 1);
}

#[test]
fn unknown_cells_count_as_given() {
    let (assets, _) = read(br#"{"__typename":"Vpc","id":"a","__unknown":["vpcId"]}"#).unwrap();
    assert!(assets[0].unknown.contains("vpcId"));
}

/// F3
#[test]
fn a_bad_line_in_the_middle_is_named_by_file_line_and_column() {
    let text = vpc("a", "1", "x") + "{\"__typename\": \"Vpc\", id: 1}\n" + &vpc("b", "1", "x");
    let message = refusal(text.as_bytes());
    assert!(message.starts_with("vpcs.ndjson:2:23: "), "{message}");
    assert!(!message.contains("at line 1"), "the place stands once: {message}");
}

/// F3
#[test]
fn a_second_asset_of_one_id_names_both_lines() {
    let text = vpc("a", "1", "x") + &vpc("b", "1", "x") + &vpc("a", "2", "y");
    assert_eq!(
        refusal(text.as_bytes()),
        "vpcs.ndjson:3: `Vpc` with id `a` stands on line 1 already: keep one of the two"
    );
    let other_type = vpc("a", "1", "x") + r#"{"__typename":"FlowLog","id":"a"}"#;
    assert_eq!(read(other_type.as_bytes()).unwrap().1.assets, 2, "another type is another asset");
}

/// F3
#[test]
fn a_wrong_type_is_named_by_line_and_field() {
    let message = refusal(br#"{"__typename":"Vpc","id":"a","vpcId":"a","isDefault":"yes"}"#);
    assert!(message.starts_with("vpcs.ndjson:1: "), "{message}");
    assert!(message.contains("`isDefault`") && message.contains("`a`"), "{message}");
}

#[test]
fn every_misfit_is_refused_with_its_name() {
    for (line, expected) in [
        (r#"{"__typename":"Vpc","id":"a"}"#, "`vpcId`"),
        (r#"{"__typename":"Vpc","id":"a","vpcId":null}"#, "`vpcId`"),
        (r#"{"__typename":"Vpx","id":"a"}"#, "did you mean `Vpc`"),
        (r#"{"__typename":"Vpc","id":"a","vpcId":"a","isDefualt":true}"#, "isDefault"),
        (r#"{"__typename":"Vpc","id":"a","vpcId":"a","hasFlowLog":[]}"#, "`hasFlowLog`"),
        (r#"{"__typename":"Asset","id":"a"}"#, "`Asset`"),
        (r#"{"id":"a"}"#, "`__typename`"),
        (r#"{"__typename":"Vpc","id":7}"#, "`id`"),
        (r#"{"__typename":"Vpc","id":"","vpcId":"a"}"#, "`id`"),
        (r#"{"__typename":"Vpc","id":"a","__unknown":"vpcId"}"#, "`__unknown`"),
        (r#"{"__typename":"Vpc","id":"a","vpcId":"a","__unknown":["vpcId"]}"#, "`vpcId`"),
        ("[]", "a list"),
        ("7", "a number"),
        ("\"text", "string"),
    ] {
        let message = refusal(line.as_bytes());
        assert!(message.starts_with("vpcs.ndjson:1"), "{message}");
        assert!(message.contains(expected), "{line}: {message}");
    }
}

#[test]
fn every_bad_slice_line_is_refused_with_its_key() {
    let ok = r#""outcome":"COMPLETE""#;
    for (line, expected) in [
        (slice("Vpx", "1", "x", ok), "did you mean `Vpc`"),
        (slice("Asset", "1", "x", ok), "`Asset`"),
        (slice("Vpc", "", "x", ok), "`accountId`"),
        (slice("Vpc", "1", "x", r#""reason":"r""#), "`outcome`"),
        (slice("Vpc", "1", "x", r#""outcome":"GOOD""#), "`GOOD`"),
        (slice("Vpc", "1", "x", r#""outcome":"COMPLETE","attemptedAt":"soon""#), "`soon`"),
        (slice("Vpc", "1", "x", r#""outcome":"COMPLETE","reasn":"r""#), "`reasn`"),
        (slice("Vpc", "1", "x", r#""outcome":7"#), "`outcome`"),
    ] {
        let message = refusal(line.as_bytes());
        assert!(message.starts_with("vpcs.ndjson:1: ") && message.contains(expected), "{line}: {message}");
    }
    let twice = slice("Vpc", "1", "x", ok) + &slice("Vpc", "1", "x", r#""outcome":"DENIED""#);
    assert!(refusal(twice.as_bytes()).contains("stands on line 1 already"));
}

#[test]
fn other_encodings_are_refused_by_name() {
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big_endian: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let unmarked: Vec<u8> = r#"{"a":1}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [utf16, big_endian, unmarked] {
        assert!(refusal(&bytes).contains("UTF-16"), "{bytes:?}");
    }
    assert_eq!(refusal(b"{\"a\":\"\xff\"}"), "vpcs.ndjson:1:7: the line is not UTF-8");
}

#[test]
fn json_over_several_lines_is_told_what_to_write() {
    assert!(refusal(b"[\n {}\n]").contains("one asset a line"));
    assert!(refusal(b"{\n \"a\": 1\n}").contains("one asset a line"));
}

#[test]
fn json_nested_without_end_is_refused() {
    assert!(refusal("[".repeat(100_000).as_bytes()).starts_with("vpcs.ndjson:1:"));
}

/// Gives the same byte for ever and counts how much was taken.
struct Endless<'a>(&'a std::cell::Cell<usize>);

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'a');
        self.0.set(self.0.get() + buffer.len());
        Ok(buffer.len())
    }
}

/// F3: 1 GB on one line, here one without any end.
#[test]
fn a_line_without_end_is_given_up_at_the_limit() {
    let taken = std::cell::Cell::new(0);
    let limits = ImportLimits { line_bytes: 100_000 };
    let error = read_within(Endless(&taken), limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "vpcs.ndjson:1: the line has more than 100000 bytes, the limit of one asset"
    );
    assert!(taken.get() < 200_000, "{} bytes were read", taken.get());
    let line = vpc("a", "1", "x");
    let exact = ImportLimits { line_bytes: line.len() - 1 };
    assert!(read_within(line.as_bytes(), exact).is_ok(), "the limit itself is allowed");
}

#[test]
fn a_receiver_that_refuses_ends_the_reading_with_the_line() {
    let text = vpc("a", "1", "x") + &vpc("b", "1", "x");
    let mut take = |asset: Asset| if asset.id == "b" { Err("full".into()) } else { Ok(()) };
    let error = read_ndjson("vpcs.ndjson", text.as_bytes(), &catalog(), ImportLimits::default(), &mut take)
        .unwrap_err();
    assert_eq!(message_of(&error), "vpcs.ndjson:2: the asset cannot be taken in: full");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = std::path::Path::new("/nowhere/vpcs.ndjson");
    let error = read_file(path, &catalog(), ImportLimits::default(), &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `/nowhere/vpcs.ndjson`");
}

fn batches(text: &str) -> Vec<SliceBatch> {
    let (assets, summary) = read(text.as_bytes()).unwrap();
    let mut waiting = WaitingAssets::default();
    assets.into_iter().for_each(|asset| waiting.push(asset));
    slice_batches(&catalog(), waiting, summary.slices)
}

/// Each batch as `account region type OUTCOME: ids`.
fn shown(batches: &[SliceBatch]) -> Vec<String> {
    batches
        .iter()
        .map(|batch| {
            let ids: Vec<String> = batch.assets.iter().map(|asset| asset.read().unwrap().id).collect();
            format!("{} {}: {}", batch.key, batch.outcome, ids.join(" "))
        })
        .collect()
}

#[test]
fn without_slices_every_type_is_complete_in_every_place_of_the_file() {
    let text = vpc("a", "1", "x")
        + &vpc("b", "2", "y")
        + "{\"__typename\":\"Account\",\"id\":\"acc\",\"accountId\":\"1\"}\n"
        + "{\"__typename\":\"Account\",\"id\":\"empty\",\"accountId\":\"3\"}\n";
    assert_eq!(
        shown(&batches(&text)),
        [
            "1 global Account COMPLETE: acc",
            "1 x FlowLog COMPLETE: ",
            "1 x Vpc COMPLETE: a",
            "2 global Account COMPLETE: ",
            "2 y FlowLog COMPLETE: ",
            "2 y Vpc COMPLETE: b",
            "3 global Account COMPLETE: empty",
            "3 global FlowLog COMPLETE: ",
            "3 global Vpc COMPLETE: ",
        ]
    );
}

#[test]
fn with_slices_nothing_is_complete_but_what_the_file_says() {
    let text = slice("Vpc", "1", "x", r#""outcome":"COMPLETE""#)
        + &slice("FlowLog", "1", "x", r#""outcome":"DENIED","reason":"no""#)
        + &slice("Account", "1", "global", r#""outcome":"COMPLETE""#)
        + &slice("Vpc", "2", "y", r#""outcome":"COMPLETE""#)
        + &vpc("a", "1", "x")
        + &vpc("b", "1", "y")
        + "{\"__typename\":\"Account\",\"id\":\"acc\",\"accountId\":\"1\",\"region\":\"us-east-1\"}\n";
    let batches = batches(&text);
    assert_eq!(
        shown(&batches),
        [
            "1 global Account COMPLETE: acc",
            "1 x FlowLog DENIED: ",
            "1 x Vpc COMPLETE: a",
            "1 y Vpc FAILED: b",
            "2 y Vpc COMPLETE: ",
        ]
    );
    assert_eq!(batches[3].reason.as_deref(), Some("the file declares no slice for these assets"));
}

#[test]
fn a_shared_vpc_belongs_to_a_slice_that_sees_it_and_its_owner_stays_uncollected() {
    let text = slice("Vpc", "2", "x", r#""outcome":"COMPLETE""#)
        + &slice("Vpc", "1", "x", r#""outcome":"COMPLETE""#)
        + &vpc("shared", "9", "x")
        + &vpc("elsewhere", "9", "y");
    assert_eq!(
        shown(&batches(&text)),
        ["1 x Vpc COMPLETE: shared", "2 x Vpc COMPLETE: ", "9 y Vpc FAILED: elsewhere"]
    );
}

#[test]
fn a_slice_that_was_complete_once_is_two_commits() {
    let times = r#""outcome":"THROTTLED","attemptedAt":"2026-11-20","completedAt":"2026-11-19""#;
    let batches = batches(&(slice("Vpc", "1", "x", times) + &vpc("a", "1", "x")));
    assert_eq!(shown(&batches), ["1 x Vpc COMPLETE: a", "1 x Vpc THROTTLED: "]);
    assert!(batches[0].at < batches[1].at);
}

#[test]
fn an_asset_that_waited_is_the_one_that_was_read() {
    let text = r#"{"__typename":"Vpc","id":"a\"\n\u00e9","__unknown":["vpcId"],"name":"\ud83d\ude00 \\ /","region":null,"isDefault":true}"#;
    let (assets, _) = read(text.as_bytes()).unwrap();
    let batches = batches(text);
    let read: Vec<Asset> =
        batches.iter().flat_map(|batch| &batch.assets).map(|asset| asset.read().unwrap()).collect();
    assert_eq!(read, assets);
}

#[test]
fn assets_without_an_account_are_kept_under_none() {
    let text = r#"{"__typename":"Account","id":"acc"}"#;
    assert!(shown(&batches(text)).contains(&"none global Account COMPLETE: acc".to_owned()));
}
