//! The root of the namespace, and what stands in it from the start.
//!
//! Windows makes some of these directories in the kernel, some in the session manager and in services. Here all come
//! from one table, so that the names are there before anybody needs them; whoever makes them on Windows opens them here
//! with `OBJ_OPENIF`, as it does there.

use core::fmt::Write;

use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags as Attributes;
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16String;

use crate::directory::DIRECTORY;
use crate::header::{HeaderFlags, SharedDescriptor, downcast, new_object};
use crate::object_type::{ObjectType, TypeDescription, Waiting, register_type, types};
use crate::symbolic_link::SYMBOLIC_LINK;
use crate::{
    AnyObject, CreateParameters, Directory, Object, ObjectBody, OpenParameters, Root, Subject,
    SymbolicLink, create, reference_by_name, security,
};

static ROOT: spin::Once<Object<Directory>> = spin::Once::new();
static GLOBAL_DOS_DEVICES: spin::Once<Object<Directory>> = spin::Once::new();

/// Who may do what with a directory that is made at the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Protection {
    /// Everybody may look into it and go through it; administrators may do everything.
    Public,
    /// Everybody may make objects in it too.
    Shared,
    /// The same, and Low integrity suffices: programs in a sandbox have named objects as well.
    NamedObjects,
    /// Administrators alone.
    Private,
}

/// The directories, each after the one that it is in.
const DIRECTORIES: &[(&str, Protection)] = &[
    (r"\GLOBAL??", Protection::Public),
    (r"\ObjectTypes", Protection::Public),
    (r"\KernelObjects", Protection::Public),
    (r"\Device", Protection::Public),
    (r"\Driver", Protection::Private),
    (r"\FileSystem", Protection::Private),
    (r"\Callback", Protection::Private),
    (r"\Security", Protection::Private),
    (r"\RPC Control", Protection::Shared),
    (r"\Windows", Protection::Public),
    (r"\NLS", Protection::Public),
    (r"\KnownDlls", Protection::Public),
    (r"\KnownDlls32", Protection::Public),
    (r"\BaseNamedObjects", Protection::NamedObjects),
    (r"\BaseNamedObjects\Restricted", Protection::NamedObjects),
    (r"\Sessions", Protection::Public),
    (r"\Sessions\BNOLINKS", Protection::Public),
];

/// The links: from, to.
const LINKS: &[(&str, &str)] = &[
    (r"\DosDevices", r"\??"),
    (r"\GLOBAL??\GLOBALROOT", ""),
    (r"\GLOBAL??\Global", r"\GLOBAL??"),
    (r"\BaseNamedObjects\Global", r"\BaseNamedObjects"),
    (r"\BaseNamedObjects\Local", r"\BaseNamedObjects"),
    (r"\BaseNamedObjects\Session", r"\Sessions\BNOLINKS"),
];

/// The type of types.
pub static TYPE: ObjectType = ObjectType::new(TypeDescription {
    name: "Type",
    mapping: nt_abi::access::GenericMapping {
        generic_all: AccessMask::OBJECT_TYPE_ALL_ACCESS,
        ..TypeDescription::PLAIN.mapping
    },
    valid_access: AccessMask::OBJECT_TYPE_ALL_ACCESS.union(AccessMask::SYNCHRONIZE),
    waiting: Waiting::Always,
    ..TypeDescription::PLAIN
});

/// The body of a type's object in `\ObjectTypes`.
pub struct TypeBody(pub &'static ObjectType);

impl ObjectBody for TypeBody {
    fn kind() -> &'static ObjectType {
        &TYPE
    }
}

/// Makes the namespace: to be called once, when there is memory. To call it again changes nothing.
///
/// # NT
/// `ObInitSystem`.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
#[doc(alias = "ObInitSystem")]
pub fn initialize() -> NtResult {
    for kind in [&TYPE, &DIRECTORY, &SYMBOLIC_LINK] {
        register_type(kind)?;
    }
    if ROOT.get().is_none() {
        let root = new_object(Directory::new(), HeaderFlags::PERMANENT)?;
        let descriptor = security::standard_descriptor(Protection::Public)?;
        let parameters = CreateParameters {
            descriptor: Some(descriptor.as_descriptor()),
            ..CreateParameters::KERNEL
        };
        security::assign(Object::as_erased(&root), None, &parameters)?;
        ROOT.call_once(|| root);
    }
    for (path, protection) in DIRECTORIES {
        make_directory(path, *protection)?;
    }
    if GLOBAL_DOS_DEVICES.get().is_none() {
        let directory = open_directory(r"\GLOBAL??")?;
        GLOBAL_DOS_DEVICES.call_once(|| directory);
    }
    for (path, target) in LINKS {
        make_link(path, target)?;
    }
    create_session(0)?;
    for kind in types() {
        show_type(kind)?;
    }
    Ok(())
}

/// The root directory.
///
/// # Errors
/// `OBJECT_PATH_NOT_FOUND` before [`initialize`].
pub fn root() -> NtResult<Object<Directory>> {
    ROOT.get().cloned().ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)
}

pub(crate) fn is_root(object: &AnyObject) -> bool {
    ROOT.get()
        .is_some_and(|root| object.same(Object::as_erased(root)))
}

/// `\GLOBAL??`.
pub(crate) fn global_dos_devices() -> NtResult<Object<Directory>> {
    let directory = GLOBAL_DOS_DEVICES.get().cloned();
    directory.ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)
}

/// Makes the directory of the DOS devices of a logon session, for [`Subject::with_devices`]: what is not in it is looked
/// for in `\GLOBAL??`, which its link `Global` is too.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`; `OBJECT_NAME_COLLISION`.
pub fn create_dos_devices(
    session: u32,
    logon: nt_abi::security::Luid,
) -> NtResult<Object<Directory>> {
    let mut path = Utf16String::new();
    let high = u32::from_ne_bytes(logon.high.to_ne_bytes());
    write!(
        path,
        r"\Sessions\{session}\DosDevices\{high:08x}-{:08x}",
        logon.low
    )
    .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let body = Directory::with_shadow(Some(global_dos_devices()?));
    let directory = create_protected(body, &path, Protection::Shared)?;
    path.push_str(r"\Global")?;
    let target = Utf16String::try_from_str(r"\GLOBAL??")?;
    create_protected(SymbolicLink::new(target, 0), &path, Protection::Public)?;
    Ok(directory)
}

/// Makes a session's directories: those below `\Sessions\<number>`, and its name in `\Sessions\BNOLINKS`. The named
/// objects of session 0 are those of `\BaseNamedObjects`.
///
/// # NT
/// What the session manager and the base server do when a session starts.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`.
pub fn create_session(number: u32) -> NtResult {
    let path = |tail: &str| -> NtResult<Utf16String> {
        let mut path = Utf16String::new();
        write!(path, r"\Sessions\{number}{tail}").map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        Ok(path)
    };
    make(Directory::new(), &path("")?, Protection::Public)?;
    for tail in [r"\DosDevices", r"\Windows"] {
        make(Directory::new(), &path(tail)?, Protection::Public)?;
    }
    make(
        Directory::new(),
        &path(r"\Windows\WindowStations")?,
        Protection::Shared,
    )?;
    let objects = if number == 0 {
        Utf16String::try_from_str(r"\BaseNamedObjects")?
    } else {
        let objects = path(r"\BaseNamedObjects")?;
        make(Directory::new(), &objects, Protection::NamedObjects)?;
        let links = [
            (r"\BaseNamedObjects\Global", r"\BaseNamedObjects"),
            (r"\BaseNamedObjects\Session", r"\Sessions\BNOLINKS"),
        ];
        for (from, to) in links {
            let link = SymbolicLink::new(Utf16String::try_from_str(to)?, 0);
            make(link, &path(from)?, Protection::Public)?;
        }
        let local = SymbolicLink::new(path(r"\BaseNamedObjects")?, 0);
        make(
            local,
            &path(r"\BaseNamedObjects\Local")?,
            Protection::Public,
        )?;
        objects
    };
    let mut name = Utf16String::new();
    write!(name, r"\Sessions\BNOLINKS\{number}").map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    make(SymbolicLink::new(objects, 0), &name, Protection::Public)
}

/// Puts a type's object into `\ObjectTypes`, if there is a namespace.
pub(crate) fn show_type(kind: &'static ObjectType) -> NtResult {
    if GLOBAL_DOS_DEVICES.get().is_none() {
        return Ok(());
    }
    let mut path = Utf16String::try_from_str(r"\ObjectTypes\")?;
    path.push_str(kind.name())?;
    make(TypeBody(kind), &path, Protection::Public)
}

fn make_directory(path: &str, protection: Protection) -> NtResult {
    let path = Utf16String::try_from_str(path)?;
    make(Directory::new(), &path, protection)
}

fn make_link(path: &str, target: &str) -> NtResult {
    let target = Utf16String::try_from_str(target)?;
    let path = Utf16String::try_from_str(path)?;
    make(SymbolicLink::new(target, 0), &path, Protection::Public)
}

/// Makes a permanent object, unless it is there.
fn make<T: ObjectBody>(body: T, path: &Utf16String, protection: Protection) -> NtResult {
    match create_protected(body, path, protection) {
        Ok(_) | Err(NtStatus::OBJECT_NAME_COLLISION) => Ok(()),
        Err(status) => Err(status),
    }
}

/// Makes a permanent object that everybody may read and execute, and administrators may do everything with.
///
/// # Errors
/// As [`create`] for a name.
pub fn create_public<T: ObjectBody>(body: T, path: &Utf16String) -> NtResult<Object<T>> {
    create_protected(body, path, Protection::Public)
}

fn create_protected<T: ObjectBody>(
    body: T,
    path: &Utf16String,
    protection: Protection,
) -> NtResult<Object<T>> {
    let descriptor: SharedDescriptor = security::standard_descriptor(protection)?;
    let created = create(
        body,
        &CreateParameters {
            name: Some(path.as_str()),
            attributes: Attributes::PERMANENT,
            descriptor: Some(descriptor.as_descriptor()),
            ..CreateParameters::KERNEL
        },
    )?;
    Ok(created.into_object())
}

fn open_directory(path: &str) -> NtResult<Object<Directory>> {
    let path = Utf16String::try_from_str(path)?;
    let object = reference_by_name(
        &OpenParameters {
            name: Some(path.as_str()),
            root: Root::Namespace,
            attributes: Attributes::empty(),
            kind: Some(&DIRECTORY),
            access: AccessMask::NONE,
            subject: Subject::kernel(),
        },
        None,
    )?;
    downcast(object)
}
