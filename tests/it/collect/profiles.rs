//! Profiles of the AWS configuration that lead into accounts, and the role that an organisation is listed with: by the
//! built binary, since both come from files and the environment.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use serde_json::Value;

use crate::support::{
    fault_server::{Fault, FaultServer, Rule, denied},
    made_aws::{MANAGEMENT, MadeAws},
};

const PARTNER: &str = "100000000001";
const OTHER: &str = "100000000002";
const AWS: MadeAws = MadeAws { accounts: 3, regions: 2, vpcs: 2 };

/// Runs `collect` with a configuration, and profiles by name and account.
fn collect(
    folder: &Path,
    url: &str,
    config: &str,
    profiles: &[(&str, &str)],
    more: &[&str],
) -> (i32, String) {
    fs::write(folder.join("passmuster.toml"), config).expect("a configuration");
    let keys = |(name, account): &(&str, &str)| {
        format!("[{name}]\naws_access_key_id = ASIA{account}\naws_secret_access_key = s\n")
    };
    let credentials = folder.join("credentials");
    fs::write(&credentials, profiles.iter().map(keys).collect::<String>()).expect("credentials");
    let mut command = Command::new(env!("CARGO_BIN_EXE_passmuster"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("PASSMUSTER_"))
    {
        command.env_remove(name);
    }
    command
        .args(["collect", "--only", "Vpc"])
        .args(more)
        .current_dir(folder)
        .env("AWS_ACCESS_KEY_ID", format!("ASIA{MANAGEMENT}"))
        .env("AWS_SECRET_ACCESS_KEY", "s")
        .env("AWS_REGION", "xx-made-1")
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", credentials)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    let output = command.output().expect("the binary");
    let stdout = String::from_utf8(output.stdout).expect("text");
    let code = output.status.code().expect("a code");
    if code != 0 {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    (code, stdout)
}

/// Account, region and outcome of every slice, each with its reason where there is one.
fn slices(stdout: &str) -> Vec<(String, String, String, Option<String>)> {
    let report: Value = serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    let text = |slice: &Value, key: &str| slice[key].as_str().map(str::to_owned);
    let all = report["slices"].as_array().expect("slices").iter().map(|slice| {
        let [account, region, outcome] =
            ["accountId", "region", "outcome"].map(|key| text(slice, key).expect("a text"));
        (account, region, outcome, text(slice, "reason"))
    });
    all.collect()
}

#[test]
fn an_account_is_read_with_its_profile_and_without_the_role_of_all_accounts() {
    let server = FaultServer::start("", [Rule::on("*", Fault::Make(AWS.answers()))]);
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "[collect]\nrole = \"Audit\"\n[[accounts]]\nid = \"{PARTNER}\"\nprofile = \"partner\"\n[[accounts]]\nid = \"{OTHER}\"\n"
    );
    let (code, stdout) =
        collect(folder.path(), &server.url, &config, &[("partner", PARTNER)], &["-o", "json"]);
    assert_eq!(code, 0, "{stdout}");
    let read: Vec<String> =
        slices(&stdout).into_iter().map(|(account, region, ..)| format!("{account} {region}")).collect();
    let wanted = [PARTNER, OTHER].map(|account| [1, 2].map(|number| format!("{account} xx-made-{number}")));
    assert_eq!(read, wanted.concat());
    assert_eq!(server.calls("AssumeRole", "xx-made-1"), 1, "of the account without a profile");

    // A role of its own is taken on, by the profile.
    let config = format!("[[accounts]]\nid = \"{OTHER}\"\nprofile = \"partner\"\nrole = \"Audit\"\n");
    server.forget();
    let (code, stdout) =
        collect(folder.path(), &server.url, &config, &[("partner", PARTNER)], &["-o", "json"]);
    assert_eq!((code, server.calls("AssumeRole", "xx-made-1")), (0, 1), "{stdout}");
    assert!(slices(&stdout).iter().all(|(account, ..)| account == OTHER), "{stdout}");
}

#[test]
fn a_profile_of_another_account_or_none_reads_nothing_and_says_so() {
    let server = FaultServer::start("", [Rule::on("*", Fault::Make(AWS.answers()))]);
    let config =
        format!("[[accounts]]\nid = \"{PARTNER}\"\nprofile = \"partner\"\nregions = [\"xx-made-1\"]\n");
    let reason = |profiles: &[(&str, &str)]| {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, stdout) = collect(folder.path(), &server.url, &config, profiles, &["-o", "json"]);
        let [(account, _, outcome, Some(reason))] = &slices(&stdout)[..] else { panic!("{stdout}") };
        assert_eq!((account.as_str(), outcome.as_str()), (PARTNER, "FAILED"));
        reason.clone()
    };
    assert_eq!(
        reason(&[("partner", OTHER)]),
        format!(
            "sts:GetCallerIdentity: the credentials are of account {OTHER}, so the profile partner could not be used"
        )
    );
    let missing = reason(&[("another", PARTNER)]);
    assert!(missing.ends_with("so the profile partner could not be used"), "{missing}");
    assert_eq!(server.calls("DescribeVpcs", "xx-made-1"), 0);
}

#[test]
fn an_organisation_is_listed_with_its_own_role_where_one_is_named() {
    let made = AWS.answers();
    let only_the_lister =
        Arc::new(move |action: &str, account: &str, region: &str, page: usize| match (action, account) {
            ("ListAccounts", account) if account != OTHER => "{\"Accounts\":[]}".to_owned(),
            _ => made(action, account, region, page),
        });
    let server = FaultServer::start("", [Rule::on("*", Fault::Make(only_the_lister))]);
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "[collect]\nrole = \"Audit\"\n[organization]\nrole = \"arn:{{partition}}:iam::{OTHER}:role/Lister\"\nexternal_id = \"x-1\"\n"
    );
    let (code, stdout) = collect(folder.path(), &server.url, &config, &[], &["-o", "json"]);
    assert_eq!(code, 0, "{stdout}");
    let mut accounts: Vec<String> = slices(&stdout).into_iter().map(|(account, ..)| account).collect();
    accounts.dedup();
    assert_eq!(accounts, [MANAGEMENT, PARTNER, OTHER]);
    assert_eq!(server.calls("AssumeRole", "xx-made-1"), 3, "one lists, two are read with");

    let (code, _) = collect(folder.path(), &server.url, "[organization]\n", &[], &[]);
    assert_eq!(code, 3, "the caller itself is shown no account");
    let refuses = Fault::Error { status: 403, code: "AccessDenied", message: "no" };
    server.set_rules([
        Rule::on("AssumeRole", refuses).in_account(OTHER),
        Rule::on("*", Fault::Make(AWS.answers())),
    ]);
    let (code, stdout) = collect(folder.path(), &server.url, &config, &[], &[]);
    assert_eq!((code, stdout.as_str()), (1, ""), "an organisation that can't be listed collects nothing");
}

#[test]
fn the_command_for_what_is_missing_keeps_to_the_accounts_that_were_asked_for() {
    let server = FaultServer::start(
        "",
        [
            Rule::on("DescribeVpcs", denied()).in_region("xx-made-2"),
            Rule::on("*", Fault::Make(AWS.answers())),
        ],
    );
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[collect]\nrole = \"Audit\"\n[organization]\n";
    let again = |accounts: &[&str]| {
        let (code, stdout) = collect(folder.path(), &server.url, config, &[], accounts);
        assert_eq!(code, 4, "{stdout}");
        let line = stdout.lines().find_map(|line| line.strip_prefix("to read only what is missing: "));
        line.unwrap_or_else(|| panic!("{stdout}")).to_owned()
    };
    assert_eq!(again(&[]), "passmuster collect --regions xx-made-2 --only Vpc");
    assert_eq!(
        again(&["--accounts", &format!("{OTHER},{PARTNER}")]),
        format!("passmuster collect --accounts {PARTNER},{OTHER} --regions xx-made-2 --only Vpc")
    );
}

#[test]
fn a_role_is_taken_on_with_what_its_trust_policy_asks_for() {
    let server = FaultServer::start("", [Rule::on("*", Fault::Make(AWS.answers()))]);
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "[collect]\nrole = \"Audit\"\nexternal_id = \"x-1\"\nsession_name = \"nightly\"\nsession_duration = \"2h\"\n\
         session_tags = {{ team = \"audit\" }}\n\
         [[accounts]]\nid = \"{PARTNER}\"\n[[accounts]]\nid = \"{OTHER}\"\nexternal_id = \"x-2\"\n"
    );
    let (code, stdout) = collect(folder.path(), &server.url, &config, &[], &["-o", "json"]);
    assert_eq!(code, 0, "{stdout}");
    let roles = server.roles();
    let told = |role: &BTreeMap<String, String>| {
        let text = |key: &str| role.get(key).cloned().unwrap_or_default();
        ["ExternalId", "RoleSessionName", "DurationSeconds", "Tags.member.1.Key", "Tags.member.1.Value"]
            .map(text)
    };
    let mut told: Vec<[String; 5]> = roles.iter().map(told).collect();
    told.sort();
    let wanted = ["x-1", "x-2"].map(|id| [id, "nightly", "7200", "team", "audit"].map(str::to_owned));
    assert_eq!(told, wanted);
}
