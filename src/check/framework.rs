//! Frameworks: which checks answer for which control. The files of `frameworks/` are the only place that says so.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{CheckError, CheckErrors, Problem};
use super::raw::{Reader, Text};
use super::source::{FrameworkFile, Sources};
use super::yaml::{self, Node};
use crate::model::nearest;

const KEYS: &[&str] = &["id", "title", "reference", "controls"];
const CONTROL_KEYS: &[&str] = &["id", "title", "checks"];

/// A framework: a benchmark, a standard, a catalogue of controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framework {
    /// Unique; the file's name, e.g. `cis-aws-3.0.0`.
    pub id: String,
    /// What it calls itself.
    pub title: String,
    /// Where to read on.
    pub reference: Option<String>,
    /// In the order of the file.
    pub controls: Vec<Control>,
}

/// One control of a framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Unique in its framework, e.g. `3.7`.
    pub id: String,
    /// What it asks, where the file says so.
    pub title: Option<String>,
    /// The ids of the checks that answer for it, in the order of the file; none where no check does.
    pub checks: Vec<String>,
}

impl Framework {
    /// The ids of all checks that answer for one of its controls, sorted.
    #[must_use]
    pub fn checks(&self) -> BTreeSet<&str> {
        self.controls.iter().flat_map(|control| &control.checks).map(String::as_str).collect()
    }
}

/// Every framework of a folder and every shipped one that it does not replace, sorted by id. A control of a shipped one
/// keeps only the checks there are: `known` are their ids.
///
/// # Errors
/// Every mistake in every file, in the order of the files.
pub fn load_frameworks(sources: &Sources, known: &BTreeSet<String>) -> Result<Vec<Framework>, CheckErrors> {
    let mut errors = Vec::new();
    let read = |file: &FrameworkFile| read_one(file, known, &mut errors);
    let frameworks: Vec<Framework> = sources.frameworks.values().filter_map(read).collect();
    if errors.is_empty() { Ok(frameworks) } else { Err(CheckErrors(errors)) }
}

/// For each check the controls it answers for, by framework.
pub(super) fn controls_of(frameworks: &[Framework]) -> BTreeMap<&str, BTreeMap<String, Vec<String>>> {
    let mut controls: BTreeMap<&str, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for framework in frameworks {
        for control in &framework.controls {
            for check in &control.checks {
                let of_check = controls.entry(check).or_default();
                of_check.entry(framework.id.clone()).or_default().push(control.id.clone());
            }
        }
    }
    controls
}

fn read_one(
    file: &FrameworkFile,
    known: &BTreeSet<String>,
    errors: &mut Vec<CheckError>,
) -> Option<Framework> {
    let root = yaml::read(&file.file, errors)?;
    let before = errors.len();
    let mut reader = Reader { file: &file.file, errors };
    let fields = reader.map("the framework", &root, KEYS)?;
    let id = reader.required(&fields, "id");
    let title = reader.required(&fields, "title");
    let reference = reader.optional(&fields, "reference");
    let nodes = reader.list("controls", fields.get("controls"));
    reader.demand(&fields, "controls");
    if let Some(id) = id.as_ref().filter(|id| id.value != file.name) {
        let problem = Problem::IdNotFile { id: id.value.clone(), name: file.name.clone() };
        reader.error(id.span.clone(), problem);
    }
    let mut controls: Vec<Control> = Vec::new();
    for node in &nodes {
        let Some((id, mut control)) = reader.control(node, file.is_own.then_some(known)) else { continue };
        if controls.iter().any(|other| other.id == control.id) {
            reader.error(id.span, Problem::Twice { what: "control", name: control.id.clone() });
            continue;
        }
        control.checks.retain(|check| known.contains(check));
        controls.push(control);
    }
    if errors.len() > before {
        return None;
    }
    Some(Framework {
        id: id?.value,
        title: title?.value,
        reference: reference.map(|text| text.value),
        controls,
    })
}

impl Reader<'_> {
    /// One control. Where `known` is given, each check must be among them.
    fn control(&mut self, node: &Node, known: Option<&BTreeSet<String>>) -> Option<(Text, Control)> {
        let fields = self.map("controls", node, CONTROL_KEYS)?;
        let id = self.required(&fields, "id");
        let title = self.optional(&fields, "title").map(|text| text.value);
        let nodes = self.list("checks", fields.get("checks"));
        self.demand(&fields, "checks");
        let mut checks: Vec<String> = Vec::new();
        for node in &nodes {
            let Some(check) = self.text("checks", node) else { continue };
            if checks.contains(&check.value) {
                self.error(check.span, Problem::Twice { what: "check", name: check.value });
                continue;
            }
            if let Some(known) = known.filter(|known| !known.contains(&check.value)) {
                let nearest = nearest(&check.value, known.iter().map(String::as_str)).map(str::to_owned);
                self.error(check.span, Problem::UnknownCheck { id: check.value, nearest });
                continue;
            }
            checks.push(check.value);
        }
        let id = id?;
        Some((id.clone(), Control { id: id.value, title, checks }))
    }
}
