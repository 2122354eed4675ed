//! Fifty thousand random calls against a model in which every page is an entry of a list.

use rtl::Random;

use super::*;

const PAGE: u64 = 0x1000;
/// The addresses that are played with.
const START: u64 = 0x1000_0000;
const PAGES: usize = 1024;
/// Pages of the allocation granularity.
const GRAIN: usize = 16;

const GUARD: u32 = 0x104;
const PROTECTIONS: [u32; 6] = [RW, RW, RO, NA, 0x40, GUARD];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Page {
    /// The allocation's first page and protection.
    allocation: Option<(usize, u32)>,
    /// Protection and content, if it is committed.
    committed: Option<(u32, u64)>,
}

const NOTHING: Page = Page {
    allocation: None,
    committed: None,
};

struct Model {
    pages: Vec<Page>,
}

fn address(page: usize) -> u64 {
    START + page as u64 * PAGE
}

impl Model {
    /// Whether the pages are all of one allocation.
    fn in_one(&self, from: usize, count: usize) -> bool {
        let first = self.pages[from].allocation;
        first.is_some()
            && self.pages[from..from + count]
                .iter()
                .all(|page| page.allocation == first)
    }

    fn whole(&self, page: usize) -> Option<(usize, usize)> {
        let allocation = self.pages[page].allocation?;
        let from = allocation.0;
        let count = self.pages[from..]
            .iter()
            .take_while(|page| page.allocation == Some(allocation))
            .count();
        Some((from, count))
    }

    fn committed(&self) -> u64 {
        self.pages
            .iter()
            .filter(|page| page.committed.is_some())
            .count() as u64
    }

    fn allocate(&mut self, space: &AddressSpace, random: &mut Random) {
        let from = random.index(PAGES / GRAIN) * GRAIN;
        let count = (random.index(40) + 1).min(PAGES - from);
        let protection = PROTECTIONS[random.index(PROTECTIONS.len())];
        let commit = random.below(2) == 0;
        let kind = RESERVE | if commit { COMMIT } else { 0 };
        let result = allocate(space, address(from), count as u64 * PAGE, kind, protection);
        if self.pages[from..from + count]
            .iter()
            .any(|page| page.allocation.is_some())
        {
            assert_eq!(result, Err(NtStatus::CONFLICTING_ADDRESSES));
            return;
        }
        assert_eq!(result, Ok((address(from), count as u64 * PAGE)));
        for page in &mut self.pages[from..from + count] {
            page.allocation = Some((from, protection));
            page.committed = commit.then_some((protection, 0));
        }
    }

    fn commit(&mut self, space: &AddressSpace, from: usize, count: usize, random: &mut Random) {
        let protection = PROTECTIONS[random.index(PROTECTIONS.len())];
        let result = allocate(
            space,
            address(from),
            count as u64 * PAGE,
            COMMIT,
            protection,
        );
        if !self.in_one(from, count) {
            assert_eq!(result, Err(NtStatus::CONFLICTING_ADDRESSES));
            return;
        }
        assert_eq!(result, Ok((address(from), count as u64 * PAGE)));
        for page in &mut self.pages[from..from + count] {
            let content = page.committed.map_or(0, |(_, content)| content);
            page.committed = Some((protection, content));
        }
    }

    fn free(&mut self, space: &AddressSpace, from: usize, count: usize, kind: FreeKind) {
        let result = space
            .free(address(from), count as u64 * PAGE, kind)
            .map(|range| (range.start.0, range.length()));
        if self.pages[from].allocation.is_none() {
            assert_eq!(result, Err(NtStatus::MEMORY_NOT_ALLOCATED));
            return;
        }
        if !self.in_one(from, count) {
            assert_eq!(result, Err(NtStatus::UNABLE_TO_FREE_VM));
            return;
        }
        assert_eq!(result, Ok((address(from), count as u64 * PAGE)));
        let (_, protection) = self.pages[from].allocation.expect("looked at above");
        let whole = self.whole(from).expect("looked at above");
        for page in &mut self.pages[from..from + count] {
            page.committed = None;
            if kind == FreeKind::Release {
                page.allocation = None;
            }
        }
        if kind == FreeKind::Release {
            // What remains above is an allocation of its own.
            for page in &mut self.pages[from + count..whole.0 + whole.1] {
                page.allocation = Some((from + count, protection));
            }
        }
    }

    fn protect(&mut self, space: &AddressSpace, from: usize, count: usize, random: &mut Random) {
        let protection = PROTECTIONS[random.index(PROTECTIONS.len())];
        let result = space
            .protect(
                address(from),
                count as u64 * PAGE,
                PageProtection(protection),
            )
            .map(|(_, old)| old.0);
        if !self.in_one(from, count) {
            assert_eq!(result, Err(NtStatus::CONFLICTING_ADDRESSES));
            return;
        }
        if self.pages[from..from + count]
            .iter()
            .any(|page| page.committed.is_none())
        {
            assert_eq!(result, Err(NtStatus::NOT_COMMITTED));
            return;
        }
        let old = self.pages[from].committed.expect("looked at above").0;
        assert_eq!(result, Ok(old));
        for page in &mut self.pages[from..from + count] {
            page.committed = page.committed.map(|(_, content)| (protection, content));
        }
    }

    /// A guard page that is met is none any more.
    fn meets_guard(&mut self, page: usize) -> bool {
        match &mut self.pages[page].committed {
            Some((protection, _)) if *protection == GUARD => {
                *protection = RW;
                true
            }
            _ => false,
        }
    }

    fn write(&mut self, space: &AddressSpace, page: usize, value: u64) {
        let result = space.write(address(page) + 8, &value.to_le_bytes());
        if self.meets_guard(page) {
            assert_eq!(result.count, 0);
            return;
        }
        match &mut self.pages[page].committed {
            Some((RW | 0x40, content)) => {
                assert_eq!(result.status, NtStatus::SUCCESS);
                *content = value;
            }
            _ => assert_eq!(result.count, 0),
        }
    }

    fn read(&mut self, space: &AddressSpace, page: usize) {
        let mut bytes = [0xFF; 8];
        let result = space.read(address(page) + 8, &mut bytes);
        if self.meets_guard(page) {
            assert_eq!(result.count, 0);
            return;
        }
        match self.pages[page].committed {
            Some((NA, _)) | None => assert_eq!(result.count, 0),
            Some((_, content)) => {
                assert_eq!(result.status, NtStatus::SUCCESS);
                assert_eq!(u64::from_le_bytes(bytes), content);
            }
        }
    }

    /// What a query is to say of a page.
    fn state(&self, page: usize) -> (u32, u32, u64) {
        let this = self.pages[page];
        match (this.allocation, this.committed) {
            (None, _) => (0x1_0000, NA, 0),
            (Some((base, _)), None) => (RESERVE, 0, address(base)),
            (Some((base, _)), Some((protection, _))) => (COMMIT, protection, address(base)),
        }
    }

    /// Everything is as the model says, and what belongs together agrees.
    fn check(&self, space: &AddressSpace, charged_before: u64) {
        let mut page = 0;
        while page < PAGES {
            let found = space.query(address(page)).expect("an address");
            let state = self.state(page);
            assert_eq!(
                (found.state.0, found.protection.0, found.allocation_base),
                state,
                "page {page}"
            );
            let alike = (page..PAGES)
                .take_while(|other| self.state(*other) == state)
                .count();
            let size = usize::try_from(found.size / PAGE).unwrap();
            if page + size < PAGES || state.0 != 0x1_0000 {
                assert_eq!(size, alike, "the region at page {page}");
            }
            page += alike;
        }
        let counters = space.counters();
        assert_eq!(counters.pagefile_usage / PAGE, self.committed());
        let mut shown = 0;
        space
            .for_each_working_set_page(&mut |_| {
                shown += 1;
                true
            })
            .expect("alive");
        assert_eq!(counters.working_set_size / PAGE, shown);
        let reserved = self
            .pages
            .iter()
            .filter(|page| page.allocation.is_some())
            .count() as u64;
        assert_eq!(
            counters.virtual_size,
            (reserved + 1) * PAGE,
            "with the shared page"
        );
        space.lock().vads.check().expect("a sound tree");
        frames::lock().check().expect("sound frames");
        let kernel = kernel_frames();
        assert_eq!(
            crate::commit::counts().charged - charged_before,
            self.committed() + kernel,
            "promises"
        );
    }
}

/// Page tables that were made since the test began.
fn kernel_frames() -> u64 {
    frames::lock().kernel_frames() - KERNEL_BEFORE.with(std::cell::Cell::get)
}

thread_local! {
    static KERNEL_BEFORE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

fn play(seed: u64, steps: usize) {
    let mut random = Random::new(seed);
    let before = balance();
    KERNEL_BEFORE.set(frames::lock().kernel_frames());
    let space = new_space();
    let mut model = Model {
        pages: vec![NOTHING; PAGES],
    };
    for step in 0..steps {
        let from = random.index(PAGES);
        let count = (random.index(20) + 1).min(PAGES - from);
        match random.below(24) {
            0..=2 => model.allocate(&space, &mut random),
            3..=5 => model.commit(&space, from, count, &mut random),
            6 => model.free(&space, from, count, FreeKind::Decommit),
            7 => model.free(&space, from, count, FreeKind::Release),
            8 => {
                if let Some((from, count)) = model.whole(from) {
                    model.free(&space, from, count, FreeKind::Release);
                }
            }
            9 => {
                if let Some((from, count)) = model.whole(from) {
                    model.free(&space, from, count, FreeKind::Decommit);
                }
            }
            10..=13 => model.protect(&space, from, count, &mut random),
            14..=18 => model.write(&space, from, random.next_u64()),
            19..=21 => model.read(&space, from),
            22 if step % 7 == 0 => {
                let mut space = space.lock();
                space.trim(random.below(50));
            }
            22 => _ = crate::modified_writer::write_modified(random.below(20)),
            _ if step % 500 == 0 => super::memory::take_all_frames(),
            _ => {}
        }
        if step % 256 == 0 {
            model.check(&space, before.charged);
        }
    }
    model.check(&space, before.charged);
    drop(space);
    assert_eq!(balance(), before);
}

#[test]
fn private_memory_is_what_the_model_says() {
    let _machine = crate::testing::boot();
    super::memory::add_paging_file();
    for seed in 0..5 {
        play(seed, 10_000);
    }
}

/// Three views of one section, two that share and one that copies, in three spaces.
#[test]
fn views_are_what_the_model_says() {
    const COUNT: usize = 48;
    let _machine = crate::testing::boot();
    super::memory::add_paging_file();
    let before = balance();
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let spaces = [new_space(), new_space(), new_space()];
        let section = super::sections::memory(COUNT as u64 * PAGE);
        let mut bases = [0; 3];
        for (number, space) in spaces.iter().enumerate() {
            bases[number] = super::sections::map_whole(space, &section, number == 2);
        }
        let mut shared = [0u64; COUNT];
        let mut own = [None; COUNT];
        for step in 0..5000 {
            let who = random.index(3);
            let page = random.index(COUNT);
            let at = bases[who] + page as u64 * PAGE + 16;
            match random.below(8) {
                0..=2 => {
                    let value = random.next_u64();
                    write(&spaces[who], at, &value.to_le_bytes());
                    if who == 2 {
                        own[page] = Some(value);
                    } else {
                        shared[page] = value;
                    }
                }
                3..=5 => {
                    let expected = match own[page] {
                        Some(value) if who == 2 => value,
                        _ => shared[page],
                    };
                    let found = u64::from_le_bytes(read(&spaces[who], at));
                    assert_eq!(found, expected, "seed {seed}, step {step}");
                }
                6 => _ = spaces[who].lock().trim(random.below(30)),
                7 if step % 50 == 0 => {
                    spaces[who].unmap_view(at).expect("it is a view");
                    bases[who] = super::sections::map_whole(&spaces[who], &section, who == 2);
                    if who == 2 {
                        own = [None; COUNT];
                    }
                }
                _ if step % 100 == 0 => super::memory::take_all_frames(),
                _ => _ = crate::modified_writer::write_modified(random.below(10)),
            }
            if step % 500 == 0 {
                frames::lock().check().expect("sound frames");
            }
        }
        drop(spaces);
        drop(section);
        assert_eq!(balance(), before);
    }
}
