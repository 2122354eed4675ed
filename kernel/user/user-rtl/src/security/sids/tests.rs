//! SIDs whose bytes and texts are documented.

extern crate std;

use std::string::String;
use std::vec::Vec;

use super::*;

/// S-1-5-32-544, as [MS-DTYP] 2.4.2.4 has it.
const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0];

fn at(bytes: &mut [u8]) -> Ptr<u8> {
    Ptr::new(bytes.as_mut_ptr().expose_provenance())
}

fn of(sid: &SidBuf) -> Ptr<u8> {
    Ptr::new(sid.as_sid().bytes().as_ptr().expose_provenance())
}

#[test]
fn a_sid_is_made_in_two_ways() {
    let mut authority = [0, 0, 0, 0, 0, 5];
    let authority = Ptr::of(&mut authority);
    let mut bytes = [0xCC; 16];
    let sid = at(&mut bytes);
    assert_eq!(RtlLengthRequiredSid(2), 16);
    assert_eq!(
        RtlInitializeSid(sid, authority, 16),
        NtStatus::INVALID_PARAMETER
    );
    assert_eq!(RtlInitializeSid(sid, authority, 2), NtStatus::SUCCESS);
    RtlSubAuthoritySid(sid, 0).write(32);
    RtlSubAuthoritySid(sid, 1).write(544);
    assert_eq!(bytes, ADMINISTRATORS);

    let mut list = [32usize, 544];
    let mut bytes = [0; 16];
    let status = vRtlInitializeSidEx(at(&mut bytes), authority, 2, Ptr::of(&mut list[0]));
    assert_eq!((status, bytes), (NtStatus::SUCCESS, ADMINISTRATORS));

    let mut made = 0;
    let allocate = |count, made: &mut usize| {
        RtlAllocateAndInitializeSid(authority, count, 32, 544, 0, 0, 0, 0, 0, 0, Ptr::of(made))
    };
    assert_eq!(allocate(9, &mut made), NtStatus::INVALID_SID);
    assert_eq!(allocate(2, &mut made), NtStatus::SUCCESS);
    let sid = Ptr::<u8>::new(made);
    assert_eq!(sid.slice(16), ADMINISTRATORS);
    assert_eq!(RtlSubAuthorityCountSid(sid).read(), 2);
    assert_eq!(RtlIdentifierAuthoritySid(sid).read(), [0, 0, 0, 0, 0, 5]);
    assert!(RtlFreeSid(sid).is_null());
    let mut numbers = [32, 544];
    let status =
        RtlAllocateAndInitializeSidEx(authority, 2, Ptr::of(&mut numbers[0]), Ptr::of(&mut made));
    assert_eq!(status, NtStatus::SUCCESS);
    assert_eq!(Ptr::<u8>::new(made).slice(16), ADMINISTRATORS);
    RtlFreeSid(Ptr::new(made));
}

#[test]
fn sids_are_compared_whole_or_without_the_end() {
    let [a, b, c] = [[32, 544], [32, 545], [33, 544]].map(|numbers| SidBuf::new(5, &numbers));
    let short = SidBuf::new(5, &[32]);
    for (other, equal, prefix) in [(&a, 1, 1), (&b, 0, 1), (&c, 0, 0), (&short, 0, 0)] {
        assert_eq!(RtlEqualSid(of(&a), of(other)), equal);
        assert_eq!(RtlEqualPrefixSid(of(&a), of(other)), prefix);
    }
    let mut bytes = [0xCC; 18];
    assert_eq!(
        RtlCopySid(15, at(&mut bytes), of(&a)),
        NtStatus::BUFFER_TOO_SMALL
    );
    assert_eq!(RtlCopySid(18, at(&mut bytes), of(&a)), NtStatus::SUCCESS);
    assert_eq!(
        (&bytes[..16], &bytes[16..]),
        (&ADMINISTRATORS[..], &[0xCC; 2][..])
    );
}

#[test]
fn damaged_sids_are_not_valid() {
    assert_eq!(RtlValidSid(Ptr::NULL), 0);
    let mut bytes = ADMINISTRATORS;
    assert_eq!(RtlValidSid(at(&mut bytes)), 1);
    bytes[0] = 2;
    assert_eq!(RtlValidSid(at(&mut bytes)), 0);
    bytes[0] = 1;
    bytes[1] = 16;
    assert_eq!(RtlValidSid(at(&mut bytes)), 0);
    assert_eq!(RtlLengthSid(at(&mut bytes)), 72);
}

fn units(string: &UnicodeString) -> String {
    let buffer = Ptr::<u16>::at(string.buffer);
    String::from_utf16(buffer.slice(usize::from(string.length / 2))).expect("text")
}

#[test]
fn a_sid_is_written_as_text() {
    let sid = SidBuf::new(5, &[32, 544]);
    let mut room = [0xCCCCu16; 20];
    let mut string = UnicodeString {
        maximum_length: 22,
        buffer: Ptr::of(&mut room[0]).raw(),
        ..UnicodeString::default()
    };
    let convert = |string: &mut UnicodeString, allocate| {
        RtlConvertSidToUnicodeString(Ptr::of(string), of(&sid), allocate)
    };
    assert_eq!(convert(&mut string, 0), NtStatus::BUFFER_OVERFLOW);
    string.maximum_length = 24;
    assert_eq!(convert(&mut string, 0), NtStatus::SUCCESS);
    assert_eq!(
        (units(&string).as_str(), room[12]),
        ("S-1-5-32-544", 0xCCCC)
    );
    string.maximum_length = 26;
    convert(&mut string, 0);
    assert_eq!(room[12], 0, "terminated where there is room");
    let mut length = 0;
    assert_eq!(
        RtlLengthSidAsUnicodeString(of(&sid), Ptr::of(&mut length)),
        NtStatus::SUCCESS
    );
    assert_eq!(length, 24);
    let mut made = UnicodeString::default();
    assert_eq!(convert(&mut made, 1), NtStatus::SUCCESS);
    assert_eq!(
        (units(&made).as_str(), made.length, made.maximum_length),
        ("S-1-5-32-544", 24, 26)
    );
    blocks::free(Ptr::at(made.buffer));
    let mut bad = [2u8; 12];
    let status = RtlConvertSidToUnicodeString(Ptr::of(&mut made), at(&mut bad), 1);
    assert_eq!(status, NtStatus::INVALID_SID);
    let longest = SidBuf::new(0x0100_0000_0000, &[u32::MAX; 15]);
    RtlConvertSidToUnicodeString(Ptr::of(&mut made), of(&longest), 1);
    assert_eq!(
        units(&made),
        std::format!("S-1-0x010000000000{}", "-4294967295".repeat(15))
    );
    blocks::free(Ptr::at(made.buffer));
}

fn service_sid(name: &str) -> String {
    let mut units: Vec<u16> = name.encode_utf16().collect();
    let mut string = UnicodeString {
        length: u16::try_from(2 * units.len()).expect("short"),
        buffer: Ptr::of(&mut units[0]).raw(),
        ..UnicodeString::default()
    };
    let mut bytes = [0; 68];
    let mut size = 31;
    let name = Ptr::of(&mut string);
    let status = RtlCreateServiceSid(name, at(&mut bytes), Ptr::of(&mut size));
    assert_eq!((status, size), (NtStatus::BUFFER_TOO_SMALL, 32));
    let status = RtlCreateServiceSid(name, at(&mut bytes), Ptr::of(&mut size));
    assert_eq!(status, NtStatus::SUCCESS);
    std::format!("{}", sid_at(at(&mut bytes)).expect("a SID"))
}

#[test]
fn services_have_the_sids_that_are_known() {
    // What `sc showsid` prints on every Windows.
    let trusted = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
    assert_eq!(service_sid("TrustedInstaller"), trusted);
    assert_eq!(service_sid("trustedINSTALLER"), trusted);
}

#[test]
fn labels_are_compared_by_level() {
    let [low, high] = [0x1000, 0x3000].map(well_known::label);
    let mut answer = 9;
    let answer_at = Ptr::of(&mut answer);
    let ask = |ask: fn(Ptr<u8>, Ptr<u8>, Ptr<u8>) -> NtStatus, left, right| {
        assert_eq!(ask(of(left), of(right), answer_at), NtStatus::SUCCESS);
        answer_at.read()
    };
    let dominates = |l, r, a| RtlSidDominates(l, r, a);
    let equal = |l, r, a| RtlSidEqualLevel(l, r, a);
    let higher = |l, r, a| RtlSidIsHigherLevel(l, r, a);
    assert_eq!(
        [
            ask(dominates, &high, &low),
            ask(dominates, &low, &low),
            ask(dominates, &low, &high)
        ],
        [1, 1, 0]
    );
    assert_eq!([ask(equal, &high, &low), ask(equal, &low, &low)], [0, 1]);
    assert_eq!([ask(higher, &high, &low), ask(higher, &low, &low)], [1, 0]);
    let everyone = well_known::EVERYONE;
    assert_eq!(
        RtlSidDominates(of(&everyone), of(&low), answer_at),
        NtStatus::INVALID_SID
    );
}

#[test]
fn a_hash_finds_every_sid() {
    let sids: Vec<SidBuf> = (0..70)
        .map(|number| SidBuf::new(5, &[21, number * 7]))
        .collect();
    let mut entries: Vec<SidAndAttributes> = sids
        .iter()
        .zip(0..)
        .map(|(sid, attributes)| SidAndAttributes {
            sid: of(sid).raw(),
            attributes,
            reserved: Default::default(),
        })
        .collect();
    let mut hash = SidHash {
        count: 0,
        reserved: Default::default(),
        sids: 0,
        hash: [1; 32],
    };
    let hash = Ptr::of(&mut hash);
    assert_eq!(
        RtlSidHashInitialize(Ptr::of(&mut entries[0]), 70, hash),
        NtStatus::SUCCESS
    );
    for (sid, number) in sids.iter().zip(0..) {
        let found = RtlSidHashLookup(hash, of(&SidBuf::new(5, &[21, number * 7])));
        assert_eq!(found.read().attributes, number, "{sid}");
    }
    assert!(RtlSidHashLookup(hash, of(&SidBuf::new(5, &[21, 1]))).is_null());
}

#[test]
fn arrays_of_sids_are_copied() {
    let sids = [SidBuf::new(5, &[32, 544]), SidBuf::new(1, &[0])];
    let mut from = sids.map(|sid| (sid, 0));
    let mut entries: Vec<SidAndAttributes> = from
        .iter_mut()
        .map(|(sid, _)| SidAndAttributes {
            sid: of(sid).raw(),
            attributes: 7,
            reserved: Default::default(),
        })
        .collect();
    let mut to = entries.clone();
    let mut area = [0xCC; 40];
    let (mut rest, mut left) = (0, 0);
    let mut copy = |size| {
        RtlCopySidAndAttributesArray(
            2,
            Ptr::of(&mut entries[0]),
            size,
            Ptr::of(&mut to[0]),
            at(&mut area),
            Ptr::of(&mut rest),
            Ptr::of(&mut left),
        )
    };
    assert_eq!(copy(27), NtStatus::BUFFER_TOO_SMALL);
    assert_eq!(copy(40), NtStatus::SUCCESS);
    assert_eq!((left, rest - at(&mut area).address()), (12, 28));
    assert_eq!(
        sid_at(Ptr::at(to[1].sid)),
        Ok(well_known::EVERYONE.as_sid())
    );
}
