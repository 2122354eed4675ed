//! `LdrLoadDll`: a module comes with all that it needs, or not at all.

use c_interface::Ptr;
use nt_abi::loader::{LdrDdagState, LdrDllLoadReason, LdrEntryFlags, LdrNotificationReason};
use nt_abi::{NtResult, NtStatus};
use rtl::Utf16Str;

use crate::loader::Loader;
use crate::module::{Module, Phase};
use crate::names::{NameBuffer, PathKind, kind_of};
use crate::registry::Registry;
use crate::search::Found;
use crate::snap::Purpose;
use crate::system::System;

/// What a load is to do (`LOAD_LIBRARY_*`, with the numbers of `LoadLibraryEx`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LoadFlags(pub u32);

impl LoadFlags {
    /// `DONT_RESOLVE_DLL_REFERENCES`: the image is mapped and nothing else.
    pub const DONT_RESOLVE_DLL_REFERENCES: Self = Self(0x0001);
    /// `LOAD_LIBRARY_AS_DATAFILE`.
    pub const AS_DATAFILE: Self = Self(0x0002);
    /// `LOAD_WITH_ALTERED_SEARCH_PATH`: the DLL's own directory is searched and not the program's.
    pub const WITH_ALTERED_SEARCH_PATH: Self = Self(0x0008);
    /// `LOAD_LIBRARY_AS_IMAGE_RESOURCE`.
    pub const AS_IMAGE_RESOURCE: Self = Self(0x0020);
    /// `LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE`.
    pub const AS_DATAFILE_EXCLUSIVE: Self = Self(0x0040);
    /// `LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR`: the DLL's own directory.
    pub const SEARCH_DLL_LOAD_DIR: Self = Self(0x0100);
    /// `LOAD_LIBRARY_SEARCH_APPLICATION_DIR`: the program's directory.
    pub const SEARCH_APPLICATION_DIR: Self = Self(0x0200);
    /// `LOAD_LIBRARY_SEARCH_USER_DIRS`: directories that the program added.
    pub const SEARCH_USER_DIRS: Self = Self(0x0400);
    /// `LOAD_LIBRARY_SEARCH_SYSTEM32`.
    pub const SEARCH_SYSTEM32: Self = Self(0x0800);
    /// `LOAD_LIBRARY_SEARCH_DEFAULT_DIRS`: the last three.
    pub const SEARCH_DEFAULT_DIRS: Self = Self(0x1000);
    /// All that say where to search.
    pub const SEARCH_ALL: Self = Self(0x1F00);

    /// Whether all of some flags are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether one of some flags is set.
    pub const fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Those of the second argument of `LdrLoadDll`, which has numbers of its own.
    pub const fn of_ldr(characteristics: u32) -> Self {
        if characteristics & 2 != 0 {
            Self::DONT_RESOLVE_DLL_REFERENCES
        } else {
            Self(0)
        }
    }
}

/// Where DLLs are searched.
#[derive(Clone, Copy, Debug)]
pub enum SearchPath<'a> {
    /// As the process has it.
    Default,
    /// In directories, between semicolons.
    Directories(Utf16Str<'a>),
    /// As flags of `LoadLibraryEx` say.
    Flags(LoadFlags),
}

/// Where the DLLs of one load are searched: by the path, and for some flags in the directory of the DLL that was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) path: SearchPath<'a>,
    /// The path of that DLL, if it was asked for by one.
    pub(crate) dll: Option<Utf16Str<'a>>,
}

impl<'a> From<SearchPath<'a>> for Search<'a> {
    fn from(path: SearchPath<'a>) -> Self {
        Self { path, dll: None }
    }
}

impl<S: System> Loader<S> {
    /// Loads a DLL: maps it with all that it needs and calls the entry points. Gives its base; each load is one
    /// reference. A name without an extension gets `.dll`; a dot at its end says that it has none.
    ///
    /// # Errors
    /// - `DLL_NOT_FOUND`: it is not there, or one that it needs.
    /// - `ENTRYPOINT_NOT_FOUND`, `ORDINAL_NOT_FOUND`: something that it imports is not exported.
    /// - `INVALID_IMAGE_FORMAT`: it is damaged or for another machine, or one that it needs.
    /// - `DLL_INIT_FAILED`, or the code of an exception: its entry point failed, or that of one that it needs.
    /// - `NO_MEMORY`.
    /// - `INVALID_PARAMETER`: the name is empty.
    ///
    /// # Locks
    /// Takes the loader lock, and holds it over callbacks.
    ///
    /// # Differs
    /// The same file under two paths (links, short names) is two modules.
    #[doc(alias = "LdrLoadDll")]
    pub fn load_dll(
        &self,
        path: SearchPath<'_>,
        flags: LoadFlags,
        name: Utf16Str<'_>,
    ) -> NtResult<Ptr<u8>> {
        let _lock = self.lock();
        let registry = self.modules()?;
        let reason = LdrDllLoadReason::DYNAMIC_LOAD;
        let found = self.find(registry, name, path.into(), reason)?;
        let resolve = !flags.contains(LoadFlags::DONT_RESOLVE_DLL_REFERENCES);
        match found {
            Found::Loaded(module) => self.load_again(registry, module, resolve),
            Found::New(module) if resolve && module.has(LdrEntryFlags::IMAGE_DLL) => {
                let dll = (kind_of(name) != PathKind::Name).then(|| module.full_name());
                self.load_new(registry, module, Search { path, dll }, reason)
            }
            Found::New(module) => {
                self.keep_unresolved(module);
                Ok(module.base())
            }
        }
    }

    /// Finds a DLL by whatever kind of name.
    pub(crate) fn find(
        &self,
        registry: Registry,
        name: Utf16Str<'_>,
        search: Search<'_>,
        reason: LdrDllLoadReason,
    ) -> NtResult<Found> {
        if name.is_empty() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if kind_of(name) != PathKind::Name {
            return self.find_by_path(registry, name, search, reason);
        }
        let mut host = NameBuffer::new();
        host.set_text(name).map_err(|_| NtStatus::DLL_NOT_FOUND)?;
        self.resolve_api_set(&mut host, None)?;
        self.find_by_name(registry, host.as_str(), search, reason)
    }

    /// One reference more to a module that is there.
    fn load_again(&self, registry: Registry, module: Module, resolve: bool) -> NtResult<Ptr<u8>> {
        let node = module.node();
        node.acquire_explicit();
        if node.state() == LdrDdagState::UNLOADING {
            // It is on the way out. Whoever leads it there sees the reference and keeps it.
            node.set_wanted_while_unloading(node.wanted_while_unloading().saturating_add(1));
            return Ok(module.base());
        }
        if resolve && module.phase() == Phase::SNAPPED {
            // An outer load has not come to its entry point yet.
            if let Err(status) = self.initialize_reachable(registry, module, 0) {
                self.drop_reference(registry, module);
                return Err(status);
            }
        }
        Ok(module.base())
    }

    /// Everything that follows for a module that was mapped just now, up to a reference for the caller.
    pub(crate) fn load_new(
        &self,
        registry: Registry,
        module: Module,
        search: Search<'_>,
        forwarded: LdrDllLoadReason,
    ) -> NtResult<Ptr<u8>> {
        let base = module.base();
        let forwarded = match forwarded {
            LdrDllLoadReason::DYNAMIC_LOAD => LdrDllLoadReason::STATIC_FORWARDER_DEPENDENCY,
            other => other,
        };
        self.prepare(registry, module, Purpose { search, forwarded })?;
        // The load's own reference: until it is over nobody can free what it brings.
        module.node().acquire();
        self.notify_loaded(registry, module);
        let result = self.initialize_reachable(registry, module, 0);
        let node = module.node();
        if result.is_ok() {
            node.acquire_explicit();
        }
        if node.unacquire() {
            self.let_go(registry, node);
        }
        result.map(|()| base)
    }

    /// Resolves the imports of a module that was mapped just now, and all that follows up to its entry point. If that
    /// fails, the module and all that came with it are gone.
    ///
    /// # Errors
    /// As [`load_dll`](Self::load_dll).
    pub(crate) fn prepare(
        &self,
        registry: Registry,
        first: Module,
        purpose: Purpose<'_>,
    ) -> NtResult {
        self.resolve(registry, first, purpose)
            .inspect_err(|_| self.roll_back(registry, first))
    }

    /// The same; if it fails, everything is still there.
    pub(crate) fn resolve(
        &self,
        registry: Registry,
        first: Module,
        purpose: Purpose<'_>,
    ) -> NtResult {
        self.snap_from(registry, first, purpose)?;
        self.prepare_storage(registry, first)?;
        self.queue(registry, first.node());
        Ok(())
    }

    /// What the images of a load need before anything of them runs.
    fn prepare_storage(&self, registry: Registry, first: Module) -> NtResult {
        let mut next = Some(first);
        while let Some(module) = next {
            self.register_tls(registry, module)?;
            self.initialize_cookie(module)?;
            next = registry.loaded_after(module);
        }
        Ok(())
    }

    /// Takes back a load that called nobody yet: the module and all that were mapped after it.
    pub(crate) fn roll_back(&self, registry: Registry, first: Module) {
        self.take_widened();
        while let Some(module) = registry.loaded_last() {
            self.discard(registry, module);
            if module == first {
                break;
            }
        }
    }

    /// Ends a module that nobody needs any more, with its image.
    pub(crate) fn discard(&self, registry: Registry, module: Module) {
        let base = module.base();
        self.release_tls(registry, module);
        self.remove_module(module);
        self.system.unmap(base);
    }

    /// A module of which nothing runs.
    fn keep_unresolved(&self, module: Module) {
        crate::module::entry!(module, load_reason).write(LdrDllLoadReason::AS_IMAGE_LOAD.0);
        module.set_phase(Phase::READY);
        module.set(LdrEntryFlags::LOAD_IN_PROGRESS, false);
        module.node().set_state(LdrDdagState::READY_TO_RUN);
        module.node().acquire_explicit();
    }

    /// Tells those who asked of everything that came with a module.
    fn notify_loaded(&self, registry: Registry, first: Module) {
        let mut next = Some(first);
        while let Some(module) = next {
            if !module.has(LdrEntryFlags::LOAD_NOTIFICATIONS_SENT) {
                module.set(LdrEntryFlags::LOAD_NOTIFICATIONS_SENT, true);
                self.send_notifications(registry, module, LdrNotificationReason::LOADED);
            }
            next = registry.loaded_after(module);
        }
    }
}
