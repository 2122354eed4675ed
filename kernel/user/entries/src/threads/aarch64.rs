//! Threads on ARM64.

/// Makes the entries of this machine.
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_entries {
    ($start:path, $fiber:path) => {
        /// From the frame of a guarded call to where it keeps the address of its outcome.
        const SAVED_OUTCOME: u64 = 0x10;

        /// Where every thread begins when the loader is done: its routine and its argument.
        ///
        /// # NT
        /// `RtlUserThreadStart`.
        // SAFETY: nobody returns from here, so there is no convention to break; the frame has the handler of last resort.
        #[unsafe(naked)]
        // SAFETY: the name is NT's.
        #[unsafe(no_mangle)]
        pub extern "C" fn RtlUserThreadStart(routine: usize, argument: usize) -> ! {
            core::arch::naked_asm!(
                ".seh_proc RtlUserThreadStart",
                "stp x29, x30, [sp, #-0x10]!",
                ".seh_save_fplr_x 0x10",
                "mov x29, sp",
                ".seh_set_fp",
                ".seh_endprologue",
                "bl {start}",
                "brk #0xF000",
                ".seh_handler {handler}, @except, @unwind",
                ".seh_endproc",
                start = sym $start,
                handler = sym first_frame,
            )
        }

        /// Where a fiber begins: its routine and its argument in `x19` and `x20`, where the switch to it put them.
        ///
        /// # NT
        /// `RtlUserFiberStart`.
        // SAFETY: nobody returns from here; the return address that is kept is none, so that a walk ends here.
        #[unsafe(naked)]
        // SAFETY: the name is NT's.
        #[unsafe(no_mangle)]
        pub extern "C" fn RtlUserFiberStart() -> ! {
            core::arch::naked_asm!(
                ".seh_proc RtlUserFiberStart",
                "stp x29, xzr, [sp, #-0x10]!",
                ".seh_save_fplr_x 0x10",
                "mov x29, sp",
                ".seh_set_fp",
                ".seh_endprologue",
                "mov x0, x19",
                "mov x1, x20",
                "bl {start}",
                "brk #0xF000",
                ".seh_handler {handler}, @except, @unwind",
                ".seh_endproc",
                start = sym $fiber,
                handler = sym first_frame,
            )
        }

        /// Calls a function of three arguments; an exception ends the call and not the thread.
        // SAFETY: the body follows the C convention; the handler unwinds to this frame, where the stack is as during the call.
        #[unsafe(naked)]
        pub(crate) extern "C" fn call_guarded(
            function: usize,
            a: usize,
            b: usize,
            c: usize,
            outcome: Ptr<$crate::threads::Outcome>,
        ) -> usize {
            core::arch::naked_asm!(
                ".seh_proc {this}",
                "stp x29, x30, [sp, #-0x20]!",
                ".seh_save_fplr_x 0x20",
                "mov x29, sp",
                ".seh_set_fp",
                ".seh_endprologue",
                "str x4, [sp, #{saved}]",
                "str wzr, [x4]",
                "mov x9, x0",
                "mov x0, x1",
                "mov x1, x2",
                "mov x2, x3",
                "blr x9",
                "nop",
                ".globl tarn_behind_guarded_call",
                "tarn_behind_guarded_call:",
                ".seh_startepilogue",
                "ldp x29, x30, [sp], #0x20",
                ".seh_save_fplr_x 0x20",
                ".seh_endepilogue",
                "ret",
                ".seh_handler {handler}, @except, @unwind",
                ".seh_endproc",
                this = sym call_guarded,
                handler = sym guarded_frame,
                saved = const SAVED_OUTCOME,
            )
        }

        /// Where a guarded call that an exception ended goes on.
        fn behind_guarded_call() -> u64 {
            let place: u64;
            // SAFETY: an address is computed, and nothing is touched.
            unsafe {
                core::arch::asm!(
                    "adrp {0}, tarn_behind_guarded_call",
                    "add {0}, {0}, :lo12:tarn_behind_guarded_call",
                    out(reg) place,
                    options(nomem, nostack, preserves_flags)
                );
            }
            place
        }
    };
}
