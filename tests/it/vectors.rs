//! The language's vectors (`tests/vectors/*.json`: schema, data, query, expected), run by the built binary as
//! `passmuster query --schema .. --data ..`. Those that need what isn't built yet are pending, by name; a pending one
//! that passes fails the test until it is moved.

use std::{fs, path::PathBuf, process::Command, thread};

use serde_json::Value;

/// Vectors that need what isn't built yet: none.
const PENDING: &[&str] = &[];

struct Vector {
    name: String,
    parsed: Value,
}

fn vectors() -> Vec<Vector> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut vectors: Vec<Vector> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| Vector {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            parsed: serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap(),
        })
        .collect();
    vectors.sort_by(|one, other| one.name.cmp(&other.name));
    vectors
}

/// What differs, or nothing.
fn run(vector: &Vector) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("schema");
    fs::create_dir(&schema).unwrap();
    fs::write(schema.join("vector.graphql"), vector.parsed["schema"].as_str().unwrap()).unwrap();
    let lines: Vec<String> =
        vector.parsed["data"].as_array().unwrap().iter().map(|asset| asset.to_string()).collect();
    let data = folder.path().join("data.ndjson");
    fs::write(&data, lines.join("\n")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_passmuster"))
        .arg("query")
        .arg("--schema")
        .arg(&schema)
        .arg("--data")
        .arg(&data)
        .arg("--variables")
        .arg(vector.parsed["variables"].to_string())
        .args(["-o", "json"])
        .arg(vector.parsed["query"].as_str().unwrap())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let response: Value =
        serde_json::from_str(&stdout).map_err(|error| format!("{error}\n{stdout}\n{stderr}"))?;
    let is_ordered = vector.parsed["ordered"].as_bool().unwrap_or(true);
    let (expected, actual) = match is_ordered {
        true => (vector.parsed["expected"].clone(), response["data"].clone()),
        false => (sorted(&vector.parsed["expected"]), sorted(&response["data"])),
    };
    if expected == actual && response.get("errors").is_none() {
        Ok(())
    } else {
        Err(format!("expected {expected}\n     got {response}\n{stderr}"))
    }
}

/// Lists in an order of their own, for vectors whose order says nothing.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), sorted(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[test]
fn every_vector_passes_or_is_pending() {
    let vectors = vectors();
    assert!(vectors.len() >= 70, "{} vectors: the folder is not complete", vectors.len());
    for name in PENDING {
        assert!(vectors.iter().any(|vector| vector.name == *name), "there is no vector `{name}`");
    }
    let (left, right) = vectors.split_at(vectors.len() / 2);
    let outcomes: Vec<(&Vector, Result<(), String>)> = thread::scope(|scope| {
        let halves = [left, right].map(|half| {
            scope.spawn(move || half.iter().map(|vector| (vector, run(vector))).collect::<Vec<_>>())
        });
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let mut report = Vec::new();
    for (vector, outcome) in outcomes {
        let is_pending = PENDING.contains(&vector.name.as_str());
        match outcome {
            Err(difference) if !is_pending => report.push(format!("{}: {difference}", vector.name)),
            Ok(()) if is_pending => {
                report.push(format!("{} passes: take it off the pending list", vector.name))
            }
            _ => {}
        }
    }
    assert!(report.is_empty(), "{} of the vectors:\n{}", report.len(), report.join("\n\n"));
}
