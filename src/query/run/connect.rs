//! Connections: which page, where it stands, and how it is written. A page begins behind a position in the order, so
//! what was put in before it moves nothing.

use super::{
    super::{Connection, ConnectionKind, EdgeKind, PageInfoKind, Position, cursor, names},
    bind::Bind,
    eval::Evaluator,
    limits::RunError,
    order::{Behind, Order},
    select::Pick,
    shape::{BoundNodes, Part, Shape},
    write::{Halt, Path, Writer},
};
use crate::{
    catalog::FieldId,
    graph::{Bitmap, Link, TableId},
};

/// A bound [`Connection`].
#[derive(Debug)]
pub(super) struct BoundConnection<'p> {
    nodes: BoundNodes<'p>,
    first: Option<u32>,
    after: Option<&'p Position>,
    order: u32,
    parts: Vec<Part<'p, ConnectionPart<'p>>>,
    /// Whether anything but the total is asked.
    needs_page: bool,
}

#[derive(Debug)]
enum ConnectionPart<'p> {
    Typename(String),
    TotalCount,
    PageInfo(Vec<Part<'p, PageInfoKind>>),
    Edges(Vec<Part<'p, EdgePart<'p>>>),
}

#[derive(Debug)]
enum EdgePart<'p> {
    Typename(String),
    Cursor,
    /// For each table that rows come from.
    Node(Vec<Shape<'p>>),
}

/// Where the candidates of a connection come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'g> {
    /// All assets of the types.
    Root,
    /// The rows related to one row.
    Related(&'g [Link], u32),
}

/// One page.
#[derive(Debug, Default)]
struct Page {
    total: usize,
    picks: Vec<Pick>,
    has_next: bool,
    has_previous: bool,
}

impl<'p> BoundConnection<'p> {
    pub(super) fn of_root(graph: Bind<'_, 'p>, connection: &'p Connection) -> Self {
        let tables = graph.catalog().concrete(connection.of).into_iter().filter_map(|of| graph.table_of(of));
        Self::bind(graph, &tables.map(|(id, _)| id).collect::<Vec<_>>(), connection)
    }

    pub(super) fn of_relation(
        graph: Bind<'_, 'p>,
        id: TableId,
        field: FieldId,
        connection: &'p Connection,
    ) -> Self {
        let links = graph.table(id).column(field).links();
        Self::bind(graph, &links.iter().map(|link| link.table).collect::<Vec<_>>(), connection)
    }

    fn bind(graph: Bind<'_, 'p>, tables: &[TableId], connection: &'p Connection) -> Self {
        let definition = graph.catalog().get(connection.of);
        let edge = |kind: &'p EdgeKind| match kind {
            EdgeKind::Typename => EdgePart::Typename(names::edge(definition)),
            EdgeKind::Cursor => EdgePart::Cursor,
            EdgeKind::Node(output) => {
                EdgePart::Node(tables.iter().map(|id| Shape::bind(graph, *id, output)).collect())
            }
        };
        let part = |kind: &'p ConnectionKind| match kind {
            ConnectionKind::Typename => ConnectionPart::Typename(names::connection(definition)),
            ConnectionKind::TotalCount => ConnectionPart::TotalCount,
            ConnectionKind::PageInfo(fields) => ConnectionPart::PageInfo(Part::all(
                fields.iter().map(|field| (field.key.as_str(), field.kind)),
            )),
            ConnectionKind::Edges(fields) => ConnectionPart::Edges(Part::all(
                fields.iter().map(|field| (field.key.as_str(), edge(&field.kind))),
            )),
        };
        let needs_page =
            |kind: &ConnectionKind| matches!(kind, ConnectionKind::PageInfo(_) | ConnectionKind::Edges(_));
        Self {
            parts: Part::all(connection.fields.iter().map(|field| (field.key.as_str(), part(&field.kind)))),
            needs_page: connection.fields.iter().any(|field| needs_page(&field.kind)),
            nodes: BoundNodes::unprinted(graph, tables, &connection.filters, &connection.sort),
            first: connection.first,
            after: connection.after.as_ref(),
            order: connection.order,
        }
    }

    /// How many rows decide the page: one more than it can hold says whether there is a next.
    fn window(&self) -> usize {
        self.first.map_or(usize::MAX, |first| (first as usize).saturating_add(1))
    }
}

impl Evaluator<'_, '_> {
    fn connection_page(
        &self,
        connection: &BoundConnection<'_>,
        source: Source<'_>,
    ) -> Result<Page, RunError> {
        let nodes = &connection.nodes;
        match source {
            Source::Root => {
                let sets = nodes
                    .candidates
                    .iter()
                    .map(|candidates| self.passing_set(candidates))
                    .collect::<Result<Vec<Bitmap>, RunError>>()?;
                let total = sets.iter().map(Bitmap::count).sum();
                if !connection.needs_page {
                    return Ok(Page { total, ..Page::default() });
                }
                let step = self.work.begin(|| page_words(connection));
                let page = if nodes.sort.is_empty() {
                    self.page_by_id(connection, &sets, total)?
                } else {
                    let rows = sets.iter().enumerate();
                    let picks = rows.flat_map(|(place, set)| set.iter().map(move |row| (place, row)));
                    self.page_behind(connection, picks.collect(), total)?
                };
                self.work.end(step, total, page.picks.len(), 0);
                Ok(page)
            }
            Source::Related(links, row) => {
                let mut picks = Vec::new();
                self.add_related(&nodes.candidates, links, row, &mut picks)?;
                let total = picks.len();
                if !connection.needs_page {
                    return Ok(Page { total, ..Page::default() });
                }
                self.page_behind(connection, picks, total)
            }
        }
    }

    /// In the order of ids only as many rows of each table are looked at as the page can hold.
    fn page_by_id(
        &self,
        connection: &BoundConnection<'_>,
        sets: &[Bitmap],
        total: usize,
    ) -> Result<Page, RunError> {
        let order = Order::new(self, &connection.nodes);
        let first_ranks = match connection.after {
            Some(position) => Behind::new(&order, &connection.nodes, position).first_ranks,
            None => vec![0; sets.len()],
        };
        let (mut picks, mut has_previous) = (Vec::new(), false);
        for ((place, set), first_rank) in sets.iter().enumerate().zip(first_ranks) {
            let Some(candidates) = connection.nodes.candidates.get(place) else { continue };
            let table = self.world.graph.table(candidates.table);
            let first = table.in_id_order(set).next();
            has_previous |= first.is_some_and(|row| table.rank(row) < first_rank);
            let behind = table.in_id_order_from(set, first_rank).take(connection.window());
            picks.extend(behind.map(|row| (place, row)));
        }
        self.cut(connection, picks, total, has_previous)
    }

    fn page_behind(
        &self,
        connection: &BoundConnection<'_>,
        mut picks: Vec<Pick>,
        total: usize,
    ) -> Result<Page, RunError> {
        if let Some(position) = connection.after {
            self.prepare_order(&connection.nodes, picks.len())?;
            let order = Order::new(self, &connection.nodes);
            let behind = Behind::new(&order, &connection.nodes, position);
            picks.retain(|pick| behind.holds(*pick));
        }
        let has_previous = picks.len() < total;
        self.cut(connection, picks, total, has_previous)
    }

    fn cut(
        &self,
        connection: &BoundConnection<'_>,
        picks: Vec<Pick>,
        total: usize,
        has_previous: bool,
    ) -> Result<Page, RunError> {
        let mut picks = self.order_first(&connection.nodes, picks, connection.window())?;
        let first = connection.first.map_or(usize::MAX, |first| first as usize);
        let has_next = picks.len() > first;
        picks.truncate(first);
        Ok(Page { total, picks, has_next, has_previous })
    }

    fn cursor(&self, connection: &BoundConnection<'_>, order: &Order<'_, '_>, pick: Pick) -> Option<String> {
        let graph = self.world.graph;
        let table = graph.table(connection.nodes.candidates.get(pick.0)?.table);
        let typename = &graph.catalog().get(table.of).name;
        Some(cursor::encode(connection.order, order.values(pick), typename, &table.id_of(pick.1)))
    }
}

impl Writer<'_, '_, '_> {
    /// A connection as an object.
    pub(super) fn write_connection(
        &mut self,
        connection: &BoundConnection<'_>,
        source: Source<'_>,
        path: &Path<'_>,
    ) -> Result<(), Halt> {
        let page = self.evaluator.connection_page(connection, source)?;
        self.write_parts(&connection.parts, |writer, part| {
            match &part.kind {
                ConnectionPart::Typename(name) => writer.write_text(name),
                ConnectionPart::TotalCount => writer.write_number(page.total),
                ConnectionPart::PageInfo(parts) => writer.write_page_info(connection, parts, &page)?,
                ConnectionPart::Edges(parts) => {
                    writer.write_edges(connection, parts, &page.picks, &path.key(part.key))?;
                }
            }
            Ok(())
        })
    }

    fn write_page_info(
        &mut self,
        connection: &BoundConnection<'_>,
        parts: &[Part<'_, PageInfoKind>],
        page: &Page,
    ) -> Result<(), Halt> {
        let evaluator = self.evaluator;
        let order = Order::new(evaluator, &connection.nodes);
        self.write_parts(parts, |writer, part| {
            let pick = match part.kind {
                PageInfoKind::Typename => {
                    writer.write_text(names::PAGE_INFO);
                    return Ok(());
                }
                PageInfoKind::HasNextPage => {
                    writer.write_truth(page.has_next);
                    return Ok(());
                }
                PageInfoKind::HasPreviousPage => {
                    writer.write_truth(page.has_previous);
                    return Ok(());
                }
                PageInfoKind::StartCursor => page.picks.first(),
                PageInfoKind::EndCursor => page.picks.last(),
            };
            match pick.and_then(|pick| evaluator.cursor(connection, &order, *pick)) {
                Some(cursor) => writer.write_text(&cursor),
                None => writer.out.extend_from_slice(b"null"),
            }
            Ok(())
        })
    }

    fn write_edges(
        &mut self,
        connection: &BoundConnection<'_>,
        parts: &[Part<'_, EdgePart<'_>>],
        picks: &[Pick],
        path: &Path<'_>,
    ) -> Result<(), Halt> {
        self.expect_rows(picks.len())?;
        let evaluator = self.evaluator;
        let order = Order::new(evaluator, &connection.nodes);
        self.out.push(b'[');
        for (index, &pick) in picks.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.begin_row()?;
            let here = path.index(index);
            self.write_parts(parts, |writer, part| {
                match &part.kind {
                    EdgePart::Typename(name) => writer.write_text(name),
                    EdgePart::Cursor => {
                        let cursor = evaluator.cursor(connection, &order, pick).unwrap_or_default();
                        writer.write_text(&cursor);
                    }
                    EdgePart::Node(shapes) => {
                        let candidates = connection.nodes.candidates.get(pick.0).zip(shapes.get(pick.0));
                        if let Some((candidates, shape)) = candidates {
                            writer.write_object(candidates.table, shape, pick.1, &here.key(part.key))?;
                        }
                    }
                }
                Ok(())
            })?;
        }
        self.out.push(b']');
        Ok(())
    }
}

/// What the step that makes the page of a root connection is called.
fn page_words(connection: &BoundConnection<'_>) -> String {
    let mut words = Vec::new();
    if !connection.nodes.sort.is_empty() {
        words.push("sort".to_owned());
    }
    words.push(connection.first.map_or_else(|| "all".to_owned(), |first| format!("first {first}")));
    if connection.after.is_some() {
        words.push("after a cursor".to_owned());
    }
    format!("page: {}", words.join(", "))
}
