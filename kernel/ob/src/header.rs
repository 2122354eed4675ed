//! Objects: a header that all have in common, and a body.
//!
//! **Two counts in one word.** The low half counts handles, the high half opens that are under way: somebody found the
//! object by its name and will make a handle or give up. An open by name counts itself while the directory that has the
//! name is locked. So when a count falls and both are zero, the object may lose its name; whoever brought that about takes
//! the directory's lock, looks again, and takes the name away. NT counts handles alone, and there an open can come upon an
//! object that has just lost its name; here it cannot.
//!
//! One processor may make an object temporary while another closes the last handle: each writes one thing (a flag, a
//! count) and then reads the other's. All four are sequentially consistent, so at least one of them sees both.
//!
//! # Locks
//! The header's lock guards what changes: name, descriptor, quota, who has handles. It is the last in the order.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use alloc::vec::Vec;

use arch::counted::{Counted, Erased};
use ke::SpinLock;
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16String;
use rtl::security::DescriptorBuf;

use crate::directory::Directory;
use crate::object_type::ObjectType;
use crate::quota::Charged;

/// A reference to an object whose body is a `T`.
pub type Object<T> = Counted<Header, T>;
/// A reference to an object of any type.
pub type AnyObject = Erased<Header>;
/// A security descriptor that objects and checks share.
pub type SharedDescriptor = Counted<(), DescriptorBuf>;
/// A name that an object and the directory that has it share.
pub type SharedName = Counted<(), Utf16String>;

/// A body, which knows its type. Its `Drop` is NT's delete procedure: it runs once, when the last reference goes, below
/// Dispatch.
pub trait ObjectBody: Send + Sync + 'static {
    /// The type of the objects that have such bodies; no other type has them.
    fn kind() -> &'static ObjectType;
}

bitflags::bitflags! {
    /// What is fixed about an object, or seldom changes.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct HeaderFlags: u8 {
        /// It keeps its name without handles.
        const PERMANENT = 1;
        /// One process at a time may have handles to it.
        const EXCLUSIVE = 2;
        /// The kernel made it.
        const KERNEL_MODE = 4;
        /// It has, or had, a handle.
        const HAD_HANDLE = 8;
        /// It has a name, or had one.
        const NAMED = 16;
    }
}

/// What all objects have in common.
///
/// # NT
/// `OBJECT_HEADER` and what may stand before it.
pub struct Header {
    kind: &'static ObjectType,
    /// See the module's comment.
    counts: AtomicU64,
    flags: AtomicU8,
    fields: SpinLock<Fields>,
}

const ONE_HANDLE: u64 = 1;
const ONE_OPENING: u64 = 1 << 32;

/// What the header's lock guards.
pub(crate) struct Fields {
    pub(crate) name: Option<Name>,
    pub(crate) descriptor: Option<SharedDescriptor>,
    pub(crate) charged: Option<Charged>,
    /// The process that has it for itself.
    pub(crate) exclusive: Option<u32>,
    /// Handles by process, if the type counts them.
    pub(crate) processes: Vec<ProcessHandles>,
}

/// How many handles a process has.
#[derive(Clone, Copy)]
pub(crate) struct ProcessHandles {
    pub(crate) process: u32,
    pub(crate) handles: u32,
}

/// Where an object is in the namespace.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) directory: Object<Directory>,
    pub(crate) text: SharedName,
}

impl Header {
    pub(crate) fn new(kind: &'static ObjectType, flags: HeaderFlags) -> Self {
        kind.object_made();
        Self {
            kind,
            counts: AtomicU64::new(0),
            flags: AtomicU8::new(flags.bits()),
            fields: SpinLock::new(Fields {
                name: None,
                descriptor: None,
                charged: None,
                exclusive: None,
                processes: Vec::new(),
            }),
        }
    }

    /// The object's type.
    #[inline]
    pub fn kind(&self) -> &'static ObjectType {
        self.kind
    }

    /// How many handles there are, in all processes.
    pub fn handle_count(&self) -> u32 {
        handles_of(self.counts.load(Ordering::Relaxed))
    }

    /// What is fixed about it, or seldom changes.
    pub fn flags(&self) -> HeaderFlags {
        HeaderFlags::from_bits_retain(self.flags.load(Ordering::SeqCst))
    }

    pub(crate) fn set_flag(&self, flag: HeaderFlags, on: bool) {
        if on {
            self.flags.fetch_or(flag.bits(), Ordering::SeqCst);
        } else {
            self.flags.fetch_and(!flag.bits(), Ordering::SeqCst);
        }
    }

    /// Does something under the header's lock; nothing may be dropped there.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut Fields) -> R) -> R {
        change(&mut self.fields.acquire())
    }

    /// Its security descriptor.
    pub fn descriptor(&self) -> Option<SharedDescriptor> {
        self.with(|fields| fields.descriptor.clone())
    }

    /// Where it is in the namespace.
    pub(crate) fn name(&self) -> Option<Name> {
        if !self.flags().contains(HeaderFlags::NAMED) {
            return None;
        }
        self.with(|fields| fields.name.clone())
    }

    /// One handle more.
    pub(crate) fn handle_made(&self) {
        self.counts.fetch_add(ONE_HANDLE, Ordering::Relaxed);
        if !self.flags().contains(HeaderFlags::HAD_HANDLE) {
            self.set_flag(HeaderFlags::HAD_HANDLE, true);
        }
        self.kind.handle_made();
    }

    /// One handle less; gives how many there were.
    pub(crate) fn handle_closed(&self) -> u32 {
        self.kind.handle_closed();
        handles_of(self.counts.fetch_sub(ONE_HANDLE, Ordering::SeqCst))
    }

    /// Whether nobody has a handle or is about to.
    pub(crate) fn is_unused(&self) -> bool {
        self.counts.load(Ordering::SeqCst) == 0
    }
}

/// The low half counts handles.
fn handles_of(counts: u64) -> u32 {
    let [a, b, c, d, ..] = counts.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

impl Drop for Header {
    fn drop(&mut self) {
        drop(self.with(|fields| fields.charged.take()));
        self.kind.object_ended();
    }
}

/// Makes an object that nobody knows yet.
pub(crate) fn new_object<T: ObjectBody>(body: T, flags: HeaderFlags) -> NtResult<Object<T>> {
    Counted::new(Header::new(T::kind(), flags), body).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

/// A name of its own memory.
pub(crate) fn shared_name(text: rtl::Utf16Str<'_>) -> NtResult<SharedName> {
    Counted::new((), text.try_to_owned()?).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

/// The object with its body's type, if it is of that type.
///
/// # Errors
/// `OBJECT_TYPE_MISMATCH`.
pub fn downcast<T: ObjectBody>(object: AnyObject) -> NtResult<Object<T>> {
    object
        .downcast::<T>()
        .map_err(|_| NtStatus::OBJECT_TYPE_MISMATCH)
}

/// Whether the object is of that type; `None` is any.
///
/// # Errors
/// `OBJECT_TYPE_MISMATCH`.
#[inline]
pub fn check_type(object: &AnyObject, kind: Option<&'static ObjectType>) -> NtResult {
    match kind {
        Some(kind) if !core::ptr::eq(kind, object.head().kind) => {
            Err(NtStatus::OBJECT_TYPE_MISMATCH)
        }
        _ => Ok(()),
    }
}

/// An object that somebody found, or has just made, and is about to make a handle to: it keeps its name meanwhile.
pub(crate) struct Opening {
    object: AnyObject,
}

impl Opening {
    /// To be called under the lock of the directory that has the object's name, or with a new object.
    pub(crate) fn of(object: &AnyObject) -> Self {
        let counts = &object.head().counts;
        counts.fetch_add(ONE_OPENING, Ordering::Relaxed);
        Self {
            object: object.clone(),
        }
    }

    pub(crate) fn object(&self) -> &AnyObject {
        &self.object
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let counts = &self.object.head().counts;
        if counts.fetch_sub(ONE_OPENING, Ordering::SeqCst) == ONE_OPENING {
            crate::name::leave_if_unused(&self.object);
        }
    }
}
