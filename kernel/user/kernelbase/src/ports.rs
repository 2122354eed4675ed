//! Completion ports.

use nt_abi::native::{FileIoCompletionInformation, IoStatusBlock};
use ntdll_imports::{
    NULL, NtClose, NtCreateIoCompletion, NtRemoveIoCompletion, NtRemoveIoCompletionEx,
    NtSetIoCompletion,
};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::files::set;
use crate::nt_files::class;
use crate::objects::access;
use crate::structures::OverlappedEntry;
use crate::waits::Timeout;
use crate::wide;
use crate::win::*;

/// `IO_COMPLETION_ALL_ACCESS`.
const PORT_ALL: u32 = 0x1F_0003;

/// `FILE_COMPLETION_INFORMATION`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Completion {
    port: Handle,
    key: nt_abi::native::Size,
}

/// Makes a port, unless there is one, and has it hear of a file, if one is named.
fn create_port(file: Handle, port: Handle, key: usize, threads: u32) -> Win<Handle> {
    let is_new = port.is_null();
    if !is_new && file == Handle::INVALID {
        return Err(Error::INVALID_PARAMETER);
    }
    let mut made = port;
    if is_new {
        check(NtCreateIoCompletion(
            &mut made,
            access(PORT_ALL),
            NULL,
            threads,
        ))?;
    }
    if file == Handle::INVALID {
        return Ok(made);
    }
    let completion = Completion {
        port: made,
        key: key as nt_abi::native::Size,
    };
    set(file, class::COMPLETION, &completion).inspect_err(|_| {
        if is_new {
            let _closed = NtClose(made);
        }
    })?;
    Ok(made)
}

/// Takes a packet from a port. What a packet says went wrong is told as a failure that has a packet.
fn take(
    port: Handle,
    bytes: Ptr<u32>,
    key: Ptr<usize>,
    overlapped: Ptr<usize>,
    milliseconds: u32,
) -> Win {
    let mut outcome = IoStatusBlock::default();
    let (mut found_key, mut context) = (0_usize, 0_usize);
    let timeout = Timeout::new(milliseconds);
    overlapped.write(0);
    let status = NtRemoveIoCompletion(
        port,
        &mut found_key,
        &mut context,
        &mut outcome,
        timeout.place(),
    );
    if status == NtStatus::TIMEOUT {
        // `WAIT_TIMEOUT`.
        return Err(Error(258));
    }
    check(status)?;
    key.write(found_key);
    overlapped.write(context);
    bytes.write(u32::try_from(outcome.information).unwrap_or(u32::MAX));
    check(NtStatus(outcome.status))
}

fn take_several(
    port: Handle,
    into: Ptr<OverlappedEntry>,
    count: u32,
    taken: Ptr<u32>,
    milliseconds: u32,
    alertable: bool,
) -> Win {
    let mut packets = alloc::vec::Vec::new();
    packets
        .try_reserve_exact(count as usize)
        .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
    packets.resize(count as usize, FileIoCompletionInformation::default());
    let timeout = Timeout::new(milliseconds);
    let mut removed = 0_u32;
    let place = wide::place(&mut packets);
    let status =
        NtRemoveIoCompletionEx(port, place, count, &mut removed, timeout.place(), alertable);
    taken.write(removed);
    if status == NtStatus::TIMEOUT {
        return Err(Error(258));
    }
    if status == NtStatus::USER_APC {
        // `WAIT_IO_COMPLETION`.
        return Err(Error(192));
    }
    check(status)?;
    for (index, packet) in packets.iter().take(removed as usize).enumerate() {
        into.add(index).write(OverlappedEntry {
            key: packet.key_context,
            overlapped: packet.apc_context,
            internal: nt_abi::native::Size::from(packet.io_status_block.status),
            bytes: u32::try_from(packet.io_status_block.information).unwrap_or(u32::MAX),
            ..OverlappedEntry::default()
        });
    }
    Ok(())
}

exports! {
    /// Makes a completion port, or has one hear of a file.
    fn CreateIoCompletionPort(file: Handle, port: Handle, key: usize, threads: u32) -> Handle {
        answer(create_port(file, port, key, threads), Handle::NULL)
    }

    /// Takes a packet from a port.
    fn GetQueuedCompletionStatus(port: Handle, bytes: Ptr<u32>, key: Ptr<usize>, overlapped: Ptr<usize>, milliseconds: u32) -> Bool {
        truth(take(port, bytes, key, overlapped, milliseconds))
    }

    /// Takes several packets from a port.
    fn GetQueuedCompletionStatusEx(port: Handle, into: Ptr<OverlappedEntry>, count: u32, taken: Ptr<u32>, milliseconds: u32, alertable: Bool) -> Bool {
        truth(take_several(port, into, count, taken, milliseconds, alertable != FALSE))
    }

    /// Puts a packet into a port.
    fn PostQueuedCompletionStatus(port: Handle, bytes: u32, key: Ptr<u8>, overlapped: Ptr<u8>) -> Bool {
        truth_of(NtSetIoCompletion(port, key, overlapped, NtStatus::SUCCESS, u64::from(bytes)))
    }
}
