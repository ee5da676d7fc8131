//! `passmuster.toml`: where it is looked for, what goes before it, and how mistakes in it are told.

use std::{collections::BTreeMap, fs, path::Path};

use super::{Ended, command, folder, run};

const DOCS: &str = include_str!("../../../docs/configuration.md");

fn configured(folder: &Path, text: &str) {
    fs::write(folder.join("passmuster.toml"), text).unwrap();
}

/// A command that needs nothing but a configuration that can be read.
fn ask(folder: &Path) -> Ended {
    run(folder, &["checks", "list"])
}

/// What is told of a mistake in the file.
fn complaint(text: &str) -> String {
    let folder = folder();
    configured(folder.path(), text);
    let ended = ask(folder.path());
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{text}: {ended:?}");
    ended.stderr
}

#[test]
fn the_store_is_where_the_file_says_unless_a_variable_or_the_command_line_says_otherwise() {
    let folder = folder();
    let path = folder.path();
    fs::create_dir(path.join("etc")).unwrap();
    fs::write(path.join("etc/passmuster.toml"), "[store]\npath = \"from-file\"\n").unwrap();
    let importing = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(path, &[arguments, &["import", "vpcs.ndjson"]].concat());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    importing(&[], &[]);
    assert!(path.join(".passmuster/store").is_dir(), "no file, no matter");
    importing(&["--config", "etc/passmuster.toml"], &[]);
    assert!(path.join("etc/from-file").is_dir(), "from where the file stands");
    importing(&[], &[("PASSMUSTER_CONFIG", "etc/passmuster.toml"), ("PASSMUSTER_STORE", "from-variable")]);
    assert!(path.join("from-variable").is_dir());
    importing(
        &["--store", "from-argument", "--config", "etc/passmuster.toml"],
        &[("PASSMUSTER_STORE", "from-variable-too")],
    );
    assert!(path.join("from-argument").is_dir());
    assert!(!path.join("from-variable-too").exists());

    configured(path, "[store]\npath = \"here\"\n");
    importing(&[], &[]);
    assert!(path.join("here").is_dir(), "the one of the working folder");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let folder = folder();
    let ended = run(folder.path(), &["checks", "list", "--config", "nowhere.toml"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("cannot read the configuration `nowhere.toml`"), "{}", ended.stderr);
    fs::create_dir(folder.path().join("passmuster.toml")).unwrap();
    assert_eq!(ask(folder.path()).code, 3, "a folder is no configuration, and not nothing either");
}

/// F5: an unknown key is told at its place, with what was probably meant.
#[test]
fn f5_an_unknown_key_is_told_at_its_place_with_the_nearest_known_one() {
    let text = complaint("[store]\npath = \"data\"\n\n[collect]\nregoins = [\"eu-west-1\"]\n");
    for part in ["unknown_key", "unknown key `regoins`", "passmuster.toml:5:1", "did you mean `regions`?"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("keys of [collect]: "), "{text}");
    let text = complaint("[colect]\n");
    for part in ["unknown section `colect`", "passmuster.toml:1:2", "did you mean `collect`?", "sections: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = complaint(
        "[store]\npath = 5\n[collect]\nconcurrency = 0\nattempt_timeout = \"soon\"\noperation_timeout = \"2h\"\n\
         regions = \"eu-west-1\"\nonly = [\"Vcp\", \"\"]\nattempts = 1.5\n",
    );
    let told = [
        "`path` must be text, not a number",
        "`concurrency`: the number is out of bounds",
        "write a number from 1 to 1024",
        "`soon` is not a span",
        "write a span from 1s to 1h",
        "`regions` must be a list of texts, not text",
        "`Vcp` is not a type that is collected",
        "did you mean `Vpc`?",
        "the text is empty",
        "`attempts` must be a whole number, not a number with a fraction",
    ];
    let places: Vec<_> =
        told.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"))).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(complaint("store = 1\n").contains("`store` must be a table, not a number"));
}

#[test]
fn what_is_no_toml_is_told_at_its_place() {
    let text = complaint("[store]\npath = \n");
    assert!(text.contains("config_syntax") && text.contains("passmuster.toml:2:"), "{text}");
    assert!(complaint("[store]\n[store]\n").contains("passmuster.toml:2:"));
    let folder = folder();
    fs::write(folder.path().join("passmuster.toml"), b"[store]\npath = \"\xff\"\n").unwrap();
    assert_eq!(ask(folder.path()).code, 3);
}

#[test]
fn a_type_that_is_asked_for_on_the_command_line_replaces_those_of_the_file() {
    let folder = folder();
    configured(folder.path(), "[collect]\nonly = [\"Vpc\"]\n");
    let ended = run(folder.path(), &["collect", "--only", "Vcp"]);
    assert!(ended.code == 3 && ended.stderr.contains("`Vcp`"), "{ended:?}");
    let mut command = command(folder.path(), &["collect"]);
    let output = command.env("PASSMUSTER_ONLY", "Subnte").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(3) && stderr.contains("`Subnte`"), "{stderr}");
}

/// The keys that the program knows of each section, as it says them itself.
/// `--assets "$ids"` of a variable that is empty must not collect everything.
#[test]
fn a_list_with_nothing_in_it_asks_for_nothing_at_all() {
    let folder = tempfile::tempdir().unwrap();
    for (list, value) in [("--assets", ""), ("--assets", " "), ("--assets", "vpc-1,"), ("--accounts", "")] {
        let ended = run(folder.path(), &["collect", list, value]);
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(
            ended
                .stderr
                .contains(&format!("invalid value '{}' for '{list}", value.rsplit(',').next().unwrap())),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("there is nothing in it"), "{ended:?}");
        assert!(!folder.path().join(".passmuster").exists(), "no store was made");
    }
}

fn known_keys(section: &str) -> Vec<String> {
    let text = complaint(&format!("{section}\nzzzzzz = 1\n"));
    let (_, list) = text.split_once(&format!("keys of {section}:")).unwrap_or_else(|| panic!("{text}"));
    // The list may be wrapped.
    list.split_whitespace().map(|key| key.trim_end_matches(',').to_owned()).collect()
}

/// The keys that the page tells of each section: `## [name]`, then a table that begins each row with a key.
fn told_keys() -> BTreeMap<String, Vec<String>> {
    let sections = DOCS.split("\n## ").skip(1);
    let keys = |text: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        rows.map(|(key, _)| key.to_owned()).collect()
    };
    let named =
        sections.filter_map(|text| Some((text.strip_prefix('`')?.split_once('`')?.0.to_owned(), keys(text))));
    named.collect()
}

#[test]
fn the_page_tells_every_section_and_key_and_no_other() {
    let text = complaint("[zz]\n");
    let (_, sections) = text.split_once("sections:").unwrap_or_else(|| panic!("{text}"));
    let known: Vec<&str> = sections.split_whitespace().map(|name| name.trim_end_matches(',')).collect();
    let told = told_keys();
    let told_sections: Vec<&str> =
        told.keys().map(|name| name.trim_matches(['[', ']'])).filter(|name| !name.contains('.')).collect();
    let mut known_sorted = known.clone();
    known_sorted.sort_unstable();
    let mut told_sorted = told_sections;
    told_sorted.sort_unstable();
    assert_eq!(told_sorted, known_sorted);
    for (section, mut keys) in told {
        keys.sort_unstable();
        let mut known = known_keys(&section);
        known.sort_unstable();
        assert_eq!(keys, known, "{section}");
    }
}

#[test]
fn the_example_of_the_page_is_understood() {
    let example: String =
        DOCS.lines().filter_map(|line| line.strip_prefix("    ")).map(|line| format!("{line}\n")).collect();
    assert!(example.contains("[store]") && example.contains("[collect]"), "{example}");
    let folder = folder();
    configured(folder.path(), &example);
    let ended = ask(folder.path());
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn accounts_and_conditions_that_make_no_sense_are_told_at_their_place() {
    let cases = [
        ("[[accounts]]\nname = \"x\"\n", "the key `id` is missing"),
        ("[[accounts]]\nid = 111122223333\n", "`id` must be text, not a number"),
        ("[[accounts]]\nid = \"1111\"\n", "`1111` is no account id"),
        (
            "[[accounts]]\nid = \"111122223333\"\n[[accounts]]\nid = \"111122223333\"\n",
            "account 111122223333 stands twice",
        ),
        ("[accounts]\nid = \"111122223333\"\n", "`accounts` must be a list of tables"),
        ("[collect]\nrole = \"arn:aws:iam::111122223333:user/x\"\n", "is no role"),
        ("[collect]\nrole = \"two words\"\n", "`two words` is no role"),
        ("[collect]\nsession_name = \"x\"\n", "`x` is no name of a session"),
        ("[collect]\nsession_duration = \"1m\"\n", "write a span from 15m to 12h"),
        ("[collect]\nsession_tags = [\"a=b\"]\n", "`session_tags` must be a table of texts, not a list"),
        ("[collect]\nsession_tags = { team = 1 }\n", "`session_tags` must be text, not a number"),
        ("[organization]\nread_tags = \"yes\"\n", "`read_tags` must be true or false, not text"),
        ("[organization.include]\nstates = [\"ACTVE\"]\n", "did you mean `ACTIVE`?"),
        ("[organization.include]\ntags = [\"env\"]\n", "`env` is no tag"),
        ("[organization]\nexclude.accounts = [\"12\"]\n", "`12` is no account id"),
        (
            "[organization.exclude]\nou = [\"x\"]\n",
            "keys of [organization.exclude]: accounts, states, tags, units",
        ),
        ("organization = true\n", "`organization` must be a table, not a boolean"),
    ];
    for (text, told) in cases {
        let complaint = complaint(text);
        assert!(complaint.contains(told), "{told}: {complaint}");
        assert!(complaint.contains("passmuster.toml:"), "{complaint}");
    }
}
