//! A4: no secret stands in an error, in a log however loud, or in anything that is written.

use std::{fs, path::Path, process::Output};

use passmuster::store::{Store, StoreOptions};
use serde_json::Value;

use super::{
    command, folder, inventory,
    operating::{ask_until, receiver},
    run,
    serving::Server,
    slice,
};
use crate::support::{
    aws::TestAccount,
    fault_server::{Fault, FaultServer, Rule, denied},
    moto::moto,
};

/// Everything that files below a folder hold, packed parts as they are.
fn files_below(folder: &Path, found: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.extend(fs::read(path).unwrap());
        }
    }
}

struct Bench<'a> {
    folder: &'a Path,
    account: &'a TestAccount,
    endpoint: String,
}

impl Bench<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command(self.folder, arguments);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.envs(self.account.environment(&self.endpoint, "eu-west-1"));
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        command.output().unwrap()
    }

    /// The secret of the account's key, and its token.
    fn secrets(&self) -> Vec<String> {
        let environment = self.account.environment(&self.endpoint, "eu-west-1");
        let is_secret = |name: &str| name == "AWS_SECRET_ACCESS_KEY" || name == "AWS_SESSION_TOKEN";
        let secrets = environment.into_iter().filter(|(name, _)| is_secret(name));
        secrets.map(|(_, secret)| secret).collect()
    }

    fn assert_keeps(&self, what: &str, bytes: &[u8]) {
        for secret in self.secrets() {
            assert!(secret.len() > 8, "a secret worth looking for");
            let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{what} holds a secret");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a4_no_secret_in_an_error_a_log_a_trace_or_a_store() {
    let account = TestAccount::new().await;
    let scratch = tempfile::tempdir().unwrap();
    let rules = [
        Rule::on("DescribeFlowLogs", denied()),
        Rule::on("DescribeSubnets", Fault::Garbage { status: 500 }),
        Rule::on("DescribeRouteTables", Fault::Drop),
    ];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench { folder: scratch.path(), account: &account, endpoint: server.url.clone() };
    let mut told = Vec::new();
    for arguments in [
        &["collect", "--regions", "eu-west-1", "-vvv"][..],
        &["check", "-vvv"],
        &["query", "vpcs { nope }", "-vvv"],
        &["evidence", "aws-vpc-flow-logs-enabled", "-o", "evidence.json", "-vvv"],
        &["evidence", "verify", "evidence.json", "--against-store", "-vvv"],
        &["remediate", "aws-vpc-flow-logs-enabled", "--destination", "s3:logs", "-vvv"],
        &["audit", "-vvv"],
    ] {
        let output = bench.run(arguments);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
        told.extend(output.stdout);
        told.extend(output.stderr);
    }
    let text = String::from_utf8_lossy(&told).into_owned();
    assert!(text.contains("denied"), "what went wrong is told: {text}");
    bench.assert_keeps("what was printed", &told);
    // Nobody answers there, so the SDK itself has something to complain of.
    let nowhere = Bench { endpoint: "http://127.0.0.1:9".to_owned(), ..bench };
    let output = nowhere.run(&["collect", "--regions", "eu-west-1", "-vvv"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    nowhere.assert_keeps("an error of the SDK", &[output.stdout, output.stderr].concat());
    let mut files = Vec::new();
    files_below(scratch.path(), &mut files);
    assert!(files.len() > 10_000, "the store and the bundle");
    nowhere.assert_keeps("a file", &files);
}

/// What a hook's address and the secret it is signed with hold that nobody else may see.
const HIDDEN: [&str; 4] = ["secret-part", "TOKEN-T0-B0", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLJSw"];

fn assert_hidden(what: &str, bytes: &[u8]) {
    for secret in HIDDEN {
        let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!is_there, "{what} holds `{secret}`: {}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a4_no_address_of_a_hook_and_no_signing_secret_in_anything_that_is_told_or_kept() {
    let folder = folder();
    let secrets = tempfile::tempdir().unwrap();
    let slices = ["Vpc", "FlowLog"].map(|of| slice(of, "COMPLETE"));
    fs::write(folder.path().join("vpcs.ndjson"), inventory(&slices)).unwrap();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let (taking, _) = receiver("204 No Content");
    let (failing, _) = receiver("503 Service Unavailable");
    let (leading_on, _) = receiver("302 Found\r\nLocation: /hook/secret-part?next");
    let nobody = "http://127.0.0.1:9/hook/secret-part";
    let slack = secrets.path().join("slack-url");
    fs::write(&slack, format!("{failing}/TOKEN-T0-B0\n")).unwrap();
    let rule = "checks = [\"aws-vpc-flow-logs-enabled\"]\nallow_private = true\nallow_http = true\n";
    let mut configuration = String::new();
    for (name, variable) in
        [("taking", "TAKING"), ("failing", "FAILING"), ("leading-on", "ON"), ("nobody", "NOBODY")]
    {
        configuration.push_str(&format!(
            "[[notifications]]\nname = \"{name}\"\nkind = \"webhook\"\nurl_env = \"{variable}\"\nsecret_env = \"OPS_SECRET\"\n{rule}"
        ));
    }
    configuration.push_str(&format!(
        "[[notifications]]\nname = \"slack\"\nkind = \"slack\"\nurl_file = \"{}\"\n{rule}",
        slack.display()
    ));
    fs::write(folder.path().join("passmuster.toml"), configuration).unwrap();
    let started = |arguments: &[&str]| {
        let mut command = command(folder.path(), arguments);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        command.env("TAKING", &taking).env("FAILING", &failing).env("ON", &leading_on).env("NOBODY", nobody);
        command.env("OPS_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLJSw");
        command
    };

    let mut told = Vec::new();
    for name in ["taking", "failing", "leading-on", "nobody", "slack"] {
        for form in ["table", "json"] {
            let output = started(&["notify", "test", name, "-o", form, "-vvv"]).output().unwrap();
            assert_eq!(output.status.success(), name == "taking", "{output:?}");
            told.extend([output.stdout, output.stderr].concat());
        }
    }
    let text = String::from_utf8_lossy(&told).into_owned();
    assert!(
        text.contains("answered 503") && text.contains("no connection"),
        "what went wrong is told: {text}"
    );
    assert_hidden("`notify test`", &told);

    let log = folder.path().join("serve.log");
    let server = Server::spawn_into(started(&["serve", "--listen", "127.0.0.1:0", "-vvv"]), &log);
    server.wait_until_ready();
    let query = "{ notifications { id channel status attempts note message } findings { id status } \
                 scheduledJobs { id note } checkRuns { id verdict } }";
    let answer = ask_until(&server, query, |answer| {
        let all = answer["data"]["notifications"].as_array().cloned().unwrap_or_default();
        let is_told = |one: &Value| one["status"] == "DELIVERED" || one["note"].is_string();
        all.len() == 5 && all.iter().all(is_told)
    });
    assert_hidden("the graph", answer.to_string().as_bytes());
    assert_eq!(server.terminate(), Some(0));
    let log = fs::read(log).unwrap();
    assert!(log.len() > 1_000, "it logs");
    assert_hidden("the log", &log);

    for arguments in [
        &["findings", "-o", "json", "-vvv"][..],
        &["check", "-o", "json", "-vvv"],
        &["schedule", "-o", "json", "-vvv"],
        &["evidence", "aws-vpc-flow-logs-enabled", "-o", "evidence.json", "-vvv"],
        &["evidence", "verify", "evidence.json", "--against-store", "-vvv"],
        &["store", "verify", "-vvv"],
    ] {
        let output = started(arguments).output().unwrap();
        assert!(output.stdout.len() + output.stderr.len() > 10, "{arguments:?}");
        assert_hidden(&format!("{arguments:?}"), &[output.stdout, output.stderr].concat());
    }
    // The journal is packed: what it holds is read through the store, now and as it was on the way.
    let store =
        Store::open(&folder.path().join(".passmuster/store"), &StoreOptions::default()).unwrap().store;
    let mut kept = Vec::new();
    let mut keep = |asset: passmuster::model::Asset| kept.push(asset.to_json().to_string());
    store.read_assets(&mut keep).unwrap();
    store.read_assets_of("Notification", &mut keep).unwrap();
    assert!(kept.iter().any(|asset| asset.contains("answered 503")), "{kept:?}");
    assert_hidden("the store", kept.concat().as_bytes());
    drop(store);
    let mut files = Vec::new();
    files_below(folder.path(), &mut files);
    assert_hidden("a file", &files);
}

#[test]
fn a4_a_mistake_in_a_configuration_is_shown_without_what_is_secret_beside_it() {
    let folder = folder();
    let webhook = |rest: &str| format!("[[notifications]]\nname = \"ops\"\nkind = \"webhook\"\n{rest}\n");
    let told = |configuration: &str, arguments: &[&str]| {
        fs::write(folder.path().join("passmuster.toml"), configuration).unwrap();
        let ended = run(folder.path(), arguments);
        assert_eq!(ended.code, 3, "{configuration}: {ended:?}");
        assert_hidden(configuration, format!("{}{}", ended.stdout, ended.stderr).as_bytes());
        ended.stderr
    };
    let config = ["notify", "test", "ops"];
    // Plain HTTP; credentials; an unknown key; a mistake in the next line; a text that does not end.
    let plain = told(&webhook("url = \"http://hooks.example.com/TOKEN-T0-B0?k=secret-part\""), &config);
    assert!(plain.contains("http://hooks.example.com/****"), "{plain}");
    told(&webhook("url = \"https://me:secret-part@example.com/\""), &config);
    told(&webhook("url = \"https://example.com\"\nsecret = \"secret-part\""), &config);
    told(&webhook("url = \"https://example.com\"\nsigning-secret = 'secret-part'"), &config);
    let next = told(&webhook("url = 'https://example.com/TOKEN-T0-B0'\non = [\"opend\"]"), &config);
    assert!(next.contains("did you mean `opened`?") && next.contains("[\"opend\"]"), "{next}");
    told(&webhook("url = \"https://example.com/TOKEN-T0-B0\nseverity = \"high\""), &config);
    told(
        "[[notifications]]\nname = \"ops\"\nkind = \"slack\"\nurl = \"https://hooks.example.com/TOKEN-T0-B0\"",
        &config,
    );
    told(
        "notifications = [{name = \"ops\", kind = \"webhook\", url = \"https://example.com/secret-part\", sevrity = \"low\"}]",
        &config,
    );
    // The secret itself where the name of a variable or a file belongs.
    let url = "url = \"https://example.com/\"\n";
    for wrong in [
        format!("{url}secret_env = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLJSw\""),
        format!("{url}secret_file = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLJSw\""),
        "url_env = \"https://example.com/secret-part\"".to_owned(),
        "url_file = \"https://example.com/secret-part\"".to_owned(),
    ] {
        let told = told(&webhook(&wrong), &config);
        assert!(told.contains("channel `ops`") && told.contains("looks like a secret"), "{told}");
    }
    let absent = told(&webhook("url_env = \"OPS_URL\""), &config);
    assert!(absent.contains("no variable `OPS_URL`"), "{absent}");
}
