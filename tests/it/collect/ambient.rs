//! The machine's own AWS settings hold as they do for the AWS CLI.

use std::fs;

use super::child::{self, ask_child};
use crate::support::{aws::TestAccount, fault_server::FaultServer, moto::moto};

#[tokio::test]
async fn keys_region_and_endpoint_come_from_the_environment() {
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, []);
    let mut variables = account.environment(&server.url, "eu-west-2");
    variables.extend([(child::REGIONS, "eu-west-1".to_owned()), (child::ONLY, "Vpc".to_owned())]);
    assert_eq!(ask_child(&variables), format!("collected 1 of {}", account.id));
    assert_eq!(server.regions_called("DescribeRegions"), ["eu-west-2"], "the region of AWS_REGION");
    assert_eq!(server.regions_called("DescribeVpcs"), ["eu-west-1"], "the region asked for");
}

#[tokio::test]
async fn a_service_may_have_an_endpoint_of_its_own() {
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, []);
    let mut variables = account.environment(&moto().url, "eu-west-1");
    variables.push(("AWS_ENDPOINT_URL_EC2", server.url.clone()));
    variables.push((child::REGIONS, "eu-west-1".to_owned()));
    assert!(ask_child(&variables).starts_with("collected "));
    assert_eq!(server.regions_called("DescribeVpcs"), ["eu-west-1"]);
    assert_eq!(server.regions_called("GetCallerIdentity"), [""; 0]);
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
    let said = ask_child(&[
        ("AWS_CONFIG_FILE", file.display().to_string()),
        ("AWS_PROFILE", "audit".to_owned()),
        (child::REGIONS, "eu-west-3".to_owned()),
        (child::ONLY, "Vpc".to_owned()),
    ]);
    assert_eq!(said, format!("collected 1 of {}", account.id));
    assert_eq!(server.regions_called("DescribeVpcs"), ["eu-west-3"]);
}

#[test]
fn without_a_region_or_credentials_the_error_says_what_to_set() {
    assert_eq!(ask_child(&[]), "no region is known: set `AWS_REGION`, or write `--regions eu-west-1`");
    let said = ask_child(&[("AWS_REGION", "eu-west-1".to_owned()), ("AWS_ENDPOINT_URL", moto().url.clone())]);
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
    let said = ask_child(&account.environment(&nobody, "eu-west-1"));
    let text = "nothing was collected, AWS does not accept the caller: sts:GetCallerIdentity: the connection \
                failed; check the network, a proxy and `AWS_ENDPOINT_URL`";
    assert_eq!(said, text);
}
