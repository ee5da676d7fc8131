#!/usr/bin/env python3
"""Writes the sample organisation to organisation.ndjson beside this file. The same bytes on every run.

    python3 examples/generate.py            write it
    python3 examples/generate.py --check    exit 1 if the file is not what would be written

Nothing in it exists: accounts, ids, names and addresses are made up. To change it, edit the tables below.
"""

import hashlib
import json
import pathlib
import sys

REGIONS = ["ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1"]
CORE, PAYMENTS, RESEARCH = "418295037164", "620184739501", "739460285137"
ACCOUNTS = {CORE: "core-network", PAYMENTS: "payments", RESEARCH: "research"}
NOT_SCANNED = "904571236688"  # owns a VPC that it shares with `research`, and is not collected
ORGANISATION, MANAGEMENT = "o-k3p9x2v7qd", CORE
DENIED = (PAYMENTS, "eu-west-1")  # DescribeFlowLogs is refused here

# How each VPC is logged: (status, traffic, destination, delivery, error) for each flow log of the VPC itself.
LOGS = {
    "none": [],
    "all-cw": [("ACTIVE", "ALL", "cw", "SUCCESS", None)],
    "all-s3": [("ACTIVE", "ALL", "s3", "SUCCESS", None)],
    "all-firehose": [("ACTIVE", "ALL", "firehose", "SUCCESS", None)],
    "all-new": [("ACTIVE", "ALL", "cw", None, None)],  # just made: nothing delivered yet
    "reject": [("ACTIVE", "REJECT", "cw", "SUCCESS", None)],
    "accept": [("ACTIVE", "ACCEPT", "s3", "SUCCESS", None)],
    "accept+reject": [("ACTIVE", "ACCEPT", "s3", "SUCCESS", None), ("ACTIVE", "REJECT", "cw", "SUCCESS", None)],
    "two": [("ACTIVE", "ALL", "cw", "SUCCESS", None), ("ACTIVE", "ALL", "s3", "SUCCESS", None)],
    "failed": [("ACTIVE", "ALL", "cw", "FAILED", "Access error")],
    "failed-limit": [("ACTIVE", "ALL", "cw", "FAILED", "Rate limited")],
    "failed+good": [("ACTIVE", "ALL", "cw", "FAILED", "Access error"), ("ACTIVE", "ALL", "s3", "SUCCESS", None)],
    "inactive": [("INACTIVE", "ALL", "cw", None, None)],
    "subnets": [],  # every subnet has a flow log of its own, the VPC has none
    "interface": [],  # one interface has a flow log, the VPC has none
}

# (account, region, name, environment, how it is logged, number of subnets). No name: a default VPC.
VPCS = [
    (CORE, "eu-central-1", "transit-prod", "prod", "all-s3", 3),
    (CORE, "eu-central-1", "inspection-prod", "prod", "two", 3),
    (CORE, "eu-central-1", "shared-services", "prod", "all-cw", 3),
    (CORE, "eu-central-1", "dns-resolvers", "prod", "accept+reject", 2),
    (CORE, "eu-central-1", "vpn-endpoints", "prod", "failed", 2),
    (CORE, "eu-central-1", None, None, "none", 3),
    (CORE, "eu-west-1", "transit-prod-dr", "prod", "all-s3", 3),
    (CORE, "eu-west-1", "inspection-dr", "prod", "all-cw", 3),
    (CORE, "eu-west-1", "shared-services-dr", "prod", "subnets", 3),
    (CORE, "eu-west-1", "bastion", "prod", "none", 1),
    (CORE, "us-east-1", "edge-prod", "prod", "all-s3", 3),
    (CORE, "us-east-1", "edge-staging", "staging", "reject", 2),
    (CORE, "us-east-1", "cloudfront-origins", "prod", "failed-limit", 3),
    (CORE, "us-east-1", "build-agents", "dev", "all-cw", 2),
    (CORE, "us-east-1", None, None, "none", 4),
    (CORE, "ap-southeast-2", "edge-apac", "prod", "all-s3", 3),
    (CORE, "ap-southeast-2", "transit-apac", "prod", "all-new", 3),
    (CORE, "ap-southeast-2", None, None, "none", 3),
    (PAYMENTS, "eu-central-1", "payments-prod", "prod", "two", 3),
    (PAYMENTS, "eu-central-1", "card-vault", "prod", "all-s3", 3),
    (PAYMENTS, "eu-central-1", "ledger", "prod", "all-firehose", 3),
    (PAYMENTS, "eu-central-1", "fraud-scoring", "prod", "reject", 2),
    (PAYMENTS, "eu-central-1", "settlement", "prod", "failed+good", 2),
    (PAYMENTS, "eu-central-1", "payments-staging", "staging", "all-cw", 2),
    (PAYMENTS, "eu-central-1", "payments-dev", "dev", "none", 2),
    (PAYMENTS, "eu-central-1", None, None, "all-cw", 3),
    (PAYMENTS, "eu-west-1", "payments-prod-dr", "prod", "all-s3", 3),
    (PAYMENTS, "eu-west-1", "card-vault-dr", "prod", "all-s3", 3),
    (PAYMENTS, "eu-west-1", "ledger-dr", "prod", "all-s3", 3),
    (PAYMENTS, "eu-west-1", "psp-gateway", "prod", "none", 2),
    (PAYMENTS, "eu-west-1", "open-banking", "prod", "all-cw", 2),
    (PAYMENTS, "eu-west-1", "payments-test", "test", "none", 1),
    (PAYMENTS, "eu-west-1", None, None, "none", 3),
    (PAYMENTS, "us-east-1", "payments-us", "prod", "all-s3", 3),
    (PAYMENTS, "us-east-1", "chargebacks", "prod", "accept", 2),
    (PAYMENTS, "us-east-1", "acquirer-link", "prod", "none", 2),
    (PAYMENTS, "us-east-1", "payments-us-staging", "staging", "inactive", 2),
    (PAYMENTS, "us-east-1", None, None, "none", 4),
    (PAYMENTS, "ap-southeast-2", "payments-apac", "prod", "all-cw", 3),
    (PAYMENTS, "ap-southeast-2", "reconciliation", "prod", "failed", 2),
    (PAYMENTS, "ap-southeast-2", None, None, "none", 3),
    (RESEARCH, "eu-central-1", "notebooks", "dev", "none", 2),
    (RESEARCH, "eu-central-1", "training-cluster", "dev", "subnets", 2),
    (RESEARCH, "eu-central-1", None, None, "none", 3),
    (RESEARCH, "eu-west-1", "genomics", "prod", "all-s3", 2),
    (RESEARCH, "eu-west-1", "genomics-archive", "prod", "accept+reject", 1),
    (RESEARCH, "eu-west-1", "hpc-burst", "dev", "interface", 2),
    (RESEARCH, "eu-west-1", "workshop-2024", "sandbox", "none", 0),  # no interfaces, nothing in it
    (RESEARCH, "eu-west-1", None, None, "none", 3),
    (RESEARCH, "us-east-1", "data-lake", "prod", "all-s3", 3),
    (RESEARCH, "us-east-1", "labelling", "prod", "reject", 2),
    (RESEARCH, "us-east-1", "gpu-pool-a", "dev", "all-cw", 2),
    (RESEARCH, "us-east-1", "gpu-pool-b", "dev", "all-cw", 2),
    (RESEARCH, "us-east-1", "spare", "sandbox", "none", 0),
    (RESEARCH, "us-east-1", "scratch", "sandbox", "none", 1),
    (RESEARCH, "us-east-1", None, None, "none", 4),
    (NOT_SCANNED, "us-east-1", "partner-shared", None, "none", 2),  # seen by `research`, owned elsewhere
    (RESEARCH, "ap-southeast-2", "field-stations", "prod", "failed", 2),
    (RESEARCH, "ap-southeast-2", None, None, "none", 3),
]


def hex_id(prefix, *parts):
    """An id as AWS writes it: the prefix and 17 hexadecimal digits, always the same for the same parts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f"{prefix}-0{digest[:16]}"


def arn(service, region, account, rest):
    return f"arn:aws:{service}:{region}:{account}:{rest}"


def asset(typename, identity, account, region, native_id, tags, **fields):
    """One asset with the header that all types share."""
    tags = [{"key": key, "value": tags[key]} for key in sorted(tags)]
    name = next((tag["value"] for tag in tags if tag["key"] == "Name"), None)
    header = {
        "__typename": typename,
        "id": identity,
        "provider": "aws",
        "partition": "aws",
        "accountId": account,
        "region": region,
        "nativeId": native_id,
        "name": fields.pop("name", name),
        "tags": tags,
        "source": "import",
    }
    return header | fields


def vpcs():
    cost_centres = {CORE: "platform", PAYMENTS: "payments", RESEARCH: "science", NOT_SCANNED: "partners"}
    used = {}
    for account, region, name, environment, logged, subnet_count in VPCS:
        is_default = name is None
        vpc_id = hex_id("vpc", account, region, name)
        tags = {}
        if name:
            tags = {"Name": name, "team": cost_centres[account]}
            if environment:
                tags["env"] = environment
        # A quarter of 10.0.0.0/8 for each account, a sixteenth of it for each region: no two blocks overlap.
        block = used[account, region] = used.get((account, region), -1) + 1
        place = [*ACCOUNTS, NOT_SCANNED].index(account) * 64 + REGIONS.index(region) * 16
        network = "172.31" if is_default else f"10.{place + block}"
        yield from vpc(account, region, vpc_id, tags, is_default, network)
        subnets = list(subnets_of(account, region, vpc_id, tags, is_default, network, subnet_count))
        yield from subnets
        if (account, region) == DENIED:
            continue  # what the flow logs are here, nobody can say
        for number, log in enumerate(LOGS[logged]):
            yield flow_log(account, region, vpc_id, "Vpc", number, *log, label=name or "default")
        if logged == "subnets":
            for subnet in subnets:
                log = ("ACTIVE", "ALL", "cw", "SUCCESS", None)
                yield flow_log(account, region, subnet["subnetId"], "Subnet", 0, *log, label=name)
        if logged == "interface":
            interface = hex_id("eni", vpc_id)
            log = ("ACTIVE", "ALL", "cw", "SUCCESS", None)
            yield flow_log(account, region, interface, "NetworkInterface", 0, *log, label=name)


def vpc(account, region, vpc_id, tags, is_default, network):
    association = {"associationId": hex_id("vpc-cidr-assoc", vpc_id), "cidrBlock": f"{network}.0.0/16"}
    yield asset(
        "Vpc",
        arn("ec2", region, account, f"vpc/{vpc_id}"),
        account,
        region,
        vpc_id,
        tags,
        vpcId=vpc_id,
        ownerId=account,
        state="available",
        cidrBlock=f"{network}.0.0/16",
        cidrBlockAssociations=[association | {"state": "associated"}],
        ipv6CidrBlockAssociations=[],
        isDefault=is_default,
        instanceTenancy="default",
        dhcpOptionsId=hex_id("dopt", account, region),
        internetGatewayBlockMode="off",
    )


def subnets_of(account, region, vpc_id, tags, is_default, network, count):
    for number in range(count):
        subnet_id = hex_id("subnet", vpc_id, number)
        zone = region + "abcd"[number]
        named = {"Name": f"{tags['Name']}-{zone[-1]}", "team": tags["team"]} if tags else {}
        yield asset(
            "Subnet",
            arn("ec2", region, account, f"subnet/{subnet_id}"),
            account,
            region,
            subnet_id,
            named,
            subnetId=subnet_id,
            vpcId=vpc_id,
            ownerId=account,
            state="available",
            cidrBlock=f"{network}.{number * 16}.0/20",
            availabilityZone=zone,
            defaultForAz=is_default,
            mapPublicIpOnLaunch=is_default or number == 0,
        )


def flow_log(account, region, resource, kind, number, status, traffic, destination, delivery, error, label):
    log_id = hex_id("fl", resource, number)
    made = int(hashlib.sha256(log_id.encode()).hexdigest()[:6], 16)
    created = f"202{4 + made % 2}-{1 + made % 12:02}-{1 + made % 28:02}T{made % 24:02}:{made % 60:02}:00.000Z"
    group = f"/vpc/{label}/flow-logs"
    fields = {
        "cw": {
            "logDestinationType": "cloud-watch-logs",
            "logDestination": arn("logs", region, account, f"log-group:{group}"),
            "logGroupName": group,
            "deliverLogsPermissionArn": arn("iam", "", account, "role/vpc-flow-logs"),
        },
        "s3": {
            "logDestinationType": "s3",
            "logDestination": f"arn:aws:s3:::org-flow-logs-{region}/{account}",
            "logGroupName": None,
            "deliverLogsPermissionArn": None,
            "fileFormat": "parquet",
            "hiveCompatiblePartitions": True,
            "perHourPartition": True,
        },
        "firehose": {
            "logDestinationType": "kinesis-data-firehose",
            "logDestination": arn("firehose", region, account, "deliverystream/flow-logs-to-siem"),
            "logGroupName": None,
            "deliverLogsPermissionArn": None,
        },
    }[destination]
    return asset(
        "FlowLog",
        arn("ec2", region, account, f"vpc-flow-log/{log_id}"),
        account,
        region,
        log_id,
        {"Name": f"{label}-{traffic.lower()}"},
        createdAt=created,
        flowLogId=log_id,
        flowLogStatus=status,
        deliverLogsStatus=delivery,
        deliverLogsErrorMessage=error,
        deliverCrossAccountRole=None,
        resourceId=resource,
        resourceType=kind,
        trafficType=traffic,
        logFormat="${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
        "${packets} ${bytes} ${start} ${end} ${action} ${log-status}",
        maxAggregationInterval=600 if destination == "s3" else 60,
        creationTime=created,
        **fields,
    )


def accounts_and_regions():
    for account, name in ACCOUNTS.items():
        yield asset(
            "Account",
            f"arn:aws:organizations::{MANAGEMENT}:account/{ORGANISATION}/{account}",
            account,
            "global",
            account,
            {},
            name=name,
            email=f"aws+{name}@example.com",
            state="ACTIVE",
            joinedMethod="CREATED",
            joinedAt="2021-03-01T09:00:00.000Z",
            organizationId=ORGANISATION,
        )
        for region in REGIONS:
            yield asset(
                "Region",
                f"arn:aws:ec2:{region}:{account}:region/{region}",
                account,
                region,
                region,
                {},
                name=region,
                endpoint=f"ec2.{region}.amazonaws.com",
                optInStatus="opt-in-not-required",
            )


def slices():
    """How each part was collected. Without times, so that the sample never grows too old to be believed."""
    calls = {"FlowLog": "ec2:DescribeFlowLogs", "Subnet": "ec2:DescribeSubnets", "Vpc": "ec2:DescribeVpcs"}
    for account in ACCOUNTS:
        for kind, call in {"Account": "sts:GetCallerIdentity", "Region": "ec2:DescribeRegions"}.items():
            yield slice_line(kind, account, "global", call)
        for region in REGIONS:
            for kind, call in calls.items():
                yield slice_line(kind, account, region, call)


def slice_line(kind, account, region, call):
    line = {"__typename": "Slice", "assetType": kind, "accountId": account, "region": region, "api": call}
    if kind == "FlowLog" and (account, region) == DENIED:
        reason = "UnauthorizedOperation: not authorized to perform ec2:DescribeFlowLogs"
        return line | {"outcome": "DENIED", "reason": reason}
    return line | {"outcome": "COMPLETE"}


def main():
    lines = [*slices(), *accounts_and_regions(), *vpcs()]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path = pathlib.Path(__file__).with_name("organisation.ndjson")
    if "--check" in sys.argv[1:]:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path} is not what {__file__} writes: run it again")
        return
    path.write_text(text, encoding="utf-8")
    kinds = [line["__typename"] for line in lines]
    print(", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))))


if __name__ == "__main__":
    main()
