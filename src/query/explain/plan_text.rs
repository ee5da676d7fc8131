//! A plan as text, one line for each thing it does: shared by `explain` and the goldens.

use std::fmt;

use super::words::Words;
use crate::{
    catalog::{Catalog, TypeId},
    query::plan::{
        Connection, ConnectionKind, EdgeKind, Filters, Nodes, Output, OutputKind, Plan, RootField, RootKind,
        SortKey,
    },
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
            lines.root(root);
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

    fn root(&mut self, root: &RootField) {
        let key = &root.key;
        let as_of = root.as_of.map_or_else(String::new, |moment| format!(" as of {moment}"));
        match &root.kind {
            RootKind::Nodes(nodes) => {
                let line = format!("{key}: list of {}{as_of}", self.name(nodes.of));
                self.push(0, &line);
                self.nodes(1, nodes);
            }
            RootKind::Node { of, id, output } => {
                let id = serde_json::Value::from(id.with(&[]).unwrap_or("?"));
                let line = format!("{key}: the {} with id {id}{as_of}", self.name(*of));
                self.push(0, &line);
                self.output(1, output);
            }
            RootKind::Connection(connection) => {
                let line = format!("{key}: page of {}{as_of}", self.name(connection.of));
                self.push(0, &line);
                self.connection(1, connection);
            }
            RootKind::Aggregate(aggregate) => {
                let line = format!("{key}: figures of {}{as_of}", self.name(aggregate.of));
                self.push(0, &line);
                self.filters(1, &aggregate.filters);
            }
            RootKind::Groups(groups) => {
                let line = format!("{key}: counts of {}{as_of}", self.name(groups.of));
                self.push(0, &line);
                self.filters(1, &groups.filters);
                let by: Vec<&str> = groups.by.iter().map(|by| by.name.as_str()).collect();
                self.push(1, &format!("by {}", by.join(", ")));
                self.limit(1, groups.limit);
            }
            RootKind::Search(search) => {
                let types: Vec<&str> = search.types.iter().map(|of| self.name(*of)).collect();
                let text = serde_json::Value::from(search.text.as_str());
                let line = format!("{key}: search for {text} in {}{as_of}", types.join(", "));
                self.push(0, &line);
                self.limit(1, search.limit);
            }
            RootKind::Typename => self.push(0, &format!("{key}: __typename")),
            RootKind::Introspection => self.push(0, &format!("{key}: introspection")),
        }
    }

    fn nodes(&mut self, depth: usize, nodes: &Nodes) {
        self.filters(depth, &nodes.filters);
        self.sort(depth, &nodes.sort);
        if nodes.offset > 0 {
            self.push(depth, &format!("offset {}", nodes.offset));
        }
        self.limit(depth, nodes.limit);
        self.output(depth, &nodes.output);
    }

    fn connection(&mut self, depth: usize, connection: &Connection) {
        self.filters(depth, &connection.filters);
        self.sort(depth, &connection.sort);
        if let Some(after) = &connection.after {
            let id = serde_json::Value::from(after.id.as_str());
            self.push(depth, &format!("after {id}"));
        }
        if let Some(first) = connection.first {
            self.push(depth, &format!("first {first}"));
        }
        for field in &connection.fields {
            let ConnectionKind::Edges(edges) = &field.kind else { continue };
            for edge in edges {
                if let EdgeKind::Node(output) = &edge.kind {
                    self.output(depth, output);
                }
            }
        }
    }

    fn filters(&mut self, depth: usize, filters: &Filters) {
        if !filters.is_unconstrained() {
            let filters = Words(self.catalog).filters(filters);
            self.push(depth, &format!("where {filters}"));
        }
    }

    fn sort(&mut self, depth: usize, keys: &[SortKey]) {
        if !keys.is_empty() {
            let keys: Vec<String> = keys.iter().map(sort_words).collect();
            self.push(depth, &format!("sort {}", keys.join(", ")));
        }
    }

    fn limit(&mut self, depth: usize, limit: Option<u32>) {
        if let Some(limit) = limit {
            self.push(depth, &format!("limit {limit}"));
        }
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
            .map(|field| field.key.name())
            .collect();
        if !plain.is_empty() {
            self.push(depth, &format!("show {}", plain.join(", ")));
        }
        for field in fields {
            let key = field.key.name();
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
                OutputKind::Connection { connection, .. } => {
                    let line = format!("show {key}: page of {}", self.name(connection.of));
                    self.push(depth, &line);
                    self.connection(depth + 1, connection);
                }
                OutputKind::Aggregate { aggregate, .. } => {
                    let line = format!("show {key}: figures of {}", self.name(aggregate.of));
                    self.push(depth, &line);
                    self.filters(depth + 1, &aggregate.filters);
                }
                OutputKind::One { filters, output, .. } => {
                    self.push(depth, &format!("show {key}: one or null"));
                    self.filters(depth + 1, filters);
                    self.output(depth + 1, output);
                }
            }
        }
    }
}

/// `name ASC`
fn sort_words(key: &SortKey) -> String {
    format!("{} {}", key.name, if key.descending { "DESC" } else { "ASC" })
}
