//! To read and write another process's memory.
//!
//! The other process need not run meanwhile: its pages are brought in under its lock and copied by frame, a page at a
//! time, without its tables becoming this processor's.

use arch::contract::{Access, PAGE_BYTES, PAGE_SIZE};
use arch::memory::user_frame;
use nt_abi::{NtResult, NtStatus};

use super::AddressSpace;
use super::free::page_of;
use super::query::is_user;
use crate::fault;

/// How far a copy came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Bytes that were copied.
    pub count: usize,
    /// `SUCCESS`, or `PARTIAL_COPY` if these are not all.
    pub status: NtStatus,
}

impl AddressSpace {
    /// Reads memory of the process as far as it can be read.
    ///
    /// # NT
    /// `MmCopyVirtualMemory`, for `NtReadVirtualMemory`: "ReadProcessMemory function".
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtReadVirtualMemory")]
    pub fn read(&self, from: u64, into: &mut [u8]) -> Copied {
        let mut rest = into;
        self.for_each_piece(
            from,
            rest.len(),
            Access::Read,
            &mut |frame, offset, length| {
                let (now, later) = core::mem::take(&mut rest).split_at_mut(length);
                rest = later;
                user_frame::read(frame, offset, now).map_err(|_| NtStatus::ACCESS_VIOLATION)
            },
        )
    }

    /// Writes memory of the process as far as it can be written.
    ///
    /// # NT
    /// `MmCopyVirtualMemory`, for `NtWriteVirtualMemory`: "WriteProcessMemory function". Its caller makes pages that are
    /// not writable so for the time of the call, as Windows does.
    ///
    /// # IRQL
    /// At most Apc.
    #[doc(alias = "NtWriteVirtualMemory")]
    pub fn write(&self, to: u64, from: &[u8]) -> Copied {
        let mut rest = from;
        self.for_each_piece(
            to,
            rest.len(),
            Access::Write,
            &mut |frame, offset, length| {
                let (now, later) = rest.split_at(length);
                rest = later;
                user_frame::write(frame, offset, now).map_err(|_| NtStatus::ACCESS_VIOLATION)
            },
        )
    }

    fn for_each_piece(
        &self,
        start: u64,
        length: usize,
        access: Access,
        piece: &mut dyn FnMut(arch::contract::FrameNumber, usize, usize) -> NtResult,
    ) -> Copied {
        let mut count = 0;
        while count < length {
            let copied = (start.checked_add(count as u64))
                .filter(|at| is_user(*at))
                .ok_or(NtStatus::ACCESS_VIOLATION)
                .and_then(|at| {
                    let offset = usize::try_from(at % PAGE_SIZE).unwrap_or(0);
                    let now = (PAGE_BYTES - offset).min(length - count);
                    self.with_page(at, access, &mut |frame| piece(frame, offset, now))?;
                    Ok(now)
                });
            match copied {
                Ok(now) => count += now,
                Err(_) => {
                    return Copied {
                        count,
                        status: NtStatus::PARTIAL_COPY,
                    };
                }
            }
        }
        Copied {
            count,
            status: NtStatus::SUCCESS,
        }
    }

    /// Does something with the frame of a page, which is brought in for that access.
    fn with_page(
        &self,
        address: u64,
        access: Access,
        with: &mut dyn FnMut(arch::contract::FrameNumber) -> NtResult,
    ) -> NtResult {
        let page = page_of(address);
        let mut attempts = fault::Attempts::new();
        loop {
            let mut space = self.lock();
            match fault::bring_in(&mut space, page, access) {
                Ok(()) => {}
                Err(problem) => {
                    drop(space);
                    if attempts.again_after(problem) {
                        continue;
                    }
                    return Err(problem.into());
                }
            }
            return match space.entry(page) {
                super::pages::PageEntry::Shown(frame) => with(frame),
                super::pages::PageEntry::Value(_) => Err(NtStatus::ACCESS_VIOLATION),
            };
        }
    }
}
