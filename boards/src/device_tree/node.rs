//! A node while the walk stands on it, with its ancestors.
//!
//! What a node says depends on where it stands: its `reg` is in its parent's cells
//! and its bus's addresses, its interrupts belong to the nearest ancestor that
//! names a controller, and it is unusable if its bus is switched off. So a node is
//! the stack of levels down to it, and these questions are answered from the stack,
//! when they are asked; nothing is looked up in the tree a second time.
//!
//! Standard properties are those of the Devicetree Specification 0.4, 2.3 and 2.4.

use arrayvec::ArrayString;

use super::blob::MAX_DEPTH;
use super::level::{Level, first_text, number, single_cell, texts};
use crate::discovery_error::{DiscoveryError, ErrorText, push_fitting, tail};
use crate::loader_block::{PHYSICAL_ADDRESS_LIMIT, PhysRange};

/// How many windows of a bus are looked at: bounds the work on a tree that is made
/// to be slow. Real buses have up to 10.
const MAX_WINDOWS: usize = 256;

/// A node, and all that it stands in.
#[derive(Clone, Copy)]
pub(super) struct Node<'stack, 'a> {
    pub(super) levels: &'stack [Level<'a>],
    last: Level<'a>,
}

impl<'stack, 'a> Node<'stack, 'a> {
    /// The node whose level is the last of `levels`, the root's being the first.
    pub(super) fn new(levels: &'stack [Level<'a>]) -> Option<Self> {
        Some(Self {
            levels,
            last: *levels.last()?,
        })
    }

    /// How many nodes it stands in: 0 for the root.
    pub(super) fn depth(&self) -> usize {
        self.levels.len().saturating_sub(1)
    }

    /// Its name without the unit address behind `@`.
    pub(super) fn base_name(&self) -> &'a str {
        base_name(self.last.name)
    }

    /// The node it stands in, unless it is the root.
    pub(super) fn parent(&self) -> Option<Self> {
        Self::new(self.levels.get(..self.depth())?)
    }

    /// Its innermost level, which may be kept longer than the node.
    pub(super) fn level(&self) -> Level<'a> {
        self.last
    }

    /// The value of the property `name`.
    pub(super) fn property(&self, name: &str) -> Option<&'a [u8]> {
        self.last.property(name)
    }

    /// The value of the one-cell property `name`.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::Node`] with `what` if it is not one cell.
    pub(super) fn cell(
        &self,
        name: &str,
        what: &'static str,
    ) -> Result<Option<u32>, DiscoveryError> {
        match self.property(name) {
            None => Ok(None),
            Some(value) => single_cell(value).map(Some).ok_or_else(|| self.error(what)),
        }
    }

    /// The first text of the property `name`, if it is text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.last.text(name)
    }

    /// The texts of the property `name`, as far as they are text.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        texts(self.property(name))
    }

    /// The ways in which it is started, where `cpus` may speak for all processors (3.8.1).
    pub(super) fn enable_methods(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let common = || self.parent()?.last.enable_method;
        texts(self.last.enable_method.or_else(common))
    }

    /// Whether its `device_type` is `kind`.
    pub(super) fn is_of_type(&self, kind: &str) -> bool {
        self.last.device_type.and_then(first_text) == Some(kind)
    }

    /// Whether it says what it is compatible with, as every device does.
    pub(super) fn is_device(&self) -> bool {
        self.last.compatible.is_some()
    }

    /// Whether its `compatible` names one of `models`.
    pub(super) fn is_compatible(&self, models: &[&str]) -> bool {
        texts(self.last.compatible).any(|model| models.contains(&model))
    }

    /// Whether neither it nor a bus that it stands on is switched off by `status`.
    pub(super) fn is_available(&self) -> bool {
        self.levels.iter().all(Level::is_available)
    }

    /// Whether `path` leads to it; a name in the path may leave out the unit address.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut names = path.split('/').filter(|name| !name.is_empty());
        let matches = self.levels.iter().skip(1).all(|level| {
            names
                .next()
                .is_some_and(|name| name == level.name || name == base_name(level.name))
        });
        matches && names.next().is_none()
    }

    /// The error that `what` is wrong with this node.
    pub(super) fn error(&self, what: &'static str) -> DiscoveryError {
        DiscoveryError::Node {
            path: self.path(),
            what,
        }
    }

    fn path(&self) -> ErrorText {
        let mut path = ArrayString::<256>::new();
        for level in self.levels.iter().skip(1) {
            push_fitting(&mut path, "/");
            push_fitting(&mut path, level.name);
        }
        if path.is_empty() {
            push_fitting(&mut path, "/");
        }
        tail(&path)
    }

    /// Physical address and length of entry `entry` of `reg`, or `None` if there are fewer.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::Node`] if `reg` does not hold whole entries, the range wraps
    /// around, or no window of a bus above leads to it.
    pub(super) fn reg(&self, entry: u32) -> Result<Option<PhysRange>, DiscoveryError> {
        let Some(parent) = self.parent() else {
            return Ok(None);
        };
        let Some(value) = self.property("reg") else {
            return Ok(None);
        };
        let (address_cells, size_cells) = parent.child_cells()?;
        // Both are at most 4, so neither their sum nor its product overflows.
        let stride = address_cells.saturating_add(size_cells);
        let bytes = usize::try_from(stride)
            .unwrap_or(usize::MAX)
            .saturating_mul(4);
        if bytes == 0 || !value.len().is_multiple_of(bytes) {
            return Err(self.error("its reg is not a whole number of entries"));
        }
        let Some(first) = entry.checked_mul(stride) else {
            return Ok(None);
        };
        let second = first.saturating_add(address_cells);
        if usize::try_from(first).unwrap_or(usize::MAX) >= value.len() / 4 {
            return Ok(None);
        }
        number(value, first, address_cells)
            .zip(number(value, second, size_cells))
            .and_then(|(start, length)| PhysRange::new(start, length))
            .ok_or_else(|| self.error("its reg does not fit into 64 bits"))
            .and_then(|range| self.translate(range))
            .map(Some)
    }

    /// The number in the first cells of `reg`, where it names and does not address
    /// (a processor's), or `None` if there is none or it does not fit.
    pub(super) fn reg_number(&self) -> Option<u64> {
        let cells = self.parent()?.last.address_cells()?;
        number(self.property("reg")?, 0, cells)
    }

    /// The range of a device's registers: entry `entry` of `reg`, which must exist and have at least `least` bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::reg`]; also if it is absent, empty, too short or beyond physical addresses.
    pub(super) fn registers(&self, entry: u32, least: u64) -> Result<PhysRange, DiscoveryError> {
        match self.reg(entry)? {
            None => Err(self.error("its reg has too few entries")),
            Some(range) if range.is_empty() => Err(self.error("its reg has an empty entry")),
            Some(range) if range.length() < least => {
                Err(self.error("its reg has an entry that is too short for the registers"))
            }
            Some(range) if range.end > PHYSICAL_ADDRESS_LIMIT => {
                Err(self.error("its reg lies beyond physical addresses"))
            }
            Some(range) => Ok(range),
        }
    }

    /// Cells of an address and of a size in this node's children.
    fn child_cells(&self) -> Result<(u32, u32), DiscoveryError> {
        self.last
            .address_cells()
            .zip(self.last.size_cells())
            .ok_or_else(|| self.error("its #address-cells or #size-cells is not one of 0 to 4"))
    }

    /// Carries a range from this node's bus up through the windows of every bus to
    /// the root's addresses (`ranges`, 2.3.8).
    fn translate(&self, range: PhysRange) -> Result<PhysRange, DiscoveryError> {
        let mut range = range;
        let mut bus = self.parent();
        for _ in 0..MAX_DEPTH {
            let Some((here, above)) = bus.and_then(|here| Some((here, here.parent()?))) else {
                break;
            };
            range = here.through_window(range, &above)?;
            bus = Some(above);
        }
        Ok(range)
    }

    fn through_window(&self, range: PhysRange, above: &Self) -> Result<PhysRange, DiscoveryError> {
        let windows = match self.last.ranges {
            Some([]) => return Ok(range),
            // Reserved ranges are physical by what they mean. Trees that forget the
            // empty `ranges` exist, and to reserve nothing would be the worse guess.
            None if self.is_at("/reserved-memory") => return Ok(range),
            None => return Err(self.error("it has no ranges: nothing on it can be reached")),
            Some(windows) => windows,
        };
        let (child_cells, size_cells) = self.child_cells()?;
        let (parent_cells, _) = above.child_cells()?;
        let stride = child_cells
            .saturating_add(parent_cells)
            .saturating_add(size_cells);
        let bytes = usize::try_from(stride)
            .unwrap_or(usize::MAX)
            .saturating_mul(4);
        if bytes == 0 || !windows.len().is_multiple_of(bytes) {
            return Err(self.error("its ranges is not a whole number of entries"));
        }
        for window in windows.chunks_exact(bytes).take(MAX_WINDOWS) {
            let child = number(window, 0, child_cells);
            let parent = number(window, child_cells, parent_cells);
            let size = number(window, child_cells.saturating_add(parent_cells), size_cells);
            let (Some(child), Some(parent), Some(size)) = (child, parent, size) else {
                continue;
            };
            let Some(window) = PhysRange::new(child, size) else {
                continue;
            };
            if window.start <= range.start && range.end <= window.end {
                return parent
                    .checked_add(range.start.saturating_sub(child))
                    .and_then(|start| PhysRange::new(start, range.length()))
                    .ok_or_else(|| self.error("its ranges leads beyond 64 bits"));
            }
        }
        Err(self.error("its ranges has no window to a device that stands on it"))
    }
}

fn base_name(name: &str) -> &str {
    name.split_once('@').map_or(name, |(base, _)| base)
}
