//! The record of a function whose prolog or epilogs have no packed form (`.xdata`).

use nt_abi::NtResult;

use super::BAD;
use super::codes::UnwindCodes;
use crate::bytes::{index, low8, u32_at};
use crate::image::{ImageBytes, advance};

/// An epilog that is always one.
const ALWAYS: u8 = 0xE;

/// How a function is undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwindRecord<'a> {
    /// Bytes of the function.
    pub function_length: u32,
    /// Whether it has no prolog: a piece of a function that was set up elsewhere.
    pub fragment: bool,
    /// The epilog at the function's end, by where its codes begin.
    epilog_at_end: Option<u8>,
    /// The words of the other epilogs.
    scopes: &'a [u8],
    /// The codes of the prolog and of all epilogs, which may share some.
    codes: &'a [u8],
    /// The handler of the language.
    pub handler_rva: Option<u32>,
    /// Where the handler's own data begins, if it has a handler.
    pub handler_data_rva: u32,
}

/// An epilog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Epilog {
    /// Where it begins in the function, in bytes; `None` for the one at the function's end.
    pub start: Option<u32>,
    /// Under which condition it is one, as instructions have it; 14 is always.
    pub condition: u8,
    /// Where its codes begin.
    pub code_index: u8,
}

impl<'a> UnwindRecord<'a> {
    /// Reads the record at an address.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: it is damaged, or of an unknown version.
    pub fn read(image: &impl ImageBytes<'a>, rva: u32) -> NtResult<Self> {
        let mut rva = rva;
        let mut piece = |length: usize| -> NtResult<&'a [u8]> {
            let found = image.bytes_at(rva, length).ok_or(BAD)?;
            rva = advance(rva, length).map_err(|_| BAD)?;
            Ok(found)
        };
        let header = u32_at(piece(4)?, 0).ok_or(BAD)?;
        let bit = |number: u32| header >> number & 1 != 0;
        if header >> 18 & 3 != 0 {
            return Err(BAD);
        }
        let (mut epilogs, mut code_words) = (header >> 23 & 0x1F, header >> 28);
        // Both counts at 0 say that they did not fit and follow in a word of their own.
        if epilogs == 0 && code_words == 0 {
            let extended = u32_at(piece(4)?, 0).ok_or(BAD)?;
            epilogs = extended & 0xFFFF;
            code_words = extended >> 16 & 0xFF;
        }
        let one_at_end = bit(21);
        let scopes = match one_at_end {
            true => &[],
            false => piece(index(epilogs) * 4)?,
        };
        let codes = piece(index(code_words) * 4)?;
        let handler_rva = match bit(20) {
            true => Some(u32_at(piece(4)?, 0).ok_or(BAD)?),
            false => None,
        };
        Ok(Self {
            function_length: (header & 0x3_FFFF) * 2,
            fragment: bit(22),
            epilog_at_end: one_at_end.then(|| low8(epilogs)),
            scopes,
            codes,
            handler_rva,
            handler_data_rva: rva,
        })
    }

    /// Bytes of all codes: each stands for one instruction at most, of four bytes.
    pub fn code_bytes(&self) -> usize {
        self.codes.len()
    }

    /// The prolog's codes, its last step first.
    pub fn prolog(&self) -> UnwindCodes<'a> {
        UnwindCodes::new(self.codes)
    }

    /// An epilog's codes, in the order of its instructions.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: they are not in the record.
    pub fn epilog(&self, epilog: Epilog) -> NtResult<UnwindCodes<'a>> {
        let codes = self.codes.get(usize::from(epilog.code_index)..);
        codes.map(UnwindCodes::new).ok_or(BAD)
    }

    /// Each epilog, in the order of addresses.
    pub fn epilogs(&self) -> impl Iterator<Item = Epilog> + use<'a> {
        let at_end = self.epilog_at_end.map(|code_index| Epilog {
            start: None,
            condition: ALWAYS,
            code_index,
        });
        let scopes: &'a [u8] = self.scopes;
        let scopes = scopes
            .chunks_exact(4)
            .filter_map(|scope| u32_at(scope, 0))
            .map(|scope| Epilog {
                start: Some((scope & 0x3_FFFF) * 2),
                condition: low8(scope >> 20 & 0xF),
                code_index: low8(scope >> 24),
            });
        at_end.into_iter().chain(scopes)
    }
}
