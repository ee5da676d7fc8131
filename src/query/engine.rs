//! The engine: the one door to the language. It guards, parses, validates, plans and runs a query against a graph and
//! hands back the bytes of the response; checks ask it for a judgement of the same plan in an open world.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{
    document::Fragments,
    error::{QueryError, QueryErrorKind},
    explain::{ExplainRequest, Explanation},
    guard::GuardLimits,
    lint::{Warning, lint},
    moments::{Graphs, Moments},
    plan::{Filters, Nodes, Plan, RootKind},
    prepare::{CacheLimits, Preparations, Prepared, Preparer, Ready},
    response::{self, push_errors, push_extensions, refused},
    run::{
        Judgement, Outlet, Ran, RunError, RunLimits, Streamed, Why, WhyWorld, find_assets, incomplete_slices,
        judge, run_explained, stream, why,
    },
    schema::{GeneratedSchema, SchemaError},
    specification::Specification,
};
use crate::{
    catalog::{Catalog, TypeId},
    graph::Graph,
    model::Time,
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
    /// The whole response as JSON, without a newline at the end; where a part was handed on before, what follows it.
    pub body: Vec<u8>,
    /// How many bytes were handed on before `body`. Where there are some and a limit then ended the run, `body` is
    /// empty and what was handed on is no JSON: whoever reads it must be able to tell that it broke off.
    pub sent: usize,
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

/// A longer document is not parsed where others wait.
const LONGEST_NEW: usize = 2 * 1024;

/// How every response with data begins.
const DATA: &[u8] = b"{\"data\":";

/// Everything a query is held against, whatever data it runs over.
#[derive(Debug)]
pub struct Engine {
    catalog: Arc<Catalog>,
    schema: GeneratedSchema,
    preparer: Preparer,
}

impl Engine {
    /// An engine for one catalog.
    ///
    /// # Errors
    /// Where no GraphQL schema can be made of the catalog.
    pub fn new(catalog: Arc<Catalog>, fragments: Fragments, guard: GuardLimits) -> Result<Self, SchemaError> {
        Self::with_cache(catalog, fragments, guard, CacheLimits::default())
    }

    /// An engine that remembers more or less of the requests it prepares.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_cache(
        catalog: Arc<Catalog>,
        fragments: Fragments,
        guard: GuardLimits,
        cache: CacheLimits,
    ) -> Result<Self, SchemaError> {
        let schema = GeneratedSchema::new(&catalog)?;
        let specification = Specification::new(&schema.sdl()).map_err(|message| SchemaError { message })?;
        let preparer = Preparer::new(Arc::clone(&catalog), fragments, specification, guard, cache);
        Ok(Self { catalog, schema, preparer })
    }

    /// What prepares requests.
    pub(super) fn preparer(&self) -> &Preparer {
        &self.preparer
    }

    /// How often requests were prepared from scratch so far.
    #[must_use]
    pub fn preparations(&self) -> Preparations {
        self.preparer.preparations()
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
        self.answer_at(moments, request, limits, None)
    }

    /// As [`Engine::execute_at`], but a large answer is handed on piece by piece while it is written: see
    /// [`Response::sent`].
    #[must_use]
    pub fn stream_at(
        &self,
        moments: &dyn Moments,
        request: &Request,
        limits: &RunLimits<'_>,
        outlet: Outlet<'_>,
    ) -> Response {
        self.answer_at(moments, request, limits, Some(outlet))
    }

    fn answer_at(
        &self,
        moments: &dyn Moments,
        request: &Request,
        limits: &RunLimits<'_>,
        outlet: Option<Outlet<'_>>,
    ) -> Response {
        let ready = self.preparer.ready(request);
        let gathered = ready.and_then(|ready| Ok((ready.planned().plan.gather(moments)?, ready)));
        match gathered {
            Ok((graphs, ready)) => self.answer(&ready, &Graphs::from(&graphs), request, limits, outlet),
            Err(errors) => refused(errors),
        }
    }

    /// Runs a request over the present, unless that may take longer than a thread can spare that others wait for: where
    /// the document is new and long, asks for the past or for an explanation, or comes to more work than
    /// `limits.max_work`. Nothing then; ask again with [`Engine::stream_at`] where it may take its time.
    #[must_use]
    pub fn execute_at_once(
        &self,
        graph: &Graph,
        request: &Request,
        limits: &RunLimits<'_>,
    ) -> Option<Response> {
        if request.explain.is_some() || request.as_of.is_some() {
            return None;
        }
        let ready = match self.preparer.recall(&request.query) {
            Some(document) if document.may_be_short() => self.preparer.ready_recalled(document, request),
            None if request.query.len() <= LONGEST_NEW => self.prepare(request).map(Ready::Whole),
            _ => return None,
        };
        let ready = match ready {
            Ok(ready) => ready,
            Err(errors) => return Some(refused(errors)),
        };
        if ready.planned().plan.roots.iter().any(|root| root.as_of.is_some()) {
            return None;
        }
        let response = self.answer(&ready, &Graphs::from(graph), request, limits, None);
        let is_long = response
            .errors
            .iter()
            .any(|error| matches!(error.kind, QueryErrorKind::Stopped(RunError::TooMuchWork { .. })));
        if is_long {
            ready.document().was_long();
            return None;
        }
        Some(response)
    }

    /// Runs a request against graphs that were gathered for its plan (see [`Plan::gather`]). Never fails: what goes
    /// wrong is in the response.
    #[must_use]
    pub fn execute_over(&self, graphs: &Graphs<'_>, request: &Request, limits: &RunLimits<'_>) -> Response {
        self.answer_over(graphs, request, limits, None)
    }

    /// As [`Engine::execute_over`], handed on piece by piece as by [`Engine::stream_at`].
    #[must_use]
    pub fn stream_over(
        &self,
        graphs: &Graphs<'_>,
        request: &Request,
        limits: &RunLimits<'_>,
        outlet: Outlet<'_>,
    ) -> Response {
        self.answer_over(graphs, request, limits, Some(outlet))
    }

    fn answer_over(
        &self,
        graphs: &Graphs<'_>,
        request: &Request,
        limits: &RunLimits<'_>,
        outlet: Option<Outlet<'_>>,
    ) -> Response {
        match self.preparer.ready(request) {
            Ok(ready) => self.answer(&ready, graphs, request, limits, outlet),
            Err(errors) => refused(errors),
        }
    }

    /// Runs a plan and writes the response.
    fn answer(
        &self,
        ready: &Ready,
        graphs: &Graphs<'_>,
        request: &Request,
        limits: &RunLimits<'_>,
        outlet: Option<Outlet<'_>>,
    ) -> Response {
        let plan = &ready.planned().plan;
        let (streamed, mut explanation) = match request.explain {
            None => {
                let mut begun = Vec::with_capacity(ready.document().room_for_answer());
                begun.extend_from_slice(DATA);
                let given = ready.given();
                (stream((plan, given), graphs, ready.introspection(), limits, begun, outlet), None)
            }
            Some(_) => match self.run_explained(ready, graphs, limits) {
                Ok((ran, explanation)) => {
                    let ended = Ok((ran.errors, ran.rows));
                    (Streamed { rest: [DATA, &ran.data].concat(), sent: 0, ended }, Some(explanation))
                }
                Err(error) => (Streamed { rest: Vec::new(), sent: 0, ended: Err(error) }, None),
            },
        };
        let Streamed { rest: mut body, sent, ended } = streamed;
        let (errors, rows) = match ended {
            Ok(ended) => ended,
            Err(stopped) => return response::stopped(stopped, sent),
        };
        let mut errors: Vec<QueryError> = errors.into_iter().map(QueryError::from).collect();
        let incomplete = incomplete_slices(plan, graphs.clone());
        // What assets have is asked of the newest inventory that the query looks at.
        let newest = graphs
            .at(None)
            .or_else(|| plan.moments().into_iter().next_back().and_then(|moment| graphs.at(moment)));
        let warnings = self.warnings(ready, newest);
        let asset = request.explain.as_ref().and_then(|wanted| wanted.asset.as_deref());
        if let (Some(explanation), Some(asset)) = (&mut explanation, asset) {
            match self.whys(ready, graphs, asset) {
                Ok(whys) => explanation.whys = whys,
                Err(refused) => errors.extend(refused),
            }
        }
        push_errors(&mut body, &errors);
        push_extensions(&mut body, &incomplete, &warnings, explanation.as_ref());
        body.push(b'}');
        ready.document().was_answered(body.len());
        Response { body, sent, has_data: true, errors, rows, warnings, explanation }
    }

    fn prepare(&self, request: &Request) -> Result<Arc<Prepared>, Vec<QueryError>> {
        self.preparer.prepare(request)
    }

    /// Plans a request without running it.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn plan(&self, request: &Request) -> Result<Plan, Vec<QueryError>> {
        self.prepare(request).map(|prepared| prepared.planned.plan.clone())
    }

    /// The parts of a request's filters that can't match: by the schema alone, or with a graph by what its assets
    /// have, too.
    ///
    /// # Errors
    /// Everything wrong with the request.
    pub fn lint(&self, request: &Request, graph: Option<&Graph>) -> Result<Vec<Warning>, Vec<QueryError>> {
        let ready = Ready::Whole(self.prepare(request)?);
        Ok(self.warnings(&ready, graph))
    }

    fn warnings(&self, ready: &Ready, graph: Option<&Graph>) -> Vec<Warning> {
        let tested = (ready.planned().tested.as_slice(), ready.given());
        lint(&self.catalog, &ready.document().parsed, tested, graph)
    }

    fn run_explained(
        &self,
        ready: &Ready,
        graphs: &Graphs<'_>,
        limits: &RunLimits<'_>,
    ) -> Result<(Ran, Explanation), RunError> {
        let plan = &ready.planned().plan;
        let (ran, visited, steps) = run_explained(plan, graphs.clone(), ready.introspection(), limits)?;
        let written = ready.planned().written.as_ref().unwrap_or(plan);
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
        ready: &Ready,
        graphs: &Graphs<'_>,
        asset: &str,
    ) -> Result<Vec<(String, Why)>, Vec<QueryError>> {
        let plan = ready.planned().written.as_ref().unwrap_or(&ready.planned().plan);
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
        let plan = prepared.planned.written.as_ref().unwrap_or(&prepared.planned.plan);
        let nodes = self.check_nodes(plan.clone())?;
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
