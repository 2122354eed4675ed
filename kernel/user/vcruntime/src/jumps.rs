//! `longjmp`.

use c_interface::{Ptr, exports};
use funclets::JumpBuffer;
use nt_abi::NtStatus;
use nt_abi::exception::ExceptionFlags;
use nt_abi::native::ExceptionRecord;

use crate::ntdll::RtlUnwindEx;
use crate::terminate::end;

exports! {
    /// Goes on where `setjmp` was called with a buffer; `setjmp` answers the value there, or 1 for 0. What is between in the
    /// stack is unwound, with its destructors and `__finally` blocks, if `setjmp` noted a frame.
    ///
    /// # NT
    /// `longjmp`: an unwind with the code `LONGJUMP`, whose parameter is the buffer's address.
    cdecl fn longjmp(buffer: Ptr<JumpBuffer>, value: i32) {
        let value = if value == 0 { 1 } else { value };
        let saved = buffer.read();
        if saved.frame == 0 {
            funclets::jump(buffer, value);
        }
        let mut record = ExceptionRecord {
            exception_code: NtStatus::LONGJUMP.0,
            exception_flags: ExceptionFlags::UNWINDING,
            number_parameters: 1,
            ..ExceptionRecord::default()
        };
        record.exception_information[0] = buffer.raw();
        let mut context = funclets::Context::default();
        let value = usize::try_from(value.cast_unsigned()).unwrap_or_default();
        RtlUnwindEx(
            Ptr::<u8>::at(saved.frame).address(),
            funclets::goes_on_at(&saved),
            Ptr::of(&mut record),
            value,
            Ptr::of(&mut context),
            Ptr::NULL,
        );
        end();
    }
}
