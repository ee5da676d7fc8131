//! `relAggregate` filters: figures over the related rows of one row. Nulls are ignored; over nothing the count and
//! the sum are 0 and everything else is neither TRUE nor FALSE.

use std::cmp::Ordering;

use super::{
    super::{AggregateFilter, AggregateFunction, Comparison, Operand},
    eval::Evaluator,
    matcher::{as_float, holds},
    row::Possible,
};
use crate::{
    catalog::{FieldId, TypeId},
    graph::{Column, Data, TableId},
};

/// The figures over the values of one field.
#[derive(Debug, Default)]
struct Figures {
    /// How many values there are.
    count: u64,
    /// Least, greatest and sum of whole numbers (or lengths of texts).
    whole: Option<(i128, i128, i128)>,
    /// Least, greatest and sum of floats.
    float: Option<(f64, f64, f64)>,
    /// A value could not be seen.
    is_hidden: bool,
}

impl Evaluator<'_, '_> {
    /// What a demand on the related rows of one row can be.
    pub(super) fn aggregate(
        &self,
        id: TableId,
        field: FieldId,
        filter: &AggregateFilter,
        row: u32,
    ) -> Possible {
        if self.world.is_stale(id, row) {
            return Possible::ANYTHING;
        }
        match filter {
            AggregateFilter::All(filters) => {
                Possible::all(filters.iter().map(|filter| self.aggregate(id, field, filter, row)))
            }
            AggregateFilter::Any(filters) => {
                Possible::any(filters.iter().map(|filter| self.aggregate(id, field, filter, row)))
            }
            AggregateFilter::Not(inner) => self.aggregate(id, field, inner, row).not(),
            AggregateFilter::Count(comparison, operand) => {
                self.count_of(id, field, row, *comparison, *operand)
            }
            AggregateFilter::Node {
                fields,
                function: function @ (AggregateFunction::AnyValue | AggregateFunction::AnyLength),
                comparison,
                operand,
            } => {
                let by_length = *function == AggregateFunction::AnyLength;
                let passes = |column: &Column, target| {
                    order_of_value(column, target, by_length, operand)
                        .is_some_and(|order| holds(*comparison, order))
                };
                self.any_value(id, field, fields, row, &passes)
            }
            AggregateFilter::Node { fields, function, comparison, operand } => {
                let is_incomplete = self.world.is_incomplete(id, field, row);
                let figures = self.figures(id, field, fields, row);
                if is_incomplete || figures.is_hidden {
                    return if self.world.is_open() { Possible::ANYTHING } else { Possible::NEITHER };
                }
                match figures.compare(*function, operand) {
                    Some(order) => Possible::certain(holds(*comparison, order)),
                    None => Possible::NEITHER,
                }
            }
        }
    }

    fn count_of(
        &self,
        id: TableId,
        field: FieldId,
        row: u32,
        comparison: Comparison,
        operand: i64,
    ) -> Possible {
        let (mut least, mut most) = (0i64, 0i64);
        for link in self.world.graph.table(id).column(field).links() {
            let targets = link.adjacency.forward.of(row);
            self.work.add_edges(targets.len());
            for &target in targets {
                most += 1;
                least += i64::from(self.is_there(id, field, row, (link.table, target)));
            }
        }
        if self.world.is_incomplete(id, field, row) {
            most = i64::MAX;
        }
        let (at_least, at_most) =
            (holds(comparison, least.cmp(&operand)), holds(comparison, most.cmp(&operand)));
        let is_inside = least <= operand && operand <= most;
        match comparison {
            Comparison::Equal => Possible::two_valued(least == most && at_least, is_inside),
            _ => Possible::two_valued(at_least && at_most, at_least || at_most),
        }
    }

    /// At least one value passes: a quantifier in all but name.
    fn any_value(
        &self,
        id: TableId,
        field: FieldId,
        fields: &[(TypeId, FieldId)],
        row: u32,
        passes: &dyn Fn(&Column, u32) -> bool,
    ) -> Possible {
        let (mut must, mut may) = (false, self.world.is_incomplete(id, field, row));
        for link in self.world.graph.table(id).column(field).links() {
            let Some((_, of_value)) = fields.iter().find(|(of, _)| *of == link.of) else { continue };
            let column = self.world.graph.table(link.table).column(*of_value);
            let targets = link.adjacency.forward.of(row);
            self.work.add_edges(targets.len());
            for &target in targets {
                if !self.is_there(id, field, row, (link.table, target)) || column.is_unknown(target) {
                    may |= self.world.is_open();
                } else if !column.is_null(target) && passes(column, target) {
                    must = true;
                }
            }
        }
        Possible::two_valued(must, must || may)
    }

    fn figures(&self, id: TableId, field: FieldId, fields: &[(TypeId, FieldId)], row: u32) -> Figures {
        let mut figures = Figures::default();
        for link in self.world.graph.table(id).column(field).links() {
            let Some((_, of_value)) = fields.iter().find(|(of, _)| *of == link.of) else { continue };
            let column = self.world.graph.table(link.table).column(*of_value);
            let targets = link.adjacency.forward.of(row);
            self.work.add_edges(targets.len());
            for &target in targets {
                if !self.is_there(id, field, row, (link.table, target)) || column.is_unknown(target) {
                    // A closed world leaves out what it does not know, as it does a null.
                    figures.is_hidden |= self.world.is_open();
                } else if !column.is_null(target) {
                    figures.add(column, target);
                }
            }
        }
        figures
    }
}

/// How the value of a row (or the length of its text) compares with the operand.
#[expect(clippy::cast_precision_loss, reason = "whole numbers beyond 2^53 are compared as whole numbers")]
fn order_of_value(column: &Column, row: u32, by_length: bool, operand: &Operand) -> Option<Ordering> {
    let whole = match (&column.data, operand) {
        (Data::Text(_), _) if by_length => i64::try_from(column.text(row)?.chars().count()).ok()?,
        (Data::Text(_), Operand::Text(wanted)) => return Some(column.text(row)?.as_ref().cmp(wanted)),
        (Data::Float(values), wanted) => return values.get(row as usize)?.partial_cmp(&as_float(wanted)?),
        (Data::Int { values, .. }, _) => *values.get(row as usize)?,
        _ => return None,
    };
    match operand {
        Operand::Int(wanted) => Some(whole.cmp(wanted)),
        wanted => (whole as f64).partial_cmp(&as_float(wanted)?),
    }
}

impl Figures {
    fn add(&mut self, column: &Column, row: u32) {
        let whole = match &column.data {
            Data::Int { values, .. } => values.get(row as usize).map(|&value| i128::from(value)),
            Data::Text(_) | Data::Net { .. } => {
                column.text(row).and_then(|text| i128::try_from(text.chars().count()).ok())
            }
            Data::Float(values) => {
                let Some(&value) = values.get(row as usize) else { return };
                self.count += 1;
                let (least, greatest, sum) = self.float.unwrap_or((value, value, 0.0));
                self.float = Some((least.min(value), greatest.max(value), sum + value));
                return;
            }
            _ => None,
        };
        if let Some(value) = whole {
            self.count += 1;
            let (least, greatest, sum) = self.whole.unwrap_or((value, value, 0));
            self.whole = Some((least.min(value), greatest.max(value), sum.saturating_add(value)));
        }
    }

    /// How a figure compares with the operand; nothing where there is no figure.
    #[expect(clippy::cast_precision_loss, reason = "means are doubles")]
    fn compare(&self, function: AggregateFunction, operand: &Operand) -> Option<Ordering> {
        let (whole, float) = match function {
            AggregateFunction::Sum if self.count == 0 => (Some(0), None),
            AggregateFunction::Sum => {
                (self.whole.map(|figures| figures.2), self.float.map(|figures| figures.2))
            }
            AggregateFunction::Min | AggregateFunction::Shortest => {
                (self.whole.map(|figures| figures.0), self.float.map(|figures| figures.0))
            }
            AggregateFunction::Max | AggregateFunction::Longest => {
                (self.whole.map(|figures| figures.1), self.float.map(|figures| figures.1))
            }
            AggregateFunction::AnyValue | AggregateFunction::AnyLength => return None,
            AggregateFunction::Average | AggregateFunction::AverageLength => {
                let sum = self.float.map(|figures| figures.2).or(self.whole.map(|figures| figures.2 as f64));
                (None, sum.map(|sum| sum / self.count as f64))
            }
        };
        match (whole, float, operand) {
            (Some(whole), None, Operand::Int(wanted)) => Some(whole.cmp(&i128::from(*wanted))),
            (Some(whole), None, wanted) => (whole as f64).partial_cmp(&as_float(wanted)?),
            (_, Some(float), wanted) => float.partial_cmp(&as_float(wanted)?),
            (None, None, _) => None,
        }
    }
}
