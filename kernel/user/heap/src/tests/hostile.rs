//! Programs that do what they must not.
//!
//! Whatever they do, the heap touches its own pages only (`arena::watch` ends the test otherwise), no arithmetic overflows, and
//! what it does not report leaves the program's blocks as they are.

use std::string::String;
use std::vec::Vec;
use std::{format, println};

use c_interface::Ptr;
use nt_abi::NtStatus;
use nt_abi::heap::{HeapEntryFlags, HeapFlags};

use super::Random;
use super::arena::TestPages;
use super::model::{Model, TestHeap, growing, walk};
use crate::header::{HEADER_BYTES, LOCK_OFFSET, LOCK_WORDS};
use crate::{CorruptionKind, Heap, Pages};

const NONE: HeapFlags = HeapFlags(0);

fn kind_of_free(heap: &TestHeap<'_>, data: usize) -> Option<CorruptionKind> {
    let failure = heap.free(NONE, data).err()?;
    Some(failure.corruption?.kind)
}

/// Blocks of every kind: back end, front end (more than one span), large.
fn variety(heap: &TestHeap<'_>) -> (Model, Vec<usize>) {
    let mut model = Model::default();
    let mut blocks = Vec::new();
    let sizes = [3usize, 40, 100, 5_000, 30_000]
        .into_iter()
        .chain((0..90).map(|_| 100))
        .chain((0..30).map(|_| 1_900))
        .chain([700, 9_000, 600_000, 12_000, 20, 900_000, 4_000]);
    for size in sizes {
        let data = heap.allocate(NONE, size).unwrap();
        model.allocated(data, size, false);
        blocks.push(data);
    }
    (model, blocks)
}

#[test]
fn what_is_no_handle_is_none() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let data = heap.allocate(NONE, 0x4000).unwrap();
    Ptr::<u8>::new(data).fill(0, 0x4000);
    let handle = heap.handle();
    let inside = (data + 0x1000) & !0xFFF;
    for wrong in [0, handle + 8, handle + 0x1000, data, inside, handle + 1] {
        assert!(TestHeap::open(&pages, wrong).is_none(), "{wrong:#x}");
    }
    // A copy of a heap's header elsewhere is none.
    Ptr::<u8>::new(inside).copy_from(Ptr::new(handle), 0x1000);
    assert!(TestHeap::open(&pages, inside).is_none());
    assert!(TestHeap::open(&pages, handle).is_some());
    heap.destroy().unwrap();
}

#[test]
fn a_block_that_is_freed_twice() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let (mut model, blocks) = variety(&heap);
    for &data in &blocks {
        model.freed(data);
        heap.free(NONE, data).unwrap();
        let kind = kind_of_free(&heap, data).unwrap();
        // One that has become part of another, or whose pages are gone, is nothing any more.
        assert!(
            matches!(kind, CorruptionKind::DoubleFree | CorruptionKind::NotABlock),
            "{kind:?}"
        );
        assert!(heap.size(NONE, data).is_err());
        assert!(heap.reallocate(NONE, data, 50).is_err());
        model.compare(&heap);
    }
    for &data in &blocks {
        assert!(kind_of_free(&heap, data).is_some());
    }
    // Also one that was just freed among others that are not.
    let blocks: Vec<_> = (0..60).map(|_| heap.allocate(NONE, 50).unwrap()).collect();
    heap.free(NONE, blocks[30]).unwrap();
    assert_eq!(
        kind_of_free(&heap, blocks[30]),
        Some(CorruptionKind::DoubleFree)
    );
}

#[test]
fn addresses_inside_of_blocks_and_outside_of_everything() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let (model, blocks) = variety(&heap);
    let other_pages = TestPages::new();
    let other = growing(&other_pages);
    let (_, foreign) = variety(&other);
    pages.enter();
    let mut wrong: Vec<usize> = foreign;
    for &data in &blocks {
        let size = model.blocks[&data].size;
        let step = (size / 300).max(1);
        wrong.extend((1..size + 40).step_by(step).map(|offset| data + offset));
        wrong.extend((1..70).map(|offset| data - offset));
    }
    wrong.retain(|data| !model.blocks.contains_key(data));
    let handle = heap.handle();
    wrong.extend((0..0x8000).step_by(40).map(|offset| handle + offset));
    wrong.retain(|data| !model.blocks.contains_key(data));
    wrong.extend([
        1,
        8,
        16,
        0x1_0040,
        usize::MAX,
        usize::MAX - 15,
        !0xFFFF,
        (usize::MAX / 3 * 2) & !15,
    ]);
    for part in walk(&heap) {
        if part.flags.contains(HeapEntryFlags::UNCOMMITTED_RANGE) {
            let from = Ptr::<u8>::at(part.data_address).address();
            let to = from + Ptr::<u8>::at(part.data_size).address();
            wrong.extend([from, from + 16, ((from + to) / 2) & !15, to - 16, to]);
        }
    }
    println!("{} addresses", wrong.len());
    for data in wrong {
        let kind = kind_of_free(&heap, data).unwrap_or_else(|| panic!("{data:#x} was freed"));
        let inside = model.blocks.range(..data).next_back();
        if inside.is_some_and(|(begin, shadow)| data < begin + shadow.size) {
            assert_eq!(kind, CorruptionKind::NotABlock, "{data:#x}");
        }
        assert!(heap.size(NONE, data).is_err());
        assert!(heap.validate_block(NONE, data).is_err());
        assert!(heap.reallocate(NONE, data, 50).is_err());
        assert!(heap.user_info(NONE, data).is_err());
        assert!(
            heap.set_user_flags(NONE, data, NONE, HeapFlags(0x200))
                .is_err()
        );
        assert!(heap.set_user_value(NONE, data, 5).is_err());
    }
    model.compare(&heap);
    model.verify_all();
}

/// Each change of each byte before a block is noticed when the block is used.
#[test]
fn every_byte_before_a_block_with_every_value() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let (mut model, blocks) = variety(&heap);
    let header = |size: usize, index: usize| {
        if size > 500_000 || (5..=120).contains(&index) {
            8
        } else {
            16
        }
    };
    for (index, &data) in blocks.iter().enumerate() {
        // One of each kind.
        if ![1, 3, 60, 110, 126, 127, 128].contains(&index) {
            continue;
        }
        let size = model.blocks[&data].size;
        for offset in 1..=header(size, index) {
            let place = Ptr::<u8>::new(data - offset);
            let right = place.read();
            for wrong in 0..=255u8 {
                if wrong == right {
                    continue;
                }
                place.write(wrong);
                let kind = kind_of_free(&heap, data);
                assert!(
                    matches!(
                        kind,
                        Some(CorruptionKind::BlockHeader | CorruptionKind::DoubleFree)
                    ),
                    "{offset} before block {index} of {size}: {wrong:#x}, {kind:?}"
                );
                assert!(heap.size(NONE, data).is_err());
                assert!(heap.reallocate(NONE, data, size + 10).is_err());
                assert!(heap.validate(NONE).is_err());
            }
            place.write(right);
        }
        heap.validate(NONE).unwrap();
    }
    model.compare(&heap);
    model.free_all(&heap);
}

/// A block that became part of another one is none, whichever of the two was freed first.
#[test]
fn what_was_merged_is_no_block() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    for first in [0, 1] {
        let blocks: Vec<_> = (0..4)
            .map(|_| heap.allocate(NONE, 20_000).unwrap())
            .collect();
        heap.free(NONE, blocks[1 + first]).unwrap();
        heap.free(NONE, blocks[2 - first]).unwrap();
        assert_eq!(
            kind_of_free(&heap, blocks[1]),
            Some(CorruptionKind::DoubleFree)
        );
        assert_eq!(
            kind_of_free(&heap, blocks[2]),
            Some(CorruptionKind::NotABlock)
        );
        heap.free(NONE, blocks[0]).unwrap();
        heap.free(NONE, blocks[3]).unwrap();
    }
}

/// The map may say of a page that it is there, or of another kind: that is noticed before the page is touched.
#[test]
fn entries_of_the_map() {
    let map = HEADER_BYTES;
    for page in 0..66 {
        for value in [0, 1, 2, 3, 34] {
            let pages = TestPages::new();
            let heap = growing(&pages);
            let gone = heap.allocate(NONE, 60_000).unwrap();
            let mut model = Model::default();
            let blocks: Vec<_> = (0..40)
                .map(|_| {
                    let data = heap.allocate(NONE, 90).unwrap();
                    model.allocated(data, 90, false);
                    data
                })
                .collect();
            heap.free(NONE, gone).unwrap();
            heap.compact(NONE).unwrap();
            // The first byte of the entry says what is there.
            let place = Ptr::<u8>::new(heap.handle() + map + 2 * page);
            if place.read() == value {
                continue;
            }
            place.write(value);
            for &data in &blocks {
                let _ = heap.free(NONE, data + 16);
                model.freed(data);
                let _ = heap.free(NONE, data);
            }
            for size in [70_000, 3_000, 40, 9_000, 30_000, 3_000, 90] {
                if let Ok(data) = heap.allocate(NONE, size) {
                    model.allocated(data, size, false);
                }
            }
            model.verify_all();
        }
    }
}

/// Each change of each byte before a free block is noticed when it would be given out, and no block is given out twice.
#[test]
fn every_byte_before_a_free_block() {
    for offset in 1..=8 {
        for change in 1..=255u8 {
            let pages = TestPages::new();
            let heap = growing(&pages);
            let mut model = Model::default();
            let mut blocks = Vec::new();
            for _ in 0..120 {
                let data = heap.allocate(NONE, 90).unwrap();
                model.allocated(data, 90, false);
                blocks.push(data);
            }
            for &data in &blocks[40..50] {
                model.freed(data);
                heap.free(NONE, data).unwrap();
            }
            let place = Ptr::<u8>::new(blocks[44] - offset);
            place.write(place.read() ^ change);
            let mut kinds = Vec::new();
            for _ in 0..100 {
                match heap.allocate(NONE, 90) {
                    Ok(data) => model.allocated(data, 90, false),
                    Err(failure) => kinds.push(failure.corruption.unwrap().kind),
                }
            }
            assert_eq!(kinds, [CorruptionKind::FreeList], "{offset} {change:#x}");
            model.verify_all();
        }
    }
}

/// What is written behind a block is noticed when the next one is used, and by whoever validates.
#[test]
fn writing_behind_a_block() {
    for (size, count) in [(40, 80), (1_000, 80), (6_000, 20)] {
        for length in [1, 4, 8, 16, 20] {
            for value in [0, 0x41, 0xFF] {
                let pages = TestPages::new();
                let heap = growing(&pages);
                let mut blocks: Vec<_> = (0..count)
                    .map(|_| heap.allocate(NONE, size).unwrap())
                    .collect();
                blocks.sort_unstable();
                let pair = blocks
                    .windows(2)
                    .rev()
                    .find(|pair| pair[1] - pair[0] < size + 64)
                    .unwrap();
                // The next block's header is before its bytes.
                let header = if size < 4_000 { 8 } else { 16 };
                let place = Ptr::<u8>::new(pair[1] - header);
                if place.slice(length).iter().all(|&byte| byte == value) {
                    continue;
                }
                place.fill(value, length);
                assert!(heap.validate(NONE).is_err());
                assert!(kind_of_free(&heap, pair[1]).is_some());
                // Without its header a neighbour cannot be told from a free one.
                if size > 4_000 {
                    assert!(kind_of_free(&heap, pair[0]).is_some());
                }
            }
        }
    }
}

/// A program that goes on writing to what it freed.
#[test]
fn writing_to_free_blocks() {
    let mut random = Random(5);
    for round in 0..300 {
        let pages = TestPages::new();
        let heap = growing(&pages);
        let (mut model, blocks) = variety(&heap);
        let mut freed = Vec::new();
        for &data in &blocks {
            if random.below(2) == 0 && model.blocks[&data].size < 500_000 {
                let size = model.blocks[&data].size;
                model.freed(data);
                heap.free(NONE, data).unwrap();
                freed.push((data, size));
            }
        }
        for &(data, size) in &freed {
            if random.below(3) == 0 {
                // Its own bytes, no others; and only where there are pages still.
                let length = size.min(40);
                if pages.is_committed(data) && pages.is_committed(data + length) {
                    let value = random.next().to_le_bytes()[0];
                    Ptr::<u8>::new(data).fill(value, length);
                }
            }
        }
        use_it(&heap, &mut model, &mut random, 200);
        model.verify_all();
        let _ = round;
    }
}

/// Uses a heap that may be damaged; whether damage was reported.
fn use_it(heap: &TestHeap<'_>, model: &mut Model, random: &mut Random, operations: usize) -> bool {
    let mut reported = heap.validate(NONE).is_err();
    for _ in 0..operations {
        let bits = random.below(14);
        let size = random.below(2 << bits);
        let picked = model.pick(random.next());
        match (random.below(8), picked) {
            (0..=2, Some((data, _))) => {
                // What was freed with a damaged neighbour is gone or not; nobody may use it.
                model.freed(data);
                reported |= heap.free(NONE, data).is_err();
            }
            (3, Some((data, _))) => match heap.reallocate(NONE, data, size) {
                Ok(new) => model.resized(data, new, size, false),
                Err(failure) => {
                    if failure.corruption.is_some() {
                        model.taken(data);
                        reported = true;
                    }
                }
            },
            _ => match heap.allocate(NONE, size) {
                Ok(data) => model.allocated(data, size, false),
                Err(failure) => reported |= failure.corruption.is_some(),
            },
        }
    }
    reported |= heap.validate(NONE).is_err();
    reported |= heap.compact(NONE).is_err();
    let mut entry = nt_abi::native::RtlHeapWalkEntry::default();
    let mut steps = 0;
    let end = loop {
        match heap.walk(Ptr::of(&mut entry)) {
            Ok(()) => steps += 1,
            Err(status) => break status,
        }
        assert!(steps < 5_000, "a walk without end");
    };
    reported |= end != NtStatus::NO_MORE_ENTRIES;
    reported
}

/// All bytes of the heap's own, as ranges.
fn own_bytes(heap: &TestHeap<'_>, model: &Model) -> Vec<(usize, usize, String)> {
    let handle = heap.handle();
    let lock = handle + LOCK_OFFSET;
    let mut ranges = Vec::new();
    ranges.push((handle, lock, "header".into()));
    let behind = lock + LOCK_WORDS * size_of::<usize>();
    ranges.push((behind, handle + HEADER_BYTES, "header".into()));
    for part in walk(heap) {
        let at = Ptr::<u8>::at(part.data_address).address();
        let size = Ptr::<u8>::at(part.data_size).address();
        if part.flags.contains(HeapEntryFlags::SEGMENT) {
            let begin = if at == handle { at + HEADER_BYTES } else { at };
            ranges.push((begin, at + size, "map".into()));
        } else if !part.flags.contains(HeapEntryFlags::UNCOMMITTED_RANGE) {
            let before = usize::from(part.overhead_bytes);
            let free = !part.flags.contains(HeapEntryFlags::BUSY);
            let links = if free { size.min(40) } else { 0 };
            ranges.push((at - before, at + links, format!("block of {size}")));
            if part.flags.contains(HeapEntryFlags::LFH_ALLOC) && at & 0xFFF == 0x40 {
                ranges.push((at - 0x40, at - 8, "span".into()));
            }
        }
    }
    ranges.retain(|&(from, to, _)| {
        from < to
            && !model
                .blocks
                .range(from..to)
                .any(|(&data, _)| data < to && data >= from)
            || model.blocks.contains_key(&to)
    });
    ranges
}

/// Changes every byte of the heap's own, one at a time, and uses the heap.
#[test]
fn every_byte_of_the_heaps_own() {
    let mut random = Random(11);
    let mut number = 0;
    let mut reported = 0;
    loop {
        let pages = TestPages::new();
        let heap = growing(&pages);
        // Some pages were there and are gone.
        let gone = heap.allocate(NONE, 60_000).unwrap();
        let (mut model, blocks) = variety(&heap);
        heap.free(NONE, gone).unwrap();
        for &data in blocks.iter().step_by(3) {
            model.freed(data);
            heap.free(NONE, data).unwrap();
        }
        heap.compact(NONE).unwrap();
        let ranges = own_bytes(&heap, &model);
        let mut left = number;
        let Some((address, what)) = ranges.iter().find_map(|(from, to, what)| {
            let here = left < to - from;
            let address = from + left;
            left = left.wrapping_sub(to - from);
            here.then(|| (address, what.clone()))
        }) else {
            break;
        };
        let place = Ptr::<u8>::new(address);
        let change = match random.below(3) {
            0 => 1 << random.below(3),
            _ => random.next().to_le_bytes()[0].max(1),
        };
        place.write(place.read() ^ change);
        let handle = heap.handle();
        match Heap::open(&pages, handle) {
            None => {
                assert!(address < handle + size_of::<usize>(), "{what}");
                reported += 1;
            }
            Some(heap) => {
                // Flags come from the header, too.
                if use_it(&heap, &mut model, &mut random, 60) {
                    reported += 1;
                } else {
                    model.compare(&heap);
                }
                model.verify_all();
            }
        }
        number += if address < handle + HEADER_BYTES {
            7
        } else {
            3
        };
        if std::env::var_os("HEAP_EVERY_BYTE").is_some() {
            number -= if address < handle + HEADER_BYTES {
                6
            } else {
                2
            };
        }
    }
    println!("{number} bytes, {reported} reported");
    assert!(number > 10_000);
}

/// Pages that cannot be had for the header itself.
#[test]
fn creation_without_pages() {
    for number in 1..4 {
        let pages = TestPages::new();
        pages.fail_every(number);
        let creation = crate::Creation::default();
        let made = TestHeap::create(&pages, &creation);
        if number < 3 {
            assert!(made.is_err());
            assert_eq!((pages.committed(), pages.reservations()), (0, 0));
        }
    }
    let pages = TestPages::new();
    assert!(pages.reserve(0x1_0000, crate::Access::Data).is_ok());
}
