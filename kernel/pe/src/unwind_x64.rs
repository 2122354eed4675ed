//! The function table of x64 images: where functions are, and how to undo what their prologs did.
//!
//! Only decoded here; walking a stack with it is somebody else's work. A function may be described in parts, of which
//! each chains to the one before; and an entry may stand for another one. A hostile table can make circles of both, so
//! chains have a limit, the one that Windows has.
//!
//! The format is that of Microsoft's "x64 exception handling".

use nt_abi::{NtResult, NtStatus};

use crate::bytes::{Fields, index, u16_at, u32_at};
use crate::headers::{Directory, Machine};
use crate::image::{Image, ImageBytes, advance};

/// What NT says of tables that make no sense.
const BAD: NtStatus = NtStatus::BAD_FUNCTION_TABLE;
/// Length of an entry.
const ENTRY: usize = 12;
/// How many parts a function may have.
const LONGEST_CHAIN: usize = 32;

const EXCEPTION_HANDLER: u8 = 1;
const TERMINATION_HANDLER: u8 = 2;
const CHAINED: u8 = 4;

/// A function, or a part of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuntimeFunction {
    /// Its first byte.
    pub begin_rva: u32,
    /// The byte behind its last.
    pub end_rva: u32,
    /// Where its unwind data is; an odd number leads to another entry instead.
    pub unwind_rva: u32,
}

/// A function table, sorted by address.
#[derive(Clone, Copy, Debug)]
pub struct FunctionTable<'a> {
    image: Image<'a>,
    table: &'a [u8],
}

/// How to undo a prolog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwindInfo<'a> {
    /// 1, or 2 where epilogs are described too.
    pub version: u8,
    /// Bytes of the prolog.
    pub prolog_size: u8,
    /// The frame register's number; `None` if there is no frame pointer.
    pub frame_register: Option<u8>,
    /// How far the frame register is above the stack pointer, in bytes.
    pub frame_offset: u16,
    /// The unwind codes, the prolog's last step first.
    pub codes: UnwindCodes<'a>,
    /// What follows them.
    pub tail: UnwindTail,
}

/// What follows the unwind codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnwindTail {
    /// Nothing.
    None,
    /// A handler of the language.
    Handler {
        /// Where it is.
        rva: u32,
        /// Where its own data begins.
        data_rva: u32,
        /// Called when a handler is searched.
        on_exception: bool,
        /// Called when the stack is unwound.
        on_unwind: bool,
    },
    /// The part of the function that is undone next.
    Chained(RuntimeFunction),
}

/// What a step of the prolog did, to be undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnwindOperation {
    /// Pushed a register.
    Push(u8),
    /// Took that many bytes of the stack.
    Allocate(u32),
    /// Set the frame register.
    SetFrame,
    /// Stored a register at an offset from the frame, in bytes.
    Save {
        /// The register's number.
        register: u8,
        /// Where it is.
        offset: u32,
    },
    /// Stored an XMM register at an offset from the frame, in bytes.
    SaveXmm {
        /// The register's number.
        register: u8,
        /// Where it is.
        offset: u32,
    },
    /// Nothing of the prolog: version 2 describes an epilog with the code's two bytes.
    Epilog {
        /// The lower byte.
        size_or_offset: u8,
        /// The four bits of information.
        info: u8,
    },
    /// An interrupt or an exception pushed a frame.
    MachineFrame {
        /// With an error code.
        error_code: bool,
    },
}

/// An unwind code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwindCode {
    /// Where in the prolog the step ends, in bytes from its start.
    pub prolog_offset: u8,
    /// The step.
    pub operation: UnwindOperation,
}

/// The unwind codes of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwindCodes<'a> {
    slots: &'a [u8],
    version: u8,
}

impl<'a> Image<'a> {
    /// Its function table; `None` if it has none, or is for a machine with another kind.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the table is not in the image.
    pub fn functions_x64(&self) -> NtResult<Option<FunctionTable<'a>>> {
        let Some(directory) = self.directory(Directory::Exception) else {
            return Ok(None);
        };
        if self.headers().machine != Machine::AMD64 {
            return Ok(None);
        }
        Ok(Some(FunctionTable {
            image: *self,
            table: self.directory_bytes(directory)?,
        }))
    }
}

fn read_function(bytes: &[u8]) -> Option<RuntimeFunction> {
    bytes.first_chunk().map(RuntimeFunction::read)
}

impl RuntimeFunction {
    /// Reads an entry of a function table.
    pub fn read(bytes: &[u8; ENTRY]) -> Self {
        let mut fields = Fields::new(bytes);
        Self {
            begin_rva: fields.u32(),
            end_rva: fields.u32(),
            unwind_rva: fields.u32(),
        }
    }

    /// The entry that stands for another one's, which is usually itself.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: it leads nowhere, or in circles.
    pub fn resolve<'a>(self, image: &impl ImageBytes<'a>) -> NtResult<Self> {
        let mut function = self;
        for _ in 0..LONGEST_CHAIN {
            if function.unwind_rva & 1 == 0 {
                return Ok(function);
            }
            let entry = image.bytes_at(function.unwind_rva & !1, ENTRY).ok_or(BAD)?;
            function = read_function(entry).ok_or(BAD)?;
        }
        Err(BAD)
    }

    /// The first part of a function that is described in parts, where its name belongs.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: the unwind data is damaged or chained in circles.
    pub fn primary<'a>(self, image: &impl ImageBytes<'a>) -> NtResult<Self> {
        let mut function = self.resolve(image)?;
        for _ in 0..LONGEST_CHAIN {
            match UnwindInfo::read(image, function.unwind_rva)?.tail {
                UnwindTail::Chained(next) => function = next.resolve(image)?,
                _ => return Ok(function),
            }
        }
        Err(BAD)
    }
}

impl<'a> FunctionTable<'a> {
    /// The number of entries.
    pub fn count(&self) -> usize {
        self.table.len() / ENTRY
    }

    /// The entry with a number.
    pub fn get(&self, number: usize) -> Option<RuntimeFunction> {
        read_function(self.table.get(number.checked_mul(ENTRY)?..)?)
    }

    /// Every entry.
    pub fn iter(&self) -> impl Iterator<Item = RuntimeFunction> + use<'a> {
        self.table.chunks_exact(ENTRY).filter_map(read_function)
    }

    /// The entry that covers an address.
    pub fn find(&self, rva: u32) -> Option<RuntimeFunction> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.get(middle)?;
            if rva < found.begin_rva {
                high = middle;
            } else if rva >= found.end_rva {
                low = middle + 1;
            } else {
                return Some(found);
            }
        }
        None
    }

    /// As [`RuntimeFunction::resolve`].
    ///
    /// # Errors
    /// The same.
    pub fn resolve(&self, function: RuntimeFunction) -> NtResult<RuntimeFunction> {
        function.resolve(&self.image)
    }

    /// As [`RuntimeFunction::primary`].
    ///
    /// # Errors
    /// The same.
    pub fn primary(&self, function: RuntimeFunction) -> NtResult<RuntimeFunction> {
        function.primary(&self.image)
    }

    /// The unwind data of an entry.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: it is damaged, or of an unknown version.
    pub fn unwind_info(&self, function: RuntimeFunction) -> NtResult<UnwindInfo<'a>> {
        UnwindInfo::read(&self.image, function.resolve(&self.image)?.unwind_rva)
    }
}

impl<'a> UnwindInfo<'a> {
    /// Reads the unwind data at an address.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: it is damaged, or of an unknown version.
    pub fn read(image: &impl ImageBytes<'a>, rva: u32) -> NtResult<Self> {
        let header = image.bytes_at(rva, 4).ok_or(BAD)?;
        let Some(&[kind, prolog_size, count, frame]) = header.first_chunk() else {
            return Err(BAD);
        };
        let (version, flags) = (kind & 7, kind >> 3);
        if !matches!(version, 1 | 2) {
            return Err(BAD);
        }
        let slots_rva = advance(rva, 4).map_err(|_| BAD)?;
        let slots = image.bytes_at(slots_rva, usize::from(count) * 2);
        // The tail is aligned to four bytes, so an odd number of codes is filled up.
        let tail_offset = usize::from(count).next_multiple_of(2) * 2;
        let tail_rva = advance(slots_rva, tail_offset).map_err(|_| BAD)?;
        Ok(UnwindInfo {
            version,
            prolog_size,
            frame_register: (frame & 0xF != 0).then_some(frame & 0xF),
            frame_offset: u16::from(frame >> 4) * 16,
            codes: UnwindCodes {
                slots: slots.ok_or(BAD)?,
                version,
            },
            tail: read_tail(flags, image, tail_rva)?,
        })
    }
}

fn read_tail<'a>(flags: u8, image: &impl ImageBytes<'a>, rva: u32) -> NtResult<UnwindTail> {
    if flags & CHAINED != 0 {
        let entry = image.bytes_at(rva, ENTRY).and_then(read_function);
        return entry.map(UnwindTail::Chained).ok_or(BAD);
    }
    if flags & (EXCEPTION_HANDLER | TERMINATION_HANDLER) == 0 {
        return Ok(UnwindTail::None);
    }
    let handler = image.bytes_at(rva, 4).and_then(|bytes| u32_at(bytes, 0));
    Ok(UnwindTail::Handler {
        rva: handler.ok_or(BAD)?,
        data_rva: advance(rva, 4).map_err(|_| BAD)?,
        on_exception: flags & EXCEPTION_HANDLER != 0,
        on_unwind: flags & TERMINATION_HANDLER != 0,
    })
}

impl<'a> UnwindCodes<'a> {
    /// Each code, the prolog's last step first.
    ///
    /// # Errors
    /// Each is `BAD_FUNCTION_TABLE` if the code is unknown or cut off; then it is the last.
    pub fn iter(&self) -> impl Iterator<Item = NtResult<UnwindCode>> + use<'a> {
        let (version, mut slots) = (self.version, self.slots);
        core::iter::from_fn(move || {
            if slots.is_empty() {
                return None;
            }
            match read_code(slots, version) {
                Some((code, used)) => {
                    slots = slots.get(used * 2..).unwrap_or_default();
                    Some(Ok(code))
                }
                None => {
                    slots = &[];
                    Some(Err(BAD))
                }
            }
        })
    }
}

/// The code at the front, and how many slots it has.
fn read_code(slots: &[u8], version: u8) -> Option<(UnwindCode, usize)> {
    let &[prolog_offset, kind, ..] = slots else {
        return None;
    };
    let info = kind >> 4;
    let near = |scale: u32| u16_at(slots, 2).map(|value| u32::from(value) * scale);
    let far = || u32_at(slots, 2);
    let (operation, used) = match (kind & 0xF, info) {
        (0, register) => (UnwindOperation::Push(register), 1),
        (1, 0) => (UnwindOperation::Allocate(near(8)?), 2),
        (1, 1) => (UnwindOperation::Allocate(far()?), 3),
        (2, eights) => (UnwindOperation::Allocate(u32::from(eights) * 8 + 8), 1),
        (3, _) => (UnwindOperation::SetFrame, 1),
        (4, register) => (save(register, near(8)?), 2),
        (5, register) => (save(register, far()?), 3),
        (6, info) if version >= 2 => {
            let size_or_offset = prolog_offset;
            (
                UnwindOperation::Epilog {
                    size_or_offset,
                    info,
                },
                1,
            )
        }
        (8, register) => (save_xmm(register, near(16)?), 2),
        (9, register) => (save_xmm(register, far()?), 3),
        (10, with_code @ (0 | 1)) => {
            let error_code = with_code == 1;
            (UnwindOperation::MachineFrame { error_code }, 1)
        }
        _ => return None,
    };
    let code = UnwindCode {
        prolog_offset,
        operation,
    };
    Some((code, used))
}

fn save(register: u8, offset: u32) -> UnwindOperation {
    UnwindOperation::Save { register, offset }
}

fn save_xmm(register: u8, offset: u32) -> UnwindOperation {
    UnwindOperation::SaveXmm { register, offset }
}

/// A scope of `__try` in a handler's data, as Microsoft's C handler has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScopeEntry {
    /// The guarded code's first byte.
    pub begin_rva: u32,
    /// The byte behind its last.
    pub end_rva: u32,
    /// The filter or the `__finally` block; 1 for a filter that always takes the exception.
    pub handler_rva: u32,
    /// Where to go on; 0 for `__finally`.
    pub target_rva: u32,
}

impl ScopeEntry {
    /// Reads an entry of a scope table.
    pub fn read(bytes: &[u8; 16]) -> Self {
        let mut fields = Fields::new(bytes);
        Self {
            begin_rva: fields.u32(),
            end_rva: fields.u32(),
            handler_rva: fields.u32(),
            target_rva: fields.u32(),
        }
    }
}

impl<'a> Image<'a> {
    /// The scope table in the data of Microsoft's C handler.
    ///
    /// # Errors
    /// `BAD_FUNCTION_TABLE`: it is not in the image.
    pub fn scope_table(
        &self,
        data_rva: u32,
    ) -> NtResult<impl Iterator<Item = ScopeEntry> + use<'a>> {
        let bytes = self.from_rva(data_rva).ok_or(BAD)?;
        let length = index(u32_at(bytes, 0).ok_or(BAD)?)
            .checked_mul(16)
            .ok_or(BAD)?;
        let entries = bytes
            .get(4..)
            .and_then(|rest| rest.get(..length))
            .ok_or(BAD)?;
        Ok(entries.as_chunks().0.iter().map(ScopeEntry::read))
    }
}
