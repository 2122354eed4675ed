//! What is done once, where threads meet, and lists that several threads use: what they do is in `sync`.

use c_interface::{Function, Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::{
    Pointer, RtlBarrier as Barrier, RtlCriticalSection, RtlResource, RtlRunOnce, SListHeader,
};
use nt_abi::synchronization::{BarrierFlags, RunOnceFlags};
use sync::slist::SListEntry;
use sync::{barrier, resource, run_once, slist};

use crate::exceptions::raise_status;
use crate::parking::Threads;

/// An answer of yes or no; what is wrong is raised.
fn taken(result: nt_abi::NtResult<bool>) -> u8 {
    match result {
        Ok(taken) => taken.into(),
        Err(status) => raise_status(status),
    }
}

/// Raises what is wrong.
fn well(result: nt_abi::NtResult) {
    if let Err(status) = result {
        raise_status(status);
    }
}

/// `RTL_RUN_ONCE_INIT_FN`: what is done once, the caller's parameter, and where its context goes; 0 if it failed.
type RunsOnce = fn(Ptr<RtlRunOnce>, usize, Ptr<Pointer>) -> u32;

exports! {
    /// Makes a word of something that is not done.
    fn RtlRunOnceInitialize(once: Ptr<RtlRunOnce>) {
        run_once::initialize(once);
    }

    /// Begins something, or waits until another thread has done it.
    fn RtlRunOnceBeginInitialize(once: Ptr<RtlRunOnce>, flags: u32, context: Ptr<Pointer>) -> NtStatus {
        run_once::begin(&Threads, once, RunOnceFlags::from_bits_retain(flags), context).into()
    }

    /// Ends what the caller has begun.
    fn RtlRunOnceComplete(once: Ptr<RtlRunOnce>, flags: u32, context: usize) -> NtStatus {
        run_once::complete(&Threads, once, RunOnceFlags::from_bits_retain(flags), context).into()
    }

    /// Has something done by a function, if it is not done.
    fn RtlRunOnceExecuteOnce(
        once: Ptr<RtlRunOnce>,
        function: Function<RunsOnce>,
        parameter: usize,
        context: Ptr<Pointer>,
    ) -> NtStatus {
        run_once::execute(&Threads, once, function, parameter, context).into()
    }

    /// Makes a barrier.
    fn RtlInitBarrier(barrier: Ptr<Barrier>, total: u32, spins: u32) -> NtStatus {
        barrier::initialize(barrier, total, spins).into()
    }

    /// Waits until all threads have come: not 0 for the last.
    fn RtlBarrier(barrier: Ptr<Barrier>, flags: u32) -> u8 {
        barrier::meet(&Threads, barrier, BarrierFlags::from_bits_retain(flags)).into()
    }

    /// Waits until all threads have left a barrier.
    fn RtlDeleteBarrier(barrier: Ptr<Barrier>) -> NtStatus {
        barrier::delete(&Threads, barrier);
        NtStatus::SUCCESS
    }

    /// Makes an empty list.
    fn RtlInitializeSListHead(head: Ptr<SListHeader>) {
        slist::initialize(head);
    }

    /// The first entry of a list; null if it is empty.
    fn RtlFirstEntrySList(head: Ptr<SListHeader>) -> Ptr<SListEntry> {
        slist::first(head)
    }

    /// Puts an entry before all others; gives the one that was first.
    fn RtlInterlockedPushEntrySList(head: Ptr<SListHeader>, entry: Ptr<SListEntry>) -> Ptr<SListEntry> {
        slist::push(head, entry)
    }

    /// Puts entries that are linked before all others; gives the one that was first.
    fn RtlInterlockedPushListSListEx(
        head: Ptr<SListHeader>,
        first: Ptr<SListEntry>,
        last: Ptr<SListEntry>,
        count: u32,
    ) -> Ptr<SListEntry> {
        slist::push_list(head, first, last, count)
    }

    /// As `RtlInterlockedPushListSListEx`.
    fn RtlInterlockedPushListSList(
        head: Ptr<SListHeader>,
        first: Ptr<SListEntry>,
        last: Ptr<SListEntry>,
        count: u32,
    ) -> Ptr<SListEntry> {
        slist::push_list(head, first, last, count)
    }

    /// Takes the first entry away.
    fn RtlInterlockedPopEntrySList(head: Ptr<SListHeader>) -> Ptr<SListEntry> {
        slist::pop(&Threads, head)
    }

    /// Takes all entries away.
    fn RtlInterlockedFlushSList(head: Ptr<SListHeader>) -> Ptr<SListEntry> {
        slist::flush(&Threads, head)
    }

    /// How many entries a list has.
    fn RtlQueryDepthSList(head: Ptr<SListHeader>) -> u16 {
        slist::depth(head)
    }

    /// Makes a resource.
    fn RtlInitializeResource(lock: Ptr<RtlResource>) {
        well(resource::initialize(&Threads, lock, None));
    }

    /// Ends a resource.
    fn RtlDeleteResource(lock: Ptr<RtlResource>) {
        let _none = resource::delete(lock);
    }

    /// Takes a share of a resource.
    fn RtlAcquireResourceShared(lock: Ptr<RtlResource>, wait: u8) -> u8 {
        taken(resource::acquire_shared(&Threads, lock, wait != 0))
    }

    /// Takes a resource alone.
    fn RtlAcquireResourceExclusive(lock: Ptr<RtlResource>, wait: u8) -> u8 {
        taken(resource::acquire_exclusive(&Threads, lock, wait != 0))
    }

    /// Gives a resource back.
    fn RtlReleaseResource(lock: Ptr<RtlResource>) {
        well(resource::release(&Threads, lock));
    }

    /// Shares a resource from now on that the caller has alone.
    fn RtlConvertExclusiveToShared(lock: Ptr<RtlResource>) {
        well(resource::convert_to_shared(&Threads, lock));
    }

    /// Has a resource alone from now on that the caller shares.
    fn RtlConvertSharedToExclusive(lock: Ptr<RtlResource>) {
        well(resource::convert_to_exclusive(&Threads, lock));
    }

    /// What programs check critical sections for, that are in the way when a process ends: none are kept track of.
    fn RtlCheckForOrphanedCriticalSections(_thread: usize) {}

    /// Whether a section can be locked is known by trying; Windows' debuggers call this.
    fn RtlpNotOwnerCriticalSection(_section: Ptr<RtlCriticalSection>) {
        raise_status(NtStatus::RESOURCE_NOT_OWNED);
    }
}
