//! Imports that are resolved when they are first used.
//!
//! The image has code at each such import that calls a helper of the compiler, and that calls this. What is found is written
//! over the address of the code, so it happens once for each import.
//!
//! When an import cannot be resolved, the program's hook may give an address of its own; if it has none, the system's hook is
//! asked, which gives a stub or raises an exception.

use c_interface::{Ptr, field};
use nt_abi::loader::LdrDllLoadReason;
use nt_abi::native::{DelayloadInfo, DelayloadProcDescriptor, Pointer};
use nt_abi::{NtResult, NtStatus};

use crate::exports::{Exports, Symbol, Target, missing};
use crate::load::SearchPath;
use crate::loader::Loader;
use crate::module::Module;
use crate::names::NameBuffer;
use crate::number::index;
use crate::registry::Registry;
use crate::search::Found;
use crate::snap::read_thunk;
use crate::system::System;
use crate::view::{BAD, POINTER, View, offset_of};

/// Length of a descriptor.
const DESCRIPTOR: u32 = 32;
/// The descriptor holds offsets and not addresses.
const RVA_BASED: u32 = 1;
/// `DELAYLOAD_GPA_FAILURE`.
const FAILURE: u32 = 4;

/// Who is asked when a delayed import cannot be resolved; null for nobody.
#[derive(Clone, Copy, Default, Debug)]
pub struct DelayHooks {
    /// The program's: `PDELAYLOAD_FAILURE_DLL_CALLBACK`.
    pub program: Ptr<u8>,
    /// The system's: `PDELAYLOAD_FAILURE_SYSTEM_ROUTINE`.
    pub system: Ptr<u8>,
}

/// A descriptor of an image.
#[derive(Clone, Copy)]
struct Descriptor {
    name_rva: u32,
    handle_rva: u32,
    slots_rva: u32,
    lookup_rva: u32,
}

impl Descriptor {
    /// The descriptor at an offset; `None` at the end of the directory.
    fn read(view: &View, rva: u32) -> NtResult<Option<Self>> {
        let fields = view.place::<[u32; 8]>(rva, DESCRIPTOR)?.read();
        let [attributes, name_rva, handle_rva, slots_rva, lookup_rva, ..] = fields;
        if name_rva == 0 {
            return Ok(None);
        }
        if attributes & RVA_BASED == 0 || lookup_rva == 0 {
            return Err(BAD);
        }
        Ok(Some(Self {
            name_rva,
            handle_rva,
            slots_rva,
            lookup_rva,
        }))
    }
}

impl<S: System> Loader<S> {
    /// Resolves one delayed import: `descriptor` is the address of its descriptor in the image at `parent`, `thunk` that
    /// of its place in the address table. Gives the address, which it also writes there.
    ///
    /// # Errors
    /// - `INVALID_PARAMETER`: the descriptor or the place is none of the image's.
    /// - Those of [`load_dll`](Self::load_dll) and [`procedure_address`](Self::procedure_address), if no hook gave an
    ///   address.
    ///
    /// # Locks
    /// Takes the loader lock, and holds it over entry points, but not over the hooks.
    #[doc(alias = "LdrResolveDelayLoadedAPI")]
    pub fn resolve_delayed(
        &self,
        parent: Ptr<u8>,
        descriptor: Ptr<u8>,
        hooks: DelayHooks,
        thunk: Ptr<u8>,
    ) -> NtResult<Ptr<u8>> {
        let (module, found, number) = {
            let registry = self.modules()?;
            let _lists = self.read_modules();
            let module = registry
                .by_base(parent)
                .ok_or(NtStatus::INVALID_PARAMETER)?;
            let view = module.view();
            let rva = view.rva_of(descriptor.address());
            let rva = rva.ok_or(NtStatus::INVALID_PARAMETER)?;
            let found = Descriptor::read(&view, rva)?.ok_or(NtStatus::INVALID_PARAMETER)?;
            let number = view
                .rva_of(thunk.address())
                .and_then(|rva| rva.checked_sub(found.slots_rva))
                .filter(|offset| offset % POINTER == 0)
                .map(|offset| offset / POINTER)
                .ok_or(NtStatus::INVALID_PARAMETER)?;
            (module, found, number)
        };
        let result = self.resolve_one(module, found, number);
        result.or_else(|status| {
            let address = self.ask_hooks(module, descriptor, found, number, hooks, status)?;
            let registry = self.modules()?;
            let _lock = self.lock();
            // A hook may have freed the image.
            if registry.by_base(parent) == Some(module) {
                self.write_slot(module, found, number, address)?;
            }
            Ok(address)
        })
    }

    /// Resolves all delayed imports of an image from one DLL, named as in the image.
    ///
    /// # Errors
    /// - `DLL_NOT_FOUND`: no module has this base, or it does not import from that DLL late, or the DLL is not there.
    /// - Those of [`procedure_address`](Self::procedure_address) for the first import that is not found; those before it
    ///   are resolved.
    ///
    /// # Locks
    /// Takes the loader lock, and holds it over entry points.
    #[doc(alias = "LdrResolveDelayLoadsFromDll")]
    pub fn resolve_all_delayed(&self, parent: Ptr<u8>, name: &[u8]) -> NtResult {
        let _lock = self.lock();
        let registry = self.modules()?;
        let module = registry.by_base(parent).ok_or(NtStatus::DLL_NOT_FOUND)?;
        let view = module.view();
        let directory = view
            .image()?
            .headers()
            .directory(pe::Directory::DelayImport)
            .ok_or(NtStatus::DLL_NOT_FOUND)?;
        let mut rva = directory.rva;
        while let Some(descriptor) = Descriptor::read(&view, rva)? {
            if view.string(descriptor.name_rva)?.eq_ignore_ascii_case(name) {
                let mut number = 0;
                while view.pointer(entry_of(descriptor.lookup_rva, number)?)? != 0 {
                    self.resolve_one(module, descriptor, number)?;
                    number += 1;
                }
                return Ok(());
            }
            rva = rva.checked_add(DESCRIPTOR).ok_or(BAD)?;
        }
        Err(NtStatus::DLL_NOT_FOUND)
    }

    fn resolve_one(&self, module: Module, from: Descriptor, number: u32) -> NtResult<Ptr<u8>> {
        let _lock = self.lock();
        let registry = self.modules()?;
        let view = module.view();
        let symbol = wanted(&view, from, number)?;
        let exporter = self.delayed_module(registry, module, from)?;
        let mut exports = Exports::of(exporter)?.ok_or_else(|| missing(symbol))?;
        let address = match exports.find(symbol)? {
            Target::Address(address) => address,
            Target::Forwarder(rva) => {
                let reason = LdrDllLoadReason::DELAYLOAD_DEPENDENCY;
                self.follow_and_load(registry, exporter, rva, SearchPath::Default.into(), reason)?
            }
        };
        self.write_slot(module, from, number, address)?;
        Ok(address)
    }

    /// The DLL of a descriptor: loaded if it is not yet, and from then on needed by the image. Its base is kept where the
    /// image wants it.
    fn delayed_module(
        &self,
        registry: Registry,
        module: Module,
        from: Descriptor,
    ) -> NtResult<Module> {
        let view = module.view();
        let reason = LdrDllLoadReason::DELAYLOAD_DEPENDENCY;
        let mut host = NameBuffer::new();
        host.set_import(view.string(from.name_rva)?)?;
        self.resolve_api_set(&mut host, Some(module))?;
        let found =
            self.find_by_name(registry, host.as_str(), SearchPath::Default.into(), reason)?;
        let exporter = match found {
            Found::Loaded(exporter) => exporter,
            Found::New(exporter) => {
                // The load's reference is given back when the edge holds the module.
                self.load_new(registry, exporter, SearchPath::Default.into(), reason)?;
                exporter
            }
        };
        let needed = module.node().depend_on(&self.system, exporter.node());
        self.widen_condensing();
        self.condense_again(module);
        if matches!(found, Found::New(_)) {
            self.drop_reference(registry, exporter);
        }
        needed?;
        if from.handle_rva != 0 {
            let handle = exporter.base().raw();
            self.write_pointer(module, from.handle_rva, handle)?;
        }
        Ok(exporter)
    }

    fn write_slot(
        &self,
        module: Module,
        from: Descriptor,
        number: u32,
        address: Ptr<u8>,
    ) -> NtResult {
        let rva = entry_of(from.slots_rva, number)?;
        self.write_pointer(module, rva, address.raw())
    }

    /// Writes an address into an image, whose table may be read-only.
    fn write_pointer(&self, module: Module, rva: u32, value: Pointer) -> NtResult {
        let view = module.view();
        let place = view.place::<Pointer>(rva, POINTER)?;
        self.with_writable(&view, rva, POINTER, || place.write(value))
    }

    /// Asks who was named for the case that an import cannot be resolved.
    fn ask_hooks(
        &self,
        module: Module,
        descriptor: Ptr<u8>,
        from: Descriptor,
        number: u32,
        hooks: DelayHooks,
        status: NtStatus,
    ) -> NtResult<Ptr<u8>> {
        let view = module.view();
        let at = |rva: u32| view.base.byte_add(index(rva));
        let symbol = wanted(&view, from, number)?;
        let (by_name, description) = match symbol {
            Symbol::Name(..) => {
                let thunk = view.pointer(entry_of(from.lookup_rva, number)?)?;
                let rva = offset_of(thunk)?;
                (1, at(rva.wrapping_add(2)).address())
            }
            Symbol::Ordinal(ordinal) => (0, index(ordinal)),
        };
        let base = match from.handle_rva {
            0 => 0,
            rva => view.pointer(rva)?,
        };
        let slot = entry_of(from.slots_rva, number)?;
        let mut info = DelayloadInfo {
            size: size_of::<DelayloadInfo>() as u32,
            delayload_descriptor: descriptor.raw(),
            thunk_address: at(slot).raw(),
            target_dll_name: at(from.name_rva).raw(),
            target_api_descriptor: DelayloadProcDescriptor {
                import_described_by_name: by_name,
                description: Ptr::<u8>::new(description).raw(),
                ..DelayloadProcDescriptor::default()
            },
            target_module_base: base,
            last_error: status.0,
            ..DelayloadInfo::default()
        };
        let info = Ptr::of(&mut info);
        let mut address = Ptr::NULL;
        if let Some(hook) = hooks.program.non_null() {
            address = self.system.call_delay_hook(hook, FAILURE, info);
        }
        if let (true, Some(hook)) = (address.is_null(), hooks.system.non_null()) {
            let dll = field!(info, DelayloadInfo, target_dll_name).read();
            address = self
                .system
                .call_delay_system_hook(hook, Ptr::at(dll), description);
        }
        address.non_null().ok_or(status)
    }
}

fn entry_of(table: u32, number: u32) -> NtResult<u32> {
    number
        .checked_mul(POINTER)
        .and_then(|offset| table.checked_add(offset))
        .ok_or(BAD)
}

/// What an import wants.
fn wanted(view: &View, from: Descriptor, number: u32) -> NtResult<Symbol<'_>> {
    match view.pointer(entry_of(from.lookup_rva, number)?)? {
        0 => Err(NtStatus::INVALID_PARAMETER),
        thunk => read_thunk(view, thunk),
    }
}
