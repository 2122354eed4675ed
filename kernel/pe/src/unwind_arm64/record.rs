//! The record of a function whose prolog or epilogs have no packed form (`.xdata`).

use nt_abi::NtResult;

use super::BAD;
use super::codes::UnwindCodes;
use crate::bytes::{index, low16, u32_at};
use crate::image::{ImageBytes, advance};

/// How a function is undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwindRecord<'a> {
    /// Bytes of the function.
    pub function_length: u32,
    /// Its epilogs.
    pub epilogs: Epilogs<'a>,
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
    /// Where its codes begin.
    pub code_index: u16,
}

/// The epilogs of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Epilogs<'a> {
    /// One, at the end of the function.
    AtEnd(Epilog),
    /// As many as there are words of description, in the order of addresses.
    Scopes(&'a [u8]),
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
        let version = header >> 18 & 3;
        if version != 0 {
            return Err(BAD);
        }
        let (has_handler, one_epilog) = (header >> 20 & 1 != 0, header >> 21 & 1 != 0);
        let (mut epilogs, mut code_words) = (header >> 22 & 0x1F, header >> 27);
        // Both counts at 0 say that they did not fit and follow in a word of their own.
        if epilogs == 0 && code_words == 0 {
            let extended = u32_at(piece(4)?, 0).ok_or(BAD)?;
            epilogs = extended & 0xFFFF;
            code_words = extended >> 16 & 0xFF;
        }
        let epilogs = if one_epilog {
            Epilogs::AtEnd(Epilog {
                start: None,
                code_index: low16(epilogs),
            })
        } else {
            Epilogs::Scopes(piece(index(epilogs) * 4)?)
        };
        let codes = piece(index(code_words) * 4)?;
        let handler_rva = if has_handler {
            Some(u32_at(piece(4)?, 0).ok_or(BAD)?)
        } else {
            None
        };
        Ok(Self {
            function_length: (header & 0x3_FFFF) * 4,
            epilogs,
            codes,
            handler_rva,
            handler_data_rva: rva,
        })
    }

    /// Bytes of all codes: no prolog or epilog has more instructions.
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
}

impl<'a> Epilogs<'a> {
    /// Each epilog.
    pub fn iter(&self) -> impl Iterator<Item = Epilog> + use<'a> {
        let (one, scopes): (_, &'a [u8]) = match self {
            Self::AtEnd(epilog) => (Some(*epilog), &[]),
            Self::Scopes(scopes) => (None, scopes),
        };
        let scopes = scopes
            .chunks_exact(4)
            .filter_map(|scope| u32_at(scope, 0))
            .map(|scope| Epilog {
                start: Some((scope & 0x3_FFFF) * 4),
                code_index: low16(scope >> 22),
            });
        one.into_iter().chain(scopes)
    }
}
