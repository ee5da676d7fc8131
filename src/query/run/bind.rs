//! What a plan is bound to: the tables of one graph, and the tests that fill its blanks.

use std::ops::Deref;

use super::super::Test;
use crate::graph::Graph;

/// A graph, with what fills the blanks of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bind<'g, 'p> {
    graph: &'g Graph,
    given: &'p [Test],
}

impl<'g, 'p> Bind<'g, 'p> {
    pub(super) fn new(graph: &'g Graph, given: &'p [Test]) -> Self {
        Self { graph, given }
    }

    /// A plan without blanks.
    pub(super) fn whole(graph: &'g Graph) -> Self {
        Self { graph, given: &[] }
    }

    /// A test of the plan, or the one that fills its place.
    pub(super) fn test(self, test: &'p Test) -> &'p Test {
        test.with(self.given)
    }
}

impl Deref for Bind<'_, '_> {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        self.graph
    }
}
