//! What an allocation and a free cost, counted: `valgrind --tool=callgrind --toggle-collect='*pairs*'`, or the difference of two
//! runs of `perf stat -e instructions:u` with different counts.
//!
//! `pairs COUNT SIZE KEPT`: that often a block of that size is allocated and one is freed, so many being there meanwhile.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use c_interface::Ptr;
use heap::{Access, Creation, Heap, Lock, Pages};
use nt_abi::heap::HeapFlags;
use nt_abi::{NtResult, NtStatus};

/// Pages out of one piece of memory that is never given back.
struct Piece {
    next: Mutex<usize>,
    end: usize,
}

impl Pages for Piece {
    fn reserve(&self, bytes: usize, _access: Access) -> NtResult<usize> {
        let mut next = self.next.lock().map_err(|_| NtStatus::NO_MEMORY)?;
        let at = *next;
        if bytes > self.end - at {
            return Err(NtStatus::NO_MEMORY);
        }
        *next += bytes;
        Ok(at)
    }

    fn commit(&self, _address: usize, _bytes: usize, _access: Access) -> NtResult {
        Ok(())
    }

    fn decommit(&self, address: usize, bytes: usize) -> NtResult {
        Ptr::<u8>::new(address).fill(0, bytes);
        Ok(())
    }

    fn release(&self, _address: usize) -> NtResult {
        Ok(())
    }
}

/// As a critical section does it: an owner, a depth, a count that is changed atomically.
struct Section;

impl Section {
    fn owner() -> u32 {
        thread_local!(static ME: u32 = const { 4711 });
        ME.with(|me| *me)
    }
}

impl Lock for Section {
    const BYTES: usize = 16;

    fn initialize(place: Ptr<u8>) -> NtResult {
        place.cast::<u32>().write(0);
        Ok(())
    }

    #[inline(always)]
    fn acquire(place: Ptr<u8>) {
        let (count, depth, owner) = Self::parts(place);
        let me = Self::owner();
        if owner.atomic().load(Ordering::Relaxed) == me {
            depth.write(depth.read() + 1);
            return;
        }
        while count
            .atomic()
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            std::hint::spin_loop();
        }
        owner.atomic().store(me, Ordering::Relaxed);
        depth.write(1);
    }

    #[inline(always)]
    fn acquire_at_once(place: Ptr<u8>) -> bool {
        let (count, depth, owner) = Self::parts(place);
        let taken = count
            .atomic()
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if taken {
            owner.atomic().store(Self::owner(), Ordering::Relaxed);
            depth.write(1);
        }
        taken
    }

    #[inline(always)]
    fn release_with<R>(place: Ptr<u8>, answer: R) -> R {
        Self::release(place);
        answer
    }

    #[inline(always)]
    fn release(place: Ptr<u8>) {
        let (count, depth, owner) = Self::parts(place);
        let less = depth.read() - 1;
        depth.write(less);
        if less == 0 {
            owner.atomic().store(0, Ordering::Relaxed);
            count.atomic().store(0, Ordering::Release);
        }
    }

    fn destroy(_place: Ptr<u8>) {}
}

impl Section {
    #[inline(always)]
    fn parts(place: Ptr<u8>) -> (Ptr<u32>, Ptr<u32>, Ptr<u32>) {
        let count = place.cast::<u32>();
        (count, count.add(1), count.add(2))
    }
}

/// As ntdll exports it.
#[inline(never)]
fn rtl_allocate_heap(pages: &Piece, handle: usize, flags: u32, size: usize) -> usize {
    let Some(heap) = Heap::<_, Section>::open(pages, handle) else {
        return 0;
    };
    heap.allocate_then(HeapFlags(flags), size, |taken| taken.unwrap_or(0))
}

/// As ntdll exports it.
#[inline(never)]
fn rtl_free_heap(pages: &Piece, handle: usize, flags: u32, data: usize) -> u8 {
    let Some(heap) = Heap::<_, Section>::open(pages, handle) else {
        return 0;
    };
    heap.free_then(HeapFlags(flags), data, |done| u8::from(done.is_ok()))
}

#[inline(never)]
fn pairs(pages: &Piece, handle: usize, count: usize, size: usize, kept: usize) {
    let mut blocks = vec![0; kept + 1];
    for index in 0..count {
        let place = &mut blocks[index % (kept + 1)];
        rtl_free_heap(pages, handle, 0, *place);
        *place = black_box(rtl_allocate_heap(pages, handle, 0, size));
    }
    for data in blocks {
        rtl_free_heap(pages, handle, 0, data);
    }
}

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let [count, size, kept] = numbers[..] else {
        println!("pairs COUNT SIZE KEPT");
        return;
    };
    let memory = Vec::leak(vec![0u8; 1 << 30]);
    let base = memory
        .as_mut_ptr()
        .expose_provenance()
        .next_multiple_of(0x1_0000);
    let pages = Piece {
        next: Mutex::new(base),
        end: base + (1 << 30) - 0x1_0000,
    };
    let creation = Creation {
        flags: HeapFlags::GROWABLE,
        seed: 0x1234_5678,
        ..Creation::default()
    };
    let Ok(heap) = Heap::<_, Section>::create(&pages, &creation) else {
        return;
    };
    pairs(&pages, heap.handle(), count, size, kept);
}
