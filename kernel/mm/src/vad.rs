//! What a range of a process's addresses is.

use arch::contract::{FrameNumber, PAGE_SIZE};
use ex::pool::{PoolBox, PoolTag, PoolVec};
use ex::{Quota, QuotaCharge, QuotaKind};
use nt_abi::memory::PageProtection;
use nt_abi::{NtResult, NtStatus};

use crate::protection::Protection;
use crate::section::AreaRef;

/// A virtual address descriptor.
///
/// # NT
/// `MMVAD`.
pub(crate) struct Vad {
    pub(crate) kind: Kind,
    /// The protection that it was made with, which its pages have until they get another one.
    pub(crate) protection: Protection,
    /// Whether pages that nothing else is said of are committed.
    pub(crate) committed: bool,
    /// Pages that were charged for it.
    pub(crate) charge: u64,
    /// Whether its addresses were a placeholder, and can be one again.
    pub(crate) replaces: bool,
    /// Whether the kernel relies on it: the program can neither give it back nor take its rights.
    pub(crate) secured: bool,
}

/// What is behind the addresses.
pub(crate) enum Kind {
    /// Memory of the process's own.
    Private {
        /// Which pages were written, if that is recorded.
        watch: Option<PoolBox<WriteWatch>>,
    },
    /// One frame of the kernel's, to be read.
    Fixed(FrameNumber),
    /// Pages of a section.
    View(View),
    /// Nothing yet: addresses that an allocation or a view will have.
    Placeholder,
}

/// A view of a section.
pub(crate) struct View {
    pub(crate) area: AreaRef,
    /// Where it begins.
    pub(crate) start: u64,
    /// The area's page that is there.
    pub(crate) first: u32,
    /// Whether writes make copies: of an image's pages, or because the view was asked to.
    pub(crate) copies: bool,
    pub(crate) image: bool,
    /// What was said of single pages, if anything was: see [`SET`] and [`CHARGED`].
    pages: Option<PoolBox<PageBytes>>,
}

/// What was said of the pages of a view, a byte for each. Few views have any, so it is not part of them all.
struct PageBytes {
    bytes: PoolVec<u8>,
    /// What the process was charged for them.
    _charge: Option<QuotaCharge>,
}

/// A byte of a view's pages: the low five bits are a protection that the page got.
const SET: u8 = 0x20;
/// A byte of a view's pages: a copy of the page was charged for when it got its protection.
const CHARGED: u8 = 0x40;

impl View {
    pub(crate) fn new(area: AreaRef, start: u64, first: u32, copies: bool) -> Self {
        let image = area.lock().image().is_some();
        Self {
            area,
            start,
            first,
            copies: copies || image,
            image,
            pages: None,
        }
    }

    fn number(&self, page: u64) -> u64 {
        page.saturating_sub(self.start) / PAGE_SIZE
    }

    /// The number in the area of the page at an address.
    pub(crate) fn page(&self, page: u64) -> u32 {
        let number = u32::try_from(self.number(page)).unwrap_or(u32::MAX);
        self.first.saturating_add(number)
    }

    fn byte(&self, page: u64) -> Option<u8> {
        let number = usize::try_from(self.number(page)).ok()?;
        self.pages.as_ref()?.bytes.get(number).copied()
    }

    /// The protection that a page got, if it got one.
    pub(crate) fn set_protection(&self, page: u64) -> Option<Protection> {
        let byte = self.byte(page)?;
        (byte & SET != 0).then(|| Protection::from_bits(byte))
    }

    /// Whether a copy of a page was charged for when it got its protection.
    pub(crate) fn is_charged(&self, page: u64) -> bool {
        self.byte(page).is_some_and(|byte| byte & CHARGED != 0)
    }

    /// Whether nothing was said of any single page.
    pub(crate) fn is_uniform(&self) -> bool {
        self.pages.is_none() && !self.image
    }

    /// Makes sure that protections of single pages can be set, of which there are so many.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`, `INSUFFICIENT_RESOURCES`.
    pub(crate) fn prepare(&mut self, pages: u64, quota: Option<&Quota>) -> NtResult {
        if self.pages.is_none() {
            let charge = charge(quota, pages)?;
            let pages = usize::try_from(pages).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
            let mut bytes = PoolVec::new(TAG_PAGES);
            bytes.resize(pages, 0)?;
            let said = PageBytes {
                bytes,
                _charge: charge,
            };
            self.pages = Some(PoolBox::new(TAG_PAGES, said)?);
        }
        Ok(())
    }

    /// Sets the protection of a page, after [`prepare`](Self::prepare).
    pub(crate) fn set_page(&mut self, page: u64, protection: Protection, charged: bool) {
        let number = usize::try_from(self.number(page)).unwrap_or(usize::MAX);
        let bytes = self.pages.as_mut().map(|pages| &mut pages.bytes);
        if let Some(byte) = bytes.and_then(|bytes| bytes.get_mut(number)) {
            let charged = charged || *byte & CHARGED != 0;
            *byte = protection.bits() | SET | if charged { CHARGED } else { 0 };
        }
    }
}

impl Vad {
    pub(crate) fn private(protection: Protection, committed: bool) -> Self {
        Self {
            kind: Kind::Private { watch: None },
            protection,
            committed,
            charge: 0,
            replaces: false,
            secured: false,
        }
    }

    /// Addresses of the kernel's own in a process, of which nothing is committed yet.
    pub(crate) fn secured(protection: Protection) -> Self {
        Self {
            secured: true,
            ..Self::private(protection, false)
        }
    }

    /// Whether its pages may get a protection: of secured ones, plain reading and writing stays, with or without execution.
    ///
    /// # Errors
    /// `INVALID_PAGE_PROTECTION` for one that takes rights from pages that are secured.
    pub(crate) fn check_secured(&self, protection: Protection) -> NtResult {
        let keeps = [PageProtection::READWRITE, PageProtection::EXECUTE_READWRITE];
        if self.secured && !keeps.contains(&protection.to_page()) {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        Ok(())
    }

    /// Addresses that are set aside for what replaces it.
    pub(crate) fn placeholder() -> Self {
        Self {
            kind: Kind::Placeholder,
            ..Self::private(Protection::NO_ACCESS, false)
        }
    }

    /// What the upper part of it is, when it is cut in two. Writes to it are not watched.
    pub(crate) fn upper_part(&self, charge: u64) -> Self {
        let whole = match self.kind {
            Kind::Placeholder => Self::placeholder(),
            _ => Self::private(self.protection, self.committed),
        };
        Self {
            charge,
            replaces: self.replaces,
            secured: self.secured,
            ..whole
        }
    }

    /// Where its writes are recorded.
    pub(crate) fn watch(&self) -> Option<&WriteWatch> {
        match &self.kind {
            Kind::Private { watch } => watch.as_deref(),
            Kind::Fixed(_) | Kind::View(_) | Kind::Placeholder => None,
        }
    }

    /// Where its writes are recorded.
    pub(crate) fn watch_mut(&mut self) -> Option<&mut WriteWatch> {
        match &mut self.kind {
            Kind::Private { watch } => watch.as_deref_mut(),
            Kind::Fixed(_) | Kind::View(_) | Kind::Placeholder => None,
        }
    }
}

const TAG: PoolTag = PoolTag(*b"MmWw");
const TAG_PAGES: PoolTag = PoolTag(*b"MmVp");

fn charge(quota: Option<&Quota>, bytes: u64) -> NtResult<Option<QuotaCharge>> {
    quota
        .map(|quota| quota.charge(QuotaKind::PagedPool, bytes))
        .transpose()
}

/// Which pages of a range were written since it was made or asked last.
pub(crate) struct WriteWatch {
    start: u64,
    bits: PoolVec<u64>,
    /// What the process was charged for them.
    _charge: Option<QuotaCharge>,
}

impl WriteWatch {
    /// Nothing is written yet.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`, `INSUFFICIENT_RESOURCES`.
    pub(crate) fn new(start: u64, pages: u64, quota: Option<&Quota>) -> NtResult<PoolBox<Self>> {
        let words = pages.div_ceil(64);
        let charge = charge(quota, words.saturating_mul(8))?;
        let words = usize::try_from(words).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let mut bits = PoolVec::new(TAG);
        bits.resize(words, 0)?;
        let watch = Self {
            start,
            bits,
            _charge: charge,
        };
        PoolBox::new(TAG, watch)
    }

    /// The number of a page in the record.
    fn number(&self, page: u64) -> u64 {
        page.saturating_sub(self.start) / PAGE_SIZE
    }

    /// The first page from `page` on, below `end`, that was written. What was not is passed over 64 pages at a time: a
    /// range may be as large as the record.
    pub(crate) fn next_written(&self, page: u64, end: u64) -> Option<u64> {
        let first = self.number(page);
        let mut word = usize::try_from(first / 64).ok()?;
        let mut bits = self.bits.get(word)? & (u64::MAX << (first % 64));
        while bits == 0 {
            word += 1;
            if self.start + word as u64 * 64 * PAGE_SIZE >= end {
                return None;
            }
            bits = *self.bits.get(word)?;
        }
        let number = word as u64 * 64 + u64::from(bits.trailing_zeros());
        Some(self.start + number * PAGE_SIZE).filter(|found| *found < end)
    }

    /// Whether a page was written.
    pub(crate) fn is_written(&self, page: u64) -> bool {
        let number = self.number(page);
        let word = usize::try_from(number / 64).unwrap_or(usize::MAX);
        let bits = self.bits.get(word);
        bits.is_some_and(|bits| bits & (1 << (number % 64)) != 0)
    }

    /// A page was written.
    pub(crate) fn set_written(&mut self, page: u64) {
        let number = self.number(page);
        let word = usize::try_from(number / 64).unwrap_or(usize::MAX);
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= 1 << (number % 64);
        }
    }

    /// No page from `page` on, below `end`, counts as written any more.
    pub(crate) fn forget(&mut self, page: u64, end: u64) {
        let (mut number, end) = (self.number(page), self.number(end));
        while number < end {
            let next = (number / 64 + 1) * 64;
            let kept_below = !(u64::MAX << (number % 64));
            let kept_above = match end {
                _ if end >= next => 0,
                end => u64::MAX << (end % 64),
            };
            let word = usize::try_from(number / 64).unwrap_or(usize::MAX);
            let Some(bits) = self.bits.get_mut(word) else {
                return;
            };
            *bits &= kept_below | kept_above;
            number = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 0x1_0000;

    fn page(number: u64) -> u64 {
        START + number * PAGE_SIZE
    }

    fn written(watch: &WriteWatch, from: u64, to: u64) -> std::vec::Vec<u64> {
        let mut found = std::vec::Vec::new();
        let mut at = page(from);
        while let Some(next) = watch.next_written(at, page(to)) {
            found.push((next - START) / PAGE_SIZE);
            at = next + PAGE_SIZE;
        }
        found
    }

    #[test]
    fn writes_are_found_in_their_range_and_forgotten_there() {
        let mut watch = WriteWatch::new(START, 300, None).expect("memory");
        assert_eq!(written(&watch, 0, 300), []);
        let pages = [0, 1, 63, 64, 127, 128, 200, 255, 299];
        for number in pages {
            watch.set_written(page(number));
        }
        assert_eq!(written(&watch, 0, 300), pages);
        assert_eq!(written(&watch, 1, 255), [1, 63, 64, 127, 128, 200]);
        assert_eq!(written(&watch, 2, 63), []);
        assert_eq!(written(&watch, 129, 200), []);
        // Within one word, to a word's end, over words, and nothing.
        watch.forget(page(1), page(63));
        assert_eq!(written(&watch, 0, 128), [0, 63, 64, 127]);
        watch.forget(page(64), page(128));
        assert_eq!(written(&watch, 0, 129), [0, 63, 128]);
        watch.forget(page(63), page(255));
        assert_eq!(written(&watch, 0, 300), [0, 255, 299]);
        watch.forget(page(255), page(255));
        assert_eq!(written(&watch, 0, 300), [0, 255, 299]);
        watch.forget(page(0), page(300));
        assert_eq!(written(&watch, 0, 300), []);
    }

    #[test]
    fn the_last_page_of_a_terabyte_is_found_and_forgotten() {
        const PAGES: u64 = 1 << 28;
        let mut watch = WriteWatch::new(START, PAGES, None).expect("memory");
        watch.set_written(page(PAGES - 1));
        assert_eq!(written(&watch, 0, PAGES), [PAGES - 1]);
        watch.forget(page(0), page(PAGES));
        assert_eq!(written(&watch, 0, PAGES), []);
    }
}
