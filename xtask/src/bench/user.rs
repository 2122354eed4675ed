//! `bench user`: what programs pay for what ntdll does in user mode, in instructions.

use super::measures::{Row, Suite};

pub(super) const SUITE: Suite = Suite {
    name: "user",
    program: "smss.exe bench_user.exe",
    golden: "tests/golden/user.toml",
    heading: "# What programs pay for what ntdll does for them, in tenths of an instruction. Rewritten by\n# `cargo xtask bench user --bless`.\n\n",
    rows: &ROWS,
    note: "Instructions. A lock that nobody holds costs less than a system call (`bench kernel`): it makes none.",
};

/// The targets are the project's own; where there is none, the figure is there to be watched.
const ROWS: [Row; 8] = [
    row("critical-section", "critical section, enter and leave", 100),
    row("slim-lock", "slim lock, exclusive", 100),
    row("slim-lock-shared", "slim lock, shared", 100),
    row("heap-64", "heap, allocate and free 64 bytes", 150),
    row("heap-4096", "heap, allocate and free 4096 bytes", 0),
    row("exception", "exception, caught two frames up", 12_000),
    row("library", "LoadLibrary and FreeLibrary of a DLL", 0),
    row(
        "process-to-main",
        "process with two DLLs, up to main",
        400_000,
    ),
];

const fn row(name: &'static str, title: &'static str, target: u64) -> Row {
    Row {
        name,
        title,
        target,
        linux: [0, 0],
        like: "",
    }
}
