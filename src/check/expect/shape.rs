//! What the answer of a plan can be: lists, objects, numbers, texts. An expectation is held against it before anything
//! is run, so that one that can never be met is found where it is written.

use std::fmt;

use serde_json::Value;

use crate::{
    catalog::{Catalog, FieldKind, ListShape, ScalarType, TypeId},
    query::{
        Aggregate, AggregateField, AggregateKind, ConnectionKind, FigureKind, Filters, GroupKeyKind,
        GroupKind, Groups, Nodes, Output, OutputKind, RootKind,
    },
};

/// What a part of an answer can be.
#[derive(Clone, Debug)]
pub(super) struct Shape<'p> {
    pub(super) kind: Kind<'p>,
    pub(super) nullable: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Kind<'p> {
    /// A list; with the assets it lists where it is a root field.
    List(Box<Shape<'p>>, Option<Assets<'p>>),
    /// An object of one of several forms.
    Object(Vec<Entries<'p>>),
    /// How many assets there are, none twice, from the whole inventory.
    Count(Assets<'p>),
    /// A whole number of 0 or more.
    Whole,
    Number,
    /// A number that is written as text.
    BigNumber,
    Text,
    Bool,
    /// Any JSON.
    Any,
}

/// The keys of an object and what stands behind them.
pub(super) type Entries<'p> = Vec<(&'p str, Shape<'p>)>;

/// The assets that a root field is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assets<'p> {
    pub(super) of: TypeId,
    pub(super) filters: &'p Filters,
}

impl fmt::Display for Kind<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::List(_, Some(_)) => "a list of assets",
            Self::List(_, None) => "a list",
            Self::Object(_) => "an object",
            Self::Count(_) | Self::Whole => "a count",
            Self::Number | Self::BigNumber => "a number",
            Self::Text => "text",
            Self::Bool => "true or false",
            Self::Any => "any value",
        })
    }
}

impl<'p> Shape<'p> {
    fn of(kind: Kind<'p>, nullable: bool) -> Self {
        Self { kind, nullable }
    }

    fn sure(kind: Kind<'p>) -> Self {
        Self::of(kind, false)
    }

    /// Of a root field; nothing for one whose answer is a part of something larger (a search, a page).
    pub(super) fn of_root(kind: &'p RootKind, catalog: &'p Catalog) -> Option<Self> {
        Some(match kind {
            RootKind::Nodes(nodes) => {
                let assets = Assets { of: nodes.of, filters: &nodes.filters };
                Self::sure(Kind::List(Box::new(Self::of_output(&nodes.output, catalog)), Some(assets)))
            }
            RootKind::Node { output, .. } => Self { nullable: true, ..Self::of_output(output, catalog) },
            RootKind::Aggregate(aggregate) => Self::of_aggregate(aggregate, true),
            RootKind::Groups(groups) => Self::of_groups(groups),
            RootKind::Connection(connection) => {
                let assets = Assets { of: connection.of, filters: &connection.filters };
                let totals = connection.fields.iter();
                let totals: Entries<'p> = totals
                    .filter(|field| matches!(field.kind, ConnectionKind::TotalCount))
                    .map(|field| (field.key.as_str(), Self::sure(Kind::Count(assets))))
                    .collect();
                if totals.is_empty() {
                    return None;
                }
                Self::sure(Kind::Object(vec![totals]))
            }
            RootKind::Search(_) | RootKind::Typename | RootKind::Introspection => return None,
        })
    }

    fn of_output(output: &'p Output, catalog: &'p Catalog) -> Self {
        let forms = output.0.iter().map(|(of, fields)| {
            let entry = |field: &'p crate::query::OutputField| {
                (field.key.name(), Self::of_field(*of, &field.kind, catalog))
            };
            fields.iter().map(entry).collect()
        });
        Self::sure(Kind::Object(forms.collect()))
    }

    fn of_field(of: TypeId, kind: &'p OutputKind, catalog: &'p Catalog) -> Self {
        match kind {
            OutputKind::Typename => Self::sure(Kind::Text),
            OutputKind::Computed(_) => Self::sure(Kind::Bool),
            OutputKind::Scalar(field) => {
                let field = catalog.get(of).get(*field);
                match &field.kind {
                    FieldKind::Scalar { scalar, list, .. } => {
                        Self::listed(Kind::of_scalar(*scalar), *list, field.nullable)
                    }
                    _ => Self::of(Kind::Any, true),
                }
            }
            OutputKind::Embedded { field, output } => {
                let field = catalog.get(of).get(*field);
                let list = match &field.kind {
                    FieldKind::Embedded { list, .. } => *list,
                    _ => None,
                };
                Self::listed(Self::of_output(output, catalog).kind, list, field.nullable)
            }
            OutputKind::Many { nodes, .. } => Self::of_nodes(nodes, catalog),
            OutputKind::Connection { .. } => Self::of(Kind::Any, false),
            OutputKind::Aggregate { aggregate, .. } => Self::of_aggregate(aggregate, false),
            OutputKind::One { output, .. } => Self { nullable: true, ..Self::of_output(output, catalog) },
        }
    }

    fn of_nodes(nodes: &'p Nodes, catalog: &'p Catalog) -> Self {
        Self::sure(Kind::List(Box::new(Self::of_output(&nodes.output, catalog)), None))
    }

    fn listed(kind: Kind<'p>, list: Option<ListShape>, nullable: bool) -> Self {
        match list {
            None => Self::of(kind, nullable),
            Some(list) => Self::of(Kind::List(Box::new(Self::of(kind, list.nullable_items)), None), nullable),
        }
    }

    fn of_aggregate(aggregate: &'p Aggregate, is_root: bool) -> Self {
        let assets = Assets { of: aggregate.of, filters: &aggregate.filters };
        Self::of_figures(&aggregate.fields, is_root.then_some(assets))
    }

    fn of_figures(fields: &'p [AggregateField], assets: Option<Assets<'p>>) -> Self {
        let shape = |field: &'p AggregateField| match &field.kind {
            AggregateKind::Typename(_) => Self::sure(Kind::Text),
            AggregateKind::Count => Self::sure(assets.map_or(Kind::Whole, Kind::Count)),
            AggregateKind::Node(fields) => Self::of_figures(fields, assets),
            AggregateKind::Figure(figure) => {
                let entry = |field: &'p crate::query::FigureField| {
                    let kind = match field.kind {
                        FigureKind::Typename | FigureKind::Shortest | FigureKind::Longest => Kind::Text,
                        FigureKind::Min | FigureKind::Max => Kind::of_scalar(figure.scalar),
                        FigureKind::Average | FigureKind::Sum if figure.scalar == ScalarType::BigInt => {
                            Kind::BigNumber
                        }
                        FigureKind::Average | FigureKind::Sum => Kind::Number,
                    };
                    let is_sure = matches!(field.kind, FigureKind::Sum | FigureKind::Typename);
                    (field.key.as_str(), Self::of(kind, !is_sure))
                };
                Self::sure(Kind::Object(vec![figure.figures.iter().map(entry).collect()]))
            }
        };
        Self::sure(Kind::Object(vec![
            fields.iter().map(|field| (field.key.as_str(), shape(field))).collect(),
        ]))
    }

    fn of_groups(groups: &'p Groups) -> Self {
        let shape = |kind: &'p GroupKind| match kind {
            GroupKind::Typename => Self::sure(Kind::Text),
            GroupKind::Count => Self::sure(Kind::Whole),
            GroupKind::Key(fields) => {
                let entry = |field: &'p crate::query::GroupKeyField| {
                    let shape = match field.kind {
                        GroupKeyKind::Typename => Self::sure(Kind::Text),
                        GroupKeyKind::Value(_) => Self::of(Kind::Any, true),
                    };
                    (field.key.as_str(), shape)
                };
                Self::sure(Kind::Object(vec![fields.iter().map(entry).collect()]))
            }
        };
        let entries = groups.fields.iter().map(|field| (field.key.as_str(), shape(&field.kind))).collect();
        Self::sure(Kind::List(Box::new(Self::sure(Kind::Object(vec![entries]))), None))
    }

    /// Why a value can't be put in order with what stands here; nothing where it can.
    pub(super) fn is_out_of_order_with(&self, value: &Value) -> Option<String> {
        let is_count = matches!(self.kind, Kind::Count(_) | Kind::Whole);
        if is_count && value.is_number() {
            return None;
        }
        let reason = self.excludes(value);
        if reason.is_none() && (!self.kind.is_ordered() || value.is_null()) {
            return Some(format!("{} is neither more nor less than another", self.kind));
        }
        reason
    }

    /// Why a value can never equal what stands here; nothing where it can.
    pub(super) fn excludes(&self, value: &Value) -> Option<String> {
        if value.is_null() {
            return (!self.nullable).then(|| format!("{} is never null", self.kind));
        }
        let differs = || Some(format!("it is {}, not {}", self.kind, kind_of(value)));
        match (&self.kind, value) {
            (Kind::Any, _)
            | (Kind::Number, Value::Number(_))
            | (Kind::Text, Value::String(_))
            | (Kind::Bool, Value::Bool(_)) => None,
            (Kind::BigNumber, value) => {
                if as_number(value).is_none() {
                    differs()
                } else {
                    None
                }
            }
            (Kind::Count(_) | Kind::Whole, Value::Number(number)) => {
                let is_whole = number.as_f64().is_some_and(|number| number >= 0.0 && number.fract() == 0.0);
                (!is_whole).then(|| format!("a count is never {number}"))
            }
            (Kind::List(item, _), Value::Array(values)) => {
                values.iter().find_map(|value| item.excludes(value))
            }
            (Kind::Object(forms), Value::Object(given)) => {
                let misfit = |entries: &Entries<'_>| {
                    if let Some(key) = given.keys().find(|key| entries.iter().all(|(name, _)| name != key)) {
                        return Some(format!("the query does not ask for `{key}`"));
                    }
                    entries.iter().find_map(|(name, shape)| match given.get(*name) {
                        None => Some(format!("every object of the answer has a `{name}`, too")),
                        Some(value) => shape.excludes(value).map(|reason| format!("`{name}`: {reason}")),
                    })
                };
                let misfits: Option<Vec<String>> = forms.iter().map(misfit).collect();
                misfits.and_then(|misfits| misfits.into_iter().next())
            }
            _ => differs(),
        }
    }
}

impl Kind<'_> {
    fn of_scalar(scalar: ScalarType) -> Self {
        match scalar {
            ScalarType::Int | ScalarType::Float => Self::Number,
            ScalarType::BigInt => Self::BigNumber,
            ScalarType::Boolean => Self::Bool,
            ScalarType::Json => Self::Any,
            ScalarType::String
            | ScalarType::Id
            | ScalarType::DateTime
            | ScalarType::Date
            | ScalarType::Cidr
            | ScalarType::IpAddress
            | ScalarType::Enum(_) => Self::Text,
        }
    }

    /// Whether of two such values one comes first.
    fn is_ordered(&self) -> bool {
        matches!(self, Self::Count(_) | Self::Whole | Self::Number | Self::BigNumber | Self::Text | Self::Any)
    }
}

/// A number, or the number that a text is.
pub(in super::super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// What a JSON value is, in words.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
