//! Takes all memory that the machine promises, finds in it what was written there, gives it back, and does so again.
//!
//! For a machine with little memory: with a few GB it takes long.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::NtStatus;
    use nt_abi::memory::{AllocationType, PageProtection};
    use test_programs::check::{Outcome, line};
    use test_programs::counters::Counters;
    use test_programs::memory::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        all_memory_is_taken_and_given_back_and_taken_again,
    }

    const BOTH: AllocationType = AllocationType::COMMIT.union(AllocationType::RESERVE);
    const RW: PageProtection = PageProtection::READWRITE;
    /// The sizes of blocks, in the order in which they are tried.
    const SIZES: [u64; 3] = [1 << 20, 1 << 16, 1 << 12];
    const MOST: usize = 400;

    /// Blocks: base and size.
    struct Blocks {
        blocks: [(u64, u64); MOST],
        count: usize,
    }

    impl Blocks {
        fn all(&self) -> &[(u64, u64)] {
            &self.blocks[..self.count]
        }

        fn pages(&self) -> u64 {
            self.all().iter().map(|(_, size)| size / PAGE).sum()
        }

        /// Takes blocks of a size, and writes something into each page, until no more is promised.
        fn take(
            &mut self,
            size: u64,
            round: u64,
        ) -> Result<NtStatus, test_programs::check::Failed> {
            while self.count < MOST {
                let base = match allocate(0, size, BOTH, RW) {
                    Ok((base, _)) => base,
                    Err(refused) => return Ok(refused),
                };
                self.blocks[self.count] = (base, size);
                self.count += 1;
                for page in (base..base + size).step_by(0x1000) {
                    status!(write(page + 0x18, &content(page, round)));
                }
            }
            Ok(NtStatus::SUCCESS)
        }

        fn look(&self, round: u64) -> Outcome {
            for (base, size) in self.all() {
                for page in (*base..base + size).step_by(0x1000) {
                    expect!(read(page + 0x18), Ok(content(page, round)));
                    expect!(read(page + 0xFF0), Ok([0u8; 8]));
                }
            }
            Ok(())
        }

        /// Gives every second block back, then the others.
        fn give_back(&mut self, which: usize) -> Outcome {
            for (base, size) in self.all().iter().skip(which).step_by(2) {
                expect!(free(*base, 0, AllocationType::RELEASE), Ok((*base, *size)));
            }
            Ok(())
        }
    }

    fn content(page: u64, round: u64) -> [u8; 8] {
        (page ^ (round + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes()
    }

    /// Makes the page tables of all addresses that blocks will have: they stay, and how many small blocks a round has is not
    /// always the same.
    fn make_tables() -> Outcome {
        const OF_A_TABLE: usize = 2 << 20;
        let (base, size) = allocate(0, 128 << 20, AllocationType::RESERVE, RW)?;
        for at in (base..base + size).step_by(OF_A_TABLE) {
            allocate(at, 0x1000, AllocationType::COMMIT, RW)?;
        }
        free(base, 0, AllocationType::RELEASE)?;
        Ok(())
    }

    fn all_memory_is_taken_and_given_back_and_taken_again() -> Outcome {
        make_tables()?;
        let mut first = 0;
        let mut kept = Counters::default();
        for round in 0..3 {
            let mut taken = Blocks {
                blocks: [(0, 0); MOST],
                count: 0,
            };
            for size in SIZES {
                let refused = taken.take(size, round)?;
                holds!(refused == NtStatus::COMMITMENT_LIMIT || refused == NtStatus::NO_MEMORY);
            }
            line(format_args!("round {round}: {} pages", taken.pages()));
            // Addresses are no memory: they can be had all the same.
            let (base, _) = allocate(0, 1 << 30, AllocationType::RESERVE, RW)?;
            free(base, 0, AllocationType::RELEASE)?;
            taken.look(round)?;
            taken.give_back(0)?;
            let (again, _) = allocate(0, SIZES[0], BOTH, RW)?;
            expect!(read(again), Ok([0u8; 16]));
            free(again, 0, AllocationType::RELEASE)?;
            taken.give_back(1)?;
            // What was given back can be had again: all but what the kernel needed meanwhile.
            if round == 0 {
                first = taken.pages();
                holds!(first > 1000);
            }
            holds!(taken.pages() + 256 > first);
            // And nothing is kept but what the first round left behind in caches.
            let now = Counters::settled()?;
            if round == 0 {
                kept = now;
            }
            expect!(now.committed, kept.committed);
            expect!(now.blocks, kept.blocks);
        }
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
