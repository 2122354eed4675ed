//! What objects cost the process that makes them.
//!
//! Each type says how many bytes of pool one of its objects stands for, descriptor and name come on top, and the first
//! process that gets a handle is charged. What it was charged is kept in the object's header with a reference to whom,
//! and given back when the object ends, whoever has the last reference then. The pages of a handle table are charged
//! to its process too. A table without an [`ex::Quota`] is exempt.

use ex::{Quota, QuotaKind};
use nt_abi::NtResult;

use crate::header::Header;

/// Bytes of the two pools.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Charge {
    /// Of paged pool.
    pub paged: usize,
    /// Of non-paged pool.
    pub non_paged: usize,
}

/// Bytes of pool that an object with that body takes, and `more`: what the body has elsewhere.
///
/// For [`TypeDescription::non_paged_charge`](crate::TypeDescription::non_paged_charge).
#[must_use]
pub const fn object_size<T>(more: usize) -> u32 {
    /// The count of references, the body's type and its end, beside the header and the body.
    const COMMON: usize = 32;
    let bytes = COMMON + size_of::<Header>() + size_of::<T>() + more;
    if bytes > u32::MAX as usize {
        return u32::MAX;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it fits, as was just asked"
    )]
    {
        bytes as u32
    }
}

/// What was charged, and to whom.
pub(crate) struct Charged {
    quota: Quota,
    charge: Charge,
}

impl Charged {
    /// Charges.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`; nothing is charged then.
    pub(crate) fn take(quota: &Quota, charge: Charge) -> NtResult<Self> {
        let non_paged = quota.charge(QuotaKind::NonPagedPool, charge.non_paged as u64)?;
        quota.charge_for_good(QuotaKind::PagedPool, charge.paged as u64)?;
        non_paged.keep();
        Ok(Self {
            quota: quota.clone(),
            charge,
        })
    }

    pub(crate) fn charge(&self) -> Charge {
        self.charge
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        let (paged, non_paged) = (self.charge.paged as u64, self.charge.non_paged as u64);
        self.quota.give_back(QuotaKind::PagedPool, paged);
        self.quota.give_back(QuotaKind::NonPagedPool, non_paged);
    }
}
