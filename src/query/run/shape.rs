//! The output part of a plan bound to the tables of one graph: keys already written as JSON, columns already found.

use std::cell::{Cell, OnceCell};

use super::{
    super::{Filters, Nodes, Output, OutputField, OutputKind, ResponseKey, SortKey},
    bind::Bind,
    connect::BoundConnection,
    figures::BoundAggregate,
    node::Node,
    order::BoundKey,
};
use crate::{
    catalog::{FieldId, TypeId},
    graph::{Bitmap, TableId},
};

/// What to print of the rows of one table.
#[derive(Debug)]
pub(super) struct Shape<'p> {
    pub(super) slots: Vec<Slot<'p>>,
}

/// One entry of an object.
#[derive(Debug)]
pub(super) struct Slot<'p> {
    pub(super) key: &'p ResponseKey,
    pub(super) kind: SlotKind<'p>,
}

#[derive(Debug)]
pub(super) enum SlotKind<'p> {
    Typename(Vec<u8>),
    Scalar { field: FieldId, nullable: bool },
    Computed(Box<Candidates<'p>>),
    Embedded { field: FieldId, nullable: bool, shapes: Vec<Shape<'p>> },
    Many { field: FieldId, nullable: bool, nodes: BoundNodes<'p> },
    Connection { field: FieldId, connection: Box<BoundConnection<'p>> },
    Aggregate { field: FieldId, aggregate: Box<BoundAggregate<'p>> },
    One { field: FieldId, nullable: bool, candidates: Vec<Candidates<'p>> },
}

/// Which rows of one table, and what to print of them.
#[derive(Debug)]
pub(super) struct Candidates<'p> {
    pub(super) table: TableId,
    pub(super) node: Node<'p>,
    pub(super) shape: Shape<'p>,
    /// The rows that pass, once so many were asked for that a scan is cheaper.
    pub(super) passing: OnceCell<Bitmap>,
    /// How many single rows were asked for so far.
    pub(super) asked: Cell<usize>,
}

/// A bound [`Nodes`].
#[derive(Debug)]
pub(super) struct BoundNodes<'p> {
    /// For a root, each asset type; for a relation, each link.
    pub(super) candidates: Vec<Candidates<'p>>,
    pub(super) sort: Vec<BoundKey<'p>>,
    pub(super) limit: Option<u32>,
    pub(super) offset: u32,
}

impl<'p> Shape<'p> {
    pub(super) fn bind(graph: Bind<'_, 'p>, id: TableId, output: &'p Output) -> Self {
        let of = graph.table(id).of;
        Self { slots: output.of(of).iter().map(|field| Slot::bind(graph, id, field)).collect() }
    }
}

impl<'p> Slot<'p> {
    fn bind(graph: Bind<'_, 'p>, id: TableId, field: &'p OutputField) -> Self {
        let table = graph.table(id);
        let definition = graph.catalog().get(table.of);
        let nullable = |field: FieldId| definition.get(field).nullable;
        let kind = match &field.kind {
            OutputKind::Typename => SlotKind::Typename(format!("\"{}\"", definition.name).into_bytes()),
            OutputKind::Scalar(field) => SlotKind::Scalar { field: *field, nullable: nullable(*field) },
            OutputKind::Computed(filter) => {
                let node =
                    filter.as_deref().map_or(Node::Constant(true), |filter| Node::bind(graph, table, filter));
                SlotKind::Computed(Box::new(Candidates::new(id, node, Shape { slots: Vec::new() })))
            }
            OutputKind::Embedded { field, output } => SlotKind::Embedded {
                field: *field,
                nullable: nullable(*field),
                shapes: table
                    .column(*field)
                    .links()
                    .iter()
                    .map(|link| Shape::bind(graph, link.table, output))
                    .collect(),
            },
            OutputKind::Many { field, nodes } => SlotKind::Many {
                field: *field,
                nullable: nullable(*field),
                nodes: BoundNodes::of_relation(graph, id, *field, nodes),
            },
            OutputKind::Connection { field, connection } => SlotKind::Connection {
                field: *field,
                connection: Box::new(BoundConnection::of_relation(graph, id, *field, connection)),
            },
            OutputKind::Aggregate { field, aggregate } => SlotKind::Aggregate {
                field: *field,
                aggregate: Box::new(BoundAggregate::of_relation(graph, id, *field, aggregate)),
            },
            OutputKind::One { field, filters, output } => SlotKind::One {
                field: *field,
                nullable: nullable(*field),
                candidates: table
                    .column(*field)
                    .links()
                    .iter()
                    .map(|link| Candidates::bind(graph, link.table, filters, output))
                    .collect(),
            },
        };
        Self { key: &field.key, kind }
    }
}

impl<'p> Candidates<'p> {
    fn bind(graph: Bind<'_, 'p>, table: TableId, filters: &'p Filters, output: &'p Output) -> Self {
        let node = Node::of_table(graph, graph.table(table), filters);
        Self::new(table, node, Shape::bind(graph, table, output))
    }

    /// Rows of which nothing is printed.
    pub(super) fn unprinted(graph: Bind<'_, 'p>, table: TableId, filters: &'p Filters) -> Self {
        let node = Node::of_table(graph, graph.table(table), filters);
        Self::new(table, node, Shape { slots: Vec::new() })
    }

    pub(super) fn new(table: TableId, node: Node<'p>, shape: Shape<'p>) -> Self {
        Self { table, node, shape, passing: OnceCell::new(), asked: Cell::new(0) }
    }
}

impl<'p> BoundNodes<'p> {
    pub(super) fn of_root(graph: Bind<'_, 'p>, nodes: &'p Nodes) -> Self {
        if let Some((only, _)) = graph.table_of(nodes.of) {
            return Self::bind(graph, &[only], nodes);
        }
        let types: Vec<TypeId> = graph.catalog().concrete(nodes.of);
        let tables = types.into_iter().filter_map(|of| graph.table_of(of)).map(|(id, _)| id);
        Self::bind(graph, &tables.collect::<Vec<_>>(), nodes)
    }

    fn of_relation(graph: Bind<'_, 'p>, id: TableId, field: FieldId, nodes: &'p Nodes) -> Self {
        match graph.table(id).column(field).links() {
            [only] => Self::bind(graph, &[only.table], nodes),
            links => Self::bind(graph, &links.iter().map(|link| link.table).collect::<Vec<_>>(), nodes),
        }
    }

    fn bind(graph: Bind<'_, 'p>, tables: &[TableId], nodes: &'p Nodes) -> Self {
        let Nodes { filters, sort, limit, offset, output, .. } = nodes;
        let candidates = tables.iter().map(|table| Candidates::bind(graph, *table, filters, output));
        let sort = sort.iter().map(|key| BoundKey::bind(graph, tables, key));
        Self { candidates: candidates.collect(), sort: sort.collect(), limit: *limit, offset: *offset }
    }

    /// Rows in an order, whole and with nothing printed of them.
    pub(super) fn unprinted(
        graph: Bind<'_, 'p>,
        tables: &[TableId],
        filters: &'p Filters,
        sort: &'p [SortKey],
    ) -> Self {
        let candidates = tables.iter().map(|table| Candidates::unprinted(graph, *table, filters));
        let sort = sort.iter().map(|key| BoundKey::bind(graph, tables, key));
        Self { candidates: candidates.collect(), sort: sort.collect(), limit: None, offset: 0 }
    }
}

/// One entry of an object of a generated type: what a [`Slot`] is of an asset.
#[derive(Debug)]
pub(super) struct Part<'p, K> {
    /// `{"key":` for the first entry, `,"key":` for the others.
    pub(super) prefix: Vec<u8>,
    pub(super) key: &'p str,
    pub(super) kind: K,
}

impl<'p, K> Part<'p, K> {
    /// The entries of an object, in order.
    pub(super) fn all(entries: impl Iterator<Item = (&'p str, K)>) -> Vec<Self> {
        let part = |(place, (key, kind))| Self { prefix: prefix_of(place, key), key, kind };
        entries.enumerate().map(part).collect()
    }
}

/// `{"key":` for the first entry, `,"key":` for the others.
pub(super) fn prefix_of(place: usize, key: &str) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(key.len() + 4);
    prefix.push(if place == 0 { b'{' } else { b',' });
    write_key(key, &mut prefix);
    prefix
}

/// Appends `"key":`. A response key is a GraphQL name, in which nothing is to be escaped.
pub(super) fn write_key(key: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}
