//! Completion ports.
//!
//! Expectations: the documentation of `CreateIoCompletionPort`, `PostQueuedCompletionStatus` and
//! `GetQueuedCompletionStatusEx`, and what Wine's tests of ntdll publish.
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
    use nt_abi::services::arguments::IoCompletionInformationClass;
    use nt_abi::w64::{FileIoCompletionInformation, IoStatusBlock};
    use test_programs::check::Outcome;
    use test_programs::names::Named;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        packets_come_in_the_order_in_which_they_were_put,
        an_empty_port_is_waited_for,
        several_packets_come_at_once,
        a_port_is_signalled_while_it_has_packets,
        a_port_tells_its_depth,
        a_port_has_a_name,
        services_of_ports_ask_for_rights,
        services_of_ports_refuse_what_is_wrong,
    }

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
    const NOW: i64 = 0;

    fn port() -> u64 {
        let mut port = 0u64;
        let all = AccessMask::IO_COMPLETION_ALL_ACCESS;
        let status = NtCreateIoCompletion(&mut port, all, NULL, 0u32);
        assert!(status.is_success(), "{status}");
        port
    }

    fn put(port: u64, number: u64) -> NtStatus {
        NtSetIoCompletion(
            port,
            number,
            number + 1,
            NtStatus::INVALID_DEVICE_REQUEST,
            number + 2,
        )
    }

    /// Takes a packet: its key, its value, its status, its information.
    fn take(port: u64) -> Result<(u64, u64, u32, u64), NtStatus> {
        let (mut key, mut value, mut block) = (0u64, 0u64, IoStatusBlock::default());
        match NtRemoveIoCompletion(port, &mut key, &mut value, &mut block, &NOW) {
            NtStatus::SUCCESS => Ok((key, value, block.status, block.information)),
            other => Err(other),
        }
    }

    fn packets_come_in_the_order_in_which_they_were_put() -> Outcome {
        let port = port();
        for number in 0..300u64 {
            status!(put(port, number * 10));
        }
        let status = NtStatus::INVALID_DEVICE_REQUEST.0;
        for number in (0..300u64).map(|number| number * 10) {
            expect!(take(port), Ok((number, number + 1, status, number + 2)));
        }
        expect!(take(port), Err(NtStatus::TIMEOUT));
        status!(NtClose(port));
        Ok(())
    }

    fn an_empty_port_is_waited_for() -> Outcome {
        let port = port();
        let (mut before, mut after) = (0i64, 0i64);
        let (mut key, mut value, mut block) = (0u64, 0u64, IoStatusBlock::default());
        let soon = -200_000i64;
        status!(NtQuerySystemTime(&mut before));
        status!(
            NtRemoveIoCompletion(port, &mut key, &mut value, &mut block, &soon),
            TIMEOUT
        );
        status!(NtQuerySystemTime(&mut after));
        holds!(after - before + 2 >= 200_000);
        status!(NtClose(port));
        Ok(())
    }

    fn several_packets_come_at_once() -> Outcome {
        let port = port();
        let mut packets = [FileIoCompletionInformation::default(); 4];
        let mut count = 9u32;
        for number in 1..=6u64 {
            status!(put(port, number));
        }
        for (wanted, first, came) in [(4u32, 1, 4), (4, 5, 2)] {
            status!(NtRemoveIoCompletionEx(
                port,
                &mut packets,
                wanted,
                &mut count,
                &NOW,
                false
            ));
            expect!(count, came);
            for (packet, number) in packets[..came as usize].iter().zip(first..) {
                expect!(packet.key_context, number);
                expect!(packet.apc_context, number + 1);
                expect!(packet.io_status_block.information, number + 2);
            }
        }
        status!(
            NtRemoveIoCompletionEx(port, &mut packets, 4u32, &mut count, &NOW, false),
            TIMEOUT
        );
        holds!(count <= 1);
        status!(
            NtRemoveIoCompletionEx(port, &mut packets, 0u32, &mut count, &NOW, false),
            INVALID_PARAMETER
        );
        // An alert ends an alertable wait and no other.
        status!(NtAlertThread(CURRENT_THREAD));
        status!(
            NtRemoveIoCompletionEx(port, &mut packets, 4u32, &mut count, &NOW, false),
            TIMEOUT
        );
        status!(
            NtRemoveIoCompletionEx(port, &mut packets, 4u32, &mut count, NULL, true),
            ALERTED
        );
        status!(NtClose(port));
        Ok(())
    }

    fn a_port_is_signalled_while_it_has_packets() -> Outcome {
        let port = port();
        status!(NtWaitForSingleObject(port, false, &NOW), TIMEOUT);
        status!(put(port, 1));
        status!(put(port, 2));
        // To wait takes nothing.
        for _ in 0..3 {
            status!(NtWaitForSingleObject(port, false, &NOW), WAIT_0);
        }
        holds!(take(port).is_ok());
        status!(NtWaitForSingleObject(port, false, &NOW), WAIT_0);
        holds!(take(port).is_ok());
        status!(NtWaitForSingleObject(port, false, &NOW), TIMEOUT);
        status!(NtClose(port));
        Ok(())
    }

    const BASIC: IoCompletionInformationClass = IoCompletionInformationClass(0);

    fn a_port_tells_its_depth() -> Outcome {
        let (port, mut depth, mut length) = (port(), -1i32, 0u32);
        for number in 0..3i32 {
            status!(NtQueryIoCompletion(
                port,
                BASIC,
                &mut depth,
                4u32,
                &mut length
            ));
            expect!((depth, length), (number, 4));
            status!(put(port, 1));
        }
        status!(
            NtQueryIoCompletion(
                port,
                IoCompletionInformationClass(1),
                &mut depth,
                4u32,
                NULL
            ),
            INVALID_INFO_CLASS
        );
        status!(
            NtQueryIoCompletion(port, BASIC, &mut depth, 3u32, NULL),
            INFO_LENGTH_MISMATCH
        );
        status!(
            NtQueryIoCompletion(port, BASIC, KERNEL, 4u32, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtQueryIoCompletion(0u64, BASIC, &mut depth, 4u32, NULL),
            INVALID_HANDLE
        );
        status!(NtClose(port));
        Ok(())
    }

    fn a_port_has_a_name() -> Outcome {
        let (mut first, mut second) = (0u64, 0u64);
        let all = AccessMask::IO_COMPLETION_ALL_ACCESS;
        let mut name = Named::new("\\BaseNamedObjects\\ConformancePort");
        status!(NtCreateIoCompletion(&mut first, all, name.get(), 1u32));
        status!(
            NtCreateIoCompletion(&mut second, all, name.get(), 1u32),
            OBJECT_NAME_COLLISION
        );
        status!(NtOpenIoCompletion(&mut second, all, name.get()));
        status!(put(second, 7));
        expect!(take(first).map(|packet| packet.0), Ok(7));
        status!(NtClose(first));
        status!(put(second, 8));
        status!(NtClose(second));
        status!(
            NtOpenIoCompletion(&mut second, all, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        Ok(())
    }

    fn services_of_ports_ask_for_rights() -> Outcome {
        let (mut port, mut depth) = (0u64, 0i32);
        let access = AccessMask::IO_COMPLETION_QUERY_STATE;
        status!(NtCreateIoCompletion(&mut port, access, NULL, 0u32));
        status!(put(port, 1), ACCESS_DENIED);
        expect!(take(port), Err(NtStatus::ACCESS_DENIED));
        status!(NtQueryIoCompletion(port, BASIC, &mut depth, 4u32, NULL));
        status!(NtClose(port));
        let access = AccessMask::IO_COMPLETION_MODIFY_STATE;
        status!(NtCreateIoCompletion(&mut port, access, NULL, 0u32));
        status!(
            NtQueryIoCompletion(port, BASIC, &mut depth, 4u32, NULL),
            ACCESS_DENIED
        );
        status!(put(port, 1));
        holds!(take(port).is_ok());
        status!(NtClose(port));
        Ok(())
    }

    fn services_of_ports_refuse_what_is_wrong() -> Outcome {
        let port = port();
        status!(put(port, 1));
        let (mut key, mut value, mut block) = (0u64, 0u64, IoStatusBlock::default());
        for bad in [NULL, KERNEL] {
            status!(
                NtRemoveIoCompletion(port, bad, &mut value, &mut block, &NOW),
                ACCESS_VIOLATION
            );
            status!(
                NtRemoveIoCompletion(port, &mut key, bad, &mut block, &NOW),
                ACCESS_VIOLATION
            );
            status!(
                NtRemoveIoCompletion(port, &mut key, &mut value, bad, &NOW),
                ACCESS_VIOLATION
            );
        }
        status!(
            NtRemoveIoCompletion(port, &mut key, &mut value, &mut block, KERNEL),
            ACCESS_VIOLATION
        );
        // Nothing was taken.
        holds!(take(port).is_ok());
        for bad in [0u64, 0x7777_7770] {
            status!(put(bad, 1), INVALID_HANDLE);
            expect!(take(bad), Err(NtStatus::INVALID_HANDLE));
        }
        let all = AccessMask::IO_COMPLETION_ALL_ACCESS;
        status!(
            NtCreateIoCompletion(KERNEL, all, NULL, 0u32),
            ACCESS_VIOLATION
        );
        let mut event = 0u64;
        status!(NtCreateSemaphore(
            &mut event,
            AccessMask::SEMAPHORE_ALL_ACCESS,
            NULL,
            0i32,
            1i32
        ));
        status!(put(event, 1), OBJECT_TYPE_MISMATCH);
        status!(NtClose(event));
        status!(NtClose(port));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
