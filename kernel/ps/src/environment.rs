//! What user mode finds in its memory: a thread's TEB, a process's PEB and its parameters.
//!
//! The kernel writes these structures and believes nothing that it reads in them later: they are the program's.

use alloc::vec::Vec;
use core::mem::offset_of;

use arch::contract::{PAGE_BYTES, PAGE_SIZE};
use arch::memory::PAGE_WORDS;
use mm::AddressSpace;
use mm::address_space::{FreeKind, ThreadRoom};
use nt_abi::process_parameters::ParameterFlags;
use nt_abi::w64::{Peb, RtlUserProcessParameters, Teb, UnicodeString};
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::image::Loaded;
use crate::user_stack::{StackRequest, UserStack};

/// The version that programs are told: Windows 10, version 22H2.
pub const VERSION: (u32, u32, u16) = (10, 0, 19045);
/// `VER_PLATFORM_WIN32_NT`.
const PLATFORM: u32 = 2;
/// After how long a wait for a critical section is taken for a deadlock: 30 days, in 100 ns.
const CRITICAL_SECTION_TIMEOUT: i64 = -30 * 24 * 3600 * 10_000_000;
/// `HEAP_SEGMENT_RESERVE` and its kin: the defaults of the session manager's key.
const HEAP: [u64; 4] = [1 << 20, 2 * PAGE_SIZE, 1 << 16, PAGE_SIZE];

/// As many heaps as there is room for their addresses behind the PEB on its page.
const HEAPS: u32 = 263;
const _: () = assert!(size_of::<Peb>() as u64 + HEAPS as u64 * 8 == PAGE_SIZE);

/// Bytes that a structure's pages take.
const fn pages(size: usize) -> u64 {
    (size as u64).next_multiple_of(PAGE_SIZE)
}

/// Writes all of it.
///
/// # Errors
/// The status of the first page that could not be written.
fn write(space: &AddressSpace, address: u64, bytes: &[u8]) -> NtResult {
    match space.write(address, bytes).status {
        NtStatus::SUCCESS => Ok(()),
        status => Err(status),
    }
}

/// Makes a thread's stack and its TEB, and gives the address of the latter.
///
/// # NT
/// `RtlCreateUserStack`, `MmCreateTeb`.
///
/// # Errors
/// `INVALID_PARAMETER` for sizes that no address space has; `NO_MEMORY`, `COMMITMENT_LIMIT`.
#[doc(alias = "MmCreateTeb")]
pub fn create_thread_memory(
    space: &AddressSpace,
    peb: u64,
    (process, thread): (u32, u32),
    request: &StackRequest,
    of_image: (u64, u64),
) -> NtResult<(UserStack, u64)> {
    let (reserve, commit) = UserStack::sizes(request, of_image)?;
    let room = ThreadRoom {
        reserve,
        commit,
        zero_bits: request.zero_bits,
        environment: pages(size_of::<Teb>()),
    };
    let memory = space.allocate_thread(&room, &mut |stack, teb, offset, page| {
        let stack = UserStack::at(stack, commit);
        // The rest of a TEB is zero, as its pages are.
        match offset {
            0 => fill_first_page(page, teb, peb, (process.into(), thread.into()), &stack),
            SECOND_PAGE => {
                put::<{ DEALLOCATION_STACK - SECOND_PAGE }>(page, stack.allocation_base);
            }
            _ => {}
        }
    })?;
    let stack = UserStack::at(memory.stack, commit);
    Ok((stack, memory.environment.start.0))
}

/// Where the second page of a TEB begins.
const SECOND_PAGE: usize = PAGE_BYTES;
/// The one word there that is not zero in the beginning.
const DEALLOCATION_STACK: usize = offset_of!(Teb, deallocation_stack);

fn fill_first_page(
    page: &mut [u64; PAGE_WORDS],
    teb: u64,
    peb: u64,
    (process, thread): (u64, u64),
    stack: &UserStack,
) {
    /// `FiberData`, or a version: that of NT's first TEB.
    const FIBER_DATA_AT_FIRST: u64 = 0x1E00;
    put::<{ offset_of!(Teb, nt_tib.stack_base) }>(page, stack.base);
    put::<{ offset_of!(Teb, nt_tib.stack_limit) }>(page, stack.limit);
    put::<{ offset_of!(Teb, nt_tib.fiber_data) }>(page, FIBER_DATA_AT_FIRST);
    put::<{ offset_of!(Teb, nt_tib.this) }>(page, teb);
    put::<{ offset_of!(Teb, client_id.unique_process) }>(page, process);
    put::<{ offset_of!(Teb, client_id.unique_thread) }>(page, thread);
    put::<{ offset_of!(Teb, process_environment_block) }>(page, peb);
    put::<{ offset_of!(Teb, real_client_id.unique_process) }>(page, process);
    put::<{ offset_of!(Teb, real_client_id.unique_thread) }>(page, thread);
}

/// Puts a word at a place of a page, which is a multiple of its size.
fn put<const PLACE: usize>(page: &mut [u64; PAGE_WORDS], word: u64) {
    const {
        assert!(PLACE < PAGE_BYTES && PLACE.is_multiple_of(size_of::<u64>()));
    }
    if let Some(room) = page.get_mut(PLACE / size_of::<u64>()) {
        *room = word;
    }
}

/// Gives a TEB or PEB back.
#[doc(alias = "MmDeleteTeb")]
pub fn free(space: &AddressSpace, address: u64) {
    // What is left of an address space that has ended is gone already.
    let _ = space.free(address, 0, FreeKind::Release);
}

/// Makes a PEB, and gives its address.
///
/// # NT
/// `MmCreatePeb`.
///
/// # Errors
/// `NO_MEMORY`, `COMMITMENT_LIMIT`.
#[doc(alias = "MmCreatePeb")]
pub fn create_peb(space: &AddressSpace, image: &Loaded, parameters: u64) -> NtResult<u64> {
    let address = space
        .allocate_environment(pages(size_of::<Peb>()), None)?
        .start
        .0;
    let (major, minor, build) = VERSION;
    let processors = ke::processor::active();
    let mut peb = Peb::new_zeroed();
    peb.mutant = u64::MAX;
    peb.image_base_address = image.base;
    peb.process_parameters = parameters;
    peb.number_of_processors = processors.count();
    peb.active_process_affinity_mask = processors.0;
    peb.critical_section_timeout = CRITICAL_SECTION_TIMEOUT;
    [
        peb.heap_segment_reserve,
        peb.heap_segment_commit,
        peb.heap_de_commit_total_free_threshold,
        peb.heap_de_commit_free_block_threshold,
    ] = HEAP;
    peb.maximum_number_of_heaps = HEAPS;
    peb.process_heaps = address + size_of::<Peb>() as u64;
    peb.os_major_version = major;
    peb.os_minor_version = minor;
    peb.os_build_number = build;
    peb.os_platform_id = PLATFORM;
    let headers = &image.information.headers;
    peb.image_subsystem = u32::from(headers.subsystem.0);
    peb.image_subsystem_major_version = u32::from(headers.subsystem_version.major);
    peb.image_subsystem_minor_version = u32::from(headers.subsystem_version.minor);
    write(space, address, peb.as_bytes()).inspect_err(|_| free(space, address))?;
    Ok(address)
}

/// A process's parameters as a whole, made for the address at which they will be.
///
/// The strings' pointers in it are true: it is normalised, as NT's are in a new process.
#[derive(Debug)]
pub struct ParameterBlock {
    bytes: Vec<u8>,
}

/// The texts of a block, in UTF-16.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParameterTexts<'a> {
    /// The current directory.
    pub current_directory: &'a [u16],
    /// Where DLLs are looked for.
    pub dll_path: &'a [u16],
    /// The image's path.
    pub image_path: &'a [u16],
    /// The command line.
    pub command_line: &'a [u16],
    /// The window's title.
    pub window_title: &'a [u16],
    /// The desktop.
    pub desktop: &'a [u16],
    /// What the shell said.
    pub shell: &'a [u16],
    /// What the C library hands on.
    pub runtime_data: &'a [u16],
    /// The environment: terminated strings, ended by an empty one.
    pub environment: &'a [u16],
}

/// The longest block: all strings at their longest, and an environment of 1 MiB.
const LONGEST_BLOCK: usize = 2 << 20;

impl ParameterBlock {
    /// Makes a block with `header`'s numbers and these texts, and writes it to a new process. Gives its address.
    ///
    /// # NT
    /// `RtlCreateProcessParametersEx`, and the part of `PspAllocateProcess` that copies what it made.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for texts that are too long; `INSUFFICIENT_RESOURCES`, `NO_MEMORY`, `COMMITMENT_LIMIT`.
    pub fn create(
        space: &AddressSpace,
        header: &RtlUserProcessParameters,
        texts: &ParameterTexts<'_>,
    ) -> NtResult<u64> {
        let strings = [
            texts.current_directory,
            texts.dll_path,
            texts.image_path,
            texts.command_line,
            texts.window_title,
            texts.desktop,
            texts.shell,
            texts.runtime_data,
            texts.environment,
        ];
        // Each with a terminator, and room to align the environment.
        let units = strings.iter().map(|text| text.len() + 1).sum::<usize>();
        let length = size_of::<RtlUserProcessParameters>() + units * 2 + 8;
        if length > LONGEST_BLOCK {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let address = space
            .allocate_environment((length as u64).next_multiple_of(PAGE_SIZE), None)?
            .start
            .0;
        let written = Self::fill(address, length, header, texts)
            .and_then(|block| write(space, address, &block.bytes));
        written.inspect_err(|_| free(space, address))?;
        Ok(address)
    }

    fn fill(
        address: u64,
        length: usize,
        header: &RtlUserProcessParameters,
        texts: &ParameterTexts<'_>,
    ) -> NtResult<Self> {
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(length)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        bytes.resize(size_of::<RtlUserProcessParameters>(), 0);
        let mut block = Self { bytes };
        let mut header = *header;
        header.current_directory.dos_path = block.add(address, texts.current_directory)?;
        header.dll_path = block.add(address, texts.dll_path)?;
        header.image_path_name = block.add(address, texts.image_path)?;
        header.command_line = block.add(address, texts.command_line)?;
        header.window_title = block.add(address, texts.window_title)?;
        header.desktop_info = block.add(address, texts.desktop)?;
        header.shell_info = block.add(address, texts.shell)?;
        header.runtime_data = block.add(address, texts.runtime_data)?;
        let aligned = block.bytes.len().next_multiple_of(8);
        block.bytes.resize(aligned, 0);
        header.environment = address + aligned as u64;
        header.environment_size = texts.environment.len() as u64 * 2;
        block.add_units(texts.environment);
        let used = u32::try_from(block.bytes.len()).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        header.maximum_length = used;
        header.length = used;
        header.flags |= ParameterFlags::PARAMS_NORMALIZED;
        let front = header.as_bytes();
        if let Some(place) = block.bytes.get_mut(..front.len()) {
            place.copy_from_slice(front);
        }
        Ok(block)
    }

    /// Adds a terminated text, and gives the string that refers to it.
    fn add(&mut self, address: u64, text: &[u16]) -> NtResult<UnicodeString> {
        let length = u16::try_from(text.len() * 2).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let buffer = address + self.bytes.len() as u64;
        self.add_units(text);
        Ok(UnicodeString {
            length,
            maximum_length: length.saturating_add(2),
            reserved: 0,
            buffer,
        })
    }

    fn add_units(&mut self, text: &[u16]) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.extend_from_slice(&[0, 0]);
    }
}
