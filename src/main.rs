//! `ntk`: the command line over the library of the same name.

mod cli;

use std::process::ExitCode;

/// Activations and kernels come and go by megabytes, and the system's allocator gives each one's pages back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
