//! Arguments by their kinds, and what is behind those that are pointers.

use nt_abi::services::arguments::{ArgumentKind, Direction, Target};
use nt_abi::services::{Argument, MAXIMUM_ARGUMENTS, Service};
use zerocopy::IntoBytes as _;

use super::Random;
use super::ground::{BEHIND, Ground};
use super::handles::Handles;
use super::rules::{self, Rule};
use super::victim::Victim;
use crate::services::fill;

/// Sizes, counts and lengths around which mistakes are made.
const SIZES: [u64; 40] = [
    0,
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    12,
    15,
    16,
    20,
    24,
    28,
    32,
    40,
    48,
    56,
    64,
    72,
    96,
    104,
    128,
    256,
    512,
    1000,
    4095,
    4096,
    4097,
    0xFFFF,
    0x1_0000,
    0x10_0000,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    0xFFFF_FFFF_FFFF_F000,
    u64::MAX,
];
/// Flags that services know: protections, kinds of allocation, options.
const FLAGS: [u32; 24] = [
    1,
    2,
    4,
    8,
    0x10,
    0x20,
    0x40,
    0x80,
    0x104,
    0x102,
    0x204,
    0x1000,
    0x2000,
    0x3000,
    0x4000,
    0x8000,
    0x8_0000,
    0x10_3000,
    0x20_0000,
    0x100_0000,
    0x800_0000,
    0x2000_0000,
    0x4004,
    0x8002,
];
/// Kinds of allocations and of freeing.
const TYPES: [u64; 8] = [
    0x1000, 0x2000, 0x3000, 0x3000, 0x4000, 0x8000, 0x8_0000, 0x10_3000,
];
/// Access masks: all of some types, generic ones, what is not allowed.
const MASKS: [u32; 14] = [
    0,
    1,
    2,
    0x1F_0003,
    0x1F_0001,
    0x1F_FFFF,
    0x10_0000,
    0x2_0000,
    0xF_001F,
    0x8000_0000,
    0x1000_0000,
    0x200_0000,
    0x100_0000,
    0xFFFF_FFFF,
];
/// Numbers with a sign, and times.
const SIGNED: [i64; 14] = [
    0,
    1,
    -1,
    2,
    -2,
    100,
    -10_000,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
    i64::MIN,
    0x1000,
    0x10_0000,
    132_000_000_000_000_000,
];
/// An address in the kernel's half, and one in neither.
pub(super) const KERNEL: u64 = 0xFFFF_8000_0000_0000;
pub(super) const NOWHERE: u64 = 0x0001_0000_0000_0000;

/// Makes arguments.
pub(super) struct Maker<'a> {
    pub(super) random: &'a mut Random,
    pub(super) ground: &'a Ground,
    pub(super) handles: &'a Handles,
    /// A process that may be broken.
    pub(super) victim: Option<&'a Victim>,
    /// Addresses are the victim's: so is the process that the service is given.
    pub(super) aimed: bool,
}

impl Maker<'_> {
    /// Makes up the arguments of a call.
    pub(super) fn arguments(
        &mut self,
        service: &Service,
        rule: Rule,
        arguments: &mut [u64; MAXIMUM_ARGUMENTS],
    ) {
        let dangerous = matches!(rule, Rule::Victim);
        self.aimed = self.victim.is_some()
            && (dangerous || (rules::uses_memory(service) && self.random.once_in(3)));
        for (index, (argument, slot)) in service.arguments.iter().zip(arguments).enumerate() {
            *slot = if let Some(handle) = self.victims(argument) {
                handle
            } else if rules::is_routine(argument.name) && !self.aimed {
                0
            } else if rules::is_timeout(argument.name) {
                self.timeout()
            } else if matches!(rule, Rule::Refused) || (dangerous && !self.aimed) {
                self.refused(argument.kind)
            } else {
                self.named(index, service.name, argument)
            };
            if let (Rule::NotClasses(classes), ArgumentKind::Enumeration(_)) = (rule, argument.kind)
            {
                let class = *slot & 0xFFFF_FFFF;
                if classes.iter().any(|refused| u64::from(*refused) == class) {
                    *slot = 0;
                }
            }
        }
    }

    /// A handle to the victim or a thread of it, where a call is aimed at it.
    fn victims(&mut self, argument: &Argument) -> Option<u64> {
        let victim = self.victim.filter(|_| self.aimed)?;
        match argument.name {
            "process" => Some(victim.process_for(self.random, self.handles)),
            "thread" => Some(victim.thread_for(self.random, self.handles)),
            _ => None,
        }
    }

    /// Where a wait's length is: zero, or where nothing can be read. Null would be a wait for ever.
    fn timeout(&mut self) -> u64 {
        match self.random.below(16) {
            0 => KERNEL,
            1 => self.ground.nothing(),
            2 => self.ground.read_only() + 1 + self.random.below(7),
            3 => self.ground.edge() - 4,
            _ => self.ground.read_only(),
        }
    }

    /// An argument that no service accepts, where there is one.
    fn refused(&mut self, kind: ArgumentKind) -> u64 {
        match kind {
            ArgumentKind::Handle => Handles::bad(self.random),
            ArgumentKind::Pointer { .. } => self.bad_pointer(),
            ArgumentKind::Address => 0,
            _ => self.argument(0, kind),
        }
    }

    /// An argument whose name says more than its kind does.
    fn named(&mut self, index: usize, service: &str, argument: &Argument) -> u64 {
        match argument.kind {
            ArgumentKind::Handle => self.handles.suited(self.random, service, argument.name),
            _ if argument.name.ends_with("count") && !self.random.once_in(4) => {
                self.random.below(6)
            }
            // Most structures have no more than some words.
            _ if argument.name.ends_with("length") && !self.random.once_in(3) => {
                4 * self.random.below(48)
            }
            _ if argument.name == "zero_bits" && !self.random.once_in(8) => 0,
            ArgumentKind::Enumeration(name)
                if name.ends_with("_TYPE") && !self.random.once_in(8) =>
            {
                self.random.below(2)
            }
            _ if argument.name.ends_with("_type") && !self.random.once_in(4) => {
                self.random.of(&TYPES)
            }
            kind => self.argument(index, kind),
        }
    }

    fn argument(&mut self, index: usize, kind: ArgumentKind) -> u64 {
        match kind {
            ArgumentKind::Handle => self.handles.any(self.random),
            ArgumentKind::Boolean => self.random.of(&[0, 1, 1, 0xFF, 0x100]),
            ArgumentKind::Status => u64::from(self.random.of(&[0, 0xC000_0001, 0x103, u32::MAX])),
            ArgumentKind::AccessMask => u64::from(self.mask()),
            ArgumentKind::Address => self.target(),
            ArgumentKind::Unsigned8 | ArgumentKind::Unsigned16 | ArgumentKind::Unsigned32 => {
                self.number()
            }
            ArgumentKind::Signed32 => self.random.of(&SIGNED).cast_unsigned(),
            ArgumentKind::Unsigned64 | ArgumentKind::Size => self.size(),
            ArgumentKind::Enumeration(_) => self.class(),
            ArgumentKind::Pointer {
                direction, target, ..
            } => self.pointer(index, direction, target),
        }
    }

    fn mask(&mut self) -> u32 {
        if self.random.once_in(4) {
            self.random.next() as u32
        } else {
            self.random.of(&MASKS)
        }
    }

    /// A number of 32 bits: small, flags, or a length; what is above its width is anything.
    fn number(&mut self) -> u64 {
        let low = match self.random.below(8) {
            0..3 => self.random.below(16),
            3 | 4 => u64::from(self.random.of(&FLAGS)),
            5 => u64::from(self.random.of(&FLAGS) | self.random.of(&FLAGS)),
            6 => self.random.of(&SIZES) & 0xFFFF_FFFF,
            _ => self.random.next() & 0xFFFF_FFFF,
        };
        if self.random.once_in(8) {
            low | self.random.next() << 32
        } else {
            low
        }
    }

    fn size(&mut self) -> u64 {
        match self.random.below(8) {
            0 => self.random.next(),
            1 => self.random.below(0x1_0000),
            _ => self.random.of(&SIZES),
        }
    }

    /// One of a set: NT's sets have less than 128 members.
    fn class(&mut self) -> u64 {
        match self.random.below(16) {
            0 => self.random.next(),
            1..5 => self.random.below(128),
            _ => self.random.below(48),
        }
    }

    /// An address as an argument: one of the victim's if it is the one that is meant.
    fn target(&mut self) -> u64 {
        match self.victim.filter(|_| self.aimed) {
            Some(victim) if !self.random.once_in(4) => victim.address(self.random),
            _ => self.address(),
        }
    }

    /// An address that a service may take away: never one that the program lives at.
    fn address(&mut self) -> u64 {
        let (start, length) = self.ground.sacrificed();
        match self.random.below(12) {
            0 | 1 => 0,
            2 => KERNEL,
            3 => NOWHERE,
            4 => u64::MAX,
            5 => start + self.random.below(length),
            6 => start + length,
            7 => start,
            _ => start + self.random.below(length / 0x1000) * 0x1000,
        }
    }

    fn bad_pointer(&mut self) -> u64 {
        match self.random.below(5) {
            0 => KERNEL,
            1 => NOWHERE,
            2 => u64::MAX - 7,
            3 => self.ground.nothing(),
            // What was last before memory ends is cleared: a structure there has no more than its first bytes.
            _ => self.ground.edge() - 1,
        }
    }

    fn pointer(&mut self, index: usize, direction: Direction, target: Target) -> u64 {
        let slot = self.ground.slot(index);
        match self.random.below(40) {
            0 => return 0,
            1 => return self.bad_pointer(),
            2 => return self.ground.read_only() + 8 * self.random.below(4),
            3 => {
                return self.ground.edge()
                    - self.random.of(&[1, 4, 8, 8, 16, 24, 32, 40, 48, 48, 64]);
            }
            _ => {}
        }
        if direction == Direction::Out {
            // What an earlier call left there is no address that a later one may take.
            fill(slot, &[0; 64]);
        } else {
            self.fill(slot, target);
        }
        if self.random.once_in(40) {
            slot + 1 + self.random.below(7)
        } else {
            slot
        }
    }

    /// Puts what a service looks for into a slot.
    fn fill(&mut self, slot: u64, target: Target) {
        let name = match target {
            Target::One(name) | Target::Array(name, _) => name,
            Target::Bytes(_) => "",
        };
        match name {
            "UNICODE_STRING" => {
                let string = self.string(slot);
                fill(slot, string.as_bytes());
            }
            "OBJECT_ATTRIBUTES" => self.fill_attributes(slot),
            "CONTEXT" => self.fill_context(slot),
            _ => self.fill_words(slot, name),
        }
    }

    /// The number of the victim or of one of its threads, or nothing.
    fn victim_number(&mut self) -> u64 {
        let numbers = self.victim.map(Victim::numbers).unwrap_or_default();
        self.random.of(&numbers)
    }

    /// Fills a slot's first part with words of one kind, or of any.
    fn fill_words(&mut self, slot: u64, name: &str) {
        let mut words = [0u64; 24];
        let zero = self.random.once_in(8);
        for word in &mut words {
            *word = match name {
                _ if zero => 0,
                "CLIENT_ID" if self.victim.is_some() && !self.random.once_in(4) => {
                    self.victim_number()
                }
                "HANDLE" => self.handles.any(self.random),
                "PVOID" => self.target(),
                "SIZE_T" | "ULONG" | "ULONGLONG" => self.size(),
                "LARGE_INTEGER" | "LONG" => self.random.of(&SIGNED).cast_unsigned(),
                _ => match self.random.below(8) {
                    0 => self.handles.any(self.random),
                    1 => self.address(),
                    2 => slot + BEHIND,
                    3 => self.random.next(),
                    4 => 0,
                    _ => self.number(),
                },
            };
        }
        fill(slot, words.as_bytes());
        if self.random.once_in(4) {
            self.fill_descriptor(slot + BEHIND);
        }
    }
}
