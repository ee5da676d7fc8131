//! The engine: the one door to the language. It guards, parses, validates, plans and runs a query against a graph and
//! hands back the bytes of the response; checks ask it for a judgement of the same plan in an open world.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value as Json};

use super::{
    document::{Fragments, QueryDocument, place_in},
    error::{QueryError, QueryErrorKind},
    guard::{GuardLimits, guard},
    moments::{Graphs, Moments},
    plan::{Nodes, Plan, RootKind},
    planner,
    run::{Incomplete, Judgement, RunLimits, incomplete_slices, judge, run},
    schema::{GeneratedSchema, SchemaError},
    specification::Specification,
};
use crate::{
    catalog::{Catalog, TypeId},
    graph::Graph,
    model::{SliceState, Time},
};

/// One GraphQL request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The document, or a bare root selection.
    pub query: String,
    /// Which of several operations.
    pub operation_name: Option<String>,
    /// Values of the operation's variables.
    pub variables: Map<String, Json>,
    /// The moment that root fields ask for which name none; nothing for the present.
    pub as_of: Option<Time>,
}

impl Request {
    /// A request without variables.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), ..Self::default() }
    }
}

/// One GraphQL response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The whole response as JSON, without a newline at the end.
    pub body: Vec<u8>,
    /// Whether there is a `data` entry: false where the request was refused before it ran.
    pub has_data: bool,
    /// What the response reports as errors.
    pub errors: Vec<QueryError>,
    /// How many assets were printed.
    pub rows: u64,
}

/// Everything a query is held against, whatever data it runs over.
#[derive(Debug)]
pub struct Engine {
    catalog: Arc<Catalog>,
    fragments: Fragments,
    schema: GeneratedSchema,
    specification: Specification,
    guard: GuardLimits,
}

/// A plan ready to run, with what else the response needs.
#[derive(Debug)]
struct Prepared {
    plan: Plan,
    introspection: BTreeMap<String, Vec<u8>>,
}

impl Engine {
    /// An engine for one catalog.
    ///
    /// # Errors
    /// Where no GraphQL schema can be made of the catalog.
    pub fn new(catalog: Arc<Catalog>, fragments: Fragments, guard: GuardLimits) -> Result<Self, SchemaError> {
        let schema = GeneratedSchema::new(&catalog)?;
        let specification = Specification::new(&schema.sdl()).map_err(|message| SchemaError { message })?;
        Ok(Self { catalog, fragments, schema, specification, guard })
    }

    /// The catalog behind the schema.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The generated GraphQL schema as SDL.
    #[must_use]
    pub fn sdl(&self) -> String {
        self.schema.sdl()
    }

    /// Runs a request against a graph. Never fails: what goes wrong is in the response.
    #[must_use]
    pub fn execute(&self, graph: &Graph, request: &Request, limits: &RunLimits<'_>) -> Response {
        self.execute_over(&Graphs::from(graph), request, limits)
    }

    /// Runs a request against the graphs of the moments it asks for. Never fails: what goes wrong is in the response.
    #[must_use]
    pub fn execute_at(&self, moments: &dyn Moments, request: &Request, limits: &RunLimits<'_>) -> Response {
        let gathered =
            self.prepare(request).and_then(|prepared| Ok((prepared.plan.gather(moments)?, prepared)));
        match gathered {
            Ok((graphs, prepared)) => answer(&prepared, &Graphs::from(&graphs), limits),
            Err(errors) => refused(errors),
        }
    }

    /// Runs a request against graphs that were gathered for its plan (see [`Plan::gather`]). Never fails: what goes
    /// wrong is in the response.
    #[must_use]
    pub fn execute_over(&self, graphs: &Graphs<'_>, request: &Request, limits: &RunLimits<'_>) -> Response {
        match self.prepare(request) {
            Ok(prepared) => answer(&prepared, graphs, limits),
            Err(errors) => refused(errors),
        }
    }

    /// Plans a request without running it.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn plan(&self, request: &Request) -> Result<Plan, Vec<QueryError>> {
        self.prepare(request).map(|prepared| prepared.plan)
    }

    /// The single list of assets that a check's query asks for.
    ///
    /// # Errors
    /// What is wrong with the query, or that it isn't one plain list: a page of a list proves nothing about the rest.
    pub fn plan_check(&self, query: &str) -> Result<Nodes, Vec<QueryError>> {
        let plan = self.plan(&Request::new(query))?;
        let refuse = |message: &str, help: &str| {
            let kind = QueryErrorKind::Invalid { message: message.to_owned() };
            Err(vec![QueryError::new(kind).with_help(help)])
        };
        let mut roots = plan.roots;
        let (Some(root), true) = (roots.pop(), roots.is_empty()) else {
            return refuse("a check's query has exactly one root field", "split it into several checks");
        };
        if root.as_of.is_some() {
            let help = "what a check says of an earlier moment is asked of the check, not of its query";
            return refuse("a check's query has no `asOf`", help);
        }
        match root.kind {
            // A limit that the schema sets (`@limit`) bounds answers, not judgements.
            RootKind::Nodes(nodes) if nodes.limit != self.schema_limit(nodes.of) || nodes.offset > 0 => {
                refuse("a check's query has no `limit` and no `offset`", "a page says nothing about the rest")
            }
            RootKind::Nodes(nodes) => Ok(nodes),
            _ => refuse(
                "a check's query asks for a list of assets",
                "write it as in `vpcs(where: {..}) { id }`",
            ),
        }
    }

    fn schema_limit(&self, of: TypeId) -> Option<u32> {
        self.catalog.get(of).limit.and_then(|limit| limit.default.or(limit.max))
    }

    /// Judges every asset that a check's query covers, in an open world.
    ///
    /// # Errors
    /// As [`Engine::plan_check`].
    pub fn judge(
        &self,
        graph: &Graph,
        query: &str,
        oldest: Option<Time>,
    ) -> Result<Judgement, Vec<QueryError>> {
        let nodes = self.plan_check(query)?;
        Ok(judge(graph, nodes.of, &nodes.filters, oldest))
    }

    /// The type that a check's query covers.
    ///
    /// # Errors
    /// As [`Engine::plan_check`].
    pub fn covered(&self, query: &str) -> Result<TypeId, Vec<QueryError>> {
        self.plan_check(query).map(|nodes| nodes.of)
    }

    fn prepare(&self, request: &Request) -> Result<Prepared, Vec<QueryError>> {
        guard(&request.query, &self.guard).map_err(|error| {
            let place = place_in(&request.query, error.offset());
            vec![QueryError::new(QueryErrorKind::Guarded(error)).at(Some(place))]
        })?;
        let document = QueryDocument::parse(&request.query, &self.fragments)?;
        // Once more with the stored fragments in it: now sizes and circles are those of the whole document.
        guard(&document.text, &self.guard).map_err(|error| {
            let place = document.place_of_offset(error.offset());
            vec![QueryError::new(QueryErrorKind::Guarded(error)).at(place)]
        })?;
        let (operation, variables) = (request.operation_name.as_deref(), &request.variables);
        let plan = planner::plan(&self.catalog, &document, operation, variables)?;
        let valid = self.specification.check(&document)?;
        self.specification.check_variables(&document, &valid, operation, variables)?;
        let wants_introspection = plan.roots.iter().any(|root| matches!(root.kind, RootKind::Introspection));
        let introspection = if wants_introspection {
            self.specification.introspect(&document, &valid, operation, variables)?
        } else {
            BTreeMap::new()
        };
        Ok(Prepared { plan: plan.with_default_moment(request.as_of), introspection })
    }
}

/// Runs a plan and writes the response.
fn answer(prepared: &Prepared, graphs: &Graphs<'_>, limits: &RunLimits<'_>) -> Response {
    match run(&prepared.plan, graphs.clone(), &prepared.introspection, limits) {
        Ok(ran) => {
            let incomplete = incomplete_slices(&prepared.plan, graphs.clone());
            let errors: Vec<QueryError> = ran.errors.into_iter().map(QueryError::from).collect();
            let mut body = Vec::with_capacity(ran.data.len() + 64);
            body.extend_from_slice(b"{\"data\":");
            body.extend_from_slice(&ran.data);
            push_errors(&mut body, &errors);
            push_incomplete(&mut body, &incomplete);
            body.push(b'}');
            Response { body, has_data: true, errors, rows: ran.rows }
        }
        Err(stopped) => {
            let errors = vec![QueryError::from(stopped)];
            let mut body = b"{\"data\":null".to_vec();
            push_errors(&mut body, &errors);
            body.push(b'}');
            Response { body, has_data: true, errors, rows: 0 }
        }
    }
}

fn refused(errors: Vec<QueryError>) -> Response {
    let mut body = vec![b'{'];
    push_errors(&mut body, &errors);
    body.push(b'}');
    Response { body, has_data: false, errors, rows: 0 }
}

/// Appends `"errors": [..]`, with a comma before it unless it is the first entry.
fn push_errors(body: &mut Vec<u8>, errors: &[QueryError]) {
    if errors.is_empty() {
        return;
    }
    let list: Vec<Json> = errors.iter().map(QueryError::to_json).collect();
    push_entry(body, "errors", &Json::Array(list));
}

/// Appends `"extensions": {"incomplete": [..]}`: what the answer could not see.
fn push_incomplete(body: &mut Vec<u8>, slices: &[Incomplete]) {
    if slices.is_empty() {
        return;
    }
    let to_json = |incomplete: &Incomplete| {
        let mut json = slice_to_json(&incomplete.slice);
        if let (Json::Object(object), Some(moment)) = (&mut json, incomplete.as_of) {
            object.insert("asOf".to_owned(), moment.to_string().into());
        }
        json
    };
    let list: Vec<Json> = slices.iter().map(to_json).collect();
    push_entry(body, "extensions", &serde_json::json!({ "incomplete": list }));
}

fn push_entry(body: &mut Vec<u8>, key: &str, value: &Json) {
    if body.len() > 1 {
        body.push(b',');
    }
    body.extend_from_slice(format!("\"{key}\":{value}").as_bytes());
}

/// A slice as the response shows it.
#[must_use]
pub fn slice_to_json(slice: &SliceState) -> Json {
    let mut object = Map::new();
    let mut put = |key: &str, value: Json| {
        if !value.is_null() {
            object.insert(key.to_owned(), value);
        }
    };
    put("assetType", slice.key.asset_type.clone().into());
    put("accountId", slice.key.account_id.clone().into());
    put("region", slice.key.region.clone().into());
    put("outcome", slice.outcome.as_str().into());
    put("reason", slice.reason.clone().into());
    put("attemptedAt", slice.attempted_at.map(|time| time.to_string()).into());
    put("completedAt", slice.completed_at.map(|time| time.to_string()).into());
    Json::Object(object)
}
