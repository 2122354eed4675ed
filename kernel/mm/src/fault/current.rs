//! Whose fault it is that meets a copy from or to user memory.

use arch::contract::{Access, VirtAddr};

use super::{FaultOutcome, UserStack, resolve};
use crate::address_space::{AddressSpace, is_user};

/// How the fault handler finds out whose fault it is that meets a copy from or to user memory.
#[derive(Clone, Copy)]
pub struct CurrentProcess {
    /// The address space that the calling thread uses.
    pub space: fn() -> Option<&'static AddressSpace>,
    /// The user stack of the calling thread.
    pub stack: fn() -> Option<UserStack>,
    /// Writes `StackLimit` to its TEB.
    pub set_stack_limit: fn(u64),
}

static CURRENT: spin::Once<CurrentProcess> = spin::Once::new();

/// Names who knows the current process, and begins to resolve the faults of copies from and to user memory. The first
/// call counts.
pub fn set_current_process(current: CurrentProcess) {
    CURRENT.call_once(|| current);
    ke::exception::set_pager(page_in);
}

/// A copy from or to user memory met a fault; true if it can be tried again.
fn page_in(address: VirtAddr, access: Access) -> bool {
    let Some(current) = CURRENT.get() else {
        return false;
    };
    let Some(space) = (current.space)().filter(|_| is_user(address.0)) else {
        return false;
    };
    match resolve(space, address, access, &current.stack) {
        FaultOutcome::Resolved => true,
        FaultOutcome::StackGrown { limit } => {
            (current.set_stack_limit)(limit);
            true
        }
        FaultOutcome::StackOverflow { limit } => {
            (current.set_stack_limit)(limit);
            false
        }
        FaultOutcome::Failed(_) | FaultOutcome::InPageError(_) => false,
    }
}
