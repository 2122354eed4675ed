//! The C side of a DLL: what it exports, pointers that C code hands in, functions that it wants called.
//!
//! A function of ntdll or kernel32 is called by code of any origin, which hands over addresses. Whether something is there,
//! of which type, and who else looks at it, no type of ours can know: it is what the function's documentation asks of its
//! caller, and a caller who breaks it gets what Windows gives him, an access violation in his own process. So:
//!
//! - **An address is a [`Ptr`].** It says what should be there and proves nothing. All reads and writes through
//!   addresses are in this crate, so that this argument is made in one place; the crates above forbid unsafe.
//! - **Nothing is borrowed by accident.** [`Ptr::read`] and [`Ptr::write`] copy. Views of memory
//!   ([`Ptr::slice`]) are for what nobody changes while they live, such as the headers of a mapped image, and say so.
//! - **What several threads look at is atomic** ([`Ptr::atomic`]).
//!
//! What is *safe* here is therefore safe in the sense of a C interface: a [`Ptr`] that was handed in refers to what its
//! function's documentation says, and one that a crate made itself refers to memory which it got from the system for that.
//! A crate that makes addresses in another way has a defect, and the place to look for it is where the [`Ptr`] was made.
#![no_std]
#![allow(
    unsafe_code,
    reason = "memory that C code hands over has no safe form; the argument is made here once"
)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "the addresses of a process have the width of its `usize`"
)]

#[cfg(not(target_os = "windows"))]
extern crate alloc;

pub mod blocks;
mod compiler;
mod exports;
mod functions;
mod imports;
mod pointers;
pub mod services;
#[cfg(target_os = "windows")]
mod teb;
mod variadic;

pub use functions::Function;
pub use pointers::Ptr;
#[doc(hidden)]
pub use pointers::offset_of;
#[cfg(target_os = "windows")]
pub use teb::teb;
pub use variadic::Arguments;
