//! Which part of a function a frame runs, and how far it has been unwound.
//!
//! A function's body and each of its `catch` blocks are *parts*: functions of their own for the machine, with frames of their
//! own, but with one table, and with all variables in the frame of the body. While a `catch` block runs, its own frame is
//! on the stack and so is the body's, or that of the `catch` block around, in which the `try` block was left: the stack is
//! not taken back before the block has ended. A walk meets all these frames, and where control left the outer ones says
//! nothing any more, since the states of their `try` blocks have been unwound.
//!
//! So the state of a frame is *noted* in the eight bytes that the function gives its handler, in the body's frame, once for
//! all its parts. The note has a state and a **level**. A part has a depth: the body 0, a `catch` block one more than the
//! part that its `try` block is in. Parts whose depth is below the level have the noted state; the others have that of
//! the address where control left. This answers every case:
//!
//! - Nothing was caught: the level is 0, the function set it so at its beginning.
//! - A `catch` block runs: the level is its depth, the noted state the one around its `try` block. If it is left by another
//!   exception, the part around goes on from there. Its unwind ends in the same state.
//! - A part is being unwound: the level is one more than its depth, and the noted state is the one that the unwind has come
//!   to. Should a destructor be left by another unwind, that one goes on behind it.
//! - A `catch` block has ended: the note is as before for its depth.
//!
//! A part handles only `try` blocks of its own: one around a `catch` block belongs to the part around, whose frame the walk
//! meets later.

use c_interface::Ptr;

use crate::Broken;
use crate::tables::{Catch, EMPTY, State, Tables, TryBlock, index, offset};

/// A frame of a function that has a table.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The frame that control left.
    pub own: usize,
    /// The frame of the function's body, where its variables are.
    pub body: usize,
    /// The `try` block whose `catch` block this is; `None` for the body.
    of: Option<TryBlock>,
    depth: i32,
}

/// What is noted of a function in the frame of its body: the state in the lower half, in the upper one the level less one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Note {
    /// The state of the parts whose depth is below the level.
    pub state: State,
    /// From which depth on parts have the state of where control left.
    pub level: i32,
}

impl Note {
    /// What a function notes at its beginning: the number -2, in eight bytes.
    pub const NOTHING: Self = Self {
        state: -2,
        level: 0,
    };

    /// As eight bytes: the lower half, then the upper one.
    fn halves(self) -> [i32; 2] {
        [self.state, self.level.wrapping_sub(1)]
    }
}

impl Frame {
    /// The frame of a function at a place relative to the image.
    pub fn new(tables: &Tables, own: usize, function: u32) -> Self {
        match part(tables, function) {
            None => Self {
                own,
                body: own,
                of: None,
                depth: 0,
            },
            Some((block, catch)) => {
                let depth = tables
                    .try_blocks()
                    .filter(|outer| outer.catches_cover(block.try_low))
                    .count();
                let kept = Ptr::<u8>::new(own).byte_add(index(catch.parent_frame));
                Self {
                    own,
                    body: kept.cast::<usize>().read(),
                    of: Some(block),
                    depth: i32::try_from(depth).unwrap_or(i32::MAX).saturating_add(1),
                }
            }
        }
    }

    /// The state that the part is in, if control left it at an address.
    ///
    /// # Errors
    /// The table.
    pub fn state(&self, tables: &Tables, address: u32) -> Result<State, Broken> {
        match self.note(tables) {
            Some(note) if note.level > self.depth => self.climb(tables, note.state),
            _ => Ok(tables.state_at(address)),
        }
    }

    /// The state of this part that a state of a part inside of it leads to.
    fn climb(&self, tables: &Tables, from: State) -> Result<State, Broken> {
        let mut state = from;
        while let Some(inner) = tables
            .try_blocks()
            .find(|inner| inner.catches_cover(state) && self.has_inside(inner))
        {
            state = around(tables, &inner)?;
        }
        Ok(state)
    }

    /// Whether a `try` block is inside of this part.
    fn has_inside(&self, block: &TryBlock) -> bool {
        self.of.is_none_or(|of| of.catches_cover(block.try_low))
    }

    /// The `try` blocks that control is in, the innermost first, as far as the part is the one that handles them.
    pub fn try_blocks_around(
        &self,
        tables: &Tables,
        state: State,
    ) -> impl Iterator<Item = TryBlock> + use<'_> {
        tables
            .try_blocks()
            .filter(move |block| block.covers(state) && self.has_inside(block))
    }

    /// Whether an unwind of the whole part is done in a state.
    pub fn is_unwound(&self, state: State) -> bool {
        match self.of {
            None => state == EMPTY,
            Some(of) => !of.catches_cover(state),
        }
    }

    /// What is noted.
    fn note(&self, tables: &Tables) -> Option<Note> {
        let place = self.note_place(tables)?;
        Some(Note {
            state: place.read(),
            level: place.add(1).read().wrapping_add(1),
        })
    }

    /// Notes something.
    pub fn set_note(&self, tables: &Tables, note: Note) {
        if let Some(place) = self.note_place(tables) {
            place.write_array(&note.halves());
        }
    }

    fn note_place(&self, tables: &Tables) -> Option<Ptr<i32>> {
        tables.unwind_help().map(|help| offset(self.body, help))
    }

    /// What is noted while the part is unwound.
    pub fn while_unwound(&self, state: State) -> Note {
        Note {
            state,
            level: self.depth.saturating_add(1),
        }
    }

    /// What is noted while a `catch` block of a `try` block of this part runs.
    ///
    /// # Errors
    /// The table.
    pub fn while_caught(&self, tables: &Tables, block: &TryBlock) -> Result<Note, Broken> {
        Ok(self.while_unwound(around(tables, block)?))
    }

    /// What is noted while the part itself runs.
    ///
    /// # Errors
    /// The table.
    pub fn while_running(&self, tables: &Tables) -> Result<Note, Broken> {
        Ok(match self.of {
            None => Note::NOTHING,
            Some(of) => Note {
                state: around(tables, &of)?,
                level: self.depth,
            },
        })
    }

    /// Where the note is, for who has no table at hand; 0 for nowhere.
    pub fn note_address(&self, tables: &Tables) -> usize {
        self.note_place(tables).map_or(0, Ptr::address)
    }
}

/// Writes a note at an address that [`Frame::note_address`] gave.
pub fn write_note(address: usize, note: Note) {
    if let Some(place) = Ptr::<i32>::new(address).non_null() {
        place.write_array(&note.halves());
    }
}

/// The state around a `try` block.
fn around(tables: &Tables, block: &TryBlock) -> Result<State, Broken> {
    tables.unwind_entry(block.try_low).map(|entry| entry.to)
}

/// The `catch` block that begins at a place, and its `try` block; `None` if it is the function's body that begins there.
fn part(tables: &Tables, function: u32) -> Option<(TryBlock, Catch)> {
    tables.try_blocks().find_map(|block| {
        tables
            .catches(&block)
            .find(|catch| catch.funclet == function)
            .map(|catch| (block, catch))
    })
}
