//! Services of memory and sections.
//!
//! The order in which the arguments are looked at is Windows': what needs no memory first, then what is behind
//! addresses, then the range, then handles.
//!
//! | file | services |
//! |---|---|
//! | `allocate` | reserving, committing, freeing, protecting |
//! | `copy` | other processes' memory |
//! | `pages` | locking, advice, write watches, caches |
//! | `parameters` | the further parameters of newer services |
//! | `query` | what is at an address |
//! | `section` | sections |
//! | `view` | views of sections |

mod allocate;
mod copy;
mod pages;
mod parameters;
mod query;
mod section;
mod view;

pub(crate) use allocate::*;
pub(crate) use copy::*;
pub(crate) use pages::*;
pub(crate) use query::*;
pub(crate) use section::*;
pub(crate) use view::*;

use arch::contract::VirtRange;
use mm::address_space::HIGHEST_USER_ADDRESS;
use nt_abi::services::arguments::{InOut, Size, UserAddress};
use nt_abi::{NtResult, NtStatus};

use crate::capture::{Pointer, probe_and_read};

/// Reads base and size of a range that the service writes back.
fn capture_range(base: InOut<UserAddress>, size: InOut<Size>) -> NtResult<(u64, u64)> {
    // One look at each tells that it can be written, and what it is.
    let base = probe_and_read(base.address())?;
    Ok((base, probe_and_read(size.address())?))
}

/// Writes back the range that was meant.
fn write_range(base: InOut<UserAddress>, size: InOut<Size>, range: VirtRange) -> NtResult {
    size.write(&range.length())?;
    base.write(&range.start.0)
}

/// Whether a range is in the user half; else the status for its base or for its size.
fn check_range(base: u64, size: u64, of_base: NtStatus, of_size: NtStatus) -> NtResult {
    if base > HIGHEST_USER_ADDRESS {
        return Err(of_base);
    }
    if size > HIGHEST_USER_ADDRESS + 1 - base {
        return Err(of_size);
    }
    Ok(())
}
