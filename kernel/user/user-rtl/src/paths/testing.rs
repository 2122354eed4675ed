//! A process with files, for tests: each thread has its own.

extern crate std;

use std::cell::RefCell;
use std::string::String;
use std::vec::Vec;

use c_interface::{Function, Ptr, field};
use nt_abi::NtStatus;
use nt_abi::native::{
    Curdir, IoStatusBlock, ObjectAttributes, RtlUserProcessParameters, UnicodeString,
};

use super::files::set_services;
use crate::given;
use crate::strings::testing::{contents, unicode, wide};

std::thread_local! {
    static FILES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static OPEN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The files of this thread's process.
pub(super) struct Files;

impl Files {
    /// Puts a file where NT's namespace has this name.
    pub(super) fn add(&self, name: &str) {
        FILES.with_borrow_mut(|files| files.push(name.to_lowercase()));
    }

    pub(super) fn is_closed(&self, handle: usize) -> bool {
        OPEN.with_borrow(|open| !open.contains(&handle))
    }
}

fn is_there(attributes: Ptr<ObjectAttributes>) -> bool {
    let name = Ptr::<UnicodeString>::at(attributes.read().object_name).read();
    let name = contents(&name).to_lowercase();
    let name = name.strip_suffix('\\').unwrap_or(&name);
    FILES.with_borrow(|files| files.iter().any(|file| file == name))
}

extern "system" fn query_attributes(
    attributes: Ptr<ObjectAttributes>,
    answer: Ptr<u8>,
) -> NtStatus {
    answer.fill(0, 40);
    if is_there(attributes) {
        NtStatus::SUCCESS
    } else {
        NtStatus::OBJECT_NAME_NOT_FOUND
    }
}

extern "system" fn open_file(
    handle: Ptr<usize>,
    _access: u32,
    attributes: Ptr<ObjectAttributes>,
    _outcome: Ptr<IoStatusBlock>,
    _share: u32,
    _options: u32,
) -> NtStatus {
    if !is_there(attributes) {
        return NtStatus::OBJECT_NAME_NOT_FOUND;
    }
    let new = OPEN.with_borrow_mut(|open| {
        let new = 4 * (open.len() + 1) + open.last().copied().unwrap_or(0);
        open.push(new);
        new
    });
    handle.write(new);
    NtStatus::SUCCESS
}

extern "system" fn close(handle: usize) -> NtStatus {
    OPEN.with_borrow_mut(|open| open.retain(|other| *other != handle));
    NtStatus::SUCCESS
}

/// Makes a process with this current directory, no files, and `D:`'s directory in its environment.
pub(super) fn begin(directory: &str) -> Files {
    let parameters = crate::process::testing::begin();
    set_services(
        Function::new(query_attributes as *const () as usize),
        Function::new(open_file as *const () as usize),
    );
    given::set_close(Function::new(close as *const () as usize));
    let path = unicode(directory, 60);
    let place = field!(parameters, RtlUserProcessParameters, current_directory);
    field!(place, Curdir, dos_path).write(path.get());
    let environment = wide("=D:=D:\\games\0");
    field!(parameters, RtlUserProcessParameters, environment).write(environment.ptr().raw());
    // They belong to the process.
    std::mem::forget((path, environment));
    FILES.with_borrow_mut(Vec::clear);
    Files
}

/// The handle of the current directory.
pub(super) fn current_handle() -> usize {
    let parameters = crate::process::parameters().expect("parameters");
    Ptr::<u8>::at(parameters.read().current_directory.handle).address()
}
