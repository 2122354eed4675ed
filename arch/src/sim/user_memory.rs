//! User halves on the simulated machine: translations that are remembered until they are forgotten.
//!
//! Here alone the machine translates addresses: what user mode or a copy of the
//! kernel accesses is looked up in the tables of the active space, in simulated RAM.
//! A translation that was used is kept, by space and page, on the processor that used
//! it, and it is used again whatever the tables say meanwhile, until it is
//! invalidated. Real processors *may* do so; this one always does, and it keeps the
//! translations of spaces that are not active, as ARM64 does with ASIDs. So code that
//! forgets to invalidate reads old memory, or meets the panic here: "no user frame
//! any more".

use core::sync::atomic::{AtomicU64, Ordering};

use super::state::with;
use super::turns;
use crate::contract::{
    Access, Entry, FaultReason, FrameNumber, Irql, PAGE_BYTES, PAGE_SIZE, PhysAddr, Processor,
    Translation, UserProtection, UserTranslation, VirtAddr, VirtRange,
};
use crate::memory::{SpaceId, user_frame};
use crate::{Machine, kernel};

/// Bits of an entry, besides those of kernel entries.
pub(super) const PRESENT: u64 = 1;
pub(super) const WRITE: u64 = 4;
pub(super) const EXECUTE: u64 = 8;
pub(super) const USER: u64 = 32;
pub(super) const ADDRESS: u64 = 0x0000_FFFF_FFFF_F000;

impl UserTranslation for Machine {
    // The harder case: what belongs to the kernel must not be taken apart with a space.
    const ROOT_HOLDS_KERNEL: bool = true;

    fn most_spaces() -> u32 {
        64
    }

    fn user_leaf(address: PhysAddr, protection: UserProtection) -> u64 {
        let write = if protection.writes() { WRITE } else { 0 };
        let execute = if protection.executes() { EXECUTE } else { 0 };
        address.0 | PRESENT | USER | write | execute
    }

    fn decode_user(entry: u64) -> (PhysAddr, UserProtection) {
        let protection = match (entry & WRITE != 0, entry & EXECUTE != 0) {
            (false, false) => UserProtection::Read,
            (true, false) => UserProtection::ReadWrite,
            (false, true) => UserProtection::ReadExecute,
            (true, true) => UserProtection::ReadWriteExecute,
        };
        (PhysAddr(entry & ADDRESS), protection)
    }

    fn active_space() -> Option<SpaceId> {
        with(|machine| machine.me().space.map(|(id, _)| id))
    }

    unsafe fn activate_user(space: Option<(SpaceId, PhysAddr)>) {
        with(|machine| machine.me().space = space);
    }

    fn invalidate_user(id: SpaceId, ranges: &[VirtRange]) {
        assert_others_can_answer();
        turns::point(false);
        with(|machine| {
            for processor in &mut machine.processors {
                processor.translations.retain(|(space, page), _| {
                    let page = VirtAddr(*page);
                    *space != id || !ranges.iter().any(|range| range.contains(page))
                });
            }
        });
        turns::point(false);
    }

    fn invalidate_space(id: SpaceId) {
        assert_others_can_answer();
        turns::point(false);
        with(|machine| {
            for processor in &mut machine.processors {
                processor.translations.retain(|(space, _), _| *space != id);
            }
        });
        turns::point(false);
    }
}

/// Translations are forgotten on every processor; a machine that asks the others by interrupt waits for their answers.
///
/// # Panics
/// If two processors that wait so at once would wait for ever.
pub(super) fn assert_others_can_answer() {
    let (enabled, level) = with(|machine| {
        let me = machine.me();
        (me.interrupts_enabled, me.level)
    });
    assert!(
        enabled && level <= Irql::Dispatch,
        "translations are invalidated with interrupts {} at {level:?}",
        if enabled { "on" } else { "off" }
    );
}

/// What an access meets: where, and why.
type Fault = (VirtAddr, FaultReason);

/// Where the active space shows an address, for an access of that kind; from the processor's memory if it has it there.
fn translate(address: VirtAddr, access: Access) -> Result<PhysAddr, FaultReason> {
    let page = address.0 & !(PAGE_SIZE - 1);
    let (id, root) = with(|machine| machine.me().space).ok_or(FaultReason::NotMapped)?;
    let remembered = with(|machine| machine.me().translations.get(&(id, page)).copied());
    let entry = remembered
        .or_else(|| walk(root, address))
        .ok_or(FaultReason::NotMapped)?;
    with(|machine| machine.me().translations.insert((id, page), entry));
    let (start, protection) = Machine::decode_user(entry);
    let permitted = match access {
        Access::Read => true,
        Access::Write => protection.writes(),
        Access::Execute => protection.executes(),
    };
    if !permitted {
        return Err(FaultReason::Permission);
    }
    assert!(
        user_frame::uses(FrameNumber::containing(start)).is_some(),
        "a translation that was not forgotten: {address} shows {start}, which is no user frame any more"
    );
    Ok(PhysAddr(start.0 + (address.0 - page)))
}

/// The entry of a page that user mode may access.
fn walk(root: PhysAddr, address: VirtAddr) -> Option<u64> {
    let mut table = root;
    for level in 0..4 {
        let index = address.0 >> (39 - 9 * u32::from(level)) & 511;
        let entry = PhysAddr(table.0 + 8 * index);
        let pointer = Machine::physical_pointer(entry).cast::<AtomicU64>();
        // SAFETY: a table is a page of simulated RAM whose words are accessed as atomics only.
        let word = unsafe { &*pointer };
        let entry = word.load(Ordering::Acquire);
        match Machine::decode(entry, level) {
            Entry::Table(next) => table = next,
            Entry::Leaf { user: true, .. } => return Some(entry),
            _ => return None,
        }
    }
    None
}

/// Splits `start..start + length` where pages end: `part` gets each piece's address, offset and length.
fn for_each_piece<E>(
    start: VirtAddr,
    length: usize,
    part: &mut dyn FnMut(VirtAddr, usize, usize) -> Result<(), E>,
) -> Result<(), E> {
    let mut done = 0;
    while done < length {
        let at = VirtAddr(start.0 + done as u64);
        let in_page = usize::try_from(at.0 % PAGE_SIZE).unwrap_or(0);
        let now = (PAGE_BYTES - in_page).min(length - done);
        part(at, done, now)?;
        done += now;
    }
    Ok(())
}

/// Reads as user mode.
pub(super) fn load(from: VirtAddr, into: &mut [u8]) -> Result<(), Fault> {
    for_each_piece(from, into.len(), &mut |at, offset, length| {
        let found = translate(at, Access::Read).map_err(|reason| (at, reason))?;
        let source = Machine::physical_pointer(found);
        let target = into[offset..offset + length].as_mut_ptr();
        // SAFETY: the source is within a user frame, to whose bytes there are no references; the target is the slice's part.
        unsafe { source.copy_to_nonoverlapping(target, length) };
        Ok(())
    })
}

/// Writes as user mode.
pub(super) fn store(to: VirtAddr, bytes: &[u8]) -> Result<(), Fault> {
    for_each_piece(to, bytes.len(), &mut |at, offset, length| {
        let found = translate(at, Access::Write).map_err(|reason| (at, reason))?;
        let target = Machine::physical_pointer(found);
        let source = bytes[offset..offset + length].as_ptr();
        // SAFETY: as in `load`, the other way round.
        unsafe { target.copy_from_nonoverlapping(source, length) };
        Ok(())
    })
}

/// Fetches as user mode.
pub(super) fn fetch(from: VirtAddr) -> Result<(), Fault> {
    let found = translate(from, Access::Execute);
    found.map(|_| ()).map_err(|reason| (from, reason))
}

/// Faults of one access that the kernel says it resolved, and that come again.
const MOST_FAULTS: u32 = 1000;

/// Where an address is, for a copy of the kernel, which brings the page if it can.
fn find(address: VirtAddr, access: Access) -> Option<*mut u8> {
    for _ in 0..MOST_FAULTS {
        turns::point(false);
        if let Ok(found) = translate(address, access) {
            return Some(Machine::physical_pointer(found));
        }
        assert!(
            Machine::irql() < Irql::Dispatch,
            "user memory that is not there was touched at Dispatch: {address}"
        );
        if !kernel()?.user_page_fault(address, access) {
            return None;
        }
    }
    panic!("the kernel says that it resolved a fault at {address}, and the fault comes again");
}

/// See `Threads::copy_from_user`.
///
/// # Safety
/// As there.
pub(super) unsafe fn copy_from_user(to: *mut u8, from: VirtAddr, length: usize) -> bool {
    for_each_piece(from, length, &mut |at, offset, length| {
        let source = find(at, Access::Read).ok_or(())?;
        // SAFETY: the source is within a user frame, and no strand runs between the look and the copy; the caller promised
        // the target.
        unsafe { source.copy_to_nonoverlapping(to.wrapping_add(offset), length) };
        Ok::<(), ()>(())
    })
    .is_ok()
}

/// See `Threads::copy_to_user`.
///
/// # Safety
/// As there.
pub(super) unsafe fn copy_to_user(to: VirtAddr, from: *const u8, length: usize) -> bool {
    for_each_piece(to, length, &mut |at, offset, length| {
        let target = find(at, Access::Write).ok_or(())?;
        // SAFETY: as in `copy_from_user`, the other way round.
        unsafe { target.copy_from_nonoverlapping(from.wrapping_add(offset), length) };
        Ok::<(), ()>(())
    })
    .is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::{SpareFrames, boot, on_processor};
    use super::*;
    use crate::contract::ProcessorNumber;
    use crate::memory::{AddressSpace, Frame, FrameSource, activate};
    use crate::user::{UserFault, copy_in};

    const PAGE: VirtAddr = VirtAddr(0x7000_0000);

    fn frame(byte: u8) -> FrameNumber {
        let mut frame = SpareFrames.allocate().expect("there is memory");
        frame.bytes().fill(byte);
        frame.into_user()
    }

    /// Writes the page's entry behind the space's back.
    fn set_entry(root: PhysAddr, new: u64) {
        let mut table = root;
        for level in 0..4 {
            let index = PAGE.0 >> (39 - 9 * u32::from(level)) & 511;
            let pointer = Machine::physical_pointer(PhysAddr(table.0 + 8 * index));
            // SAFETY: as in `walk`.
            let word = unsafe { &*pointer.cast::<AtomicU64>() };
            if level == 3 {
                word.store(new, Ordering::Relaxed);
            } else if let Entry::Table(next) = Machine::decode(word.load(Ordering::Relaxed), level)
            {
                table = next;
            }
        }
    }

    fn look() -> Result<u8, UserFault> {
        let mut found = [0];
        copy_in(&mut found, PAGE).map(|()| found[0])
    }

    /// A space that shows a frame, active on two processors that both used it.
    fn used_space(shown: FrameNumber) -> (AddressSpace, PhysAddr) {
        let mut space = AddressSpace::create(&mut SpareFrames).expect("there is memory");
        space
            .map(PAGE, shown, UserProtection::Read, &mut SpareFrames)
            .expect("there is memory");
        for number in [1, 0] {
            on_processor(ProcessorNumber(number), || {
                assert!(activate(Some(space.id())));
                assert_eq!(look(), Ok(1));
            });
        }
        let root = with(|machine| machine.me().space).expect("it is active").1;
        (space, root)
    }

    #[test]
    fn a_translation_stays_until_it_is_invalidated() {
        let _machine = boot(2);
        let (one, two) = (frame(1), frame(2));
        let (space, root) = used_space(one);
        set_entry(root, Machine::user_leaf(two.start(), UserProtection::Read));
        assert_eq!(look(), Ok(1), "the tables say otherwise");
        assert!(activate(None));
        assert_eq!(look(), Err(UserFault));
        assert!(activate(Some(space.id())));
        assert_eq!(look(), Ok(1), "the space's number kept it");
        let range = VirtRange::of_pages(PAGE, 1);
        Machine::invalidate_user(SpaceId(space.id().0 + 1), &[range]);
        assert_eq!(look(), Ok(1), "that was another space");
        Machine::invalidate_user(space.id(), &[range]);
        assert_eq!(look(), Ok(2));
        on_processor(ProcessorNumber(1), || assert_eq!(look(), Ok(2)));
        set_entry(root, 0);
        assert_eq!(look(), Ok(2));
        Machine::invalidate_space(space.id());
        assert_eq!(look(), Err(UserFault));
    }

    #[test]
    #[should_panic(expected = "no user frame any more")]
    fn an_access_by_a_forgotten_frame_is_found_out() {
        let _machine = boot(2);
        let one = frame(1);
        let (mut space, root) = used_space(one);
        // What a memory manager does that frees the frame and forgets to invalidate.
        space.unmap(VirtRange::of_pages(PAGE, 1), &mut |_, _| 0);
        set_entry(root, Machine::user_leaf(one.start(), UserProtection::Read));
        assert_eq!(look(), Ok(1));
        set_entry(root, 0);
        SpareFrames.free(Frame::reclaim(one).expect("nothing that is counted shows it"));
        let _ = look();
    }
}
