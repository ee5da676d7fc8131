//! (graph)
