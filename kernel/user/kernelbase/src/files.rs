//! Files by their names: opening, making, deleting, moving, and their attributes.

use nt_abi::native::{IoStatusBlock, UnicodeString};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::services::arguments::FileInformationClass;
use ntdll_imports::{
    NULL, NtClose, NtCreateFile, NtOpenFile, NtQueryAttributesFile, NtQueryFullAttributesFile,
    NtQueryInformationFile, NtSetInformationFile, RtlDosPathNameToNtPathName_U_WithStatus,
    RtlFreeUnicodeString,
};

use crate::console;
use crate::nt_files::{
    FileAttributeTagInformation, FileBasicInformation, FileNetworkOpenInformation,
    FileRenameInformation, RENAME_NAME, class, options, rights,
};
use crate::objects::{access, attributes};
use crate::structures::{FileAttributeData, FileTime, SecurityAttributes};
use crate::threads::security_of;
use crate::wide::{self, Wide};
use crate::win::*;

/// `INVALID_FILE_ATTRIBUTES`.
const NO_ATTRIBUTES: u32 = u32::MAX;
/// `FILE_ATTRIBUTE_NORMAL`.
const NORMAL: u32 = 0x80;
/// `FILE_ATTRIBUTE_DIRECTORY`.
const DIRECTORY: u32 = 0x10;
/// `FILE_ATTRIBUTE_REPARSE_POINT`.
const REPARSE_POINT: u32 = 0x400;
/// The attributes among the flags of `CreateFile`.
const ATTRIBUTES: u32 = 0x7FA7;

/// Flags of `CreateFile`, and the options of NT that they are.
const FLAGS: [(u32, u32); 7] = [
    (0x8000_0000, options::WRITE_THROUGH),
    (0x2000_0000, options::NO_INTERMEDIATE_BUFFERING),
    (0x1000_0000, options::RANDOM_ACCESS),
    (0x0800_0000, options::SEQUENTIAL_ONLY),
    (0x0400_0000, options::DELETE_ON_CLOSE),
    (0x0020_0000, options::OPEN_REPARSE_POINT),
    (0x0010_0000, options::OPEN_NO_RECALL),
];
/// `FILE_FLAG_OVERLAPPED`.
const OVERLAPPED: u32 = 0x4000_0000;
/// `FILE_FLAG_BACKUP_SEMANTICS`.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
/// `FILE_FLAG_POSIX_SEMANTICS`.
const POSIX_SEMANTICS: u32 = 0x0100_0000;
/// `FILE_FLAG_DELETE_ON_CLOSE`.
const DELETE_ON_CLOSE: u32 = 0x0400_0000;

/// `FILE_OPENED`, `FILE_OVERWRITTEN`, in the outcome of an open.
const WAS_OPENED: u32 = 1;
const WAS_OVERWRITTEN: u32 = 3;

/// A path as NT has it.
pub(crate) struct NtPath(UnicodeString);

impl NtPath {
    /// The path of a name of DOS.
    ///
    /// # Errors
    /// `PATH_NOT_FOUND`, and what else the run-time library says of it.
    pub(crate) fn of(name: Ptr<u16>) -> Win<Self> {
        if name.is_null() || name.read() == 0 {
            return Err(Error::PATH_NOT_FOUND);
        }
        let mut path = UnicodeString::default();
        check(RtlDosPathNameToNtPathName_U_WithStatus(
            name,
            Ptr::of(&mut path),
            Ptr::NULL,
            Ptr::NULL,
        ))?;
        Ok(Self(path))
    }

    /// The path.
    pub(crate) const fn string(&self) -> &UnicodeString {
        &self.0
    }

    /// Its units.
    pub(crate) fn units(&self) -> &[u16] {
        Ptr::<u16>::at(self.0.buffer).slice(usize::from(self.0.length / 2))
    }

    /// Calls somebody with the attributes of the file as an object.
    pub(crate) fn with<T>(&self, call: impl FnOnce(&nt_abi::native::ObjectAttributes) -> T) -> T {
        let flags = ObjectAttributeFlags::CASE_INSENSITIVE;
        call(&attributes(Some(&self.0), Handle::NULL, flags, Ptr::NULL))
    }
}

impl Drop for NtPath {
    fn drop(&mut self) {
        RtlFreeUnicodeString(Ptr::of(&mut self.0));
    }
}

/// A handle that is closed when nobody needs it any more.
pub(crate) struct OwnedHandle(pub(crate) Handle);

impl Drop for OwnedHandle {
    fn drop(&mut self) {
        let _closed = NtClose(self.0);
    }
}

/// Opens a file that is there, for something short.
///
/// # Errors
/// Those of opening it.
pub(crate) fn open(name: Ptr<u16>, wanted: u32, how: u32) -> Win<OwnedHandle> {
    let path = NtPath::of(name)?;
    let mut handle = Handle::NULL;
    let mut outcome = IoStatusBlock::default();
    let how = how | options::SYNCHRONOUS_IO_NONALERT;
    check(path.with(|object| {
        let wanted = access(wanted | rights::SYNCHRONIZE);
        NtOpenFile(
            &mut handle,
            wanted,
            object,
            &mut outcome,
            rights::SHARE_ALL,
            how,
        )
    }))?;
    Ok(OwnedHandle(handle))
}

/// Asks after a file.
pub(crate) fn query<T: Default>(file: Handle, class: u32) -> Win<T> {
    let mut found = T::default();
    let mut outcome = IoStatusBlock::default();
    let length = size_in_u32::<T>();
    check(NtQueryInformationFile(
        file,
        &mut outcome,
        &mut found,
        length,
        FileInformationClass(class),
    ))?;
    Ok(found)
}

/// Says something about a file.
pub(crate) fn set<T>(file: Handle, class: u32, value: &T) -> Win {
    let mut outcome = IoStatusBlock::default();
    let length = size_in_u32::<T>();
    check(NtSetInformationFile(
        file,
        &mut outcome,
        value,
        length,
        FileInformationClass(class),
    ))
}

/// Whether there is a file of a name.
pub(crate) fn exists(name: Ptr<u16>) -> bool {
    basic(name).is_ok()
}

/// Attributes and times of a file, without opening it.
pub(crate) fn basic(name: Ptr<u16>) -> Win<FileBasicInformation> {
    let path = NtPath::of(name)?;
    let mut found = FileBasicInformation::default();
    check(path.with(|object| NtQueryAttributesFile(object, &mut found)))?;
    Ok(found)
}

/// How a file is opened.
pub(crate) struct Opening {
    pub(crate) access: u32,
    pub(crate) share: u32,
    pub(crate) security: Ptr<SecurityAttributes>,
    /// `CREATE_NEW` to `TRUNCATE_EXISTING`.
    pub(crate) disposition: u32,
    pub(crate) flags: u32,
    /// Whose attributes a new file gets.
    pub(crate) template: Handle,
}

/// What NT calls the five dispositions: create, overwrite or create, open, open or create, overwrite.
const fn nt_disposition(disposition: u32) -> Option<u32> {
    Some(match disposition {
        1 => 2,
        2 => 5,
        3 => 1,
        4 => 3,
        5 => 4,
        _ => return None,
    })
}

impl Opening {
    /// The options of NT.
    fn options(&self) -> u32 {
        let mut how = FLAGS
            .iter()
            .filter(|(flag, _)| self.flags & flag != 0)
            .fold(0, |how, (_, option)| how | option);
        if self.flags & OVERLAPPED == 0 {
            how |= options::SYNCHRONOUS_IO_NONALERT;
        }
        how | if self.flags & BACKUP_SEMANTICS != 0 {
            options::OPEN_FOR_BACKUP_INTENT
        } else {
            options::NON_DIRECTORY_FILE
        }
    }

    /// Opens or makes the file; whether it was there.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`; those of the service; `FILE_EXISTS`.
    pub(crate) fn open(&self, name: Ptr<u16>) -> Win<(Handle, bool)> {
        let disposition = nt_disposition(self.disposition).ok_or(Error::INVALID_PARAMETER)?;
        let path = NtPath::of(name)?;
        let (inherit, descriptor) = security_of(self.security);
        let case = if self.flags & POSIX_SEMANTICS != 0 {
            ObjectAttributeFlags::empty()
        } else {
            ObjectAttributeFlags::CASE_INSENSITIVE
        };
        let object = attributes(
            Some(path.string()),
            Handle::NULL,
            inherit | case,
            descriptor,
        );
        let mut wanted = self.access | rights::SYNCHRONIZE | rights::READ_ATTRIBUTES;
        if self.flags & DELETE_ON_CLOSE != 0 {
            wanted |= rights::DELETE;
        }
        let (mut handle, mut outcome) = (Handle::NULL, IoStatusBlock::default());
        let status = NtCreateFile(
            &mut handle,
            access(wanted),
            &object,
            &mut outcome,
            NULL,
            self.file_attributes(),
            self.share,
            disposition,
            self.options(),
            NULL,
            0_u32,
        );
        if status == NtStatus::OBJECT_NAME_COLLISION && self.disposition == 1 {
            return Err(Error::FILE_EXISTS);
        }
        check(status)?;
        let what = u32::try_from(outcome.information).unwrap_or(0);
        let was_there = match self.disposition {
            2 => what == WAS_OVERWRITTEN,
            4 => what == WAS_OPENED,
            _ => false,
        };
        Ok((handle, was_there))
    }

    fn file_attributes(&self) -> u32 {
        let own = self.flags & ATTRIBUTES;
        if self.template.is_null() {
            return own;
        }
        let template = query::<FileBasicInformation>(self.template, class::BASIC);
        own | template.map_or(0, |found| found.attributes & ATTRIBUTES & !NORMAL)
    }
}

/// A name of DOS for a device: `CON`, `CONIN$`, `CONOUT$`, whatever its case.
fn console_of(name: &[u16], wanted: u32) -> Option<Handle> {
    const GENERIC_WRITE: u32 = 0x4000_0000;
    let is = |text: &str| {
        let small = name.iter().map(|&unit| rtl::utf16::downcase(unit));
        small.eq(text.bytes().map(u16::from))
    };
    let reads = is("conin$") || is("con") && wanted & GENERIC_WRITE == 0;
    let writes = is("conout$") || is("con");
    if reads {
        return Some(console::INPUT);
    }
    writes.then_some(console::OUTPUT)
}

fn create_file(name: Ptr<u16>, opening: &Opening) -> Handle {
    if let Some(handle) = console_of(wide::units(name), opening.access) {
        return handle;
    }
    let opened = opening.open(name).map(|(handle, was_there)| {
        set_last_error(if was_there {
            Error::ALREADY_EXISTS
        } else {
            Error::SUCCESS
        });
        handle
    });
    answer(opened, Handle::INVALID)
}

/// Makes an empty file that was not there.
pub(crate) fn create_new(name: Ptr<u16>) -> Win {
    const GENERIC_WRITE: u32 = 0x4000_0000;
    let opening = Opening {
        access: GENERIC_WRITE,
        share: 0,
        security: Ptr::NULL,
        disposition: 1,
        flags: NORMAL,
        template: Handle::NULL,
    };
    let (handle, _) = opening.open(name)?;
    drop(OwnedHandle(handle));
    Ok(())
}

fn delete(name: Ptr<u16>) -> Win {
    let how =
        options::NON_DIRECTORY_FILE | options::OPEN_FOR_BACKUP_INTENT | options::OPEN_REPARSE_POINT;
    let file = open(name, rights::DELETE, how)?;
    set(file.0, class::DISPOSITION, &1_u8)
}

fn create_directory(name: Ptr<u16>, security: Ptr<SecurityAttributes>) -> Win {
    let path = NtPath::of(name)?;
    let (inherit, descriptor) = security_of(security);
    let flags = inherit | ObjectAttributeFlags::CASE_INSENSITIVE;
    let object = attributes(Some(path.string()), Handle::NULL, flags, descriptor);
    let (mut handle, mut outcome) = (Handle::NULL, IoStatusBlock::default());
    let how = options::DIRECTORY_FILE
        | options::SYNCHRONOUS_IO_NONALERT
        | options::OPEN_FOR_BACKUP_INTENT;
    // `FILE_CREATE`.
    let status = NtCreateFile(
        &mut handle,
        access(rights::READ_DATA | rights::SYNCHRONIZE),
        &object,
        &mut outcome,
        NULL,
        NORMAL,
        3_u32,
        2_u32,
        how,
        NULL,
        0_u32,
    );
    check(status)?;
    drop(OwnedHandle(handle));
    Ok(())
}

fn remove_directory(name: Ptr<u16>) -> Win {
    let how =
        options::DIRECTORY_FILE | options::OPEN_FOR_BACKUP_INTENT | options::OPEN_REPARSE_POINT;
    let directory = open(name, rights::DELETE, how)?;
    set(directory.0, class::DISPOSITION, &1_u8)
}

fn set_attributes(name: Ptr<u16>, new: u32) -> Win {
    let how = options::OPEN_FOR_BACKUP_INTENT | options::OPEN_REPARSE_POINT;
    let file = open(name, rights::WRITE_ATTRIBUTES, how)?;
    // No attribute at all would mean that they stay.
    let information = FileBasicInformation {
        attributes: new & ATTRIBUTES | NORMAL,
        ..FileBasicInformation::default()
    };
    set(file.0, class::BASIC, &information)
}

/// `MOVEFILE_REPLACE_EXISTING`.
const REPLACE: u32 = 1;
/// `MOVEFILE_COPY_ALLOWED`.
const COPY_ALLOWED: u32 = 2;

/// Sets another name of an open file.
fn rename(file: Handle, new: &[u16], replace: bool, class: u32) -> Win {
    let bytes = RENAME_NAME + new.len() * 2;
    let mut room = wide::room::<u64>(bytes.max(size_of::<FileRenameInformation>()).div_ceil(8))?;
    let place = wide::place(&mut room).cast::<FileRenameInformation>();
    let length = u32::try_from(new.len() * 2).map_err(|_| Error::FILENAME_EXCED_RANGE)?;
    place.write(FileRenameInformation {
        replace_if_exists: u32::from(replace),
        file_name_length: length,
        ..FileRenameInformation::default()
    });
    place
        .cast::<u8>()
        .byte_add(RENAME_NAME)
        .cast::<u16>()
        .write_array(new);
    let mut outcome = IoStatusBlock::default();
    let total = u32::try_from(bytes.max(size_of::<FileRenameInformation>())).unwrap_or(u32::MAX);
    check(NtSetInformationFile(
        file,
        &mut outcome,
        place,
        total,
        FileInformationClass(class),
    ))
}

/// Moves a file or a directory.
pub(crate) fn move_file(from: Ptr<u16>, to: Ptr<u16>, flags: u32) -> Win {
    let how = options::OPEN_FOR_BACKUP_INTENT | options::OPEN_REPARSE_POINT;
    let file = open(from, rights::DELETE | rights::READ_ATTRIBUTES, how)?;
    let new = NtPath::of(to)?;
    match rename(file.0, new.units(), flags & REPLACE != 0, class::RENAME) {
        Err(Error::NOT_SAME_DEVICE) if flags & COPY_ALLOWED != 0 => {
            let tag = query::<FileAttributeTagInformation>(file.0, class::ATTRIBUTE_TAG);
            if tag.is_ok_and(|found| found.attributes & DIRECTORY != 0) {
                return Err(Error::NOT_SAME_DEVICE);
            }
            drop(file);
            crate::file_copies::copy(from, to, flags & REPLACE == 0)?;
            delete(from)
        }
        // A file of this name is there.
        Err(Error::FILE_EXISTS) => Err(Error::ALREADY_EXISTS),
        outcome => outcome,
    }
}

fn hard_link(new: Ptr<u16>, existing: Ptr<u16>) -> Win {
    let how = options::OPEN_FOR_BACKUP_INTENT | options::OPEN_REPARSE_POINT;
    let file = open(existing, rights::WRITE_ATTRIBUTES, how)?;
    let new = NtPath::of(new)?;
    rename(file.0, new.units(), false, class::LINK)
}

fn attribute_data(name: Ptr<u16>) -> Win<FileAttributeData> {
    let path = NtPath::of(name)?;
    let mut found = FileNetworkOpenInformation::default();
    check(path.with(|object| NtQueryFullAttributesFile(object, &mut found)))?;
    let [a, b, c, d, e, f, g, h] = found.end_of_file.to_le_bytes();
    Ok(FileAttributeData {
        attributes: found.attributes,
        creation_time: FileTime::new(found.creation_time),
        last_access_time: FileTime::new(found.last_access_time),
        last_write_time: FileTime::new(found.last_write_time),
        size_high: u32::from_le_bytes([e, f, g, h]),
        size_low: u32::from_le_bytes([a, b, c, d]),
    })
}

/// Calls a function with a name that was told in the ANSI code page.
pub(crate) fn with_wide<T>(name: Ptr<u8>, failure: T, call: impl FnOnce(Ptr<u16>) -> T) -> T {
    match Wide::from_ansi(name) {
        Ok(name) => call(name.ptr()),
        Err(error) => answer(Err(error), failure),
    }
}

exports! {
    /// Opens or makes a file; `INVALID_HANDLE_VALUE`: it failed.
    fn CreateFileW(name: Ptr<u16>, access: u32, share: u32, security: Ptr<SecurityAttributes>, disposition: u32, flags: u32, template: Handle) -> Handle {
        create_file(name, &Opening { access, share, security, disposition, flags, template })
    }

    /// Opens or makes a file; `INVALID_HANDLE_VALUE`: it failed.
    fn CreateFileA(name: Ptr<u8>, access: u32, share: u32, security: Ptr<SecurityAttributes>, disposition: u32, flags: u32, template: Handle) -> Handle {
        with_wide(name, Handle::INVALID, |name| create_file(name, &Opening { access, share, security, disposition, flags, template }))
    }

    /// Opens or makes a file; its parameters say their size, then attributes, flags, quality of service, security, template.
    fn CreateFile2(name: Ptr<u16>, access: u32, share: u32, disposition: u32, parameters: Ptr<u32>) -> Handle {
        let mut opening = Opening { access, share, security: Ptr::NULL, disposition, flags: NORMAL, template: Handle::NULL };
        if !parameters.is_null() {
            opening.flags = parameters.add(1).read() | parameters.add(2).read() | parameters.add(3).read();
            let pointers = parameters.add(4).cast::<usize>();
            opening.security = Ptr::new(pointers.read());
            opening.template = Handle(pointers.add(1).read() as nt_abi::native::Handle);
        }
        create_file(name, &opening)
    }

    /// Deletes a file.
    fn DeleteFileW(name: Ptr<u16>) -> Bool {
        truth(delete(name))
    }

    /// Deletes a file.
    fn DeleteFileA(name: Ptr<u8>) -> Bool {
        with_wide(name, FALSE, |name| truth(delete(name)))
    }

    /// Makes a directory.
    fn CreateDirectoryW(name: Ptr<u16>, security: Ptr<SecurityAttributes>) -> Bool {
        truth(create_directory(name, security))
    }

    /// Makes a directory.
    fn CreateDirectoryA(name: Ptr<u8>, security: Ptr<SecurityAttributes>) -> Bool {
        with_wide(name, FALSE, |name| truth(create_directory(name, security)))
    }

    /// Makes a directory.
    ///
    /// # Differs
    /// Of the template nothing is taken.
    fn CreateDirectoryExW(_template: Ptr<u16>, name: Ptr<u16>, security: Ptr<SecurityAttributes>) -> Bool {
        truth(create_directory(name, security))
    }

    /// Makes a directory.
    ///
    /// # Differs
    /// Of the template nothing is taken.
    fn CreateDirectoryExA(_template: Ptr<u8>, name: Ptr<u8>, security: Ptr<SecurityAttributes>) -> Bool {
        with_wide(name, FALSE, |name| truth(create_directory(name, security)))
    }

    /// Removes an empty directory.
    fn RemoveDirectoryW(name: Ptr<u16>) -> Bool {
        truth(remove_directory(name))
    }

    /// Removes an empty directory.
    fn RemoveDirectoryA(name: Ptr<u8>) -> Bool {
        with_wide(name, FALSE, |name| truth(remove_directory(name)))
    }

    /// The attributes of a file; -1: it failed.
    fn GetFileAttributesW(name: Ptr<u16>) -> u32 {
        answer(basic(name).map(|found| found.attributes), NO_ATTRIBUTES)
    }

    /// The attributes of a file; -1: it failed.
    fn GetFileAttributesA(name: Ptr<u8>) -> u32 {
        with_wide(name, NO_ATTRIBUTES, |name| GetFileAttributesW(name))
    }

    /// Attributes, times and size of a file.
    fn GetFileAttributesExW(name: Ptr<u16>, level: u32, into: Ptr<FileAttributeData>) -> Bool {
        if level != 0 {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        truth(attribute_data(name).map(|found| into.write(found)))
    }

    /// Attributes, times and size of a file.
    fn GetFileAttributesExA(name: Ptr<u8>, level: u32, into: Ptr<FileAttributeData>) -> Bool {
        with_wide(name, FALSE, |name| GetFileAttributesExW(name, level, into))
    }

    /// Sets the attributes of a file.
    fn SetFileAttributesW(name: Ptr<u16>, new: u32) -> Bool {
        truth(set_attributes(name, new))
    }

    /// Sets the attributes of a file.
    fn SetFileAttributesA(name: Ptr<u8>, new: u32) -> Bool {
        with_wide(name, FALSE, |name| truth(set_attributes(name, new)))
    }

    /// Moves a file or directory.
    fn MoveFileW(from: Ptr<u16>, to: Ptr<u16>) -> Bool {
        truth(move_file(from, to, COPY_ALLOWED))
    }

    /// Moves a file or directory.
    fn MoveFileExW(from: Ptr<u16>, to: Ptr<u16>, flags: u32) -> Bool {
        truth(move_or_later(from, to, flags))
    }

    /// Moves a file or directory.
    fn MoveFileA(from: Ptr<u8>, to: Ptr<u8>) -> Bool {
        MoveFileExA(from, to, COPY_ALLOWED)
    }

    /// Moves a file or directory.
    fn MoveFileExA(from: Ptr<u8>, to: Ptr<u8>, flags: u32) -> Bool {
        with_wide(from, FALSE, |from| with_wide(to, FALSE, |to| MoveFileExW(from, to, flags)))
    }

    /// Moves a file or directory.
    ///
    /// # Differs
    /// Progress is not told.
    fn MoveFileWithProgressW(from: Ptr<u16>, to: Ptr<u16>, _progress: Ptr<u8>, _context: Ptr<u8>, flags: u32) -> Bool {
        truth(move_or_later(from, to, flags))
    }

    /// Moves a file or directory.
    ///
    /// # Differs
    /// Progress is not told.
    fn MoveFileWithProgressA(from: Ptr<u8>, to: Ptr<u8>, _progress: Ptr<u8>, _context: Ptr<u8>, flags: u32) -> Bool {
        MoveFileExA(from, to, flags)
    }

    /// Gives a file another name.
    fn CreateHardLinkW(new: Ptr<u16>, existing: Ptr<u16>, _security: Ptr<SecurityAttributes>) -> Bool {
        truth(hard_link(new, existing))
    }

    /// Gives a file another name.
    fn CreateHardLinkA(new: Ptr<u8>, existing: Ptr<u8>, security: Ptr<SecurityAttributes>) -> Bool {
        with_wide(new, FALSE, |new| with_wide(existing, FALSE, |existing| CreateHardLinkW(new, existing, security)))
    }

    /// Whether names of files are told in the ANSI code page: they always are.
    fn AreFileApisANSI() -> Bool {
        TRUE
    }

    /// Has names of files told in the ANSI code page: they always are.
    fn SetFileApisToANSI() {}

    /// Has names of files told in the OEM code page.
    ///
    /// # Differs
    /// They stay in the ANSI code page.
    fn SetFileApisToOEM() {}
}

/// `MOVEFILE_DELAY_UNTIL_REBOOT`, which needs a registry.
fn move_or_later(from: Ptr<u16>, to: Ptr<u16>, flags: u32) -> Win {
    const LATER: u32 = 4;
    if flags & LATER != 0 {
        return Err(Error::NOT_SUPPORTED);
    }
    move_file(from, to, flags)
}

/// Attributes that say what a file is.
pub(crate) mod attribute {
    /// `FILE_ATTRIBUTE_DIRECTORY`.
    pub(crate) const DIRECTORY: u32 = super::DIRECTORY;
    /// `FILE_ATTRIBUTE_REPARSE_POINT`.
    pub(crate) const REPARSE_POINT: u32 = super::REPARSE_POINT;
}
