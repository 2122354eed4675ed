//! Base relocations: what must change in an image that is not at its preferred base.
//!
//! The table is a row of blocks, each with an address and 16-bit entries: 4 bits of kind, 12 bits of offset from the
//! block's address. NT relocates pages as they come from the file, long before the rest of the image is in memory, so
//! one page is the unit here too. An item may lie across two pages; each page then gets its part, computed from the
//! item's bytes *before* relocation, which the caller is asked for.

use nt_abi::NtResult;

use crate::bytes::{BAD, index, low16, low32, u16_at, u32_at};
use crate::headers::{Directory, Headers, Machine};
use crate::image::{Image, advance};
use crate::mapping::PAGE_SIZE;

/// Length of a block's header.
const BLOCK_HEADER: usize = 8;

/// How an item is relocated (`IMAGE_REL_BASED_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelocationKind(pub u16);

impl RelocationKind {
    /// Nothing: fills a block up.
    pub const ABSOLUTE: Self = Self(0);
    /// The upper half of an address, whose lower half is taken as 0.
    pub const HIGH: Self = Self(1);
    /// The lower half of an address.
    pub const LOW: Self = Self(2);
    /// A 32-bit address.
    pub const HIGH_LOW: Self = Self(3);
    /// The upper half of an address, rounded; the lower half is in the next entry.
    pub const HIGH_ADJ: Self = Self(4);
    /// A 32-bit address in a pair of Thumb-2 instructions, MOVW and MOVT. ARM only.
    pub const THUMB_MOV32: Self = Self(7);
    /// A 64-bit address.
    pub const DIR64: Self = Self(10);

    /// How many bytes the item has on that machine; `None` if the machine has no such kind.
    fn length(self, machine: Machine) -> Option<usize> {
        match self {
            Self::ABSOLUTE => Some(0),
            Self::HIGH | Self::LOW | Self::HIGH_ADJ => Some(2),
            Self::HIGH_LOW => Some(4),
            Self::DIR64 => Some(8),
            Self::THUMB_MOV32 if machine == Machine::ARMNT => Some(8),
            _ => None,
        }
    }
}

/// One item to relocate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// Where it is.
    pub rva: u32,
    /// How it is relocated.
    pub kind: RelocationKind,
    /// The lower half of the address for [`RelocationKind::HIGH_ADJ`], otherwise 0.
    pub low: u16,
}

/// The longest item, in bytes.
pub(crate) const LONGEST: u32 = 8;

impl Relocation {
    /// Relocates the item's bytes, of which there are as many as its kind says.
    fn apply(&self, item: &mut [u8; 8], delta: u64) {
        let [a, b, c, d, ..] = *item;
        let half = u32::from(u16::from_le_bytes([a, b]));
        let delta32 = low32(delta);
        match self.kind {
            RelocationKind::HIGH => {
                store16(item, (half << 16).wrapping_add(delta32) >> 16);
            }
            RelocationKind::LOW => store16(item, half.wrapping_add(delta32)),
            RelocationKind::HIGH_ADJ => {
                let low = i32::from(self.low.cast_signed()).cast_unsigned();
                let sum = (half << 16).wrapping_add(low).wrapping_add(delta32);
                store16(item, sum.wrapping_add(0x8000) >> 16);
            }
            RelocationKind::HIGH_LOW => {
                let sum = u32::from_le_bytes([a, b, c, d]).wrapping_add(delta32);
                store(item, &sum.to_le_bytes());
            }
            RelocationKind::DIR64 => {
                *item = u64::from_le_bytes(*item).wrapping_add(delta).to_le_bytes();
            }
            RelocationKind::THUMB_MOV32 => relocate_thumb_pair(item, delta32),
            _ => {}
        }
    }
}

fn store(item: &mut [u8; 8], bytes: &[u8]) {
    item.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
}

fn store16(item: &mut [u8; 8], value: u32) {
    store(item, &low16(value).to_le_bytes());
}

/// Relocates the address that MOVW and MOVT load, in the encoding T3 of MOVW and T1 of MOVT:
/// `11110 i 10x100 imm4` `0 imm3 Rd imm8`.
fn relocate_thumb_pair(item: &mut [u8; 8], delta: u32) {
    let [a, b, c, d, e, f, g, h] = *item;
    let movw = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    let movt = (u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
    let address = u32::from(thumb_immediate(movw)) | u32::from(thumb_immediate(movt)) << 16;
    let address = address.wrapping_add(delta);
    let movw = with_thumb_immediate(movw, low16(address));
    let movt = with_thumb_immediate(movt, low16(address >> 16));
    for (to, half) in item
        .chunks_exact_mut(2)
        .zip([movw.0, movw.1, movt.0, movt.1])
    {
        to.copy_from_slice(&half.to_le_bytes());
    }
}

fn thumb_immediate((first, second): (u16, u16)) -> u16 {
    (first & 0xF) << 12 | (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF
}

fn with_thumb_immediate((first, second): (u16, u16), value: u16) -> (u16, u16) {
    (
        first & !0x040F | value >> 12 | (value >> 11 & 1) << 10,
        second & !0x70FF | (value >> 8 & 7) << 12 | value & 0xFF,
    )
}

/// The relocations of an image.
#[derive(Clone, Copy, Debug)]
pub struct Relocations<'a> {
    table: &'a [u8],
    machine: Machine,
}

/// A block of relocations.
#[derive(Clone, Copy, Debug)]
pub struct RelocationBlock<'a> {
    /// The address that offsets are relative to; a page's in every file that a linker made.
    pub rva: u32,
    entries: &'a [u8],
}

/// The blocks of a table, in its order.
#[derive(Clone, Debug)]
pub struct RelocationBlocks<'a> {
    table: &'a [u8],
    offset: usize,
}

impl<'a> Image<'a> {
    /// Its relocations; a table without blocks if it has none, which says nothing about whether it may be moved
    /// ([`Headers::is_relocatable`](crate::Headers::is_relocatable)).
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the table is not in the image.
    pub fn relocations(&self) -> NtResult<Relocations<'a>> {
        let table = match self.directory(Directory::BaseRelocation) {
            Some(directory) if directory.size != 0 => self.directory_bytes(directory)?,
            _ => &[],
        };
        Ok(Relocations {
            table,
            machine: self.headers().machine,
        })
    }
}

impl<'a> Relocations<'a> {
    /// Those of a table that somebody kept of an image's bytes.
    pub fn from_table(table: &'a [u8], machine: Machine) -> Self {
        Self { table, machine }
    }

    /// The table's bytes.
    pub fn table(&self) -> &'a [u8] {
        self.table
    }

    /// The blocks.
    pub fn blocks(&self) -> RelocationBlocks<'a> {
        RelocationBlocks {
            table: self.table,
            offset: 0,
        }
    }

    /// The block at an offset of the table.
    pub(crate) fn block_at(&self, offset: u32) -> Option<NtResult<RelocationBlock<'a>>> {
        RelocationBlocks {
            table: self.table,
            offset: index(offset),
        }
        .next()
    }

    /// Relocates one page. `page` has the bytes from `page_rva` on as they are in the file; `outside` gives the byte, as
    /// in the file, at an address before or after the page. Looks through the whole table: for all pages of an image
    /// there is [`RelocationIndex`](crate::RelocationIndex).
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the table is damaged. The page may be relocated in part.
    pub fn apply_to_page(
        &self,
        page_rva: u32,
        page: &mut [u8],
        delta: u64,
        outside: &dyn Fn(u32) -> u8,
    ) -> NtResult {
        for block in self.blocks() {
            self.apply_block(&block?, page_rva, page, delta, outside)?;
        }
        Ok(())
    }

    /// Whether a block can be applied to any page.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: it cannot.
    pub(crate) fn check_block(&self, block: &RelocationBlock<'a>) -> NtResult {
        for relocation in block.iter() {
            let relocation = relocation?;
            let length = relocation.kind.length(self.machine).ok_or(BAD)?;
            advance(relocation.rva, length)?;
        }
        Ok(())
    }

    /// Relocates what a block has on a page.
    pub(crate) fn apply_block(
        &self,
        block: &RelocationBlock<'a>,
        page_rva: u32,
        page: &mut [u8],
        delta: u64,
        outside: &dyn Fn(u32) -> u8,
    ) -> NtResult {
        if !block.may_touch(page_rva, page.len()) {
            return Ok(());
        }
        for relocation in block.iter() {
            let relocation = relocation?;
            let length = relocation.kind.length(self.machine).ok_or(BAD)?;
            apply_clipped(&relocation, length, page_rva, page, delta, outside)?;
        }
        Ok(())
    }

    /// Relocates a whole image, laid out in memory as [`Image::copy_mapped`] does.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: the table is damaged, or says to relocate what is not in the image, which may be
    /// relocated in part.
    pub fn apply_to_image(&self, image: &mut [u8], delta: u64) -> NtResult {
        for block in self.blocks() {
            for relocation in block?.iter() {
                apply_in_image(&relocation?, self.machine, image, delta)?;
            }
        }
        Ok(())
    }
}

/// Relocates an image where it is mapped, with the table that is in it.
///
/// # Errors
/// As [`Relocations::apply_to_image`], and those of [`Image::from_mapped`].
pub fn relocate_in_place(image: &mut [u8], delta: u64) -> NtResult {
    let headers: Headers = *Image::from_mapped(image)?.headers();
    let Some(directory) = headers.directory(Directory::BaseRelocation) else {
        return Ok(());
    };
    let start = index(directory.rva);
    let end = start.saturating_add(index(directory.size)).min(image.len());
    let mut offset = 0;
    // The table may say to relocate itself. So it is looked up anew for each entry, and what it has become is checked
    // like everything else; positions only ascend, so it ends in any case.
    while let Some(block) = next_block(image.get(start..end).ok_or(BAD)?, offset)? {
        let mut position = offset + BLOCK_HEADER;
        while position < block.end {
            let table = image.get(start..end).ok_or(BAD)?;
            let entries = table.get(..block.end).ok_or(BAD)?;
            let (relocation, next) = read_entry(block.rva, entries, position)?;
            apply_in_image(&relocation, headers.machine, image, delta)?;
            position = next;
        }
        offset = block.end;
    }
    Ok(())
}

fn apply_in_image(
    relocation: &Relocation,
    machine: Machine,
    image: &mut [u8],
    delta: u64,
) -> NtResult {
    let length = relocation.kind.length(machine).ok_or(BAD)?;
    let bytes = image
        .get_mut(index(relocation.rva)..)
        .and_then(|bytes| bytes.get_mut(..length));
    // Padding may point anywhere.
    let Some(bytes) = bytes else {
        return if length == 0 { Ok(()) } else { Err(BAD) };
    };
    let mut item = [0; 8];
    store(&mut item, bytes);
    relocation.apply(&mut item, delta);
    bytes.iter_mut().zip(item).for_each(|(to, from)| *to = from);
    Ok(())
}

/// Relocates the part of an item that is on a page.
fn apply_clipped(
    relocation: &Relocation,
    length: usize,
    page_rva: u32,
    page: &mut [u8],
    delta: u64,
    outside: &dyn Fn(u32) -> u8,
) -> NtResult {
    let end = advance(relocation.rva, length)?;
    let page_end = advance(page_rva, page.len())?;
    if end <= page_rva || relocation.rva >= page_end {
        return Ok(());
    }
    let mut item = [0; 8];
    for (rva, to) in (relocation.rva..end).zip(&mut item) {
        *to = match on_page(page, page_rva, rva) {
            Some(found) => *found,
            None => outside(rva),
        };
    }
    relocation.apply(&mut item, delta);
    for (rva, from) in (relocation.rva..end).zip(item) {
        if let Some(to) = on_page(page, page_rva, rva) {
            *to = from;
        }
    }
    Ok(())
}

/// The byte at an address, if it is on the page.
fn on_page(page: &mut [u8], page_rva: u32, rva: u32) -> Option<&mut u8> {
    page.get_mut(index(rva.checked_sub(page_rva)?))
}

/// Where a block is and ends in the table.
struct BlockPlace {
    rva: u32,
    end: usize,
}

/// The block at an offset; `None` at the end of the table, which padding may follow.
fn next_block(table: &[u8], offset: usize) -> NtResult<Option<BlockPlace>> {
    let (Some(rva), Some(size)) = (
        u32_at(table, offset),
        u32_at(table, offset.saturating_add(4)),
    ) else {
        return Ok(None);
    };
    if size == 0 {
        return Ok(None);
    }
    let end = offset.checked_add(index(size)).ok_or(BAD)?;
    if index(size) < BLOCK_HEADER || end > table.len() {
        return Err(BAD);
    }
    Ok(Some(BlockPlace { rva, end }))
}

/// The relocation at a position, and the position of the next one.
fn read_entry(block_rva: u32, entries: &[u8], position: usize) -> NtResult<(Relocation, usize)> {
    let entry = u16_at(entries, position).ok_or(BAD)?;
    let kind = RelocationKind(entry >> 12);
    let rva = block_rva.checked_add(u32::from(entry & 0xFFF)).ok_or(BAD)?;
    let (low, length) = match kind {
        RelocationKind::HIGH_ADJ => (u16_at(entries, position + 2).ok_or(BAD)?, 4),
        _ => (0, 2),
    };
    Ok((Relocation { rva, kind, low }, position + length))
}

impl<'a> Iterator for RelocationBlocks<'a> {
    type Item = NtResult<RelocationBlock<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = match next_block(self.table, self.offset) {
            Ok(place) => place?,
            Err(status) => {
                self.table = &[];
                return Some(Err(status));
            }
        };
        // An odd byte at the end belongs to no entry.
        let entries = self.table.get(self.offset + BLOCK_HEADER..place.end)?;
        let entries = entries.get(..entries.len() & !1)?;
        self.offset = place.end;
        Some(Ok(RelocationBlock {
            rva: place.rva,
            entries,
        }))
    }
}

impl RelocationBlocks<'_> {
    /// Where the next block is in the table.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }
}

impl<'a> RelocationBlock<'a> {
    /// Its relocations. Those of unknown kinds are given too.
    pub fn iter(&self) -> impl Iterator<Item = NtResult<Relocation>> + use<'a> {
        let (rva, entries) = (self.rva, self.entries);
        let mut position = 0;
        core::iter::from_fn(move || {
            if position >= entries.len() {
                return None;
            }
            match read_entry(rva, entries, position) {
                Ok((relocation, next)) => {
                    position = next;
                    Some(Ok(relocation))
                }
                Err(status) => {
                    position = entries.len();
                    Some(Err(status))
                }
            }
        })
    }

    /// Whether any of its items may have bytes on a page.
    fn may_touch(&self, page_rva: u32, length: usize) -> bool {
        let first = u64::from(self.rva);
        let last = first + u64::from(PAGE_SIZE + LONGEST);
        let end = u64::try_from(length).map(|length| u64::from(page_rva) + length);
        last > u64::from(page_rva) && end.is_ok_and(|end| first < end)
    }
}
