//! Locks of user mode that enter the kernel only to wait: what ntdll exports of them, as functions over the program's own
//! memory.
//!
//! - **One queue for all.** Every thread that waits puts a block on its own stack into one table of queues, by the address
//!   of what it waits for, and then waits until somebody alerts it by its id ([`Parking`]). Nothing is allocated, so
//!   nothing can run out; no object of the kernel belongs to a lock.
//! - **The algorithms are apart from the memory.** `words` works on atomics and knows no address; the models in
//!   `tests/models` play its source for every order of memory that the language allows. The modules beside it find the
//!   words in Windows' structures.
//! - **Orders are acquire and release**, as each file argues; nothing is sequentially consistent by habit.
//! - **Uncontended locks take one atomic operation**, and freeing them another. What waits is out of line.
//!
//! What of each structure is looked at by others has Windows' values: a critical section's fields, a slim lock that nobody
//! waits for, a list's depth, what is done once.
//!
//! # Limits
//! A thread that another one ends while it waits leaves its block in a queue, on a stack that is gone. Windows' own locks
//! have that hazard. When a process ends, [`Buckets::forget`] is for the last thread.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod barrier;
pub mod condition_variable;
pub mod critical_section;
pub mod resource;
pub mod run_once;
pub mod slist;
pub mod srw_lock;
pub mod thread_pool;
pub mod wait_on_address;
mod words;

#[cfg(test)]
mod tests;

pub use words::bucket::{Bucket, Buckets};
pub use words::parking::{Alert, Deadline, Parking};
