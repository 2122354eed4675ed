//! What a page is when no table of the processor shows it: the memory manager's value in an absent entry.
//!
//! A value of 0 says nothing: what the page is, its VAD says. The others:
//!
//! | bits | what |
//! |---|---|
//! | 0 to 2 | kind |
//! | 3 to 7 | protection |
//! | 8 to 31 | place in the paging file and 1, or 0 |
//! | 32 to 62 | page frame and 1, or 0 |
//!
//! **The frame is a hint.** A page that left a working set stays in its frame for a while, on the standby or the
//! modified list. When the frame is wanted for something else, nobody goes and changes this value, for which the
//! owner's lock would be needed: who reads the hint asks the frame whose page it has (`frames`), and a frame that
//! has another's is none. A prototype, the entry of a page in a control area, is the same value.

use crate::protection::Protection;

/// What an absent entry, or a prototype, says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pte {
    /// Nothing: the VAD, or the control area, says what the page is.
    Unset,
    /// Committed, and never accessed.
    DemandZero(Protection),
    /// Given back, although its VAD says that pages are committed.
    Decommitted,
    /// It has content, in a frame still or in the paging file.
    Paged {
        /// Its protection.
        protection: Protection,
        /// Where it is in the paging file.
        slot: Option<PagingSlot>,
        /// The frame that has it, perhaps.
        frame: Option<FrameIndex>,
    },
}

/// A page's place in the paging file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PagingSlot(u32);

impl PagingSlot {
    /// Places that can be told apart: 64 GiB.
    pub(crate) const MOST: u32 = (1 << 24) - 1;

    pub(crate) fn new(number: u32) -> Option<Self> {
        (number < Self::MOST).then_some(Self(number))
    }

    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// The number and 1; 0 is none.
    pub(crate) const fn pack(slot: Option<Self>) -> u32 {
        match slot {
            Some(slot) => slot.0 + 1,
            None => 0,
        }
    }

    pub(crate) fn unpack(word: u32) -> Option<Self> {
        word.checked_sub(1).map(Self)
    }
}

/// A frame's place in the database of frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FrameIndex(pub(crate) u32);

impl FrameIndex {
    /// Frames that can be told apart: 8 TiB.
    pub(crate) const MOST: u32 = (1 << 31) - 1;
}

const DEMAND_ZERO: u64 = 1;
const DECOMMITTED: u64 = 2;
const PAGED: u64 = 3;

impl Pte {
    /// As a value of the entry.
    pub(crate) fn pack(self) -> u64 {
        match self {
            Self::Unset => 0,
            Self::DemandZero(protection) => DEMAND_ZERO | u64::from(protection.bits()) << 3,
            Self::Decommitted => DECOMMITTED,
            Self::Paged {
                protection,
                slot,
                frame,
            } => {
                let frame = frame.map_or(0, |frame| u64::from(frame.0) + 1);
                PAGED
                    | u64::from(protection.bits()) << 3
                    | u64::from(PagingSlot::pack(slot)) << 8
                    | frame << 32
            }
        }
    }

    /// What [`pack`](Self::pack) made.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "each field is cut to its bits"
    )]
    pub(crate) fn unpack(value: u64) -> Self {
        let protection = Protection::from_bits((value >> 3) as u8 & 0x1F);
        match value & 7 {
            DEMAND_ZERO => Self::DemandZero(protection),
            DECOMMITTED => Self::Decommitted,
            PAGED => Self::Paged {
                protection,
                slot: PagingSlot::unpack((value >> 8) as u32 & 0xFF_FFFF),
                frame: ((value >> 32) as u32).checked_sub(1).map(FrameIndex),
            },
            _ => Self::Unset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_and_leaves_the_top_bit_clear() {
        let slots = [
            None,
            PagingSlot::new(0),
            PagingSlot::new(PagingSlot::MOST - 1),
        ];
        let frames = [
            None,
            Some(FrameIndex(0)),
            Some(FrameIndex(FrameIndex::MOST - 1)),
        ];
        let mut values = vec![Pte::Unset, Pte::Decommitted];
        for protection in [
            Protection::NO_ACCESS,
            Protection::READ_ONLY,
            Protection::EXECUTE_WRITE_COPY,
        ] {
            values.push(Pte::DemandZero(protection));
            for slot in slots {
                values.extend(frames.map(|frame| Pte::Paged {
                    protection,
                    slot,
                    frame,
                }));
            }
        }
        for value in values {
            assert_eq!(Pte::unpack(value.pack()), value);
            assert_eq!(value.pack() >> 63, 0);
        }
        assert_eq!(PagingSlot::new(PagingSlot::MOST), None);
    }
}
