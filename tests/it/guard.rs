//! The guard before the parsers.
