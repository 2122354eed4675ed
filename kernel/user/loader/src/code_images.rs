//! Whose code an address is in, for those who unwind stacks: images. [`dynamic_functions`](crate::dynamic_functions) is for code
//! that is in none.
//!
//! Unwinding asks this for every frame, in the middle of exceptions, maybe while another thread loads a DLL. So images are in
//! a table of their own that is read without a lock: sorted by address, with a number that changes with it. A reader
//! who sees the number change looks again, and after some times waits for the lock of the module lists instead, since
//! the one who changes the table may be a thread that does not get to run.
//!
//! # NT
//! `KiUserInvertedFunctionTable`; `RtlLookupFunctionTable`, `RtlPcToFileHeader`.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

use c_interface::Ptr;
use nt_abi::loader::LdrEntryFlags;

use crate::loader::Loader;
use crate::module::{Module, own};
use crate::number::index;
use crate::system::System;

/// Images that the table has room for; those beyond are found in the module lists.
const ROOM: usize = 512;
/// How often a reader looks again before it waits.
const PATIENCE: u32 = 64;

/// An image that an address is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeImage {
    /// Its first byte.
    pub base: Ptr<u8>,
    /// Its bytes.
    pub size: u32,
    /// Its function table; null if it has none.
    pub functions: Ptr<u8>,
    /// The bytes of its function table.
    pub functions_size: u32,
}

struct Row {
    base: AtomicUsize,
    size: AtomicU32,
    functions_rva: AtomicU32,
    functions_size: AtomicU32,
}

impl Row {
    const fn new() -> Self {
        Self {
            base: AtomicUsize::new(0),
            size: AtomicU32::new(0),
            functions_rva: AtomicU32::new(0),
            functions_size: AtomicU32::new(0),
        }
    }

    fn copy_from(&self, other: &Self) {
        let copy = |to: &AtomicU32, from: &AtomicU32| {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        self.base
            .store(other.base.load(Ordering::Relaxed), Ordering::Relaxed);
        copy(&self.size, &other.size);
        copy(&self.functions_rva, &other.functions_rva);
        copy(&self.functions_size, &other.functions_size);
    }

    fn read(&self) -> CodeImage {
        let base = Ptr::new(self.base.load(Ordering::Relaxed));
        let rva = self.functions_rva.load(Ordering::Relaxed);
        CodeImage {
            base,
            size: self.size.load(Ordering::Relaxed),
            functions: if rva == 0 {
                Ptr::NULL
            } else {
                base.byte_add(index(rva))
            },
            functions_size: self.functions_size.load(Ordering::Relaxed),
        }
    }
}

/// The images of the process by address.
pub(crate) struct CodeImages {
    /// Odd while the table changes.
    version: AtomicU32,
    count: AtomicUsize,
    /// Images that found no room.
    beyond: AtomicU32,
    rows: [Row; ROOM],
}

impl CodeImages {
    pub(crate) const fn new() -> Self {
        Self {
            version: AtomicU32::new(0),
            count: AtomicUsize::new(0),
            beyond: AtomicU32::new(0),
            rows: [const { Row::new() }; ROOM],
        }
    }

    fn rows(&self) -> &[Row] {
        let count = self.count.load(Ordering::Relaxed).min(ROOM);
        self.rows.get(..count).unwrap_or_default()
    }

    /// How many images begin at or below an address.
    fn at_or_below(&self, address: usize) -> usize {
        self.rows()
            .partition_point(|row| row.base.load(Ordering::Relaxed) <= address)
    }

    /// Changes the table, under the lock of the module lists.
    fn change(&self, act: impl FnOnce()) {
        let version = self.version.load(Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        act();
        self.version
            .store(version.wrapping_add(2), Ordering::Release);
    }

    fn insert(&self, image: &CodeImage, functions_rva: u32) {
        let count = self.count.load(Ordering::Relaxed);
        if count >= ROOM {
            self.beyond
                .store(self.beyond.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return;
        }
        self.change(|| {
            let at = self.at_or_below(image.base.address());
            for number in (at..count).rev() {
                if let (Some(to), Some(from)) = (self.rows.get(number + 1), self.rows.get(number)) {
                    to.copy_from(from);
                }
            }
            if let Some(row) = self.rows.get(at) {
                row.base.store(image.base.address(), Ordering::Relaxed);
                row.size.store(image.size, Ordering::Relaxed);
                row.functions_rva.store(functions_rva, Ordering::Relaxed);
                row.functions_size
                    .store(image.functions_size, Ordering::Relaxed);
            }
            self.count.store(count + 1, Ordering::Relaxed);
        });
    }

    /// Takes an image out. Says whether it was there.
    fn remove(&self, base: Ptr<u8>) -> bool {
        let end = self.at_or_below(base.address());
        let Some(at) = end.checked_sub(1) else {
            return false;
        };
        let found = self
            .rows
            .get(at)
            .map(|row| row.base.load(Ordering::Relaxed));
        if found != Some(base.address()) {
            return false;
        }
        let count = self.count.load(Ordering::Relaxed);
        self.change(|| {
            for number in at + 1..count {
                if let (Some(to), Some(from)) = (self.rows.get(number - 1), self.rows.get(number)) {
                    to.copy_from(from);
                }
            }
            self.count.store(count - 1, Ordering::Relaxed);
        });
        true
    }

    fn find_now(&self, address: usize) -> Option<CodeImage> {
        let at = self.at_or_below(address).checked_sub(1)?;
        let image = self.rows.get(at)?.read();
        // While the table changes the row may be another one by now.
        let offset = address.checked_sub(image.base.address())?;
        (offset < index(image.size)).then_some(image)
    }

    /// The image that an address is in; `Err` if the table changed all the time.
    fn find(&self, address: usize) -> Result<Option<CodeImage>, ()> {
        for _ in 0..PATIENCE {
            let before = self.version.load(Ordering::Acquire);
            if before.is_multiple_of(2) {
                let found = self.find_now(address);
                fence(Ordering::Acquire);
                if self.version.load(Ordering::Relaxed) == before {
                    return Ok(found);
                }
            }
            core::hint::spin_loop();
        }
        Err(())
    }
}

impl<S: System> Loader<S> {
    pub(crate) fn add_code_image(&self, module: Module) {
        let exception = own!(module, exception).read();
        // A table outside of what can be read is none.
        let readable = module.view().place::<u8>(exception.rva, exception.size);
        let (rva, size) = if readable.is_ok() {
            (exception.rva, exception.size)
        } else {
            (0, 0)
        };
        let image = CodeImage {
            base: module.base(),
            size: module.size(),
            functions: Ptr::NULL,
            functions_size: size,
        };
        let _lists = self.write_modules();
        self.code_images.insert(&image, rva);
        module.set(LdrEntryFlags::IN_EXCEPTION_TABLE, true);
    }

    pub(crate) fn remove_code_image(&self, module: Module) {
        let flag = LdrEntryFlags::IN_EXCEPTION_TABLE;
        if !module.has(flag) {
            return;
        }
        let _lists = self.write_modules();
        module.set(flag, false);
        if !self.code_images.remove(module.base()) {
            let beyond = &self.code_images.beyond;
            beyond.store(
                beyond.load(Ordering::Relaxed).saturating_sub(1),
                Ordering::Relaxed,
            );
        }
    }

    /// Finds the image that an address is in, with its function table.
    ///
    /// # Locks
    /// None as a rule: it may be called in the middle of an exception.
    #[doc(alias = "RtlLookupFunctionTable")]
    #[doc(alias = "RtlPcToFileHeader")]
    pub fn code_image(&self, address: usize) -> Option<CodeImage> {
        match self.code_images.find(address) {
            Ok(Some(image)) => return Some(image),
            Ok(None) if self.code_images.beyond.load(Ordering::Relaxed) == 0 => return None,
            _ => {}
        }
        let registry = self.registry()?;
        let _lists = self.read_modules();
        let module = registry.by_address(address)?;
        let exception = own!(module, exception).read();
        let functions = module.view().place::<u8>(exception.rva, exception.size);
        let has = exception.rva != 0 && functions.is_ok();
        Some(CodeImage {
            base: module.base(),
            size: module.size(),
            functions: functions.ok().filter(|_| has).unwrap_or_default(),
            functions_size: if has { exception.size } else { 0 },
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::vec::Vec;

    use rtl::Random;

    use super::*;

    const SIZE: u32 = 0x8000;

    fn image(number: usize) -> CodeImage {
        CodeImage {
            base: Ptr::new(0x1_0000 * (number + 1)),
            size: SIZE,
            functions: Ptr::NULL,
            functions_size: 12 * u32::try_from(number).expect("small"),
        }
    }

    /// What is found must be all of one image, and those that stay must be found, while others come and go.
    #[test]
    fn readers_see_whole_rows() {
        let images = Arc::new(CodeImages::new());
        for number in (0..100).step_by(2) {
            images.insert(&image(number), 0x1000);
        }
        let over = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..2)
            .map(|seed| {
                let (images, over) = (images.clone(), over.clone());
                thread::spawn(move || {
                    let mut random = Random::new(seed);
                    let mut found = 0;
                    while !over.load(Ordering::Relaxed) {
                        let number = random.index(100);
                        let offset = random.index(0x1_0000);
                        let expected = image(number);
                        let Ok(answer) = images.find(expected.base.address() + offset) else {
                            continue;
                        };
                        if let Some(answer) = answer {
                            assert!(offset < index(SIZE));
                            assert_eq!(answer.base, expected.base);
                            assert_eq!(answer.functions_size, expected.functions_size);
                            found += 1;
                        } else {
                            assert!(number % 2 == 1 || offset >= index(SIZE), "one that stays");
                        }
                    }
                    found
                })
            })
            .collect();
        let mut random = Random::new(9);
        let mut there = [false; 100];
        for _ in 0..200_000 {
            let number = random.index(50) * 2 + 1;
            if there[number] {
                assert!(images.remove(image(number).base));
            } else {
                images.insert(&image(number), 0x1000);
            }
            there[number] = !there[number];
        }
        over.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().expect("no reader fails") > 0);
        }
    }
}
