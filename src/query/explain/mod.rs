//! What a query did and why: the plan as written and as run, the steps of the run, and the reasons why one asset is
//! on the list or isn't. As text for people and as JSON.

mod plan_text;
mod why_text;
mod words;

use serde_json::{Map, Value, json};

pub use plan_text::PlanText;
pub(crate) use words::Words;

use super::run::{Named, Step, Visited, Why, WhyNode};

/// What is to be explained of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExplainRequest {
    /// Also why this asset matches, by its id or the cloud's own id.
    pub asset: Option<String>,
}

impl ExplainRequest {
    /// Reads `extensions.explain` of a GraphQL request: `true`, or `{asset: ".."}`. Nothing for anything else.
    #[must_use]
    pub fn read(extensions: &Map<String, Value>) -> Option<Self> {
        match extensions.get("explain")? {
            Value::Bool(true) => Some(Self::default()),
            Value::Object(wanted) => {
                Some(Self { asset: wanted.get("asset").and_then(Value::as_str).map(str::to_owned) })
            }
            _ => None,
        }
    }
}

/// How a request was answered.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The plan as written.
    pub written: String,
    /// The plan that ran: simplified.
    pub simplified: String,
    /// The steps of the run, in the order in which they began.
    pub steps: Vec<Step>,
    /// What the whole run visited.
    pub visited: Visited,
    /// For an asset asked about: each root field whose type it has, and why it matches there.
    pub whys: Vec<(String, Why)>,
}

impl Explanation {
    /// The form of the GraphQL response's `extensions.explain`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let lines = |text: &str| text.lines().map(Value::from).collect::<Vec<_>>();
        object.insert("plan".to_owned(), lines(&self.written).into());
        object.insert("simplified".to_owned(), lines(&self.simplified).into());
        object.insert("steps".to_owned(), self.steps.iter().map(step_to_json).collect());
        object.insert("visited".to_owned(), visited_to_json(self.visited));
        if !self.whys.is_empty() {
            let whys = self.whys.iter().map(|(root, why)| {
                let mut object = why.to_json();
                if let Value::Object(entries) = &mut object {
                    entries.insert("root".to_owned(), json!(root));
                }
                object
            });
            object.insert("why".to_owned(), whys.collect());
        }
        Value::Object(object)
    }
}

fn visited_to_json(visited: Visited) -> Value {
    let Visited { rows, edges, distinct, sorted } = visited;
    json!({ "rows": rows, "edges": edges, "distinctValues": distinct, "sorted": sorted })
}

fn step_to_json(step: &Step) -> Value {
    json!({
        "depth": step.depth,
        "step": step.what,
        "rowsIn": step.rows_in,
        "rowsOut": step.rows_out,
        "visited": visited_to_json(step.visited),
        "bytes": step.bytes,
        "microseconds": u64::try_from(step.took.as_micros()).unwrap_or(u64::MAX),
    })
}

impl Why {
    /// The form for machines.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "asset": named_to_json(&self.asset),
            "matches": self.truth.as_str(),
            "isUndecided": self.is_undecided,
            "filter": self.node.to_json(),
            "reasons": self.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        if let (Some(note), Some(entries)) = (&self.note, object.as_object_mut()) {
            entries.insert("note".to_owned(), json!(note));
        }
        object
    }
}

fn named_to_json(asset: &Named) -> Value {
    let mut object = Map::new();
    object.insert("typename".to_owned(), json!(asset.typename));
    if !asset.id.is_empty() {
        object.insert("id".to_owned(), json!(asset.id));
    }
    object.insert("shown".to_owned(), json!(asset.shown));
    if let Some(name) = &asset.name {
        object.insert("name".to_owned(), json!(name));
    }
    Value::Object(object)
}

impl WhyNode {
    /// The form for machines.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("truth".to_owned(), json!(self.truth.as_str()));
        object.insert("filter".to_owned(), json!(self.filter));
        if let Some(because) = &self.because {
            object.insert("because".to_owned(), json!(because));
        }
        if let Some(asset) = &self.asset {
            object.insert("asset".to_owned(), named_to_json(asset));
        }
        if !self.parts.is_empty() {
            object.insert("parts".to_owned(), self.parts.iter().map(Self::to_json).collect());
        }
        if self.more > 0 {
            object.insert("more".to_owned(), json!(self.more));
        }
        Value::Object(object)
    }
}
