//! What the whole system shares: atoms, identifiers, locales; and alerts of the own thread.
//!
//! Expectations: the documentation of `GlobalAddAtom`, `AllocateLocallyUniqueId` and `UuidCreate`, and what Wine's tests of
//! ntdll publish (`atom.c`, `sync.c`, `om.c`).
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
    use nt_abi::services::arguments::AtomInformationClass;
    use test_programs::check::Outcome;
    use test_programs::names::Wide;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        an_atom_is_counted,
        numbers_are_atoms,
        names_of_atoms_have_limits,
        an_atom_tells_its_name,
        a_name_that_does_not_fit_is_cut,
        atoms_are_listed,
        services_of_atoms_refuse_what_is_wrong,
        luids_differ,
        uuids_do_not_overlap,
        locales_are_told_and_changed,
        the_language_is_told_and_changed,
        a_hard_error_is_answered,
        there_is_no_auxiliary_counter,
        alerts_end_alertable_waits,
        an_alert_by_id_is_remembered_once,
        the_processor_has_a_number,
        a_string_is_shown,
    }

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
    const NOW: i64 = 0;
    const BASIC: AtomInformationClass = AtomInformationClass(0);
    const TABLE: AtomInformationClass = AtomInformationClass(1);

    fn bytes(name: &Wide) -> u32 {
        name.units().len() as u32 * 2
    }

    fn add(name: &str) -> Result<u16, NtStatus> {
        let (name, mut atom) = (Wide::new(name), 0u16);
        match NtAddAtom(name.units(), bytes(&name), &mut atom) {
            NtStatus::SUCCESS => Ok(atom),
            other => Err(other),
        }
    }

    fn find(name: &str) -> Result<u16, NtStatus> {
        let (name, mut atom) = (Wide::new(name), 0u16);
        match NtFindAtom(name.units(), bytes(&name), &mut atom) {
            NtStatus::SUCCESS => Ok(atom),
            other => Err(other),
        }
    }

    /// References, flags, length and name of an atom.
    #[derive(Clone, Copy)]
    struct Told {
        words: [u16; 3 + 256],
    }

    impl Told {
        fn of(atom: u16, room: u32) -> (NtStatus, Self) {
            let mut told = Self {
                words: [0x5555; 3 + 256],
            };
            let status = NtQueryInformationAtom(atom, BASIC, &mut told.words, room, NULL);
            (status, told)
        }

        fn references(&self) -> u16 {
            self.words[0]
        }
    }

    fn an_atom_is_counted() -> Outcome {
        let atom = match add("Conformance Atom") {
            Ok(atom) => atom,
            Err(status) => {
                status!(status);
                0
            }
        };
        holds!(atom >= 0xC000);
        expect!(add("CONFORMANCE atom"), Ok(atom));
        expect!(find("conformance ATOM"), Ok(atom));
        let (status, told) = Told::of(atom, 518);
        status!(status);
        expect!(told.references(), 2);
        status!(NtDeleteAtom(atom));
        expect!(find("Conformance Atom"), Ok(atom));
        status!(NtDeleteAtom(atom));
        expect!(
            find("Conformance Atom"),
            Err(NtStatus::OBJECT_NAME_NOT_FOUND)
        );
        status!(NtDeleteAtom(atom), INVALID_HANDLE);
        Ok(())
    }

    fn numbers_are_atoms() -> Outcome {
        expect!(add("#1"), Ok(1));
        expect!(find("#00001"), Ok(1));
        expect!(add("#49151"), Ok(0xBFFF));
        expect!(add("#0"), Err(NtStatus::INVALID_PARAMETER));
        expect!(add("#49152"), Err(NtStatus::INVALID_PARAMETER));
        let (status, told) = Told::of(123, 518);
        status!(status);
        // One reference, pinned, "#123".
        expect!(&told.words[..3], &[1, 1, 8][..]);
        expect!(
            &told.words[3..8],
            &[u16::from(b'#'), 0x31, 0x32, 0x33, 0][..]
        );
        status!(NtDeleteAtom(123u16));
        status!(Told::of(0, 518).0, INVALID_PARAMETER);
        let mut atom = 0u16;
        status!(NtAddAtom(Address(77), 0u32, &mut atom));
        expect!(atom, 77);
        Ok(())
    }

    fn names_of_atoms_have_limits() -> Outcome {
        expect!(add(""), Err(NtStatus::OBJECT_NAME_INVALID));
        let (long, mut atom) = ([u16::from(b'x'); 256], 0u16);
        status!(NtAddAtom(&long, 512u32, &mut atom), INVALID_PARAMETER);
        status!(NtAddAtom(&long, 510u32, &mut atom));
        let (status, told) = Told::of(atom, 518);
        status!(status);
        expect!(told.words[2], 510);
        expect!(&told.words[3 + 254..], &[u16::from(b'x'), 0][..]);
        status!(NtDeleteAtom(atom));
        Ok(())
    }

    fn an_atom_tells_its_name() -> Outcome {
        let Ok(atom) = add("Hello") else {
            return Err(test_programs::check::Failed);
        };
        let (mut words, mut length) = ([0x5555u16; 20], 0u32);
        status!(NtQueryInformationAtom(
            atom,
            BASIC,
            &mut words,
            40u32,
            &mut length
        ));
        expect!(&words[..3], &[1, 0, 10][..]);
        let letters = Wide::new("Hello");
        expect!(&words[3..8], letters.units());
        // A zero, and nothing behind it.
        expect!(&words[8..10], &[0, 0x5555][..]);
        expect!(length, 6 + 10 + 2);
        status!(NtDeleteAtom(atom));
        Ok(())
    }

    fn a_name_that_does_not_fit_is_cut() -> Outcome {
        let Ok(atom) = add("Hello") else {
            return Err(test_programs::check::Failed);
        };
        let (status, told) = Told::of(atom, 8);
        status!(status, BUFFER_TOO_SMALL);
        expect!(told.words[2], 10);
        let (status, told) = Told::of(atom, 10);
        status!(status);
        expect!(&told.words[2..6], &[2, u16::from(b'H'), 0, 0x5555][..]);
        status!(Told::of(atom, 5).0, INFO_LENGTH_MISMATCH);
        status!(NtDeleteAtom(atom));
        Ok(())
    }

    fn atoms_are_listed() -> Outcome {
        let (one, other) = (add("one of two"), add("two of two"));
        let (Ok(one), Ok(other)) = (one, other) else {
            return Err(test_programs::check::Failed);
        };
        let mut words = [0u16; 64];
        status!(NtQueryInformationAtom(
            0u16, TABLE, &mut words, 128u32, NULL
        ));
        let count = usize::from(words[0]);
        holds!((2..62).contains(&count));
        let listed = &words[2..2 + count];
        holds!(listed.contains(&one) && listed.contains(&other));
        status!(
            NtQueryInformationAtom(0u16, TABLE, &mut words, 3u32, NULL),
            INFO_LENGTH_MISMATCH
        );
        status!(NtDeleteAtom(one));
        status!(NtDeleteAtom(other));
        Ok(())
    }

    fn services_of_atoms_refuse_what_is_wrong() -> Outcome {
        let (name, mut atom) = (Wide::new("bad"), 0u16);
        status!(NtAddAtom(KERNEL, 6u32, &mut atom), ACCESS_VIOLATION);
        status!(NtFindAtom(KERNEL, 6u32, &mut atom), ACCESS_VIOLATION);
        status!(NtAddAtom(name.units(), 6u32, KERNEL), ACCESS_VIOLATION);
        // Nothing was added.
        expect!(find("bad"), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
        status!(
            NtAddAtomEx(name.units(), 6u32, &mut atom, 1u32),
            INVALID_PARAMETER
        );
        status!(NtAddAtomEx(name.units(), 6u32, &mut atom, 2u32));
        let mut words = [0u16; 64];
        let class = AtomInformationClass(2);
        status!(
            NtQueryInformationAtom(atom, class, &mut words, 128u32, NULL),
            INVALID_INFO_CLASS
        );
        status!(
            NtQueryInformationAtom(atom, BASIC, KERNEL, 128u32, NULL),
            ACCESS_VIOLATION
        );
        status!(NtDeleteAtom(atom));
        status!(Told::of(atom, 518).0, INVALID_HANDLE);
        Ok(())
    }

    fn luids_differ() -> Outcome {
        let mut last = 0u64;
        for _ in 0..100 {
            let mut luid = 0u64;
            status!(NtAllocateLocallyUniqueId(&mut luid));
            // The lower ones are well known: the system's logon session is 999.
            holds!(luid > 999 && luid > last);
            last = luid;
        }
        for bad in [NULL, KERNEL] {
            status!(NtAllocateLocallyUniqueId(bad), ACCESS_VIOLATION);
        }
        Ok(())
    }

    fn uuids_do_not_overlap() -> Outcome {
        let node = [1u8, 2, 3, 4, 5, 6];
        status!(NtSetUuidSeed(&node));
        let (mut time, mut range, mut sequence, mut seed) = (0u64, 0u32, 0u32, [0u8; 6]);
        let mut end = 0u64;
        for _ in 0..20 {
            let status = NtAllocateUuids(&mut time, &mut range, &mut sequence, &mut seed);
            if status == NtStatus::RETRY {
                continue;
            }
            status!(status);
            expect!(seed, node);
            holds!(range > 0 && time >= end && sequence <= 0x3FFF);
            end = time + u64::from(range);
        }
        holds!(end > 0);
        status!(
            NtAllocateUuids(KERNEL, &mut range, &mut sequence, &mut seed),
            ACCESS_VIOLATION
        );
        status!(NtSetUuidSeed(KERNEL), ACCESS_VIOLATION);
        Ok(())
    }

    fn locales_are_told_and_changed() -> Outcome {
        let mut locale = 0u32;
        for user in [false, true] {
            status!(NtQueryDefaultLocale(user, &mut locale));
            holds!(locale != 0);
            let before = locale;
            status!(NtSetDefaultLocale(user, 0x0407u32));
            status!(NtQueryDefaultLocale(user, &mut locale));
            expect!(locale, 0x0407);
            status!(NtSetDefaultLocale(user, before));
            status!(NtSetDefaultLocale(user, 0xF000_0409u32), INVALID_PARAMETER);
            status!(NtQueryDefaultLocale(user, KERNEL), ACCESS_VIOLATION);
        }
        Ok(())
    }

    fn the_language_is_told_and_changed() -> Outcome {
        let (mut before, mut language) = (0u16, 0u16);
        status!(NtQueryDefaultUILanguage(&mut before));
        holds!(before != 0);
        status!(NtSetDefaultUILanguage(0x0407u16));
        status!(NtQueryDefaultUILanguage(&mut language));
        expect!(language, 0x0407);
        status!(NtSetDefaultUILanguage(before));
        status!(NtQueryDefaultUILanguage(&mut language));
        expect!(language, before);
        status!(NtQueryInstallUILanguage(&mut language));
        holds!(language != 0);
        status!(NtQueryDefaultUILanguage(KERNEL), ACCESS_VIOLATION);
        status!(NtQueryInstallUILanguage(NULL), ACCESS_VIOLATION);
        Ok(())
    }

    fn a_hard_error_is_answered() -> Outcome {
        /// `OptionOk`, and one beyond the last.
        const OK: u32 = 1;
        const NO_OPTION: u32 = 9;
        let (error, values) = (NtStatus::DATA_ERROR, [1u64, 2, 3, 4, 5]);
        let mut response = 9u32;
        // `ResponseNotHandled`: nobody has said that hard errors are for him.
        status!(NtRaiseHardError(
            error,
            2u32,
            0u32,
            &values,
            OK,
            &mut response
        ));
        expect!(response, 1);
        let mut refused = |count: u32, option: u32, values: Address| {
            NtRaiseHardError(error, count, 0u32, values, option, &mut response)
        };
        status!(refused(5, OK, NULL), INVALID_PARAMETER_2);
        status!(refused(0, NO_OPTION, NULL), INVALID_PARAMETER_4);
        status!(refused(1, OK, KERNEL), ACCESS_VIOLATION);
        status!(
            NtRaiseHardError(error, 0u32, 0u32, NULL, OK, NULL),
            ACCESS_VIOLATION
        );
        Ok(())
    }

    fn there_is_no_auxiliary_counter() -> Outcome {
        let (counter, mut converted, mut error) = (1000u64, 7u64, 7u64);
        for from in [false, true] {
            status!(
                NtConvertBetweenAuxiliaryCounterAndPerformanceCounter(
                    from,
                    &counter,
                    &mut converted,
                    &mut error
                ),
                NOT_SUPPORTED
            );
        }
        expect!((converted, error), (7, 7));
        status!(
            NtConvertBetweenAuxiliaryCounterAndPerformanceCounter(
                false,
                KERNEL,
                &mut converted,
                NULL
            ),
            ACCESS_VIOLATION
        );
        status!(
            NtConvertBetweenAuxiliaryCounterAndPerformanceCounter(false, &counter, KERNEL, NULL),
            ACCESS_VIOLATION
        );
        Ok(())
    }

    fn alerts_end_alertable_waits() -> Outcome {
        status!(NtTestAlert());
        status!(NtAlertThread(CURRENT_THREAD));
        status!(NtTestAlert(), ALERTED);
        status!(NtTestAlert());
        let long = -600_000_000i64;
        status!(NtAlertThread(CURRENT_THREAD));
        status!(NtDelayExecution(false, &-1i64));
        status!(NtDelayExecution(true, &long), ALERTED);
        status!(NtAlertThread(CURRENT_THREAD));
        status!(NtWaitForKeyedEvent(0u64, 8u64, true, &long), ALERTED);
        let mut before = 9u32;
        status!(NtAlertResumeThread(CURRENT_THREAD, &mut before));
        expect!(before, 0);
        status!(NtDelayExecution(true, &long), ALERTED);
        status!(NtAlertThread(0u64), INVALID_HANDLE);
        status!(NtAlertThread(CURRENT_PROCESS), OBJECT_TYPE_MISMATCH);
        Ok(())
    }

    fn an_alert_by_id_is_remembered_once() -> Outcome {
        for bad in [0u64, 0xDEAD_BEEF, u64::MAX] {
            status!(NtAlertThreadByThreadId(bad), INVALID_CID);
            status!(NtAlertThreadByThreadIdEx(bad, NULL), INVALID_CID);
        }
        let soon = -10_000i64;
        status!(NtWaitForAlertByThreadId(0x123u64, &NOW), TIMEOUT);
        status!(NtWaitForAlertByThreadId(0x123u64, &soon), TIMEOUT);
        status!(NtWaitForAlertByThreadId(0u64, KERNEL), ACCESS_VIOLATION);
        let none = [0u64; 1];
        status!(
            NtAlertMultipleThreadByThreadId(&none, 0u32, NULL, 0u32),
            INVALID_PARAMETER
        );
        status!(
            NtAlertMultipleThreadByThreadId(&none, 1u32, NULL, 0u32),
            INVALID_CID
        );
        Ok(())
    }

    fn the_processor_has_a_number() -> Outcome {
        let mut number = [0xFFu8; 4];
        let status = NtGetCurrentProcessorNumberEx(&mut number);
        holds!(status.0 < 64);
        expect!(&number[..2], &[0, 0][..]);
        holds!(number[2] < 64);
        holds!(NtGetCurrentProcessorNumber().0 < 64);
        status!(NtGetCurrentProcessorNumberEx(KERNEL), ACCESS_VIOLATION);
        status!(NtFlushProcessWriteBuffers());
        Ok(())
    }

    fn a_string_is_shown() -> Outcome {
        let mut text = Wide::new("shown by NtDisplayString\n");
        let good = text.counted();
        status!(NtDisplayString(&good));
        let mut empty = Wide::new("");
        status!(NtDisplayString(&empty.counted()));
        let mut bad = text.counted();
        bad.buffer = KERNEL.0;
        status!(NtDisplayString(&bad), ACCESS_VIOLATION);
        for nowhere in [NULL, KERNEL] {
            status!(NtDisplayString(nowhere), ACCESS_VIOLATION);
        }
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
