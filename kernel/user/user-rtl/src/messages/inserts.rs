//! What inserts print: arguments by their numbers, handed to `printf`.

use c_interface::{Arguments, Ptr};
use nt_abi::NtStatus;

use super::{LONGEST_FORMAT, PERCENT};

/// As many arguments as a message can name.
const MOST_ARGUMENTS: usize = 99;
/// Where the arguments are.
pub(super) enum Source {
    /// One after another, at an address.
    Array(Ptr<usize>),
    /// To be walked over.
    List(Arguments),
}

/// The arguments, as far as they were read.
pub(super) struct Inserts {
    source: Source,
    /// Of a list.
    kept: [u64; MOST_ARGUMENTS],
    /// How many are kept of a list; of an array, where nobody has read yet.
    count: usize,
}

impl Inserts {
    /// None is read yet.
    pub(super) const fn new(source: Source) -> Self {
        Self {
            source,
            kept: [0; MOST_ARGUMENTS],
            count: 0,
        }
    }

    /// An argument of an array; of 64 bits where addresses have 32, it is two.
    fn of_array(array: Ptr<usize>, index: usize, is_64: bool) -> u64 {
        let low = array.add(index).read() as u64;
        if !is_64 || size_of::<usize>() == size_of::<u64>() {
            return low;
        }
        low | (array.add(index + 1).read() as u64) << 32
    }

    fn of_list(list: &mut Arguments, is_64: bool) -> u64 {
        if is_64 {
            list.next_u64()
        } else {
            list.next_word() as u64
        }
    }

    /// The argument of a number. Those before it that were not read are as large as what is printed; it is too, unless it is
    /// a width.
    pub(super) fn numbered(
        &mut self,
        number: usize,
        is_64: bool,
        is_width: bool,
    ) -> Result<u64, NtStatus> {
        match &mut self.source {
            Source::Array(array) => {
                self.count = self.count.max(number);
                Ok(Self::of_array(*array, number - 1, is_64 && !is_width))
            }
            Source::List(list) => {
                while self.count < number {
                    let is_last = self.count + 1 == number;
                    let kept = self
                        .kept
                        .get_mut(self.count)
                        .ok_or(NtStatus::INVALID_PARAMETER)?;
                    *kept = Self::of_list(list, is_64 && !(is_last && is_width));
                    self.count += 1;
                }
                Ok(self.kept[number - 1])
            }
        }
    }

    /// The next argument that nobody has read.
    pub(super) fn next(&mut self, is_64: bool, keeps: bool) -> Result<u64, NtStatus> {
        match &mut self.source {
            Source::Array(array) => {
                self.count += 1;
                Ok(Self::of_array(*array, self.count - 1, is_64))
            }
            Source::List(list) => {
                let value = Self::of_list(list, is_64);
                if keeps {
                    *self
                        .kept
                        .get_mut(self.count)
                        .ok_or(NtStatus::INVALID_PARAMETER)? = value;
                    self.count += 1;
                }
                Ok(value)
            }
        }
    }
}

/// Arguments as a `va_list` has them, aligned for numbers of 64 bits.
#[derive(Default)]
#[repr(align(8))]
pub(super) struct Slots {
    pub(super) words: [usize; 8],
    count: usize,
}

impl Slots {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "what is no number of 64 bits has no upper half"
    )]
    pub(super) fn push(&mut self, value: u64, is_64: bool) {
        let halves = is_64 && size_of::<usize>() < size_of::<u64>();
        if halves && Arguments::ALIGNS_64 {
            self.count = self.count.next_multiple_of(2);
        }
        self.words[self.count] = value as usize;
        self.count += 1;
        if halves {
            self.words[self.count] = (value >> 32) as usize;
            self.count += 1;
        }
    }
}

/// The directive of an insert's format, which must not be too long: with the size that text of the arguments' kind has.
pub(super) fn directive_of(format: &[u16], ansi: bool) -> [u16; LONGEST_FORMAT + 3] {
    let is_front =
        |unit: &u16| matches!(*unit, 0x20 | 0x23 | 0x2A | 0x2B | 0x2D | 0x2E | 0x30..=0x39);
    let front = format
        .iter()
        .position(|unit| !is_front(unit))
        .unwrap_or(format.len());
    let size = match format.get(front) {
        // s, c
        Some(0x73 | 0x63) if ansi => Some(b'h'),
        // S, C
        Some(0x53 | 0x43) if ansi => Some(b'w'),
        _ => None,
    };
    let mut directive = [0; LONGEST_FORMAT + 3];
    let units = core::iter::once(PERCENT)
        .chain(format[..front].iter().copied())
        .chain(size.map(u16::from))
        .chain(format[front..].iter().copied());
    for (place, unit) in directive.iter_mut().zip(units) {
        *place = unit;
    }
    directive
}
