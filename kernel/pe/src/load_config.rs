//! The load configuration: what the program's compiler asks the system to guard.
//!
//! The structure grew with each compiler, so it says its own length, and what is behind that end is 0. Linkers for x86
//! write 64 into the directory whatever the length is, because Windows XP wants it; the structure's own length counts.
//! Its pointers to hybrid (CHPE) metadata are not read.

use nt_abi::NtResult;

use crate::bytes::{BAD, Fields, index, low32, u32_at};
use crate::flags::GuardFlags;
use crate::headers::{Directory, Width};
use crate::image::Image;

/// A sorted table of offsets, each followed by as many bytes of something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RvaTable<'a> {
    bytes: &'a [u8],
    entry: usize,
}

/// The load configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadConfig<'a> {
    /// How long it says it is.
    pub size: u32,
    /// When it was made.
    pub time_date_stamp: u32,
    /// Global flags to clear when the program starts.
    pub global_flags_clear: u32,
    /// Global flags to set when the program starts.
    pub global_flags_set: u32,
    /// The default timeout of critical sections, milliseconds.
    pub critical_section_timeout: u32,
    /// `HEAP_*` flags of the first heap.
    pub process_heap_flags: u32,
    /// Processors that the program may run on; 0 for all.
    pub process_affinity_mask: u64,
    /// A list of LOCK prefixes, to be removed on a machine with one processor; 0 if there is none.
    pub lock_prefix_table_rva: u32,
    /// Where the security cookie is; 0 if there is none.
    pub security_cookie_rva: u32,
    /// The exception handlers that may be called; `None` if the image says nothing about them. x86 only.
    pub safe_handlers: Option<RvaTable<'a>>,
    /// Where the pointer to the check of indirect calls is; 0 if there is none.
    pub guard_check_rva: u32,
    /// Where the pointer to the check that also calls is; 0 if there is none.
    pub guard_dispatch_rva: u32,
    /// Valid targets of indirect calls; `None` if there is no table.
    pub guard_functions: Option<RvaTable<'a>>,
    /// Which guard data there is.
    pub guard_flags: GuardFlags,
}

impl<'a> Image<'a> {
    /// Its load configuration, if it has one.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: it is not in the image, or a table that it names is not.
    pub fn load_config(&self) -> NtResult<Option<LoadConfig<'a>>> {
        let Some(directory) = self.directory(Directory::LoadConfig) else {
            return Ok(None);
        };
        let bytes = self.from_rva(directory.rva).ok_or(BAD)?;
        // The first compilers that wrote one left its length at 0.
        let size = match u32_at(bytes, 0).ok_or(BAD)? {
            0 => directory.size,
            size => size,
        };
        let bytes = bytes.get(..index(size)).unwrap_or(bytes);
        self.read_load_config(bytes, size).map(Some)
    }

    fn read_load_config(&self, bytes: &'a [u8], size: u32) -> NtResult<LoadConfig<'a>> {
        let width = self.headers().width;
        let mut fields = Fields::new(bytes);
        fields.skip(4);
        let time_date_stamp = fields.u32();
        fields.skip(4);
        let (global_flags_clear, global_flags_set) = (fields.u32(), fields.u32());
        let critical_section_timeout = fields.u32();
        // How much freed memory a heap keeps, twice.
        fields.skip(2 * width.pointer());
        let lock_prefix_table_rva = self.place(&mut fields)?;
        // The largest allocation, and when memory counts as virtual.
        fields.skip(2 * width.pointer());
        // These two are the other way round in the wider structure.
        let (process_heap_flags, process_affinity_mask) = match width {
            Width::Pe32 => (fields.u32(), u64::from(fields.u32())),
            Width::Pe32Plus => {
                let mask = fields.u64();
                (fields.u32(), mask)
            }
        };
        fields.skip(4 + width.pointer());
        let security_cookie_rva = self.place(&mut fields)?;
        let safe_handlers = self.table(&mut fields)?;
        let guard_check_rva = self.place(&mut fields)?;
        let guard_dispatch_rva = self.place(&mut fields)?;
        let functions = (
            read_pointer(&mut fields, width),
            read_pointer(&mut fields, width),
        );
        let guard_flags = GuardFlags::from_bits_retain(fields.u32());
        // The top four bits are how many bytes follow each offset.
        let extra = index(guard_flags.bits() >> 28);
        Ok(LoadConfig {
            size,
            time_date_stamp,
            global_flags_clear,
            global_flags_set,
            critical_section_timeout,
            process_heap_flags,
            process_affinity_mask,
            lock_prefix_table_rva,
            security_cookie_rva,
            safe_handlers,
            guard_check_rva,
            guard_dispatch_rva,
            guard_functions: self.table_at(functions, 4 + extra)?,
            guard_flags,
        })
    }

    /// An address of the structure as an offset.
    fn place(&self, fields: &mut Fields<'_>) -> NtResult<u32> {
        match read_pointer(fields, self.headers().width) {
            0 => Ok(0),
            address => self.rva_of(address).ok_or(BAD),
        }
    }

    fn table(&self, fields: &mut Fields<'_>) -> NtResult<Option<RvaTable<'a>>> {
        let width = self.headers().width;
        let found = (read_pointer(fields, width), read_pointer(fields, width));
        self.table_at(found, 4)
    }

    fn table_at(
        &self,
        (address, count): (u64, u64),
        entry: usize,
    ) -> NtResult<Option<RvaTable<'a>>> {
        if address == 0 {
            return Ok(None);
        }
        let rva = self.rva_of(address).ok_or(BAD)?;
        if count > u64::from(self.headers().size_of_image) {
            return Err(BAD);
        }
        let length = index(low32(count)).checked_mul(entry).ok_or(BAD)?;
        let bytes = match length {
            0 => &[],
            _ => self.at(rva, length).ok_or(BAD)?,
        };
        Ok(Some(RvaTable { bytes, entry }))
    }
}

fn read_pointer(fields: &mut Fields<'_>, width: Width) -> u64 {
    match width {
        Width::Pe32 => u64::from(fields.u32()),
        Width::Pe32Plus => fields.u64(),
    }
}

impl RvaTable<'_> {
    /// The number of offsets.
    pub fn count(&self) -> usize {
        self.bytes.len() / self.entry
    }

    /// The offset with a number.
    pub fn get(&self, number: usize) -> Option<u32> {
        u32_at(self.bytes, number.checked_mul(self.entry)?)
    }

    /// Whether an offset is in the table.
    pub fn contains(&self, rva: u32) -> bool {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle) {
                Some(found) if found == rva => return true,
                Some(found) if found < rva => low = middle + 1,
                _ => high = middle,
            }
        }
        false
    }
}
