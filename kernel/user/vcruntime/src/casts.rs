//! `dynamic_cast` and `typeid`.

use c_interface::{Ptr, exports};
use cxx_exceptions::rtti::Whole;

use crate::standard::{Class, throw};

exports! {
    /// Where in an object an object of another class is; null if the cast is none that C++ allows.
    ///
    /// `table_pointer` is where the object has a pointer to a table of virtual functions; the object that is cast is
    /// `distance` bytes before. A cast to a reference throws `std::bad_cast` instead of answering null.
    cdecl fn __RTDynamicCast(
        table_pointer: usize,
        distance: i32,
        source_type: usize,
        target_type: usize,
        to_reference: i32,
    ) -> usize {
        if table_pointer == 0 {
            return 0;
        }
        let back = isize::try_from(distance).unwrap_or_default();
        let source = table_pointer.wrapping_add_signed(back.wrapping_neg());
        let found = Whole::of(table_pointer).cast(source, source_type, target_type);
        if found.is_none() && to_reference != 0 {
            throw(Class::BadCast, c"bad dynamic_cast");
        }
        found.unwrap_or(0)
    }

    /// The descriptor of an object's type. `typeid` of what a null pointer points to throws `std::bad_typeid`.
    cdecl fn __RTtypeid(table_pointer: usize) -> usize {
        if table_pointer == 0 {
            throw(Class::BadTypeid, c"typeid of what a null pointer points to");
        }
        Whole::of(table_pointer).type_descriptor()
    }

    /// Where the whole object begins: `dynamic_cast` to `void*`.
    cdecl fn __RTCastToVoid(table_pointer: usize) -> usize {
        Ptr::<u8>::new(table_pointer).non_null().map_or(0, |object| Whole::of(object.address()).address)
    }
}
