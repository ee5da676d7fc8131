//! An expectation held against the plan of its query: which part of the answer it means, whether that can ever be so,
//! and how it is decided.

use std::ops::Range;

use serde_json::Value;

use super::{
    super::error::Problem,
    Demand, Order, Step,
    read::{Mistake, Operator, Piece, Written},
    shape::{Assets, Kind, Shape},
};
use crate::{
    catalog::{Catalog, TypeId},
    model::nearest,
    query::{Engine, Filter, Filters, Plan, QueryError, Request, RootField, RootKind},
};

/// What is wrong, and with which of the two texts.
#[derive(Debug)]
pub(in super::super) enum Fault {
    /// The expectation, there.
    Expectation(Mistake),
    /// The query, where this word first stands.
    Query(String, Problem),
}

/// An expectation bound to a plan.
#[derive(Debug)]
pub(in super::super) struct Bound {
    pub(in super::super) demand: Demand,
    /// The type that the root field meant is about.
    pub(in super::super) of: TypeId,
}

/// Binds an expectation to the plan of its query.
///
/// # Errors
/// Everything wrong with it, or with the query since it is a check's.
pub(in super::super) fn bind(written: &Written, plan: &Plan, engine: &Engine) -> Result<Bound, Vec<Fault>> {
    let catalog = engine.catalog();
    let faults: Vec<Fault> = plan.roots.iter().filter_map(|root| partial(root, catalog)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let (root, path) = root_of(written, plan, catalog).map_err(|fault| vec![fault])?;
    let shape = Shape::of_root(&root.kind, catalog);
    let (Some(shape), Some(of)) = (shape, type_of(&root.kind)) else { return Err(vec![not_a_list(root)]) };
    let is_nothing = written.operator == Operator::Compare(Order::Equal) && written.operand.text == "[]";
    let wants_list = !matches!(written.operator, Operator::Compare(_)) || (path.is_empty() && is_nothing);
    let demand = if wants_list {
        let Kind::List(_, Some(assets)) = &shape.kind else { return Err(vec![not_a_list(root)]) };
        match written.operator {
            Operator::Compare(_) => {
                Ok(Demand::NoAsset { of: assets.of, violating: assets.filters.clone(), is_query: true })
            }
            _ if !path.is_empty() => Err(vec![unknown_path(&shape, path.first())]),
            operator => judged(written, operator == Operator::All, *assets, engine),
        }
    } else {
        compared(written, root, &shape, path).map_err(|fault| vec![fault])
    };
    demand.map(|demand| Bound { demand, of })
}

/// The type that the first root field of a plan is about, where the plan looks at all there is; else the word and what is
/// wrong with it.
pub(in super::super) fn whole_answer(plan: &Plan, catalog: &Catalog) -> Result<TypeId, (String, Problem)> {
    let fault = plan.roots.iter().find_map(|root| partial(root, catalog));
    if let Some(Fault::Query(word, problem)) = fault {
        return Err((word, problem));
    }
    let first = plan.roots.first();
    let of = first.and_then(|root| type_of(&root.kind));
    of.ok_or_else(|| {
        let root = first.map(|root| root.key.clone()).unwrap_or_default();
        (root.clone(), Problem::NotAList { root })
    })
}

/// The root field that an expectation means, and its path from there.
fn root_of<'w, 'p>(
    written: &'w Written,
    plan: &'p Plan,
    catalog: &Catalog,
) -> Result<(&'p RootField, &'w [Piece]), Fault> {
    let named = |name: &Piece| plan.roots.iter().find(|root| root.key == name.text);
    match (plan.roots.as_slice(), written.path.split_first()) {
        ([only], Some((first, rest))) => {
            let is_inside = Shape::of_root(&only.kind, catalog)
                .is_some_and(|shape| keys_of(&shape.kind).contains(&first.text.as_str()));
            let is_root = only.key == first.text && !is_inside;
            Ok((only, if is_root { rest } else { &written.path }))
        }
        ([only], None) => Ok((only, &[])),
        (roots, Some((first, rest))) => match named(first) {
            Some(root) => Ok((root, rest)),
            None => {
                let known: Vec<String> = roots.iter().map(|root| root.key.clone()).collect();
                Err(Fault::Expectation((first.span.clone(), unknown_name(&first.text, known))))
            }
        },
        (roots, None) => {
            let second = roots.get(1).map(|root| root.key.clone()).unwrap_or_default();
            Err(Fault::Query(second, Problem::SeveralRoots { count: roots.len() }))
        }
    }
}

/// That a root field looks at a part of what there is, or at another moment.
fn partial(root: &RootField, catalog: &Catalog) -> Option<Fault> {
    let refuse = |argument: &'static str| {
        Some(Fault::Query(argument.to_owned(), Problem::PartOfTheResult { argument }))
    };
    if root.as_of.is_some() {
        return Some(Fault::Query("asOf".to_owned(), Problem::AnotherMoment));
    }
    match &root.kind {
        // A limit that equals the type's own default was not necessarily written, and cuts nothing off a verdict.
        RootKind::Nodes(nodes) => {
            let own = catalog.get(nodes.of).limit;
            let default = own.and_then(|limit| limit.default.or(limit.max));
            if nodes.limit.is_some() && nodes.limit != default {
                return refuse("limit");
            }
            if nodes.offset > 0 { refuse("offset") } else { None }
        }
        RootKind::Groups(groups) if groups.limit.is_some() => refuse("limit"),
        _ => None,
    }
}

fn type_of(kind: &RootKind) -> Option<TypeId> {
    match kind {
        RootKind::Nodes(nodes) => Some(nodes.of),
        RootKind::Node { of, .. } => Some(*of),
        RootKind::Connection(connection) => Some(connection.of),
        RootKind::Aggregate(aggregate) => Some(aggregate.of),
        RootKind::Groups(groups) => Some(groups.of),
        RootKind::Search(_) | RootKind::Typename | RootKind::Introspection => None,
    }
}

fn not_a_list(root: &RootField) -> Fault {
    Fault::Query(root.key.clone(), Problem::NotAList { root: root.key.clone() })
}

/// `all` and `none`: each asset of the list has a verdict of its own.
fn judged(
    written: &Written,
    is_all: bool,
    assets: Assets<'_>,
    engine: &Engine,
) -> Result<Demand, Vec<Fault>> {
    let catalog = engine.catalog();
    let before = format!("{}(where: ", catalog.get(assets.of).plural);
    let text = format!("{before}{}) {{ id }}", written.operand.text);
    let broken = || {
        let problem = Problem::BadExpectation { value: written.whole.text.clone() };
        vec![Fault::Expectation((written.operand.span.clone(), problem))]
    };
    let mut plan = engine.plan(&Request::new(text)).map_err(|errors| {
        let fault = |error: &QueryError| {
            Fault::Expectation((place_in(written, error, before.len()), Problem::of_query(error)))
        };
        errors.iter().map(fault).collect::<Vec<_>>()
    })?;
    let (Some(root), true) = (plan.roots.pop(), plan.roots.is_empty()) else { return Err(broken()) };
    let is_partial = partial(&root, catalog).is_some();
    let RootKind::Nodes(nodes) = root.kind else { return Err(broken()) };
    if is_partial || nodes.of != assets.of || !nodes.sort.is_empty() {
        return Err(broken());
    }
    if is_all && nodes.filters.is_unconstrained() {
        let reason = "every asset satisfies an empty filter".to_owned();
        return Err(vec![Fault::Expectation(idle(written, reason))]);
    }
    let violating = catalog.concrete(assets.of).into_iter().map(|of| {
        let wanted = nodes.filters.of(of).cloned();
        let wanted = match (is_all, wanted) {
            (false, wanted) => wanted,
            (true, None) => Some(Filter::Constant(false)),
            // What a null leaves undecided does not satisfy: only what is TRUE does.
            (true, Some(wanted)) => Some(Filter::Not(Box::new(Filter::Holds(Box::new(wanted))))),
        };
        let both: Vec<Filter> = assets.filters.of(of).cloned().into_iter().chain(wanted).collect();
        let filter = match both.len() {
            0 | 1 => both.into_iter().next(),
            _ => Some(Filter::All(both)),
        };
        (of, filter)
    });
    Ok(Demand::NoAsset { of: assets.of, violating: Filters(violating.collect()), is_query: false })
}

/// Where an error of the filter stands in the expectation.
fn place_in(written: &Written, error: &QueryError, before: usize) -> Range<usize> {
    let span = &written.operand.span;
    let place = error.place.as_ref().filter(|place| place.fragment.is_none());
    place.map_or_else(
        || span.clone(),
        |place| {
            let at = |offset: usize| (span.start + offset.saturating_sub(before)).min(span.end);
            at(place.start)..at(place.end)
        },
    )
}

/// The six comparisons.
fn compared(written: &Written, root: &RootField, shape: &Shape<'_>, path: &[Piece]) -> Result<Demand, Fault> {
    let Operator::Compare(order) = written.operator else { return Err(not_a_list(root)) };
    let wanted: Value = serde_json::from_str(&written.operand.text).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.split(" at line").next().unwrap_or_default().to_owned();
        let problem = Problem::BadOperand { value: written.operand.text.clone(), reason };
        Fault::Expectation((written.operand.span.clone(), problem))
    })?;
    let (steps, target) = resolve(shape, path)?;
    let steps = [Step::Key(root.key.clone())].into_iter().chain(steps).collect();
    let refused = |mistake: Mistake| Err(Fault::Expectation(mistake));
    match &target.kind {
        Kind::List(_, Some(assets)) if order == Order::NotEqual && wanted == Value::Array(Vec::new()) => {
            return Ok(Demand::Count {
                of: assets.of,
                filters: assets.filters.clone(),
                order: Order::Greater,
                wanted: 0.0,
            });
        }
        Kind::Count(_) | Kind::Whole => {
            if let Some(mistake) = idle_or_impossible(written, order, &wanted, &target) {
                return refused(mistake);
            }
        }
        _ => {}
    }
    let excluded =
        if order.is_ordering() { target.is_out_of_order_with(&wanted) } else { target.excludes(&wanted) };
    if let Some(reason) = excluded {
        return refused(match order {
            Order::NotEqual => idle(written, reason),
            _ => impossible(written, reason),
        });
    }
    Ok(match (&target.kind, wanted.as_f64()) {
        (Kind::Count(assets), Some(wanted)) => counted(*assets, order, wanted),
        _ => Demand::Value { path: steps, order, wanted },
    })
}

/// That a count always or never compares so.
fn idle_or_impossible(
    written: &Written,
    order: Order,
    wanted: &Value,
    target: &Shape<'_>,
) -> Option<Mistake> {
    let wanted = wanted.as_f64()?;
    if matches!(order, Order::Equal | Order::NotEqual) && target.excludes(&Value::from(wanted)).is_some() {
        return None;
    }
    match order.decide(0, None, wanted)? {
        true => Some(idle(written, "every count does".to_owned())),
        false => Some(impossible(written, "no count does".to_owned())),
    }
}

/// A demand on a count. That there be none is a demand on each asset, and says which are wrong.
fn counted(assets: Assets<'_>, order: Order, wanted: f64) -> Demand {
    let (of, filters) = (assets.of, assets.filters.clone());
    let is_none =
        order.decide(0, Some(0), wanted) == Some(true) && order.decide(1, None, wanted) == Some(false);
    if is_none {
        Demand::NoAsset { of, violating: filters, is_query: false }
    } else {
        Demand::Count { of, filters, order, wanted }
    }
}

/// Follows a path into the answer.
fn resolve<'p>(shape: &Shape<'p>, path: &[Piece]) -> Result<(Vec<Step>, Shape<'p>), Fault> {
    let mut at = shape.clone();
    let mut steps = Vec::new();
    for name in path {
        let next = match &at.kind {
            Kind::List(_, assets) if name.text == "count" => {
                steps.push(Step::Length);
                let kind = assets.map_or(Kind::Whole, Kind::Count);
                Some(Shape { kind, nullable: false })
            }
            Kind::Object(forms) => {
                steps.push(Step::Key(name.text.clone()));
                let mut found = forms.iter().filter_map(|entries| {
                    entries.iter().find(|(key, _)| *key == name.text).map(|(_, shape)| shape.clone())
                });
                let first = found.next();
                // Several forms agree in a key or leave it open.
                match (first, forms.len()) {
                    (Some(first), 1) => Some(Shape { nullable: first.nullable || at.nullable, ..first }),
                    (Some(_), _) => Some(Shape { kind: Kind::Any, nullable: true }),
                    (None, _) => None,
                }
            }
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return Err(unknown_path(&at, Some(name))),
        }
    }
    Ok((steps, at))
}

fn keys_of<'k>(kind: &'k Kind<'_>) -> Vec<&'k str> {
    match kind {
        Kind::List(..) => vec!["count"],
        Kind::Object(forms) => {
            let mut keys: Vec<&str> = forms.iter().flatten().map(|(key, _)| *key).collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        }
        _ => Vec::new(),
    }
}

fn unknown_path(at: &Shape<'_>, name: Option<&Piece>) -> Fault {
    let known = keys_of(&at.kind).into_iter().map(str::to_owned).collect();
    let (text, span) = name.map_or((String::new(), 0..0), |name| (name.text.clone(), name.span.clone()));
    Fault::Expectation((span, unknown_name(&text, known)))
}

fn unknown_name(name: &str, known: Vec<String>) -> Problem {
    let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
    Problem::UnknownPath { name: name.to_owned(), nearest, known }
}

fn impossible(written: &Written, reason: String) -> Mistake {
    let problem = Problem::ImpossibleExpectation { value: written.whole.text.clone(), reason };
    (written.operand.span.clone(), problem)
}

fn idle(written: &Written, reason: String) -> Mistake {
    let problem = Problem::IdleExpectation { value: written.whole.text.clone(), reason };
    (written.operand.span.clone(), problem)
}
