//! Which pages of an allocation were written since it was made, or since somebody asked.
//!
//! Pages that were not are read-only in the processor's tables, so the first write is a fault, which notes it.

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use nt_abi::{NtResult, NtStatus};
use rtl::interval_tree::Index;

use super::{AddressSpace, Space, page_range};

/// What becomes of the record when it is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchReset {
    /// It stays.
    Keep,
    /// The pages that are given count as not written from now on.
    Reset,
}

impl AddressSpace {
    /// Gives the addresses of pages that were written: as many of them as `into` has room for, lowest first; gives how
    /// many these are.
    ///
    /// # NT
    /// `NtGetWriteWatch`; "GetWriteWatch function". The granularity that it also gives is a page.
    ///
    /// # Errors
    /// - `INVALID_PARAMETER_2`, `_3`: the range is not in the user half, or the size is 0.
    /// - `INVALID_PARAMETER_1`: it is not in one allocation whose writes are watched.
    /// - `PROCESS_IS_TERMINATING`.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtGetWriteWatch")]
    pub fn write_watch(
        &self,
        base: u64,
        size: u64,
        reset: WatchReset,
        into: &mut [u64],
    ) -> NtResult<usize> {
        let mut space = self.lock();
        let (vad, range) = space.watched(base, size)?;
        let Some(watch) = space.vads.get(vad).and_then(|vad| vad.watch()) else {
            return Err(NtStatus::INVALID_PARAMETER_1);
        };
        let mut count = 0;
        let mut looked_at = range.start.0;
        while let Some(place) = into.get_mut(count) {
            let Some(page) = watch.next_written(looked_at, range.end.0) else {
                looked_at = range.end.0;
                break;
            };
            *place = page;
            count += 1;
            looked_at = page + PAGE_SIZE;
        }
        if reset == WatchReset::Reset {
            let done = VirtRange {
                start: range.start,
                end: VirtAddr(looked_at),
            };
            space.reset_watch(vad, done)?;
        }
        Ok(count)
    }

    /// Counts the pages of a range as not written from now on.
    ///
    /// # NT
    /// `NtResetWriteWatch`; "ResetWriteWatch function".
    ///
    /// # Errors
    /// As [`write_watch`](Self::write_watch).
    #[doc(alias = "NtResetWriteWatch")]
    pub fn reset_write_watch(&self, base: u64, size: u64) -> NtResult {
        let mut space = self.lock();
        let (vad, range) = space.watched(base, size)?;
        space.reset_watch(vad, range)
    }
}

impl Space {
    fn watched(&mut self, base: u64, size: u64) -> NtResult<(Index, VirtRange)> {
        if base > super::HIGHEST_USER_ADDRESS {
            return Err(NtStatus::INVALID_PARAMETER_2);
        }
        if size == 0 || size > super::HIGHEST_USER_ADDRESS + 1 - base {
            return Err(NtStatus::INVALID_PARAMETER_3);
        }
        self.tables()?;
        let range = page_range(base, size);
        let vad = self.find_vad(range.start.0);
        let vad = vad
            .filter(|vad| self.range(*vad).end.0 >= range.end.0)
            .filter(|vad| self.vads.get(*vad).is_some_and(|vad| vad.watch().is_some()))
            .ok_or(NtStatus::INVALID_PARAMETER_1)?;
        Ok((vad, range))
    }

    fn reset_watch(&mut self, vad: Index, range: VirtRange) -> NtResult {
        // First nobody can write unnoticed, then the record is cleared.
        self.tables()?
            .protect(range, &mut |_, _, protection| protection.without_write());
        if let Some(watch) = self.vads.get_mut(vad).and_then(|vad| vad.watch_mut()) {
            watch.forget(range.start.0, range.end.0);
        }
        Ok(())
    }
}
