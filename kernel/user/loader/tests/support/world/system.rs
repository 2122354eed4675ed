//! The process as the loader sees it: what it maps, calls and tells goes by the script, and into the log.

use std::fmt;

use c_interface::Ptr;
use loader::{ImageSource, LoadFailure, MappedImage, System, WellKnownDirectory};
use nt_abi::native::{DelayloadInfo, LdrDllNotificationData, Peb, Pointer, Teb, UnicodeString};
use nt_abi::{NtResult, NtStatus};
use rtl::{Utf16Str, Utf16String};

use super::{BURIED, GRANULARITY, Memory, PAGE, Sys, View, c_text, is_writable, reason_name, text};
use crate::support::image::CALLBACKS;

impl System for Sys {
    fn peb(&self) -> Ptr<Peb> {
        self.0.peb_of()
    }

    fn teb(&self) -> Ptr<Teb> {
        self.0.teb_of(self.0.current.get())
    }

    fn allocate(&self, bytes: usize) -> Option<Ptr<u8>> {
        if !self.0.step() || bytes > 1 << 30 {
            return None;
        }
        let mut memory = Memory::new(bytes, 16);
        let address = memory.address();
        self.0.heap.borrow_mut().insert(address, memory);
        Some(Ptr::new(address))
    }

    fn free(&self, block: Ptr<u8>) {
        let found = self.0.heap.borrow_mut().remove(&block.address());
        let mut memory = found.expect("it frees what it does not have");
        memory.bytes.fill(0xDD);
        let mut graveyard = self.0.graveyard.borrow_mut();
        graveyard.push_back(memory);
        while graveyard.len() > BURIED {
            graveyard.pop_front();
        }
    }

    fn map(&self, source: ImageSource<'_>) -> NtResult<MappedImage> {
        let world = &self.0;
        let (table, name) = match source {
            ImageSource::KnownDll(name) => (&world.known, name),
            ImageSource::File(path)
            | ImageSource::ImageResource(path)
            | ImageSource::DataFile(path) => (&world.files, path),
        };
        let name = name.to_string();
        let found = table.borrow().get(&name.to_ascii_lowercase()).cloned();
        if matches!(source, ImageSource::File(_)) {
            world.searches.borrow_mut().push(name.clone());
        }
        let file = found.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        if !world.step() {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        let base_name = name.rsplit('\\').next().unwrap_or(&name).to_owned();
        if matches!(source, ImageSource::DataFile(_)) {
            let mut memory = Memory::new(file.len().next_multiple_of(PAGE), GRANULARITY);
            let base = memory.address();
            let start = memory.start;
            memory.bytes[start..start + file.len()].copy_from_slice(&file);
            let size = file.len().next_multiple_of(PAGE);
            let kept = memory.bytes[start..start + size].to_vec();
            let pages = vec![0x02; size / PAGE];
            let view = View {
                memory,
                size,
                name: base_name,
                first_pages: pages.clone(),
                pages,
                kept,
            };
            world.views.borrow_mut().insert(base, view);
            let base = Ptr::new(base);
            let status = NtStatus::SUCCESS;
            return Ok(MappedImage { base, size, status });
        }
        world.place(&base_name, &file)
    }

    fn unmap(&self, base: Ptr<u8>) {
        let found = self.0.views.borrow_mut().remove(&base.address());
        let mut view = found.expect("it unmaps what is not mapped");
        if self.0.verbose.get() {
            self.0.say(format!("unmap {}", view.name));
        }
        let start = view.memory.start;
        view.memory.bytes[start..start + view.size].fill(0xDD);
        let mut graveyard = self.0.graveyard.borrow_mut();
        if view.size < 1 << 20 {
            graveyard.push_back(view.memory);
        }
        while graveyard.len() > BURIED {
            graveyard.pop_front();
        }
    }

    fn protect(&self, address: Ptr<u8>, bytes: usize, protection: u32) -> NtResult<u32> {
        self.0.protect_calls.set(self.0.protect_calls.get() + 1);
        // To take a change back does not fail: the pages are there.
        if protection == 0x04 && !self.0.step() {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        let mut views = self.0.views.borrow_mut();
        let (base, view) = views.range_mut(..=address.address()).next_back().unwrap();
        let start = address.address() - base;
        assert!(start + bytes <= view.size, "outside of the image");
        let first = start / PAGE;
        let last = (start + bytes).div_ceil(PAGE);
        let before = view.pages[first];
        for page in first..last {
            assert_ne!(view.pages[page], 0x01, "a page that is not there");
            if is_writable(view.pages[page]) && !is_writable(protection) {
                let at = page * PAGE;
                let from = view.memory.start + at;
                let now = &view.memory.bytes[from..from + PAGE];
                view.kept[at..at + PAGE].copy_from_slice(now);
            }
            view.pages[page] = protection;
        }
        Ok(before)
    }

    fn flush_instruction_cache(&self, _: Ptr<u8>, _: usize) {}

    fn call_entry_point(
        &self,
        entry: Ptr<u8>,
        base: Ptr<u8>,
        reason: u32,
        context: usize,
    ) -> NtResult<bool> {
        let Some((name, found)) = self.0.code_at(entry) else {
            return Ok(true);
        };
        if !self.0.lenient.get() {
            assert_eq!(found, base.address(), "the base of the image");
        }
        let suffix = if context == 0 { "" } else { " static" };
        self.0
            .say(format!("{name} {}{suffix}", reason_name(reason)));
        self.0.run(&name, reason)
    }

    fn call_tls_callback(
        &self,
        callback: Ptr<u8>,
        base: Ptr<u8>,
        reason: u32,
        context: usize,
    ) -> NtResult {
        let Some((name, found)) = self.0.code_at(callback) else {
            return Ok(());
        };
        assert_eq!(found, base.address(), "the base of the image");
        let number = (callback.address() - found).wrapping_sub(CALLBACKS as usize) / 16;
        let suffix = if context == 0 { "" } else { " static" };
        self.0.say(format!(
            "{name} tls {number} {}{suffix}",
            reason_name(reason)
        ));
        self.0
            .run(&format!("{name} tls {number}"), reason)
            .map(drop)
    }

    fn notify(
        &self,
        function: Ptr<u8>,
        reason: u32,
        data: Ptr<LdrDllNotificationData>,
        context: usize,
    ) {
        let data = data.read();
        let name = text(Ptr::<UnicodeString>::at(data.base_dll_name).read()).to_string();
        let full = text(Ptr::<UnicodeString>::at(data.full_dll_name).read()).to_string();
        assert!(full.ends_with(&name));
        let (found, base) = self
            .0
            .image_at(data.dll_base as usize)
            .expect("it is still mapped");
        assert_eq!(
            (found, Ptr::<u8>::new(base).raw()),
            (name.to_ascii_lowercase(), data.dll_base)
        );
        let word = ["?", "loaded", "unloaded"][reason as usize];
        self.0.say(format!(
            "{word} {} to {:x}({context})",
            name.to_ascii_lowercase(),
            function.address()
        ));
        let _ = self
            .0
            .run(&format!("{word} {}", name.to_ascii_lowercase()), reason);
    }

    fn call_delay_hook(&self, hook: Ptr<u8>, reason: u32, info: Ptr<DelayloadInfo>) -> Ptr<u8> {
        assert_eq!(reason, 4);
        let info = info.read();
        let text = |at: Pointer| c_text(Ptr::at(at));
        let what = info.target_api_descriptor;
        let symbol = if what.import_described_by_name == 0 {
            format!("#{}", what.description)
        } else {
            text(what.description)
        };
        let status = NtStatus(info.last_error);
        self.0.say(format!(
            "hook {:x} for {symbol} of {}: {}",
            hook.address(),
            text(info.target_dll_name),
            status.name().unwrap_or("?")
        ));
        self.0
            .hook_answers
            .borrow_mut()
            .pop_front()
            .unwrap_or_default()
    }

    fn call_delay_system_hook(&self, hook: Ptr<u8>, dll: Ptr<u8>, procedure: usize) -> Ptr<u8> {
        let symbol = if procedure < 0x1_0000 {
            format!("#{procedure}")
        } else {
            c_text(Ptr::new(procedure))
        };
        self.0.say(format!(
            "system hook {:x} for {symbol} of {}",
            hook.address(),
            c_text(dll)
        ));
        self.0
            .hook_answers
            .borrow_mut()
            .pop_front()
            .unwrap_or_default()
    }

    fn redirect(&self, name: Utf16Str<'_>, path: &mut Utf16String) -> NtResult<bool> {
        let to = self.0.redirections.borrow().get(&name.to_string()).cloned();
        if let Some(to) = &to {
            path.push_str(to).map_err(|_| NtStatus::NO_MEMORY)?;
        }
        Ok(to.is_some())
    }

    fn hard_error(&self, failure: &LoadFailure<'_>, process_start: bool) {
        let what = match failure {
            LoadFailure::MissingDll { name } => format!("missing {name}"),
            LoadFailure::MissingName { symbol, module } => {
                format!("missing {} in {module}", String::from_utf8_lossy(symbol))
            }
            LoadFailure::MissingOrdinal { ordinal, module } => {
                format!("missing #{ordinal} in {module}")
            }
            LoadFailure::BadImage { name, status } => {
                format!("bad {name}: {}", status.name().unwrap_or("?"))
            }
            LoadFailure::InitFailed { name } => format!("failed {name}"),
        };
        let when = if process_start { "at start: " } else { "" };
        self.0.say(format!("error {when}{what}"));
    }

    fn trace(&self, _: fmt::Arguments<'_>) {}

    fn random(&self) -> u64 {
        self.0.random.get()
    }

    fn time(&self) -> i64 {
        0x1234
    }

    fn directory(&self, which: WellKnownDirectory, path: &mut Utf16String) -> NtResult {
        if !self.0.step() {
            return Err(NtStatus::NO_MEMORY);
        }
        let text = match which {
            WellKnownDirectory::System => r"C:\Windows\System32",
            WellKnownDirectory::System16 => r"C:\Windows\System",
            WellKnownDirectory::Windows => r"C:\Windows",
            WellKnownDirectory::Current => r"C:\Work",
        };
        path.push_str(text).map_err(|_| NtStatus::NO_MEMORY)
    }

    fn environment(&self, name: Utf16Str<'_>, value: &mut Utf16String) -> NtResult {
        if !self.0.step() {
            return Err(NtStatus::NO_MEMORY);
        }
        if let Some(text) = self.0.environment.borrow().get(&name.to_string()) {
            value.push_str(text).map_err(|_| NtStatus::NO_MEMORY)?;
        }
        Ok(())
    }

    fn lock_loader(&self) {
        self.change_lock(0, 1);
    }

    fn try_lock_loader(&self) -> bool {
        self.change_lock(0, 1);
        true
    }

    fn unlock_loader(&self) {
        self.change_lock(0, -1);
    }

    fn owns_loader_lock(&self) -> bool {
        self.0.locks.get()[0] > 0
    }

    fn lock_modules_shared(&self) {
        assert_eq!(self.0.locks.get()[2], 0, "it is held alone");
        self.change_lock(1, 1);
        assert_eq!(self.0.locks.get()[1], 1, "taken twice");
    }

    fn unlock_modules_shared(&self) {
        self.change_lock(1, -1);
    }

    fn lock_modules(&self) {
        assert_eq!(self.0.locks.get()[1..], [0, 0], "it is held");
        self.change_lock(2, 1);
    }

    fn unlock_modules(&self) {
        self.change_lock(2, -1);
    }
}

impl Sys {
    fn change_lock(&self, which: usize, by: i32) {
        let mut locks = self.0.locks.get();
        locks[which] += by;
        assert!(locks[which] >= 0, "a lock that was not taken");
        self.0.locks.set(locks);
    }
}
