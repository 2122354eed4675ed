//! The machine: ARMv8-A, 64-bit, entered by the Linux boot protocol at EL1 or EL2.
//!
//! ARMv8.0 suffices; what later versions add is used when it is there (PAN) or
//! put out of the way (fine-grained traps). Three things hold all through:
//!
//! * the kernel runs at EL1 on `SP_EL1` (EL1h), and is compiled without SIMD, so a trap saves general registers only;
//! * `x18` and `TPIDR_EL1` point to this processor's block ([`per_processor`]), and the compiler never touches `x18`;
//! * nothing uses an exclusive or atomic instruction before the MMU is on, because with it off memory is
//!   Device-nGnRnE, where exclusives need not work.
//!
//! | file | what |
//! |---|---|
//! | `entry`, `el2` | from the firmware to the upper half; what stays at EL2 |
//! | `boot`, `boot_tables`, `window` | the first Rust code, the static page tables, the early window |
//! | `vectors`, `trap`, `syndrome`, `fixup` | exceptions |
//! | `user`, `switch` | user mode, threads |
//! | `per_processor`, `start`, `psci` | processors |
//! | `controller`, `interrupts`, `timer` | GIC and generic timer |
//! | `translation` | page-table format, TLB |
//! | `console`, `power`, `semihosting` | ways out |
//! | `simd`, `backtrace`, `selftest`, `user_code` | SIMD registers, stacks, faults and user mode on purpose |

mod backtrace;
mod boot;
mod boot_tables;
mod bytes;
mod console;
mod controller;
mod el2;
mod entry;
mod fixup;
mod interrupts;
mod per_processor;
mod power;
mod psci;
mod selftest;
mod semihosting;
mod simd;
mod start;
mod switch;
mod syndrome;
mod timer;
mod translation;
mod trap;
mod user;
mod user_code;
mod user_context;
mod vectors;
mod window;

pub use simd::SimdState;
pub use trap::TrapFrame;

/// The ARM64 machine that this code runs on.
#[derive(Debug)]
pub struct Machine;
