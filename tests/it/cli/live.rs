//! `collect`, and `serve` that collects, against an AWS that moto plays.

use std::{
    collections::BTreeSet,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{command, folder, run, serving::Server};
use crate::support::{
    aws::{TestAccount, populate},
    fault_server::{Fault, FaultServer, Rule, denied},
    moto::moto,
    organization::organization,
};

#[test]
fn collecting_without_an_account_says_what_to_do_and_fails() {
    let folder = folder();
    let mut command = command(folder.path(), &["collect", "--regions", "eu-west-1"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    let nowhere = folder.path().join("nothing");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", folder.path());
    command.env("AWS_CONFIG_FILE", &nowhere).env("AWS_SHARED_CREDENTIALS_FILE", &nowhere);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("credentials"), "{stderr}");
    let unknown = run(folder.path(), &["collect", "--only", "Vcp"]);
    assert_eq!(unknown.code, 3, "{unknown:?}");
}

/// The binary in a folder of its own, as a user of this account and this endpoint.
pub(super) fn as_account(
    folder: &Path,
    account: &TestAccount,
    endpoint: &str,
    arguments: &[&str],
) -> Command {
    let mut command = command(folder, arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(account.environment(endpoint, "eu-west-1"));
    command
}

fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

const BOTH_REGIONS: [&str; 3] = ["collect", "--regions", "eu-west-1,us-east-1"];

/// C3: a denied region makes UNKNOWN, and a second run after a denial resolves and deletes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn collect_then_check_names_exactly_the_right_vpcs_and_a_denied_region_stays_unknown() {
    let truth = populate().await;
    let folder = tempfile::tempdir().unwrap();
    let rule = Rule::on("DescribeFlowLogs", denied()).in_region("us-east-1");
    let server = FaultServer::start(&moto().url, [rule.clone()]);
    let collect = || ended(as_account(folder.path(), &truth.account, &server.url, &BOTH_REGIONS));
    let check = || {
        let ended = run(folder.path(), &["check", "aws-vpc-flow-logs-enabled", "-o", "json"]);
        (ended.code, ended.json()["checks"][0].clone())
    };
    let failing = |check: &Value| -> BTreeSet<String> {
        let findings = check["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["nativeId"].as_str().unwrap().to_owned()).collect()
    };

    let (code, stdout, stderr) = collect();
    assert_eq!(code, Some(4), "{stdout}{stderr}");
    assert!(stdout.contains("1 denied") && stdout.contains("ec2:DescribeFlowLogs"), "{stdout}");
    assert!(stdout.contains("passmuster collect --regions us-east-1 --only FlowLog"), "{stdout}");
    assert!(stderr.contains("us-east-1") && stderr.contains("denied"), "one line a slice: {stderr}");
    let (code, first) = check();
    assert_eq!((code, &first["verdict"]), (2, &json!("FAIL")), "{first}");
    assert_eq!(failing(&first), truth.without_active_flow_log("eu-west-1"));
    let denied_vpcs = truth.ids("us-east-1", |_| true).len();
    assert_eq!(first["counts"]["unknown"], json!(denied_vpcs), "{first}");

    server.set_rules([]);
    let (code, stdout, stderr) = collect();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let (_, second) = check();
    let mut expected = truth.without_active_flow_log("eu-west-1");
    expected.extend(truth.without_active_flow_log("us-east-1"));
    assert_eq!(failing(&second), expected);
    assert_eq!(second["counts"]["unknown"], json!(0));

    server.set_rules([rule]);
    assert_eq!(collect().0, Some(4));
    let (_, third) = check();
    assert_eq!(failing(&third), expected, "what was complete a moment ago still is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_collects_shows_new_data_as_soon_as_it_is_committed() {
    let account = TestAccount::new().await;
    let vpc = account.create_vpc(&account.ec2("eu-west-1"), "made-before").await;
    let folder = tempfile::tempdir().unwrap();
    // Subnets never arrive, so the collection can't have ended when the VPC is seen.
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeSubnets", Fault::Hang)]);
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--collect-every", "1h"];
    let serving = Server::spawn(as_account(folder.path(), &account, &server.url, &arguments), true);
    serving.wait_until_ready();
    let query = json!({ "query": "{ vpcs { vpcId } }" }).to_string();
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut answer = serving.post(&query);
    while !answer.contains(&vpc) {
        assert!(Instant::now() < deadline, "the VPC is not to be seen: {answer}");
        std::thread::sleep(Duration::from_millis(50));
        answer = serving.post(&query);
    }
    assert_eq!(serving.terminate(), Some(0), "a stop ends the collection, too");
    let verified = run(folder.path(), &["store", "verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

/// What `passmuster.toml` says of an organisation, through the binary: which accounts, and one that lets nobody in.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_collected_as_the_configuration_says() {
    let organization = organization().await;
    let refused = organization.account("member-14");
    let fault = Fault::Error { status: 403, code: "AccessDenied", message: "no" };
    let server = FaultServer::start(&moto().url, [Rule::on("AssumeRole", fault).in_account(&refused.id)]);
    let folder = tempfile::tempdir().unwrap();
    let text = "[collect]\nrole = \"Audit\"\nregions = [\"eu-west-1\"]\nonly = [\"Account\", \"Vpc\", \"FlowLog\"]\n\
                [organization]\ninclude.units = [\"Workloads/Test\"]\n";
    std::fs::write(folder.path().join("passmuster.toml"), text).unwrap();
    let collect = |arguments: &[&str]| {
        ended(as_account(folder.path(), &organization.management, &server.url, arguments))
    };
    let (code, stdout, stderr) = collect(&["collect", "-o", "json"]);
    assert_eq!(code, Some(4), "{stdout}{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let accounts = report["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 8);
    let denied: Vec<&Value> =
        report["slices"].as_array().unwrap().iter().filter(|slice| slice["outcome"] != "COMPLETE").collect();
    assert_eq!(denied.len(), 2);
    assert!(denied.iter().all(|slice| slice["accountId"] == refused.id.as_str()));
    let query = "{ accounts(sort: [{name: ASC}]) { name vpcs { vpcId } } }";
    let asked = run(folder.path(), &["query", query]);
    let known = asked.json()["data"]["accounts"].as_array().unwrap().clone();
    assert_eq!(known.len(), 8, "{known:?}");
    let vpcs = |name: &str| {
        let account = known.iter().find(|account| account["name"] == name).unwrap();
        account["vpcs"].as_array().unwrap().len()
    };
    assert_eq!((vpcs("member-13"), vpcs("member-14")), (3, 0));
    let checked = run(folder.path(), &["check", "aws-vpc-flow-logs-enabled", "-o", "json"]);
    let unknown = checked.json()["checks"][0]["unknownCoverage"].clone();
    assert!(unknown.to_string().contains(&refused.id), "{unknown}");

    let (code, _, stderr) = collect(&["collect", "--regions", "us-east-1", "--only", "Vpc"]);
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("us-east-1") && !stderr.contains("eu-west-1"), "{stderr}");
}
