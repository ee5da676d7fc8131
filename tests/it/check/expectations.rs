//! Expectations: which are refused and where, which assets they judge, and what is decided of a figure when not all was
//! seen (F2).

use std::sync::Arc;

use passmuster::{
    check::{self, Check, CheckResult, Figure, Found, Reason, Verdict, evaluate},
    graph::{Graph, GraphBuilder},
    model::{Asset, MaxAge, Outcome, SliceKey, SliceState, Time},
};
use serde_json::json;

use super::SHIPPED;

const VPCS: &str = "vpcs(where: {state: \"pending\"}) { id name isDefault hasFlowLog { flowLogId } }";
const TOTALS: &str = "vpcsAggregate { count node { vpcId { longest } } }";

fn now() -> Time {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

fn pasted(query: &str, expect: &str) -> Result<Check, check::CheckErrors> {
    check::pasted(query, expect, MaxAge::DEFAULT, &SHIPPED.0)
}

/// The only mistake, as `file:line:column code`, and its text with its help.
fn mistake(query: &str, expect: &str) -> (String, String) {
    let errors = pasted(query, expect).expect_err(expect).0;
    let [error] = errors.as_slice() else { panic!("{expect}: {errors:?}") };
    let place = error.place.as_ref().map(|place| format!(":{}:{}", place.line, place.column));
    let text = format!("{error} / {}", error.help().unwrap_or_default());
    (format!("{}{} {}", error.file, place.unwrap_or_default(), error.code()), text)
}

fn assert_refused(query: &str, expect: &str, told: &str, hint: &str) {
    let (found, text) = mistake(query, expect);
    assert_eq!(found, told, "{expect}: {text}");
    assert!(text.contains(hint), "{expect}: {text}");
}

fn vpc(id: &str, region: &str) -> Asset {
    Asset::new("Vpc", id).with("vpcId", id).with("nativeId", id).with("accountId", "1").with("region", region)
}

/// The same asset with a field that could not be seen.
fn unseen(mut asset: Asset, field: &str) -> Asset {
    asset.fields.remove(field);
    asset.unknown.insert(field.to_owned());
    asset
}

fn slice(asset_type: &str, region: &str, outcome: Outcome) -> SliceState {
    SliceState {
        key: SliceKey::new("1", region, asset_type),
        api: String::new(),
        outcome,
        reason: None,
        attempted_at: None,
        completed_at: None,
        assets: 0,
    }
}

fn graph(assets: &[Asset], slices: Option<Vec<SliceState>>) -> Graph {
    let catalog = SHIPPED.0.catalog();
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    for asset in assets {
        catalog.check_asset(asset).unwrap_or_else(|misfit| panic!("{}: {misfit}", asset.id));
        builder.push(asset).expect("an asset");
    }
    builder.finish(slices, now()).expect("a graph")
}

fn verdict_of(query: &str, expect: &str, graph: &Graph) -> CheckResult {
    let check = pasted(query, expect).unwrap_or_else(|errors| panic!("{errors}"));
    let result = evaluate(&check, &SHIPPED.0, graph, now());
    assert_eq!(result.error, None, "{expect}");
    result
}

fn failing(result: &CheckResult) -> Vec<&str> {
    result.findings.iter().map(|finding| finding.asset.id.as_str()).collect()
}

#[test]
fn a_mistyped_operator_is_shown_where_it_stands_with_the_nearest() {
    for (expect, place, nearest) in [
        ("eqq []", 1, "eq"),
        ("equals []", 1, "eq"),
        ("== []", 1, "eq"),
        ("count lte5", 7, "lte"),
        ("count  > 5", 8, "gt"),
        ("count != 5", 7, "ne"),
        ("non {name: null}", 1, "none"),
        ("EQ []", 1, "eq"),
    ] {
        let told = format!("--expect:1:{place} unknown_operator");
        assert_refused(VPCS, expect, &told, &format!("did you mean `{nearest}`?"));
    }
    assert_refused(VPCS, "count resembles 5", "--expect:1:7 unknown_operator", "write eq, ne, lt");
    for broken in ["[]", "", "  ", "eq", "count lt", "5", "co-unt lt 5"] {
        let (told, text) = mistake(VPCS, broken);
        assert!(told.ends_with(" bad_expectation"), "{broken}: {told} {text}");
    }
}

#[test]
fn a_value_that_is_no_json_is_shown_where_it_stands() {
    assert_refused(VPCS, "eq [", "--expect:1:4 bad_operand", "EOF");
    assert_refused(VPCS, " count eq five", "--expect:1:11 bad_operand", "double quotes");
}

#[test]
fn a_path_that_leads_nowhere_is_shown_where_it_ends() {
    assert_refused(VPCS, "cuont lt 5", "--expect:1:1 unknown_path", "did you mean `count`?");
    assert_refused(VPCS, "vpcs.cuont lt 5", "--expect:1:6 unknown_path", "did you mean `count`?");
    assert_refused(VPCS, "vpcs.name eq 1", "--expect:1:6 unknown_path", "it has `count`");
    assert_refused(TOTALS, "vpcsAggregate.node.cidr eq 1", "--expect:1:20 unknown_path", "it has");
    assert_refused(TOTALS, "count.more eq 1", "--expect:1:7 unknown_path", "has no parts");
    let both = "a: vpcsAggregate { count } b: subnetsAggregate { count }";
    assert_refused(both, "c.count eq 1", "--expect:1:1 unknown_path", "it has `a`, `b`");
    assert_refused(both, "eq []", "--query:1:28 several_roots", "a check of each");
}

#[test]
fn an_expectation_that_can_never_be_met_says_why() {
    for (query, expect, column, hint) in [
        (VPCS, "eq null", 4, "a list of assets is never null"),
        (VPCS, "eq 0", 4, "it is a list of assets, not a number"),
        (VPCS, "eq {}", 4, "not an object"),
        (VPCS, "lt []", 4, "neither more nor less"),
        (VPCS, "eq [1]", 4, "it is an object, not a number"),
        (VPCS, "eq [{\"id\": \"a\"}]", 4, "has a `name`, too"),
        (VPCS, "eq [{\"ip\": 1}]", 4, "does not ask for `ip`"),
        (VPCS, "count lt 0", 10, "no count does"),
        (VPCS, "count eq 2.5", 10, "a count is never 2.5"),
        (VPCS, "count eq -1", 10, "a count is never -1"),
        (VPCS, "count eq \"5\"", 10, "it is a count, not text"),
        (VPCS, "count lt null", 10, "never null"),
        (TOTALS, "vpcsAggregate.node.vpcId.longest eq 1", 37, "it is text, not a number"),
        ("vpc(id: \"a\") { isDefault }", "isDefault lt true", 14, "neither more nor less"),
    ] {
        let told = format!("--expect:1:{column} impossible_expectation");
        assert_refused(query, expect, &told, hint);
    }
}

#[test]
fn an_expectation_that_can_never_fail_says_why() {
    for (expect, column, hint) in [
        ("count gte 0", 11, "every count does"),
        ("count ne -1", 10, "never -1"),
        ("ne 5", 4, "not a number"),
        ("all {}", 5, "an empty filter"),
    ] {
        let told = format!("--expect:1:{column} idle_expectation");
        assert_refused(VPCS, expect, &told, hint);
    }
}

#[test]
fn a_filter_of_all_and_none_is_held_against_the_schema_at_its_place() {
    assert_refused(VPCS, "all {nmae: null}", "--expect:1:6 unknown_key", "did you mean `name`?");
    assert_refused(VPCS, "none {state: 1}", "--expect:1:14 wrong_value", "");
    assert_refused(VPCS, "all {}, limit: 1", "--expect:1:5 bad_expectation", "all {..}");
    assert_refused(VPCS, "all {}) { id } subnets(where: {}", "--expect:1:5 bad_expectation", "all {..}");
    assert_refused(TOTALS, "all {name: null}", "--query:1:1 not_a_list", "");
    assert_refused("vpc(id: \"a\") { id }", "eq []", "--query:1:1 not_a_list", "root field of many");
    assert_refused("search(text: \"a\") { name }", "count eq 0", "--query:1:1 not_a_list", "");
}

#[test]
fn a_query_that_looks_at_a_part_or_at_another_moment_is_refused_for_every_expectation() {
    for expect in ["eq []", "count lt 5", "all {name: \"a\"}"] {
        assert_refused("vpcs(limit: 3) { id }", expect, "--query:1:6 part_of_the_result", "remove `limit`");
    }
    let past = "vpcs(asOf: \"2026-01-01T00:00:00Z\") { id }";
    assert_refused(past, "eq []", "--query:1:6 another_moment", "remove `asOf`");
    let groups = "vpcsGroup(by: [region], limit: 1) { count }";
    assert_refused(groups, "count lt 5", "--query:1:25 part_of_the_result", "remove `limit`");
}

#[test]
fn all_and_none_judge_each_asset_of_the_list() {
    let named = |id: &str, name: &str| vpc(id, "r").with("name", name).with("state", "pending");
    let assets = [named("a", "x"), named("b", "y"), vpc("c", "r").with("state", "pending"), vpc("d", "r")];
    let graph = graph(&assets, None);
    let all = verdict_of(VPCS, "all {name: \"x\"}", &graph);
    assert_eq!((all.verdict, failing(&all)), (Verdict::Fail, vec!["b", "c"]), "a null is not `x`");
    let none = verdict_of(VPCS, "none {name: \"x\"}", &graph);
    assert_eq!((none.verdict, failing(&none)), (Verdict::Fail, vec!["a"]));
    assert_eq!(verdict_of(VPCS, "none {name: \"z\"}", &graph).counts.pass, 4);
    let any = verdict_of(VPCS, "none {}", &graph);
    assert_eq!(failing(&any), ["a", "b", "c"], "as `eq []`");
    let hidden = [unseen(named("a", "x"), "name")];
    let unknown = verdict_of(VPCS, "all {name: \"x\"}", &self::graph(&hidden, None));
    assert_eq!((unknown.verdict, unknown.counts.unknown), (Verdict::Unknown, 1));
}

#[test]
fn that_there_be_none_judges_each_asset_however_it_is_written() {
    let graph = graph(&[vpc("a", "r").with("state", "pending"), vpc("b", "r")], None);
    for expect in ["eq []", "count eq 0", "count lt 1", "count lte 0", "vpcs.count lte 0.5"] {
        let result = verdict_of(VPCS, expect, &graph);
        assert_eq!((result.verdict, failing(&result)), (Verdict::Fail, vec!["a"]), "{expect}");
        assert_eq!(result.figure, None);
    }
    let counted = "vpcsAggregate(where: {state: \"pending\"}) { count }";
    assert_eq!(failing(&verdict_of(counted, "count eq 0", &graph)), ["a"]);
    assert_eq!(failing(&verdict_of(counted, "vpcsAggregate.count eq 0", &graph)), ["a"]);
}

#[test]
fn a_count_is_one_verdict_and_says_what_was_found() {
    let assets = [vpc("a", "r"), vpc("b", "r"), vpc("c", "r")];
    let graph = graph(&assets, None);
    for (query, expect, verdict) in [
        ("vpcs { id }", "count lt 5", Verdict::Pass),
        ("vpcs { id }", "count lt 3", Verdict::Fail),
        ("vpcs { id }", "count gte 3", Verdict::Pass),
        ("vpcs { id }", "count ne 3", Verdict::Fail),
        ("vpcs { id }", "ne []", Verdict::Pass),
        ("vpcs(where: {name: \"x\"}) { id }", "ne []", Verdict::Fail),
        ("vpcsAggregate { count }", "vpcsAggregate.count eq 3", Verdict::Pass),
        ("vpcsConnection { totalCount }", "totalCount gt 3", Verdict::Fail),
        ("flowLogs { id }", "count lt 5", Verdict::Pass),
        ("flowLogs { id }", "count gt 0", Verdict::Fail),
    ] {
        let result = verdict_of(query, expect, &graph);
        assert_eq!(result.verdict, verdict, "{query} {expect}");
        assert_eq!(result.counts.total(), 0, "no asset has a verdict of its own");
        let found = result.figure.expect("a figure");
        assert_eq!(found.expected, expect);
    }
    let result = verdict_of("vpcs { id }", "count lt 3", &graph);
    let found = Found::Count { least: 3, most: Some(3) };
    assert_eq!(result.figure, Some(Figure { expected: "count lt 3".to_owned(), found, accepted_by: None }));
}

#[test]
fn a_count_of_what_was_not_all_seen_is_decided_only_by_what_it_must_and_may_be() {
    let assets = [vpc("a", "r"), vpc("b", "r"), unseen(vpc("c", "r"), "state")];
    let seen = graph(&assets, None);
    let pending = "vpcs(where: {OR: [{state: null}, {state: \"pending\"}]}) { id }";
    for (expect, verdict) in [
        ("count lt 2", Verdict::Fail),
        ("count lt 3", Verdict::Unknown),
        ("count lt 4", Verdict::Pass),
        ("count eq 2", Verdict::Unknown),
        ("count eq 4", Verdict::Fail),
        ("count ne 4", Verdict::Pass),
        ("count gt 1", Verdict::Pass),
        ("count gt 2", Verdict::Unknown),
    ] {
        let result = verdict_of(pending, expect, &seen);
        assert_eq!(result.verdict, verdict, "{expect}");
        let figure = result.figure.expect("a figure");
        assert_eq!(figure.found, Found::Count { least: 2, most: Some(3) });
        assert_eq!(figure.found.to_string(), "2 to 3");
        let is_unknown = verdict == Verdict::Unknown;
        assert_eq!(!result.unknown_coverage.is_empty(), is_unknown, "{expect}");
    }
    let denied =
        graph(&assets, Some(vec![slice("Vpc", "r", Outcome::Complete), slice("Vpc", "s", Outcome::Denied)]));
    for (expect, verdict) in [
        ("count lt 4", Verdict::Unknown),
        ("count lt 2", Verdict::Fail),
        ("count gte 2", Verdict::Pass),
        ("count eq 1", Verdict::Fail),
        ("count eq 9", Verdict::Unknown),
    ] {
        let result = verdict_of(pending, expect, &denied);
        assert_eq!(result.verdict, verdict, "{expect}");
        assert_eq!(result.figure.expect("a figure").found.to_string(), "2 or more");
    }
    let nothing = verdict_of("vpcs { id }", "count lt 5", &graph(&[], Some(Vec::new())));
    assert_eq!(
        (nothing.verdict, nothing.unknown_coverage),
        (Verdict::Unknown, vec![Reason::NothingCollected])
    );
}

/// By brute force: with one region hidden, whatever it holds, a verdict of PASS or FAIL stays what it is.
#[test]
fn a_decided_count_stays_decided_whatever_the_hidden_region_holds() {
    let contents: Vec<Vec<Asset>> = (0..6)
        .flat_map(|pending| (0..3).map(move |available| (pending, available)))
        .map(|(pending, available)| {
            let make = |count: usize, state: &str| -> Vec<Asset> {
                (0..count).map(|n| vpc(&format!("{state}-{n}"), "hidden").with("state", state)).collect()
            };
            [make(pending, "pending"), make(available, "available")].concat()
        })
        .collect();
    let mut decided = 0;
    for seen in 0..4 {
        let seen: Vec<Asset> =
            (0..seen).map(|n| vpc(&format!("seen-{n}"), "r").with("state", "pending")).collect();
        let slices = |outcome| vec![slice("Vpc", "r", Outcome::Complete), slice("Vpc", "hidden", outcome)];
        let partial = graph(&seen, Some(slices(Outcome::Denied)));
        for order in ["eq", "ne", "lt", "lte", "gt", "gte"] {
            for wanted in 1..4 {
                let expect = format!("count {order} {wanted}");
                let verdict = verdict_of(VPCS, &expect, &partial).verdict;
                let truths: Vec<Verdict> = contents
                    .iter()
                    .map(|hidden| {
                        let whole =
                            graph(&[seen.clone(), hidden.clone()].concat(), Some(slices(Outcome::Complete)));
                        verdict_of(VPCS, &expect, &whole).verdict
                    })
                    .collect();
                if verdict == Verdict::Unknown {
                    assert!(truths.contains(&Verdict::Pass) && truths.contains(&Verdict::Fail), "{expect}");
                } else {
                    decided += 1;
                    assert!(truths.iter().all(|truth| *truth == verdict), "{expect}: {verdict} {truths:?}");
                }
            }
        }
    }
    assert!(decided > 10, "{decided}");
}

#[test]
fn any_other_part_of_the_answer_is_compared_as_json() {
    let assets = [vpc("a", "r").with("isDefault", true), vpc("b", "s").with("name", "x")];
    let graph = graph(&assets, None);
    for (query, expect, verdict) in [
        (
            "vpcs { vpcId name }",
            r#"eq [{"vpcId": "a", "name": null}, {"name": "x", "vpcId": "b"}]"#,
            Verdict::Pass,
        ),
        ("vpcs { vpcId name }", r#"eq [{"vpcId": "b", "name": "x"}]"#, Verdict::Fail),
        ("vpc(id: \"a\") { isDefault }", "isDefault eq true", Verdict::Pass),
        ("vpc(id: \"a\") { isDefault }", "ne null", Verdict::Pass),
        ("vpc(id: \"z\") { isDefault }", "ne null", Verdict::Fail),
        ("vpcsGroup(by: [region]) { count }", "count lt 2", Verdict::Fail),
        ("vpcsAggregate { node { vpcId { longest } } }", "node.vpcId.longest lt \"b\"", Verdict::Pass),
        (
            "flowLogsAggregate { node { maxAggregationInterval { max } } }",
            "node.maxAggregationInterval.max lt 60",
            Verdict::NotApplicable,
        ),
        ("a: vpcs { id } b: subnetsAggregate { count }", "a.count eq 2", Verdict::Pass),
        ("a: vpcs { id } b: subnetsAggregate { count }", "b.count gt 0", Verdict::Fail),
    ] {
        assert_eq!(verdict_of(query, expect, &graph).verdict, verdict, "{query} {expect}");
    }
}

#[test]
fn any_other_part_of_the_answer_is_unknown_where_anything_it_may_rest_on_was_not_seen() {
    let query = "vpcsGroup(by: [region], where: {hasFlowLog: null}) { count }";
    let complete = |asset_type: &str| slice(asset_type, "r", Outcome::Complete);
    let all = vec![complete("Vpc"), complete("FlowLog")];
    let vpcs = [vpc("a", "r")];
    assert_eq!(verdict_of(query, "count eq 1", &graph(&vpcs, Some(all.clone()))).verdict, Verdict::Pass);
    let unknown = |assets: &[Asset], slices: Vec<SliceState>| {
        let result = verdict_of(query, "count eq 1", &graph(assets, Some(slices)));
        assert_eq!(result.verdict, Verdict::Unknown, "{assets:?}");
        result.unknown_coverage
    };
    let reasons = unknown(&vpcs, vec![complete("Vpc"), slice("FlowLog", "r", Outcome::Denied)]);
    assert!(matches!(reasons.as_slice(), [Reason::NotComplete { .. }]), "{reasons:?}");
    let reasons = unknown(&vpcs, vec![complete("Vpc")]);
    assert!(matches!(reasons.as_slice(), [Reason::NeverCollected { .. }]), "{reasons:?}");
    // A VPC of an owner that is not scanned: its flow logs are its owner's.
    let shared = vpc("b", "r").with("accountId", "2");
    let reasons = unknown(&[vpcs[0].clone(), shared], all.clone());
    assert!(
        reasons.iter().any(|reason| reason.slice().is_some_and(|slice| slice.account_id == "2")),
        "{reasons:?}"
    );
    let reasons = unknown(&[unseen(vpc("a", "r"), "region")], all.clone());
    assert!(reasons.iter().any(|reason| matches!(reason, Reason::Cell { .. })), "{reasons:?}");
    let mut old = all;
    old[1].completed_at = Some("2026-11-01T00:00:00Z".parse().expect("a time"));
    assert!(matches!(unknown(&vpcs, old).as_slice(), [Reason::TooOld { .. }]));
}

#[test]
fn the_json_of_a_figure_names_what_was_found() {
    let graph = graph(&[vpc("a", "r")], None);
    let told = |expect: &str| {
        let result = verdict_of("vpcs { id }", expect, &graph);
        let text = passmuster::report::checks_json(&[result], check::ExitCode::Pass, now());
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["checks"][0]["figure"].clone()
    };
    assert_eq!(told("count gt 1"), json!({"expected": "count gt 1", "found": {"least": 1, "most": 1}}));
    assert_eq!(told("eq []"), json!(null));
}
