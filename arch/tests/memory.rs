//! The floor's guarantees about memory, on the simulated machine: one owner for each page, no mapping over another, and
//! tables that say what was asked for.

use arch::contract::Translation;
use arch::contract::{
    FrameNumber, MemoryType, PAGE_SIZE, PhysAddr, Protection, VirtAddr, VirtRange,
};
use arch::memory::{
    DeviceError, DeviceWindow, Frame, FrameSource, KernelMapping, MapError, MappedLeaf,
    claim_low_frame, kernel_leaves, layout, permanent_words, usable_frames,
};
use arch::{Machine, sim};

/// Frames from anywhere, at most `left` of them.
struct Frames {
    next: u64,
    left: usize,
    returned: usize,
}

impl Frames {
    fn new(left: usize) -> Self {
        Self {
            next: sim::RAM_BASE / PAGE_SIZE,
            left,
            returned: 0,
        }
    }
}

impl FrameSource for Frames {
    fn allocate(&mut self) -> Option<Frame> {
        while self.left > 0 && self.next < (sim::RAM_BASE + sim::RAM_LENGTH) / PAGE_SIZE {
            self.next += 1;
            if let Some(frame) = Frame::claim(FrameNumber(self.next - 1)) {
                self.left -= 1;
                return Some(frame);
            }
        }
        None
    }

    fn free(&mut self, frame: Frame) {
        frame.release();
        self.returned += 1;
    }
}

fn leaves_in(range: VirtRange) -> Vec<MappedLeaf> {
    let mut found = Vec::new();
    kernel_leaves(&mut |leaf| {
        if range.contains(leaf.address) {
            found.push(leaf);
        }
    });
    found
}

#[test]
fn a_frame_has_one_owner() {
    let _machine = sim::boot(1);
    let number = FrameNumber(usable_frames()[0].start / PAGE_SIZE);
    let frame = Frame::claim(number).expect("nobody has it yet");
    assert!(Frame::claim(number).is_none());
    assert_eq!(frame.release(), number);
    let again = Frame::claim(number).expect("it was given up");
    let _ = again.release();
}

#[test]
fn what_is_reserved_or_no_ram_cannot_be_claimed() {
    let _machine = sim::boot(1);
    let loader = sim::loader_block();
    let image = VirtRange {
        start: layout::IMAGE,
        end: VirtAddr(layout::IMAGE.0 + 1),
    };
    let image_frame = FrameNumber::containing(leaves_in(image)[0].physical);
    let reserved = FrameNumber(loader.reserved[0].start / PAGE_SIZE);
    for number in [
        reserved,
        image_frame,
        FrameNumber(0),
        FrameNumber(u64::MAX),
        FrameNumber((sim::RAM_BASE + sim::RAM_LENGTH) / PAGE_SIZE),
    ] {
        assert!(Frame::claim(number).is_none(), "{number:?}");
    }
    assert_eq!(
        claim_low_frame(),
        None,
        "the simulated machine has no RAM below 1 MiB"
    );
}

#[test]
fn the_image_is_mapped_section_by_section_and_ram_without_its_code() {
    let _machine = sim::boot(1);
    let image = leaves_in(VirtRange {
        start: layout::IMAGE,
        end: VirtAddr(layout::IMAGE.0 + 40 * PAGE_SIZE),
    });
    let protection_at = |page: u64| {
        let address = VirtAddr(layout::IMAGE.0 + page * PAGE_SIZE);
        image
            .iter()
            .find(|leaf| leaf.address == address)
            .map(|leaf| leaf.protection)
    };
    assert_eq!(protection_at(0), Some(Protection::Execute));
    assert_eq!(protection_at(15), Some(Protection::Execute));
    assert_eq!(protection_at(16), Some(Protection::ReadOnly));
    assert_eq!(protection_at(24), Some(Protection::ReadWrite));
    assert_eq!(protection_at(32), None, "the guard page of the boot stack");
    assert_eq!(protection_at(33), Some(Protection::ReadWrite));
    assert_eq!(
        protection_at(37),
        None,
        "the guard page of the emergency stack"
    );
    assert_eq!(protection_at(38), Some(Protection::ReadWrite));

    let code = image
        .iter()
        .find(|leaf| leaf.protection == Protection::Execute)
        .expect("there is code")
        .physical;
    let map = VirtRange {
        start: layout::PHYSICAL_MAP,
        end: VirtAddr(layout::PHYSICAL_MAP.0 + layout::PHYSICAL_MAP_LENGTH),
    };
    let mapped: u64 = leaves_in(map).iter().map(|leaf| leaf.length).sum();
    assert_eq!(
        mapped,
        sim::RAM_LENGTH - 24 * PAGE_SIZE,
        "all RAM but 16 pages of code and 8 of constants"
    );
    for leaf in leaves_in(map) {
        assert_eq!(leaf.address, layout::physical_map(leaf.physical));
        assert_eq!(leaf.protection, Protection::ReadWrite);
        assert!(
            code.0 < leaf.physical.0 || leaf.physical.0 + leaf.length <= code.0,
            "code has no writable alias"
        );
    }
}

#[test]
fn a_mapping_owns_its_frames_and_gives_them_back() {
    let _machine = sim::boot(1);
    let range = VirtRange::of_pages(VirtAddr(layout::POOL.start.0 + (64 << 20)), 40);
    let mut frames = Frames::new(100);
    let mapping =
        KernelMapping::create(range, Protection::ReadWrite, &mut frames).expect("there are frames");
    assert_eq!(mapping.range(), range);
    let leaves = leaves_in(range);
    assert_eq!(leaves.len(), 40);
    for leaf in &leaves {
        assert_eq!(
            (leaf.length, leaf.protection, leaf.memory_type),
            (PAGE_SIZE, Protection::ReadWrite, MemoryType::Normal)
        );
        assert!(
            Frame::claim(FrameNumber::containing(leaf.physical)).is_none(),
            "the mapping owns it"
        );
    }
    let over = VirtRange::of_pages(VirtAddr(range.end.0 - PAGE_SIZE), 2);
    assert_eq!(
        KernelMapping::create(over, Protection::ReadOnly, &mut frames).err(),
        Some(MapError::Occupied)
    );
    mapping.destroy(&mut frames);
    assert_eq!(frames.returned, 40);
    assert!(leaves_in(range).is_empty());
    let frame =
        Frame::claim(FrameNumber::containing(leaves[0].physical)).expect("it was given back");
    let _ = frame.release();
}

#[test]
fn a_mapping_that_finds_no_memory_leaves_nothing_behind() {
    let _machine = sim::boot(1);
    let range = VirtRange::of_pages(VirtAddr(layout::STACKS.start.0 + (1 << 30)), 10);
    let mut frames = Frames::new(8);
    assert_eq!(
        KernelMapping::create(range, Protection::ReadWrite, &mut frames).err(),
        Some(MapError::NoMemory)
    );
    assert!(leaves_in(range).is_empty());
    // Of the eight, up to three became tables, which stay; the others are back.
    assert!(frames.returned >= 5, "{} came back", frames.returned);
}

#[test]
fn only_the_regions_for_mappings_take_mappings() {
    let _machine = sim::boot(1);
    let mut frames = Frames::new(10);
    let bad = [
        VirtRange::of_pages(layout::IMAGE, 1),
        VirtRange::of_pages(layout::PHYSICAL_MAP, 1),
        VirtRange::of_pages(VirtAddr(0x1000), 1),
        VirtRange::of_pages(VirtAddr(layout::POOL.end.0 - PAGE_SIZE), 2),
        VirtRange {
            start: VirtAddr(layout::POOL.start.0 + 1),
            end: VirtAddr(layout::POOL.start.0 + 1 + PAGE_SIZE),
        },
        VirtRange {
            start: layout::POOL.start,
            end: layout::POOL.start,
        },
    ];
    for range in bad {
        assert_eq!(
            KernelMapping::create(range, Protection::ReadWrite, &mut frames).err(),
            Some(MapError::BadRange),
            "{range:?}"
        );
    }
    assert_eq!(frames.left, 10);
}

#[test]
fn a_device_window_is_never_ram() {
    let _machine = sim::boot(1);
    let error = |address, length| DeviceWindow::map(PhysAddr(address), length).err();
    assert_eq!(error(sim::RAM_BASE, 4), Some(DeviceError::IsRam));
    assert_eq!(
        error(sim::RAM_BASE - 8, 16),
        Some(DeviceError::IsRam),
        "its last page would be RAM"
    );
    let reserved = sim::loader_block().reserved[0].start;
    assert_eq!(
        error(reserved, 4),
        Some(DeviceError::IsRam),
        "reserved RAM is RAM"
    );
    let image = Machine::image().physical_base.0;
    assert_eq!(error(image, 4), Some(DeviceError::IsRam), "the image");
    assert_eq!(
        error(0x100_0000_0000, (1 << 47) - 1),
        Some(DeviceError::NoRoom)
    );
    assert_eq!(error(0x0900_0000, 0), Some(DeviceError::BadRange));
    assert_eq!(error(u64::MAX, 2), Some(DeviceError::BadRange));
    assert_eq!(error(1 << 50, 4096), Some(DeviceError::BadRange));
    let window = DeviceWindow::map(PhysAddr(0x0900_0010), 0x1000).expect("nothing is there");
    assert_eq!(window.length(), 0x1000);
    let leaves = leaves_in(layout::DEVICES);
    let pages: Vec<_> = leaves
        .iter()
        .filter(|leaf| leaf.physical.0 >> 16 == 0x900)
        .collect();
    assert_eq!(pages.len(), 2, "0x1000 bytes from 0x10 touch two pages");
    assert!(
        pages
            .iter()
            .all(|leaf| leaf.memory_type == MemoryType::Device
                && leaf.protection == Protection::ReadWrite)
    );
}

#[test]
fn permanent_words_are_zero_and_nobody_elses() {
    let _machine = sim::boot(1);
    let one = permanent_words(1000).expect("there is memory");
    let two = permanent_words(1000).expect("there is memory");
    one.fill(1);
    assert!(two.iter().all(|word| *word == 0));
    assert!(permanent_words(usize::MAX / 16).is_none());
}
