//! What objects cost the process that makes them.
//!
//! Each type says how many bytes of pool one of its objects stands for, the descriptor comes on top, and the first
//! process that gets a handle is charged. What it was charged is kept in the object's header with a reference to whom,
//! and given back when the object ends, whoever has the last reference then.
//!
//! What a limit is, and who shares one, is the affair of `ps`, which brings a [`QuotaBlock`]. A table without one is
//! exempt.

use arch::counted::{Counted, Erased};
use nt_abi::{NtResult, NtStatus};

/// Bytes of the two pools.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Charge {
    /// Of paged pool.
    pub paged: usize,
    /// Of non-paged pool.
    pub non_paged: usize,
}

/// Somebody who can be charged.
///
/// # NT
/// `EPROCESS_QUOTA_BLOCK`.
pub trait QuotaBlock: Send + Sync + 'static {
    /// Charges, or refuses and charges nothing.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`.
    fn charge(&self, charge: Charge) -> NtResult;

    /// Gives back what was charged.
    fn give_back(&self, charge: Charge);
}

/// What a reference to a block of forgotten type remembers: how to get at it.
struct Shape {
    block: fn(&Erased<Shape>) -> Option<&dyn QuotaBlock>,
}

/// A reference to a [`QuotaBlock`].
#[derive(Clone)]
pub struct Quota(Erased<Shape>);

impl Quota {
    /// Makes a block shared.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn new<B: QuotaBlock>(block: B) -> NtResult<Self> {
        let shape = Shape {
            block: |quota| quota.body::<B>().map(|block| block as &dyn QuotaBlock),
        };
        let quota = Counted::new(shape, block).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        Ok(Self(Counted::erase(quota)))
    }

    fn block(&self) -> Option<&dyn QuotaBlock> {
        (self.0.head().block)(&self.0)
    }

    /// Charges.
    ///
    /// # Errors
    /// As [`QuotaBlock::charge`].
    pub(crate) fn charge(&self, charge: Charge) -> NtResult<Charged> {
        if let Some(block) = self.block() {
            block.charge(charge)?;
        }
        Ok(Charged {
            quota: self.clone(),
            charge,
        })
    }
}

/// What was charged, and to whom.
pub(crate) struct Charged {
    quota: Quota,
    charge: Charge,
}

impl Charged {
    pub(crate) fn charge(&self) -> Charge {
        self.charge
    }

    pub(crate) fn give_back(self) {
        if let Some(block) = self.quota.block() {
            block.give_back(self.charge);
        }
    }
}
