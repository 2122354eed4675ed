//! The image sections that have a name from the start: one for each PE file on the boot RAM disk.
//!
//! # NT
//! `\KnownDlls`, which the session manager fills with sections of the libraries that most programs use.
//!
//! # Differs
//! Programs are there too, because there is no file system yet from which a section of one could be made; and it is the
//! kernel that makes the sections.

use boards::LoaderBlock;
use ke::{info, warning};
use mm::Section;
use mm::section::{FileHold, RamFile, SECTION, SectionRequest};
use nt_abi::access::AccessMask;
use nt_abi::memory::{PageProtection, SectionAttributes};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::{NtResult, NtStatus};
use ob::{Object, OpenParameters, Root, Subject};
use rtl::Utf16String;
use rtl::cpio::Archive;

/// The directory that they are in.
const DIRECTORY: &str = r"\KnownDlls\";

/// Makes a section of each PE file of the boot RAM disk. Files of other kinds are left alone.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
pub(crate) fn publish(loader: &LoaderBlock) -> NtResult {
    let Some(disk) = arch::memory::ram_disk(loader) else {
        return Ok(());
    };
    let mut count = 0;
    for entry in Archive::new(disk).entries() {
        let Ok(entry) = entry else {
            warning!("the boot RAM disk is damaged; {count} images were found");
            return Ok(());
        };
        let Some(name) = file_name(entry.name) else {
            continue;
        };
        match publish_one(name, entry.data) {
            Ok(()) => count += 1,
            Err(status @ (NtStatus::INSUFFICIENT_RESOURCES | NtStatus::NO_MEMORY)) => {
                return Err(status);
            }
            Err(status) => info!("boot RAM disk: {name} is no known image: {status}"),
        }
    }
    info!("boot RAM disk: {count} images");
    name_system_dll()
}

/// Tells `ps` which image is ntdll.dll. A boot RAM disk without one has programs that are their own.
fn name_system_dll() -> NtResult {
    match open(&path(&[DIRECTORY, "ntdll.dll"])?) {
        Ok(section) => ps::image::set_system_dll(section),
        Err(status) => info!("boot RAM disk: no ntdll.dll: {status}"),
    }
    Ok(())
}

/// The last part of a file's path.
fn file_name(path: &[u8]) -> Option<&str> {
    let path = core::str::from_utf8(path).ok()?;
    let name = path.rsplit('/').next().unwrap_or(path);
    (!name.is_empty()).then_some(name)
}

fn publish_one(name: &str, bytes: &'static [u8]) -> NtResult {
    let request = SectionRequest {
        size: 0,
        protection: PageProtection::EXECUTE,
        attributes: SectionAttributes::IMAGE,
    };
    let section = Section::create_of_file(&request, FileHold::new(RamFile(bytes))?)?;
    // It is permanent: the directory keeps it.
    ob::namespace::create_public(section, &path(&[DIRECTORY, name])?).map(drop)
}

fn path(parts: &[&str]) -> NtResult<Utf16String> {
    let mut path = Utf16String::new();
    for part in parts {
        path.push_str(part)?;
    }
    Ok(path)
}

/// The section of an image, by its name with or without `.exe`.
///
/// # Errors
/// `OBJECT_NAME_NOT_FOUND` and what else an open by name says.
pub(crate) fn find(name: &str) -> NtResult<Object<Section>> {
    match open(&path(&[DIRECTORY, name])?) {
        Err(NtStatus::OBJECT_NAME_NOT_FOUND) => open(&path(&[DIRECTORY, name, ".exe"])?),
        result => result,
    }
}

fn open(path: &Utf16String) -> NtResult<Object<Section>> {
    let object = ob::open::reference_by_name(
        &OpenParameters {
            name: Some(path.as_str()),
            root: Root::Namespace,
            attributes: ObjectAttributeFlags::CASE_INSENSITIVE,
            kind: Some(&SECTION),
            access: AccessMask::SECTION_MAP_EXECUTE,
            subject: Subject::kernel(),
        },
        None,
    )?;
    object
        .downcast()
        .map_err(|_| NtStatus::OBJECT_TYPE_MISMATCH)
}
