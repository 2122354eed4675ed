//! Identifiers that are given out once.

use ::ex::identifier::{allocate_luid, allocate_uuids, set_uuid_seed};
use nt_abi::NtResult;
use nt_abi::NtStatus;
use nt_abi::security::Luid as LogonSession;
use nt_abi::services::arguments::{In, Luid, Out, UuidSeed};

use crate::Caller;
use crate::capture::Pointer;

/// The bytes of a node.
type Node = [u8; 6];

pub(crate) fn nt_allocate_locally_unique_id(_caller: &Caller<'_>, luid: Out<Luid>) -> NtResult {
    // A LUID is two numbers of 32 bits, and aligned like them.
    luid.probe::<[u32; 2]>()?;
    let id = allocate_luid();
    let [a, b, c, d, e, f, g, h] = id.to_le_bytes();
    luid.write(&[
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ])
}

pub(crate) fn nt_allocate_uuids(
    _caller: &Caller<'_>,
    time: Out<u64>,
    range: Out<u32>,
    sequence: Out<u32>,
    seed: Out<UuidSeed>,
) -> NtResult {
    time.probe::<u64>()?;
    range.probe::<u32>()?;
    sequence.probe::<u32>()?;
    seed.probe::<Node>()?;
    let given = allocate_uuids()?;
    time.write(&given.start)?;
    range.write(&given.count)?;
    sequence.write(&given.sequence)?;
    seed.write(&given.node)
}

/// Names the node that UUIDs are made from.
///
/// # Errors
/// `ACCESS_DENIED` unless the caller acts as the system; the probes' statuses.
pub(crate) fn nt_set_uuid_seed(caller: &Caller<'_>, seed: In<UuidSeed>) -> NtResult {
    let node: Node = seed.read()?;
    if caller.authentication_id() != LogonSession::SYSTEM {
        return Err(NtStatus::ACCESS_DENIED);
    }
    // What was given out with this node at an earlier start is not known: the time since then makes it another sequence.
    let [low, high, ..] = (::ke::clock::system_time() >> 20).to_le_bytes();
    set_uuid_seed(node, u32::from(u16::from_le_bytes([low, high]) & 0x3FFF));
    Ok(())
}
