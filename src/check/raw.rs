//! The shape of a `check.yaml`: its keys and the kinds of their values. What the values mean is for `load`.

use std::ops::Range;

use super::error::{CheckError, Problem};
use super::source::SourceFile;
use super::yaml::{self, Key, Node, Value};
use crate::model::nearest;

const KEYS: &[&str] = &[
    "id",
    "title",
    "severity",
    "covers",
    "expect",
    "schedule",
    "max_age",
    "priority",
    "rationale",
    "references",
];
const EXPECT_KEYS: &[&str] = &["rego"];
const PRIORITY_KEYS: &[&str] = &["label", "where"];

/// Text and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) span: Range<usize>,
}

impl Text {
    /// The bytes of the file that a stretch of the text stands at; all of the text where it is written with escapes.
    pub(super) fn part(&self, file: &str, stretch: &Range<usize>) -> Range<usize> {
        let raw = file.get(self.span.clone()).unwrap_or_default();
        match raw.find(&self.value) {
            Some(at) => self.span.start + at + stretch.start..self.span.start + at + stretch.end,
            None => self.span.clone(),
        }
    }
}

/// A `check.yaml` with all keys known and all values of the right kind.
#[derive(Clone, Debug)]
pub(super) struct RawCheck {
    pub(super) id: Text,
    pub(super) title: Text,
    pub(super) severity: Text,
    pub(super) covers: Text,
    pub(super) expect: RawExpect,
    pub(super) schedule: Option<Text>,
    pub(super) max_age: Option<Text>,
    pub(super) priority: Vec<RawPriority>,
    pub(super) rationale: Option<Text>,
    pub(super) references: Vec<Text>,
}

/// What stands behind `expect`.
#[derive(Clone, Debug)]
pub(super) enum RawExpect {
    /// An expectation in words, e.g. `eq []`.
    Words(Text),
    /// `{rego: policy.rego}`: the name of a file.
    Rego(Text),
}

/// One entry of `priority`.
#[derive(Clone, Debug)]
pub(super) struct RawPriority {
    pub(super) label: Text,
    pub(super) filter: Text,
}

impl RawCheck {
    /// Reads the file; every mistake is reported, and nothing is returned if there is one.
    pub(super) fn read(file: &SourceFile, errors: &mut Vec<CheckError>) -> Option<Self> {
        let root = yaml::read(file, errors)?;
        let before = errors.len();
        let mut reader = Reader { file, errors };
        let fields = reader.map("check.yaml", &root, KEYS)?;
        let raw = reader.check(&fields);
        if errors.len() == before { raw } else { None }
    }
}

/// Walks a document and notes what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) errors: &'a mut Vec<CheckError>,
}

/// The entries of one map, and the map's own place.
pub(super) struct Fields<'a> {
    entries: &'a [(Key, Node)],
    span: Range<usize>,
    /// Keys that are there under a name that is nearly theirs: told already.
    misspelt: Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name.name == key).map(|(_, node)| node)
    }

    /// Whether a key is neither there nor there under nearly its name.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.get(key).is_none() && !self.misspelt.iter().any(|name| name == key)
    }
}

impl Reader<'_> {
    fn check(&mut self, fields: &Fields<'_>) -> Option<RawCheck> {
        // Every key is read before the first missing one ends it, so that all mistakes are told at once.
        let id = self.required(fields, "id");
        let title = self.required(fields, "title");
        let severity = self.required(fields, "severity");
        let covers = self.required(fields, "covers");
        let expect = self.expect(fields);
        let schedule = self.optional(fields, "schedule");
        let max_age = self.optional(fields, "max_age");
        let priority = self.list("priority", fields.get("priority"));
        let priority = priority.iter().filter_map(|node| self.priority(node)).collect();
        let rationale = self.optional(fields, "rationale");
        let references = self.list("references", fields.get("references"));
        let references = references.iter().filter_map(|node| self.text("references", node)).collect();
        Some(RawCheck {
            id: id?,
            title: title?,
            severity: severity?,
            covers: covers?,
            expect: expect?,
            schedule,
            max_age,
            priority,
            rationale,
            references,
        })
    }

    fn expect(&mut self, fields: &Fields<'_>) -> Option<RawExpect> {
        match fields.get("expect") {
            Some(node) if node.entries().is_some() => {
                let fields = self.map("expect", node, EXPECT_KEYS)?;
                self.required(&fields, "rego").map(RawExpect::Rego)
            }
            _ => self.required(fields, "expect").map(RawExpect::Words),
        }
    }

    fn priority(&mut self, node: &Node) -> Option<RawPriority> {
        let fields = self.map("priority", node, PRIORITY_KEYS)?;
        let label = self.required(&fields, "label");
        let filter = self.required(&fields, "where");
        Some(RawPriority { label: label?, filter: filter? })
    }

    /// The entries of a map, all of whose keys are known.
    pub(super) fn map<'n>(
        &mut self,
        name: &str,
        node: &'n Node,
        known: &'static [&'static str],
    ) -> Option<Fields<'n>> {
        let Some(entries) = node.entries() else {
            self.wrong_kind(name, "a map", node);
            return None;
        };
        let mut misspelt = Vec::new();
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.name.as_str())) {
            let nearest = nearest(&key.name, known.iter().copied()).map(str::to_owned);
            misspelt.extend(nearest.clone());
            self.error(key.span.clone(), Problem::UnknownKey { key: key.name.clone(), nearest, known });
        }
        Some(Fields { entries, span: node.span.clone(), misspelt })
    }

    /// Text that must be there and hold something.
    pub(super) fn required(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<Text> {
        let Some(node) = fields.get(key) else {
            self.demand(fields, key);
            return None;
        };
        let text = self.text(key, node)?;
        if text.value.trim().is_empty() {
            let problem =
                Problem::WrongKind { key: key.to_owned(), expected: "text", found: "an empty text" };
            self.error(node.span.clone(), problem);
            return None;
        }
        Some(text)
    }

    /// Reports a key that must be there and isn't.
    pub(super) fn demand(&mut self, fields: &Fields<'_>, key: &'static str) {
        if fields.lacks(key) {
            self.error(fields.span.start..fields.span.start, Problem::MissingKey { key });
        }
    }

    pub(super) fn optional(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<Text> {
        fields.get(key).and_then(|node| self.text(key, node))
    }

    pub(super) fn text(&mut self, key: &str, node: &Node) -> Option<Text> {
        let Some(text) = node.text() else {
            self.wrong_kind(key, "text", node);
            return None;
        };
        Some(Text { value: text.to_owned(), span: node.span.clone() })
    }

    pub(super) fn list(&mut self, key: &str, node: Option<&Node>) -> Vec<Node> {
        match node {
            None => Vec::new(),
            Some(Node { value: Value::List(nodes), .. }) => nodes.clone(),
            Some(node) => {
                self.wrong_kind(key, "a list", node);
                Vec::new()
            }
        }
    }

    pub(super) fn wrong_kind(&mut self, key: &str, expected: &'static str, node: &Node) {
        let problem = Problem::WrongKind { key: key.to_owned(), expected, found: node.kind() };
        self.error(node.span.clone(), problem);
    }

    pub(super) fn error(&mut self, span: Range<usize>, problem: Problem) {
        self.errors.push(self.file.error(Some(span), problem));
    }
}
