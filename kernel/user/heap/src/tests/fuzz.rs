//! Any bytes as a program, which may do what it must not.
//!
//! The inputs under `tests/corpus` are those that broke the heap once, and some that go far; each test adds others at
//! random. One that fails is written to the folder for temporary files, and its name printed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::vec::Vec;
use std::{fs, println};

use c_interface::Ptr;
use nt_abi::heap::HeapFlags;
use nt_abi::native::RtlHeapWalkEntry;

use super::Random;
use super::arena::TestPages;
use super::model::{Model, TestHeap, with_flags};
use crate::Creation;

/// The bytes that are left.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn number(&mut self) -> Option<usize> {
        let low = self.byte()?;
        Some(usize::from(low) | usize::from(self.byte()?) << 8)
    }

    /// A size: two bytes and how far they are shifted.
    fn size(&mut self) -> Option<usize> {
        let shift = self.byte()? % 8;
        Some(self.number()? >> 8u8.saturating_sub(2 * shift) << shift.saturating_sub(4))
    }
}

struct Program<'p> {
    heap: TestHeap<'p>,
    pages: &'p TestPages,
    model: Model,
    /// It has written where it must not: then the heap may report damage, and blocks may have changed.
    guilty: bool,
}

impl Program<'_> {
    fn pick(&self, number: usize) -> Option<usize> {
        self.model.pick((number as u64) << 48).map(|(data, _)| data)
    }

    fn lose(&mut self, data: usize) {
        assert!(self.guilty, "a failure without a reason");
        self.model.taken(data);
    }

    fn step(&mut self, input: &mut Input<'_>) -> Option<()> {
        let none = HeapFlags(0);
        match input.byte()? {
            0..=79 => {
                let flags = HeapFlags(u32::from(input.byte()?) << 4 & 0xF08);
                let size = input.size()?;
                match self.heap.allocate(flags, size) {
                    Ok(data) => {
                        self.model
                            .allocated(data, size, flags.contains(HeapFlags::ZERO_MEMORY))
                    }
                    Err(failure) => assert!(self.guilty || failure.corruption.is_none()),
                }
            }
            80..=149 => {
                let data = self.pick(input.number()?)?;
                if self.guilty {
                    self.model.taken(data);
                } else {
                    self.model.freed(data);
                }
                assert!(self.heap.free(none, data).is_ok() || self.guilty);
            }
            150..=189 => {
                let data = self.pick(input.number()?)?;
                let flags = HeapFlags(u32::from(input.byte()?) & 0x18);
                let size = input.size()?;
                match self.heap.reallocate(flags, data, size) {
                    Ok(new) if self.guilty => {
                        self.model.taken(data);
                        self.model.allocated(new, size, false);
                    }
                    Ok(new) => {
                        let zeroed = flags.contains(HeapFlags::ZERO_MEMORY);
                        self.model.resized(data, new, size, zeroed);
                    }
                    Err(failure) if failure.corruption.is_some() => self.lose(data),
                    Err(_) => {}
                }
            }
            190..=199 => {
                // An address that is near a block.
                let data = self.pick(input.number()?)?;
                let wrong = data.wrapping_add(input.number()?).wrapping_sub(0x8000);
                if !self.model.blocks.contains_key(&wrong) {
                    // A guilty program's may be a block that could not be freed.
                    assert!(self.heap.size(none, wrong).is_err() || self.guilty);
                    assert!(self.heap.reallocate(none, wrong, 9).is_err() || self.guilty);
                    assert!(self.heap.free(none, wrong).is_err() || self.guilty);
                }
            }
            200..=204 => {
                // A byte beside a block, or in what was freed.
                let data = self.pick(input.number()?)?;
                let size = self.model.blocks[&data].size;
                let offset = input.number()? % 128;
                let place = if input.byte()? & 1 == 0 {
                    data - 1 - offset
                } else {
                    data + size + offset
                };
                let value = input.byte()?;
                if self.pages.is_committed(place) {
                    Ptr::<u8>::new(place).write(value);
                    self.guilty = true;
                }
            }
            205..=209 => self.pages.fail_every(u64::from(input.byte()? % 8)),
            210..=214 => {
                assert!(self.heap.compact(none).is_ok() || self.guilty);
            }
            215..=219 => {
                let data = self.pick(input.number()?)?;
                let value = input.number()?;
                let set = self.heap.set_user_value(none, data, value);
                if let Ok(info) = self.heap.user_info(none, data) {
                    assert_eq!(set.is_ok(), info.value.is_some());
                    assert!(set.is_err() || info.value == Some(value));
                }
            }
            220..=224 => {
                let mut entry = RtlHeapWalkEntry {
                    data_address: (self.pick(input.number()?)? + input.number()? % 64) as _,
                    ..RtlHeapWalkEntry::default()
                };
                entry.flags.0 = u16::from(input.byte()?) << 8 | 2;
                let _ = self.heap.walk(Ptr::of(&mut entry));
            }
            _ => {
                let sound = self.heap.validate(none).is_ok();
                assert!(sound || self.guilty);
            }
        }
        Some(())
    }
}

/// Runs bytes as a program.
fn run(bytes: &[u8]) {
    let pages = TestPages::new();
    let mut input = Input(bytes);
    let flags = input.byte().unwrap_or(0);
    let heap = if flags & 0x40 == 0 {
        let flags = HeapFlags(u32::from(flags & 1) | 2 | u32::from(flags & 0x30) << 12);
        with_flags(&pages, flags)
    } else {
        let creation = Creation {
            reserve: 0x4_0000,
            ..Creation::default()
        };
        TestHeap::create(&pages, &creation).unwrap()
    };
    let mut program = Program {
        heap,
        pages: &pages,
        model: Model::default(),
        guilty: false,
    };
    while !input.0.is_empty() {
        // A step that wants a block where there is none is no step.
        let _ = program.step(&mut input);
    }
    pages.fail_every(0);
    if !program.guilty {
        program.model.compare(&heap);
        program.model.verify_all();
        program.model.free_all(&heap);
        heap.destroy().unwrap();
        assert_eq!((pages.committed(), pages.reservations()), (0, 0));
    }
}

/// Runs bytes, and keeps them if they break something.
fn run_kept(name: &str, bytes: &[u8]) {
    if let Err(broken) = catch_unwind(AssertUnwindSafe(|| run(bytes))) {
        let path = std::env::temp_dir().join(std::format!("heap-{name}.input"));
        fs::write(&path, bytes).unwrap();
        println!("{} breaks it: add it to tests/corpus", path.display());
        resume_unwind(broken);
    }
}

#[test]
fn inputs_that_broke_it_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for path in names {
        run_kept("corpus", &fs::read(&path).unwrap());
    }
}

#[test]
fn inputs_at_random() {
    let count = std::env::var("HEAP_FUZZ_INPUTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(150);
    let first = std::env::var("HEAP_FUZZ_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    for seed in first..first + count {
        let mut random = Random(seed);
        let length = 200 + random.below(12_000);
        // Some do nothing wrong, some nothing but allocate and free.
        let tame = random.below(3);
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                let byte = random.next().to_le_bytes()[0];
                if tame > 0 && (200..205).contains(&byte) {
                    byte - 200
                } else {
                    byte
                }
            })
            .collect();
        run_kept(&std::format!("{seed}"), &bytes);
    }
}
