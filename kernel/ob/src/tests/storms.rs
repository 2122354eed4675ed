//! Many processors at once: what is counted must add up, and nothing may be left behind.

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Arc;

use ex::{Quota, QuotaKind};
use rtl::Random;

use super::*;
use crate::handle_table::{Duplicate, DuplicateOptions};
use ke::testing::{join, run, spawn};

fn caller_of(table: &HandleTable) -> Caller<'_> {
    Caller {
        table,
        mode: Mode::User,
        process: None,
        thread: None,
    }
}

fn make(table: &HandleTable, name: &str, attributes: Attributes) -> NtResult<(Handle, bool)> {
    let name = text(name);
    let created = create(
        EventBody,
        &CreateParameters {
            name: Some(name.as_str()),
            attributes,
            access: AccessMask::GENERIC_ALL,
            ..CreateParameters::KERNEL
        },
    )?;
    let existed = created.existed;
    Ok((created.into_handle(&caller_of(table))?, existed))
}

fn parameters(name: &Utf16String) -> OpenParameters<'_> {
    OpenParameters {
        name: Some(name.as_str()),
        root: Root::Namespace,
        attributes: NONE,
        kind: Some(&EVENT),
        access: AccessMask::GENERIC_ALL,
        subject: Subject::kernel(),
    }
}

fn open(table: &HandleTable, name: &str) -> NtResult<Handle> {
    open_by_name(&caller_of(table), &parameters(&text(name)), None)
}

fn reference(name: &str) -> NtResult<()> {
    reference_by_name(&parameters(&text(name)), None).map(drop)
}

/// Who has a handle to a name's object meets that object under the name.
fn meets_itself(table: &HandleTable, handle: Handle, name: &str) {
    let again = open(table, name).expect("somebody has a handle");
    let object = |handle| table.entry(handle).expect("open").object;
    assert!(
        object(handle).same(&object(again)),
        "another object has the name"
    );
    table.close(again, Mode::User).expect("open");
}

fn churn(own: &HandleTable, shared: &HandleTable, random: &mut Random) {
    let mut handles = Vec::new();
    for _ in 0..30 {
        let name = std::format!(r"\BaseNamedObjects\storm{}", random.below(3));
        match random.below(7) {
            0 | 1 => {
                let (handle, _) = make(own, &name, Attributes::OPENIF).expect("either way");
                meets_itself(own, handle, &name);
                handles.push(handle);
            }
            2 => match open(own, &name) {
                Ok(handle) => {
                    meets_itself(own, handle, &name);
                    handles.push(handle);
                }
                Err(status) => assert_eq!(status, NtStatus::OBJECT_NAME_NOT_FOUND),
            },
            3 if !handles.is_empty() => {
                let to_shared = random.below(2) == 0;
                let copy = Duplicate {
                    source: caller_of(own),
                    handle: handles[random.index(handles.len())],
                    target: Some(if to_shared { shared } else { own }),
                    access: AccessMask::NONE,
                    attributes: HandleAttributes::empty(),
                    options: DuplicateOptions::SAME_ACCESS,
                    subject: Some(Subject::kernel()),
                };
                let copy = copy.perform().expect("memory").expect("a target");
                if !to_shared {
                    handles.push(copy);
                }
            }
            4 => {
                // Several may try to close the same one: exactly the numbers that are there can be closed.
                if let Some((handle, entry)) = shared.next_after(Handle::NULL) {
                    drop(entry);
                    let _ = shared.close(handle, Mode::User);
                }
            }
            5 => {
                // Without a handle: whoever closes the last one meanwhile leaves it to this one to take the name away.
                if let Err(status) = reference(&name) {
                    assert_eq!(status, NtStatus::OBJECT_NAME_NOT_FOUND);
                }
            }
            _ => {
                if let Some(handle) = handles.pop() {
                    own.close(handle, Mode::User)
                        .expect("nobody else closes it");
                }
            }
        }
    }
}

#[test]
fn handles_from_four_processors_leave_nothing() {
    for seed in 0..100 {
        run(4, seed, move || {
            prepare();
            let before = counts();
            let shared = Arc::new(HandleTable::new(4000, None));
            let workers: Vec<_> = (0..4)
                .map(|worker| {
                    let shared = shared.clone();
                    spawn(move || {
                        let own = HandleTable::new(8 + worker * 4, None);
                        let mut random = Random::new(seed * 8 + u64::from(worker));
                        churn(&own, &shared, &mut random);
                        own.close_all();
                    })
                })
                .collect();
            workers.iter().for_each(join);
            shared.close_all();
            assert_eq!(counts(), before, "seed {seed}");
            for number in 0..3 {
                let name = std::format!(r"\BaseNamedObjects\storm{number}");
                let table = HandleTable::new(8, None);
                assert_eq!(open(&table, &name), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
            }
        });
    }
}

/// The last handle is closed while somebody looks the name up: one of the two takes it away.
#[test]
fn a_name_ends_with_the_last_who_uses_it() {
    const NAME: &str = r"\BaseNamedObjects\brief";
    for seed in 0..200 {
        run(2, seed, move || {
            arch::sim::set_pass_rate(2);
            prepare();
            let before = counts();
            let table = Arc::new(HandleTable::new(8, None));
            let (handle, _) = make(&table, NAME, NONE).expect("new");
            let closer = {
                let table = table.clone();
                spawn(move || table.close(handle, Mode::User).expect("open"))
            };
            let looker = spawn(|| while reference(NAME).is_ok() {});
            join(&closer);
            join(&looker);
            assert_eq!(open(&table, NAME), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
            drop(table);
            assert_eq!(counts(), before, "seed {seed}");
        });
    }
}

#[test]
fn of_two_creators_one_wins() {
    for seed in 0..100 {
        run(2, seed, move || {
            prepare();
            let before = counts();
            let made = Arc::new(AtomicU32::new(0));
            let collided = Arc::new(AtomicU32::new(0));
            let start = Arc::new(AtomicU32::new(0));
            let workers: Vec<_> = (0..2)
                .map(|worker| {
                    let (made, collided, start) = (made.clone(), collided.clone(), start.clone());
                    spawn(move || {
                        let table = HandleTable::new(8 + worker * 4, None);
                        start.fetch_add(1, SeqCst);
                        match make(&table, r"\BaseNamedObjects\race", NONE) {
                            Ok(_) => made.fetch_add(1, SeqCst),
                            Err(status) => {
                                assert_eq!(status, NtStatus::OBJECT_NAME_COLLISION);
                                collided.fetch_add(1, SeqCst)
                            }
                        };
                        let open_if = Attributes::OPENIF;
                        let (handle, _) =
                            make(&table, r"\BaseNamedObjects\both", open_if).expect("either way");
                        meets_itself(&table, handle, r"\BaseNamedObjects\both");
                        // The winner keeps its handle until the other one has tried.
                        while made.load(SeqCst) + collided.load(SeqCst) < 2 {
                            drop(ke::irql::raise(arch::contract::Irql::Dispatch));
                            <arch::Machine as arch::contract::Processor>::relax();
                        }
                    })
                })
                .collect();
            workers.iter().for_each(join);
            assert_eq!(
                (made.load(SeqCst), collided.load(SeqCst)),
                (1, 1),
                "seed {seed}"
            );
            assert_eq!(counts(), before, "seed {seed}");
        });
    }
}

#[test]
fn a_type_without_a_signal_is_always_signalled() {
    run(1, 1, || {
        prepare();
        let kind = Some(&namespace::TYPE);
        let name = text(r"\ObjectTypes\Type");
        let parameters = OpenParameters {
            name: Some(name.as_str()),
            root: Root::Namespace,
            attributes: NONE,
            kind,
            access: AccessMask::SYNCHRONIZE,
            subject: Subject::kernel(),
        };
        let object = reference_by_name(&parameters, None).expect("there");
        let header = object_type::wait_header(&object).expect("it can be waited for");
        let options = ke::wait::WaitOptions::kernel();
        assert_eq!(ke::wait::wait_for_one(header, &options), NtStatus::WAIT_0);
        let root = Object::erase(root().expect("there"));
        assert_eq!(
            object_type::wait_header(&root).map(drop),
            Err(NtStatus::OBJECT_TYPE_MISMATCH)
        );
    });
}

/// A table's first page is made once, whoever comes first, and paid for once.
#[test]
fn the_first_two_handles_at_once() {
    fn first<T: ObjectBody>(body: T, table: &HandleTable, ready: &AtomicU32) -> Handle {
        let created = create(body, &CreateParameters::KERNEL).expect("memory");
        ready.fetch_add(1, SeqCst);
        while ready.load(SeqCst) < 2 {
            drop(ke::irql::raise(arch::contract::Irql::Dispatch));
            <arch::Machine as arch::contract::Processor>::relax();
        }
        created
            .into_handle(&caller_of(table))
            .expect("there is room")
    }
    for seed in 0..100 {
        run(2, seed, move || {
            arch::sim::set_pass_rate(2);
            prepare();
            let before = counts();
            let quota = Quota::new().expect("memory");
            let used = || quota.usage(QuotaKind::PagedPool).usage;
            let table = Arc::new(HandleTable::new(8, Some(quota.clone())));
            let made = Arc::new([const { AtomicU32::new(0) }; 2]);
            let ready = Arc::new(AtomicU32::new(0));
            let workers = [0, 1].map(|worker: usize| {
                let (table, made, ready) = (table.clone(), made.clone(), ready.clone());
                spawn(move || {
                    let handle = match worker {
                        0 => first(EventBody, &table, &ready),
                        _ => first(MutantBody, &table, &ready),
                    };
                    let number = u32::try_from(handle.0).expect("a small number");
                    made[worker].store(number, SeqCst);
                })
            });
            workers.iter().for_each(join);
            let [event, mutant] = [0, 1].map(|worker: usize| made[worker].load(SeqCst));
            assert!(
                [(4, 8), (8, 4)].contains(&(event, mutant)),
                "{event} and {mutant}, seed {seed}"
            );
            let kind_of = |number: u32| {
                let entry = table.entry(Handle(u64::from(number))).expect("open");
                entry.object.is::<EventBody>()
            };
            assert!(kind_of(event) && !kind_of(mutant), "seed {seed}");
            assert_eq!((table.len(), used()), (2, HandleTable::PAGE_BYTES as u64));
            table.close_all();
            assert_eq!((used(), counts()), (0, before), "seed {seed}");
        });
    }
}
