//! Paths cut into drive, directory, name and extension, and put together again.
//!
//! The drive is a letter and a colon, the directory ends with its last separator, the extension begins with the last dot
//! behind that. Either slash separates.

use c_interface::{Ptr, exports};

use super::errno::Errno;
use super::text::{self, at};
use crate::printf::Unit;

/// Where the parts of a path end, in units.
struct Parts {
    drive: usize,
    directory: usize,
    name: usize,
    extension: usize,
}

const fn is_separator(unit: u16) -> bool {
    matches!(unit, 0x2F | 0x5C)
}

impl Parts {
    fn of<U: Unit>(path: Ptr<U>) -> Self {
        let length = text::length(path);
        let drive = if length >= 2 && at(path, 1) == u16::from(b':') {
            2
        } else {
            0
        };
        let behind_separator = (drive..length)
            .rev()
            .find(|index| is_separator(at(path, *index)));
        let directory = behind_separator.map_or(drive, |index| index + 1);
        let dot = (directory..length)
            .rev()
            .find(|index| at(path, *index) == u16::from(b'.'));
        Self {
            drive,
            directory,
            name: dot.unwrap_or(length),
            extension: length,
        }
    }

    /// From where to where each part goes.
    fn ranges(&self) -> [(usize, usize); 4] {
        [
            (0, self.drive),
            (self.drive, self.directory),
            (self.directory, self.name),
            (self.name, self.extension),
        ]
    }
}

/// Writes each part that the caller wants.
fn split<U: Unit>(path: Ptr<U>, into: [Ptr<U>; 4]) {
    let parts = Parts::of(path);
    for ((from, to), place) in parts.ranges().into_iter().zip(into) {
        if !place.is_null() {
            text::copy(place, path.add(from), to - from);
        }
    }
}

/// Writes each part that the caller wants and has room for. Where one does not fit, none is written.
fn split_checked<U: Unit>(path: Ptr<U>, into: [(Ptr<U>, usize); 4]) -> i32 {
    let clear = |errno: Errno| {
        for (place, room) in into {
            if !place.is_null() && room > 0 {
                text::end(place);
            }
        }
        errno.report()
    };
    if path.is_null()
        || into
            .iter()
            .any(|(place, room)| place.is_null() != (*room == 0))
    {
        return clear(Errno::Invalid);
    }
    let parts = Parts::of(path);
    let fits =
        |((from, to), (_, room)): ((usize, usize), (Ptr<U>, usize))| room == 0 || to - from < room;
    if !parts.ranges().into_iter().zip(into).all(fits) {
        return clear(Errno::Range);
    }
    split(path, into.map(|(place, _)| place));
    0
}

/// Writes text of limited length.
struct Limited<U> {
    to: Ptr<U>,
    room: usize,
    length: usize,
}

impl<U: Unit> Limited<U> {
    fn put(&mut self, unit: U) {
        if self.length < self.room {
            self.to.add(self.length).write(unit);
        }
        self.length += 1;
    }

    fn put_text(&mut self, from: Ptr<U>, most: usize) {
        for index in 0..from
            .non_null()
            .map_or(0, |from| text::length_up_to(from, most))
        {
            self.put(from.add(index).read());
        }
    }
}

fn make<U: Unit>(to: Ptr<U>, room: usize, [drive, directory, name, extension]: [Ptr<U>; 4]) -> i32 {
    if to.is_null() || room == 0 {
        return Errno::Invalid.report();
    }
    let is_there = |part: Ptr<U>| part.non_null().is_some_and(|part| at(part, 0) != 0);
    let mut path = Limited {
        to,
        room,
        length: 0,
    };
    if is_there(drive) {
        path.put_text(drive, 1);
        path.put(U::from(b':'));
    }
    if is_there(directory) {
        path.put_text(directory, usize::MAX);
        if !is_separator(at(directory, text::length(directory) - 1)) {
            path.put(U::from(b'\\'));
        }
    }
    path.put_text(name, usize::MAX);
    if is_there(extension) {
        if at(extension, 0) != u16::from(b'.') {
            path.put(U::from(b'.'));
        }
        path.put_text(extension, usize::MAX);
    }
    path.put(U::from(0));
    if path.length > room {
        text::end(to);
        return Errno::Range.report();
    }
    0
}

exports! {
    /// Cuts a path into those parts that the caller wants.
    cdecl fn _splitpath(path: Ptr<u8>, drive: Ptr<u8>, directory: Ptr<u8>, name: Ptr<u8>, extension: Ptr<u8>) {
        split(path, [drive, directory, name, extension]);
    }

    /// `_splitpath` with sizes.
    ///
    /// # Errors
    /// `EINVAL`: no path, or a part with a buffer and no room, or room and no buffer. `ERANGE`: a part does not fit. All parts
    /// are empty then.
    cdecl fn _splitpath_s(
        path: Ptr<u8>,
        drive: Ptr<u8>,
        drive_room: usize,
        directory: Ptr<u8>,
        directory_room: usize,
        name: Ptr<u8>,
        name_room: usize,
        extension: Ptr<u8>,
        extension_room: usize,
    ) -> i32 {
        let into = [(drive, drive_room), (directory, directory_room), (name, name_room), (extension, extension_room)];
        split_checked(path, into)
    }

    /// As `_splitpath_s`.
    cdecl fn _wsplitpath_s(
        path: Ptr<u16>,
        drive: Ptr<u16>,
        drive_room: usize,
        directory: Ptr<u16>,
        directory_room: usize,
        name: Ptr<u16>,
        name_room: usize,
        extension: Ptr<u16>,
        extension_room: usize,
    ) -> i32 {
        let into = [(drive, drive_room), (directory, directory_room), (name, name_room), (extension, extension_room)];
        split_checked(path, into)
    }

    /// Puts a path together; adds the colon, the separator and the dot where they are missing.
    ///
    /// # Errors
    /// `EINVAL`: no buffer. `ERANGE`: it does not fit; the path is empty then.
    cdecl fn _makepath_s(
        to: Ptr<u8>,
        room: usize,
        drive: Ptr<u8>,
        directory: Ptr<u8>,
        name: Ptr<u8>,
        extension: Ptr<u8>,
    ) -> i32 {
        make(to, room, [drive, directory, name, extension])
    }

    /// As `_makepath_s`.
    cdecl fn _wmakepath_s(
        to: Ptr<u16>,
        room: usize,
        drive: Ptr<u16>,
        directory: Ptr<u16>,
        name: Ptr<u16>,
        extension: Ptr<u16>,
    ) -> i32 {
        make(to, room, [drive, directory, name, extension])
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::*;
    use crate::strings::testing::{Room, narrow, wide};

    #[test]
    fn paths_are_cut_and_put_together() {
        for (path, parts) in [
            ("c:\\dir\\file.txt", ["c:", "\\dir\\", "file", ".txt"]),
            ("c:/a.b/file", ["c:", "/a.b/", "file", ""]),
            ("c:.b\\c.d.e", ["c:", ".b\\", "c.d", ".e"]),
            (
                "\\\\server\\share\\x.",
                ["", "\\\\server\\share\\", "x", "."],
            ),
            (".profile", ["", "", "", ".profile"]),
            ("c:", ["c:", "", "", ""]),
            ("", ["", "", "", ""]),
        ] {
            let rooms = [(); 4].map(|()| Room::filled(b'~', 30));
            let [drive, directory, name, extension] =
                [0, 1, 2, 3].map(|index: usize| rooms[index].ptr());
            _splitpath(narrow(path).ptr(), drive, directory, name, extension);
            let texts: std::vec::Vec<String> = rooms.iter().map(Room::<u8>::text).collect();
            assert_eq!(texts, parts, "{path}");
            let made = Room::filled(b'~', 30);
            assert_eq!(
                _makepath_s(made.ptr(), 30, drive, directory, name, extension),
                0
            );
            assert_eq!(made.text(), path);
        }
    }

    #[test]
    fn what_is_missing_is_added_and_what_does_not_fit_is_an_error() {
        let (d, dir, n, e) = (wide("cx"), wide("a/b"), wide("n"), wide("ext"));
        let to = Room::filled(0x7E_u16, 20);
        let make = |room| _wmakepath_s(to.ptr(), room, d.ptr(), dir.ptr(), n.ptr(), e.ptr());
        assert_eq!((make(20), to.text()), (0, "c:a/b\\n.ext".into()));
        assert_eq!((make(12), to.text()), (0, "c:a/b\\n.ext".into()));
        assert_eq!((make(11), to.text()), (34, String::new()));
        assert_eq!(
            _wmakepath_s(to.ptr(), 20, Ptr::NULL, Ptr::NULL, n.ptr(), Ptr::NULL),
            0
        );
        assert_eq!(to.text(), "n");

        let path = wide("c:\\d\\name.e");
        let rooms = [(); 2].map(|()| Room::filled(0x7E_u16, 8));
        let split = |drive_room, name_room| {
            let (drive, name) = (rooms[0].ptr(), rooms[1].ptr());
            _wsplitpath_s(
                path.ptr(),
                drive,
                drive_room,
                Ptr::NULL,
                0,
                name,
                name_room,
                Ptr::NULL,
                0,
            )
        };
        assert_eq!(
            (split(3, 5), rooms[0].text(), rooms[1].text()),
            (0, "c:".into(), "name".into())
        );
        assert_eq!(
            (split(3, 4), rooms[0].text(), rooms[1].text()),
            (34, String::new(), String::new())
        );
        assert_eq!(split(0, 5), 22);
    }
}
