//! Help texts, arguments that make no sense, colours.

use super::{assert_reads_as_agreed, folder, run};

const COMMANDS: [(&str, &[&str]); 28] = [
    ("help", &[]),
    ("help_demo", &["demo"]),
    ("help_collect", &["collect"]),
    ("help_import", &["import"]),
    ("help_query", &["query"]),
    ("help_check", &["check"]),
    ("help_checks", &["checks"]),
    ("help_checks_list", &["checks", "list"]),
    ("help_checks_frameworks", &["checks", "frameworks"]),
    ("help_checks_show", &["checks", "show"]),
    ("help_checks_lint", &["checks", "lint"]),
    ("help_checks_test", &["checks", "test"]),
    ("help_findings", &["findings"]),
    ("help_except", &["except"]),
    ("help_except_add", &["except", "add"]),
    ("help_except_list", &["except", "list"]),
    ("help_except_revoke", &["except", "revoke"]),
    ("help_except_lint", &["except", "lint"]),
    ("help_audit", &["audit"]),
    ("help_remediate", &["remediate"]),
    ("help_evidence", &["evidence"]),
    ("help_evidence_verify", &["evidence", "verify"]),
    ("help_diff", &["diff"]),
    ("help_notify_test", &["notify", "test"]),
    ("help_schedule", &["schedule"]),
    ("help_serve", &["serve"]),
    ("help_schema", &["schema"]),
    ("help_store_verify", &["store", "verify"]),
];

#[test]
fn every_help_reads_as_agreed() {
    let folder = folder();
    for (name, arguments) in COMMANDS {
        let mut arguments = arguments.to_vec();
        arguments.push("--help");
        let ended = run(folder.path(), &arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{name}");
        assert_reads_as_agreed(name, &ended.stdout);
    }
}

#[test]
fn every_help_says_what_it_is_for_gives_example_values_and_complete_examples() {
    let folder = folder();
    for (name, arguments) in COMMANDS {
        let mut arguments = arguments.to_vec();
        arguments.push("-h");
        let text = run(folder.path(), &arguments).stdout;
        let first = text.lines().next().unwrap();
        assert!(first.len() > 12 && !first.starts_with("Usage"), "{name}: {first}");
        let (options, examples) =
            text.split_once("Examples:\n").unwrap_or_else(|| panic!("{name} has no examples"));
        let count = examples.matches("passmuster ").count();
        assert!(count >= 2, "{name}: {examples}");
        for option in paragraphs(options).iter().filter(|option| option.contains('<')) {
            let has_example = option.contains("e.g.") || option.contains("table, json");
            assert!(has_example, "{name}: an option without an example value: {option}");
        }
    }
}

/// The options of a help text, each with its wrapped lines joined.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim_start) {
        match paragraphs.last_mut() {
            _ if line.starts_with('-') => paragraphs.push(line.to_owned()),
            Some(paragraph) => *paragraph = format!("{paragraph} {line}"),
            None => {}
        }
    }
    paragraphs
}

#[test]
fn an_argument_that_is_not_known_is_bad_input() {
    let folder = folder();
    for arguments in
        [vec!["qeury"], vec!["query"], vec!["query", "{a}", "--nope"], vec![], vec!["check", "-o", "xml"]]
    {
        let ended = run(folder.path(), &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{arguments:?}");
        assert!(!ended.stderr.is_empty());
    }
    assert_eq!(run(folder.path(), &["--version"]).code, 0);
}

#[test]
fn colours_come_only_when_asked_for_on_a_pipe() {
    let folder = folder();
    let data = folder.path().join("vpcs.ndjson");
    let data = data.to_str().unwrap();
    let plain = run(folder.path(), &["check", "--data", data]);
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
    let coloured = run(folder.path(), &["check", "--data", data, "--color", "always"]);
    assert!(coloured.stdout.contains('\u{1b}'), "{coloured:?}");
}
