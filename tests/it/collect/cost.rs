//! What a collection costs: calls, time and memory of the binary, against a made-up AWS that answers each call 80 ms
//! later. The number of calls is held by a test; the rest is measured for `docs/performance.md` by one that is run by
//! hand.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use passmuster::{
    collect::{AwsConfig, CollectOptions, OrganizationOptions, RoleOptions, collect},
    model::FixedClock,
    store::{FaultPoint, Faults, Store, StoreOptions},
};

use super::{
    bench::{EARLIER, open, quick, time},
    fleet::words,
};
use crate::support::{
    aws::made_config,
    fault_server::{Fault, FaultServer, Rule},
    made_aws::{MANAGEMENT, MadeAws},
};

/// The types that decide whether a VPC has a flow log.
const DECIDING: [&str; 2] = ["Vpc", "FlowLog"];

impl MadeAws {
    /// The least number of calls that can tell it all: who asks; which accounts there are, and a role in each but the
    /// caller's; the regions of each; in each region a call for each type of which there is a list, one for the log
    /// group that flow logs name, one for its filters and one for the policies on filters.
    fn least_calls(self, lists: usize, named: bool) -> usize {
        let organization = if self.accounts > 1 { 1 + self.accounts - 1 } else { 0 };
        let in_region = lists + if named { 3 } else { 0 };
        // VPCs and flow logs come 1,000 a page, subnets and interfaces are three times as many.
        let pages = |count: usize| count.div_ceil(1000).max(1) - 1;
        let more_pages = 2 * pages(self.vpcs) + if named { 2 * pages(3 * self.vpcs) } else { 0 };
        1 + organization + self.accounts * (1 + self.regions * (in_region + more_pages))
    }
}

#[tokio::test]
async fn a_collection_makes_no_more_calls_than_it_takes() {
    let cases: [(usize, usize, &[&str], usize, bool); 5] = [
        (1, 5, &DECIDING, 2, false),
        (1, 5, &[], 11, true),
        (3, 5, &DECIDING, 2, false),
        (3, 5, &[], 11, true),
        (1, 1_001, &[], 11, true),
    ];
    for (accounts, vpcs, only, lists, named) in cases {
        let aws = MadeAws { accounts, regions: 4, vpcs };
        let server = FaultServer::start("", [Rule::on("*", Fault::Make(aws.answers()))]);
        let folder = tempfile::tempdir().expect("a folder");
        let options = CollectOptions {
            aws: AwsConfig::Given(Box::new(made_config(&server.url, MANAGEMENT, "xx-made-1"))),
            organization: (accounts > 1).then(OrganizationOptions::default),
            role: RoleOptions { role: Some("Audit".to_owned()), ..RoleOptions::default() },
            only: words(only),
            patience: quick(),
            ..CollectOptions::default()
        };
        let clock = Arc::new(FixedClock::at(time(EARLIER)));
        let report = Box::pin(collect(options, open(folder.path()), clock, Arc::new(|_| {}))).await;
        let report = report.expect("a collection");
        assert!(report.is_complete(), "{:?}", report.slices);
        assert_eq!(server.all_calls(), aws.least_calls(lists, named), "{accounts} accounts, {only:?}");
    }
}

/// On as many threads as commit, what the index replaces would stay until they end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_commits_of_a_collection_are_one_threads() {
    let aws = MadeAws { accounts: 3, regions: 4, vpcs: 5 };
    let later = Rule::on("*", Fault::Delay(Duration::from_millis(5)));
    let server = FaultServer::start("", [later, Rule::on("*", Fault::Make(aws.answers()))]);
    let folder = tempfile::tempdir().expect("a folder");
    let threads: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let seen = Arc::clone(&threads);
    let faults = Faults::new(move |point| {
        if point == FaultPoint::RecordWrite {
            seen.lock().expect("threads").push(thread::current().id());
        }
        Ok(())
    });
    let options = StoreOptions { faults, ..StoreOptions::default() };
    let store = Arc::new(Store::open(&folder.path().join("data"), &options).expect("a store").store);
    let options = CollectOptions {
        aws: AwsConfig::Given(Box::new(made_config(&server.url, MANAGEMENT, "xx-made-1"))),
        organization: Some(OrganizationOptions::default()),
        role: RoleOptions { role: Some("Audit".to_owned()), ..RoleOptions::default() },
        patience: quick(),
        ..CollectOptions::default()
    };
    let clock = Arc::new(FixedClock::at(time(EARLIER)));
    let report = Box::pin(collect(options, Arc::clone(&store), clock, Arc::new(|_| {}))).await;
    let slices = report.expect("a collection").slices.len();
    let threads = threads.lock().expect("threads");
    assert_eq!(threads.len(), slices, "each slice is one commit");
    assert!(threads.iter().all(|thread| *thread == threads[0]), "{threads:?}");
    assert!(Arc::into_inner(store).is_some(), "the thread holds no store when the collection has ended");
}

/// Not a test of anything: prints what `docs/performance.md` says.
#[test]
#[ignore = "takes minutes: cargo test collect::cost::measure -- --ignored --nocapture"]
fn measure() {
    println!("| accounts x regions x VPCs | types | calls | least possible | seconds | peak MB |");
    println!("|---|---|--:|--:|--:|--:|");
    let shapes = [(1, 20, 20), (25, 2, 20), (25, 20, 20), (1, 4, 5_000), (1, 16, 5_000)];
    let only_one =
        std::env::var("PASSMUSTER_COST_SHAPE").ok().and_then(|number| number.parse::<usize>().ok());
    let shapes = shapes.into_iter().enumerate().filter(|(at, _)| only_one.is_none_or(|one| one == *at));
    for (_, (accounts, regions, vpcs)) in shapes {
        for (only, lists, named) in [(Some("Vpc,FlowLog"), 2, false), (None, 11, true)] {
            let aws = MadeAws { accounts, regions, vpcs };
            let later = Rule::on("*", Fault::Delay(Duration::from_millis(80)));
            let server = FaultServer::start("", [later, Rule::on("*", Fault::Make(aws.answers()))]);
            let folder = tempfile::tempdir().expect("a folder");
            let (seconds, peak) = run(folder.path(), &server.url, accounts > 1, only);
            println!(
                "| {accounts} x {regions} x {vpcs} | {} | {} | {} | {seconds:.1} | {peak:.0} |",
                only.unwrap_or("all"),
                server.all_calls(),
                aws.least_calls(lists, named),
            );
        }
    }
}

/// Runs the binary; returns its seconds and the most memory it had, in megabytes.
fn run(folder: &Path, endpoint: &str, of_organization: bool, only: Option<&str>) -> (f64, f64) {
    let organization = if of_organization { "[organization]\n" } else { "" };
    let text = format!("[collect]\nrole = \"Audit\"\n{organization}");
    fs::write(folder.join("passmuster.toml"), text).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_passmuster"));
    command.arg("collect").args(only.map(|only| ["--only", only]).into_iter().flatten());
    let own: BTreeSet<String> = std::env::vars().map(|(name, _)| name).collect();
    for name in own.iter().filter(|name| name.starts_with("AWS_") || name.starts_with("PASSMUSTER_")) {
        command.env_remove(name);
    }
    let access_key = format!("ASIA{MANAGEMENT}");
    let variables = [
        ("AWS_ACCESS_KEY_ID", access_key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_REGION", "xx-made-1"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    command.envs(variables).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().expect("the binary");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = peak.max(kilobytes.unwrap_or_default() / 1024.0);
        if let Some(ended) = child.try_wait().expect("its state") {
            break ended;
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert!(ended.success(), "{ended}");
    (began.elapsed().as_secs_f64(), peak)
}
