//! What the library keeps in the thread's TEB, and questions that TEB and PEB answer.

use c_interface::{Ptr, exports, field};
use nt_abi::native::{Handle, Peb, Pointer, Teb};
use nt_abi::user_shared_data::KuserSharedData;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::given;

/// `TEB_ACTIVE_FRAME`, as far as the library looks at it: a program's own record of what it is doing.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct ActiveFrame {
    /// The program's own; as wide as a pointer with what the compiler leaves free.
    flags: Pointer,
    /// The frame before it.
    previous: Pointer,
}

exports! {
    /// The process's PEB.
    fn RtlGetCurrentPeb() -> Ptr<Peb> {
        given::peb().unwrap_or_default()
    }

    /// `FLG_*` of the process.
    fn RtlGetNtGlobalFlags() -> u32 {
        given::peb().map_or(0, |peb| field!(peb, Peb, nt_global_flag).read())
    }

    /// The transaction that file and registry calls of this thread are part of; 0: none.
    fn RtlGetCurrentTransaction() -> Handle {
        given::teb().map_or(0, |teb| field!(teb, Teb, current_transaction_handle).read())
    }

    /// Sets the transaction that file and registry calls of this thread are part of.
    fn RtlSetCurrentTransaction(transaction: Handle) -> u8 {
        let Some(teb) = given::teb() else { return 0 };
        field!(teb, Teb, current_transaction_handle).write(transaction);
        1
    }

    /// Sets which service this thread works for; gives the one before.
    fn RtlSetThreadSubProcessTag(tag: Pointer) -> Pointer {
        let Some(teb) = given::teb() else { return 0 };
        let field = field!(teb, Teb, sub_process_tag);
        let old = field.read();
        field.write(tag);
        old
    }

    /// Puts a frame on top of the thread's.
    fn RtlPushFrame(frame: Ptr<ActiveFrame>) {
        if let Some(teb) = given::teb() {
            let top = field!(teb, Teb, active_frame);
            field!(frame, ActiveFrame, previous).write(top.read());
            top.write(frame.raw());
        }
    }

    /// Takes a frame away, and those above it.
    fn RtlPopFrame(frame: Ptr<ActiveFrame>) {
        if let Some(teb) = given::teb() {
            field!(teb, Teb, active_frame).write(field!(frame, ActiveFrame, previous).read());
        }
    }

    /// The topmost frame of the thread; null: there is none.
    fn RtlGetFrame() -> Ptr<ActiveFrame> {
        given::teb().map_or(Ptr::NULL, |teb| Ptr::at(field!(teb, Teb, active_frame).read()))
    }

    /// The session that the console shows.
    fn RtlGetActiveConsoleId() -> u32 {
        field!(given::shared_data(), KuserSharedData, active_console_id).read()
    }

    /// The process that has the keyboard, in the session that the console shows.
    fn RtlGetConsoleSessionForegroundProcessId() -> u64 {
        field!(given::shared_data(), KuserSharedData, console_session_foreground_process_id)
            .read()
            .cast_unsigned()
    }

    /// The Windows directory, as a terminated DOS path.
    fn RtlGetNtSystemRoot() -> Ptr<u16> {
        field!(given::shared_data(), KuserSharedData, nt_system_root).cast()
    }

    /// Whether the processor has a feature (`PF_*`).
    fn RtlIsProcessorFeaturePresent(feature: u32) -> u8 {
        let features = field!(given::shared_data(), KuserSharedData, processor_features);
        match usize::try_from(feature) {
            Ok(feature) if feature < 64 => features.cast::<u8>().add(feature).read(),
            _ => 0,
        }
    }

    /// Whether the system keeps state apart from the system volume; it does not.
    fn RtlIsStateSeparationEnabled() -> u8 {
        0
    }

    /// Whether several sessions are allowed on this edition; only one is.
    fn RtlIsMultiSessionSku() -> u8 {
        0
    }

    /// Whether several users may share a session on this edition; they may not.
    fn RtlIsMultiUsersInSessionSku() -> u8 {
        0
    }

    /// The level at which the kernel checks itself.
    fn RtlQueryValidationRunlevel(component: Ptr<u8>) -> u32 {
        if !component.is_null() {
            return 0;
        }
        field!(given::shared_data(), KuserSharedData, global_validation_run_level).read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::testing;

    #[test]
    fn frames_are_a_stack() {
        testing::begin();
        let mut first = ActiveFrame {
            flags: 0,
            previous: 9,
        };
        let mut second = first;
        assert!(RtlGetFrame().is_null());
        let (first, second) = (Ptr::of(&mut first), Ptr::of(&mut second));
        RtlPushFrame(first);
        RtlPushFrame(second);
        assert_eq!(RtlGetFrame(), second);
        RtlPopFrame(second);
        assert_eq!(RtlGetFrame(), first);
        RtlPopFrame(first);
        assert!(RtlGetFrame().is_null());
    }

    #[test]
    fn the_teb_and_the_peb_answer() {
        let teb = testing::begin();
        assert_eq!(RtlSetCurrentTransaction(0x44), 1);
        assert_eq!(RtlGetCurrentTransaction(), 0x44);
        assert_eq!(RtlSetThreadSubProcessTag(5), 0);
        assert_eq!(RtlSetThreadSubProcessTag(6), 5);
        assert_eq!(field!(teb, Teb, sub_process_tag).read(), 6);
        field!(RtlGetCurrentPeb(), Peb, nt_global_flag).write(0x70);
        assert_eq!(RtlGetNtGlobalFlags(), 0x70);
    }

    #[test]
    fn features_beyond_the_table_are_absent() {
        testing::begin();
        assert_eq!(RtlIsProcessorFeaturePresent(64), 0);
        assert_eq!(RtlIsProcessorFeaturePresent(u32::MAX), 0);
    }
}
