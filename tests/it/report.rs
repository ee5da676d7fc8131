//! The texts that results become: what people see, and the shapes that machines may rely on.

use std::sync::Arc;

use passmuster::{
    check::{
        AssetName, CheckResult, Counts, ExitCode, Finding, Reason, RestsOn, Severity, SliceCount,
        UnknownAsset, Verdict,
    },
    model::{Outcome, SliceKey, SliceState, Time},
    report::{
        Answer, Cell, Changes, Detail, Sheet, Style, checks_csv, checks_json, checks_ndjson, checks_text,
        collection_text, noun, printable, thousands,
    },
};

const PLAIN: Style = Style { width: Some(120), colour: false };

fn at(text: &str) -> Time {
    text.parse().expect("a time")
}

fn vpc(id: &str, name: Option<&str>, region: &str) -> Arc<AssetName> {
    Arc::new(AssetName {
        account_id: Some("111111111111".to_owned()),
        region: Some(region.to_owned()),
        typename: "Vpc".to_owned(),
        native_id: Some(id.to_owned()),
        id: format!("arn:aws:ec2:{region}:111111111111:vpc/{id}"),
        name: name.map(str::to_owned),
    })
}

fn result(id: &str, verdict: Verdict) -> CheckResult {
    CheckResult {
        id: id.to_owned(),
        title: "Every VPC has an active flow log".to_owned(),
        severity: Severity::Medium,
        covers: "Vpc".to_owned(),
        verdict,
        counts: Counts::default(),
        findings: Vec::new(),
        excepted: Vec::new(),
        unknown: Vec::new(),
        unknown_coverage: Vec::new(),
        figure: None,
        rests_on: RestsOn::default(),
        error: None,
    }
}

fn denied() -> Reason {
    Reason::NotComplete {
        slice: SliceKey::new("111111111111", "eu-west-1", "FlowLog"),
        api: "ec2:DescribeFlowLogs".to_owned(),
        outcome: Outcome::Denied,
        reason: Some("UnauthorizedOperation".to_owned()),
    }
}

fn failing() -> CheckResult {
    let mut failing = result("logged", Verdict::Fail);
    failing.counts = Counts { fail: 2, excepted: 0, unknown: 1, pass: 1204 };
    failing.findings = vec![
        Finding {
            asset: vpc("vpc-1", Some("payments-prod"), "us-east-1"),
            priority: vec!["production".to_owned()],
            message: None,
            since: None,
        },
        Finding { asset: vpc("vpc-2", None, "us-east-1"), priority: Vec::new(), message: None, since: None },
    ];
    failing.unknown =
        vec![UnknownAsset { asset: vpc("vpc-3", Some("dr"), "eu-west-1"), reasons: [denied()].into() }];
    failing.rests_on = RestsOn {
        slices: Some(SliceCount { complete: 66, total: 67 }),
        oldest: Some(at("2026-11-20T12:00:00Z")),
    };
    failing
}

#[test]
fn a_report_shows_verdicts_then_what_fails_then_what_is_unknown_and_why() {
    let mut nothing = result("empty-store", Verdict::Unknown);
    nothing.unknown_coverage = vec![Reason::NothingCollected];
    let mut absent = result("no-vpcs", Verdict::NotApplicable);
    absent.rests_on.slices = Some(SliceCount { complete: 4, total: 4 });
    let text =
        checks_text(&[failing(), nothing, absent], at("2026-11-20T12:02:05Z"), PLAIN, Detail::default());
    assert_eq!(
        text,
        "\
CHECK        SEVERITY  VERDICT         FAIL  UNKNOWN   PASS  RESTS ON
logged       medium    FAIL               2        1  1,204  1,207 VPCs, 66 of 67 slices, 2 min old
empty-store  medium    UNKNOWN            0        0      0  nothing has been collected
no-vpcs      medium    NOT_APPLICABLE     0        0      0  no VPCs, all 4 slices

logged · Every VPC has an active flow log · 2 of 1,207 VPCs fail
  vpc-1  payments-prod  111111111111  us-east-1  production
  vpc-2  –              111111111111  us-east-1

Unknown · 1 VPC
  1 VPC: 111111111111 eu-west-1 FlowLog denied: UnauthorizedOperation
    allow ec2:DescribeFlowLogs, then collect again
Unknown · there may be more VPCs than were seen
  nothing has been collected
    run `passmuster collect` first
"
    );
}

#[test]
fn a_long_list_is_cut_and_says_how_to_see_the_rest() {
    let detail = Detail { assets: 1, reasons: 1 };
    let text = checks_text(&[failing()], at("2026-11-20T12:02:05Z"), PLAIN, detail);
    assert!(text.contains("  .. 1 more (-o json lists all)\n"), "{text}");
    assert!(!text.contains("vpc-2"), "{text}");
}

#[test]
fn a_check_that_could_not_be_run_says_why() {
    let mut broken = result("broken", Verdict::Error);
    broken.error = Some("`Vpc` has no field `x`".to_owned());
    let text = checks_text(&[broken], at("2026-11-20"), PLAIN, Detail::default());
    assert!(text.contains("ERROR"), "{text}");
    assert!(text.contains("broken: could not be run: `Vpc` has no field `x`\n"), "{text}");
}

#[test]
fn a_table_fits_the_terminal_and_is_coloured_only_if_asked() {
    let results = [failing()];
    let now = at("2026-11-20T12:02:05Z");
    let narrow = checks_text(&results, now, Style { width: Some(60), colour: false }, Detail::default());
    let table = narrow.split("\n\n").next().expect("a table");
    assert!(table.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    assert!(!narrow.contains('\u{1b}'), "no escape where no colour is asked: {narrow}");
    let coloured = checks_text(&results, now, Style { width: Some(120), colour: true }, Detail::default());
    assert!(coloured.contains('\u{1b}') && coloured.contains("FAIL"), "{coloured}");
}

#[test]
fn names_from_outside_cannot_move_the_cursor_or_turn_the_text_around() {
    assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
    let mut evil = failing();
    Arc::make_mut(&mut evil.findings[0].asset).name = Some("\u{1b}[31mred\u{7}".to_owned());
    let text = checks_text(&[evil], at("2026-11-20"), PLAIN, Detail::default());
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
}

#[test]
fn the_json_of_check_results_has_a_stable_shape() {
    let text = checks_json(&[failing()], ExitCode::Findings, at("2026-11-20T12:02:05Z"));
    assert_eq!(
        text,
        r#"{
  "at": "2026-11-20T12:02:05.000Z",
  "exitCode": 2,
  "checks": [
    {
      "id": "logged",
      "title": "Every VPC has an active flow log",
      "severity": "medium",
      "covers": "Vpc",
      "verdict": "FAIL",
      "counts": {
        "fail": 2,
        "excepted": 0,
        "unknown": 1,
        "pass": 1204
      },
      "restsOn": {
        "slices": {
          "complete": 66,
          "total": 67
        },
        "oldest": "2026-11-20T12:00:00.000Z"
      },
      "findings": [
        {
          "typename": "Vpc",
          "id": "arn:aws:ec2:us-east-1:111111111111:vpc/vpc-1",
          "nativeId": "vpc-1",
          "name": "payments-prod",
          "accountId": "111111111111",
          "region": "us-east-1",
          "priority": [
            "production"
          ],
          "since": null
        },
        {
          "typename": "Vpc",
          "id": "arn:aws:ec2:us-east-1:111111111111:vpc/vpc-2",
          "nativeId": "vpc-2",
          "name": null,
          "accountId": "111111111111",
          "region": "us-east-1",
          "priority": [],
          "since": null
        }
      ],
      "excepted": [],
      "unknown": [
        {
          "typename": "Vpc",
          "id": "arn:aws:ec2:eu-west-1:111111111111:vpc/vpc-3",
          "nativeId": "vpc-3",
          "name": "dr",
          "accountId": "111111111111",
          "region": "eu-west-1",
          "reasons": [
            {
              "code": "denied",
              "message": "111111111111 eu-west-1 FlowLog denied: UnauthorizedOperation",
              "remedy": "allow ec2:DescribeFlowLogs, then collect again",
              "assetType": "FlowLog",
              "accountId": "111111111111",
              "region": "eu-west-1"
            }
          ]
        }
      ],
      "unknownCoverage": [],
      "error": null
    }
  ]
}
"#
    );
    let lines = checks_ndjson(&[failing(), result("other", Verdict::Pass)]);
    assert_eq!(lines.lines().count(), 2);
    for line in lines.lines() {
        let check: serde_json::Value = serde_json::from_str(line).expect("one object a line");
        assert!(check["id"].is_string());
    }
}

#[test]
fn the_csv_of_check_results_has_a_line_for_each_finding_and_each_check_without_one() {
    let text = checks_csv(&[failing(), result("other", Verdict::Pass)]);
    assert_eq!(
        text,
        "\
check,severity,verdict,status,typename,nativeId,name,accountId,region,id,detail
logged,medium,FAIL,FAIL,Vpc,vpc-1,payments-prod,111111111111,us-east-1,arn:aws:ec2:us-east-1:111111111111:vpc/vpc-1,production
logged,medium,FAIL,FAIL,Vpc,vpc-2,,111111111111,us-east-1,arn:aws:ec2:us-east-1:111111111111:vpc/vpc-2,
logged,medium,FAIL,UNKNOWN,Vpc,vpc-3,dr,111111111111,eu-west-1,arn:aws:ec2:eu-west-1:111111111111:vpc/vpc-3,111111111111 eu-west-1 FlowLog denied: UnauthorizedOperation
other,medium,PASS,PASS,,,,,,,
"
    );
}

fn answer(body: &str) -> Answer {
    Answer::read(body.as_bytes()).expect("a response with data")
}

const NESTED: &str = r#"{"data":{"vpcs":[
    {"vpcId":"vpc-1","name":"payments","size":12045,"hasFlowLog":[{"trafficType":"REJECT"},{"trafficType":"ACCEPT"}],
     "tags":[{"key":"env","value":"prod"},{"key":"team","value":null}],"account":{"name":"core","state":"ACTIVE"}},
    {"vpcId":"vpc-2","name":null,"size":7,"hasFlowLog":[],"tags":[],"account":null}]}}"#;

#[test]
fn a_querys_answer_is_a_table_in_the_order_asked_with_nested_things_summed_up() {
    assert_eq!(
        answer(NESTED).table(PLAIN),
        "\
VPC ID  NAME        SIZE  HAS FLOW LOG    TAGS              ACCOUNT
vpc-1   payments  12,045  REJECT, ACCEPT  env=prod, team=–  core ACTIVE
vpc-2   –              7  –               –                 –
"
    );
}

#[test]
fn a_querys_answer_as_csv_and_ndjson_is_whole_and_has_no_separators() {
    assert_eq!(
        answer(NESTED).csv(),
        "\
vpcId,name,size,hasFlowLog,tags,account.name,account.state,account
vpc-1,payments,12045,\"[{\"\"trafficType\"\":\"\"REJECT\"\"},{\"\"trafficType\"\":\"\"ACCEPT\"\"}]\",\
\"[{\"\"key\"\":\"\"env\"\",\"\"value\"\":\"\"prod\"\"},{\"\"key\"\":\"\"team\"\",\"\"value\"\":null}]\",core,ACTIVE,
vpc-2,,7,,,,,
"
    );
    let lines = answer(r#"{"data":{"vpcs":[{"z":1,"a":"x"},{"z":2,"a":null}]}}"#).ndjson();
    assert_eq!(lines, "{\"z\":1,\"a\":\"x\"}\n{\"z\":2,\"a\":null}\n");
}

#[test]
fn several_root_fields_are_told_apart() {
    let both = answer(r#"{"data":{"vpc":{"name":"a"},"none":null,"ids":["x,y","z"],"__typename":"Query"}}"#);
    assert_eq!(
        both.table(PLAIN),
        "vpc:\nNAME\na\n\nnone:\nnothing found\n\nids:\nIDS\nx,y\nz\n\n__typename:\nQuery\n"
    );
    assert_eq!(both.csv(), "root,name,value\nvpc,a,\nids,,\"x,y\"\nids,,z\n__typename,,Query\n");
    assert_eq!(
        both.ndjson(),
        "{\"vpc\":{\"name\":\"a\"}}\n{\"ids\":\"x,y\"}\n{\"ids\":\"z\"}\n{\"__typename\":\"Query\"}\n"
    );
    assert_eq!(both.rows().collect::<Vec<_>>(), [("vpc", 1), ("none", 0), ("ids", 2), ("__typename", 1)]);
}

#[test]
fn a_body_without_data_is_no_answer() {
    for body in [r#"{"errors":[{"message":"no"}]}"#, r#"{"data":null}"#, "[", ""] {
        assert!(Answer::read(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn csv_quotes_what_would_break_a_line() {
    let mut sheet = Sheet::new(&["a", "b"]);
    sheet.rows.push(vec![Cell::new("x\"y\nz"), Cell::new(serde_json::json!(["p", 2]))]);
    assert_eq!(sheet.csv(), "a,b\n\"x\"\"y\nz\",p;2\n");
    assert_eq!(sheet.ndjson(), "{\"a\":\"x\\\"y\\nz\",\"b\":[\"p\",2]}\n");
    assert_eq!(Sheet::new(&["a"]).json(), "[]\n");
}

#[test]
fn a_collection_says_what_is_missing_and_what_that_means() {
    let slice = |region: &str, outcome, reason: Option<&str>| SliceState {
        key: SliceKey::new("111111111111", region, "FlowLog"),
        api: "ec2:DescribeFlowLogs".to_owned(),
        outcome,
        reason: reason.map(str::to_owned),
        attempted_at: None,
        completed_at: None,
        assets: 0,
    };
    let slices = [
        slice("us-east-1", Outcome::Complete, None),
        slice("eu-west-1", Outcome::Denied, Some("UnauthorizedOperation")),
    ];
    assert_eq!(
        collection_text(&slices, Changes { assets: 1204, added: 12, changed: 3, removed: 1 }),
        "\
✔ 1 complete   ✖ 1 denied      1,204 assets: 12 new, 3 changed, 1 gone
! flow logs of 111111111111 in eu-west-1: denied (UnauthorizedOperation); checks that need them answer UNKNOWN there; \
allow ec2:DescribeFlowLogs
"
    );
}

#[test]
fn what_is_missing_of_an_account_for_one_reason_is_one_line() {
    let slice = |region: &str, asset_type: &str, reason: &str| SliceState {
        key: SliceKey::new("111111111111", region, asset_type),
        api: "sts:AssumeRole".to_owned(),
        outcome: Outcome::Denied,
        reason: Some(reason.to_owned()),
        attempted_at: None,
        completed_at: None,
        assets: 0,
    };
    let refused = "sts:AssumeRole: AccessDenied";
    let regions = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1"];
    let mut slices: Vec<SliceState> = regions
        .iter()
        .flat_map(|region| ["FlowLog", "Vpc"].map(|asset_type| slice(region, asset_type, refused)))
        .collect();
    slices.push(slice("us-east-1", "Subnet", "another"));
    let text = collection_text(&slices, Changes::default());
    let told: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        told,
        [
            "! 2 types of 111111111111 in 4 regions: denied (sts:AssumeRole: AccessDenied); checks that need them \
             answer UNKNOWN there; allow sts:AssumeRole",
            "! subnets of 111111111111 in us-east-1: denied (another); checks that need them answer UNKNOWN there; \
             allow sts:AssumeRole",
        ]
    );
}

#[test]
fn numbers_and_nouns_read_as_people_say_them() {
    assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!(
        ["Vpc", "FlowLog", "S3Bucket", "NatGateway"].map(|name| noun(name, 1)),
        ["VPC", "flow log", "S3 bucket", "NAT gateway"]
    );
    assert_eq!(
        ["Vpc", "FlowLog", "SecurityPolicy"].map(|name| noun(name, 2)),
        ["VPCs", "flow logs", "security policies"]
    );
}
