//! Where a DLL is looked for.
//!
//! A name without a path is first looked for among the modules that are there, then among the known DLLs, then in
//! directories. Which directories in which order is data: a path of directories between semicolons that the caller gives,
//! or one that is made here from what the program asked for.
//!
//! # NT
//! "Dynamic-link library search order" of the Windows documentation; `LdrGetDllPath`, `SetDllDirectory`,
//! `AddDllDirectory`, `SetDefaultDllDirectories`.

use c_interface::field;
use nt_abi::loader::{LdrDllLoadReason, LdrEntryFlags};
use nt_abi::native::Peb;
use nt_abi::{NtResult, NtStatus};
use rtl::{Utf16Str, Utf16String, utf16};

use crate::api_set::{self, Resolution};
use crate::load::{LoadFlags, Search, SearchPath};
use crate::loader::Loader;
use crate::module::Module;
use crate::names::{
    Extension, NameBuffer, PathKind, base_of, directory_of, extension_of, is_api_set, join,
    kind_of, root_length,
};
use crate::registry::Registry;
use crate::system::{ImageSource, System, WellKnownDirectory};

/// What a search gave.
pub(crate) enum Found {
    /// It is loaded.
    Loaded(Module),
    /// It was mapped just now.
    New(Module),
}

impl<S: System> Loader<S> {
    /// The API set map of the process.
    fn api_set_map(&self) -> Option<&[u8]> {
        let map = field!(self.peb(), Peb, api_set_map).read();
        let map = c_interface::Ptr::<u32>::at(map).non_null()?;
        // The map's second word says its length.
        let size = usize::try_from(map.add(1).read()).ok()?;
        Some(map.cast::<u8>().slice(size))
    }

    /// Puts what an API set's name means here in its place; other names stay.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`: nobody has it.
    pub(crate) fn resolve_api_set(
        &self,
        name: &mut NameBuffer,
        importer: Option<Module>,
    ) -> NtResult {
        if !is_api_set(name.as_str()) {
            return Ok(());
        }
        let importer = importer.map(Module::base_name);
        match api_set::resolve(self.api_set_map(), name.as_str(), importer) {
            Resolution::NotASet => Ok(()),
            Resolution::Nobody => Err(NtStatus::DLL_NOT_FOUND),
            Resolution::Host(host) => name.set_units(host.units()),
        }
    }

    /// Finds the DLL with a name that has an extension and no path: among the modules, then everywhere else.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`, or what is wrong with the image that was found.
    pub(crate) fn find_by_name(
        &self,
        registry: Registry,
        name: Utf16Str<'_>,
        search: Search<'_>,
        reason: LdrDllLoadReason,
    ) -> NtResult<Found> {
        if let Some(found) = self.find_redirected(registry, name, reason)? {
            return Ok(found);
        }
        if let Some(module) = registry.by_base_name(name) {
            return Ok(Found::Loaded(module));
        }
        if let Some(module) = self.map_known(name, reason)? {
            return Ok(Found::New(module));
        }
        let directories = self.directories(search)?;
        for directory in directories
            .as_str()
            .units()
            .split(|unit| *unit == SEMICOLON)
        {
            if directory.is_empty() {
                continue;
            }
            let full = join(Utf16Str::new(directory), name)?;
            if let Some(module) = self.map_file(full.as_str(), reason)? {
                return Ok(Found::New(module));
            }
        }
        Err(NtStatus::DLL_NOT_FOUND)
    }

    /// Finds the DLL with a path.
    ///
    /// # Errors
    /// As [`find_by_name`](Self::find_by_name).
    pub(crate) fn find_by_path(
        &self,
        registry: Registry,
        path: Utf16Str<'_>,
        search: Search<'_>,
        reason: LdrDllLoadReason,
    ) -> NtResult<Found> {
        if let Some(found) = self.find_redirected(registry, path, reason)? {
            return Ok(found);
        }
        let mut given = path.try_to_owned().map_err(|_| NtStatus::NO_MEMORY)?;
        match extension_of(path) {
            Extension::Missing => given
                .push(crate::names::EXTENSION)
                .map_err(|_| NtStatus::NO_MEMORY)?,
            Extension::TrailingDot => given.truncate(given.len() - 1),
            Extension::Given => {}
        }
        let try_one = |full: &Utf16String| -> NtResult<Option<Found>> {
            let name = full.as_str();
            if let Some(module) = registry.by_full_name(base_of(name), name) {
                return Ok(Some(Found::Loaded(module)));
            }
            Ok(self.map_file(name, reason)?.map(Found::New))
        };
        if kind_of(given.as_str()) == PathKind::Relative {
            let directories = self.directories(search)?;
            for directory in directories
                .as_str()
                .units()
                .split(|unit| *unit == SEMICOLON)
            {
                if directory.is_empty() {
                    continue;
                }
                let full = join(Utf16Str::new(directory), given.as_str())?;
                if let Some(found) = try_one(&full)? {
                    return Ok(found);
                }
            }
            return Err(NtStatus::DLL_NOT_FOUND);
        }
        let full = self.full_path(given.as_str())?;
        try_one(&full)?.ok_or(NtStatus::DLL_NOT_FOUND)
    }

    /// Finds the DLL that somebody put in the place of another one; `None` if nobody did.
    fn find_redirected(
        &self,
        registry: Registry,
        name: Utf16Str<'_>,
        reason: LdrDllLoadReason,
    ) -> NtResult<Option<Found>> {
        let mut path = Utf16String::new();
        if !self.system.redirect(name, &mut path)? {
            return Ok(None);
        }
        let full = path.as_str();
        if let Some(module) = registry.by_full_name(base_of(full), full) {
            return Ok(Some(Found::Loaded(module)));
        }
        let module = self
            .map_file(full, reason)?
            .ok_or(NtStatus::DLL_NOT_FOUND)?;
        module.set(LdrEntryFlags::REDIRECTED, true);
        Ok(Some(Found::New(module)))
    }

    /// A path from the root, without `.` and `..`.
    ///
    /// # Errors
    /// `NO_MEMORY`, or what asking for the current directory gives.
    pub(crate) fn full_path(&self, path: Utf16Str<'_>) -> NtResult<Utf16String> {
        let mut current = Utf16String::new();
        let kind = kind_of(path);
        if kind == PathKind::Absolute {
            let (root, rest) = path.units().split_at(root_length(path));
            return join(Utf16Str::new(root), Utf16Str::new(rest));
        }
        self.system
            .directory(WellKnownDirectory::Current, &mut current)?;
        let own = current.as_str();
        match kind {
            PathKind::Rooted => {
                let root = own.units().get(..root_length(own)).unwrap_or_default();
                join(Utf16Str::new(root), path)
            }
            // The current directory of another drive is not kept: its root is meant.
            PathKind::DriveRelative => {
                let (drive, rest) = path.units().split_at(2);
                let same = own.units().get(..2) == Some(drive);
                let mut root = Utf16Str::new(drive)
                    .try_to_owned()
                    .map_err(|_| NtStatus::NO_MEMORY)?;
                root.push(utf16!("\\")).map_err(|_| NtStatus::NO_MEMORY)?;
                join(if same { own } else { root.as_str() }, Utf16Str::new(rest))
            }
            _ => join(own, path),
        }
    }

    /// Maps a known DLL; `None` if the name is none of theirs.
    fn map_known(&self, name: Utf16Str<'_>, reason: LdrDllLoadReason) -> NtResult<Option<Module>> {
        let Some(image) = found(self.system.map(ImageSource::KnownDll(name)))? else {
            return Ok(None);
        };
        let mut directory = Utf16String::new();
        let module = self
            .system
            .directory(WellKnownDirectory::System, &mut directory)
            .and_then(|()| join(directory.as_str(), name))
            .and_then(|full| self.add_module(&image, full.as_str(), reason));
        module
            .map(Some)
            .inspect_err(|_| self.system.unmap(image.base))
    }

    /// Maps a file; `None` if there is none.
    fn map_file(&self, path: Utf16Str<'_>, reason: LdrDllLoadReason) -> NtResult<Option<Module>> {
        let Some(image) = found(self.system.map(ImageSource::File(path)))? else {
            return Ok(None);
        };
        let module = self.add_module(&image, path, reason);
        module
            .map(Some)
            .inspect_err(|_| self.system.unmap(image.base))
    }

    /// The directories to search, between semicolons.
    ///
    /// # Errors
    /// `NO_MEMORY`, or what asking for a directory gives.
    pub(crate) fn directories(&self, search: Search<'_>) -> NtResult<Utf16String> {
        let Search { path, dll } = search;
        let flags = match path {
            SearchPath::Directories(given) => {
                return given.try_to_owned().map_err(|_| NtStatus::NO_MEMORY);
            }
            SearchPath::Flags(flags) => flags,
            SearchPath::Default => self.default_directories(),
        };
        let mut out = Utf16String::new();
        if flags.intersects(LoadFlags::SEARCH_ALL) {
            self.selected_directories(flags, dll, &mut out)?;
        } else {
            self.usual_directories(flags, dll, &mut out)?;
        }
        Ok(out)
    }

    /// The directories that `LOAD_LIBRARY_SEARCH_*` say, and no other.
    fn selected_directories(
        &self,
        flags: LoadFlags,
        dll: Option<Utf16Str<'_>>,
        out: &mut Utf16String,
    ) -> NtResult {
        let defaults = flags.contains(LoadFlags::SEARCH_DEFAULT_DIRS);
        if flags.contains(LoadFlags::SEARCH_DLL_LOAD_DIR)
            && let Some(dll) = dll
        {
            add(out, directory_of(dll))?;
        }
        if defaults || flags.contains(LoadFlags::SEARCH_APPLICATION_DIR) {
            add(out, self.application_directory())?;
        }
        if defaults || flags.contains(LoadFlags::SEARCH_USER_DIRS) {
            self.user_directories(|directory| add(out, directory))?;
        }
        if defaults || flags.contains(LoadFlags::SEARCH_SYSTEM32) {
            self.add_well_known(out, WellKnownDirectory::System)?;
        }
        Ok(())
    }

    /// The directories of old.
    fn usual_directories(
        &self,
        flags: LoadFlags,
        dll: Option<Utf16Str<'_>>,
        out: &mut Utf16String,
    ) -> NtResult {
        match dll.filter(|_| flags.contains(LoadFlags::WITH_ALTERED_SEARCH_PATH)) {
            Some(dll) => add(out, directory_of(dll))?,
            None => add(out, self.application_directory())?,
        }
        let replaced = self.dll_directory(|directory| add(out, directory))?;
        let early = !replaced && !self.is_safe_search();
        if early {
            self.add_well_known(out, WellKnownDirectory::Current)?;
        }
        self.add_well_known(out, WellKnownDirectory::System)?;
        self.add_well_known(out, WellKnownDirectory::System16)?;
        self.add_well_known(out, WellKnownDirectory::Windows)?;
        if !replaced && !early {
            self.add_well_known(out, WellKnownDirectory::Current)?;
        }
        let mut path = Utf16String::new();
        self.system.environment(utf16!("PATH"), &mut path)?;
        add(out, path.as_str())
    }

    /// The directory of the program.
    pub(crate) fn application_directory(&self) -> Utf16Str<'static> {
        self.registry()
            .and_then(|registry| registry.in_load_order().next())
            .map_or_else(Utf16Str::default, |program| {
                directory_of(program.full_name())
            })
    }

    fn add_well_known(&self, out: &mut Utf16String, which: WellKnownDirectory) -> NtResult {
        let mut path = Utf16String::new();
        match self.system.directory(which, &mut path) {
            Ok(()) => add(out, path.as_str()),
            // A system need not have all of them.
            Err(status) if is_absence(status) => Ok(()),
            Err(status) => Err(status),
        }
    }
}

pub(crate) const SEMICOLON: u16 = b';' as u16;

/// Appends directories to others.
fn add(out: &mut Utf16String, directories: Utf16Str<'_>) -> NtResult {
    if directories.is_empty() {
        return Ok(());
    }
    let mut append = |text| out.push(text).map_err(|_| NtStatus::NO_MEMORY);
    append(directories)?;
    append(utf16!(";"))
}

/// Whether a status says that something is not there.
pub(crate) fn is_absence(status: NtStatus) -> bool {
    [
        NtStatus::OBJECT_NAME_NOT_FOUND,
        NtStatus::OBJECT_PATH_NOT_FOUND,
        NtStatus::OBJECT_NAME_INVALID,
        NtStatus::OBJECT_PATH_SYNTAX_BAD,
        NtStatus::NO_SUCH_FILE,
        NtStatus::NOT_FOUND,
    ]
    .contains(&status)
}

/// What was found, if anything.
pub(crate) fn found<T>(result: NtResult<T>) -> NtResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(status) if is_absence(status) => Ok(None),
        Err(status) => Err(status),
    }
}
