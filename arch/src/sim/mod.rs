//! A machine on the host, for `cargo test`.
//!
//! It stands behind the same contract as the real ones: memory is a vector, the
//! counter moves only when a test says so, interrupts come when a test scripts
//! them, and everything happens on the calling thread, so a run is the same each
//! time. [`boot`] powers it on and holds it: the machine is one, like a real one,
//! so tests that need it take turns.
//!
//! What it cannot show, true concurrency and the memory order of hardware, is
//! tested in QEMU.

mod events;
mod machine;
mod memory;
mod state;

pub use events::{advance, become_processor, interrupt, on_processor, script_interrupt};
pub use machine::{Machine, SimdState, TrapFrame};
pub use memory::{RAM_BASE, RAM_LENGTH, loader_block};
pub use state::{Ended, Running, boot, console_output, ended, started_processors};
