//! Identifiers that are given out once: LUIDs, and the parts of which user mode makes UUIDs.

use core::sync::atomic::{AtomicU64, Ordering};

use nt_abi::{NtResult, NtStatus};

use crate::mutex::FastMutex;

/// The lowest LUID that is given out; those below are well known.
const FIRST_LUID: u64 = 1001;

/// Gives out an identifier that no other has until the machine is restarted.
#[doc(alias = "NtAllocateLocallyUniqueId")]
pub fn allocate_luid() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(FIRST_LUID);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A range of times, each of which is one UUID's of version 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UuidRange {
    /// The first time, in 100 ns since 15 October 1582.
    pub start: u64,
    /// How many there are.
    pub count: u32,
    /// The clock sequence, which changes when the clock is set back.
    pub sequence: u32,
    /// The node.
    pub node: [u8; 6],
}

struct Uuids {
    last: u64,
    sequence: u32,
    node: [u8; 6],
}

static UUIDS: FastMutex<Uuids> = FastMutex::new(Uuids {
    last: 0,
    sequence: 0,
    node: [0; 6],
});

/// Names node and clock sequence: what no other machine has, and what was not used before.
#[doc(alias = "NtSetUuidSeed")]
pub fn set_uuid_seed(node: [u8; 6], sequence: u32) {
    let mut uuids = UUIDS.acquire();
    uuids.node = node;
    uuids.sequence = sequence;
}

/// Gives out a range of UUIDs.
///
/// # IRQL
/// At most Apc.
///
/// # Errors
/// `RETRY` if they were given out faster than time passes: a little later there are more.
#[doc(alias = "NtAllocateUuids")]
pub fn allocate_uuids() -> NtResult<UuidRange> {
    /// From 15 October 1582 to 1601, in 100 ns.
    const GREGORIAN: u64 = 18 * 365 * 864_000_000_000 + (4 + 17 + 30 + 31) * 864_000_000_000;
    /// The most that are given out at once.
    const MOST: u64 = 10_000;
    let now = ke::clock::system_time().saturating_add(GREGORIAN);
    let mut uuids = UUIDS.acquire();
    if now < uuids.last && uuids.last - now > MOST {
        // The clock was set back.
        uuids.sequence = uuids.sequence.wrapping_add(1);
        uuids.last = now.saturating_sub(MOST);
    }
    let start = uuids.last.max(now.saturating_sub(MOST)) + 1;
    let count = (now + 1).saturating_sub(start);
    if count == 0 {
        return Err(NtStatus::RETRY);
    }
    uuids.last = now;
    Ok(UuidRange {
        start,
        count: u32::try_from(count).unwrap_or(u32::MAX),
        sequence: uuids.sequence,
        node: uuids.node,
    })
}
