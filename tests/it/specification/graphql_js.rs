//! The reference implementation, run by Node: installed once under `target/`, from the versions that are pinned.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::documents::Document;

/// The verdict on each document; why there is none where Node, npm or the network is missing.
pub fn judge(folder: &Path, sdl: &str, documents: &[Document]) -> Result<Vec<Value>, String> {
    let installed = install(folder)?;
    let documents: Vec<Value> = documents
        .iter()
        .map(|document| {
            json!({"query": document.query, "variables": document.variables, "operationName": document.operation})
        })
        .collect();
    let input = json!({"sdl": sdl, "documents": documents}).to_string();
    let mut child = Command::new("node")
        .arg(installed.join("judge.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("node can't be run: {error}"))?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "judge.mjs failed");
    let verdicts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), documents.len());
    Ok(verdicts)
}

fn install(folder: &Path) -> Result<PathBuf, String> {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("specification");
    fs::create_dir_all(&target).unwrap();
    let mut is_current = target.join("node_modules/graphql/package.json").exists();
    for file in ["package.json", "package-lock.json"] {
        let wanted = fs::read(folder.join(file)).unwrap();
        is_current &= fs::read(target.join(file)).is_ok_and(|there| there == wanted);
        fs::write(target.join(file), wanted).unwrap();
    }
    fs::copy(folder.join("judge.mjs"), target.join("judge.mjs")).unwrap();
    if is_current {
        return Ok(target);
    }
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        .current_dir(&target)
        .output()
        .map_err(|error| format!("npm can't be run: {error}"))?;
    if output.status.success() {
        Ok(target)
    } else {
        // A half that is left behind would look like a whole the next time.
        let _ = fs::remove_file(target.join("package-lock.json"));
        Err(format!("npm can't install it: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
