//! The function table of ARM64 images: where functions are, and how to undo what their prologs did.
//!
//! An entry is either packed, which describes the usual prologs in one word, or leads to a record (`.xdata`) with unwind
//! codes for the prolog and each epilog. Only decoded here; walking a stack with it is somebody else's work.
//!
//! The format is that of Microsoft's "ARM64 exception handling".

mod codes;
mod record;

use nt_abi::{NtResult, NtStatus};

pub use codes::{RegisterKind, Saved, UnwindCode, UnwindCodes};
pub use record::{Epilog, Epilogs, UnwindRecord};

use crate::bytes::{low8, low16, u32_at};
use crate::headers::{Directory, Machine};
use crate::image::Image;

/// What NT says of tables that make no sense.
const BAD: NtStatus = NtStatus::BAD_FUNCTION_TABLE;
/// Length of an entry.
const ENTRY: usize = 8;

/// A function, or a piece of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuntimeFunction {
    /// Its first byte.
    pub begin_rva: u32,
    /// How it is described.
    pub unwind: UnwindData,
}

/// How a function is described.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnwindData {
    /// By a record there.
    Record(u32),
    /// By the entry itself.
    Packed(Packed),
}

/// How a packed function links its frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Linkage {
    /// It saves neither the link register nor the frame pointer.
    Unchained,
    /// It saves the link register with the other registers.
    UnchainedSavedLr,
    /// It also signs the link register, and links its frame.
    ChainedSigned,
    /// It links its frame: x29 and lr are saved as a pair, and x29 points there.
    Chained,
}

/// A prolog and epilog of the usual form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed {
    /// Bytes of the function.
    pub length: u32,
    /// Whether it has no prolog: a piece of a function that was set up elsewhere.
    pub fragment: bool,
    /// How many of d8 to d15 are saved: none, or 2 to 8.
    pub float_registers: u8,
    /// How many of x19 to x28 are saved.
    pub integer_registers: u8,
    /// Whether the arguments in x0 to x7 are stored at the top of the frame.
    pub homes_arguments: bool,
    /// How the frame is linked.
    pub linkage: Linkage,
    /// Bytes of the whole frame.
    pub frame_size: u16,
}

impl RuntimeFunction {
    /// Reads an entry of a function table from its two words.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: it describes nothing there is.
    pub fn read(begin_rva: u32, word: u32) -> NtResult<Self> {
        let unwind = match word & 3 {
            0 => UnwindData::Record(word),
            1 | 2 => UnwindData::Packed(Packed::read(word)?),
            _ => return Err(BAD),
        };
        Ok(Self { begin_rva, unwind })
    }
}

impl Packed {
    fn read(word: u32) -> NtResult<Self> {
        let field = |shift: u32, bits: u32| word >> shift & ((1 << bits) - 1);
        let integer_registers = low8(field(16, 4));
        if integer_registers > 10 {
            return Err(BAD);
        }
        Ok(Self {
            length: field(2, 11) * 4,
            fragment: field(0, 2) == 2,
            float_registers: match low8(field(13, 3)) {
                0 => 0,
                count => count + 1,
            },
            integer_registers,
            homes_arguments: field(20, 1) != 0,
            linkage: match field(21, 2) {
                0 => Linkage::Unchained,
                1 => Linkage::UnchainedSavedLr,
                2 => Linkage::ChainedSigned,
                _ => Linkage::Chained,
            },
            frame_size: low16(field(23, 9)) * 16,
        })
    }
}

/// A function table, sorted by address.
#[derive(Clone, Copy, Debug)]
pub struct FunctionTable<'a> {
    image: Image<'a>,
    table: &'a [u8],
}

impl<'a> Image<'a> {
    /// Its function table; `None` if it has none, or is for a machine with another kind.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the table is not in the image.
    pub fn functions_arm64(&self) -> NtResult<Option<FunctionTable<'a>>> {
        let Some(directory) = self.directory(Directory::Exception) else {
            return Ok(None);
        };
        if self.headers().machine != Machine::ARM64 {
            return Ok(None);
        }
        Ok(Some(FunctionTable {
            image: *self,
            table: self.directory_bytes(directory)?,
        }))
    }
}

impl<'a> FunctionTable<'a> {
    /// The number of entries.
    pub fn count(&self) -> usize {
        self.table.len() / ENTRY
    }

    /// The entry with a number; `None` beyond the end.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: a packed entry that describes nothing there is.
    pub fn get(&self, number: usize) -> NtResult<Option<RuntimeFunction>> {
        let offset = number.saturating_mul(ENTRY);
        let begin = u32_at(self.table, offset);
        let word = u32_at(self.table, offset.saturating_add(4));
        let (Some(begin_rva), Some(word)) = (begin, word) else {
            return Ok(None);
        };
        RuntimeFunction::read(begin_rva, word).map(Some)
    }

    /// Every entry.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn iter(&self) -> impl Iterator<Item = NtResult<RuntimeFunction>> + use<'a> {
        let table = *self;
        (0..self.count()).filter_map(move |number| table.get(number).transpose())
    }

    /// The entry that covers an address.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: the entry that would cover it is damaged.
    pub fn find(&self, rva: u32) -> NtResult<Option<RuntimeFunction>> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if u32_at(self.table, middle * ENTRY).ok_or(BAD)? <= rva {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(number) = low.checked_sub(1) else {
            return Ok(None);
        };
        let Some(function) = self.get(number)? else {
            return Ok(None);
        };
        let inside = rva - function.begin_rva < self.length(function)?;
        Ok(inside.then_some(function))
    }

    /// Bytes of a function.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: its record is damaged.
    pub fn length(&self, function: RuntimeFunction) -> NtResult<u32> {
        match function.unwind {
            UnwindData::Packed(packed) => Ok(packed.length),
            UnwindData::Record(rva) => Ok(self.record(rva)?.function_length),
        }
    }

    /// The record at an address.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: it is damaged, or of an unknown version.
    pub fn record(&self, rva: u32) -> NtResult<UnwindRecord<'a>> {
        UnwindRecord::read(&self.image, rva)
    }
}
