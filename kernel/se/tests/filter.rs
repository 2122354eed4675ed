//! Tokens that are made to do less.

mod common;

use nt_abi::security::{FilterFlags, GroupAttributes, Luid, Privilege, TokenElevationType};
use rtl::security::{SidBuf, well_known};
use se::{Filter, IntegrityLevel, PrivilegeMask, Token, TokenFlags};

use common::{ME, token};

const NEW: Luid = Luid::new(77);
const NOTHING: Filter<'static> = Filter {
    flags: FilterFlags::empty(),
    disable: &[],
    delete: PrivilegeMask::EMPTY,
    restrict: &[],
};

#[test]
fn a_filtered_token_can_do_less() {
    // "CreateRestrictedToken function".
    let admin = token("admin");
    let filter = |filter: Filter<'_>| admin.filter(&filter, NEW).expect("memory");
    let max = filter(Filter {
        flags: FilterFlags::DISABLE_MAX_PRIVILEGE | FilterFlags::SANDBOX_INERT,
        ..NOTHING
    });
    let kept: Vec<_> = max.privileges().present().iter().collect();
    assert_eq!(kept, [Privilege::CHANGE_NOTIFY]);
    assert!(
        max.flags()
            .contains(TokenFlags::SANDBOX_INERT | TokenFlags::FILTERED)
    );
    assert_eq!(max.parent_token_id(), admin.token_id());

    let delete = PrivilegeMask::of(&[Privilege::DEBUG, Privilege::TCB]);
    let less = filter(Filter { delete, ..NOTHING });
    assert_eq!(
        less.privileges().present().count() + 1,
        admin.privileges().present().count()
    );

    let deny = [
        well_known::ADMINISTRATORS.as_sid(),
        well_known::GUESTS.as_sid(),
        well_known::HIGH_LABEL.as_sid(),
    ];
    let denied = filter(Filter {
        disable: &deny,
        ..NOTHING
    });
    let group_of = |token: &Token, sid: &SidBuf| {
        let found = token.groups().iter().find(|group| group.sid == *sid);
        found.map(|group| group.attributes)
    };
    assert_eq!(
        group_of(&denied, &well_known::ADMINISTRATORS),
        Some(GroupAttributes::USE_FOR_DENY_ONLY)
    );
    assert_eq!(group_of(&denied, &well_known::GUESTS), None);
    assert_eq!(
        denied.integrity(),
        IntegrityLevel::HIGH,
        "a label is no group"
    );
    assert_eq!(*denied.owner(), ME, "a group that is denied owns nothing");

    let twice = |first: &[&SidBuf], second: &[&SidBuf]| {
        let restricted = |token: &Token, list: &[&SidBuf]| {
            let restrict = &list.iter().map(|sid| sid.as_sid()).collect::<Vec<_>>();
            let filter = Filter {
                restrict,
                ..NOTHING
            };
            token.filter(&filter, NEW).expect("memory")
        };
        let both = restricted(&restricted(&admin, first), second);
        let found = both.restricting_sids().expect("restricted").iter();
        found.map(|group| group.sid).collect::<Vec<_>>()
    };
    let (one, other) = (&well_known::RESTRICTED_CODE, &well_known::EVERYONE);
    assert_eq!(
        twice(&[one, other], &[other, &ME]),
        [*other],
        "the intersection"
    );
    assert!(twice(&[one], &[other]).is_empty());
}

#[test]
fn restricting_for_writing_does_not_loosen() {
    let write = FilterFlags::WRITE_RESTRICTED;
    let sids = [well_known::RESTRICTED_CODE.as_sid()];
    let again = token("restricted")
        .filter(
            &Filter {
                flags: write,
                restrict: &sids,
                ..NOTHING
            },
            NEW,
        )
        .expect("memory");
    assert!(!again.flags().contains(TokenFlags::WRITE_RESTRICTED));
    let sids = [well_known::WRITE_RESTRICTED.as_sid()];
    let tighter = token("writerestricted")
        .filter(
            &Filter {
                restrict: &sids,
                ..NOTHING
            },
            NEW,
        )
        .expect("memory");
    assert!(!tighter.flags().contains(TokenFlags::WRITE_RESTRICTED));
}

#[test]
fn the_daily_half_of_an_administrator() {
    // "How User Account Control works": the five privileges and the level of a standard user.
    let mut admin = token("admin");
    admin.set_elevation_type(TokenElevationType::FULL, NEW);
    let flags = FilterFlags::LUA_TOKEN;
    let half = admin
        .filter(&Filter { flags, ..NOTHING }, NEW)
        .expect("memory");
    let kept: Vec<_> = half
        .privileges()
        .present()
        .iter()
        .map(|kept| kept.0)
        .collect();
    assert_eq!(kept, [19, 23, 25, 33, 34]);
    assert_eq!(half.integrity(), IntegrityLevel::MEDIUM);
    assert_eq!(half.elevation_type(), TokenElevationType::LIMITED);
    assert!(admin.is_administrator() && !half.is_administrator());
}
