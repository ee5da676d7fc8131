//! C4: collections that are killed (SIGKILL) at random moments, while the account goes on changing between them. After
//! each, every slice is as AWS was at one moment, nothing that is still there has gone, and a clean run knows it all.
//! `PASSMUSTER_KILLS` says how often (the gate makes do with few); `PASSMUSTER_PROPERTY_SEED` chooses the moments.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use fastrand::Rng;
use passmuster::{model::Outcome, store::verify};

use super::{
    bench::{Bench, assets_of, open},
    child::{self, child},
};
use crate::support::{
    Paging,
    aws::{REGIONS, TestAccount},
    fault_server::{Fault, FaultServer, Rule},
    moto::moto,
};

const KILLS: u64 = 10;

fn number(name: &str, default: u64) -> u64 {
    let given = env::var(name).ok();
    given.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// A region and a type.
type Place = (&'static str, &'static str);

/// The native ids of what there is.
type Truth = BTreeMap<Place, BTreeSet<String>>;

/// An account that somebody works on.
struct Changing {
    account: TestAccount,
    truth: Truth,
    /// Everything that was true at some moment so far, by place.
    past: BTreeMap<Place, BTreeSet<BTreeSet<String>>>,
}

impl Changing {
    async fn new() -> Self {
        let account = TestAccount::new().await;
        let mut truth = Truth::new();
        for region in REGIONS {
            account.create_log_group(region, "flow-logs").await;
            let vpcs = account.ec2(region).describe_vpcs().send().await.expect("VPCs");
            let ids = vpcs.vpcs().iter().filter_map(|vpc| vpc.vpc_id().map(str::to_owned));
            truth.insert((region, "Vpc"), ids.collect());
            truth.insert((region, "FlowLog"), BTreeSet::new());
        }
        let mut changing = Self { account, truth, past: BTreeMap::new() };
        for region in REGIONS {
            for _ in 0..4 {
                changing.add(region).await;
            }
        }
        changing.remember();
        changing
    }

    fn remember(&mut self) {
        for (place, ids) in &self.truth {
            self.past.entry(*place).or_default().insert(ids.clone());
        }
    }

    /// A VPC more, with a flow log.
    async fn add(&mut self, region: &'static str) {
        let ec2 = self.account.ec2(region);
        let vpc = self.account.create_vpc(&ec2, "one more").await;
        let call = ec2.create_flow_logs().resource_ids(&vpc).log_group_name("flow-logs");
        let call = call.resource_type("VPC".into()).traffic_type("ALL".into());
        let call = call.deliver_logs_permission_arn("arn:aws:iam::123456789012:role/flow-logs");
        let made = call.send().await.expect("a flow log");
        self.truth.entry((region, "Vpc")).or_default().insert(vpc);
        self.truth.entry((region, "FlowLog")).or_default().extend(made.flow_log_ids().iter().cloned());
    }

    /// A flow log less.
    async fn remove(&mut self, region: &'static str) {
        let Some(logs) = self.truth.get_mut(&(region, "FlowLog")) else { return };
        if let Some(log) = logs.pop_first() {
            let ec2 = self.account.ec2(region);
            ec2.delete_flow_logs().flow_log_ids(log).send().await.expect("a deletion");
        }
    }

    async fn change(&mut self, random: &mut Rng) {
        let region = REGIONS[random.usize(0..REGIONS.len())];
        if random.bool() {
            self.add(region).await;
        } else {
            self.remove(region).await;
        }
        self.remember();
    }
}

fn known(store: &passmuster::store::Store) -> Truth {
    let native_ids = |(region, asset_type): Place| {
        let assets = assets_of(store, region, asset_type);
        assets.iter().map(|asset| asset.text("nativeId").expect("a native id").to_owned()).collect()
    };
    let places = REGIONS.iter().flat_map(|region| ["Vpc", "FlowLog"].map(|asset_type| (*region, asset_type)));
    places.map(|place| (place, native_ids(place))).collect()
}

/// When a collection is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// When it has made so many calls.
    Calls(usize),
    /// When it has told that so many slices are done.
    Slices(usize),
}

/// Waits for the moment, or until the child has ended by itself; then kills it.
fn kill_at(moment: Moment, server: &FaultServer, child: &mut Child, random: &mut Rng) {
    let before = server.all_calls();
    let slices = Arc::new(AtomicUsize::new(0));
    let (told, lines) = (Arc::clone(&slices), BufReader::new(child.stdout.take().expect("stdout is piped")));
    let listening = std::thread::spawn(move || {
        let done = lines.lines().map_while(Result::ok).filter(|line| line.starts_with("DONE "));
        done.for_each(|_| {
            told.fetch_add(1, Ordering::SeqCst);
        });
    });
    let is_time = || match moment {
        Moment::Calls(calls) => server.all_calls() - before >= calls,
        Moment::Slices(done) => slices.load(Ordering::SeqCst) >= done,
    };
    while !is_time() && child.try_wait().expect("its state").is_none() {
        std::thread::yield_now();
    }
    // Answers come in meanwhile, and go into the store.
    std::thread::sleep(std::time::Duration::from_micros(random.u64(0..20_000)));
    child.kill().expect("a kill");
    child.wait().expect("its end");
    listening.join().expect("the end of what it told");
}

fn check(folder: &Path, changing: &Changing, before: &Truth, told: &str) -> Truth {
    let store = open(folder);
    let now = known(&store);
    let whole =
        store.slices().expect("slices").into_iter().filter(|slice| slice.outcome == Outcome::Complete);
    let whole: BTreeSet<(String, String)> =
        whole.map(|slice| (slice.key.region, slice.key.asset_type)).collect();
    for (place, ids) in &now {
        let (region, asset_type) = *place;
        if whole.contains(&(region.to_owned(), asset_type.to_owned())) {
            assert!(changing.past[place].contains(ids), "{told}: a torn slice of {place:?}: {ids:?}");
        } else {
            assert!(ids.is_empty(), "{told}: assets of a slice that was never whole: {place:?}");
        }
        let lost: Vec<_> =
            before[place].intersection(&changing.truth[place]).filter(|id| !ids.contains(*id)).collect();
        assert!(lost.is_empty(), "{told}: {lost:?} of {place:?} are there, and were removed");
    }
    drop(store);
    let report = verify(folder).expect("a store");
    assert!(report.problems.is_empty(), "{told}: {report:?}");
    now
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_collections_killed_at_random_moments_remove_nothing_falsely_and_tear_no_slice() {
    let kills = number("PASSMUSTER_KILLS", KILLS);
    let mut random = Rng::with_seed(number("PASSMUSTER_PROPERTY_SEED", 1));
    let mut changing = Changing::new().await;
    let pages =
        ["DescribeVpcs", "DescribeFlowLogs"].map(|action| Rule::on(action, Fault::Pages(Paging::of([2]))));
    let server = FaultServer::start(&moto().url, pages);
    let folder = tempfile::tempdir().expect("a folder");
    let mut variables = changing.account.environment(&server.url, "us-east-1");
    variables.push((child::REGIONS, REGIONS.join(",")));

    // One that nobody kills says how many calls there are to be killed at.
    let mut whole = Bench::new(changing.account.clone(), &server.url);
    let slices = whole.collect(&REGIONS, &[]).await.expect("a collection").slices.len();
    let calls = server.all_calls();
    let mut before = known(&open(folder.path()));
    let mut seen = BTreeSet::new();
    for kill in 0..kills {
        let moment = match random.bool() {
            true => Moment::Calls(random.usize(0..=calls)),
            false => Moment::Slices(random.usize(0..=slices)),
        };
        let mut child = child(folder.path(), &variables).spawn().expect("a child");
        kill_at(moment, &server, &mut child, &mut random);
        let told = format!("kill {kill} at {moment:?} of {calls} calls, {slices} slices");
        before = check(folder.path(), &changing, &before, &told);
        seen.insert(before.clone());
        changing.change(&mut random).await;
    }
    assert!(kills < 10 || seen.len() > 3, "the kills came too early or too late to show anything: {seen:?}");

    whole.store = open(folder.path());
    let report = whole.collect(&REGIONS, &[]).await.expect("a collection");
    assert!(report.is_complete());
    assert_eq!(known(&whole.store), changing.truth, "the next clean run converges");
}
