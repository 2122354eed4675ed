//! Tests of whole services on the simulated machine.

mod contention;
mod environments;
mod faults;
mod images;
mod memory;
mod model;
mod placeholders;
mod private;
mod sections;

use arch::contract::{Access, VirtAddr};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};

use crate::address_space::{Allocation, FreeKind, Limits, ThreadRoom};
use crate::{AddressSpace, AddressSpaceHandle, FaultOutcome, SpaceOptions, UserStack, frames};

pub(super) const COMMIT: u32 = 0x1000;
pub(super) const RESERVE: u32 = 0x2000;
pub(super) const RW: u32 = 0x04;
pub(super) const RO: u32 = 0x02;
pub(super) const NA: u32 = 0x01;

pub(super) fn new_space() -> AddressSpaceHandle {
    AddressSpaceHandle::create(&SpaceOptions::default()).expect("there is memory")
}

pub(super) fn request(base: u64, size: u64, kind: u32, protection: u32) -> Allocation {
    Allocation {
        base,
        size,
        zero_bits: 0,
        kind: AllocationType(kind),
        protection: PageProtection(protection),
        limits: Limits::ANYWHERE,
    }
}

/// Allocates; gives base and size.
pub(super) fn allocate(
    space: &AddressSpace,
    base: u64,
    size: u64,
    kind: u32,
    protection: u32,
) -> NtResult<(u64, u64)> {
    let range = space.allocate(&request(base, size, kind, protection))?;
    Ok((range.start.0, range.length()))
}

pub(super) fn release(space: &AddressSpace, base: u64) {
    space
        .free(base, 0, FreeKind::Release)
        .expect("it is an allocation");
}

/// How much a thread is to have.
pub(super) fn thread_room(reserve: u64, commit: u64, environment: u64) -> ThreadRoom {
    ThreadRoom {
        reserve,
        commit,
        zero_bits: 0,
        environment,
    }
}

/// State, protection and size of the region at an address.
pub(super) fn region(space: &AddressSpace, address: u64) -> (u32, u32, u64) {
    let region = space.query(address).expect("it is an address");
    (region.state.0, region.protection.0, region.size)
}

pub(super) fn fault(space: &AddressSpace, address: u64, access: Access) -> FaultOutcome {
    crate::resolve(space, VirtAddr(address), access, &|| None)
}

pub(super) fn touch(space: &AddressSpace, address: u64, access: Access) {
    assert_eq!(fault(space, address, access), FaultOutcome::Resolved);
}

pub(super) fn write(space: &AddressSpace, address: u64, bytes: &[u8]) {
    let copied = space.write(address, bytes);
    assert_eq!(
        (copied.count, copied.status),
        (bytes.len(), NtStatus::SUCCESS)
    );
}

pub(super) fn read<const N: usize>(space: &AddressSpace, address: u64) -> [u8; N] {
    let mut bytes = [0; N];
    let copied = space.read(address, &mut bytes);
    assert_eq!((copied.count, copied.status), (N, NtStatus::SUCCESS));
    bytes
}

/// A stack without a guarantee.
pub(super) fn stack(base: u64, deallocation_base: u64) -> Option<UserStack> {
    Some(UserStack {
        base,
        deallocation_base,
        guaranteed: 0,
    })
}

/// What must be as it was when everything that a test made is gone.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Balance {
    frames: u64,
    charged: u64,
    spaces: usize,
}

pub(super) fn balance() -> Balance {
    frames::lock().check().expect("the frames are sound");
    Balance {
        frames: frames::available(),
        charged: crate::commit::counts().charged,
        spaces: crate::address_space::in_use(),
    }
}
