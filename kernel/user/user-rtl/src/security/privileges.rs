//! Privileges of the token that one acts with, and acting for oneself.

use c_interface::{Ptr, exports};
use nt_abi::native::ObjectAttributes;
use nt_abi::security::{Luid, LuidAndAttributes, PrivilegeAttributes};
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use super::{length, status};
use crate::given;

/// `TOKEN_ADJUST_PRIVILEGES` and `TOKEN_QUERY`.
const ADJUST: u32 = 0x28;
/// `TOKEN_DUPLICATE`.
const TOKEN_DUPLICATE: u32 = 2;
/// `TOKEN_IMPERSONATE`.
const TOKEN_IMPERSONATE: u32 = 4;
/// `TokenImpersonation`.
const IMPERSONATION: u32 = 2;
/// `ThreadImpersonationToken`.
const IMPERSONATION_TOKEN: u32 = 5;

/// `SECURITY_QUALITY_OF_SERVICE`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct SecurityQualityOfService {
    length: u32,
    level: u32,
    /// Whether the token follows changes of its source.
    tracking: u8,
    effective_only: u8,
    reserved: [u8; 2],
}

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

/// Makes the thread act for its own process, with a token of its own; gives that.
fn impersonate_self(level: u32, access: u32) -> NtResult<usize> {
    let mut quality = SecurityQualityOfService {
        length: length(size_of::<SecurityQualityOfService>()),
        level,
        ..SecurityQualityOfService::new_zeroed()
    };
    let mut attributes = ObjectAttributes {
        length: ObjectAttributes::LENGTH,
        security_quality_of_service: Ptr::of(&mut quality).raw(),
        ..ObjectAttributes::default()
    };
    let mut token = 0usize;
    match given::open_process_token(CURRENT_PROCESS, TOKEN_DUPLICATE, Ptr::of(&mut token)) {
        NtStatus::SUCCESS => {}
        status => return Err(status),
    }
    let mut new = 0usize;
    let access = access | TOKEN_IMPERSONATE;
    let attributes = Ptr::of(&mut attributes).cast();
    let duplicated = given::duplicate_token(
        token,
        access,
        attributes,
        0,
        IMPERSONATION,
        Ptr::of(&mut new),
    );
    let _status = given::close(token);
    if duplicated != NtStatus::SUCCESS {
        return Err(duplicated);
    }
    // A handle of the process's own width.
    let mut handle = Ptr::<u8>::new(new).raw();
    let size = length(size_of_val(&handle));
    let set = given::set_information_thread(
        CURRENT_THREAD,
        IMPERSONATION_TOKEN,
        Ptr::of(&mut handle).cast(),
        size,
    );
    match set {
        NtStatus::SUCCESS => Ok(new),
        status => {
            let _status = given::close(new);
            Err(status)
        }
    }
}

exports! {
    /// Makes the thread act for its own process, at a level (`SecurityAnonymous` to `SecurityDelegation`), so that its
    /// privileges and groups may be others than the process's.
    ///
    /// # Errors
    /// Those of the services about tokens.
    fn RtlImpersonateSelf(level: u32) -> NtStatus {
        RtlImpersonateSelfEx(level, 0, Ptr::NULL)
    }

    /// As `RtlImpersonateSelf`; gives a handle to the new token, with more rights, if asked.
    ///
    /// # Errors
    /// Those of the services about tokens.
    fn RtlImpersonateSelfEx(level: u32, access: u32, token: Ptr<usize>) -> NtStatus {
        match impersonate_self(level, access) {
            Ok(new) if token.is_null() => {
                let _status = given::close(new);
                NtStatus::SUCCESS
            }
            Ok(new) => {
                token.write(new);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

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
        assert_eq!(process, CURRENT_PROCESS);
        assert!([ADJUST, TOKEN_DUPLICATE].contains(&access));
        token.write(0x44);
        NtStatus::SUCCESS
    }

    extern "system" fn duplicate(
        token: usize,
        access: u32,
        attributes: Ptr<u8>,
        effective_only: u8,
        kind: u32,
        new: Ptr<usize>,
    ) -> NtStatus {
        let attributes = attributes.cast::<ObjectAttributes>().read();
        let quality = Ptr::<[u32; 2]>::at(attributes.security_quality_of_service).read();
        assert_eq!((token, access, effective_only, kind), (0x44, 0xC, 0, 2));
        assert_eq!(
            (attributes.length, quality),
            (ObjectAttributes::LENGTH, [12, 2])
        );
        new.write(0x88);
        NtStatus::SUCCESS
    }

    extern "system" fn set_thread(thread: usize, class: u32, from: Ptr<u8>, size: u32) -> NtStatus {
        assert_eq!(
            (thread, class, size as usize),
            (usize::MAX - 1, 5, size_of::<usize>())
        );
        assert_eq!(from.cast::<usize>().read(), 0x88);
        NtStatus::SUCCESS
    }

    #[test]
    fn a_thread_acts_for_its_process_with_a_token_of_its_own() {
        given::set_open_process_token(Function::new(open_token as *const () as usize));
        given::set_duplicate_token(Function::new(duplicate as *const () as usize));
        given::set_set_information_thread(Function::new(set_thread as *const () as usize));
        let mut token = 0;
        assert_eq!(
            RtlImpersonateSelfEx(2, 8, Ptr::of(&mut token)),
            NtStatus::SUCCESS
        );
        assert_eq!(token, 0x88);
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
