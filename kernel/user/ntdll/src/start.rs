//! Where threads begin.

use core::sync::atomic::{AtomicU32, Ordering};

use c_interface::{Function, Ptr, exports};
use entries::exceptions::Context;
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;
use stubs::call::{Address, NtContinue};

use crate::{ending, exceptions, given, heaps, loading, thread_slots};

/// How far the process is: the first thread initialises it before any other runs.
static PROCESS: AtomicU32 = AtomicU32::new(NEW);
const NEW: u32 = 0;
const READY: u32 = 1;

exports! {
    /// Where the kernel makes every thread begin: the loader, then what the thread was made for.
    fn LdrInitializeThunk(context: Ptr<Context>, system_dll: Ptr<u8>) {
        let result = if PROCESS.load(Ordering::Acquire) == NEW {
            given::name_everything();
            thread_slots::prepare();
            heaps::make_process_heap()
                .and_then(|()| user_rtl::environment::adopt())
                .and_then(|()| loading::initialize_process(system_dll, context.address()))
                .inspect(|()| PROCESS.store(READY, Ordering::Release))
        } else {
            loading::attach_thread()
        };
        if let Err(status) = result {
            exceptions::start_failed(status);
        }
        // Attaching may have queued APCs.
        let refused = NtContinue(Address(context.raw()), true);
        exceptions::start_failed(refused);
    }
}

/// A thread's routine.
type Routine = fn(usize) -> u32;
/// kernel32's `BaseThreadInitThunk`, which calls a routine by Win32's rules: 0 for the program's own thread.
type InitThunk = fn(u32, Function<Routine>, usize);

/// Runs a thread: kernel32's thunk calls its routine where there is kernel32.
pub(crate) extern "C" fn run_thread(routine: usize, argument: usize) -> ! {
    let routine = Function::<Routine>::new(routine);
    if let Some(thunk) = Function::<InitThunk>::new(loading::thread_init_thunk()).non_null() {
        thunk.call(0, routine, argument);
    }
    let status = routine.call(argument);
    ending::exit_thread(NtStatus(status))
}

/// What a thread ends with whose fiber's routine returned.
const FIBER_ENDED: NtStatus = NtStatus(1);

/// Runs a fiber: when its routine returns, the thread ends that runs it.
pub(crate) extern "C" fn run_fiber(routine: usize, argument: usize) -> ! {
    Function::<fn(usize)>::new(routine).call(argument);
    ending::exit_thread(FIBER_ENDED)
}

/// A string of this process as UTF-16 units; for strings that nobody changes, such as those of the process parameters.
pub(crate) fn units<'a>(string: &UnicodeString) -> &'a [u16] {
    Ptr::<u16>::at(string.buffer).slice(usize::from(string.length / 2))
}
