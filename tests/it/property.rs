//! (property)
