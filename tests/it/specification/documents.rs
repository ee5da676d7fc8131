//! Documents written by hand: blocks that begin with `=== name`, followed by lines `--- variables {..}`,
//! `--- operation NAME`, and `--- stricter WHY` or `--- looser WHY` where we deviate from the specification on purpose.

use std::{fs, path::Path};

use serde_json::{Map, Value};

/// A document to be judged.
#[derive(Clone, Debug)]
pub struct Document {
    pub name: String,
    pub query: String,
    pub variables: Map<String, Value>,
    pub operation: Option<String>,
    pub deviation: Option<Deviation>,
    pub is_generated: bool,
}

/// Where we differ from the specification on purpose, and why.
#[derive(Clone, Debug)]
pub enum Deviation {
    /// We refuse what it accepts.
    Stricter(String),
    /// We accept what it refuses.
    Looser(String),
}

impl Document {
    pub fn new(name: impl Into<String>, query: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            query: query.into(),
            variables: super::none(),
            operation: None,
            deviation: None,
            is_generated: true,
        }
    }

    /// Changes with anything that a verdict may depend on.
    pub fn fingerprint(&self) -> String {
        let variables = Value::Object(self.variables.clone()).to_string();
        let operation = self.operation.clone().unwrap_or_default();
        let text = [self.query.as_str(), &variables, &operation].join("\0");
        format!("{:08x}", crc32fast::hash(text.as_bytes()))
    }
}

/// The documents of a folder, by file and in their order.
pub fn written(folder: &Path) -> Vec<Document> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut documents = Vec::new();
    for file in files {
        let area = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        for block in text.split("=== ").skip(1) {
            documents.push(read(&area, block));
        }
    }
    documents
}

fn read(area: &str, block: &str) -> Document {
    let (name, rest) = block.split_once('\n').unwrap();
    let mut lines = Vec::new();
    let mut document = Document::new(format!("{area}: {name}"), "");
    for line in rest.lines() {
        let Some(note) = line.strip_prefix("--- ") else {
            lines.push(line);
            continue;
        };
        let (kind, value) = note.split_once(' ').unwrap();
        match kind {
            "variables" => {
                let value: Value = serde_json::from_str(value).unwrap();
                document.variables = value.as_object().unwrap().clone();
            }
            "operation" => document.operation = Some(value.to_owned()),
            "stricter" => document.deviation = Some(Deviation::Stricter(value.to_owned())),
            "looser" => document.deviation = Some(Deviation::Looser(value.to_owned())),
            other => panic!("{name}: what is `--- {other}`?"),
        }
    }
    document.query = lines.join("\n");
    document.is_generated = false;
    document
}
