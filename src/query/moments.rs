//! The graphs a plan runs over: the present one, and one for each moment that a root field asks for with `asOf`. Where
//! they come from is not known here; whoever holds the inventory hands in a [`Moments`].

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    error::{QueryError, QueryErrorKind},
    plan::{Plan, RootField, RootKind},
    run::PathSegment,
};
use crate::{graph::Graph, model::Time};

/// The most moments that one query may ask for: each may need a graph as large as the present one.
const MOST_MOMENTS: usize = 8;

/// Gives the inventory of any moment.
pub trait Moments: fmt::Debug + Send + Sync {
    /// The inventory as it was at a moment, or with none given as it is now. Moments between two collections share
    /// one graph. May take long where that has to be built.
    ///
    /// # Errors
    /// Where nothing is known of that moment, or what is known can't be read.
    fn graph_at(&self, moment: Option<Time>) -> Result<Arc<Graph>, MomentError>;
}

/// Why there is no graph of a moment. The text is safe to show to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// Nothing had been collected yet.
    #[error("{}", match earliest {
        Some(earliest) => format!("nothing is known of {moment}: the first collection was at {earliest}"),
        None => format!("nothing is known of {moment}: nothing was ever collected"),
    })]
    BeforeHistory {
        /// The moment asked for.
        moment: Time,
        /// The earliest that can be asked for; nothing where there is none.
        earliest: Option<Time>,
    },
    /// The inventory is one without a past: a file.
    #[error("this inventory has no past, so nothing is known of {moment}")]
    NoHistory {
        /// The moment asked for.
        moment: Time,
    },
    /// It is known and can't be read.
    #[error("the inventory of {} can't be read: {reason}", match moment {
        Some(moment) => moment.to_string(),
        None => "now".to_owned(),
    })]
    Unreadable {
        /// The moment asked for; nothing for the present.
        moment: Option<Time>,
        /// What is wrong, without what an outsider must not see.
        reason: String,
    },
}

impl MomentError {
    fn help(&self) -> Option<String> {
        match self {
            Self::BeforeHistory { earliest: Some(earliest), .. } => {
                Some(format!("ask for that moment or a later one: `asOf: \"{earliest}\"`"))
            }
            Self::BeforeHistory { earliest: None, .. } => Some("collect or import first".to_owned()),
            Self::NoHistory { .. } => Some("leave the moment out, or ask a store".to_owned()),
            Self::Unreadable { .. } => None,
        }
    }
}

impl Plan {
    /// The moments its root fields ask for, each once; nothing stands for the present, and comes first.
    #[must_use]
    pub fn moments(&self) -> Vec<Option<Time>> {
        if self.roots.iter().all(|root| root.as_of.is_none()) {
            return vec![None];
        }
        let of_inventory = self.roots.iter().filter(|root| root.is_of_inventory());
        let mut moments: Vec<Option<Time>> = of_inventory.map(|root| root.as_of).collect();
        moments.sort_unstable();
        moments.dedup();
        if moments.is_empty() { vec![None] } else { moments }
    }

    /// Lets root fields that name no moment ask for this one.
    pub(super) fn ask_by_default(&mut self, moment: Time) {
        for root in self.roots.iter_mut().filter(|root| root.is_of_inventory()) {
            root.as_of = root.as_of.or(Some(moment));
        }
    }

    /// The graphs of all its moments.
    ///
    /// # Errors
    /// The moments there is no graph of, each with a root field that asks for it; or too many of them.
    pub fn gather(
        &self,
        moments: &dyn Moments,
    ) -> Result<BTreeMap<Option<Time>, Arc<Graph>>, Vec<QueryError>> {
        let (mut graphs, mut errors) = (BTreeMap::new(), Vec::new());
        let wanted = self.moments();
        if wanted.len() > MOST_MOMENTS {
            let (limit, actual) = (MOST_MOMENTS as u64, wanted.len() as u64);
            let what = "different moments (`asOf`)";
            return Err(vec![QueryError::new(QueryErrorKind::TooLarge { what, limit, actual })]);
        }
        for moment in wanted {
            match moments.graph_at(moment) {
                Ok(graph) => drop(graphs.insert(moment, graph)),
                Err(error) => {
                    let is_asking = |root: &&RootField| root.is_of_inventory() && root.as_of == moment;
                    let asking = self.roots.iter().find(is_asking);
                    let path = asking.map(|root| PathSegment::Key(root.key.clone())).into_iter().collect();
                    let help = error.help();
                    errors.push(QueryError { kind: QueryErrorKind::Moment(error), place: None, help, path });
                }
            }
        }
        if errors.is_empty() { Ok(graphs) } else { Err(errors) }
    }
}

impl RootField {
    /// Whether the inventory answers it, rather than the schema.
    #[must_use]
    pub fn is_of_inventory(&self) -> bool {
        !matches!(self.kind, RootKind::Typename | RootKind::Introspection)
    }
}

/// The graphs a plan runs over, by moment; nothing stands for the present.
#[derive(Clone, Debug)]
pub struct Graphs<'g>(Vec<(Option<Time>, &'g Graph)>);

impl<'g> Graphs<'g> {
    /// The graph of a moment, if it was handed in.
    #[must_use]
    pub fn at(&self, moment: Option<Time>) -> Option<&'g Graph> {
        self.0.iter().find(|(known, _)| *known == moment).map(|(_, graph)| *graph)
    }
}

/// The present alone.
impl<'g> From<&'g Graph> for Graphs<'g> {
    fn from(graph: &'g Graph) -> Self {
        Self(vec![(None, graph)])
    }
}

impl<'g> From<&'g BTreeMap<Option<Time>, Arc<Graph>>> for Graphs<'g> {
    fn from(graphs: &'g BTreeMap<Option<Time>, Arc<Graph>>) -> Self {
        Self(graphs.iter().map(|(moment, graph)| (*moment, &**graph)).collect())
    }
}
