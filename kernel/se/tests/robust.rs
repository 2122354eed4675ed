//! Damaged descriptors, memory that runs out, and answers as bytes.

mod common;

use nt_abi::NtStatus;
use nt_abi::security::{AccessMask, Luid, TokenInformationClass};
use rtl::security::memory::refusal;
use rtl::security::{Descriptor, DescriptorBuf, Provenance, Sid, well_known};
use se::{
    AccessRequest, Answer, Filter, GroupRequest, PointerWidth, PrivilegeMask, Requester, Scope,
    Token, TokenKind, access_check,
};

use common::{MAPPING, state, token};

/// The same numbers in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).expect("small");
        usize::try_from((self.next() >> 16) % limit).expect("small")
    }
}

fn granted(token: &Token, descriptor: Descriptor<'_>, desired: AccessMask) -> AccessMask {
    access_check(&AccessRequest {
        descriptor,
        token,
        desired,
        previously_granted: AccessMask::empty(),
        mapping: &MAPPING,
        principal_self: None,
        requester: Requester::User,
    })
    .granted
    .unwrap_or_default()
}

/// Whatever a descriptor says: a right can be had by name exactly if it is part of what can be had at most.
#[test]
fn on_damaged_descriptors_the_two_ways_of_asking_agree() {
    let dacl = "D:BU:f0 OD.a:ME:3 Aio:WD:ff A:ME:f A:OW:60000 A:RC:f OA:BU:10000 CD:IU:8 A:WR:ff D:DU:1 X:ME:1 A:WD:f0000";
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let mut descriptor = common::descriptor(&common::ME, state(dacl, &mut one));
    descriptor.set_sacl(state("ML:L-H:1 AUsa:WD:1", &mut other), Provenance::Given);
    let good = DescriptorBuf::build(&descriptor).expect("memory");
    let names = [
        "user",
        "low",
        "restricted",
        "writerestricted",
        "denyonly",
        "admin",
        "lua",
    ];
    let tokens = names.map(token);
    let rights = [0, 1, 2, 3, 4, 6, 16, 17, 18, 19, 20].map(|bit| AccessMask(1 << bit));
    let mut random = Random(0x0ACC_E55C);
    let (mut compared, mut some) = (0, 0);
    for case in 0..100_000 {
        let mut bytes = good.bytes().to_vec();
        for _ in 0..=random.below(3) {
            let position = random.below(bytes.len());
            bytes[position] = match random.below(3) {
                0 => random.next().to_le_bytes()[0],
                1 => bytes[position] ^ 1 << random.below(8),
                _ => [0, 1, 4, 5, 8, 0x10, 0xFF][random.below(7)],
            };
        }
        let Ok(read) = Descriptor::read_relative(&bytes) else {
            continue;
        };
        if read.dacl().acl().is_none() {
            continue;
        }
        let token = &tokens[case % tokens.len()];
        let most = granted(token, read, AccessMask::MAXIMUM_ALLOWED);
        let right = rights[random.below(rights.len())];
        let named = granted(token, read, right);
        assert_eq!(named, most & right, "case {case}");
        compared += 1;
        some += usize::from(!named.is_empty());
    }
    assert!(compared > 10_000 && some > 1_000, "{compared} {some}");
}

/// Runs `body` with its first, second, ... request for memory refused; gives how many it makes.
fn refuse_each<T>(mut body: impl FnMut() -> nt_abi::NtResult<T>) -> usize {
    for requests in 0.. {
        let (outcome, refused) = refusal::after(requests, &mut body);
        if !refused {
            assert!(outcome.is_ok());
            return requests;
        }
        assert_eq!(outcome.err(), Some(NtStatus::INSUFFICIENT_RESOURCES));
    }
    unreachable!("a body makes finitely many requests")
}

#[test]
fn memory_may_run_out_anywhere() {
    let id = Luid::new(9);
    assert!(refuse_each(|| Token::system(id)) > 4);
    assert!(refuse_each(|| Token::administrator(&common::account())) > 4);
    assert!(refuse_each(|| Token::user_account(&common::account())) > 4);
    let restricted = token("restricted");
    let copy = || restricted.duplicate(TokenKind::Primary, Scope::All, id);
    assert_eq!(refuse_each(copy), 2);
    let sids = [well_known::RESTRICTED_CODE.as_sid()];
    let filter = Filter {
        flags: nt_abi::security::FilterFlags::empty(),
        disable: &sids,
        delete: PrivilegeMask::EMPTY,
        restrict: &sids,
    };
    assert_eq!(refuse_each(|| restricted.filter(&filter, id)), 3);
    let plan = || restricted.plan_groups(GroupRequest::ResetToDefault);
    assert_eq!(refuse_each(plan), 2);

    let mut system = token("system");
    let before = system.modified_id();
    let acl = rtl::security::AclBuf::copy_of(system.default_dacl().expect("one")).expect("memory");
    let (outcome, refused) = refusal::after(1, || system.set_default_dacl(Some(acl.as_acl()), id));
    assert!(refused && outcome == Err(NtStatus::INSUFFICIENT_RESOURCES));
    assert_eq!(system.default_dacl().map(|acl| acl.count()), Some(2));
    assert_eq!(system.modified_id(), before);
}

const BASE: u64 = 0x7000_0000;

fn ask(token: &Token, class: u32, width: PointerWidth, out: &mut [u8]) -> Answer {
    token.query(TokenInformationClass(class), width, BASE, out)
}

#[test]
fn answers_have_the_documented_lengths() {
    // "TOKEN_INFORMATION_CLASS enumeration" and the structures that it names. The lengths for 32 bits are those that Wine
    // 8.0's NtQueryInformationToken gave to a user with the same SID (classes 1, 4, 7, 8, 10, 12, 18, 20, 24, 25, 29).
    let admin = token("admin");
    let me = 28;
    let list = admin
        .groups()
        .iter()
        .map(|group| group.sid.as_sid().bytes().len());
    let (count, sids) = (admin.groups().len(), list.sum::<usize>());
    let privileges = 24;
    for (class, short, long) in [
        (1, 8 + me, 16 + me),
        (2, 4 + 8 * count + sids, 8 + 16 * count + sids),
        (3, 4 + 12 * privileges, 4 + 12 * privileges),
        (4, 4 + 16, 8 + 16),
        (5, 4 + me, 8 + me),
        (7, 16, 16),
        (8, 4, 4),
        (10, 56, 56),
        (11, 4, 8),
        (12, 4, 4),
        (
            13,
            44 + 8 * (count + 1) + sids + me + 288,
            56 + 16 * (count + 1) + sids + me + 288,
        ),
        (15, 4, 4),
        (17, 8, 8),
        (18, 4, 4),
        (20, 4, 4),
        (24, 4, 4),
        (25, 20, 28),
        (28, 4 + 8 + 20, 8 + 16 + 20),
        (29, 4, 4),
        (31, 4, 8),
    ] {
        for (width, length) in [(PointerWidth::Bits32, short), (PointerWidth::Bits64, long)] {
            let mut out = vec![0xEE; length];
            let small = ask(&admin, class, width, &mut out[..length - 1]);
            assert_eq!(small.status, Err(NtStatus::BUFFER_TOO_SMALL), "{class}");
            assert!(out.iter().all(|byte| *byte == 0xEE));
            let answer = ask(&admin, class, width, &mut out);
            assert_eq!(
                answer,
                Answer {
                    status: Ok(()),
                    length
                },
                "class {class} {width:?}"
            );
        }
    }
    for (class, status) in [
        (9, NtStatus::INVALID_PARAMETER),
        (0, NtStatus::INVALID_INFO_CLASS),
        (19, NtStatus::INVALID_INFO_CLASS),
        (60, NtStatus::INVALID_INFO_CLASS),
    ] {
        let answer = ask(&admin, class, PointerWidth::Bits64, &mut [0; 100]);
        assert_eq!(
            answer,
            Answer {
                status: Err(status),
                length: 0
            }
        );
    }
    let beyond = admin.query(
        TokenInformationClass::USER,
        PointerWidth::Bits32,
        1 << 32,
        &mut [0; 64],
    );
    assert_eq!(beyond.status, Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn pointers_in_an_answer_lead_into_it() {
    let admin = token("admin");
    for (width, pointer) in [(PointerWidth::Bits32, 4), (PointerWidth::Bits64, 8)] {
        let mut out = [0; 1024];
        let answer = ask(&admin, 2, width, &mut out);
        assert_eq!(answer.status, Ok(()));
        let number = |at: usize, length: usize| {
            let mut bytes = [0; 8];
            bytes[..length].copy_from_slice(&out[at..at + length]);
            u64::from_le_bytes(bytes)
        };
        assert_eq!(number(0, 4), 14);
        for (index, group) in admin.groups().iter().enumerate() {
            let at = pointer + index * 2 * pointer;
            let offset = usize::try_from(number(at, pointer) - BASE).expect("inside");
            assert_eq!(Sid::read(&out[offset..]), Ok(group.sid.as_sid()));
            assert_eq!(number(at + pointer, 4), u64::from(group.attributes.0));
        }
    }
}
