//! Which `catch` block takes an exception.

use c_interface::Ptr;

use crate::tables::{Adjectives, Catch, Tables, index, place};
use crate::thrown::{CatchableType, ThrowInfo, Thrown};

/// Where a type's name begins in its descriptor (`TypeDescriptor`): behind two pointers.
pub(crate) const NAME: usize = 2 * size_of::<usize>();

/// As what a `catch` block gets an exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conversion {
    /// `catch (...)`: as nothing.
    Anything,
    /// As one of the types by which it can be caught.
    To(CatchableType),
}

/// As what a `catch` block gets an exception; `None` if it does not take it.
pub fn conversion(tables: &Tables, catch: &Catch, thrown: &Thrown) -> Option<Conversion> {
    if takes_anything(tables, catch) {
        return Some(Conversion::Anything);
    }
    let wanted = place::<u8>(tables.base(), catch.type_descriptor);
    let info = thrown.info();
    thrown
        .catchable_types()
        .find(|candidate| {
            let descriptor = place::<u8>(thrown.base, candidate.type_descriptor);
            (descriptor == wanted || same_name(descriptor.byte_add(NAME), wanted.byte_add(NAME)))
                && qualifiers_fit(catch.adjectives, &info, candidate)
        })
        .map(Conversion::To)
}

/// Whether it is `catch (...)`: it names no type, or one without a name.
pub fn takes_anything(tables: &Tables, catch: &Catch) -> bool {
    catch.type_descriptor == 0 || {
        let name = place::<u8>(tables.base(), catch.type_descriptor).byte_add(NAME);
        name.read() == 0
    }
}

/// Whether what is caught may become what the `catch` block names, apart from the type.
fn qualifiers_fit(adjectives: Adjectives, info: &ThrowInfo, candidate: &CatchableType) -> bool {
    let keeps = |thrown, caught| info.attributes & thrown == 0 || adjectives.has(caught);
    (!candidate.has(CatchableType::REFERENCE_ONLY) || adjectives.has(Adjectives::REFERENCE))
        && keeps(ThrowInfo::CONST, Adjectives::CONST)
        && keeps(ThrowInfo::VOLATILE, Adjectives::VOLATILE)
        && keeps(ThrowInfo::UNALIGNED, Adjectives::UNALIGNED)
}

/// Whether two strings of C are the same: descriptors of one type may be in several images.
pub(crate) fn same_name(left: Ptr<u8>, right: Ptr<u8>) -> bool {
    (0_u32..)
        .map(|at| (left.add(index(at)).read(), right.add(index(at)).read()))
        .find(|&(left, right)| left != right || left == 0)
        .is_some_and(|(left, right)| left == right)
}
