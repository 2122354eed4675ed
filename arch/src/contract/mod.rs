//! What a machine gives the kernel, and what the kernel gives the machine.
//!
//! Downwards: the traits [`Processor`], [`Interrupts`], [`Clock`], [`Console`],
//! [`Power`], [`Translation`], [`UserTranslation`], [`Threads`] and [`SelfTest`], all implemented by `arch::Machine`,
//! a type without values: there is one machine, and it is the one we run on.
//! Upwards: [`Kernel`], registered once with `arch::set_kernel`; an upward need
//! of the floor is a method there.

mod address;
mod boot;
mod exception;
mod interrupts;
mod irql;
mod kernel;
mod processor;
mod selftest;
mod thread;
mod translation;
mod user_context;

pub use address::*;
pub use boot::*;
pub use exception::*;
pub use interrupts::*;
pub use irql::*;
pub use kernel::*;
pub use processor::*;
pub use selftest::*;
pub use thread::*;
pub use translation::*;
pub use user_context::*;
