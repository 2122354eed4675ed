//! Placeholders: addresses that are set aside for an allocation or a view that is to come, and can be cut and joined
//! meanwhile.
//!
//! What replaces a placeholder has just its addresses, so a program can put views beside each other (a ring buffer)
//! without anybody else getting in between.
//!
//! # NT
//! "Scenario 1" of "VirtualAlloc2 function"; `MEM_RESERVE_PLACEHOLDER` and its kin.

use arch::contract::VirtRange;
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::Space;
use crate::pte::Pte;
use crate::vad::{Kind, Vad};

impl Space {
    /// The placeholder that has just these addresses.
    ///
    /// # Errors
    /// `CONFLICTING_ADDRESSES`.
    pub(super) fn find_placeholder(&mut self, start: u64, length: u64) -> NtResult<Index> {
        let index = self.find_vad(start);
        let index = index.filter(|index| {
            let range = self.range(*index);
            range.start.0 == start && range.length() == length
        });
        index
            .filter(|index| self.is_placeholder(*index))
            .ok_or(NtStatus::CONFLICTING_ADDRESSES)
    }

    fn is_placeholder(&self, index: Index) -> bool {
        matches!(
            self.vads.get(index).map(|vad| &vad.kind),
            Some(Kind::Placeholder)
        )
    }

    /// Puts what is charged for already in the place of a placeholder.
    pub(super) fn replace_placeholder(&mut self, index: Index, vad: Vad) {
        if let Some(place) = self.vads.get_mut(index) {
            *place = Vad {
                replaces: true,
                ..vad
            };
        }
    }

    /// Ends a whole allocation or view, whose addresses become a placeholder.
    ///
    /// # Errors
    /// `CONFLICTING_ADDRESSES`: they were none before.
    pub(super) fn make_placeholder(&mut self, index: Index) -> NtResult {
        if !self.vads.get(index).is_some_and(|vad| vad.replaces) {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        let range = self.range(index);
        self.end_pages(range, Pte::Unset);
        let Some(place) = self.vads.get_mut(index) else {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        };
        let before = core::mem::replace(place, Vad::placeholder());
        if let Kind::View(view) = &before.kind {
            view.area.lock().views -= 1;
        }
        self.give_back(before.charge);
        Ok(())
    }

    /// Makes a placeholder of a range: of one that is larger, or of an allocation.
    pub(super) fn preserve_placeholder(&mut self, index: Index, range: VirtRange) -> NtResult {
        let whole = self.range(index) == range;
        if whole {
            return self.make_placeholder(index);
        }
        if !self.is_placeholder(index) && !self.vads.get(index).is_some_and(|vad| vad.replaces) {
            return Err(NtStatus::CONFLICTING_ADDRESSES);
        }
        self.reserve_vads(2)?;
        self.release_part(index, range)?;
        self.insert(range, Vad::placeholder()).map(|_| ())
    }

    /// Makes one placeholder of all those that a range consists of.
    ///
    /// # Errors
    /// `CONFLICTING_ADDRESSES`: it does not consist of several.
    pub(super) fn coalesce_placeholders(
        &mut self,
        first: Index,
        range: VirtRange,
    ) -> NtResult<VirtRange> {
        const NO: NtStatus = NtStatus::CONFLICTING_ADDRESSES;
        let mut end = self.range(first).end.0;
        if self.range(first).start != range.start
            || !self.is_placeholder(first)
            || end >= range.end.0
        {
            return Err(NO);
        }
        while end < range.end.0 {
            let next = self
                .vads
                .find(end)
                .filter(|next| self.is_placeholder(*next));
            end = self.range(next.ok_or(NO)?).end.0;
        }
        if end != range.end.0 {
            return Err(NO);
        }
        while self.range(first).end.0 < end {
            let next = self.vads.find(self.range(first).end.0).ok_or(NO)?;
            let (removed, _) = self.remove(next).ok_or(NO)?;
            self.vads
                .resize(first, range.start.0..removed.end.0)
                .map_err(NtStatus::from)?;
            self.counters.virtual_size += removed.length();
        }
        Ok(range)
    }

    /// Puts private memory in the place of a placeholder.
    pub(super) fn allocate_in_placeholder(
        &mut self,
        range: VirtRange,
        mut vad: Vad,
        charge: u64,
    ) -> NtResult<VirtRange> {
        let index = self.find_placeholder(range.start.0, range.length())?;
        self.charge(charge)?;
        vad.charge = charge;
        self.replace_placeholder(index, vad);
        Ok(range)
    }
}
