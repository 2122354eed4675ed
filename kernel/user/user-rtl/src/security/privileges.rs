//! Privileges of the token that one acts with.

use c_interface::{Ptr, exports};
use nt_abi::security::{Luid, LuidAndAttributes, PrivilegeAttributes};
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use super::{length, status};
use crate::given;

/// `TOKEN_ADJUST_PRIVILEGES` and `TOKEN_QUERY`.
const ADJUST: u32 = 0x28;
/// The pseudo handle of the process.
const CURRENT_PROCESS: usize = usize::MAX;
/// The pseudo handle of the thread.
const CURRENT_THREAD: usize = usize::MAX - 1;

/// `TOKEN_PRIVILEGES` with one privilege.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct OnePrivilege {
    count: u32,
    privilege: LuidAndAttributes,
}

/// Opens the token of the thread, or of the process.
fn open(of_thread: bool) -> NtResult<usize> {
    let mut token = 0usize;
    let to = Ptr::of(&mut token);
    let outcome = if of_thread {
        given::open_thread_token(CURRENT_THREAD, ADJUST, 0, to)
    } else {
        given::open_process_token(CURRENT_PROCESS, ADJUST, to)
    };
    match outcome {
        NtStatus::SUCCESS => Ok(token),
        status => Err(status),
    }
}

/// Enables or disables a privilege; gives whether it was enabled.
fn adjust(token: usize, privilege: u32, enable: bool) -> NtResult<bool> {
    let mut new = OnePrivilege {
        count: 1,
        privilege: LuidAndAttributes {
            luid: Luid::new(privilege),
            attributes: PrivilegeAttributes::empty(),
        },
    };
    new.privilege
        .attributes
        .set(PrivilegeAttributes::ENABLED, enable);
    let mut old = OnePrivilege::new_zeroed();
    let mut needed = 0;
    let size = length(size_of::<OnePrivilege>());
    let outcome = given::adjust_privileges_token(
        token,
        0,
        Ptr::of(&mut new).cast(),
        size,
        Ptr::of(&mut old).cast(),
        Ptr::of(&mut needed),
    );
    let _ = needed;
    match outcome {
        NtStatus::NOT_ALL_ASSIGNED => Err(NtStatus::PRIVILEGE_NOT_HELD),
        // What did not change is not told.
        NtStatus::SUCCESS if old.count == 0 => Ok(enable),
        NtStatus::SUCCESS => Ok(old
            .privilege
            .attributes
            .contains(PrivilegeAttributes::ENABLED)),
        status => Err(status),
    }
}

exports! {
    /// Enables or disables a privilege of the process, or of the client that the thread acts for; gives whether it was
    /// enabled.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`, and those of the services about tokens.
    fn RtlAdjustPrivilege(privilege: u32, enable: u8, of_thread: u8, was_enabled: Ptr<u8>) -> NtStatus {
        let token = match open(of_thread != 0) {
            Ok(token) => token,
            Err(status) => return status,
        };
        let outcome = adjust(token, privilege, enable != 0);
        // Its handle is good: it was just opened.
        let _status = given::close(token);
        status(outcome.map(|was| was_enabled.write_optional(u8::from(was))))
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU32, Ordering};

    use c_interface::Function;

    use super::*;

    /// The state of privilege 20 of the one token; 21 it does not have.
    static STATE: AtomicU32 = AtomicU32::new(0);

    extern "system" fn open_token(process: usize, access: u32, token: Ptr<usize>) -> NtStatus {
        assert_eq!((process, access), (CURRENT_PROCESS, 0x28));
        token.write(0x44);
        NtStatus::SUCCESS
    }

    extern "system" fn adjust_token(
        token: usize,
        all: u8,
        new: Ptr<u8>,
        size: u32,
        old: Ptr<u8>,
        needed: Ptr<u32>,
    ) -> NtStatus {
        assert_eq!((token, all, size), (0x44, 0, 16));
        let [count, low, high, attributes] = new.cast::<[u32; 4]>().read();
        assert_eq!((count, high), (1, 0));
        needed.write(16);
        if low != 20 {
            old.cast::<u32>().write(0);
            return NtStatus::NOT_ALL_ASSIGNED;
        }
        let before = STATE.swap(attributes, Ordering::Relaxed);
        let changed = u32::from(before != attributes);
        old.cast().write([changed, low, 0, before]);
        NtStatus::SUCCESS
    }

    #[test]
    fn a_privilege_says_how_it_was() {
        given::set_open_process_token(Function::new(open_token as *const () as usize));
        given::set_adjust_privileges_token(Function::new(adjust_token as *const () as usize));
        let mut was = 9;
        let was = Ptr::of(&mut was);
        for (enable, before) in [(1, 0), (1, 1), (0, 1), (0, 0)] {
            assert_eq!(RtlAdjustPrivilege(20, enable, 0, was), NtStatus::SUCCESS);
            assert_eq!(was.read(), before);
        }
        assert_eq!(
            RtlAdjustPrivilege(21, 1, 0, was),
            NtStatus::PRIVILEGE_NOT_HELD
        );
    }
}
