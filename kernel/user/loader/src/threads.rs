//! Threads that come and go, and the end of the process.
//!
//! A thread that comes is told to the modules in the order in which they were initialised, one that goes in the reverse
//! order. A module that is loaded meanwhile does not hear of the thread: it heard of the process, from that thread.
//!
//! # NT
//! The program's own TLS callbacks come after those of all DLLs, in both directions.

use core::sync::atomic::Ordering;

use c_interface::{Ptr, field};
use nt_abi::loader::{DllReason, LdrEntryFlags};
use nt_abi::native::Teb;
use nt_abi::{NtResult, NtStatus};

use crate::loader::Loader;
use crate::module::{Module, Phase, own};
use crate::registry::{Registry, block};
use crate::system::System;

impl<S: System> Loader<S> {
    /// Makes the calling thread known, gives it its static TLS and tells the modules.
    ///
    /// # Errors
    /// `NO_MEMORY`: the thread must end.
    ///
    /// # Locks
    /// Takes the loader lock, and holds it over callbacks.
    #[doc(alias = "LdrInitializeThunk")]
    pub fn attach_thread(&self) -> NtResult {
        let _lock = self.lock();
        let registry = self.modules()?;
        let teb = self.system.teb();
        self.attach_tls(registry, teb)?;
        if self.ending.load(Ordering::Relaxed) != 0 || skips_attach(teb) {
            return Ok(());
        }
        let reason = DllReason::THREAD_ATTACH;
        let (mut told, last) = (0, self.last_sequence());
        while let Some(module) = next_to_tell(registry, told, last) {
            told = own!(module, sequence).read();
            self.tell(module, reason, 0);
        }
        self.tell_program(registry, reason, 0);
        Ok(())
    }

    /// Tells the modules that the calling thread goes, and frees its static TLS.
    ///
    /// # Locks
    /// Takes the loader lock, and holds it over callbacks.
    #[doc(alias = "LdrShutdownThread")]
    pub fn shutdown_thread(&self) {
        let _lock = self.lock();
        let Some(registry) = self.registry() else {
            return;
        };
        let teb = self.system.teb();
        if field!(teb, Teb, tls_links).read().flink == 0 {
            // It never came through here.
            return;
        }
        if self.ending.load(Ordering::Relaxed) == 0 && !skips_attach(teb) {
            let reason = DllReason::THREAD_DETACH;
            let mut told = u32::MAX;
            while let Some(module) = registry.initialized_last(|module| {
                own!(module, sequence).read() < told && hears_of_threads(module)
            }) {
                told = own!(module, sequence).read();
                self.tell(module, reason, 0);
            }
            self.tell_program(registry, reason, 0);
        }
        self.detach_tls(teb);
    }

    /// Tells the modules that the process ends. From then on nothing is unloaded.
    ///
    /// # Locks
    /// Takes the loader lock and holds it over callbacks. The other threads are to have ended: what they held is lost.
    #[doc(alias = "LdrShutdownProcess")]
    pub fn shutdown_process(&self) {
        let _lock = self.lock();
        let Some(registry) = self.registry() else {
            return;
        };
        if self.ending.swap(1, Ordering::Relaxed) != 0 {
            return;
        }
        block!(registry, ldr.shutdown_in_progress).write(1);
        let thread = field!(self.system.teb(), Teb, client_id.unique_thread).read();
        block!(registry, ldr.shutdown_thread_id).write(thread);
        self.detach_all(registry);
        self.tell_program(registry, DllReason::PROCESS_DETACH, 1);
    }

    /// Tells all modules that were told that the process came that it goes, the last one first.
    pub(crate) fn detach_all(&self, registry: Registry) {
        while let Some(module) = registry.initialized_last(|module| {
            (Phase::INITIALIZING..=Phase::READY).contains(&module.phase())
        }) {
            module.set_phase(Phase::DETACHED);
            if module.has(LdrEntryFlags::PROCESS_ATTACH_CALLED) {
                self.tell(module, DllReason::PROCESS_DETACH, 1);
            }
        }
    }

    /// Calls the TLS callbacks of the program.
    pub(crate) fn tell_program(&self, registry: Registry, reason: DllReason, context: usize) {
        if let Some(program) = registry.in_load_order().next() {
            // There is nobody to tell what an exception there was.
            let _ = self.call_tls_callbacks(program, reason, context);
        }
    }

    /// Stops telling a DLL of threads.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`: no module has this base, or it has static TLS, whose callbacks must hear of threads.
    #[doc(alias = "LdrDisableThreadCalloutsForDll")]
    pub fn disable_thread_calls(&self, base: Ptr<u8>) -> NtResult {
        let _lock = self.lock();
        let module = self
            .modules()?
            .by_base(base)
            .filter(|module| module.tls_index().is_none())
            .ok_or(NtStatus::DLL_NOT_FOUND)?;
        module.set(LdrEntryFlags::DONT_CALL_FOR_THREADS, true);
        Ok(())
    }
}

/// Whether a thread was made so that DLLs do not hear of it.
fn skips_attach(teb: Ptr<Teb>) -> bool {
    field!(teb, Teb, same_teb_flags)
        .read()
        .contains(nt_abi::teb::SameTebFlags::SKIP_THREAD_ATTACH)
}

fn hears_of_threads(module: Module) -> bool {
    module.phase() == Phase::READY
        && module.has(LdrEntryFlags::PROCESS_ATTACH_CALLED)
        && !module.has(LdrEntryFlags::DONT_CALL_FOR_THREADS)
}

/// The module that was initialised next after one, if that was not after the last.
fn next_to_tell(registry: Registry, after: u32, last: u32) -> Option<Module> {
    registry.in_initialization_order().find(|module| {
        let sequence = own!(module, sequence).read();
        sequence > after && sequence <= last && hears_of_threads(*module)
    })
}
