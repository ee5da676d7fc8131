//! The second pass: what flow logs name, and no more; what can't be read is a stub, and keeps verdicts open.

use passmuster::{
    model::{Asset, GLOBAL_REGION, Outcome},
    query::run::Reason,
};
use serde_json::json;

use super::{
    bench::Bench,
    main_job::{engine, graph},
};
use crate::support::{
    aws::TestAccount,
    fault_server::{Fault, FaultServer, Rule},
    moto::moto,
};

const REGION: &str = "eu-west-1";

/// A flow log of a VPC, as AWS would list it.
struct Log<'a> {
    id: &'a str,
    destination: &'a str,
    kind: &'a str,
    group: &'a str,
    role: &'a str,
}

/// An answer of DescribeFlowLogs. It is leaked: the fault server takes what lives for ever.
fn flow_logs(logs: &[Log<'_>]) -> Rule {
    let item = |log: &Log<'_>| {
        let Log { id, destination, kind, group, role } = log;
        let optional = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("<{name}>{value}</{name}>"),
        };
        format!(
            "<item><flowLogId>{id}</flowLogId><flowLogStatus>ACTIVE</flowLogStatus><resourceId>vpc-1</resourceId>\
             <trafficType>ALL</trafficType><logDestinationType>{kind}</logDestinationType>{}{}{}</item>",
            optional("logDestination", destination),
            optional("logGroupName", group),
            optional("deliverLogsPermissionArn", role),
        )
    };
    let items: String = logs.iter().map(item).collect();
    let body = format!(
        "<DescribeFlowLogsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><flowLogSet>{items}\
         </flowLogSet></DescribeFlowLogsResponse>"
    );
    Rule::on("DescribeFlowLogs", Fault::Answer(body.leak()))
}

fn to_group(id: &'static str, group: &'static str) -> Log<'static> {
    Log { id, destination: "", kind: "cloud-watch-logs", group, role: "" }
}

fn to_bucket(id: &'static str, destination: &'static str) -> Log<'static> {
    Log { id, destination, kind: "s3", group: "", role: "" }
}

const NAMED: [&str; 6] =
    ["FlowLog", "LogGroup", "SubscriptionFilter", "S3Bucket", "DeliveryStream", "IamRole"];

/// What a filter over flow logs decides: the flow logs that must match, and the reasons of those that may.
fn judge(bench: &Bench, filter: &str) -> (Vec<String>, Vec<String>) {
    let engine = engine();
    let graph = graph(&engine, bench);
    let query = format!("flowLogs(where: {filter}) {{ id }}");
    let judgement = engine.judge(&graph, &query, None).expect("a judgement");
    let logs = &judgement.types[0];
    let name = |row: u32| graph.text(logs.of, row, "flowLogId").expect("an id").into_owned();
    let failing = logs.failing.iter().map(|&row| name(row)).collect();
    let unknown = logs.unknown.iter().flat_map(|row| {
        let reasons = judgement.reasons_of(row).map(|reason| match reason {
            Reason::Slice { key, .. } => format!("{}: {} {}", name(row.row), key.asset_type, key.region),
            other => format!("{}: {other}", name(row.row)),
        });
        reasons.collect::<Vec<_>>()
    });
    (failing, unknown.collect())
}

fn only(assets: Vec<Asset>) -> Asset {
    assert_eq!(assets.len(), 1, "{assets:?}");
    assets.into_iter().next().expect("one")
}

#[tokio::test]
async fn a_log_group_comes_with_its_retention_and_filters_and_others_stay_unread() {
    let account = TestAccount::new().await;
    let logs = account.logs(REGION);
    for group in ["vpc/one", "unrelated"] {
        account.create_log_group(REGION, group).await;
    }
    logs.put_retention_policy().log_group_name("vpc/one").retention_in_days(400).send().await.expect("set");
    let stream = format!("arn:aws:logs:{REGION}:{}:destination:siem", account.id);
    let rules = [
        flow_logs(&[to_group("fl-1", "vpc/one"), to_group("fl-2", "vpc/one")]),
        Rule::on(
            "DescribeSubscriptionFilters",
            Fault::Answer(
                r#"{"subscriptionFilters": [{"filterName": "to-siem", "logGroupName": "vpc/one",
                "filterPattern": "", "destinationArn": "arn:aws:firehose:eu-west-1:1:deliverystream/siem",
                "roleArn": "arn:aws:iam::1:role/r", "creationTime": 1700000000000}]}"#,
            ),
        ),
    ];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(account.clone(), &server.url);
    let report = bench.collect(&[REGION], &NAMED).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");

    let group = only(bench.assets(REGION, "LogGroup"));
    assert_eq!(group.id, format!("arn:aws:logs:{REGION}:{}:log-group:vpc/one", account.id));
    assert_eq!(group.fields["retentionInDays"], 400);
    assert!(group.text("creationTime").expect("a time").ends_with('Z'));
    let filter = only(bench.assets(REGION, "SubscriptionFilter"));
    assert_eq!(filter.id, format!("{}#subscription-filter/to-siem", group.id));
    assert_eq!((filter.text("scope"), filter.text("destinationKind")), (Some("log-group"), Some("firehose")));
    assert_eq!(
        (server.calls("DescribeLogGroups", REGION), server.calls("DescribeSubscriptionFilters", REGION)),
        (1, 1)
    );
    let forwarded = "{logGroup: {subscriptionFilters_SOME: {destinationKind: \"firehose\"}}}";
    assert_eq!(judge(&bench, forwarded), (vec!["fl-1".to_owned(), "fl-2".to_owned()], vec![]));
    drop(stream);
}

#[tokio::test]
async fn an_active_flow_log_without_a_log_group_is_legal_and_known_to_have_none() {
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, [flow_logs(&[to_group("fl-1", "not-yet")])]);
    let bench = Bench::new(account, &server.url);
    let report = bench.collect(&[REGION], &NAMED).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");
    assert!(bench.assets(REGION, "LogGroup").is_empty());
    assert_eq!(judge(&bench, "{logGroups: null}"), (vec!["fl-1".to_owned()], vec![]));
}

#[tokio::test]
async fn c8_a_group_that_makes_aws_refuse_a_whole_call_is_left_out_of_the_next() {
    let account = TestAccount::new().await;
    account.create_log_group(REGION, "there").await;
    let gone = Fault::Error { status: 400, code: "ResourceNotFoundException", message: "no such group" };
    let rules = [
        flow_logs(&[to_group("fl-1", "there"), to_group("fl-2", "gone")]),
        Rule::on("DescribeLogGroups", gone).times(1),
    ];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(account, &server.url);
    let report = bench.collect(&[REGION], &["FlowLog", "LogGroup"]).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(bench.native_ids(REGION, "LogGroup"), ["there"]);
    assert_eq!(server.calls("DescribeLogGroups", REGION), 3, "both, then each alone");
}

#[tokio::test]
async fn log_groups_that_are_denied_leave_their_flow_logs_open_and_those_to_a_bucket_decided() {
    let denied = Fault::Error { status: 400, code: "AccessDeniedException", message: "no" };
    let rules = [
        flow_logs(&[to_group("fl-1", "one"), to_bucket("fl-2", "arn:aws:s3:::logs-of-nobody-else/vpc/")]),
        Rule::on("DescribeLogGroups", denied),
    ];
    let account = TestAccount::new().await;
    account.create_bucket("logs-of-nobody-else").await;
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(account, &server.url);
    bench.collect(&[REGION], &NAMED).await.expect("a collection");
    let slice = bench.slice(REGION, "LogGroup");
    assert_eq!(slice.outcome, Outcome::Denied);
    assert_eq!(slice.reason.as_deref(), Some("logs:DescribeLogGroups: AccessDeniedException"));
    let (failing, unknown) = judge(&bench, "{logGroup: null}");
    assert_eq!(failing, ["fl-2"], "it names no group, whatever there is");
    assert_eq!(unknown, ["fl-1: LogGroup eu-west-1"]);
    let (failing, unknown) = judge(&bench, "{bucket_NOT: null}");
    assert_eq!((failing, unknown), (vec!["fl-2".to_owned()], vec![]));
}

#[tokio::test]
async fn a_log_group_of_another_account_is_a_stub_and_keeps_the_verdict_open() {
    let other = "arn:aws:logs:eu-west-1:999999999999:log-group:central:*";
    let log = Log { id: "fl-1", destination: other, kind: "cloud-watch-logs", group: "central", role: "" };
    let server = FaultServer::start(&moto().url, [flow_logs(&[log])]);
    let account = TestAccount::new().await;
    account.create_log_group(REGION, "central").await;
    let bench = Bench::new(account, &server.url);
    bench.collect(&[REGION], &NAMED).await.expect("a collection");
    let stub = only(bench.assets(REGION, "LogGroup"));
    assert_eq!(stub.id, "arn:aws:logs:eu-west-1:999999999999:log-group:central");
    assert_eq!((stub.account_id(), stub.text("stubReason")), (Some("999999999999"), Some("NOT_SCANNED")));
    assert_eq!(server.calls("DescribeLogGroups", REGION), 0, "the own group of that name is not meant");
    for filter in [
        "{logGroups: null}",
        "{logGroups_SOME: {retentionInDays_GTE: 365}}",
        "{logGroups_SOME: {}, trafficType: \"ALL\", logGroups_NONE: {retentionInDays: null}}",
    ] {
        let (failing, unknown) = judge(&bench, filter);
        assert!(failing.is_empty(), "{filter}");
        assert!(
            unknown.iter().any(|reason| reason.contains("no more than the name of LogGroup arn")),
            "{unknown:?}"
        );
    }
}

#[tokio::test]
async fn an_account_wide_policy_sends_on_every_group_but_those_it_leaves_out() {
    let account = TestAccount::new().await;
    let logs = account.logs(REGION);
    for group in ["one", "two"] {
        account.create_log_group(REGION, group).await;
    }
    let document = r#"{"DestinationArn": "arn:aws:lambda:eu-west-1:1:function:siem", "FilterPattern": ""}"#;
    for (name, criteria) in [
        ("all", None),
        ("but-one", Some("LogGroupName NOT IN [\"one\"]")),
        ("odd", Some("LogGroupPrefix IN [\"o\"]")),
    ] {
        let call =
            logs.put_account_policy().policy_name(name).policy_type("SUBSCRIPTION_FILTER_POLICY".into());
        let call = call.policy_document(document).set_selection_criteria(criteria.map(str::to_owned));
        call.send().await.expect("a policy");
    }
    let rules = [flow_logs(&[to_group("fl-1", "one"), to_group("fl-2", "two"), to_group("fl-3", "none")])];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(account, &server.url);
    let report = bench.collect(&[REGION], &NAMED).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");
    let filters = bench.assets(REGION, "SubscriptionFilter");
    let told: Vec<_> = filters
        .iter()
        .map(|filter| {
            let id = filter.id.rsplit(":log-group:").next().expect("the end of an ARN");
            (id, filter.text("destinationKind"), filter.text("stubReason"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("one#account-policy/all", Some("lambda"), None),
            ("one#account-policy/odd", None, Some("UNREADABLE")),
            ("two#account-policy/all", Some("lambda"), None),
            ("two#account-policy/but-one", Some("lambda"), None),
            ("two#account-policy/odd", None, Some("UNREADABLE")),
        ]
    );
    assert_eq!(server.calls("DescribeAccountPolicies", REGION), 1);
}

#[tokio::test]
async fn names_go_fifty_a_call_and_where_nothing_is_named_nothing_is_called() {
    let account = TestAccount::new().await;
    let names: Vec<String> = (0..120).map(|number| format!("group-{number}")).collect();
    let logs: Vec<Log<'_>> = names
        .iter()
        .map(|name| Log { id: name, destination: "", kind: "cloud-watch-logs", group: name, role: "" })
        .collect();
    let server = FaultServer::start(&moto().url, [flow_logs(&logs)]);
    let bench = Bench::new(account.clone(), &server.url);
    bench.collect(&[REGION], &["FlowLog", "LogGroup"]).await.expect("a collection");
    assert_eq!(server.calls("DescribeLogGroups", REGION), 3);

    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account, &server.url);
    let report = bench.collect(&[REGION], &NAMED).await.expect("a collection");
    assert!(report.is_complete());
    for action in
        ["DescribeLogGroups", "DescribeSubscriptionFilters", "DescribeAccountPolicies", "ListBuckets"]
    {
        assert_eq!(server.regions_called(action), [""; 0], "{action}");
    }
}

#[tokio::test]
async fn c2_a_token_that_comes_again_fails_the_slice() {
    let group = r#"{"logGroups": [{"logGroupName": "one"}], "nextToken": "again"}"#;
    let filter = r#"{"subscriptionFilters": [], "nextToken": "again"}"#;
    let rules = [
        flow_logs(&[to_group("fl-1", "one")]),
        Rule::on("DescribeLogGroups", Fault::Answer(group)),
        Rule::on("DescribeSubscriptionFilters", Fault::Answer(filter)),
    ];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&[REGION], &NAMED).await.expect("a collection");
    for (asset_type, action) in
        [("LogGroup", "DescribeLogGroups"), ("SubscriptionFilter", "DescribeSubscriptionFilters")]
    {
        let slice = bench.slice(REGION, asset_type);
        let reason = format!("logs:{action}: a page token came twice, the list has no end");
        assert_eq!((slice.outcome, slice.reason), (Outcome::Failed, Some(reason)));
    }
}

#[tokio::test]
async fn a_bucket_comes_with_its_settings_and_what_may_not_be_seen_stays_unknown() {
    let account = TestAccount::new().await;
    let name = format!("own-logs-{}", account.id);
    account.create_bucket(&name).await;
    let destination: &'static str = format!("arn:aws:s3:::{name}/vpc/").leak();
    let lifecycle = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Rule><Filter/><Status>Enabled</Status><Expiration><Days>400</Days></Expiration></Rule>\
        <Rule><Filter/><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>\
        </LifecycleConfiguration>";
    let notification = "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <QueueConfiguration><Queue>arn:aws:sqs:eu-west-1:1:siem</Queue><Event>s3:ObjectCreated:*</Event>\
        </QueueConfiguration></NotificationConfiguration>";
    let replication = "<ReplicationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Role>r</Role>\
        <Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::copy</Bucket></Destination></Rule>\
        </ReplicationConfiguration>";
    let block = "<PublicAccessBlockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
        <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>\
        </PublicAccessBlockConfiguration>";
    let denied = Fault::Error { status: 403, code: "AccessDenied", message: "Access Denied" };
    let rules = [
        flow_logs(&[to_bucket("fl-1", destination)]),
        Rule::on("?lifecycle", Fault::Answer(lifecycle)),
        Rule::on("?notification", Fault::Answer(notification)),
        Rule::on("?replication", Fault::Answer(replication)),
        Rule::on("?publicAccessBlock", Fault::Answer(block)),
        Rule::on("?encryption", denied),
    ];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(account.clone(), &server.url);
    let report = bench.collect(&[REGION], &NAMED).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");
    let bucket = only(bench.assets(GLOBAL_REGION, "S3Bucket"));
    assert_eq!(bucket.id, format!("arn:aws:s3:::{name}"));
    assert_eq!(bucket.account_id(), Some(account.id.as_str()));
    assert_eq!(bucket.fields["minExpirationDays"], 400, "a rule that is switched off counts for nothing");
    assert_eq!(bucket.fields["notificationTargets"], json!(["arn:aws:sqs:eu-west-1:1:siem"]));
    assert_eq!(bucket.fields["replicationTargets"], json!(["arn:aws:s3:::copy"]));
    assert_eq!(bucket.fields["publicAccessBlock"], true);
    assert!(!bucket.fields.contains_key("objectLockMode") && !bucket.unknown.contains("objectLockMode"));
    assert!(bucket.unknown.contains("kmsKeyArn"), "it was denied");
    let kept = "{bucket: {minExpirationDays_GTE: 365}}";
    assert_eq!(judge(&bench, kept), (vec!["fl-1".to_owned()], vec![]));
}

#[tokio::test]
async fn a_central_bucket_that_answers_403_is_a_stub_and_one_that_is_gone_is_none() {
    let cases = [(403, "DENIED"), (404, ""), (301, "NOT_SCANNED")];
    for (status, expected) in cases {
        let answer = Fault::Error { status, code: "", message: "" };
        let rules = [
            flow_logs(&[to_bucket("fl-1", "arn:aws:s3:::central-logs-of-others")]),
            Rule::on("HeadBucket", answer),
        ];
        let server = FaultServer::start(&moto().url, rules);
        let bench = Bench::new(TestAccount::new().await, &server.url);
        let report = bench.collect(&[REGION], &NAMED).await.expect("a collection");
        assert!(report.is_complete(), "{status}: {report:?}");
        let (failing, unknown) = judge(&bench, "{bucket: null}");
        if expected.is_empty() {
            assert!(bench.assets(GLOBAL_REGION, "S3Bucket").is_empty());
            assert_eq!((failing, unknown), (vec!["fl-1".to_owned()], vec![]));
            continue;
        }
        let stub = only(bench.assets(GLOBAL_REGION, "S3Bucket"));
        assert_eq!((stub.text("stubReason"), stub.account_id()), (Some(expected), None));
        assert!(failing.is_empty());
        let reason = format!(
            "fl-1: no more than the name of S3Bucket arn:aws:s3:::central-logs-of-others is known ({expected})"
        );
        assert_eq!(unknown, [reason]);
    }
}

#[tokio::test]
async fn a_role_is_read_for_its_trust_and_for_what_its_policies_allow() {
    let account = TestAccount::new().await;
    let iam = account.iam();
    let trust = |service: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": service}}]})
        .to_string()
    };
    let allow = |action: &str| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": [action], "Resource": "*"}})
            .to_string()
    };
    for (role, service, action) in
        [("good", "vpc-flow-logs.amazonaws.com", "logs:*"), ("bad", "ec2.amazonaws.com", "logs:Describe*")]
    {
        iam.create_role()
            .role_name(role)
            .assume_role_policy_document(trust(service))
            .send()
            .await
            .expect("a role");
        let call = iam.put_role_policy().role_name(role).policy_name("p").policy_document(allow(action));
        call.send().await.expect("a policy");
    }
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "logs:Put*", "Resource": "*"}]});
    let made = iam
        .create_policy()
        .policy_name("deny")
        .policy_document(deny.to_string())
        .send()
        .await
        .expect("a policy");
    let arn = made.policy().and_then(|policy| policy.arn()).expect("its ARN");
    let call = iam
        .create_role()
        .role_name("denied")
        .assume_role_policy_document(trust("vpc-flow-logs.amazonaws.com"));
    call.send().await.expect("a role");
    iam.put_role_policy()
        .role_name("denied")
        .policy_name("p")
        .policy_document(allow("*"))
        .send()
        .await
        .expect("put");
    iam.attach_role_policy().role_name("denied").policy_arn(arn).send().await.expect("attached");

    let role = |name: &str| -> &'static str { format!("arn:aws:iam::{}:role/{name}", account.id).leak() };
    let logs = ["good", "bad", "denied", "missing"].map(|name| Log {
        id: name,
        role: role(name),
        ..to_group("", "g")
    });
    let elsewhere = Log { id: "elsewhere", role: "arn:aws:iam::999999999999:role/r", ..to_group("", "g") };
    let logs: Vec<Log<'_>> = logs.into_iter().chain([elsewhere]).collect();
    let server = FaultServer::start(&moto().url, [flow_logs(&logs)]);
    let bench = Bench::new(account.clone(), &server.url);
    let report = bench.collect(&[REGION], &["FlowLog", "IamRole"]).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");
    let told: Vec<_> = bench
        .assets(GLOBAL_REGION, "IamRole")
        .iter()
        .map(|role| {
            let flag = |field: &str| role.fields.get(field).and_then(serde_json::Value::as_bool);
            (
                role.text("roleName").expect("a name").to_owned(),
                flag("trustsVpcFlowLogs"),
                flag("canPutLogEvents"),
            )
        })
        .collect();
    let expected = [
        ("bad", Some(false), Some(false)),
        ("denied", Some(true), Some(false)),
        ("good", Some(true), Some(true)),
        ("r", None, None),
    ];
    assert_eq!(told, expected.map(|(name, trusts, can)| (name.to_owned(), trusts, can)));
    let (failing, unknown) = judge(
        &bench,
        "{OR: [{deliveryRole: null}, {deliveryRole: {NOT: {trustsVpcFlowLogs: true}}}, {deliveryRole: {canPutLogEvents: false}}]}",
    );
    assert_eq!(failing, ["bad", "denied", "missing"]);
    assert_eq!(
        unknown,
        [
            "elsewhere: IamRole global",
            "elsewhere: no more than the name of IamRole arn:aws:iam::999999999999:role/r is known (NOT_SCANNED)"
        ]
    );
}

#[tokio::test]
async fn a_stream_is_read_for_what_it_delivers_to() {
    let account = TestAccount::new().await;
    let arn = format!("arn:aws:firehose:{REGION}:{}:deliverystream/siem", account.id);
    let destination: &'static str = arn.clone().leak();
    let answer = r#"{"DeliveryStreamDescription": {"DeliveryStreamName": "siem", "DeliveryStreamARN": "arn",
        "DeliveryStreamStatus": "ACTIVE", "DeliveryStreamType": "DirectPut", "VersionId": "1",
        "CreateTimestamp": 1700000000.5, "HasMoreDestinations": false, "Destinations": [{"DestinationId": "d",
        "HttpEndpointDestinationDescription": {"S3DestinationDescription": {"RoleARN": "r",
        "BucketARN": "arn:aws:s3:::failed", "BufferingHints": {}, "CompressionFormat": "GZIP",
        "EncryptionConfiguration": {}}}}]}}"#;
    let log = Log { id: "fl-1", destination, kind: "kinesis-data-firehose", group: "", role: "" };
    let gone = Fault::Error { status: 400, code: "ResourceNotFoundException", message: "no" };
    let rules = |fault| [flow_logs(&[Log { ..log }]), Rule::on("DescribeDeliveryStream", fault)];
    let server = FaultServer::start(&moto().url, rules(Fault::Answer(answer)));
    let bench = Bench::new(account, &server.url);
    let report = bench.collect(&[REGION], &NAMED).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");
    let stream = only(bench.assets(REGION, "DeliveryStream"));
    assert_eq!((stream.id.as_str(), stream.text("status")), (arn.as_str(), Some("ACTIVE")));
    assert_eq!(stream.fields["destinationKinds"], json!(["http-endpoint"]));
    assert_eq!(stream.fields["bucketArns"], json!(["arn:aws:s3:::failed"]));
    assert_eq!(judge(&bench, "{deliveryStream: {status: \"ACTIVE\"}}"), (vec!["fl-1".to_owned()], vec![]));

    server.set_rules(rules(gone));
    bench.collect(&[REGION], &NAMED).await.expect("a collection");
    assert!(bench.assets(REGION, "DeliveryStream").is_empty(), "a complete slice without it removes it");
}

#[tokio::test]
async fn the_second_pass_alone_goes_by_the_flow_logs_that_are_known() {
    let account = TestAccount::new().await;
    account.create_log_group(REGION, "one").await;
    let server = FaultServer::start(&moto().url, [flow_logs(&[to_group("fl-1", "one")])]);
    let bench = Bench::new(account, &server.url);
    bench.collect(&[REGION], &["FlowLog"]).await.expect("a collection");
    let report = bench.collect(&[REGION], &["LogGroup"]).await.expect("a collection");
    assert_eq!((report.slices.len(), report.assets()), (1, 1));
    assert_eq!(server.calls("DescribeFlowLogs", REGION), 1);
}
