//! Stacks that programs make: reserved addresses, committed at the upper end, with a guard page by which they grow.

use c_interface::{Ptr, exports, field};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::native::{InitialTeb, Peb, Size};
use nt_abi::{NtResult, NtStatus};
use stubs::call::{CURRENT_PROCESS, NtAllocateVirtualMemory, NtFreeVirtualMemory};

use crate::{loading, process};

const PAGE: usize = 0x1000;
/// Addresses are reserved in units of 64 KiB.
const GRANULARITY: usize = 0x1_0000;
/// The pages besides what is committed that a stack has at least: the guard page, what its overflow is handled on, and the
/// lowest one, which is never used.
const SPARE: usize = 0x1_0000;

/// Sizes of a stack in bytes: what is reserved, and what of that is committed.
fn sizes(commit: usize, reserve: usize, page: usize, alignment: usize) -> NtResult<(usize, usize)> {
    let image = Ptr::at(field!(process::peb(), Peb, image_base_address).read());
    let image = loading::stack_of(image);
    let or = |value: usize, otherwise: Size| {
        if value == 0 {
            otherwise as usize
        } else {
            value
        }
    };
    let commit = or(commit, image.stack_commit).max(1);
    let too_large = NtStatus::INVALID_PARAMETER;
    let commit = commit
        .checked_next_multiple_of(page.max(PAGE))
        .ok_or(too_large)?;
    let least = commit.checked_add(SPARE).ok_or(too_large)?;
    let reserve = or(reserve, image.stack_reserve)
        .max(least)
        .checked_next_multiple_of(alignment.max(GRANULARITY))
        .ok_or(too_large)?;
    Ok((reserve, commit))
}

fn allocate(
    mut base: u64,
    bytes: usize,
    kind: AllocationType,
    access: PageProtection,
) -> NtResult<u64> {
    let mut size = bytes as u64;
    let status = NtAllocateVirtualMemory(
        CURRENT_PROCESS,
        &mut base,
        0_u64,
        &mut size,
        kind.0,
        access.0,
    );
    if status.is_success() {
        Ok(base)
    } else {
        Err(status)
    }
}

fn free(mut base: u64) -> NtStatus {
    let mut size = 0_u64;
    NtFreeVirtualMemory(
        CURRENT_PROCESS,
        &mut base,
        &mut size,
        AllocationType::RELEASE.0,
    )
}

/// Makes a stack of sizes that are multiples of a page.
fn make(reserve: usize, commit: usize) -> NtResult<InitialTeb> {
    let reserved = allocate(
        0,
        reserve,
        AllocationType::RESERVE,
        PageProtection::READWRITE,
    )?;
    let base = reserved + reserve as u64;
    let limit = base - commit as u64;
    let guard = PageProtection::READWRITE | PageProtection::GUARD;
    let committed = allocate(
        limit,
        commit,
        AllocationType::COMMIT,
        PageProtection::READWRITE,
    )
    .and_then(|_| allocate(limit - PAGE as u64, PAGE, AllocationType::COMMIT, guard));
    if let Err(status) = committed {
        let _freed = free(reserved);
        return Err(status);
    }
    Ok(InitialTeb {
        stack_base: base,
        stack_limit: limit,
        stack_allocation_base: reserved,
        ..InitialTeb::default()
    })
}

exports! {
    /// Makes a stack; sizes in bytes, 0 for those of the program's image.
    fn RtlCreateUserStack(
        commit: usize,
        reserve: usize,
        _zero_bits: usize,
        page: usize,
        alignment: usize,
        stack: Ptr<InitialTeb>,
    ) -> NtStatus {
        match sizes(commit, reserve, page, alignment).and_then(|(reserve, commit)| make(reserve, commit)) {
            Ok(made) => {
                stack.write(made);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Gives a stack back.
    fn RtlFreeUserStack(allocation_base: Ptr<u8>) {
        // What is no stack is nobody's memory either.
        let _ = free(allocation_base.raw());
    }
}
