//! What the tests share: images built from small sources, memory with an image and a stack in it, numbers at random.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "the host's addresses and sizes have 64 bits"
)]

pub(crate) mod arm;
pub(crate) mod arm64;
pub(crate) mod canonical;
pub(crate) mod readobj;
pub(crate) mod thread;
pub(crate) mod tools;
pub(crate) mod x64;

use pe::{Image, unwind_arm, unwind_arm64, unwind_x64};
use unwind::{FunctionEntry, Functions, Memory};

/// Where the image lies.
pub(crate) const IMAGE_BASE: u64 = 0x4000_0000;
/// The lowest address of the stack.
pub(crate) const STACK_LOW: u64 = 0x8000_0000;
/// Bytes of the stack.
const STACK_SIZE: u64 = 0x40_0000;
/// The address behind the stack.
pub(crate) const STACK_HIGH: u64 = STACK_LOW + STACK_SIZE;

/// Random numbers that are the same in every run (the generator is splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// An image as it is mapped, and a stack.
pub(crate) struct Process {
    pub(crate) image: Vec<u8>,
    pub(crate) stack: Vec<u8>,
    x64: Vec<unwind_x64::RuntimeFunction>,
    arm64: Vec<(unwind_arm64::RuntimeFunction, u32)>,
    arm: Vec<(unwind_arm::RuntimeFunction, u32)>,
}

impl Process {
    /// Maps the image of a file.
    pub(crate) fn new(file: &[u8]) -> Self {
        let image = Image::from_file(file).unwrap();
        let mut mapped = vec![0; image.headers().size_of_image as usize];
        image.copy_mapped(&mut mapped).unwrap();
        let x64 = image.functions_x64().unwrap();
        let x64 = x64.map(|table| table.iter().collect());
        let arm64 = image.functions_arm64().unwrap().map(|table| {
            let all = table.iter().map(Result::unwrap);
            all.map(|function| (function, table.length(function).unwrap()))
                .collect()
        });
        let arm = image.functions_arm().unwrap().map(|table| {
            let all = table.iter().map(Result::unwrap);
            all.map(|function| (function, table.length(function).unwrap()))
                .collect()
        });
        Self {
            image: mapped,
            stack: vec![0; STACK_SIZE as usize],
            x64: x64.unwrap_or_default(),
            arm64: arm64.unwrap_or_default(),
            arm: arm.unwrap_or_default(),
        }
    }

    /// A process whose image is nothing but bytes.
    pub(crate) fn from_bytes(image: Vec<u8>) -> Self {
        Self {
            image,
            stack: vec![0; STACK_SIZE as usize],
            x64: Vec::new(),
            arm64: Vec::new(),
            arm: Vec::new(),
        }
    }

    pub(crate) fn x64(&self) -> impl Iterator<Item = FunctionEntry<unwind_x64::RuntimeFunction>> {
        self.x64.iter().map(|function| entry(*function))
    }

    pub(crate) fn arm64(
        &self,
    ) -> impl Iterator<Item = (FunctionEntry<unwind_arm64::RuntimeFunction>, u32)> {
        self.arm64
            .iter()
            .map(|(function, length)| (entry(*function), *length))
    }

    pub(crate) fn arm(
        &self,
    ) -> impl Iterator<Item = (FunctionEntry<unwind_arm::RuntimeFunction>, u32)> {
        self.arm
            .iter()
            .map(|(function, length)| (entry(*function), *length))
    }

    fn offset(address: u64) -> Option<usize> {
        let offset = address.checked_sub(STACK_LOW)?;
        (offset < STACK_SIZE).then_some(offset as usize)
    }

    pub(crate) fn load(&self, address: u64) -> u64 {
        self.read(address)
            .unwrap_or_else(|| panic!("{address:#x} is not on the stack"))
    }

    pub(crate) fn store(&mut self, address: u64, value: u64) {
        let offset = Self::offset(address);
        let offset = offset.unwrap_or_else(|| panic!("{address:#x} is not on the stack"));
        self.stack[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    }

    /// Fills the stack with numbers.
    pub(crate) fn fill_stack(&mut self, random: &mut Random) {
        for bytes in self.stack.chunks_exact_mut(8) {
            bytes.copy_from_slice(&random.next().to_le_bytes());
        }
    }

    /// The ARM64 function that an address is in.
    pub(crate) fn find_arm64(
        &self,
        pc: u64,
    ) -> Option<FunctionEntry<unwind_arm64::RuntimeFunction>> {
        let rva = u32::try_from(pc.checked_sub(IMAGE_BASE)?).ok()?;
        let found = self.arm64.iter().find(|(function, length)| {
            (function.begin_rva..function.begin_rva + length).contains(&rva)
        });
        found.map(|(function, _)| entry(*function))
    }

    /// The word of 16 bits at an address of the image.
    pub(crate) fn half(&self, rva: u32) -> u16 {
        let rva = rva as usize;
        u16::from_le_bytes(self.image[rva..rva + 2].try_into().unwrap())
    }

    /// The word of 32 bits at an address of the image.
    pub(crate) fn word(&self, rva: u32) -> u32 {
        let rva = rva as usize;
        u32::from_le_bytes(self.image[rva..rva + 4].try_into().unwrap())
    }
}

/// The address of an export, relative to the image.
pub(crate) fn exported(image: &Image<'_>, name: &[u8]) -> u32 {
    let exports = image.exports().unwrap().unwrap();
    match exports.by_name(name, None).unwrap().target {
        pe::ExportTarget::Address(rva) => rva,
        other => panic!("{other:?}"),
    }
}

fn entry<F>(function: F) -> FunctionEntry<F> {
    FunctionEntry {
        image_base: IMAGE_BASE,
        address: 0,
        function,
    }
}

impl Memory for Process {
    fn read(&self, address: u64) -> Option<u64> {
        let bytes = self.stack.get(Self::offset(address)?..)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    }

    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        let rva = usize::try_from(address.checked_sub(IMAGE_BASE)?).ok()?;
        self.image.get(rva..)?.get(..length)
    }
}

impl Functions for Process {
    type Function = unwind_x64::RuntimeFunction;

    fn find(&self, pc: u64) -> Option<FunctionEntry<unwind_x64::RuntimeFunction>> {
        let rva = u32::try_from(pc.checked_sub(IMAGE_BASE)?).ok()?;
        let found = self
            .x64
            .iter()
            .find(|function| (function.begin_rva..function.end_rva).contains(&rva));
        found.copied().map(entry)
    }
}
