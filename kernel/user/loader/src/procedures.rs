//! `LdrGetProcedureAddress`.

use c_interface::Ptr;
use nt_abi::loader::LdrDllLoadReason;
use nt_abi::{NtResult, NtStatus};

use crate::exports::{Exports, Symbol, Target, missing};
use crate::forwarders::{LONGEST_CHAIN, read_forwarder};
use crate::load::{Search, SearchPath};
use crate::loader::Loader;
use crate::module::{Module, Phase};
use crate::names::NameBuffer;
use crate::registry::Registry;
use crate::snap::Purpose;
use crate::system::System;

/// Which export is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Procedure<'a> {
    /// The one with a name: its bytes, with or without the NUL.
    Name(&'a [u8]),
    /// The one with a number.
    Ordinal(u32),
}

impl<S: System> Loader<S> {
    /// Finds the address of an export.
    ///
    /// # Errors
    /// - `DLL_NOT_FOUND`: no module has this base; or the export leads to a DLL that is not there.
    /// - `ENTRYPOINT_NOT_FOUND`: there is no such name; `ORDINAL_NOT_FOUND`: there is no such number.
    /// - `PROCEDURE_NOT_FOUND`: the module exports nothing.
    /// - `INVALID_PARAMETER`: the name is empty, or the number is 0.
    /// - `INVALID_IMAGE_FORMAT`: the export directory is damaged.
    /// - Those of [`load_dll`](Self::load_dll), if the export leads to a DLL that is not loaded yet.
    ///
    /// # Locks
    /// That of the module lists; the loader lock only if another DLL must be loaded. So an entry point may wait for
    /// a thread that calls this.
    #[doc(alias = "LdrGetProcedureAddress")]
    pub fn procedure_address(&self, base: Ptr<u8>, procedure: Procedure<'_>) -> NtResult<Ptr<u8>> {
        let symbol = match procedure {
            Procedure::Name([] | [0, ..]) | Procedure::Ordinal(0) => {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            Procedure::Name(name) => Symbol::Name(name, 0),
            Procedure::Ordinal(number) => Symbol::Ordinal(number),
        };
        let registry = self.modules()?;
        let quick = {
            let _lists = self.read_modules();
            self.look_up(registry, base, symbol)?
        };
        match quick {
            Some(address) => Ok(address),
            None => self.look_up_and_load(registry, base, symbol),
        }
    }

    /// Finds an export among the modules that are there; `None` if another must be loaded for it.
    fn look_up(
        &self,
        registry: Registry,
        base: Ptr<u8>,
        symbol: Symbol<'_>,
    ) -> NtResult<Option<Ptr<u8>>> {
        let mut module = registry.by_base(base).ok_or(NtStatus::DLL_NOT_FOUND)?;
        let mut exports = Exports::of(module)?.ok_or(NtStatus::PROCEDURE_NOT_FOUND)?;
        let mut target = exports.find(symbol)?;
        for _ in 0..LONGEST_CHAIN {
            let text_rva = match target {
                Target::Address(address) => return Ok(Some(address)),
                Target::Forwarder(rva) => rva,
            };
            let view = module.view();
            let (name, symbol) = read_forwarder(&view, text_rva)?;
            let mut host = NameBuffer::new();
            host.set_forwarder(name)?;
            self.resolve_api_set(&mut host, Some(module))?;
            let Some(next) = registry.by_base_name(host.as_str()) else {
                return Ok(None);
            };
            // It must be known that the one needs the other, or the other may go too early.
            if next.phase() != Phase::READY || !needs(module, next) {
                return Ok(None);
            }
            module = next;
            let mut exports = Exports::of(module)?.ok_or_else(|| missing(symbol))?;
            target = exports.find(symbol)?;
        }
        Err(NtStatus::ENTRYPOINT_NOT_FOUND)
    }

    /// Finds an export, and loads what it leads to.
    fn look_up_and_load(
        &self,
        registry: Registry,
        base: Ptr<u8>,
        symbol: Symbol<'_>,
    ) -> NtResult<Ptr<u8>> {
        let _lock = self.lock();
        let module = registry.by_base(base).ok_or(NtStatus::DLL_NOT_FOUND)?;
        let mut exports = Exports::of(module)?.ok_or(NtStatus::PROCEDURE_NOT_FOUND)?;
        match exports.find(symbol)? {
            Target::Address(address) => Ok(address),
            Target::Forwarder(rva) => {
                let reason = LdrDllLoadReason::DYNAMIC_FORWARDER_DEPENDENCY;
                self.follow_and_load(registry, module, rva, SearchPath::Default.into(), reason)
            }
        }
    }

    /// Follows an export to an address outside of a load: what it leads to is mapped, resolved and initialised here.
    pub(crate) fn follow_and_load(
        &self,
        registry: Registry,
        module: Module,
        text_rva: u32,
        search: Search<'_>,
        forwarded: LdrDllLoadReason,
    ) -> NtResult<Ptr<u8>> {
        let purpose = Purpose { search, forwarded };
        let last = registry.loaded_last();
        let result = self.follow(registry, module, text_rva, purpose);
        let first_new = last.and_then(|last| registry.loaded_after(last));
        if let Some(first) = first_new {
            if let Err(status) = result {
                self.roll_back(registry, first);
                return Err(status);
            }
            self.prepare(registry, first, purpose)?;
            // While entry points run; from then on it is held by who needs it. One who is on the way out holds nothing.
            first.node().acquire();
        }
        self.condense_again(module);
        let initialized = match result {
            Ok(_) => self.initialize_reachable(registry, module, 0),
            Err(_) => Ok(()),
        };
        if let Some(first) = first_new
            && first.node().unacquire()
        {
            self.let_go(registry, first.node());
        }
        initialized.and(result)
    }
}

/// Whether one module is known to need another, or need not be: the other stays for good.
fn needs(module: Module, other: Module) -> bool {
    let (from, to) = (module.node(), other.node());
    from == to || to.is_pinned() || from.dependencies().any(|needed| needed == to)
}
