//! Stacks of user threads: reserved whole, committed at the top, with a guard page by which they grow.
//!
//! ```text
//! allocation_base            limit                            base
//!   | reserved ......... | guard | committed ................... |
//! ```

use arch::contract::{PAGE_SIZE, VirtRange};
use nt_abi::{NtResult, NtStatus};

/// What a stack has if neither the caller nor the image says it: 1 MiB, of which a page is committed.
pub const DEFAULT_RESERVE: u64 = 1 << 20;
/// The smallest stack: the lowest page that is never touched, the guard page, and one to use.
const SMALLEST: u64 = 3 * PAGE_SIZE;
/// Stacks are reserved in these units.
const GRANULARITY: u64 = 1 << 16;

/// How large a stack is to be, in bytes; 0: as the image says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StackRequest {
    /// All of it.
    pub reserve: u64,
    /// What is committed at once.
    pub commit: u64,
    /// How many of an address's highest bits are to be zero, or a mask, as for `NtAllocateVirtualMemory`.
    pub zero_bits: u64,
}

/// Where a stack is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserStack {
    /// Where its addresses begin.
    pub allocation_base: u64,
    /// The lowest address that can be used without growing.
    pub limit: u64,
    /// Above its highest address.
    pub base: u64,
}

impl UserStack {
    /// How much of a stack is reserved and committed.
    ///
    /// # NT
    /// `RtlCreateUserStack`: what is reserved is at least what is committed, in units of 64 KiB.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for sizes that no address space has.
    #[doc(alias = "RtlCreateUserStack")]
    pub fn sizes(request: &StackRequest, image: (u64, u64)) -> NtResult<(u64, u64)> {
        let (image_reserve, image_commit) = image;
        let or = |value: u64, otherwise: u64| if value == 0 { otherwise } else { value };
        let commit = or(request.commit, image_commit).max(PAGE_SIZE);
        let reserve = or(request.reserve, or(image_reserve, DEFAULT_RESERVE));
        let commit = commit
            .checked_next_multiple_of(PAGE_SIZE)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        let needed = commit.saturating_add(2 * PAGE_SIZE).max(SMALLEST);
        let reserve = reserve
            .max(needed)
            .checked_next_multiple_of(GRANULARITY)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        Ok((reserve, commit))
    }

    /// The stack that has those addresses, of which so many bytes are committed.
    pub fn at(reserved: VirtRange, commit: u64) -> Self {
        Self {
            allocation_base: reserved.start.0,
            limit: reserved.end.0 - commit,
            base: reserved.end.0,
        }
    }
}
