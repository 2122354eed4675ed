//! Where the relocations of each page are.
//!
//! Pages come in one by one, in any order. Looking through the table for each would take the square of the image's size
//! in all, so the memory manager keeps this with the section: 8 bytes for each block, made once.

use alloc::vec::Vec;

use nt_abi::{NtResult, NtStatus};

use crate::bytes::BAD;
use crate::mapping::PAGE_SIZE;
use crate::relocations::{LONGEST, Relocations};

/// The blocks of a table of relocations, ordered by address.
#[derive(Debug)]
pub struct RelocationIndex {
    /// Address and offset in the table. The offset is part of the order, so blocks of one address stay as they are.
    blocks: Vec<(u32, u32)>,
}

impl RelocationIndex {
    /// Makes the index. Every entry is looked at, so that what is damaged is refused when the image comes, and not in the
    /// middle of whatever touches a page first.
    ///
    /// # Errors
    /// - `INVALID_IMAGE_FORMAT`: the table is damaged.
    /// - `NO_MEMORY`: there is none for the index.
    pub fn new(relocations: &Relocations<'_>) -> NtResult<Self> {
        let mut blocks = Vec::new();
        let mut walk = relocations.blocks();
        loop {
            let offset = u32::try_from(walk.offset()).map_err(|_| BAD)?;
            let Some(block) = walk.next() else { break };
            let block = block?;
            relocations.check_block(&block)?;
            blocks.try_reserve(1).map_err(|_| NtStatus::NO_MEMORY)?;
            blocks.push((block.rva, offset));
        }
        blocks.sort_unstable();
        Ok(Self { blocks })
    }

    /// Relocates one page: as [`Relocations::apply_to_page`], but looks only at the blocks that can have something on it.
    ///
    /// # Errors
    /// As there.
    pub fn apply_to_page(
        &self,
        relocations: &Relocations<'_>,
        page_rva: u32,
        page: &mut [u8],
        delta: u64,
        outside: &dyn Fn(u32) -> u8,
    ) -> NtResult {
        let from = page_rva.saturating_sub(PAGE_SIZE + LONGEST);
        let first = self.blocks.partition_point(|(rva, _)| *rva < from);
        let length = u32::try_from(page.len()).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let end = page_rva.saturating_add(length);
        for (_, offset) in self
            .blocks
            .iter()
            .skip(first)
            .take_while(|(rva, _)| *rva < end)
        {
            let block = relocations.block_at(*offset).ok_or(BAD)??;
            relocations.apply_block(&block, page_rva, page, delta, outside)?;
        }
        Ok(())
    }
}
