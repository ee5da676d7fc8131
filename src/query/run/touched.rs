//! Which asset types a plan touches, and which of their slices are not complete: what `extensions.incomplete` of a
//! plain query lists, and what a check rests on.

use std::collections::BTreeSet;

use super::super::{
    Aggregate, Connection, ConnectionKind, EdgeKind, Filter, Filters, Graphs, Nodes, Output, OutputKind,
    Plan, RootField, RootKind, SearchKind, SortBy, SortKey, SortedValue,
};
use crate::{
    catalog::{Catalog, FieldId, FieldKind, RelationKeys, TypeId},
    graph::Graph,
    model::{SliceState, Time},
};

/// A slice that a plan touches and that was not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// The moment that was asked for; nothing for the present.
    pub as_of: Option<Time>,
    /// The slice as it was then.
    pub slice: SliceState,
}

/// The slices that are not complete, of the types a plan touches, for each moment it asks for (the present first);
/// ordered by account, region, type.
#[must_use]
pub fn incomplete_slices<'g>(plan: &Plan, graphs: impl Into<Graphs<'g>>) -> Vec<Incomplete> {
    let graphs = graphs.into();
    let of_moment = |as_of: Option<Time>| {
        let slices = graphs.at(as_of).map(|graph| incomplete_at(plan, as_of, graph)).unwrap_or_default();
        slices.into_iter().map(move |slice| Incomplete { as_of, slice })
    };
    plan.moments().into_iter().flat_map(of_moment).collect()
}

fn incomplete_at(plan: &Plan, as_of: Option<Time>, graph: &Graph) -> Vec<SliceState> {
    let Some(slices) = graph.slices() else { return Vec::new() };
    // Most often there are none: what the plan touches is not asked then.
    if slices.is_complete() {
        return Vec::new();
    }
    let catalog = graph.catalog();
    let touched = touched_by_roots(catalog, plan.roots.iter().filter(|root| root.as_of == as_of));
    let names: BTreeSet<&str> = touched.iter().map(|of| catalog.get(*of).name.as_str()).collect();
    let mut missing: Vec<SliceState> =
        names.iter().flat_map(|name| slices.incomplete(name)).cloned().collect();
    missing.sort_by(|one, other| one.key.cmp(&other.key));
    missing
}

/// The asset types whose assets a plan looks at: those it lists, relates to, and goes through on the way.
#[must_use]
pub fn touched_types(catalog: &Catalog, plan: &Plan) -> BTreeSet<TypeId> {
    touched_by_roots(catalog, plan.roots.iter())
}

/// The asset types whose assets decide which assets of a type satisfy filters, the type itself included.
#[must_use]
pub fn touched_by_filters(catalog: &Catalog, of: TypeId, filters: &Filters) -> BTreeSet<TypeId> {
    let mut touched = Touched { catalog, types: BTreeSet::new() };
    touched.add(of);
    touched.filters(filters);
    touched.types
}

fn touched_by_roots<'p>(catalog: &Catalog, roots: impl Iterator<Item = &'p RootField>) -> BTreeSet<TypeId> {
    let mut touched = Touched { catalog, types: BTreeSet::new() };
    for root in roots {
        match &root.kind {
            RootKind::Nodes(nodes) => touched.nodes(nodes),
            RootKind::Node { of, output, .. } => {
                touched.add(*of);
                touched.output(output);
            }
            RootKind::Connection(connection) => touched.connection(connection),
            RootKind::Aggregate(aggregate) => touched.aggregate(aggregate),
            RootKind::Groups(groups) => {
                touched.add(groups.of);
                touched.filters(&groups.filters);
                for by in groups.by.iter().filter_map(|grouped| grouped.by.as_ref()) {
                    touched.sorted(by);
                }
            }
            RootKind::Search(search) => {
                touched.types.extend(&search.types);
                for field in &search.fields {
                    if let SearchKind::Asset(output) = &field.kind {
                        touched.output(output);
                    }
                }
            }
            RootKind::Typename | RootKind::Introspection => {}
        }
    }
    touched.types
}

struct Touched<'c> {
    catalog: &'c Catalog,
    types: BTreeSet<TypeId>,
}

impl Touched<'_> {
    fn add(&mut self, of: TypeId) {
        self.types.extend(self.catalog.concrete(of));
    }

    fn nodes(&mut self, Nodes { of, filters, sort, output, .. }: &Nodes) {
        self.add(*of);
        self.filters(filters);
        self.sort(sort);
        self.output(output);
    }

    fn connection(&mut self, connection: &Connection) {
        self.add(connection.of);
        self.filters(&connection.filters);
        self.sort(&connection.sort);
        for field in &connection.fields {
            let ConnectionKind::Edges(edges) = &field.kind else { continue };
            for edge in edges {
                if let EdgeKind::Node(output) = &edge.kind {
                    self.output(output);
                }
            }
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        self.add(aggregate.of);
        self.filters(&aggregate.filters);
    }

    fn sort(&mut self, sort: &[SortKey]) {
        for key in sort {
            self.sorted(&key.by);
        }
    }

    fn sorted(&mut self, by: &SortBy) {
        match by {
            SortBy::Value(values) => {
                for (of, value) in values {
                    if let SortedValue::Computed(filter) = value {
                        self.filter(*of, filter);
                    }
                }
            }
            SortBy::Count(relation) => self.relations(relation),
            SortBy::Through { relation, by } => {
                self.relations(relation);
                self.sorted(by);
            }
        }
    }

    fn relations(&mut self, places: &[(TypeId, FieldId)]) {
        for (of, field) in places {
            self.relation(*of, *field);
        }
    }

    fn filters(&mut self, filters: &Filters) {
        for (of, filter) in &filters.0 {
            if let Some(filter) = filter {
                self.filter(*of, filter);
            }
        }
    }

    fn filter(&mut self, of: TypeId, filter: &Filter) {
        match filter {
            Filter::Constant(_) | Filter::IsNull(_) | Filter::Field(..) => {}
            Filter::All(filters) | Filter::Any(filters) => {
                for filter in filters {
                    self.filter(of, filter);
                }
            }
            Filter::Not(inner) | Filter::Holds(inner) => self.filter(of, inner),
            Filter::Related { field, filters, .. } => {
                self.relation(of, *field);
                self.filters(filters);
            }
            // What an aggregate reads of the related assets is stored in them.
            Filter::NoneRelated(field) | Filter::Aggregate { field, .. } => self.relation(of, *field),
        }
    }

    fn output(&mut self, output: &Output) {
        for (of, fields) in &output.0 {
            for field in fields {
                match &field.kind {
                    OutputKind::Typename | OutputKind::Scalar(_) | OutputKind::Embedded { .. } => {}
                    OutputKind::Computed(filter) => {
                        if let Some(filter) = filter {
                            self.filter(*of, filter);
                        }
                    }
                    OutputKind::Many { field, nodes } => {
                        self.relation(*of, *field);
                        self.nodes(nodes);
                    }
                    OutputKind::Connection { field, connection } => {
                        self.relation(*of, *field);
                        self.connection(connection);
                    }
                    OutputKind::Aggregate { field, aggregate } => {
                        self.relation(*of, *field);
                        self.aggregate(aggregate);
                    }
                    OutputKind::One { field, filters, output } => {
                        self.relation(*of, *field);
                        self.filters(filters);
                        self.output(output);
                    }
                }
            }
        }
    }

    fn relation(&mut self, of: TypeId, field: FieldId) {
        if let FieldKind::Relation { target, keys, .. } = &self.catalog.get(of).get(field).kind {
            self.add(*target);
            if let RelationKeys::Paths(paths) = keys {
                for path in paths {
                    self.path(of, path);
                }
            }
        }
    }

    fn path(&mut self, of: TypeId, path: &[String]) {
        let Some((hop, rest)) = path.split_first() else { return };
        for of in self.catalog.concrete(of) {
            if let Some((field, definition)) = self.catalog.get(of).find(hop) {
                self.relation(of, field);
                if let FieldKind::Relation { target, .. } = definition.kind {
                    self.path(target, rest);
                }
            }
        }
    }
}
