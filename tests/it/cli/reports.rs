//! Reports for other tools and as pages: each machine format is valid by its published schema, and no value of an
//! inventory is ever read as markup, formula or code.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::{folder, run};
use crate::support::moto;

const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</td></testcase>]]>&amp;",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "@everyone | [click](javascript:alert(1)) `x`",
    "-2+3+cmd|' /C calc'!A0",
    "+1\t\u{1b}[31mred\u{202e}txet",
    "line\none\r\ntwo\u{0}",
    "emoji 😀 and \u{feff}bom",
];

/// Failing, unknown and unseen assets with hostile names, ids and tags.
fn hostile() -> String {
    let slice = |asset_type: &str, outcome: &str, reason: Value| {
        json!({
            "__typename": "Slice", "assetType": asset_type, "accountId": "111122223333", "region": "eu-west-1",
            "outcome": outcome, "reason": reason,
        })
    };
    let denied = json!({
        "__typename": "Slice", "assetType": "FlowLog", "accountId": "111122223333", "region": "us-east-1",
        "outcome": "DENIED", "reason": HOSTILE[0],
    });
    let mut lines =
        vec![slice("Vpc", "COMPLETE", Value::Null), slice("FlowLog", "COMPLETE", Value::Null), denied];
    for (number, name) in HOSTILE.iter().enumerate() {
        for region in ["eu-west-1", "us-east-1"] {
            lines.push(json!({
                "__typename": "Vpc", "id": format!("arn:aws:ec2:{region}:111122223333:vpc/{number}-{name}"),
                "accountId": "111122223333", "region": region, "nativeId": format!("{number}-{name}"),
                "vpcId": format!("vpc-{number}"), "name": name, "isDefault": false,
            }));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn report(folder: &Path, data: &str, form: &str) -> String {
    let ended = run(folder, &["check", "--data", data, "-o", form]);
    assert_eq!(ended.code, 2, "{form}: {}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"));
    ended.stdout
}

fn data(folder: &Path) -> [&'static str; 2] {
    let organisation = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/organisation.ndjson");
    fs::copy(organisation, folder.join("organisation.ndjson")).unwrap();
    fs::write(folder.join("hostile.ndjson"), hostile()).unwrap();
    ["organisation.ndjson", "hostile.ndjson"]
}

#[test]
fn each_machine_format_is_valid_by_its_published_schema() {
    let folder = folder();
    let validator = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/validate.py");
    let validate = |form: &str, file: &Path| {
        let told = Command::new(moto::python()).arg(&validator).arg(form).arg(file).output().unwrap();
        (
            told.status.success(),
            String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr),
        )
    };
    for data in data(folder.path()) {
        for form in ["junit", "sarif", "ocsf", "asff"] {
            let file = folder.path().join(form);
            fs::write(&file, report(folder.path(), data, form)).unwrap();
            let (is_valid, told) = validate(form, &file);
            assert!(is_valid, "{form} of {data}: {told}");
        }
    }
    // The validator refuses what it should.
    for (form, from, to) in [
        ("junit", "<failure type=", "<failure kind="),
        ("sarif", "\"kind\": \"fail\"", "\"kind\": \"broken\""),
        ("ocsf", "\"severity_id\": 3", "\"severity_id\": 7"),
        ("asff", "\"Title\"", "\"Titel\""),
    ] {
        let text = report(folder.path(), "hostile.ndjson", form);
        assert!(text.contains(from), "{form}");
        let file = folder.path().join("broken");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        assert!(!validate(form, &file).0, "{form} with {to}");
    }
}

#[test]
fn a_report_says_of_each_asset_what_the_json_says() {
    let folder = folder();
    let [organisation, _] = data(folder.path());
    let told: Value = serde_json::from_str(&report(folder.path(), organisation, "json")).unwrap();
    let count = |key: &str| -> usize {
        told["checks"].as_array().unwrap().iter().map(|check| check[key].as_array().unwrap().len()).sum()
    };
    let (fail, unknown) = (count("findings"), count("unknown"));
    let of_status = |text: &str, status: &str| text.matches(status).count();
    let sarif = report(folder.path(), organisation, "sarif");
    assert_eq!(of_status(&sarif, "\"verdict\": \"FAIL\""), fail);
    assert_eq!(of_status(&sarif, "\"kind\": \"fail\""), fail);
    let ocsf: Value = serde_json::from_str(&report(folder.path(), organisation, "ocsf")).unwrap();
    let of_ocsf = |status: u64| {
        let events = ocsf.as_array().unwrap().iter();
        events
            .filter(|event| event["compliance"]["status_id"] == status && event.get("resources").is_some())
            .count()
    };
    assert_eq!((of_ocsf(3), of_ocsf(0)), (fail, unknown));
    let asff = report(folder.path(), organisation, "asff");
    assert_eq!(of_status(&asff, "\"Status\": \"FAILED\""), fail);
    assert_eq!(of_status(&asff, "\"Status\": \"NOT_AVAILABLE\""), unknown);
    assert!(!asff.contains("\"PASSED\""), "nothing that is unknown passes");
    let junit = report(folder.path(), organisation, "junit");
    assert_eq!(of_status(&junit, "<failure "), fail);
    assert!(of_status(&junit, "<error ") >= unknown, "what is not known is no pass");
}

#[test]
fn no_name_is_read_as_markup_or_formula() {
    let folder = folder();
    let [_, hostile] = data(folder.path());
    let html = report(folder.path(), hostile, "html");
    for raw in
        ["<script", "<img", "onerror=alert(1)>", "javascript:alert(1))\"", "\u{1b}", "\u{202e}", "\u{0}"]
    {
        assert!(!html.contains(raw), "{raw}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let markdown = report(folder.path(), hostile, "markdown");
    for raw in ["<script", "<img", "[click](", " @everyone", "\u{1b}"] {
        assert!(!markdown.contains(raw), "{raw}");
    }
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows: Vec<&str> =
        markdown.lines().filter(|line| line.starts_with("| ") && line.contains("alert")).collect();
    assert!(rows.len() > 4 && rows.iter().all(|row| columns(row) == 7), "{rows:?}");
    let csv = report(folder.path(), hostile, "csv");
    for formula in ["=HYPERLINK", "@everyone", "-2+3", "+1"] {
        assert!(csv.contains(&format!("'{formula}")) && !csv.contains(&format!(",{formula}")), "{formula}");
        assert!(!csv.contains(&format!(",\"{formula}")), "{formula}");
    }
    let junit = report(folder.path(), hostile, "junit");
    assert!(!junit.contains("<script") && !junit.contains("]]>") && !junit.contains('\u{0}'));
}

#[test]
fn the_page_needs_nothing_else_and_answers_the_audit_questions() {
    let folder = folder();
    let [organisation, _] = data(folder.path());
    let html = report(folder.path(), organisation, "html");
    assert!(
        html.starts_with("<!doctype html>")
            && html.contains("<svg")
            && html.contains("prefers-color-scheme:dark")
    );
    for outside in ["<script", "<link", "src=", "href=", "url(", "@import", "<iframe"] {
        assert!(!html.contains(outside), "{outside}");
    }
    for heading in ["LOGGED", "TRAFFIC", "ARRIVES", "STORED IN"] {
        assert!(html.contains(heading), "{heading}");
    }
    assert!(html.contains("ACCEPT and REJECT") && html.contains("not known"));
    // On a narrow screen a row stands on its own, each value beside the name of its column.
    assert!(html.contains("@media(max-width:48rem)") && html.contains("td::before{content:attr(data-h)"));
    assert_eq!(html.matches("<td ").count(), html.matches("<td data-h=\"").count());
    assert!(!html.contains("<td>") && html.matches("<td ").count() > 500);
    let framework = ["check", "--data", organisation, "--framework", "soc-2", "-o", "html"];
    let framework = run(folder.path(), &framework).stdout;
    assert!(framework.contains("CC7.2") && framework.contains("2 controls: 2 fail"));
    let marked = ["check", "--data", organisation, "--framework", "soc-2", "-o", "markdown"];
    assert!(run(folder.path(), &marked).stdout.contains("| CC7.3 | FAIL |"));
}

#[test]
fn a_figure_is_reported_in_every_form() {
    let folder = folder();
    for form in ["junit", "sarif", "ocsf", "asff", "markdown", "html", "csv"] {
        let arguments = [
            "check",
            "--data",
            "vpcs.ndjson",
            "--query",
            "vpcs { id }",
            "--expect",
            "count lt 3",
            "-o",
            form,
        ];
        let ended = run(folder.path(), &arguments);
        assert_eq!(ended.code, 2, "{form}");
        if form == "asff" {
            assert!(ended.stdout == "[]\n" && ended.stderr.contains("1 verdicts"), "{ended:?}");
        } else {
            assert!(ended.stdout.contains("expected count lt 3, found 3"), "{form}: {}", ended.stdout);
        }
    }
}
