//! Lines of calls whose memory is a list of pieces.

extern crate std;

use std::string::String;
use std::vec::Vec;

use super::*;
use zerocopy::FromZeros as _;

use crate::primitives::ObjectAttributeFlags;
use crate::services::by_name;

/// Pieces of memory, each at an address.
#[derive(Default)]
struct Pieces(Vec<(u64, Vec<u8>)>);

impl Pieces {
    fn with<T: IntoBytes + Immutable + ?Sized>(mut self, address: u64, value: &T) -> Self {
        self.0.push((address, value.as_bytes().to_vec()));
        self
    }

    fn with_text(self, address: u64, text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        self.with(address, units.as_slice())
    }
}

impl CallerMemory for Pieces {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        self.0.iter().any(|(start, bytes)| {
            let Some(offset) = address.checked_sub(*start) else {
                return false;
            };
            let found = usize::try_from(offset)
                .ok()
                .and_then(|offset| bytes.get(offset..)?.get(..into.len()));
            found.map(|found| into.copy_from_slice(found)).is_some()
        })
    }
}

fn line(name: &str, raw: &[u64], status: NtStatus, memory: &dyn CallerMemory) -> String {
    let service = by_name(name).expect("the table has it");
    let mut line = String::new();
    format_call(&mut line, service, raw, memory).expect("a string takes everything");
    format_results(&mut line, service, raw, status, memory).expect("a string takes everything");
    line
}

fn string(buffer: u64, units: u16) -> w64::UnicodeString {
    w64::UnicodeString {
        length: units * 2,
        maximum_length: units * 2,
        reserved: 0,
        buffer,
    }
}

#[test]
fn a_call_is_shown_with_its_arguments() {
    assert_eq!(
        line(
            "NtCreateEvent",
            &[0x1000, 0x1F_0003, 0, 1],
            NtStatus::ACCESS_VIOLATION,
            &NoMemory
        ),
        "NtCreateEvent(handle: out 0x1000, access: 0x1f0003, attributes: null, event_type: 1, initial_state: ?) \
         = STATUS_ACCESS_VIOLATION (0xc0000005)"
    );
}

#[test]
fn names_and_results_are_read_through_pointers() {
    let attributes = w64::ObjectAttributes {
        length: 0x30,
        root_directory: 8,
        object_name: 0x3000,
        attributes: ObjectAttributeFlags::CASE_INSENSITIVE,
        ..w64::ObjectAttributes::new_zeroed()
    };
    let memory = Pieces::default()
        .with(0x1000, &4u64)
        .with(0x2000, &attributes)
        .with(0x3000, &string(0x4000, 5))
        .with_text(0x4000, "\\A b\n");
    assert_eq!(
        line(
            "NtOpenEvent",
            &[0x1000, 1, 0x2000],
            NtStatus::SUCCESS,
            &memory
        ),
        "NtOpenEvent(handle: out 0x1000, access: 0x1, attributes: &{name \"\\A b\\n\", root 0x8, flags 0x40}) \
         = STATUS_SUCCESS (0x00000000), handle: 0x4"
    );
}

#[test]
fn numbers_are_shown_with_their_signs() {
    let memory = Pieces::default()
        .with(0x1000, &-10_000i64)
        .with(0x2000, &[4u64, u64::MAX])
        .with(0x3000, &-1i32);
    assert_eq!(
        line(
            "NtWaitForMultipleObjects",
            &[2, 0x2000, 1, 0, 0x1000],
            NtStatus::TIMEOUT,
            &memory
        ),
        "NtWaitForMultipleObjects(count: 0x2, handles: &[0x4, -1], wait_type: 1, alertable: false, \
         timeout: &-10000) = STATUS_TIMEOUT (0x00000102)"
    );
    assert_eq!(
        line(
            "NtReleaseSemaphore",
            &[4, u64::MAX, 0x3000],
            NtStatus::SUCCESS,
            &memory
        ),
        "NtReleaseSemaphore(semaphore: 0x4, release_count: -1, previous_count: out 0x3000) \
         = STATUS_SUCCESS (0x00000000), previous_count: -1"
    );
}

#[test]
fn a_failed_call_shows_no_result_but_a_length() {
    let memory = Pieces::default().with(0x1000, &0x30u32);
    let shown = line(
        "NtQueryInformationProcess",
        &[u64::MAX, 0, 0x2000, 8, 0x1000],
        NtStatus::INFO_LENGTH_MISMATCH,
        &memory,
    );
    assert!(
        shown.ends_with("(0xc0000004), return_length: 0x30"),
        "{shown}"
    );
    let shown = line(
        "NtSetEvent",
        &[4, 0x1000],
        NtStatus::INVALID_HANDLE,
        &memory,
    );
    assert!(shown.ends_with("(0xc0000008)"), "{shown}");
}

#[test]
fn what_is_too_long_or_leads_nowhere_is_cut() {
    let memory = Pieces::default()
        .with(0x1000, &string(0x4000, 200))
        .with_text(0x4000, &"x".repeat(200))
        .with(0x2000, &string(0x9000, 3))
        .with(0x3000, &[1u64; 9]);
    let shown = |address| line("NtDisplayString", &[address], NtStatus::SUCCESS, &memory);
    assert!(shown(0x1000).contains(&std::format!("&\"{}\"...)", "x".repeat(96))));
    assert!(shown(0x2000).contains("&6 bytes at 0x9000)"));
    assert!(shown(0x5000).contains("string: 0x5000)"));
    let many = line(
        "NtWaitForMultipleObjects",
        &[9, 0x3000, 0, 0, 0],
        NtStatus::SUCCESS,
        &memory,
    );
    assert!(many.contains("0x1, 0x1, ...]"), "{many}");
}
