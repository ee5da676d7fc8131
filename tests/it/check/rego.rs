//! Policies in Rego: what they deny, what is refused and where, and that what was not seen is never decided by one.

use passmuster::{
    check::{self, Check, CheckResult, ExitCode, Sources, Verdict, evaluate},
    graph::{Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
};

use super::SHIPPED;

const QUERY: &str = "vpcs { id vpcId name hasFlowLog { flowLogStatus trafficType } }\n";

const POLICY: &str = r#"package flowlogs

# As it is written for Open Policy Agent.
deny contains {"msg": msg, "id": vpc.id} if {
  some vpc in input.vpcs
  not logged(vpc)
  msg := sprintf("%s has no active flow log", [vpc.vpcId])
}

logged(vpc) if {
  some log in vpc.hasFlowLog
  log.flowLogStatus == "ACTIVE"
}
"#;

fn load_as(expect: &str, query: &str, policy: Option<(&str, &str)>) -> Result<Check, Vec<check::CheckError>> {
    let check = format!(
        "id: own-denied\ntitle: No VPC is denied\nseverity: high\ncovers: Vpc\nexpect: {expect}\npriority:\n  - label: \
         default\n    where: '{{isDefault: true}}'\n"
    );
    let mut files = vec![("check.yaml", check.as_str()), ("query.graphql", query)];
    files.extend(policy);
    let files = files.into_iter().map(|(name, text)| (format!("own/denied/{name}"), text.to_owned()));
    let sources = Sources::from_files("q", files);
    check::load(&sources, &SHIPPED.0).map(|mut checks| checks.remove(0)).map_err(|errors| errors.0)
}

fn load(policy: &str) -> Result<Check, Vec<check::CheckError>> {
    load_as("{rego: policy.rego}", QUERY, Some(("policy.rego", policy)))
}

fn vpc(id: &str) -> Asset {
    let asset = Asset::new("Vpc", format!("arn:aws:ec2:eu-west-1:1:vpc/{id}")).with("vpcId", id);
    asset
        .with("nativeId", id)
        .with("accountId", "1")
        .with("region", "eu-west-1")
        .with("isDefault", id == "vpc-3")
}

fn log(vpc: &str, status: &str) -> Asset {
    let log = Asset::new("FlowLog", format!("fl-{vpc}")).with("flowLogId", format!("fl-{vpc}"));
    log.with("resourceId", vpc)
        .with("flowLogStatus", status)
        .with("accountId", "1")
        .with("region", "eu-west-1")
}

fn slice(asset_type: &str, outcome: Outcome) -> SliceState {
    SliceState {
        key: SliceKey::new("1", "eu-west-1", asset_type),
        api: String::new(),
        outcome,
        reason: None,
        attempted_at: None,
        completed_at: None,
        assets: 0,
    }
}

fn now() -> Time {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

fn graph(assets: &[Asset], slices: Option<Vec<SliceState>>) -> Graph {
    let mut builder = GraphBuilder::new(SHIPPED.0.catalog().clone());
    assets.iter().for_each(|asset| builder.push(asset).expect("an asset that fits"));
    builder.finish(slices, now()).expect("a graph")
}

fn judge(check: &Check, assets: &[Asset], slices: Option<Vec<SliceState>>) -> CheckResult {
    evaluate(check, &SHIPPED.0, &graph(assets, slices), now())
}

fn inventory() -> Vec<Asset> {
    vec![vpc("vpc-1"), vpc("vpc-2"), vpc("vpc-3"), log("vpc-1", "ACTIVE"), log("vpc-2", "INACTIVE")]
}

fn complete() -> Option<Vec<SliceState>> {
    Some(vec![slice("Vpc", Outcome::Complete), slice("FlowLog", Outcome::Complete)])
}

#[test]
fn what_a_policy_denies_fails_by_name_with_its_message_and_priority() {
    let check = load(POLICY).expect("valid");
    assert_eq!(check.touches, ["FlowLog", "Vpc"]);
    let result = judge(&check, &inventory(), complete());
    assert_eq!((result.verdict, result.counts.fail, result.counts.pass), (Verdict::Fail, 2, 1));
    let told: Vec<(&str, &str, &[String])> = result
        .findings
        .iter()
        .map(|found| (found.asset.short_id(), found.message.as_deref().unwrap_or("-"), &*found.priority))
        .collect();
    assert_eq!(
        told,
        [
            ("vpc-3", "vpc-3 has no active flow log", &["default".to_owned()][..]),
            ("vpc-2", "vpc-2 has no active flow log", &[]),
        ]
    );
    assert_eq!(result.figure, None);
    assert_eq!(ExitCode::of(&[result]), ExitCode::Findings);
    let passing = judge(&check, &[vpc("vpc-1"), log("vpc-1", "ACTIVE")], complete());
    assert_eq!((passing.verdict, passing.counts.pass), (Verdict::Pass, 1));
}

#[test]
fn both_conventions_and_both_versions_of_the_language_are_read() {
    let told = |policy: &str| {
        let result =
            judge(&load(policy).unwrap_or_else(|errors| panic!("{errors:?}")), &inventory(), complete());
        let names: Vec<String> =
            result.findings.iter().map(|found| found.asset.short_id().to_owned()).collect();
        (result.verdict, names)
    };
    let texts = "package a\nviolation contains msg if {\n  some vpc in input.vpcs\n  vpc.name == null\n  msg := \
                 sprintf(\"no name: %s.\", [vpc.vpcId])\n}\n";
    assert_eq!(told(texts).1, ["vpc-3", "vpc-1", "vpc-2"], "the first by priority");
    let old =
        "package a.b\ndeny[msg] {\n  vpc := input.vpcs[_]\n  vpc.vpcId == \"vpc-2\"\n  msg := vpc.id\n}\n";
    assert_eq!(told(old).1, ["vpc-2"]);
    let both = "package a\ndeny contains \"vpc-1\" if true\nviolation contains {\"message\": \"two\", \"resource\": \
                \"vpc-2\"} if true\n";
    assert_eq!(told(both), (Verdict::Fail, vec!["vpc-1".to_owned(), "vpc-2".to_owned()]));
    let nothing = "package a\ndeny contains msg if {\n  false\n  msg := \"x\"\n}\n";
    assert_eq!(told(nothing), (Verdict::Pass, Vec::new()));
}

#[test]
fn a_message_that_names_no_asset_fails_the_check_as_a_whole() {
    let check = load("package a\ndeny contains \"too many VPCs\" if count(input.vpcs) > 2\n").expect("valid");
    let result = judge(&check, &inventory(), complete());
    assert_eq!((result.verdict, result.findings.len()), (Verdict::Fail, 0));
    let figure = result.figure.expect("what it says");
    assert_eq!(figure.found.to_string(), "[\"too many VPCs\"]");
    assert_eq!(judge(&check, &inventory()[..2], complete()).verdict, Verdict::Pass);
}

#[test]
fn what_was_not_seen_makes_pass_and_fail_unknown_for_every_asset() {
    let check = load(POLICY).expect("valid");
    let denied = Some(vec![slice("Vpc", Outcome::Complete), slice("FlowLog", Outcome::Denied)]);
    let logged = [vpc("vpc-1"), log("vpc-1", "ACTIVE")];
    for assets in [&inventory()[..], &logged[..]] {
        let result = judge(&check, assets, denied.clone());
        assert_eq!(result.verdict, Verdict::Unknown);
        assert!(result.findings.is_empty(), "a policy is not monotone: no FAIL either");
        let covered = assets.iter().filter(|asset| asset.typename == "Vpc").count();
        assert_eq!((result.unknown.len(), result.counts.unknown), (covered, covered as u64));
        assert!(result.unknown_coverage[0].to_string().contains("1 eu-west-1 FlowLog denied"), "{result:?}");
    }
    let mut unseen = inventory();
    unseen[0].unknown.insert("name".to_owned());
    let result = judge(&check, &unseen, complete());
    assert_eq!(result.verdict, Verdict::Unknown, "a cell that could not be seen");
    assert!(result.unknown_coverage[0].to_string().contains("`name`"), "{result:?}");
    let nothing = judge(&check, &[], Some(Vec::new()));
    assert_eq!(nothing.verdict, Verdict::Unknown, "nothing was collected");
    assert_eq!(judge(&check, &[], complete()).verdict, Verdict::NotApplicable);
    assert_eq!(judge(&check, &[], None).verdict, Verdict::NotApplicable);
}

/// The only mistake, as `file:line:column code`, and its text.
fn mistake(loaded: Result<Check, Vec<check::CheckError>>) -> (String, String) {
    let errors = loaded.expect_err("a mistake");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    let place =
        error.place.as_ref().map_or(String::new(), |place| format!(":{}:{}", place.line, place.column));
    let file = error.file.rsplit('/').next().unwrap_or_default();
    (format!("{file}{place} {}", error.code()), format!("{error} / {}", error.help().unwrap_or_default()))
}

#[test]
fn a_mistake_in_a_policy_is_found_when_the_check_is_loaded() {
    let assert_refused = |policy: &str, told: &str, hint: &str| {
        let (found, text) = mistake(load(policy));
        assert_eq!(found, told, "{policy}: {text}");
        assert!(text.contains(hint), "{policy}: {text}");
    };
    assert_refused("package a\ndeny contains msg if {\n  msg := \n}\n", "policy.rego:3:7 rego", "");
    assert_refused("deny contains \"x\" if true\n", "policy.rego:1:1 rego", "package");
    assert_refused("package a\nallow if true\n", "policy.rego:1:1 rego", "no rule `deny` or `violation`");
    assert_refused("package a\ndeny contains x if { x := nosuch(1) }\n", "policy.rego:2:33 rego", "nosuch");
    assert_refused(
        "package a\ndeny contains x if { some x in numbers.range(1, 1000000000000) }\n",
        "policy.rego:2:32 rego",
        "`numbers.range` can't be used",
    );
    assert_refused(
        "package a\ndeny contains \"x\" if f(1) == 2\nf(x) := y if {\n  y := f(x + 1)\n}\n",
        "policy.rego:3:1 rego",
        "`f` calls itself",
    );
    let round = "package a\ndeny contains \"x\" if f(1)\nf(x) if g(x)\ng(x) if {\n  h(x)\n}\nh(x) := f(x)\n";
    assert_refused(round, "policy.rego:3:1 rego", "`f` calls itself");
    let twice = "package a\ndeny contains \"x\" if f(f(1)) == 9\n# f(x) calls g(x)\nf(x) := g(x) + 1\ng(x) := \
                 count(sprintf(\"f(%d)\", [x]))\n";
    assert!(load(twice).is_ok(), "a name in a comment or a text is no call");
    let missing = load_as("{rego: polcy.rego}", QUERY, Some(("policy.rego", POLICY)));
    let (told, text) = mistake(missing);
    assert_eq!(told, "check.yaml:5:16 no_policy");
    assert!(text.contains("did you mean `policy.rego`?"), "{text}");
    let (told, text) = mistake(load_as("{rgeo: policy.rego}", QUERY, Some(("policy.rego", POLICY))));
    assert!(told.ends_with("unknown_key") && text.contains("did you mean `rego`?"), "{told} {text}");
    let part = load_as("{rego: policy.rego}", "vpcs(limit: 3) { id }", Some(("policy.rego", POLICY)));
    assert_eq!(mistake(part).0, "query.graphql:1:6 part_of_the_result");
    let other = load_as("{rego: policy.rego}", "subnets { id }", Some(("policy.rego", POLICY)));
    assert_eq!(mistake(other).0, "query.graphql:1:1 wrong_root");
}

#[test]
fn a_policy_that_goes_wrong_or_does_not_end_is_an_error_and_no_verdict() {
    let error = |policy: &str, assets: &[Asset]| {
        let check = load(policy).unwrap_or_else(|errors| panic!("{errors:?}"));
        let result = judge(&check, assets, complete());
        assert_eq!(result.verdict, Verdict::Error, "{policy}");
        assert_eq!(ExitCode::of(std::slice::from_ref(&result)), ExitCode::Error);
        result.error.expect("why")
    };
    let conflict = "package a\ndeny contains name if {\n  some vpc in input.vpcs\n  name := f(vpc)\n}\nf(vpc) := \"a\" if \
                    vpc.vpcId\nf(vpc) := \"b\" if vpc.vpcId\n";
    assert!(error(conflict, &inventory()).starts_with("policy.rego: "), "two values of one function");
    let no_set = "package a\ndeny if count(input.vpcs) > 0\n";
    assert!(error(no_set, &inventory()).contains("must be a set of messages"));
    let no_message = "package a\ndeny contains {\"id\": vpc.id} if some vpc in input.vpcs\n";
    assert!(error(no_message, &inventory()).contains("has no `msg`"));
    // 60 to the fifth: no steps are left long before it ends.
    let endless = "package a\ndeny contains \"x\" if {\n  some a in input.vpcs\n  some b in input.vpcs\n  some c in \
                   input.vpcs\n  some d in input.vpcs\n  some e in input.vpcs\n  a.vpcId == sprintf(\"%s%s%s%s\", [b, c, d, \
                   e])\n}\n";
    let many: Vec<Asset> = (0..60).map(|number| vpc(&format!("vpc-{number}"))).collect();
    assert!(error(endless, &many).contains("more than 10000000 steps"));
}

#[test]
fn a_policy_of_another_text_is_another_check() {
    let mut remembered = check::RememberedVerdicts::default();
    let graph = graph(&inventory(), complete());
    let all = load(POLICY).expect("valid");
    let none = load("package a\ndeny contains \"x\" if false\n").expect("valid");
    let mut judge = |check: &Check| {
        let results = remembered.evaluate_all(std::slice::from_ref(check), &SHIPPED.0, &graph, now());
        results[0].verdict
    };
    assert_eq!([judge(&all), judge(&none), judge(&all)], [Verdict::Fail, Verdict::Pass, Verdict::Fail]);
    assert_eq!(remembered.evaluated(), 3);
}
