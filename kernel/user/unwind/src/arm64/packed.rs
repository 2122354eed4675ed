//! The unwind codes that a packed entry stands for.
//!
//! The prolog of a packed function is, in this order: sign the link register; save integer registers, then the link
//! register if the frame is not linked, then float registers, the first of them all making room for all of them and for
//! the arguments' homes; store the arguments; take the rest of the frame, saving the frame pointer and the link register at
//! its bottom and setting the frame pointer if the frame is linked. The epilog undoes the same in the other order, but
//! for the homes and for the frame pointer, which it does not need.

use nt_abi::NtResult;
use pe::unwind_arm64::{Linkage, Packed, Saved, UnwindCode};

use super::{BAD_TABLE, LR};

/// The most codes of a prolog: signature, 5 pairs and the link register, 4 pairs of floats, 4 homes, 2 steps of the stack,
/// the frame's pair, the frame pointer, the end.
const MOST: usize = 20;
/// What one instruction can save below the stack pointer, in bytes.
const MOST_PAIR_OFFSET: u16 = 512;
/// What the first instruction takes of the stack when one cannot take all of it, in bytes.
const MOST_ALLOCATED: u16 = 4080;

/// The codes of a packed entry, in the order in which they undo the prolog.
pub(super) struct Codes {
    codes: [UnwindCode; MOST],
    start: usize,
}

impl Codes {
    /// The codes of an entry.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: what it saves does not fit into its frame.
    pub(super) fn of(packed: &Packed) -> NtResult<Self> {
        let mut codes = Self {
            codes: [UnwindCode::End; MOST],
            start: MOST - 1,
        };
        let saves_lr = packed.linkage == Linkage::UnchainedSavedLr;
        let integers = packed.integer_registers + u8::from(saves_lr);
        let slots = u16::from(integers) + u16::from(packed.float_registers);
        // Homes are with the saved registers; where nothing is saved, they are in the rest of the frame, and storing the
        // arguments is no part of the prolog.
        let homes = packed.homes_arguments && slots != 0;
        let save_size = ((slots + if homes { 8 } else { 0 }) * 8).next_multiple_of(16);
        let rest = packed.frame_size.checked_sub(save_size).ok_or(BAD_TABLE)?;
        if packed.linkage == Linkage::ChainedSigned {
            codes.step(UnwindCode::SignLr);
        }
        codes.save_registers(packed, saves_lr, save_size);
        if homes {
            for _ in 0..4 {
                codes.step(UnwindCode::Nop);
            }
        }
        match packed.linkage {
            Linkage::Chained | Linkage::ChainedSigned => codes.link_frame(rest),
            Linkage::Unchained | Linkage::UnchainedSavedLr => codes.allocate(rest),
        }
        Ok(codes)
    }

    /// The codes that undo the prolog.
    pub(super) fn prolog(&self) -> impl Iterator<Item = NtResult<UnwindCode>> + use<'_> {
        let codes = self.codes.get(self.start..).unwrap_or_default();
        codes.iter().copied().map(Ok)
    }

    /// The epilog's codes, in the order of its instructions.
    pub(super) fn epilog(&self) -> impl Iterator<Item = NtResult<UnwindCode>> + use<'_> {
        let only_prolog =
            |code: &UnwindCode| matches!(code, UnwindCode::SetFrame | UnwindCode::Nop);
        let codes = self.prolog();
        codes.filter(move |code| !code.is_ok_and(|code| only_prolog(&code)))
    }

    /// Adds the prolog's next instruction.
    fn step(&mut self, code: UnwindCode) {
        // There is room: `MOST` counts all that there can be.
        self.start = self.start.saturating_sub(1);
        self.codes[self.start] = code;
    }

    /// Saves the registers, the first instruction taking `size` bytes of the stack.
    fn save_registers(&mut self, packed: &Packed, saves_lr: bool, size: u16) {
        let mut first = true;
        let mut offset = 0;
        // The stack pointer's step, and where the next register goes.
        let mut place = |bytes: u16| {
            let at = (core::mem::take(&mut first), offset);
            offset += bytes;
            at
        };
        let count = packed.integer_registers;
        // There is no instruction that saves one register with the link register and moves the stack pointer.
        if count == 1 && saves_lr {
            self.step(UnwindCode::Allocate(u32::from(size)));
            place(0);
        }
        for register in (19..19 + (count & !1)).step_by(2) {
            let (moves, offset) = place(16);
            self.step(match moves {
                true => UnwindCode::SavePairPre(Saved {
                    register,
                    offset: size,
                }),
                false => UnwindCode::SavePair(Saved { register, offset }),
            });
        }
        let last = 19 + (count & !1);
        match (count & 1 != 0, saves_lr) {
            (true, true) => {
                let (_, offset) = place(16);
                self.step(UnwindCode::SaveLrPair(Saved {
                    register: last,
                    offset,
                }));
            }
            (true, false) | (false, true) => {
                let register = if saves_lr { LR } else { last };
                let (moves, offset) = place(8);
                self.step(match moves {
                    true => UnwindCode::SavePre(Saved {
                        register,
                        offset: size,
                    }),
                    false => UnwindCode::Save(Saved { register, offset }),
                });
            }
            (false, false) => {}
        }
        let count = packed.float_registers;
        for register in (8..8 + (count & !1)).step_by(2) {
            let (moves, offset) = place(16);
            self.step(match moves {
                true => UnwindCode::SaveFloatPairPre(Saved {
                    register,
                    offset: size,
                }),
                false => UnwindCode::SaveFloatPair(Saved { register, offset }),
            });
        }
        if count & 1 != 0 {
            let register = 8 + count - 1;
            let (moves, offset) = place(8);
            self.step(match moves {
                true => UnwindCode::SaveFloatPre(Saved {
                    register,
                    offset: size,
                }),
                false => UnwindCode::SaveFloat(Saved { register, offset }),
            });
        }
    }

    /// Takes the rest of the frame and links it.
    fn link_frame(&mut self, rest: u16) {
        match rest {
            0 => return,
            1..=MOST_PAIR_OFFSET => self.step(UnwindCode::SaveFpLrPre(rest)),
            _ => {
                self.allocate(rest);
                self.step(UnwindCode::SaveFpLr(0));
            }
        }
        self.step(UnwindCode::SetFrame);
    }

    /// Takes the rest of the frame.
    fn allocate(&mut self, rest: u16) {
        if rest > MOST_ALLOCATED {
            self.step(UnwindCode::Allocate(u32::from(MOST_ALLOCATED)));
            self.step(UnwindCode::Allocate(u32::from(rest - MOST_ALLOCATED)));
        } else if rest > 0 {
            self.step(UnwindCode::Allocate(u32::from(rest)));
        }
    }
}
