//! Pointers that are stored in disguise, so that whoever can write memory cannot choose where they lead.
//!
//! A number that the kernel made for the process is mixed in, and the result turned by some of its bits. The process's own
//! number costs a system call once; the system's is in the shared page.

use core::sync::atomic::{AtomicU32, Ordering};

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::user_shared_data::KuserSharedData;

use crate::given;

/// `ProcessCookie`.
const PROCESS_COOKIE: u32 = 36;
/// The pseudo handle of the process.
const CURRENT_PROCESS: usize = usize::MAX;

/// The process's number; 0 until somebody asks.
static COOKIE: AtomicU32 = AtomicU32::new(0);

fn system_cookie() -> u32 {
    field!(given::shared_data(), KuserSharedData, cookie).read()
}

fn process_cookie() -> u32 {
    let known = COOKIE.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let (mut cookie, mut needed) = (0u32, 0);
    let into = Ptr::of(&mut cookie).cast();
    let asked = given::query_information_process(
        CURRENT_PROCESS,
        PROCESS_COOKIE,
        into,
        4,
        Ptr::of(&mut needed),
    );
    if asked != NtStatus::SUCCESS || cookie == 0 {
        // What was encoded with it must be decoded with it, whatever the kernel says later.
        cookie = system_cookie() | 1;
    }
    // Another thread that asked at the same time was told the same.
    COOKIE.store(cookie, Ordering::Relaxed);
    cookie
}

/// A number of the pointer's width.
fn wide(cookie: u32) -> usize {
    usize::try_from(cookie).unwrap_or_default()
}

fn encode(pointer: usize, cookie: u32) -> usize {
    (pointer ^ wide(cookie)).rotate_right(cookie % usize::BITS)
}

fn decode(pointer: usize, cookie: u32) -> usize {
    pointer.rotate_left(cookie % usize::BITS) ^ wide(cookie)
}

exports! {
    /// Disguises a pointer for this process.
    fn RtlEncodePointer(pointer: usize) -> usize {
        encode(pointer, process_cookie())
    }

    /// The pointer that `RtlEncodePointer` disguised.
    fn RtlDecodePointer(pointer: usize) -> usize {
        decode(pointer, process_cookie())
    }

    /// Disguises a pointer for all processes.
    fn RtlEncodeSystemPointer(pointer: usize) -> usize {
        encode(pointer, system_cookie())
    }

    /// The pointer that `RtlEncodeSystemPointer` disguised.
    fn RtlDecodeSystemPointer(pointer: usize) -> usize {
        decode(pointer, system_cookie())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::testing;

    #[test]
    fn a_pointer_comes_back() {
        for cookie in [1, 0x1234_5678, u32::MAX, 0x40] {
            for pointer in [0, 1, 0x7FFE_0000, usize::MAX] {
                assert_eq!(decode(encode(pointer, cookie), cookie), pointer);
            }
        }
        assert_eq!(encode(0x10, 4), 0x14usize.rotate_right(4));
    }

    #[test]
    fn the_processs_number_stays() {
        testing::begin();
        let encoded = RtlEncodePointer(0x1234);
        assert_ne!(encoded, 0x1234);
        assert_eq!(RtlEncodePointer(0x1234), encoded);
        assert_eq!(RtlDecodePointer(encoded), 0x1234);
        assert_eq!(RtlDecodeSystemPointer(RtlEncodeSystemPointer(77)), 77);
    }
}
