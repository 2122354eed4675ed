//! The heap of user mode: what ntdll's `Rtl*Heap` functions do, without the system calls.
//!
//! A [`Heap`] is found by its handle, which is the address of its header. It gets pages through [`Pages`] and excludes other
//! threads through [`Lock`]; ntdll provides both and exports the functions.
//!
//! Three layers, by the size of a block:
//!
//! - **The front end** (`span`, `bucket`): runs of pages with blocks of one size, up to 16 KiB. To allocate 64 bytes and to
//!   free them is 138 instructions on x86-64, the lock included (`examples/pairs.rs` counts).
//! - **The back end** (`backend`): blocks of any size in segments, with headers before them, coalesced when they are freed. Its
//!   blocks are also the front end's runs.
//! - **Large blocks** (`large`): above half a megabyte, each with a reservation of its own.
//!
//! What a program writes where it should not is met everywhere, so the heap believes its own memory only so far:
//!
//! - **An address decides nothing before it is known.** Which pages a segment has and what is in them is written in the
//!   segment's map; only what the map knows is read. The address of a large block is looked up in a table.
//! - **What is believed has a seal**: headers, links, the map, the heap's own header. A seal depends on the place and on a
//!   number that the program does not know.
//! - **Links are followed to what links back**, and sizes to what has that size.
//! - **Damage is an error with a kind and an address** ([`Corruption`]). What was asked for is not done then; free blocks that
//!   cannot be reached for it are forgotten, so that the heap works on. Whether the process ends is ntdll's decision.
//!
//! A program that knows the seals' number can still do anything: it is its own process.
//!
//! Not done: the debugging features (tail and free checking, tracing, tags), `RTL_HEAP_PARAMETERS.CommitRoutine`,
//! `RtlExtendHeap`, `RtlProtectHeap`, `RtlUsageHeap`'s lists, extended information.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod backend;
mod bins;
mod block;
mod bucket;
mod create;
mod errors;
mod header;
mod heap;
mod information;
mod large;
mod locate;
mod memory;
mod process;
mod reallocate;
mod segment;
mod sizes;
mod span;
#[cfg(test)]
mod tests;
mod validate;
mod walk;

use c_interface::Ptr;
use nt_abi::NtResult;

pub use create::{Creation, Limits};
pub use errors::{Corruption, CorruptionKind, Failure};
pub use heap::{Heap, UserInfo};
pub use information::{Setting, Usage, set_for_all};
pub use process::{NoRoom, ProcessHeaps};

/// What may be done with a heap's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    Data,
    /// Executing, too (`HEAP_CREATE_ENABLE_EXECUTE`).
    Execute,
}

/// Where a heap gets memory. Sizes and addresses are multiples of a page (4 KiB).
pub trait Pages {
    /// Reserves addresses, from a multiple of 64 KiB on.
    ///
    /// # NT
    /// `NtAllocateVirtualMemory` with `MEM_RESERVE`.
    ///
    /// # Errors
    /// If there are none.
    fn reserve(&self, bytes: usize, access: Access) -> NtResult<usize>;

    /// Gives reserved addresses pages. New pages are zero; those that are there stay as they are.
    ///
    /// # NT
    /// `NtAllocateVirtualMemory` with `MEM_COMMIT`.
    ///
    /// # Errors
    /// If there are no pages. None was committed then.
    fn commit(&self, address: usize, bytes: usize, access: Access) -> NtResult;

    /// Takes pages away.
    ///
    /// # NT
    /// `NtFreeVirtualMemory` with `MEM_DECOMMIT`.
    ///
    /// # Errors
    /// If that is not possible. They are all there then.
    fn decommit(&self, address: usize, bytes: usize) -> NtResult;

    /// Gives back all of what one call reserved.
    ///
    /// # NT
    /// `NtFreeVirtualMemory` with `MEM_RELEASE`.
    ///
    /// # Errors
    /// If that is not possible.
    fn release(&self, address: usize) -> NtResult;
}

/// A lock that lies in a heap's header, such as a critical section. A thread that has it can acquire it again.
pub trait Lock {
    /// How many bytes it needs, at most eight words.
    const BYTES: usize;

    /// Makes one in memory that is zero.
    ///
    /// # Errors
    /// If that is not possible.
    fn initialize(place: Ptr<u8>) -> NtResult;

    /// Acquires it.
    fn acquire(place: Ptr<u8>);

    /// Acquires it if nobody has it, not even the caller; a `false` says nothing.
    fn acquire_at_once(place: Ptr<u8>) -> bool;

    /// Releases it.
    fn release(place: Ptr<u8>);

    /// Releases it, and gives an answer on, so that a function can end with it.
    fn release_with<R>(place: Ptr<u8>, answer: R) -> R;

    /// Ends it.
    fn destroy(place: Ptr<u8>);
}
