//! Address spaces against a model, and what the floor refuses.

mod common;

use std::collections::BTreeMap;

use arch::contract::{
    FrameNumber, PAGE_SIZE, Processor, ProcessorNumber, Translation, UserProtection,
    UserTranslation, VirtAddr, VirtRange,
};
use arch::memory::{
    AddressSpace, Frame, FrameSource, MapError, SpaceId, UserEntry, activate, kernel_leaves,
    layout, user_frame::uses,
};
use arch::{Machine, sim};
use common::{CountedFrames, Random, panic_text, reclaim, set_upcalls, user_frame};

const PROTECTIONS: [UserProtection; 4] = [
    UserProtection::Read,
    UserProtection::ReadWrite,
    UserProtection::ReadExecute,
    UserProtection::ReadWriteExecute,
];

fn boot() -> sim::Running {
    let running = sim::boot(2);
    set_upcalls(|_| {});
    running
}

fn create(frames: &mut CountedFrames) -> AddressSpace {
    AddressSpace::create(frames).expect("there is memory, and a number")
}

/// Takes a space apart that shows nothing.
fn destroy(space: AddressSpace, frames: &mut CountedFrames) {
    space
        .destroy(frames, &mut |page, _| panic!("{page} shows something"))
        .expect("it is active nowhere");
}

fn page(number: u64) -> VirtAddr {
    VirtAddr(layout::USER.start.0 + number * PAGE_SIZE)
}

/// Places where tables end, and the ends of it all.
fn places() -> Vec<u64> {
    let end = layout::USER.end.0;
    let mut places = vec![layout::USER.start.0, end - 8 * PAGE_SIZE];
    for boundary in [1 << 21, 1 << 30, 1 << 39, 5 << 39, 3 << 30, 77 << 21] {
        places.push(boundary - 4 * PAGE_SIZE);
    }
    places
}

/// A space, what should be in it, and the frames that it may show.
struct Checked {
    space: AddressSpace,
    model: BTreeMap<u64, UserEntry>,
    frames: CountedFrames,
    user_frames: Vec<FrameNumber>,
    random: Random,
    places: Vec<u64>,
}

impl Checked {
    fn new(seed: u64) -> Self {
        let mut frames = CountedFrames::new(1000);
        Self {
            space: create(&mut frames),
            model: BTreeMap::new(),
            frames,
            user_frames: (0..12).map(user_frame).collect(),
            random: Random(seed),
            places: places(),
        }
    }

    fn some_page(&mut self) -> VirtAddr {
        let place = self.random.of(&self.places);
        VirtAddr(place + self.random.below(8) * PAGE_SIZE)
    }

    fn some_range(&mut self) -> VirtRange {
        let (one, two) = (self.some_page(), self.some_page());
        let start = one.min(two);
        let end = VirtAddr(one.max(two).0 + PAGE_SIZE);
        VirtRange { start, end }
    }

    fn present_in(&self, range: VirtRange) -> Vec<(u64, FrameNumber, UserProtection)> {
        self.model
            .range(range.start.0..range.end.0)
            .filter_map(|(page, entry)| match entry {
                UserEntry::Present { frame, protection } => Some((*page, *frame, *protection)),
                UserEntry::Absent(_) => None,
            })
            .collect()
    }

    fn map(&mut self) {
        let page = self.some_page();
        let frame = self.random.of(&self.user_frames);
        let protection = self.random.of(&PROTECTIONS);
        let result = self.space.map(page, frame, protection, &mut self.frames);
        if matches!(self.model.get(&page.0), Some(UserEntry::Present { .. })) {
            assert_eq!(result, Err(MapError::Occupied));
        } else {
            assert_eq!(result, Ok(()));
            let entry = UserEntry::Present { frame, protection };
            self.model.insert(page.0, entry);
        }
    }

    fn set_absent(&mut self) {
        let page = self.some_page();
        let value = self.random.next() >> self.random.of(&[1, 30, 63, 63]);
        let value = value & (u64::MAX >> 1);
        let result = self.space.set_absent(page, value, &mut self.frames);
        if matches!(self.model.get(&page.0), Some(UserEntry::Present { .. })) {
            assert_eq!(result, Err(MapError::Occupied));
            return;
        }
        assert_eq!(result, Ok(()));
        self.keep_value(page.0, value);
    }

    fn keep_value(&mut self, page: u64, value: u64) {
        if value == 0 {
            self.model.remove(&page);
        } else {
            self.model.insert(page, UserEntry::Absent(value));
        }
    }

    fn unmap(&mut self) {
        let range = self.some_range();
        let salt = self.random.below(3);
        let expected = self.present_in(range);
        let mut told = Vec::new();
        self.space.unmap(range, &mut |page, frame| {
            told.push((page.0, frame));
            (page.0 >> 12) * salt
        });
        let pages: Vec<_> = expected
            .iter()
            .map(|(page, frame, _)| (*page, *frame))
            .collect();
        assert_eq!(told, pages);
        for (page, _) in pages {
            self.keep_value(page, (page >> 12) * salt);
        }
    }

    fn protect(&mut self) {
        let range = self.some_range();
        let new = self.random.of(&PROTECTIONS);
        let expected = self.present_in(range);
        let mut told = Vec::new();
        self.space.protect(range, &mut |page, frame, old| {
            told.push((page.0, frame, old));
            if page.0 & PAGE_SIZE == 0 { new } else { old }
        });
        assert_eq!(told, expected);
        for (page, frame, _) in told {
            if page & PAGE_SIZE == 0 {
                let protection = new;
                let entry = UserEntry::Present { frame, protection };
                self.model.insert(page, entry);
            }
        }
    }

    fn compare(&mut self) {
        let range = self.some_range();
        let mut found = Vec::new();
        self.space
            .for_each(range, &mut |page, entry| found.push((page.0, entry)));
        let expected: Vec<_> = self
            .model
            .range(range.start.0..range.end.0)
            .map(|(page, entry)| (*page, *entry))
            .collect();
        assert_eq!(found, expected);
        let next = self.space.next_used(range.start, layout::USER.end);
        let expected = self.model.range(range.start.0..).next();
        assert_eq!(
            next,
            expected.map(|(page, entry)| (VirtAddr(*page), *entry))
        );
        let page = self.some_page();
        let expected = self.model.get(&page.0).copied();
        assert_eq!(
            self.space.entry(page),
            expected.unwrap_or(UserEntry::Absent(0))
        );
        let frame = self.random.of(&self.user_frames);
        let shown = self.present_in(layout::USER);
        let shown = shown.iter().filter(|(_, other, _)| *other == frame).count();
        assert_eq!(uses(frame), u32::try_from(shown).ok());
    }

    fn destroy(mut self) {
        let expected = self.present_in(layout::USER);
        let mut told = Vec::new();
        self.space
            .destroy(&mut self.frames, &mut |page, frame| {
                told.push((page.0, frame))
            })
            .expect("it is active nowhere");
        let pages: Vec<_> = expected
            .iter()
            .map(|(page, frame, _)| (*page, *frame))
            .collect();
        assert_eq!(told, pages);
        assert_eq!(self.frames.out, 0, "every table came back");
        self.user_frames.into_iter().for_each(reclaim);
    }
}

#[test]
fn a_space_does_what_a_map_of_pages_does() {
    let _machine = boot();
    for seed in 0..12 {
        let mut checked = Checked::new(seed);
        for _ in 0..200 {
            match checked.random.below(10) {
                0..4 => checked.map(),
                4 | 5 => checked.set_absent(),
                6 => checked.unmap(),
                7 => checked.protect(),
                _ => checked.compare(),
            }
        }
        checked.destroy();
    }
}

#[test]
fn only_user_pages_and_user_frames_are_mapped() {
    let _machine = boot();
    let mut frames = CountedFrames::new(100);
    let mut space = create(&mut frames);
    let frame = user_frame(1);
    let bad_pages = [
        VirtAddr(0),
        VirtAddr(layout::USER.start.0 - PAGE_SIZE),
        VirtAddr(layout::USER.start.0 + 8),
        layout::USER.end,
        layout::POOL.start,
        layout::IMAGE,
        VirtAddr(!(PAGE_SIZE - 1)),
    ];
    for bad in bad_pages {
        let mapped = space.map(bad, frame, UserProtection::Read, &mut frames);
        assert_eq!(mapped, Err(MapError::BadRange), "{bad}");
        let set = space.set_absent(bad, 1, &mut frames);
        assert_eq!(set, Err(MapError::BadRange), "{bad}");
        assert_eq!(space.entry(bad), UserEntry::Absent(0));
    }
    let top_bit = space.set_absent(page(0), 1 << 63, &mut frames);
    assert_eq!(top_bit, Err(MapError::BadRange));

    let owned = sim::SpareFrames.allocate().expect("there is memory");
    let kernel_frame = FrameNumber::containing(Machine::image().physical_base);
    for bad in [
        owned.number(),
        kernel_frame,
        FrameNumber(0),
        FrameNumber(u64::MAX >> 12),
    ] {
        let mapped = space.map(page(1), bad, UserProtection::Read, &mut frames);
        assert_eq!(mapped, Err(MapError::BadRange), "{bad:?}");
    }
    let _ = owned.release();
    assert_eq!(uses(frame), Some(0));
    destroy(space, &mut frames);
    assert_eq!(frames.out, 0);
    reclaim(frame);
}

#[test]
fn a_frame_is_not_taken_back_while_anything_shows_it() {
    let _machine = boot();
    let mut frames = CountedFrames::new(100);
    let (mut one, mut two) = (create(&mut frames), create(&mut frames));
    let frame = user_frame(1);
    for number in 0..3 {
        let space = if number < 2 { &mut one } else { &mut two };
        assert_eq!(uses(frame), Some(u32::try_from(number).expect("few")));
        space
            .map(page(number), frame, UserProtection::Read, &mut frames)
            .expect("there is memory");
        assert!(Frame::reclaim(frame).is_none());
        assert!(Frame::claim(frame).is_none());
    }
    one.unmap(layout::USER, &mut |_, _| {
        assert!(Frame::reclaim(frame).is_none(), "another page shows it");
        0
    });
    let mut left = Vec::new();
    two.destroy(&mut frames, &mut |page, frame| left.push((page, frame)))
        .expect("it is active nowhere");
    assert_eq!(left, [(page(2), frame)]);
    reclaim(frame);
    assert_eq!(uses(frame), None);
    destroy(one, &mut frames);
    assert_eq!(frames.out, 0);
}

#[test]
fn a_space_that_is_active_anywhere_is_not_destroyed() {
    let _machine = boot();
    let mut frames = CountedFrames::new(100);
    let mut space = create(&mut frames);
    let other = create(&mut frames);
    let id = space.id();
    for _ in 0..2 {
        assert!(activate(Some(id)), "also when it is active here");
    }
    sim::on_processor(ProcessorNumber(1), || assert!(activate(Some(id))));
    for step in 0..3 {
        let refused = space.destroy(&mut frames, &mut |_, _| {});
        space = match refused {
            Err(space) => space,
            Ok(()) => {
                assert_eq!(step, 2);
                break;
            }
        };
        match step {
            0 => assert!(activate(Some(other.id()))),
            _ => sim::on_processor(ProcessorNumber(1), || assert!(activate(None))),
        }
    }
    assert!(!activate(Some(id)), "it is gone");
    assert_eq!(
        Machine::active_space(),
        None,
        "and nothing is active instead"
    );
    assert!(!activate(Some(SpaceId(0))), "0 is no space");
    assert!(!activate(Some(SpaceId(65535))));
    destroy(other, &mut frames);
    assert_eq!(frames.out, 0);
}

#[test]
fn numbers_run_out_and_come_back() {
    let _machine = boot();
    let mut frames = CountedFrames::new(100);
    let mut spaces: Vec<_> = (1..Machine::most_spaces())
        .map(|_| create(&mut frames))
        .collect();
    let out = frames.out;
    assert!(AddressSpace::create(&mut frames).is_err(), "0 is no number");
    assert_eq!(frames.out, out, "its root came back");
    let gone = spaces.remove(20);
    let id = gone.id();
    destroy(gone, &mut frames);
    let again = create(&mut frames);
    assert_eq!(again.id(), id);
    for space in spaces.into_iter().chain([again]) {
        destroy(space, &mut frames);
    }
    assert_eq!(frames.out, 0);
}

#[test]
fn what_finds_no_memory_changes_nothing() {
    let _machine = boot();
    assert_eq!(
        AddressSpace::create(&mut CountedFrames::new(0)).err(),
        Some(MapError::NoMemory)
    );
    for given in 1..5 {
        let mut frames = CountedFrames::new(given);
        let mut space = create(&mut frames);
        let frame = user_frame(1);
        let mapped = space.map(page(9), frame, UserProtection::Read, &mut frames);
        assert_eq!(mapped.is_ok(), given == 4, "a root and three tables");
        assert_eq!(uses(frame), Some(u32::from(given == 4)));
        if given < 4 {
            let set = space.set_absent(page(9), 5, &mut frames);
            assert_eq!(set, Err(MapError::NoMemory));
            assert_eq!(space.set_absent(page(9), 0, &mut frames), Ok(()));
            assert_eq!(space.entry(page(9)), UserEntry::Absent(0));
        }
        space
            .destroy(&mut frames, &mut |_, _| {})
            .expect("it is active nowhere");
        assert_eq!(frames.out, 0);
        reclaim(frame);
    }
}

#[test]
fn the_kernels_half_outlives_every_space() {
    let _machine = boot();
    let leaves = || {
        let mut found = Vec::new();
        kernel_leaves(&mut |leaf| found.push(leaf));
        found
    };
    let before = leaves();
    assert!(before.iter().all(|leaf| !leaf.user));
    for _ in 0..3 {
        let mut frames = CountedFrames::new(10);
        let space = create(&mut frames);
        destroy(space, &mut frames);
    }
    assert_eq!(leaves(), before);
}

#[test]
fn to_unmap_where_others_cannot_answer_is_a_panic() {
    let _machine = boot();
    let mut frames = CountedFrames::new(10);
    let mut space = create(&mut frames);
    let frame = user_frame(1);
    space
        .map(page(0), frame, UserProtection::Read, &mut frames)
        .expect("there is memory");
    let enabled = Machine::disable_interrupts();
    let text = panic_text(|| space.unmap(layout::USER, &mut |_, _| 0));
    assert!(text.contains("interrupts off"), "{text}");
    Machine::restore_interrupts(enabled);
    destroy(space, &mut frames);
}
