//! The modified page writer: pages that left their working sets are written to where they can be read again.
//!
//! A page of a file goes to the file, any other to the paging file. Its place there is chosen now, under the lock of the
//! page's owner, because the owner's value must know it before the frame can have another page. The page is copied
//! first, under the frames' lock: so it may be used, changed or given up while it is written. If it is changed, it counts
//! as modified again; if it is given up, its frame and its place wait for the end of the write.
//!
//! # NT
//! `MiModifiedPageWriter`, `MiMappedPageWriter`.

use arch::contract::{PAGE_BYTES, PAGE_SIZE, VirtAddr};
use ex::pool::{PoolTag, PoolVec};

use crate::address_space;
use crate::frames::{self, Owner, Writable};
use crate::pte::{PagingSlot, Pte};
use crate::section::{self, Place};
use crate::{paging, statistics};

const TAG: PoolTag = PoolTag(*b"MmMw");

/// Writes at most `budget` modified pages; gives how many it wrote.
///
/// # IRQL
/// At most Apc, without a lock.
#[doc(alias = "MiModifiedPageWriter")]
pub fn write_modified(budget: u64) -> u64 {
    let mut buffer = PoolVec::new(TAG);
    if budget == 0 || buffer.resize(PAGE_BYTES, 0u8).is_err() {
        return 0;
    }
    let mut written = 0;
    // A page that cannot be written is passed by; each is looked at once.
    let mut looks = frames::statistics().modified;
    let mut passed = None;
    while written < budget && looks > 0 {
        looks -= 1;
        let Some(page) = frames::next_modified(passed) else {
            break;
        };
        if write(&page, &mut buffer) {
            written += 1;
        } else {
            passed = Some(page.index);
        }
    }
    statistics::count_written(written);
    written
}

fn write(page: &Writable, buffer: &mut [u8]) -> bool {
    match page.owner {
        Owner::Private {
            space,
            page: number,
        } => write_private(page, space, VirtAddr(number * PAGE_SIZE), buffer),
        Owner::Area { area, page: number } => write_shared(page, area, number, buffer),
        Owner::Kernel | Owner::None => false,
    }
}

/// A place in the paging file: the page's own, or a new one.
struct Chosen {
    slot: PagingSlot,
    is_new: bool,
}

fn choose(slot: Option<PagingSlot>) -> Option<Chosen> {
    match slot {
        Some(slot) => Some(Chosen {
            slot,
            is_new: false,
        }),
        None => paging::allocate().map(|slot| Chosen { slot, is_new: true }),
    }
}

fn write_private(page: &Writable, space: u32, address: VirtAddr, buffer: &mut [u8]) -> bool {
    let Some(place) = address_space::by_number(space) else {
        return false;
    };
    let slot = {
        let mut space = place.lock();
        let Some(chosen) = choose(page.slot) else {
            return false;
        };
        let slot = Some(chosen.slot);
        if !frames::begin_write(page, slot, buffer) {
            if chosen.is_new {
                paging::free(chosen.slot);
            }
            return false;
        }
        space.note_slot(address, chosen.slot);
        chosen.slot
    };
    let result = paging::write(slot, buffer);
    frames::end_write(page.index, result.is_ok());
    result.is_ok()
}

fn write_shared(page: &Writable, area: u32, number: u32, buffer: &mut [u8]) -> bool {
    let Some(area) = section::by_number(area) else {
        return false;
    };
    let mut content = area.lock();
    let slot = match content.place_to_write() {
        Place::Nowhere => return false,
        Place::File => {
            if !frames::begin_write(page, None, buffer) {
                return false;
            }
            let result = content.write_to_file(number, buffer);
            frames::end_write(page.index, result.is_ok());
            return result.is_ok();
        }
        Place::PagingFile => {
            let Some(chosen) = choose(page.slot) else {
                return false;
            };
            if !frames::begin_write(page, Some(chosen.slot), buffer) {
                if chosen.is_new {
                    paging::free(chosen.slot);
                }
                return false;
            }
            content.note_slot(number, chosen.slot);
            chosen.slot
        }
    };
    drop(content);
    let result = paging::write(slot, buffer);
    frames::end_write(page.index, result.is_ok());
    result.is_ok()
}

/// A value with another place in the paging file.
pub(crate) fn with_slot(value: Pte, slot: PagingSlot) -> Pte {
    match value {
        Pte::Paged {
            protection, frame, ..
        } => Pte::Paged {
            protection,
            slot: Some(slot),
            frame,
        },
        other => other,
    }
}
