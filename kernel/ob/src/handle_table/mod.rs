//! Handle tables: what a process's handles refer to.
//!
//! An entry is a reference, the rights that were granted with it, and what the handle does by itself: whether a child
//! inherits it, whether it can be closed. A lookup takes the table's lock, three steps and one count up.
//!
//! What an entry's end entails (the type's close procedure, the object's end) happens after the lock is free.
//!
//! # NT
//! `HANDLE_TABLE`. One lock where NT locks entry by entry: what a thread does under it is a few dozen instructions.

mod duplicate;
mod inherit;

pub use duplicate::{Duplicate, DuplicateOptions};

use ex::{Quota, QuotaKind};
use ke::SpinLock;
use nt_abi::access::AccessMask;
use nt_abi::{NtResult, NtStatus};
use rtl::IdTable;
use rtl::id_table::{Reuse, Value};

use crate::grant::NewHandle;
use crate::header::{check_type, downcast};
use crate::{AnyObject, Handle, Mode, Object, ObjectBody, ObjectType, grant};

/// The system process's number, which owns the kernel's handles.
const SYSTEM_PROCESS: u32 = 4;

bitflags::bitflags! {
    /// What a handle does by itself, with the numbers of `OBJ_*`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct HandleAttributes: u8 {
        /// It cannot be closed.
        const PROTECT_FROM_CLOSE = 1;
        /// Child processes that inherit handles get it.
        const INHERIT = 2;
        /// Its closing is audited.
        const AUDIT_OBJECT_CLOSE = 4;
    }
}

/// What a handle refers to.
#[derive(Clone)]
pub struct HandleEntry {
    /// The object.
    pub object: AnyObject,
    /// The rights that it was opened with.
    pub granted: AccessMask,
    /// What it does by itself.
    pub attributes: HandleAttributes,
}

/// An entry: a [`HandleEntry`] that is counted as a handle.
struct Entry {
    object: AnyObject,
    granted: AccessMask,
    attributes: HandleAttributes,
}

impl Entry {
    fn of(new: &NewHandle<'_>, granted: AccessMask) -> Self {
        Self {
            object: new.object.clone(),
            granted,
            attributes: new.attributes,
        }
    }

    fn show(&self) -> HandleEntry {
        HandleEntry {
            object: self.object.clone(),
            granted: self.granted,
            attributes: self.attributes,
        }
    }
}

/// The handles of a process.
pub struct HandleTable {
    process: u32,
    is_kernel: bool,
    quota: Option<Quota>,
    entries: SpinLock<Entries>,
}

struct Entries {
    table: IdTable<Entry>,
    /// Bytes that the process was charged for the table's pages.
    charged: u64,
    /// The process ends: nothing is added any more.
    ended: bool,
}

impl Entries {
    /// Charges for so many pages of the table, as far as they are not paid for.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`.
    fn charge(&mut self, quota: Option<&Quota>, pages: usize) -> NtResult {
        let needed = (pages as u64).saturating_mul(HandleTable::PAGE_BYTES as u64);
        if let Some(quota) = quota.filter(|_| needed > self.charged) {
            quota.charge_for_good(QuotaKind::PagedPool, needed - self.charged)?;
            self.charged = needed;
        }
        Ok(())
    }

    /// Takes back what was charged for pages that could not be had.
    fn give_back_missing(&mut self, quota: Option<&Quota>) {
        let had = (self.table.pages() as u64).saturating_mul(HandleTable::PAGE_BYTES as u64);
        if let Some(quota) = quota.filter(|_| self.charged > had) {
            quota.give_back(QuotaKind::PagedPool, self.charged - had);
            self.charged = had;
        }
    }
}

impl HandleTable {
    /// Bytes that a table grows by.
    pub const PAGE_BYTES: usize = IdTable::<Entry>::PAGE_BYTES;

    /// An empty table for the process with that number, which is charged to `quota`.
    #[doc(alias = "ObInitProcess")]
    pub const fn new(process: u32, quota: Option<Quota>) -> Self {
        Self::of(process, quota, false)
    }

    pub(crate) const fn for_kernel() -> Self {
        Self::of(SYSTEM_PROCESS, None, true)
    }

    const fn of(process: u32, quota: Option<Quota>, is_kernel: bool) -> Self {
        Self {
            process,
            is_kernel,
            quota,
            entries: SpinLock::new(Entries {
                table: IdTable::new(Reuse::LastFreed),
                charged: 0,
                ended: false,
            }),
        }
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.process
    }

    pub(crate) fn is_kernel(&self) -> bool {
        self.is_kernel
    }

    pub(crate) fn quota(&self) -> Option<&Quota> {
        self.quota.as_ref()
    }

    /// How many handles there are.
    pub fn len(&self) -> usize {
        self.entries.acquire().table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Allows at most that many handles, and 16,777,215 in any case.
    pub fn set_limit(&self, limit: usize) {
        self.entries.acquire().table.set_limit(limit);
    }

    fn value(&self, handle: Handle) -> NtResult<Value> {
        handle.value(self.is_kernel).ok_or(NtStatus::INVALID_HANDLE)
    }

    fn handle(&self, value: Value) -> Handle {
        if self.is_kernel {
            Handle::of_kernel(value.0)
        } else {
            Handle(u64::from(value.0))
        }
    }

    /// A reference to what a handle refers to, if it is of that type and the handle has those rights.
    ///
    /// # IRQL
    /// At most Dispatch.
    ///
    /// # Errors
    /// In this order: `INVALID_HANDLE`; `OBJECT_TYPE_MISMATCH`; `ACCESS_DENIED`, in user mode alone.
    #[inline]
    #[doc(alias = "ObReferenceObjectByHandle")]
    pub fn reference(
        &self,
        handle: Handle,
        access: AccessMask,
        kind: Option<&'static ObjectType>,
        mode: Mode,
    ) -> NtResult<AnyObject> {
        let value = self.value(handle)?;
        let entries = self.entries.acquire();
        let entry = entries.table.get(value).ok_or(NtStatus::INVALID_HANDLE)?;
        check_type(&entry.object, kind)?;
        if mode == Mode::User && !entry.granted.contains(access) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        Ok(entry.object.clone())
    }

    /// The same with the body's type.
    ///
    /// # Errors
    /// As [`reference`](Self::reference).
    pub fn reference_by_handle<T: ObjectBody>(
        &self,
        handle: Handle,
        access: AccessMask,
        mode: Mode,
    ) -> NtResult<Object<T>> {
        downcast(self.reference(handle, access, Some(T::kind()), mode)?)
    }

    /// What a handle refers to, with its rights.
    ///
    /// # Errors
    /// `INVALID_HANDLE`.
    pub fn entry(&self, handle: Handle) -> NtResult<HandleEntry> {
        let value = self.value(handle)?;
        let entries = self.entries.acquire();
        let entry = entries.table.get(value).ok_or(NtStatus::INVALID_HANDLE)?;
        Ok(entry.show())
    }

    /// The handle with the next higher number, and what it refers to; the first after [`Handle::NULL`]. Handles may come
    /// and go during such a walk.
    pub fn next_after(&self, handle: Handle) -> Option<(Handle, HandleEntry)> {
        let value = handle.value(self.is_kernel && handle != Handle::NULL)?;
        let entries = self.entries.acquire();
        let next = entries.table.next_after(value)?;
        let entry = entries.table.get(next)?;
        Some((self.handle(next), entry.show()))
    }

    /// Puts a handle in that is counted already.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`, also at the limit; `QUOTA_EXCEEDED`; `PROCESS_IS_TERMINATING`.
    pub(crate) fn put(&self, new: &NewHandle<'_>, granted: AccessMask) -> NtResult<Handle> {
        let mut entries = self.entries.acquire();
        if entries.ended {
            return Err(NtStatus::PROCESS_IS_TERMINATING);
        }
        if !entries.table.has_room() {
            let pages = entries.table.pages() + 1;
            entries.charge(self.quota(), pages)?;
        }
        let made = entries.table.insert_with(|| Entry::of(new, granted));
        if made.is_err() {
            entries.give_back_missing(self.quota());
        }
        Ok(self.handle(made?))
    }

    /// Closes a handle.
    ///
    /// # IRQL
    /// Below Dispatch.
    ///
    /// # Errors
    /// `INVALID_HANDLE`; `HANDLE_NOT_CLOSABLE` if it is protected, or the type says so.
    ///
    /// # Differs
    /// The kernel gets `HANDLE_NOT_CLOSABLE` too, where NT stops the machine.
    #[doc(alias = "NtClose")]
    #[doc(alias = "ObCloseHandle")]
    pub fn close(&self, handle: Handle, mode: Mode) -> NtResult {
        let value = self.value(handle)?;
        // The object whose type was asked and did not mind.
        let mut approved: Option<AnyObject> = None;
        loop {
            let (object, okay) = {
                let mut entries = self.entries.acquire();
                let entry = entries.table.get(value).ok_or(NtStatus::INVALID_HANDLE)?;
                if entry
                    .attributes
                    .contains(HandleAttributes::PROTECT_FROM_CLOSE)
                {
                    return Err(NtStatus::HANDLE_NOT_CLOSABLE);
                }
                let is_approved = |object: &AnyObject| object.same(&entry.object);
                match entry.object.head().kind().procedures().okay_to_close {
                    Some(okay) if !approved.as_ref().is_some_and(is_approved) => {
                        (entry.object.clone(), okay)
                    }
                    _ => {
                        let entry = entries.table.remove(value);
                        drop(entries);
                        let entry = entry.ok_or(NtStatus::INVALID_HANDLE)?;
                        grant::close(self, &entry.object, entry.granted);
                        return Ok(());
                    }
                }
            };
            if !okay(&object, handle, mode) {
                return Err(NtStatus::HANDLE_NOT_CLOSABLE);
            }
            approved = Some(object);
        }
    }

    /// Takes back a handle that was just made, because the service that made it fails after all. By then another thread may
    /// have guessed its number: closed it, so that the number may be another object's handle, which stays; or protected it,
    /// which does not help. Who opens the very object again under that number loses that handle: it had no business with it.
    ///
    /// # IRQL
    /// Below Dispatch.
    pub fn withdraw<T: ObjectBody>(&self, handle: Handle, object: &Object<T>) {
        let Ok(value) = self.value(handle) else {
            return;
        };
        let entry = {
            let mut entries = self.entries.acquire();
            let entry = entries.table.get(value);
            if !entry.is_some_and(|entry| entry.object.same(Object::as_erased(object))) {
                return;
            }
            entries.table.remove(value)
        };
        if let Some(entry) = entry {
            grant::close(self, &entry.object, entry.granted);
        }
    }

    /// Changes whether a handle is inherited and whether it is protected from being closed.
    ///
    /// # NT
    /// `NtSetInformationObject` with `ObjectHandleFlagInformation`.
    ///
    /// # Errors
    /// `INVALID_HANDLE`.
    #[doc(alias = "ObSetHandleAttributes")]
    pub fn set_information(&self, handle: Handle, attributes: HandleAttributes) -> NtResult {
        let changeable = HandleAttributes::INHERIT | HandleAttributes::PROTECT_FROM_CLOSE;
        let value = self.value(handle)?;
        let mut entries = self.entries.acquire();
        let entry = entries.table.get_mut(value);
        let entry = entry.ok_or(NtStatus::INVALID_HANDLE)?;
        entry.attributes = entry.attributes.difference(changeable) | (attributes & changeable);
        Ok(())
    }

    /// Closes all handles, protected ones too, and lets none be made from now on: the process ends.
    ///
    /// # IRQL
    /// Below Dispatch.
    #[doc(alias = "ObKillProcess")]
    pub fn close_all(&self) {
        let mut after = Value(0);
        loop {
            let entry = {
                let mut entries = self.entries.acquire();
                entries.ended = true;
                let Some(next) = entries.table.next_after(after) else {
                    break;
                };
                after = next;
                entries.table.remove(next)
            };
            if let Some(entry) = entry {
                grant::close(self, &entry.object, entry.granted);
            }
        }
        // The process's object may stay for long: its table's pages do not.
        let (pages, charged) = {
            let mut entries = self.entries.acquire();
            let pages = core::mem::replace(&mut entries.table, IdTable::new(Reuse::LastFreed));
            (pages, core::mem::take(&mut entries.charged))
        };
        drop(pages);
        if let Some(quota) = self.quota() {
            quota.give_back(QuotaKind::PagedPool, charged);
        }
    }
}

impl Drop for HandleTable {
    fn drop(&mut self) {
        self.close_all();
    }
}
