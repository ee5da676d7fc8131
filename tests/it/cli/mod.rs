//! The built binary, as a person or a script meets it: help, exit codes, what stands on stdout and on stderr.

mod answers;
mod asking;
mod configured;
mod configured_server;
mod due_collections;
mod help;
mod images;
mod judging;
mod live;
mod operating;
mod past;
mod proving;
mod remediating;
mod remedies;
mod remembering;
mod reports;
mod ruling;
mod secrets;
mod serving;
mod storing;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(super) const BINARY: &str = env!("CARGO_BIN_EXE_passmuster");

/// How a run of the binary ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ended {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The binary in a folder of its own, with nothing of the tester's environment that it would heed.
pub(super) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .current_dir(folder)
        .env("COLUMNS", "100")
        .env("TMPDIR", folder)
        .stdin(Stdio::null());
    let own = |(name, _): (String, String)| Some(name).filter(|name| name.starts_with("PASSMUSTER_"));
    for name in std::env::vars().filter_map(own).chain(["NO_COLOR".to_owned()]) {
        command.env_remove(name);
    }
    command
}

pub(super) fn run(folder: &Path, arguments: &[&str]) -> Ended {
    run_with_stdin(folder, arguments, "")
}

pub(super) fn run_with_stdin(folder: &Path, arguments: &[&str], stdin: &str) -> Ended {
    let mut command = command(folder, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with `vpcs.ndjson`: one VPC with an active flow log, one with an inactive one, one without any.
pub(super) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vpcs.ndjson"), inventory(&[])).unwrap();
    folder
}

pub(super) fn inventory(slices: &[Value]) -> String {
    let vpc = |id: &str, name: &str| {
        json!({
            "__typename": "Vpc", "id": format!("arn:aws:ec2:eu-west-1:111122223333:vpc/{id}"), "provider": "aws",
            "partition": "aws", "accountId": "111122223333", "region": "eu-west-1", "nativeId": id, "name": name,
            "tags": [{"key": "Name", "value": name}], "source": "import", "vpcId": id, "ownerId": "111122223333",
            "isDefault": false,
        })
    };
    let log = |id: &str, vpc: &str, status: &str| {
        json!({
            "__typename": "FlowLog", "id": format!("arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/{id}"),
            "provider": "aws", "partition": "aws", "accountId": "111122223333", "region": "eu-west-1",
            "nativeId": id, "tags": [], "source": "import", "flowLogId": id, "flowLogStatus": status,
            "resourceId": vpc, "trafficType": "ALL",
        })
    };
    let assets = [
        vpc("vpc-1", "logged"),
        vpc("vpc-2", "inactive"),
        vpc("vpc-3", "bare, \"quoted\""),
        log("fl-1", "vpc-1", "ACTIVE"),
        log("fl-2", "vpc-2", "INACTIVE"),
    ];
    slices.iter().chain(&assets).map(|line| format!("{line}\n")).collect()
}

pub(super) fn slice(asset_type: &str, outcome: &str) -> Value {
    json!({
        "__typename": "Slice", "assetType": asset_type, "accountId": "111122223333", "region": "eu-west-1",
        "outcome": outcome, "reason": if outcome == "COMPLETE" { Value::Null } else { json!("not allowed") },
    })
}

pub(super) const QUERY: &str =
    "vpcs(where: {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}) { vpcId name hasFlowLog { trafficType } }";

pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Compares with the text kept in `tests/snapshots`.
pub(super) fn assert_reads_as_agreed(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}
