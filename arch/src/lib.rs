//! The floor: what a machine gives the kernel.
//!
//! Everything that must name a register, an instruction or an address lives
//! here; so does all the `unsafe` that goes with it. Above the floor the kernel
//! is safe Rust, written against [`contract`] and [`memory`].
//!
//! Three machines stand behind the same contract: [`aarch64`](self), [`x86_64`](self)
//! and, for `cargo test` on the host, [`sim`](self). Which one is compiled is decided
//! in this file and nowhere else; the name `target_arch` appears in no other crate.
//!
//! | module | what it gives |
//! |---|---|
//! | [`contract`] | the traits that each machine implements, and their types |
//! | [`memory`] | frames with one owner, the kernel's page tables, stacks and device windows |
//! | [`thread`] | stacks that take turns on the processors, and user mode |
//! | [`user`] | copying from and to user memory |
//! | [`counted`] | values with a count of references, made without fear of a full memory |
//! | [`heap`] | the global allocator that the pools of `ex` draw from |
//! | `dispatch` | the machine-independent half of taking an interrupt |
#![cfg_attr(target_os = "none", no_std)]
#![allow(
    unsafe_code,
    reason = "this crate is the floor: each block carries its SAFETY argument"
)]

extern crate alloc;

mod atomic_ref;
pub mod contract;
pub mod counted;
pub mod dispatch;
#[cfg(target_os = "none")]
pub mod heap;
pub mod lock;
pub mod memory;
pub mod thread;
pub mod user;

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod aarch64;
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub use aarch64::{Machine, SimdState, TrapFrame};

#[cfg(all(target_arch = "x86_64", target_os = "none"))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", target_os = "none"))]
pub use self::x86_64::{Machine, SimdState, TrapFrame, firmware_memory};

#[cfg(not(target_os = "none"))]
pub mod sim;
#[cfg(not(target_os = "none"))]
pub use sim::{Machine, SimdState, TrapFrame};

pub use atomic_ref::AtomicRef;

use contract::Kernel;

/// Memory that the firmware's tables are in, where they are found by address: nothing, on a machine with a device tree.
#[cfg(not(all(target_arch = "x86_64", target_os = "none")))]
pub fn firmware_memory() -> impl boards::PhysicalMemory {
    struct NoTables;
    impl boards::PhysicalMemory for NoTables {
        fn read(&self, _address: u64, _into: &mut [u8]) -> bool {
            false
        }
    }
    NoTables
}

static KERNEL: spin::Once<&'static dyn Kernel> = spin::Once::new();

/// Tells the floor whom to call for interrupts, exceptions and new processors. The first call counts.
pub fn set_kernel(kernel: &'static dyn Kernel) {
    KERNEL.call_once(|| kernel);
}

/// The kernel above the floor, once it has announced itself.
pub fn kernel() -> Option<&'static dyn Kernel> {
    KERNEL.get().copied()
}

/// Names the function that the floor calls, on the processor that booted, when the processor is in its final mode
/// in the upper half on the boot stack: `fn(contract::BootInfo) -> !`.
///
/// It is invoked once, in the root of a kernel program.
#[macro_export]
macro_rules! kernel_entry {
    ($start:path) => {
        #[allow(unsafe_code, reason = "the floor's entry code calls this symbol")]
        // SAFETY: the name is used for this function alone; the floor declares it with the same signature.
        #[unsafe(no_mangle)]
        fn tarn_kernel_main(boot: $crate::contract::BootInfo) -> ! {
            $start(boot)
        }
    };
}
