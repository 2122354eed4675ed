//! The loader of a process: what it keeps beside the modules, and small things that everything uses.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use c_interface::Ptr;
use nt_abi::NtStatus;
use nt_abi::native::Peb;
use pe::Machine;

use crate::code_images::CodeImages;
use crate::directories::SearchSettings;
use crate::forwarders::ForwarderCache;
use crate::registry::Registry;
use crate::system::{LoaderGuard, ReadGuard, System, WriteGuard};
use crate::tls::TlsIndexes;

/// The loader of a process. There is one, in a static of ntdll.
///
/// Before [`initialize_process`](Self::initialize_process) its methods find no modules.
pub struct Loader<S> {
    pub(crate) system: S,
    /// The registry; 0 before the process is initialised.
    block: AtomicUsize,
    /// Which walk over the graph was the last.
    epoch: AtomicU32,
    /// Which initialisation was the last.
    sequence: AtomicU32,
    /// `IMAGE_FILE_MACHINE_*` of the process.
    machine: AtomicU32,
    /// Unloads that are in progress, one in the other.
    pub(crate) unloading: AtomicU32,
    /// The process is starting.
    pub(crate) starting: AtomicU32,
    /// The process ends.
    pub(crate) ending: AtomicU32,
    pub(crate) tls_indexes: TlsIndexes,
    pub(crate) forwarders: ForwarderCache,
    pub(crate) search: SearchSettings,
    pub(crate) code_images: CodeImages,
    /// Which mark of modules to initialise was the last.
    marks: AtomicU32,
    /// An edge was added between modules that had been joined before.
    widened: AtomicU32,
}

impl<S: System> Loader<S> {
    /// A loader that knows no module yet.
    pub const fn new(system: S) -> Self {
        Self {
            system,
            block: AtomicUsize::new(0),
            epoch: AtomicU32::new(0),
            sequence: AtomicU32::new(0),
            machine: AtomicU32::new(0),
            unloading: AtomicU32::new(0),
            starting: AtomicU32::new(0),
            ending: AtomicU32::new(0),
            tls_indexes: TlsIndexes::new(),
            forwarders: ForwarderCache::new(),
            search: SearchSettings::new(),
            code_images: CodeImages::new(),
            marks: AtomicU32::new(0),
            widened: AtomicU32::new(0),
        }
    }

    /// The system that it works for.
    pub const fn system(&self) -> &S {
        &self.system
    }

    /// The modules; `None` before the process is initialised.
    pub(crate) fn registry(&self) -> Option<Registry> {
        Ptr::new(self.block.load(Ordering::Acquire))
            .non_null()
            .map(Registry)
    }

    /// The modules.
    ///
    /// # Errors
    /// `UNSUCCESSFUL`: the process is not initialised.
    pub(crate) fn modules(&self) -> Result<Registry, NtStatus> {
        self.registry().ok_or(NtStatus::UNSUCCESSFUL)
    }

    pub(crate) fn set_registry(&self, registry: Registry) {
        self.block.store(registry.0.address(), Ordering::Release);
    }

    pub(crate) fn peb(&self) -> Ptr<Peb> {
        self.system.peb()
    }

    pub(crate) fn lock(&self) -> LoaderGuard<'_, S> {
        LoaderGuard::take(&self.system)
    }

    pub(crate) fn read_modules(&self) -> ReadGuard<'_, S> {
        ReadGuard::take(&self.system)
    }

    pub(crate) fn write_modules(&self) -> WriteGuard<'_, S> {
        WriteGuard::take(&self.system)
    }

    /// A number for a walk over the graph.
    pub(crate) fn next_epoch(&self) -> u32 {
        next(&self.epoch)
    }

    /// A number for the modules that an operation wants to initialise.
    pub(crate) fn next_mark(&self) -> u32 {
        next(&self.marks)
    }

    /// The last of them.
    pub(crate) fn marks(&self) -> u32 {
        self.marks.load(Ordering::Relaxed)
    }

    /// Notes that an edge was added which may close a circle through modules that were joined before.
    pub(crate) fn widen_condensing(&self) {
        self.widened.store(1, Ordering::Relaxed);
    }

    /// Whether that was noted, for the last time.
    pub(crate) fn take_widened(&self) -> bool {
        self.widened.swap(0, Ordering::Relaxed) != 0
    }

    /// A number for an initialisation.
    pub(crate) fn next_sequence(&self) -> u32 {
        next(&self.sequence)
    }

    /// The last initialisation.
    pub(crate) fn last_sequence(&self) -> u32 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// The kind of machine that images must be for.
    pub(crate) fn machine(&self) -> Machine {
        Machine(u16::try_from(self.machine.load(Ordering::Relaxed)).unwrap_or_default())
    }

    pub(crate) fn set_machine(&self, machine: Machine) {
        self.machine.store(u32::from(machine.0), Ordering::Relaxed);
    }

    pub(crate) fn is_starting(&self) -> bool {
        self.starting.load(Ordering::Relaxed) != 0
    }
}

/// The next number of a counter that the loader lock guards.
fn next(counter: &AtomicU32) -> u32 {
    let value = counter.load(Ordering::Relaxed).wrapping_add(1);
    counter.store(value, Ordering::Relaxed);
    value
}
