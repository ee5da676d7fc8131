//! Many accounts: which are chosen, as whom they are read, and what is said of those that let nobody in.

use passmuster::{
    collect::{AccountFilter, AccountOptions, CollectError, CollectOptions, Event, OrganizationOptions},
    model::{GLOBAL_REGION, Outcome},
};

use super::{
    bench::{LATER, time},
    fleet::{FleetBench, words},
};
use crate::support::{
    fault_server::{Fault, Rule},
    organization::ACCOUNTS,
};

/// The names of the accounts that conditions leave, by the accounts of a report.
async fn chosen(include: AccountFilter, exclude: AccountFilter) -> Result<Vec<String>, CollectError> {
    let bench = FleetBench::new([]).await;
    let asked = OrganizationOptions { include, exclude, ..OrganizationOptions::default() };
    let options = CollectOptions { organization: Some(asked), only: words(&["Account"]), ..bench.options() };
    let report = bench.collect_as(options).await?;
    let mut names: Vec<String> = report.accounts.into_iter().filter_map(|account| account.name).collect();
    names.sort();
    Ok(names)
}

fn members(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("member-{number:02}")).collect()
}

#[tokio::test]
async fn every_account_of_the_organisation_is_collected_through_its_role() {
    let bench = FleetBench::new([]).await;
    let report = bench.collect().await;
    assert!(report.is_complete(), "{:?}", report.slices);
    assert_eq!(report.accounts.len(), ACCOUNTS);
    assert!(report.accounts.iter().all(|account| account.regions == ["eu-west-1", "us-east-1"]));
    assert!(report.slices.is_sorted_by(|one, other| one.key < other.key));
    assert_eq!(bench.verdicts(None), bench.truth());
    // Each account's role once, for all its clients; and none for the caller's own account.
    assert_eq!(bench.server.calls("AssumeRole", "us-east-1"), ACCOUNTS - 1);
    assert_eq!(bench.server.calls("GetCallerIdentity", "us-east-1"), 1);
    assert_eq!(bench.server.calls("ListAccounts", "us-east-1"), 2, "pages of 20");
    assert_eq!(bench.server.all_calls(), 1 + 2 + (ACCOUNTS - 1) + ACCOUNTS * (1 + 2 * 2));
}

#[tokio::test]
async fn accounts_are_what_the_organisation_says_of_them() {
    let bench = FleetBench::new([]).await;
    bench.collect().await;
    let mut accounts = Vec::new();
    bench.store.read_assets_of("Account", &mut |account| accounts.push(account)).expect("accounts");
    assert_eq!(accounts.len(), ACCOUNTS);
    let first = bench.organization.account("member-01");
    let asset = accounts.iter().find(|account| account.account_id() == Some(&first.id)).expect("an account");
    let management = &bench.organization.management.id;
    let organization_id = asset.text("organizationId").expect("an organisation");
    assert_eq!(
        asset.id,
        format!("arn:aws:organizations::{management}:account/{organization_id}/{}", first.id)
    );
    assert_eq!(asset.text("name"), Some("member-01"));
    assert_eq!(asset.text("email"), Some("member-01@example.com"));
    assert_eq!(asset.text("state"), Some("ACTIVE"), "from `Status`, where there is no `State`");
    assert_eq!(asset.text("joinedMethod"), Some("CREATED"));
    assert!(asset.text("joinedAt").is_some());
    assert!(asset.unknown.contains("tags"), "nobody asked for them");
}

#[tokio::test]
async fn a_state_goes_before_the_status_that_is_retired_and_only_active_accounts_are_read() {
    let bench = FleetBench::new([]).await;
    let suspended = bench.organization.account("member-05").id.clone();
    let says_state = move |text: String| {
        let mut answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for account in answer["Accounts"].as_array_mut().expect("accounts") {
            assert_eq!(account["Status"], "ACTIVE");
            if account["Id"] == suspended.as_str() {
                account["State"] = "SUSPENDED".into();
            }
        }
        answer.to_string()
    };
    let rewrite = Fault::Rewrite(std::sync::Arc::new(says_state));
    bench.server.set_rules([Rule::on("ListAccounts", rewrite)]);
    let options = CollectOptions { only: words(&["Account"]), ..bench.options() };
    let report = bench.collect_as(options.clone()).await.expect("a collection");
    assert_eq!(report.accounts.len(), ACCOUNTS - 1);
    assert!(report.accounts.iter().all(|account| account.name.as_deref() != Some("member-05")));

    let asked = OrganizationOptions {
        include: AccountFilter { states: words(&["SUSPENDED"]), ..AccountFilter::default() },
        ..OrganizationOptions::default()
    };
    let report = bench.collect_as(CollectOptions { organization: Some(asked), ..options }).await;
    let report = report.expect("a collection");
    let names: Vec<_> = report.accounts.iter().filter_map(|account| account.name.clone()).collect();
    assert_eq!(names, ["member-05"]);
}

#[tokio::test]
async fn accounts_are_chosen_by_id_unit_and_tag() {
    let bench = FleetBench::new([]).await;
    let ids =
        words(&[&bench.organization.account("member-07").id, &bench.organization.account("member-14").id]);
    let none = AccountFilter::default;
    let by_ids = AccountFilter { accounts: ids.clone(), ..none() };
    assert_eq!(chosen(by_ids.clone(), none()).await.expect("accounts"), members([7, 14]));

    let production = AccountFilter { units: words(&["Workloads/Production"]), ..none() };
    assert_eq!(chosen(production.clone(), none()).await.expect("accounts"), members(1..=12));
    let id = bench.organization.units["Workloads"].as_str();
    let workloads = AccountFilter { units: words(&[id]), ..none() };
    assert_eq!(
        chosen(workloads, by_ids).await.expect("accounts"),
        members((1..=20).filter(|n| ![7, 14].contains(n)))
    );

    let workloads = AccountFilter { units: words(&["Workloads"]), ..none() };
    assert_eq!(
        chosen(workloads, production.clone()).await.expect("accounts"),
        members(13..=20),
        "but for these"
    );

    let tags = [("env".to_owned(), "prod".to_owned())].into();
    let tagged = AccountFilter { tags, ..none() };
    assert_eq!(chosen(tagged.clone(), none()).await.expect("accounts"), members(1..=3));
    assert_eq!(chosen(production, tagged).await.expect("accounts"), members(4..=12), "every kind must hold");
}

#[tokio::test]
async fn what_chooses_nothing_is_refused_before_anything_is_collected() {
    let none = AccountFilter::default;
    let units = AccountFilter { units: words(&["Workloads/Prodution"]), ..none() };
    let error = chosen(units, none()).await.expect_err("no such unit");
    let text = "the organisation has no unit `Workloads/Prodution`, did you mean `Workloads/Production`?";
    assert_eq!(error.to_string(), text);
    let nobody = AccountFilter { accounts: words(&["999999999999"]), ..none() };
    let error = chosen(nobody, none()).await.expect_err("no account");
    assert!(matches!(error, CollectError::NoAccount), "{error:?}");

    let bench = FleetBench::new([]).await;
    let one = AccountOptions { account_id: "111122223333".to_owned(), ..AccountOptions::default() };
    let options = CollectOptions {
        accounts: vec![one],
        organization: None,
        role: Default::default(),
        ..bench.options()
    };
    let error = bench.collect_as(options).await.expect_err("no role");
    let caller = &bench.organization.management.id;
    assert_eq!(
        error.to_string(),
        format!(
            "no role is known for account 111122223333, and the credentials belong to {caller}: write `role` into \
             `[collect]` or into its `[[accounts]]`"
        )
    );
    assert!(bench.slices().is_empty());
}

#[tokio::test]
async fn an_organisation_that_cant_be_listed_collects_nothing_and_says_what_to_do() {
    let denied = Fault::Error { status: 400, code: "AccessDeniedException", message: "no" };
    let bench = FleetBench::new([Rule::on("ListAccounts", denied)]).await;
    let error = bench.collect_as(bench.options()).await.expect_err("a denied list");
    assert_eq!(
        error.to_string(),
        "nothing was collected, the organisation's accounts can't be listed: organizations:ListAccounts: \
         AccessDeniedException; collect from the management account or a delegated administrator, and allow the calls \
         (docs/aws-permissions.md)"
    );
    assert!(bench.slices().is_empty());
}

#[tokio::test]
async fn named_accounts_have_settings_of_their_own() {
    let bench = FleetBench::new([]).await;
    let (first, second) = (bench.organization.account("member-01"), bench.organization.account("member-02"));
    let named = |id: &str, regions: &[&str], role: Option<&str>| AccountOptions {
        account_id: id.to_owned(),
        name: Some("the first".to_owned()),
        role: role.map(str::to_owned),
        external_id: None,
        regions: words(regions),
        ..AccountOptions::default()
    };
    let options = CollectOptions {
        accounts: vec![
            named(&second.id, &["eu-west-1"], None),
            named(&first.id, &[], Some("arn:{partition}:iam::{account}:role/x")),
        ],
        organization: None,
        ..bench.options()
    };
    let report = bench.collect_as(options).await.expect("a collection");
    let mut ids = [first.id.as_str(), second.id.as_str()];
    ids.sort_unstable();
    assert_eq!(report.accounts.iter().map(|account| account.account_id.as_str()).collect::<Vec<_>>(), ids);
    assert!(report.is_complete());
    assert_eq!(bench.slice(&second.id, "eu-west-1", "Vpc").outcome, Outcome::Complete);
    assert!(!bench.slices().keys().any(|key| key.account_id == second.id && key.region == "us-east-1"));
    assert_eq!(bench.slice(&first.id, "us-east-1", "Vpc").outcome, Outcome::Complete);
    assert_eq!(bench.slice(&first.id, GLOBAL_REGION, "Account").api, "sts:AssumeRole");
}

#[test]
fn the_page_on_permissions_grants_just_the_calls_that_organisations_need() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file");
    let page = read("docs/aws-permissions.md");
    let (_, policy) = page.split_once("\"PassmusterOrganization\"").expect("the policy");
    let (policy, _) = policy.split_once(']').expect("the end of its actions");
    let is_action = |word: &&str| word.starts_with("organizations:") || word.starts_with("sts:A");
    let granted: std::collections::BTreeSet<&str> = policy.split('"').filter(is_action).collect();
    let code = read("src/collect/api/organization_accounts.rs") + &read("src/collect/role.rs");
    let called: std::collections::BTreeSet<&str> = code.split('"').filter(is_action).collect();
    assert_eq!(granted, called);
    for action in called {
        assert!(page.contains(&format!("`{action}`")), "{action} has no row");
    }
}

#[tokio::test]
async fn an_account_that_is_left_out_keeps_what_is_known_and_is_named() {
    let bench = FleetBench::new([]).await;
    assert_eq!(bench.collect().await.notes, [""; 0]);
    let left_out = bench.organization.account("member-06").id.as_str();
    let asked = OrganizationOptions {
        exclude: AccountFilter { accounts: words(&[left_out]), ..AccountFilter::default() },
        ..OrganizationOptions::default()
    };
    let report = bench.collect_as(CollectOptions { organization: Some(asked), ..bench.options() }).await;
    let report = report.expect("a collection");
    let note = format!(
        "not collected any more: {left_out}; what is known of them stays, and grows too old for checks"
    );
    assert_eq!(report.notes, [note]);
    assert_eq!(bench.verdicts(None), bench.truth());
}

#[tokio::test]
async fn of_several_accounts_the_one_that_was_tried_longest_ago_is_read_first() {
    let bench = FleetBench::new([]).await;
    let mut ids = ["member-01", "member-02"].map(|name| bench.organization.account(name).id.clone());
    ids.sort();
    let of = |ids: &[&String]| CollectOptions {
        only_accounts: ids.iter().map(|id| (*id).clone()).collect(),
        only: words(&["Vpc"]),
        concurrency: 1,
        ..bench.options()
    };
    let [first, second] = &ids;
    bench.collect_as(of(&[second])).await.expect("a collection");
    bench.clock.set(time(LATER));
    bench.collect_as(of(&[first])).await.expect("a collection");
    bench.events.lock().expect("events").clear();
    bench.collect_as(of(&[first, second])).await.expect("a collection");
    let events = bench.events.lock().expect("events");
    let planned = events.iter().filter_map(|event| match event {
        Event::Planned { account_id, .. } => Some(account_id),
        Event::SliceDone { .. } => None,
    });
    assert_eq!(planned.collect::<Vec<_>>(), [second, first]);
}
