//! Threads on x64.

/// Makes the entries of this machine.
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_entries {
    ($start:path, $fiber:path) => {
        /// From the frame of a guarded call to where it keeps the address of its outcome.
        const SAVED_OUTCOME: u64 = 0x28;

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
                "sub rsp, 0x28",
                ".seh_stackalloc 0x28",
                ".seh_endprologue",
                "call {start}",
                "int3",
                ".seh_handler {handler}, @except, @unwind",
                ".seh_endproc",
                start = sym $start,
                handler = sym first_frame,
            )
        }

        /// Where a fiber begins: its routine and its argument in `r12` and `r13`, where the switch to it put them. It comes
        /// here by a return, not by a call, so the stack is aligned.
        ///
        /// # NT
        /// `RtlUserFiberStart`.
        // SAFETY: nobody returns from here, so there is no convention to break; the frame has the handler of last resort.
        #[unsafe(naked)]
        // SAFETY: the name is NT's.
        #[unsafe(no_mangle)]
        pub extern "C" fn RtlUserFiberStart() -> ! {
            core::arch::naked_asm!(
                ".seh_proc RtlUserFiberStart",
                "sub rsp, 0x30",
                ".seh_stackalloc 0x30",
                ".seh_endprologue",
                "mov rcx, r12",
                "mov rdx, r13",
                "call {start}",
                "int3",
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
                "sub rsp, 0x38",
                ".seh_stackalloc 0x38",
                ".seh_endprologue",
                // The fifth argument: above this frame, the return address and the home area.
                "mov rax, [rsp + 0x60]",
                "mov [rsp + {saved}], rax",
                "mov dword ptr [rax], 0",
                "mov rax, rcx",
                "mov rcx, rdx",
                "mov rdx, r8",
                "mov r8, r9",
                "call rax",
                "nop",
                ".globl tarn_behind_guarded_call",
                "tarn_behind_guarded_call:",
                "add rsp, 0x38",
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
                    "lea {}, [rip + tarn_behind_guarded_call]",
                    out(reg) place,
                    options(nomem, nostack, preserves_flags)
                );
            }
            place
        }
    };
}
