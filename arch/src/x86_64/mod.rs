//! The x86-64 machine: long mode, local APICs, one image for every PC that starts it by PVH.
//!
//! The kernel is compiled for `x86_64-unknown-none`, which has no SSE: nothing here
//! touches a SIMD register except [`simd`] and [`selftest`], so a trap leaves them
//! alone and the trap frame holds general registers only.
//!
//! | file | what |
//! |---|---|
//! | [`entry`] | from the firmware's 32-bit mode to Rust in the upper half |
//! | [`boot_guard`] | guard pages before there are tables of the kernel's own |
//! | [`features`] | what CPUID says, and the control bits that follow from it |
//! | [`registers`] | model-specific registers and I/O ports |
//! | [`per_processor`] | the block that GS points to |
//! | [`descriptors`] | GDT, TSS, and the stacks that the IST names |
//! | [`vectors`], [`idt`], [`trap`] | 256 stubs, their table, and what they call |
//! | [`exception`] | the machine's exceptions in the contract's words; the emergency path |
//! | [`user`], [`user_entry`] | a thread's user registers; into user mode and out of it |
//! | [`switch`], [`user_copy`] | from stack to stack; copies that survive faults |
//! | [`processor`] | the contract's `Processor` |
//! | [`apic`], [`io_apic`], [`interrupts`] | interrupt controllers |
//! | [`calibration`], [`timer`] | the counter's rate, the clock |
//! | [`start`], [`trampoline`] | starting the other processors |
//! | [`translation`], [`shootdown`] | page tables; making every processor forget |
//! | [`console`], [`power`], [`firmware`] | 16550, the ways out, what PVH left |
//! | [`simd`], [`backtrace`], [`selftest`], [`held_registers`], [`user_code`] | registers saved, stacks walked, faults and user mode on purpose |

mod apic;
mod backtrace;
mod boot_guard;
mod calibration;
mod console;
mod descriptors;
mod division;
mod entry;
mod exception;
mod features;
mod firmware;
mod floating_point;
mod general_protection;
mod held_registers;
mod idt;
mod interrupts;
mod io_apic;
mod per_processor;
mod power;
mod processor;
mod registers;
mod selftest;
mod shootdown;
mod simd;
mod spurious;
mod start;
mod switch;
mod timer;
mod trampoline;
mod translation;
mod trap;
mod user;
mod user_code;
mod user_context;
mod user_copy;
mod user_entry;
mod vectors;

pub use firmware::firmware_memory;
pub use simd::SimdState;
pub use trap::TrapFrame;

/// The machine that this code runs on: an x86-64 PC.
pub struct Machine;
