//! Types of objects: what all objects of a type have in common, and what the type does itself.
//!
//! A type is a static of the component that it belongs to. A type that does nothing special is its name, its rights and
//! nothing else; the rest are procedures that the object manager calls at the moments that NT names. All are optional,
//! except that a body always ends by `Drop`, where NT has a delete procedure.
//!
//! Types are counted: how many objects and handles there are now, and were at most. [`types`] lists them in the order in
//! which they were registered; their numbers begin at 2, as in Windows.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use ke::SpinLock;
use ke::dispatcher::{Event, EventKind, Header as WaitHeader};
use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16String;

use crate::grant::OpenReason;
use crate::security::SecurityProcedure;
use crate::{AnyObject, Handle, Mode, Parse, Parsed};

/// The most types that there can be: their number is a byte, and 0 and 1 are not used.
pub const MOST_TYPES: usize = 254;
/// The first type's number.
const FIRST_INDEX: u8 = 2;

/// A type of objects.
///
/// # NT
/// `OBJECT_TYPE`.
pub struct ObjectType {
    description: TypeDescription,
    /// 0 until it is registered.
    index: AtomicU8,
    objects: Counter,
    handles: Counter,
}

/// What a component says about its type.
///
/// # NT
/// `OBJECT_TYPE_INITIALIZER`.
#[derive(Clone, Copy)]
pub struct TypeDescription {
    /// Its name, in ASCII.
    pub name: &'static str,
    /// What the generic rights mean.
    pub mapping: GenericMapping,
    /// The rights that a handle can have.
    pub valid_access: AccessMask,
    /// Attributes with which no object of the type can be made.
    pub invalid_attributes: ObjectAttributeFlags,
    /// What a thread that waits for an object waits for.
    pub waiting: Waiting,
    /// Names are looked up without regard to case even if the caller does not ask for it: files, devices, keys.
    pub ignores_case: bool,
    /// An object without a name gets a security descriptor too.
    pub security_required: bool,
    /// Its objects hold others, which inherit from their descriptor: directories, keys.
    pub is_container: bool,
    /// It is counted how many handles each process has.
    pub counts_per_process: bool,
    /// Whether callbacks may be registered for it: processes, threads, desktops.
    pub allows_callbacks: bool,
    /// A name relative to an object of the type may begin with a backslash: files.
    pub takes_absolute_names: bool,
    /// Bytes of paged pool that an object is charged for.
    pub paged_charge: u32,
    /// Bytes of non-paged pool that an object is charged for.
    pub non_paged_charge: u32,
    /// What the type does itself.
    pub procedures: Procedures,
}

/// What a thread waits for that waits for an object.
#[derive(Clone, Copy)]
pub enum Waiting {
    /// It cannot: no handle has the right.
    Never,
    /// Nothing: the object is always signalled (NT's default object).
    Always,
    /// What the body has; `None` of a body that cannot be waited for just now.
    Body(fn(&AnyObject) -> Option<&'static WaitHeader>),
}

/// A handle that is being made.
#[derive(Clone, Copy)]
pub struct OpenOperation<'a> {
    /// To what.
    pub object: &'a AnyObject,
    /// How it came about.
    pub reason: OpenReason,
    /// For whom.
    pub mode: Mode,
    /// The process whose handle it is to be.
    pub process: u32,
    /// The rights that it is to have.
    pub granted: AccessMask,
    /// The handles of that process to that object, with this one; 0 if the type does not count them.
    pub process_handles: u32,
}

/// A handle that is being closed.
#[derive(Clone, Copy)]
pub struct CloseOperation<'a> {
    /// To what.
    pub object: &'a AnyObject,
    /// The process whose handle it was.
    pub process: u32,
    /// The rights that it had.
    pub granted: AccessMask,
    /// The handles of that process before: 1 if this was the last; 0 if the type does not count them.
    pub process_handles: u32,
    /// The handles of all processes before: 1 if this was the last.
    pub system_handles: u32,
}

/// What a type does itself. No lock is held when one is called.
#[derive(Clone, Copy)]
pub struct Procedures {
    /// A handle is being made: may refuse it, take rights away, or add what others imply (`OpenProcedure`).
    pub open: Option<fn(&OpenOperation<'_>) -> NtResult<AccessMask>>,
    /// A handle was closed (`CloseProcedure`).
    pub close: Option<fn(&CloseOperation<'_>)>,
    /// Whether a handle may be closed (`OkayToCloseProcedure`).
    pub okay_to_close: Option<fn(&AnyObject, Handle, Mode) -> bool>,
    /// A name goes on behind the object (`ParseProcedure`).
    pub parse: Option<for<'p, 'a, 's> fn(&'p mut Parse<'a, 's>) -> NtResult<Parsed>>,
    /// The security descriptor is kept elsewhere (`SecurityProcedure`).
    pub security: Option<SecurityProcedure>,
    /// The full name is made up otherwise (`QueryNameProcedure`).
    pub query_name: Option<fn(&AnyObject) -> NtResult<Utf16String>>,
}

impl Procedures {
    /// None.
    pub const NONE: Self = Self {
        open: None,
        close: None,
        okay_to_close: None,
        parse: None,
        security: None,
        query_name: None,
    };
}

impl TypeDescription {
    /// A type without a name, rights or procedures: what a description begins with.
    pub const PLAIN: Self = Self {
        name: "",
        mapping: GenericMapping {
            generic_read: AccessMask::STANDARD_RIGHTS_READ,
            generic_write: AccessMask::STANDARD_RIGHTS_WRITE,
            generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE,
            generic_all: AccessMask::STANDARD_RIGHTS_REQUIRED,
        },
        valid_access: AccessMask::STANDARD_RIGHTS_REQUIRED,
        invalid_attributes: ObjectAttributeFlags::OPENLINK,
        waiting: Waiting::Never,
        ignores_case: false,
        security_required: false,
        is_container: false,
        counts_per_process: false,
        allows_callbacks: false,
        takes_absolute_names: false,
        paged_charge: 0,
        non_paged_charge: 0,
        procedures: Procedures::NONE,
    };
}

/// How many there are, and how many there were at most.
struct Counter {
    now: AtomicU32,
    most: AtomicU32,
}

impl Counter {
    const fn new() -> Self {
        Self {
            now: AtomicU32::new(0),
            most: AtomicU32::new(0),
        }
    }

    fn up(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        if now > self.most.load(Ordering::Relaxed) {
            self.most.fetch_max(now, Ordering::Relaxed);
        }
    }

    fn down(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }

    fn read(&self) -> (u32, u32) {
        let now = self.now.load(Ordering::Relaxed);
        (now, self.most.load(Ordering::Relaxed).max(now))
    }
}

impl ObjectType {
    /// A type, not registered yet.
    pub const fn new(description: TypeDescription) -> Self {
        Self {
            description,
            index: AtomicU8::new(0),
            objects: Counter::new(),
            handles: Counter::new(),
        }
    }

    /// What its component says about it.
    pub fn description(&self) -> &TypeDescription {
        &self.description
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.description.name
    }

    /// What generic rights mean for it.
    pub fn mapping(&self) -> &GenericMapping {
        &self.description.mapping
    }

    /// What it does itself.
    pub(crate) fn procedures(&self) -> &Procedures {
        &self.description.procedures
    }

    /// Its number; 0 before it is registered.
    pub fn index(&self) -> u8 {
        self.index.load(Ordering::Relaxed)
    }

    /// Its objects, and the most that there were.
    pub fn objects(&self) -> (u32, u32) {
        self.objects.read()
    }

    /// Its objects' handles, and the most that there were.
    pub fn handles(&self) -> (u32, u32) {
        self.handles.read()
    }

    pub(crate) fn object_made(&self) {
        self.objects.up();
    }

    pub(crate) fn object_ended(&self) {
        self.objects.down();
    }

    pub(crate) fn handle_made(&self) {
        self.handles.up();
    }

    pub(crate) fn handle_closed(&self) {
        self.handles.down();
    }

    /// The rights that are left of `access` in a handle: generic ones mapped, and those that the type does not know gone.
    pub fn valid_rights(&self, access: AccessMask) -> AccessMask {
        let known = self.description.valid_access | AccessMask::ACCESS_SYSTEM_SECURITY;
        self.description.mapping.map(access) & known
    }
}

impl PartialEq for ObjectType {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl core::fmt::Debug for ObjectType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.description.name)
    }
}

struct Registry {
    types: [Option<&'static ObjectType>; MOST_TYPES],
    count: usize,
}

static REGISTRY: SpinLock<Registry> = SpinLock::new(Registry {
    types: [None; MOST_TYPES],
    count: 0,
});

/// Makes a type known: gives it a number, and an object in `\ObjectTypes`. To register it again changes nothing.
///
/// # NT
/// `ObCreateObjectType`.
///
/// # Errors
/// `OBJECT_NAME_COLLISION` if another type has the name; `INSUFFICIENT_RESOURCES`.
#[doc(alias = "ObCreateObjectType")]
pub fn register_type(kind: &'static ObjectType) -> NtResult {
    {
        let mut registry = REGISTRY.acquire();
        let count = registry.count;
        for known in registry.types[..count].iter().flatten() {
            if core::ptr::eq(*known, kind) {
                return Ok(());
            }
            if known.name() == kind.name() {
                return Err(NtStatus::OBJECT_NAME_COLLISION);
            }
        }
        let free = registry.types.get_mut(count);
        *free.ok_or(NtStatus::INSUFFICIENT_RESOURCES)? = Some(kind);
        let number = u8::try_from(count).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        kind.index.store(FIRST_INDEX + number, Ordering::Relaxed);
        registry.count += 1;
    }
    crate::namespace::show_type(kind)
}

/// The types, in the order in which they were registered.
pub fn types() -> impl Iterator<Item = &'static ObjectType> {
    (0..MOST_TYPES).map_while(|number| REGISTRY.acquire().types[number])
}

static ALWAYS: WaitHeader = Event::header_of(EventKind::Notification);

/// What objects of types without one of their own are waited for by: always signalled.
pub(crate) fn always_signalled() -> &'static WaitHeader {
    let event = Event::on(&ALWAYS);
    if !event.is_set() {
        event.set();
    }
    &ALWAYS
}

/// What a thread waits for that waits for the object.
///
/// # Errors
/// `OBJECT_TYPE_MISMATCH` if it cannot be waited for.
pub fn wait_header(object: &AnyObject) -> NtResult<&'static WaitHeader> {
    match object.head().kind().description.waiting {
        Waiting::Never => None,
        Waiting::Always => Some(always_signalled()),
        Waiting::Body(header_of) => header_of(object),
    }
    .ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
}
