//! What undoing a function needs of the world, and what it gives.

use nt_abi::{NtResult, NtStatus};
use pe::ImageBytes;

/// What NT says of unwind data that makes no sense.
pub(crate) const BAD_TABLE: NtStatus = NtStatus::BAD_FUNCTION_TABLE;
/// What NT says of a stack that makes no sense.
pub(crate) const BAD_STACK: NtStatus = NtStatus::BAD_STACK;

/// The memory of the process whose stack is walked.
pub trait Memory {
    /// The number of 64 bits at an address of the stack; `None` if nothing can be read there.
    fn read(&self, address: u64) -> Option<u64>;

    /// The number of 32 bits at an address of the stack that is aligned to that; `None` if nothing can be read there.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "one half is what is wanted"
    )]
    fn read32(&self, address: u64) -> Option<u32> {
        let both = self.read(address & !7)?;
        Some((both >> ((address & 4) * 8)) as u32)
    }

    /// `length` bytes of an image, of its code or of its unwind data; `None` if they cannot be read.
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]>;
}

/// The functions that have unwind data.
pub trait Functions {
    /// An entry of the machine's function table.
    type Function: Copy;

    /// The function that an address is in; `None` for a leaf, which has no entry.
    fn find(&self, pc: u64) -> Option<FunctionEntry<Self::Function>>;
}

/// A function that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionEntry<F> {
    /// What its relative addresses are relative to.
    pub image_base: u64,
    /// Where its entry is in memory: handlers want to see it.
    pub address: u64,
    /// The entry.
    pub function: F,
}

/// A function that was undone.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Unwound {
    /// By which handlers know the function's frame.
    pub establisher_frame: u64,
    /// The function's handler, if it is of a kind that was asked for and control was in neither prolog nor epilog.
    pub handler: Option<Handler>,
}

/// A language handler of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handler {
    /// Its address, relative to the image's base.
    pub rva: u32,
    /// Where its data for the function is, relative to the image's base.
    pub data_rva: u32,
}

/// The unwind data of one image in memory.
pub(crate) struct Tables<'m, M> {
    pub(crate) memory: &'m M,
    pub(crate) image_base: u64,
}

impl<'m, M: Memory> ImageBytes<'m> for Tables<'m, M> {
    fn bytes_at(&self, rva: u32, length: usize) -> Option<&'m [u8]> {
        let address = self.image_base.checked_add(u64::from(rva))?;
        self.memory.bytes(address, length)
    }
}

/// Reads the stack.
pub(crate) fn pop<M: Memory>(memory: &M, address: u64) -> NtResult<u64> {
    memory.read(address).ok_or(BAD_STACK)
}

/// An address of the image relative to its base. It wraps where the address is not in the image, which no function is.
#[allow(
    clippy::cast_possible_truncation,
    reason = "relative addresses have 32 bits"
)]
pub(crate) fn relative(pc: u64, image_base: u64) -> u32 {
    pc.wrapping_sub(image_base) as u32
}
