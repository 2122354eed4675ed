//! Whose handles are meant.
//!
//! A handle's number says which table it is in: a program's own, or the kernel's, which has the upper half of the
//! numbers and which programs cannot use; and two numbers are no handles at all but name the process and the thread that
//! use them.

use nt_abi::access::AccessMask;
use nt_abi::{NtResult, NtStatus};

use crate::handle_table::{HandleAttributes, HandleEntry};
use crate::header::{check_type, downcast};
use crate::{AnyObject, Handle, HandleTable, Mode, Object, ObjectBody, ObjectType};

static KERNEL_HANDLES: HandleTable = HandleTable::for_kernel();

/// The table of the kernel's own handles (`ObpKernelHandleTable`).
pub fn kernel_handles() -> &'static HandleTable {
    &KERNEL_HANDLES
}

/// Somebody who uses handles: a table, a mode, and what the pseudo handles mean.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// The handles of its process.
    pub table: &'a HandleTable,
    /// Whether a program or the kernel uses them.
    pub mode: Mode,
    /// What [`Handle::CURRENT_PROCESS`] means.
    pub process: Option<&'a AnyObject>,
    /// What [`Handle::CURRENT_THREAD`] means.
    pub thread: Option<&'a AnyObject>,
}

impl<'a> Caller<'a> {
    /// The kernel, with its own handles alone.
    pub fn kernel() -> Caller<'static> {
        Caller {
            table: kernel_handles(),
            mode: Mode::Kernel,
            process: None,
            thread: None,
        }
    }

    /// The same with another mode.
    #[must_use]
    pub const fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The table that the handle is in.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if a program uses a handle of the kernel.
    pub fn table_of(&self, handle: Handle) -> NtResult<&'a HandleTable> {
        if !handle.is_kernel() {
            Ok(self.table)
        } else if self.mode == Mode::Kernel {
            Ok(kernel_handles())
        } else {
            Err(NtStatus::INVALID_HANDLE)
        }
    }

    fn pseudo(&self, handle: Handle) -> Option<&'a AnyObject> {
        match handle {
            Handle::CURRENT_PROCESS => self.process,
            Handle::CURRENT_THREAD => self.thread,
            _ => None,
        }
    }

    /// What a handle refers to, with its rights.
    ///
    /// # Errors
    /// `INVALID_HANDLE`.
    pub fn entry(&self, handle: Handle) -> NtResult<HandleEntry> {
        match self.pseudo(handle) {
            Some(object) => Ok(HandleEntry {
                object: object.clone(),
                granted: object.head().kind().mapping().generic_all,
                attributes: HandleAttributes::empty(),
            }),
            None => self.table_of(handle)?.entry(handle),
        }
    }

    /// A reference to what a handle refers to, if it is of that type and the handle has those rights.
    ///
    /// # Errors
    /// In this order: `INVALID_HANDLE`; `OBJECT_TYPE_MISMATCH`; `ACCESS_DENIED`, for programs alone.
    #[doc(alias = "ObReferenceObjectByHandle")]
    pub fn reference(
        &self,
        handle: Handle,
        access: AccessMask,
        kind: Option<&'static ObjectType>,
    ) -> NtResult<AnyObject> {
        match self.pseudo(handle) {
            Some(object) => {
                check_type(object, kind)?;
                Ok(object.clone())
            }
            None => self
                .table_of(handle)?
                .reference(handle, access, kind, self.mode),
        }
    }

    /// The same with the body's type.
    ///
    /// # Errors
    /// As [`reference`](Self::reference).
    pub fn reference_by_handle<T: ObjectBody>(
        &self,
        handle: Handle,
        access: AccessMask,
    ) -> NtResult<Object<T>> {
        downcast(self.reference(handle, access, Some(T::kind()))?)
    }

    /// Closes a handle.
    ///
    /// # Errors
    /// As [`HandleTable::close`].
    #[doc(alias = "NtClose")]
    pub fn close(&self, handle: Handle) -> NtResult {
        self.table_of(handle)?.close(handle, self.mode)
    }
}
