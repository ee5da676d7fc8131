//! Running a plan over a graph. Closed world: rows, sorted and paged, written straight to JSON bytes. Open world:
//! which rows must satisfy a filter, which can't, and for the rest why nobody can say.

mod aggregate;
mod bind;
mod connect;
mod eval;
mod figures;
mod firm;
mod flat;
mod group;
mod judge;
mod limits;
mod loose;
mod matcher;
mod needed;
mod node;
mod order;
mod patience;
mod places;
mod reasons;
mod row;
mod search;
mod select;
mod shape;
mod touched;
mod unseen;
mod why;
mod work;
mod world;
mod write;

use std::{collections::BTreeMap, rc::Rc};

pub use judge::{Judgement, Judging, Reason, TypeJudgement, UnknownRow, judge};
pub use limits::{RunError, RunLimits, Stop};
pub use touched::{Incomplete, incomplete_slices, touched_by_filters, touched_types};
pub use unseen::unseen;
pub use why::{Named, Truth, Why, WhyNode, World as WhyWorld, find_assets, why};
pub use work::{Step, Visited};
pub use write::{FieldError, Outlet, PathSegment};

use self::{
    bind::Bind,
    connect::{BoundConnection, Source},
    eval::Evaluator,
    figures::BoundAggregate,
    shape::{BoundNodes, Shape, write_key},
    work::Work,
    world::World,
    write::{Halt, Path, Writer},
};
use super::{Aggregate, Connection, Graphs, Groups, Nodes, Output, Plan, RootField, RootKind, Test};
use crate::{catalog::TypeId, model::Time};

/// The answer of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// The JSON of `data`: an object in the order asked, or `null` where an error reached the top.
    pub data: Vec<u8>,
    /// The parts that could not be given, in the order of the answer.
    pub errors: Vec<FieldError>,
    /// How many assets the answer holds, nested ones included.
    pub rows: u64,
}

/// Runs a plan over a graph (or one for each moment it asks for) in a closed world. `introspection` holds the JSON of each introspection root by its
/// response key.
///
/// # Errors
/// A limit that was reached, with its actual value.
pub fn run<'g>(
    plan: &Plan,
    graphs: impl Into<Graphs<'g>>,
    introspection: &BTreeMap<String, Vec<u8>>,
    limits: &RunLimits<'_>,
) -> Result<Ran, RunError> {
    let graphs = graphs.into();
    answer(&evaluators((plan, &[]), &graphs, limits, &Rc::default())?, plan, introspection, limits)
}

/// As [`run`], with what it visited and its steps.
///
/// # Errors
/// A limit that was reached, with its actual value.
pub fn run_explained<'g>(
    plan: &Plan,
    graphs: impl Into<Graphs<'g>>,
    introspection: &BTreeMap<String, Vec<u8>>,
    limits: &RunLimits<'_>,
) -> Result<(Ran, Visited, Vec<Step>), RunError> {
    let work = Rc::new(Work::traced());
    let ran = answer(&evaluators((plan, &[]), &graphs.into(), limits, &work)?, plan, introspection, limits)?;
    Ok((ran, work.visited(), work.take_steps()))
}

/// What an answer that is written behind a beginning came to.
#[derive(Debug)]
pub(super) struct Streamed {
    /// What was written and not handed on: all of it, or its end.
    pub(super) rest: Vec<u8>,
    /// How many bytes were handed on.
    pub(super) sent: usize,
    /// How the run ended. Where it was stopped, what was handed on ends in the middle, and the rest is of no use.
    pub(super) ended: Result<(Vec<FieldError>, u64), RunError>,
}

/// As [`run`], with the tests that fill the plan's blanks, behind a beginning that the answer is to have; a large one is
/// handed on piece by piece, as far as it can't become null any more.
pub(super) fn stream(
    (plan, given): (&Plan, &[Test]),
    graphs: &Graphs<'_>,
    introspection: &BTreeMap<String, Vec<u8>>,
    limits: &RunLimits<'_>,
    begun: Vec<u8>,
    outlet: Option<Outlet<'_>>,
) -> Streamed {
    let evaluators = match evaluators((plan, given), graphs, limits, &Rc::default()) {
        Ok(evaluators) => evaluators,
        Err(error) => return Streamed { rest: begun, sent: 0, ended: Err(error) },
    };
    let Some((_, first)) = evaluators.first() else {
        return Streamed { rest: begun, sent: 0, ended: Ok((Vec::new(), 0)) };
    };
    let mut pass_on = outlet.map(|outlet| move |piece| outlet(piece));
    let mut writer = Writer::new(first);
    writer.out = begun;
    if let Some(pass_on) = pass_on.as_mut().filter(|_| firm::is_firm(plan, graphs)) {
        writer.outlet = Some(pass_on);
    }
    let ended = write_roots(&mut writer, &evaluators, first, plan, introspection, limits);
    Streamed { sent: writer.sent(), rest: writer.out, ended: ended.map(|()| (writer.errors, writer.rows)) }
}

fn answer(
    evaluators: &[(Option<Time>, Evaluator<'_, '_>)],
    plan: &Plan,
    introspection: &BTreeMap<String, Vec<u8>>,
    limits: &RunLimits<'_>,
) -> Result<Ran, RunError> {
    let Some((_, first)) = evaluators.first() else { return Ok(Ran::default()) };
    let mut writer = Writer::new(first);
    write_roots(&mut writer, evaluators, first, plan, introspection, limits)?;
    Ok(Ran { data: writer.out, errors: writer.errors, rows: writer.rows })
}

/// All root fields as one object, or `null` where an error reached the top.
fn write_roots<'e, 'g, 'r>(
    writer: &mut Writer<'e, 'g, 'r>,
    evaluators: &'e [(Option<Time>, Evaluator<'g, 'r>)],
    first: &'e Evaluator<'g, 'r>,
    plan: &Plan,
    introspection: &BTreeMap<String, Vec<u8>>,
    limits: &RunLimits<'_>,
) -> Result<(), RunError> {
    let begun = writer.out.len();
    for (place, root) in plan.roots.iter().enumerate() {
        writer.out.push(if place == 0 { b'{' } else { b',' });
        write_key(&root.key, &mut writer.out);
        let of_moment = evaluators.iter().find(|(moment, _)| *moment == root.as_of);
        let evaluator = of_moment.map_or(first, |(_, evaluator)| evaluator);
        writer.evaluator = evaluator;
        match write_root_step(writer, evaluator, root, introspection) {
            Ok(()) => evaluator.patience().check()?,
            Err(Halt::Stop(error)) => return Err(error),
            Err(Halt::Null) => {
                writer.out.truncate(begun);
                writer.out.extend_from_slice(b"null");
                return Ok(());
            }
        }
    }
    writer.out.extend_from_slice(if plan.roots.is_empty() { b"{}" } else { b"}" });
    let actual = (writer.written() - begun) as u64;
    if actual > limits.max_bytes {
        return Err(RunError::TooManyBytes { limit: limits.max_bytes, actual });
    }
    Ok(())
}

/// One root field, as a step of its own.
fn write_root_step(
    writer: &mut Writer<'_, '_, '_>,
    evaluator: &Evaluator<'_, '_>,
    root: &RootField,
    introspection: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Halt> {
    let (bytes, rows) = (writer.written(), writer.rows);
    let step = evaluator.work.begin(|| root.key.clone());
    write_root(writer, evaluator, root, introspection)?;
    let written = usize::try_from(writer.rows - rows).unwrap_or(usize::MAX);
    let seen = match &root.kind {
        RootKind::Nodes(Nodes { of, .. })
        | RootKind::Connection(Connection { of, .. })
        | RootKind::Aggregate(Aggregate { of, .. })
        | RootKind::Groups(Groups { of, .. }) => evaluator.world.graph.count(*of),
        _ => written,
    };
    evaluator.work.end(step, seen, written, writer.written() - bytes);
    Ok(())
}

/// One evaluator for each moment that the plan asks for.
fn evaluators<'g, 'r>(
    (plan, given): (&Plan, &'r [Test]),
    graphs: &Graphs<'g>,
    limits: &RunLimits<'r>,
    work: &Rc<Work>,
) -> Result<Vec<(Option<Time>, Evaluator<'g, 'r>)>, RunError> {
    let of_moment = |moment| {
        let graph = graphs.at(moment).ok_or(RunError::NoMoment { moment })?;
        let world = World::closed(graph);
        Ok((moment, Evaluator { world, given, limits: *limits, work: Rc::clone(work) }))
    };
    plan.moments().into_iter().map(of_moment).collect()
}

fn write_root(
    writer: &mut Writer<'_, '_, '_>,
    evaluator: &Evaluator<'_, '_>,
    root: &RootField,
    introspection: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Halt> {
    let path = Path::root(&root.key);
    match &root.kind {
        RootKind::Nodes(nodes) => {
            let nodes = BoundNodes::of_root(evaluator.bind(), nodes);
            let picks = evaluator.select_root(&nodes)?;
            writer.write_list(&nodes, &picks, &path)
        }
        RootKind::Node { of, id, output } => {
            let id = id.with(evaluator.given).unwrap_or_default();
            write_one(writer, evaluator.bind(), (*of, id), output, &path)
        }
        RootKind::Connection(connection) => {
            let connection = BoundConnection::of_root(evaluator.bind(), connection);
            writer.write_connection(&connection, Source::Root, &path)
        }
        RootKind::Aggregate(aggregate) => {
            let aggregate = BoundAggregate::of_root(evaluator.bind(), aggregate);
            writer.write_aggregate(&aggregate, Source::Root)
        }
        RootKind::Groups(groups) => writer.write_groups(groups),
        RootKind::Search(search) => writer.write_hits(search, &path),
        RootKind::Typename => {
            writer.out.extend_from_slice(b"\"Query\"");
            Ok(())
        }
        RootKind::Introspection => {
            writer.out.extend_from_slice(introspection.get(&root.key).map_or(b"null", Vec::as_slice));
            Ok(())
        }
    }
}

fn write_one<'p>(
    writer: &mut Writer<'_, '_, '_>,
    graph: Bind<'_, 'p>,
    (of, id): (TypeId, &str),
    output: &'p Output,
    path: &Path<'_>,
) -> Result<(), Halt> {
    let found = graph.catalog().concrete(of).into_iter().find_map(|of| {
        let (table_id, table) = graph.table_of(of)?;
        Some((table_id, table.find(id)?))
    });
    match found {
        None => writer.out.extend_from_slice(b"null"),
        Some((table, row)) => {
            let shape = Shape::bind(graph, table, output);
            writer.nullable(true, |writer| writer.write_asset(table, &shape, row, path))?;
        }
    }
    Ok(())
}
