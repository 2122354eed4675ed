//! `bench kernel`: what programs pay for what they ask of the kernel, in instructions, beside Linux.

use super::measures::{Row, Suite};

pub(super) const SUITE: Suite = Suite {
    name: "kernel",
    program: "bench_kernel.exe",
    golden: "tests/golden/kernel.toml",
    heading: "# What programs pay for what they ask of the kernel, in tenths of an instruction. Rewritten by\n# `cargo xtask bench kernel --bless`.\n\n",
    rows: &ROWS,
    note: "Instructions; Linux: Debian 6.1 on the same machine with one processor.",
};

/// Linux: Debian's 6.1.192-2 on the same virtual machines with one processor, Cortex-A72 and `-cpu max`, under the same
/// count of instructions, from a static program; mitigations as Debian has them.
const ROWS: [Row; 8] = [
    Row {
        name: "null-call",
        title: "null system call",
        target: 130,
        linux: [497, 326],
        like: "getppid",
    },
    Row {
        name: "thread-ping-pong",
        title: "event ping-pong, two threads",
        target: 3_000,
        linux: [10_699, 8_052],
        like: "futex ping-pong",
    },
    Row {
        name: "process-ping-pong",
        title: "event ping-pong, two processes",
        target: 4_000,
        linux: [14_426, 11_677],
        like: "pipe ping-pong",
    },
    Row {
        name: "thread",
        title: "thread create, exit, wait",
        target: 12_000,
        linux: [42_128, 76_750],
        like: "pthread create, join",
    },
    Row {
        name: "process",
        title: "process create, exit, wait",
        target: 90_000,
        linux: [132_698, 251_515],
        like: "vfork, exec, exit of a tiny program",
    },
    Row {
        name: "page-fault",
        title: "demand-zero page fault",
        target: 1_500,
        linux: [3_412, 6_979],
        like: "anonymous page fault",
    },
    Row {
        name: "memory",
        title: "reserve, commit, release a page",
        target: 3_000,
        linux: [19_836, 17_235],
        like: "mmap, munmap",
    },
    Row {
        name: "handle",
        title: "handle duplicate, close",
        target: 1_200,
        linux: [0, 0],
        like: "",
    },
];
