//! The `passmuster` command.

fn main() {}
