//! Allocate, free, protect, query: what Microsoft's documentation says of them.

use nt_abi::NtStatus;
use nt_abi::memory::{AllocationType, PageProtection};

use super::*;

/// A step of a dialogue with the services.
enum Step {
    /// Base, size, kind, protection; base and size that come back, relative to nothing.
    Allocate(u64, u64, u32, u32, Result<(u64, u64), NtStatus>),
    /// Base, size, `true` to release; what comes back.
    Free(u64, u64, bool, Result<(u64, u64), NtStatus>),
    /// Base, size, protection; base, size and old protection that come back.
    Protect(u64, u64, u32, Result<(u64, u64, u32), NtStatus>),
    /// Address; base, allocation base, allocation protection, size, state, protection, type.
    Query(u64, (u64, u64, u32, u64, u32, u32, u32)),
}

use Step::{Allocate, Free, Protect, Query};

fn play(steps: &[Step]) {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Allocate(base, size, kind, protection, expected) => {
                assert_eq!(
                    allocate(&space, base, size, kind, protection),
                    expected,
                    "step {number}"
                );
            }
            Free(base, size, release, expected) => {
                let kind = if release {
                    FreeKind::Release
                } else {
                    FreeKind::Decommit
                };
                let freed = space
                    .free(base, size, kind)
                    .map(|range| (range.start.0, range.length()));
                assert_eq!(freed, expected, "step {number}");
            }
            Protect(base, size, protection, expected) => {
                let done = space
                    .protect(base, size, PageProtection(protection))
                    .map(|(range, old)| (range.start.0, range.length(), old.0));
                assert_eq!(done, expected, "step {number}");
            }
            Query(address, expected) => {
                let found = space.query(address).expect("it is an address");
                assert_eq!(
                    (
                        found.base,
                        found.allocation_base,
                        found.allocation_protection.0,
                        found.size,
                        found.state.0,
                        found.protection.0,
                        found.kind.0
                    ),
                    expected,
                    "step {number}"
                );
            }
        }
    }
    drop(space);
    assert_eq!(balance(), before);
}

const FREE: u32 = 0x1_0000;
const PRIVATE: u32 = 0x2_0000;
const TOP_DOWN: u32 = 0x10_0000;
const RESET: u32 = 0x8_0000;
const WATCH: u32 = 0x20_0000;
const EWC: u32 = 0x80;
const END: u64 = 0x7FFF_FFFF_0000;

/// "VirtualAlloc function": lpAddress, dwSize, flAllocationType; "VirtualQuery function".
#[test]
fn a_range_is_rounded_to_the_granularity_when_reserved_and_to_pages_when_committed() {
    play(&[
        Allocate(0x1234_5678, 0x1000, RESERVE, RW, Ok((0x1234_0000, 0x7000))),
        Query(
            0x1234_0000,
            (0x1234_0000, 0x1234_0000, RW, 0x7000, RESERVE, 0, PRIVATE),
        ),
        Query(
            0x1234_3FFF,
            (0x1234_3000, 0x1234_0000, RW, 0x4000, RESERVE, 0, PRIVATE),
        ),
        // Two bytes on two pages are two pages.
        Allocate(0x1234_1FFF, 2, COMMIT, RO, Ok((0x1234_1000, 0x2000))),
        Query(
            0x1234_0000,
            (0x1234_0000, 0x1234_0000, RW, 0x1000, RESERVE, 0, PRIVATE),
        ),
        Query(
            0x1234_1000,
            (0x1234_1000, 0x1234_0000, RW, 0x2000, COMMIT, RO, PRIVATE),
        ),
        Query(
            0x1234_3000,
            (0x1234_3000, 0x1234_0000, RW, 0x4000, RESERVE, 0, PRIVATE),
        ),
        // "An attempt to commit a page that is already committed does not cause the function to fail"; it gets the protection.
        Allocate(0x1234_2000, 0x1000, COMMIT, RW, Ok((0x1234_2000, 0x1000))),
        Query(
            0x1234_1000,
            (0x1234_1000, 0x1234_0000, RW, 0x1000, COMMIT, RO, PRIVATE),
        ),
        Query(
            0x1234_2000,
            (0x1234_2000, 0x1234_0000, RW, 0x1000, COMMIT, RW, PRIVATE),
        ),
        // What is reserved cannot be reserved; what is not, not committed; nor what is in two allocations.
        Allocate(
            0x1234_0000,
            0x1000,
            RESERVE,
            RW,
            Err(NtStatus::CONFLICTING_ADDRESSES),
        ),
        Allocate(
            0x1235_0000,
            0x1000,
            COMMIT,
            RW,
            Err(NtStatus::CONFLICTING_ADDRESSES),
        ),
        Allocate(
            0x1234_6000,
            0x2000,
            COMMIT,
            RW,
            Err(NtStatus::CONFLICTING_ADDRESSES),
        ),
        Free(0x1234_0000, 0, true, Ok((0x1234_0000, 0x7000))),
        Query(0, (0, 0, 0, 0x7FFE_0000, FREE, NA, 0)),
    ]);
}

/// "VirtualAlloc function", "NtAllocateVirtualMemory function": the places that the system chooses.
#[test]
fn the_system_chooses_multiples_of_the_granularity() {
    play(&[
        Allocate(0, 1, RESERVE, RW, Ok((0x1_0000, 0x1000))),
        // Without a base, to commit is to reserve too.
        Allocate(0, 0x1_0001, COMMIT, RW, Ok((0x2_0000, 0x1_1000))),
        Query(
            0x2_0000,
            (0x2_0000, 0x2_0000, RW, 0x1_1000, COMMIT, RW, PRIVATE),
        ),
        Query(0x3_1000, (0x3_1000, 0, 0, 0x7FFA_F000, FREE, NA, 0)),
        Allocate(0, 0x1000, RESERVE, RW, Ok((0x4_0000, 0x1000))),
        Allocate(
            0,
            0x1_0001,
            RESERVE | TOP_DOWN,
            NA,
            Ok((END - 0x2_0000, 0x1_1000)),
        ),
        Query(END - 1, (END - 0x1000, 0, 0, 0x1000, FREE, NA, 0)),
        Free(0x2_0000, 0, true, Ok((0x2_0000, 0x1_1000))),
        Allocate(0, 0x2_0000, RESERVE, RW, Ok((0x2_0000, 0x2_0000))),
        Allocate(0, END, RESERVE, RW, Err(NtStatus::NO_MEMORY)),
    ]);
}

/// "NtAllocateVirtualMemory function", "VirtualAlloc function", "Memory Protection Constants".
#[test]
fn what_makes_no_sense_is_refused() {
    const P: u32 = RESERVE | COMMIT;
    play(&[
        Allocate(0, 0, P, RW, Err(NtStatus::INVALID_PARAMETER_4)),
        Allocate(0x1_0000, END, P, RW, Err(NtStatus::INVALID_PARAMETER_4)),
        Allocate(0, u64::MAX, P, RW, Err(NtStatus::INVALID_PARAMETER_4)),
        Allocate(END, 1, P, RW, Err(NtStatus::INVALID_PARAMETER_2)),
        Allocate(u64::MAX, 1, P, RW, Err(NtStatus::INVALID_PARAMETER_2)),
        Allocate(0x1000, 0x1000, P, RW, Err(NtStatus::INVALID_PARAMETER)),
        Allocate(0, 1, 0, RW, Err(NtStatus::INVALID_PARAMETER_5)),
        Allocate(0, 1, TOP_DOWN, RW, Err(NtStatus::INVALID_PARAMETER_5)),
        Allocate(0, 1, P | 1, RW, Err(NtStatus::INVALID_PARAMETER_5)),
        Allocate(0, 1, COMMIT | RESET, RW, Err(NtStatus::INVALID_PARAMETER_5)),
        Allocate(0, 1, COMMIT | WATCH, RW, Err(NtStatus::INVALID_PARAMETER_5)),
        Allocate(0, 1, P | 0x2000_0000, RW, Err(NtStatus::PRIVILEGE_NOT_HELD)),
        Allocate(0, 1, P, 0, Err(NtStatus::INVALID_PAGE_PROTECTION)),
        Allocate(0, 1, P, 6, Err(NtStatus::INVALID_PAGE_PROTECTION)),
        Allocate(0, 1, P, 0x101, Err(NtStatus::INVALID_PAGE_PROTECTION)),
        Allocate(0, 1, P, 0x08, Err(NtStatus::INVALID_PAGE_PROTECTION)),
        Allocate(0, 1, P, EWC, Err(NtStatus::INVALID_PAGE_PROTECTION)),
        Protect(0, 1, 0, Err(NtStatus::INVALID_PAGE_PROTECTION)),
        Protect(0x1_0000, 0, RW, Err(NtStatus::INVALID_PARAMETER_3)),
        Protect(END, 1, RW, Err(NtStatus::INVALID_PARAMETER_2)),
        Protect(0x1_0000, END, RW, Err(NtStatus::INVALID_PARAMETER_3)),
        Protect(0x1_0000, 1, RW, Err(NtStatus::CONFLICTING_ADDRESSES)),
        Free(END, 0, true, Err(NtStatus::INVALID_PARAMETER_2)),
        Free(0x1_0000, END, true, Err(NtStatus::INVALID_PARAMETER_3)),
        Free(0x1_0000, 0, true, Err(NtStatus::MEMORY_NOT_ALLOCATED)),
    ]);
}

/// "VirtualFree function", "NtFreeVirtualMemory function".
#[test]
fn pages_are_decommitted_and_addresses_released_whole_or_in_part() {
    play(&[
        Allocate(0, 0x1_0000, RESERVE | COMMIT, RW, Ok((0x1_0000, 0x1_0000))),
        Free(0x1_2000, 0, false, Err(NtStatus::FREE_VM_NOT_AT_BASE)),
        Free(0x1_2000, 0, true, Err(NtStatus::FREE_VM_NOT_AT_BASE)),
        Free(0x1_F000, 0x2000, false, Err(NtStatus::UNABLE_TO_FREE_VM)),
        Free(0x1_F000, 0x2000, true, Err(NtStatus::UNABLE_TO_FREE_VM)),
        Free(0x1_2FFF, 2, false, Ok((0x1_2000, 0x2000))),
        Query(
            0x1_0000,
            (0x1_0000, 0x1_0000, RW, 0x2000, COMMIT, RW, PRIVATE),
        ),
        Query(
            0x1_2000,
            (0x1_2000, 0x1_0000, RW, 0x2000, RESERVE, 0, PRIVATE),
        ),
        Query(
            0x1_4000,
            (0x1_4000, 0x1_0000, RW, 0xC000, COMMIT, RW, PRIVATE),
        ),
        // To decommit what is not committed is no error.
        Free(0x1_2000, 0x1000, false, Ok((0x1_2000, 0x1000))),
        Protect(0x1_1000, 0x2000, RO, Err(NtStatus::NOT_COMMITTED)),
        Allocate(0x1_2000, 0x1000, COMMIT, RO, Ok((0x1_2000, 0x1000))),
        Query(
            0x1_2000,
            (0x1_2000, 0x1_0000, RW, 0x1000, COMMIT, RO, PRIVATE),
        ),
        // A part in the middle leaves two allocations.
        Free(0x1_5000, 0x3000, true, Ok((0x1_5000, 0x3000))),
        Query(
            0x1_3000,
            (0x1_3000, 0x1_0000, RW, 0x1000, RESERVE, 0, PRIVATE),
        ),
        Query(
            0x1_4000,
            (0x1_4000, 0x1_0000, RW, 0x1000, COMMIT, RW, PRIVATE),
        ),
        Query(0x1_5000, (0x1_5000, 0, 0, 0x3000, FREE, NA, 0)),
        Query(
            0x1_8000,
            (0x1_8000, 0x1_8000, RW, 0x8000, COMMIT, RW, PRIVATE),
        ),
        Free(0x1_8000, 0x1000, true, Ok((0x1_8000, 0x1000))),
        Query(
            0x1_9000,
            (0x1_9000, 0x1_9000, RW, 0x7000, COMMIT, RW, PRIVATE),
        ),
        Free(0x1_E000, 0x2000, true, Ok((0x1_E000, 0x2000))),
        Query(
            0x1_9000,
            (0x1_9000, 0x1_9000, RW, 0x5000, COMMIT, RW, PRIVATE),
        ),
        Free(0x1_9000, 0, false, Ok((0x1_9000, 0x5000))),
        Query(
            0x1_9000,
            (0x1_9000, 0x1_9000, RW, 0x5000, RESERVE, 0, PRIVATE),
        ),
    ]);
}

/// "VirtualProtect function".
#[test]
fn a_protection_belongs_to_each_page_and_the_first_ones_is_given() {
    play(&[
        Allocate(0, 0x6000, RESERVE | COMMIT, RW, Ok((0x1_0000, 0x6000))),
        Protect(0x1_1FFF, 2, RO, Ok((0x1_1000, 0x2000, RW))),
        Query(
            0x1_0000,
            (0x1_0000, 0x1_0000, RW, 0x1000, COMMIT, RW, PRIVATE),
        ),
        Query(
            0x1_1000,
            (0x1_1000, 0x1_0000, RW, 0x2000, COMMIT, RO, PRIVATE),
        ),
        Query(
            0x1_3000,
            (0x1_3000, 0x1_0000, RW, 0x3000, COMMIT, RW, PRIVATE),
        ),
        Protect(0x1_2000, 0x2000, 0x104, Ok((0x1_2000, 0x2000, RO))),
        Protect(0x1_2000, 0x1000, NA, Ok((0x1_2000, 0x1000, 0x104))),
        Protect(0x1_2000, 0x1000, 0x20, Ok((0x1_2000, 0x1000, NA))),
        Query(
            0x1_2000,
            (0x1_2000, 0x1_0000, RW, 0x1000, COMMIT, 0x20, PRIVATE),
        ),
        Query(
            0x1_3000,
            (0x1_3000, 0x1_0000, RW, 0x1000, COMMIT, 0x104, PRIVATE),
        ),
        Protect(0x1_0000, 0x7000, RW, Err(NtStatus::CONFLICTING_ADDRESSES)),
        Protect(
            0x1_0000,
            0x6000,
            0x08,
            Err(NtStatus::INVALID_PAGE_PROTECTION),
        ),
        Protect(0x1_0000, 0x6000, 0x40, Ok((0x1_0000, 0x6000, RW))),
        Query(
            0x1_0000,
            (0x1_0000, 0x1_0000, RW, 0x6000, COMMIT, 0x40, PRIVATE),
        ),
    ]);
}

#[test]
fn the_page_that_all_processes_share_is_where_windows_has_it() {
    let _machine = crate::testing::boot();
    let (one, two) = (new_space(), new_space());
    crate::shared_data::write(0x14, &[1, 2, 3]).expect("it is in the page");
    assert_eq!(read::<3>(&one, 0x7FFE_0014), [1, 2, 3]);
    assert_eq!(region(&one, 0x7FFE_0014), (COMMIT, RO, 0x1000));
    crate::shared_data::write(0x14, &[7]).expect("it is in the page");
    assert_eq!(read::<3>(&two, 0x7FFE_0014), [7, 2, 3]);
    assert_eq!(one.write(0x7FFE_0014, &[0]).status, NtStatus::PARTIAL_COPY);
    assert_eq!(
        one.free(0x7FFE_0000, 0, FreeKind::Release),
        Err(NtStatus::UNABLE_TO_DELETE_SECTION)
    );
}

/// `ZeroBits` of "NtAllocateVirtualMemory function", `MEM_ADDRESS_REQUIREMENTS` of "VirtualAlloc2 function".
#[test]
fn limits_of_addresses_are_kept() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let top_down = |zero_bits| {
        let mut request = request(0, 0x1000, RESERVE | TOP_DOWN, RW);
        request.zero_bits = zero_bits;
        space.allocate(&request).map(|range| range.start.0)
    };
    assert_eq!(top_down(0), Ok(END - 0x1_0000));
    assert_eq!(top_down(1), Ok(0x7FFF_0000));
    assert_eq!(top_down(4), Ok(0x0FFF_0000));
    assert_eq!(top_down(22), Err(NtStatus::INVALID_PARAMETER_3));
    assert_eq!(top_down(31), Err(NtStatus::INVALID_PARAMETER_3));
    assert_eq!(top_down(0x3FFF_FFFF), Ok(0x3FFF_0000));
    assert_eq!(top_down(0xF_FFFF), Ok(0xF_0000));
    let mut limited = request(0, 0x1000, RESERVE, RW);
    limited.limits = Limits {
        lowest: 0x1234_0000,
        highest: 0x2234_FFFF,
        alignment: 0x10_0000,
    };
    let range = space.allocate(&limited).expect("there is room");
    assert_eq!(range.start.0, 0x1240_0000);
    assert_eq!(limited.kind, AllocationType(RESERVE));
}

/// A stack that is made in one step is what a reservation and two commitments make, and all of it goes back.
#[test]
fn a_stack_is_made_in_one_step() {
    const PAGE: u64 = 0x1000;
    const GUARD: u32 = 0x100;
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let by_steps = {
        let (base, size) = allocate(&space, 0, 0x10_0000, RESERVE, RW).expect("there is room");
        let end = base + size;
        allocate(&space, end - 3 * PAGE, 3 * PAGE, COMMIT, RW).expect("it is reserved");
        allocate(&space, end - 4 * PAGE, PAGE, COMMIT, RW | GUARD).expect("it is reserved");
        let parts = [base, end - 4 * PAGE, end - 3 * PAGE].map(|at| region(&space, at));
        let used = space.counters().pagefile_usage;
        release(&space, base);
        (base, parts, used)
    };
    let memory = space
        .allocate_thread(
            &thread_room(0x10_0000, 3 * PAGE, PAGE),
            &mut |_, _, _, _| (),
        )
        .expect("there is room");
    space.free_thread(memory.environment.start.0, 0);
    let (base, end) = (memory.stack.start.0, memory.stack.end.0);
    let parts = [base, end - 4 * PAGE, end - 3 * PAGE].map(|at| region(&space, at));
    assert_eq!((base, parts, space.counters().pagefile_usage), by_steps);
    touch(&space, end - 8, Access::Write);
    release(&space, base);
    assert_eq!(space.counters().pagefile_usage, 0);
    for commit in [u64::MAX - PAGE, 0x10_0000, PAGE + 1] {
        let room = thread_room(0x10_0000, commit, PAGE);
        let refused = space.allocate_thread(&room, &mut |_, _, _, _| ());
        assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
    }
    for (stack, environment) in [(1 << 39, PAGE), (PAGE, 1 << 39)] {
        let room = thread_room(1 << 40, stack, environment);
        let too_many = space.allocate_thread(&room, &mut |_, _, _, _| ());
        assert_eq!(too_many, Err(NtStatus::COMMITMENT_LIMIT));
        assert_eq!(region(&space, base).0, FREE, "nothing is left of it");
    }
    assert_eq!(space.counters().pagefile_usage, 0);
    drop(space);
    assert_eq!(balance(), before);
}
