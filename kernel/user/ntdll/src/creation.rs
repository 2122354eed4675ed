//! How a program makes threads and processes.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::native::{
    ClientId, ObjectAttributes, PsAttribute, PsAttributeList, PsCreateInfo,
    RtlUserProcessInformation, RtlUserProcessParameters, SectionImageInformation, UnicodeString,
};
use nt_abi::process_creation::{ProcessCreateFlags, PsAttributeNumber, ThreadCreateFlags};
use nt_abi::process_parameters::ParameterFlags;
use stubs::call::{Address, NtCreateThreadEx, NtCreateUserProcess};

/// An attribute list with its attributes.
#[repr(C)]
#[derive(Clone, Copy)]
struct Attributes<const COUNT: usize> {
    header: PsAttributeList,
    attributes: [PsAttribute; COUNT],
}

impl<const COUNT: usize> Attributes<COUNT> {
    fn new(attributes: [PsAttribute; COUNT]) -> Self {
        Self {
            header: PsAttributeList {
                total_length: size_of::<Self>() as nt_abi::native::Size,
            },
            attributes,
        }
    }
}

fn attribute<T>(number: PsAttributeNumber, size: usize, value: Ptr<T>) -> PsAttribute {
    PsAttribute {
        attribute: number.0 as nt_abi::native::Size,
        size: size as nt_abi::native::Size,
        value: value.raw(),
        return_length: 0,
    }
}

/// The attributes of a process or thread that the program describes by a descriptor alone.
fn with_descriptor(descriptor: Ptr<u8>) -> ObjectAttributes {
    ObjectAttributes {
        length: size_of::<ObjectAttributes>() as u32,
        security_descriptor: descriptor.raw(),
        ..ObjectAttributes::default()
    }
}

exports! {
    /// Makes a thread of a process.
    fn RtlCreateUserThread(
        process: usize,
        descriptor: Ptr<u8>,
        suspended: u8,
        zero_bits: u32,
        reserve: usize,
        commit: usize,
        start: Ptr<u8>,
        argument: Ptr<u8>,
        thread: Ptr<usize>,
        id: Ptr<ClientId>,
    ) -> NtStatus {
        let flags = match suspended {
            0 => ThreadCreateFlags::empty(),
            _ => ThreadCreateFlags::CREATE_SUSPENDED,
        };
        let mut ids = ClientId::default();
        let number = PsAttributeNumber::CLIENT_ID;
        let list = Attributes::new([attribute(number, size_of::<ClientId>(), Ptr::of(&mut ids))]);
        let attributes = with_descriptor(descriptor);
        let mut handle = 0u64;
        let status = NtCreateThreadEx(
            &mut handle,
            AccessMask::THREAD_ALL_ACCESS,
            &attributes,
            process as u64,
            start,
            argument,
            flags.bits(),
            u64::from(zero_bits),
            commit,
            reserve,
            &list,
        );
        if !status.is_success() {
            return status;
        }
        if thread.is_null() {
            // Nobody wants to know it.
            let _ = stubs::call::NtClose(handle);
        } else {
            thread.write(handle as usize);
        }
        id.write_optional(ids);
        status
    }

    /// Makes a process that runs a program, with its first thread suspended.
    fn RtlCreateUserProcess(
        path: Ptr<UnicodeString>,
        _attributes: u32,
        parameters: Ptr<RtlUserProcessParameters>,
        process_descriptor: Ptr<u8>,
        thread_descriptor: Ptr<u8>,
        parent: usize,
        inherit_handles: u8,
        debug_port: usize,
        _token: usize,
        information: Ptr<RtlUserProcessInformation>,
    ) -> NtStatus {
        if debug_port != 0 {
            // There is no debugger yet that could have one.
            return NtStatus::NOT_SUPPORTED;
        }
        let flags = match inherit_handles {
            0 => ProcessCreateFlags::empty(),
            _ => ProcessCreateFlags::INHERIT_HANDLES,
        };
        let path = path.read();
        let mut made = RtlUserProcessInformation {
            length: size_of::<RtlUserProcessInformation>() as u32,
            ..RtlUserProcessInformation::default()
        };
        let place = Ptr::of(&mut made);
        let image = attribute(
            PsAttributeNumber::IMAGE_NAME,
            usize::from(path.length),
            Ptr::<u16>::at(path.buffer),
        );
        let id = attribute(
            PsAttributeNumber::CLIENT_ID,
            size_of::<ClientId>(),
            field!(place, RtlUserProcessInformation, client_id),
        );
        let about = attribute(
            PsAttributeNumber::IMAGE_INFO,
            size_of::<SectionImageInformation>(),
            field!(place, RtlUserProcessInformation, image_information),
        );
        // The handle itself is the value; without a parent the list ends before it.
        let from = Ptr::<u8>::new(parent);
        let from = attribute(PsAttributeNumber::PARENT_PROCESS, size_of::<usize>(), from);
        let mut list = Attributes::new([image, id, about, from]);
        if parent == 0 {
            list.header.total_length -= size_of::<PsAttribute>() as nt_abi::native::Size;
        }
        let mut info = PsCreateInfo {
            size: size_of::<PsCreateInfo>() as nt_abi::native::Size,
            ..PsCreateInfo::default()
        };
        // The kernel reads the parameters' strings where they say they are.
        let normalised = field!(parameters, RtlUserProcessParameters, flags)
            .read()
            .contains(ParameterFlags::PARAMS_NORMALIZED);
        if !normalised {
            user_rtl::process_parameters::RtlNormalizeProcessParams(parameters);
        }
        let (of_process, of_thread) = (
            with_descriptor(process_descriptor),
            with_descriptor(thread_descriptor),
        );
        let status = NtCreateUserProcess(
            &mut made.process,
            &mut made.thread,
            AccessMask::PROCESS_ALL_ACCESS,
            AccessMask::THREAD_ALL_ACCESS,
            &of_process,
            &of_thread,
            flags.bits(),
            ThreadCreateFlags::CREATE_SUSPENDED.bits(),
            Address(parameters.raw()),
            &mut info,
            &list,
        );
        if status.is_success() {
            information.write(made);
        }
        status
    }
}
