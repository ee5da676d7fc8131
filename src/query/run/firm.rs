//! Whether an answer can still be taken back once part of it has gone: a field that may not be null and has nothing to
//! show makes null of what is around it, and where nothing around it may be null, of the whole answer. Told from the
//! plan and from which columns have gaps, before anything is written.

use super::super::{
    ConnectionKind, EdgeKind, Graphs, Output, OutputField, OutputKind, Plan, RootKind, SearchKind,
};
use crate::{
    catalog::{FieldId, TypeId},
    graph::{Bitmap, Graph},
};

/// Whether nothing in the answer of a plan can make null of all of it.
pub(super) fn is_firm(plan: &Plan, graphs: &Graphs<'_>) -> bool {
    plan.roots.iter().all(|root| {
        let Some(graph) = graphs.at(root.as_of) else { return true };
        match &root.kind {
            RootKind::Nodes(nodes) => output(graph, &nodes.output),
            RootKind::Connection(connection) => {
                edges(graph, connection.fields.iter().map(|field| &field.kind))
            }
            RootKind::Search(search) => search.fields.iter().all(|field| match &field.kind {
                SearchKind::Asset(of) => output(graph, of),
                _ => true,
            }),
            // One asset may be null itself; what is counted never is.
            RootKind::Node { .. }
            | RootKind::Aggregate(_)
            | RootKind::Groups(_)
            | RootKind::Typename
            | RootKind::Introspection => true,
        }
    })
}

fn edges<'p>(graph: &Graph, mut fields: impl Iterator<Item = &'p ConnectionKind>) -> bool {
    fields.all(|field| match field {
        ConnectionKind::Edges(edges) => edges.iter().all(|edge| match &edge.kind {
            EdgeKind::Node(node) => output(graph, node),
            _ => true,
        }),
        _ => true,
    })
}

fn output(graph: &Graph, output: &Output) -> bool {
    output.0.iter().all(|(of, fields)| fields.iter().all(|field| is_firm_field(graph, *of, field)))
}

fn is_firm_field(graph: &Graph, of: TypeId, field: &OutputField) -> bool {
    let may_be_null = |field: FieldId| graph.catalog().get(of).get(field).nullable;
    match &field.kind {
        OutputKind::Typename | OutputKind::Computed(_) | OutputKind::Aggregate { .. } => true,
        OutputKind::Scalar(field) => may_be_null(*field) || has_no_gap(graph, of, *field),
        OutputKind::Embedded { field, output: below } => {
            may_be_null(*field) || (has_no_gap(graph, of, *field) && output(graph, below))
        }
        OutputKind::Many { field, nodes } => may_be_null(*field) || output(graph, &nodes.output),
        OutputKind::Connection { connection, .. } => {
            edges(graph, connection.fields.iter().map(|field| &field.kind))
        }
        // Whether there is a related asset that passes is only known row by row.
        OutputKind::One { field, .. } => may_be_null(*field),
    }
}

/// Whether a field has a value that can be shown in every row of its type.
fn has_no_gap(graph: &Graph, of: TypeId, field: FieldId) -> bool {
    let Some((_, table)) = graph.table_of(of) else { return true };
    let column = table.column(field);
    [&column.nulls, &column.unknown].into_iter().flatten().all(|gaps: &Bitmap| {
        let mut gaps = gaps.clone();
        gaps.and(&table.all());
        gaps.is_empty()
    })
}
