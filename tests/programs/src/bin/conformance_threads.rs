//! Threads: beginning, end, suspension, registers, APCs, exceptions.
//!
//! Expectations: the documentation of CreateThread, SuspendThread, QueueUserAPC, GetThreadContext and RaiseException, and
//! what Wine's tests of kernel32 and ntdll publish.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::services::arguments::{Handle, ThreadInformationClass};
    use nt_abi::w64::{ClientId, ExceptionRecord, ThreadBasicInformation};
    use test_programs::check::Outcome;
    use test_programs::names::Named;
    use test_programs::objects::event;
    use test_programs::services::*;
    use test_programs::threads::{
        Context, Disposition, SUSPENDED, address, continue_at, exit_thread, full, join,
        set_exception_handler, set_first_argument, spawn, spawn_with, teb,
    };
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        a_thread_gets_its_argument,
        each_thread_has_a_teb_of_its_own,
        a_suspended_thread_waits_to_be_resumed,
        a_thread_that_is_suspended_can_be_ended,
        an_apc_ends_an_alertable_wait,
        an_apc_waits_for_an_alertable_wait,
        a_thread_is_opened_by_its_id,
        a_special_apc_does_not_wait,
        a_reserved_apc_needs_no_more_words,
        apcs_run_in_their_order,
        an_access_violation_says_where,
        an_exception_can_be_raised,
        registers_of_another_thread_can_be_read,
        a_thread_goes_on_where_it_says,
    }

    static GOT: AtomicU64 = AtomicU64::new(0);

    extern "C" fn keeps_its_argument(argument: u64) -> u32 {
        GOT.store(argument, Ordering::SeqCst);
        7
    }

    fn a_thread_gets_its_argument() -> Outcome {
        let thread = spawn(keeps_its_argument, 0x1234_5678_9ABC)?;
        join(thread)?;
        expect!(GOT.load(Ordering::SeqCst), 0x1234_5678_9ABC);
        Ok(())
    }

    extern "C" fn keeps_its_teb(_: u64) -> u32 {
        GOT.store(teb(), Ordering::SeqCst);
        0
    }

    fn each_thread_has_a_teb_of_its_own() -> Outcome {
        join(spawn(keeps_its_teb, 0)?)?;
        let other = GOT.load(Ordering::SeqCst);
        holds!(other != 0);
        holds!(other != teb());
        Ok(())
    }

    fn a_suspended_thread_waits_to_be_resumed() -> Outcome {
        GOT.store(0, Ordering::SeqCst);
        let thread = spawn_with(keeps_its_argument, 5, SUSPENDED)?;
        let mut before = 0u32;
        status!(NtSuspendThread(thread, &mut before));
        expect!(before, 1);
        status!(NtResumeThread(thread, &mut before));
        expect!(before, 2);
        let now = 0i64;
        status!(NtWaitForSingleObject(thread, false, &now), TIMEOUT);
        expect!(GOT.load(Ordering::SeqCst), 0);
        status!(NtResumeThread(thread, &mut before));
        expect!(before, 1);
        join(thread)?;
        expect!(GOT.load(Ordering::SeqCst), 5);
        Ok(())
    }

    fn a_thread_that_is_suspended_can_be_ended() -> Outcome {
        GOT.store(0, Ordering::SeqCst);
        let thread = spawn_with(keeps_its_argument, 5, SUSPENDED)?;
        status!(NtTerminateThread(thread, NtStatus(9)));
        status!(NtWaitForSingleObject(thread, false, NULL));
        expect!(GOT.load(Ordering::SeqCst), 0);
        status!(NtSuspendThread(thread, NULL), THREAD_IS_TERMINATING);
        status!(NtClose(thread));
        Ok(())
    }

    static RAN: AtomicU32 = AtomicU32::new(0);
    static SUM: AtomicU64 = AtomicU64::new(0);

    extern "C" fn apc(first: u64, second: u64, third: u64) {
        RAN.fetch_add(1, Ordering::SeqCst);
        SUM.store(
            SUM.load(Ordering::SeqCst) * 10 + first + second + third,
            Ordering::SeqCst,
        );
    }

    fn queue(thread: u64, arguments: [u64; 3]) -> NtStatus {
        let routine = apc as extern "C" fn(u64, u64, u64) as usize as u64;
        let [first, second, third] = arguments;
        NtQueueApcThread(thread, routine, first, second, third)
    }

    static STARTED: AtomicU32 = AtomicU32::new(0);

    extern "C" fn waits_alertably(_: u64) -> u32 {
        STARTED.store(1, Ordering::SeqCst);
        let for_ever = i64::MIN;
        NtDelayExecution(true, &for_ever).0
    }

    fn an_apc_ends_an_alertable_wait() -> Outcome {
        RAN.store(0, Ordering::SeqCst);
        SUM.store(0, Ordering::SeqCst);
        STARTED.store(0, Ordering::SeqCst);
        let thread = spawn(waits_alertably, 0)?;
        // With ntdll's own beginning of threads an APC that is queued before runs there, and ends no wait.
        while STARTED.load(Ordering::SeqCst) == 0 {
            NtYieldExecution();
        }
        status!(queue(thread, [100, 20, 3]));
        join(thread)?;
        expect!(RAN.load(Ordering::SeqCst), 1);
        expect!(SUM.load(Ordering::SeqCst), 123);
        Ok(())
    }

    fn an_apc_waits_for_an_alertable_wait() -> Outcome {
        RAN.store(0, Ordering::SeqCst);
        status!(queue(CURRENT_THREAD.0, [1, 0, 0]));
        let now = 0i64;
        let event = event()?;
        status!(NtWaitForSingleObject(event, false, &now), TIMEOUT);
        expect!(RAN.load(Ordering::SeqCst), 0);
        status!(NtWaitForSingleObject(event, true, &now), USER_APC);
        expect!(RAN.load(Ordering::SeqCst), 1);
        status!(NtClose(event));
        Ok(())
    }

    fn a_thread_is_opened_by_its_id() -> Outcome {
        let thread = spawn_with(keeps_its_argument, 5, SUSPENDED)?;
        let mut basic = ThreadBasicInformation::new_zeroed();
        status!(NtQueryInformationThread(
            thread,
            ThreadInformationClass(0),
            &mut basic,
            size_of::<ThreadBasicInformation>() as u32,
            NULL
        ));
        let id = basic.client_id;
        let resume = AccessMask::THREAD_SUSPEND_RESUME;
        let (mut opened, mut unnamed) = (0u64, Named::unnamed());
        let mut open = |id: &ClientId, attributes: Address| {
            let status = NtOpenThread(&mut opened, resume, attributes, id);
            (status, core::mem::take(&mut opened))
        };
        let attributes = Address(address_of(unnamed.get()));
        // The thread's number is enough, but the process's must not be another's.
        for unique_process in [id.unique_process, 0] {
            let (status, handle) = open(
                &ClientId {
                    unique_process,
                    ..id
                },
                attributes,
            );
            status!(status);
            status!(NtCompareObjects(handle, thread));
            status!(NtTerminateThread(handle, NtStatus(0)), ACCESS_DENIED);
            status!(NtClose(handle));
        }
        // What Wine's server has for a number that is nobody's.
        for wrong in [
            ClientId {
                unique_process: id.unique_process + 4,
                ..id
            },
            ClientId {
                unique_thread: 0x7FFF_FFF0,
                ..id
            },
            // A process's number is no thread's.
            ClientId {
                unique_thread: id.unique_process,
                unique_process: 0,
            },
        ] {
            status!(open(&wrong, attributes).0, INVALID_CID);
        }
        let mut named = Named::new("\\BaseNamedObjects\\Thread");
        let named = Address(address_of(named.get()));
        status!(open(&id, named).0, INVALID_PARAMETER_MIX);
        status!(
            NtOpenThread(&mut 0u64, resume, attributes, NULL),
            INVALID_PARAMETER_MIX
        );
        status!(
            NtOpenThread(NULL, resume, attributes, &id),
            ACCESS_VIOLATION
        );
        status!(NtOpenThread(&mut 0u64, resume, NULL, &id), ACCESS_VIOLATION);
        status!(NtResumeThread(thread, NULL));
        join(thread)
    }

    /// The older service has no flags: the handle 1 stands for the special APC.
    fn a_reserved_apc_needs_no_more_words() -> Outcome {
        let routine = apc as extern "C" fn(u64, u64, u64) as usize as u64;
        let queue = |thread: Handle, reserve: u64| {
            NtQueueApcThreadEx(thread, reserve, routine, 100u64, 20u64, 3u64)
        };
        RAN.store(0, Ordering::SeqCst);
        SUM.store(0, Ordering::SeqCst);
        status!(queue(CURRENT_THREAD, 0));
        expect!(RAN.load(Ordering::SeqCst), 0);
        status!(NtTestAlert());
        expect!(RAN.load(Ordering::SeqCst), 1);
        expect!(SUM.load(Ordering::SeqCst), 123);
        status!(queue(CURRENT_THREAD, 1));
        expect!(RAN.load(Ordering::SeqCst), 2);
        status!(queue(Handle(0), 0), INVALID_HANDLE);
        status!(queue(CURRENT_PROCESS, 0), OBJECT_TYPE_MISMATCH);
        // Memory that was reserved would be an object of its own type, which this is not.
        let event = event()?;
        status!(queue(CURRENT_THREAD, event), OBJECT_TYPE_MISMATCH);
        status!(NtClose(event));
        expect!(RAN.load(Ordering::SeqCst), 2);
        Ok(())
    }

    fn a_special_apc_does_not_wait() -> Outcome {
        RAN.store(0, Ordering::SeqCst);
        let routine = apc as extern "C" fn(u64, u64, u64) as usize as u64;
        status!(NtQueueApcThreadEx2(
            CURRENT_THREAD,
            0u64,
            1u32,
            routine,
            1u64,
            0u64,
            0u64
        ));
        expect!(RAN.load(Ordering::SeqCst), 1);
        Ok(())
    }

    fn apcs_run_in_their_order() -> Outcome {
        SUM.store(0, Ordering::SeqCst);
        for number in 1..=4 {
            status!(queue(CURRENT_THREAD.0, [number, 0, 0]));
        }
        let now = 0i64;
        status!(NtDelayExecution(true, &now), USER_APC);
        expect!(SUM.load(Ordering::SeqCst), 1234);
        Ok(())
    }

    static CODE: AtomicU32 = AtomicU32::new(0);
    static ADDRESS: AtomicU64 = AtomicU64::new(0);
    static ACCESS: AtomicU64 = AtomicU64::new(9);

    /// Keeps what happened, and lets the thread end.
    fn notes_and_ends(record: &ExceptionRecord, context: &mut Context) -> Disposition {
        CODE.store(record.exception_code, Ordering::SeqCst);
        ACCESS.store(record.exception_information[0], Ordering::SeqCst);
        ADDRESS.store(record.exception_information[1], Ordering::SeqCst);
        test_programs::threads::continue_at(context, ends_well);
        Disposition::Continue
    }

    extern "C" fn ends_well(_: u64) -> u32 {
        test_programs::threads::exit_thread(1)
    }

    extern "C" fn jumps_to(address: u64) -> u32 {
        test_programs::threads::jump(address)
    }

    fn an_access_violation_says_where() -> Outcome {
        set_exception_handler(notes_and_ends);
        join(spawn(jumps_to, 0x1230)?)?;
        expect!(
            NtStatus(CODE.load(Ordering::SeqCst)),
            NtStatus::ACCESS_VIOLATION
        );
        expect!(ADDRESS.load(Ordering::SeqCst), 0x1230);
        expect!(ACCESS.load(Ordering::SeqCst), 8);
        Ok(())
    }

    extern "C" fn raises(code: u64) -> u32 {
        let mut context = Context::default();
        test_programs::threads::full(&mut context);
        let mut record = ExceptionRecord {
            exception_code: (code & 0xFFFF_FFFF) as u32,
            number_parameters: 2,
            ..ExceptionRecord::default()
        };
        record.exception_information[0] = 11;
        record.exception_information[1] = 22;
        if NtGetContextThread(CURRENT_THREAD, &mut context) == NtStatus::SUCCESS {
            NtRaiseException(&record, &context, true);
        }
        0
    }

    fn an_exception_can_be_raised() -> Outcome {
        set_exception_handler(notes_and_ends);
        join(spawn(raises, 0xE000_0001)?)?;
        expect!(CODE.load(Ordering::SeqCst), 0xE000_0001);
        expect!(ACCESS.load(Ordering::SeqCst), 11);
        expect!(ADDRESS.load(Ordering::SeqCst), 22);
        Ok(())
    }

    fn registers_of_another_thread_can_be_read() -> Outcome {
        GOT.store(0, Ordering::SeqCst);
        let thread = spawn_with(keeps_its_argument, 1, SUSPENDED)?;
        let mut context = Context::default();
        test_programs::threads::full(&mut context);
        status!(NtGetContextThread(thread, &mut context));
        // It begins where every thread does, with its routine as the first argument.
        expect!(
            test_programs::threads::first_argument(&context),
            address(keeps_its_argument).0
        );
        // Changed to another routine it begins with that one.
        test_programs::threads::set_first_argument(&mut context, address(keeps_its_teb).0);
        status!(NtSetContextThread(thread, &context));
        status!(NtResumeThread(thread, NULL));
        join(thread)?;
        holds!(GOT.load(Ordering::SeqCst) > 1);
        Ok(())
    }

    /// A `KCONTINUE_ARGUMENT`: type, flags, and what is reserved.
    const RESUME: [u32; 6] = [1, 0, 0, 0, 0, 0];
    const NO_SUCH_TYPE: [u32; 6] = [4, 0, 0, 0, 0, 0];

    extern "C" fn is_gone_on_with(argument: u64) -> u32 {
        GOT.store(argument, Ordering::SeqCst);
        exit_thread(0)
    }

    extern "C" fn goes_on(way: u64) -> u32 {
        let mut context = Context::default();
        full(&mut context);
        if NtGetContextThread(CURRENT_THREAD, &mut context) == NtStatus::SUCCESS {
            continue_at(&mut context, is_gone_on_with);
            set_first_argument(&mut context, 0xC0DE_0000_0000 + way);
            let status = match way {
                1 => NtContinue(&context, false),
                2 => NtContinue(&context, true),
                3 => NtContinueEx(&context, 0u64),
                _ => NtContinueEx(&context, RESUME.as_ptr() as usize as u64),
            };
            // It came back, and must not.
            GOT.store(u64::from(status.0), Ordering::SeqCst);
        }
        0
    }

    fn a_thread_goes_on_where_it_says() -> Outcome {
        for way in 1..=4 {
            GOT.store(0, Ordering::SeqCst);
            join(spawn(goes_on, way)?)?;
            expect!(GOT.load(Ordering::SeqCst), 0xC0DE_0000_0000 + way);
        }
        let kernel = Address(0xFFFF_8000_0000_0000);
        status!(NtContinue(kernel, false), ACCESS_VIOLATION);
        status!(NtContinueEx(kernel, 0u64), ACCESS_VIOLATION);
        let mut context = Context::default();
        full(&mut context);
        status!(NtGetContextThread(CURRENT_THREAD, &mut context));
        let wrong = NO_SUCH_TYPE.as_ptr() as usize as u64;
        status!(NtContinueEx(&context, wrong), INVALID_PARAMETER);
        status!(NtContinueEx(&context, kernel.0), ACCESS_VIOLATION);
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
