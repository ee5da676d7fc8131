//! ASFF, the format of AWS Security Hub: the findings that `BatchImportFindings` takes, a hundred at a time. Every one is
//! about an asset of one account and region, so what a check says as a whole has no place in it.

use serde_json::{Map, Value, json};

use crate::check::{AssetName, Reason, Severity, Verdict};

use super::run::{Run, Statement, VERSION, bounded, called};
use super::sheet::pretty;

/// The region of what has none: that of the partition's global services.
const GLOBAL: &str = "us-east-1";

/// A run as a JSON list of findings, ending with a newline, and how many statements have no place in it: those about a
/// check as a whole that does not pass, and those about an asset without an account.
#[must_use]
pub fn asff(run: &Run<'_>) -> (String, usize) {
    let (mut findings, mut left_out) = (Vec::new(), 0);
    for statement in run.all() {
        match statement.asset.and_then(|asset| finding(run, &statement, asset)) {
            Some(finding) => findings.push(finding),
            None => {
                left_out += usize::from(!matches!(statement.verdict, Verdict::Pass | Verdict::NotApplicable))
            }
        }
    }
    (pretty(&findings), left_out)
}

fn finding(run: &Run<'_>, statement: &Statement<'_>, asset: &AssetName) -> Option<Value> {
    let account = asset.account_id.as_deref()?;
    let result = statement.result;
    let region = asset.region.as_deref().filter(|region| *region != "global").unwrap_or(GLOBAL);
    let partition = asset.id.strip_prefix("arn:").and_then(|rest| rest.split(':').next()).unwrap_or("aws");
    let at = run.now.to_string();
    let mut finding = Map::new();
    let mut put = |key: &str, value: Value| drop(finding.insert(key.to_owned(), value));
    put("SchemaVersion", json!("2018-10-08"));
    put("Id", json!(bounded(&statement.stable_id(), 512)));
    put(
        "ProductArn",
        json!(format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default")),
    );
    put("ProductName", json!("Passmuster"));
    put("GeneratorId", json!(bounded(&result.id, 512)));
    put("AwsAccountId", json!(account));
    put("Types", json!(["Software and Configuration Checks/AWS Security Best Practices"]));
    put("CreatedAt", json!(at));
    put("UpdatedAt", json!(at));
    put("Severity", json!({ "Label": label(statement) }));
    put("Title", json!(bounded(&result.title, 256)));
    put("Description", json!(bounded(&statement.message, 1024)));
    let reference = statement.check.and_then(|check| check.references.first());
    if statement.check.is_some_and(|check| check.remediation.is_some()) {
        let text = format!("passmuster checks show {}", result.id);
        let mut recommendation = Map::new();
        recommendation.insert("Text".to_owned(), json!(bounded(&text, 512)));
        if let Some(url) = reference {
            recommendation.insert("Url".to_owned(), json!(url));
        }
        put("Remediation", json!({ "Recommendation": recommendation }));
    }
    put(
        "Resources",
        json!([{
            "Type": resource_type(&asset.typename),
            "Id": bounded(&asset.id, 512),
            "Partition": partition,
            "Region": region,
        }]),
    );
    put("Compliance", compliance(statement));
    let workflow = if statement.accepted.is_some() { "SUPPRESSED" } else { "NEW" };
    put("Workflow", json!({ "Status": workflow }));
    put("RecordState", json!("ACTIVE"));
    put(
        "ProductFields",
        json!({
            "passmuster/version": VERSION,
            "passmuster/verdict": statement.verdict.as_str(),
            "passmuster/asset": bounded(&called(asset), 1024),
        }),
    );
    Some(Value::Object(finding))
}

fn compliance(statement: &Statement<'_>) -> Value {
    let status = match statement.verdict {
        Verdict::Fail => "FAILED",
        Verdict::Pass => "PASSED",
        Verdict::Unknown | Verdict::Error | Verdict::NotApplicable => "NOT_AVAILABLE",
    };
    let mut compliance = Map::new();
    compliance.insert("Status".to_owned(), json!(status));
    // The format takes at most 32.
    let controls: Vec<String> = statement.controls().into_iter().take(32).collect();
    if !controls.is_empty() {
        compliance.insert("RelatedRequirements".to_owned(), json!(controls));
    }
    let reason = |reason: &Reason| json!({"ReasonCode": reason.code().to_uppercase(), "Description": bounded(&reason.to_string(), 2048)});
    let reasons: Vec<Value> = statement.reasons.iter().take(32).map(reason).collect();
    if !reasons.is_empty() {
        compliance.insert("StatusReasons".to_owned(), json!(reasons));
    }
    Value::Object(compliance)
}

fn label(statement: &Statement<'_>) -> &'static str {
    match (statement.verdict, statement.result.severity) {
        (Verdict::Fail, Severity::Low) => "LOW",
        (Verdict::Fail, Severity::Medium) => "MEDIUM",
        (Verdict::Fail, Severity::High) => "HIGH",
        (Verdict::Fail, Severity::Critical) => "CRITICAL",
        _ => "INFORMATIONAL",
    }
}

/// The types that Security Hub has a name for.
fn resource_type(typename: &str) -> &'static str {
    match typename {
        "Account" => "AwsAccount",
        "IamRole" => "AwsIamRole",
        "S3Bucket" => "AwsS3Bucket",
        "Subnet" => "AwsEc2Subnet",
        "Vpc" => "AwsEc2Vpc",
        _ => "Other",
    }
}
