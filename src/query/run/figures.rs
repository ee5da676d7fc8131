//! Aggregates as results: counts and figures over the rows that pass, one pass over a column each; no row is written.

use super::{
    super::{Aggregate, AggregateField, AggregateKind, Figure, FigureKind, Filters},
    bind::Bind,
    connect::Source,
    eval::Evaluator,
    limits::RunError,
    select::Pick,
    shape::{Candidates, Part},
    write::{Halt, Writer},
};
use crate::{
    catalog::{FieldId, ScalarType, TypeId},
    graph::{Bitmap, Column, Data, IntForm, TableId, TextData, write_float, write_int},
    query::names,
};

/// A bound [`Aggregate`].
#[derive(Debug)]
pub(super) struct BoundAggregate<'p> {
    candidates: Vec<Candidates<'p>>,
    parts: Vec<Part<'p, AggregatePart<'p>>>,
}

#[derive(Debug)]
enum AggregatePart<'p> {
    Typename(&'p str),
    Count,
    Node(Vec<Part<'p, AggregatePart<'p>>>),
    Figure(BoundFigure<'p>),
}

#[derive(Debug)]
struct BoundFigure<'p> {
    /// For each table, where the field is.
    fields: Vec<Option<FieldId>>,
    scalar: ScalarType,
    parts: Vec<Part<'p, FigureKind>>,
}

/// The rows that figures are over.
#[derive(Debug)]
enum Rows {
    /// For each table.
    Sets(Vec<Bitmap>),
    Picks(Vec<Pick>),
}

/// Figures over the values of one field. Sums start at 0, everything else is there where any value is.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    whole: Option<(i64, i64)>,
    whole_sum: i128,
    float: Option<(f64, f64)>,
    float_sum: f64,
    /// Length in code points, and the text.
    shortest: Option<(usize, String)>,
    longest: Option<(usize, String)>,
}

impl<'p> BoundAggregate<'p> {
    pub(super) fn of_root(graph: Bind<'_, 'p>, aggregate: &'p Aggregate) -> Self {
        let tables = graph.catalog().concrete(aggregate.of).into_iter().filter_map(|of| graph.table_of(of));
        Self::bind(graph, &tables.map(|(id, _)| id).collect::<Vec<_>>(), aggregate)
    }

    pub(super) fn of_relation(
        graph: Bind<'_, 'p>,
        id: TableId,
        field: FieldId,
        aggregate: &'p Aggregate,
    ) -> Self {
        let links = graph.table(id).column(field).links();
        Self::bind(graph, &links.iter().map(|link| link.table).collect::<Vec<_>>(), aggregate)
    }

    fn bind(graph: Bind<'_, 'p>, tables: &[TableId], aggregate: &'p Aggregate) -> Self {
        let Aggregate { filters, fields, .. } = aggregate;
        Self { candidates: candidates(graph, tables, filters), parts: bind_parts(graph, tables, fields) }
    }
}

/// The rows of tables that filters keep, of which nothing is printed.
pub(super) fn candidates<'p>(
    graph: Bind<'_, 'p>,
    tables: &[TableId],
    filters: &'p Filters,
) -> Vec<Candidates<'p>> {
    tables.iter().map(|table| Candidates::unprinted(graph, *table, filters)).collect()
}

fn bind_parts<'p>(
    graph: Bind<'_, 'p>,
    tables: &[TableId],
    fields: &'p [AggregateField],
) -> Vec<Part<'p, AggregatePart<'p>>> {
    let part = |field: &'p AggregateField| {
        let kind = match &field.kind {
            AggregateKind::Typename(name) => AggregatePart::Typename(name),
            AggregateKind::Count => AggregatePart::Count,
            AggregateKind::Node(fields) => AggregatePart::Node(bind_parts(graph, tables, fields)),
            AggregateKind::Figure(figure) => AggregatePart::Figure(bind_figure(graph, tables, figure)),
        };
        (field.key.as_str(), kind)
    };
    Part::all(fields.iter().map(part))
}

fn bind_figure<'p>(graph: Bind<'_, 'p>, tables: &[TableId], figure: &'p Figure) -> BoundFigure<'p> {
    let place = |id: &TableId| {
        let of: TypeId = graph.table(*id).of;
        figure.fields.iter().find(|(known, _)| *known == of).map(|(_, field)| *field)
    };
    BoundFigure {
        fields: tables.iter().map(place).collect(),
        scalar: figure.scalar,
        parts: Part::all(figure.figures.iter().map(|field| (field.key.as_str(), field.kind))),
    }
}

impl Rows {
    fn count(&self) -> usize {
        match self {
            Self::Sets(sets) => sets.iter().map(Bitmap::count).sum(),
            Self::Picks(picks) => picks.len(),
        }
    }

    /// Whether they are all rows of tables: only those are worth a step of their own.
    fn are_of_root(&self) -> bool {
        matches!(self, Self::Sets(_))
    }
}

impl Tally {
    fn add_whole(&mut self, value: i64) {
        self.count += 1;
        let (least, greatest) = self.whole.unwrap_or((value, value));
        self.whole = Some((least.min(value), greatest.max(value)));
        self.whole_sum += i128::from(value);
    }

    fn add_float(&mut self, value: f64) {
        self.count += 1;
        let (least, greatest) = self.float.unwrap_or((value, value));
        self.float = Some((least.min(value), greatest.max(value)));
        self.float_sum += value;
    }

    fn add_text(&mut self, text: &TextData, code: u32) {
        let text = text.text(code);
        let length = text.chars().count();
        let is_before = |known: &Option<(usize, String)>, nearer: bool| match known {
            None => true,
            Some((known, other)) => nearer || (length == *known && *text < **other),
        };
        let least = self.shortest.as_ref().map_or(0, |(least, _)| *least);
        if is_before(&self.shortest, length < least) {
            self.shortest = Some((length, text.clone().into_owned()));
        }
        let greatest = self.longest.as_ref().map_or(0, |(greatest, _)| *greatest);
        if is_before(&self.longest, length > greatest) {
            self.longest = Some((length, text.into_owned()));
        }
    }

    fn add_row(&mut self, column: &Column, row: u32) {
        if !column.has_value(row) {
            return;
        }
        match &column.data {
            Data::Int { values, .. } => {
                if let Some(&value) = values.get(row as usize) {
                    self.add_whole(value);
                }
            }
            Data::Float(values) => {
                if let Some(&value) = values.get(row as usize) {
                    self.add_float(value);
                }
            }
            Data::Text(text) => {
                if let Some(code) = text.code(row) {
                    self.add_text(text, code);
                }
            }
            _ => {}
        }
    }

    fn add_set(&mut self, column: &Column, set: &Bitmap) {
        if let Data::Text(text) = &column.data {
            // Every distinct text once, however many rows hold it.
            let codes = set.iter().filter_map(|row| text.code(row));
            for code in Bitmap::from_rows(text.distinct(), codes).iter() {
                self.add_text(text, code);
            }
            return;
        }
        for row in set.iter() {
            self.add_row(column, row);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "means are doubles")]
    fn average(&self, scalar: ScalarType) -> Option<f64> {
        let sum = if scalar == ScalarType::Float { self.float_sum } else { self.whole_sum as f64 };
        (self.count > 0).then(|| sum / self.count as f64)
    }

    /// Appends a figure as JSON; nothing, and false, where there is none.
    fn write(&self, scalar: ScalarType, kind: FigureKind, out: &mut Vec<u8>) -> bool {
        let form = match scalar {
            ScalarType::BigInt => IntForm::BigInt,
            ScalarType::DateTime => IntForm::DateTime,
            ScalarType::Date => IntForm::Date,
            _ => IntForm::Int,
        };
        // A BigInt is written as a string, and so are its sum and mean.
        let quote = |out: &mut Vec<u8>| {
            if form == IntForm::BigInt {
                out.push(b'"');
            }
        };
        match (kind, scalar) {
            (FigureKind::Typename, _) => return false,
            (FigureKind::Shortest | FigureKind::Longest, _) => {
                let text = if kind == FigureKind::Shortest { &self.shortest } else { &self.longest };
                let Some((_, text)) = text else { return false };
                out.extend_from_slice(serde_json::Value::from(text.as_str()).to_string().as_bytes());
            }
            (FigureKind::Sum, ScalarType::Float) => write_float(self.float_sum, out),
            (FigureKind::Sum, _) => {
                quote(out);
                out.extend_from_slice(self.whole_sum.to_string().as_bytes());
                quote(out);
            }
            (FigureKind::Average, _) => {
                let Some(average) = self.average(scalar) else { return false };
                quote(out);
                if form == IntForm::BigInt {
                    out.extend_from_slice(average.to_string().as_bytes());
                } else {
                    write_float(average, out);
                }
                quote(out);
            }
            (FigureKind::Min | FigureKind::Max, ScalarType::Float) => {
                let Some((least, greatest)) = self.float else { return false };
                write_float(if kind == FigureKind::Min { least } else { greatest }, out);
            }
            (FigureKind::Min | FigureKind::Max, _) => {
                let Some((least, greatest)) = self.whole else { return false };
                write_int(if kind == FigureKind::Min { least } else { greatest }, form, out);
            }
        }
        true
    }
}

impl Evaluator<'_, '_> {
    fn aggregated(&self, candidates: &[Candidates<'_>], source: Source<'_>) -> Result<Rows, RunError> {
        Ok(match source {
            Source::Root => {
                let sets = candidates.iter().map(|candidates| self.passing_set(candidates));
                Rows::Sets(sets.collect::<Result<_, _>>()?)
            }
            Source::Related(links, row) => {
                let mut picks = Vec::new();
                self.add_related(candidates, links, row, &mut picks)?;
                Rows::Picks(picks)
            }
        })
    }

    fn tally(&self, candidates: &[Candidates<'_>], rows: &Rows, fields: &[Option<FieldId>]) -> Tally {
        self.work.add_rows(rows.count());
        let mut tally = Tally::default();
        let column = |place: usize| {
            let table = self.world.graph.table(candidates.get(place)?.table);
            Some(table.column((*fields.get(place)?)?))
        };
        match rows {
            Rows::Sets(sets) => {
                for (place, set) in sets.iter().enumerate() {
                    if let Some(column) = column(place) {
                        tally.add_set(column, set);
                    }
                }
            }
            Rows::Picks(picks) => {
                for &(place, row) in picks {
                    if let Some(column) = column(place) {
                        tally.add_row(column, row);
                    }
                }
            }
        }
        tally
    }
}

impl Writer<'_, '_, '_> {
    /// An aggregate as an object.
    pub(super) fn write_aggregate(
        &mut self,
        aggregate: &BoundAggregate<'_>,
        source: Source<'_>,
    ) -> Result<(), Halt> {
        let rows = self.evaluator.aggregated(&aggregate.candidates, source)?;
        self.write_figures(&aggregate.candidates, &rows, &aggregate.parts)
    }

    fn write_figures(
        &mut self,
        candidates: &[Candidates<'_>],
        rows: &Rows,
        parts: &[Part<'_, AggregatePart<'_>>],
    ) -> Result<(), Halt> {
        self.write_parts(parts, |writer, part| match &part.kind {
            AggregatePart::Typename(name) => {
                writer.write_text(name);
                Ok(())
            }
            AggregatePart::Count => {
                writer.write_number(rows.count());
                Ok(())
            }
            AggregatePart::Node(parts) => writer.write_figures(candidates, rows, parts),
            AggregatePart::Figure(figure) => {
                writer.evaluator.limits.check_stop()?;
                let work = &writer.evaluator.work;
                let step = rows.are_of_root().then(|| work.begin(|| format!("figures of {}", part.key)));
                let tally = writer.evaluator.tally(candidates, rows, &figure.fields);
                if let Some(step) = step {
                    work.end(step, rows.count(), 0, 0);
                }
                writer.write_parts(&figure.parts, |writer, part| {
                    if part.kind == FigureKind::Typename {
                        writer.write_text(names::scalar_figures(figure.scalar).unwrap_or_default());
                    } else if !tally.write(figure.scalar, part.kind, &mut writer.out) {
                        writer.out.extend_from_slice(b"null");
                    }
                    Ok(())
                })
            }
        })
    }
}
