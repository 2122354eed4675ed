//! From an address to a block, and what is done with a block of whichever kind.

use nt_abi::heap::HeapFlags;

use crate::Pages;
use crate::bins::Wanted;
use crate::block::{Block, HAS_VALUE, LEAST, State, USER_FLAGS};
use crate::errors::{CorruptionKind, Done, Fault, damage};
use crate::header::Core;
use crate::large::LargeBlock;
use crate::memory;
use crate::segment::{BLOCKS, NOTHING, Segment};
use crate::sizes::{
    BLOCK_HEADER, GRANULE, PAGE, SMALL_END, SMALL_HEADER, bucket_of, down, stride_of,
};
use crate::span::{Pushed, SmallBlock, Span};

/// A block that a program has, its header having been verified.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// One of the front end.
    Small(Span, SmallBlock),
    /// One of the back end.
    Block(Segment, Block),
    /// One with a reservation of its own.
    Large(LargeBlock),
}

impl Found {
    pub(crate) fn requested(&self) -> usize {
        match self {
            Self::Small(_, small) => small.capacity - small.unused,
            Self::Block(_, block) => block.requested(),
            Self::Large(large) => large.requested,
        }
    }

    pub(crate) fn flags(&self) -> u8 {
        match self {
            Self::Small(_, small) => small.flags,
            Self::Block(_, block) => block.flags,
            Self::Large(large) => large.flags,
        }
    }

    /// The user value; `None` if there is no room for one.
    pub(crate) fn value(&self) -> Option<usize> {
        match self {
            Self::Small(..) => None,
            Self::Block(_, block) => block.value().map(|at| memory::Place::<usize>::at(at).get()),
            Self::Large(large) => (large.flags & HAS_VALUE != 0).then_some(large.value),
        }
    }
}

/// The marks in a block's flags, from those of a call.
pub(crate) fn marks_of(flags: u32) -> u8 {
    ((flags & HeapFlags::SETTABLE_USER_FLAGS.0) >> 8) as u8 & USER_FLAGS
}

/// The other way.
pub(crate) fn user_flags_of(flags: u8) -> HeapFlags {
    HeapFlags(u32::from(flags & USER_FLAGS) << 8)
}

impl<P: Pages> Core<'_, P> {
    /// Above how many bytes a block has a reservation of its own, in a heap that may grow.
    pub(crate) fn large_above(self) -> usize {
        self.header.large_above().get()
    }

    /// Takes a block for a program.
    #[cold]
    pub(crate) fn take_any(self, flags: u32, size: usize) -> Done<usize> {
        let marks = marks_of(flags);
        let has_value = flags & HeapFlags::SETTABLE_USER_VALUE.0 != 0;
        let plain = marks == 0 && !has_value;
        if size <= SMALL_END - SMALL_HEADER && plain {
            let bucket = bucket_of(self.aligned(size + SMALL_HEADER).max(GRANULE));
            let unused = memory::low(stride_of(bucket) - SMALL_HEADER - size);
            match self.take_small(bucket, unused) {
                Ok(Some(data)) => return Ok(data),
                Ok(None) => {}
                Err(fault) => {
                    // It is told once, and does not stand in the way of the next block of this size.
                    self.set_active(bucket, self.header.no_span().address());
                    return Err(fault);
                }
            }
        }
        self.take_with(size, size, marks | if has_value { HAS_VALUE } else { 0 })
    }

    /// Takes a block of the back end or a large one, with room to grow into.
    pub(crate) fn take_with(self, size: usize, room: usize, flags: u8) -> Done<usize> {
        if size > self.header.largest().get() {
            return Err(Fault::NoMemory);
        }
        if size > self.large_above() {
            if !self.has(HeapFlags::GROWABLE) {
                return Err(Fault::NoMemory);
            }
            return Ok(self.take_large(size, room, flags)?.data);
        }
        let total = |bytes: usize| self.total(bytes, flags);
        let wanted = Wanted {
            size: total(size),
            requested: size,
            state: State::Busy,
            flags,
            at_page: false,
        };
        if room > size {
            // What is left behind it is where it grows.
            let roomy = Wanted {
                size: total(room.min(self.large_above())),
                ..wanted
            };
            if let Ok(block) = self.take(&roomy) {
                let segment = self.own_segment(block.at, CorruptionKind::Segment)?;
                self.resize(&segment, &block, wanted.size, size)?;
                self.clear_value(block.data())?;
                return Ok(block.data());
            }
        }
        let block = self.take(&wanted)?;
        if let Some(value) = block.value() {
            memory::Place::<usize>::at(value).set(0);
        }
        Ok(block.data())
    }

    fn clear_value(self, data: usize) -> Done {
        if let Found::Block(_, block) = self.locate(data)?
            && let Some(value) = block.value()
        {
            memory::Place::<usize>::at(value).set(0);
        }
        Ok(())
    }

    /// The size of a block of the back end for so many bytes, which are no more than any limit.
    pub(crate) fn total(self, bytes: usize, flags: u8) -> usize {
        let value = if flags & HAS_VALUE != 0 {
            size_of::<usize>()
        } else {
            0
        };
        self.aligned(bytes + BLOCK_HEADER + value).max(LEAST)
    }

    /// Writes a block's user value.
    pub(crate) fn set_value(self, found: &Found, value: usize) -> Done {
        match found {
            Found::Block(_, block) => match block.value() {
                Some(at) => memory::Place::<usize>::at(at).set(value),
                None => return Err(Fault::Refused),
            },
            Found::Large(large) if large.flags & HAS_VALUE != 0 => {
                self.set_large(&LargeBlock { value, ..*large })?;
            }
            _ => return Err(Fault::Refused),
        }
        Ok(())
    }

    /// Gives back a block that a program names.
    #[cold]
    pub(crate) fn give_back_any(self, data: usize) -> Done {
        if data == 0 {
            return Ok(());
        }
        match self.locate(data)? {
            Found::Small(span, small) => {
                self.remember(down(data, PAGE), span.0);
                match self.push(small.data) {
                    Pushed::Done => Ok(()),
                    Pushed::Settle(span) => self.settle(span),
                    Pushed::Unknown => Err(damage(CorruptionKind::HeapHeader, data)),
                }
            }
            Found::Block(segment, block) => self.give_back(&segment, &block),
            Found::Large(large) => self.give_back_large(&large),
        }
    }

    /// The busy block at an address.
    ///
    /// # Errors
    /// Damage: that the address is none, or what is wrong with the block.
    pub(crate) fn locate(self, data: usize) -> Done<Found> {
        let not = || damage(CorruptionKind::NotABlock, data);
        if data & (GRANULE - 1) != 0 {
            return Err(not());
        }
        let Some(segment) = self.segment_of(data)? else {
            return match self.large_block(data)? {
                Some(large) => Ok(Found::Large(large)),
                None => Err(not()),
            };
        };
        if !segment.holds(data) {
            return Err(not());
        }
        match self.page_kind(&segment, data)? {
            NOTHING => Err(not()),
            BLOCKS => {
                let at = data - BLOCK_HEADER;
                if !segment.holds(at) {
                    return Err(not());
                }
                match self.block(&segment, at) {
                    Ok(block) if block.state == State::Busy => Ok(Found::Block(segment, block)),
                    Ok(block) if block.state == State::Free => {
                        Err(damage(CorruptionKind::DoubleFree, data))
                    }
                    Ok(_) => Err(not()),
                    Err(_) => Err(self.why_not(&segment, at)),
                }
            }
            kind => {
                let span = self.span_of(&segment, data, kind)?;
                Ok(Found::Small(span, self.small_block(span, data)?))
            }
        }
    }

    /// Why there is no sound header at an address: there should be none, or it was overwritten. Only the blocks before it
    /// can tell.
    #[cold]
    fn why_not(self, segment: &Segment, at: usize) -> Fault {
        let mut place = segment.first;
        while place < at {
            match self.block(segment, place) {
                Ok(block) => place = block.end(),
                Err(fault) => return fault,
            }
        }
        if place == at {
            damage(CorruptionKind::BlockHeader, at)
        } else {
            damage(CorruptionKind::NotABlock, at + BLOCK_HEADER)
        }
    }
}
