//! Objects: what they say of themselves, the types that there are, permanence.
//!
//! Expectations: the documentation of `NtQueryObject` and `ZwMakeTemporaryObject`, and what Wine's tests of ntdll publish.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::access::AccessMask;
    use nt_abi::object_information::{ObjectBasicInformation, ObjectHandleFlagInformation};
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::services::arguments::{EventType, ObjectInformationClass};
    use nt_abi::w64::{ObjectTypeInformation, UnicodeString};
    use test_programs::buffer::Buffer;
    use test_programs::check::{Failed, Outcome};
    use test_programs::names::Named;
    use test_programs::objects::{basic, copy, event};
    use test_programs::services::*;
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        a_handle_tells_rights_and_counts,
        an_object_tells_its_name,
        an_object_tells_its_type,
        all_types_are_told,
        every_type_can_be_made_and_its_counts_return,
        queries_refuse_what_is_wrong,
        an_object_keeps_its_name_while_it_is_permanent,
    }

    const BASIC: ObjectInformationClass = ObjectInformationClass(0);

    const NAME: ObjectInformationClass = ObjectInformationClass(1);

    const TYPE: ObjectInformationClass = ObjectInformationClass(2);

    const TYPES: ObjectInformationClass = ObjectInformationClass(3);

    const HANDLE_FLAG: ObjectInformationClass = ObjectInformationClass(4);

    const NOTIFICATION: EventType = EventType(0);

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    const ALL: AccessMask = AccessMask::EVENT_ALL_ACCESS;

    fn a_handle_tells_rights_and_counts() -> Outcome {
        let event = event()?;
        let told = basic(event)?;
        expect!(told.granted_access, ALL);
        expect!(told.handle_count, 1);
        expect!(told.name_info_size, 0);
        holds!(told.attributes.is_empty());
        let second = copy(event, AccessMask::SYNCHRONIZE, 2, 0)?;
        let told = basic(second)?;
        expect!(told.granted_access, AccessMask::SYNCHRONIZE);
        expect!(told.handle_count, 2);
        expect!(told.attributes, ObjectAttributeFlags::INHERIT);
        status!(NtClose(second));
        expect!(basic(event)?.handle_count, 1);
        status!(NtClose(event));
        Ok(())
    }

    fn an_object_tells_its_name() -> Outcome {
        let path = "\\BaseNamedObjects\\om.c-test";
        let mut name = Named::new(path);
        let mut handle = 0u64;
        status!(NtCreateEvent(
            &mut handle,
            ALL,
            name.get(),
            NOTIFICATION,
            false
        ));
        let mut answer = Buffer::<256>::new();
        let mut length = 0u32;
        let needed = (16 + 2 * path.len() + 2) as u32;
        status!(
            NtQueryObject(handle, NAME, NULL, 0u32, &mut length),
            INFO_LENGTH_MISMATCH
        );
        expect!(length, needed);
        length = 0;
        status!(
            NtQueryObject(handle, NAME, &mut answer.0, 16u32, &mut length),
            BUFFER_OVERFLOW
        );
        expect!(length, needed);
        status!(NtQueryObject(
            handle,
            NAME,
            &mut answer.0,
            needed,
            &mut length
        ));
        expect!(length, needed);
        let string: UnicodeString = answer.at(0);
        expect!(usize::from(string.length), 2 * path.len());
        expect!(string.maximum_length, string.length + 2);
        holds!(answer.says(&string, path));
        status!(NtClose(handle));
        let nameless = event()?;
        status!(NtQueryObject(
            nameless,
            NAME,
            &mut answer.0,
            256u32,
            &mut length
        ));
        expect!(length, 16);
        let string: UnicodeString = answer.at(0);
        expect!(
            (string.length, string.maximum_length, string.buffer),
            (0, 0, 0)
        );
        status!(NtClose(nameless));
        Ok(())
    }

    fn an_object_tells_its_type() -> Outcome {
        let event = event()?;
        let mut answer = Buffer::<256>::new();
        let mut length = 0u32;
        status!(
            NtQueryObject(event, TYPE, NULL, 0u32, &mut length),
            INFO_LENGTH_MISMATCH
        );
        expect!(length, 0x78);
        status!(NtQueryObject(
            event,
            TYPE,
            &mut answer.0,
            256u32,
            &mut length
        ));
        let told: ObjectTypeInformation = answer.at(0);
        holds!(answer.says(&told.type_name, "Event"));
        expect!(told.valid_access_mask, ALL);
        expect!(told.generic_mapping.generic_read, AccessMask(0x0002_0001));
        expect!(told.generic_mapping.generic_write, AccessMask(0x0002_0002));
        expect!(
            told.generic_mapping.generic_execute,
            AccessMask(0x0012_0000)
        );
        expect!(told.generic_mapping.generic_all, ALL);
        expect!(told.invalid_attributes, ObjectAttributeFlags::OPENLINK);
        holds!(told.total_number_of_objects >= 1);
        holds!(told.high_water_number_of_handles >= told.total_number_of_handles);
        status!(NtClose(event));
        Ok(())
    }

    /// Does something with each type that is told.
    fn each_type(mut with: impl FnMut(&str, &ObjectTypeInformation)) -> Result<u32, Failed> {
        let mut answer = Buffer::<16384>::new();
        let mut length = 0u32;
        status!(NtQueryObject(
            0u64,
            TYPES,
            &mut answer.0,
            16384u32,
            &mut length
        ));
        let count: u32 = answer.at(0);
        let mut at = 8;
        for _ in 0..count {
            let told: ObjectTypeInformation = answer.at(at);
            let text = answer.offset_of(told.type_name.buffer);
            expect!(text, at + 0x68);
            let mut name = [0u8; 40];
            let letters = usize::from(told.type_name.length / 2);
            for (slot, index) in name.iter_mut().zip(0..letters) {
                *slot = answer.0[text + 2 * index];
            }
            with(core::str::from_utf8(&name[..letters]).unwrap_or(""), &told);
            at = (text + usize::from(told.type_name.maximum_length)).next_multiple_of(8);
        }
        expect!(at as u32, length);
        Ok(count)
    }

    /// The types that the kernel can make objects of so far; Windows has more.
    const KNOWN: [&str; 14] = [
        "Type",
        "Directory",
        "SymbolicLink",
        "Token",
        "Process",
        "Thread",
        "Event",
        "Mutant",
        "Semaphore",
        "Timer",
        "KeyedEvent",
        "Section",
        "Job",
        "IoCompletion",
    ];

    fn all_types_are_told() -> Outcome {
        let mut length = 0u32;
        status!(
            NtQueryObject(0u64, TYPES, NULL, 0u32, &mut length),
            INFO_LENGTH_MISMATCH
        );
        let mut found = 0;
        let mut index = 1;
        let mut in_order = true;
        let count = each_type(|name, told| {
            found += KNOWN.iter().filter(|known| **known == name).count();
            in_order &= told.type_index == index + 1;
            index += 1;
        })?;
        expect!(found, KNOWN.len());
        // A new type of ours is to be added here, and to those that come and go; Windows has more.
        holds!(count as usize == KNOWN.len() || cfg!(feature = "reference"));
        holds!(in_order);
        holds!(length > count * 0x68);
        Ok(())
    }

    /// Objects and handles of a type.
    fn counts(of: &str) -> Result<(u32, u32), Failed> {
        let mut counts = (0, 0);
        each_type(|name, told| {
            if name == of {
                counts = (told.total_number_of_objects, told.total_number_of_handles);
            }
        })?;
        Ok(counts)
    }

    /// Makes something and closes it: the counts go up by one and come back.
    fn comes_and_goes(kind: &str, make: impl FnOnce(&mut u64) -> nt_abi::NtStatus) -> Outcome {
        let before = counts(kind)?;
        let mut handle = 0u64;
        status!(make(&mut handle));
        let (objects, handles) = counts(kind)?;
        expect!((kind, objects, handles), (kind, before.0 + 1, before.1 + 1));
        status!(NtClose(handle));
        expect!((kind, counts(kind)?), (kind, before));
        Ok(())
    }

    fn every_type_can_be_made_and_its_counts_return() -> Outcome {
        use nt_abi::services::arguments::{TimerType, TokenType};
        comes_and_goes("Event", |handle| {
            NtCreateEvent(handle, ALL, NULL, NOTIFICATION, false)
        })?;
        comes_and_goes("Mutant", |handle| {
            NtCreateMutant(handle, AccessMask::MUTANT_ALL_ACCESS, NULL, false)
        })?;
        comes_and_goes("Semaphore", |handle| {
            NtCreateSemaphore(handle, AccessMask::SEMAPHORE_ALL_ACCESS, NULL, 0, 1)
        })?;
        comes_and_goes("Timer", |handle| {
            NtCreateTimer(handle, AccessMask::TIMER_ALL_ACCESS, NULL, TimerType(0))
        })?;
        comes_and_goes("KeyedEvent", |handle| {
            NtCreateKeyedEvent(handle, AccessMask::KEYEDEVENT_ALL_ACCESS, NULL, 0u32)
        })?;
        comes_and_goes("Directory", |handle| {
            NtCreateDirectoryObject(handle, AccessMask::DIRECTORY_ALL_ACCESS, NULL)
        })?;
        let mut target = test_programs::names::Wide::new("\\Device");
        let target = target.counted();
        comes_and_goes("SymbolicLink", |handle| {
            let all = AccessMask::SYMBOLIC_LINK_ALL_ACCESS;
            NtCreateSymbolicLinkObject(handle, all, NULL, &target)
        })?;
        let mut token = 0u64;
        let all = AccessMask::TOKEN_ALL_ACCESS;
        status!(NtOpenProcessToken(CURRENT_PROCESS, all, &mut token));
        comes_and_goes("Token", |handle| {
            NtDuplicateToken(token, all, NULL, false, TokenType(1), handle)
        })?;
        status!(NtClose(token));
        comes_and_goes("Section", |handle| {
            let (all, size) = (AccessMask::SECTION_ALL_ACCESS, 4096i64);
            NtCreateSection(handle, all, NULL, &size, 4u32, 0x0800_0000u32, 0u64)
        })?;
        comes_and_goes("Job", |handle| {
            NtCreateJobObject(handle, AccessMask::JOB_OBJECT_ALL_ACCESS, NULL)
        })?;
        comes_and_goes("IoCompletion", |handle| {
            NtCreateIoCompletion(handle, AccessMask::IO_COMPLETION_ALL_ACCESS, NULL, 0u32)
        })?;
        processes_and_threads_come_and_go()
    }

    /// They are gone when whoever runs them has left them, which may be later than their end.
    fn processes_and_threads_come_and_go() -> Outcome {
        let before = [counts("Process")?, counts("Thread")?];
        let child = test_programs::processes::start(r"\??\C:\nothing.exe")?;
        expect!(counts("Process")?.1, before[0].1 + 1);
        expect!(counts("Thread")?.1, before[1].1 + 1);
        child.join()?;
        let pause = -100_000i64;
        for _ in 0..1000 {
            if [counts("Process")?, counts("Thread")?] == before {
                return Ok(());
            }
            status!(NtDelayExecution(false, &pause));
        }
        expect!([counts("Process")?, counts("Thread")?], before);
        Ok(())
    }

    fn queries_refuse_what_is_wrong() -> Outcome {
        let event = event()?;
        let mut told = ObjectBasicInformation::new_zeroed();
        let class = ObjectInformationClass(99);
        status!(
            NtQueryObject(event, class, &mut told, 0x38u32, NULL),
            INVALID_INFO_CLASS
        );
        status!(
            NtQueryObject(event, BASIC, &mut told, 0x37u32, NULL),
            INFO_LENGTH_MISMATCH
        );
        status!(
            NtQueryObject(event, BASIC, &mut told, 0u32, NULL),
            INFO_LENGTH_MISMATCH
        );
        status!(
            NtQueryObject(event, BASIC, NULL, 0x38u32, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtQueryObject(event, BASIC, KERNEL, 0x38u32, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtQueryObject(event, BASIC, Address(2), 0x38u32, NULL),
            DATATYPE_MISALIGNMENT
        );
        status!(
            NtQueryObject(event, BASIC, &mut told, 0x38u32, KERNEL),
            ACCESS_VIOLATION
        );
        status!(
            NtQueryObject(0u64, BASIC, &mut told, 0x38u32, NULL),
            INVALID_HANDLE
        );
        status!(
            NtQueryObject(event + 0x1000, BASIC, &mut told, 0x38u32, NULL),
            INVALID_HANDLE
        );
        let yes = ObjectHandleFlagInformation {
            inherit: 1,
            protect_from_close: 0,
        };
        status!(
            NtSetInformationObject(event, BASIC, &yes, 2u32),
            INVALID_INFO_CLASS
        );
        status!(
            NtSetInformationObject(event, HANDLE_FLAG, &yes, 1u32),
            INFO_LENGTH_MISMATCH
        );
        status!(
            NtSetInformationObject(event, HANDLE_FLAG, KERNEL, 2u32),
            ACCESS_VIOLATION
        );
        status!(
            NtSetInformationObject(0u64, HANDLE_FLAG, &yes, 2u32),
            INVALID_HANDLE
        );
        status!(NtClose(event));
        Ok(())
    }

    fn an_object_keeps_its_name_while_it_is_permanent() -> Outcome {
        let mut name = Named::new("\\BaseNamedObjects\\Permanent");
        let mut handle = 0u64;
        status!(NtCreateEvent(
            &mut handle,
            ALL,
            name.get(),
            NOTIFICATION,
            false
        ));
        status!(NtMakePermanentObject(handle));
        expect!(basic(handle)?.attributes, ObjectAttributeFlags::PERMANENT);
        status!(NtClose(handle));
        status!(NtOpenEvent(
            &mut handle,
            AccessMask::SYNCHRONIZE,
            name.get()
        ));
        status!(NtMakeTemporaryObject(handle), ACCESS_DENIED);
        status!(NtClose(handle));
        status!(NtOpenEvent(&mut handle, AccessMask::DELETE, name.get()));
        status!(NtMakeTemporaryObject(handle));
        status!(NtClose(handle));
        status!(
            NtOpenEvent(&mut handle, ALL, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
