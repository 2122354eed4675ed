//! A machine on the host, for `cargo test`.
//!
//! It stands behind the same contract as the real ones: memory is a vector, time
//! moves only as a test lets it, interrupts come by script and by the clock, stacks
//! are switched, processors take turns by a seeded die, and all of it happens on the
//! one host thread that powered it on. So a run is the same each time, and a failure
//! that one seed found comes back with that seed. The machine is one, like a real
//! one, so tests that need it take turns.
//!
//! | module | what |
//! |---|---|
//! | `state` | the machine's state; [`boot`], [`boot_multiprocessor`] |
//! | `machine` | the contract: processor, interrupts, clock, console, power |
//! | `turns` | processors that take turns; scheduling points; halting |
//! | `strand` | lines of execution, their switches and their ends |
//! | `stack` | stacks on the host, and the switch between two |
//! | `ending` | how the machine ends, and [`ended`] |
//! | `events` | interrupts by script and by the clock |
//! | `memory` | RAM, and page tables in a format of their own |
//! | `user_memory` | user halves, translations that are remembered, copies |
//! | `user` | user mode as a closure, and its registers |
//! | `spare` | frames and stacks for crates that have no memory manager below them |
//! | [`alloc_failure`] | a host heap that runs out when a test says so |
//!
//! What it cannot show, true concurrency and the memory order of hardware, is
//! tested in QEMU.

pub mod alloc_failure;
mod ending;
mod events;
mod machine;
mod memory;
mod spare;
mod stack;
mod state;
mod strand;
mod turns;
mod user;
mod user_context;
mod user_memory;

pub use alloc_failure::FailingAllocator;
pub use ending::{Ended, ended};
pub use events::{advance, become_processor, interrupt, on_processor, script_interrupt};
pub use machine::{Machine, SimdState, TrapFrame};
pub use memory::{RAM_BASE, RAM_LENGTH, loader_block};
pub use spare::{SpareFrames, give_stack_back, kernel_stack, start_processor};
pub use state::{Running, boot, boot_multiprocessor, console_output, started_processors};
pub use turns::{fingerprint, set_pass_rate, set_point_limit, set_ticks_per_point};
pub use user::{UserState, set_user_mode, user_fetch, user_load, user_store};
