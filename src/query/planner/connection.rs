//! Connections: their arguments, and what is asked of them, their edges and their `pageInfo`.

use super::{
    Planner,
    input::{Input, Shape},
    nodes::Arguments,
    parents::Parent,
    selection::{Group, Selected},
};
use crate::{
    catalog::{FieldKind, ScalarType, TypeId},
    query::{
        cursor::{self, CursorFault},
        error::QueryErrorKind,
        plan::{
            Connection, ConnectionField, ConnectionKind, EdgeField, EdgeKind, Filters, Operand, Output,
            PageInfoField, PageInfoKind, Position, SortBy, SortKey, SortedValue,
        },
    },
};

/// The arguments of a connection.
pub(super) const ARGUMENTS: [&str; 4] = ["where", "sort", "first", "after"];

impl<'a> Planner<'a> {
    /// `vpcsConnection`
    pub(super) fn root_connection(
        &self,
        of: TypeId,
        arguments: &Arguments<'a>,
        group: &Group<'a>,
    ) -> Connection {
        let filters = self.filters(of, "where", arguments.get_unless_null(self, "where"));
        let sort = self.sort(of, arguments.get_unless_null(self, "sort"));
        self.connection(of, filters, sort, arguments, group)
    }

    /// `relConnection`: its `where` and `sort` speak of `node`.
    pub(super) fn relation_connection(
        &self,
        of: TypeId,
        arguments: &Arguments<'a>,
        group: &Group<'a>,
    ) -> Connection {
        let filters = match arguments.get_unless_null(self, "where") {
            Some(input) => self.connection_filters(of, "where", input),
            None => self.filters(of, "where", None),
        };
        let sort = self.connection_sort(of, arguments.get_unless_null(self, "sort"));
        self.connection(of, filters, sort, arguments, group)
    }

    fn connection(
        &self,
        of: TypeId,
        filters: Filters,
        sort: Vec<SortKey>,
        arguments: &Arguments<'a>,
        group: &Group<'a>,
    ) -> Connection {
        let first = arguments.get_unless_null(self, "first");
        let first = first.and_then(|input| self.page_number("first", input));
        let order = cursor::fingerprint(&self.catalog.get(of).name, &sort);
        let after = arguments.get_unless_null(self, "after");
        let after = after.and_then(|input| self.position(of, &sort, order, input));
        let fields = self.connection_fields(of, &group.selected);
        Connection { of, filters, sort, first: self.page_limit(of, first), after, order, fields }
    }

    fn connection_fields(&self, of: TypeId, selected: &[Selected<'a>]) -> Vec<ConnectionField> {
        self.generated_fields(Parent::Connection(of), selected, |group, name| {
            let kind = match name {
                "__typename" => ConnectionKind::Typename,
                "totalCount" => ConnectionKind::TotalCount,
                "pageInfo" => ConnectionKind::PageInfo(self.page_info(&group.selected)),
                _ => ConnectionKind::Edges(self.edge_fields(of, &group.selected)),
            };
            Some(ConnectionField { key: group.key.to_owned(), kind })
        })
    }

    fn page_info(&self, selected: &[Selected<'a>]) -> Vec<PageInfoField> {
        self.generated_fields(Parent::PageInfo, selected, |group, name| {
            let kind = match name {
                "__typename" => PageInfoKind::Typename,
                "hasNextPage" => PageInfoKind::HasNextPage,
                "hasPreviousPage" => PageInfoKind::HasPreviousPage,
                "startCursor" => PageInfoKind::StartCursor,
                _ => PageInfoKind::EndCursor,
            };
            Some(PageInfoField { key: group.key.to_owned(), kind })
        })
    }

    fn edge_fields(&self, of: TypeId, selected: &[Selected<'a>]) -> Vec<EdgeField> {
        self.generated_fields(Parent::Edge(of), selected, |group, name| {
            let kind = match name {
                "__typename" => EdgeKind::Typename,
                "cursor" => EdgeKind::Cursor,
                _ => {
                    let output: Output = self.output(of, &group.selected);
                    EdgeKind::Node(output)
                }
            };
            Some(EdgeField { key: group.key.to_owned(), kind })
        })
    }

    /// The place a cursor stands for (Q20).
    fn position(&self, of: TypeId, sort: &[SortKey], order: u32, input: Input<'a>) -> Option<Position> {
        let text = match input.shape(self.scope) {
            Shape::Text(text) => text,
            other => {
                self.refuse_shape("after", input, "a cursor that this connection gave", &other);
                return None;
            }
        };
        let read = cursor::decode(text, order).and_then(|read| {
            let (type_id, _) = self.catalog.find(&read.typename).ok_or(CursorFault::OtherVersion)?;
            let is_of = self.catalog.concrete(of).contains(&type_id);
            let fits = read.values.len() == sort.len()
                && sort.iter().zip(&read.values).all(|(key, value)| self.fits(&key.by, value.as_ref()));
            if is_of && fits {
                Ok(Position { values: read.values, of: type_id, id: read.id })
            } else {
                Err(CursorFault::OtherVersion)
            }
        });
        match read {
            Ok(position) => Some(position),
            Err(fault) => {
                let help = "take a cursor from a page of this very connection, or leave `after` out";
                self.refuse(QueryErrorKind::BadCursor { fault }, input.span(), Some(help.to_owned()));
                None
            }
        }
    }

    /// Whether a value can be one of a sort key.
    fn fits(&self, by: &SortBy, value: Option<&Operand>) -> bool {
        match (by, value) {
            (_, None) => true,
            (SortBy::Count(_), Some(value)) => matches!(value, Operand::Int(_)),
            (SortBy::Through { by, .. }, value) => self.fits(by, value),
            (SortBy::Value(values), Some(value)) => values.iter().all(|(of, sorted)| match sorted {
                SortedValue::Computed(_) => matches!(value, Operand::Bool(_)),
                SortedValue::Field(field) => match self.catalog.get(*of).get(*field).kind {
                    FieldKind::Scalar { scalar, .. } => is_value_of(scalar, value),
                    _ => false,
                },
            }),
        }
    }
}

fn is_value_of(scalar: ScalarType, value: &Operand) -> bool {
    match scalar {
        ScalarType::String | ScalarType::Id | ScalarType::Enum(_) => matches!(value, Operand::Text(_)),
        ScalarType::Int | ScalarType::BigInt | ScalarType::DateTime | ScalarType::Date => {
            matches!(value, Operand::Int(_))
        }
        ScalarType::Float => matches!(value, Operand::Float(_)),
        ScalarType::Boolean => matches!(value, Operand::Bool(_)),
        ScalarType::Cidr | ScalarType::IpAddress => matches!(value, Operand::Net(_)),
        ScalarType::Json => false,
    }
}
