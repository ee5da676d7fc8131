//! A collection in a process of its own: with an environment of a test's making (a process can't change its own
//! safely), and one that can be killed. The child is this test binary again, asked for one test.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use passmuster::{
    collect::{AwsConfig, CollectOptions, Event, collect},
    model::FixedClock,
};

use super::bench::{EARLIER, open, quick, time};

const CHILD: &str = "collect::child::collects_with_the_settings_of_its_environment";

/// Set for the child, to the folder of its store; without it nothing happens, lest somebody who runs all ignored
/// tests collects an account of theirs.
const STORE: &str = "PASSMUSTER_TEST_STORE";

/// Regions and types to collect, separated by commas.
pub(crate) const REGIONS: &str = "PASSMUSTER_TEST_REGIONS";
pub(crate) const ONLY: &str = "PASSMUSTER_TEST_ONLY";

/// Not a test of its own: what the child does.
#[tokio::test]
#[ignore = "run by other tests, in a process and an environment of their making"]
async fn collects_with_the_settings_of_its_environment() {
    let Some(folder) = std::env::var_os(STORE) else { return };
    let list = |name: &str| -> BTreeSet<String> {
        let text = std::env::var(name).unwrap_or_default();
        text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let options = CollectOptions {
        aws: AwsConfig::Ambient,
        regions: list(REGIONS),
        only: list(ONLY),
        patience: quick(),
        ..CollectOptions::default()
    };
    let clock = Arc::new(FixedClock::at(time(EARLIER)));
    let say = |event| match event {
        Event::Planned { slices, .. } => println!("\nPLANNED {}", slices.len()),
        Event::SliceDone { done, .. } => println!("\nDONE {done}"),
    };
    match collect(options, open(Path::new(&folder)), clock, Arc::new(say)).await {
        Ok(report) => println!("\nSAID collected {} of {}", report.assets(), report.accounts[0].account_id),
        Err(error) => println!("\nSAID {error}"),
    }
}

/// A child that collects into a folder, under these variables and no other setting of AWS; not started yet.
pub(crate) fn child(store: &Path, variables: &[(&str, String)]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test binary"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_CONFIG_FILE", "/dev/null")])
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env(STORE, store)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a child says at its end.
pub(crate) fn ask_child(variables: &[(&str, String)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let output = child(folder.path(), variables).output().expect("a child");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().find_map(|line| line.strip_prefix("SAID "));
    said.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}
