//! Questions to the file systems, which ntdll's system services answer.
//!
//! Until somebody names the services, as in tests, no file can be asked for.

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Function, Ptr, exports};
use nt_abi::NtStatus;
use nt_abi::native::{IoStatusBlock, ObjectAttributes, UnicodeString};
use nt_abi::primitives::ObjectAttributeFlags;
use rtl::Utf16Str;

use super::current::with_directories;
use super::terminated;

/// `NtQueryAttributesFile`: attributes, and where the answer goes, which has 40 bytes.
pub type QueryAttributes = Function<fn(Ptr<ObjectAttributes>, Ptr<u8>) -> NtStatus>;
/// `NtOpenFile`: where the handle goes, access, attributes, outcome, sharing, options.
pub type OpenFile =
    Function<fn(Ptr<usize>, u32, Ptr<ObjectAttributes>, Ptr<IoStatusBlock>, u32, u32) -> NtStatus>;

static QUERY_ATTRIBUTES: AtomicUsize = AtomicUsize::new(0);
static OPEN_FILE: AtomicUsize = AtomicUsize::new(0);

/// `FILE_TRAVERSE` and `SYNCHRONIZE`.
const TRAVERSE: u32 = 0x0010_0020;
/// `FILE_SHARE_READ` and `FILE_SHARE_WRITE`.
const SHARE: u32 = 3;
/// `FILE_DIRECTORY_FILE` and `FILE_SYNCHRONOUS_IO_NONALERT`.
const DIRECTORY: u32 = 0x21;

/// Names the services: once, before there is a second thread.
pub fn set_services(query_attributes: QueryAttributes, open_file: OpenFile) {
    QUERY_ATTRIBUTES.store(query_attributes.address(), Ordering::Release);
    OPEN_FILE.store(open_file.address(), Ordering::Release);
}

/// Calls something with the attributes of a file by its name in NT's namespace.
fn with_attributes<R>(
    name: Utf16Str<'_>,
    call: impl FnOnce(Ptr<ObjectAttributes>) -> R,
) -> Result<R, NtStatus> {
    let bytes = u16::try_from(name.len() * 2).map_err(|_| NtStatus::NAME_TOO_LONG)?;
    let string = UnicodeString {
        length: bytes,
        maximum_length: bytes,
        reserved: Default::default(),
        buffer: Ptr::<u16>::new(name.units().as_ptr().expose_provenance()).raw(),
    };
    let mut attributes = ObjectAttributes {
        length: ObjectAttributes::LENGTH,
        object_name: Ptr::of_shared(&string).raw(),
        attributes: ObjectAttributeFlags::CASE_INSENSITIVE,
        ..ObjectAttributes::default()
    };
    Ok(call(Ptr::of(&mut attributes)))
}

/// Whether there is a file of this name in NT's namespace.
///
/// # Errors
/// What the service says; `NOT_IMPLEMENTED`: nobody named it.
pub(super) fn look_for(name: Utf16Str<'_>) -> Result<(), NtStatus> {
    let service = QueryAttributes::new(QUERY_ATTRIBUTES.load(Ordering::Acquire));
    let service = service.non_null().ok_or(NtStatus::NOT_IMPLEMENTED)?;
    let mut answer = [0_u64; 5];
    let status = with_attributes(name, |attributes| {
        service.call(attributes, Ptr::of(&mut answer).cast())
    })?;
    match status {
        status if status.is_success() => Ok(()),
        // It is there, though in use or not for this caller.
        NtStatus::SHARING_VIOLATION | NtStatus::ACCESS_DENIED => Ok(()),
        status => Err(status),
    }
}

/// Opens a directory by its name in NT's namespace.
///
/// # Errors
/// What the service says; `NOT_IMPLEMENTED`: nobody named it.
pub(super) fn open_directory(name: Utf16Str<'_>) -> Result<usize, NtStatus> {
    let service = OpenFile::new(OPEN_FILE.load(Ordering::Acquire));
    let service = service.non_null().ok_or(NtStatus::NOT_IMPLEMENTED)?;
    let mut handle = 0_usize;
    let mut outcome = IoStatusBlock::default();
    let status = with_attributes(name, |attributes| {
        let handle = Ptr::of(&mut handle);
        service.call(
            handle,
            TRAVERSE,
            attributes,
            Ptr::of(&mut outcome),
            SHARE,
            DIRECTORY,
        )
    })?;
    if status.is_success() {
        Ok(handle)
    } else {
        Err(status)
    }
}

/// Whether there is a file at a path of DOS.
pub(super) fn exists(path: &[u16]) -> bool {
    let name = with_directories(|directories| rtl::dos_path::nt_path(path, directories));
    match name {
        Ok(Some(name)) => look_for(name.path.as_str()).is_ok(),
        _ => false,
    }
}

exports! {
    /// Whether there is a file at a path.
    fn RtlDoesFileExists_U(path: Ptr<u16>) -> u8 {
        u8::from(exists(terminated(path)))
    }
}
