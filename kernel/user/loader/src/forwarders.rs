//! Exports that are another module's: `MODULE.Name` or `MODULE.#ordinal`.
//!
//! kernel32 is hardly more than a list of them. Hundreds lead to the same few modules, so where each led is remembered
//! for as long as no module goes.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use c_interface::Ptr;
use nt_abi::{NtResult, NtStatus};

use crate::exports::{Exports, Symbol, Target, missing};
use crate::loader::Loader;
use crate::module::{Module, Phase};
use crate::names::NameBuffer;
use crate::number::{index, low32};
use crate::registry::Registry;
use crate::search::Found;
use crate::snap::Purpose;
use crate::symbols::end_and_dot;
use crate::system::System;
use crate::view::{BAD, View};

/// How often an export may lead to another one. Windows' own chains have three links.
pub(crate) const LONGEST_CHAIN: u32 = 64;

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

impl<S: System> Loader<S> {
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
