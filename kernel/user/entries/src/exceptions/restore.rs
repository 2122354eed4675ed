//! Going on with other registers.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::ExceptionRecord;

use super::machine::{Context, JumpBuffer, consolidate, goes_on_without_kernel, resume};

exports! {
    /// Makes the thread go on with the registers in a context. With the record of an unwind two codes mean more:
    ///
    /// - `LONGJUMP`: the first parameter is the address of a [`JumpBuffer`]; what `setjmp` saved there is put into the context.
    /// - `UNWIND_CONSOLIDATE`: the first parameter is the address of a function. It is called with the record, in a frame that
    ///   looks as if the context's function had called it, and answers where to go on. Until then nothing of the stack
    ///   below is given up, which is how C++ keeps the exception that a `catch` block works on.
    ///
    /// # NT
    /// `RtlRestoreContext`.
    ///
    /// # Differs
    /// A context that has more than the registers of [`RtlCaptureContext`](super::RtlCaptureContext) goes to the kernel. If
    /// the kernel refuses it, the thread gets an illegal instruction; there is nowhere to return to.
    fn RtlRestoreContext(context: Ptr<Context>, record: Ptr<ExceptionRecord>) -> () {
        if let Some(record) = record.non_null() {
            let fields = record.read();
            let parameter = Ptr::<u8>::at(fields.exception_information[0]);
            match fields.code() {
                NtStatus::LONGJUMP if fields.number_parameters >= 1 => {
                    let mut registers = context.read();
                    parameter.cast::<JumpBuffer>().read().restore(&mut registers);
                    context.write(registers);
                }
                NtStatus::UNWIND_CONSOLIDATE if fields.number_parameters >= 1 => {
                    consolidate(context, parameter, record);
                }
                _ => {}
            }
        }
        go_on(context);
    }
}

/// Makes the thread go on with the registers in a context.
pub(super) extern "C" fn go_on(context: Ptr<Context>) -> ! {
    let flags = field!(context, Context, context_flags).read();
    if goes_on_without_kernel(flags) {
        resume(context);
    }
    super::machine::continue_in_kernel(context)
}
