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

DENIED_FILTERS = (RESEARCH, "us-east-1")  # DescribeSubscriptionFilters is refused here

# Reached from the internet: an internet gateway, a route to it, an interface with a public address.
EXPOSED = {"edge-prod", "edge-staging", "edge-apac", "cloudfront-origins", "bastion", "psp-gateway", "acquirer-link"}

# The log groups that are not as all others, by label: retention in days (None: for ever), and whether it goes on to the SIEM.
USUAL_GROUP = (400, True)
GROUPS = {
    "inspection-prod": (1827, True),
    "build-agents": (30, False),
    "edge-staging": (90, True),
    "fraud-scoring": (None, True),
    "payments-staging": (None, False),
    "payments-apac": (731, False),
    "reconciliation": (180, True),
    "open-banking": (None, True),
    "genomics-archive": (None, True),
    "training-cluster": (14, False),
    "hpc-burst": (7, False),
}
NOT_MADE = {"transit-apac"}  # AWS makes a log group with its first record
ONE_GROUP = {"gpu-pool-a": "gpu-pool", "gpu-pool-b": "gpu-pool"}  # two VPCs, one log group

# The buckets that take flow logs, by region, all of `core-network` but one: expiration in days, what they notify, what they
# replicate to. The one of ap-southeast-2 belongs to an account that is not collected.
ARCHIVE = "arn:aws:s3:::org-flow-logs-archive"
BUCKETS = {
    "eu-central-1": (None, ["arn:aws:sqs:eu-central-1:418295037164:siem-flow-logs"], [ARCHIVE]),
    "eu-west-1": (730, [], [ARCHIVE]),
    "us-east-1": (180, [], []),
}
FOREIGN_BUCKET = "ap-southeast-2"

# The roles that are not as all others, by label: (name, trusts the service, may write). None: could not be read.
USUAL_ROLE = "vpc-flow-logs"
ROLES = {
    "vpn-endpoints": ("vpc-flow-logs-legacy", True, False),
    "reconciliation": ("flow-logs-deleted", None, None),  # gone
    "field-stations": ("field-stations-logs", False, True),
    "labelling": ("labelling-logs", True, None),  # its policies could not be read
}
GONE = {"flow-logs-deleted"}

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
        if account != NOT_SCANNED:
            yield from ways_in(account, region, vpc_id, name, f"{network}.0.0/16", subnets)
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


def ways_in(account, region, vpc_id, name, block, subnets):
    """What decides whether the internet reaches a VPC: its gateway, its routes, an interface."""
    is_exposed = name in EXPOSED
    has_gateway = is_exposed or name is None
    gateway = hex_id("igw", vpc_id)
    routes = [{"destination": block, "gatewayId": "local", "state": "active"}]
    if has_gateway:
        routes.insert(0, {"destination": "0.0.0.0/0", "gatewayId": gateway, "state": "active"})
        yield asset(
            "InternetGateway",
            arn("ec2", region, account, f"internet-gateway/{gateway}"),
            account,
            region,
            gateway,
            {},
            internetGatewayId=gateway,
            ownerId=account,
            attachedVpcIds=[vpc_id],
        )
    table = hex_id("rtb", vpc_id)
    yield asset(
        "RouteTable",
        arn("ec2", region, account, f"route-table/{table}"),
        account,
        region,
        table,
        {},
        routeTableId=table,
        ownerId=account,
        vpcId=vpc_id,
        isMain=True,
        subnetIds=[],
        routes=routes,
    )
    if name is None or not subnets:
        return  # a default VPC that nothing uses, or one with nothing in it
    interface = hex_id("eni", vpc_id)
    subnet = subnets[0]
    number = int(hashlib.sha256(interface.encode()).hexdigest()[:4], 16)
    yield asset(
        "NetworkInterface",
        arn("ec2", region, account, f"network-interface/{interface}"),
        account,
        region,
        interface,
        {},
        networkInterfaceId=interface,
        ownerId=account,
        interfaceType="network_load_balancer" if is_exposed else "interface",
        status="in-use",
        subnetId=subnet["subnetId"],
        vpcId=vpc_id,
        privateIpAddress=subnet["cidrBlock"].split("/")[0].rsplit(".", 1)[0] + ".10",
        publicIp=f"203.0.113.{number % 254 + 1}" if is_exposed else None,
        securityGroupIds=[],
        instanceId=None,
        description=f"{name} entry",
    )


def flow_log(account, region, resource, kind, number, status, traffic, destination, delivery, error, label):
    log_id = hex_id("fl", resource, number)
    made = int(hashlib.sha256(log_id.encode()).hexdigest()[:6], 16)
    created = f"202{4 + made % 2}-{1 + made % 12:02}-{1 + made % 28:02}T{made % 24:02}:{made % 60:02}:00.000Z"
    group = group_name(label)
    role = ROLES.get(label, (USUAL_ROLE,))[0]
    fields = {
        "cw": {
            "logDestinationType": "cloud-watch-logs",
            "logDestination": arn("logs", region, account, f"log-group:{group}"),
            "logGroupName": group,
            "bucketName": None,
            "deliverLogsPermissionArn": arn("iam", "", account, f"role/{role}"),
        },
        "s3": {
            "logDestinationType": "s3",
            "logDestination": f"arn:aws:s3:::org-flow-logs-{region}/{account}",
            "logGroupName": None,
            "bucketName": f"org-flow-logs-{region}",
            "deliverLogsPermissionArn": None,
            "fileFormat": "parquet",
            "hiveCompatiblePartitions": True,
            "perHourPartition": True,
        },
        "firehose": {
            "logDestinationType": "kinesis-data-firehose",
            "logDestination": arn("firehose", region, account, "deliverystream/flow-logs-to-siem"),
            "logGroupName": None,
            "bucketName": None,
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


def group_name(label):
    return f"/vpc/{ONE_GROUP.get(label, label)}/flow-logs"


def destinations(logs):
    """What the flow logs name, each once: log groups and their filters, buckets, streams, roles."""
    named = {}
    for log in logs:
        label = log["tags"][0]["value"].rsplit("-", 1)[0]
        place = (log["accountId"], log["region"])
        if log["logGroupName"] and label not in NOT_MADE:
            named["LogGroup", *place, log["logGroupName"]] = log_group(*place, log["logGroupName"], label)
        if log["deliverLogsPermissionArn"]:
            named["IamRole", place[0], log["deliverLogsPermissionArn"]] = iam_role(place[0], label)
        if log["logDestinationType"] == "kinesis-data-firehose":
            named["DeliveryStream", *place] = delivery_stream(*place, log["logDestination"])
        if log["bucketName"]:
            named["S3Bucket", log["bucketName"]] = bucket(log["region"], log["bucketName"])
    # Named by flow logs that were seen once and can't be read now.
    for label in ("open-banking", "default"):
        account, region = DENIED
        named["LogGroup", account, region, label] = log_group(account, region, group_name(label), label)
    for made in named.values():
        yield from made


def log_group(account, region, name, label):
    days, goes_on = GROUPS.get(label, USUAL_GROUP)
    identity = arn("logs", region, account, f"log-group:{name}")
    made = "2024-02-01T08:00:00.000Z"
    yield asset(
        "LogGroup",
        identity,
        account,
        region,
        name,
        {},
        name=name,
        createdAt=made,
        logGroupName=name,
        retentionInDays=days,
        storedBytes="1073741824",
        kmsKeyId=None,
        logGroupClass="STANDARD",
        creationTime=made,
    )
    if goes_on and (account, region) != DENIED_FILTERS:
        yield asset(
            "SubscriptionFilter",
            f"{identity}#subscription-filter/to-siem",
            account,
            region,
            "to-siem",
            {},
            name="to-siem",
            filterName="to-siem",
            logGroupArn=identity,
            filterPattern="",
            destinationArn=arn("firehose", region, CORE, "deliverystream/siem"),
            destinationKind="firehose",
            scope="log-group",
        )


def iam_role(account, label):
    name, trusts, may_write = ROLES.get(label, (USUAL_ROLE, True, True))
    if name in GONE:
        return
    role = asset(
        "IamRole",
        arn("iam", "", account, f"role/{name}"),
        account,
        "global",
        name,
        {},
        name=name,
        roleName=name,
        trustsVpcFlowLogs=trusts,
    )
    yield role | ({"__unknown": ["canPutLogEvents"]} if may_write is None else {"canPutLogEvents": may_write})


def delivery_stream(account, region, identity):
    yield asset(
        "DeliveryStream",
        identity,
        account,
        region,
        "flow-logs-to-siem",
        {},
        name="flow-logs-to-siem",
        deliveryStreamName="flow-logs-to-siem",
        status="ACTIVE",
        destinationKinds=["http-endpoint"],
        bucketArns=[],
    )


def bucket(region, name):
    identity = f"arn:aws:s3:::{name}"
    if region == FOREIGN_BUCKET:
        settings = ["versioningStatus", "publicAccessBlock", "minExpirationDays", "objectLockMode", "kmsKeyArn"]
        stub = asset("S3Bucket", identity, NOT_SCANNED, "global", name, {}, name=name, bucketName=name)
        del stub["tags"]
        unknown = ["tags", "bucketRegion", *settings, "replicationTargets", "notificationTargets"]
        yield stub | {"stubReason": "NOT_SCANNED", "__unknown": unknown}
        return
    days, notifies, replicates = BUCKETS[region]
    yield asset(
        "S3Bucket",
        identity,
        CORE,
        region,
        name,
        {"team": "platform"},
        name=name,
        bucketName=name,
        bucketRegion=region,
        versioningStatus="Enabled",
        publicAccessBlock=True,
        minExpirationDays=days,
        objectLockMode=None,
        kmsKeyArn=None,
        replicationTargets=replicates,
        notificationTargets=notifies,
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
    calls = {
        "FlowLog": "ec2:DescribeFlowLogs",
        "InternetGateway": "ec2:DescribeInternetGateways",
        "NetworkInterface": "ec2:DescribeNetworkInterfaces",
        "RouteTable": "ec2:DescribeRouteTables",
        "Subnet": "ec2:DescribeSubnets",
        "Vpc": "ec2:DescribeVpcs",
        "LogGroup": "logs:DescribeLogGroups",
        "SubscriptionFilter": "logs:DescribeSubscriptionFilters",
        "DeliveryStream": "firehose:DescribeDeliveryStream",
    }
    of_accounts = {
        "Account": "sts:GetCallerIdentity",
        "Region": "ec2:DescribeRegions",
        "S3Bucket": "s3:ListAllMyBuckets",
        "IamRole": "iam:GetRole",
    }
    for account in ACCOUNTS:
        for kind, call in of_accounts.items():
            yield slice_line(kind, account, "global", call)
        for region in REGIONS:
            for kind, call in calls.items():
                yield slice_line(kind, account, region, call)


def slice_line(kind, account, region, call):
    line = {"__typename": "Slice", "assetType": kind, "accountId": account, "region": region, "api": call}
    if kind == "FlowLog" and (account, region) == DENIED:
        reason = "UnauthorizedOperation: not authorized to perform ec2:DescribeFlowLogs"
        return line | {"outcome": "DENIED", "reason": reason}
    if kind == "SubscriptionFilter" and (account, region) == DENIED_FILTERS:
        reason = "AccessDeniedException: not authorized to perform logs:DescribeSubscriptionFilters"
        return line | {"outcome": "DENIED", "reason": reason}
    return line | {"outcome": "COMPLETE"}


def main():
    networks = list(vpcs())
    logs = [line for line in networks if line["__typename"] == "FlowLog"]
    lines = [*slices(), *accounts_and_regions(), *networks, *destinations(logs)]
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
