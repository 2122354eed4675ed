//! Pages come when they are touched.

use arch::contract::Access;
use nt_abi::NtStatus;
use nt_abi::memory::PageProtection;

use super::*;
use crate::address_space::WatchReset;

const PAGE: u64 = 0x1000;

fn failed(status: NtStatus) -> FaultOutcome {
    FaultOutcome::Failed(status)
}

#[test]
fn a_committed_page_is_zero_until_it_is_written_and_reserved_ones_are_not_there() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let (base, _) = allocate(&space, 0, 0x1_0000, RESERVE, RW).expect("memory");
    allocate(&space, base + PAGE, 2 * PAGE, COMMIT, RW).expect("memory");
    assert_eq!(
        fault(&space, base, Access::Read),
        failed(NtStatus::ACCESS_VIOLATION)
    );
    assert_eq!(
        fault(&space, 0x10, Access::Write),
        failed(NtStatus::ACCESS_VIOLATION)
    );
    assert_eq!(read(&space, base + PAGE), [0; 16]);
    write(&space, base + 2 * PAGE - 3, b"across pages");
    assert_eq!(&read::<12>(&space, base + 2 * PAGE - 3), b"across pages");
    assert_eq!(space.counters().working_set_size, 2 * PAGE);
    assert_eq!(space.counters().pagefile_usage, 2 * PAGE);
    assert_eq!(
        fault(&space, base + PAGE, Access::Execute),
        failed(NtStatus::ACCESS_VIOLATION),
        "data is not executed"
    );
    // What was given back is gone: the next page there is full of zeroes again.
    space
        .free(base + PAGE, 2 * PAGE, FreeKind::Decommit)
        .expect("it is there");
    assert_eq!(space.counters().working_set_size, 0);
    allocate(&space, base + PAGE, 2 * PAGE, COMMIT, RW).expect("memory");
    assert_eq!(read(&space, base + 2 * PAGE - 3), [0; 12]);
    drop(space);
    assert_eq!(balance(), before);
}

#[test]
fn a_copy_that_meets_a_page_which_is_not_there_says_how_far_it_came() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let (base, _) = allocate(&space, 0, 4 * PAGE, RESERVE | COMMIT, RW).expect("memory");
    space
        .protect(base + PAGE, PAGE, PageProtection(NA))
        .expect("it is committed");
    let mut bytes = [0xFF; 300];
    let copied = space.read(base + PAGE - 100, &mut bytes);
    assert_eq!(
        (copied.count, copied.status),
        (100, NtStatus::PARTIAL_COPY),
        "ReadProcessMemory: ERROR_PARTIAL_COPY"
    );
    let copied = space.write(base + PAGE, &bytes);
    assert_eq!((copied.count, copied.status), (0, NtStatus::PARTIAL_COPY));
    let copied = space.read(u64::MAX - 10, &mut bytes);
    assert_eq!((copied.count, copied.status), (0, NtStatus::PARTIAL_COPY));
}

#[test]
fn content_stays_through_every_protection() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let (base, _) = allocate(&space, 0, PAGE, RESERVE | COMMIT, RW).expect("memory");
    write(&space, base, b"content");
    for (protection, readable, writable, executable) in [
        (NA, false, false, false),
        (RO, true, false, false),
        (0x20, true, false, true),
        (RW, true, true, false),
        (0x40, true, true, true),
        (0x10, true, false, true),
        (0x204, true, true, false),
        (0x404, true, true, false),
    ] {
        space
            .protect(base, PAGE, PageProtection(protection))
            .expect("it is committed");
        let wanted = |yes| {
            if yes {
                FaultOutcome::Resolved
            } else {
                failed(NtStatus::ACCESS_VIOLATION)
            }
        };
        assert_eq!(fault(&space, base, Access::Read), wanted(readable));
        assert_eq!(fault(&space, base, Access::Write), wanted(writable));
        assert_eq!(fault(&space, base, Access::Execute), wanted(executable));
        assert_eq!(region(&space, base), (COMMIT, protection, PAGE));
        if readable {
            assert_eq!(&read::<7>(&space, base), b"content");
        }
    }
}

/// "Creating Guard Pages".
#[test]
fn a_guard_page_reports_one_access() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let (base, _) = allocate(&space, 0, PAGE, RESERVE | COMMIT, 0x104).expect("memory");
    let guard = failed(NtStatus::GUARD_PAGE_VIOLATION);
    assert_eq!(fault(&space, base, Access::Read), guard);
    assert_eq!(region(&space, base), (COMMIT, RW, PAGE));
    write(&space, base, b"now");
    space
        .protect(base, PAGE, PageProtection(0x104))
        .expect("it is committed");
    assert_eq!(fault(&space, base, Access::Write), guard);
    assert_eq!(&read::<3>(&space, base), b"now");
}

/// "Thread Stack Size", "Thread Stack Management"; Windows Internals, "Stacks".
#[test]
fn a_stack_grows_by_its_guard_page_until_none_is_left() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let (start, size) = allocate(&space, 0, 0x1_0000, RESERVE, RW).expect("memory");
    let end = start + size;
    allocate(&space, end - 2 * PAGE, PAGE, COMMIT, 0x104).expect("memory");
    allocate(&space, end - PAGE, PAGE, COMMIT, RW).expect("memory");
    let ask = || stack(end, start);
    let mut guard = end - 2 * PAGE;
    loop {
        let outcome = crate::resolve(&space, VirtAddr(guard + 8), Access::Write, &ask);
        match outcome {
            FaultOutcome::StackGrown { limit } => {
                assert_eq!(limit, guard);
                assert_eq!(region(&space, guard - PAGE), (COMMIT, 0x104, PAGE));
                guard -= PAGE;
            }
            other => {
                let limit = start + PAGE;
                assert_eq!(other, FaultOutcome::StackOverflow { limit });
                break;
            }
        }
    }
    // The page below, and eight more for who handles the overflow.
    assert_eq!(guard, start + 10 * PAGE);
    assert_eq!(
        region(&space, start),
        (RESERVE, 0, PAGE),
        "the lowest page is never there"
    );
    assert_eq!(region(&space, start + PAGE), (COMMIT, RW, size - PAGE));
    let elsewhere = crate::resolve(&space, VirtAddr(start), Access::Write, &ask);
    assert_eq!(elsewhere, failed(NtStatus::ACCESS_VIOLATION));
}

/// "GetWriteWatch function", "ResetWriteWatch function".
#[test]
fn written_pages_are_known() {
    let _machine = crate::testing::boot();
    let space = new_space();
    const WATCH: u32 = 0x20_0000;
    let (base, size) = allocate(&space, 0, 8 * PAGE, RESERVE | COMMIT | WATCH, RW).expect("memory");
    let written = |reset| {
        let mut pages = [0; 8];
        let count = space
            .write_watch(base, size, reset, &mut pages)
            .expect("it is watched");
        pages[..count]
            .iter()
            .map(|page| (page - base) / PAGE)
            .collect::<Vec<_>>()
    };
    touch(&space, base, Access::Read);
    assert_eq!(written(WatchReset::Keep), [0; 0]);
    write(&space, base, b"x");
    write(&space, base + 5 * PAGE, b"x");
    assert_eq!(written(WatchReset::Reset), [0, 5]);
    assert_eq!(written(WatchReset::Keep), [0; 0]);
    assert_eq!(&read::<1>(&space, base), b"x");
    assert_eq!(written(WatchReset::Keep), [0; 0]);
    write(&space, base + 5 * PAGE, b"y");
    assert_eq!(written(WatchReset::Keep), [5]);
    space.reset_write_watch(base, size).expect("it is watched");
    assert_eq!(written(WatchReset::Keep), [0; 0]);
    let (other, _) = allocate(&space, 0, PAGE, RESERVE | COMMIT, RW).expect("memory");
    assert_eq!(
        space.write_watch(other, PAGE, WatchReset::Keep, &mut [0]),
        Err(NtStatus::INVALID_PARAMETER_1)
    );
    assert_eq!(
        space.free(base, PAGE, FreeKind::Release),
        Err(NtStatus::FREE_VM_NOT_AT_BASE)
    );
}

/// "VirtualLock function", "VirtualUnlock function".
#[test]
fn locked_pages_are_in_memory_and_counted() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let (base, size) = allocate(&space, 0, 60 * PAGE, RESERVE | COMMIT, RW).expect("memory");
    let (range, before) = space.lock_pages(base + 100, PAGE).expect("there is room");
    assert_eq!(
        (range.start.0, range.length(), before),
        (base, 2 * PAGE, false)
    );
    assert!(
        space
            .query_working_set_page(base + PAGE)
            .expect("alive")
            .locked
    );
    assert!(space.lock_pages(base, PAGE).expect("there is room").1);
    assert_eq!(
        space.lock_pages(base, size),
        Err(NtStatus::WORKING_SET_QUOTA)
    );
    assert_eq!(
        space.unlock_pages(base, 3 * PAGE),
        Err(NtStatus::NOT_LOCKED)
    );
    space.unlock_pages(base, 2 * PAGE).expect("they are locked");
    let page = space.query_working_set_page(base).expect("alive");
    assert!(page.valid && !page.locked && !page.shared);
    assert_eq!((page.protection, page.share_count), (RW, 0));
    assert_eq!(page.attributes(), 1 | 4 << 4);
    space.lock_pages(base, PAGE).expect("there is room");
    release(&space, base);
    let (again, _) = allocate(&space, base, PAGE, RESERVE | COMMIT, RW).expect("memory");
    assert!(!space.query_working_set_page(again).expect("alive").locked);
}
