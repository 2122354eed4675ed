//! Addresses of one's own process.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};

use zerocopy::{FromBytes, Immutable, IntoBytes};

#[doc(hidden)]
pub use core::mem::offset_of;

/// An address at which a `T` should be.
///
/// It has the size of a pointer, so it can stand where a function or a structure of C has one.
#[repr(transparent)]
pub struct Ptr<T> {
    address: usize,
    of: PhantomData<*mut T>,
}

// SAFETY: it is a number; what is at the address is not reached through it without the argument of this crate.
unsafe impl<T> Send for Ptr<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Ptr<T> {}

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ptr<T> {}

impl<T> PartialEq for Ptr<T> {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl<T> Eq for Ptr<T> {}

impl<T> PartialOrd for Ptr<T> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Ptr<T> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.address.cmp(&other.address)
    }
}

impl<T> Default for Ptr<T> {
    fn default() -> Self {
        Self::NULL
    }
}

impl<T> fmt::Debug for Ptr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.address)
    }
}

impl<T> Ptr<T> {
    /// No address.
    pub const NULL: Self = Self::new(0);

    /// An address.
    #[inline]
    pub const fn new(address: usize) -> Self {
        Self {
            address,
            of: PhantomData,
        }
    }

    /// An address as a structure of the process's own width has it.
    #[inline]
    pub const fn at(address: nt_abi::native::Pointer) -> Self {
        Self::new(address as usize)
    }

    /// Where something of the caller's own is: for what C code shall fill or read.
    #[inline]
    pub fn of(value: &mut T) -> Self {
        Self::new(core::ptr::from_mut(value).expose_provenance())
    }

    /// Where something is that nobody writes through this address.
    #[inline]
    pub fn of_shared(value: &T) -> Self {
        Self::new(core::ptr::from_ref(value).expose_provenance())
    }

    /// The address.
    #[inline]
    pub const fn address(self) -> usize {
        self.address
    }

    /// The address as a structure of the process's own width has it.
    #[inline]
    pub const fn raw(self) -> nt_abi::native::Pointer {
        self.address as nt_abi::native::Pointer
    }

    /// Whether it is no address.
    #[inline]
    pub const fn is_null(self) -> bool {
        self.address == 0
    }

    /// Itself; `None` if it is no address.
    #[inline]
    pub const fn non_null(self) -> Option<Self> {
        if self.is_null() { None } else { Some(self) }
    }

    /// The same address, with something else at it.
    #[inline]
    pub const fn cast<U>(self) -> Ptr<U> {
        Ptr::new(self.address)
    }

    /// The address so many bytes further on; it wraps at the end of memory.
    #[inline]
    pub const fn byte_add(self, bytes: usize) -> Self {
        Self::new(self.address.wrapping_add(bytes))
    }

    /// The address so many bytes before.
    #[inline]
    pub const fn byte_sub(self, bytes: usize) -> Self {
        Self::new(self.address.wrapping_sub(bytes))
    }

    /// The address of the element so many elements further on.
    #[inline]
    pub const fn add(self, count: usize) -> Self {
        self.byte_add(count.wrapping_mul(size_of::<T>()))
    }

    /// The address of a part. [`field!`](crate::field) makes it from the field's name.
    #[doc(hidden)]
    #[inline]
    pub fn project<F>(self, offset: usize, _which: fn(&T) -> &F) -> Ptr<F> {
        Ptr::new(self.address.wrapping_add(offset))
    }

    #[inline]
    const fn place(self) -> *mut T {
        core::ptr::with_exposed_provenance_mut(self.address)
    }
}

impl<T: FromBytes> Ptr<T> {
    /// Reads what is there.
    #[inline]
    pub fn read(self) -> T {
        // SAFETY: the argument of this crate; any bytes are a `T`, and the read asks for no alignment.
        unsafe { self.place().read_unaligned() }
    }

    /// Reads what is there; `None` if there is no address.
    #[inline]
    pub fn read_optional(self) -> Option<T> {
        self.non_null().map(Self::read)
    }

    /// Reads elements, from this one on.
    #[inline]
    pub fn read_array(self, into: &mut [T]) {
        // SAFETY: the argument of this crate; any bytes are a `T`, and `into` is ours alone.
        unsafe {
            core::ptr::copy(
                self.place().cast::<u8>(),
                into.as_mut_ptr().cast::<u8>(),
                size_of_val(into),
            );
        }
    }

    /// What is there, as a view: for memory that is aligned for `T` and that nobody changes while the view lives, such as
    /// a mapped image, or a string that a caller must not touch during a call.
    #[inline]
    pub fn slice<'a>(self, count: usize) -> &'a [T] {
        if count == 0 {
            return &[];
        }
        // SAFETY: the argument of this crate, and what the caller knows of the memory, as the documentation asks.
        unsafe { core::slice::from_raw_parts(self.place(), count) }
    }

    /// As [`slice`](Self::slice), for memory that the caller alone uses while the view lives.
    #[inline]
    pub fn slice_mut<'a>(self, count: usize) -> &'a mut [T]
    where
        T: IntoBytes,
    {
        if count == 0 {
            return &mut [];
        }
        // SAFETY: the argument of this crate, and what the caller knows of the memory, as the documentation asks.
        unsafe { core::slice::from_raw_parts_mut(self.place(), count) }
    }
}

impl<T: IntoBytes + Immutable> Ptr<T> {
    /// Writes something there.
    #[inline]
    pub fn write(self, value: T) {
        // SAFETY: the argument of this crate; the write asks for no alignment.
        unsafe { self.place().write_unaligned(value) };
    }

    /// Writes something there, if there is an address.
    #[inline]
    pub fn write_optional(self, value: T) {
        if !self.is_null() {
            self.write(value);
        }
    }

    /// Writes elements, from this one on.
    #[inline]
    pub fn write_array(self, from: &[T]) {
        // SAFETY: the argument of this crate; the bytes may overlap.
        unsafe {
            core::ptr::copy(
                from.as_ptr().cast::<u8>(),
                self.place().cast::<u8>(),
                size_of_val(from),
            );
        }
    }
}

impl Ptr<u8> {
    /// Sets bytes.
    #[inline]
    pub fn fill(self, byte: u8, count: usize) {
        // SAFETY: the argument of this crate.
        unsafe { self.place().write_bytes(byte, count) };
    }

    /// Copies bytes from another place, which may overlap this one.
    #[inline]
    pub fn copy_from(self, from: Self, count: usize) {
        // SAFETY: the argument of this crate.
        unsafe { core::ptr::copy(from.place(), self.place(), count) };
    }
}

/// What can be looked at by several threads at once.
pub trait HasAtomic {
    /// The atomic form.
    type Atomic;
}

impl HasAtomic for u32 {
    type Atomic = AtomicU32;
}

impl HasAtomic for u64 {
    type Atomic = AtomicU64;
}

impl HasAtomic for usize {
    type Atomic = AtomicUsize;
}

impl<T: HasAtomic> Ptr<T> {
    /// What is there, for several threads. The address must be a multiple of the size, as the machine wants it of atomics.
    #[inline]
    pub fn atomic<'a>(self) -> &'a T::Atomic {
        // SAFETY: the argument of this crate: the memory is there for as long as it is used. Atomics have the form of
        // their numbers and can be shared.
        unsafe { &*self.place().cast::<T::Atomic>() }
    }
}

/// The address of a field: `field!(entry, LdrDataTableEntry, dll_base)`.
#[macro_export]
macro_rules! field {
    ($ptr:expr, $of:ty, $($field:tt).+) => {
        $crate::Ptr::<$of>::project(
            $ptr,
            $crate::offset_of!($of, $($field).+),
            |whole: &$of| &whole.$($field).+,
        )
    };
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::Ordering;

    use nt_abi::native::UnicodeString;

    use super::*;

    #[test]
    fn fields_are_found_and_written() {
        let mut string = UnicodeString::default();
        let ptr = Ptr::of(&mut string);
        field!(ptr, UnicodeString, maximum_length).write(7);
        field!(ptr, UnicodeString, buffer).write(0x1234);
        assert_eq!(
            (string.length, string.maximum_length, string.buffer),
            (0, 7, 0x1234)
        );
    }

    #[test]
    fn arrays_go_both_ways() {
        let mut room = [0u16; 5];
        let ptr = Ptr::<u16>::new(room.as_mut_ptr().expose_provenance());
        ptr.add(1).write_array(&[1, 2, 3]);
        let mut back = [0; 2];
        ptr.add(2).read_array(&mut back);
        assert_eq!(back, [2, 3]);
        assert_eq!(ptr.slice(5), [0, 1, 2, 3, 0]);
        ptr.cast::<u8>().byte_add(2).fill(0xFF, 2);
        assert_eq!(room[1], 0xFFFF);
    }

    #[test]
    fn atomics_are_the_same_memory() {
        let mut number = 5u32;
        let ptr = Ptr::of(&mut number);
        assert_eq!(ptr.atomic().fetch_add(2, Ordering::Relaxed), 5);
        assert_eq!(ptr.read(), 7);
    }
}
