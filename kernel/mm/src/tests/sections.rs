//! Sections and their views.

use std::sync::{Arc, Mutex};

use arch::contract::Access;
use nt_abi::memory::{PageProtection, SectionAttributes, SectionInherit};
use nt_abi::{NtResult, NtStatus};

use super::*;
use crate::Section;
use crate::address_space::{MappedView, ViewRequest};
use crate::section::{BackingFile, FileHold, SectionRequest, in_use};

const PAGE: u64 = 0x1000;
const SEC_COMMIT: u32 = 0x0800_0000;
const SEC_RESERVE: u32 = 0x0400_0000;
pub(super) const SEC_IMAGE: u32 = 0x0100_0000;
pub(super) const WC: u32 = 0x08;
const MAPPED: u32 = 0x4_0000;

pub(super) fn section_request(size: u64, protection: u32, attributes: u32) -> SectionRequest {
    SectionRequest {
        size,
        protection: PageProtection(protection),
        attributes: SectionAttributes(attributes),
    }
}

pub(super) fn memory(size: u64) -> Section {
    Section::create(&section_request(size, 0x40, SEC_COMMIT)).expect("there is memory")
}

pub(super) fn view_request(base: u64, offset: u64, size: u64, protection: u32) -> ViewRequest {
    ViewRequest {
        base,
        zero_bits: 0,
        offset,
        size,
        commit_size: 0,
        inherit: SectionInherit::SHARE,
        kind: AllocationType(0),
        protection: PageProtection(protection),
        limits: Limits::ANYWHERE,
    }
}

pub(super) fn map(
    space: &AddressSpace,
    section: &Section,
    base: u64,
    offset: u64,
    size: u64,
    protection: u32,
) -> NtResult<MappedView> {
    space.map_view(section, &view_request(base, offset, size, protection))
}

pub(super) fn base_of(view: NtResult<MappedView>) -> u64 {
    view.expect("it can be mapped").range.start.0
}

/// Maps all of a section, to share or to copy.
pub(super) fn map_whole(space: &AddressSpace, section: &Section, copies: bool) -> u64 {
    base_of(map(space, section, 0, 0, 0, if copies { WC } else { RW }))
}

/// A request for a section whose pages are committed one by one.
pub(super) fn request_of(size: u64) -> SectionRequest {
    section_request(size, RW, SEC_RESERVE)
}

/// Maps all of a section, or an image, if it can be.
pub(super) fn try_map(space: &AddressSpace, section: &Section) -> NtResult<u64> {
    map(space, section, 0, 0, 0, RW).map(|view| view.range.start.0)
}

/// A file in memory that can be written, as another thread or a driver would see it.
#[derive(Clone)]
struct TestFile(Arc<Mutex<Vec<u8>>>);

impl TestFile {
    fn new(bytes: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(bytes.to_vec())))
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("nobody panicked").clone()
    }

    fn hold(&self) -> FileHold {
        FileHold::new(self.clone()).expect("there is memory")
    }
}

impl BackingFile for TestFile {
    fn size(&self) -> u64 {
        self.bytes().len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> NtResult<usize> {
        let bytes = self.bytes();
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        // A device that gives less at a time than it is asked for.
        let count = (bytes.len() - from).min(into.len()).min(1000);
        into[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write(&self, offset: u64, from: &[u8]) -> NtResult<usize> {
        let mut bytes = self.0.lock().expect("nobody panicked");
        let at = usize::try_from(offset).unwrap();
        assert!(at + from.len() <= bytes.len(), "a write beyond the end");
        bytes[at..at + from.len()].copy_from_slice(from);
        Ok(from.len())
    }

    fn set_size(&self, size: u64) -> NtResult {
        let size = usize::try_from(size).unwrap();
        self.0.lock().expect("nobody panicked").resize(size, 0);
        Ok(())
    }

    fn identity(&self) -> Option<u64> {
        Some(Arc::as_ptr(&self.0) as u64)
    }
}

#[test]
fn three_spaces_see_each_others_writes_and_the_last_one_ends_it() {
    let _machine = crate::testing::boot();
    let before = (balance(), in_use());
    let spaces = [new_space(), new_space(), new_space()];
    let section = memory(0x1_8000);
    let bases = [0, 1, 2].map(|number| {
        let base = 0x100_0000 * (number as u64 + 1);
        base_of(map(&spaces[number], &section, base, 0, 0, RW))
    });
    drop(section);
    for ((space, base), value) in spaces.iter().zip(bases).zip(1u8..) {
        write(space, base + 0x5FFE, &[value; 4]);
        for (other, base) in spaces.iter().zip(bases) {
            assert_eq!(read(other, base + 0x5FFE), [value; 4]);
        }
    }
    let page = spaces[0]
        .query_working_set_page(bases[0] + 0x5000)
        .expect("alive");
    assert_eq!((page.share_count, page.shared), (3, true));
    let found = spaces[1].query(bases[1]).expect("it is an address");
    assert_eq!(
        (found.size, found.state.0, found.protection.0, found.kind.0),
        (0x1_8000, COMMIT, RW, MAPPED)
    );
    let [one, two, three] = spaces;
    drop(one);
    two.unmap_view(bases[1] + 0x1234).expect("it is a view");
    assert_eq!(two.unmap_view(bases[1]), Err(NtStatus::NOT_MAPPED_VIEW));
    drop(two);
    assert_eq!(read(&three, bases[2] + 0x5FFE), [3; 4]);
    drop(three);
    assert_eq!((balance(), in_use()), before);
}

/// "CreateFileMapping function", `PAGE_WRITECOPY`; Windows Internals, "Copy-on-write".
#[test]
fn a_view_that_copies_keeps_its_writes_to_itself() {
    let _machine = crate::testing::boot();
    let before = balance();
    let (one, two) = (new_space(), new_space());
    let section = memory(4 * PAGE);
    let shared = base_of(map(&one, &section, 0, 0, 0, RW));
    let copying = base_of(map(&two, &section, 0, 0, 0, WC));
    write(&one, shared, b"shared");
    assert_eq!(&read::<6>(&two, copying), b"shared");
    assert_eq!(region(&two, copying), (COMMIT, WC, 4 * PAGE));
    write(&two, copying, b"mine");
    assert_eq!(&read::<6>(&two, copying), b"mineed");
    assert_eq!(&read::<6>(&one, shared), b"shared");
    assert_eq!(
        region(&two, copying),
        (COMMIT, RW, PAGE),
        "a copy is the process's own"
    );
    // A page that was never read is copied too.
    write(&one, shared + PAGE, b"AB");
    write(&two, copying + PAGE + 1, b"x");
    write(&one, shared + PAGE, b"CD");
    assert_eq!(&read::<2>(&two, copying + PAGE), b"Ax");
    // Another page still follows.
    write(&one, shared + 2 * PAGE, b"later");
    assert_eq!(&read::<5>(&two, copying + 2 * PAGE), b"later");
    two.protect(copying, 4 * PAGE, PageProtection(RO))
        .expect("less is always permitted");
    assert_eq!(two.write(copying, b"no").status, NtStatus::PARTIAL_COPY);
    let (_, old) = two
        .protect(copying, 4 * PAGE, PageProtection(RW))
        .expect("writes go to copies");
    assert_eq!(old.0, RO);
    assert_eq!(region(&two, copying), (COMMIT, RW, 2 * PAGE));
    assert_eq!(region(&two, copying + 2 * PAGE), (COMMIT, WC, 2 * PAGE));
    assert_eq!(&read::<4>(&two, copying), b"mine");
    drop((one, two, section));
    assert_eq!(balance(), before);
}

/// "NtCreateSection function", "ZwMapViewOfSection function", "MapViewOfFile function".
#[test]
fn what_makes_no_sense_is_refused() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let create = |size, protection, attributes| {
        Section::create(&section_request(size, protection, attributes))
            .map(|section| section.size())
    };
    assert_eq!(create(1, RW, SEC_COMMIT), Ok(PAGE));
    assert_eq!(
        create(0, RW, SEC_COMMIT),
        Err(NtStatus::INVALID_PARAMETER_4)
    );
    assert_eq!(create(1, RW, 0), Err(NtStatus::INVALID_PARAMETER_6));
    assert_eq!(
        create(1, RW, SEC_COMMIT | SEC_RESERVE),
        Err(NtStatus::INVALID_PARAMETER_6)
    );
    assert_eq!(
        create(1, RW, SEC_COMMIT | 0x20_0000),
        Err(NtStatus::INVALID_PARAMETER_6),
        "SEC_BASED"
    );
    assert_eq!(
        create(1, RW, SEC_IMAGE),
        Err(NtStatus::INVALID_FILE_FOR_SECTION)
    );
    assert_eq!(
        create(1, NA, SEC_COMMIT),
        Err(NtStatus::INVALID_PAGE_PROTECTION)
    );
    assert_eq!(
        create(1, 6, SEC_COMMIT),
        Err(NtStatus::INVALID_PAGE_PROTECTION)
    );
    assert_eq!(
        create(1 << 40, RW, SEC_COMMIT),
        Err(NtStatus::COMMITMENT_LIMIT)
    );
    let section = Section::create(&section_request(0x3_0000, RO, SEC_COMMIT)).expect("memory");
    let mapped = |base, offset, size, protection| {
        map(&space, &section, base, offset, size, protection)
            .map(|view| (view.range.start.0, view.range.length()))
    };
    assert_eq!(mapped(0, 0, 0, RW), Err(NtStatus::SECTION_PROTECTION));
    assert_eq!(mapped(0, 0, 0, 0x20), Err(NtStatus::SECTION_PROTECTION));
    assert_eq!(mapped(0, 0x1000, 0, RO), Err(NtStatus::MAPPED_ALIGNMENT));
    assert_eq!(mapped(0x1000, 0, 0, RO), Err(NtStatus::MAPPED_ALIGNMENT));
    assert_eq!(mapped(0, 0x3_0000, 0, RO), Err(NtStatus::INVALID_VIEW_SIZE));
    assert_eq!(mapped(0, 0, 0x3_0001, RO), Err(NtStatus::INVALID_VIEW_SIZE));
    assert_eq!(
        mapped(u64::MAX - 0xFFFF, 0, 0, RO),
        Err(NtStatus::INVALID_PARAMETER_3)
    );
    assert_eq!(
        mapped(0, 0, u64::MAX, RO),
        Err(NtStatus::INVALID_PARAMETER_3)
    );
    assert_eq!(mapped(0, 0x1_0000, 0x1001, WC), Ok((0x1_0000, 0x2000)));
    assert_eq!(
        mapped(0x1_0000, 0, 0, RO),
        Err(NtStatus::CONFLICTING_ADDRESSES)
    );
    let mut odd = view_request(0, 0, 0, RO);
    odd.inherit = SectionInherit(3);
    assert_eq!(
        space.map_view(&section, &odd),
        Err(NtStatus::INVALID_PARAMETER_8)
    );
    let mut odd = view_request(0, 0, 0, RO);
    odd.kind = AllocationType(COMMIT);
    assert_eq!(
        space.map_view(&section, &odd),
        Err(NtStatus::INVALID_PARAMETER_9)
    );
    let mut odd = view_request(0, 0, PAGE, RO);
    odd.commit_size = 2 * PAGE;
    assert_eq!(
        space.map_view(&section, &odd),
        Err(NtStatus::INVALID_PARAMETER_5)
    );
    assert_eq!(
        space.free(0x1_0000, 0, FreeKind::Release),
        Err(NtStatus::UNABLE_TO_DELETE_SECTION)
    );
    assert_eq!(
        space.protect(0x1_0000, PAGE, PageProtection(0x20)),
        Err(NtStatus::SECTION_PROTECTION)
    );
}

/// "CreateFileMapping function", `SEC_RESERVE`; "VirtualAlloc function" on how its pages are committed.
#[test]
fn reserved_pages_of_a_section_are_committed_for_all_views() {
    let _machine = crate::testing::boot();
    let before = balance();
    let (one, two) = (new_space(), new_space());
    // 16 GiB, of which a few pages are used.
    let section =
        Section::create(&section_request(1 << 34, RW, SEC_RESERVE)).expect("it costs little");
    let here = base_of(map(&one, &section, 0, 0, 0x10_0000, RW));
    let there = base_of(map(&two, &section, 0, 0, 0x10_0000, RW));
    assert_eq!(region(&one, here), (RESERVE, 0, 0x10_0000));
    assert_eq!(
        fault(&one, here, Access::Read),
        FaultOutcome::Failed(NtStatus::ACCESS_VIOLATION)
    );
    allocate(&one, here + PAGE, 2 * PAGE, COMMIT, RW).expect("memory");
    assert_eq!(region(&two, there), (RESERVE, 0, PAGE));
    assert_eq!(region(&two, there + PAGE), (COMMIT, RW, 2 * PAGE));
    write(&two, there + PAGE, b"everywhere");
    assert_eq!(&read::<10>(&one, here + PAGE), b"everywhere");
    drop((one, two, section));
    assert_eq!(balance(), before);
}

#[test]
fn a_file_is_read_when_touched_and_written_when_flushed_or_left() {
    let _machine = crate::testing::boot();
    let before = (balance(), in_use());
    let content: Vec<u8> = (0..=255).cycle().take(0x2345).collect();
    let file = TestFile::new(&content);
    let (one, two) = (new_space(), new_space());
    let request = section_request(0, RW, SEC_COMMIT);
    let section = Section::create_of_file(&request, file.hold()).expect("memory");
    assert_eq!(section.size(), 0x2345);
    let base = base_of(map(&one, &section, 0, 0, 0, RW));
    assert_eq!(region(&one, base), (COMMIT, RW, 0x3000));
    let mut bytes = vec![0xEE; 0x3000];
    assert_eq!(one.read(base, &mut bytes).status, NtStatus::SUCCESS);
    assert_eq!(bytes[..0x2345], content);
    assert!(bytes[0x2345..].iter().all(|byte| *byte == 0));
    // Another section of the file has the same pages.
    let again = Section::create_of_file(&request, file.hold()).expect("memory");
    let other = base_of(map(&two, &again, 0, 0, 0, RW));
    write(&one, base + 0xFFE, b"four");
    assert_eq!(&read::<4>(&two, other + 0xFFE), b"four");
    assert_eq!(file.bytes(), content, "nothing was written yet");
    let range = one.flush(base + 0xFFE, 1).expect("it is a view");
    assert_eq!((range.start.0, range.length()), (base, PAGE));
    assert_eq!(&file.bytes()[0xFFE..0x1002], &[b'f', b'o', 0, 1]);
    one.flush(base, 0).expect("it is a view");
    assert_eq!(&file.bytes()[0xFFE..0x1002], b"four");
    // A write after the flush is noticed again.
    write(&one, base + 0xFFE, b"FIVE");
    write(&two, other + 0x2343, b"end behind it");
    drop((one, two, section, again));
    assert_eq!(&file.bytes()[0xFFE..0x1002], b"FIVE");
    assert_eq!(&file.bytes()[0x2343..], b"en");
    assert_eq!((balance(), in_use()), before);
}

#[test]
fn a_section_of_a_file_can_be_larger_than_the_file_if_that_can_be_written() {
    let _machine = crate::testing::boot();
    let space = new_space();
    let file = TestFile::new(b"short");
    let create = |size, protection| {
        Section::create_of_file(&section_request(size, protection, SEC_COMMIT), file.hold())
    };
    assert_eq!(create(PAGE, RO).err(), Some(NtStatus::SECTION_TOO_BIG));
    let section = create(3, RO).expect("memory");
    assert_eq!(section.size(), 3);
    drop(section);
    let section = create(2 * PAGE, RW).expect("memory");
    assert_eq!(file.bytes().len() as u64, 2 * PAGE);
    let base = base_of(map(&space, &section, 0, 0, 0, RW));
    write(&space, base + PAGE, b"more");
    assert_eq!(section.extend(PAGE), Ok(2 * PAGE), "it does not shrink");
    assert_eq!(section.extend(0x2_0000), Ok(0x2_0000));
    let tail = base_of(map(&space, &section, 0, 0x1_0000, 0, RW));
    write(&space, tail, b"tail");
    drop(space);
    drop(section);
    assert_eq!(&file.bytes()[0x1000..0x1004], b"more");
    assert_eq!(&file.bytes()[0x1_0000..0x1_0004], b"tail");
    let empty = TestFile::new(b"");
    assert_eq!(
        Section::create_of_file(&section_request(0, RW, SEC_COMMIT), empty.hold()).err(),
        Some(NtStatus::MAPPED_FILE_SIZE_ZERO)
    );
    assert_eq!(
        memory(PAGE).extend(2 * PAGE),
        Err(NtStatus::SECTION_NOT_EXTENDED)
    );
}
