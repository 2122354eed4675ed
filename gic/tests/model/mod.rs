//! A controller that behaves as the GIC architecture says, as far as Tarn uses it: enable, pending, active, priority with
//! the non-secure view, mask, running priority, acknowledge and end. It is written from the specifications, not from the
//! driver, and has no notion of interrupt request levels.
#![allow(dead_code, reason = "each test program uses its part of the model")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "offsets and register fields are small"
)]

use std::cell::RefCell;
use std::rc::Rc;

mod registers;

pub(crate) use registers::*;

/// How the controller is built and what state we see it from.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) processors: usize,
    pub(crate) lines: u32,
    pub(crate) priority_bits: u32,
    /// Two security states, and we are in the non-secure one: priorities are shifted.
    pub(crate) non_secure: bool,
    /// Version 3: the mask is shifted as well (SCR_EL3.FIQ).
    pub(crate) mask_shifted: bool,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Interrupt {
    pub(crate) enabled: bool,
    pub(crate) pending: bool,
    /// Version 2: processors that sent this software-generated interrupt and were not served yet.
    pub(crate) senders: u8,
    pub(crate) active: bool,
    pub(crate) edge: bool,
    /// As the controller keeps it.
    pub(crate) priority: u8,
    pub(crate) group1: bool,
    /// Version 2: target mask. Version 3: affinity.
    pub(crate) route: u64,
}

#[derive(Default)]
pub(crate) struct Processor {
    pub(crate) mask: u8,
    pub(crate) binary_point: u32,
    pub(crate) enabled: bool,
    pub(crate) system_registers: bool,
    pub(crate) asleep: bool,
    pub(crate) running: Vec<(u32, u8)>,
    pub(crate) private: [Interrupt; 32],
    pub(crate) affinity: u64,
}

pub(crate) struct State {
    pub(crate) shape: Shape,
    pub(crate) distributor_enabled: bool,
    pub(crate) version: u32,
    pub(crate) shared: Vec<Interrupt>,
    pub(crate) processors: Vec<Processor>,
    /// What was written to GICD_SGIR or ICC_SGI1R_EL1.
    pub(crate) sent: Vec<u64>,
}

/// The controller, seen by all its processors.
#[derive(Clone)]
pub(crate) struct Model(pub(crate) Rc<RefCell<State>>);

impl State {
    fn implemented(&self) -> u8 {
        (0xFF_u32 << (8 - self.shape.priority_bits)) as u8
    }

    fn store_priority(&self, value: u8) -> u8 {
        let kept = if self.shape.non_secure {
            0x80 | value >> 1
        } else {
            value
        };
        kept & self.implemented()
    }

    fn show_priority(&self, kept: u8) -> u8 {
        if self.shape.non_secure {
            kept << 1
        } else {
            kept
        }
    }

    pub(crate) fn interrupt(&mut self, processor: usize, intid: u32) -> &mut Interrupt {
        if intid < 32 {
            &mut self.processors[processor].private[intid as usize]
        } else {
            &mut self.shared[intid as usize - 32]
        }
    }

    fn is_for(&self, processor: usize, intid: u32) -> bool {
        let route = self
            .shared
            .get((intid as usize).wrapping_sub(32))
            .map(|interrupt| interrupt.route);
        match route {
            None => true,
            Some(mask) if self.version == 2 => mask & 1 << processor != 0,
            Some(affinity) => affinity == self.processors[processor].affinity,
        }
    }

    /// The pending interrupt that the processor's interface would signal.
    pub(crate) fn signalled(&mut self, processor: usize) -> Option<u32> {
        if !self.distributor_enabled
            || !self.processors[processor].enabled
            || self.processors[processor].asleep
        {
            return None;
        }
        let lines = self.shape.lines;
        let version = self.version;
        let mut best = None;
        for intid in 0..lines {
            let for_us = self.is_for(processor, intid);
            let one = *self.interrupt(processor, intid);
            let waits = one.enabled
                && !one.active
                && (one.pending || one.senders != 0)
                && (one.group1 || version == 2);
            if for_us && waits && best.is_none_or(|(_, priority)| one.priority < priority) {
                best = Some((intid, one.priority));
            }
        }
        let (best, priority) = best?;
        let this = &self.processors[processor];
        // The binary point says how many low bits do not count for preemption.
        let group =
            |value: u8| u32::from(value) >> (this.binary_point + 1) << (this.binary_point + 1);
        let preempts = this
            .running
            .last()
            .is_none_or(|(_, running)| group(priority) < group(*running));
        (priority < this.mask && preempts).then_some(best)
    }

    pub(crate) fn acknowledge(&mut self, processor: usize) -> u32 {
        let Some(intid) = self.signalled(processor) else {
            return 1023;
        };
        let version = self.version;
        let one = self.interrupt(processor, intid);
        let sender = one.senders.trailing_zeros();
        if version == 2 && intid < 16 {
            one.senders &= one.senders - 1;
        } else if one.edge || intid < 16 {
            one.pending = false;
        }
        one.active = true;
        let priority = one.priority;
        self.processors[processor].running.push((intid, priority));
        if version == 2 && intid < 16 {
            intid | sender << 10
        } else {
            intid
        }
    }

    pub(crate) fn end(&mut self, processor: usize, token: u32) {
        let intid = token & 0x3FF;
        assert_eq!(
            self.processors[processor]
                .running
                .pop()
                .map(|(intid, _)| intid),
            Some(intid),
            "ended out of order"
        );
        self.interrupt(processor, intid).active = false;
    }

    fn mask_is_shifted(&self) -> bool {
        self.shape.non_secure && (self.version == 2 || self.shape.mask_shifted)
    }

    pub(crate) fn set_mask(&mut self, processor: usize, value: u8) {
        let kept = if self.mask_is_shifted() {
            0x80 | value >> 1
        } else {
            value
        };
        self.processors[processor].mask = kept & self.implemented();
    }

    pub(crate) fn show_mask(&self, processor: usize) -> u8 {
        let kept = self.processors[processor].mask;
        match (self.mask_is_shifted(), kept & 0x80 != 0) {
            (false, _) => kept,
            (true, true) => kept << 1,
            (true, false) => 0,
        }
    }

    /// Bit, byte and two-bit registers that versions 2 and 3 share, at the distributor's offsets.
    pub(crate) fn read_common(&mut self, processor: usize, offset: u64) -> u32 {
        let word = |base: u64| (offset - base) as u32 / 4;
        let bits = |state: &mut Self, base: u64, read: fn(&Interrupt) -> bool| {
            (0..32).fold(0, |bits, bit| {
                bits | u32::from(read(state.interrupt(processor, word(base) * 32 + bit))) << bit
            })
        };
        match offset {
            0x080..0x100 => bits(self, 0x080, |one| one.group1),
            0x100..0x180 => bits(self, 0x100, |one| one.enabled),
            0x180..0x200 => bits(self, 0x180, |one| one.enabled),
            0x400..0x800 => (0..4).fold(0, |bytes, byte| {
                let kept = self.interrupt(processor, word(0x400) * 4 + byte).priority;
                bytes | u32::from(self.show_priority(kept)) << (8 * byte)
            }),
            0x800..0xC00 if word(0x800) < 8 => (1 << processor) * 0x0101_0101,
            0x800..0xC00 => (0..4).fold(0, |bytes, byte| {
                bytes
                    | (self.interrupt(processor, word(0x800) * 4 + byte).route as u32) << (8 * byte)
            }),
            0xC00..0xD00 => (0..16).fold(0, |bits, field| {
                bits | u32::from(self.interrupt(processor, word(0xC00) * 16 + field).edge)
                    << (2 * field + 1)
            }),
            _ => panic!("read of {offset:#x}"),
        }
    }

    pub(crate) fn write_common(&mut self, processor: usize, offset: u64, value: u32) {
        let word = |base: u64| (offset - base) as u32 / 4;
        let mut set = |base: u64, write: fn(&mut Interrupt)| {
            for bit in (0..32).filter(|bit| value & 1 << bit != 0) {
                write(self.interrupt(processor, word(base) * 32 + bit));
            }
        };
        match offset {
            0x080..0x100 => {
                assert_eq!(self.version, 3, "group registers are not ours on version 2");
                for bit in 0..32 {
                    self.interrupt(processor, word(0x080) * 32 + bit).group1 =
                        value & 1 << bit != 0;
                }
            }
            0x100..0x180 => set(0x100, |one| one.enabled = true),
            0x180..0x200 => set(0x180, |one| one.enabled = false),
            0x280..0x300 => set(0x280, |one| one.pending = false),
            0x380..0x400 => set(0x380, |one| one.active = false),
            0x400..0x800 => {
                for byte in 0..4 {
                    let priority = self.store_priority(value.to_le_bytes()[byte as usize]);
                    self.interrupt(processor, word(0x400) * 4 + byte).priority = priority;
                }
            }
            0x800..0xC00 => {
                for byte in 0..4 {
                    self.interrupt(processor, word(0x800) * 4 + byte).route =
                        u64::from(value.to_le_bytes()[byte as usize]);
                }
            }
            0xC00..0xD00 => {
                for field in 0..16 {
                    let edge = value >> (2 * field + 1) & 1 != 0;
                    let one = self.interrupt(processor, word(0xC00) * 16 + field);
                    assert!(
                        !one.enabled || one.edge == edge,
                        "the trigger of an enabled interrupt was changed"
                    );
                    one.edge = edge;
                }
            }
            _ => panic!("write of {offset:#x}"),
        }
    }
}

impl Model {
    pub(crate) fn new(version: u32, shape: Shape) -> Self {
        let processors = (0..shape.processors)
            .map(|number| Processor {
                asleep: version == 3,
                affinity: (number as u64 / 16) << 8 | (number as u64 % 16),
                ..Processor::default()
            })
            .collect();
        let shared = vec![Interrupt::default(); shape.lines as usize - 32];
        let state = State {
            shape,
            distributor_enabled: false,
            version,
            shared,
            processors,
            sent: Vec::new(),
        };
        Self(Rc::new(RefCell::new(state)))
    }

    pub(crate) fn pend(&self, processor: usize, intid: u32) {
        self.0.borrow_mut().interrupt(processor, intid).pending = true;
    }

    pub(crate) fn unpend(&self, processor: usize, intid: u32) {
        self.0.borrow_mut().interrupt(processor, intid).pending = false;
    }

    pub(crate) fn signalled(&self, processor: usize) -> Option<u32> {
        self.0.borrow_mut().signalled(processor)
    }
}
