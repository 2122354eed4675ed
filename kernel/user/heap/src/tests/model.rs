//! What a heap should be: which blocks there are, how long, with which bytes.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::vec::Vec;

use c_interface::{Ptr, field};
use nt_abi::NtStatus;
use nt_abi::heap::{HeapEntryFlags, HeapFlags};
use nt_abi::native::RtlHeapWalkEntry;

use super::arena::{TestPages, watch};
use super::{Random, TestLock, scale};
use crate::{Creation, Heap, Limits};

pub(crate) type TestHeap<'p> = Heap<'p, TestPages, TestLock>;

/// A heap that grows, with defaults.
pub(crate) fn growing(pages: &TestPages) -> TestHeap<'_> {
    with_flags(pages, HeapFlags::GROWABLE)
}

/// One with flags.
pub(crate) fn with_flags(pages: &TestPages, flags: HeapFlags) -> TestHeap<'_> {
    let creation = Creation {
        flags,
        seed: 0x1357_9BDF,
        limits: Limits::default(),
        ..Creation::default()
    };
    Heap::create(pages, &creation).unwrap()
}

/// A block of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shadow {
    pub(crate) size: usize,
    /// Which bytes it has.
    pub(crate) seed: u64,
}

/// What blocks are filled with: pieces of this.
fn noise() -> &'static [u8] {
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    NOISE.get_or_init(|| {
        let mut random = Random(99);
        (0..2 * PIECE / 8)
            .flat_map(|_| random.next().to_le_bytes())
            .collect()
    })
}

/// How long a piece is.
const PIECE: usize = 0x1_0000;

/// Goes through the pieces of a block from an index on: each one's range and its bytes.
fn pieces(seed: u64, from: usize, to: usize, mut does: impl FnMut(usize, &[u8])) {
    let mut at = from;
    while at < to {
        let (number, inside) = (at / PIECE, at % PIECE);
        let length = (PIECE - inside).min(to - at);
        let start = scale(Random(seed ^ (number as u64) << 40).next(), PIECE) + inside;
        // What a piece has is the noise from its start on, around its end.
        let first = length.min(2 * PIECE - start.min(2 * PIECE));
        does(at, &noise()[start..start + first]);
        if first < length {
            does(at + first, &noise()[..length - first]);
        }
        at += length;
    }
}

/// Fills a block from an index on.
pub(crate) fn fill(data: usize, from: usize, to: usize, seed: u64) {
    pieces(seed, from, to, |at, bytes| {
        Ptr::<u8>::new(data + at)
            .slice_mut(bytes.len())
            .copy_from_slice(bytes);
    });
}

/// Looks whether a block has its bytes.
pub(crate) fn verify(data: usize, size: usize, seed: u64) {
    pieces(seed, 0, size, |at, bytes| {
        assert!(
            Ptr::<u8>::new(data + at).slice(bytes.len()) == bytes,
            "from byte {at:#x} of {size:#x} at {data:#x} on"
        );
    });
}

fn ideal(size: usize) -> usize {
    (size + 8).next_multiple_of(16)
}

/// Whether bytes are zero.
fn is_zero(bytes: &[u8]) -> bool {
    static ZEROS: [u8; PIECE] = [0; PIECE];
    bytes
        .chunks(PIECE)
        .all(|piece| piece == &ZEROS[..piece.len()])
}

/// The model of a heap.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) blocks: BTreeMap<usize, Shadow>,
    /// Bytes of all blocks, each with eight more and rounded up to sixteen: what a heap without any waste would have.
    pub(crate) bytes: usize,
    seed: u64,
}

impl Model {
    /// A block was allocated: it must be aligned and touch no other. It is filled.
    pub(crate) fn allocated(&mut self, data: usize, size: usize, zeroed: bool) {
        assert_eq!(data % (2 * size_of::<usize>()), 0, "alignment");
        if zeroed {
            assert!(
                Ptr::<u8>::new(data)
                    .slice(size)
                    .iter()
                    .all(|&byte| byte == 0),
                "{size:#x} bytes at {data:#x} are not zero"
            );
        }
        self.seed += 1;
        fill(data, 0, size, self.seed);
        self.insert(
            data,
            Shadow {
                size,
                seed: self.seed,
            },
        );
    }

    fn insert(&mut self, data: usize, shadow: Shadow) {
        // All of it is there.
        watch(data, shadow.size);
        if let Some((&before, its)) = self.blocks.range(..=data).next_back() {
            assert!(
                before + its.size.max(1) <= data,
                "{data:#x} is in {before:#x}"
            );
        }
        if let Some((&behind, _)) = self.blocks.range(data + 1..).next() {
            assert!(data + shadow.size <= behind, "{behind:#x} is in {data:#x}");
        }
        self.blocks.insert(data, shadow);
        self.bytes += ideal(shadow.size);
    }

    /// A block is going to be freed: it must have its bytes.
    pub(crate) fn freed(&mut self, data: usize) {
        let shadow = self.blocks.remove(&data).unwrap();
        self.bytes -= ideal(shadow.size);
        verify(data, shadow.size, shadow.seed);
    }

    /// A block is somebody else's from now on, or nobody's.
    pub(crate) fn taken(&mut self, data: usize) {
        let shadow = self.blocks.remove(&data).unwrap();
        self.bytes -= ideal(shadow.size);
    }

    /// A block of somebody else's, with its bytes.
    pub(crate) fn given(&mut self, data: usize, shadow: Shadow) {
        self.insert(data, shadow);
    }

    /// A block was made larger or smaller: it must have its old bytes. The new ones are filled.
    pub(crate) fn resized(&mut self, old: usize, data: usize, size: usize, zeroed: bool) {
        let shadow = self.blocks.remove(&old).unwrap();
        self.bytes -= ideal(shadow.size);
        let same = shadow.size.min(size);
        verify(data, same, shadow.seed);
        if zeroed {
            let new = &Ptr::<u8>::new(data).slice(size)[same..];
            assert!(is_zero(new), "new bytes are not zero");
        }
        fill(data, same, size, shadow.seed);
        self.insert(
            data,
            Shadow {
                size,
                seed: shadow.seed,
            },
        );
    }

    /// The block at an index of the order of addresses, nearly.
    pub(crate) fn pick(&self, random: u64) -> Option<(usize, Shadow)> {
        let (first, last) = (
            self.blocks.first_key_value()?.0,
            self.blocks.last_key_value()?.0,
        );
        let at = first + scale(random, last - first + 1);
        self.blocks
            .range(at..)
            .next()
            .map(|(&data, &shadow)| (data, shadow))
    }

    /// Compares everything that the heap says with the model.
    pub(crate) fn compare(&self, heap: &TestHeap<'_>) {
        heap.validate(HeapFlags(0)).unwrap();
        let walked: BTreeMap<usize, usize> = walk(heap)
            .iter()
            .filter(|entry| entry.flags.contains(HeapEntryFlags::BUSY))
            .map(|entry| {
                let bytes = Ptr::<u8>::at(entry.data_size).address();
                (Ptr::<u8>::at(entry.data_address).address(), bytes)
            })
            .collect();
        let expected: BTreeMap<usize, usize> = self
            .blocks
            .iter()
            .map(|(&data, shadow)| (data, shadow.size))
            .collect();
        assert_eq!(walked.len(), expected.len(), "as many blocks");
        assert_eq!(walked, expected);
        for (&data, shadow) in &self.blocks {
            assert_eq!(heap.size(HeapFlags(0), data).unwrap(), shadow.size);
            heap.validate_block(HeapFlags(0), data).unwrap();
        }
    }

    /// Verifies all bytes.
    pub(crate) fn verify_all(&self) {
        for (&data, shadow) in &self.blocks {
            verify(data, shadow.size, shadow.seed);
        }
    }

    /// Frees all.
    pub(crate) fn free_all(&mut self, heap: &TestHeap<'_>) {
        let all: Vec<usize> = self.blocks.keys().copied().collect();
        for data in all {
            self.freed(data);
            heap.free(HeapFlags(0), data).unwrap();
        }
    }
}

/// All parts of a heap, which tile its segments.
pub(crate) fn walk(heap: &TestHeap<'_>) -> Vec<RtlHeapWalkEntry> {
    let mut entries = Vec::new();
    let mut entry = RtlHeapWalkEntry::default();
    let place = Ptr::of(&mut entry);
    loop {
        match heap.walk(place) {
            Ok(()) => entries.push(place.read()),
            Err(NtStatus::NO_MORE_ENTRIES) => break,
            Err(status) => panic!("{status} after {:?}", entries.last()),
        }
        // What a caller need not keep.
        field!(place, RtlHeapWalkEntry, data_size).write(0);
        field!(place, RtlHeapWalkEntry, segment_index).write(0xCD);
    }
    for pair in entries.windows(2) {
        let (one, two) = (&pair[0], &pair[1]);
        if one.segment_index == two.segment_index
            && !one.flags.contains(HeapEntryFlags::LARGE_ALLOC)
        {
            assert!(
                one.data_address + one.data_size <= two.data_address,
                "{one:?} reaches into {two:?}"
            );
        }
    }
    entries
}
