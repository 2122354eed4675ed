//! Virtual memory: asking about it.
//!
//! Expectations: the documentation of `VirtualAlloc` and its kin and of the services below them, "Memory Protection
//! Constants", and what Wine's tests of ntdll publish.
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
    use nt_abi::memory::{AllocationType, PageProtection};
    use nt_abi::services::arguments::MemoryInformationClass;
    use nt_abi::w64::{
        MemoryBasicInformation, MemoryImageInformation, MemoryRegionInformation,
        MemoryWorkingSetExInformation,
    };
    use test_programs::check::Outcome;
    use test_programs::memory::*;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        an_address_can_be_asked_about,
        what_cannot_be_asked,
        a_region_and_an_image_can_be_asked_about,
        the_working_set_can_be_asked_about,
    }

    const COMMIT: AllocationType = AllocationType::COMMIT;
    const RESERVE: AllocationType = AllocationType::RESERVE;
    const BOTH: AllocationType = AllocationType::COMMIT.union(AllocationType::RESERVE);
    const RELEASE: AllocationType = AllocationType::RELEASE;
    const RW: PageProtection = PageProtection::READWRITE;
    const RO: PageProtection = PageProtection::READONLY;
    const NONE: PageProtection = PageProtection(0);

    fn an_address_can_be_asked_about() -> Outcome {
        let found = query(NOTHING)?;
        expect!((found.base_address, found.allocation_base), (0x1000, 0));
        expect!(found.state, AllocationType::FREE);
        expect!(found.protect, PageProtection::NOACCESS);
        expect!((found.allocation_protect, found.kind.0), (NONE, 0));
        // The page that the kernel shares with everybody.
        let shared = query(0x7FFE_0000)?;
        expect!((shared.state, shared.protect), (COMMIT, RO));
        expect!(shared.region_size, PAGE);
        // The own stack and the own code.
        let mut local = 0u64;
        let stack = query(address_of(&mut local))?;
        expect!((stack.state, stack.protect), (COMMIT, RW));
        let code = query(own_code())?;
        expect!(code.protect, PageProtection::EXECUTE_READ);
        expect!(code.allocation_protect, PageProtection::EXECUTE_WRITECOPY);
        expect!(code.kind, AllocationType::IMAGE);
        Ok(())
    }

    fn own_code() -> u64 {
        let here: fn() -> Outcome = an_address_can_be_asked_about;
        here as usize as u64
    }

    const BASIC: usize = size_of::<MemoryBasicInformation>();

    fn what_cannot_be_asked() -> Outcome {
        let mut information = MemoryBasicInformation::new_zeroed();
        let mut length = 7u64;
        let place = Address(address_of(&mut information));
        let ask = |process: u64, at: u64, class, place: Address, size: usize, told: Address| {
            NtQueryVirtualMemory(
                process,
                at,
                MemoryInformationClass(class),
                place,
                size,
                told,
            )
        };
        let own = CURRENT_PROCESS.0;
        let told = Address(address_of(&mut length));
        status!(ask(own, NOTHING, 0, place, BASIC, told));
        expect!(length, BASIC as u64);
        status!(
            ask(own, NOTHING, 0, place, BASIC - 1, told),
            INFO_LENGTH_MISMATCH
        );
        status!(
            ask(own, NOTHING, 999, place, BASIC, told),
            INVALID_INFO_CLASS
        );
        status!(ask(own, NOTHING, 0, NULL, BASIC, told), ACCESS_VIOLATION);
        status!(
            ask(own, NOTHING, 0, Address(KERNEL), BASIC, told),
            ACCESS_VIOLATION
        );
        status!(
            ask(own, NOTHING, 0, Address(place.0 + 4), BASIC, told),
            DATATYPE_MISALIGNMENT
        );
        status!(
            ask(own, NOTHING, 0, place, BASIC, Address(NOTHING)),
            ACCESS_VIOLATION
        );
        status!(ask(own, KERNEL, 0, place, BASIC, told), INVALID_PARAMETER);
        status!(ask(0, NOTHING, 0, place, BASIC, told), INVALID_HANDLE);
        let reader = own_process(AccessMask::PROCESS_VM_READ)?;
        status!(ask(reader, NOTHING, 0, place, BASIC, told), ACCESS_DENIED);
        status!(NtClose(reader));
        // No view is there, or no view at all.
        status!(ask(own, NOTHING, 2, place, BASIC, told), INVALID_ADDRESS);
        Ok(())
    }

    fn about<T>(address: u64, class: u32, information: &mut T) -> NtStatus {
        let class = MemoryInformationClass(class);
        let size = size_of::<T>();
        NtQueryVirtualMemory(CURRENT_PROCESS, address, class, information, size, NULL)
    }

    fn a_region_and_an_image_can_be_asked_about() -> Outcome {
        let mut region = MemoryRegionInformation::new_zeroed();
        let (base, size) = allocate(0, 0x2_0000, RESERVE, RW)?;
        allocate(base + PAGE, PAGE, COMMIT, RO)?;
        status!(about(base + 5 * PAGE, 3, &mut region));
        expect!((region.allocation_base, region.region_size), (base, size));
        expect!((region.allocation_protect, region.region_type), (RW, 1));
        expect!(region.commit_size, PAGE);
        let mut image = MemoryImageInformation::new_zeroed();
        status!(about(base, 6, &mut image));
        expect!((image.image_base, image.size_of_image), (0, 0));
        free(base, 0, RELEASE)?;
        status!(about(base, 3, &mut region), INVALID_ADDRESS);
        status!(about(base, 6, &mut image), INVALID_ADDRESS);
        status!(about(own_code(), 6, &mut image));
        expect!(image.image_base, query(own_code())?.allocation_base);
        expect!(read(image.image_base), Ok(*b"MZ"));
        status!(about(own_code(), 3, &mut region));
        expect!(region.region_type, 4);
        expect!(region.region_size, image.size_of_image);
        Ok(())
    }

    fn the_working_set_can_be_asked_about() -> Outcome {
        let (base, _) = allocate(0, 2 * PAGE, BOTH, RW)?;
        status!(write(base, b"here"));
        let mut pages = [MemoryWorkingSetExInformation::new_zeroed(); 3];
        for (page, address) in pages.iter_mut().zip([base + 12, base + PAGE, KERNEL]) {
            page.virtual_address = address;
        }
        status!(about(0, 4, &mut pages));
        expect!(pages[0].virtual_attributes & 0x7FFF, 1 | 4 << 4);
        expect!(pages[1].virtual_attributes & 1, 0);
        expect!(pages[2].virtual_attributes, 0);
        // The list of all pages.
        let mut number = [0u64; 1];
        status!(about(0, 1, &mut number), INFO_LENGTH_MISMATCH);
        holds!(number[0] > 2);
        let mut list = [0u64; 500];
        status!(about(0, 1, &mut list));
        let [count, pages @ ..] = &list;
        let pages = pages.iter().take(usize::try_from(*count).unwrap_or(0));
        let found = pages.clone().find(|page| **page & !0xFFF == base);
        // Reading and writing is 4 there; it is not shared.
        expect!(found.map(|page| page & 0x11F), Some(4));
        holds!(pages.clone().all(|page| page & !0xFFF != base + PAGE));
        free(base, 0, RELEASE)?;
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
