//! Placeholders: "VirtualAlloc2 function", scenario 1.

use nt_abi::memory::AllocationType;

use super::sections::{base_of, map, memory, view_request};
use super::*;

const PAGE: u64 = 0x1000;
const PLACEHOLDER: u32 = RESERVE | 0x4_0000;
const REPLACE: u32 = RESERVE | 0x4000;

fn placeholder(space: &AddressSpace, pages: u64) -> u64 {
    allocate(space, 0, pages * PAGE, PLACEHOLDER, NA)
        .expect("memory")
        .0
}

#[test]
fn they_are_cut_replaced_and_joined_and_leave_nothing_behind() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let size = space.counters().virtual_size;
    let base = placeholder(&space, 8);
    let preserve = FreeKind::PreservePlaceholder;
    for (page, count) in [(2, 1), (5, 2)] {
        space
            .free(base + page * PAGE, count * PAGE, preserve)
            .expect("it is a part");
    }
    // 0-1, 2, 3-4, 5-6, 7.
    for (page, end) in [(0, 2), (2, 3), (3, 5), (5, 7), (7, 8)] {
        let found = space.query(base + page * PAGE).expect("an address");
        assert_eq!(found.allocation_base, base + page * PAGE);
        assert_eq!(found.size, (end - page) * PAGE);
    }
    assert_eq!(space.counters().virtual_size, size + 8 * PAGE);
    let at = base + 3 * PAGE;
    allocate(&space, at, 2 * PAGE, REPLACE | COMMIT, RW).expect("memory");
    write(&space, at + PAGE, b"here");
    assert_eq!(space.counters().pagefile_usage, 2 * PAGE);
    // A part of what replaced it becomes a placeholder again, then the rest.
    space.free(at + PAGE, PAGE, preserve).expect("it was one");
    assert_eq!(space.counters().pagefile_usage, PAGE);
    assert_eq!(region(&space, at + PAGE), (RESERVE, 0, PAGE));
    space.free(at, PAGE, preserve).expect("it was one");
    assert_eq!(
        space.free(base, 7 * PAGE, FreeKind::CoalescePlaceholders),
        Ok(arch::contract::VirtRange::of_pages(VirtAddr(base), 7))
    );
    assert_eq!(region(&space, base), (RESERVE, 0, 7 * PAGE));
    assert_eq!(space.counters().virtual_size, size + 8 * PAGE);
    release(&space, base);
    release(&space, base + 7 * PAGE);
    assert_eq!(space.counters().virtual_size, size);
    drop(space);
    assert_eq!(balance(), before);
}

#[test]
fn views_replace_them_and_give_way_again() {
    let _machine = crate::testing::boot();
    let before = (balance(), crate::section::in_use());
    let space = new_space();
    let section = memory(2 * PAGE);
    let base = placeholder(&space, 4);
    space
        .free(base + PAGE, 2 * PAGE, FreeKind::PreservePlaceholder)
        .expect("it is a part");
    let mut request = view_request(base + PAGE, 0, 0, RW);
    request.kind = AllocationType::REPLACE_PLACEHOLDER;
    let mapped = space.map_view(&section, &request).expect("it fits");
    assert_eq!(mapped.range.start.0, base + PAGE);
    write(&space, base + PAGE, b"shown");
    assert_eq!(
        space.map_view(&section, &request),
        Err(NtStatus::CONFLICTING_ADDRESSES)
    );
    space
        .unmap_view_to_placeholder(base + PAGE)
        .expect("it replaced one");
    assert_eq!(
        space.unmap_view_to_placeholder(base + PAGE),
        Err(NtStatus::NOT_MAPPED_VIEW)
    );
    space
        .free(base, 4 * PAGE, FreeKind::CoalescePlaceholders)
        .expect("all are placeholders");
    release(&space, base);
    let plain = base_of(map(&space, &section, 0, 0, 0, RW));
    assert_eq!(
        space.unmap_view_to_placeholder(plain),
        Err(NtStatus::CONFLICTING_ADDRESSES)
    );
    assert_eq!(&read::<5>(&space, plain), b"shown");
    drop((space, section));
    assert_eq!((balance(), crate::section::in_use()), before);
}
