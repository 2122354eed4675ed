//! Changed pages of a file are written to it.

use core::ops::Range;

use arch::contract::{FrameNumber, PAGE_BYTES, PAGE_SIZE};
use arch::memory::user_frame;
use ex::pool::{PoolTag, PoolVec};
use nt_abi::{NtResult, NtStatus};

use super::content::{Backing, Content};
use crate::frames;
use crate::pte::Pte;

impl Content {
    /// Writes a page of a file.
    pub(crate) fn write_to_file(&self, page: u32, bytes: &[u8]) -> NtResult {
        let Backing::Data(file) = &self.backing else {
            return Ok(());
        };
        let offset = u64::from(page) * PAGE_SIZE;
        // What a page has behind the file's end is nobody's.
        let rest = file.size().saturating_sub(offset);
        let length = usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len());
        let mut done = 0;
        while done < length {
            match file.write(offset + done as u64, &bytes[done..length])? {
                0 => return Err(NtStatus::UNEXPECTED_IO_ERROR),
                count => done += count,
            }
        }
        Ok(())
    }

    /// Writes pages of a file that were changed, as far as they are in memory. `clean` says whether a page that is shown
    /// somewhere is the file's again: nobody can write it unnoticed.
    ///
    /// # Errors
    /// The first that the file gave; the other pages are written nevertheless.
    pub(crate) fn flush(
        &mut self,
        pages: Range<u32>,
        clean: &mut dyn FnMut(u32, FrameNumber) -> bool,
    ) -> NtResult {
        if !matches!(self.backing, Backing::Data(_)) {
            return Ok(());
        }
        let mut buffer = PoolVec::new(PoolTag(*b"MmBf"));
        buffer.resize(PAGE_BYTES, 0)?;
        let mut result = Ok(());
        for page in pages {
            let Pte::Paged {
                frame: Some(hint), ..
            } = self.prototypes.get(page)
            else {
                continue;
            };
            let Some(revived) = frames::revive(hint, self.owner(page)) else {
                continue;
            };
            if revived.modified {
                let frame = revived.frame;
                let cleaned = clean(page, frame);
                if cleaned {
                    frames::set_modified(frame, false);
                }
                let written = user_frame::read(frame, 0, &mut buffer)
                    .map_err(|_| NtStatus::UNEXPECTED_IO_ERROR)
                    .and_then(|()| self.write_to_file(page, &buffer));
                if written.is_err() {
                    frames::set_modified(frame, true);
                    result = result.and(written);
                }
            }
            frames::leave(revived.frame);
        }
        result
    }
}
