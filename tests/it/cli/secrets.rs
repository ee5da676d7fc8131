//! A4: no secret stands in an error, in a log however loud, or in anything that is written.

use std::{fs, path::Path, process::Output};

use super::command;
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
