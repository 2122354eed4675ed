//! The balance of memory: enough frames that can be had, before somebody needs them.
//!
//! A thread of the kernel calls [`balance`] once a second and when it is asked to. What the pools do not use goes back. While
//! enough frames are available it does no more. Else pages leave working sets, those above their maximum first, then those above their minimum, then
//! all; and what left and was modified is written out, which makes it available.
//!
//! Who needs a frame and finds none does a little of the same itself ([`make_room`]), so that no fault depends on a
//! thread's turn.
//!
//! # NT
//! `KeBalanceSetManager`, `MmWorkingSetManager`, `MiObtainFreePages`.

use crate::working_set::{Floor, trim_all};
use crate::{frames, modified_writer, pool_growth};

/// One frame of this many should be available.
const SHARE: u64 = 64;
/// Pages that a fault without a frame makes room by.
const STEP: u64 = 32;

/// How many frames should be available.
pub fn wanted() -> u64 {
    (frames::counts().total / SHARE).clamp(STEP, 16384)
}

/// Makes frames available until there are enough, as far as possible; gives how many are.
///
/// # IRQL
/// Below Apc, without a lock.
#[doc(alias = "MmWorkingSetManager")]
pub fn balance() -> u64 {
    // What the pools have not wanted again since the last time; as much as one step may stay, for those who take and give in turn.
    pool_growth::shrink(pool_growth::STEP);
    let wanted = wanted();
    for floor in [Floor::Maximum, Floor::Minimum, Floor::None] {
        let available = frames::available();
        if available >= wanted {
            break;
        }
        trim_all(wanted - available, floor);
        let missing = wanted.saturating_sub(frames::available());
        modified_writer::write_modified(missing);
    }
    frames::available()
}

/// Makes frames available for a fault that found none; whether some are. No lock is held.
pub(crate) fn make_room() -> bool {
    crate::system_threads::ask_for_balance();
    pool_growth::shrink(0);
    for floor in [Floor::Maximum, Floor::Minimum, Floor::None] {
        if frames::available() > 0 {
            return true;
        }
        trim_all(STEP, floor);
        if frames::available() == 0 {
            modified_writer::write_modified(STEP);
        }
    }
    frames::available() > 0
}
