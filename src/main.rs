//! The `passmuster` command.

use std::process::ExitCode;

/// A request asks for memory some sixty times, on whatever thread has it just then. (`docs/decisions/027-allocator.md`)
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    passmuster::cli::main()
}
