//! The data of assets, held to the schema.

use passmuster::{
    catalog::{Catalog, shipped},
    model::Asset,
};
use serde_json::{Value, json};

use super::read;

fn vpc_with(field: &str, value: Value) -> Asset {
    Asset::new("Vpc", "arn:aws:ec2:eu-west-1:1:vpc/vpc-1").with("vpcId", "vpc-1").with(field, value)
}

#[test]
fn an_asset_that_fits_its_type_is_taken() {
    let catalog = Catalog::read(&shipped()).expect("the shipped schema is sound");
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!("ü")),
        ("isDefault", json!(true)),
        ("createdAt", json!("2026-11-20")),
        ("createdAt", json!("2026-11-20T12:04:11+01:00")),
        ("cidrBlock", json!("10.0.0.0/16")),
        ("cidrBlock", json!("fd00::/8")),
        ("tags", json!([])),
        ("tags", json!([{"key": "env", "value": "prod"}, {"key": "x"}])),
        ("cidrBlockAssociations", json!([{"cidrBlock": "10.0.0.0/16", "state": null}])),
    ] {
        let asset = vpc_with(field, value);
        assert_eq!(catalog.check_asset(&asset), Ok(()), "{asset:?}");
    }
    let mut unseen = Asset::new("Vpc", "arn");
    unseen.unknown.insert("vpcId".to_owned());
    assert_eq!(catalog.check_asset(&unseen), Ok(()));
    let flow_log =
        Asset::new("FlowLog", "arn").with("flowLogId", "fl-1").with("maxAggregationInterval", 600.0);
    assert_eq!(catalog.check_asset(&flow_log), Ok(()));
}

#[test]
fn an_asset_that_does_not_fit_is_refused_by_name_and_field() {
    let catalog = Catalog::read(&shipped()).expect("the shipped schema is sound");
    let mut both = vpc_with("name", json!("x"));
    both.unknown.insert("vpcidd".to_owned());
    let cases = [
        Asset::new("VPC", "a"),
        Asset::new("Spaceship", "a"),
        Asset::new("Asset", "a"),
        Asset::new("Tag", "a"),
        Asset::new("Vpc", "a"),
        both,
        vpc_with("vpcId", json!(null)),
        vpc_with("nmae", json!("x")),
        vpc_with("name", json!(1)),
        vpc_with("isDefault", json!("true")),
        vpc_with("createdAt", json!("yesterday")),
        vpc_with("createdAt", json!(1_700_000_000)),
        vpc_with("cidrBlock", json!("10.0.0.0/33")),
        vpc_with("tags", json!({"env": "prod"})),
        vpc_with("tags", json!([null])),
        vpc_with("tags", json!([{"key": "a"}, {"value": "b"}])),
        vpc_with("tags", json!([{"key": "a"}, {"key": "b", "vaule": "c"}])),
        vpc_with("tags", json!([{"key": "a"}, {"key": ["b"]}])),
        vpc_with("hasFlowLog", json!([])),
        vpc_with("name", json!(["x".repeat(10)])),
        vpc_with("cidrBlock", json!("x".repeat(1_000_000))),
        Asset::new("FlowLog", "a").with("flowLogId", "f").with("maxAggregationInterval", 2_147_483_648_u64),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|asset| {
            let misfit = catalog.check_asset(asset).expect_err("it does not fit");
            format!("{}: {misfit}", misfit.code())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
        unknown_asset_type: there is no asset type `VPC`; did you mean `Vpc`?
        unknown_asset_type: there is no asset type `Spaceship`
        not_an_asset_type: `Asset` is an interface: an asset names its own type
        not_an_asset_type: `Tag` is a type without an id: an asset names its own type
        missing_asset_field: `Vpc` `a`: `vpcId` is missing; give it, or list `vpcId` in `__unknown`
        unknown_asset_field: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: there is no field `vpcidd`; did you mean `vpcId`?
        missing_asset_field: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `vpcId` is missing; give it, or list `vpcId` in `__unknown`
        unknown_asset_field: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: there is no field `nmae`; did you mean `name`?
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `name` must be a string, not 1
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `isDefault` must be true or false, not `true`
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `createdAt` must be a DateTime such as 2026-11-20T12:04:11Z, not `yesterday`
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `createdAt` must be a DateTime such as 2026-11-20T12:04:11Z, not 1700000000
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `cidrBlock` must be a CIDR such as 10.0.0.0/16, not `10.0.0.0/33`
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `tags` must be a list, not an object
        missing_asset_field: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `tags[0]` is missing; give it, or list `tags` in `__unknown`
        missing_asset_field: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `tags[1].key` is missing; give it, or list `tags` in `__unknown`
        unknown_asset_field: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: there is no field `tags[1].vaule`; did you mean `value`?
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `tags[1].key` must be a string, not a list
        derived_asset_field: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `hasFlowLog` is a relation and cannot be given; leave it out
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `name` must be a string, not a list
        wrong_asset_value: `Vpc` `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`: `cidrBlock` must be a CIDR such as 10.0.0.0/16, not `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..`
        wrong_asset_value: `FlowLog` `a`: `maxAggregationInterval` must be an integer of 32 bits, not 2147483648
        "#);
}

#[test]
fn enums_dates_and_big_numbers_of_an_asset_are_judged() {
    let catalog = read(
        "enum Phase { UP DOWN } type T { id: ID! phase: Phase day: Date big: BigInt ip: IPAddress n: ID l: [Int!] m: [Int] raw: JSON f: Float }",
    )
    .expect("the schema is sound");
    let fits =
        |field: &str, value: Value| catalog.check_asset(&Asset::new("T", "a").with(field, value)).is_ok();
    for (field, value) in [
        ("phase", json!("UP")),
        ("day", json!("2026-02-28")),
        ("big", json!("9223372036854775807")),
        ("big", json!(-9_223_372_036_854_775_808_i64)),
        ("ip", json!("::1")),
        ("n", json!(7)),
        ("l", json!([1, 2])),
        ("m", json!([1, null])),
        ("raw", json!({"a": [1, null]})),
        ("f", json!(1)),
    ] {
        assert!(fits(field, value.clone()), "{field}: {value}");
    }
    for (field, value) in [
        ("phase", json!("up")),
        ("phase", json!("SIDEWAYS")),
        ("day", json!("2026-02-30")),
        ("day", json!("2026-02-28T00:00:00Z")),
        ("big", json!("9223372036854775808")),
        ("big", json!("1.0")),
        ("big", json!(1.5)),
        ("ip", json!("10.0.0.0/8")),
        ("n", json!(1.5)),
        ("l", json!([1, null])),
        ("l", json!(1)),
        ("f", json!("NaN")),
    ] {
        assert!(!fits(field, value.clone()), "{field}: {value}");
    }
}
