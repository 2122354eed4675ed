//! From an image in memory to a module in the lists, and back.

use alloc::vec::Vec;

use nt_abi::loader::{LdrDdagState, LdrDllLoadReason, LdrEntryFlags};
use nt_abi::native::LdrDataTableEntry;
use nt_abi::{NtResult, NtStatus};
use pe::{Directory, FileCharacteristics, Headers, PageProtection};
use rtl::Utf16Str;

use crate::exports::read_table;
use crate::graph::Node;
use crate::list;
use crate::loader::Loader;
use crate::module::{MOVED, Module, ModuleRecord, Place, entry, own, raw_size, unicode_string};
use crate::names::base_of;
use crate::number::index;
use crate::registry::hash;
use crate::system::{MappedImage, System};
use crate::view::View;

impl<S: System> Loader<S> {
    /// Makes a module of an image that is mapped, and links it into the lists. The image stays mapped if that fails.
    ///
    /// # Errors
    /// - `INVALID_IMAGE_FORMAT`: the headers are bad or for another machine, or relocations are damaged.
    /// - `CONFLICTING_ADDRESSES`: it is not at its base, and cannot be elsewhere.
    /// - `NO_MEMORY`.
    pub(crate) fn add_module(
        &self,
        image: &MappedImage,
        full_name: Utf16Str<'_>,
        reason: LdrDllLoadReason,
    ) -> NtResult<Module> {
        let registry = self.modules()?;
        let (view, headers) = View::open(image.base, image.size)?;
        if headers.machine != self.machine() {
            return Err(NtStatus::INVALID_IMAGE_FORMAT);
        }
        let moved = self.relocate(&view, &headers)? || image.status == NtStatus::IMAGE_NOT_AT_BASE;
        let module = self.new_record(&view, &headers, full_name)?;
        entry!(module, load_reason).write(reason.0);
        entry!(module, original_base).write(raw_size(
            usize::try_from(headers.image_base).unwrap_or_default(),
        ));
        own!(module, characteristics)
            .write(u32::from(headers.dll_characteristics.bits()) | if moved { MOVED } else { 0 });
        if let Err(status) = Node::new(&self.system, module) {
            self.system.free(module.0.cast());
            return Err(status);
        }
        module.node().set_state(LdrDdagState::MAPPED);
        {
            let _lists = self.write_modules();
            registry.insert(module);
        }
        self.add_code_image(module);
        Ok(module)
    }

    fn new_record(
        &self,
        view: &View,
        headers: &Headers,
        full_name: Utf16Str<'_>,
    ) -> NtResult<Module> {
        let units = u16::try_from(full_name.len())
            .ok()
            .filter(|units| *units < 0x7FFF)
            .ok_or(NtStatus::NAME_TOO_LONG)?;
        let bytes = size_of::<ModuleRecord>() + (full_name.len() + 1) * 2;
        let block = self.system.allocate(bytes).ok_or(NtStatus::NO_MEMORY)?;
        let module = Module(block.cast());
        let name = block.byte_add(size_of::<ModuleRecord>()).cast::<u16>();
        name.write_array(full_name.units());
        let base_name = base_of(full_name);
        let base_units = u16::try_from(base_name.len()).unwrap_or(units);
        let entry_point = match headers.entry_point_rva {
            0 => 0,
            rva => view.base.byte_add(index(rva)).raw(),
        };
        let mut flags = LdrEntryFlags::LOAD_IN_PROGRESS;
        let is_dll = headers.characteristics.contains(FileCharacteristics::DLL);
        flags.set(LdrEntryFlags::IMAGE_DLL, is_dll);
        module.entry().write(LdrDataTableEntry {
            dll_base: view.base.raw(),
            entry_point,
            size_of_image: headers.size_of_image,
            full_dll_name: unicode_string(name, units),
            base_dll_name: unicode_string(name.add(usize::from(units - base_units)), base_units),
            flags: flags.bits(),
            time_date_stamp: headers.time_date_stamp,
            load_time: self.system.time(),
            base_name_hash_value: hash(base_name),
            ..LdrDataTableEntry::default()
        });
        own!(module, readable).write(view.readable);
        for (place, directory) in [
            (own!(module, import), Directory::Import),
            (own!(module, address_table), Directory::ImportAddressTable),
            (own!(module, tls), Directory::Tls),
            (own!(module, load_config), Directory::LoadConfig),
            (own!(module, exception), Directory::Exception),
        ] {
            place.write(Place::of(headers, directory));
        }
        own!(module, exports).write(read_table(view, Place::of(headers, Directory::Export)));
        Ok(module)
    }

    /// Unlinks a module and ends it, with its node if it was the last there. Its image stays.
    pub(crate) fn remove_module(&self, module: Module) {
        self.unlink_module(module);
        self.forget(module);
    }

    /// Unlinks a module, so that nobody finds it any more.
    pub(crate) fn unlink_module(&self, module: Module) {
        list::remove(own!(module, pending));
        self.remove_code_image(module);
        if let Some(registry) = self.registry() {
            let _lists = self.write_modules();
            registry.remove(module);
        }
    }

    /// Ends a module that is in no list, with its node if it was the last there.
    pub(crate) fn forget(&self, module: Module) {
        self.forwarders.clear();
        Node::release(&self.system, module);
        self.system.free(module.0.cast());
    }

    /// Relocates an image that is not where its header says. Says whether it was so.
    fn relocate(&self, view: &View, headers: &Headers) -> NtResult<bool> {
        let base = view.base.address() as u64;
        let delta = base.wrapping_sub(headers.image_base);
        if delta == 0 {
            return Ok(false);
        }
        if !headers.is_relocatable() {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        let changed = self.make_writable(view)?;
        let bytes = view.base.slice_mut(index(view.readable));
        let result = pe::relocate_in_place(bytes, delta);
        if result.is_ok() {
            let field = headers.image_base_field();
            let value = base.to_le_bytes();
            let at = view.base.byte_add(index(field.offset));
            at.write_array(value.get(..index(field.size)).unwrap_or(&value));
        }
        self.restore(view, &changed);
        result.map(|()| true)
    }

    /// Makes all of an image writable. Gives what was changed: where, how much, from what.
    fn make_writable(&self, view: &View) -> NtResult<Vec<(u32, u32, u32)>> {
        let mut changed = Vec::new();
        let image = view.image()?;
        let parts = image
            .subsections()
            .take_while(|part| part.rva < view.readable);
        for part in parts {
            if part.protection == PageProtection::NO_ACCESS {
                continue;
            }
            let size = part.size.min(view.readable - part.rva);
            let at = view.base.byte_add(index(part.rva));
            let done = changed
                .try_reserve(1)
                .map_err(|_| NtStatus::NO_MEMORY)
                .and_then(|()| {
                    let protection = PageProtection::READ_WRITE.0;
                    self.system.protect(at, index(size), protection)
                });
            match done {
                Ok(before) => changed.push((part.rva, size, before)),
                Err(status) => {
                    self.restore(view, &changed);
                    return Err(status);
                }
            }
        }
        Ok(changed)
    }

    fn restore(&self, view: &View, changed: &[(u32, u32, u32)]) {
        for &(rva, size, before) in changed {
            let at = view.base.byte_add(index(rva));
            // The pages were there a moment ago; if they cannot be protected again they stay writable.
            let _ = self.system.protect(at, index(size), before);
            self.system.flush_instruction_cache(at, index(size));
        }
    }
}
