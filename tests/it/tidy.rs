//! House rules that no compiler holds: which room imports which, what stands only in one room, how files open.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each room with the rooms it may import. An arrow more is a page in `docs/decisions/` and an edit here.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("catalog", &["model"]),
    ("store", &["model"]),
    ("collect", &["model", "store"]),
    ("import", &["model", "catalog"]),
    ("graph", &["model", "catalog"]),
    ("query", &["model", "catalog", "graph"]),
    ("check", &["model", "catalog", "graph", "query", "store"]),
    ("report", &["model", "check"]),
    ("schedule", &["model", "store", "collect", "check"]),
    ("notify", &["model", "check", "store"]),
    ("api", &["model", "graph", "query", "check", "schedule"]),
    (
        "cli",
        &[
            "model", "catalog", "store", "collect", "import", "graph", "query", "check", "report",
            "schedule", "notify", "api",
        ],
    ),
];

/// Crates that stand only in some rooms.
const ONLY_HERE: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("aws_config", &["collect"]),
    ("aws_credential_types", &["collect"]),
    ("aws_sdk_cloudwatchlogs", &["collect"]),
    ("aws_sdk_ec2", &["collect"]),
    ("aws_sdk_firehose", &["collect"]),
    ("aws_sdk_iam", &["collect"]),
    ("aws_sdk_organizations", &["collect"]),
    ("aws_sdk_s3", &["collect"]),
    ("aws_sdk_sts", &["collect"]),
    ("async_graphql", &["query", "api"]),
    ("apollo_compiler", &["catalog", "query"]),
    ("axum", &["api"]),
    ("clap", &["cli"]),
    ("croner", &["model"]),
    ("reqwest", &["notify"]),
    ("indicatif", &["cli"]),
    ("miette", &["cli"]),
    ("comfy_table", &["report"]),
    ("regorus", &["check"]),
];

const LONGEST_FILE: usize = 800;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn code_lines(path: &Path) -> Vec<(usize, String)> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.to_owned()))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .collect()
}

fn words(line: &str) -> BTreeSet<&str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect()
}

/// The rooms a file names, through `crate::room` or inside a `use crate::{..}` block.
fn imported_rooms(path: &Path) -> BTreeMap<String, usize> {
    let mut imported = BTreeMap::new();
    let mut depth_in_block: Option<i32> = None;
    for (number, line) in code_lines(path) {
        for (at, _) in line.match_indices("crate::") {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &line[at + "crate::".len()..];
            if rest.starts_with('{') {
                depth_in_block = Some(0);
            } else {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                imported.entry(name).or_insert(number);
            }
        }
        let Some(mut depth) = depth_in_block else { continue };
        let text = line.split_once("crate::{").map_or(line.as_str(), |(_, rest)| {
            depth = 1;
            rest
        });
        let mut word = String::new();
        for c in text.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if depth == 1 && !word.is_empty() {
                imported.entry(word.clone()).or_insert(number);
            }
            word.clear();
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ':' => {}
                ';' => depth = 0,
                _ => {}
            }
            if depth <= 0 {
                break;
            }
        }
        depth_in_block = (depth > 0).then_some(depth);
    }
    imported
}

#[test]
fn a_room_imports_only_the_rooms_before_it() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut broken = Vec::new();
    for (room, allowed) in ROOMS {
        for file in rust_files(&root().join("src").join(room)) {
            for (name, line) in imported_rooms(&file) {
                if rooms.contains_key(name.as_str()) && name != *room && !allowed.contains(&name.as_str()) {
                    broken.push(format!("{}:{line}: `{room}` may not import `{name}`", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_room() {
    let known: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let folders: BTreeSet<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, known);
}

#[test]
fn a_crate_with_a_home_is_used_only_there() {
    let mut broken = Vec::new();
    for (room, _) in ROOMS {
        for file in rust_files(&root().join("src").join(room)) {
            for (number, line) in code_lines(&file) {
                for (name, homes) in ONLY_HERE {
                    if words(&line).contains(name) && !homes.contains(room) {
                        broken.push(format!("{}:{number}: `{name}` belongs to {homes:?}", file.display()));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_model_does_no_io_and_is_not_async() {
    for file in rust_files(&root().join("src/model")) {
        for (number, line) in code_lines(&file) {
            for word in ["async", "tokio", "File", "TcpStream", "println"] {
                assert!(!words(&line).contains(word), "{}:{number}: `{word}` in the model", file.display());
            }
            assert!(!line.contains("std::fs"), "{}:{number}: files in the model", file.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_stays_readable() {
    let mut broken = Vec::new();
    let folders = ["src", "tests", "benches"];
    for file in folders.iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        let opening = text.lines().take_while(|line| line.starts_with("//!")).count();
        if opening == 0 || opening > 8 {
            broken.push(format!("{}: opens with {opening} lines of `//!`, not 1 to 8", file.display()));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            broken.push(format!("{}: {lines} lines, more than {LONGEST_FILE}", file.display()));
        }
        if file.file_stem().is_some_and(|stem| stem == "utils" || stem == "helpers") {
            broken.push(format!("{}: name it after what it does", file.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_exemption_from_a_lint_goes_without_a_reason() {
    for file in rust_files(&root().join("src")) {
        for (number, line) in code_lines(&file) {
            let line = line.trim_start();
            let is_allow = line.starts_with("#[allow(") || line.starts_with("#![allow(");
            assert!(!is_allow, "{}:{number}: use `#[expect(.., reason = \"..\")]`", file.display());
        }
    }
}

#[test]
fn no_test_module_is_forgotten() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests/it")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "main" && !name.starts_with('.') {
            assert!(main.contains(&format!("mod {name};")), "tests/it/main.rs does not name `{name}`");
        }
    }
}

#[test]
fn every_file_of_schema_and_queries_is_embedded() {
    let registered: String = rust_files(&root().join("src"))
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .filter(|text| text.contains("include_str!"))
        .collect();
    let mut folders = vec![root().join("schema"), root().join("queries")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            let folder_name = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
            let is_named = registered.contains(&name) || registered.contains(folder_name);
            assert!(is_named, "{name} is not embedded: add it to the registry of its room");
        }
    }
}
