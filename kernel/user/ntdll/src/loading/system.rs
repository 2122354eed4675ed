//! What the loader asks of the world: system services, the process heap, the locks, calls that no exception leaves.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Function, Ptr, blocks, field};
use loader::{ImageSource, LoadFailure, MappedImage, System, WellKnownDirectory};
use nt_abi::access::AccessMask;
use nt_abi::memory::{PageProtection, SectionAttributes};
use nt_abi::native::{
    DelayloadInfo, IoStatusBlock, LdrDllNotificationData, ObjectAttributes, Peb,
    RtlCriticalSection, RtlSrwLock, RtlUserProcessParameters, Teb, UnicodeString,
};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::services::arguments::SectionInherit;
use nt_abi::synchronization::CriticalSectionFlags;
use nt_abi::user_shared_data::KuserSharedData;
use nt_abi::{NtResult, NtStatus};
use rtl::utf16::Case;
use rtl::{Utf16Str, Utf16String};
use stubs::call::{
    CURRENT_PROCESS, NULL, NtClose, NtCreateSection, NtFlushInstructionCache, NtMapViewOfSection,
    NtOpenFile, NtOpenSection, NtProtectVirtualMemory, NtQueryPerformanceCounter, NtRaiseHardError,
    NtUnmapViewOfSection,
};
use sync::{critical_section, srw_lock};

use super::SYSTEM_DIRECTORY;
use crate::parking::{self, Threads};
use crate::{console, exceptions, locks, process, start};

/// This process.
#[derive(Debug)]
pub(crate) struct Process;

/// Memory of a critical section and of a slim lock, which C's structures are laid over.
static LOADER_LOCK: [AtomicUsize; size_of::<RtlCriticalSection>() / size_of::<usize>()] =
    [const { AtomicUsize::new(0) }; _];
static MODULES: AtomicUsize = AtomicUsize::new(0);

fn loader_lock() -> Ptr<RtlCriticalSection> {
    Ptr::of_shared(&LOADER_LOCK).cast()
}

fn modules_lock() -> Ptr<RtlSrwLock> {
    Ptr::of_shared(&MODULES).cast()
}

/// Makes the locks, before there is another thread.
pub(super) fn prepare() {
    let made = critical_section::initialize(
        &Threads,
        loader_lock(),
        0,
        CriticalSectionFlags::empty(),
        None,
    );
    debug_assert!(made.is_ok(), "the arguments are good");
    field!(process::peb(), Peb, loader_lock).write(loader_lock().raw());
}

/// The module lists, shared, while it is held.
pub(crate) struct SharedModules;

impl Drop for SharedModules {
    fn drop(&mut self) {
        Process.unlock_modules_shared();
    }
}

impl Process {
    /// Takes the lock of the module lists, shared.
    pub(crate) fn share_modules(&self) -> SharedModules {
        self.lock_modules_shared();
        SharedModules
    }
}

/// Children do not get the view.
const INHERIT: SectionInherit = SectionInherit(2);

/// A counted string of units that live long enough.
fn counted(units: &[u16]) -> UnicodeString {
    let bytes = u16::try_from(units.len() * 2).unwrap_or(0xFFFE);
    UnicodeString {
        length: bytes,
        maximum_length: bytes,
        buffer: Ptr::<u16>::of_shared(units.first().unwrap_or(&0)).raw(),
        ..UnicodeString::default()
    }
}

/// Opens something by its name, with `open`.
fn with_attributes<R>(name: &Utf16String, open: impl FnOnce(&ObjectAttributes) -> R) -> R {
    let name = counted(name.as_str().units());
    let attributes = ObjectAttributes {
        length: size_of::<ObjectAttributes>() as u32,
        object_name: Ptr::of_shared(&name).raw(),
        attributes: ObjectAttributeFlags::CASE_INSENSITIVE,
        ..ObjectAttributes::default()
    };
    open(&attributes)
}

fn done(status: NtStatus) -> NtResult<NtStatus> {
    if status.is_success() {
        Ok(status)
    } else {
        Err(status)
    }
}

/// A handle that is closed in the end.
struct Opened(u64);

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = NtClose(self.0);
    }
}

fn open_known(name: Utf16Str<'_>) -> NtResult<Opened> {
    let mut path = Utf16String::new();
    path.push_str(r"\KnownDlls\")?;
    path.push(name)?;
    let access =
        AccessMask::SECTION_MAP_EXECUTE | AccessMask::SECTION_MAP_READ | AccessMask::SECTION_QUERY;
    let mut handle = 0u64;
    let status = with_attributes(&path, |attributes| {
        NtOpenSection(&mut handle, access, attributes)
    });
    done(status).map(|_| Opened(handle))
}

/// Makes a section of a file.
fn open_file(path: Utf16Str<'_>, attributes: SectionAttributes) -> NtResult<Opened> {
    /// `FILE_SHARE_READ | FILE_SHARE_DELETE`; `FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE`.
    const SHARE: u32 = 5;
    const OPTIONS: u32 = 0x60;
    let mut nt_path = Utf16String::new();
    nt_path.push_str(r"\??\")?;
    nt_path.push(path)?;
    let access = AccessMask::FILE_READ_DATA | AccessMask::FILE_EXECUTE | AccessMask::SYNCHRONIZE;
    let (mut file, mut io) = (0u64, IoStatusBlock::default());
    let status = with_attributes(&nt_path, |name| {
        NtOpenFile(&mut file, access, name, &mut io, SHARE, OPTIONS)
    });
    // Where there are no files at all, this one is not there.
    let status = match status {
        NtStatus::NOT_IMPLEMENTED => NtStatus::OBJECT_NAME_NOT_FOUND,
        status => status,
    };
    let file = done(status).map(|_| Opened(file))?;
    let access =
        AccessMask::SECTION_MAP_EXECUTE | AccessMask::SECTION_MAP_READ | AccessMask::SECTION_QUERY;
    let protection = match attributes {
        SectionAttributes::IMAGE => PageProtection::EXECUTE_READ,
        _ => PageProtection::READONLY,
    };
    let mut section = 0u64;
    let status = NtCreateSection(
        &mut section,
        access,
        NULL,
        NULL,
        protection.0,
        attributes.0,
        file.0,
    );
    done(status).map(|_| Opened(section))
}

fn map_section(section: &Opened, protection: PageProtection) -> NtResult<MappedImage> {
    let (mut base, mut size) = (0u64, 0u64);
    let status = NtMapViewOfSection(
        section.0,
        CURRENT_PROCESS,
        &mut base,
        0u64,
        0u64,
        NULL,
        &mut size,
        INHERIT,
        0u32,
        protection.0,
    );
    done(status).map(|status| MappedImage {
        base: Ptr::at(base),
        size: size as usize,
        status,
    })
}

/// Calls a routine of a DLL with its base, a reason and a context; an exception in it is an error.
fn call(routine: Ptr<u8>, base: Ptr<u8>, reason: u32, context: usize) -> NtResult<usize> {
    let mut outcome = 0u32;
    let result = exceptions::call_guarded(
        routine.address(),
        base.address(),
        reason as usize,
        context,
        Ptr::of(&mut outcome),
    );
    match outcome {
        0 => Ok(result),
        code => Err(NtStatus(code)),
    }
}

impl System for Process {
    fn peb(&self) -> Ptr<Peb> {
        process::peb()
    }

    fn teb(&self) -> Ptr<Teb> {
        process::teb()
    }

    fn allocate(&self, bytes: usize) -> Option<Ptr<u8>> {
        let block = blocks::allocate(bytes)?;
        block.fill(0, bytes);
        Some(block)
    }

    fn free(&self, block: Ptr<u8>) {
        blocks::free(block);
    }

    fn map(&self, source: ImageSource<'_>) -> NtResult<MappedImage> {
        let (section, protection) = match source {
            ImageSource::KnownDll(name) => (open_known(name)?, PageProtection::EXECUTE_WRITECOPY),
            ImageSource::File(path) | ImageSource::ImageResource(path) => {
                let section = open_file(path, SectionAttributes::IMAGE)?;
                (section, PageProtection::EXECUTE_WRITECOPY)
            }
            ImageSource::DataFile(path) => {
                let section = open_file(path, SectionAttributes::COMMIT)?;
                (section, PageProtection::READONLY)
            }
        };
        map_section(&section, protection)
    }

    fn unmap(&self, base: Ptr<u8>) {
        let _ = NtUnmapViewOfSection(CURRENT_PROCESS, base);
    }

    fn protect(&self, address: Ptr<u8>, bytes: usize, protection: u32) -> NtResult<u32> {
        let (mut base, mut size, mut old) = (address.raw(), bytes as u64, 0u32);
        let status =
            NtProtectVirtualMemory(CURRENT_PROCESS, &mut base, &mut size, protection, &mut old);
        done(status).map(|_| old)
    }

    fn flush_instruction_cache(&self, address: Ptr<u8>, bytes: usize) {
        let _ = NtFlushInstructionCache(CURRENT_PROCESS, address, bytes);
    }

    fn call_entry_point(
        &self,
        entry: Ptr<u8>,
        base: Ptr<u8>,
        reason: u32,
        context: usize,
    ) -> NtResult<bool> {
        // BOOL has 32 bits; the rest of the register means nothing.
        call(entry, base, reason, context).map(|result| result & 0xFFFF_FFFF != 0)
    }

    fn call_tls_callback(
        &self,
        callback: Ptr<u8>,
        base: Ptr<u8>,
        reason: u32,
        context: usize,
    ) -> NtResult {
        call(callback, base, reason, context).map(drop)
    }

    fn notify(
        &self,
        function: Ptr<u8>,
        reason: u32,
        data: Ptr<LdrDllNotificationData>,
        context: usize,
    ) {
        type Notification = fn(u32, Ptr<LdrDllNotificationData>, usize);
        Function::<Notification>::new(function.address()).call(reason, data, context);
    }

    fn call_delay_hook(
        &self,
        hook: Ptr<u8>,
        notification: u32,
        information: Ptr<DelayloadInfo>,
    ) -> Ptr<u8> {
        type Hook = fn(u32, Ptr<DelayloadInfo>) -> usize;
        let hook = Function::<Hook>::new(hook.address());
        Ptr::new(hook.call(notification, information))
    }

    fn call_delay_system_hook(&self, hook: Ptr<u8>, dll: Ptr<u8>, symbol: usize) -> Ptr<u8> {
        type Hook = fn(Ptr<u8>, usize) -> usize;
        let hook = Function::<Hook>::new(hook.address());
        Ptr::new(hook.call(dll, symbol))
    }

    fn hard_error(&self, failure: &LoadFailure<'_>, _process_start: bool) {
        raise(failure);
    }

    fn trace(&self, line: fmt::Arguments<'_>) {
        /// `FLG_SHOW_LDR_SNAPS`.
        const SHOW_SNAPS: u32 = 2;
        if field!(process::peb(), Peb, nt_global_flag).read() & SHOW_SNAPS != 0 {
            console::write(format_args!("ldr: {line}\n"));
        }
    }

    fn random(&self) -> u64 {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let mut counter = 0i64;
        let _ = NtQueryPerformanceCounter(&mut counter, NULL);
        let mixed = counter
            .unsigned_abs()
            .wrapping_add(self.time().unsigned_abs())
            .wrapping_add(process::teb().raw())
            .wrapping_add(LAST.fetch_add(1, Ordering::Relaxed) as u64);
        // The finisher of SplitMix64: every bit of the input changes half of the output.
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn time(&self) -> i64 {
        parking::read_time(field!(process::shared_data(), KuserSharedData, system_time))
    }

    fn directory(&self, which: WellKnownDirectory, path: &mut Utf16String) -> NtResult {
        match which {
            WellKnownDirectory::System => path.push_str(SYSTEM_DIRECTORY)?,
            WellKnownDirectory::System16 => path.push_str(r"C:\Windows\System")?,
            WellKnownDirectory::Windows => path.push_str(r"C:\Windows")?,
            WellKnownDirectory::Current => {
                let parameters = process::parameters().unwrap_or_default();
                let directory = start::units(&parameters.current_directory.dos_path);
                let directory = directory
                    .strip_suffix(&[u16::from(b'\\')])
                    .unwrap_or(directory);
                path.push(Utf16Str::new(directory))?;
            }
        }
        Ok(())
    }

    fn environment(&self, name: Utf16Str<'_>, value: &mut Utf16String) -> NtResult {
        match process::parameters() {
            Some(parameters) => look_up(&parameters, name, value),
            None => Ok(()),
        }
    }

    fn lock_loader(&self) {
        locks::enter(loader_lock());
    }

    fn try_lock_loader(&self) -> bool {
        critical_section::try_enter(&Threads, loader_lock())
    }

    fn unlock_loader(&self) {
        // It is the caller's.
        let _ = critical_section::leave(&Threads, loader_lock());
    }

    fn owns_loader_lock(&self) -> bool {
        critical_section::is_locked_by_caller(&Threads, loader_lock())
    }

    fn lock_modules_shared(&self) {
        srw_lock::acquire_shared(&Threads, modules_lock());
    }

    fn unlock_modules_shared(&self) {
        let _ = srw_lock::release_shared(&Threads, modules_lock());
    }

    fn lock_modules(&self) {
        srw_lock::acquire_exclusive(&Threads, modules_lock());
    }

    fn unlock_modules(&self) {
        let _ = srw_lock::release_exclusive(&Threads, modules_lock());
    }
}

/// Appends the value of a variable of the environment: `NAME=value` strings, ended by an empty one.
fn look_up(
    parameters: &RtlUserProcessParameters,
    name: Utf16Str<'_>,
    value: &mut Utf16String,
) -> NtResult {
    let Some(block) = Ptr::<u16>::at(parameters.environment).non_null() else {
        return Ok(());
    };
    let units = (parameters.environment_size / 2) as usize;
    for variable in block.slice(units).split(|unit| *unit == 0) {
        let equals = variable
            .iter()
            .skip(1)
            .position(|unit| *unit == u16::from(b'='));
        let Some(equals) = equals.map(|index| index + 1) else {
            continue;
        };
        let (known, text) = variable.split_at(equals);
        if Utf16Str::new(known).equals(name, Case::Insensitive) {
            value.push(Utf16Str::new(text.get(1..).unwrap_or_default()))?;
            break;
        }
    }
    Ok(())
}

/// Raises what went wrong as a hard error: the missing thing first, then who has it not.
fn raise(failure: &LoadFailure<'_>) {
    /// `OptionOk`.
    const OPTION_OK: u32 = 1;
    /// Longer names of exports are cut.
    const LONGEST_SYMBOL: usize = 128;
    let mut symbol_units = [0u16; LONGEST_SYMBOL];
    let mut strings = [UnicodeString::default(); 2];
    let (values, mask, count) = match failure {
        LoadFailure::MissingDll { name }
        | LoadFailure::BadImage { name, .. }
        | LoadFailure::InitFailed { name } => {
            strings[0] = counted(name.units());
            ([Ptr::of_shared(&strings[0]).raw(), 0], 1, 1u32)
        }
        LoadFailure::MissingName { symbol, module } => {
            let mut length = 0;
            for (unit, byte) in symbol_units.iter_mut().zip(*symbol) {
                *unit = u16::from(*byte);
                length += 1;
            }
            strings[0] = counted(symbol_units.get(..length).unwrap_or_default());
            strings[1] = counted(module.units());
            (
                [
                    Ptr::of_shared(&strings[0]).raw(),
                    Ptr::of_shared(&strings[1]).raw(),
                ],
                3,
                2,
            )
        }
        LoadFailure::MissingOrdinal { ordinal, module } => {
            strings[1] = counted(module.units());
            (
                [u64::from(*ordinal), Ptr::of_shared(&strings[1]).raw()],
                2,
                2,
            )
        }
    };
    let mut response = 0u32;
    let _ = NtRaiseHardError(
        failure.status(),
        count,
        mask,
        &values,
        OPTION_OK,
        &mut response,
    );
}
