//! New processes and what they are given.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::native::{RtlUserProcessInformation, RtlUserProcessParameters, UnicodeString};

imports! { "ntdll";
    /// Makes an environment: empty, or a copy of the own one.
    fn RtlCreateEnvironment(inherit: u8, into: Ptr<Ptr<u16>>) -> NtStatus;
    /// Makes a counted string of a terminated one.
    fn RtlInitUnicodeString(string: Ptr<UnicodeString>, units: Ptr<u16>);
    /// Makes the parameters of a new process.
    fn RtlCreateProcessParametersEx(
        parameters: Ptr<Ptr<RtlUserProcessParameters>>,
        image_path: Ptr<UnicodeString>,
        dll_path: Ptr<UnicodeString>,
        current_directory: Ptr<UnicodeString>,
        command_line: Ptr<UnicodeString>,
        environment: Ptr<u16>,
        window_title: Ptr<UnicodeString>,
        desktop: Ptr<UnicodeString>,
        shell: Ptr<UnicodeString>,
        runtime_data: Ptr<UnicodeString>,
        flags: u32,
    ) -> NtStatus;
    /// Makes a process that runs a program, with its first thread suspended.
    fn RtlCreateUserProcess(
        path: Ptr<UnicodeString>,
        attributes: u32,
        parameters: Ptr<RtlUserProcessParameters>,
        process_descriptor: Ptr<u8>,
        thread_descriptor: Ptr<u8>,
        parent: usize,
        inherit_handles: u8,
        debug_port: usize,
        token: usize,
        information: Ptr<RtlUserProcessInformation>,
    ) -> NtStatus;
}
