//! What a heap tells of itself, and what it does on request: totals, its mode, giving memory back, zeroing.

use c_interface::{Ptr, field};
use nt_abi::heap::{
    HEAP_COMPATIBILITY_LFH, HEAP_OPTIMIZE_RESOURCES_VERSION, HeapFlags, HeapInformationClass,
    HeapOptimizeResourcesInformation,
};
use nt_abi::{NtResult, NtStatus};

use crate::block::{FreeBlock, LEAST, State};
use crate::errors::{Done, Failure};
use crate::header::Core;
use crate::heap::Heap;
use crate::memory;
use crate::segment::{NOTHING, Segment};
use crate::sizes::{GRANULE_SHIFT, PAGE, SMALL_HEADER};
use crate::span::{FIRST, Span};
use crate::{Lock, Pages};

/// How much memory a heap has, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Reserved, large blocks not included.
    pub reserved: usize,
    /// Committed, large blocks included.
    pub committed: usize,
}

/// What a request to set something asks of the process, besides of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Nothing.
    Done,
    /// From now on damage of any heap ends the process with `STATUS_HEAP_CORRUPTION`.
    TerminateOnCorruption,
}

impl<P: Pages, L: Lock> Heap<'_, P, L> {
    /// How much memory it has.
    pub fn usage(&self) -> Usage {
        Usage {
            reserved: self.core.header.reserved().get(),
            committed: self.core.header.committed().get(),
        }
    }

    /// Tells something of a heap. `length` is the buffer's size; what was needed is written to `returned`, if that is
    /// wanted.
    ///
    /// # NT
    /// `RtlQueryHeapInformation`; the mode alone is there to be told.
    ///
    /// # Errors
    /// `STATUS_BUFFER_TOO_SMALL`; `STATUS_INVALID_INFO_CLASS` for what is not known.
    pub fn query(
        &self,
        class: HeapInformationClass,
        buffer: Ptr<u8>,
        length: usize,
        returned: Ptr<nt_abi::native::Size>,
    ) -> NtResult {
        if class != HeapInformationClass::COMPATIBILITY {
            return Err(NtStatus::INVALID_INFO_CLASS);
        }
        returned.write_optional(size_of::<u32>() as nt_abi::native::Size);
        if length < size_of::<u32>() {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        buffer.cast().write(self.core.header.mode().get());
        Ok(())
    }

    /// Sets the mode of this heap, or gives back what it does not need.
    ///
    /// # NT
    /// `RtlSetHeapInformation` with a heap. The front end cannot be turned off; there is none for heaps without
    /// serialization or of a fixed size, as far as a program can tell.
    ///
    /// # Errors
    /// `STATUS_UNSUCCESSFUL` for another mode; `STATUS_INVALID_PARAMETER` for a heap that has no modes;
    /// `STATUS_BUFFER_TOO_SMALL`; `STATUS_INVALID_INFO_CLASS`.
    pub fn set(
        &self,
        class: HeapInformationClass,
        buffer: Ptr<u8>,
        length: usize,
    ) -> NtResult<Setting> {
        match class {
            HeapInformationClass::COMPATIBILITY => {
                if length < size_of::<u32>() {
                    return Err(NtStatus::BUFFER_TOO_SMALL);
                }
                if buffer.cast::<u32>().read() != HEAP_COMPATIBILITY_LFH {
                    return Err(NtStatus::UNSUCCESSFUL);
                }
                let fixed = self.flags & HeapFlags::GROWABLE.0 == 0;
                if fixed || self.flags & HeapFlags::NO_SERIALIZE.0 != 0 {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
                self.core.header.mode().set(HEAP_COMPATIBILITY_LFH);
                Ok(Setting::Done)
            }
            HeapInformationClass::OPTIMIZE_RESOURCES => {
                check_optimization(buffer, length)?;
                self.compact(HeapFlags(0))
                    .map_err(|failure| failure.status)?;
                Ok(Setting::Done)
            }
            _ => set_for_all(class, buffer, length),
        }
    }

    /// Gives back all pages that no block needs; gives the size of the largest free block that is committed.
    ///
    /// # NT
    /// `RtlCompactHeap`.
    ///
    /// # Errors
    /// Damage that was met on the way.
    pub fn compact(&self, flags: HeapFlags) -> Result<usize, Failure> {
        self.locked(flags.0 | self.flags, Core::compact)
            .map_err(|fault| fault.failure(false))
    }

    /// Writes zeros over all that is free.
    ///
    /// # NT
    /// `RtlZeroHeap`.
    ///
    /// # Errors
    /// Damage that was met on the way.
    pub fn zero(&self, flags: HeapFlags) -> Result<(), Failure> {
        self.locked(flags.0 | self.flags, Core::zero)
            .map_err(|fault| fault.failure(false))
    }

    /// Allocates up to `count` blocks of one size and writes them to an array; gives how many it were.
    ///
    /// # NT
    /// `RtlMultipleAllocateHeap`.
    pub fn allocate_several(
        &self,
        flags: HeapFlags,
        size: usize,
        count: u32,
        array: Ptr<nt_abi::native::Pointer>,
    ) -> (u32, Result<(), Failure>) {
        for index in 0..count {
            match self.allocate(flags, size) {
                Ok(data) => array
                    .add(index as usize)
                    .write(data as nt_abi::native::Pointer),
                Err(failure) => return (index, Err(failure)),
            }
        }
        (count, Ok(()))
    }

    /// Frees the blocks in an array, up to the first that cannot be freed; gives how many it were.
    ///
    /// # NT
    /// `RtlMultipleFreeHeap`.
    pub fn free_several(
        &self,
        flags: HeapFlags,
        count: u32,
        array: Ptr<nt_abi::native::Pointer>,
    ) -> (u32, Result<(), Failure>) {
        for index in 0..count {
            let data = Ptr::<u8>::at(array.add(index as usize).read()).address();
            if let Err(failure) = self.free(flags, data) {
                return (index, Err(failure));
            }
        }
        (count, Ok(()))
    }
}

/// Sets something of all heaps.
///
/// # NT
/// `RtlSetHeapInformation` without a heap. For `HeapOptimizeResources` the caller then compacts each heap.
///
/// # Errors
/// As [`Heap::set`].
pub fn set_for_all(
    class: HeapInformationClass,
    buffer: Ptr<u8>,
    length: usize,
) -> NtResult<Setting> {
    match class {
        HeapInformationClass::ENABLE_TERMINATION_ON_CORRUPTION => {
            Ok(Setting::TerminateOnCorruption)
        }
        HeapInformationClass::OPTIMIZE_RESOURCES => {
            check_optimization(buffer, length)?;
            Ok(Setting::Done)
        }
        HeapInformationClass::COMPATIBILITY => Err(NtStatus::INVALID_PARAMETER),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}

fn check_optimization(buffer: Ptr<u8>, length: usize) -> NtResult {
    if length < size_of::<HeapOptimizeResourcesInformation>() {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    let request = buffer.cast::<HeapOptimizeResourcesInformation>();
    let version = field!(request, HeapOptimizeResourcesInformation, version).read();
    if version == HEAP_OPTIMIZE_RESOURCES_VERSION {
        Ok(())
    } else {
        Err(NtStatus::INVALID_PARAMETER)
    }
}

impl<P: Pages> Core<'_, P> {
    fn compact(self) -> Done<usize> {
        self.end_idle_spans(0, 0)?;
        self.release_spare()?;
        let mut largest = 0;
        // A borrowed segment's pages are the caller's.
        let keep = self.header.block_threshold().get() == usize::MAX;
        self.each_free(|core, segment, free| {
            if !keep && free.pages != 0 {
                core.cool(segment, *free)?;
            }
            largest = largest.max(core.usable(segment, free)?);
            Ok(())
        })?;
        Ok(largest)
    }

    fn zero(self) -> Done {
        self.each_free(|core, segment, free| {
            let (from, to) = free.block.inside();
            let start = free.block.at + LEAST;
            let end = free.block.end();
            memory::clear(start, from.min(end) - start);
            let mut page = from;
            while page < to {
                if core.page_kind(segment, page)? != NOTHING {
                    memory::clear(page, PAGE);
                }
                page += PAGE;
            }
            if to >= from.min(end) {
                memory::clear(to.min(end), end - to.min(end));
            }
            Ok(())
        })?;
        for index in 0..self.segment_count() {
            let Some(segment) = self.segment(index)? else {
                continue;
            };
            let mut at = segment.first;
            while at < segment.end {
                let block = self.block(&segment, at)?;
                if block.state == State::Span {
                    self.zero_span(Span(block.data()))?;
                }
                at = block.end();
            }
        }
        Ok(())
    }

    fn zero_span(self, span: Span) -> Done {
        let cold = self.cold(span)?;
        let stride = memory::low(cold.stride() >> GRANULE_SHIFT);
        let mut offset = memory::low(FIRST >> GRANULE_SHIFT);
        while offset < cold.fresh {
            if self.peek(span, offset)?.is_some() {
                let data = span.0 + ((offset as usize) << GRANULE_SHIFT);
                memory::clear(data, cold.stride() - SMALL_HEADER);
            }
            offset += stride;
        }
        Ok(())
    }

    /// Does something with each free block of the back end.
    fn each_free(self, mut does: impl FnMut(Self, &Segment, &FreeBlock) -> Done) -> Done {
        for index in 0..self.segment_count() {
            let Some(segment) = self.segment(index)? else {
                continue;
            };
            let mut at = segment.first;
            while at < segment.end {
                let block = self.block(&segment, at)?;
                if block.state == State::Free {
                    let free = self.free_block(&segment, block)?;
                    does(self, &segment, &free)?;
                }
                at = block.end();
            }
        }
        Ok(())
    }
}
