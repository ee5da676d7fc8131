//! Aggregates as results: `vpcsAggregate { count size { min max } }` and `relAggregate`, and which figures are asked.

use super::{
    Planner,
    nodes::Arguments,
    parents::Parent,
    selection::{Group, Selected},
};
use crate::{
    catalog::{FieldKind, TypeId},
    query::{
        names,
        plan::{Aggregate, AggregateField, AggregateKind, Figure, FigureField, FigureKind},
    },
};

impl<'a> Planner<'a> {
    /// Figures over many assets of a type.
    pub(super) fn aggregate(&self, of: TypeId, arguments: &Arguments<'a>, group: &Group<'a>) -> Aggregate {
        let filters = self.filters(of, "where", arguments.get_unless_null(self, "where"));
        Aggregate { of, filters, fields: self.aggregate_fields(Parent::Aggregation(of), of, &group.selected) }
    }

    fn aggregate_fields(&self, parent: Parent, of: TypeId, selected: &[Selected<'a>]) -> Vec<AggregateField> {
        self.generated_fields(parent, selected, |group, name| {
            let kind = match (parent, name) {
                (_, "__typename") => AggregateKind::Typename(parent.name(self.catalog)),
                (Parent::Aggregation(_), "count") => AggregateKind::Count,
                (Parent::Aggregation(_), "node") => {
                    AggregateKind::Node(self.aggregate_fields(Parent::Figures(of), of, &group.selected))
                }
                (_, name) => AggregateKind::Figure(self.figure(of, name, &group.selected)?),
            };
            Some(AggregateField { key: group.key.to_owned(), kind })
        })
    }

    fn figure(&self, of: TypeId, name: &str, selected: &[Selected<'a>]) -> Option<Figure> {
        let (_, field) = self.catalog.get(of).find(name)?;
        let FieldKind::Scalar { scalar, .. } = field.kind else { return None };
        names::scalar_figures(scalar)?;
        let figures = self.generated_fields(Parent::ScalarFigures(scalar), selected, |group, name| {
            let kind = match name {
                "__typename" => FigureKind::Typename,
                "min" => FigureKind::Min,
                "max" => FigureKind::Max,
                "average" => FigureKind::Average,
                "sum" => FigureKind::Sum,
                "shortest" => FigureKind::Shortest,
                _ => FigureKind::Longest,
            };
            Some(FigureField { key: group.key.to_owned(), kind })
        });
        Some(Figure { fields: self.places(of, name), scalar, figures })
    }
}
