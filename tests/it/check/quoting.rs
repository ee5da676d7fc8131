//! What the AWS CLI makes of the words of a script: none names a file to it, and none falls into several values.

use passmuster::{check::Part, model::Asset};
use serde_json::Value;

use super::remediation::{assert_refused, cli, graph, load, script, shell, vpc};

#[test]
fn no_word_is_one_that_the_aws_cli_takes_for_the_place_to_read_a_value_from() {
    let one = load(&cli("x --name={{ asset.name | sh }} {{ asset.vpcId | sh }}"), None).expect("valid");
    let many = load(&cli("x --ids {{ assets | map(attribute=\"name\") | sh }}"), None).expect("valid");
    for from in ["file:///etc/passwd", "fileb://key.der", "http://169.254.169.254/", "https://x"] {
        let assets = [vpc("vpc-1", &[("name", from)]), vpc("vpc-2", &[("name", "two")])];
        for check in [&one, &many] {
            let script = script(check, &graph(&assets), Part::Cli);
            let ids: Vec<&str> = script.left_out.iter().map(|left| left.asset.id.as_str()).collect();
            assert_eq!(ids, ["vpc-1"], "{from}");
            assert!(script.left_out[0].reason.contains("begins with `"), "{:?}", script.left_out);
            assert!(!script.batches[0].text.contains(from), "{:?}", script.batches);
            assert!(script.batches[0].text.contains("two"), "the other is mended: {:?}", script.batches);
        }
    }
    let inside = script(&one, &graph(&[vpc("vpc-1", &[("name", "see file://x")])]), Part::Cli);
    assert_eq!(
        shell(&inside.batches[0].text.replace("x --", "printf '%s\\0' --")),
        ["--name=see file://x", "vpc-1"]
    );
}

/// A VPC and a log group that every check of them fails, all called the same.
fn called(name: &str) -> Vec<Asset> {
    let log = |id: &str, vpc: &str| {
        let log = Asset::new("FlowLog", id).with("flowLogId", name).with("resourceId", vpc);
        let log =
            log.with("accountId", "111122223333").with("region", "eu-west-1").with("resourceType", "Vpc");
        let log = log
            .with("flowLogStatus", "ACTIVE")
            .with("deliverLogsStatus", "FAILED")
            .with("trafficType", "REJECT");
        let log = log.with("logDestinationType", "cloud-watch-logs").with("logGroupName", name);
        log.with("deliverLogsPermissionArn", name).with("logFormat", name)
    };
    let group = Asset::new("LogGroup", "group").with("logGroupName", name).with("nativeId", name);
    let group = group.with("accountId", "111122223333").with("region", "eu-west-1").with("kmsKeyId", name);
    let filter =
        Asset::new("SubscriptionFilter", "filter").with("logGroupArn", "group").with("scope", "log-group");
    let filter = filter.with("filterName", name).with("filterPattern", name).with("destinationArn", name);
    let bare = vpc("vpc-bare", &[("vpcId", &format!("{name}-bare")), ("nativeId", "bare")]);
    vec![
        vpc("vpc-1", &[("vpcId", name), ("nativeId", name), ("name", name)]),
        vpc("vpc-other", &[]),
        bare,
        log("fl-1", name),
        log("fl-2", "vpc-other"),
        group,
        filter,
    ]
}

/// The words that a shell hands to `aws`.
fn words_of(commands: &str) -> Vec<String> {
    let said = "aws() { for word in \"$@\"; do printf '%s\\0' \"$word\" >&3; done; }\nexec 3>&1\n";
    let helpers = "by_hand() { :; }\nnot_done() { :; }\nall_done() { :; }\nhas_word() { return 1; }\n";
    shell(&format!("{said}{helpers}{commands}"))
}

/// Every text in JSON.
fn texts(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(entries) => entries.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[test]
fn in_the_scripts_of_all_shipped_checks_a_name_is_one_value_whatever_it_is() {
    let (_, checks) = super::shipped();
    for name in ["file:///etc/passwd", "vpc-1,vpc-2", "]}{[\"',Values=x", "plain"] {
        let (graph, mut seen) = (graph(&called(name)), 0);
        for check in &checks {
            let parts = check.remediation.as_ref().expect("a remediation").parts();
            for part in parts.into_iter().filter(|part| part.is_shell()) {
                let batches = script(check, &graph, part).batches;
                for word in batches.iter().flat_map(|batch| words_of(&batch.text)) {
                    let value = word
                        .split_once('=')
                        .filter(|_| word.starts_with("--"))
                        .map_or(&*word, |(_, value)| value);
                    assert!(!value.starts_with("file://"), "{}: {word}", check.id);
                    if !value.contains("Values=x") && !value.contains("vpc-2") && !value.contains(name) {
                        continue;
                    }
                    seen += 1;
                    let mut all = Vec::new();
                    match serde_json::from_str(value) {
                        Ok(json) => texts(&json, &mut all),
                        Err(_) => all.push(value.to_owned()),
                    }
                    // A group of a VPC's own is called after both.
                    let own = [
                        name.to_owned(),
                        format!("{name}-bare"),
                        format!("{name}/{name}"),
                        format!("{name}/vpc-other"),
                    ];
                    assert!(all.iter().any(|text| own.contains(text)), "{}: {word}", check.id);
                    assert!(!all.iter().any(|text| text == "vpc-2" || text == "x"), "{}: {word}", check.id);
                }
            }
        }
        assert!(seen > if name.starts_with("file") { 2 } else { 40 }, "{name}: {seen}");
    }
}

#[test]
fn what_no_command_line_can_hold_leaves_its_asset_out_and_what_is_empty_is_a_word() {
    let one = load(&cli("printf '%s\\0' {{ asset.name | sh }}"), None).expect("valid");
    let many = load(&cli("x --ids {{ assets | map(attribute=\"name\") | sh }}"), None).expect("valid");
    let of = |check, name: &str| script(check, &graph(&[vpc("vpc-1", &[("name", name)])]), Part::Cli);
    assert!(of(&one, "a\0b").left_out[0].reason.contains("NUL"), "it would end the text there");
    assert!(of(&many, "--profile=x").left_out[0].reason.contains("would be read as an option"));
    assert_eq!(shell(&of(&one, "").batches[0].text), [""]);
}

#[test]
fn a_list_or_a_map_is_written_as_json_and_never_with_a_hole() {
    let of = |template: &str, assets: &[Asset]| {
        let check = load(&cli(template), None).expect("valid");
        script(&check, &graph(assets), Part::Cli)
    };
    let hostile = "a\"],b 'c' file://d";
    let template = "printf '%s\\0' {{ [{\"Name\": \"n\", \"Values\": assets | map(attribute=\"name\")}, asset.isDefault, 1] | \
                    json | sh }}";
    let assets = [vpc("vpc-1", &[("name", hostile)]), vpc("vpc-2", &[("name", "two")])];
    let assets = assets.map(|asset| asset.with("isDefault", false));
    let words = shell(&of(template, &assets[..1]).batches[0].text);
    let json: Value = serde_json::from_str(&words[0]).expect("JSON");
    assert_eq!(json, serde_json::json!([{"Name": "n", "Values": [hostile]}, false, 1]));
    assert_eq!(words.len(), 1);
    let holes = of("x {{ [asset.name, asset.state] | json | sh }}", &[vpc("vpc-1", &[]), assets[1].clone()]);
    assert_eq!(holes.left_out[0].reason, "a value it needs is null");
    assert_eq!(holes.batches[0].text.trim(), "x '[\"two\",\"pending\"]'");
    assert_refused(&cli("x {{ [asset.name] | json }}"), "4:6 template", "but through `| sh`");
}
