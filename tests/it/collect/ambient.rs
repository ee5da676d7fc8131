//! The machine's own AWS settings hold as they do for the AWS CLI. A process can't change its own environment safely,
//! so the collection runs in a child: this test binary again, asked for one test.

use std::{collections::BTreeSet, fs, process::Command, sync::Arc};

use passmuster::{
    collect::{AwsConfig, CollectOptions, collect},
    model::FixedClock,
};

use super::bench::{EARLIER, Shelf, quick, time};
use crate::support::{aws::TestAccount, fault_server::FaultServer, moto::moto};

const CHILD: &str = "collect::ambient::child_that_collects_with_the_settings_of_its_environment";

/// Not a test of its own: what the others run in a child process.
#[tokio::test]
#[ignore = "run by the other tests of this file, in an environment of their making"]
async fn child_that_collects_with_the_settings_of_its_environment() {
    let options = CollectOptions {
        aws: AwsConfig::Ambient,
        only: BTreeSet::from(["Vpc".to_owned()]),
        regions: std::env::var("TEST_REGIONS").into_iter().collect(),
        patience: quick(),
        ..CollectOptions::default()
    };
    let shelf = Arc::new(Shelf::default());
    let clock = Arc::new(FixedClock::at(time(EARLIER)));
    match collect(options, Arc::clone(&shelf) as _, clock, Arc::new(|_| {})).await {
        Ok(report) => println!("\nSAID collected {} of {}", report.assets(), report.account_id),
        Err(error) => println!("\nSAID {error}"),
    }
}

/// What the child says, under these variables and no other setting of AWS.
fn child(variables: &[(&str, String)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("the test binary"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    let output = command
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_CONFIG_FILE", "/dev/null")])
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("a child");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().find_map(|line| line.strip_prefix("SAID "));
    said.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

#[tokio::test]
async fn keys_region_and_endpoint_come_from_the_environment() {
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, []);
    let mut variables = account.environment(&server.url, "eu-west-2");
    variables.push(("TEST_REGIONS", "eu-west-1".to_owned()));
    assert_eq!(child(&variables), format!("collected 1 of {}", account.id));
    assert_eq!(server.regions_called("DescribeRegions"), ["eu-west-2"], "the region of AWS_REGION");
    assert_eq!(server.regions_called("DescribeVpcs"), ["eu-west-1"], "the region asked for");
}

#[tokio::test]
async fn a_profile_gives_keys_region_and_endpoint() {
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, []);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let [key, secret, token, ..] = &account.environment(&server.url, "eu-west-3")[..] else { panic!() };
    let profile = format!(
        "[profile audit]\nregion = eu-west-3\nendpoint_url = {}\naws_access_key_id = {}\n\
         aws_secret_access_key = {}\naws_session_token = {}\n",
        server.url, key.1, secret.1, token.1
    );
    fs::write(&file, profile).expect("a profile");
    let said = child(&[
        ("AWS_CONFIG_FILE", file.display().to_string()),
        ("AWS_PROFILE", "audit".to_owned()),
        ("TEST_REGIONS", "eu-west-3".to_owned()),
    ]);
    assert_eq!(said, format!("collected 1 of {}", account.id));
    assert_eq!(server.regions_called("DescribeVpcs"), ["eu-west-3"]);
}

#[test]
fn without_a_region_or_credentials_the_error_says_what_to_set() {
    assert_eq!(child(&[]), "no region is known: set `AWS_REGION`, or write `--regions eu-west-1`");
    let said = child(&[("AWS_REGION", "eu-west-1".to_owned()), ("AWS_ENDPOINT_URL", moto().url.clone())]);
    let text = "no usable AWS credentials (sts:GetCallerIdentity: the request could not be signed or sent): set \
                `AWS_PROFILE` or `AWS_ACCESS_KEY_ID`, or sign in with `aws sso login`";
    assert_eq!(said, text);
}

#[tokio::test]
async fn an_endpoint_nobody_listens_at_is_no_matter_of_credentials() {
    let account = TestAccount::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", listener.local_addr().expect("its address"));
    drop(listener);
    let said = child(&account.environment(&nobody, "eu-west-1"));
    let text = "nothing was collected, AWS does not accept the caller: sts:GetCallerIdentity: the connection \
                failed; check the network, a proxy and `AWS_ENDPOINT_URL`";
    assert_eq!(said, text);
}
