//! A ring of bytes that forgets its oldest lines: the kernel log's memory.

/// The last `N` bytes written, at most.
pub struct Ring<const N: usize> {
    bytes: [u8; N],
    next: usize,
    filled: bool,
}

impl<const N: usize> Ring<N> {
    /// An empty ring.
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            next: 0,
            filled: false,
        }
    }

    /// Appends bytes; what is older than the last `N` is forgotten.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.bytes[self.next] = *byte;
            self.next += 1;
            if self.next == N {
                self.next = 0;
                self.filled = true;
            }
        }
    }

    /// The contents, oldest first, from the first whole line on.
    pub fn lines(&self) -> impl Iterator<Item = u8> + '_ {
        let (old, new) = if self.filled {
            (&self.bytes[self.next..], &self.bytes[..self.next])
        } else {
            (&self.bytes[..0], &self.bytes[..self.next])
        };
        let cut = if self.filled {
            old.iter()
                .chain(new)
                .position(|byte| *byte == b'\n')
                .map_or(0, |newline| newline + 1)
        } else {
            0
        };
        old.iter().chain(new).copied().skip(cut)
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;
    use std::vec::Vec;

    use super::*;

    fn text<const N: usize>(ring: &Ring<N>) -> String {
        String::from_utf8(ring.lines().collect::<Vec<_>>()).expect("the test writes ASCII")
    }

    #[test]
    fn keeps_everything_while_there_is_room() {
        let mut ring = Ring::<16>::new();
        ring.push(b"one\ntwo\n");
        assert_eq!(text(&ring), "one\ntwo\n");
    }

    #[test]
    fn forgets_whole_lines_first() {
        let mut ring = Ring::<12>::new();
        ring.push(b"first\nsecond\nthird\n");
        assert_eq!(text(&ring), "third\n", "the half line `cond` is not shown");
    }
}
