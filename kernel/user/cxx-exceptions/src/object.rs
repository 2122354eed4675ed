//! What the variable of a `catch` block becomes.

use c_interface::Ptr;

use crate::handler::World;
use crate::tables::{Adjectives, Catch, index, offset, place};
use crate::thrown::{CatchableType, Position, Thrown};

/// Where in an object a base class is.
///
/// # NT
/// `__AdjustPointer`.
pub fn adjust(object: usize, position: Position) -> usize {
    let Position {
        member,
        table,
        in_table,
    } = position;
    let mut place = object;
    if table >= 0 {
        let holder = offset::<usize>(object, table);
        let distances = holder.read();
        place = offset::<u8>(holder.address(), offset::<i32>(distances, in_table).read()).address();
    }
    offset::<u8>(place, member).address()
}

/// Makes the variable of a `catch` block, in the frame of its function: a reference to the object or a copy of it.
///
/// # NT
/// `__BuildCatchObject`.
pub fn make_variable<W: World>(
    world: &mut W,
    thrown: &Thrown,
    kind: &CatchableType,
    catch: &Catch,
    frame: usize,
) {
    if catch.variable == 0 {
        return;
    }
    let variable = offset::<u8>(frame, catch.variable);
    let size = index(kind.size);
    let object = Ptr::<u8>::new(thrown.object);
    if catch.adjectives.has(Adjectives::REFERENCE) {
        let to = adjust(thrown.object, kind.position);
        variable.cast::<usize>().write(to);
    } else if kind.has(CatchableType::SIMPLE) {
        variable.copy_from(object, size);
        let pointer = variable.cast::<usize>();
        // A pointer to a class may become one to a base class. No number is in another place of itself.
        if size == size_of::<usize>() && kind.position != UNMOVED && pointer.read() != 0 {
            pointer.write(adjust(pointer.read(), kind.position));
        }
    } else {
        let from = adjust(thrown.object, kind.position);
        match kind.copy {
            0 => variable.copy_from(Ptr::new(from), size),
            copy => {
                let copy = place::<u8>(thrown.base, copy).address();
                let most_derived = kind.has(CatchableType::VIRTUAL_BASES);
                world.copy_object(copy, variable.address(), from, most_derived);
            }
        }
    }
}

/// The position of an object in itself.
const UNMOVED: Position = Position {
    member: 0,
    table: -1,
    in_table: 0,
};
