//! The functions one by one, as their documentation and the tests of another implementation, run on Windows, have them.

use std::vec;
use std::vec::Vec;

use c_interface::{Ptr, field};
use nt_abi::NtStatus;
use nt_abi::heap::{HeapEntryFlags, HeapFlags, HeapInformationClass};
use nt_abi::native::{Peb, Pointer, RtlHeapParameters, RtlHeapWalkEntry, RtlHeapWalkSegment};

use super::TestLock;
use super::arena::TestPages;
use super::model::{Model, TestHeap, growing, walk, with_flags};
use crate::sizes::GRANULE;
use crate::{Access, CorruptionKind, Creation, Heap, Limits, Lock, Pages, ProcessHeaps, Setting};

const NONE: HeapFlags = HeapFlags(0);
/// What a test of another implementation calls its alloc_size.
const ALLOC_SIZE: usize = 0x8000 * size_of::<usize>();

fn fixed<'p>(pages: &'p TestPages, commit: usize, reserve: usize) -> TestHeap<'p> {
    let creation = Creation {
        reserve,
        commit,
        seed: 7,
        ..Creation::default()
    };
    Heap::create(pages, &creation).unwrap()
}

#[test]
fn border_cases() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    assert_eq!(heap.handle() % 0x1_0000, 0);
    heap.free(NONE, 0).unwrap();
    assert!(heap.size(NONE, 0).is_err());
    assert!(heap.reallocate(NONE, 0, 1).is_err());
    heap.validate(NONE).unwrap();

    let empty = heap.allocate(NONE, 0).unwrap();
    assert_eq!(heap.size(NONE, empty).unwrap(), 0);
    for size in [
        usize::MAX,
        usize::MAX - 7,
        usize::MAX / 2 + 1,
        isize::MAX as usize,
    ] {
        let failure = heap.reallocate(NONE, empty, size).unwrap_err();
        assert_eq!(failure.status, NtStatus::NO_MEMORY);
        assert_eq!(heap.allocate(NONE, size).unwrap_err(), failure);
        assert!(!failure.raise && failure.corruption.is_none());
    }
    heap.validate_block(NONE, empty).unwrap();
    heap.free(NONE, empty).unwrap();
    assert_eq!(
        heap.validate_block(NONE, empty).unwrap_err().kind,
        CorruptionKind::DoubleFree
    );

    // A block of one byte becomes one of none, where it is.
    let one = heap.allocate(NONE, 1).unwrap();
    assert_eq!(heap.reallocate(NONE, one, 0).unwrap(), one);
    assert_eq!(heap.size(NONE, one).unwrap(), 0);
    heap.free(NONE, one).unwrap();
}

#[test]
fn exceptions_are_asked_for_by_the_call_or_by_the_heap() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let raising = with_flags(&pages, HeapFlags::GROWABLE | HeapFlags::GENERATE_EXCEPTIONS);
    let by_call = heap.allocate(HeapFlags::GENERATE_EXCEPTIONS, usize::MAX);
    let by_heap = raising.allocate(NONE, usize::MAX);
    for failure in [by_call.unwrap_err(), by_heap.unwrap_err()] {
        assert!(failure.raise);
        assert_eq!(failure.status, NtStatus::NO_MEMORY);
    }
    let wrong = raising.reallocate(NONE, 0x1_0000, 5).unwrap_err();
    assert!(wrong.raise);
    assert_eq!(wrong.status, NtStatus::ACCESS_VIOLATION);
    // HeapFree has no exceptions.
    let wrong = raising.free(NONE, 0x1_0000).unwrap_err();
    assert!(!wrong.raise);
    assert_eq!(wrong.status, NtStatus::INVALID_PARAMETER);
}

#[test]
fn fixed_heaps_keep_to_their_reservation() {
    let pages = TestPages::new();
    let heap = fixed(&pages, ALLOC_SIZE, ALLOC_SIZE);
    let size = ALLOC_SIZE - (0x400 + 0x100 * size_of::<usize>());
    let data = heap.allocate(NONE, size).unwrap();
    assert_eq!(heap.size(NONE, data).unwrap(), size);
    heap.free(NONE, data).unwrap();
    assert_eq!(
        heap.allocate(NONE, 2 * ALLOC_SIZE).unwrap_err().status,
        NtStatus::NO_MEMORY
    );
    heap.destroy().unwrap();

    let heap = fixed(&pages, 2 * ALLOC_SIZE, 5 * ALLOC_SIZE);
    // Above 512 KiB or 1 MiB there are no blocks, even if there are addresses.
    assert!(heap.allocate(NONE, 4 * ALLOC_SIZE).is_err());
    let data = heap.allocate(HeapFlags::ZERO_MEMORY, ALLOC_SIZE).unwrap();
    let data = heap
        .reallocate(HeapFlags::ZERO_MEMORY, data, 2 * ALLOC_SIZE)
        .unwrap();
    let bytes = Ptr::<u8>::new(data).slice(2 * ALLOC_SIZE);
    assert!(bytes.iter().all(|&byte| byte == 0));
    for size in [ALLOC_SIZE * 3 / 2, 2 * ALLOC_SIZE] {
        let same = heap.reallocate(HeapFlags::REALLOC_IN_PLACE_ONLY, data, size);
        assert_eq!(same.unwrap(), data);
    }
    heap.free(NONE, data).unwrap();
    let mut blocks = Vec::new();
    while let Ok(data) = heap.allocate(NONE, 5000) {
        blocks.push(data);
    }
    let all = blocks.len() * 5000;
    assert!(
        all > 5 * ALLOC_SIZE - 0x1_0000 && all <= 5 * ALLOC_SIZE + 0x1_0000,
        "{all:#x}"
    );
    assert_eq!(pages.reservations(), 1);
    // What is left serves small blocks, one by one.
    assert!(heap.allocate(NONE, 8).is_ok());
    heap.validate(NONE).unwrap();
}

#[test]
fn a_walk_tells_the_parts_in_windows_order() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let fresh = walk(&heap);
    let flags: Vec<_> = fresh.iter().map(|entry| entry.flags.0).collect();
    assert_eq!(flags, [2, 0, 0x1000]);
    assert_eq!(fresh[0].data_address, heap.handle() as Pointer);
    let mut first = fresh[0];
    let segment = field!(Ptr::of(&mut first), RtlHeapWalkEntry, details)
        .cast::<RtlHeapWalkSegment>()
        .read();
    assert_eq!(segment.committed_size as usize, pages.committed());
    assert_eq!(segment.first_entry, fresh[1].data_address);
    assert_eq!(
        fresh[0].data_address + fresh[0].data_size + 16,
        segment.first_entry
    );
    assert_eq!(
        fresh[1].data_address + fresh[1].data_size,
        fresh[2].data_address
    );
    assert_eq!(
        fresh[2].data_address + fresh[2].data_size,
        segment.last_entry
    );

    let large = heap.allocate(NONE, 5 * ALLOC_SIZE).unwrap();
    let other = heap.allocate(NONE, 5 * ALLOC_SIZE).unwrap();
    let with_large = walk(&heap);
    assert_eq!(with_large.len(), 5);
    assert_eq!(with_large[..3], fresh[..]);
    for entry in &with_large[3..] {
        assert!(entry.flags.contains(HeapEntryFlags::BUSY));
        assert_eq!(entry.segment_index, 64);
        assert_eq!(entry.data_size as usize, 5 * ALLOC_SIZE);
        let data = Ptr::<u8>::at(entry.data_address).address();
        assert!(data == large || data == other);
        let offset = 4 * GRANULE;
        assert_eq!(data % (2 * offset), offset);
    }
    heap.free(NONE, other).unwrap();
    heap.free(NONE, large).unwrap();
    assert_eq!(walk(&heap), fresh);

    let one = heap.allocate(HeapFlags::ZERO_MEMORY, 123).unwrap();
    let two = heap.allocate(HeapFlags::ZERO_MEMORY, 456).unwrap();
    let busy = walk(&heap);
    assert_eq!(busy.len(), 5);
    for (entry, (data, size)) in busy[1..].iter().zip([(one, 123), (two, 456)]) {
        assert_eq!(entry.flags, HeapEntryFlags::BUSY);
        assert_eq!(entry.data_address, data as Pointer);
        assert_eq!((entry.data_size, entry.segment_index), (size, 0));
        assert_eq!(entry.overhead_bytes, 16);
    }
    assert_eq!(busy[3].flags.0, 0);
    assert_eq!(busy[4], fresh[2]);

    let mut entry = RtlHeapWalkEntry {
        data_address: (one + 8) as Pointer,
        ..RtlHeapWalkEntry::default()
    };
    for wrong in [one + 8, one + 48, two - 16, heap.handle() + 8, 0x10_0000, 1] {
        entry.data_address = wrong as Pointer;
        let status = heap.walk(Ptr::of(&mut entry)).unwrap_err();
        assert_eq!(status, NtStatus::INVALID_PARAMETER, "{wrong:#x}");
    }
}

fn mode(heap: &TestHeap<'_>) -> u32 {
    let mut mode = 0xDEAD_BEEFu32;
    let place = Ptr::of(&mut mode);
    heap.query(
        HeapInformationClass::COMPATIBILITY,
        place.cast(),
        4,
        Ptr::NULL,
    )
    .unwrap();
    place.read()
}

fn set_mode(heap: &TestHeap<'_>, mut mode: u32) -> Result<Setting, NtStatus> {
    heap.set(
        HeapInformationClass::COMPATIBILITY,
        Ptr::of(&mut mode).cast(),
        4,
    )
}

#[test]
fn the_front_end_begins_with_the_eighteenth_block() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let size = 24 + 2 * size_of::<usize>();
    let is_front = |entry: &RtlHeapWalkEntry| entry.flags.contains(HeapEntryFlags::LFH_ALLOC);
    assert_eq!(mode(&heap), 0);
    set_mode(&heap, 2).unwrap();
    assert_eq!(mode(&heap), 2);
    for other in [0, 1, 0xDEAD_BEEF] {
        assert_eq!(set_mode(&heap, other), Err(NtStatus::UNSUCCESSFUL));
    }
    let blocks: Vec<_> = (0..0x11)
        .map(|_| heap.allocate(NONE, size).unwrap())
        .collect();
    for data in blocks {
        heap.free(NONE, data).unwrap();
    }
    assert!(!walk(&heap).iter().any(is_front));
    let blocks: Vec<_> = (0..0x12)
        .map(|_| heap.allocate(NONE, size).unwrap())
        .collect();
    for data in blocks {
        heap.free(NONE, data).unwrap();
    }
    let parts = walk(&heap);
    assert!(parts.len() > 24);
    for entry in parts.iter().filter(|entry| is_front(entry)) {
        assert!(!entry.flags.contains(HeapEntryFlags::BUSY));
        assert!(entry.data_size as usize >= size);
    }
    heap.destroy().unwrap();

    let heap = growing(&pages);
    for _ in 0..0x12 {
        heap.allocate(NONE, 0).unwrap();
    }
    assert_eq!(mode(&heap), 2);
    for flags in [HeapFlags::GROWABLE | HeapFlags::NO_SERIALIZE, NONE] {
        let heap = with_flags(&pages, flags);
        assert_eq!(set_mode(&heap, 2), Err(NtStatus::INVALID_PARAMETER));
    }
}

#[test]
fn information() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let mut returned: nt_abi::native::Size = 0;
    let place = Ptr::of(&mut returned);
    let class = HeapInformationClass::COMPATIBILITY;
    assert_eq!(
        heap.query(class, Ptr::NULL, 0, place),
        Err(NtStatus::BUFFER_TOO_SMALL)
    );
    assert_eq!(place.read(), 4);
    assert_eq!(
        heap.query(HeapInformationClass(77), Ptr::NULL, 0, Ptr::NULL),
        Err(NtStatus::INVALID_INFO_CLASS)
    );
    let end = HeapInformationClass::ENABLE_TERMINATION_ON_CORRUPTION;
    assert_eq!(
        crate::set_for_all(end, Ptr::NULL, 0),
        Ok(Setting::TerminateOnCorruption)
    );
    assert_eq!(
        heap.set(end, Ptr::NULL, 0),
        Ok(Setting::TerminateOnCorruption)
    );
    let mut request = [1u32, 0];
    let request = Ptr::of(&mut request).cast::<u8>();
    let optimize = HeapInformationClass::OPTIMIZE_RESOURCES;
    assert_eq!(heap.set(optimize, request, 8), Ok(Setting::Done));
    assert_eq!(
        heap.set(optimize, request, 7),
        Err(NtStatus::BUFFER_TOO_SMALL)
    );
    request.cast::<u32>().write(2);
    assert_eq!(
        crate::set_for_all(optimize, request, 8),
        Err(NtStatus::INVALID_PARAMETER)
    );
}

#[test]
fn user_values_and_flags_stay_with_their_block() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let flag = HeapFlags::SETTABLE_USER_FLAG1;
    for size in [0, 5, 100, 5_000, 100_000, 600_000] {
        let data = heap
            .allocate(HeapFlags::SETTABLE_USER_VALUE | flag, size)
            .unwrap();
        let info = heap.user_info(NONE, data).unwrap();
        assert_eq!((info.value, info.flags), (Some(0), flag));
        heap.set_user_value(NONE, data, 0x1234_5678).unwrap();
        heap.set_user_flags(NONE, data, flag, HeapFlags::SETTABLE_USER_FLAG3)
            .unwrap();
        let mut model = Model::default();
        model.allocated(data, size, false);
        let mut last = data;
        for next in [size + 1, 3 * size + 40, 700_000, size / 2, 30] {
            let moved = heap.reallocate(NONE, last, next).unwrap();
            model.resized(last, moved, next, false);
            last = moved;
            let info = heap.user_info(NONE, last).unwrap();
            assert_eq!(info.value, Some(0x1234_5678));
            assert_eq!(info.flags, HeapFlags::SETTABLE_USER_FLAG3);
            let part = walk(&heap)
                .into_iter()
                .find(|entry| entry.data_address == last as Pointer)
                .unwrap();
            assert!(part.flags.contains(HeapEntryFlags::SETTABLE_VALUE));
            assert!(part.flags.contains(HeapEntryFlags::SETTABLE_FLAG3));
            assert_eq!(part.details[0], 0x1234_5678);
        }
        model.free_all(&heap);
    }
    // Any block can have flags; a value needs room.
    for size in [10, 9_000, 600_000] {
        let plain = heap.allocate(NONE, size).unwrap();
        assert_eq!(heap.user_info(NONE, plain).unwrap().value, None);
        assert!(heap.set_user_value(NONE, plain, 1).is_err());
        heap.set_user_flags(NONE, plain, NONE, flag).unwrap();
        assert_eq!(heap.user_info(NONE, plain).unwrap().flags, flag);
        assert!(
            heap.set_user_flags(NONE, plain, NONE, HeapFlags(0x1000))
                .is_err()
        );
        assert_eq!(heap.size(NONE, plain).unwrap(), size);
        let moved = heap.reallocate(NONE, plain, size * 3).unwrap();
        assert_eq!(heap.user_info(NONE, moved).unwrap().flags, flag);
        heap.free(NONE, moved).unwrap();
    }
    // Also one of a span.
    let blocks: Vec<_> = (0..40).map(|_| heap.allocate(NONE, 10).unwrap()).collect();
    let last = blocks[39];
    heap.set_user_flags(NONE, last, NONE, flag).unwrap();
    assert_eq!(heap.size(NONE, last).unwrap(), 10);
    assert_eq!(heap.user_info(NONE, last).unwrap().flags, flag);
    heap.free(NONE, last).unwrap();
}

#[test]
fn several_blocks_at_once() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let mut array: [Pointer; 10] = [0; 10];
    let place = Ptr::<Pointer>::new(array.as_mut_ptr().expose_provenance());
    assert_eq!(heap.allocate_several(NONE, 33, 10, place).0, 10);
    assert_eq!(
        walk(&heap)
            .iter()
            .filter(|entry| entry.flags.0 & 1 != 0)
            .count(),
        10
    );
    let third = place.add(2).read();
    place.add(2).write(third + 8);
    let (count, result) = heap.free_several(NONE, 10, place);
    assert_eq!(count, 2);
    assert!(result.unwrap_err().corruption.is_some());
    place.add(2).write(third);
    assert_eq!(heap.free_several(NONE, 8, place.add(2)).0, 8);
    pages.limit(0);
    let (count, result) = heap.allocate_several(NONE, 400_000, 10, place);
    assert_eq!(
        (count, result.unwrap_err().status),
        (0, NtStatus::NO_MEMORY)
    );
}

#[test]
fn locking() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    assert!(heap.acquire().unwrap());
    // The owner goes on.
    let data = heap.allocate(NONE, 10).unwrap();
    heap.free(NONE, data).unwrap();
    assert_eq!(walk(&heap).len(), 3);
    assert!(heap.release().unwrap());
    let unlocked = with_flags(&pages, HeapFlags::NO_SERIALIZE | HeapFlags::GROWABLE);
    assert!(!unlocked.acquire().unwrap());
    assert!(!unlocked.release().unwrap());
}

#[test]
fn thresholds_decide_what_stays_committed() {
    let pages = TestPages::new();
    let creation = Creation {
        flags: HeapFlags::GROWABLE,
        limits: Limits {
            total_free_threshold: 0x10_0000,
            virtual_memory_threshold: 0x1_0000,
            ..Limits::default()
        },
        ..Creation::default()
    };
    let heap = TestHeap::create(&pages, &creation).unwrap();
    let blocks: Vec<_> = (0..24)
        .map(|_| heap.allocate(NONE, 0x8000).unwrap())
        .collect();
    let full = pages.committed();
    for data in blocks {
        heap.free(NONE, data).unwrap();
    }
    assert_eq!(pages.committed(), full, "less than a megabyte is free");
    let largest = heap.compact(NONE).unwrap();
    assert!(pages.committed() < 0x8000 && largest < 0x2000);
    heap.allocate(NONE, 0x1_0001).unwrap();
    assert_eq!(pages.reservations(), 3, "the heap, its records, the block");

    // With the defaults, what is freed goes back, but for what a program needs again and again.
    let heap = growing(&pages);
    let before = pages.committed();
    for _ in 0..100 {
        let data = heap.allocate(NONE, 0x6_0000).unwrap();
        heap.free(NONE, data).unwrap();
    }
    let changes = pages.decommits();
    for _ in 0..100 {
        let data = heap.allocate(NONE, 0x6_0000).unwrap();
        heap.free(NONE, data).unwrap();
    }
    assert_eq!(pages.decommits(), changes);
    assert!(pages.committed() < before + 0x8_0000);
}

#[test]
fn parameters_come_from_the_process_and_the_caller() {
    let mut peb = Peb {
        heap_segment_reserve: 1,
        heap_segment_commit: 2,
        heap_de_commit_free_block_threshold: 3,
        heap_de_commit_total_free_threshold: 4,
        ..Peb::default()
    };
    let parameters = RtlHeapParameters {
        segment_commit: 20,
        maximum_allocation_size: 30,
        virtual_memory_threshold: 40,
        ..RtlHeapParameters::default()
    };
    let limits = Limits::of_process(Ptr::of(&mut peb)).with(&parameters);
    assert_eq!(
        limits,
        Limits {
            segment_reserve: 1,
            segment_commit: 20,
            free_block_threshold: 3,
            total_free_threshold: 4,
            maximum_allocation: 30,
            virtual_memory_threshold: 40,
        }
    );
}

#[test]
fn first_sizes_are_those_of_the_documentation() {
    // Reserve, commit, and what there must be at least of both.
    for (reserve, commit, reserved, committed) in [
        (0, 0, 64 << 12, 1 << 12),
        (0, 0x1_8000, 0x2_0000, 0x1_8000),
        (0x12_3456, 0, 0x12_4000, 1 << 12),
        (0x10_0000, 0x20_0000, 0x10_0000, 0x10_0000),
    ] {
        let pages = TestPages::new();
        let heap = fixed(&pages, commit, reserve);
        let usage = heap.usage();
        assert!(usage.reserved >= reserved && usage.reserved < reserved + 0x2_0000);
        assert!(usage.committed >= committed && usage.committed < committed + 0x6000);
        assert_eq!(usage.committed, pages.committed());
        heap.validate(NONE).unwrap();
    }
}

#[test]
fn a_heap_in_the_callers_memory_with_the_callers_lock() {
    let pages = TestPages::new();
    let base = pages.reserve(0x4_0000, Access::Data).unwrap();
    pages.commit(base, 0x1_0000, Access::Data).unwrap();
    // The lock is beside the heap.
    let lock = base + 0x3_F000;
    pages.commit(lock, 0x1000, Access::Data).unwrap();
    Ptr::<u8>::new(base).fill(0xA5, 0x1_0000);
    let creation = Creation {
        flags: HeapFlags::GROWABLE,
        base,
        reserve: 0x3_F000,
        commit: 0x1_0000,
        lock,
        seed: 3,
        ..Creation::default()
    };
    TestLock::initialize(Ptr::new(lock)).unwrap();
    let heap = TestHeap::create(&pages, &creation).unwrap();
    assert_eq!(heap.handle(), base);
    heap.acquire().unwrap();
    assert_ne!(Ptr::<usize>::new(lock).read(), 0, "the lock is held");
    heap.release().unwrap();
    let mut model = Model::default();
    for size in (0..200).map(|number| number * 40) {
        model.allocated(heap.allocate(NONE, size).unwrap(), size, false);
    }
    model.compare(&heap);
    assert!(heap.usage().reserved > 0x3_F000, "it grew");
    model.free_all(&heap);
    let entry = Creation {
        base: base + 8,
        ..creation
    };
    assert!(TestHeap::create(&pages, &entry).is_err());
    let unserialized = Creation {
        flags: HeapFlags::NO_SERIALIZE,
        ..creation
    };
    assert!(TestHeap::create(&pages, &unserialized).is_err());
    heap.destroy().unwrap();
    assert!(Heap::<_, TestLock>::open(&pages, base).is_none());
    assert_eq!(pages.reservations(), 1, "the caller's is the caller's");
}

#[test]
fn appending_copies_a_buffer_seldom() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let mut data = heap.allocate(NONE, 0).unwrap();
    let mut moves = 0;
    let mut copied = 0;
    for size in (0..6 << 20).step_by(48) {
        // Something else takes what is behind it.
        if size % 4800 == 0 {
            heap.allocate(NONE, 200).unwrap();
        }
        let next = heap.reallocate(NONE, data, size).unwrap();
        if next != data {
            moves += 1;
            copied += size;
        }
        data = next;
    }
    assert!(moves < 400, "{moves}");
    assert!(copied < 40 << 20, "{copied}");
}

#[test]
fn zeroing_writes_over_all_that_is_free_and_nothing_else() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let mut model = Model::default();
    let mut blocks = Vec::new();
    for number in 0..400usize {
        let size = number * number % 7000;
        let data = heap.allocate(NONE, size).unwrap();
        model.allocated(data, size, false);
        blocks.push((data, size));
    }
    let (odd, _): (Vec<_>, Vec<_>) = blocks.iter().partition(|(_, size)| size % 2 == 1);
    for &(data, _) in &odd {
        model.freed(data);
        heap.free(NONE, data).unwrap();
    }
    heap.zero(NONE).unwrap();
    model.compare(&heap);
    model.verify_all();
    let free: usize = walk(&heap)
        .iter()
        .filter(|entry| entry.flags.0 & 0x1003 == 0)
        .map(|entry| {
            let (data, size) = (
                Ptr::<u8>::at(entry.data_address),
                Ptr::<u8>::at(entry.data_size).address(),
            );
            // Links are there still.
            let links = if entry.flags.contains(HeapEntryFlags::LFH_ALLOC) {
                0
            } else {
                4 * size_of::<usize>()
            };
            assert!(data.slice(size)[links..].iter().all(|&byte| byte == 0));
            size
        })
        .sum();
    assert!(free > 100_000);
}

#[test]
fn the_list_of_heaps_grows_and_keeps_its_order() {
    let mut peb = Peb::default();
    let mut first: Vec<Pointer> = vec![0; 3];
    let heaps = ProcessHeaps::of(Ptr::of(&mut peb));
    heaps.begin(Ptr::new(first.as_mut_ptr().expose_provenance()), 3);
    let mut arrays: Vec<Vec<Pointer>> = Vec::new();
    let mut expected = Vec::new();
    let mut room = 3;
    for heap in (1..100).map(|number| number << 16) {
        let old = heaps
            .add(heap, |bytes| {
                arrays.push(vec![0; bytes / size_of::<Pointer>()]);
                Some(arrays.last_mut()?.as_mut_ptr().expose_provenance())
            })
            .unwrap();
        assert_eq!(old.is_some(), expected.len() == room);
        room = if old.is_some() {
            2 * room.max(16)
        } else {
            room
        };
        expected.push(heap);
        if heap % 0x3_0000 == 0 {
            assert!(heaps.remove(expected.remove(expected.len() / 2)));
        }
    }
    assert!(!heaps.remove(5));
    let mut room: Vec<Pointer> = vec![0; 10];
    let place = Ptr::new(room.as_mut_ptr().expose_provenance());
    assert_eq!(heaps.copy(10, place) as usize, expected.len());
    assert_eq!(room[9], expected[9] as Pointer);
    let mut seen = Vec::new();
    heaps
        .each(|heap| {
            seen.push(heap);
            if seen.len() == 20 { Err(()) } else { Ok(()) }
        })
        .unwrap_err();
    assert_eq!(seen, expected[..20]);
    while (heaps.count() as usize) < arrays.last().unwrap().len() {
        heaps.add(1 << 16, |_| None).unwrap();
    }
    assert!(heaps.add(1 << 16, |_| None).is_err());
}
