//! Resolving imports.
//!
//! A module's imports are resolved in one go: for each DLL that it names, the DLL is found or mapped, and the addresses are
//! written. What was mapped comes to the end of the list of modules, and the walk over that list resolves its imports
//! in turn; so modules come in the order of the widening circle around the one that was wanted, and there is no recursion.
//!
//! The address table mostly lies in memory that the program may not write. It is made writable while addresses are
//! written, in as few calls as the image lets us.
//!
//! # NT
//! Bound imports (addresses that were written into the file beforehand) are not taken over: images are placed where it
//! pleases the system, so they are never right, and the lookup table says everything as well.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use c_interface::Ptr;
use nt_abi::loader::{LdrDdagState, LdrDllLoadReason, LdrEntryFlags};
use nt_abi::native::Pointer;
use nt_abi::{NtResult, NtStatus};
use pe::{PageProtection, SectionCharacteristics};

use crate::exports::{Exports, Symbol, Target, missing};
use crate::load::Search;
use crate::loader::Loader;
use crate::module::{Module, Phase, own};
use crate::names::NameBuffer;
use crate::number::{index, low32};
use crate::registry::Registry;
use crate::search::Found;
use crate::symbols::end_and_dot;
use crate::system::{LoadFailure, System};
use crate::view::{BAD, POINTER, View, page_span};

/// Length of an entry of the import directory.
const DESCRIPTOR: u32 = 20;
/// How often an export may lead to another one. Windows' own chains have three links.
const LONGEST_CHAIN: u32 = 64;
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

/// The DLLs that forwarders led to, so that hundreds of forwarders to the same few are cheap.
pub(crate) struct ForwarderCache {
    entries: [CachedForwarder; 32],
}

struct CachedForwarder {
    /// The module whose export it is.
    exporter: AtomicUsize,
    /// Where the text is that names the other one, and how long that name is.
    text_rva: AtomicU32,
    length: AtomicU32,
    target: AtomicUsize,
}

impl ForwarderCache {
    pub(crate) const fn new() -> Self {
        Self {
            entries: [const {
                CachedForwarder {
                    exporter: AtomicUsize::new(0),
                    text_rva: AtomicU32::new(0),
                    length: AtomicU32::new(0),
                    target: AtomicUsize::new(0),
                }
            }; 32],
        }
    }

    fn entry(&self, exporter: Module, name: &[u8]) -> Option<&CachedForwarder> {
        // Names of API sets differ at their ends, others at their beginnings.
        let four = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let ends = four(name.first_chunk()) ^ four(name.last_chunk()).rotate_left(9);
        let middle = four(name.get(name.len() / 2..).and_then(<[u8]>::first_chunk));
        let key = ends ^ middle.rotate_left(18) ^ low32(exporter.0.address() as u64 >> 5);
        // The top bits of a product depend on all bits.
        self.entries.get(index(key.wrapping_mul(0x9E37_79B1) >> 27))
    }

    fn get(&self, exporter: Module, bytes: &[u8], name: &[u8]) -> Option<Module> {
        let entry = self.entry(exporter, name)?;
        if entry.exporter.load(Ordering::Relaxed) != exporter.0.address() {
            return None;
        }
        let start = index(entry.text_rva.load(Ordering::Relaxed));
        let known = bytes.get(start..start + index(entry.length.load(Ordering::Relaxed)))?;
        (known == name).then(|| Module(Ptr::new(entry.target.load(Ordering::Relaxed))))
    }

    fn put(&self, exporter: Module, text_rva: u32, name: &[u8], target: Module) {
        if let Some(entry) = self.entry(exporter, name) {
            entry.text_rva.store(text_rva, Ordering::Relaxed);
            entry
                .length
                .store(crate::number::saturating(name.len()), Ordering::Relaxed);
            entry.target.store(target.0.address(), Ordering::Relaxed);
            entry
                .exporter
                .store(exporter.0.address(), Ordering::Relaxed);
        }
    }

    /// Forgets everything: a module goes.
    pub(crate) fn clear(&self) {
        for entry in &self.entries {
            entry.exporter.store(0, Ordering::Relaxed);
        }
    }
}

/// The part of an image that addresses can be written to at the moment.
struct Window {
    start: u32,
    end: u32,
    /// What the pages' protection was, if it was changed.
    before: Option<u32>,
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
            let mut window = Window {
                start: 0,
                end: 0,
                before: None,
            };
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

    /// Follows an export that is another module's to an address.
    ///
    /// # Errors
    /// - `DLL_NOT_FOUND`, or what is wrong with the DLL that it leads to.
    /// - `ENTRYPOINT_NOT_FOUND`, `ORDINAL_NOT_FOUND`: it leads to nothing, or in a circle.
    pub(crate) fn follow(
        &self,
        registry: Registry,
        exporter: Module,
        text_rva: u32,
        purpose: Purpose<'_>,
    ) -> NtResult<Ptr<u8>> {
        let (mut exporter, mut text_rva) = (exporter, text_rva);
        for _ in 0..LONGEST_CHAIN {
            let view = exporter.view();
            let bytes = view.bytes();
            let (name, symbol) = read_forwarder(&view, text_rva)?;
            let target = match self.forwarders.get(exporter, bytes, name) {
                Some(target) => target,
                None => self.forward_target(registry, exporter, text_rva, name, purpose)?,
            };
            let mut exports = Exports::of(target)?.ok_or_else(|| missing(symbol))?;
            match exports.find(symbol)? {
                Target::Address(address) => return Ok(address),
                Target::Forwarder(rva) => (exporter, text_rva) = (target, rva),
            }
        }
        Err(NtStatus::ENTRYPOINT_NOT_FOUND)
    }

    /// The module that a forwarder names: found, or mapped, and from now on needed by the one whose export it is.
    fn forward_target(
        &self,
        registry: Registry,
        exporter: Module,
        text_rva: u32,
        name: &[u8],
        purpose: Purpose<'_>,
    ) -> NtResult<Module> {
        let mut host = NameBuffer::new();
        host.set_forwarder(name)?;
        self.resolve_api_set(&mut host, Some(exporter))?;
        let found =
            self.find_by_name(registry, host.as_str(), purpose.search, purpose.forwarded)?;
        let (Found::Loaded(target) | Found::New(target)) = found;
        if exporter.phase() >= Phase::SNAPPED {
            // The edge may close a circle through modules that were joined before.
            self.widen_condensing();
        }
        exporter.node().depend_on(&self.system, target.node())?;
        self.forwarders.put(exporter, text_rva, name, target);
        Ok(target)
    }

    /// Makes a table of addresses writable.
    fn open_window(&self, module: Module, window: &mut Window, rva: u32, bytes: u32) -> NtResult {
        let end = rva.checked_add(bytes).ok_or(BAD)?;
        if window.start <= rva && end <= window.end {
            return Ok(());
        }
        let view = module.view();
        self.close_window(&view, window)?;
        let (start, section_end, writable) = section_of(&view, rva)?;
        if end > section_end {
            return Err(BAD);
        }
        if writable {
            (window.start, window.end) = (start, section_end);
            return Ok(());
        }
        // All address tables together, if the image says where they are.
        let table = own!(module, address_table).read();
        let table_end = table.rva.saturating_add(table.size);
        let whole =
            table.rva <= rva && end <= table_end && table.rva >= start && table_end <= section_end;
        let (from, length) = if whole {
            (table.rva, table.size)
        } else {
            (rva, bytes)
        };
        let (page, span) = page_span(from, length);
        let at = view.base.byte_add(index(page));
        let protection = PageProtection::READ_WRITE.0;
        let before = self.system.protect(at, index(span), protection)?;
        *window = Window {
            start: from,
            end: from.saturating_add(length),
            before: Some(before),
        };
        Ok(())
    }

    /// Takes back what [`open_window`](Self::open_window) did.
    fn close_window(&self, view: &View, window: &mut Window) -> NtResult {
        let Some(before) = window.before.take() else {
            return Ok(());
        };
        let (page, span) = page_span(window.start, window.end - window.start);
        let at = view.base.byte_add(index(page));
        (window.start, window.end) = (0, 0);
        self.system.protect(at, index(span), before).map(drop)
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
    let rva = u32::try_from(thunk).map_err(|_| BAD)?;
    let hint = view.u16(rva)?;
    // A hint that could be read has two bytes.
    let name = view.from(rva + 2).ok_or(BAD)?;
    Ok(Symbol::Name(name, hint))
}

/// Takes the text of a forwarder apart. The module may have dots of its own, so the last one parts it from the name.
pub(crate) fn read_forwarder(view: &View, text_rva: u32) -> NtResult<(&[u8], Symbol<'_>)> {
    let (end, dot) = end_and_dot(view, text_rva)?;
    let text = view.from(text_rva).ok_or(BAD)?;
    let module = text.get(..dot).unwrap_or_default();
    // With its NUL, so that nobody looks further.
    let symbol = match text.get(dot + 1..=end).unwrap_or_default() {
        [b'#', digits @ .., 0] => Symbol::Ordinal(read_decimal(digits).ok_or(BAD)?),
        [] | [0, ..] => return Err(BAD),
        name => Symbol::Name(name, 0),
    };
    if module.is_empty() {
        return Err(BAD);
    }
    Ok((module, symbol))
}

fn read_decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// The section that a place is in: where it starts and ends, and whether it may be written. The headers count as one.
pub(crate) fn section_of(view: &View, rva: u32) -> NtResult<(u32, u32, bool)> {
    let image = view.image()?;
    if image.is_mapped_flat() {
        return Ok((0, view.readable, true));
    }
    let headers = image.headers().size_of_headers;
    if rva < headers {
        return Ok((0, headers, false));
    }
    let section = image
        .sections()
        .iter()
        .find(|section| {
            rva.checked_sub(section.rva)
                .is_some_and(|offset| offset < section.size_in_memory())
        })
        .ok_or(BAD)?;
    let end = section.rva.saturating_add(section.size_in_memory());
    let writable = section
        .characteristics
        .contains(SectionCharacteristics::WRITE);
    Ok((section.rva, end.min(view.readable), writable))
}
