//! What is expected is what Wine 8.0 answers, but for atoms that are pinned and are not there.

extern crate std;

use std::string::String;
use std::vec::Vec;

use super::*;

struct Table(Ptr<AtomTable>);

impl Table {
    fn new() -> Self {
        let mut table = 0;
        assert_eq!(
            RtlCreateAtomTable(0, Ptr::of(&mut table)),
            NtStatus::SUCCESS
        );
        Self(Ptr::new(table))
    }

    fn add(&self, name: &str) -> Result<u16, NtStatus> {
        let mut units: Vec<u16> = name.encode_utf16().chain([0]).collect();
        let mut atom = 0;
        match RtlAddAtomToAtomTable(self.0, Ptr::of(&mut units[0]), Ptr::of(&mut atom)) {
            NtStatus::SUCCESS => Ok(atom),
            status => Err(status),
        }
    }

    fn look_up(&self, name: &str) -> Result<u16, NtStatus> {
        let mut units: Vec<u16> = name.encode_utf16().chain([0]).collect();
        let mut atom = 0;
        match RtlLookupAtomInAtomTable(self.0, Ptr::of(&mut units[0]), Ptr::of(&mut atom)) {
            NtStatus::SUCCESS => Ok(atom),
            status => Err(status),
        }
    }

    /// References, pinned, the length that is said, the name.
    fn query(&self, atom: u16, room: u32) -> Result<(u32, u32, u32, String), NtStatus> {
        let (mut references, mut pinned, mut bytes) = (0, 0, room);
        let mut name = [0xCCCC; 300];
        let status = RtlQueryAtomInAtomTable(
            self.0,
            atom,
            Ptr::of(&mut references),
            Ptr::of(&mut pinned),
            Ptr::of(&mut name[0]),
            Ptr::of(&mut bytes),
        );
        if status == NtStatus::BUFFER_TOO_SMALL {
            assert_eq!(bytes, 10);
        }
        if status != NtStatus::SUCCESS {
            return Err(status);
        }
        let units = bytes as usize / 2;
        assert_eq!(name[units..units + 2], [0, 0xCCCC]);
        Ok((
            references,
            pinned,
            bytes,
            String::from_utf16_lossy(&name[..units]),
        ))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        assert_eq!(RtlDestroyAtomTable(self.0), NtStatus::SUCCESS);
    }
}

#[test]
fn a_table_is_made_once() {
    let table = Table::new();
    let mut made = table.0.address();
    assert_eq!(
        RtlCreateAtomTable(37, Ptr::of(&mut made)),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(RtlCreateAtomTable(0, Ptr::of(&mut made)), NtStatus::SUCCESS);
    assert_eq!(made, table.0.address());
    assert_eq!(RtlDestroyAtomTable(Ptr::NULL), NtStatus::INVALID_PARAMETER);
}

#[test]
fn names_are_counted_whatever_their_case() {
    let table = Table::new();
    assert_eq!(table.add("Hello"), Ok(0xC000));
    assert_eq!(table.add("hELLO"), Ok(0xC000));
    assert_eq!(table.add("x"), Ok(0xC001));
    assert_eq!(table.look_up("HELLO"), Ok(0xC000));
    assert_eq!(table.look_up("q"), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    assert_eq!(table.query(0xC000, 600), Ok((2, 0, 10, "Hello".into())));
    assert_eq!(
        table.query(0xC000, 10),
        Ok((2, 0, 8, "Hell".into())),
        "cut off"
    );
    assert_eq!(table.query(0xC000, 12), Ok((2, 0, 10, "Hello".into())));
    assert_eq!(table.query(0xC000, 0), Err(NtStatus::BUFFER_TOO_SMALL));
    assert_eq!(table.query(0xC100, 600), Err(NtStatus::INVALID_HANDLE));
    assert_eq!(
        RtlDeleteAtomFromAtomTable(table.0, 0xC000),
        NtStatus::SUCCESS
    );
    assert_eq!(table.look_up("hello"), Ok(0xC000));
    assert_eq!(
        RtlDeleteAtomFromAtomTable(table.0, 0xC000),
        NtStatus::SUCCESS
    );
    assert_eq!(table.look_up("hello"), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    assert_eq!(table.add("new"), Ok(0xC000), "the lowest free place");
    for atom in [0, 0x1234, 0xC200] {
        assert_eq!(
            RtlDeleteAtomFromAtomTable(table.0, atom),
            NtStatus::INVALID_HANDLE
        );
    }
}

#[test]
fn numbers_stand_for_themselves() {
    let table = Table::new();
    let by_address = |number| {
        let mut atom = 0;
        let status = RtlAddAtomToAtomTable(table.0, Ptr::new(number), Ptr::of(&mut atom));
        (status, atom)
    };
    assert_eq!(by_address(0x1234), (NtStatus::SUCCESS, 0x1234));
    assert_eq!(by_address(0xC000), (NtStatus::INVALID_PARAMETER, 0));
    assert_eq!(by_address(0), (NtStatus::INVALID_PARAMETER, 0));
    assert_eq!(table.add("#123"), Ok(123));
    assert_eq!(table.look_up("#49151"), Ok(0xBFFF));
    for text in ["#0", "#49152", "#99999999999"] {
        assert_eq!(table.add(text), Err(NtStatus::INVALID_PARAMETER));
    }
    assert_eq!(
        (table.add("#1x"), table.add("#")),
        (Ok(0xC000), Ok(0xC001)),
        "names"
    );
    assert_eq!(table.query(0x1234, 600), Ok((1, 1, 10, "#4660".into())));
    assert_eq!(table.query(0, 600), Err(NtStatus::INVALID_PARAMETER));
    let mut number = 0;
    assert_eq!(RtlGetIntegerAtom(Ptr::new(0x10), Ptr::of(&mut number)), 1);
    assert_eq!(number, 0x10);
    let mut name = [0x78, 0];
    assert_eq!(
        RtlGetIntegerAtom(Ptr::of(&mut name[0]), Ptr::of(&mut number)),
        0
    );
}

#[test]
fn names_have_1_to_255_units() {
    let table = Table::new();
    assert_eq!(table.add(""), Err(NtStatus::OBJECT_NAME_INVALID));
    assert_eq!(table.look_up(""), Err(NtStatus::OBJECT_NAME_INVALID));
    assert_eq!(table.add(&"a".repeat(255)), Ok(0xC000));
    assert_eq!(
        table.add(&"a".repeat(256)),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(
        table.look_up(&"a".repeat(299)),
        Err(NtStatus::INVALID_PARAMETER)
    );
    let mut atom = 0;
    let mut name = [0x78, 0];
    let status = RtlAddAtomToAtomTable(Ptr::NULL, Ptr::of(&mut name[0]), Ptr::of(&mut atom));
    assert_eq!(status, NtStatus::INVALID_PARAMETER);
}

#[test]
fn what_is_pinned_stays() {
    let table = Table::new();
    table.add("stays").expect("room");
    table.add("goes").expect("room");
    assert_eq!(RtlPinAtomInAtomTable(table.0, 0xC000), NtStatus::SUCCESS);
    assert_eq!(RtlPinAtomInAtomTable(table.0, 0x12), NtStatus::SUCCESS);
    assert_eq!(
        RtlPinAtomInAtomTable(table.0, 0xC300),
        NtStatus::INVALID_HANDLE
    );
    assert_eq!(
        RtlDeleteAtomFromAtomTable(table.0, 0xC000),
        NtStatus::WAS_LOCKED
    );
    assert_eq!(table.query(0xC000, 600).map(|found| found.1), Ok(1));
    assert_eq!(RtlEmptyAtomTable(table.0, 0), NtStatus::SUCCESS);
    assert_eq!(table.look_up("stays"), Ok(0xC000));
    assert_eq!(table.look_up("goes"), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    assert_eq!(RtlEmptyAtomTable(table.0, 1), NtStatus::SUCCESS);
    assert_eq!(table.look_up("stays"), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn a_table_holds_many_names() {
    let table = Table::new();
    for number in 0..500 {
        assert_eq!(
            table.add(&std::format!("name {number}")),
            Ok(0xC000 + number)
        );
    }
    for number in (0..500).step_by(2) {
        assert_eq!(
            RtlDeleteAtomFromAtomTable(table.0, 0xC000 + number),
            NtStatus::SUCCESS
        );
    }
    for number in 0..500 {
        let found = table.look_up(&std::format!("NAME {number}"));
        let expected = if number % 2 == 1 {
            Ok(0xC000 + number)
        } else {
            Err(NtStatus::OBJECT_NAME_NOT_FOUND)
        };
        assert_eq!(found, expected);
    }
}
