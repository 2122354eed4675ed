//! Handles as numbers.

/// A handle's value, as 64-bit programs have it; that of a 32-bit program is sign-extended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Handle(pub u64);

/// The bits that all handles of the kernel have.
const KERNEL: u64 = 0xFFFF_FFFF_8000_0000;

impl Handle {
    /// No handle.
    pub const NULL: Self = Self(0);
    /// The process that uses it (`NtCurrentProcess()`).
    pub const CURRENT_PROCESS: Self = Self(u64::MAX);
    /// The thread that uses it (`NtCurrentThread()`).
    pub const CURRENT_THREAD: Self = Self(u64::MAX - 1);

    /// That of a 32-bit program.
    pub const fn from_32(value: u32) -> Self {
        Self((value.cast_signed() as i64).cast_unsigned())
    }

    /// What a 32-bit program sees of it.
    pub const fn to_32(self) -> u32 {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// Whether it looks like one of the kernel's own table: pseudo handles do too.
    pub const fn is_kernel(self) -> bool {
        self.0 & KERNEL == KERNEL
    }

    pub(crate) const fn of_kernel(value: u32) -> Self {
        Self(value as u64 | KERNEL)
    }

    /// Its value in the table where it is, if it can be in one.
    pub(crate) fn value(self, kernel: bool) -> Option<rtl::id_table::Value> {
        let value = if kernel { self.0 & !KERNEL } else { self.0 };
        u32::try_from(value).ok().map(rtl::id_table::Value)
    }
}
