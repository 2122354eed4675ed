//! Functions that want to hear of DLLs that come and go.
//!
//! They are called with the loader lock held: of a load when the imports of everything that came are resolved and no entry
//! point has been called, of an unload when the entry points have heard of it and the image is about to be unmapped.
//!
//! # Differs
//! The documentation says that a load is told before its imports are resolved. Windows tells it after, since version 8; so a
//! load that fails on the way was never told.

use c_interface::{Ptr, field};
use nt_abi::native::{ListEntry, Pointer, Size};
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::list;
use crate::loader::Loader;
use crate::registry::block;
use crate::system::System;

/// A function that was registered. Its address is the cookie.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Registration {
    links: ListEntry,
    function: Pointer,
    context: Size,
}

/// The function and its context.
pub(crate) fn parts(links: Ptr<ListEntry>) -> (Ptr<u8>, usize) {
    let registration = links.cast::<Registration>().read();
    let context = Ptr::<u8>::at(registration.context).address();
    (Ptr::at(registration.function), context)
}

impl<S: System> Loader<S> {
    /// Registers a function that is called for each DLL that is loaded or unloaded. Gives the cookie that ends it.
    ///
    /// # Errors
    /// - `INVALID_PARAMETER`: flags are reserved; or there is no function.
    /// - `NO_MEMORY`.
    #[doc(alias = "LdrRegisterDllNotification")]
    pub fn register_notification(
        &self,
        flags: u32,
        function: Ptr<u8>,
        context: usize,
    ) -> NtResult<usize> {
        if flags != 0 || function.is_null() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let _lock = self.lock();
        let registry = self.modules()?;
        let block = self
            .system
            .allocate(size_of::<Registration>())
            .ok_or(NtStatus::NO_MEMORY)?;
        let registration = block.cast::<Registration>();
        field!(registration, Registration, function).write(function.raw());
        field!(registration, Registration, context).write(Ptr::<u8>::new(context).raw());
        list::insert_tail(
            block!(registry, notifications),
            field!(registration, Registration, links),
        );
        Ok(block.address())
    }

    /// Ends the calls of a function.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`: the cookie is none.
    #[doc(alias = "LdrUnregisterDllNotification")]
    pub fn unregister_notification(&self, cookie: usize) -> NtResult {
        let _lock = self.lock();
        let registry = self.modules()?;
        let links = list::entries(block!(registry, notifications))
            .find(|links| links.address() == cookie)
            .ok_or(NtStatus::DLL_NOT_FOUND)?;
        list::remove(links);
        self.system.free(links.cast());
        Ok(())
    }
}
