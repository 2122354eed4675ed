//! The executive: what the other components share.
//!
//! | module | NT's names |
//! |---|---|
//! | [`pool`] | pool memory with tags, whose every request may be refused with a status |
//! | [`LookasideList`] | `LOOKASIDE_LIST_EX` |
//! | [`Quota`] | `EPROCESS_QUOTA_BLOCK` |
//! | [`PushLock`], [`FastMutex`], [`GuardedMutex`] | `EX_PUSH_LOCK`, `FAST_MUTEX`, `KGUARDED_MUTEX` with the data that they guard |
//! | [`Resource`] | `ERESOURCE` |
//! | [`RundownProtection`] | `EX_RUNDOWN_REF` |
//! | [`KeyedEvent`] | the object of `NtCreateKeyedEvent` |
//! | [`InitOnce`] | `RTL_RUN_ONCE` |
//! | [`CallbackList`] | `CALLBACK_OBJECT` |
//! | [`worker`] | `ExQueueWorkItem` |
//! | [`atom`] | `RTL_ATOM_TABLE`, `NtAddAtom` |
//! | [`identifier`] | `NtAllocateLocallyUniqueId`, `NtAllocateUuids` |
//! | [`time`] | `SYSTEM_TIMEOFDAY_INFORMATION` |
//!
//! What blocks here blocks on [`ke::keyed`] or on dispatcher objects; nothing spins for longer than a few looks. Each
//! lock keeps APCs away from who holds it, so that no thread is suspended with a lock in its hands.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod atom;
mod callback;
pub mod identifier;
mod keyed_event;
mod lookaside;
mod mutex;
mod once;
pub mod pool;
mod push_lock;
mod quota;
mod raw_lock;
mod resource;
mod rundown;
#[cfg(test)]
mod tests;
pub mod time;
pub mod worker;

pub use callback::{Callback, CallbackList};
pub use keyed_event::KeyedEvent;
pub use lookaside::{LookasideBox, LookasideCounters, LookasideList};
pub use mutex::{FastMutex, FastMutexGuard, GuardedMutex, GuardedMutexGuard, MutexGuard};
pub use once::InitOnce;
pub use push_lock::{PushLock, PushLockGuard, PushLockSharedGuard};
pub use quota::{Quota, QuotaCharge, QuotaKind, QuotaUsage};
pub use resource::{Patience, Resource, ResourceGuard, ResourceState, Sharing};
pub use rundown::{Inside, RundownProtection};
