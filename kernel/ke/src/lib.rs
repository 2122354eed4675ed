//! The lowest layer of the kernel: what interrupts what, and what happens then.
//!
//! | module | NT's names |
//! |---|---|
//! | [`irql`] | `KeRaiseIrql`, `KeLowerIrql` |
//! | [`SpinLock`], [`QueuedSpinLock`], [`LockOrder`] | `KSPIN_LOCK` with the data that it guards, and the order of locks |
//! | [`dpc`] | `KDPC`, `KeInsertQueueDpc` |
//! | [`interrupt`] | `KINTERRUPT`, `IoConnectInterrupt` |
//! | [`clock`] | the clock interrupt, `KeQueryInterruptTime` |
//! | [`processor`] | `KPRCB`, starting processors, the idle loop |
//! | [`ipi`] | `KeIpiGenericCall` |
//! | [`bug_check`] | `KeBugCheckEx` |
//! | [`exception`] | which bug check a kernel-mode exception is |
//! | [`log`] | the kernel log (`DbgPrintEx`'s levels) |
//!
//! | [`thread`], [`process`], [`schedule`] | `KTHREAD`, `KPROCESS`; who runs |
//! | [`wait`] | `KeWaitFor...Object` |
//! | [`dispatcher`] | events, mutants, semaphores, timers, queues, and the lock that guards all waits |
//! | [`keyed`] | waits that are found by a key: what push locks and keyed events stand on |
//! | [`apc`] | `KAPC` |
//! | `software` | software interrupts: what happens when the level falls |
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod apc;
mod arena;
pub mod bug_check;
pub mod clock;
pub mod dispatcher;
pub mod dpc;
pub mod exception;
pub mod interrupt;
pub mod ipi;
pub mod irql;
pub mod keyed;
mod lock_order;
pub mod log;
#[cfg(target_os = "none")]
mod panic;
pub mod process;
pub mod processor;
mod queued_spin_lock;
pub mod schedule;
pub mod self_check;
mod software;
mod spin_lock;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod thread;
mod upcalls;
pub mod wait;

pub use lock_order::LockOrder;
pub use queued_spin_lock::{QueuedSpinLock, QueuedSpinLockGuard};
pub use spin_lock::{InterruptSpinLock, InterruptSpinLockGuard, SpinLock, SpinLockGuard};
pub use upcalls::{register, upcalls};

/// The boosts that NT gives a thread whose wait ends for that reason.
pub const EVENT_INCREMENT: u8 = 1;
/// See [`EVENT_INCREMENT`].
pub const SEMAPHORE_INCREMENT: u8 = 1;
/// See [`EVENT_INCREMENT`].
pub const MUTANT_INCREMENT: u8 = 1;
/// See [`EVENT_INCREMENT`].
pub const ALERT_INCREMENT: u8 = 2;
