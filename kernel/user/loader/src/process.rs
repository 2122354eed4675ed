//! The start of a process: the program, ntdll, and everything that they need.
//!
//! It goes in two steps. First everything is mapped and its imports are resolved, without calling anybody: a debugger
//! stops between the steps, and ntdll takes the addresses that it wants of the other DLLs. Then entry points are called.
//! What is there at the start stays for good.

use core::sync::atomic::Ordering;

use c_interface::{Ptr, field};
use nt_abi::loader::{DllReason, LdrDdagState, LdrDllLoadReason, LdrEntryFlags};
use nt_abi::native::Peb;
use nt_abi::{NtResult, NtStatus};
use pe::Subsystem;
use rtl::Utf16Str;

use crate::load::SearchPath;
use crate::loader::Loader;
use crate::module::{Module, Phase, own};
use crate::names::NameBuffer;
use crate::registry::{Block, Registry, block};
use crate::search::Found;
use crate::snap::Purpose;
use crate::system::{LoadFailure, MappedImage, System};
use crate::view::View;

/// What the kernel mapped before anything ran.
#[derive(Clone, Copy, Debug)]
pub struct ProcessImages<'a> {
    /// ntdll.
    pub ntdll: MappedImage,
    /// Its path.
    pub ntdll_path: Utf16Str<'a>,
    /// The program.
    pub program: MappedImage,
    /// Its path.
    pub program_path: Utf16Str<'a>,
    /// A DLL that programs of the Windows subsystem have whether they import from it or not: `kernel32.dll`.
    pub subsystem_dll: Option<Utf16Str<'a>>,
}

impl<S: System> Loader<S> {
    /// Maps everything that the program needs and resolves all imports, for the first thread. No entry point is called.
    ///
    /// # Errors
    /// As [`load_dll`](Self::load_dll); the process cannot run, and is as if nothing had been tried.
    #[doc(alias = "LdrpInitializeProcess")]
    pub fn initialize_process(&self, images: &ProcessImages<'_>) -> NtResult {
        let _lock = self.lock();
        if self.registry().is_some() {
            return Err(NtStatus::UNSUCCESSFUL);
        }
        let memory = self.system.allocate(size_of::<Block>());
        let registry = Registry(memory.ok_or(NtStatus::NO_MEMORY)?.cast());
        registry.initialize();
        self.set_registry(registry);
        self.starting.store(1, Ordering::Relaxed);
        let ldr = field!(self.peb(), Peb, ldr);
        ldr.write(block!(registry, ldr).raw());
        let result = self.map_process(registry, images);
        if result.is_err() {
            self.abandon(registry, images);
            ldr.write(0);
        } else {
            block!(registry, ldr.initialized).write(1);
        }
        result
    }

    fn map_process(&self, registry: Registry, images: &ProcessImages<'_>) -> NtResult {
        let (_, headers) = View::open(images.ntdll.base, images.ntdll.size)?;
        self.set_machine(headers.machine);
        let reason = LdrDllLoadReason::STATIC_DEPENDENCY;
        let program = self
            .add_module(&images.program, images.program_path, reason)
            .inspect_err(|status| {
                let name = images.program_path;
                let status = *status;
                self.report(&LoadFailure::BadImage { name, status });
            })?;
        let ntdll = self.add_module(&images.ntdll, images.ntdll_path, reason)?;
        program.node().pin();
        self.settle_ntdll(registry, ntdll);
        let purpose = Purpose {
            search: SearchPath::Default.into(),
            forwarded: LdrDllLoadReason::STATIC_FORWARDER_DEPENDENCY,
        };
        if let Some(name) = images.subsystem_dll.filter(|_| is_for_windows(program)) {
            self.map_subsystem_dll(registry, program, name)?;
        }
        self.resolve(registry, program, purpose)?;
        for module in registry.in_load_order() {
            module.node().pin();
            module.set(LdrEntryFlags::PROCESS_STATIC_IMPORT, true);
            module.set(LdrEntryFlags::LOAD_NOTIFICATIONS_SENT, true);
        }
        self.attach_tls(registry, self.system.teb())
    }

    /// ntdll runs already; it has no entry point of its own and comes first in the order of initialisation.
    fn settle_ntdll(&self, registry: Registry, ntdll: Module) {
        own!(ntdll, sequence).write(self.next_sequence());
        registry.append_initialized(ntdll);
        ntdll.set_phase(Phase::READY);
        ntdll.set(LdrEntryFlags::LOAD_IN_PROGRESS, false);
        ntdll.set(LdrEntryFlags::ENTRY_PROCESSED, true);
        ntdll.node().set_state(LdrDdagState::READY_TO_RUN);
        ntdll.node().pin();
    }

    fn map_subsystem_dll(
        &self,
        registry: Registry,
        program: Module,
        name: Utf16Str<'_>,
    ) -> NtResult {
        let mut buffer = NameBuffer::new();
        buffer.set_text(name)?;
        let name = buffer;
        let reason = LdrDllLoadReason::STATIC_DEPENDENCY;
        let found = self
            .find_by_name(registry, name.as_str(), SearchPath::Default.into(), reason)
            .inspect_err(|_| {
                let name = name.as_str();
                self.report(&LoadFailure::MissingDll { name });
            })?;
        let (Found::Loaded(module) | Found::New(module)) = found;
        program.node().depend_on(&self.system, module.node())
    }

    /// Takes back a start that failed. The program and ntdll stay mapped: they are not ours.
    fn abandon(&self, registry: Registry, images: &ProcessImages<'_>) {
        while let Some(module) = registry.loaded_last() {
            if module.base() == images.program.base || module.base() == images.ntdll.base {
                self.release_tls(registry, module);
                self.remove_module(module);
            } else {
                self.discard(registry, module);
            }
        }
        self.take_widened();
        self.starting.store(0, Ordering::Relaxed);
        self.set_registry(Registry(Ptr::NULL));
        self.system.free(registry.0.cast());
    }

    /// Calls the entry points of all DLLs that came with the process, then the program's TLS callbacks. `context` is what
    /// entry points get as their third argument: the address of the first thread's context, and not 0.
    ///
    /// # Errors
    /// As [`load_dll`](Self::load_dll): the process is not to run. The DLLs that heard that it starts have heard that it
    /// ends.
    pub fn attach_process(&self, context: usize) -> NtResult {
        let _lock = self.lock();
        let registry = self.modules()?;
        let program = registry
            .in_load_order()
            .next()
            .ok_or(NtStatus::UNSUCCESSFUL)?;
        let result = self
            .initialize_reachable(registry, program, context)
            .and_then(|()| self.call_tls_callbacks(program, DllReason::PROCESS_ATTACH, context));
        self.starting.store(0, Ordering::Relaxed);
        if result.is_err() {
            self.ending.store(1, Ordering::Relaxed);
            block!(registry, ldr.shutdown_in_progress).write(1);
            self.detach_all(registry);
        }
        result
    }
}

/// Whether a program wants Windows around it, or a console.
fn is_for_windows(program: Module) -> bool {
    program.view().image().is_ok_and(|image| {
        [Subsystem::WINDOWS_GUI, Subsystem::WINDOWS_CUI].contains(&image.headers().subsystem)
    })
}
