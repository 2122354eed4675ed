//! Virtual memory as services name it: protections, kinds of allocation and section, and what a query tells.

use crate::layout::{layout, layouts};
use crate::numbers::{flags, numbers};

flags! {
    /// `PAGE_*`: what may be done with a page. Exactly one of the first eight, with modifiers.
    pub struct PageProtection: u32, "PAGE_" {
        /// Nothing.
        NOACCESS = 0x01;
        /// Reading.
        READONLY = 0x02;
        /// Reading and writing.
        READWRITE = 0x04;
        /// Reading; a write makes a private copy.
        WRITECOPY = 0x08;
        /// Executing (and, on our machines, reading).
        EXECUTE = 0x10;
        /// Executing and reading.
        EXECUTE_READ = 0x20;
        /// All.
        EXECUTE_READWRITE = 0x40;
        /// Executing and reading; a write makes a private copy.
        EXECUTE_WRITECOPY = 0x80;
        /// The first access raises `STATUS_GUARD_PAGE_VIOLATION` and takes this away.
        GUARD = 0x100;
        /// Not cached.
        NOCACHE = 0x200;
        /// Writes may be combined.
        WRITECOMBINE = 0x400;
        /// Addresses in it are no targets of indirect calls (when allocated).
        TARGETS_INVALID = 0x4000_0000;
        /// A private copy is given up for the file's page (when protected).
        REVERT_TO_FILE_MAP = 0x8000_0000;
    }

    /// `MEM_*`: what a service is to do with a range, and the state and type that a query reports.
    pub struct AllocationType: u32, "MEM_" {
        /// To a free or an unmap: pieces of a placeholder become one.
        COALESCE_PLACEHOLDERS = 0x0000_0001;
        /// To a free or an unmap: a placeholder stays.
        PRESERVE_PLACEHOLDER = 0x0000_0002;
        /// To give pages content; as a state: has pages.
        COMMIT = 0x0000_1000;
        /// To set addresses aside; as a state: addresses without pages.
        RESERVE = 0x0000_2000;
        /// To take the pages away. To an allocation or a map, as `MEM_REPLACE_PLACEHOLDER`: into a placeholder.
        DECOMMIT = 0x0000_4000;
        /// To give the addresses back.
        RELEASE = 0x0000_8000;
        /// As a state: nobody's addresses.
        FREE = 0x0001_0000;
        /// As a type: not shared.
        PRIVATE = 0x0002_0000;
        /// As a type: a view of a section that is no image. To an allocation, as `MEM_RESERVE_PLACEHOLDER`: a placeholder.
        MAPPED = 0x0004_0000;
        /// The content is no longer wanted.
        RESET = 0x0008_0000;
        /// From the highest address down.
        TOP_DOWN = 0x0010_0000;
        /// Writes to it are recorded.
        WRITE_WATCH = 0x0020_0000;
        /// A window for physical pages.
        PHYSICAL = 0x0040_0000;
        /// To a map of an image: another base than the preferred one is no reason for a status of its own.
        DIFFERENT_IMAGE_BASE_OK = 0x0080_0000;
        /// A reset is taken back where the content is still there. As a type: a view of an image.
        RESET_UNDO = 0x0100_0000;
        /// In large pages.
        LARGE_PAGES = 0x2000_0000;
        /// Aligned to 4 MB.
        FOUR_MB_PAGES = 0x8000_0000;
    }

    /// `SEC_*`: what a section is made of.
    pub struct SectionAttributes: u32, "SEC_" {
        /// In huge pages.
        HUGE_PAGES = 0x0002_0000;
        /// Of a partition.
        PARTITION_OWNER_HANDLE = 0x0004_0000;
        /// In 64 KB pages.
        PAGES_64K = 0x0008_0000;
        /// At the same address in all processes.
        BASED = 0x0020_0000;
        /// Its protection cannot be changed.
        NO_CHANGE = 0x0040_0000;
        /// Of a file (reported).
        FILE = 0x0080_0000;
        /// A PE image.
        IMAGE = 0x0100_0000;
        /// A protected process's image.
        PROTECTED_IMAGE = 0x0200_0000;
        /// Pages are committed one by one.
        RESERVE = 0x0400_0000;
        /// All pages are committed.
        COMMIT = 0x0800_0000;
        /// Not cached.
        NOCACHE = 0x1000_0000;
        /// In session or system space.
        GLOBAL = 0x2000_0000;
        /// Writes may be combined.
        WRITECOMBINE = 0x4000_0000;
        /// In large pages.
        LARGE_PAGES = 0x8000_0000;
        /// An image that is read only, nothing of it runs.
        IMAGE_NO_EXECUTE = 0x1100_0000;
    }
}

impl AllocationType {
    /// `MEM_IMAGE`, as a type: a view of an image.
    pub const IMAGE: Self = Self::RESET_UNDO;
    /// `MEM_REPLACE_PLACEHOLDER`, to an allocation or a map.
    pub const REPLACE_PLACEHOLDER: Self = Self::DECOMMIT;
    /// `MEM_RESERVE_PLACEHOLDER`, to an allocation.
    pub const RESERVE_PLACEHOLDER: Self = Self::MAPPED;
}

numbers! {
    /// `SECTION_INHERIT`: whether children have a view too.
    pub struct SectionInherit: u32 {
        /// They have it.
        SHARE = 1, "ViewShare";
        /// They do not.
        UNMAP = 2, "ViewUnmap";
    }

    /// `MEMORY_INFORMATION_CLASS`, of `NtQueryVirtualMemory`.
    pub struct MemoryInformationClass: u32 {
        /// [`w64::MemoryBasicInformation`].
        BASIC = 0, "MemoryBasicInformation";
        /// [`w64::MemoryWorkingSetInformation`].
        WORKING_SET = 1, "MemoryWorkingSetInformation";
        /// A `UnicodeString` and its text: which file is mapped.
        MAPPED_FILENAME = 2, "MemoryMappedFilenameInformation";
        /// [`w64::MemoryRegionInformation`].
        REGION = 3, "MemoryRegionInformation";
        /// Array of [`w64::MemoryWorkingSetExInformation`], in and out.
        WORKING_SET_EX = 4, "MemoryWorkingSetExInformation";
        /// Shared commit, in bytes.
        SHARED_COMMIT = 5, "MemorySharedCommitInformation";
        /// [`w64::MemoryImageInformation`].
        IMAGE = 6, "MemoryImageInformation";
        /// A region, whichever address of it is given.
        REGION_EX = 7, "MemoryRegionInformationEx";
        /// For privileged callers.
        PRIVILEGED_BASIC = 8, "MemoryPrivilegedBasicInformation";
        /// An enclave's image.
        ENCLAVE_IMAGE = 9, "MemoryEnclaveImageInformation";
        /// The same, limited.
        BASIC_CAPPED = 10, "MemoryBasicInformationCapped";
        /// Physical contiguity.
        PHYSICAL_CONTIGUITY = 11, "MemoryPhysicalContiguityInformation";
        /// Bad pages.
        BAD = 12, "MemoryBadInformation";
        /// Bad pages of all processes.
        BAD_ALL_PROCESSES = 13, "MemoryBadInformationAllProcesses";
        /// An image's extension.
        IMAGE_EXTENSION = 14, "MemoryImageExtensionInformation";
        /// Wine's own: a loaded library's Unix side.
        WINE_UNIX_FUNCS = 1000, "MemoryWineUnixFuncs";
        /// Wine's own: the same for WoW64.
        WINE_UNIX_WOW64_FUNCS = 1001, "MemoryWineUnixWow64Funcs";
    }

    /// `SECTION_INFORMATION_CLASS`, of `NtQuerySection`.
    pub struct SectionInformationClass: u32 {
        /// [`w64::SectionBasicInformation`].
        BASIC = 0, "SectionBasicInformation";
        /// [`w64::SectionImageInformation`].
        IMAGE = 1, "SectionImageInformation";
        /// How far the image was moved.
        RELOCATION = 2, "SectionRelocationInformation";
        /// The original base.
        ORIGINAL_BASE = 3, "SectionOriginalBaseInformation";
        /// [`w64::SectionInternalImageInformation`].
        INTERNAL_IMAGE = 4, "SectionInternalImageInformation";
    }
}

layouts! {
    /// `MEMORY_BASIC_INFORMATION`: pages that are alike, from the one that was asked for.
    pub struct MemoryBasicInformation (0x30, 0x1C) {
        0x00 0x00 base_address: Pointer,
        0x08 0x04 allocation_base: Pointer,
        0x10 0x08 allocation_protect: PageProtection,
        0x14 0x0C partition_id: Only64<u16>,
        0x16 0x0C reserved0: Only64<u16>,
        /// Size in bytes of the pages that are alike.
        0x18 0x0C region_size: Size,
        0x20 0x10 state: AllocationType,
        0x24 0x14 protect: PageProtection,
        0x28 0x18 kind: AllocationType,
        0x2C 0x1C reserved1: Only64<u32>,
    }

    /// `MEMORY_WORKING_SET_INFORMATION`: the entries follow it, each a page's address with bits in its low twelve.
    pub struct MemoryWorkingSetInformation (0x08, 0x04) {
        0x00 0x00 number_of_entries: Size,
    }

    /// `MEMORY_REGION_INFORMATION`: a whole allocation.
    pub struct MemoryRegionInformation (0x30, 0x1C) {
        0x00 0x00 allocation_base: Pointer,
        0x08 0x04 allocation_protect: PageProtection,
        /// Bit 0 private, 1 data file, 2 image, 3 page file, 4 physical, 5 direct.
        0x0C 0x08 region_type: u32,
        0x10 0x0C region_size: Size,
        0x18 0x10 commit_size: Size,
        0x20 0x14 partition_id: Size,
        0x28 0x18 node_preference: Size,
    }

    /// `MEMORY_WORKING_SET_EX_INFORMATION`: about one page.
    pub struct MemoryWorkingSetExInformation (0x10, 0x08) {
        /// In: the page.
        0x00 0x00 virtual_address: Pointer,
        /// Out: bit 0 present, 1 to 3 sharers, 4 to 14 protection, 15 shared, 16 to 21 node, 22 locked, 23 large.
        0x08 0x04 virtual_attributes: Size,
    }

    /// `MEMORY_IMAGE_INFORMATION`.
    pub struct MemoryImageInformation (0x18, 0x0C) {
        0x00 0x00 image_base: Pointer,
        0x08 0x04 size_of_image: Size,
        /// Bit 0 mapped in part, 1 not executable, 2 to 5 signing level.
        0x10 0x08 image_flags: u32,
        0x14 0x0C reserved: Only64<u32>,
    }

    /// `MEMORY_RANGE_ENTRY`: one of the ranges that a service works on.
    pub struct MemoryRangeEntry (0x10, 0x08) {
        0x00 0x00 virtual_address: Pointer,
        0x08 0x04 number_of_bytes: Size,
    }

    /// `SECTION_BASIC_INFORMATION`.
    pub struct SectionBasicInformation (0x18, 0x10) {
        0x00 0x00 base_address: Pointer,
        0x08 0x04 allocation_attributes: SectionAttributes,
        0x0C 0x08 reserved: Only64<u32>,
        0x10 0x08 maximum_size: i64,
    }

    /// `SECTION_IMAGE_INFORMATION`: what the image's headers say about a process made of it.
    pub struct SectionImageInformation (0x40, 0x30) {
        /// The entry point, where the image lies.
        0x00 0x00 transfer_address: Pointer,
        0x08 0x04 zero_bits: u32,
        0x0C 0x08 reserved: Only64<u32>,
        0x10 0x08 maximum_stack_size: Size,
        0x18 0x0C committed_stack_size: Size,
        0x20 0x10 sub_system_type: u32,
        0x24 0x14 sub_system_minor_version: u16,
        0x26 0x16 sub_system_major_version: u16,
        0x28 0x18 major_operating_system_version: u16,
        0x2A 0x1A minor_operating_system_version: u16,
        0x2C 0x1C image_characteristics: u16,
        0x2E 0x1E dll_characteristics: u16,
        0x30 0x20 machine: u16,
        0x32 0x22 image_contains_code: u8,
        /// See [`SectionImageFlags`].
        0x33 0x23 image_flags: SectionImageFlags,
        0x34 0x24 loader_flags: u32,
        0x38 0x28 image_file_size: u32,
        0x3C 0x2C check_sum: u32,
    }

    /// `SECTION_INTERNAL_IMAGE_INFORMATION`.
    pub struct SectionInternalImageInformation (0x48, 0x34) {
        0x00 0x00 section_information: SectionImageInformation,
        /// Bit 0 export suppression, 1 shadow stacks, 2 XFG, 9 CFG.
        0x40 0x30 extended_flags: u32,
        0x44 0x34 reserved: Only64<u32>,
    }

    /// `MEM_ADDRESS_REQUIREMENTS`: where an allocation may lie.
    pub struct MemAddressRequirements (0x18, 0x0C) {
        0x00 0x00 lowest_starting_address: Pointer,
        /// The last byte it may have.
        0x08 0x04 highest_ending_address: Pointer,
        0x10 0x08 alignment: Size,
    }
}

flags! {
    /// `SECTION_IMAGE_INFORMATION.ImageFlags`.
    pub struct SectionImageFlags: u8, "IMAGE_FLAGS_" {
        /// Managed code that runs natively on 64 bits.
        COM_PLUS_NATIVE_READY = 0x01;
        /// Managed code only.
        COM_PLUS_IL_ONLY = 0x02;
        /// Not at its preferred base.
        IMAGE_DYNAMICALLY_RELOCATED = 0x04;
        /// Mapped as it lies in the file, its alignment being below a page.
        IMAGE_MAPPED_FLAT = 0x08;
        /// A 64-bit image below 4 GB.
        BASE_BELOW_4GB = 0x10;
        /// Managed code that prefers 32 bits.
        COM_PLUS_PREFER_32BIT = 0x20;
    }
}

layout! {
    /// `MEM_EXTENDED_PARAMETER`: one more parameter for an allocation or a map.
    pub struct MemExtendedParameter (0x10) {
        /// Its kind in the low eight bits: 1 [`MemAddressRequirements`](w64::MemAddressRequirements), 2 NUMA node,
        /// 3 partition, 4 physical pages, 5 attributes, 6 machine of an image.
        0x00 kind: u64,
        /// A number, a pointer or a handle.
        0x08 value: u64,
    }
}
