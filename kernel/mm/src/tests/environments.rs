//! Environment blocks of threads, and the regions that they are in.

use arch::contract::VirtRange;
use nt_abi::NtStatus;

use super::*;
use crate::address_space::ThreadMemory;

const FREE: u32 = 0x1_0000;

const PAGE: u64 = 0x1000;

/// A stack and a block of a page or two.
fn thread(space: &AddressSpace, block: u64) -> ThreadMemory {
    let room = thread_room(0x10_0000, PAGE, block);
    space
        .allocate_thread(&room, &mut |_, _, _, _| ())
        .expect("there is room")
}

/// The block of a new thread is in memory with what it was filled with, and goes with the stack in one step.
#[test]
fn an_environment_block_and_a_stack_go_together() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let mut filled = Vec::new();
    let room = thread_room(0x10_0000, PAGE, 2 * PAGE);
    let memory = space
        .allocate_thread(&room, &mut |stack, base, offset, words| {
            assert!(words.iter().all(|word| *word == 0));
            words[1] = 7;
            filled.push((stack, base, offset));
        })
        .expect("there is room");
    let stack = memory.stack;
    let base = memory.environment.start.0;
    assert_eq!(filled, [(stack, base, 0), (stack, base, 0x1000)]);
    assert_eq!(region(&space, base), (COMMIT, RW, 2 * PAGE));
    for at in [base + 8, base + PAGE + 8] {
        assert_eq!(read::<2>(&space, at), [7, 0]);
    }
    write(&space, stack.end.0 - 8, &[1]);

    // Where nothing begins nothing is released.
    space.free_thread(base + PAGE, 0);
    assert_eq!(region(&space, base), (COMMIT, RW, 2 * PAGE));
    space.free_thread(base, stack.start.0);
    assert_eq!(region(&space, base).0, RESERVE, "of a region that remains");
    assert_eq!(region(&space, stack.start.0).0, FREE);
    assert_eq!(space.counters().working_set_size, 0);
    assert_eq!(space.counters().pagefile_usage, 0);

    // A program may have released one of them by itself, and committed more of the other.
    let ThreadMemory { stack, environment } = thread(&space, PAGE);
    allocate(&space, stack.start.0, PAGE, COMMIT, RW).expect("it is reserved");
    write(&space, stack.start.0, &[1]);
    space.free_thread(environment.start.0, stack.start.0);
    assert_eq!(space.counters().working_set_size, 0);
    // The entries of the last one are gone.
    let ThreadMemory { stack, environment } = thread(&space, PAGE);
    for _ in 0..2 {
        space.free_thread(base, stack.start.0);
        assert_eq!(region(&space, stack.start.0).0, FREE);
    }
    space.free_thread(environment.start.0, 0);
    assert_eq!(space.counters().pagefile_usage, 0);
    drop(space);
    assert_eq!(balance(), before);
}

fn try_environment(space: &AddressSpace) -> NtResult<u64> {
    let stack = VirtRange::of_pages(VirtAddr(0), 0);
    let block = space
        .lock()
        .add_environment(2 * PAGE, stack, &mut |_, _, _, words| {
            assert!(words.iter().all(|word| *word == 0));
            words.fill(0xA5A5);
        })?;
    Ok(block.expect("there are frames").start.0)
}

fn environment(space: &AddressSpace) -> u64 {
    try_environment(space).expect("there is room")
}

/// Blocks are beside each other, each slot is somebody's once, and what one left is not in the next.
#[test]
fn environment_blocks_share_regions() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let empty = space.counters().virtual_size;
    let listed = || ex::pool::usage(ex::pool::PoolTag(*b"MmTe")).bytes;
    let mut blocks: Vec<u64> = (0..180).map(|_| environment(&space)).collect();
    assert_ne!(listed(), 0, "there are several regions");
    blocks.sort_unstable();
    blocks.dedup();
    assert_eq!(blocks.len(), 180);
    assert_eq!(space.counters().virtual_size, empty + 0x21_0000);
    assert_eq!(space.counters().pagefile_usage, 180 * 0x2000);
    // A slot that is free in a region that was full is found.
    let middle = blocks[100];
    space.free_thread(middle, 0);
    let others = (0..85).map(|_| environment(&space)).collect::<Vec<_>>();
    assert!(others.contains(&middle));
    assert_eq!(space.counters().virtual_size, empty + 0x21_0000);
    for block in blocks.iter().chain(&others) {
        space.free_thread(*block, 0);
        space.free_thread(*block, 0);
    }
    assert_eq!(space.counters().virtual_size, empty + 0x10_0000);
    assert_eq!(space.counters().pagefile_usage, 0);
    assert_eq!(space.counters().working_set_size, 0);
    assert_eq!(listed(), 0, "a list of one region needs no room");
    drop(space);
    assert_eq!(balance(), before);
}

/// If frames run out in the middle, whichever page it is, nothing stays behind and the next thread gets the same places.
#[test]
fn a_thread_that_memory_does_not_suffice_for_leaves_nothing() {
    let _machine = crate::testing::boot();
    // Else what may be charged would run out before the frames.
    super::memory::add_paging_file();
    let before = balance();
    let expected = thread(&new_space(), 2 * PAGE);
    let space = new_space();
    let room = thread_room(0x10_0000, PAGE, 2 * PAGE);
    let mut filled = Vec::new();
    let mut refused = 0;
    let made = loop {
        assert!(refused < 20, "no number of frames is enough");
        let hog = super::memory::Hog::but(refused);
        let mut count = 0;
        let made = space.allocate_thread(&room, &mut |_, _, _, _| count += 1);
        drop(hog);
        filled.push(count);
        match made {
            Ok(made) => break made,
            Err(status) => assert_eq!(status, NtStatus::NO_MEMORY),
        }
        refused += 1;
        let counters = space.counters();
        assert_eq!(counters.pagefile_usage, 0, "{refused}");
        assert_eq!(counters.working_set_size, 0, "{refused}");
    };
    assert_eq!(
        made, expected,
        "it is where the first one of a new space is"
    );
    // It was refused before the first page and between the two; later attempts of a call fill the first one again.
    assert_eq!(filled.first(), Some(&0));
    let between = &filled[..filled.len() - 1];
    assert!(between.iter().any(|count| *count > 0), "{filled:?}");
    space.free_thread(made.environment.start.0, made.stack.start.0);
    drop(space);
    assert_eq!(balance(), before);
}

/// A program can take nothing of a region away and put nothing there, so that a block stays its thread's.
#[test]
fn a_program_cannot_change_a_region() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let first = environment(&space);
    let refused = NtStatus::INVALID_PAGE_PROTECTION;
    let whole = 8 * 2 * PAGE;
    for (base, size, kind) in [
        (first, 0, FreeKind::Release),
        (first, whole, FreeKind::Release),
        (first, PAGE, FreeKind::Release),
        (first + whole - PAGE, PAGE, FreeKind::Release),
        (first, 0, FreeKind::Decommit),
        (first + PAGE, PAGE, FreeKind::Decommit),
        (first + 3 * PAGE, PAGE, FreeKind::Decommit),
        (first, PAGE, FreeKind::PreservePlaceholder),
    ] {
        let freed = space.free(base, size, kind);
        assert_eq!(freed.err(), Some(refused), "{base:#x} {size:#x} {kind:?}");
    }
    for protection in [
        PageProtection::READONLY,
        PageProtection::NOACCESS,
        PageProtection::EXECUTE_READ,
        PageProtection::READWRITE | PageProtection::GUARD,
    ] {
        let protected = space.protect(first, PAGE, protection);
        assert_eq!(protected.err(), Some(refused), "{protection:?}");
        let committed = allocate(&space, first, PAGE, COMMIT, protection.bits());
        assert_eq!(committed.err(), Some(refused), "{protection:?}");
    }
    for at in [first + PAGE, first + 3 * PAGE] {
        let committed = allocate(&space, at, 2 * PAGE, COMMIT, RW);
        assert_eq!(committed.err(), Some(refused), "{at:#x}");
    }
    // What takes nothing away can be done.
    let executable = PageProtection::EXECUTE_READWRITE;
    space
        .protect(first, PAGE, executable)
        .expect("it can be read and written");
    allocate(&space, first, PAGE, COMMIT, RW).expect("it is committed");
    write(&space, first, &[7]);
    assert_eq!(region(&space, first), (COMMIT, RW, 2 * PAGE));
    assert_eq!(space.counters().pagefile_usage, 2 * PAGE);
    // It is no stack either, for a thread that had its stack where the region is now.
    space.free_thread(0, first);
    assert_eq!(region(&space, first).0, COMMIT);
    let second = environment(&space);
    assert_eq!(second, first + 2 * PAGE);
    space.free_thread(first, 0);
    assert_eq!(region(&space, first).0, RESERVE);
    assert_eq!(environment(&space), first, "and zeroed");
    drop(space);
    assert_eq!(balance(), before);
}

/// Where addresses are short a thread gets its block nevertheless.
#[test]
fn a_region_may_be_small() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let mut size = 1 << 46;
    while size >= 0x1_0000 {
        if allocate(&space, 0, size, RESERVE, RW).is_err() {
            size /= 2;
        }
    }
    let hole = 0x7000_0000_0000;
    space
        .free(hole, 0x2_0000, FreeKind::Release)
        .expect("it is reserved");
    let mut last = Vec::new();
    for start in [hole + 0x1_0000, hole] {
        last = (0..8).map(|_| environment(&space)).collect();
        let beside = (0..8).map(|number| start + number * 2 * PAGE);
        assert!(last.iter().copied().eq(beside));
    }
    assert_eq!(try_environment(&space), Err(NtStatus::NO_MEMORY));
    for block in last {
        space.free_thread(block, 0);
    }
    assert_eq!(region(&space, hole).0, FREE);
    assert_eq!(environment(&space), hole);
    drop(space);
    assert_eq!(balance(), before);
}
