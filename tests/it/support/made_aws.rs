//! An AWS that is made up as it is asked: every account has the same, in every region. It answers at once, so that what
//! a collection costs is not what moto costs.
#![allow(clippy::expect_used, reason = "what tests stand on fails by panicking, as they do")]

use std::{fmt::Write, sync::Arc};

use super::fault_server::Made;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MadeAws {
    pub(crate) accounts: usize,
    pub(crate) regions: usize,
    /// In each region, each with a flow log to a log group of the region, three subnets and interfaces.
    pub(crate) vpcs: usize,
}

/// How many items a page holds, as AWS has it.
const PAGE_SIZE: usize = 1000;

/// The account of the caller, which manages the organisation.
pub(crate) const MANAGEMENT: &str = "100000000000";

impl MadeAws {
    pub(crate) fn answers(self) -> Made {
        Arc::new(move |action, account, region, page| self.answer(action, account, region, page))
    }

    fn answer(self, action: &str, account: &str, region: &str, page: usize) -> String {
        match action {
            "GetCallerIdentity" => result(action, &format!(
                "<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/collector</Arn><UserId>A</UserId>"
            )),
            "AssumeRole" => result(action, &format!(
                "<Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                 <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
            )),
            "ListAccounts" => self.accounts(),
            "DescribeRegions" => self.list((action, "regionInfo"), (self.regions, page), |number, text| {
                write!(
                    text,
                    "<item><regionName>{}</regionName><regionEndpoint>e</regionEndpoint>\
                     <optInStatus>opt-in-not-required</optInStatus></item>",
                    region_name(number)
                )
            }),
            "DescribeVpcs" => self.list((action, "vpcSet"), (self.vpcs, page), |number, text| {
                write!(
                    text,
                    "<item><vpcId>{}</vpcId><ownerId>{account}</ownerId><state>available</state>\
                     <cidrBlock>10.{number}.0.0/16</cidrBlock><isDefault>false</isDefault>{}</item>",
                    id("vpc", account, region, number),
                    tags("vpc", number)
                )
            }),
            "DescribeFlowLogs" => self.list((action, "flowLogSet"), (self.vpcs, page), |number, text| {
                write!(
                    text,
                    "<item><flowLogId>{}</flowLogId><flowLogStatus>ACTIVE</flowLogStatus>\
                     <deliverLogsStatus>SUCCESS</deliverLogsStatus><resourceId>{}</resourceId>\
                     <trafficType>ALL</trafficType><logDestinationType>cloud-watch-logs</logDestinationType>\
                     <logGroupName>flow-logs</logGroupName></item>",
                    id("fl", account, region, number),
                    id("vpc", account, region, number)
                )
            }),
            "DescribeSubnets" => self.list((action, "subnetSet"), (3 * self.vpcs, page), |number, text| {
                write!(
                    text,
                    "<item><subnetId>{}</subnetId><vpcId>{}</vpcId><ownerId>{account}</ownerId>\
                     <state>available</state><cidrBlock>10.0.{}.0/24</cidrBlock>{}</item>",
                    id("subnet", account, region, number),
                    id("vpc", account, region, number / 3),
                    number % 256,
                    tags("subnet", number)
                )
            }),
            "DescribeNetworkInterfaces" => self.list((action, "networkInterfaceSet"), (3 * self.vpcs, page), |number, text| {
                write!(
                    text,
                    "<item><networkInterfaceId>{}</networkInterfaceId><subnetId>{}</subnetId><vpcId>{}</vpcId>\
                     <ownerId>{account}</ownerId><status>in-use</status></item>",
                    id("eni", account, region, number),
                    id("subnet", account, region, number),
                    id("vpc", account, region, number / 3)
                )
            }),
            "DescribeLogGroups" => "{\"logGroups\":[{\"logGroupName\":\"flow-logs\",\"retentionInDays\":365}]}".to_owned(),
            "DescribeSubscriptionFilters" => "{\"subscriptionFilters\":[]}".to_owned(),
            "DescribeAccountPolicies" => "{\"accountPolicies\":[]}".to_owned(),
            "ListBuckets" => "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>".to_owned(),
            _ => format!("<{action}Response></{action}Response>"),
        }
    }

    /// A page of a list of so many items.
    fn list(
        self,
        (action, set): (&str, &str),
        (count, page): (usize, usize),
        item: impl Fn(usize, &mut String) -> std::fmt::Result,
    ) -> String {
        let mut text = format!("<{action}Response><{set}>");
        let end = count.min(page * PAGE_SIZE);
        for number in (page - 1) * PAGE_SIZE..end {
            item(number, &mut text).expect("a text");
        }
        text += &format!("</{set}>");
        if end < count {
            text += &format!("<nextToken>page-{}</nextToken>", page + 1);
        }
        text + &format!("</{action}Response>")
    }

    fn accounts(self) -> String {
        let account = |number: usize| {
            let id = account_id(number);
            format!(
                "{{\"Id\":\"{id}\",\"Arn\":\"arn:aws:organizations::{MANAGEMENT}:account/o-made/{id}\",\
                 \"Name\":\"account {number}\",\"State\":\"ACTIVE\"}}"
            )
        };
        let accounts: Vec<String> = (0..self.accounts).map(account).collect();
        format!("{{\"Accounts\":[{}]}}", accounts.join(","))
    }
}

fn account_id(number: usize) -> String {
    format!("1000000{number:05}")
}

fn region_name(number: usize) -> String {
    format!("xx-made-{}", number + 1)
}

fn id(kind: &str, account: &str, region: &str, number: usize) -> String {
    format!(
        "{kind}-{}{}{number:04}",
        &account.trim_start_matches("1000000"),
        region.trim_start_matches("xx-made-")
    )
}

fn tags(kind: &str, number: usize) -> String {
    format!(
        "<tagSet><item><key>Name</key><value>{kind} {number}</value></item>\
         <item><key>env</key><value>prod</value></item></tagSet>"
    )
}

fn result(action: &str, body: &str) -> String {
    format!("<{action}Response><{action}Result>{body}</{action}Result></{action}Response>")
}
