//! What may be done with a page, in the five bits that NT keeps it in.
//!
//! | bits | what |
//! |---|---|
//! | 0 to 2 | 0 nothing, 1 read, 2 execute, 3 execute and read, 4 read and write, 5 write a copy, 6 execute, read and write, 7 execute and write a copy |
//! | 3 | not cached |
//! | 4 | guard |
//! | 3 and 4 | with 0 below: no access; with another number: write combining |
//!
//! # Differs
//! Pages that are not cached, or whose writes are combined, are mapped as ordinary memory, which is coherent: the two
//! words are remembered and reported, and change nothing else. Executing implies reading, as on Windows' machines.

use arch::contract::{Access, UserProtection};
use nt_abi::memory::PageProtection;
use nt_abi::{NtResult, NtStatus};

/// A page's protection.
///
/// # NT
/// `MM_PROTECTION_MASK`, a PTE's `Protection`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection(u8);

const NOT_CACHED: u8 = 0x08;
const GUARD: u8 = 0x10;
const MODIFIERS: u8 = NOT_CACHED | GUARD;
const BASE: u8 = 0x07;

/// The base numbers by the position of their bit in `PAGE_*`, from `PAGE_NOACCESS` on.
const BY_BIT: [u8; 8] = [0, 1, 4, 5, 2, 3, 6, 7];

impl Protection {
    /// Nothing.
    pub const NO_ACCESS: Self = Self(MODIFIERS);
    /// Reading.
    pub const READ_ONLY: Self = Self(1);
    /// Reading and writing.
    pub const READ_WRITE: Self = Self(4);
    /// Reading; a write makes a copy.
    pub const WRITE_COPY: Self = Self(5);
    /// Everything.
    pub const EXECUTE_READ_WRITE: Self = Self(6);
    /// Reading and executing; a write makes a copy.
    pub const EXECUTE_WRITE_COPY: Self = Self(7);

    /// Reads what a service was given.
    ///
    /// # NT
    /// `MiMakeProtectionMask`; the rules are those of "Memory Protection Constants".
    ///
    /// # Errors
    /// `INVALID_PAGE_PROTECTION`: not exactly one of the eight protections, modifiers that exclude each other, or bits
    /// without a meaning.
    pub fn from_page(page: PageProtection) -> NtResult<Self> {
        const BAD: NtStatus = NtStatus::INVALID_PAGE_PROTECTION;
        let base = page.0 & 0xFF;
        let modifiers = page.0 & !0xFF;
        if !base.is_power_of_two() {
            return Err(BAD);
        }
        let number = BY_BIT[base.trailing_zeros() as usize];
        let flag = match PageProtection(modifiers) {
            PageProtection(0) => 0,
            PageProtection::GUARD => GUARD,
            PageProtection::NOCACHE => NOT_CACHED,
            PageProtection::WRITECOMBINE => MODIFIERS,
            _ => return Err(BAD),
        };
        match (number, flag) {
            (0, 0) => Ok(Self::NO_ACCESS),
            (0, _) => Err(BAD),
            _ => Ok(Self(number | flag)),
        }
    }

    /// As a service reports it.
    pub fn to_page(self) -> PageProtection {
        let base = self.0 & BASE;
        if base == 0 {
            return PageProtection::NOACCESS;
        }
        let bit = BY_BIT
            .iter()
            .position(|number| *number == base)
            .unwrap_or(0);
        let modifier = match self.0 & MODIFIERS {
            0 => PageProtection(0),
            GUARD => PageProtection::GUARD,
            NOT_CACHED => PageProtection::NOCACHE,
            _ => PageProtection::WRITECOMBINE,
        };
        PageProtection(1 << bit | modifier.0)
    }

    /// The five bits.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// What [`bits`](Self::bits) gave.
    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits & (BASE | MODIFIERS))
    }

    /// Whether the next access is reported once.
    pub(crate) const fn is_guard(self) -> bool {
        self.0 & MODIFIERS == GUARD && self.0 & BASE != 0
    }

    /// The same without the guard.
    pub(crate) const fn without_guard(self) -> Self {
        if self.is_guard() {
            Self(self.0 & !GUARD)
        } else {
            self
        }
    }

    /// Whether a write makes a private copy.
    pub(crate) const fn is_copy(self) -> bool {
        self.0 & BASE == 5 || self.0 & BASE == 7
    }

    /// Whether a write changes the page itself.
    pub(crate) const fn is_write(self) -> bool {
        self.0 & BASE == 4 || self.0 & BASE == 6
    }

    /// Whether the page can be executed.
    pub(crate) const fn is_execute(self) -> bool {
        matches!(self.0 & BASE, 2 | 3 | 6 | 7)
    }

    /// The protection of a copy that a write made, or of a private page in a view.
    pub(crate) const fn after_copy(self) -> Self {
        if self.is_copy() {
            Self(self.0 - 1)
        } else {
            self
        }
    }

    /// The protection of a page in a view whose writes go to copies.
    pub(crate) const fn by_copy(self) -> Self {
        if self.is_write() {
            Self(self.0 + 1)
        } else {
            self
        }
    }

    /// Whether the access is permitted, be it by making a copy. A guard page permits none.
    pub(crate) const fn permits(self, access: Access) -> bool {
        if self.is_guard() || self.0 & BASE == 0 {
            return false;
        }
        match access {
            Access::Read => true,
            Access::Write => self.is_write() || self.is_copy(),
            Access::Execute => self.is_execute(),
        }
    }

    /// What the processor's tables say; `None` if the page may not be in them. A page whose writes go to a copy is
    /// read-only there, and so is one whose writes are to be noticed.
    pub(crate) const fn hardware(self, writes: bool) -> Option<UserProtection> {
        if self.is_guard() || self.0 & BASE == 0 {
            return None;
        }
        Some(match (self.is_write() && writes, self.is_execute()) {
            (false, false) => UserProtection::Read,
            (false, true) => UserProtection::ReadExecute,
            (true, false) => UserProtection::ReadWrite,
            (true, true) => UserProtection::ReadWriteExecute,
        })
    }

    /// Whether a view with this protection may be made of a section with that one.
    ///
    /// # NT
    /// `MiIsPteProtectionCompatible`: what the section permits includes what the view wants.
    pub(crate) fn is_within(self, section: Self) -> bool {
        /// Read, write, execute, copy: what each base number wants, and what it permits.
        const WANTS: [u8; 8] = [0, R, X, R | X, R | W, R | C, R | W | X, R | C | X];
        const PERMITS: [u8; 8] = [
            0,
            R | C,
            X,
            R | X | C,
            R | W | C,
            R | C,
            R | W | X | C,
            R | X | C,
        ];
        const R: u8 = 1;
        const W: u8 = 2;
        const X: u8 = 4;
        const C: u8 = 8;
        let wants = WANTS[usize::from(self.0 & BASE)];
        let permits = PERMITS[usize::from(section.0 & BASE)];
        wants & permits == wants
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expectations: "Memory Protection Constants" (WinNT.h).
    #[test]
    fn one_protection_with_at_most_one_modifier() {
        for bit in 0..8 {
            let page = PageProtection(1 << bit);
            assert_eq!(
                Protection::from_page(page).map(Protection::to_page),
                Ok(page)
            );
            for modifier in [0x100, 0x200, 0x400] {
                let page = PageProtection(1 << bit | modifier);
                let read = Protection::from_page(page).map(Protection::to_page);
                if bit == 0 {
                    assert_eq!(
                        read,
                        Err(NtStatus::INVALID_PAGE_PROTECTION),
                        "no modifier goes with no access"
                    );
                } else {
                    assert_eq!(read, Ok(page));
                }
            }
        }
        for bad in [0, 0x3, 0x304, 0x604, 0x504, 0x800, 0x100, 0x1004] {
            assert_eq!(
                Protection::from_page(PageProtection(bad)),
                Err(NtStatus::INVALID_PAGE_PROTECTION),
                "{bad:#x}"
            );
        }
    }

    #[test]
    fn a_guard_page_permits_nothing_until_it_is_none() {
        let guard = Protection::from_page(PageProtection::READWRITE | PageProtection::GUARD)
            .expect("valid");
        assert!(guard.is_guard() && !guard.permits(Access::Read));
        assert_eq!(guard.hardware(true), None);
        assert_eq!(guard.without_guard(), Protection::READ_WRITE);
        let combining =
            Protection::from_page(PageProtection::READWRITE | PageProtection::WRITECOMBINE)
                .expect("valid");
        assert!(!combining.is_guard() && combining.permits(Access::Write));
    }

    #[test]
    fn a_copy_is_written_where_the_section_is_not() {
        assert_eq!(Protection::WRITE_COPY.after_copy(), Protection::READ_WRITE);
        assert_eq!(Protection::READ_WRITE.by_copy(), Protection::WRITE_COPY);
        assert_eq!(
            Protection::WRITE_COPY.hardware(true),
            Some(UserProtection::Read)
        );
        assert!(Protection::WRITE_COPY.is_within(Protection::READ_ONLY));
        assert!(!Protection::READ_WRITE.is_within(Protection::READ_ONLY));
        assert!(!Protection::EXECUTE_READ_WRITE.is_within(Protection::READ_WRITE));
    }
}
