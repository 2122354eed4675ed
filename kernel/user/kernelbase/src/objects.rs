//! Names and attributes of objects: what Win32 says with a name and `SECURITY_ATTRIBUTES`, as NT wants it.

use core::sync::atomic::{AtomicUsize, Ordering};

use nt_abi::native::{ObjectAttributes, Peb, UnicodeString};
use nt_abi::primitives::ObjectAttributeFlags;
use ntdll_imports::{NtClose, NtOpenDirectoryObject};
use rtl::utf16::ascii_units;

use crate::structures::SecurityAttributes;
use crate::wide;
use crate::win::*;

/// `DIRECTORY_QUERY | DIRECTORY_TRAVERSE | DIRECTORY_CREATE_OBJECT | DIRECTORY_CREATE_SUBDIRECTORY`.
const DIRECTORY_ACCESS: u32 = 0xF;

/// The directory of this session's named objects, once it is open.
static DIRECTORY: AtomicUsize = AtomicUsize::new(0);

/// The directory in which names of Win32 begin: `\BaseNamedObjects`, or that of another session.
///
/// # Errors
/// Those of opening it.
pub(crate) fn directory() -> Win<Handle> {
    let known = DIRECTORY.load(Ordering::Acquire);
    if known != 0 {
        return Ok(Handle(known as nt_abi::native::Handle));
    }
    let session = field!(peb(), Peb, session_id).read();
    let opened = open_directory(session)?;
    let address = handle_in_usize(opened);
    match DIRECTORY.compare_exchange(0, address, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(opened),
        Err(first) => {
            let _closed = NtClose(opened);
            Ok(Handle(first as nt_abi::native::Handle))
        }
    }
}

fn open_directory(session: u32) -> Win<Handle> {
    const ROOT: [u16; 17] = ascii_units(r"\BaseNamedObjects");
    let mut path = [0_u16; 48];
    let mut length = 0;
    let mut put = |units: &[u16]| {
        path[length..length + units.len()].copy_from_slice(units);
        length += units.len();
    };
    if session != 0 {
        put(&ascii_units::<10>(r"\Sessions\"));
        let digits =
            rtl::numerals::Digits::new(u64::from(session), 10, rtl::numerals::Letters::Capital);
        for &digit in digits.as_bytes() {
            put(&[u16::from(digit)]);
        }
    }
    put(&ROOT);
    let name = wide::counted(&path[..length])?;
    let attributes = attributes(
        Some(&name),
        Handle::NULL,
        ObjectAttributeFlags::CASE_INSENSITIVE,
        Ptr::NULL,
    );
    let mut handle = Handle::NULL;
    check(NtOpenDirectoryObject(
        &mut handle,
        DIRECTORY_ACCESS_MASK,
        &attributes,
    ))?;
    Ok(handle)
}

/// The access as an argument.
const DIRECTORY_ACCESS_MASK: nt_abi::services::arguments::AccessMask = access(DIRECTORY_ACCESS);

/// Access rights as an argument of a service.
pub(crate) const fn access(mask: u32) -> nt_abi::services::arguments::AccessMask {
    nt_abi::services::arguments::AccessMask(mask)
}

/// Attributes of an object: the name must live as long as they are used.
pub(crate) fn attributes(
    name: Option<&UnicodeString>,
    root: Handle,
    flags: ObjectAttributeFlags,
    descriptor: Ptr<u8>,
) -> ObjectAttributes {
    ObjectAttributes {
        length: ObjectAttributes::LENGTH,
        root_directory: root.0,
        object_name: name.map_or(0, |name| Ptr::of_shared(name).raw()),
        attributes: flags,
        security_descriptor: descriptor.raw(),
        ..ObjectAttributes::default()
    }
}

/// An object's name and attributes, as a function of Win32 is told them.
pub struct Named {
    name: UnicodeString,
    named: bool,
    root: Handle,
    flags: ObjectAttributeFlags,
    descriptor: Ptr<u8>,
}

impl Named {
    /// For an object to be created, or opened if there is one of this name already; without a name for no other.
    ///
    /// # Errors
    /// Those of opening the directory; `FILENAME_EXCED_RANGE`.
    pub(crate) fn to_create(security: Ptr<SecurityAttributes>, name: Ptr<u16>) -> Win<Self> {
        let mut named = Self::of(name)?;
        if named.named {
            named.flags |= ObjectAttributeFlags::OPENIF;
        }
        if !security.is_null() {
            named.descriptor =
                Ptr::at(field!(security, SecurityAttributes, security_descriptor).read());
            if field!(security, SecurityAttributes, inherit_handle).read() != 0 {
                named.flags |= ObjectAttributeFlags::INHERIT;
            }
        }
        Ok(named)
    }

    /// For an object to be opened.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: there is no name; those of opening the directory; `FILENAME_EXCED_RANGE`.
    pub(crate) fn to_open(inherit: Bool, name: Ptr<u16>) -> Win<Self> {
        if name.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let mut named = Self::of(name)?;
        if inherit != FALSE {
            named.flags |= ObjectAttributeFlags::INHERIT;
        }
        Ok(named)
    }

    fn of(name: Ptr<u16>) -> Win<Self> {
        let units = wide::units(name);
        let named = !units.is_empty();
        Ok(Self {
            name: wide::counted(units)?,
            named,
            root: if named { directory()? } else { Handle::NULL },
            flags: ObjectAttributeFlags::empty(),
            descriptor: Ptr::NULL,
        })
    }

    /// Calls somebody with the attributes.
    pub(crate) fn with<T>(&self, call: impl FnOnce(&ObjectAttributes) -> T) -> T {
        let name = self.named.then_some(&self.name);
        call(&attributes(name, self.root, self.flags, self.descriptor))
    }
}

/// The handle that a creation gave, with the last error that says whether the object was there already.
pub(crate) fn created(status: NtStatus, handle: Handle) -> Handle {
    match check(status) {
        Ok(()) => {
            set_last_error(if status == NtStatus::OBJECT_NAME_EXISTS {
                Error::ALREADY_EXISTS
            } else {
                Error::SUCCESS
            });
            handle
        }
        Err(error) => {
            set_last_error(error);
            Handle::NULL
        }
    }
}

/// Creates an object of a name.
pub(crate) fn create(
    security: Ptr<SecurityAttributes>,
    name: Ptr<u16>,
    service: impl FnOnce(&mut Handle, &ObjectAttributes) -> NtStatus,
) -> Handle {
    match Named::to_create(security, name) {
        Ok(named) => {
            let mut handle = Handle::NULL;
            let status = named.with(|attributes| service(&mut handle, attributes));
            created(status, handle)
        }
        Err(error) => answer(Err(error), Handle::NULL),
    }
}

/// Opens an object by its name.
pub(crate) fn open(
    inherit: Bool,
    name: Ptr<u16>,
    service: impl FnOnce(&mut Handle, &ObjectAttributes) -> NtStatus,
) -> Handle {
    let opened = Named::to_open(inherit, name).and_then(|named| {
        let mut handle = Handle::NULL;
        check(named.with(|attributes| service(&mut handle, attributes))).map(|()| handle)
    });
    answer(opened, Handle::NULL)
}

exports! {
    /// The directory in which names of Win32 begin.
    fn BaseGetNamedObjectDirectory(handle: Ptr<Handle>) -> NtStatus {
        match directory() {
            Ok(found) => {
                handle.write(found);
                NtStatus::SUCCESS
            }
            Err(_) => NtStatus::UNSUCCESSFUL,
        }
    }

    /// What NT wants to know of an object.
    fn BaseFormatObjectAttributes(
        into: Ptr<ObjectAttributes>,
        security: Ptr<SecurityAttributes>,
        name: Ptr<UnicodeString>,
        result: Ptr<usize>,
    ) -> NtStatus {
        let inherit = security.non_null().is_some_and(|security| {
            field!(security, SecurityAttributes, inherit_handle).read() != 0
        });
        if name.is_null() && security.is_null() {
            result.write(0);
            return NtStatus::SUCCESS;
        }
        let mut flags = if inherit { ObjectAttributeFlags::INHERIT } else { ObjectAttributeFlags::empty() };
        let mut root = Handle::NULL;
        if !name.is_null() {
            flags |= ObjectAttributeFlags::OPENIF;
            root = directory().unwrap_or(Handle::NULL);
        }
        let descriptor = security.non_null().map_or(Ptr::NULL, |security| {
            Ptr::at(field!(security, SecurityAttributes, security_descriptor).read())
        });
        into.write(ObjectAttributes {
            object_name: name.raw(),
            ..attributes(None, root, flags, descriptor)
        });
        result.write(into.address());
        NtStatus::SUCCESS
    }
}
