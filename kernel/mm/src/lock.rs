//! The lock of an address space or a control area: who finds it taken waits without a processor, in order.
//!
//! While it is held the thread is at Apc, so it is neither suspended nor ended with the lock in its hands. The lock may
//! be held across I/O; it must not be held across an access to user memory, whose page fault would want it again.
//!
//! # NT
//! `EX_PUSH_LOCK`, as `EPROCESS.AddressCreationLock` and the working set's lock are one.

pub(crate) use ex::{FastMutex as Mutex, FastMutexGuard as MutexGuard};
