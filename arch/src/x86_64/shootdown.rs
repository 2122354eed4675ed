//! Making every processor forget translations.
//!
//! x86 does not tell other processors of a changed page table; each keeps what it
//! cached until it is told (INVLPG) or reloads. `invalidate` returns when no
//! processor uses the old translation, so it interrupts those that are up and waits
//! for each of them to answer.
//!
//! **The exchange.** A request is a slot: a range or two, and a set of processors that
//! still have to answer. The caller claims a free slot, writes the ranges, then the
//! set (Release), then interrupts. A processor that takes the interrupt looks at all
//! slots; where it finds its bit (Acquire: it sees the ranges) it invalidates and then
//! clears the bit (Release). The caller sees the set empty (Acquire), and frees the
//! slot. The page-table stores precede the set's store, so a processor that answers
//! refills its TLB from the new tables.
//!
//! **No deadlock.** A slot belongs to a call, not to a processor, so a caller may be
//! preempted while it waits. Two processors that shoot at once both wait with
//! interrupts enabled and answer each other; and the wait itself answers too, in case
//! a caller broke the rule and has them disabled.
//!
//! **Coming and going.** A processor joins by setting its bit in PRESENT, then
//! dropping all its translations. Both it and the caller fence between their store
//! and their load (SeqCst): either the caller sees the bit, or the processor drops
//! what it knew after the page tables changed. One that stops clears its bit; the
//! wait ignores processors that are no longer present.
//!
//! **User translations** concern only the processors whose active space it is. One
//! that activates a space stores its number in its block, then writes CR3, which is a
//! serialising instruction: the number is visible to all before anything is looked up
//! in the new tables. The caller writes the entry, fences, and reads the numbers. So
//! either it finds the number and interrupts that processor, or the processor's tables
//! came into force after the entry was written, and it never had the old one. One that
//! goes to another space announces that before it forgets this one; in between it runs
//! with interrupts disabled in the kernel and makes no access by the old translation,
//! nor would it write to an entry, since A and D are always set.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

use super::apic::Message;
use super::per_processor::ProcessorBlock;
use super::trap::SHOOTDOWN_VECTOR;
use super::{interrupts, per_processor};
use crate::Machine;
use crate::contract::{PAGE_SIZE, Processor, ProcessorSet, VirtRange};
use crate::memory::{SpaceId, layout};

/// Calls that can be under way at once; further ones wait for a slot.
const SLOTS: usize = 16;
/// Pages beyond which dropping everything is cheaper than naming each.
const MANY_PAGES: u64 = 64;

/// Ranges that one request can have: a thread that ends leaves two, its stack and its environment block.
const RANGES: usize = 2;

struct Slot {
    claimed: AtomicBool,
    /// Begin and end of each; one that is not used is empty.
    ranges: [[AtomicU64; 2]; RANGES],
    waiting_for: AtomicU64,
}

static REQUESTS: [Slot; SLOTS] = [const {
    Slot {
        claimed: AtomicBool::new(false),
        ranges: [const { [const { AtomicU64::new(0) }; 2] }; RANGES],
        waiting_for: AtomicU64::new(0),
    }
}; SLOTS];

/// Processors that take part: those whose local APIC is on.
static PRESENT: AtomicU64 = AtomicU64::new(0);

/// This processor answers from now on. Interrupts are disabled.
pub(super) fn join() {
    PRESENT.fetch_or(
        ProcessorSet::only(per_processor::number()).0,
        Ordering::SeqCst,
    );
    fence(Ordering::SeqCst);
    drop_all();
}

/// This processor answers no more; it stops. Interrupts are disabled.
pub(super) fn leave() {
    PRESENT.fetch_and(
        !ProcessorSet::only(per_processor::number()).0,
        Ordering::SeqCst,
    );
}

/// Whether none of these takes part: each has stopped, or never joined.
pub(super) fn have_left(processors: ProcessorSet) -> bool {
    PRESENT.load(Ordering::SeqCst) & processors.0 == 0
}

/// The processors that take part, but for this one.
pub(super) fn others() -> ProcessorSet {
    ProcessorSet(PRESENT.load(Ordering::SeqCst)).without(per_processor::number())
}

/// Forgets `range` everywhere; see `Translation::invalidate`.
pub(super) fn invalidate(range: VirtRange) {
    // The page-table stores come before the look at who is present.
    fence(Ordering::SeqCst);
    let enabled = Machine::disable_interrupts();
    drop_range(range.start.0, range.end.0);
    // Still on the same processor: the others are all but the one that has just dropped the range.
    ask(others(), &[range], enabled);
}

/// Forgets `ranges` of a space wherever it is active; see `UserTranslation::invalidate_user`.
pub(super) fn invalidate_user(space: SpaceId, ranges: &[VirtRange]) {
    let ranges = if ranges.len() > RANGES {
        &[layout::USER]
    } else {
        ranges
    };
    // The page-table stores come before the look at who has it active.
    fence(Ordering::SeqCst);
    let enabled = Machine::disable_interrupts();
    if per_processor::current().active_space() == Some(space) {
        for range in ranges {
            drop_range(range.start.0, range.end.0);
        }
    }
    let targets = others()
        .iter()
        .filter(|number| {
            per_processor::block(*number).and_then(ProcessorBlock::active_space) == Some(space)
        })
        .fold(ProcessorSet::EMPTY, ProcessorSet::with);
    ask(targets, ranges, enabled);
}

/// Interrupts `targets` and waits until each has forgotten `ranges`, at most [`RANGES`]. Called with interrupts disabled;
/// they are let in again if `enabled`.
fn ask(targets: ProcessorSet, ranges: &[VirtRange], enabled: bool) {
    if targets.is_empty() {
        Machine::restore_interrupts(enabled);
        return;
    }
    let slot = claim();
    // Relaxed: published by the Release below.
    for (index, [start, end]) in slot.ranges.iter().enumerate() {
        let (from, to) = ranges
            .get(index)
            .map_or((0, 0), |range| (range.start.0, range.end.0));
        start.store(from, Ordering::Relaxed);
        end.store(to, Ordering::Relaxed);
    }
    slot.waiting_for.store(targets.0, Ordering::Release);
    for target in targets.iter() {
        interrupts::send(target, Message::Vector(SHOOTDOWN_VECTOR));
    }
    Machine::restore_interrupts(enabled);
    while slot.waiting_for.load(Ordering::Acquire) & PRESENT.load(Ordering::Relaxed) != 0 {
        serve();
        Machine::relax();
    }
    slot.waiting_for.store(0, Ordering::Relaxed);
    slot.claimed.store(false, Ordering::Release);
}

/// A free slot. While none is, this processor answers others, so those that hold them get on.
fn claim() -> &'static Slot {
    loop {
        // Acquire: the previous owner is done with the slot.
        let free = REQUESTS
            .iter()
            .find(|slot| !slot.claimed.swap(true, Ordering::Acquire));
        if let Some(slot) = free {
            return slot;
        }
        serve();
        Machine::relax();
    }
}

/// Answers every request that waits for this processor.
pub(super) fn serve() {
    // Neither moved nor interrupted: the answer is for this processor, and is given after its work.
    let enabled = Machine::disable_interrupts();
    let me = ProcessorSet::only(per_processor::number()).0;
    for slot in &REQUESTS {
        if slot.waiting_for.load(Ordering::Acquire) & me != 0 {
            for [start, end] in &slot.ranges {
                drop_range(start.load(Ordering::Relaxed), end.load(Ordering::Relaxed));
            }
            slot.waiting_for.fetch_and(!me, Ordering::Release);
        }
    }
    Machine::restore_interrupts(enabled);
}

fn drop_range(start: u64, end: u64) {
    if end.saturating_sub(start) / PAGE_SIZE > MANY_PAGES {
        if end <= layout::USER.end.0 {
            drop_user();
        } else {
            drop_all();
        }
        return;
    }
    let mut page = start;
    while page < end {
        // SAFETY: forgetting a translation is always allowed; it is read again from the tables.
        unsafe { asm!("invlpg [{}]", in(reg) page, options(nostack, preserves_flags)) };
        page += PAGE_SIZE;
    }
}

/// Drops the translations of this processor that are not global: any write to CR3 does.
fn drop_user() {
    // SAFETY: the same tables again.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}

/// Drops every translation of this processor, global ones too: any change of CR4.PGE does.
pub(super) fn drop_all() {
    const PGE: u64 = 1 << 7;
    // SAFETY: CR4 ends with the value that it had; in between translations are merely not kept as global.
    unsafe {
        asm!(
            "mov {old}, cr4",
            "mov {new}, {old}",
            "and {new}, {without}",
            "mov cr4, {new}",
            "mov cr4, {old}",
            old = out(reg) _,
            new = out(reg) _,
            without = const !PGE as i64,
            options(nostack),
        );
    }
}
