//! The function table of ARM32 images: where functions are, and how to undo what their prologs did.
//!
//! An entry is either packed, which describes the usual prologs and epilogs in one word, or leads to a record (`.xdata`) with
//! unwind codes. Code is Thumb-2, whose instructions have one or two halfwords; offsets and lengths are kept in bytes.
//! Only decoded here; walking a stack with it is somebody else's work.
//!
//! The format is that of Microsoft's "ARM exception handling".

mod codes;
mod record;

use nt_abi::{NtResult, NtStatus};

pub use codes::{UnwindCode, UnwindCodes};
pub use record::{Epilog, UnwindRecord};

use crate::bytes::{low8, low16, u32_at};
use crate::headers::{Directory, Machine};
use crate::image::Image;

/// What NT says of tables that make no sense.
const BAD: NtStatus = NtStatus::BAD_FUNCTION_TABLE;
/// Length of an entry.
const ENTRY: usize = 8;
/// The bit of an address that says that the code there is Thumb-2.
const THUMB: u32 = 1;
/// From this value on the stack adjustment of a packed entry means something else.
const FOLDED: u16 = 0x3F4;

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

/// How a packed function returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Return {
    /// By popping the program counter.
    Pop,
    /// By a branch of one halfword.
    Branch,
    /// By a branch of two halfwords.
    WideBranch,
    /// It does not: its epilogs are elsewhere.
    Elsewhere,
}

/// A prolog and epilog of the usual form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed {
    /// Bytes of the function.
    pub length: u32,
    /// Whether it has no prolog: a piece of a function that was set up elsewhere.
    pub fragment: bool,
    /// How it returns.
    pub returns: Return,
    /// Whether the arguments in r0 to r3 are pushed first.
    pub homes_arguments: bool,
    /// How many registers are saved from r4 on.
    pub integer_registers: u8,
    /// How many registers are saved from d8 on.
    pub float_registers: u8,
    /// Whether the link register is saved.
    pub saves_lr: bool,
    /// Whether r11 is saved and linked as a frame pointer.
    pub chained: bool,
    /// Bytes of the stack that are taken besides.
    pub stack_adjust: u16,
    /// The prolog takes them by pushing more registers, from the lowest on.
    pub folded_in_prolog: bool,
    /// The epilog gives them back by popping more registers.
    pub folded_in_epilog: bool,
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
        Ok(Self {
            begin_rva: begin_rva & !THUMB,
            unwind,
        })
    }
}

impl Packed {
    fn read(word: u32) -> NtResult<Self> {
        let field = |shift: u32, bits: u32| word >> shift & ((1 << bits) - 1);
        let register = low8(field(16, 3));
        let (integer_registers, float_registers) = match (field(19, 1), register) {
            (0, last) => (last + 1, 0),
            (_, 7) => (0, 0),
            (_, last) => (0, last + 1),
        };
        let adjust = low16(field(22, 10));
        let is_folded = adjust >= FOLDED;
        let packed = Self {
            length: field(2, 11) * 2,
            fragment: field(0, 2) == 2,
            returns: match field(13, 2) {
                0 => Return::Pop,
                1 => Return::Branch,
                2 => Return::WideBranch,
                _ => Return::Elsewhere,
            },
            homes_arguments: field(15, 1) != 0,
            integer_registers,
            float_registers,
            saves_lr: field(20, 1) != 0,
            chained: field(21, 1) != 0,
            stack_adjust: if is_folded { (adjust & 3) + 1 } else { adjust } * 4,
            folded_in_prolog: is_folded && adjust & 4 != 0,
            folded_in_epilog: is_folded && adjust & 8 != 0,
        };
        // What the document forbids: a link without the link register or with r11 twice, a return without it.
        let bad_chain = packed.chained && (!packed.saves_lr || packed.integer_registers == 8);
        let bad_return = packed.returns == Return::Pop && !packed.saves_lr;
        match bad_chain || bad_return {
            true => Err(BAD),
            false => Ok(packed),
        }
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
    pub fn functions_arm(&self) -> NtResult<Option<FunctionTable<'a>>> {
        let Some(directory) = self.directory(Directory::Exception) else {
            return Ok(None);
        };
        if self.headers().machine != Machine::ARMNT {
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
    /// `BAD_FUNCTION_TABLE`: an entry that describes nothing there is.
    pub fn get(&self, number: usize) -> NtResult<Option<RuntimeFunction>> {
        let offset = number.saturating_mul(ENTRY);
        let begin = u32_at(self.table, offset);
        let word = u32_at(self.table, offset.saturating_add(4));
        match (begin, word) {
            (Some(begin), Some(word)) => RuntimeFunction::read(begin, word).map(Some),
            _ => Ok(None),
        }
    }

    /// Every entry.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn iter(&self) -> impl Iterator<Item = NtResult<RuntimeFunction>> + use<'a> {
        let table = *self;
        (0..self.count()).filter_map(move |number| table.get(number).transpose())
    }

    /// Bytes of a function.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: its record is damaged.
    pub fn length(&self, function: RuntimeFunction) -> NtResult<u32> {
        match function.unwind {
            UnwindData::Packed(packed) => Ok(packed.length),
            UnwindData::Record(rva) => Ok(UnwindRecord::read(&self.image, rva)?.function_length),
        }
    }
}
