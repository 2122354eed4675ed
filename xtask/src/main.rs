//! Tarn's own tool, `cargo xtask`: sets the machine up, builds, runs, tests, checks and
//! measures the kernel.
//!
//! What differs between boards, images, tests and ranks is data (`boards/*/board.toml`,
//! `boards/images/*/image.toml`, `tests/cases/*.toml`, `xtask/ranks.toml`); the code here
//! only reads it. Every command sets up what it needs by itself.
#![forbid(unsafe_code)]

mod bench;
mod board;
mod build;
mod check;
mod exports;
mod kit;
mod machine;
mod program;
mod progress;
mod reference;
mod rows;
mod run;
mod services;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Builds, runs, tests and checks Tarn.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Find or install everything that the other commands need
    Setup,
    /// Build the kernel images
    Build {
        /// The board whose image is built, or `all`
        #[arg(long, default_value = "all")]
        board: String,
    },
    /// Make the kit for building programs in C, C++ and Rust, and say how it is used
    Kit {
        /// The board whose kit is made, or `all`
        #[arg(long, default_value = "all")]
        board: String,
    },
    /// Boot the kernel in QEMU; ends with the kernel's exit code
    Run(run::RunArgs),
    /// Run the tests, on the host and in machines
    Test(test::TestArgs),
    /// Check the house rules: format, lints, ranks, unsafe
    Check(check::CheckArgs),
    /// Measure, in instructions and bytes
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Print which rows of the list of systems the tests show
    Rows,
    /// Write docs/services.md, the reference page of system services, from their table
    Services,
    /// Write docs/exports.md, the page of what the system's DLLs export, from their lists and sources
    Exports,
    /// Run the conformance programs on Wine, to check what they expect against another implementation of NT
    Reference(reference::ReferenceArgs),
    /// Attach a debugger to `run --gdb`
    Gdb(run::GdbArgs),
}

/// Ends quietly when whoever reads the output has gone (`cargo xtask rows | head -1`): there is nobody to tell.
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.contains("Broken pipe") && text.starts_with("failed printing to") {
            std::process::exit(0);
        }
        usual(panic);
    }));
}

fn main() -> ExitCode {
    end_with_the_reader();
    match perform(Cli::parse().task) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<u8> {
    let workspace = Workspace::discover()?;
    match task {
        Task::Setup => setup::command().map(|()| 0),
        Task::Build { board } => build::command(&workspace, &board).map(|()| 0),
        Task::Kit { board } => kit::command(&workspace, &board).map(|()| 0),
        Task::Run(arguments) => run::command(&workspace, &arguments),
        Task::Test(arguments) => test::command(&workspace, &arguments),
        Task::Check(arguments) => check::command(&workspace, &arguments),
        Task::Bench(bench) => bench::command(&workspace, &bench),
        Task::Rows => rows::command(&workspace),
        Task::Services => services::command(&workspace).map(|()| 0),
        Task::Exports => exports::command(&workspace).map(|()| 0),
        Task::Reference(arguments) => reference::command(&workspace, &arguments),
        Task::Gdb(arguments) => run::gdb(&workspace, &arguments),
    }
}
