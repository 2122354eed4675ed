//! Processes: making them, what they get, how they end.
//!
//! Expectations: the documentation of CreateProcess and TerminateProcess, and what Wine's tests of ntdll publish.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::process_creation::PsCreateState;
    use nt_abi::services::arguments::{EventType, ProcessInformationClass};
    use nt_abi::w64::{ProcessBasicInformation, SectionImageInformation};
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::names::Named;
    use test_programs::processes::{
        Child, Options, command_line, peb, start, start_with, try_start,
    };
    use test_programs::services::*;
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::program!(begin);

    /// Runs the checks, or plays the part that the command line says.
    fn begin() -> u32 {
        let mut words = command_line().split(|unit| *unit == u16::from(b' '));
        match words.nth(1) {
            Some(part) if same(part, "signals") => child_that_signals(),
            Some(part) if same(part, "waits") => child_that_waits(),
            Some(part) if same(part, "inherits") => child_that_inherits(),
            _ => test_programs::check::run(&[
                ("a_child_runs_and_ends", a_child_runs_and_ends),
                ("many_children_run_at_once", many_children_run_at_once),
                ("a_child_can_be_ended", a_child_can_be_ended),
                ("a_child_begins_suspended", a_child_begins_suspended),
                ("a_process_has_its_parameters", a_process_has_its_parameters),
                ("a_program_that_is_not_there", a_program_that_is_not_there),
                (
                    "a_process_is_opened_by_its_id",
                    a_process_is_opened_by_its_id,
                ),
                ("handles_are_inherited", handles_are_inherited),
                ("memory_of_a_child_is_written_and_read", memory_of_a_child),
                (
                    "a_process_is_made_of_a_section",
                    a_process_is_made_of_a_section,
                ),
                ("what_no_process_is_made_of", what_no_process_is_made_of),
            ]),
        }
    }

    fn same(units: &[u16], text: &str) -> bool {
        units.iter().copied().eq(text.encode_utf16())
    }

    const PROGRAM: &str = r"\??\C:\conformance_processes.exe";
    const EVENT: &str = r"\BaseNamedObjects\ConformanceProcesses";

    fn open_event() -> u64 {
        let mut event = 0u64;
        let mut name = Named::new(EVENT);
        match NtOpenEvent(&mut event, AccessMask::EVENT_ALL_ACCESS, name.get()) {
            NtStatus::SUCCESS => event,
            _ => 0,
        }
    }

    fn child_that_signals() -> u32 {
        NtSetEvent(open_event(), NULL).0
    }

    fn child_that_waits() -> u32 {
        let for_ever = i64::MIN;
        NtDelayExecution(false, &for_ever).0
    }

    /// The event of the parent has the number that the command line says, as its last word.
    fn child_that_inherits() -> u32 {
        let mut words = command_line().rsplit(|unit| *unit == u16::from(b' '));
        let number = words.next().map_or(0, |word| {
            word.iter().fold(0u64, |number, digit| {
                number * 10 + u64::from(digit.wrapping_sub(u16::from(b'0')))
            })
        });
        NtSetEvent(number, NULL).0
    }

    fn make_event(flags: u32) -> Result<u64, test_programs::check::Failed> {
        let mut event = 0u64;
        let flags = nt_abi::primitives::ObjectAttributeFlags::from_bits_retain(flags);
        let mut name = Named::new(EVENT).flags(flags);
        status!(NtCreateEvent(
            &mut event,
            AccessMask::EVENT_ALL_ACCESS,
            name.get(),
            EventType(0),
            false
        ));
        Ok(event)
    }

    fn a_child_runs_and_ends() -> Outcome {
        let event = make_event(0)?;
        let child = start_with(PROGRAM, "x signals", Options::default())?;
        status!(NtWaitForSingleObject(event, false, NULL));
        child.join()?;
        status!(NtClose(event));
        Ok(())
    }

    fn many_children_run_at_once() -> Outcome {
        let mut children = [Child::default(); 16];
        for child in &mut children {
            *child = start(r"\??\C:\nothing.exe")?;
        }
        for (index, child) in children.iter().enumerate() {
            for other in &children[..index] {
                holds!(child.id.unique_process != other.id.unique_process);
            }
        }
        for child in children {
            child.join()?;
        }
        Ok(())
    }

    fn a_child_can_be_ended() -> Outcome {
        let child = start_with(PROGRAM, "x waits", Options::default())?;
        status!(NtTerminateProcess(child.process, NtStatus(5)));
        status!(NtWaitForSingleObject(child.process, false, NULL));
        status!(
            NtTerminateProcess(child.process, NtStatus(5)),
            PROCESS_IS_TERMINATING
        );
        let mut thread = 0u64;
        status!(
            NtCreateThreadEx(
                &mut thread,
                AccessMask::THREAD_ALL_ACCESS,
                NULL,
                child.process,
                0x1_0000u64,
                0u64,
                0u32,
                0u64,
                0u64,
                0u64,
                NULL
            ),
            PROCESS_IS_TERMINATING
        );
        child.close()
    }

    fn a_child_begins_suspended() -> Outcome {
        let event = make_event(0)?;
        let options = Options {
            thread_flags: 1,
            ..Options::default()
        };
        let child = start_with(PROGRAM, "x signals", options)?;
        let now = 0i64;
        status!(NtWaitForSingleObject(event, false, &now), TIMEOUT);
        let mut before = 0u32;
        status!(NtResumeThread(child.thread, &mut before));
        expect!(before, 1);
        status!(NtWaitForSingleObject(event, false, NULL));
        child.join()?;
        status!(NtClose(event));
        Ok(())
    }

    fn a_process_has_its_parameters() -> Outcome {
        holds!(same(&command_line()[..21], "conformance_processes"));
        let peb = peb();
        expect!(peb.os_major_version, 10);
        holds!(peb.number_of_processors > 0);
        expect!(peb.mutant, u64::MAX);
        holds!(peb.image_base_address.is_multiple_of(0x1_0000));
        holds!(peb.image_base_address != 0);
        Ok(())
    }

    fn a_program_that_is_not_there() -> Outcome {
        let mut child = Child::default();
        let (status, state) = try_start(
            r"\??\C:\no_such_program.exe",
            "x",
            Options::default(),
            &mut child,
        );
        status!(status, OBJECT_NAME_NOT_FOUND);
        expect!(state, PsCreateState::FAIL_ON_FILE_OPEN);
        expect!(child.process, 0);
        Ok(())
    }

    fn a_process_is_opened_by_its_id() -> Outcome {
        let child = start_with(PROGRAM, "x waits", Options::default())?;
        let mut handle = 0u64;
        let id = nt_abi::w64::ClientId {
            unique_process: child.id.unique_process,
            unique_thread: 0,
        };
        let mut attributes = Named::unnamed();
        status!(NtOpenProcess(
            &mut handle,
            AccessMask::PROCESS_TERMINATE,
            attributes.get(),
            &id
        ));
        // The right to end it is not one to read its memory.
        let mut bytes = [0u8; 4];
        status!(
            NtReadVirtualMemory(handle, peb().image_base_address, &mut bytes, 4u64, NULL),
            ACCESS_DENIED
        );
        status!(NtTerminateProcess(handle, NtStatus(0)));
        status!(NtClose(handle));
        let nobody = nt_abi::w64::ClientId {
            unique_process: 0x7FFF_FFF0,
            unique_thread: 0,
        };
        status!(
            NtOpenProcess(
                &mut handle,
                AccessMask::PROCESS_TERMINATE,
                attributes.get(),
                &nobody
            ),
            INVALID_CID
        );
        status!(
            NtOpenProcess(&mut handle, AccessMask::PROCESS_TERMINATE, NULL, &id),
            ACCESS_VIOLATION
        );
        child.join()
    }

    fn handles_are_inherited() -> Outcome {
        /// `OBJ_INHERIT`.
        const INHERIT: u32 = 2;
        /// `PROCESS_CREATE_FLAGS_INHERIT_HANDLES`.
        const INHERIT_HANDLES: u32 = 4;
        let event = make_event(INHERIT)?;
        let mut text = [0u8; 24];
        let line = decimal("x inherits ", event, &mut text);
        let options = Options {
            process_flags: INHERIT_HANDLES,
            ..Options::default()
        };
        let child = start_with(PROGRAM, line, options)?;
        child.join()?;
        let now = 0i64;
        status!(NtWaitForSingleObject(event, false, &now));
        // Without the flag the child has no such handle.
        status!(NtResetEvent(event, NULL));
        start_with(PROGRAM, line, Options::default())?.join()?;
        status!(NtWaitForSingleObject(event, false, &now), TIMEOUT);
        status!(NtClose(event));
        Ok(())
    }

    /// A word, and a number behind it.
    fn decimal<'a>(front: &str, number: u64, text: &'a mut [u8; 24]) -> &'a str {
        text[..front.len()].copy_from_slice(front.as_bytes());
        let mut end = front.len();
        let mut unit = 1;
        while unit * 10 <= number {
            unit *= 10;
        }
        while unit > 0 {
            text[end] = b'0' + (number / unit % 10) as u8;
            end += 1;
            unit /= 10;
        }
        core::str::from_utf8(&text[..end]).unwrap_or_default()
    }

    fn memory_of_a_child() -> Outcome {
        let child = start_with(PROGRAM, "x waits", Options::default())?;
        let (mut base, mut size) = (0u64, 0x1000u64);
        status!(NtAllocateVirtualMemory(
            child.process,
            &mut base,
            0u64,
            &mut size,
            0x3000u32,
            4u32
        ));
        let bytes = *b"between processes";
        let mut count = 0u64;
        status!(NtWriteVirtualMemory(
            child.process,
            base,
            &bytes,
            bytes.len(),
            &mut count
        ));
        expect!(count, bytes.len() as u64);
        let mut back = [0u8; 17];
        status!(NtReadVirtualMemory(
            child.process,
            base,
            &mut back,
            17u64,
            &mut count
        ));
        expect!(back, bytes);
        status!(NtTerminateProcess(child.process, NtStatus(0)));
        status!(NtWaitForSingleObject(child.process, false, NULL));
        status!(
            NtReadVirtualMemory(child.process, base, &mut back, 17u64, &mut count),
            PROCESS_IS_TERMINATING
        );
        line(format_args!("       the child's page was at {base:#x}"));
        child.close()
    }

    /// An image section that holds a program which does nothing.
    fn nothing() -> Result<u64, Failed> {
        let mut section = 0u64;
        let mut name = Named::new(r"\KnownDlls\nothing.exe");
        let rights = AccessMask::SECTION_ALL_ACCESS;
        status!(NtOpenSection(&mut section, rights, name.get()));
        Ok(section)
    }

    fn basic(process: u64) -> Result<ProcessBasicInformation, Failed> {
        let mut basic = ProcessBasicInformation::new_zeroed();
        status!(NtQueryInformationProcess(
            process,
            ProcessInformationClass(0),
            &mut basic,
            size_of::<ProcessBasicInformation>() as u32,
            NULL
        ));
        Ok(basic)
    }

    /// The older services make a process that has its program, its PEB and no thread: that is its maker's to make.
    fn a_process_is_made_of_a_section() -> Outcome {
        const ALL: AccessMask = AccessMask::PROCESS_ALL_ACCESS;
        let section = nothing()?;
        let older = |handle: &mut u64| {
            let parent = CURRENT_PROCESS;
            NtCreateProcess(handle, ALL, NULL, parent, false, section, 0u64, 0u64)
        };
        let newer = |handle: &mut u64| {
            let parent = CURRENT_PROCESS;
            NtCreateProcessEx(handle, ALL, NULL, parent, 0u32, section, 0u64, 0u64, 0u32)
        };
        let makers: [&dyn Fn(&mut u64) -> NtStatus; 2] = [&older, &newer];
        for make in makers {
            let mut process = 0u64;
            status!(make(&mut process));
            let told = basic(process)?;
            expect!(told.exit_status, NtStatus::PENDING.0);
            holds!(told.peb_base_address != 0);
            holds!(told.unique_process_id != basic(CURRENT_PROCESS.0)?.unique_process_id);
            expect!(
                told.inherited_from_unique_process_id,
                basic(CURRENT_PROCESS.0)?.unique_process_id
            );
            let mut thread = 0u64;
            let all = AccessMask::THREAD_ALL_ACCESS;
            status!(
                NtGetNextThread(process, 0u64, all, 0u32, 0u32, &mut thread),
                NO_MORE_ENTRIES
            );
            let mut image = SectionImageInformation::new_zeroed();
            status!(NtQueryInformationProcess(
                process,
                ProcessInformationClass(37),
                &mut image,
                size_of::<SectionImageInformation>() as u32,
                NULL
            ));
            status!(NtCreateThreadEx(
                &mut thread,
                all,
                NULL,
                process,
                image.transfer_address,
                told.peb_base_address,
                0u32,
                0u64,
                0u64,
                0u64,
                NULL
            ));
            status!(NtWaitForSingleObject(process, false, NULL));
            expect!(basic(process)?.exit_status, 0);
            status!(NtClose(thread));
            status!(NtClose(process));
        }
        // Without a thread it does not run, but it can be ended.
        let mut process = 0u64;
        status!(newer(&mut process));
        let now = 0i64;
        status!(NtWaitForSingleObject(process, false, &now), TIMEOUT);
        status!(NtTerminateProcess(process, NtStatus(7)));
        status!(NtWaitForSingleObject(process, false, NULL));
        expect!(basic(process)?.exit_status, 7);
        status!(NtClose(process));
        status!(NtClose(section));
        Ok(())
    }

    fn what_no_process_is_made_of() -> Outcome {
        const ALL: AccessMask = AccessMask::PROCESS_ALL_ACCESS;
        const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
        let (section, event) = (nothing()?, make_event(0)?);
        let mut handle = 0u64;
        let mut make = |parent: u64, flags: u32, section: u64, debug: u64, token: u64| {
            NtCreateProcessEx(
                &mut handle,
                ALL,
                NULL,
                parent,
                flags,
                section,
                debug,
                token,
                0u32,
            )
        };
        let own = CURRENT_PROCESS.0;
        // Only the system's first process has no parent.
        status!(make(0, 0, section, 0, 0), INVALID_PARAMETER);
        status!(make(0xDEAC, 0, section, 0, 0), INVALID_HANDLE);
        status!(make(event, 0, section, 0, 0), OBJECT_TYPE_MISMATCH);
        status!(make(own, 0, event, 0, 0), OBJECT_TYPE_MISMATCH);
        status!(make(own, 0, section, event, 0), OBJECT_TYPE_MISMATCH);
        status!(make(own, 0, section, 0, event), OBJECT_TYPE_MISMATCH);
        status!(make(own, 1 << 31, section, 0, 0), INVALID_PARAMETER);
        // Data is no program.
        let (mut data, size) = (0u64, 0x1000i64);
        status!(NtCreateSection(
            &mut data,
            AccessMask::SECTION_ALL_ACCESS,
            NULL,
            &size,
            4u32,
            0x800_0000u32,
            0u64
        ));
        status!(make(own, 0, data, 0, 0), SECTION_NOT_IMAGE);
        for nowhere in [NULL, KERNEL] {
            let made = NtCreateProcess(nowhere, ALL, NULL, own, false, section, 0u64, 0u64);
            status!(made, ACCESS_VIOLATION);
        }
        for handle in [data, section, event] {
            status!(NtClose(handle));
        }
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
