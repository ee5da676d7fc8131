//! Connections: a page of many assets with a cursor on each, so that the next page begins where this one ends,
//! whatever was put in before it meanwhile.

use super::{Filters, Operand, Output, SortKey};
use crate::catalog::TypeId;

/// A page of many assets.
#[derive(Clone, Debug)]
pub struct Connection {
    /// An asset type or an interface.
    pub of: TypeId,
    /// Which of the candidates.
    pub filters: Filters,
    /// The order asked for; the id breaks every tie.
    pub sort: Vec<SortKey>,
    /// The most edges; 0 gives none.
    pub first: Option<u32>,
    /// Where the page begins: behind this.
    pub after: Option<Position>,
    /// A fingerprint of type and order: a cursor holds in no other.
    pub order: u32,
    /// What to print.
    pub fields: Vec<ConnectionField>,
}

/// A place in an order. The asset that stood there need not exist any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The value of each sort key; nothing for null.
    pub values: Vec<Option<Operand>>,
    /// The type of the asset.
    pub of: TypeId,
    /// Its id.
    pub id: String,
}

/// One entry of a connection.
#[derive(Clone, Debug)]
pub struct ConnectionField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: ConnectionKind,
}

/// What a connection shows.
#[derive(Clone, Debug)]
pub enum ConnectionKind {
    /// The name of the connection's type.
    Typename,
    /// How many assets there are on all pages together.
    TotalCount,
    /// Where the page stands among the others.
    PageInfo(Vec<PageInfoField>),
    /// The assets of the page.
    Edges(Vec<EdgeField>),
}

/// One entry of a `pageInfo`.
#[derive(Clone, Debug)]
pub struct PageInfoField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: PageInfoKind,
}

/// What a `pageInfo` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageInfoKind {
    /// The name of its type.
    Typename,
    /// Whether anything comes behind the page.
    HasNextPage,
    /// Whether anything stands before the page.
    HasPreviousPage,
    /// The cursor of the first edge; null on an empty page.
    StartCursor,
    /// The cursor of the last edge; null on an empty page.
    EndCursor,
}

/// One entry of an edge.
#[derive(Clone, Debug)]
pub struct EdgeField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: EdgeKind,
}

/// What an edge shows.
#[derive(Clone, Debug)]
pub enum EdgeKind {
    /// The name of the edge's type.
    Typename,
    /// Where the asset stands in the order.
    Cursor,
    /// The asset.
    Node(Output),
}
