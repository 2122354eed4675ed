//! The text of a message as it grows: limited room, and lines that are broken where they get too long.

use c_interface::Ptr;
use nt_abi::NtStatus;

use super::{LINE_FEED, RETURN, SPACE, TAB};

/// The text in the making.
pub(super) struct Text {
    pub(super) to: Ptr<u16>,
    pub(super) room: usize,
    pub(super) length: usize,
    /// Of a line; 0: lines are not broken.
    pub(super) width: usize,
    /// Whether line ends of the text are spaces.
    pub(super) joins_lines: bool,
    /// How long the line is.
    pub(super) line: usize,
    /// Where the line's last space is, if it can be broken there.
    pub(super) space: Option<usize>,
}

impl Text {
    pub(super) fn put(&mut self, unit: u16) -> Result<(), NtStatus> {
        if self.length >= self.room {
            return Err(NtStatus::BUFFER_OVERFLOW);
        }
        self.to.add(self.length).write(unit);
        self.length += 1;
        Ok(())
    }

    /// Ends the line.
    pub(super) fn end_line(&mut self) -> Result<(), NtStatus> {
        if self.room - self.length < 2 {
            return Err(NtStatus::BUFFER_OVERFLOW);
        }
        self.put(RETURN)?;
        self.put(LINE_FEED)?;
        self.line = 0;
        self.space = None;
        Ok(())
    }

    /// Breaks the line, if it is too long: at its last space, or here. Spaces and tabs around the break go.
    pub(super) fn wrap(&mut self) -> Result<(), NtStatus> {
        if self.width == 0 || self.line < self.width {
            return Ok(());
        }
        let Some(space) = self.space else {
            return self.end_line();
        };
        let line = self.length - self.line;
        let is_blank = |index: usize| matches!(self.to.add(index).read(), SPACE | TAB);
        let start = (line..space)
            .rev()
            .take_while(|index| is_blank(*index))
            .last()
            .unwrap_or(space);
        let behind = (space..self.length)
            .find(|index| !is_blank(*index))
            .unwrap_or(self.length);
        let rest = self.length - behind;
        if start + 2 + rest > self.room {
            return Err(NtStatus::BUFFER_OVERFLOW);
        }
        self.to
            .add(start + 2)
            .cast::<u8>()
            .copy_from(self.to.add(behind).cast(), rest * 2);
        self.to.add(start).write(RETURN);
        self.to.add(start + 1).write(LINE_FEED);
        self.length = start + 2 + rest;
        self.line = rest;
        self.space = None;
        Ok(())
    }

    /// Adds a unit of the text, which may end a line that is full.
    pub(super) fn add(&mut self, unit: u16) -> Result<(), NtStatus> {
        if unit == SPACE {
            self.space = Some(self.length);
        }
        self.add_unbroken(&[unit])
    }

    /// Adds units that belong together.
    pub(super) fn add_unbroken(&mut self, units: &[u16]) -> Result<(), NtStatus> {
        for unit in units {
            self.put(*unit)?;
        }
        self.line += units.len();
        self.wrap()
    }
}
