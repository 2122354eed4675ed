//! User APCs at the level of registers: where the kernel makes a thread run one.
//!
//! The frame leads a walk over the stack from the APC's routine back into the code that it interrupted.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod machine;

pub use machine::KiUserApcDispatcher;
