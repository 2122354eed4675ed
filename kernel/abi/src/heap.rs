//! Heaps of user mode as programs name them: flags, the parameters of a new one, the entries of a walk.
//!
//! The heap itself is ntdll's own affair (`kernel/user/heap`); what is inside it is no part of the contract.
//!
//! Sources: Microsoft's documentation of `RtlCreateHeap`, `RTL_HEAP_PARAMETERS`, `HeapAlloc`, `HEAP_INFORMATION_CLASS` and
//! `PROCESS_HEAP_ENTRY`; the names and offsets of what is not documented are those of published symbols and of System
//! Informer's headers.

use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};

flags! {
    /// `HEAP_*`: of a heap when it is created, and of a call.
    pub struct HeapFlags: u32, "HEAP_" {
        /// The caller sees to it that one thread at a time uses the heap.
        NO_SERIALIZE = 0x0000_0001;
        /// The heap may become larger than its first reservation.
        GROWABLE = 0x0000_0002;
        /// A block that cannot be had raises an exception.
        GENERATE_EXCEPTIONS = 0x0000_0004;
        /// New bytes are zeros.
        ZERO_MEMORY = 0x0000_0008;
        /// A block that changes its size keeps its address.
        REALLOC_IN_PLACE_ONLY = 0x0000_0010;
        /// Bytes behind a block are watched.
        TAIL_CHECKING_ENABLED = 0x0000_0020;
        /// Bytes of free blocks are watched.
        FREE_CHECKING_ENABLED = 0x0000_0040;
        /// Free blocks that touch stay apart.
        DISABLE_COALESCE_ON_FREE = 0x0000_0080;
        /// To an allocation: the block has room for a user value. (To a creation it is `HEAP_CREATE_SEGMENT_HEAP`.)
        SETTABLE_USER_VALUE = 0x0000_0100;
        /// A mark that the program reads back. (To a creation it is `HEAP_CREATE_HARDENED`.)
        SETTABLE_USER_FLAG1 = 0x0000_0200;
        /// A second one.
        SETTABLE_USER_FLAG2 = 0x0000_0400;
        /// A third one.
        SETTABLE_USER_FLAG3 = 0x0000_0800;
        /// Blocks begin at multiples of 16.
        CREATE_ALIGN_16 = 0x0001_0000;
        /// Calls are traced.
        CREATE_ENABLE_TRACING = 0x0002_0000;
        /// Code may run in blocks.
        CREATE_ENABLE_EXECUTE = 0x0004_0000;
    }

    /// `RTL_HEAP_*`: what an entry of a walk is.
    pub struct HeapEntryFlags: u16, "RTL_HEAP_" {
        /// A block in use.
        BUSY = 0x0001;
        /// A segment, before its blocks.
        SEGMENT = 0x0002;
        /// It has a user value.
        SETTABLE_VALUE = 0x0010;
        /// [`HeapFlags::SETTABLE_USER_FLAG1`].
        SETTABLE_FLAG1 = 0x0020;
        /// [`HeapFlags::SETTABLE_USER_FLAG2`].
        SETTABLE_FLAG2 = 0x0040;
        /// [`HeapFlags::SETTABLE_USER_FLAG3`].
        SETTABLE_FLAG3 = 0x0080;
        /// Addresses without pages.
        UNCOMMITTED_RANGE = 0x1000;
        /// A page that cannot be read.
        PROTECTED_ENTRY = 0x2000;
        /// A block with a reservation of its own.
        LARGE_ALLOC = 0x4000;
        /// A block of the low-fragmentation front end.
        LFH_ALLOC = 0x8000;
    }
}

impl HeapFlags {
    /// `HEAP_SETTABLE_USER_FLAGS`: the three marks.
    pub const SETTABLE_USER_FLAGS: Self = Self(0x0000_0E00);
    /// `HEAP_CLASS_MASK`: whose heap it is; says nothing to us.
    pub const CLASS_MASK: Self = Self(0x0000_F000);
    /// `HEAP_TAG_MASK`: under which tag a block is counted.
    pub const TAG_MASK: Self = Self(0x3FFC_0000);
}

numbers! {
    /// `HEAP_INFORMATION_CLASS`, of `RtlQueryHeapInformation` and `RtlSetHeapInformation`.
    pub struct HeapInformationClass: u32 {
        /// A `u32`: [`HEAP_COMPATIBILITY_STANDARD`] or [`HEAP_COMPATIBILITY_LFH`].
        COMPATIBILITY = 0, "HeapCompatibilityInformation";
        /// Nothing: damage of a heap ends the process from now on.
        ENABLE_TERMINATION_ON_CORRUPTION = 1, "HeapEnableTerminationOnCorruption";
        /// A callback for every part of all heaps.
        EXTENDED = 2, "HeapExtendedInformation";
        /// [`HeapOptimizeResourcesInformation`].
        OPTIMIZE_RESOURCES = 3, "HeapOptimizeResources";
        /// Bytes by tag.
        TAGGING = 4, "HeapTaggingInformation";
        /// Stacks of allocations.
        STACK_DATABASE = 5, "HeapStackDatabase";
        /// Most bytes.
        MEMORY_LIMIT = 6, "HeapMemoryLimit";
        /// A heap's tag.
        TAG = 7, "HeapTag";
    }
}

/// `HEAP_COMPATIBILITY_MODE_STANDARD`: there is no front end.
pub const HEAP_COMPATIBILITY_STANDARD: u32 = 0;
/// `HEAP_COMPATIBILITY_MODE_LFH`: the low-fragmentation front end.
pub const HEAP_COMPATIBILITY_LFH: u32 = 2;
/// `HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION`.
pub const HEAP_OPTIMIZE_RESOURCES_VERSION: u32 = 1;
/// `RTL_HEAP_WALK_ENTRY.SegmentIndex` of a block with a reservation of its own.
pub const HEAP_LARGE_SEGMENT_INDEX: u8 = 64;

layouts! {
    /// `RTL_HEAP_PARAMETERS`: how a new heap gets and gives back memory. 0 stands for the default.
    pub struct RtlHeapParameters (0x60, 0x30) {
        /// Size of this structure.
        0x00 0x00 length: u32,
        0x04 0x04 reserved0: Only64<u32>,
        /// Bytes that are reserved when the heap grows.
        0x08 0x04 segment_reserve: Size,
        /// Bytes that are committed at once.
        0x10 0x08 segment_commit: Size,
        /// The smallest free block, in bytes, whose pages are given back.
        0x18 0x0C de_commit_free_block_threshold: Size,
        /// How many free bytes a heap keeps committed.
        0x20 0x10 de_commit_total_free_threshold: Size,
        /// The largest block, in bytes.
        0x28 0x14 maximum_allocation_size: Size,
        /// Above so many bytes a block has a reservation of its own.
        0x30 0x18 virtual_memory_threshold: Size,
        0x38 0x1C initial_commit: Size,
        0x40 0x20 initial_reserve: Size,
        /// `RTL_HEAP_COMMIT_ROUTINE`.
        0x48 0x24 commit_routine: Pointer,
        0x50 0x28 reserved1: [Size; 2],
    }

    /// `RTL_HEAP_WALK_ENTRY`: a part of a heap.
    pub struct RtlHeapWalkEntry (0x30, 0x1C) {
        /// In: of the last part, 0 for the first one.
        0x00 0x00 data_address: Pointer,
        0x08 0x04 data_size: Size,
        0x10 0x08 overhead_bytes: u8,
        0x11 0x09 segment_index: u8,
        0x12 0x0A flags: HeapEntryFlags,
        0x14 0x0C reserved: Only64<u32>,
        /// [`RtlHeapWalkSegment`] for a segment, otherwise [`RtlHeapWalkBlock`].
        0x18 0x0C details: HeapWalkDetails,
    }

    /// The union of `RTL_HEAP_WALK_ENTRY`, for a block.
    pub struct RtlHeapWalkBlock (0x18, 0x10) {
        /// The user value.
        0x00 0x00 settable: Size,
        0x08 0x04 tag_index: u16,
        0x0A 0x06 allocator_back_trace_index: u16,
        0x0C 0x08 reserved0: [u32; 2],
        0x14 0x10 reserved1: Only64<u32>,
    }

    /// The union of `RTL_HEAP_WALK_ENTRY`, for a segment.
    pub struct RtlHeapWalkSegment (0x18, 0x10) {
        0x00 0x00 committed_size: u32,
        0x04 0x04 un_committed_size: u32,
        0x08 0x08 first_entry: Pointer,
        0x10 0x0C last_entry: Pointer,
    }
}

layout! {
    /// `HEAP_OPTIMIZE_RESOURCES_INFORMATION`.
    pub struct HeapOptimizeResourcesInformation (8) {
        /// [`HEAP_OPTIMIZE_RESOURCES_VERSION`].
        0x00 version: u32,
        0x04 flags: u32,
    }
}
