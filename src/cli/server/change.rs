//! Mutations: what a request asks for is done, put on record, and answered out of the graph that shows it.

use std::{sync::Arc, time::Duration};

use super::{
    super::{
        config::REQUESTED,
        failure::chain,
        graph_holder::{AnswerLimits, answered, request},
    },
    jobs::Jobs,
    judge::{Judge, NotJudged},
};
use crate::{
    api::{Answered, Operation, Stop, Waited},
    catalog::TypeKind,
    check::{
        Check, Exception, ExceptionError, ExceptionRequest, ExceptionStatus, Scope,
        ledger::{Trigger, read_exceptions, read_findings},
    },
    model::{is_ledger_type, nearest},
    query::{
        Action, Collection, Command, NewException, NotDone, QueryError, QueryErrorKind, Request,
        run::find_assets,
    },
    schedule::{JobName, JobOutcome, Schedule},
};

/// How long the answer waits for the graph that shows what was done.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whether what a server holds may be changed over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Whoever reaches it may.
    Granted,
    /// Nobody may: other machines reach it, and it asks nobody who they are.
    Remote,
    /// Nobody may: it was said so.
    Refused,
}

/// Does what mutations ask for.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(crate) judge: Arc<Judge>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) limits: AnswerLimits,
    pub(crate) permission: Permission,
}

/// What was done: the id of what came of it, and the commit that holds it.
struct Done {
    id: String,
    sequence: Option<u64>,
}

/// A mutation of a server that has nothing to change, yet or ever.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Requested {
    /// It serves a file.
    OfFile,
    /// Its store is still being opened.
    TooEarly,
}

impl Requested {
    /// The error that says so.
    pub(crate) fn error(self) -> QueryError {
        let (code, message) = match self {
            Self::OfFile => ("read_only", "this server shows a file: there is nothing to change"),
            Self::TooEarly => ("not_ready", "the store is still being opened: try again in a moment"),
        };
        QueryError::new(QueryErrorKind::NotDone { code, message: message.to_owned() })
    }
}

impl Changes {
    /// Does what a mutation asks for, one field after the other, and answers. Blocking.
    pub(crate) fn answer(&self, operation: &Operation) -> Answered {
        let engine = &self.judge.engine;
        let fields = match engine.action(&request(operation)) {
            Ok(Some(Action::Mutation(fields))) => fields,
            Ok(_) => {
                let message = "a subscription goes over WebSocket (graphql-transport-ws) to the same address"
                    .to_owned();
                return answered(engine.refuse(vec![QueryError::new(QueryErrorKind::Invalid { message })]));
            }
            Err(errors) => return answered(engine.refuse(errors)),
        };
        if let Err(NotDone { code, message }) = self.check_permission() {
            return answered(engine.refuse(vec![QueryError::new(QueryErrorKind::NotDone { code, message })]));
        }
        let mut last = None;
        let done: Vec<Result<String, NotDone>> = fields
            .iter()
            .map(|field| match &field.command {
                None => Ok(String::new()),
                Some(command) => self.perform(command).map(|done| {
                    last = done.sequence.or(last);
                    done.id
                }),
            })
            .collect();
        let present = match last {
            Some(sequence) => self.judge.graph.wait_for(sequence, LONGEST_WAIT),
            None => self.judge.graph.get(),
        };
        let Some(present) = present else {
            let message = "it is done and on record, and the graph that shows it is not there yet: ask for it in a moment";
            let kind = QueryErrorKind::NotDone { code: "not_shown_yet", message: message.to_owned() };
            return answered(engine.refuse(vec![QueryError::new(kind)]));
        };
        let never = Stop::default();
        let stop = self.limits.stop(&never, Waited::default());
        answered(engine.answer_mutation(&present.graph, &fields, &done, &self.limits.limits(&stop)))
    }

    fn check_permission(&self) -> Result<(), NotDone> {
        let message = match self.permission {
            Permission::Granted => return Ok(()),
            Permission::Remote => {
                "mutations are off: other machines reach this server, and it asks nobody who they are; start it with \
                 --allow-mutations if something in front of it does"
            }
            Permission::Refused => "mutations are off: `allow_mutations = false` stands in its configuration",
        };
        Err(NotDone { code: "mutations_not_allowed", message: message.to_owned() })
    }

    fn perform(&self, command: &Command) -> Result<Done, NotDone> {
        match command {
            Command::RunCheck { id } => self.run_check(id),
            Command::AddException(wanted) => self.add_exception(wanted),
            Command::RevokeException { id } => self.revoke_exception(id),
            Command::Collect(collection) => self.collect(collection),
        }
    }

    fn run_check(&self, id: &str) -> Result<Done, NotDone> {
        let checks = &self.judge.checks;
        if !checks.iter().any(|check| check.id == id) {
            return Err(unknown("unknown_check", "check", id, checks.iter().map(|check| check.id.as_str())));
        }
        let name = JobName::Check(id.to_owned());
        self.schedule.begin(&name).map_err(|busy| not_done("busy", busy))?;
        let ran = self.judge.run(&[id].into(), Trigger::Request);
        let (outcome, note) = match &ran {
            Ok(recorded) => {
                let verdict = recorded.runs.first().map(|run| run.verdict.to_string());
                (JobOutcome::Done, verdict.unwrap_or_default())
            }
            Err(error) => (JobOutcome::Failed, chain(error)),
        };
        if let Some(state) = self.schedule.end(&name, outcome, note)
            && self.schedule.jobs().iter().any(|job| job.name == name)
            && let Err(reason) = self.jobs.keeper.keep(vec![(name, state)])
        {
            tracing::error!("the end of a job could not be kept: {reason}");
        }
        let recorded = ran.map_err(|error| failed(&error))?;
        let run = recorded.runs.first().map(|run| run.id.clone()).unwrap_or_default();
        Ok(Done { id: run, sequence: recorded.sequence })
    }

    fn add_exception(&self, wanted: &NewException) -> Result<Done, NotDone> {
        let scope = self.scope(wanted)?;
        let NewException { check, owner, reason, expires_at, .. } = wanted;
        let asked = ExceptionRequest {
            check_id: check.clone(),
            scope,
            owner: owner.clone(),
            reason: reason.clone(),
            expires_at: *expires_at,
        };
        let accepted = asked.accept(self.judge.clock.now());
        let exception = accepted.map_err(|error: ExceptionError| not_done("bad_exception", error))?;
        self.accept(exception)
    }

    fn accept(&self, exception: Exception) -> Result<Done, NotDone> {
        let recorded = self.judge.accept(std::slice::from_ref(&exception)).map_err(|error| failed(&error))?;
        Ok(Done { id: exception.id, sequence: recorded.sequence })
    }

    fn scope(&self, wanted: &NewException) -> Result<Scope, NotDone> {
        let checks = &self.judge.checks;
        let check = match &wanted.check {
            None => None,
            Some(id) => Some(checks.iter().find(|check| check.id == *id).ok_or_else(|| {
                unknown("unknown_check", "check", id, checks.iter().map(|check| check.id.as_str()))
            })?),
        };
        match (&wanted.asset, &wanted.account, &wanted.filter) {
            (Some(asset), None, None) => Ok(Scope::Asset { asset_id: self.find_asset(asset)? }),
            (None, Some(account), None) => Ok(Scope::Account { account_id: account.clone() }),
            (None, None, Some(filter)) => {
                let covered = check.map(|check| check.covers_name.as_str());
                let typename = match (wanted.asset_type.as_deref(), covered) {
                    (Some(of), Some(covered)) if of != covered => {
                        let message =
                            format!("the check judges `{covered}`, not `{of}`: leave `assetType` out");
                        return Err(NotDone { code: "bad_exception", message });
                    }
                    (Some(of), _) | (None, Some(of)) => of,
                    (None, None) => {
                        let message =
                            "say what the filter is of: `check`, or `assetType` for all checks".to_owned();
                        return Err(NotDone { code: "bad_exception", message });
                    }
                };
                let catalog = self.judge.engine.catalog();
                let Some((_, definition)) = catalog.find(typename) else {
                    let known = catalog.types().iter().map(|of| of.name.as_str());
                    return Err(unknown("unknown_type", "type", typename, known));
                };
                let query = Scope::query(&definition.plural, filter);
                if let Err(errors) = self.judge.engine.plan(&Request::new(query)) {
                    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
                    return Err(NotDone {
                        code: "bad_filter",
                        message: format!("`filter`: {}", told.join("; ")),
                    });
                }
                Ok(Scope::Filter { typename: typename.to_owned(), filter: filter.clone() })
            }
            (None, None, None) if check.is_some_and(Check::is_judged_as_a_whole) => Ok(Scope::Whole),
            _ => {
                let message =
                    "say what is accepted: one of `asset`, `account` and `filter`; none of them only for a \
                               check that is judged as a whole"
                        .to_owned();
                Err(NotDone { code: "bad_exception", message })
            }
        }
    }

    /// The id of an asset that is there, or that something was found of.
    fn find_asset(&self, named: &str) -> Result<String, NotDone> {
        let present = self.judge.graph.get().ok_or_else(|| failed(&NotJudged::NoGraph))?;
        let graph = &present.graph;
        let types =
            graph.catalog().iter().filter(|(_, of)| of.kind == TypeKind::Asset && !is_ledger_type(&of.name));
        let mut found: Vec<String> = types
            .flat_map(|(of, _)| find_assets(graph, of, named))
            .map(|(of, row)| graph.id(of, row).into_owned())
            .collect();
        let findings = read_findings(&self.judge.store).map_err(|error| failed(&NotJudged::Ledger(error)))?;
        let assets = findings.iter().filter_map(|finding| finding.asset.as_ref());
        let called = assets.filter(|asset| asset.id == *named || asset.short_id() == named);
        found.extend(called.map(|asset| asset.id.clone()));
        found.sort();
        found.dedup();
        match found.as_slice() {
            [id] => Ok(id.clone()),
            [] => {
                let message = format!(
                    "there is no asset `{named}`: give the id or native id of one that was collected"
                );
                Err(NotDone { code: "unknown_asset", message })
            }
            several => {
                let message = format!("`{named}` is {} assets: give the id of one", several.len());
                Err(NotDone { code: "which_asset", message })
            }
        }
    }

    fn revoke_exception(&self, id: &str) -> Result<Done, NotDone> {
        let known = read_exceptions(&self.judge.store).map_err(|error| failed(&NotJudged::Ledger(error)))?;
        let Some(exception) = known.iter().find(|exception| exception.id == *id) else {
            return Err(unknown(
                "unknown_exception",
                "exception",
                id,
                known.iter().map(|one| one.id.as_str()),
            ));
        };
        let now = self.judge.clock.now();
        match exception.status_at(now) {
            ExceptionStatus::Active => self.accept(exception.revoked(now)),
            ExceptionStatus::Expired => {
                Err(NotDone { code: "exception_is_over", message: format!("`{id}` has expired") })
            }
            ExceptionStatus::Revoked => {
                Err(NotDone { code: "exception_is_over", message: format!("`{id}` was taken back already") })
            }
        }
    }

    /// Begins a collection; the loop of the schedule runs it.
    fn collect(&self, collection: &Collection) -> Result<Done, NotDone> {
        let name = JobName::Collection(REQUESTED.to_owned());
        let state = self.schedule.begin(&name).map_err(|busy| not_done("busy", busy))?;
        self.jobs.ask_for(collection.clone());
        match self.jobs.keeper.keep(vec![(name.clone(), state.clone())]) {
            Ok(sequence) => {
                self.schedule.hand_over(name.clone(), state);
                Ok(Done { id: name.to_string(), sequence })
            }
            Err(reason) => {
                self.schedule.end(&name, JobOutcome::Failed, reason.clone());
                tracing::error!("a collection did not begin: {reason}");
                Err(NotDone {
                    code: "not_kept",
                    message: "its beginning could not be kept: the log says why".to_owned(),
                })
            }
        }
    }
}

fn not_done(code: &'static str, error: impl std::fmt::Display) -> NotDone {
    NotDone { code, message: error.to_string() }
}

/// What the store says is nobody's business outside.
fn failed(error: &NotJudged) -> NotDone {
    match error {
        NotJudged::NoGraph => {
            not_done("not_ready", "the inventory is still being read: try again in a moment")
        }
        NotJudged::Ledger(_) => {
            tracing::error!("what a mutation asked for could not be done: {}", chain(error));
            not_done("not_kept", "it could not be kept: the log says why")
        }
    }
}

fn unknown<'k>(code: &'static str, what: &str, name: &str, known: impl Iterator<Item = &'k str>) -> NotDone {
    let help = nearest(name, known).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
    NotDone { code, message: format!("there is no {what} `{name}`{help}") }
}
