//! User stacks grow by their guard page.
//!
//! # NT
//! `MiCheckForUserStackOverflow`.

use arch::contract::PAGE_SIZE;
use nt_abi::NtStatus;
use nt_abi::memory::{AllocationType, PageProtection};

use super::FaultOutcome;
use crate::address_space::{AddressSpace, Allocation, Limits};

/// A thread's user stack, as its TEB has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserStack {
    /// `StackBase`: the first address above it.
    pub base: u64,
    /// `DeallocationStack`: where its addresses begin.
    pub deallocation_base: u64,
    /// `GuaranteedStackBytes`: what must be left when an overflow is reported.
    pub guaranteed: u64,
}

/// What is left in any case: so much ntdll takes to bring an exception to a handler and to unwind to it, contexts of a
/// kilobyte each included.
///
/// # Differs
/// Windows leaves two pages; a program sees no difference but a stack that ends earlier.
const LEAST_GUARANTEED: u64 = 8 * PAGE_SIZE;

/// A guard page was met: if it is the lowest page of a stack's, the stack grows by it. Gives the new limit.
pub(super) fn grow_stack(
    space: &AddressSpace,
    page: u64,
    stack: Option<UserStack>,
) -> Result<u64, FaultOutcome> {
    let violation = FaultOutcome::Failed(NtStatus::GUARD_PAGE_VIOLATION);
    let stack = stack.ok_or(violation)?;
    if !(stack.deallocation_base..stack.base).contains(&page) {
        return Err(violation);
    }
    let guaranteed = stack.guaranteed.next_multiple_of(PAGE_SIZE);
    let guaranteed = guaranteed.max(LEAST_GUARANTEED);
    let lowest = stack.deallocation_base + PAGE_SIZE;
    let commit = |base, size, protection| {
        space.allocate(&Allocation {
            base,
            size,
            zero_bits: 0,
            kind: AllocationType::COMMIT,
            protection,
            limits: Limits::ANYWHERE,
        })
    };
    let next = page.saturating_sub(PAGE_SIZE);
    if next <= lowest.saturating_add(guaranteed) {
        // No room is left for another guard page: what remains above the lowest page is for who handles the overflow.
        let last = page.saturating_sub(lowest);
        let limit = match last {
            0 => page,
            _ => match commit(lowest, last, PageProtection::READWRITE) {
                Ok(_) => lowest,
                Err(_) => page,
            },
        };
        return Err(FaultOutcome::StackOverflow { limit });
    }
    let guard = PageProtection::READWRITE | PageProtection::GUARD;
    match commit(next, PAGE_SIZE, guard) {
        Ok(_) => Ok(page),
        Err(_) => Err(FaultOutcome::StackOverflow { limit: page }),
    }
}
