//! `serve` that collects: one collection at a time, nothing judged meanwhile, what was cut short made up for once; against
//! an AWS that moto plays.

use serde_json::{Value, json};

use super::{
    live::as_account,
    operating::{ask, ask_until, wait_for_the_store},
    run,
    serving::Server,
};
use crate::support::{
    aws::TestAccount,
    fault_server::{Fault, FaultServer, Rule},
    moto::moto,
};

const JOB: &str = "{ scheduledJob(id: \"collection/all\") { startedAt finishedAt outcome note attempts } }";

fn is(outcome: &str) -> impl Fn(&Value) -> bool {
    move |answer| answer["data"]["scheduledJob"]["outcome"] == outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_was_cut_short_runs_again_and_is_judged_at_its_end() {
    let account = TestAccount::new().await;
    let vpc = account.create_vpc(&account.ec2("eu-west-1"), "made-before").await;
    let folder = tempfile::tempdir().unwrap();
    let aws = FaultServer::start(&moto().url, [Rule::on("DescribeSubnets", Fault::Hang)]);
    std::fs::write(folder.path().join("passmuster.toml"), "[collect]\nregions = [\"eu-west-1\"]\n").unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--collect-every", "1h"];
    let serve = || {
        let server = Server::spawn(as_account(folder.path(), &account, &aws.url, &arguments), true);
        server.wait_until_ready();
        wait_for_the_store(&server);
        server
    };

    let server = serve();
    let runs = ask_until(&server, JOB, |answer| answer["data"]["scheduledJob"]["startedAt"].is_string());
    assert_eq!(runs["data"]["scheduledJob"]["outcome"], Value::Null, "{runs}");
    for field in ["collect { id }", "runCheck(id: \"aws-vpc-flow-logs-enabled\") { id }"] {
        let answer = ask(&server, &format!("mutation {{ {field} }}"));
        assert_eq!(answer["errors"][0]["extensions"]["code"], "busy", "{field}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("collection/all"), "{answer}");
    }
    // The VPC is there, and no run fails it: half a collection is not judged. What was said of nothing at all before it
    // is UNKNOWN.
    ask_until(&server, "{ vpcs { vpcId } }", |answer| answer.to_string().contains(&vpc));
    let judged = ask(&server, "{ checkRuns(where: {verdict_NOT: UNKNOWN}) { id verdict } }");
    assert_eq!(judged["data"]["checkRuns"], json!([]), "{judged}");
    assert_eq!(server.terminate(), Some(0));

    let rows = run(folder.path(), &["schedule", "-o", "json"]).json();
    let row = rows.as_array().unwrap().iter().find(|row| row["job"] == "collection/all").unwrap();
    assert_eq!((&row["outcome"], &row["state"]), (&json!("INTERRUPTED"), &json!("not planned")), "{row}");

    aws.set_rules([]);
    let server = serve();
    let done = ask_until(&server, JOB, is("DONE"));
    let job = &done["data"]["scheduledJob"];
    assert_eq!(job["attempts"], "2", "{done}");
    assert!(job["note"].as_str().unwrap().contains("slices"), "{done}");
    let judged = ask(
        &server,
        "{ checkRuns(where: {checkId: \"aws-vpc-flow-logs-enabled\", verdict: FAIL}) { trigger verdict } }",
    );
    assert_eq!(
        judged["data"]["checkRuns"],
        json!([{"trigger": "COLLECTION", "verdict": "FAIL"}]),
        "{judged}"
    );

    // One that is asked for is a job like any other.
    let begun = ask(&server, "mutation { collect(only: [\"Vpc\"]) { id outcome startedAt } }");
    assert_eq!(begun["data"]["collect"]["id"], "collection/requested", "{begun}");
    let requested = "{ scheduledJob(id: \"collection/requested\") { outcome note } }";
    ask_until(&server, requested, is("DONE"));
    let wrong = ask(&server, "mutation { collect(only: [\"Vcp\"]) { id } }");
    assert_eq!(wrong["data"]["collect"]["id"], "collection/requested", "{wrong}");
    let failed = ask_until(&server, requested, is("FAILED"));
    assert!(failed["data"]["scheduledJob"]["note"].as_str().unwrap().contains("`Vcp`"), "{failed}");
    assert_eq!(server.terminate(), Some(0));
}
