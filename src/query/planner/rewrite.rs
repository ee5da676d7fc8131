//! Simplified plans: filters that ask the same with less work. Every rule holds in the closed and the open world.

use crate::query::plan::{
    Aggregate, Connection, ConnectionKind, EdgeKind, Filter, Filters, Nodes, Output, OutputKind, Plan,
    Quantifier, RootKind, SearchKind, SortBy, SortKey, SortedValue,
};

/// Applies every rule to every filter of a plan.
pub(super) fn simplify(mut plan: Plan) -> Plan {
    for root in &mut plan.roots {
        match &mut root.kind {
            RootKind::Nodes(nodes) => simplify_nodes(nodes),
            RootKind::Node { output, .. } => simplify_output(output),
            RootKind::Connection(connection) => simplify_connection(connection),
            RootKind::Aggregate(Aggregate { filters, .. }) => simplify_filters(filters),
            RootKind::Groups(groups) => {
                simplify_filters(&mut groups.filters);
                for grouped in groups.by.iter_mut().filter_map(|grouped| grouped.by.as_mut()) {
                    simplify_sorted(grouped);
                }
            }
            RootKind::Search(search) => {
                for field in &mut search.fields {
                    if let SearchKind::Asset(output) = &mut field.kind {
                        simplify_output(output);
                    }
                }
            }
            RootKind::Typename | RootKind::Introspection => {}
        }
    }
    plan
}

fn simplify_nodes(nodes: &mut Nodes) {
    simplify_filters(&mut nodes.filters);
    simplify_sort(&mut nodes.sort);
    simplify_output(&mut nodes.output);
}

fn simplify_connection(connection: &mut Connection) {
    simplify_filters(&mut connection.filters);
    simplify_sort(&mut connection.sort);
    for field in &mut connection.fields {
        let ConnectionKind::Edges(edges) = &mut field.kind else { continue };
        for edge in edges {
            if let EdgeKind::Node(output) = &mut edge.kind {
                simplify_output(output);
            }
        }
    }
}

fn simplify_sort(sort: &mut [SortKey]) {
    for key in sort {
        simplify_sorted(&mut key.by);
    }
}

fn simplify_sorted(by: &mut SortBy) {
    match by {
        SortBy::Value(values) => {
            for (_, value) in values {
                if let SortedValue::Computed(filter) = value {
                    let written = std::mem::replace(filter, Filter::Constant(true));
                    *filter = simplify_filter(written);
                }
            }
        }
        SortBy::Count(_) => {}
        SortBy::Through { by, .. } => simplify_sorted(by),
    }
}

fn simplify_output(output: &mut Output) {
    for field in output.0.iter_mut().flat_map(|(_, fields)| fields) {
        match &mut field.kind {
            OutputKind::Many { nodes, .. } => simplify_nodes(nodes),
            OutputKind::One { filters, output, .. } => {
                simplify_filters(filters);
                simplify_output(output);
            }
            OutputKind::Embedded { output, .. } => simplify_output(output),
            OutputKind::Connection { connection, .. } => simplify_connection(connection),
            OutputKind::Aggregate { aggregate, .. } => simplify_filters(&mut aggregate.filters),
            OutputKind::Computed(filter) => {
                *filter = filter.take().map(|filter| Box::new(simplify_filter(*filter)));
            }
            OutputKind::Typename | OutputKind::Scalar(_) => {}
        }
    }
}

fn simplify_filters(filters: &mut Filters) {
    for (_, filter) in &mut filters.0 {
        *filter = filter.take().map(simplify_filter);
    }
}

fn simplify_filter(filter: Filter) -> Filter {
    match filter {
        Filter::All(members) => single_or(
            flatten(members, |member| match member {
                Filter::All(inner) => Ok(inner),
                other => Err(other),
            }),
            Filter::All,
        ),
        Filter::Any(members) => {
            let flat = flatten(members, |member| match member {
                Filter::Any(inner) => Ok(inner),
                other => Err(other),
            });
            single_or(absorb_none_related(flat), Filter::Any)
        }
        Filter::Not(inner) => match simplify_filter(*inner) {
            Filter::Not(twice) => *twice,
            Filter::Constant(value) => Filter::Constant(!value),
            other => Filter::Not(Box::new(other)),
        },
        Filter::Holds(inner) => Filter::Holds(Box::new(simplify_filter(*inner))),
        Filter::Related { field, quantifier, mut filters } => {
            simplify_filters(&mut filters);
            Filter::Related { field, quantifier, filters }
        }
        leaf @ (Filter::Constant(_)
        | Filter::IsNull(_)
        | Filter::Field(..)
        | Filter::NoneRelated(_)
        | Filter::Aggregate { .. }) => leaf,
    }
}

/// Simplifies members and lifts those of the same kind into the list.
fn flatten(members: Vec<Filter>, open: impl Fn(Filter) -> Result<Vec<Filter>, Filter>) -> Vec<Filter> {
    let mut flat = Vec::with_capacity(members.len());
    for member in members {
        match open(simplify_filter(member)) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    flat
}

/// `OR: [{rel: null}, {rel_NONE: p}]` is `rel_NONE: p`: where nothing is related, nothing matches.
fn absorb_none_related(members: Vec<Filter>) -> Vec<Filter> {
    let covered: Vec<_> = members
        .iter()
        .filter_map(|member| match member {
            Filter::Related { field, quantifier: Quantifier::None, .. } => Some(*field),
            _ => None,
        })
        .collect();
    members
        .into_iter()
        .filter(|member| !matches!(member, Filter::NoneRelated(field) if covered.contains(field)))
        .collect()
}

fn single_or(mut members: Vec<Filter>, many: impl Fn(Vec<Filter>) -> Filter) -> Filter {
    match members.pop() {
        Some(only) if members.is_empty() => only,
        Some(last) => {
            members.push(last);
            many(members)
        }
        None => many(members),
    }
}
