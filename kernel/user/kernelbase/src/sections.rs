//! Sections: memory and files that can be mapped, by this process and others.

use nt_abi::memory::{PageProtection, SectionAttributes};
use nt_abi::native::IoStatusBlock;
use nt_abi::services::arguments::SectionInherit;
use ntdll_imports::{
    NtCreateSection, NtFlushVirtualMemory, NtMapViewOfSection, NtMapViewOfSectionEx, NtOpenSection,
    NtUnmapViewOfSection, NtUnmapViewOfSectionEx,
};

use crate::objects::{self, access, open};
use crate::structures::SecurityAttributes;
use crate::wide::Wide;
use crate::win::*;

/// `SECTION_QUERY`, `SECTION_MAP_WRITE`, `SECTION_MAP_READ`, `SECTION_MAP_EXECUTE`, and what everybody may.
const QUERY: u32 = 0x1;
const MAP_WRITE: u32 = 0x2;
const MAP_READ: u32 = 0x4;
const MAP_EXECUTE: u32 = 0x8;
const STANDARD_RIGHTS: u32 = 0x000F_0000;
/// `FILE_MAP_COPY`.
const COPY: u32 = 0x1;
/// `FILE_MAP_EXECUTE`.
const EXECUTE: u32 = 0x20;
/// `FILE_MAP_RESERVE`, `FILE_MAP_TARGETS_INVALID`, `FILE_MAP_LARGE_PAGES`: what is no right.
const NO_RIGHTS: u32 = 0xE000_0000;

/// All attributes that a section may be made with.
const ATTRIBUTES: u32 = 0xFFFF_FF00 & !PageProtection::GUARD.0;

/// A number of 64 bits from its halves.
const fn joined(low: u32, high: u32) -> i64 {
    ((high as u64) << 32 | low as u64).cast_signed()
}

/// What a section is made with: its protection, what it is of, how large it is.
struct Making {
    security: Ptr<SecurityAttributes>,
    protection: u32,
    size: i64,
    file: Handle,
}

fn create(making: &Making, name: Ptr<u16>) -> Handle {
    let plain = making.protection & !ATTRIBUTES;
    let mut attributes = making.protection & ATTRIBUTES;
    // `PAGE_NOCACHE` and its like have no meaning for a section.
    attributes &= !0x600;
    if attributes & 0xFF00_0000 == 0 {
        attributes |= SectionAttributes::COMMIT.0;
    }
    let rights = match PageProtection(plain) {
        PageProtection::READONLY | PageProtection::WRITECOPY => MAP_READ,
        PageProtection::READWRITE => MAP_READ | MAP_WRITE,
        PageProtection::EXECUTE_READ | PageProtection::EXECUTE_WRITECOPY => MAP_READ | MAP_EXECUTE,
        PageProtection::EXECUTE_READWRITE => MAP_READ | MAP_WRITE | MAP_EXECUTE,
        _ => return answer(Err(Error::INVALID_PARAMETER), Handle::NULL),
    };
    let file = if making.file == Handle::INVALID {
        Handle::NULL
    } else {
        making.file
    };
    if file.is_null() && making.size == 0 {
        return answer(Err(Error::INVALID_PARAMETER), Handle::NULL);
    }
    let size = if making.size == 0 {
        Ptr::NULL
    } else {
        Ptr::of_shared(&making.size)
    };
    objects::create(making.security, name, |handle, object| {
        let wanted = access(STANDARD_RIGHTS | QUERY | rights);
        NtCreateSection(handle, wanted, object, size, plain, attributes, file)
    })
}

/// What a view of a section may do, as rights of the section say it.
fn protection_of(wanted: u32) -> u32 {
    let writes = wanted & MAP_WRITE != 0;
    let executes = wanted & EXECUTE != 0;
    let plain = wanted & !NO_RIGHTS;
    let protection = if plain & !EXECUTE == COPY {
        if executes {
            PageProtection::EXECUTE_WRITECOPY
        } else {
            PageProtection::WRITECOPY
        }
    } else if writes {
        if executes {
            PageProtection::EXECUTE_READWRITE
        } else {
            PageProtection::READWRITE
        }
    } else if wanted & MAP_READ != 0 {
        if executes {
            PageProtection::EXECUTE_READ
        } else {
            PageProtection::READONLY
        }
    } else {
        PageProtection::NOACCESS
    };
    protection.0
}

/// A view of a section: where it begins in it, how long it is, where it is to lie.
struct View {
    section: Handle,
    process: Handle,
    at: Ptr<u8>,
    offset: i64,
    size: usize,
}

impl View {
    fn map(&self, kind: u32, protection: u32) -> Win<Ptr<u8>> {
        let (mut base, mut size, mut offset) = (self.at.address(), self.size, self.offset);
        check(NtMapViewOfSection(
            self.section,
            self.process,
            &mut base,
            0_usize,
            0_usize,
            &mut offset,
            &mut size,
            UNMAP,
            kind,
            protection,
        ))?;
        Ok(Ptr::new(base))
    }
}

/// `ViewUnmap`: a new process does not get the view.
const UNMAP: SectionInherit = SectionInherit(2);

fn map(section: Handle, wanted: u32, offset: i64, size: usize, at: Ptr<u8>) -> Ptr<u8> {
    let view = View {
        section,
        process: Handle::CURRENT_PROCESS,
        at,
        offset,
        size,
    };
    answer(view.map(0, protection_of(wanted)), Ptr::NULL)
}

exports! {
    /// Makes a section of a file or of memory, or opens the one of this name.
    fn CreateFileMappingW(file: Handle, security: Ptr<SecurityAttributes>, protection: u32, high: u32, low: u32, name: Ptr<u16>) -> Handle {
        create(&Making { security, protection, size: joined(low, high), file }, name)
    }

    /// Makes a section of a file or of memory, or opens the one of this name.
    fn CreateFileMappingA(file: Handle, security: Ptr<SecurityAttributes>, protection: u32, high: u32, low: u32, name: Ptr<u8>) -> Handle {
        match Wide::from_ansi(name) {
            Ok(name) => CreateFileMappingW(file, security, protection, high, low, name.ptr()),
            Err(error) => answer(Err(error), Handle::NULL),
        }
    }

    /// Makes a section whose memory is preferred to be of a node: there is one.
    fn CreateFileMappingNumaW(file: Handle, security: Ptr<SecurityAttributes>, protection: u32, high: u32, low: u32, name: Ptr<u16>, _node: u32) -> Handle {
        CreateFileMappingW(file, security, protection, high, low, name)
    }

    /// Makes a section of a file or of memory, or opens the one of this name.
    fn CreateFileMappingFromApp(file: Handle, security: Ptr<SecurityAttributes>, protection: u32, size: u64, name: Ptr<u16>) -> Handle {
        create(&Making { security, protection, size: size.cast_signed(), file }, name)
    }

    /// Opens a section.
    fn OpenFileMappingW(wanted: u32, inherit: Bool, name: Ptr<u16>) -> Handle {
        // What copies, reads.
        let rights = if wanted == COPY { MAP_READ } else { wanted };
        // Executing has a number of its own here.
        let rights = if rights & EXECUTE != 0 { rights & !EXECUTE | MAP_EXECUTE } else { rights };
        open(inherit, name, |handle, attributes| NtOpenSection(handle, access(rights), attributes))
    }

    /// Opens a section.
    fn OpenFileMappingA(wanted: u32, inherit: Bool, name: Ptr<u8>) -> Handle {
        match Wide::from_ansi(name) {
            Ok(name) => OpenFileMappingW(wanted, inherit, name.ptr()),
            Err(error) => answer(Err(error), Handle::NULL),
        }
    }

    /// Opens a section.
    fn OpenFileMappingFromApp(wanted: u32, inherit: Bool, name: Ptr<u16>) -> Handle {
        OpenFileMappingW(wanted, inherit, name)
    }

    /// Maps a section; null: it failed.
    fn MapViewOfFile(section: Handle, wanted: u32, high: u32, low: u32, size: usize) -> Ptr<u8> {
        map(section, wanted, joined(low, high), size, Ptr::NULL)
    }

    /// Maps a section, to an address if one is named; null: it failed.
    fn MapViewOfFileEx(section: Handle, wanted: u32, high: u32, low: u32, size: usize, at: Ptr<u8>) -> Ptr<u8> {
        map(section, wanted, joined(low, high), size, at)
    }

    /// Maps a section whose memory is preferred to be of a node: there is one.
    fn MapViewOfFileExNuma(section: Handle, wanted: u32, high: u32, low: u32, size: usize, at: Ptr<u8>, _node: u32) -> Ptr<u8> {
        map(section, wanted, joined(low, high), size, at)
    }

    /// Maps a section; null: it failed.
    fn MapViewOfFileFromApp(section: Handle, wanted: u32, offset: u64, size: usize) -> Ptr<u8> {
        map(section, wanted, offset.cast_signed(), size, Ptr::NULL)
    }

    /// Maps a section, in a process, where further parameters want it; null: it failed.
    fn MapViewOfFile3(section: Handle, process: Handle, at: Ptr<u8>, offset: u64, size: usize, kind: u32, protection: u32, parameters: Ptr<u8>, count: u32) -> Ptr<u8> {
        let process = if process.is_null() { Handle::CURRENT_PROCESS } else { process };
        let (mut base, mut size, mut offset) = (at.address(), size, offset.cast_signed());
        let status = NtMapViewOfSectionEx(section, process, &mut base, &mut offset, &mut size, kind, protection, parameters, count);
        answer(check(status).map(|()| Ptr::new(base)), Ptr::NULL)
    }

    /// Maps a section in a process; null: it failed.
    fn MapViewOfFileNuma2(section: Handle, process: Handle, offset: u64, at: Ptr<u8>, size: usize, kind: u32, protection: u32, _node: u32) -> Ptr<u8> {
        let view = View { section, process, at, offset: offset.cast_signed(), size };
        answer(view.map(kind, protection), Ptr::NULL)
    }

    /// Takes a view away.
    fn UnmapViewOfFile(at: Ptr<u8>) -> Bool {
        truth_of(NtUnmapViewOfSection(Handle::CURRENT_PROCESS, at))
    }

    /// Takes a view away.
    fn UnmapViewOfFileEx(at: Ptr<u8>, flags: u32) -> Bool {
        truth_of(NtUnmapViewOfSectionEx(Handle::CURRENT_PROCESS, at, flags))
    }

    /// Takes a view of a process away.
    fn UnmapViewOfFile2(process: Handle, at: Ptr<u8>, flags: u32) -> Bool {
        truth_of(NtUnmapViewOfSectionEx(process, at, flags))
    }

    /// Has what was written to a view reach its file.
    fn FlushViewOfFile(at: Ptr<u8>, size: usize) -> Bool {
        let (mut base, mut size) = (at.address(), size);
        let mut outcome = IoStatusBlock::default();
        let status = NtFlushVirtualMemory(Handle::CURRENT_PROCESS, &mut base, &mut size, &mut outcome);
        // Memory of no file has nowhere to go.
        if status == NtStatus::NOT_MAPPED_DATA {
            return TRUE;
        }
        truth_of(status)
    }
}
