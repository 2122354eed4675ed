//! The flattened device tree as bytes: header, blocks, tokens.
//!
//! Why a reader of our own: a machine that cannot be described must still be able
//! to say so, and its console stands in the very tree that is damaged. So the
//! reader has to yield what comes before the damage, which readers that accept or
//! refuse a tree as a whole cannot; and once every token is checked here, walking
//! them is the small part. The crates that were tried, and what mutated trees did
//! to them, are in `docs/dependencies.md`; one of them checks this reader in the
//! tests.
//!
//! Each walk runs once over the structure block from front to back, never
//! backwards, with a stack of bounded depth. It cannot loop, and its work is
//! linear in the size of the tree, which is itself bounded.
//!
//! The format is that of the Devicetree Specification 0.4, chapter 5.

use core::ffi::CStr;

use arrayvec::ArrayVec;

use super::level::Level;
use super::node::Node;
use crate::discovery_error::DiscoveryError;

/// The largest tree that is read, in bytes: what the Linux boot protocol for ARM64
/// allows, so that no firmware makes a larger one.
const MAX_LENGTH: usize = 2 << 20;
/// How deep nodes may nest; real trees reach 6.
pub(super) const MAX_DEPTH: usize = 16;

/// First word of every tree.
const MAGIC: u32 = 0xd00d_feed;
/// Second word of ATAGS: the tag that opens the list.
const ATAG_CORE: u32 = 0x5441_0001;
/// The one version in use since 2007, and the one it is compatible with.
const VERSION: u32 = 17;
const HEADER_LENGTH: usize = 40;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// The big-endian `u32` at `offset`, or `None` beyond the end.
pub(super) fn be_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u32::from_be_bytes(*bytes))
}

/// The big-endian `u64` at `offset`, or `None` beyond the end.
pub(super) fn be_u64(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u64::from_be_bytes(*bytes))
}

/// A `u32` of the tree as an index; saturates on a machine with smaller addresses.
fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

const fn damaged(offset: usize, what: &'static str) -> DiscoveryError {
    DiscoveryError::DamagedTree { offset, what }
}

/// The number of bytes that a device tree says it has, from its first 8 bytes, so
/// that a loader knows how much to map before it calls
/// [`from_device_tree`](super::from_device_tree).
///
/// # Errors
///
/// [`DiscoveryError::NotADeviceTree`] if the bytes do not begin with the magic,
/// [`DiscoveryError::DamagedTree`] if the length is less than a header or above 2 MiB.
pub fn device_tree_length(first_bytes: &[u8]) -> Result<u64, DiscoveryError> {
    let length = total_length(first_bytes)?;
    u64::try_from(length).map_err(|_| damaged(4, "its length is above 2 MiB"))
}

fn total_length(tree: &[u8]) -> Result<usize, DiscoveryError> {
    let found = be_u32(tree, 0).ok_or(damaged(0, "it has no whole header"))?;
    if found != MAGIC {
        let second = be_u32(tree, 4).unwrap_or_default();
        let is_atags = second.swap_bytes() == ATAG_CORE;
        let found = if is_atags { found.swap_bytes() } else { found };
        return Err(DiscoveryError::NotADeviceTree { found, is_atags });
    }
    match be_u32(tree, 4).map(index) {
        None => Err(damaged(4, "it has no whole header")),
        Some(length) if length < HEADER_LENGTH => {
            Err(damaged(4, "its length is less than its header's"))
        }
        Some(length) if length > MAX_LENGTH => Err(damaged(4, "its length is above 2 MiB")),
        Some(length) => Ok(length),
    }
}

/// A flattened device tree whose header holds.
#[derive(Clone, Copy)]
pub(super) struct Blob<'a> {
    /// The memory reservation block, to the end of the tree.
    reservations: &'a [u8],
    /// The structure block.
    structure: &'a [u8],
    /// Where the structure block starts, for messages.
    structure_offset: usize,
    /// The strings block.
    strings: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Checks the header of the tree at the start of `tree`, which may be longer.
    pub(super) fn open(tree: &'a [u8]) -> Result<Self, DiscoveryError> {
        let length = total_length(tree)?;
        let tree = tree
            .get(..length)
            .ok_or(damaged(4, "it says that it is longer than it is"))?;
        let field = |offset| be_u32(tree, offset).ok_or(damaged(offset, "it has no whole header"));
        if field(20)? < VERSION || field(24)? > VERSION {
            return Err(damaged(20, "it is of a version other than 17"));
        }
        let block = |offset_at, length_at, what| -> Result<&'a [u8], DiscoveryError> {
            let start = index(field(offset_at)?);
            let end = start.saturating_add(index(field(length_at)?));
            tree.get(start..end).ok_or(damaged(offset_at, what))
        };
        let reservations = index(field(16)?);
        Ok(Self {
            reservations: tree
                .get(reservations..)
                .ok_or(damaged(16, "its memory reservations lie outside it"))?,
            structure: block(8, 36, "its structure block lies outside it")?,
            structure_offset: index(field(8)?),
            strings: block(12, 32, "its strings block lies outside it")?,
        })
    }

    /// Takes what there is of a tree that may be damaged or cut short: of the header
    /// only the magic and where the two blocks start. `None` if there is nothing to be
    /// found, since without its strings a tree says nothing.
    pub(super) fn open_damaged(tree: &'a [u8]) -> Option<Self> {
        if be_u32(tree, 0)? != MAGIC {
            return None;
        }
        let tree = tree.get(..MAX_LENGTH).unwrap_or(tree);
        let structure_offset = index(be_u32(tree, 8)?);
        Some(Self {
            reservations: &[],
            structure: tree.get(structure_offset..)?,
            structure_offset,
            strings: tree.get(index(be_u32(tree, 12)?)..)?,
        })
    }

    /// The entries of the memory reservation block, as address and length in bytes.
    pub(super) fn reservations(
        &self,
    ) -> impl Iterator<Item = Result<(u64, u64), DiscoveryError>> + 'a {
        let bytes = self.reservations;
        let mut offset = 0_usize;
        core::iter::from_fn(move || {
            let entry = be_u64(bytes, offset).zip(be_u64(bytes, offset.saturating_add(8)));
            offset = offset.saturating_add(16);
            match entry {
                Some((0, 0)) => None,
                Some(entry) => Some(Ok(entry)),
                None => Some(Err(damaged(16, "its memory reservations have no end"))),
            }
        })
    }

    /// Calls `each` for every node, parents before children, in the tree's order.
    ///
    /// # Errors
    ///
    /// The first damage, after `each` has seen all nodes before it; or what `each`
    /// returned.
    pub(super) fn visit(
        &self,
        each: &mut dyn FnMut(&Node<'_, 'a>) -> Result<(), DiscoveryError>,
    ) -> Result<(), DiscoveryError> {
        let mut cursor = Cursor {
            structure: self.structure,
            strings: self.strings,
            position: 0,
            base: self.structure_offset,
        };
        let mut levels: ArrayVec<Level<'a>, MAX_DEPTH> = ArrayVec::new();
        let mut token = cursor.next()?;
        loop {
            let here = cursor.offset();
            match token {
                Token::BeginNode(name) => {
                    if levels.is_empty() != name.is_empty() {
                        return Err(damaged(here, "a node has no name, or the root has one"));
                    }
                    let mut level = Level::new(name, cursor);
                    token = loop {
                        match cursor.next()? {
                            Token::Property { name, value } => level.note(name, value),
                            token => break token,
                        }
                    };
                    levels
                        .try_push(level)
                        .map_err(|_| damaged(here, "nodes nest more than 16 deep"))?;
                    if let Some(node) = Node::new(&levels) {
                        each(&node)?;
                    }
                    continue;
                }
                Token::EndNode => {
                    if levels.pop().is_none() {
                        return Err(damaged(here, "a node ends that never began"));
                    }
                    if levels.is_empty() {
                        break;
                    }
                }
                Token::Property { .. } => {
                    return Err(damaged(here, "a property follows a child node"));
                }
                Token::End => return Err(damaged(here, "it ends inside a node")),
            }
            token = cursor.next()?;
        }
        let here = cursor.offset();
        match cursor.next()? {
            Token::End => Ok(()),
            _ => Err(damaged(here, "something follows the root node")),
        }
    }
}

/// One token of the structure block (Devicetree Specification 0.4, 5.4.1).
#[derive(Clone, Copy)]
pub(super) enum Token<'a> {
    /// A node begins.
    BeginNode(&'a str),
    /// The innermost node ends.
    EndNode,
    /// A property of the innermost node.
    Property {
        /// Its name, from the strings block.
        name: &'a str,
        /// Its value.
        value: &'a [u8],
    },
    /// The structure block ends.
    End,
}

/// A place in the structure block.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    structure: &'a [u8],
    strings: &'a [u8],
    position: usize,
    base: usize,
}

impl<'a> Cursor<'a> {
    /// Offset of the place from the start of the tree, for messages.
    fn offset(&self) -> usize {
        self.base.saturating_add(self.position)
    }

    fn damaged(&self, what: &'static str) -> DiscoveryError {
        damaged(self.offset(), what)
    }

    fn word(&mut self) -> Result<u32, DiscoveryError> {
        let word = be_u32(self.structure, self.position)
            .ok_or_else(|| self.damaged("the structure block is cut short"))?;
        self.position = self.position.saturating_add(4);
        Ok(word)
    }

    /// Steps over `length` bytes and the padding behind them.
    fn skip(&mut self, length: usize) {
        self.position = self.position.saturating_add(length).saturating_add(3) & !3;
    }

    /// Reads the next token; gaps (`FDT_NOP`), which boot loaders leave where they
    /// took something out, are passed over.
    pub(super) fn next(&mut self) -> Result<Token<'a>, DiscoveryError> {
        let token = loop {
            match self.word()? {
                NOP => {}
                token => break token,
            }
        };
        match token {
            BEGIN_NODE => {
                let name = text_at(self.structure, self.position)
                    .ok_or_else(|| self.damaged("a node's name is not text"))?;
                self.skip(name.len().saturating_add(1));
                Ok(Token::BeginNode(name))
            }
            END_NODE => Ok(Token::EndNode),
            PROPERTY => {
                let length = index(self.word()?);
                let name = index(self.word()?);
                let name = text_at(self.strings, name)
                    .ok_or_else(|| self.damaged("a property's name is not in the strings block"))?;
                let value = self
                    .structure
                    .get(self.position..self.position.saturating_add(length))
                    .ok_or_else(|| self.damaged("a property is longer than the structure block"))?;
                self.skip(length);
                Ok(Token::Property { name, value })
            }
            END => Ok(Token::End),
            _ => Err(self.damaged("a token is none of the five that exist")),
        }
    }
}

/// The NUL-terminated text at `offset`, or `None` if it does not end or is not UTF-8.
fn text_at(bytes: &[u8], offset: usize) -> Option<&str> {
    CStr::from_bytes_until_nul(bytes.get(offset..)?)
        .ok()?
        .to_str()
        .ok()
}
