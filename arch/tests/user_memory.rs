//! The bytes of user frames, and copies from and to user memory.

mod common;

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use arch::contract::{
    Access, FrameNumber, Irql, PAGE_BYTES, PAGE_SIZE, Processor, ProcessorNumber, UserProtection,
    VirtAddr, VirtRange,
};
use arch::memory::{
    AddressSpace, Frame, FrameSource, SpaceId, UserEntry, activate, layout,
    user_frame::{NotAUserFrame, copy, read, uses, write, zero},
};
use arch::user::{UserFault, copy_in, copy_out, is_user_range};
use arch::{Machine, sim};
use common::{CountedFrames, Random, panic_text, reclaim, set_upcalls, user_frame};

#[test]
fn a_user_frame_is_read_and_written_at_every_offset() {
    let _machine = sim::boot(1);
    let frame = user_frame(0);
    let mut model = [0u8; PAGE_BYTES];
    let mut random = Random(1);
    for _ in 0..3000 {
        let offset = usize::try_from(random.below(4097)).expect("small");
        let most = random.of(&[3, 20, 4096]);
        let length = usize::try_from(random.below(most)).expect("small");
        let length = length.min(PAGE_BYTES - offset);
        let bytes: Vec<u8> = (0..length)
            .map(|_| random.next().to_le_bytes()[0])
            .collect();
        assert_eq!(write(frame, offset, &bytes), Ok(()));
        model[offset..offset + length].copy_from_slice(&bytes);
        let offset = usize::try_from(random.below(4097)).expect("small");
        let mut found = vec![0xEE; length.min(PAGE_BYTES - offset)];
        assert_eq!(read(frame, offset, &mut found), Ok(()));
        assert_eq!(found, model[offset..offset + found.len()]);
    }
    let mut whole = [0u8; PAGE_BYTES];
    assert_eq!(read(frame, 0, &mut whole), Ok(()));
    assert_eq!(whole, model, "no byte besides was written");
    let other = user_frame(9);
    assert_eq!(copy(frame, other), Ok(()));
    assert_eq!(read(other, 0, &mut whole), Ok(()));
    assert_eq!(whole, model);
    assert_eq!(zero(frame), Ok(()));
    assert_eq!(read(frame, 0, &mut whole), Ok(()));
    assert_eq!(whole, [0; PAGE_BYTES]);
    assert_eq!((uses(frame), uses(other)), (Some(0), Some(0)));
    reclaim(frame);
    reclaim(other);
}

#[test]
fn what_is_no_user_frame_is_not_touched() {
    let _machine = sim::boot(1);
    let user = user_frame(3);
    let owned = sim::SpareFrames.allocate().expect("there is memory");
    for bad in [owned.number(), FrameNumber(0), FrameNumber(u64::MAX)] {
        assert_eq!(zero(bad), Err(NotAUserFrame));
        assert_eq!(read(bad, 0, &mut [0]), Err(NotAUserFrame));
        assert_eq!(write(bad, 0, &[0]), Err(NotAUserFrame));
        assert_eq!(copy(bad, user), Err(NotAUserFrame));
        assert_eq!(copy(user, bad), Err(NotAUserFrame));
        assert_eq!(uses(bad), None);
        assert!(Frame::claim(bad).is_none(), "it is as it was");
    }
    for (offset, length) in [(4096, 1), (4090, 7), (usize::MAX, 1), (usize::MAX, 0)] {
        assert_eq!(read(user, offset, &mut vec![0; length]), Err(NotAUserFrame));
        assert_eq!(write(user, offset, &vec![0; length]), Err(NotAUserFrame));
    }
    assert_eq!(uses(user), Some(0), "a copy that failed is no use");
    reclaim(user);
    let _ = owned.release();
}

#[test]
fn the_user_half_ends_where_it_ends() {
    let end = layout::USER.end.0;
    assert!(is_user_range(VirtAddr(end - 1), 1));
    assert!(is_user_range(VirtAddr(end), 0));
    assert!(!is_user_range(VirtAddr(end), 1));
    assert!(!is_user_range(VirtAddr(end - 1), 2));
    assert!(!is_user_range(VirtAddr(1), u64::MAX));
    assert!(!is_user_range(layout::PHYSICAL_MAP, 1));
    let _machine = sim::boot(1);
    set_upcalls(|upcalls| upcalls.fault = |_, _| panic!("it is no user address"));
    assert_eq!(copy_in(&mut [0; 8], layout::PHYSICAL_MAP), Err(UserFault));
    assert_eq!(copy_out(VirtAddr(end - 4), &[0; 8]), Err(UserFault));
    assert_eq!(copy_in(&mut [], VirtAddr(end)), Ok(()), "nothing is read");
}

/// A memory manager of one space, whose software values say what a page becomes.
struct Pager {
    space: AddressSpace,
    frames: CountedFrames,
    faults: Vec<(u64, Access)>,
}

/// A page of zeroes to come; a page to be written that is shown read-only.
const DEMAND_ZERO: u64 = 7;

static PAGER: Mutex<Option<Pager>> = Mutex::new(None);

fn with_pager<T>(body: impl FnOnce(&mut Pager) -> T) -> T {
    let mut pager = PAGER.lock().unwrap_or_else(PoisonError::into_inner);
    body(pager.as_mut().expect("the test made one"))
}

fn page_fault(address: VirtAddr, access: Access) -> bool {
    with_pager(|pager| {
        pager.faults.push((address.0, access));
        let page = VirtAddr(address.0 & !(PAGE_SIZE - 1));
        match pager.space.entry(page) {
            UserEntry::Absent(DEMAND_ZERO) => {
                let frame = user_frame(0);
                pager
                    .space
                    .map(page, frame, UserProtection::ReadWrite, &mut pager.frames)
                    .is_ok()
            }
            UserEntry::Present {
                frame,
                protection: UserProtection::ReadExecute,
            } => {
                // Copy on write.
                let copied = user_frame(0);
                copy(frame, copied).expect("both are user frames");
                let range = VirtRange::of_pages(page, 1);
                pager.space.unmap(range, &mut |_, _| 0);
                pager
                    .space
                    .map(page, copied, UserProtection::ReadWrite, &mut pager.frames)
                    .is_ok()
            }
            _ => false,
        }
    })
}

/// Powers the machine on with a space active, and the pager as the kernel.
fn boot() -> sim::Running {
    let running = sim::boot(2);
    set_upcalls(|upcalls| upcalls.fault = page_fault);
    let mut frames = CountedFrames::new(1000);
    let space = AddressSpace::create(&mut frames).expect("there is memory");
    assert!(activate(Some(space.id())));
    *PAGER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Pager {
        space,
        frames,
        faults: Vec::new(),
    });
    running
}

fn finish() {
    assert!(activate(None));
    let pager = PAGER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut pager = pager.expect("boot made one");
    pager
        .space
        .destroy(&mut pager.frames, &mut |_, frame| {
            if uses(frame) == Some(0) {
                reclaim(frame);
            }
        })
        .expect("it is not active");
    assert_eq!(pager.frames.out, 0);
}

const BASE: u64 = 0x10_0000;

#[test]
fn copies_cross_pages_and_bring_them() {
    let _machine = boot();
    with_pager(|pager| {
        for page in 0..20 {
            let page = VirtAddr(BASE + page * PAGE_SIZE);
            pager
                .space
                .set_absent(page, DEMAND_ZERO, &mut pager.frames)
                .expect("there is memory");
        }
    });
    let mut model = vec![0u8; 20 * PAGE_BYTES];
    let mut random = Random(5);
    for _ in 0..200 {
        let start = usize::try_from(random.below(20 * 4096)).expect("small");
        let length = usize::try_from(random.below(9000)).expect("small");
        let end = (start + length).min(model.len());
        let address = VirtAddr(BASE + start as u64);
        if random.below(2) == 0 {
            let byte = random.next().to_le_bytes()[0];
            model[start..end].fill(byte);
            assert_eq!(copy_out(address, &vec![byte; end - start]), Ok(()));
        } else {
            let mut found = vec![0xEE; end - start];
            assert_eq!(copy_in(&mut found, address), Ok(()));
            assert!(found == model[start..end]);
        }
    }
    let faults = with_pager(|pager| pager.faults.len());
    assert_eq!(faults, 20, "each page was brought once");
    finish();
}

#[test]
fn a_copy_ends_at_what_cannot_be_resolved() {
    let _machine = boot();
    let frame = user_frame(0x11);
    with_pager(|pager| {
        pager
            .space
            .map(
                VirtAddr(BASE),
                frame,
                UserProtection::Read,
                &mut pager.frames,
            )
            .expect("there is memory");
    });
    let mut found = [0; 32];
    let across = VirtAddr(BASE + PAGE_SIZE - 16);
    assert_eq!(copy_in(&mut found, across), Err(UserFault));
    assert_eq!(found[..16], [0x11; 16], "what was there was read");
    assert_eq!(copy_out(VirtAddr(BASE + 5), &[1, 2]), Err(UserFault));
    with_pager(|pager| {
        let expected = [(BASE + PAGE_SIZE, Access::Read), (BASE + 5, Access::Write)];
        assert_eq!(pager.faults, expected);
    });
    assert_eq!(copy_in(&mut found, VirtAddr(BASE)), Ok(()));
    assert_eq!(found, [0x11; 32], "it was not written");
    assert!(activate(None));
    assert_eq!(copy_in(&mut found, VirtAddr(BASE)), Err(UserFault));
    finish();
}

#[test]
fn a_page_is_copied_when_it_is_written() {
    let _machine = boot();
    let frame = user_frame(0x22);
    with_pager(|pager| {
        for page in 0..2 {
            pager
                .space
                .map(
                    VirtAddr(BASE + page * PAGE_SIZE),
                    frame,
                    UserProtection::ReadExecute,
                    &mut pager.frames,
                )
                .expect("there is memory");
        }
    });
    let mut found = [0; 2];
    // The processor has the old translation now: the pager must make it forget.
    assert_eq!(copy_in(&mut found, VirtAddr(BASE)), Ok(()));
    assert_eq!(copy_out(VirtAddr(BASE + 1), &[0x33]), Ok(()));
    assert_eq!(copy_in(&mut found, VirtAddr(BASE)), Ok(()));
    assert_eq!(found, [0x22, 0x33]);
    assert_eq!(copy_in(&mut found, VirtAddr(BASE + PAGE_SIZE)), Ok(()));
    assert_eq!(found, [0x22, 0x22]);
    assert_eq!(uses(frame), Some(1));
    finish();
}

#[test]
fn a_pager_that_resolves_nothing_is_found_out() {
    let _machine = boot();
    set_upcalls(|upcalls| upcalls.fault = |_, _| true);
    let text = panic_text(|| _ = copy_in(&mut [0], VirtAddr(BASE)));
    assert!(text.contains("the fault comes again"), "{text}");
    finish();
}

#[test]
fn spaces_do_not_see_each_other() {
    let _machine = boot();
    let mut frames = CountedFrames::new(10);
    let mut other = AddressSpace::create(&mut frames).expect("there is memory");
    let (one, two) = (user_frame(1), user_frame(2));
    let first = with_pager(|pager| {
        pager
            .space
            .map(VirtAddr(BASE), one, UserProtection::Read, &mut pager.frames)
            .expect("there is memory");
        pager.space.id()
    });
    other
        .map(VirtAddr(BASE), two, UserProtection::Read, &mut frames)
        .expect("there is memory");
    let look = || {
        let mut found = [0];
        copy_in(&mut found, VirtAddr(BASE)).map(|()| found[0])
    };
    for _ in 0..2 {
        assert_eq!(look(), Ok(1));
        assert!(activate(Some(other.id())));
        assert_eq!(look(), Ok(2));
        sim::on_processor(ProcessorNumber(1), || {
            assert_eq!(look(), Err(UserFault), "nothing is active there");
            assert!(activate(Some(first)));
            assert_eq!(look(), Ok(1));
            assert!(activate(None));
        });
        assert!(activate(Some(first)));
    }
    other
        .destroy(&mut frames, &mut |_, _| {})
        .expect("it is not active");
    reclaim(two);
    finish();
}

#[test]
fn no_processor_sees_a_page_after_it_was_unmapped() {
    /// What the page holds, 0 while it is not there, `END` when the test is over.
    static NOW: AtomicU8 = AtomicU8::new(0);
    static SPACE: AtomicU16 = AtomicU16::new(0);
    static SEEN: AtomicU32 = AtomicU32::new(0);
    static ACTIVE: AtomicU32 = AtomicU32::new(0);
    const END: u8 = 255;
    fn watch(_: ProcessorNumber) {
        Machine::set_irql(Irql::Passive);
        Machine::restore_interrupts(true);
        assert!(activate(Some(SpaceId(SPACE.load(Relaxed)))));
        while NOW.load(Relaxed) != END {
            let mut found = [0];
            if copy_in(&mut found, VirtAddr(BASE)).is_ok() {
                assert_eq!(found[0], NOW.load(Relaxed));
                SEEN.fetch_add(1, Relaxed);
            }
        }
        assert!(activate(None));
        ACTIVE.fetch_sub(1, Relaxed);
    }
    for seed in 0..30 {
        let _machine = sim::boot_multiprocessor(3, seed);
        set_upcalls(|upcalls| upcalls.started = watch);
        let mut frames = CountedFrames::new(100);
        let mut space = AddressSpace::create(&mut frames).expect("there is memory");
        SPACE.store(space.id().0, Relaxed);
        NOW.store(0, Relaxed);
        ACTIVE.store(2, Relaxed);
        for number in [1, 2] {
            assert!(sim::start_processor(ProcessorNumber(number)));
        }
        for byte in 1..30 {
            let frame = user_frame(byte);
            NOW.store(byte, Relaxed);
            space
                .map(VirtAddr(BASE), frame, UserProtection::Read, &mut frames)
                .expect("there is memory");
            for _ in 0..20 {
                Machine::set_irql(Irql::Passive);
            }
            space.unmap(layout::USER, &mut |_, frame| {
                reclaim(frame);
                0
            });
            NOW.store(0, Relaxed);
        }
        NOW.store(END, Relaxed);
        while ACTIVE.load(Relaxed) > 0 {
            Machine::relax();
        }
        space
            .destroy(&mut frames, &mut |_, _| {})
            .expect("it is active nowhere");
    }
    assert!(SEEN.load(Relaxed) > 1000);
}
