//! Remediation templates: which are refused and where, and that no value of an asset ever becomes code.

use std::{process::Command, sync::Arc};

use passmuster::{
    check::{self, Check, Destination, Need, Part, Script, Sources, evaluate},
    graph::{Graph, GraphBuilder},
    model::{Asset, Time},
};
use proptest::prelude::*;

use super::SHIPPED;

const CHECK: &str = "\
id: own-named
title: Every VPC is named
severity: low
covers: Vpc
expect: \"none {state: \\\"pending\\\"}\"
";
const QUERY: &str = "vpcs { id }\n";

pub(super) fn load(remediation: &str, related: Option<&str>) -> Result<Check, Vec<check::CheckError>> {
    let mut files = vec![("check.yaml", CHECK), ("query.graphql", QUERY), ("remediation.md", remediation)];
    files.extend(related.map(|text| ("remediation.graphql", text)));
    let files = files.into_iter().map(|(name, text)| (format!("own/named/{name}"), text.to_owned()));
    let sources = Sources::from_files("q", files);
    check::load(&sources, &SHIPPED.0).map(|mut checks| checks.remove(0)).map_err(|errors| errors.0)
}

/// The only mistake, as `line:column code`, and its text with its help.
fn mistake(remediation: &str) -> (String, String) {
    let errors = load(remediation, None).expect_err(remediation);
    let [error] = errors.as_slice() else { panic!("{remediation}: {errors:?}") };
    let place = error.place.as_ref().expect("a place");
    let text = format!("{error} / {}", error.help().unwrap_or_default());
    (format!("{}:{} {}", place.line, place.column, error.code()), text)
}

pub(super) fn assert_refused(remediation: &str, told: &str, hint: &str) {
    let (found, text) = mistake(remediation);
    assert_eq!(found, told, "{remediation}: {text}");
    assert!(text.contains(hint), "{remediation}: {text}");
}

pub(super) fn cli(line: &str) -> String {
    format!("# Mend it\n\n```sh cli\n{line}\n```\n")
}

fn hcl(line: &str) -> String {
    format!("```hcl terraform\n{line}\n```\n")
}

#[test]
fn a_name_that_nothing_has_is_found_where_it_stands() {
    assert_refused(&cli("x {{ asset.vpcid | sh }}"), "4:12 unknown_name", "did you mean `vpcId`?");
    assert_refused(&cli("x {{ vpc.id | sh }}"), "4:6 unknown_name", "`vpc`");
    assert_refused(&cli("x {{ asset.vpcId | shell }}"), "4:20 unknown_name", "`| shell`");
    // In a branch that no trial takes.
    let branch = "{% if asset.state == \"gone\" %}{{ asset.stat | sh }}{% endif %}";
    assert_refused(&cli(branch), "4:40 unknown_name", "did you mean `state`?");
    assert_refused("Call it {{ asset.nmae }}.\n", "1:18 unknown_name", "did you mean `name`?");
}

#[test]
fn a_value_is_printed_through_the_filter_of_its_language_or_not_at_all() {
    assert_refused(&cli("x {{ asset.vpcId }}"), "4:6 template", "but through `| sh`");
    assert_refused(&hcl("x = {{ asset.vpcId }}"), "2:8 template", "but through `| hcl`");
    assert_refused(&hcl("x = {{ asset.vpcId | sh }}"), "2:22 unknown_name", "`| sh`");
    for way_around in ["safe", "escape", "e", "tojson", "join", "replace", "format", "string", "indent"] {
        let (told, _) = mistake(&cli(&format!("x {{{{ asset.vpcId | {way_around} }}}}")));
        assert!(told.ends_with("unknown_name"), "{way_around}: {told}");
    }
    for broken in
        ["{{ (asset.vpcId | sh) ~ asset.name }}", "{{ [asset.vpcId] }}", "{{ \"; rm\" }}", "{{ asset }}"]
    {
        let (told, _) = mistake(&cli(broken));
        assert!(told.ends_with("template"), "{broken}: {told}");
    }
}

#[test]
fn a_template_that_can_not_be_read_or_rendered_is_refused() {
    assert_refused(&cli("x {{ asset.vpcId | sh }"), "4:23 template", "");
    assert_refused(&cli("{% for a in assets %}x"), "4:22 template", "");
    assert_refused("```sh cli\nx\n", "1:1 template", "no end");
    assert_refused("```sh clii\nx\n```\n", "1:1 template", "did you mean `cli`?");
    assert_refused("```sh terraform\nx\n```\n", "1:1 template", "```hcl terraform");
    assert_refused(&cli("{{ asset.tags | sh }}"), "4:17 template", "a map can't be written here");
    assert_refused(&cli("{{ [] | sh }}"), "4:9 template", "the list is empty");
    assert!(load("```sh\nplain code {x}\n```\n", None).is_ok(), "other code is prose");
}

#[test]
fn what_relates_to_an_asset_is_asked_for_in_a_fragment() {
    let related = "fragment Remediation on Vpc { hasFlowLog { flowLogId } }\n";
    let template = cli("{% for log in asset.hasFlowLog %}x {{ log.flowLogId | sh }}\n{% endfor %}");
    let check = load(&template, Some(related)).expect("valid");
    assert!(check.remediation.expect("a remediation").guide().contains("x FLOW_LOG_ID"));
    let errors = load(&template, None).expect_err("nothing asks for it");
    assert_eq!(errors[0].code(), "unknown_name");
    let errors =
        load(&template, Some("fragment Remediation on Vpc { hasFlowLgo { id } }")).expect_err("a typo");
    let place = errors[0].place.as_ref().expect("a place");
    assert_eq!((errors[0].file.as_str(), place.column), ("q/own/named/remediation.graphql", 31));
}

pub(super) fn vpc(id: &str, fields: &[(&str, &str)]) -> Asset {
    let asset = Asset::new("Vpc", id).with("vpcId", id).with("nativeId", id).with("state", "pending");
    let asset = asset.with("accountId", "111122223333").with("region", "eu-west-1");
    fields.iter().fold(asset, |asset, (field, value)| asset.with(field, *value))
}

pub(super) fn graph(assets: &[Asset]) -> Graph {
    let mut builder = GraphBuilder::new(SHIPPED.0.catalog().clone());
    assets.iter().for_each(|asset| builder.push(asset).expect("an asset that fits"));
    builder.finish(None, Time::from_millis(0).expect("a time")).expect("a graph")
}

pub(super) fn script(check: &Check, graph: &Graph, part: Part) -> Script {
    let result = evaluate(check, &SHIPPED.0, graph, Time::from_millis(0).expect("a time"));
    let assets: Vec<_> =
        result.findings.into_iter().map(|finding| Arc::unwrap_or_clone(finding.asset)).collect();
    let remediation = check.remediation.as_ref().expect("a remediation");
    let place = match remediation.needs(part) {
        Some(Need::Receiver) => "forward:arn:aws:lambda:{region}:{account}:function:to-siem",
        _ => "s3:org-logs",
    };
    let place: Destination = place.parse().expect("a destination");
    remediation.script(check, (&SHIPPED.0, graph), &assets, part, Some(&place)).expect("a script")
}

/// What a shell hands to a command for each of the words.
pub(super) fn shell(text: &str) -> Vec<String> {
    let output = Command::new("bash").args(["-euc", text]).output().expect("bash");
    assert!(output.status.success(), "{output:?}\n{text}");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    told.split_terminator('\0').map(str::to_owned).collect()
}

const HOSTILE: [&str; 12] = [
    "it's \"quoted\"",
    "$(touch /tmp/passmuster-owned)",
    "`id`; rm -rf /",
    "line\nbreak\r\n# comment",
    "\\' $HOME ${x} !! ~ * ? [a] {a,b}",
    "",
    " ",
    "--profile=evil",
    "%s\\n",
    "\u{1b}[2J\u{202e}",
    "EOF\nEOF",
    "ключ 🔑",
];

#[test]
fn the_shell_gives_back_every_value_as_it_is() {
    let template = cli("printf '%s\\0' x={{ asset.name | sh }}");
    let check = load(&template, None).expect("valid");
    for name in HOSTILE {
        let script = script(&check, &graph(&[vpc("vpc-1", &[("name", name)])]), Part::Cli);
        assert_eq!(shell(&script.batches[0].text), [format!("x={name}")], "{name:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_stays_one_word(name in "[^\0]{0,40}") {
        let template = cli("printf '%s\\0' x={{ asset.name | sh }}");
        let check = load(&template, None).expect("valid");
        let script = script(&check, &graph(&[vpc("vpc-1", &[("name", &name)])]), Part::Cli);
        prop_assert_eq!(shell(&script.batches[0].text), [format!("x={name}")]);
    }
}

#[test]
fn terraform_reads_every_value_as_a_text_that_interpolates_nothing() {
    let check = load(&hcl("x = {{ asset.name | hcl }}"), None).expect("valid");
    let of = |name: &str| {
        let script = script(&check, &graph(&[vpc("vpc-1", &[("name", name)])]), Part::Terraform);
        script.batches[0].text.clone()
    };
    assert_eq!(of("plain"), "x = \"plain\"\n");
    assert_eq!(of("${file(\"/etc/passwd\")}"), "x = \"$${file(\\\"/etc/passwd\\\")}\"\n");
    assert_eq!(of("%{ if true }\n\\"), "x = \"%%{ if true }\\n\\\\\"\n");
    assert_eq!(of("a$b%c\u{7}"), "x = \"a$b%c\\u0007\"\n");
    let named = load(&hcl("resource \"x\" {{ asset.name | hcl_name }} {}"), None).expect("valid");
    let script = script(&named, &graph(&[vpc("vpc-1", &[("name", "1 \"b\" ${c}")])]), Part::Terraform);
    assert_eq!(script.batches[0].text, "resource \"x\" \"r_1__b____c_\" {}\n");
}

#[test]
fn an_asset_of_which_something_is_missing_is_left_out_and_the_others_are_mended() {
    let check =
        load(&cli("{% for one in assets %}x {{ one.name | sh }}\n{% endfor %}"), None).expect("valid");
    let mut unseen = vpc("vpc-3", &[]);
    unseen.unknown.insert("name".to_owned());
    let homeless = Asset::new("Vpc", "vpc-4").with("vpcId", "vpc-4").with("state", "pending");
    let assets = [vpc("vpc-1", &[("name", "one")]), vpc("vpc-2", &[]), unseen, homeless];
    let script = script(&check, &graph(&assets), Part::Cli);
    assert_eq!(script.batches.len(), 1);
    assert_eq!(script.batches[0].text.trim(), "x one");
    let left: Vec<(&str, &str)> =
        script.left_out.iter().map(|left| (left.asset.id.as_str(), left.reason.as_str())).collect();
    assert_eq!(
        left,
        [
            ("vpc-4", "its account, its region or the asset itself is not known"),
            ("vpc-2", "a value it needs is null"),
            ("vpc-3", "a value it needs is not known"),
        ]
    );
}

#[test]
fn commands_come_by_account_and_region_and_many_ids_in_one_call() {
    let (_, checks) = super::shipped();
    let check = checks.iter().find(|check| check.id == "aws-vpc-flow-logs-enabled").expect("the check");
    let mut assets: Vec<Asset> = (0..250).map(|number| vpc(&format!("vpc-{number:03}"), &[])).collect();
    assets.push(vpc("vpc-else", &[]).with("region", "us-east-1"));
    assets.push(vpc("vpc-other", &[]).with("accountId", "444455556666").with("partition", "aws-cn"));
    let script = script(check, &graph(&assets), Part::Cli);
    let places: Vec<(&str, &str, usize, usize)> = script
        .batches
        .iter()
        .map(|batch| {
            let calls = batch.text.matches("aws ec2 create-flow-logs").count();
            (batch.account_id.as_str(), batch.region.as_str(), batch.assets.len(), calls)
        })
        .collect();
    assert_eq!(
        places,
        [
            ("111122223333", "eu-west-1", 250, 3),
            ("111122223333", "us-east-1", 1, 1),
            ("444455556666", "eu-west-1", 1, 1),
        ]
    );
    assert!(script.batches[2].text.contains("arn:aws-cn:s3:::org-logs"), "{:?}", script.batches[2]);
    assert!(script.left_out.is_empty());
}

#[test]
fn every_shipped_check_has_a_script_and_its_back_out() {
    let (_, checks) = super::shipped();
    for check in &checks {
        let remediation = check.remediation.as_ref().expect("a remediation");
        assert!(!remediation.guide().contains("{{"), "{}", check.id);
        assert!(remediation.parts().contains(&Part::Cli), "{}", check.id);
        assert!(remediation.parts().contains(&Part::BackOut), "{}", check.id);
    }
}
