//! The modules of this process: the loader of `loader`, with this process under it.

mod exports;
mod function_tables;
mod images;
mod messages;
mod system;

use core::sync::atomic::{AtomicUsize, Ordering};

use c_interface::{Ptr, field};
use loader::{Loader, MappedImage, Procedure, ProcessImages};
use nt_abi::native::Peb;
use nt_abi::{NtResult, NtStatus};
use rtl::{Utf16Str, Utf16String};

pub(crate) use self::function_tables::{DynamicEntry, dynamic_entry};
pub(crate) use self::images::{ImageRange, image_at, stack_of, with_module_name};
pub(crate) use self::system::Process;
use crate::{process, start};

/// The loader of this process.
static LOADER: Loader<Process> = Loader::new(Process);

/// kernel32's routine that every Win32 thread begins with; 0 without kernel32.
static THREAD_INIT_THUNK: AtomicUsize = AtomicUsize::new(0);

/// That routine.
pub(crate) fn thread_init_thunk() -> usize {
    THREAD_INIT_THUNK.load(Ordering::Acquire)
}

/// Where Windows' DLLs are.
const SYSTEM_DIRECTORY: &str = r"C:\Windows\System32";

/// Brings everything into the process that its program needs, and calls what wants to know of its start. For the first
/// thread; `context` is what that goes on with.
///
/// # Errors
/// The status that the process ends with.
pub(crate) fn initialize_process(system_dll: Ptr<u8>, context: usize) -> NtResult {
    system::prepare();
    let peb = process::peb();
    let parameters = process::parameters().unwrap_or_default();
    let program_path = start::units(&parameters.image_path_name);
    let mut ntdll_path = Utf16String::new();
    ntdll_path.push_str(SYSTEM_DIRECTORY)?;
    ntdll_path.push_str(r"\ntdll.dll")?;
    let mut kernel32 = Utf16String::new();
    kernel32.push_str("kernel32.dll")?;
    let program = Ptr::at(field!(peb, Peb, image_base_address).read());
    LOADER.initialize_process(&ProcessImages {
        ntdll: mapped(system_dll),
        ntdll_path: ntdll_path.as_str(),
        program: mapped(program),
        program_path: Utf16Str::new(program_path),
        subsystem_dll: Some(kernel32.as_str()),
    })?;
    find_thread_init_thunk(kernel32.as_str());
    LOADER.attach_process(context)
}

fn mapped(base: Ptr<u8>) -> MappedImage {
    MappedImage {
        base,
        size: images::size_of_image(base),
        status: NtStatus::SUCCESS,
    }
}

fn find_thread_init_thunk(kernel32: Utf16Str<'_>) {
    let Some(base) = images::base_of(kernel32) else {
        return;
    };
    let name = Procedure::Name(b"BaseThreadInitThunk\0");
    if let Ok(thunk) = LOADER.procedure_address(base, name) {
        THREAD_INIT_THUNK.store(thunk.address(), Ordering::Release);
    }
}

/// Makes a new thread known.
///
/// # Errors
/// The status that the thread ends with.
pub(crate) fn attach_thread() -> NtResult {
    LOADER.attach_thread()
}

/// The calling thread goes.
pub(crate) fn shut_thread_down() {
    LOADER.shutdown_thread();
}

/// Keeps a module loaded once more.
pub(crate) fn hold(base: Ptr<u8>) {
    // What is no module is not kept.
    let _ = LOADER.add_reference(0, base);
}

/// Does not keep a module loaded any more.
pub(crate) fn release(base: Ptr<u8>) {
    let _ = LOADER.unload_dll(base);
}

/// The process ends; the calling thread is the only one.
pub(crate) fn shut_process_down() {
    LOADER.shutdown_process();
}

/// A number that nobody can guess.
pub(crate) fn random() -> u64 {
    use loader::System as _;
    Process.random()
}

/// Takes the loader lock for good: no other thread is inside when all others end.
pub(crate) fn enter_for_the_end() {
    use loader::System as _;
    Process.lock_loader();
}
