//! What the services answered: how often each status came from each component.

use nt_abi::NtStatus;
use nt_abi::services::Component;

use crate::check::line;

/// Different answers that are counted; the others are summed up.
const MOST: usize = 1024;
/// Answers of a component that are printed, the most frequent first.
const SHOWN: usize = 12;

/// Who answered; `None` is nobody, for a number beyond the table.
type From = Option<Component>;

#[derive(Clone, Copy, Debug)]
struct Entry {
    from: From,
    status: NtStatus,
    count: u64,
}

const EMPTY: Entry = Entry {
    from: None,
    status: NtStatus::SUCCESS,
    count: 0,
};

/// The counts.
#[derive(Debug)]
pub(super) struct Tally {
    entries: [Entry; MOST],
    calls: u64,
    uncounted: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            entries: [EMPTY; MOST],
            calls: 0,
            uncounted: 0,
        }
    }

    /// Counts an answer.
    pub(super) fn count(&mut self, from: From, status: NtStatus) {
        self.calls += 1;
        let place = from.map_or(0, |component| component as usize + 1);
        let start = (status.0 as usize)
            .wrapping_mul(31)
            .wrapping_add(place * 97);
        for step in 0..MOST {
            let entry = &mut self.entries[(start + step) % MOST];
            if entry.count == 0 {
                *entry = Entry {
                    from,
                    status,
                    count: 1,
                };
                return;
            }
            if entry.from == from && entry.status == status {
                entry.count += 1;
                return;
            }
        }
        self.uncounted += 1;
    }

    /// How many answers there were.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// Prints all.
    pub(super) fn print(&mut self) {
        // The most frequent first.
        self.entries
            .sort_unstable_by_key(|entry| u64::MAX - entry.count);
        let mut printed: [From; 32] = [None; 32];
        let mut count = 0;
        for place in 0..MOST {
            let Entry {
                from, count: times, ..
            } = self.entries[place];
            let known = printed[..count].contains(&from);
            if times == 0 || known || count == printed.len() {
                continue;
            }
            printed[count] = from;
            count += 1;
            self.print_component(from);
        }
        if self.uncounted > 0 {
            line(format_args!("fuzz: {} answers more", self.uncounted));
        }
    }

    fn print_component(&self, from: From) {
        let of = || {
            self.entries
                .iter()
                .filter(|entry| entry.count > 0 && entry.from == from)
        };
        let calls: u64 = of().map(|entry| entry.count).sum();
        match from {
            Some(component) => line(format_args!("{component:?}: {calls} calls")),
            None => line(format_args!("no service: {calls} calls")),
        }
        for entry in of().take(SHOWN) {
            line(format_args!("  {:>9} {}", entry.count, entry.status));
        }
        let (others, rest) = of().skip(SHOWN).fold((0, 0), |(others, rest), entry| {
            (others + 1, rest + entry.count)
        });
        if others > 0 {
            line(format_args!("  {rest:>9} {others} other statuses"));
        }
    }
}
