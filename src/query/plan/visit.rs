//! A walk over every filter that a plan's lists, pages, figures and groups are bounded by.

use super::{
    Connection, ConnectionKind, EdgeKind, Filters, Nodes, Output, OutputKind, Plan, RootKind, SearchKind,
};

impl Plan {
    /// Shows every `where` of the plan, those of nested fields included, in the order of the query. Not those inside
    /// other filters, nor those that the schema's computed fields write.
    pub fn each_where<'p>(&'p self, visit: &mut dyn FnMut(&'p Filters)) {
        for root in &self.roots {
            match &root.kind {
                RootKind::Nodes(nodes) => visit_nodes(nodes, visit),
                RootKind::Node { output, .. } => visit_output(output, visit),
                RootKind::Connection(connection) => visit_connection(connection, visit),
                RootKind::Aggregate(aggregate) => visit(&aggregate.filters),
                RootKind::Groups(groups) => visit(&groups.filters),
                RootKind::Search(search) => {
                    for field in &search.fields {
                        if let SearchKind::Asset(output) = &field.kind {
                            visit_output(output, visit);
                        }
                    }
                }
                RootKind::Typename | RootKind::Introspection => {}
            }
        }
    }
}

fn visit_nodes<'p>(nodes: &'p Nodes, visit: &mut dyn FnMut(&'p Filters)) {
    visit(&nodes.filters);
    visit_output(&nodes.output, visit);
}

fn visit_connection<'p>(connection: &'p Connection, visit: &mut dyn FnMut(&'p Filters)) {
    visit(&connection.filters);
    for field in &connection.fields {
        let ConnectionKind::Edges(edges) = &field.kind else { continue };
        for edge in edges {
            if let EdgeKind::Node(output) = &edge.kind {
                visit_output(output, visit);
            }
        }
    }
}

fn visit_output<'p>(output: &'p Output, visit: &mut dyn FnMut(&'p Filters)) {
    for field in output.0.iter().flat_map(|(_, fields)| fields) {
        match &field.kind {
            OutputKind::Many { nodes, .. } => visit_nodes(nodes, visit),
            OutputKind::Connection { connection, .. } => visit_connection(connection, visit),
            OutputKind::Aggregate { aggregate, .. } => visit(&aggregate.filters),
            OutputKind::One { filters, output, .. } => {
                visit(filters);
                visit_output(output, visit);
            }
            OutputKind::Embedded { output, .. } => visit_output(output, visit),
            OutputKind::Scalar(_) | OutputKind::Computed(_) | OutputKind::Typename => {}
        }
    }
}
