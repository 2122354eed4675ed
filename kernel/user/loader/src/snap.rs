//! Resolving imports.
//!
//! A module's imports are resolved in one go: for each DLL that it names, the DLL is found or mapped, and the addresses are
//! written. What was mapped comes to the end of the list of modules, and the walk over that list resolves its imports
//! in turn; so modules come in the order of the widening circle around the one that was wanted, and there is no recursion.
//!
//! # NT
//! Bound imports (addresses that were written into the file beforehand) are not taken over: images are placed where it
//! pleases the system, so they are never right, and the lookup table says everything as well.

use c_interface::Ptr;
use nt_abi::loader::{LdrDdagState, LdrDllLoadReason, LdrEntryFlags};
use nt_abi::native::Pointer;
use nt_abi::{NtResult, NtStatus};

use crate::exports::{Exports, Symbol, missing};
use crate::load::Search;
use crate::loader::Loader;
use crate::module::{Module, Phase, own};
use crate::names::NameBuffer;
use crate::number::index;
use crate::registry::Registry;
use crate::search::Found;
use crate::system::{LoadFailure, System};
use crate::view::{BAD, POINTER, View, offset_of};
use crate::writing::Window;

/// Length of an entry of the import directory.
const DESCRIPTOR: u32 = 20;
/// The bit that tells an ordinal from a name.
const BY_ORDINAL: Pointer = 1 << (Pointer::BITS - 1);

/// What some imports are wanted for.
#[derive(Clone, Copy)]
pub(crate) struct Purpose<'a> {
    /// Where DLLs are searched.
    pub(crate) search: Search<'a>,
    /// Why a DLL comes that an export leads to.
    pub(crate) forwarded: LdrDllLoadReason,
}

impl<S: System> Loader<S> {
    /// Resolves the imports of a module and of all that were loaded after it, which become more by it.
    ///
    /// # Errors
    /// What is wrong with one of them, or with a DLL that one of them wants.
    pub(crate) fn snap_from(
        &self,
        registry: Registry,
        first: Module,
        purpose: Purpose<'_>,
    ) -> NtResult {
        let mut next = Some(first);
        while let Some(module) = next {
            if module.phase() == Phase::MAPPED {
                self.snap(registry, module, purpose)?;
            }
            next = registry.loaded_after(module);
        }
        Ok(())
    }

    /// Resolves the imports of a module.
    fn snap(&self, registry: Registry, module: Module, purpose: Purpose<'_>) -> NtResult {
        module.node().set_state(LdrDdagState::SNAPPING);
        let directory = own!(module, import).read();
        if directory.rva != 0 {
            let mut window = Window::default();
            let result = self.snap_all(registry, module, directory.rva, &mut window, purpose);
            let closed = self.close_window(&module.view(), &mut window);
            result.and(closed)?;
        }
        module.set(LdrEntryFlags::ENTRY_PROCESSED, true);
        module.set_phase(Phase::SNAPPED);
        module.node().set_state(LdrDdagState::SNAPPED);
        Ok(())
    }

    fn snap_all(
        &self,
        registry: Registry,
        module: Module,
        directory_rva: u32,
        window: &mut Window,
        purpose: Purpose<'_>,
    ) -> NtResult {
        let view = module.view();
        // Tables of a real file do not overlap, so twice what there is room for is enough.
        let mut budget = view.readable.saturating_mul(2);
        let mut rva = directory_rva;
        loop {
            let descriptor = view.place::<[u32; 5]>(rva, DESCRIPTOR)?.read();
            let [lookup_rva, _, _, name_rva, address_rva] = descriptor;
            if name_rva == 0 || address_rva == 0 {
                return Ok(());
            }
            let lookup_rva = if lookup_rva == 0 {
                address_rva
            } else {
                lookup_rva
            };
            let exporter = self.find_imported(registry, module, view.string(name_rva)?, purpose)?;
            module.node().depend_on(&self.system, exporter.node())?;
            let count = count_thunks(&view, lookup_rva, &mut budget)?;
            if count != 0 {
                self.open_window(module, window, address_rva, count * POINTER)?;
                self.snap_table(
                    registry,
                    module,
                    exporter,
                    (lookup_rva, address_rva, count),
                    purpose,
                )?;
            }
            budget = budget.checked_sub(DESCRIPTOR).ok_or(BAD)?;
            rva = rva.checked_add(DESCRIPTOR).ok_or(BAD)?;
        }
    }

    /// Finds or maps a DLL that an import table names.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`, or what is wrong with it.
    pub(crate) fn find_imported(
        &self,
        registry: Registry,
        importer: Module,
        name_bytes: &[u8],
        purpose: Purpose<'_>,
    ) -> NtResult<Module> {
        let mut name = NameBuffer::new();
        name.set_import(name_bytes)?;
        let result = self
            .resolve_api_set(&mut name, Some(importer))
            .and_then(|()| {
                let reason = LdrDllLoadReason::STATIC_DEPENDENCY;
                self.find_by_name(registry, name.as_str(), purpose.search, reason)
            });
        match result {
            Ok(Found::Loaded(module) | Found::New(module)) => Ok(module),
            Err(status) => {
                let name = name.as_str();
                self.report(&match status {
                    NtStatus::DLL_NOT_FOUND => LoadFailure::MissingDll { name },
                    status => LoadFailure::BadImage { name, status },
                });
                Err(status)
            }
        }
    }

    /// Writes the addresses of one table.
    fn snap_table(
        &self,
        registry: Registry,
        module: Module,
        exporter: Module,
        (lookup_rva, address_rva, count): (u32, u32, u32),
        purpose: Purpose<'_>,
    ) -> NtResult {
        let view = module.view();
        let bytes = count * POINTER;
        let lookup = view.place::<Pointer>(lookup_rva, bytes)?;
        let slots = view.place::<Pointer>(address_rva, bytes)?;
        let mut exports = Exports::of(exporter)?;
        let base = exporter.base();
        for number in 0..index(count) {
            let symbol = read_thunk(&view, lookup.add(number).read())?;
            let found = exports
                .as_mut()
                .and_then(|exports| Some((exports.find_rva(symbol)?, &*exports)));
            let address = match found {
                Some((rva, exports)) if !exports.is_forwarder(rva) => base.byte_add(index(rva)),
                found => self.snap_elsewhere(
                    registry,
                    exporter,
                    symbol,
                    found.map(|found| found.0),
                    purpose,
                )?,
            };
            slots.add(number).write(address.raw());
        }
        Ok(())
    }

    /// The address of an import that is no address of the exporter's: a forwarder's, or none.
    fn snap_elsewhere(
        &self,
        registry: Registry,
        exporter: Module,
        symbol: Symbol<'_>,
        forwarder_rva: Option<u32>,
        purpose: Purpose<'_>,
    ) -> NtResult<Ptr<u8>> {
        let address = match forwarder_rva {
            Some(rva) => self.follow(registry, exporter, rva, purpose),
            None => Err(missing(symbol)),
        };
        address.inspect_err(|status| self.report_missing(symbol, exporter, *status))
    }

    /// Tells the user why something does not load.
    pub(crate) fn report(&self, failure: &LoadFailure<'_>) {
        self.system.hard_error(failure, self.is_starting());
    }

    fn report_missing(&self, symbol: Symbol<'_>, exporter: Module, status: NtStatus) {
        let module = exporter.base_name();
        match (symbol, status) {
            (Symbol::Name(name, _), NtStatus::ENTRYPOINT_NOT_FOUND) => {
                let end = name.iter().position(|byte| *byte == 0);
                let symbol = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
                self.report(&LoadFailure::MissingName { symbol, module });
            }
            (Symbol::Ordinal(ordinal), NtStatus::ORDINAL_NOT_FOUND) => {
                self.report(&LoadFailure::MissingOrdinal { ordinal, module });
            }
            (_, status) => self.report(&LoadFailure::BadImage {
                name: module,
                status,
            }),
        }
    }
}

/// Counts the entries of a table up to the zero at its end.
fn count_thunks(view: &View, rva: u32, budget: &mut u32) -> NtResult<u32> {
    let mut left = (view.readable.checked_sub(rva).ok_or(BAD)? / POINTER).min(*budget / POINTER);
    let most = left;
    let mut at = view.base.byte_add(index(rva)).cast::<Pointer>();
    while left != 0 {
        if at.read() == 0 {
            *budget -= (most - left) * POINTER;
            return Ok(most - left);
        }
        at = at.add(1);
        left -= 1;
    }
    Err(BAD)
}

/// Reads what an entry of a lookup table wants.
#[inline]
pub(crate) fn read_thunk(view: &View, thunk: Pointer) -> NtResult<Symbol<'_>> {
    if thunk & BY_ORDINAL != 0 {
        #[allow(clippy::unnecessary_cast, reason = "it has another width elsewhere")]
        let ordinal = (thunk & 0xFFFF) as u32;
        return Ok(Symbol::Ordinal(ordinal));
    }
    let rva = offset_of(thunk)?;
    let hint = view.u16(rva)?;
    // A hint that could be read has two bytes.
    let name = view.from(rva + 2).ok_or(BAD)?;
    Ok(Symbol::Name(name, hint))
}
