//! Finding an object by its name.
//!
//! A path is walked from the root of the namespace, or from an object that a handle gave. Directories are walked by the
//! object manager itself. An object whose type has a parse procedure takes over the rest of the path: it gives an object,
//! or a path with which the walk starts anew (a symbolic link, a mounted volume), at most [`MOST_REPARSES`] times.
//!
//! Whoever creates something is not parsed by objects on the way, but follows symbolic links: a walk for it ends at an
//! object that has the name already, or at the directory where the name is free.
//!
//! `\??` is no name but stands for the DOS devices of whoever asks.
//!
//! # NT
//! `ObpLookupObjectName`. The order of the checks, and so the status of a path with several mistakes, is NT's.

use core::any::Any;

use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::{NtResult, NtStatus};
use rtl::utf16::SEPARATOR;
use rtl::{Case, Utf16Str, Utf16String, utf16};

use crate::directory::{DIRECTORY, Directory};
use crate::header::{Opening, SharedName, check_type, downcast, shared_name};
use crate::symbolic_link::SYMBOLIC_LINK;
use crate::{AccessState, AnyObject, Caller, Handle, Object, ObjectType, namespace, security};

/// The longest name, in units: `UNICODE_STRING` could count one more, but NT refuses that.
pub const MOST_NAME_UNITS: usize = 32_766;
/// How often a walk may start anew (`OBJ_MAX_REPARSE_ATTEMPTS`).
pub const MOST_REPARSES: u32 = 32;

/// Where a name begins.
#[derive(Clone, Copy, Default)]
pub enum Root<'a> {
    /// At the root of the namespace.
    #[default]
    Namespace,
    /// At an object.
    Object(&'a AnyObject),
    /// At the object of a handle, which is looked at only if there is a name.
    Handle(Caller<'a>, Handle),
}

/// What a parse procedure is asked.
pub struct Parse<'a, 's> {
    /// The object at which the name has arrived.
    pub object: &'a AnyObject,
    /// The type of the object that is wanted.
    pub kind: Option<&'static ObjectType>,
    /// Who asks, and for which rights.
    pub state: &'a mut AccessState<'s>,
    /// The attributes of the open.
    pub attributes: ObjectAttributeFlags,
    /// The whole name.
    pub complete: Utf16Str<'a>,
    /// What is left of it: nothing, or it begins with a backslash; relative to the object of a handle it does not.
    pub remaining: Utf16Str<'a>,
    /// What the opener passed to the procedure.
    pub context: Option<&'a mut (dyn Any + 'static)>,
}

/// What a parse procedure answers.
pub enum Parsed {
    /// This is the object.
    Object(AnyObject),
    /// The walk starts anew with this path.
    Reparse(Utf16String),
}

/// A walk that is wanted.
pub(crate) struct Lookup<'a, 's> {
    pub(crate) root: Root<'a>,
    pub(crate) name: Option<Utf16Str<'a>>,
    pub(crate) attributes: ObjectAttributeFlags,
    pub(crate) kind: Option<&'static ObjectType>,
    pub(crate) state: &'a mut AccessState<'s>,
    pub(crate) context: Option<&'a mut (dyn Any + 'static)>,
    /// Whether it is for something new.
    pub(crate) creates: bool,
}

/// Where a walk ended.
pub(crate) enum Found {
    /// At an object. For an open it is of the type that is wanted.
    Object(Opening),
    /// At a name that is free.
    Vacant {
        directory: Object<Directory>,
        name: SharedName,
    },
}

/// Where one pass through the directories ended.
enum Pass {
    Found(Found),
    Again(Utf16String),
}

impl Lookup<'_, '_> {
    /// How names are compared.
    pub(crate) fn case(attributes: ObjectAttributeFlags, kind: Option<&ObjectType>) -> Case {
        let by_type = kind.is_none_or(|kind| kind.description().ignores_case);
        if by_type || attributes.contains(ObjectAttributeFlags::CASE_INSENSITIVE) {
            Case::Insensitive
        } else {
            Case::Sensitive
        }
    }

    /// Walks.
    ///
    /// # Errors
    /// `OBJECT_NAME_INVALID` for a name with an empty component, one that is too long, or none where there is a root;
    /// `OBJECT_PATH_SYNTAX_BAD` for one that does not begin where it must; `INVALID_HANDLE` for the root;
    /// `OBJECT_PATH_NOT_FOUND` and `OBJECT_NAME_NOT_FOUND` for what is not there, the latter also after too many
    /// reparses; `OBJECT_TYPE_MISMATCH` if the object is not of the type, or a name goes on behind one that has no names;
    /// `ACCESS_DENIED` for a directory that the caller may not traverse; `REPARSE_POINT_ENCOUNTERED`, `NAME_TOO_LONG`,
    /// `INSUFFICIENT_RESOURCES`; what parse procedures say.
    pub(crate) fn walk(mut self) -> NtResult<Found> {
        let name = match (self.name, self.root) {
            (Some(name), _) => name,
            (None, Root::Namespace | Root::Handle(_, Handle::NULL)) => {
                return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
            }
            (None, _) => return Err(NtStatus::OBJECT_NAME_INVALID),
        };
        if name.len() > MOST_NAME_UNITS {
            return Err(NtStatus::OBJECT_NAME_INVALID);
        }
        let root = match self.root {
            Root::Namespace => None,
            Root::Object(object) => Some(object.clone()),
            Root::Handle(_, Handle::NULL) => None,
            Root::Handle(caller, handle) => {
                Some(caller.reference(handle, AccessMask::NONE, None)?)
            }
        };
        let mut pass = match &root {
            None => self.start_at_root(name)?,
            Some(root) => self.start_at_object(root, name)?,
        };
        for _ in 0..MOST_REPARSES {
            pass = match pass {
                Pass::Found(found) => return Ok(found),
                Pass::Again(path) if path.as_str().is_absolute() => {
                    self.start_at_root(path.as_str())?
                }
                Pass::Again(path) => match &root {
                    Some(root) => self.start_at_object(root, path.as_str())?,
                    // A relative path, and nothing that it is relative to.
                    None => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
                },
            };
        }
        match pass {
            Pass::Found(found) => Ok(found),
            Pass::Again(_) => Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        }
    }

    /// Walks a path from the root.
    fn start_at_root(&mut self, path: Utf16Str<'_>) -> NtResult<Pass> {
        if !path.is_absolute() {
            return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
        }
        let root = namespace::root()?;
        if path.len() == 1 {
            return self.directory_itself(&root);
        }
        let dos_devices = utf16!(r"\??");
        if path.is_at_or_below(dos_devices, Case::Sensitive) {
            let devices = match self.state.subject.devices() {
                Some(devices) => devices.clone(),
                None => namespace::global_dos_devices()?,
            };
            if path.len() == dos_devices.len() {
                return self.directory_itself(&devices);
            }
            return self.through_directories(devices, path, dos_devices.len());
        }
        self.through_directories(root, path, 0)
    }

    /// Walks a path from an object.
    fn start_at_object(&mut self, object: &AnyObject, path: Utf16Str<'_>) -> NtResult<Pass> {
        let kind = object.head().kind();
        if path.is_absolute() && !kind.description().takes_absolute_names {
            return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
        }
        if core::ptr::eq(kind, &DIRECTORY) {
            let directory = downcast(object.clone())?;
            if path.is_empty() {
                return self.directory_itself(&directory);
            }
            return self.through_directories(directory, path, 0);
        }
        self.parse(object, path, path)?
            .ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
    }

    /// The name is that of a directory itself.
    fn directory_itself(&self, directory: &Object<Directory>) -> NtResult<Pass> {
        let object = Object::as_erased(directory);
        if !self.creates {
            check_type(object, self.kind)?;
        }
        Ok(Pass::Found(Found::Object(Opening::of(object))))
    }

    /// Walks `path` from the unit `start` on, which is a backslash or the first of a name.
    fn through_directories(
        &mut self,
        start_directory: Object<Directory>,
        path: Utf16Str<'_>,
        start: usize,
    ) -> NtResult<Pass> {
        let case = Self::case(self.attributes, self.kind);
        let mut directory = start_directory;
        let mut rest = &path.units()[start..];
        loop {
            rest = rest.strip_prefix(&[SEPARATOR]).unwrap_or(rest);
            let end = rest.iter().position(|unit| *unit == SEPARATOR);
            let (component, remaining) = rest.split_at(end.unwrap_or(rest.len()));
            let component = Utf16Str::new(component);
            if component.is_empty() {
                return Err(NtStatus::OBJECT_NAME_INVALID);
            }
            security::check_directory(&directory, AccessMask::DIRECTORY_TRAVERSE, self.state)?;
            let is_last = remaining.is_empty();
            let Some(found) = find(&directory, component, case, !(is_last && self.creates)) else {
                if !is_last {
                    return Err(NtStatus::OBJECT_PATH_NOT_FOUND);
                }
                if !self.creates {
                    return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
                }
                let name = shared_name(component)?;
                return Ok(Pass::Found(Found::Vacant { directory, name }));
            };
            let kind = found.object().head().kind();
            if !self.creates || core::ptr::eq(kind, &SYMBOLIC_LINK) {
                let remaining = Utf16Str::new(remaining);
                if let Some(pass) = self.parse(found.object(), path, remaining)? {
                    return Ok(pass);
                }
            }
            if is_last {
                if !self.creates {
                    check_type(found.object(), self.kind)?;
                }
                return Ok(Pass::Found(Found::Object(found)));
            }
            directory = match downcast::<Directory>(found.object().clone()) {
                Ok(directory) => directory,
                Err(_) if self.creates => return Err(NtStatus::OBJECT_PATH_NOT_FOUND),
                Err(status) => return Err(status),
            };
            rest = remaining;
        }
    }

    /// Lets the object's type parse the rest; `None` if it does not.
    fn parse(
        &mut self,
        object: &AnyObject,
        complete: Utf16Str<'_>,
        remaining: Utf16Str<'_>,
    ) -> NtResult<Option<Pass>> {
        let Some(parse) = object.head().kind().procedures().parse else {
            return Ok(None);
        };
        let parsed = parse(&mut Parse {
            object,
            kind: self.kind,
            state: &mut *self.state,
            attributes: self.attributes,
            complete,
            remaining,
            context: self.context.as_deref_mut(),
        })?;
        match parsed {
            Parsed::Object(object) => {
                if !self.creates {
                    check_type(&object, self.kind)?;
                }
                Ok(Some(Pass::Found(Found::Object(Opening::of(&object)))))
            }
            Parsed::Reparse(path) => Ok(Some(Pass::Again(path))),
        }
    }
}

fn find(
    directory: &Object<Directory>,
    name: Utf16Str<'_>,
    case: Case,
    in_shadow: bool,
) -> Option<Opening> {
    directory.find(name, case).or_else(|| {
        let shadow = directory.shadow().filter(|_| in_shadow)?;
        shadow.find(name, case)
    })
}
