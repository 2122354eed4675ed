//! How a program comes into an address space: a view of its image section, which all its processes share.

use alloc::vec::Vec;
use core::fmt;
use mm::address_space::{Limits, ViewRequest};
use mm::section::ImageInformation;
use mm::{AddressSpace, Section};
use nt_abi::memory::{AllocationType, PageProtection, SectionInherit};
use nt_abi::{NtResult, NtStatus};
use ob::Object;
use pe::{Export, ExportTarget, Image};
use rtl::Utf16Str;

/// An image that is in an address space.
#[derive(Clone, Copy, Debug)]
pub struct Loaded {
    /// Where it begins.
    pub base: u64,
    /// Bytes of it.
    pub size: u64,
    /// Where it is to be started; 0 for an image without an entry point.
    pub entry: u64,
    /// `SUCCESS`, or `IMAGE_NOT_AT_BASE`: it was relocated in copies of the process's own.
    pub status: NtStatus,
    /// What its headers say: the machine, the stack that it wants, and so on.
    pub information: ImageInformation,
    /// Where ntdll.dll begins; 0 if the program does without it.
    pub system_dll: u64,
    /// Where the kernel enters user mode.
    pub routines: UserRoutines,
    /// What it is called.
    pub name: ImageName,
}

/// A program's name, for people: as much as there is room for.
///
/// # NT
/// `EPROCESS.ImageFileName`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ImageName {
    bytes: [u8; 15],
    length: u8,
}

impl ImageName {
    /// The last part of a path; letters that are not ASCII as `?`.
    pub fn of_path(path: Utf16Str<'_>) -> Self {
        let (_, name) = path.split_last();
        let mut image_name = Self::default();
        for (place, unit) in image_name.bytes.iter_mut().zip(name.units()) {
            let letter = u8::try_from(*unit).ok().filter(u8::is_ascii_graphic);
            *place = letter.unwrap_or(b'?');
            image_name.length += 1;
        }
        image_name
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.get(..usize::from(self.length));
        f.write_str(str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default())
    }
}

/// Where the kernel enters user mode by itself: addresses of ntdll's exports, 0 where there is none.
///
/// # NT
/// `PspSystemDll`'s routines, which it finds in ntdll.dll by these names.
///
/// # Differs
/// A program that exports `RtlUserThreadStart` is its own ntdll.dll: the other is not mapped, and the kernel enters the
/// program. Without either, threads begin at their own routines; an exception ends the process, and so does a user APC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UserRoutines {
    /// `KiUserExceptionDispatcher`.
    pub exception: u64,
    /// `KiUserApcDispatcher`.
    pub apc: u64,
    /// `KiUserCallbackDispatcher`.
    pub callback: u64,
    /// `RtlUserThreadStart`, which gets a thread's routine and its argument.
    pub thread_start: u64,
    /// `LdrInitializeThunk`, which gets the registers that a thread goes on with afterwards.
    pub loader: u64,
}

/// Names of the routines, in the order of [`Rvas`].
const NAMES: [&[u8]; 5] = [
    b"KiUserExceptionDispatcher",
    b"KiUserApcDispatcher",
    b"KiUserCallbackDispatcher",
    b"RtlUserThreadStart",
    b"LdrInitializeThunk",
];

/// Where they are in an image; 0: it has none.
type Rvas = [u32; NAMES.len()];

impl UserRoutines {
    fn at(base: u64, rvas: &Rvas) -> Self {
        let place = |rva: u32| if rva == 0 { 0 } else { base + u64::from(rva) };
        let [exception, apc, callback, thread_start, loader] = *rvas;
        Self {
            exception: place(exception),
            apc: place(apc),
            callback: place(callback),
            thread_start: place(thread_start),
            loader: place(loader),
        }
    }
}

/// ntdll.dll, for every process.
static SYSTEM_DLL: spin::Once<Object<Section>> = spin::Once::new();

/// Names the section of ntdll.dll. The first call counts.
#[doc(alias = "PspLocateSystemDll")]
pub fn set_system_dll(section: Object<Section>) {
    SYSTEM_DLL.call_once(|| section);
}

/// Maps a program, whose path is known, and ntdll.dll, unless the program is its own.
///
/// # NT
/// `MmInitializeProcessAddressSpace` and `PspMapSystemDll`.
///
/// # Errors
/// Those of [`map`]. What was mapped goes with the address space, which is the caller's new one.
pub fn map_program(
    space: &AddressSpace,
    section: &Section,
    path: Utf16Str<'_>,
) -> NtResult<Loaded> {
    let mut program = map(space, section)?;
    program.name = ImageName::of_path(path);
    if program.routines.thread_start == 0
        && let Some(system_dll) = SYSTEM_DLL.get()
    {
        let dll = map(space, system_dll)?;
        program.system_dll = dll.base;
        program.routines = dll.routines;
    }
    Ok(program)
}

/// Finds the routines of an image that is mapped at `base`; what was found once is kept with the section.
fn routines_of(space: &AddressSpace, section: &Section, base: u64, size: u64) -> UserRoutines {
    if let Some(rvas) = section.found() {
        return UserRoutines::at(base, &rvas);
    }
    // Without memory to look there are none now, and somebody else looks again.
    let Some(rvas) = find_routines(space, base, size) else {
        return UserRoutines::default();
    };
    section.set_found(rvas);
    UserRoutines::at(base, &rvas)
}

fn find_routines(space: &AddressSpace, base: u64, size: u64) -> Option<Rvas> {
    let size = usize::try_from(size).ok()?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).ok()?;
    bytes.resize(size, 0);
    // What cannot be read stays zero; an export table there is none.
    let _ = space.read(base, &mut bytes);
    let exports = Image::from_mapped(&bytes)
        .and_then(|image| image.exports())
        .ok()
        .flatten();
    Some(NAMES.map(|name| {
        let export = exports.as_ref().map(|exports| exports.by_name(name, None));
        match export {
            Some(Ok(Export {
                target: ExportTarget::Address(rva),
                ..
            })) => rva,
            _ => 0,
        }
    }))
}

/// Maps an image section, at the address that its pages are made for, or anywhere and relocated then.
///
/// It is the caller who knows for which machines the address space is: see [`Loaded::information`].
///
/// # NT
/// `MmMapViewOfSection`, for an image.
///
/// # Differs
/// NT leaves an image that is not at its base to the loader in ntdll, which relocates it. Here the kernel does, so that
/// programs run that have no loader; the header in memory says where the image is, so a loader finds nothing to do.
///
/// # Errors
/// `SECTION_NOT_IMAGE`; `CONFLICTING_ADDRESSES` for an image that cannot be relocated and whose place is taken; those of
/// [`AddressSpace::map_view`]. Nothing is mapped then.
pub fn map(space: &AddressSpace, section: &Section) -> NtResult<Loaded> {
    section.image_information()?;
    let view = space.map_view(
        section,
        &ViewRequest {
            base: 0,
            zero_bits: 0,
            offset: 0,
            size: 0,
            commit_size: 0,
            inherit: SectionInherit::SHARE,
            kind: AllocationType(0),
            protection: PageProtection::READWRITE,
            limits: Limits::ANYWHERE,
        },
    )?;
    let base = view.range.start.0;
    if view.status == NtStatus::IMAGE_NOT_AT_BASE
        && let Err(status) = space.relocate_image(base)
    {
        // It was mapped just now, and nobody else knows of it.
        let _ = space.unmap_view(base);
        return Err(status);
    }
    // Its base may have changed as it was mapped.
    let information = section.image_information()?;
    let entry = match information.headers.entry_point_rva {
        0 => 0,
        rva => base.wrapping_add(u64::from(rva)),
    };
    Ok(Loaded {
        base,
        size: view.range.length(),
        entry,
        status: view.status,
        information,
        system_dll: 0,
        name: ImageName::default(),
        routines: routines_of(space, section, base, view.range.length()),
    })
}
