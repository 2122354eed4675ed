//! The access check against its table, `data/access_check.txt`.
//!
//! The expectations are those of the documentation whose pages the table names.
//! `data/access_check_wine.txt` has what another implementation said to the
//! rows that it can express: Wine 8.0's `AccessCheck`, asked by
//! `data/access_check_wine.c`. Where it differs, the row says why below, and a
//! difference that goes away is reported as well.

mod common;

use nt_abi::security::AccessMask;
use nt_abi::{NtResult, NtStatus};
use rtl::security::Provenance;
use se::{AccessDecision, AccessRequest, Requester, access_check};

use common::MAPPING;

const TABLE: &str = include_str!("data/access_check.txt");
const WINE: &str = include_str!("data/access_check_wine.txt");

struct Row {
    /// As the table has it, without spaces around the bars.
    text: String,
    columns: Vec<String>,
}

impl Row {
    /// All but the outcome.
    fn question(&self) -> String {
        self.columns[..5].join("|")
    }

    fn outcome(&self) -> NtResult<AccessMask> {
        outcome(&self.columns[5])
    }
}

fn outcome(text: &str) -> NtResult<AccessMask> {
    match text {
        "DENIED" => Err(NtStatus::ACCESS_DENIED),
        "PRIVILEGE" => Err(NtStatus::PRIVILEGE_NOT_HELD),
        "LEVEL" => Err(NtStatus::BAD_IMPERSONATION_LEVEL),
        "GENERIC" => Err(NtStatus::GENERIC_NOT_MAPPED),
        mask => Ok(AccessMask(u32::from_str_radix(mask, 16).expect("a mask"))),
    }
}

fn rows(table: &str) -> Vec<Row> {
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<_> = line.split('|').map(|column| column.trim().into()).collect();
            assert_eq!(columns.len(), 6, "{line}");
            Row {
                text: columns.join("|"),
                columns,
            }
        })
        .collect()
}

/// The SACL of the label column.
fn label(text: &str) -> String {
    if text == "-" {
        return String::new();
    }
    let (level, policy) = text.split_once(':').expect("LEVEL:POLICY");
    let (level, flags) = level.split_at(1);
    let bits = [("nw", 1), ("nr", 2), ("nx", 4)];
    let mask: u32 = bits
        .iter()
        .filter(|(name, _)| policy.contains(name))
        .map(|(_, bit)| bit)
        .sum();
    format!("ML{flags}:L-{level}:{mask:x}")
}

fn decide(row: &Row) -> AccessDecision {
    let token = common::token(&row.columns[0]);
    let owner = common::sid(&row.columns[1]);
    let (mut dacl, mut sacl) = (Vec::new(), Vec::new());
    let dacl = common::state(&row.columns[3], &mut dacl);
    let mut descriptor = common::descriptor(&owner, dacl);
    let label = label(&row.columns[2]);
    if !label.is_empty() {
        let sacl = common::state(&label, &mut sacl);
        descriptor.set_sacl(sacl, Provenance::Given);
    }
    access_check(&AccessRequest {
        descriptor,
        token: &token,
        desired: AccessMask(u32::from_str_radix(&row.columns[4], 16).expect("a mask")),
        previously_granted: AccessMask::empty(),
        mapping: &MAPPING,
        principal_self: None,
        requester: Requester::User,
    })
}

#[test]
fn the_table_holds() {
    let rows = rows(TABLE);
    assert!(rows.len() >= 80, "the table has {} rows", rows.len());
    let wrong: Vec<_> = rows
        .iter()
        .filter(|row| decide(row).granted != row.outcome())
        .map(|row| format!("{}: {:?}", row.text, decide(row).granted))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Questions that Wine answers differently, and why we do not.
const DIFFERENT: &[(&str, &[&str])] = &[
    (
        "it answers MAXIMUM_ALLOWED on a null DACL with generic all alone, without the rights that are named beside it",
        &["user|SY|-|absent|2100000"],
    ),
    (
        "it gives the owner all standard rights; documented are READ_CONTROL and WRITE_DAC",
        &[
            "user|ME|-|empty|2000000",
            "user|ME|-|empty|10000",
            "user|ME|-|empty|80000",
            "user|ME|-|A:ME:1|2000000",
            "user|ME|-|D:ME:60000 A:ME:1|2000000",
        ],
    ),
    (
        "it subtracts all denials from MAXIMUM_ALLOWED, so that a right that can be had by name is missing from it",
        &["user|SY|-|A:ME:3 D:ME:1|2000000"],
    ),
    (
        "it does not look at rights that are named beside MAXIMUM_ALLOWED",
        &["user|SY|-|A:ME:3|2000004"],
    ),
    (
        "it does not know Owner Rights",
        &[
            "user|ME|-|A:OW:20000|40000",
            "user|ME|-|A:OW:20000|2000000",
            "user|ME|-|A:OW:1|20000",
            "user|ME|-|A:OW:1|1",
            "user|ME|-|D:OW:40000 A:ME:1|40000",
            "user|ME|-|D:OW:40000 A:ME:1|20000",
            "user|ME|-|D:OW:1 A:ME:1|1",
        ],
    ),
    (
        "a SID for denials alone denies nothing in it, and the user cannot be one",
        &[
            "denyonly|SY|-|D:IU:1 A:ME:1|1",
            "nouser|SY|-|A:ME:1|1",
            "nouser|ME|-|empty|20000",
        ],
    ),
    (
        "it does not look at SeTakeOwnershipPrivilege",
        &[
            "takeown|SY|-|empty|80000",
            "takeown|SY|-|A:WD:1|80001",
            "takeown|SY|-|D:ME:80000|80000",
            "takeown|SY|-|empty|2080000",
        ],
    ),
    (
        "it lets a DACL, or its absence, give ACCESS_SYSTEM_SECURITY",
        &[
            "user|SY|-|null|1000000",
            "user|SY|-|A:ME:1000001|2000000",
            "nosecurity|SY|-|null|1000000",
        ],
    ),
    (
        "it has no restricting SIDs",
        &[
            "restricted|SY|-|A:ME:3|1",
            "restricted|SY|-|A:ME:3 A:RC:1|2",
            "restricted|SY|-|A:ME:3 A:RC:6|2000000",
            "restricted|SY|-|D:RC:1 A:ME:1 A:RC:1|1",
            "restricted|ME|-|empty|20000",
            "restricted|ME|-|A:RC:60000|2000000",
        ],
    ),
    (
        "NtAccessCheck takes the level Identification, SeAccessCheck does not",
        &["identification|SY|-|A:ME:1|1"],
    ),
];

#[test]
fn another_implementation_says_the_same_where_it_can() {
    let table = rows(TABLE);
    let wine = rows(WINE);
    assert!(wine.len() > 100, "the record has {} rows", wine.len());
    for recorded in wine {
        let question = recorded.question();
        let row = table
            .iter()
            .find(|row| row.question() == question)
            .expect("each recorded row is in the table");
        let known = DIFFERENT
            .iter()
            .any(|(_, questions)| questions.contains(&&*question));
        let same = match (row.outcome(), recorded.outcome()) {
            (Ok(one), Ok(other)) => one == other,
            // Its AccessCheck says no, and not why.
            (Err(_), Err(_)) => true,
            _ => false,
        };
        assert_eq!(same, !known, "{} and {}", row.text, recorded.text);
    }
}
