//! Why one asset matches a filter or doesn't: the tree of the filter as it was written, with TRUE, FALSE or UNKNOWN
//! at every node and the values that decided it. The evaluation is that of `row`; this only keeps what it saw.

use std::{fmt, rc::Rc};

use super::{
    super::{AggregateFilter, Filter, Filters, Quantifier, explain::Words},
    bind::Bind,
    eval::Evaluator,
    judge::Reason,
    limits::RunLimits,
    needed::Cause,
    node::Node,
    row::Possible,
    world,
};
use crate::{
    catalog::{FieldId, FieldKind, TypeId},
    graph::{Graph, TableId},
    model::Time,
};

/// So many related assets are followed into; the rest is counted.
const SHOWN_RELATED: usize = 10;
/// So many values are named in one line.
const SHOWN_VALUES: usize = 5;
/// So many characters of a value are shown.
const SHOWN_CHARACTERS: usize = 80;

/// In which world an asset is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// What is known is all there is: queries.
    Closed,
    /// What was not collected completely since then could be anything: verdicts.
    Open {
        /// The oldest collection that is believed.
        oldest: Option<Time>,
    },
}

/// What a filter is for one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Neither: a null decides, or something could not be seen.
    Unknown,
}

impl Truth {
    /// `TRUE`, `FALSE`, `UNKNOWN`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn of(possible: Possible) -> Self {
        match possible {
            Possible { must_true: true, .. } => Self::True,
            Possible { must_false: true, .. } => Self::False,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// An asset as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its type.
    pub typename: String,
    /// Its id; empty for an embedded object.
    pub id: String,
    /// The short name people know it by: the cloud's own id, or an embedded object's values.
    pub shown: String,
    /// Its name, if it has one.
    pub name: Option<String>,
}

/// Why an asset matches a filter, or doesn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The asset.
    pub asset: Named,
    /// Whether it matches.
    pub truth: Truth,
    /// Whether something unseen keeps it from being certain; false where a null makes it UNKNOWN, which is as good
    /// as no match.
    pub is_undecided: bool,
    /// The filter.
    pub node: WhyNode,
    /// What could not be seen and would decide, sorted and distinct.
    pub reasons: Vec<Reason>,
    /// What else decides whether it is shown, beyond the filter.
    pub note: Option<String>,
}

/// One part of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyNode {
    /// What it is for the asset.
    pub truth: Truth,
    /// It, in the words of the query language; `AND`, `OR` and `NOT` alone, where their parts follow.
    pub filter: String,
    /// The values that decided it.
    pub because: Option<String>,
    /// The related asset (or embedded object) it was asked of; nothing where that is the asset of the part around it.
    pub asset: Option<Named>,
    /// Its parts; of a quantifier one for each related asset, those that decide first.
    pub parts: Vec<WhyNode>,
    /// Related assets beyond those among the parts.
    pub more: usize,
}

impl WhyNode {
    fn leaf(truth: Truth, filter: String, because: Option<String>) -> Self {
        Self { truth, filter, because, asset: None, parts: Vec::new(), more: 0 }
    }
}

/// The assets of a type (or an interface) that are called so: by id, else by the cloud's own id.
#[must_use]
pub fn find_assets(graph: &Graph, of: TypeId, wanted: &str) -> Vec<(TypeId, u32)> {
    let types = graph.catalog().concrete(of);
    let by_id: Vec<(TypeId, u32)> =
        types.iter().filter_map(|of| Some((*of, graph.find(*of, wanted)?))).collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let mut found = Vec::new();
    for of in types {
        let Some((_, table)) = graph.table_of(of) else { continue };
        let definition = graph.catalog().get(of);
        let own_id = format!("{}Id", definition.singular);
        let field = definition.find("nativeId").or_else(|| definition.find(&own_id));
        let Some(text) = field.and_then(|(field, _)| table.column(field).text_data()) else { continue };
        let Some(code) = text.find(wanted) else { continue };
        let rows = text.rows_of(code).iter().copied().filter(|&row| table.holds(row));
        found.extend(rows.map(|row| (of, row)));
    }
    found
}

/// Why an asset matches a filter, or doesn't. `filters` is the filter as written: simplified, it would name other
/// parts than its reader wrote.
#[must_use]
pub fn why(graph: &Graph, filters: &Filters, (of, row): (TypeId, u32), world: World) -> Option<Why> {
    let world = match world {
        World::Closed => world::World::closed(graph),
        World::Open { oldest } => world::World::open(graph, oldest),
    };
    let evaluator = Evaluator { world, given: &[], limits: RunLimits::unlimited(), work: Rc::default() };
    let (id, table) = graph.table_of(of)?;
    let node = Node::of_table(Bind::whole(graph), table, filters);
    let mut explained = evaluator.why(id, filters.of(of), &node, row);
    let possible = evaluator.row(id, &node, row);
    let mut reasons = Vec::new();
    let is_stale = evaluator.world.is_stale(id, row);
    evaluator.add_stale(id, row, &mut reasons);
    evaluator.explain(id, &node, row, &mut reasons);
    let reasons = Cause::reasons(reasons);
    if is_stale {
        explained.truth = Truth::Unknown;
    }
    let is_undecided = is_stale || (!possible.must_true && possible.may_true);
    let truth = explained.truth;
    Some(Why { asset: evaluator.named(id, row), truth, is_undecided, node: explained, reasons, note: None })
}

impl Evaluator<'_, '_> {
    /// One part of a filter for one row; the node is the filter bound to the row's table, and has its shape.
    fn why(&self, id: TableId, filter: Option<&Filter>, node: &Node<'_>, row: u32) -> WhyNode {
        let truth = Truth::of(self.row(id, node, row));
        let of = self.world.graph.table(id).of;
        let words = Words(self.world.graph.catalog());
        let Some(filter) = filter else {
            return WhyNode::leaf(truth, "any".to_owned(), None);
        };
        let whole = words.body(of, filter);
        let group = |label: &str, parts: Vec<WhyNode>| WhyNode {
            parts,
            ..WhyNode::leaf(truth, label.to_owned(), None)
        };
        let each = |filters: &[Filter], nodes: &[Node<'_>]| {
            filters.iter().zip(nodes).map(|(filter, node)| self.why(id, Some(filter), node, row)).collect()
        };
        match (filter, node) {
            (Filter::All(filters), Node::All(nodes)) => group("AND", each(filters, nodes)),
            (Filter::Any(filters), Node::Any(nodes)) => group("OR", each(filters, nodes)),
            (Filter::Not(inner), Node::Not(node)) => match (&**inner, &**node) {
                // A negated test has a key of its own, and one line.
                (Filter::Field(field, _) | Filter::IsNull(field), _) => {
                    WhyNode::leaf(truth, whole, Some(self.value_words(id, *field, row)))
                }
                (Filter::NoneRelated(field), _) => {
                    WhyNode::leaf(truth, whole, Some(self.related_words(id, *field, row, truth)))
                }
                (inner, node) => group("NOT", vec![self.why(id, Some(inner), node, row)]),
            },
            (Filter::Holds(inner), Node::Holds(node)) => {
                group("computed", vec![self.why(id, Some(inner), node, row)])
            }
            (Filter::Field(field, _) | Filter::IsNull(field), _) => {
                WhyNode::leaf(truth, whole, Some(self.value_words(id, *field, row)))
            }
            (Filter::Related { field, quantifier, filters }, Node::Related { of, .. }) => {
                let related = self.why_related(id, (*field, *quantifier), filters, of, row);
                WhyNode { truth, filter: whole, ..related }
            }
            (Filter::NoneRelated(field), _) => {
                WhyNode::leaf(truth, whole, Some(self.related_words(id, *field, row, truth)))
            }
            (Filter::Aggregate { field, filter }, _) => {
                let mut because = self.related_words(id, *field, row, truth);
                self.push_figures(id, *field, filter, row, &mut because);
                WhyNode::leaf(truth, whole, Some(because))
            }
            _ => WhyNode::leaf(truth, whole, None),
        }
    }

    /// A quantifier: how many related assets match, and each of them.
    fn why_related(
        &self,
        id: TableId,
        (field, quantifier): (FieldId, Quantifier),
        filters: &Filters,
        nodes: &[Node<'_>],
        row: u32,
    ) -> WhyNode {
        let mut related = Vec::new();
        for (link, node) in self.world.graph.table(id).column(field).links().iter().zip(nodes) {
            for &target in link.adjacency.forward.of(row) {
                let truth = Truth::of(self.row(link.table, node, target));
                related.push((truth, link, node, target));
            }
        }
        let count = |wanted| related.iter().filter(|(truth, ..)| *truth == wanted).count();
        let (matching, unknown) = (count(Truth::True), count(Truth::Unknown));
        let mut because = self.counted(id, field, related.len());
        if !related.is_empty() {
            because.push_str(&match matching {
                0 => ", none matches".to_owned(),
                1 => ", 1 matches".to_owned(),
                several => format!(", {several} match"),
            });
            if unknown > 0 {
                because.push_str(&format!(", {unknown} unknown"));
            }
        }
        if !self.row_is_decided(id, (field, quantifier), nodes, row) {
            self.push_unseen(id, field, row, &mut because);
        }
        let deciding = if quantifier == Quantifier::All { Truth::False } else { Truth::True };
        let rank = |truth: Truth| match truth {
            truth if truth == deciding => 0,
            Truth::Unknown => 1,
            _ => 2,
        };
        related.sort_by_key(|(truth, ..)| rank(*truth));
        let more = related.len().saturating_sub(SHOWN_RELATED);
        let parts = related.into_iter().take(SHOWN_RELATED).map(|(_, link, node, target)| WhyNode {
            asset: Some(self.named(link.table, target)),
            ..self.why(link.table, filters.of(link.of), node, target)
        });
        let parts = parts.collect();
        WhyNode { parts, more, ..WhyNode::leaf(Truth::Unknown, String::new(), Some(because)) }
    }

    /// Whether what is unseen makes no difference to a quantifier.
    fn row_is_decided(
        &self,
        id: TableId,
        (field, quantifier): (FieldId, Quantifier),
        nodes: &[Node<'_>],
        row: u32,
    ) -> bool {
        !self.world.is_stale(id, row) && self.related_row(id, field, quantifier, nodes, row).is_decided()
    }

    /// `flowLogStatus is "INACTIVE"`
    fn value_words(&self, id: TableId, field: FieldId, row: u32) -> String {
        let graph = self.world.graph;
        let table = graph.table(id);
        let name = &graph.catalog().get(table.of).get(field).name;
        match self.cell_words(id, field, row) {
            Some(value) => format!("{name} is {value}"),
            None => format!("{name} could not be seen"),
        }
    }

    /// A cell as JSON, shortened; nothing where it could not be seen.
    fn cell_words(&self, id: TableId, field: FieldId, row: u32) -> Option<String> {
        let column = self.world.graph.table(id).column(field);
        if column.is_unknown(row) || self.world.is_stale(id, row) {
            return None;
        }
        let mut json = Vec::new();
        if !column.write_json(row, &mut json) {
            return Some("null".to_owned());
        }
        Some(shortened(&String::from_utf8_lossy(&json)))
    }

    /// `2 related FlowLog: fl-1, fl-2`
    fn related_words(&self, id: TableId, field: FieldId, row: u32, truth: Truth) -> String {
        let mut names = Vec::new();
        let mut count = 0;
        for link in self.world.graph.table(id).column(field).links() {
            let targets = link.adjacency.forward.of(row);
            count += targets.len();
            let room = SHOWN_VALUES.saturating_sub(names.len());
            names.extend(targets.iter().take(room).map(|&target| self.named(link.table, target).shown));
        }
        let mut words = self.counted(id, field, count);
        if !names.is_empty() {
            words.push_str(": ");
            words.push_str(&names.join(", "));
            if count > names.len() {
                words.push_str(", ..");
            }
        }
        if truth == Truth::Unknown {
            self.push_unseen(id, field, row, &mut words);
        }
        words
    }

    /// Appends the values that an aggregate looks at: `; maxAggregationInterval 60, 600`.
    fn push_figures(
        &self,
        id: TableId,
        field: FieldId,
        filter: &AggregateFilter,
        row: u32,
        words: &mut String,
    ) {
        match filter {
            AggregateFilter::All(filters) | AggregateFilter::Any(filters) => {
                filters.iter().for_each(|filter| self.push_figures(id, field, filter, row, words));
            }
            AggregateFilter::Not(inner) => self.push_figures(id, field, inner, row, words),
            AggregateFilter::Count(..) => {}
            AggregateFilter::Node { fields, .. } => {
                let (mut name, mut values) = (String::new(), Vec::new());
                for link in self.world.graph.table(id).column(field).links() {
                    let Some((of, own)) = fields.iter().find(|(of, _)| *of == link.of) else { continue };
                    name.clone_from(&self.world.graph.catalog().get(*of).get(*own).name);
                    for &target in link.adjacency.forward.of(row).iter().take(SHOWN_VALUES) {
                        let value = self.cell_words(link.table, *own, target);
                        values.push(value.unwrap_or_else(|| "not seen".to_owned()));
                    }
                }
                if !values.is_empty() {
                    values.truncate(SHOWN_VALUES);
                    words.push_str(&format!("; {name} {}", values.join(", ")));
                }
            }
        }
    }

    /// `no related FlowLog`, `2 related FlowLog`, `3 tags`
    fn counted(&self, id: TableId, field: FieldId, count: usize) -> String {
        let catalog = self.world.graph.catalog();
        let definition = catalog.get(self.world.graph.table(id).of).get(field);
        let number = if count == 0 { "no".to_owned() } else { count.to_string() };
        match &definition.kind {
            FieldKind::Relation { target, .. } => format!("{number} related {}", catalog.get(*target).name),
            _ => format!("{number} in {}", definition.name),
        }
    }

    /// Appends what keeps the relation of a row from being complete.
    fn push_unseen(&self, id: TableId, field: FieldId, row: u32, words: &mut String) {
        let mut reasons = Vec::new();
        self.add_unseen(id, field, row, &mut reasons);
        let reasons = Cause::reasons(reasons);
        let told: Vec<String> = reasons.iter().take(SHOWN_VALUES).map(Reason::to_string).collect();
        if !told.is_empty() {
            words.push_str("; there may be more: ");
            words.push_str(&told.join("; "));
        }
    }

    fn named(&self, id: TableId, row: u32) -> Named {
        let graph = self.world.graph;
        let table = graph.table(id);
        let definition = graph.catalog().get(table.of);
        let text = |field: &str| {
            let (field, _) = definition.find(field)?;
            table.column(field).text(row).map(std::borrow::Cow::into_owned)
        };
        let id_text = table.id_of(row).into_owned();
        let shown = if table.id.is_none() {
            self.embedded_words(id, row)
        } else {
            text("nativeId")
                .or_else(|| text(&format!("{}Id", definition.singular)))
                .unwrap_or_else(|| id_text.clone())
        };
        let name = table.id.and_then(|_| text("name"));
        Named { typename: definition.name.clone(), id: id_text, shown, name }
    }

    /// `key: "env", value: "prod"`
    fn embedded_words(&self, id: TableId, row: u32) -> String {
        let graph = self.world.graph;
        let fields = graph.catalog().get(graph.table(id).of).iter();
        let values = fields.filter(|(_, field)| matches!(field.kind, FieldKind::Scalar { .. })).filter_map(
            |(field, definition)| Some(format!("{}: {}", definition.name, self.cell_words(id, field, row)?)),
        );
        shortened(&values.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slice { key, state: None } => write!(
                formatter,
                "{} of {} in {} was never collected",
                key.asset_type, key.account_id, key.region
            ),
            Self::Slice { key, state: Some(state) } => {
                let place = format!("{} of {} in {}", key.asset_type, key.account_id, key.region);
                write!(formatter, "{place}: {}", state.outcome.word())?;
                match &state.reason {
                    Some(reason) => write!(formatter, " ({reason})"),
                    None => Ok(()),
                }
            }
            Self::Stale { key, completed_at } => {
                let place = format!("{} of {} in {}", key.asset_type, key.account_id, key.region);
                match completed_at {
                    Some(time) => write!(formatter, "{place} was last collected at {time}, too long ago"),
                    None => write!(formatter, "{place} was collected too long ago"),
                }
            }
            Self::Cell { typename, id, field } => {
                write!(formatter, "`{field}` of {typename} {id} could not be seen")
            }
            Self::Stub { typename, id, why } => {
                write!(formatter, "no more than the name of {typename} {id} is known ({why})")
            }
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text.to_owned();
    }
    text.chars().take(SHOWN_CHARACTERS).chain(['…']).collect()
}
