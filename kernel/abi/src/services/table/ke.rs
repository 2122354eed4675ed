//! Rows of the table: services of the kernel core.

/// Adds the group to those before it and hands on to the next file's.
#[doc(hidden)]
#[macro_export]
macro_rules! __ke_services {
    ($callback:tt $($before:tt)*) => {
        $crate::__mm_services! {
            $callback $($before)*
            ke {
                /// Returns from a callback to user mode.
                planned NtCallbackReturn = nt_callback_return(
                    output_buffer: OptionalInBytes, output_length: u32, status: NtStatus,
                );

                /// Continues with another context: after an exception or an APC, or to start a thread.
                done NtContinue = nt_continue(context_record: In<Context>, test_alert: Boolean);

                /// Continues with another context, in the way that an argument describes.
                /// Of the flags TEST_ALERT.
                done NtContinueEx = nt_continue_ex(
                    context_record: In<Context>, continue_argument: UserAddress,
                );

                /// Makes every processor see what other processors wrote, for this process.
                done NtFlushProcessWriteBuffers = nt_flush_process_write_buffers();

                /// Answers the number of the caller's processor.
                done NtGetCurrentProcessorNumber = nt_get_current_processor_number();

                /// Answers number and group of the caller's processor.
                done NtGetCurrentProcessorNumberEx = nt_get_current_processor_number_ex(
                    processor_number: OptionalOut<ProcessorNumber>,
                );

                /// Raises an exception in the caller.
                done NtRaiseException = nt_raise_exception(
                    exception_record: In<ExceptionRecord>, context_record: In<Context>, first_chance: Boolean,
                );

                /// Changes descriptors of the process's local table (x86).
                planned NtSetLdtEntries = nt_set_ldt_entries(
                    selector_0: u32, entry_0_low: u32, entry_0_high: u32, selector_1: u32, entry_1_low: u32,
                    entry_1_high: u32,
                );

                /// Lets another ready thread run.
                done NtYieldExecution = nt_yield_execution();
            }
        }
    };
}
