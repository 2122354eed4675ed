//! The DOS header, the file header and both widths of the optional header.
//!
//! NT reads them into a zeroed page and then looks at fields, whatever `SizeOfOptionalHeader` says: that number only
//! tells where the section table begins. So does this reader, and small or packed files that count on it are read as
//! Windows reads them.

use nt_abi::{NtResult, NtStatus};

use crate::bytes::{BAD, Fields, index, u16_at, u32_at};
use crate::flags::{DllCharacteristics, FileCharacteristics};

/// Where the DOS header says where the NT headers are (`e_lfanew`).
const NT_OFFSET_AT: usize = 0x3C;
/// Length of the signature and the file header.
const FILE_HEADER_END: usize = 24;
/// Length of the wider NT headers. A file must have so many bytes after `e_lfanew`, even if it needs fewer.
const NT_HEADERS_64: usize = 264;

const MZ: u16 = 0x5A4D;
const NE: u16 = 0x454E;
const LE: u16 = 0x454C;
const PE: u32 = 0x0000_4550;

const MAGIC_PE32: u16 = 0x10B;
const MAGIC_PE32_PLUS: u16 = 0x20B;

/// How many data directories have a meaning.
const DIRECTORIES: usize = 16;

/// For which machine a file is (`IMAGE_FILE_MACHINE_*`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Machine(pub u16);

impl Machine {
    /// 32-bit x86.
    pub const I386: Self = Self(0x014C);
    /// 32-bit ARM, Thumb-2.
    pub const ARMNT: Self = Self(0x01C4);
    /// x64.
    pub const AMD64: Self = Self(0x8664);
    /// 64-bit ARM.
    pub const ARM64: Self = Self(0xAA64);

    /// The width of its optional header; `None` for a machine that no image is read for.
    pub const fn width(self) -> Option<Width> {
        match self {
            Self::I386 | Self::ARMNT => Some(Width::Pe32),
            Self::AMD64 | Self::ARM64 => Some(Width::Pe32Plus),
            _ => None,
        }
    }
}

/// Which of the two optional headers, and how wide addresses in tables are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// 32-bit addresses.
    Pe32,
    /// 64-bit addresses.
    Pe32Plus,
}

impl Width {
    /// Bytes of an address.
    pub const fn pointer(self) -> usize {
        match self {
            Self::Pe32 => 4,
            Self::Pe32Plus => 8,
        }
    }
}

/// What a program needs around it (`IMAGE_SUBSYSTEM_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subsystem(pub u16);

impl Subsystem {
    /// Nothing: a driver or a native program.
    pub const NATIVE: Self = Self(1);
    /// Windows with windows.
    pub const WINDOWS_GUI: Self = Self(2);
    /// Windows with a console.
    pub const WINDOWS_CUI: Self = Self(3);
}

/// A major and a minor number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// The one before the point.
    pub major: u16,
    /// The one after it.
    pub minor: u16,
}

/// Which data directory; the numbers are the format's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Directory {
    /// What others may call.
    Export = 0,
    /// What it calls itself.
    Import = 1,
    /// The tree of resources.
    Resource = 2,
    /// The function table for unwinding.
    Exception = 3,
    /// Signatures. Its "address" is an offset in the file.
    Certificate = 4,
    /// Base relocations.
    BaseRelocation = 5,
    /// Where debugging information is.
    Debug = 6,
    /// Thread-local storage.
    Tls = 9,
    /// The load configuration.
    LoadConfig = 10,
    /// Imports that were bound.
    BoundImport = 11,
    /// All import address tables together.
    ImportAddressTable = 12,
    /// Imports that are resolved when they are first used.
    DelayImport = 13,
    /// The header of the common language runtime.
    ClrHeader = 14,
}

/// Where a directory is and how long it says it is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DataDirectory {
    /// Its start.
    pub rva: u32,
    /// Its bytes.
    pub size: u32,
}

/// A piece of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileRange {
    /// Its start in the file.
    pub offset: u32,
    /// Its bytes.
    pub size: u32,
}

/// The headers' fields, as they stand in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Headers {
    /// For which machine the image is.
    pub machine: Machine,
    /// Which optional header it has.
    pub width: Width,
    /// The number of sections.
    pub section_count: u16,
    /// When it was linked, or a hash.
    pub time_date_stamp: u32,
    /// What the file is.
    pub characteristics: FileCharacteristics,
    /// The linker's sum of its code; nobody relies on it.
    pub size_of_code: u32,
    /// Where it starts; 0 if nowhere. NT accepts any value here, and a program with a bad one faults when it starts.
    pub entry_point_rva: u32,
    /// The address that it was linked for, or is relocated to.
    pub image_base: u64,
    /// Granularity of sections in memory, bytes.
    pub section_alignment: u32,
    /// Granularity of sections in the file, bytes.
    pub file_alignment: u32,
    /// The system that it was made for.
    pub system_version: Version,
    /// Its own version.
    pub image_version: Version,
    /// The subsystem's version that it needs.
    pub subsystem_version: Version,
    /// Bytes of the image in memory.
    pub size_of_image: u32,
    /// Bytes of all headers.
    pub size_of_headers: u32,
    /// The file's checksum, if the linker was asked for it.
    pub checksum: u32,
    /// What it needs around it. NT looks at it when a process is made, not before.
    pub subsystem: Subsystem,
    /// What it can bear.
    pub dll_characteristics: DllCharacteristics,
    /// Address space of the first thread's stack, bytes.
    pub stack_reserve: u64,
    /// Memory of the first thread's stack, bytes.
    pub stack_commit: u64,
    /// Address space of the first heap, bytes.
    pub heap_reserve: u64,
    /// Memory of the first heap, bytes.
    pub heap_commit: u64,
    /// Where the NT headers are in the file.
    pub nt_offset: u32,
    /// Where the section table is in the file.
    pub section_table_offset: u32,
    directories: [DataDirectory; DIRECTORIES],
}

impl Headers {
    /// Reads the headers; what they say is not checked yet but for what decides how to read them.
    pub(crate) fn read(bytes: &[u8]) -> NtResult<Self> {
        let nt_offset = find_nt_headers(bytes)?;
        let nt = bytes
            .get(index(nt_offset)..)
            .ok_or(NtStatus::INVALID_IMAGE_PROTECT)?;

        let mut fields = Fields::new(nt);
        fields.skip(4);
        let machine = Machine(fields.u16());
        let section_count = fields.u16();
        let time_date_stamp = fields.u32();
        fields.skip(8);
        let optional_size = fields.u16();
        let characteristics = FileCharacteristics::from_bits_retain(fields.u16());
        if machine.0 == 0 && optional_size == 0 {
            // A DOS program that carries a 32-bit part which only looks like PE.
            return Err(NtStatus::INVALID_IMAGE_PROTECT);
        }

        let width = match fields.u16() {
            MAGIC_PE32 => Width::Pe32,
            MAGIC_PE32_PLUS => Width::Pe32Plus,
            _ => return Err(BAD),
        };
        let section_table_offset = nt_offset
            .checked_add(24 + u32::from(optional_size))
            .ok_or(BAD)?;
        let optional = nt.get(FILE_HEADER_END..).ok_or(BAD)?;
        let mut headers = Self::read_optional(optional, width);
        headers.machine = machine;
        headers.section_count = section_count;
        headers.time_date_stamp = time_date_stamp;
        headers.characteristics = characteristics;
        headers.nt_offset = nt_offset;
        headers.section_table_offset = section_table_offset;
        Ok(headers)
    }

    /// Reads the optional header. The fields that are not its own are left at zero.
    fn read_optional(optional: &[u8], width: Width) -> Self {
        let mut fields = Fields::new(optional);
        fields.skip(4);
        let size_of_code = fields.u32();
        fields.skip(8);
        let entry_point_rva = fields.u32();
        fields.skip(4);
        let image_base = match width {
            Width::Pe32 => {
                fields.skip(4);
                u64::from(fields.u32())
            }
            Width::Pe32Plus => fields.u64(),
        };
        let mut headers = Self {
            machine: Machine(0),
            width,
            section_count: 0,
            time_date_stamp: 0,
            characteristics: FileCharacteristics::empty(),
            size_of_code,
            entry_point_rva,
            image_base,
            section_alignment: fields.u32(),
            file_alignment: fields.u32(),
            system_version: read_version(&mut fields),
            image_version: read_version(&mut fields),
            subsystem_version: read_version(&mut fields),
            size_of_image: {
                fields.skip(4);
                fields.u32()
            },
            size_of_headers: fields.u32(),
            checksum: fields.u32(),
            subsystem: Subsystem(fields.u16()),
            dll_characteristics: DllCharacteristics::from_bits_retain(fields.u16()),
            stack_reserve: read_pointer(&mut fields, width),
            stack_commit: read_pointer(&mut fields, width),
            heap_reserve: read_pointer(&mut fields, width),
            heap_commit: read_pointer(&mut fields, width),
            nt_offset: 0,
            section_table_offset: 0,
            directories: [DataDirectory::default(); DIRECTORIES],
        };
        fields.skip(4);
        let count = index(fields.u32());
        for directory in headers.directories.iter_mut().take(count) {
            directory.rva = fields.u32();
            directory.size = fields.u32();
        }
        headers
    }

    /// Where a directory is; `None` if the image has none.
    pub fn directory(&self, directory: Directory) -> Option<DataDirectory> {
        self.directories
            .get(directory as usize)
            .copied()
            .filter(|found| found.rva != 0)
    }

    /// Where the signatures are in the file.
    pub fn certificates(&self) -> Option<FileRange> {
        let found = self.directory(Directory::Certificate)?;
        (found.size != 0).then_some(FileRange {
            offset: found.rva,
            size: found.size,
        })
    }

    /// Whether it is a program of the common language runtime.
    pub fn has_clr_header(&self) -> bool {
        self.directory(Directory::ClrHeader)
            .is_some_and(|found| found.size != 0)
    }

    /// Whether it may be anywhere: it was linked with relocations, even if they turned out to be none.
    pub fn is_relocatable(&self) -> bool {
        !self
            .characteristics
            .contains(FileCharacteristics::RELOCS_STRIPPED)
    }

    /// Where the preferred base stands. NT writes the base that an image was relocated to there, and loaders in user mode
    /// compare.
    pub fn image_base_field(&self) -> FileRange {
        let (at, size) = match self.width {
            Width::Pe32 => (28, 4),
            Width::Pe32Plus => (24, 8),
        };
        FileRange {
            offset: self.nt_offset.saturating_add(24 + at),
            size,
        }
    }

    /// What a view of the image is told on a machine of that kind: it is mapped in either case.
    ///
    /// # NT
    /// `NtMapViewOfSection` gives `STATUS_IMAGE_MACHINE_TYPE_MISMATCH`, a success, for images of other machines.
    pub fn view_status(&self, native: Machine) -> NtStatus {
        if self.machine == native {
            NtStatus::SUCCESS
        } else {
            NtStatus::IMAGE_MACHINE_TYPE_MISMATCH
        }
    }
}

fn read_version(fields: &mut Fields<'_>) -> Version {
    Version {
        major: fields.u16(),
        minor: fields.u16(),
    }
}

fn read_pointer(fields: &mut Fields<'_>, width: Width) -> u64 {
    match width {
        Width::Pe32 => u64::from(fields.u32()),
        Width::Pe32Plus => fields.u64(),
    }
}

/// Finds the NT headers, and says what the file is if it has none.
fn find_nt_headers(bytes: &[u8]) -> NtResult<u32> {
    if u16_at(bytes, 0) != Some(MZ) {
        return Err(NtStatus::INVALID_IMAGE_NOT_MZ);
    }
    let offset = u32_at(bytes, NT_OFFSET_AT)
        .filter(|offset| offset % 4 == 0 && index(*offset) < bytes.len());
    let offset = offset.ok_or(NtStatus::INVALID_IMAGE_PROTECT)?;
    let nt = bytes
        .get(index(offset)..)
        .ok_or(NtStatus::INVALID_IMAGE_PROTECT)?;
    match u16_at(nt, 0) {
        Some(NE) => return Err(kind_of_ne(nt)),
        Some(LE) => return Err(NtStatus::INVALID_IMAGE_LE_FORMAT),
        _ => {}
    }
    if u32_at(nt, 0) != Some(PE) {
        return Err(NtStatus::INVALID_IMAGE_PROTECT);
    }
    if nt.len() < NT_HEADERS_64 {
        return Err(BAD);
    }
    Ok(offset)
}

/// Tells the kinds of NE files apart by their target system and the Windows version that they expect.
fn kind_of_ne(header: &[u8]) -> NtStatus {
    let target = header.get(0x36).copied().unwrap_or_default();
    let windows = u16_at(header, 0x3E).unwrap_or_default() >> 8;
    match (target, windows) {
        (2, _) | (0, 2 | 3) => NtStatus::INVALID_IMAGE_WIN_16,
        // European MS-DOS 4.
        (5, _) => NtStatus::INVALID_IMAGE_PROTECT,
        _ => NtStatus::INVALID_IMAGE_NE_FORMAT,
    }
}
