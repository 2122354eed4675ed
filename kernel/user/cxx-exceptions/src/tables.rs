//! The table of a function with `try` blocks or destructors.
//!
//! The compiler numbers the *states* of a function: what has been constructed, and which `try` block or `catch` block control
//! is in. State -1 is that nothing needs to be done. A map leads from code addresses to states; another one says for each
//! state to which state an unwind goes next, and which destructor it calls on the way. So states are a forest in an array,
//! and a state's way to -1 is what a function owes to an unwind. A `try` block is a range of states, and the states of its
//! `catch` blocks follow it.
//!
//! Places in tables are relative to the image.

use c_interface::Ptr;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Broken, MAGIC};

/// A number of the function's states.
pub type State = i32;

/// The state in which nothing needs to be done.
pub const EMPTY: State = -1;

/// `FuncInfo`: the table itself.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct FunctionInfo {
    /// The version; the bits above are flags of the compiler.
    magic: u32,
    /// How many states there are.
    states: u32,
    /// Of [`UnwindEntry`].
    unwind_map: u32,
    try_blocks: u32,
    /// Of [`TryBlock`].
    try_map: u32,
    addresses: u32,
    /// Of [`AddressEntry`].
    address_map: u32,
    /// Where in the frame the function has eight bytes for its handler.
    unwind_help: i32,
    /// Exception specifications, from the second version on; compilers have given them up.
    _specifications: u32,
    /// From the third version on.
    flags: u32,
}

/// The version is in the lower bits of its word.
const MAGIC_BITS: u32 = (1 << 29) - 1;
/// `FI_EHS_FLAG`: the function was compiled for exceptions of C++ alone.
const CXX_ONLY: u32 = 1;
/// `FI_EHNOEXCEPT_FLAG`: the function is `noexcept`.
const NOEXCEPT: u32 = 4;

/// `UnwindMapEntry`: what an unwind does in a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct UnwindEntry {
    /// The state to which it leads.
    pub to: State,
    /// The funclet that is called on the way; 0 for none.
    pub action: u32,
}

/// `IPtoStateMapEntry`: from an address on there is a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct AddressEntry {
    address: u32,
    state: State,
}

/// `TryBlockMapEntry`: a `try` block and its `catch` blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TryBlock {
    /// The first state of the `try` block.
    pub try_low: State,
    /// The last state of the `try` block. Those of its `catch` blocks begin behind it.
    pub try_high: State,
    /// The last state of its `catch` blocks.
    pub catch_high: State,
    catches: u32,
    /// Of [`Catch`].
    catch_map: u32,
}

impl TryBlock {
    /// Whether a state is of the `try` block.
    pub fn covers(&self, state: State) -> bool {
        (self.try_low..=self.try_high).contains(&state)
    }

    /// Whether a state is of one of its `catch` blocks.
    pub fn catches_cover(&self, state: State) -> bool {
        self.try_high < state && state <= self.catch_high
    }
}

/// `HandlerType`: a `catch` block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Catch {
    /// What it takes besides the type.
    pub adjectives: Adjectives,
    /// The descriptor of the type that it takes; 0 for `catch (...)`.
    pub type_descriptor: u32,
    /// Where in the frame its variable is; 0 for none.
    pub variable: i32,
    /// Its funclet.
    pub funclet: u32,
    /// From the funclet's frame to where it has the address of the function's frame.
    pub parent_frame: u32,
}

/// `HandlerType.adjectives`.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Adjectives(pub u32);

impl Adjectives {
    /// `const`.
    pub const CONST: u32 = 0x01;
    /// `volatile`.
    pub const VOLATILE: u32 = 0x02;
    /// `__unaligned`.
    pub const UNALIGNED: u32 = 0x04;
    /// A reference.
    pub const REFERENCE: u32 = 0x08;
    /// `catch (...)` of standard C++, which takes nothing that C++ did not throw.
    pub const STANDARD_ELLIPSIS: u32 = 0x40;

    /// Whether one of them is there.
    pub const fn has(self, adjective: u32) -> bool {
        self.0 & adjective != 0
    }
}

/// The table of a function.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    base: usize,
    info: FunctionInfo,
}

impl Tables {
    /// The table of a function in an image at a base. `handler_data` is what the function's unwind data has for its handler:
    /// the place of the table.
    ///
    /// # Errors
    /// It is not of a version that is known.
    pub fn read(base: usize, handler_data: Ptr<u32>) -> Result<Self, Broken> {
        let place = place::<FunctionInfo>(base, handler_data.read());
        let info = place.read();
        if !MAGIC.contains(&(info.magic & MAGIC_BITS)) {
            return Err(Broken);
        }
        Ok(Self { base, info })
    }

    /// Where the function's image is.
    pub const fn base(&self) -> usize {
        self.base
    }

    /// Whether there is nothing to unwind.
    pub const fn has_no_states(&self) -> bool {
        self.info.states == 0
    }

    /// Whether there are no `try` blocks.
    pub const fn has_no_try_blocks(&self) -> bool {
        self.info.try_blocks == 0
    }

    fn flags(&self) -> u32 {
        if self.info.magic & MAGIC_BITS < *MAGIC.end() {
            return 0;
        }
        self.info.flags
    }

    /// Whether the function was compiled for exceptions of C++ alone (`/EHs`): others pass it by.
    pub fn is_for_cxx_alone(&self) -> bool {
        self.flags() & CXX_ONLY != 0
    }

    /// Whether the function is `noexcept`, and the compiler leaves it to the handler to see to that.
    pub fn is_noexcept(&self) -> bool {
        self.flags() & NOEXCEPT != 0
    }

    /// Where in the function's frame are eight bytes for the handler; `None` if there are none.
    pub fn unwind_help(&self) -> Option<i32> {
        (self.info.unwind_help != 0).then_some(self.info.unwind_help)
    }

    /// The state of an address, relative to the image.
    pub fn state_at(&self, address: u32) -> State {
        let map = place::<AddressEntry>(self.base, self.info.address_map);
        let (mut low, mut high) = (0, self.info.addresses);
        // The entries up to `low` begin at or before the address.
        while low < high {
            let middle = low + (high - low) / 2;
            if map.add(index(middle)).read().address <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        match low {
            0 => EMPTY,
            found => map.add(index(found - 1)).read().state,
        }
    }

    /// What an unwind does in a state.
    ///
    /// # Errors
    /// There is no such state, or it does not lead to an outer one.
    pub fn unwind_entry(&self, state: State) -> Result<UnwindEntry, Broken> {
        let number = u32::try_from(state).map_err(|_| Broken)?;
        if number >= self.info.states {
            return Err(Broken);
        }
        let map = place::<UnwindEntry>(self.base, self.info.unwind_map);
        let entry = map.add(index(number)).read();
        // Outer states have lower numbers: each step of an unwind comes closer to its end.
        if entry.to < EMPTY || entry.to >= state {
            return Err(Broken);
        }
        Ok(entry)
    }

    /// The `try` blocks: inner ones before those around them.
    pub fn try_blocks(&self) -> impl Iterator<Item = TryBlock> + use<> {
        let map = place::<TryBlock>(self.base, self.info.try_map);
        (0..index(self.info.try_blocks)).map(move |number| map.add(number).read())
    }

    /// The `catch` blocks of a `try` block, in the order in which they were written.
    pub fn catches(&self, block: &TryBlock) -> impl Iterator<Item = Catch> + use<> {
        let map = place::<Catch>(self.base, block.catch_map);
        (0..index(block.catches)).map(move |number| map.add(number).read())
    }

    /// The address of a funclet.
    pub fn funclet(&self, rva: u32) -> usize {
        place::<u8>(self.base, rva).address()
    }
}

/// Where something of an image is.
pub(crate) fn place<T>(base: usize, rva: u32) -> Ptr<T> {
    Ptr::<u8>::new(base).byte_add(index(rva)).cast()
}

/// A number of a table as an index.
pub(crate) const fn index(number: u32) -> usize {
    number as usize
}

/// The address so many bytes further on, or before.
pub(crate) fn offset<T>(from: usize, bytes: i32) -> Ptr<T> {
    let distance = isize::try_from(bytes).unwrap_or_default();
    Ptr::new(from.wrapping_add_signed(distance))
}
