//! Interlocked singly linked lists. How they work: `words/slist.rs`.
//!
//! Entries are the program's: their first word is the link. Their addresses are multiples of 16 with 64-bit pointers, as a
//! header's is.
//!
//! # Differs
//! What is in a header is private to these functions, as on Windows; the depth is where Windows has it.

use c_interface::Ptr;
use nt_abi::native::SListHeader;

use crate::words::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::words::parking::Parking;
use crate::words::slist;

type Header = Ptr<SListHeader>;

/// An entry, which begins with the next one's address.
pub type SListEntry = usize;

fn word<'a>(header: Header) -> &'a AtomicU64 {
    header.cast::<u64>().atomic()
}

fn link(entry: usize) -> &'static AtomicUsize {
    Ptr::<usize>::new(entry).atomic()
}

/// Makes an empty list.
///
/// # NT
/// `RtlInitializeSListHead`.
pub fn initialize(header: Ptr<SListHeader>) {
    header.write(SListHeader::default());
}

/// Puts an entry on, and gives the one that was first before.
///
/// # NT
/// `RtlInterlockedPushEntrySList`.
#[inline]
pub fn push(header: Ptr<SListHeader>, entry: Ptr<SListEntry>) -> Ptr<SListEntry> {
    push_list(header, entry, entry, 1)
}

/// Puts `count` entries on that are linked from `first` to `last`, and gives the one that was first before.
///
/// # NT
/// `RtlInterlockedPushListSListEx`, `RtlInterlockedPushListSList`.
#[inline]
pub fn push_list(
    header: Ptr<SListHeader>,
    first: Ptr<SListEntry>,
    last: Ptr<SListEntry>,
    count: u32,
) -> Ptr<SListEntry> {
    // The depth has 16 bits, and begins anew beyond them, as on Windows.
    let count = u16::try_from(count & 0xFFFF).unwrap_or(0);
    let before = slist::push(word(header), first.address(), link(last.address()), count);
    Ptr::new(before)
}

/// Takes the first entry off; null if there is none.
///
/// # NT
/// `RtlInterlockedPopEntrySList`.
#[inline]
pub fn pop<P: Parking>(parking: &P, header: Ptr<SListHeader>) -> Ptr<SListEntry> {
    Ptr::new(slist::pop(parking, word(header), link))
}

/// Takes all entries off, and gives the first of them; null if there is none.
///
/// # NT
/// `RtlInterlockedFlushSList`.
pub fn flush<P: Parking>(parking: &P, header: Ptr<SListHeader>) -> Ptr<SListEntry> {
    Ptr::new(slist::flush(parking, word(header)))
}

/// The first entry, at this moment.
///
/// # NT
/// `RtlFirstEntrySList`.
pub fn first(header: Ptr<SListHeader>) -> Ptr<SListEntry> {
    Ptr::new(slist::first(word(header).load(Ordering::Acquire)))
}

/// How many entries there are, at this moment; beyond 16 bits it begins anew.
///
/// # NT
/// `RtlQueryDepthSList`.
pub fn depth(header: Ptr<SListHeader>) -> u16 {
    slist::depth(word(header).load(Ordering::Relaxed))
}
