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
//! | [`device`](DeviceWindow) | device registers |

mod boot_tables;
mod device;
mod frame;
pub mod layout;
mod mapping;
mod table;

pub use boot_tables::{MemoryError, MemorySummary, initialize, kernel_leaves, summary};
pub use device::{DeviceError, DeviceWindow};
pub use frame::{Frame, FrameSource, claim_low_frame, permanent_words, usable_frames};
pub use mapping::{KernelMapping, MapError, StackTop};
pub use table::MappedLeaf;
