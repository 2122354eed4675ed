//! Eight threads on one heap.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::vec::Vec;

use nt_abi::heap::HeapFlags;

use super::Random;
use super::arena::TestPages;
use super::model::{Model, Shadow, TestHeap, growing, walk};
use crate::Heap;

const THREADS: u64 = 8;

/// What one thread does: blocks of its own, some of which it hands to the others.
fn one_thread(
    heap: &TestHeap<'_>,
    handed: &Mutex<Vec<(usize, Shadow)>>,
    seed: u64,
    operations: usize,
) -> Model {
    let mut model = Model::default();
    let mut random = Random(seed);
    for _ in 0..operations {
        let bits = random.below(17);
        let size = random.below(2 << bits);
        let picked = model.pick(random.next());
        match (random.below(8), picked) {
            (0, Some((data, _))) => {
                if let Ok(new) = heap.reallocate(HeapFlags::ZERO_MEMORY, data, size) {
                    model.resized(data, new, size, true);
                }
            }
            (1..=3, Some((data, _))) => {
                model.freed(data);
                heap.free(HeapFlags(0), data).unwrap();
            }
            (4, Some((data, shadow))) => {
                model.taken(data);
                handed.lock().unwrap().push((data, shadow));
            }
            (5, _) => {
                let other = handed.lock().unwrap().pop();
                if let Some((data, shadow)) = other {
                    model.given(data, shadow);
                    assert_eq!(heap.size(HeapFlags(0), data).unwrap(), shadow.size);
                    model.freed(data);
                    heap.free(HeapFlags(0), data).unwrap();
                }
            }
            _ => {
                if let Ok(data) = heap.allocate(HeapFlags(0), size) {
                    model.allocated(data, size, false);
                }
            }
        }
    }
    model
}

/// Counts a thread that ends, in whatever way.
struct End<'a>(&'a AtomicUsize);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn run(pages: &TestPages, operations: usize, fails: u64) {
    let heap = growing(pages);
    let handle = heap.handle();
    pages.fail_every(fails);
    let handed = Mutex::default();
    let running = AtomicUsize::new(THREADS as usize);
    let models: Vec<Model> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (handed, running) = (&handed, &running);
                scope.spawn(move || {
                    pages.enter();
                    let heap = Heap::open(pages, handle).unwrap();
                    let _end = End(running);
                    one_thread(&heap, handed, fails * 100 + number, operations)
                })
            })
            .collect();
        // Meanwhile somebody looks at all of it.
        while running.load(Ordering::Relaxed) != 0 {
            heap.acquire().unwrap();
            heap.validate(HeapFlags(0)).unwrap();
            assert!(!walk(&heap).is_empty());
            heap.release().unwrap();
            thread::sleep(core::time::Duration::from_millis(20));
        }
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    pages.fail_every(0);
    // No block belongs to two.
    let mut all = Model::default();
    for model in models {
        for (data, shadow) in model.blocks {
            all.given(data, shadow);
        }
    }
    for (data, shadow) in handed.into_inner().unwrap() {
        all.given(data, shadow);
    }
    all.compare(&heap);
    all.verify_all();
    all.free_all(&heap);
    all.compare(&heap);
    heap.destroy().unwrap();
    assert_eq!((pages.committed(), pages.reservations()), (0, 0));
}

#[test]
fn eight_threads_use_one_heap() {
    run(&TestPages::new(), 20_000, 0);
}

#[test]
fn eight_threads_run_out_of_pages() {
    for fails in [2, 3, 7] {
        run(&TestPages::new(), 2_000, fails);
    }
}
