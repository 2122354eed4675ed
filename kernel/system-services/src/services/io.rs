//! Services of I/O: completion ports.
//!
//! A port is a queue of packets with a limit on how many threads work on them at once (`ke`'s queue): it needs no files.

use alloc::collections::VecDeque;

use ex::QuotaKind;
use ke::SpinLock;
use ke::dispatcher::{Due, Event, EventKind, Queue};
use ke::wait::WaitOptions;
use nt_abi::access::AccessMask;
use nt_abi::object_information::{
    IoCompletionBasicInformation, IoCompletionInformationClass as Class,
};
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, FileIoCompletionInformation, Handle, In,
    IoCompletionInformationClass, IoStatusBlock, ObjectAttributes, OptionalIn, OptionalOut, Out,
    OutArray, OutBytes, Size, UserAddress,
};
use nt_abi::{NtResult, NtStatus, w64};

use super::ex::{Fixed, create_object, open_object};
use crate::Caller;
use crate::caller::due;
use crate::capture::{self, Pointer};
use crate::object_types::{Packet, Packets, PortBody};

/// The most packets that wait in one port.
const MOST_PACKETS: usize = 1 << 16;
/// Packets that the first buffer of a port has room for.
const FIRST_PACKETS: usize = 16;

impl PortBody {
    /// Puts a packet in.
    ///
    /// Nothing is allocated or freed under the lock: if there is no room, a larger buffer is made without it, and what
    /// waits moves over, if there is still none.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`; `INSUFFICIENT_RESOURCES`: there is no memory, or 65,536 packets wait.
    ///
    /// # Differs
    /// On NT a port takes packets as long as there is pool, and who puts one in is charged. Here it is the process that
    /// made the port, for the most room that was needed.
    pub(crate) fn insert(&self, packet: Packet) -> NtResult {
        let mut spare = Packets {
            list: VecDeque::new(),
            charge: None,
        };
        loop {
            let waiting = {
                let mut packets = self.packets.acquire();
                let waiting = packets.list.len();
                if waiting >= MOST_PACKETS {
                    return Err(NtStatus::INSUFFICIENT_RESOURCES);
                }
                if waiting == packets.list.capacity() && spare.list.capacity() > waiting {
                    spare.list.append(&mut packets.list);
                    core::mem::swap(&mut *packets, &mut spare);
                }
                if waiting < packets.list.capacity() {
                    packets.list.push_back(packet);
                    self.filled.set();
                    break;
                }
                waiting
            };
            let room = (waiting * 2).clamp(FIRST_PACKETS, MOST_PACKETS);
            let bytes = room * size_of::<Packet>();
            spare.charge = Some(self.quota.charge(QuotaKind::NonPagedPool, bytes as u64)?);
            spare.list = VecDeque::new();
            spare
                .list
                .try_reserve_exact(room)
                .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        }
        self.queue.insert();
        Ok(())
    }

    /// Takes the packet that came first, waiting for one.
    fn remove(&self, options: &WaitOptions) -> NtResult<Packet> {
        self.queue.remove(options)?;
        let mut packets = self.packets.acquire();
        let packet = packets.list.pop_front();
        if packets.list.is_empty() {
            self.filled.clear();
        }
        // The queue has as many entries as there are packets.
        packet.ok_or(NtStatus::UNSUCCESSFUL)
    }
}

pub(crate) fn nt_create_io_completion(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    concurrent_threads: u32,
) -> NtResult<NtStatus> {
    create_object(caller, handle, access, attributes.address(), || {
        Ok(PortBody {
            queue: Queue::new(concurrent_threads)?,
            packets: SpinLock::new(Packets {
                list: VecDeque::new(),
                charge: None,
            }),
            quota: caller.thread.process().quota().clone(),
            filled: Event::new(EventKind::Notification, false)?,
        })
    })
}

pub(crate) fn nt_open_io_completion(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<PortBody>(caller, handle, access, attributes)
}

/// Puts a packet into a port.
///
/// # Differs
/// A port in which 65,536 packets wait takes no more (`INSUFFICIENT_RESOURCES`).
pub(crate) fn nt_set_io_completion(
    caller: &Caller<'_>,
    io_completion: Handle,
    key_context: UserAddress,
    apc_context: UserAddress,
    io_status: NtStatus,
    io_status_information: Size,
) -> NtResult {
    let port =
        caller.reference::<PortBody>(io_completion, AccessMask::IO_COMPLETION_MODIFY_STATE)?;
    port.insert(Packet {
        key: key_context.0,
        value: apc_context.0,
        status: io_status.0,
        information: io_status_information.0,
    })
}

fn status_block(packet: &Packet) -> w64::IoStatusBlock {
    w64::IoStatusBlock {
        status: packet.status,
        reserved: 0,
        information: packet.information,
    }
}

pub(crate) fn nt_remove_io_completion(
    caller: &Caller<'_>,
    io_completion: Handle,
    key_context: Out<UserAddress>,
    apc_context: Out<UserAddress>,
    io_status: Out<IoStatusBlock>,
    timeout: OptionalIn<i64>,
) -> NtResult<NtStatus> {
    key_context.probe::<u64>()?;
    apc_context.probe::<u64>()?;
    io_status.probe::<w64::IoStatusBlock>()?;
    let timeout = due(timeout.read_optional()?);
    let port =
        caller.reference::<PortBody>(io_completion, AccessMask::IO_COMPLETION_MODIFY_STATE)?;
    let packet = port.remove(&WaitOptions::user(false, timeout))?;
    apc_context.write(&packet.value)?;
    key_context.write(&packet.key)?;
    io_status.write(&status_block(&packet))?;
    Ok(NtStatus::SUCCESS)
}

/// Takes as many packets as there are, at most `count`, waiting for the first one.
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_remove_io_completion_ex(
    caller: &Caller<'_>,
    io_completion: Handle,
    packets: OutArray<FileIoCompletionInformation>,
    count: u32,
    removed_count: Out<u32>,
    timeout: OptionalIn<i64>,
    alertable: Boolean,
) -> NtResult<NtStatus> {
    type Entry = w64::FileIoCompletionInformation;
    if count == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    removed_count.probe::<u32>()?;
    let place = |index: u32| {
        packets
            .address()
            .wrapping_add(u64::from(index) * size_of::<Entry>() as u64)
    };
    capture::probe_for_write::<Entry>(place(0))?;
    let timeout = due(timeout.read_optional()?);
    let port =
        caller.reference::<PortBody>(io_completion, AccessMask::IO_COMPLETION_MODIFY_STATE)?;
    let mut removed = 0;
    let mut options = WaitOptions::user(alertable.is_true(), timeout);
    while removed < count {
        // What could not be written is not taken.
        if removed > 0 && capture::probe_for_write::<Entry>(place(removed)).is_err() {
            break;
        }
        match port.remove(&options) {
            Ok(packet) => capture::write(
                place(removed),
                &Entry {
                    key_context: packet.key,
                    apc_context: packet.value,
                    io_status_block: status_block(&packet),
                },
            )?,
            Err(_) if removed > 0 => break,
            Err(status) => {
                removed_count.write(&0u32)?;
                return Err(status);
            }
        }
        removed += 1;
        options = WaitOptions::user(false, Some(Due::In(0)));
    }
    removed_count.write(&removed)?;
    Ok(NtStatus::SUCCESS)
}

pub(crate) fn nt_query_io_completion(
    caller: &Caller<'_>,
    io_completion: Handle,
    class: IoCompletionInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    if class.0 != Class::BASIC.0 {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    let answer = Fixed::new(information, length, return_length)?;
    let port =
        caller.reference::<PortBody>(io_completion, AccessMask::IO_COMPLETION_QUERY_STATE)?;
    answer.give(&IoCompletionBasicInformation {
        depth: port.queue.entries(),
    })
}
