//! The lowest layer of the kernel: what interrupts what, and what happens then.
//!
//! | module | NT's names |
//! |---|---|
//! | [`irql`] | `KeRaiseIrql`, `KeLowerIrql` |
//! | [`SpinLock`] | `KSPIN_LOCK` with the data that it guards |
//! | [`dpc`] | `KDPC`, `KeInsertQueueDpc` |
//! | [`interrupt`] | `KINTERRUPT`, `IoConnectInterrupt` |
//! | [`clock`] | the clock interrupt, `KeQueryInterruptTime` |
//! | [`processor`] | `KPRCB`, starting processors, the idle loop |
//! | [`ipi`] | `KeIpiGenericCall` |
//! | [`bug_check`] | `KeBugCheckEx` |
//! | [`exception`] | which bug check a kernel-mode exception is |
//! | [`log`] | the kernel log (`DbgPrintEx`'s levels) |
//!
//! Threads, waits and APCs are not here yet: nothing runs at passive level but
//! phase 1 on the first processor and the idle loops.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

pub mod bug_check;
pub mod clock;
pub mod dpc;
pub mod exception;
pub mod interrupt;
pub mod ipi;
pub mod irql;
pub mod log;
#[cfg(target_os = "none")]
mod panic;
pub mod processor;
pub mod self_check;
mod spin_lock;
#[cfg(test)]
mod testing;
mod upcalls;

pub use spin_lock::{SpinLock, SpinLockGuard};
pub use upcalls::{register, upcalls};
