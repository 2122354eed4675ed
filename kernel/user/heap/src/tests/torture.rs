//! A million operations at random, against the model.

use nt_abi::heap::HeapFlags;
use std::println;
use std::vec::Vec;

use super::Random;
use super::arena::{TestPages, touches};
use super::model::{Model, TestHeap, growing, with_flags};

/// What kind of program it is.
#[derive(Clone, Copy)]
struct Habits {
    operations: usize,
    /// So many blocks live at once, about.
    blocks: usize,
    /// Sizes are below this one, most of them far below.
    sizes: usize,
    /// How often everything is compared with the model.
    compare: usize,
}

fn size_of_block(random: &mut Random, most: usize) -> usize {
    // As many of each magnitude.
    let bits = random.below(most.ilog2() as usize + 1);
    random.below((2usize << bits).min(most))
}

fn flags_of_call(random: &mut Random) -> HeapFlags {
    let mut flags = HeapFlags(0);
    if random.below(8) == 0 {
        flags |= HeapFlags::ZERO_MEMORY;
    }
    if random.below(40) == 0 {
        flags |= HeapFlags::SETTABLE_USER_VALUE;
    }
    if random.below(40) == 0 {
        flags |= HeapFlags::SETTABLE_USER_FLAG2;
    }
    if random.below(60) == 0 {
        flags |= HeapFlags(0x0014_0000);
    }
    flags
}

fn one_operation(heap: &TestHeap<'_>, model: &mut Model, random: &mut Random, habits: &Habits) {
    let flags = flags_of_call(random);
    let zeroed = flags.contains(HeapFlags::ZERO_MEMORY);
    // It swings between few and many blocks.
    let more = random.below(2 * habits.blocks) >= model.blocks.len();
    let picked = model.pick(random.next());
    match (random.below(10), picked) {
        (0..=1, Some((data, _))) => {
            let size = size_of_block(random, habits.sizes);
            let only_here = random.below(5) == 0;
            let mut flags = flags;
            flags.set(HeapFlags::REALLOC_IN_PLACE_ONLY, only_here);
            if let Ok(new) = heap.reallocate(flags, data, size) {
                assert!(!only_here || new == data, "it moved");
                model.resized(data, new, size, zeroed);
            }
        }
        (2..=3, Some((data, shadow))) if !more => {
            // A run of neighbours.
            let mut at = data;
            let mut left = random.below(20);
            while let Some((&next, _)) = model.blocks.range(at..).next() {
                model.freed(next);
                heap.free(HeapFlags(0), next).unwrap();
                at = next + 1;
                if left == 0 {
                    break;
                }
                left -= 1;
            }
            let _ = shadow;
        }
        (_, Some((data, _))) if !more => {
            model.freed(data);
            heap.free(HeapFlags(0), data).unwrap();
        }
        _ => {
            let size = size_of_block(random, habits.sizes);
            if let Ok(data) = heap.allocate(flags, size) {
                model.allocated(data, size, zeroed);
            }
        }
    }
}

/// Runs it; gives the most bytes that were committed in relation to the most that the program had, as percent.
fn torture(heap: &TestHeap<'_>, pages: &TestPages, seed: u64, habits: Habits) -> usize {
    let mut model = Model::default();
    let mut random = Random(seed);
    let mut most = 1;
    for operation in 0..habits.operations {
        one_operation(heap, &mut model, &mut random, &habits);
        most = most.max(model.bytes);
        if operation % habits.compare == habits.compare - 1 {
            model.compare(heap);
            assert_eq!(
                heap.usage().committed,
                pages.committed(),
                "it knows what it has"
            );
        }
    }
    model.compare(heap);
    model.verify_all();
    model.free_all(heap);
    model.compare(heap);
    println!(
        "most {} KiB, committed {} KiB, {} decommits",
        most >> 10,
        pages.peak() >> 10,
        pages.decommits()
    );
    pages.peak() * 100 / most
}

#[test]
fn a_million_operations_of_all_sizes() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let start = pages.committed();
    let worst = torture(
        &heap,
        &pages,
        1,
        Habits {
            operations: 1_000_000,
            blocks: 4_000,
            sizes: 0x8000,
            compare: 50_000,
        },
    );
    assert!(worst < 150, "{worst} %");
    assert!(
        pages.committed() < start + (768 << 10),
        "{} KiB are left",
        pages.committed() >> 10
    );
    heap.compact(HeapFlags(0)).unwrap();
    assert!(
        pages.committed() <= start + (64 << 10),
        "{} KiB are left of {} at first",
        pages.committed() >> 10,
        start >> 10
    );
    heap.validate(HeapFlags(0)).unwrap();
    heap.destroy().unwrap();
    assert_eq!((pages.committed(), pages.reservations()), (0, 0));
}

#[test]
fn small_blocks() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let worst = torture(
        &heap,
        &pages,
        2,
        Habits {
            operations: 400_000,
            blocks: 20_000,
            sizes: 0x200,
            compare: 40_000,
        },
    );
    // Thirty sizes, each with a span that is half empty, in a heap of a few hundred KiB.
    assert!(worst < 200, "{worst} %");
    heap.destroy().unwrap();
    assert_eq!(pages.reservations(), 0);
}

#[test]
fn large_and_medium_blocks() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let worst = torture(
        &heap,
        &pages,
        3,
        Habits {
            operations: 6_000,
            blocks: 100,
            sizes: 0x20_0000,
            compare: 500,
        },
    );
    assert!(worst < 150, "{worst} %");
    heap.destroy().unwrap();
    assert_eq!((pages.committed(), pages.reservations()), (0, 0));
}

#[test]
fn without_serialization_and_aligned_and_with_code() {
    for flags in [
        HeapFlags::NO_SERIALIZE,
        HeapFlags::CREATE_ALIGN_16,
        HeapFlags::CREATE_ENABLE_EXECUTE,
    ] {
        let pages = TestPages::new();
        let heap = with_flags(&pages, HeapFlags::GROWABLE | flags);
        torture(
            &heap,
            &pages,
            4,
            Habits {
                operations: 20_000,
                blocks: 500,
                sizes: 0x4000,
                compare: 4_000,
            },
        );
        heap.destroy().unwrap();
        assert_eq!(pages.reservations(), 0);
    }
}

#[test]
fn page_failures_at_every_step() {
    for number in 1..=24 {
        let pages = TestPages::new();
        let heap = growing(&pages);
        pages.fail_every(number);
        torture(
            &heap,
            &pages,
            number,
            Habits {
                operations: 2_000,
                blocks: 300,
                sizes: 0x10_0000 >> (number % 6),
                compare: 500,
            },
        );
        pages.fail_every(0);
        heap.destroy().unwrap();
        assert_eq!((pages.committed(), pages.reservations()), (0, 0));
    }
}

/// What it costs shows best in instructions, which an example counts; here, in loads and stores.
#[test]
fn a_small_block_is_few_accesses() {
    let pages = TestPages::new();
    let heap = growing(&pages);
    let blocks: Vec<usize> = (0..300)
        .map(|_| heap.allocate(HeapFlags(0), 64).unwrap())
        .collect();
    // The pages are known from here on.
    for &data in &blocks[100..200] {
        heap.free(HeapFlags(0), data).unwrap();
    }
    let before = touches();
    let data: Vec<usize> = (0..30)
        .map(|_| heap.allocate(HeapFlags(0), 64).unwrap())
        .collect();
    let allocated = touches();
    for data in data {
        heap.free(HeapFlags(0), data).unwrap();
    }
    let (allocation, free) = (allocated - before, touches() - allocated);
    println!("{} and {} for thirty", allocation, free);
    // Handle, flags, bucket, state and header; what a span's end costs, once.
    assert!(allocation <= 30 * 11 + 150, "{allocation}");
    assert!(free <= 30 * 11 + 150, "{free}");
}
