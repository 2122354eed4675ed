//! From one form of descriptor to the other.
//!
//! A self-relative one is one piece: its structure, then SACL, DACL, owner and group, each at a multiple of 4. Parts are
//! copied as long as their own headers say; they are not checked, as NT does not.

use c_interface::{Ptr, blocks, exports};
#[cfg(target_pointer_width = "32")]
use nt_abi::security::SecurityDescriptor32 as Absolute;
#[cfg(target_pointer_width = "64")]
use nt_abi::security::SecurityDescriptor64 as Absolute;
use nt_abi::security::{
    DescriptorControl, SECURITY_DESCRIPTOR_REVISION, SecurityDescriptorRelative,
};
use nt_abi::{NtResult, NtStatus};
use zerocopy::FromZeros;

use super::descriptors::{ABSOLUTE, Parts, RELATIVE};
use super::{length, put, room, status};

/// Writes parts as a self-relative descriptor, for which there is room.
fn write_relative(parts: Parts, to: Ptr<u8>) {
    let mut offsets = [0; 4];
    let mut at = RELATIVE;
    for (bytes, offset) in parts.bytes().into_iter().zip(&mut offsets) {
        if !bytes.is_empty() {
            let end = bytes.len().next_multiple_of(4);
            put(to.byte_add(at), bytes);
            to.byte_add(at + bytes.len()).fill(0, end - bytes.len());
            *offset = length(at);
            at += end;
        }
    }
    let [sacl, dacl, owner, group] = offsets;
    to.cast().write(SecurityDescriptorRelative {
        revision: SECURITY_DESCRIPTOR_REVISION,
        resource_manager_control: parts.resource_manager_control,
        control: parts.control | DescriptorControl::SELF_RELATIVE,
        owner,
        group,
        sacl,
        dacl,
    });
}

/// Makes a self-relative copy in room of a caller's, or says how much it needs.
fn make_relative(descriptor: Ptr<u8>, to: Ptr<u8>, size: Ptr<u32>) -> NtResult {
    let parts = Parts::of(descriptor);
    let needed = length(RELATIVE + parts.total());
    if size.read() < needed {
        size.write(needed);
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    write_relative(parts, to);
    size.write(needed);
    Ok(())
}

/// A self-relative copy in a block of the heap.
fn copy(descriptor: Ptr<u8>) -> NtResult<Ptr<u8>> {
    let parts = Parts::of(descriptor);
    let block = blocks::allocate(RELATIVE + parts.total()).ok_or(NtStatus::NO_MEMORY)?;
    write_relative(parts, block);
    Ok(block)
}

/// The bits of an absolute descriptor made of parts.
fn absolute_of(parts: Parts) -> Absolute {
    Absolute {
        revision: SECURITY_DESCRIPTOR_REVISION,
        resource_manager_control: parts.resource_manager_control,
        control: parts.control.difference(DescriptorControl::SELF_RELATIVE),
        ..Absolute::new_zeroed()
    }
}

/// Where parts go, and how much room there is for each.
struct Target {
    at: Ptr<u8>,
    size: Ptr<u32>,
}

/// Takes a self-relative descriptor apart.
fn take_apart(descriptor: Ptr<u8>, own: &Target, lists: [Target; 4]) -> NtResult {
    let parts = Parts::of(descriptor);
    if !parts.has(DescriptorControl::SELF_RELATIVE) {
        return Err(NtStatus::BAD_DESCRIPTOR_FORMAT);
    }
    let bytes = parts.bytes();
    let lengths = bytes.map(<[u8]>::len);
    let fits = |target: &Target, needed: usize| room(target.size.read()) >= needed;
    let all_fit = lists
        .iter()
        .zip(lengths)
        .all(|(list, needed)| fits(list, needed));
    if !all_fit || !fits(own, ABSOLUTE) {
        own.size.write(length(ABSOLUTE));
        for (list, needed) in lists.iter().zip(lengths) {
            list.size.write(length(needed));
        }
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    let mut absolute = absolute_of(parts);
    let [sacl, dacl, owner, group] = lists.map(|list| list.at);
    for (field, at, bytes) in [
        (&mut absolute.sacl, sacl, bytes[0]),
        (&mut absolute.dacl, dacl, bytes[1]),
        (&mut absolute.owner, owner, bytes[2]),
        (&mut absolute.group, group, bytes[3]),
    ] {
        if !bytes.is_empty() {
            put(at, bytes);
            *field = at.raw();
        }
    }
    own.at.cast().write(absolute);
    Ok(())
}

/// Makes a self-relative descriptor absolute where it lies.
fn make_absolute(descriptor: Ptr<u8>, size: Ptr<u32>) -> NtResult {
    if descriptor.is_null() {
        return Err(NtStatus::INVALID_PARAMETER_1);
    }
    if size.is_null() {
        return Err(NtStatus::INVALID_PARAMETER_2);
    }
    let parts = Parts::of(descriptor);
    if !parts.has(DescriptorControl::SELF_RELATIVE) {
        return Err(NtStatus::BAD_DESCRIPTOR_FORMAT);
    }
    let places = [parts.sacl, parts.dacl, parts.owner, parts.group];
    let end_of = |(at, bytes): (Ptr<u8>, &[u8])| at.address() + bytes.len() - descriptor.address();
    let used = places
        .into_iter()
        .zip(parts.bytes())
        .filter(|(at, _)| !at.is_null());
    let end = used.map(end_of).max().unwrap_or(RELATIVE);
    let more = ABSOLUTE - RELATIVE;
    if room(size.read()) < end + more {
        size.write(length(end + more));
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    let behind = descriptor.byte_add(RELATIVE);
    behind.byte_add(more).copy_from(behind, end - RELATIVE);
    let moved = |at: Ptr<u8>| at.non_null().map_or(0, |at| at.byte_add(more).raw());
    descriptor.cast().write(Absolute {
        owner: moved(parts.owner),
        group: moved(parts.group),
        sacl: moved(parts.sacl),
        dacl: moved(parts.dacl),
        ..absolute_of(parts)
    });
    Ok(())
}

exports! {
    /// Copies a descriptor of either form as a self-relative one.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL` with the size that is needed.
    fn RtlMakeSelfRelativeSD(descriptor: Ptr<u8>, to: Ptr<u8>, size: Ptr<u32>) -> NtStatus {
        status(make_relative(descriptor, to, size))
    }

    /// Copies an absolute descriptor as a self-relative one.
    ///
    /// # Errors
    /// `BAD_DESCRIPTOR_FORMAT` for a self-relative one, `BUFFER_TOO_SMALL` with the size that is needed.
    fn RtlAbsoluteToSelfRelativeSD(descriptor: Ptr<u8>, to: Ptr<u8>, size: Ptr<u32>) -> NtStatus {
        if Parts::of(descriptor).has(DescriptorControl::SELF_RELATIVE) {
            return NtStatus::BAD_DESCRIPTOR_FORMAT;
        }
        status(make_relative(descriptor, to, size))
    }

    /// Copies a self-relative descriptor as an absolute one, whose parts go where the caller says.
    ///
    /// # Errors
    /// `BAD_DESCRIPTOR_FORMAT` for an absolute one, `BUFFER_TOO_SMALL` with all sizes that are needed.
    fn RtlSelfRelativeToAbsoluteSD(
        descriptor: Ptr<u8>,
        to: Ptr<u8>,
        size: Ptr<u32>,
        dacl: Ptr<u8>,
        dacl_size: Ptr<u32>,
        sacl: Ptr<u8>,
        sacl_size: Ptr<u32>,
        owner: Ptr<u8>,
        owner_size: Ptr<u32>,
        group: Ptr<u8>,
        group_size: Ptr<u32>,
    ) -> NtStatus {
        let target = |at, size| Target { at, size };
        let lists = [
            target(sacl, sacl_size),
            target(dacl, dacl_size),
            target(owner, owner_size),
            target(group, group_size),
        ];
        status(take_apart(descriptor, &target(to, size), lists))
    }

    /// Makes a self-relative descriptor absolute where it lies; its parts move up where the structure is longer.
    ///
    /// # Errors
    /// `BAD_DESCRIPTOR_FORMAT` for an absolute one, `BUFFER_TOO_SMALL` with the size that is needed.
    fn RtlSelfRelativeToAbsoluteSD2(descriptor: Ptr<u8>, size: Ptr<u32>) -> NtStatus {
        status(make_absolute(descriptor, size))
    }

    /// Copies a descriptor to a block of the process heap, self-relative.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn RtlCopySecurityDescriptor(descriptor: Ptr<u8>, made: Ptr<usize>) -> NtStatus {
        status(copy(descriptor).map(|block| made.write(block.address())))
    }
}
