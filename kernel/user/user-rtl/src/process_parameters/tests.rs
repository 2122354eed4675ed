//! Parameters as the process that starts another builds them.

extern crate std;
use std::string::String;
use std::vec::Vec;

use super::*;
use crate::process::testing::begin;
use crate::strings::testing::{unicode, wide};

const NONE: Ptr<UnicodeString> = Ptr::NULL;

fn text_of(block: Ptr<RtlUserProcessParameters>, string: UnicodeString) -> String {
    let place = block
        .cast::<u8>()
        .byte_add(Ptr::<u8>::at(string.buffer).address());
    String::from_utf16(place.cast::<u16>().slice(usize::from(string.length / 2))).unwrap()
}

/// Each string lies behind the one before, at a multiple of a pointer's size, and ends with zeros.
fn lies_in_order(block: Ptr<RtlUserProcessParameters>, expected: &[(&str, u16)]) {
    let mut end = size_of::<RtlUserProcessParameters>();
    for (string, (text, room)) in strings(block).into_iter().zip(expected) {
        let string = string.read();
        assert_eq!(string.maximum_length, *room, "{text}");
        if *room == 0 {
            assert_eq!(string.buffer, 0);
            continue;
        }
        let offset = Ptr::<u8>::at(string.buffer).address();
        assert_eq!(offset, end.next_multiple_of(size_of::<usize>()), "{text}");
        assert_eq!(text_of(block, string), *text);
        let rest = usize::from(string.maximum_length - string.length);
        let place = block
            .cast::<u8>()
            .byte_add(offset + usize::from(string.length));
        assert!(place.slice(rest).iter().all(|byte| *byte == 0));
        end = offset + usize::from(*room);
    }
    let length = block.read().length;
    assert_eq!(end.next_multiple_of(4), usize::try_from(length).unwrap());
}

#[test]
fn what_is_not_named_is_the_processs_own() {
    let own = begin();
    let (directory, environment) = (unicode("C:\\dir\\", 520), wide("a=b\0"));
    let path = field!(
        field!(own, RtlUserProcessParameters, current_directory),
        Curdir,
        dos_path
    );
    path.write(directory.get());
    field!(own, RtlUserProcessParameters, environment).write(environment.ptr().raw());
    field!(own, RtlUserProcessParameters, process_group_id).write(77);
    let image = unicode("c:\\foo.exe", 22);
    let mut block = Ptr::NULL;
    let status = RtlCreateProcessParameters(
        Ptr::of(&mut block),
        image.ptr(),
        NONE,
        NONE,
        NONE,
        Ptr::NULL,
        NONE,
        NONE,
        NONE,
        NONE,
    );
    assert_eq!(status, NtStatus::SUCCESS);
    lies_in_order(
        block,
        &[
            ("C:\\dir\\", 520),
            ("", 0),
            ("c:\\foo.exe", 22),
            ("c:\\foo.exe", 22),
            ("", 2),
            ("", 2),
            ("", 2),
            ("", 0),
        ],
    );
    let built = block.read();
    assert_eq!(
        (built.flags, built.maximum_length, built.process_group_id),
        (ParameterFlags::empty(), built.length, 77)
    );
    let place = block
        .cast::<u8>()
        .byte_add(usize::try_from(built.length).unwrap());
    assert_eq!(built.environment, place.raw());
    assert_eq!(place.cast::<u16>().slice(5), environment.now());
    RtlDestroyProcessParameters(block);

    let status = RtlCreateProcessParameters(
        Ptr::of(&mut block),
        NONE,
        NONE,
        NONE,
        NONE,
        Ptr::NULL,
        NONE,
        NONE,
        NONE,
        NONE,
    );
    assert_eq!(status, NtStatus::INVALID_PARAMETER);
}

#[test]
fn what_is_named_is_copied_and_normalizing_goes_both_ways() {
    begin();
    let (image, dummy) = (unicode("c:\\foo.exe", 22), unicode("dummy1", 14));
    let environment = wide("a=b\0c=d\0");
    let mut block = Ptr::NULL;
    let d = dummy.ptr();
    let status = RtlCreateProcessParametersEx(
        Ptr::of(&mut block),
        image.ptr(),
        d,
        d,
        d,
        environment.ptr(),
        d,
        d,
        d,
        d,
        1,
    );
    assert_eq!(status, NtStatus::SUCCESS);
    let addresses: Vec<Pointer> = strings(block)
        .iter()
        .map(|string| string.read().buffer)
        .collect();
    assert!(addresses.iter().all(|address| *address > block.raw()));
    assert_eq!(block.read().flags, ParameterFlags::PARAMS_NORMALIZED);
    assert_eq!(RtlNormalizeProcessParams(block), block);
    assert_eq!(
        strings(block)[3].read().buffer,
        addresses[3],
        "it is normalized"
    );
    RtlDeNormalizeProcessParams(block);
    assert_eq!(block.read().flags, ParameterFlags::empty());
    // As of Windows 10: a directory ends with a separator.
    let mut expected = [("dummy1", 14); 8];
    expected[0] = ("dummy1\\", 520);
    expected[2] = ("c:\\foo.exe", 22);
    lies_in_order(block, &expected);
    RtlDeNormalizeProcessParams(block);
    RtlNormalizeProcessParams(block);
    let again: Vec<Pointer> = strings(block)
        .iter()
        .map(|string| string.read().buffer)
        .collect();
    assert_eq!(again, addresses);
    RtlDestroyProcessParameters(block);
    assert_eq!(RtlNormalizeProcessParams(Ptr::NULL), Ptr::NULL);
}
