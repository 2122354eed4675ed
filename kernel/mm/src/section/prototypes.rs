//! The prototypes of a control area: what each of its pages is, for all views of it.
//!
//! A reservation of 16 GiB has four million pages of which a program uses a few; so the values come in pieces, each made
//! when one of its pages is first something.

use ex::pool::{PoolTag, PoolVec};
use nt_abi::{NtResult, NtStatus};

use crate::pte::Pte;

const TAG: PoolTag = PoolTag(*b"MmSt");
/// Values in a piece.
const PIECE: usize = 512;

/// A value for each page, [`Pte::Unset`] where none was set.
pub(crate) struct Prototypes {
    pieces: PoolVec<PoolVec<u64>>,
}

fn place(page: u32) -> (usize, usize) {
    (page as usize / PIECE, page as usize % PIECE)
}

impl Prototypes {
    pub(crate) const fn new() -> Self {
        Self {
            pieces: PoolVec::new(TAG),
        }
    }

    /// Makes room for that many pages in all.
    pub(crate) fn grow(&mut self, pages: u64) -> NtResult {
        let count = usize::try_from(pages)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?
            .div_ceil(PIECE);
        self.pieces
            .reserve(count.saturating_sub(self.pieces.len()))?;
        while self.pieces.len() < count {
            self.pieces.push(PoolVec::new(TAG))?;
        }
        Ok(())
    }

    pub(crate) fn get(&self, page: u32) -> Pte {
        let (piece, index) = place(page);
        let value = self.pieces.get(piece).and_then(|piece| piece.get(index));
        value.map_or(Pte::Unset, |value| Pte::unpack(*value))
    }

    /// Makes sure that the value of a page can be set.
    pub(crate) fn prepare(&mut self, page: u32) -> NtResult {
        let piece = self
            .pieces
            .get_mut(place(page).0)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        if piece.is_empty() {
            piece.resize(PIECE, 0)?;
        }
        Ok(())
    }

    /// Sets the value of a page that [`prepare`](Self::prepare) was called for.
    pub(crate) fn set(&mut self, page: u32, value: Pte) {
        let (piece, index) = place(page);
        let slot = self
            .pieces
            .get_mut(piece)
            .and_then(|piece| piece.get_mut(index));
        if let Some(slot) = slot {
            *slot = value.pack();
        }
    }

    /// Forgets all values; the room for as many pages stays.
    pub(crate) fn clear(&mut self) {
        for piece in self.pieces.iter_mut() {
            *piece = PoolVec::new(TAG);
        }
    }

    /// The first page from `from` on that has a value.
    pub(crate) fn next_set(&self, from: u32) -> Option<u32> {
        let (first, mut index) = place(from);
        for (number, piece) in self.pieces.iter().enumerate().skip(first) {
            let set = piece.iter().skip(index).position(|value| *value != 0);
            if let Some(offset) = set {
                return u32::try_from(number * PIECE + index + offset).ok();
            }
            index = 0;
        }
        None
    }

    /// Visits the pages from `from` on that have a value.
    pub(crate) fn for_each(&self, from: u32, visit: &mut dyn FnMut(u32, Pte)) {
        let (first, _) = place(from);
        for (number, piece) in self.pieces.iter().enumerate().skip(first) {
            for (index, value) in piece.iter().enumerate().filter(|(_, value)| **value != 0) {
                let page = u32::try_from(number * PIECE + index).unwrap_or(u32::MAX);
                if page >= from {
                    visit(page, Pte::unpack(*value));
                }
            }
        }
    }
}
