//! `std::type_info`: order, hash and name of types.
//!
//! A descriptor is an object of that class. Its functions are in the program, and hand over what is behind the address of
//! the table of virtual functions: where the readable name is, once somebody asked for it, and the name that compilers give.
//!
//! An image has a list of the names that were made for it, in what its library declares as an `SLIST_HEADER`, of which the
//! first word alone is used here.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Ptr, exports};
use cxx_exceptions::names::{hash, readable};

use crate::exceptions::{allocate, free};

/// Before a readable name: the entry of the list of names of an image.
const LIST_ENTRY: usize = 2 * size_of::<usize>();

/// The name that compilers give, without the point in front of it.
fn decorated<'a>(data: Ptr<usize>) -> &'a [u8] {
    let name = data.add(1).cast::<u8>().byte_add(1);
    let length = (0..).take_while(|&at| name.add(at).read() != 0).count();
    name.slice(length)
}

/// Counts bytes, and writes them if there is room.
struct Text {
    to: Option<Ptr<u8>>,
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(to) = self.to {
            to.byte_add(self.length).write_array(text.as_bytes());
        }
        self.length += text.len();
        Ok(())
    }
}

/// A readable name as a string of C behind an entry of a list; `None` if there is no memory.
fn make_name(name: &[u8]) -> Option<Ptr<u8>> {
    let mut text = Text {
        to: None,
        length: 0,
    };
    let _ = readable(name, &mut text);
    let block = allocate(LIST_ENTRY + text.length + 1).non_null()?;
    let mut written = Text {
        to: Some(block.byte_add(LIST_ENTRY)),
        length: 0,
    };
    let _ = readable(name, &mut written);
    let _ = written.write_str("\0");
    Some(block)
}

/// Puts a block in front of an image's list of names. Blocks are only added until all are taken out at once.
fn note(list: Ptr<usize>, block: Ptr<u8>) {
    let head: &AtomicUsize = list.atomic();
    let mut first = head.load(Ordering::Relaxed);
    loop {
        block.cast::<usize>().write(first);
        let new = block.address();
        match head.compare_exchange_weak(first, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => first = other,
        }
    }
}

exports! {
    /// Below 0, 0 or above 0 as one type comes before, is the same as or comes after another one.
    cdecl fn __std_type_info_compare(left: Ptr<usize>, right: Ptr<usize>) -> i32 {
        if left == right {
            return 0;
        }
        decorated(left).cmp(decorated(right)) as i32
    }

    /// A number that is the same for the same type.
    cdecl fn __std_type_info_hash(data: Ptr<usize>) -> usize {
        hash(decorated(data))
    }

    /// The name of a type as people write it: `class std::exception`. It is made once, and noted in a list of the image.
    cdecl fn __std_type_info_name(data: Ptr<usize>, list: Ptr<usize>) -> Ptr<u8> {
        let place = data.atomic();
        let known = place.load(Ordering::Acquire);
        if known != 0 {
            return Ptr::new(known);
        }
        let Some(block) = make_name(decorated(data)) else {
            return Ptr::NULL;
        };
        let text = block.byte_add(LIST_ENTRY);
        match place.compare_exchange(0, text.address(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                note(list, block);
                text
            }
            Err(other) => {
                free(block);
                Ptr::new(other)
            }
        }
    }

    /// Gives the names of an image back, which goes.
    cdecl fn __std_type_info_destroy_list(list: Ptr<usize>) {
        let mut next = Ptr::<u8>::new(list.atomic().swap(0, Ordering::AcqRel));
        while let Some(block) = next.non_null() {
            next = Ptr::new(block.cast::<usize>().read());
            free(block);
        }
    }
}
