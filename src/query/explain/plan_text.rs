//! A plan as text, one line for each thing it does: shared by `explain` and the goldens.

use std::fmt;

use super::words::Words;
use crate::{
    catalog::{Catalog, TypeId},
    query::plan::{Nodes, Output, OutputKind, Plan, RootKind, SortKey},
};

/// A plan with the catalog that its names stand in.
#[derive(Clone, Copy, Debug)]
pub struct PlanText<'p> {
    plan: &'p Plan,
    catalog: &'p Catalog,
}

impl Plan {
    /// The plan as text; `catalog` must be the one it was planned over.
    #[must_use]
    pub fn display<'p>(&'p self, catalog: &'p Catalog) -> PlanText<'p> {
        PlanText { plan: self, catalog }
    }
}

impl fmt::Display for PlanText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines { catalog: self.catalog, lines: Vec::new() };
        for root in &self.plan.roots {
            lines.root(&root.key, &root.kind);
        }
        formatter.write_str(&lines.lines.join("\n"))
    }
}

struct Lines<'c> {
    catalog: &'c Catalog,
    lines: Vec<String>,
}

impl Lines<'_> {
    fn push(&mut self, depth: usize, text: &str) {
        self.lines.push(format!("{:indent$}{text}", "", indent = depth * 2));
    }

    fn name(&self, of: TypeId) -> &str {
        &self.catalog.get(of).name
    }

    fn root(&mut self, key: &str, kind: &RootKind) {
        match kind {
            RootKind::Nodes(nodes) => {
                let line = format!("{key}: list of {}", self.name(nodes.of));
                self.push(0, &line);
                self.nodes(1, nodes);
            }
            RootKind::Node { of, id, output } => {
                let id = serde_json::Value::from(id.as_str());
                let line = format!("{key}: the {} with id {id}", self.name(*of));
                self.push(0, &line);
                self.output(1, output);
            }
            RootKind::Typename => self.push(0, &format!("{key}: __typename")),
            RootKind::Introspection => self.push(0, &format!("{key}: introspection")),
        }
    }

    fn nodes(&mut self, depth: usize, nodes: &Nodes) {
        if !nodes.filters.is_unconstrained() {
            let filters = Words(self.catalog).filters(&nodes.filters);
            self.push(depth, &format!("where {filters}"));
        }
        if !nodes.sort.is_empty() {
            let keys: Vec<String> = nodes.sort.iter().map(|key| sort_words(self.catalog, key)).collect();
            self.push(depth, &format!("sort {}", keys.join(", ")));
        }
        if nodes.offset > 0 {
            self.push(depth, &format!("offset {}", nodes.offset));
        }
        if let Some(limit) = nodes.limit {
            self.push(depth, &format!("limit {limit}"));
        }
        self.output(depth, &nodes.output);
    }

    /// What is printed: plain fields on one line, then what has lines of its own. Of an interface, once for each
    /// type that prints something else.
    fn output(&mut self, depth: usize, output: &Output) {
        let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
        for (of, _) in &output.0 {
            let mut block = Lines { catalog: self.catalog, lines: Vec::new() };
            block.fields(depth, *of, output);
            match blocks.iter_mut().find(|(_, lines)| *lines == block.lines) {
                Some((names, _)) => *names = format!("{names}, {}", self.name(*of)),
                None => blocks.push((self.name(*of).to_owned(), block.lines)),
            }
        }
        let are_several = blocks.len() > 1;
        for (names, lines) in blocks {
            if are_several {
                self.push(depth, &format!("of {names}:"));
            }
            self.lines.extend(lines);
        }
    }

    fn fields(&mut self, depth: usize, of: TypeId, output: &Output) {
        let fields = output.of(of);
        let plain: Vec<&str> = fields
            .iter()
            .filter(|field| matches!(field.kind, OutputKind::Scalar(_) | OutputKind::Typename))
            .map(|field| field.key.as_str())
            .collect();
        if !plain.is_empty() {
            self.push(depth, &format!("show {}", plain.join(", ")));
        }
        for field in fields {
            let key = &field.key;
            match &field.kind {
                OutputKind::Typename | OutputKind::Scalar(_) => {}
                OutputKind::Computed(filter) => {
                    let body = filter
                        .as_ref()
                        .map_or_else(String::new, |filter| Words(self.catalog).body(of, filter));
                    self.push(depth, &format!("show {key}: whether {body}"));
                }
                OutputKind::Embedded { output, .. } => {
                    self.push(depth, &format!("show {key}:"));
                    self.output(depth + 1, output);
                }
                OutputKind::Many { nodes, .. } => {
                    let line = format!("show {key}: list of {}", self.name(nodes.of));
                    self.push(depth, &line);
                    self.nodes(depth + 1, nodes);
                }
                OutputKind::One { filters, output, .. } => {
                    self.push(depth, &format!("show {key}: one or null"));
                    if !filters.is_unconstrained() {
                        let filters = Words(self.catalog).filters(filters);
                        self.push(depth + 1, &format!("where {filters}"));
                    }
                    self.output(depth + 1, output);
                }
            }
        }
    }
}

/// `name ASC`
fn sort_words(catalog: &Catalog, key: &SortKey) -> String {
    let name = key.fields.first().map_or("", |(of, field)| catalog.get(*of).get(*field).name.as_str());
    format!("{name} {}", if key.descending { "DESC" } else { "ASC" })
}
