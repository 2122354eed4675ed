//! What happens when memory is short, or out.

use std::sync::{Mutex, OnceLock};

use arch::contract::{Access, PAGE_BYTES};
use arch::memory::FrameSource;
use arch::sim::{FailingAllocator, alloc_failure};
use nt_abi::memory::PageProtection;

use super::*;
use crate::paging::{self, PagingFile};
use crate::{modified_writer, statistics};

#[global_allocator]
static HEAP: FailingAllocator = FailingAllocator;

const PAGE: u64 = 0x1000;

/// A paging file in the host's memory.
struct InMemory(Mutex<Vec<u8>>);

/// 4,096 pages: a quarter of the machine's memory.
const PAGING_PAGES: u32 = 4096;

fn place(place: u32) -> core::ops::Range<usize> {
    place as usize * PAGE_BYTES..(place as usize + 1) * PAGE_BYTES
}

impl PagingFile for InMemory {
    fn pages(&self) -> u32 {
        PAGING_PAGES
    }

    fn read(&self, number: u32, into: &mut [u8]) -> NtResult {
        into.copy_from_slice(&self.0.lock().expect("nobody panicked")[place(number)]);
        Ok(())
    }

    fn write(&self, number: u32, from: &[u8]) -> NtResult {
        self.0.lock().expect("nobody panicked")[place(number)].copy_from_slice(from);
        Ok(())
    }
}

/// The paging file of all tests of this program: once it is there, it stays.
pub(super) fn add_paging_file() {
    static FILE: OnceLock<InMemory> = OnceLock::new();
    let file =
        FILE.get_or_init(|| InMemory(Mutex::new(vec![0; PAGING_PAGES as usize * PAGE_BYTES])));
    let _ = paging::add(file);
}

/// The kernel takes all frames that can be had, and leaves their bytes damaged: what was on the standby list is gone.
pub(super) fn take_all_frames() {
    let mut taken = Vec::new();
    while let Some(mut frame) = frames::lock().allocate() {
        frame.bytes()[16] = 0xDD;
        taken.push(frame);
    }
    for frame in taken {
        frames::lock().free(frame);
    }
}

/// All frames but `left` of those that can be had, until it is dropped.
pub(super) struct Hog(Vec<arch::memory::Frame>);

impl Hog {
    pub(super) fn but(left: u64) -> Self {
        let mut taken = Vec::new();
        while frames::available() > left {
            taken.push(frames::lock().allocate().expect("some are there"));
        }
        Self(taken)
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        for frame in self.0.drain(..) {
            frames::lock().free(frame);
        }
    }
}

/// What cannot be promised costs nothing: neither page tables nor descriptions of pages.
#[test]
fn more_than_there_is_is_refused_before_memory_is_spent_on_it() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let (base, size) = allocate(&space, 0, 1 << 46, RESERVE, RW).expect("addresses");
    let request = super::sections::section_request(1 << 40, RW, 0x0400_0000);
    let section = crate::Section::create(&request).expect("a description");
    let view = super::sections::map(&space, &section, 0, 0, 0, RW).expect("addresses");
    let before = balance();
    let refused = Err(NtStatus::COMMITMENT_LIMIT);
    assert_eq!(allocate(&space, base, size, COMMIT, RW), refused);
    let shared = view.range.start.0;
    assert_eq!(allocate(&space, shared, 1 << 40, COMMIT, RW), refused);
    assert_eq!(
        space.lock_pages(base, size),
        Err(NtStatus::WORKING_SET_QUOTA)
    );
    assert_eq!(balance(), before);
    // And it is known without a look at each page what is there.
    assert_eq!(region(&space, shared), (RESERVE, 0, 1 << 40));
    allocate(&space, shared + (1 << 30), PAGE, COMMIT, RW).expect("memory");
    assert_eq!(
        region(&space, shared + PAGE),
        (RESERVE, 0, (1 << 30) - PAGE)
    );
    assert_eq!(region(&space, shared + (1 << 30)), (COMMIT, RW, PAGE));
}

#[test]
fn trimmed_pages_come_back_from_their_frames_and_from_the_paging_file() {
    let _machine = crate::testing::boot();
    add_paging_file();
    let before = balance();
    let places = paging::counts().in_use;
    let space = new_space();
    let (base, size) = allocate(&space, 0, 200 * PAGE, RESERVE | COMMIT, RW).expect("memory");
    let fill = |number: u64| (number * 0x0101_0101_0101).to_le_bytes();
    for number in 0..200 {
        write(&space, base + number * PAGE + 40, &fill(number));
    }
    assert_eq!(space.empty_working_set(), 200);
    assert_eq!(space.counters().working_set_size, 0);
    assert_eq!(frames::statistics().modified, 200);
    // They are where they were.
    let soft = statistics::query().transition;
    assert_eq!(read(&space, base + 7 * PAGE + 40), fill(7));
    assert_eq!(statistics::query().transition, soft + 1);
    space.empty_working_set();
    assert_eq!(modified_writer::write_modified(1000), 200);
    assert_eq!(frames::statistics().standby, 200);
    assert_eq!(paging::counts().in_use - places, 200);
    assert_eq!(modified_writer::write_modified(1000), 0);
    // A page that is only read stays as it is on disk.
    assert_eq!(read(&space, base + 8 * PAGE + 40), fill(8));
    write(&space, base + 9 * PAGE + 40, b"changed!");
    space.empty_working_set();
    assert_eq!(frames::statistics().modified, 1);
    assert_eq!(modified_writer::write_modified(1000), 1);
    assert_eq!(
        paging::counts().in_use - places,
        200,
        "it has its place already"
    );
    // Their frames are wanted for something else.
    take_all_frames();
    assert_eq!(frames::statistics().standby, 0);
    let hard = statistics::query().page_in;
    for number in 0..200 {
        let expected = if number == 9 {
            *b"changed!"
        } else {
            fill(number)
        };
        assert_eq!(read(&space, base + number * PAGE + 40), expected);
    }
    assert_eq!(statistics::query().page_in, hard + 200);
    // What is given up is given up in all its places.
    space.empty_working_set();
    space
        .free(base, size, FreeKind::Decommit)
        .expect("it is there");
    assert_eq!(paging::counts().in_use, places);
    drop(space);
    assert_eq!(balance(), before);
}

#[test]
fn more_is_used_than_there_is_memory_for() {
    let _machine = crate::testing::boot();
    add_paging_file();
    let before = balance();
    let space = new_space();
    let (base, _) = allocate(&space, 0, 1000 * PAGE, RESERVE | COMMIT, RW).expect("memory");
    let hog = Hog::but(100);
    for round in 0..3u64 {
        for number in 0..1000u64 {
            let at = base + number * PAGE;
            if round > 0 {
                let expected = (number + round - 1).to_le_bytes();
                assert_eq!(read(&space, at), expected, "round {round}, page {number}");
            }
            write(&space, at, &(number + round).to_le_bytes());
        }
        frames::lock().check().expect("sound frames");
    }
    assert!(space.counters().working_set_size <= 100 * PAGE);
    assert!(crate::balance::balance() >= crate::balance::wanted().min(80));
    drop(hog);
    drop(space);
    assert_eq!(balance(), before);
}

/// "VirtualAlloc function", `MEM_RESET` and `MEM_RESET_UNDO`.
#[test]
fn what_is_reset_is_not_written_and_comes_back_if_nobody_wanted_its_frame() {
    let _machine = crate::testing::boot();
    add_paging_file();
    let space = new_space();
    const RESET: u32 = 0x8_0000;
    const UNDO: u32 = 0x100_0000;
    let (base, size) = allocate(&space, 0, 4 * PAGE, RESERVE | COMMIT, RW).expect("memory");
    write(&space, base, b"one");
    write(&space, base + PAGE, b"two");
    allocate(&space, base, size, RESET, RW).expect("it is committed");
    allocate(&space, base, size, UNDO, RW).expect("it is all there");
    assert_eq!(&read::<3>(&space, base), b"one");
    allocate(&space, base, size, RESET, RW).expect("it is committed");
    // A write makes it an ordinary page.
    write(&space, base + PAGE, b"new");
    space.empty_working_set();
    modified_writer::write_modified(100);
    take_all_frames();
    assert_eq!(
        allocate(&space, base, size, UNDO, RW),
        Err(NtStatus::CONFLICTING_ADDRESSES),
        "one of them is gone"
    );
    assert_eq!(&read::<3>(&space, base), &[0; 3]);
    assert_eq!(&read::<3>(&space, base + PAGE), b"new");
}

#[test]
fn without_frames_a_fault_is_a_status_and_nothing_is_lost() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let (base, _) = allocate(&space, 0, 64 * PAGE, RESERVE | COMMIT, RW).expect("memory");
    write(&space, base, b"kept");
    space.lock_pages(base, PAGE).expect("there is room");
    {
        let _hog = Hog::but(0);
        let outcome = fault(&space, base + PAGE, Access::Write);
        assert_eq!(outcome, FaultOutcome::InPageError(NtStatus::NO_MEMORY));
        assert_eq!(
            AddressSpaceHandle::create(&SpaceOptions::default()).err(),
            Some(NtStatus::NO_MEMORY)
        );
        assert_eq!(
            allocate(&space, 0x7000_0000_0000, PAGE, RESERVE, RW),
            Ok((0x7000_0000_0000, PAGE)),
            "it needs no frame"
        );
        assert_eq!(
            allocate(&space, 0x7000_0000_0000, PAGE, COMMIT, RW),
            Err(NtStatus::NO_MEMORY),
            "it needs page tables"
        );
        assert_eq!(&read::<4>(&space, base), b"kept");
    }
    touch(&space, base + PAGE, Access::Write);
    drop(space);
    assert_eq!(balance(), before);
}

#[test]
fn no_more_is_promised_than_there_is() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let counts = crate::commit::counts();
    let rest = counts.limit - counts.charged;
    let over = allocate(&space, 0, rest * PAGE, RESERVE | COMMIT, RW);
    assert_eq!(over, Err(NtStatus::COMMITMENT_LIMIT));
    let (base, _) = allocate(&space, 0, rest * PAGE, RESERVE, RW).expect("it costs nothing");
    assert_eq!(
        allocate(&space, base, rest * PAGE, COMMIT, RW),
        Err(NtStatus::COMMITMENT_LIMIT)
    );
    assert_eq!(region(&space, base), (RESERVE, 0, rest * PAGE));
    drop(space);
    assert_eq!(balance(), before);
}

#[test]
fn a_thousand_spaces_leave_nothing_behind() {
    let _machine = crate::testing::boot();
    let section = super::sections::memory(16 * PAGE);
    let mut before = None;
    for number in 0..1000u64 {
        let space = new_space();
        let (base, _) = allocate(&space, 0, 64 * PAGE, RESERVE | COMMIT, RW).expect("memory");
        write(&space, base + number % 60 * PAGE, &[1; 5000]);
        let view = super::sections::map_whole(&space, &section, number % 2 == 0);
        write(&space, view, &[2; 5000]);
        drop(space);
        if number == 0 {
            // The section's pages stay with it.
            before = Some(balance());
        }
    }
    drop(section);
    let after = balance();
    let before = before.expect("there was a first one");
    assert!(after.frames >= before.frames && after.charged <= before.charged);
}

#[test]
fn pages_for_a_device_outlive_what_the_process_does() {
    let _machine = crate::testing::boot();
    let before = balance();
    let space = new_space();
    let (base, _) = allocate(&space, 0, 4 * PAGE, RESERVE | COMMIT, RW).expect("memory");
    let pinned = space
        .pin(base + 10, 2 * PAGE, Access::Write)
        .expect("they are committed");
    assert_eq!(pinned.frames().len(), 3);
    assert_eq!(pinned.range().start.0, base);
    assert_eq!(
        space.empty_working_set(),
        0,
        "what is pinned stays in the working set"
    );
    release(&space, base);
    take_all_frames();
    for frame in pinned.frames() {
        assert!(arch::memory::user_frame::uses(*frame).is_some());
    }
    assert_eq!(frames::statistics().transition, 3);
    drop(pinned);
    assert_eq!(frames::statistics().transition, 0);
    drop(space);
    assert_eq!(balance(), before);
}

/// Every request for memory of a process's life fails once.
#[test]
fn pool_memory_that_is_not_to_be_had_is_a_status_and_nothing_is_lost() {
    fn life() -> NtResult {
        let space = AddressSpaceHandle::create(&SpaceOptions::default())?;
        let (base, _) = allocate(&space, 0, 64 * PAGE, RESERVE | 0x20_0000, RW)?;
        allocate(&space, base, 8 * PAGE, COMMIT, RW)?;
        for _ in 0..20 {
            let (other, _) = allocate(&space, 0, 4 * PAGE, RESERVE | COMMIT, RW)?;
            space.free(other + PAGE, PAGE, FreeKind::Release)?;
        }
        space.lock_pages(base, 2 * PAGE)?;
        let section = crate::Section::create(&super::sections::request_of(1 << 30))?;
        let view = super::sections::try_map(&space, &section)?;
        allocate(&space, view + 5 * PAGE, PAGE, COMMIT, RW)?;
        space.protect(view + 5 * PAGE, PAGE, PageProtection(RO))?;
        let image = super::images::try_image()?;
        let base = super::sections::try_map(&space, &image)?;
        let copied = space.read(base, &mut [0; 64]);
        if copied.count != 64 {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        space.pin(base, 0x1000, Access::Read)?;
        // More threads than the first region of environment blocks has room for.
        let room = thread_room(0x10_0000, PAGE, 2 * PAGE);
        for _ in 0..10 {
            let thread = space.allocate_thread(&room, &mut |_, _, _, _| ())?;
            space.free_thread(0, thread.stack.start.0);
        }
        Ok(())
    }
    let _machine = crate::testing::boot();
    life().expect("there is memory");
    let before = (balance(), crate::section::in_use());
    for successes in 0..10_000 {
        alloc_failure::fail_after(successes);
        let result = life();
        let failed = alloc_failure::never();
        assert_eq!((balance(), crate::section::in_use()), before, "{successes}");
        if failed == 0 {
            assert_eq!(result, Ok(()));
            assert!(successes > 15, "the failures were not injected");
            return;
        }
        assert!(result.is_err());
    }
    panic!("it never gets all the memory that it asks for");
}
