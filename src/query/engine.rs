//! The engine: the one door to the language. It guards, parses, validates, plans and runs a query against a graph and
//! hands back the bytes of the response; checks ask it for a judgement of the same plan in an open world.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value as Json};

use super::{
    document::{Fragments, QueryDocument, place_in},
    error::{QueryError, QueryErrorKind},
    explain::{ExplainRequest, Explanation},
    guard::{GuardLimits, guard},
    lint::{Warning, lint},
    moments::{Graphs, Moments},
    plan::{Filters, Nodes, Plan, RootKind},
    planner::{self, Planned},
    run::{
        Incomplete, Judgement, Ran, RunError, RunLimits, Why, WhyWorld, find_assets, incomplete_slices,
        judge, run, run_explained, why,
    },
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
    /// What is to be explained of it, if anything.
    pub explain: Option<ExplainRequest>,
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
    /// Parts of its filters that can't match. They change nothing of the answer.
    pub warnings: Vec<Warning>,
    /// How it was answered, if that was asked for.
    pub explanation: Option<Explanation>,
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
    planned: Planned,
    document: QueryDocument,
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
            self.prepare(request).and_then(|prepared| Ok((prepared.planned.plan.gather(moments)?, prepared)));
        match gathered {
            Ok((graphs, prepared)) => self.answer(&prepared, &Graphs::from(&graphs), request, limits),
            Err(errors) => refused(errors),
        }
    }

    /// Runs a request against graphs that were gathered for its plan (see [`Plan::gather`]). Never fails: what goes
    /// wrong is in the response.
    #[must_use]
    pub fn execute_over(&self, graphs: &Graphs<'_>, request: &Request, limits: &RunLimits<'_>) -> Response {
        match self.prepare(request) {
            Ok(prepared) => self.answer(&prepared, graphs, request, limits),
            Err(errors) => refused(errors),
        }
    }

    /// Runs a plan and writes the response.
    fn answer(
        &self,
        prepared: &Prepared,
        graphs: &Graphs<'_>,
        request: &Request,
        limits: &RunLimits<'_>,
    ) -> Response {
        let introspection = &prepared.introspection;
        let planned = &prepared.planned;
        let answered = match request.explain {
            None => run(&planned.plan, graphs.clone(), introspection, limits).map(|ran| (ran, None)),
            Some(_) => self.run_explained(prepared, graphs, limits).map(|(ran, how)| (ran, Some(how))),
        };
        match answered {
            Ok((ran, mut explanation)) => {
                let incomplete = incomplete_slices(&planned.plan, graphs.clone());
                let mut errors: Vec<QueryError> = ran.errors.into_iter().map(QueryError::from).collect();
                // What assets have is asked of the newest inventory that the query looks at.
                let newest = graphs.at(None).or_else(|| {
                    planned.plan.moments().into_iter().next_back().and_then(|moment| graphs.at(moment))
                });
                let warnings = self.warnings(prepared, newest);
                let asset = request.explain.as_ref().and_then(|wanted| wanted.asset.as_deref());
                if let (Some(explanation), Some(asset)) = (&mut explanation, asset) {
                    match self.whys(prepared, graphs, asset) {
                        Ok(whys) => explanation.whys = whys,
                        Err(refused) => errors.extend(refused),
                    }
                }
                let mut body = Vec::with_capacity(ran.data.len() + 64);
                body.extend_from_slice(b"{\"data\":");
                body.extend_from_slice(&ran.data);
                push_errors(&mut body, &errors);
                push_extensions(&mut body, &incomplete, &warnings, explanation.as_ref());
                body.push(b'}');
                Response { body, has_data: true, errors, rows: ran.rows, warnings, explanation }
            }
            Err(stopped) => {
                let errors = vec![QueryError::from(stopped)];
                let mut body = b"{\"data\":null".to_vec();
                push_errors(&mut body, &errors);
                body.push(b'}');
                Response { body, has_data: true, errors, rows: 0, warnings: Vec::new(), explanation: None }
            }
        }
    }

    /// Plans a request without running it.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn plan(&self, request: &Request) -> Result<Plan, Vec<QueryError>> {
        self.prepare(request).map(|prepared| prepared.planned.plan)
    }

    /// The parts of a request's filters that can't match: by the schema alone, or with a graph by what its assets
    /// have, too.
    ///
    /// # Errors
    /// Everything wrong with the request.
    pub fn lint(&self, request: &Request, graph: Option<&Graph>) -> Result<Vec<Warning>, Vec<QueryError>> {
        let prepared = self.prepare(request)?;
        Ok(self.warnings(&prepared, graph))
    }

    fn warnings(&self, prepared: &Prepared, graph: Option<&Graph>) -> Vec<Warning> {
        lint(&self.catalog, &prepared.document, &prepared.planned.tested, graph)
    }

    fn run_explained(
        &self,
        prepared: &Prepared,
        graphs: &Graphs<'_>,
        limits: &RunLimits<'_>,
    ) -> Result<(Ran, Explanation), RunError> {
        let plan = &prepared.planned.plan;
        let (ran, visited, steps) = run_explained(plan, graphs.clone(), &prepared.introspection, limits)?;
        let written = prepared.planned.written.as_ref().unwrap_or(plan);
        let explanation = Explanation {
            written: written.display(&self.catalog).to_string(),
            simplified: plan.display(&self.catalog).to_string(),
            steps,
            visited,
            whys: Vec::new(),
        };
        Ok((ran, explanation))
    }

    /// For each root list whose type an asset has, why it matches there.
    fn whys(
        &self,
        prepared: &Prepared,
        graphs: &Graphs<'_>,
        asset: &str,
    ) -> Result<Vec<(String, Why)>, Vec<QueryError>> {
        let plan = prepared.planned.written.as_ref().unwrap_or(&prepared.planned.plan);
        let mut whys = Vec::new();
        let mut missing = None;
        for root in &plan.roots {
            let Some((of, filters, note)) = filtered(&root.kind) else { continue };
            let Some(graph) = graphs.at(root.as_of) else { continue };
            match self.why_of(graph, (of, filters), asset, WhyWorld::Closed) {
                Ok(why) => whys.push((root.key.clone(), Why { note, ..why })),
                Err(error) => missing = missing.or(Some(error)),
            }
        }
        match (whys.is_empty(), missing) {
            (false, _) => Ok(whys),
            (true, Some(error)) => Err(error),
            (true, None) => {
                let message = "an asset is explained for a list of assets".to_owned();
                let error = QueryError::new(QueryErrorKind::Invalid { message });
                Err(vec![error.with_help("write the query as in `vpcs(where: {..}) { id }`")])
            }
        }
    }

    /// Why one asset of a type (named by its id or the cloud's own) satisfies filters.
    ///
    /// # Errors
    /// That there is no such asset, or several.
    pub fn why_of(
        &self,
        graph: &Graph,
        (of, filters): (TypeId, &Filters),
        asset: &str,
        world: WhyWorld,
    ) -> Result<Why, Vec<QueryError>> {
        let typename = &self.catalog.get(of).name;
        let found = find_assets(graph, of, asset);
        match found.as_slice() {
            [only] => why(graph, filters, *only, world)
                .ok_or_else(|| vec![QueryError::new(QueryErrorKind::Internal)]),
            [] => {
                let kind =
                    QueryErrorKind::UnknownAsset { typename: typename.clone(), asset: asset.to_owned() };
                let help = format!("name one of the {} there are by its id", graph.count(of));
                Err(vec![QueryError::new(kind).with_help(help)])
            }
            several => {
                let kind = QueryErrorKind::WhichAsset { asset: asset.to_owned(), count: several.len() };
                let ids: Vec<_> = several.iter().take(5).map(|(of, row)| graph.id(*of, *row)).collect();
                Err(vec![QueryError::new(kind).with_help(format!("name one by its id: {}", ids.join(", ")))])
            }
        }
    }

    /// Why a check's query matches one asset (named by its id or the cloud's own), in the open world of a verdict.
    ///
    /// # Errors
    /// As [`Engine::plan_check`], or that there is no such asset.
    pub fn explain_verdict(
        &self,
        graph: &Graph,
        query: &str,
        asset: &str,
        oldest: Option<Time>,
    ) -> Result<Why, Vec<QueryError>> {
        let request = Request { explain: Some(ExplainRequest::default()), ..Request::new(query) };
        let prepared = self.prepare(&request)?;
        let plan = prepared.planned.written.unwrap_or(prepared.planned.plan);
        let nodes = self.check_nodes(plan)?;
        let world = WhyWorld::Open { oldest };
        self.why_of(graph, (nodes.of, &nodes.filters), asset, world)
    }

    /// The single list of assets that a check's query asks for.
    ///
    /// # Errors
    /// What is wrong with the query, or that it isn't one plain list: a page of a list proves nothing about the rest.
    pub fn plan_check(&self, query: &str) -> Result<Nodes, Vec<QueryError>> {
        self.check_nodes(self.plan(&Request::new(query))?)
    }

    /// The single list of assets that a plan asks for.
    fn check_nodes(&self, plan: Plan) -> Result<Nodes, Vec<QueryError>> {
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
        let keeps_written = request.explain.is_some();
        let mut planned = planner::plan(&self.catalog, &document, operation, variables, keeps_written)?;
        let valid = self.specification.check(&document)?;
        self.specification.check_variables(&document, &valid, operation, variables)?;
        let wants_introspection =
            planned.plan.roots.iter().any(|root| matches!(root.kind, RootKind::Introspection));
        let introspection = if wants_introspection {
            self.specification.introspect(&document, &valid, operation, variables)?
        } else {
            BTreeMap::new()
        };
        planned.plan = planned.plan.with_default_moment(request.as_of);
        planned.written = planned.written.map(|plan| plan.with_default_moment(request.as_of));
        Ok(Prepared { planned, document, introspection })
    }
}

/// The type and the filters of a root field that chooses among many assets, and what else decides what it shows.
fn filtered(kind: &RootKind) -> Option<(TypeId, &Filters, Option<String>)> {
    match kind {
        RootKind::Nodes(nodes) => Some((nodes.of, &nodes.filters, page_note(nodes))),
        RootKind::Connection(connection) => {
            let is_page = connection.first.is_some() || connection.after.is_some();
            let note = is_page.then(|| "the answer is a page of those that match".to_owned());
            Some((connection.of, &connection.filters, note))
        }
        RootKind::Aggregate(aggregate) => Some((aggregate.of, &aggregate.filters, None)),
        RootKind::Groups(groups) => Some((groups.of, &groups.filters, None)),
        RootKind::Node { .. } | RootKind::Search(_) | RootKind::Typename | RootKind::Introspection => None,
    }
}

/// That a list shows only a part of what its filter keeps.
fn page_note(nodes: &Nodes) -> Option<String> {
    let after = if nodes.offset > 0 { format!(" after the first {}", nodes.offset) } else { String::new() };
    match nodes.limit {
        Some(limit) => Some(format!("the answer shows at most {limit} of those that match{after}")),
        None if nodes.offset > 0 => Some(format!("the answer shows those that match{after}")),
        None => None,
    }
}

fn refused(errors: Vec<QueryError>) -> Response {
    let mut body = vec![b'{'];
    push_errors(&mut body, &errors);
    body.push(b'}');
    Response { body, has_data: false, errors, rows: 0, warnings: Vec::new(), explanation: None }
}

/// Appends `"errors": [..]`, with a comma before it unless it is the first entry.
fn push_errors(body: &mut Vec<u8>, errors: &[QueryError]) {
    if errors.is_empty() {
        return;
    }
    let list: Vec<Json> = errors.iter().map(QueryError::to_json).collect();
    push_entry(body, "errors", &Json::Array(list));
}

/// Appends `"extensions"`: what the answer could not see, what in the query is odd, how it was answered. Nothing where
/// there is nothing of these.
fn push_extensions(
    body: &mut Vec<u8>,
    slices: &[Incomplete],
    warnings: &[Warning],
    explanation: Option<&Explanation>,
) {
    let to_json = |incomplete: &Incomplete| {
        let mut json = slice_to_json(&incomplete.slice);
        if let (Json::Object(object), Some(moment)) = (&mut json, incomplete.as_of) {
            object.insert("asOf".to_owned(), moment.to_string().into());
        }
        json
    };
    let mut extensions = Map::new();
    if !slices.is_empty() {
        extensions.insert("incomplete".to_owned(), slices.iter().map(to_json).collect());
    }
    if !warnings.is_empty() {
        extensions.insert("warnings".to_owned(), warnings.iter().map(Warning::to_json).collect());
    }
    if let Some(explanation) = explanation {
        extensions.insert("explain".to_owned(), explanation.to_json());
    }
    if !extensions.is_empty() {
        push_entry(body, "extensions", &Json::Object(extensions));
    }
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
