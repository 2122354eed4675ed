//! Locks and lists that live in a program's own memory, and which programs and debuggers look into; what a program says of
//! the callbacks of its thread pools.
//!
//! The sizes and offsets are part of every program that declares such an object. What the words of the slim objects
//! mean is ntdll's business; a critical section's are looked at, so their meaning is a contract too.
//!
//! Sources: `winnt.h` of the public SDK; for `LockCount` and the debug information the debugger's documentation
//! ("Displaying a Critical Section", Microsoft Learn); for `RTL_RESOURCE` the public symbols.

use crate::layout::layouts;
use crate::numbers::flags;

layouts! {
    /// `RTL_CRITICAL_SECTION`: a lock that its owner may take again.
    pub struct RtlCriticalSection (0x28, 0x18) {
        /// [`RtlCriticalSectionDebug`]; [`NO_DEBUG_INFO`](Self::NO_DEBUG_INFO) for none.
        0x00 0x00 debug_info: Pointer,
        /// Since Windows Server 2003 SP1, as a `LONG`: -1 free; bit 0 clear: locked; bit 1 clear: a waiter was woken and
        /// has not got the lock yet; the rest is the ones' complement of the number of waiters.
        0x08 0x04 lock_count: u32,
        /// How often the owner has it, a `LONG`.
        0x0C 0x08 recursion_count: u32,
        /// The owner's thread id; 0 for none.
        0x10 0x0C owning_thread: Handle,
        /// An event that waiters used; 0 for none.
        0x18 0x10 lock_semaphore: Handle,
        /// How often to look before waiting; the upper byte of the lower half has [`CriticalSectionFlags`].
        0x20 0x14 spin_count: Size,
    }

    /// `RTL_CRITICAL_SECTION_DEBUG`: what is known of a critical section besides.
    pub struct RtlCriticalSectionDebug (0x30, 0x20) {
        /// 0 a critical section, 1 a resource.
        0x00 0x00 r#type: u16,
        0x02 0x02 creator_back_trace_index: u16,
        0x04 0x04 reserved0: Only64<u32>,
        /// [`RtlCriticalSection`].
        0x08 0x04 critical_section: Pointer,
        0x10 0x08 process_locks_list: ListEntry,
        0x20 0x10 entry_count: u32,
        /// How often somebody had to wait.
        0x24 0x14 contention_count: u32,
        0x28 0x18 flags: u32,
        0x2C 0x1C creator_back_trace_index_high: u16,
        0x2E 0x1E spare: u16,
    }

    /// `RTL_SRWLOCK`: a slim lock, to share or to have alone.
    pub struct RtlSrwLock (0x08, 0x04) {
        /// 0 if it is free.
        0x00 0x00 ptr: Size,
    }

    /// `RTL_CONDITION_VARIABLE`: where threads wait for a condition that a lock protects.
    pub struct RtlConditionVariable (0x08, 0x04) {
        /// 0 if nobody waits.
        0x00 0x00 ptr: Size,
    }

    /// `RTL_RUN_ONCE`: something that is done once.
    pub struct RtlRunOnce (0x08, 0x04) {
        /// 0 before; a context and 2 in the low bits afterwards.
        0x00 0x00 ptr: Size,
    }

    /// `RTL_BARRIER` (`SYNCHRONIZATION_BARRIER`): where a number of threads meet.
    pub struct RtlBarrier (0x20, 0x18) {
        0x00 0x00 reserved1: u32,
        0x04 0x04 reserved2: u32,
        0x08 0x08 reserved3: [Size; 2],
        0x18 0x10 reserved4: u32,
        0x1C 0x14 reserved5: u32,
    }

    /// `SLIST_HEADER`: the head of an interlocked list. Its address is a multiple of 16 with 64-bit pointers, of 8
    /// otherwise.
    pub struct SListHeader (0x10, 0x08) {
        /// With 32-bit pointers the first entry, a depth of 16 bits, a sequence; otherwise a depth of 16 bits first.
        0x00 0x00 alignment: u64,
        0x08 0x08 region: Only64<u64>,
    }

    /// `TP_CALLBACK_ENVIRON_V3`: where and how a thread pool's callbacks run. Inline functions of Windows' headers write
    /// it.
    pub struct TpCallbackEnviron (0x48, 0x28) {
        /// 1, or 3 with all that is below.
        0x00 0x00 version: u32,
        0x04 0x04 reserved0: Only64<u32>,
        /// A pool; 0 for the process's own.
        0x08 0x04 pool: Pointer,
        /// A cleanup group, or 0.
        0x10 0x08 cleanup_group: Pointer,
        /// Called for what the cleanup group cancels.
        0x18 0x0C cleanup_group_cancel_callback: Pointer,
        /// A module that is to stay.
        0x20 0x10 race_dll: Pointer,
        0x28 0x14 activation_context: Pointer,
        /// Called after each callback.
        0x30 0x18 finalization_callback: Pointer,
        0x38 0x1C flags: TpCallbackFlags,
        /// `TP_CALLBACK_PRIORITY`: 0 high, 1 normal, 2 low. From version 3 on.
        0x3C 0x20 callback_priority: u32,
        /// Size of this structure. From version 3 on.
        0x40 0x24 size: u32,
        0x44 0x28 reserved1: Only64<u32>,
    }

    /// `TP_POOL_STACK_INFORMATION`: the stacks of a pool's threads.
    pub struct TpPoolStackInformation (0x10, 0x08) {
        0x00 0x00 stack_reserve: Size,
        0x08 0x04 stack_commit: Size,
    }

    /// `RTL_RESOURCE`: the lock to share or to have alone of earlier Windows.
    pub struct RtlResource (0x60, 0x38) {
        /// What protects the rest.
        0x00 0x00 critical_section: RtlCriticalSection,
        0x28 0x18 shared_semaphore: Handle,
        0x30 0x1C number_of_waiting_shared: u32,
        0x34 0x20 reserved0: Only64<u32>,
        0x38 0x20 exclusive_semaphore: Handle,
        0x40 0x24 number_of_waiting_exclusive: u32,
        /// How many share it; minus how often its owner has it alone: a `LONG`.
        0x44 0x28 number_of_active: u32,
        /// Who has it alone: a thread id.
        0x48 0x2C exclusive_owner_thread: Handle,
        0x50 0x30 flags: u32,
        0x54 0x34 reserved1: Only64<u32>,
        /// [`RtlCriticalSectionDebug`].
        0x58 0x34 debug_info: Pointer,
    }
}

impl w64::RtlCriticalSection {
    /// `DebugInfo` of a section that has none, as Windows 8 and later make them.
    pub const NO_DEBUG_INFO: u64 = u64::MAX;
}

impl w32::RtlCriticalSection {
    /// `DebugInfo` of a section that has none, as Windows 8 and later make them.
    pub const NO_DEBUG_INFO: u32 = u32::MAX;
}

flags! {
    /// How a critical section is made, and what its `SpinCount` says beside the count.
    pub struct CriticalSectionFlags: u32, "RTL_CRITICAL_SECTION_FLAG_" {
        /// Without debug information.
        NO_DEBUG_INFO = 0x0100_0000;
        /// How often to look before waiting is found out.
        DYNAMIC_SPIN = 0x0200_0000;
        /// Nothing is allocated for it.
        STATIC_INIT = 0x0400_0000;
        /// It is a resource's.
        RESOURCE_TYPE = 0x0800_0000;
        /// With debug information.
        FORCE_DEBUG_INFO = 0x1000_0000;
    }

    /// What is asked of something that is done once.
    pub struct RunOnceFlags: u32, "RTL_RUN_ONCE_" {
        /// Begin: only says whether it is done.
        CHECK_ONLY = 0x0000_0001;
        /// Several may do it at the same time; the first to complete it wins.
        ASYNC = 0x0000_0002;
        /// Complete: it was not done.
        INIT_FAILED = 0x0000_0004;
    }

    /// How threads meet at a barrier.
    pub struct BarrierFlags: u32, "RTL_BARRIER_FLAGS_" {
        /// Waiters never block.
        SPIN_ONLY = 0x0000_0001;
        /// Waiters block at once.
        BLOCK_ONLY = 0x0000_0002;
        /// The barrier is not deleted while threads leave it.
        NO_DELETE = 0x0000_0004;
    }

    /// `TP_CALLBACK_ENVIRON.u.Flags`.
    pub struct TpCallbackFlags: u32, "" {
        /// `LongFunction`: the callbacks may take long.
        LONG_FUNCTION = 0x0000_0001;
        /// `Persistent`: they run in a thread that does not end.
        PERSISTENT = 0x0000_0002;
    }

    /// How work items, registered waits and the timers of queues run.
    pub struct WorkFlags: u32, "WT_" {
        /// In a thread that does I/O.
        EXECUTEINIOTHREAD = 0x0000_0001;
        /// In the thread that waits.
        EXECUTEINWAITTHREAD = 0x0000_0004;
        /// Once.
        EXECUTEONLYONCE = 0x0000_0008;
        /// It may take long.
        EXECUTELONGFUNCTION = 0x0000_0010;
        /// In the thread of the timers.
        EXECUTEINTIMERTHREAD = 0x0000_0020;
        /// In a thread that does not end.
        EXECUTEINPERSISTENTTHREAD = 0x0000_0080;
        /// With the caller's impersonation.
        TRANSFER_IMPERSONATION = 0x0000_0100;
    }

    /// How a condition variable's lock is held.
    pub struct ConditionVariableFlags: u32, "RTL_CONDITION_VARIABLE_" {
        /// The slim lock is shared.
        LOCKMODE_SHARED = 0x0000_0001;
    }
}

/// `RTL_CRITICAL_SECTION_ALL_FLAG_BITS`: where flags are; a spin count has the bits below.
pub const CRITICAL_SECTION_ALL_FLAG_BITS: u32 = 0xFF00_0000;

/// `RTL_RUN_ONCE_CTX_RESERVED_BITS`: how many low bits of a context must be zero.
pub const RUN_ONCE_CONTEXT_RESERVED_BITS: u32 = 2;
