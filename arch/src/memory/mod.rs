//! Memory as the floor guards it.
//!
//! The policy (which frame next, which address next, when to write out) is
//! `mm`'s, in safe Rust. What keeps that safe is here: a [`Frame`] is a token
//! that exists at most once for each page of RAM, a mapping consumes the frames
//! it shows and refuses an address that is already mapped, and what is unmapped
//! was owned by the mapping that is taken apart. Whatever mistake the code above
//! makes, it cannot make two owners of one page.
//!
//! | file | what |
//! |---|---|
//! | [`layout`] | the upper half, region by region |
//! | [`frame`](Frame) | the frame table and frames with one owner |
//! | `table` | the walker over page tables, for both machines |
//! | `boot_tables` | from the loader block to the kernel's own tables |
//! | [`mapping`](KernelMapping) | mappings that come and go |
//! | [`address_space`](AddressSpace) | user halves: page tables of processes |
//! | `space_table` | the numbers of address spaces, and which processor uses which |
//! | [`user_frame`] | the bytes of pages that user mode may change |
//! | [`ram_disk`](ram_disk()) | what the firmware left for us |
//! | [`device`](DeviceWindow) | device registers |

mod address_space;
mod boot_tables;
mod device;
mod frame;
pub mod layout;
mod mapping;
mod ram_disk;
mod space_table;
mod table;
mod taken;
pub mod user_frame;
mod user_tables;

pub use address_space::{AddressSpace, UserEntry};
pub use boot_tables::{MemoryError, MemorySummary, initialize, kernel_leaves, summary};
pub use device::{DeviceError, DeviceWindow};
pub use frame::{
    Frame, FrameSource, PAGE_WORDS, claim_low_frame, permanent_frames, permanent_words,
    usable_frames,
};
pub use mapping::{KernelMapping, MapError, StackTop};
pub use ram_disk::ram_disk;
pub use space_table::{SpaceId, activate};
pub use table::MappedLeaf;
pub use taken::Leave;
