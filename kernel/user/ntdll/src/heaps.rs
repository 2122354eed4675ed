//! Heaps, as programs call them: what they do is in `heap`.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use c_interface::{Function, Ptr, blocks, exports, field};
use entries::locked::Locked;
use heap::{Access, Creation, Failure, Heap, Limits, Lock, Pages, ProcessHeaps, Setting};
use nt_abi::heap::{HeapFlags, HeapInformationClass};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::native::{Peb, Pointer, RtlCriticalSection, RtlHeapParameters, RtlHeapWalkEntry, Size};
use nt_abi::synchronization::CriticalSectionFlags;
use nt_abi::{NtResult, NtStatus};
use stubs::call::{CURRENT_PROCESS, NtAllocateVirtualMemory, NtFreeVirtualMemory};
use sync::critical_section;

use crate::parking::Threads;
use crate::{console, ending, exceptions, loading, locks, process};

/// Pages of this process.
struct Own;

fn status(status: NtStatus) -> NtResult {
    if status.is_success() {
        Ok(())
    } else {
        Err(status)
    }
}

fn protection(access: Access) -> u32 {
    match access {
        Access::Data => PageProtection::READWRITE.0,
        Access::Execute => PageProtection::EXECUTE_READWRITE.0,
    }
}

impl Pages for Own {
    fn reserve(&self, bytes: usize, access: Access) -> NtResult<usize> {
        let (mut base, mut size) = (0u64, bytes as u64);
        status(NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &mut base,
            0u64,
            &mut size,
            AllocationType::RESERVE.0,
            protection(access),
        ))?;
        Ok(Ptr::<u8>::at(base).address())
    }

    fn commit(&self, address: usize, bytes: usize, access: Access) -> NtResult {
        let (mut base, mut size) = (address as u64, bytes as u64);
        status(NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &mut base,
            0u64,
            &mut size,
            AllocationType::COMMIT.0,
            protection(access),
        ))
    }

    fn decommit(&self, address: usize, bytes: usize) -> NtResult {
        free(address, bytes, AllocationType::DECOMMIT)
    }

    fn release(&self, address: usize) -> NtResult {
        free(address, 0, AllocationType::RELEASE)
    }
}

fn free(address: usize, bytes: usize, kind: AllocationType) -> NtResult {
    let (mut base, mut size) = (address as u64, bytes as u64);
    status(NtFreeVirtualMemory(
        CURRENT_PROCESS,
        &mut base,
        &mut size,
        kind.0,
    ))
}

/// The lock of a heap: a critical section.
struct Section;

impl Lock for Section {
    const BYTES: usize = size_of::<RtlCriticalSection>();

    fn initialize(place: Ptr<u8>) -> NtResult {
        critical_section::initialize(
            &Threads,
            place.cast(),
            0,
            CriticalSectionFlags::empty(),
            None,
        )
    }

    #[inline]
    fn acquire(place: Ptr<u8>) {
        locks::enter(place.cast());
    }

    #[inline]
    fn acquire_at_once(place: Ptr<u8>) -> bool {
        critical_section::enter_at_once(&Threads, place.cast())
    }

    #[inline]
    fn release_with<R>(place: Ptr<u8>, answer: R) -> R {
        critical_section::leave_with(&Threads, place.cast(), answer)
    }

    #[inline]
    fn release(place: Ptr<u8>) {
        // It is the caller's.
        let _ = critical_section::leave(&Threads, place.cast());
    }

    fn destroy(place: Ptr<u8>) {
        let _none = critical_section::delete(place.cast());
    }
}

type ProcessHeap = Heap<'static, Own, Section>;

static PAGES: Own = Own;
/// Guards the list of heaps in the PEB.
static LIST: Locked<Threads, ()> = Locked::new(());
/// The process's own heap, for ntdll itself.
static PROCESS_HEAP: AtomicUsize = AtomicUsize::new(0);
/// Damage of a heap ends the process.
static TERMINATES: AtomicBool = AtomicBool::new(false);

#[inline]
fn open(handle: usize) -> Option<ProcessHeap> {
    Heap::open(&PAGES, handle)
}

fn list() -> ProcessHeaps {
    ProcessHeaps::of(process::peb())
}

/// Whether damage of a heap ends the process though nobody asked for it: as in Windows each with 64 bits, and with 32 those
/// of programs made for version 6 or later.
fn ends_by_damage() -> bool {
    /// Of Windows Vista.
    const VISTA: u32 = 6;
    let major = field!(process::peb(), Peb, image_subsystem_major_version).read();
    size_of::<usize>() == 8 || major >= VISTA
}

/// Makes the process's own heap, before anything is allocated.
///
/// # Errors
/// The process cannot run.
pub(crate) fn make_process_heap() -> NtResult {
    let creation = Creation {
        flags: HeapFlags::GROWABLE,
        reserve: 1 << 20,
        ..with_limits(Limits::of_process(process::peb()))
    };
    if ends_by_damage() {
        TERMINATES.store(true, Ordering::Relaxed);
    }
    let made = create(&creation).map_err(|failure| failure.status)?;
    PROCESS_HEAP.store(made, Ordering::Relaxed);
    field!(process::peb(), Peb, process_heap).write(Ptr::<u8>::new(made).raw());
    blocks::set_heap(allocate_for_ntdll, free_for_ntdll);
    Ok(())
}

fn with_limits(limits: Limits) -> Creation {
    Creation {
        limits,
        seed: loading::random() as usize,
        ..Creation::default()
    }
}

fn create(creation: &Creation) -> Result<usize, Failure> {
    let made = ProcessHeap::create(&PAGES, creation)?;
    let added = {
        let _list = LIST.lock();
        list().add(made.handle(), |bytes| {
            blocks::allocate(bytes).map(Ptr::address)
        })
    };
    // A longer array is never given back: whoever walks the list without its lock may look at the old one.
    if added.is_err() {
        made.destroy()?;
        return Err(Failure {
            status: NtStatus::NO_MEMORY,
            raise: false,
            corruption: None,
        });
    }
    Ok(made.handle())
}

fn allocate_for_ntdll(bytes: usize) -> Ptr<u8> {
    RtlAllocateHeap(PROCESS_HEAP.load(Ordering::Relaxed), 0, bytes)
}

fn free_for_ntdll(block: Ptr<u8>) {
    RtlFreeHeap(PROCESS_HEAP.load(Ordering::Relaxed), 0, block);
}

/// What follows from a failure: the end of the process, an exception, or an answer of `otherwise`.
#[cold]
fn failed<R>(failure: Failure, otherwise: R) -> R {
    if let Some(corruption) = failure.corruption {
        console::write(format_args!(
            "heap corruption: {:?} at {:#x}\n",
            corruption.kind, corruption.address
        ));
        if TERMINATES.load(Ordering::Relaxed) {
            ending::terminate(NtStatus::HEAP_CORRUPTION);
        }
    }
    if failure.raise {
        exceptions::raise_continuable(failure.status);
    }
    otherwise
}

exports! {
    /// Makes a heap; 0 if that is not possible.
    fn RtlCreateHeap(
        flags: u32,
        base: usize,
        reserve: usize,
        commit: usize,
        lock: usize,
        parameters: Ptr<RtlHeapParameters>,
    ) -> usize {
        let mut limits = Limits::of_process(process::peb());
        if let Some(parameters) = parameters.read_optional() {
            if parameters.commit_routine != 0 {
                return 0;
            }
            limits = limits.with(&parameters);
        }
        let creation = Creation {
            flags: HeapFlags(flags),
            base,
            reserve,
            commit,
            lock,
            ..with_limits(limits)
        };
        create(&creation).unwrap_or_else(|failure| failed(failure, 0))
    }

    /// Ends a heap; gives its handle if that is not possible, else 0. The process's own stays.
    fn RtlDestroyHeap(handle: usize) -> usize {
        if handle == PROCESS_HEAP.load(Ordering::Relaxed) {
            return handle;
        }
        let Some(heap) = open(handle) else {
            return handle;
        };
        {
            let _list = LIST.lock();
            list().remove(handle);
        }
        match heap.destroy() {
            Ok(()) => 0,
            Err(failure) => failed(failure, handle),
        }
    }

    /// Allocates a block; null if there is no memory.
    fn RtlAllocateHeap(handle: usize, flags: u32, size: usize) -> Ptr<u8> {
        let Some(heap) = open(handle) else {
            return Ptr::NULL;
        };
        heap.allocate_then(HeapFlags(flags), size, |taken| match taken {
            Ok(block) => Ptr::new(block),
            Err(failure) => failed(failure, Ptr::NULL),
        })
    }

    /// Changes a block's size; null if that is not possible.
    fn RtlReAllocateHeap(handle: usize, flags: u32, block: Ptr<u8>, size: usize) -> Ptr<u8> {
        let Some(heap) = open(handle).filter(|_| !block.is_null()) else {
            return Ptr::NULL;
        };
        match heap.reallocate(HeapFlags(flags), block.address(), size) {
            Ok(block) => Ptr::new(block),
            Err(failure) => failed(failure, Ptr::NULL),
        }
    }

    /// Frees a block: not 0 if that was possible. Win32's `HeapFree` is this function.
    fn RtlFreeHeap(handle: usize, flags: u32, block: Ptr<u8>) -> u32 {
        let Some(heap) = open(handle) else {
            return 0;
        };
        heap.free_then(HeapFlags(flags), block.address(), |done| match done {
            Ok(()) => 1,
            Err(failure) => failed(failure, 0),
        })
    }

    /// Bytes of a block as they were asked for; all ones if it is none.
    fn RtlSizeHeap(handle: usize, flags: u32, block: Ptr<u8>) -> usize {
        let Some(heap) = open(handle) else {
            return usize::MAX;
        };
        match heap.size(HeapFlags(flags), block.address()) {
            Ok(size) => size,
            Err(failure) => failed(failure, usize::MAX),
        }
    }

    /// Whether a heap, or one block of it, is whole.
    fn RtlValidateHeap(handle: usize, flags: u32, block: Ptr<u8>) -> u8 {
        let Some(heap) = open(handle) else {
            return 0;
        };
        let flags = HeapFlags(flags);
        let whole = match block.non_null() {
            Some(block) => heap.validate_block(flags, block.address()),
            None => heap.validate(flags),
        };
        whole.is_ok().into()
    }

    /// Whether all heaps are whole.
    fn RtlValidateProcessHeaps() -> u8 {
        let _list = LIST.lock();
        let each = list().each(|handle| match RtlValidateHeap(handle, 0, Ptr::NULL) {
            0 => Err(()),
            _ => Ok(()),
        });
        each.is_ok().into()
    }

    /// The next entry of a walk over a heap.
    fn RtlWalkHeap(handle: usize, entry: Ptr<RtlHeapWalkEntry>) -> NtStatus {
        match open(handle) {
            Some(heap) => heap.walk(entry).into(),
            None => NtStatus::INVALID_PARAMETER,
        }
    }

    /// Gives pages back that no block needs; gives the size of the largest free block.
    fn RtlCompactHeap(handle: usize, flags: u32) -> usize {
        let Some(heap) = open(handle) else {
            return 0;
        };
        heap.compact(HeapFlags(flags)).unwrap_or_else(|failure| failed(failure, 0))
    }

    /// Keeps other threads out of a heap.
    fn RtlLockHeap(handle: usize) -> u8 {
        open(handle).is_some_and(|heap| heap.acquire().is_ok()).into()
    }

    /// Lets them in again.
    fn RtlUnlockHeap(handle: usize) -> u8 {
        open(handle).is_some_and(|heap| heap.release().is_ok()).into()
    }

    /// What a program knows of a block besides its bytes.
    fn RtlGetUserInfoHeap(
        handle: usize,
        flags: u32,
        block: Ptr<u8>,
        value: Ptr<Pointer>,
        user_flags: Ptr<u32>,
    ) -> u8 {
        let Some(heap) = open(handle) else {
            return 0;
        };
        match heap.user_info(HeapFlags(flags), block.address()) {
            Ok(info) => {
                if let Some(known) = info.value {
                    value.write_optional(Ptr::<u8>::new(known).raw());
                }
                user_flags.write_optional(info.flags.0);
                1
            }
            Err(failure) => failed(failure, 0),
        }
    }

    /// Sets a block's value.
    fn RtlSetUserValueHeap(handle: usize, flags: u32, block: Ptr<u8>, value: usize) -> u8 {
        let Some(heap) = open(handle) else {
            return 0;
        };
        match heap.set_user_value(HeapFlags(flags), block.address(), value) {
            Ok(()) => 1,
            Err(failure) => failed(failure, 0),
        }
    }

    /// Sets and resets a block's marks.
    fn RtlSetUserFlagsHeap(handle: usize, flags: u32, block: Ptr<u8>, reset: u32, set: u32) -> u8 {
        let Some(heap) = open(handle) else {
            return 0;
        };
        let (reset, set) = (HeapFlags(reset), HeapFlags(set));
        match heap.set_user_flags(HeapFlags(flags), block.address(), reset, set) {
            Ok(()) => 1,
            Err(failure) => failed(failure, 0),
        }
    }

    /// Tells something of a heap.
    fn RtlQueryHeapInformation(
        handle: usize,
        class: u32,
        buffer: Ptr<u8>,
        length: usize,
        returned: Ptr<Size>,
    ) -> NtStatus {
        match open(handle) {
            Some(heap) => heap.query(HeapInformationClass(class), buffer, length, returned).into(),
            None => NtStatus::INVALID_PARAMETER,
        }
    }

    /// Sets something of a heap, or of all.
    fn RtlSetHeapInformation(handle: usize, class: u32, buffer: Ptr<u8>, length: usize) -> NtStatus {
        let class = HeapInformationClass(class);
        let set = match open(handle) {
            Some(heap) => heap.set(class, buffer, length),
            None => heap::set_for_all(class, buffer, length),
        };
        match set {
            Ok(Setting::TerminateOnCorruption) => TERMINATES.store(true, Ordering::Relaxed),
            Ok(Setting::Done) => {}
            Err(status) => return status,
        }
        NtStatus::SUCCESS
    }

    /// Writes the process's heaps to an array; gives how many there are.
    fn RtlGetProcessHeaps(room: u32, heaps: Ptr<Pointer>) -> u32 {
        let _list = LIST.lock();
        list().copy(room, heaps)
    }

    /// Calls a function for each heap until it fails.
    fn RtlEnumProcessHeaps(
        function: Function<fn(usize, usize) -> NtStatus>,
        argument: usize,
    ) -> NtStatus {
        let _list = LIST.lock();
        let each = list().each(|handle| status(function.call(handle, argument)));
        each.into()
    }

    /// Allocates several blocks of one size; gives how many.
    fn RtlMultipleAllocateHeap(
        handle: usize,
        flags: u32,
        size: usize,
        count: u32,
        array: Ptr<Pointer>,
    ) -> u32 {
        let Some(heap) = open(handle) else {
            return 0;
        };
        match heap.allocate_several(HeapFlags(flags), size, count, array) {
            (done, Ok(())) => done,
            (done, Err(failure)) => failed(failure, done),
        }
    }

    /// Frees several blocks; gives how many.
    fn RtlMultipleFreeHeap(handle: usize, flags: u32, count: u32, array: Ptr<Pointer>) -> u32 {
        let Some(heap) = open(handle) else {
            return 0;
        };
        match heap.free_several(HeapFlags(flags), count, array) {
            (done, Ok(())) => done,
            (done, Err(failure)) => failed(failure, done),
        }
    }

    /// Writes zeros over all that is free.
    fn RtlZeroHeap(handle: usize, flags: u32) -> NtStatus {
        let Some(heap) = open(handle) else {
            return NtStatus::INVALID_PARAMETER;
        };
        match heap.zero(HeapFlags(flags)) {
            Ok(()) => NtStatus::SUCCESS,
            Err(failure) => failed(failure, failure.status),
        }
    }
}
