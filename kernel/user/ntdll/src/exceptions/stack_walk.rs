//! Who called whom: walks over the calling thread's stack that look and do nothing.

use c_interface::{Ptr, exports};
use entries::exceptions::{Context, RtlCaptureContext};
use nt_abi::exception::HandlerTypes;
use unwind::Functions as _;
use unwind::machine::Machine as _;

use super::Machine;
use super::platform::Own;

/// Calls `visit` with where each caller goes on, the innermost first, until there is none or the stack makes no sense.
pub(super) fn for_each_caller(from: &Context, most: usize, mut visit: impl FnMut(u64)) {
    let own = Own::new();
    let mut context = *from;
    for _ in 0..most {
        let pc = Machine::pc(&context);
        let left_at = Machine::left_at(pc, Machine::is_behind_call(&context));
        let function = own.find(left_at);
        let before = Machine::sp(&context);
        let undone = Machine::undo(
            &own,
            HandlerTypes::empty(),
            function.as_ref(),
            left_at,
            &mut context,
        );
        let next = Machine::pc(&context);
        let went_on = Machine::sp(&context) > before || next != pc;
        if undone.is_err() || next == 0 || !went_on {
            return;
        }
        visit(next);
    }
}

/// Stores return addresses, behind those that are left out; gives how many, and a number for the whole.
fn capture(skip: usize, frames: Ptr<usize>, most: usize, hash: Ptr<u32>) -> usize {
    let mut context = Context::default();
    RtlCaptureContext(Ptr::of(&mut context));
    let (mut seen, mut stored, mut sum) = (0, 0, 0u32);
    // The first caller is the export's own, and counts as frame 0.
    for_each_caller(
        &context,
        skip.saturating_add(most).saturating_add(1),
        |pc| {
            if seen > skip && stored < most {
                let pc = Ptr::<u8>::at(pc).address();
                frames.add(stored).write(pc);
                sum = sum.wrapping_add(pc as u32);
                stored += 1;
            }
            seen += 1;
        },
    );
    hash.write_optional(sum);
    stored
}

exports! {
    /// Stores the return addresses of the calling functions; gives how many.
    fn RtlCaptureStackBackTrace(skip: u32, count: u32, frames: Ptr<usize>, hash: Ptr<u32>) -> u16 {
        /// Windows gives no more.
        const MOST: u32 = 0xFFFF;
        let stored = capture(skip as usize, frames, count.min(MOST) as usize, hash);
        u16::try_from(stored).unwrap_or(u16::MAX)
    }

    /// Stores the return addresses of the calling functions; gives how many. The flags' second byte says how many are left
    /// out.
    fn RtlWalkFrameChain(frames: Ptr<usize>, count: u32, flags: u32) -> u32 {
        let skip = (flags >> 8 & 0xFF) as usize;
        u32::try_from(capture(skip, frames, count as usize, Ptr::NULL)).unwrap_or(0)
    }
}
