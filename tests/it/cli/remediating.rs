//! `remediate`: the script that is written is the one that mends, run by a real shell against an AWS that moto plays.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use super::{command, folder, run};
use crate::support::{
    aws::{TestAccount, populate},
    moto::{moto, python},
};

const CHECK: &str = "aws-vpc-flow-logs-enabled";

/// A user of an account in a folder, with an `aws` command on the path.
pub(super) struct Bench<'a> {
    pub(super) folder: &'a Path,
    pub(super) account: &'a TestAccount,
}

impl Bench<'_> {
    pub(super) fn passmuster(&self, arguments: &[&str]) -> Output {
        let mut command = command(self.folder, arguments);
        self.as_account(&mut command);
        command.output().unwrap()
    }

    fn as_account(&self, command: &mut Command) {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.envs(self.account.environment(&moto().url, "eu-west-1"));
    }

    pub(super) fn collect(&self) {
        let output = self.passmuster(&["collect", "--regions", "eu-west-1,us-east-1"]);
        assert!(output.status.success(), "{output:?}");
    }

    pub(super) fn failing(&self, check: &str) -> BTreeSet<String> {
        let told = run(self.folder, &["check", check, "-o", "json"]).json();
        let findings = told["checks"][0]["findings"].as_array().unwrap().clone();
        findings.iter().map(|finding| finding["nativeId"].as_str().unwrap().to_owned()).collect()
    }

    fn script(&self, arguments: &[&str]) -> String {
        self.script_of(CHECK, arguments)
    }

    pub(super) fn script_of(&self, check: &str, arguments: &[&str]) -> String {
        let mut all = vec!["remediate", check];
        all.extend(arguments);
        let output = self.passmuster(&all);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a script as a person would.
    pub(super) fn sh(&self, script: &str) -> Output {
        let bin = self.folder.join("bin");
        fs::create_dir_all(&bin).unwrap();
        let aws = bin.join("aws");
        let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/aws_cli.py");
        fs::write(&aws, format!("#!/bin/sh\nexec '{}' '{}' \"$@\"\n", python().display(), reader.display()))
            .unwrap();
        fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
        let file = self.folder.join("script.sh");
        fs::write(&file, script).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.arg(&file).current_dir(self.folder);
        self.as_account(&mut bash);
        bash.env("PATH", path).output().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_resolves_exactly_what_it_was_written_for_and_the_back_out_takes_it_back() {
    let truth = populate().await;
    let scratch = tempfile::tempdir().unwrap();
    let bench = Bench { folder: scratch.path(), account: &truth.account };
    bench.collect();
    let before = bench.failing(CHECK);
    let regions = ["eu-west-1", "us-east-1"];
    let expected: BTreeSet<String> =
        regions.iter().flat_map(|region| truth.without_active_flow_log(region)).collect();
    assert_eq!(before, expected);
    let delivering = bench.failing("aws-vpc-flow-logs-delivering");

    let place = format!("s3:flow-logs-{}", truth.account.id);
    let one = before.iter().next().unwrap().clone();
    let script = bench.script(&["--destination", &place, "--asset", &one]);
    assert!(script.contains(&one) && before.iter().skip(1).all(|other| !script.contains(other)), "{script}");
    let output = bench.sh(&script);
    assert!(output.status.success(), "{output:?}\n{script}");
    bench.collect();
    let mut rest = before.clone();
    rest.remove(&one);
    assert_eq!(bench.failing(CHECK), rest, "one is mended, and nothing else");

    let script = bench.script(&["--destination", &place]);
    let back_out = bench.script(&["--format", "back-out"]);
    assert_eq!(script.matches("aws ec2 create-flow-logs").count(), 2, "one call a region: {script}");
    let output = bench.sh(&script);
    assert!(output.status.success(), "{output:?}\n{script}");
    bench.collect();
    assert_eq!(bench.failing(CHECK), BTreeSet::new());
    assert_eq!(bench.failing("aws-vpc-flow-logs-delivering"), delivering, "what else fails still does");
    let nothing = bench.passmuster(&["remediate", CHECK, "--destination", &place]);
    assert!(nothing.stdout.is_empty() && nothing.status.success(), "{nothing:?}");
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("nothing is to be done"), "{nothing:?}");

    let again = bench.sh(&script);
    assert!(!again.status.success(), "AWS refuses a second log to one place, and that is told");
    assert!(String::from_utf8_lossy(&again.stderr).contains("FlowLogAlreadyExists"), "{again:?}");

    let output = bench.sh(&back_out);
    assert!(output.status.success(), "{output:?}\n{back_out}");
    bench.collect();
    assert_eq!(bench.failing(CHECK), rest, "the back-out deletes what the script made, and no other log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_tells_what_was_refused_and_stops_at_the_credentials_of_another_account() {
    let (truth, other) = (populate().await, TestAccount::new().await);
    let scratch = tempfile::tempdir().unwrap();
    let bench = Bench { folder: scratch.path(), account: &truth.account };
    bench.collect();
    let script = bench.script(&["--destination", "s3:no-such-bucket"]);
    let refused = bench.sh(&script);
    assert_eq!(refused.status.code(), Some(1), "what is refused item by item is an answer of 0 to AWS");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not done: vpc-"), "{refused:?}");
    let output = Bench { folder: scratch.path(), account: &other }.sh(&script);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(&format!("of account {}, not {}", other.id, truth.account.id)), "{told}");
}

#[test]
fn what_a_script_needs_and_does_not_do_is_told() {
    let folder = folder();
    let data = ["--data", "vpcs.ndjson"];
    let remediate = |arguments: &[&str]| {
        let mut all = vec!["remediate"];
        all.extend(arguments);
        all.extend(data);
        run(folder.path(), &all)
    };
    let homeless = remediate(&[CHECK]);
    assert!(homeless.code == 3 && homeless.stderr.contains("--destination s3:BUCKET"), "{homeless:?}");
    let no_places = [
        "s3:",
        "s3:Bucket!",
        "logs:group",
        "firehose:stream",
        "gcs:bucket",
        "s3:a\nb",
        "forward:siem",
        "forward:arn:aws:kinesis:{region}:{account}:stream/no-role",
        "forward:arn:aws:lambda:{regoin}:{account}:function:f",
        "forward:arn:aws:sqs:eu-west-1:1:queue",
        "forward:arn:aws:logs:eu-west-1:1:",
    ];
    for place in no_places {
        let refused = remediate(&[CHECK, "--destination", place]);
        assert!(refused.code == 3 && refused.stderr.contains("names no destination"), "{refused:?}");
    }
    let nowhere = remediate(&["aws-vpc-flow-logs-siem", "--destination", "s3:logs"]);
    assert!(nowhere.code == 3 && nowhere.stderr.contains("--destination forward:ARN"), "{nowhere:?}");
    let by_hand = remediate(&["aws-vpc-flow-logs-role", "--format", "terraform"]);
    assert!(by_hand.code == 3 && by_hand.stderr.contains("only as cli and back-out"), "{by_hand:?}");
    let passing = remediate(&[CHECK, "--destination", "s3:logs", "--asset", "vpc-1"]);
    assert!(passing.code == 3 && passing.stderr.contains("`vpc-1` does not fail"), "{passing:?}");
    let terraform =
        remediate(&[CHECK, "--format", "terraform", "--destination", "logs:/vpc:arn:aws:iam::1:role/r"]);
    assert_eq!(terraform.code, 0, "{terraform:?}");
    assert!(terraform.stdout.contains("resource \"aws_flow_log\" \"passmuster_vpc-2\""), "{terraform:?}");
    assert!(terraform.stdout.contains("iam_role_arn         = \"arn:aws:iam::1:role/r\""), "{terraform:?}");
    let told = remediate(&[CHECK, "--destination", "s3:logs", "-o", "json"]).json();
    assert_eq!(told["batches"][0]["region"], "eu-west-1");
    let ids = told["batches"][0]["assets"].as_array().unwrap().iter().map(|asset| asset["nativeId"].clone());
    assert_eq!(ids.collect::<Vec<Value>>(), [json!("vpc-2"), json!("vpc-3")]);
    let shown = run(folder.path(), &["checks", "show", CHECK]).stdout;
    assert!(shown.contains("--resource-ids VPC_ID") && !shown.contains("{{"), "{shown}");
}

#[test]
fn what_is_not_known_is_named_and_not_touched() {
    let folder = folder();
    let lines = super::inventory(&[super::slice("Vpc", "COMPLETE"), super::slice("FlowLog", "DENIED")]);
    fs::write(folder.path().join("denied.ndjson"), lines).unwrap();
    let arguments = ["remediate", CHECK, "--data", "denied.ndjson", "--destination", "s3:logs"];
    let ended = run(folder.path(), &arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "no VPC is known to fail");
    assert!(ended.stderr.contains("2 assets are not touched"), "{ended:?}");
    let organisation = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/organisation.ndjson");
    fs::copy(organisation, folder.path().join("organisation.ndjson")).unwrap();
    let arguments = ["remediate", CHECK, "--data", "organisation.ndjson", "--destination", "s3:logs"];
    let script = run(folder.path(), &arguments).stdout;
    assert!(script.contains("# Not known, so not touched: 8 VPCs\n"), "{script}");
    let commands: String = script.lines().filter(|line| !line.starts_with('#')).collect();
    let denied = run(folder.path(), &["check", CHECK, "--data", "organisation.ndjson", "-o", "json"]).json();
    for unknown in denied["checks"][0]["unknown"].as_array().unwrap() {
        assert!(!commands.contains(unknown["nativeId"].as_str().unwrap()), "{unknown}");
    }
    let checked = Command::new("bash").args(["-n", "-c", &script]).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn what_is_excepted_is_named_and_no_command_is_written_for_it() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    run(folder.path(), &["check", CHECK]);
    let accept = ["except", "add", "--check", CHECK, "--asset", "vpc-2", "--owner", "net-team"];
    let accepted =
        run(folder.path(), &[&accept[..], &["--reason", "NET-311", "--until", "2999-12-31"]].concat());
    assert_eq!(accepted.code, 0, "{accepted:?}");
    for format in ["cli", "terraform", "back-out"] {
        let script =
            run(folder.path(), &["remediate", CHECK, "--destination", "s3:logs", "--format", format]);
        assert!(script.stdout.contains("# Excepted, so not touched: 1 VPC\n"), "{script:?}");
        let commands: String = script.stdout.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(commands.contains("vpc-3") && !commands.contains("vpc-2"), "{script:?}");
    }
    let named = run(folder.path(), &["remediate", CHECK, "--destination", "s3:logs", "--asset", "vpc-2"]);
    assert!(named.code == 3 && named.stderr.contains("`vpc-2` does not fail"), "{named:?}");
    let told = run(folder.path(), &["remediate", CHECK, "--destination", "s3:logs", "-o", "json"]).json();
    assert_eq!(told["excepted"][0]["nativeId"], "vpc-2");
    assert_eq!(told["batches"][0]["assets"].as_array().map(Vec::len), Some(1), "{told}");
}
