//! SIDs with a fixed meaning ([MS-DTYP] 2.4.2.4, "Well-known SID Structures").

use super::{Sid, SidBuf};

/// The authority of labels (`SECURITY_MANDATORY_LABEL_AUTHORITY`).
const LABEL_AUTHORITY: u64 = 16;
/// The authority of NT itself (`SECURITY_NT_AUTHORITY`).
const NT_AUTHORITY: u64 = 5;
/// The domain of the groups that every machine has (`SECURITY_BUILTIN_DOMAIN_RID`).
const BUILTIN: u32 = 32;

/// Nobody.
pub const NULL: SidBuf = SidBuf::new(0, &[0]);
/// Everyone.
pub const EVERYONE: SidBuf = SidBuf::new(1, &[0]);
/// Everyone who logged on at this machine.
pub const LOCAL: SidBuf = SidBuf::new(2, &[0]);
/// Who logged on at the console.
pub const CONSOLE_LOGON: SidBuf = SidBuf::new(2, &[1]);
/// In an entry that is inherited: the new object's owner.
pub const CREATOR_OWNER: SidBuf = SidBuf::new(3, &[0]);
/// In an entry that is inherited: the new object's primary group.
pub const CREATOR_GROUP: SidBuf = SidBuf::new(3, &[1]);
/// In an entry: whoever owns the object; takes the place of the owner's implicit rights.
pub const OWNER_RIGHTS: SidBuf = SidBuf::new(3, &[4]);
/// All of NT's own.
pub const NT: SidBuf = SidBuf::new(NT_AUTHORITY, &[]);
/// Who came over a dial-up line.
pub const DIALUP: SidBuf = SidBuf::new(NT_AUTHORITY, &[1]);
/// Who came over the network.
pub const NETWORK: SidBuf = SidBuf::new(NT_AUTHORITY, &[2]);
/// Batch jobs.
pub const BATCH: SidBuf = SidBuf::new(NT_AUTHORITY, &[3]);
/// Who sits at the machine.
pub const INTERACTIVE: SidBuf = SidBuf::new(NT_AUTHORITY, &[4]);
/// Services.
pub const SERVICE: SidBuf = SidBuf::new(NT_AUTHORITY, &[6]);
/// Who did not say who it is.
pub const ANONYMOUS: SidBuf = SidBuf::new(NT_AUTHORITY, &[7]);
/// In an entry: the object itself, where it is an account.
pub const PRINCIPAL_SELF: SidBuf = SidBuf::new(NT_AUTHORITY, &[10]);
/// Everyone who said who it is.
pub const AUTHENTICATED_USERS: SidBuf = SidBuf::new(NT_AUTHORITY, &[11]);
/// What restricted tokens are restricted to, usually.
pub const RESTRICTED_CODE: SidBuf = SidBuf::new(NT_AUTHORITY, &[12]);
/// Accounts of this organisation.
pub const THIS_ORGANIZATION: SidBuf = SidBuf::new(NT_AUTHORITY, &[15]);
/// The system.
pub const SYSTEM: SidBuf = SidBuf::new(NT_AUTHORITY, &[18]);
/// The account of services with few rights.
pub const LOCAL_SERVICE: SidBuf = SidBuf::new(NT_AUTHORITY, &[19]);
/// The account of services that show the machine's name on the network.
pub const NETWORK_SERVICE: SidBuf = SidBuf::new(NT_AUTHORITY, &[20]);
/// What write-restricted tokens are restricted to.
pub const WRITE_RESTRICTED: SidBuf = SidBuf::new(NT_AUTHORITY, &[33]);
/// Every local account.
pub const LOCAL_ACCOUNT: SidBuf = SidBuf::new(NT_AUTHORITY, &[113]);
/// Local accounts that are administrators.
pub const LOCAL_ACCOUNT_AND_ADMINISTRATOR: SidBuf = SidBuf::new(NT_AUTHORITY, &[114]);
/// All services, NT SERVICE\ALL SERVICES.
pub const ALL_SERVICES: SidBuf = SidBuf::new(NT_AUTHORITY, &[80, 0]);
/// Who logged on by NTLM.
pub const NTLM_AUTHENTICATION: SidBuf = SidBuf::new(NT_AUTHORITY, &[64, 10]);

/// BUILTIN, the domain.
pub const BUILTIN_DOMAIN: SidBuf = SidBuf::new(NT_AUTHORITY, &[BUILTIN]);
/// BUILTIN\Administrators.
pub const ADMINISTRATORS: SidBuf = SidBuf::new(NT_AUTHORITY, &[BUILTIN, 544]);
/// BUILTIN\Users.
pub const USERS: SidBuf = SidBuf::new(NT_AUTHORITY, &[BUILTIN, 545]);
/// BUILTIN\Guests.
pub const GUESTS: SidBuf = SidBuf::new(NT_AUTHORITY, &[BUILTIN, 546]);
/// BUILTIN\Power Users.
pub const POWER_USERS: SidBuf = SidBuf::new(NT_AUTHORITY, &[BUILTIN, 547]);
/// BUILTIN\Backup Operators.
pub const BACKUP_OPERATORS: SidBuf = SidBuf::new(NT_AUTHORITY, &[BUILTIN, 551]);

/// The level below all.
pub const UNTRUSTED_LABEL: SidBuf = label(0);
/// What a sandbox runs at.
pub const LOW_LABEL: SidBuf = label(0x1000);
/// What a user runs at, and what an object without a label has.
pub const MEDIUM_LABEL: SidBuf = label(0x2000);
/// A little more.
pub const MEDIUM_PLUS_LABEL: SidBuf = label(0x2100);
/// What an administrator runs at.
pub const HIGH_LABEL: SidBuf = label(0x3000);
/// What the system runs at.
pub const SYSTEM_LABEL: SidBuf = label(0x4000);
/// What protected processes run at.
pub const PROTECTED_PROCESS_LABEL: SidBuf = label(0x5000);

/// The SID of an integrity level.
pub const fn label(level: u32) -> SidBuf {
    SidBuf::new(LABEL_AUTHORITY, &[level])
}

/// The level that a SID stands for, if it is a label.
pub fn label_level(sid: Sid<'_>) -> Option<u32> {
    let mut numbers = sid.sub_authorities();
    (sid.authority() == LABEL_AUTHORITY && numbers.len() == 1)
        .then(|| numbers.next())
        .flatten()
}

/// The SID of a logon session, S-1-5-5-X-Y.
pub const fn logon(high: u32, low: u32) -> SidBuf {
    SidBuf::new(NT_AUTHORITY, &[5, high, low])
}

/// The SID of a service, NT SERVICE\NAME.
///
/// # NT
/// `RtlCreateServiceSid`: `digest` is the SHA-1 of the service's name in upper-case UTF-16.
pub fn service(digest: &[u8; 20]) -> SidBuf {
    let mut numbers = [80, 0, 0, 0, 0, 0];
    for (number, four) in numbers[1..].iter_mut().zip(digest.chunks_exact(4)) {
        *number = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    }
    SidBuf::new(NT_AUTHORITY, &numbers)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn they_print_as_documented() {
        // "Well-known SIDs" and [MS-DTYP] 2.4.2.4.
        for (sid, text) in [
            (EVERYONE, "S-1-1-0"),
            (CREATOR_OWNER, "S-1-3-0"),
            (CREATOR_GROUP, "S-1-3-1"),
            (OWNER_RIGHTS, "S-1-3-4"),
            (NETWORK, "S-1-5-2"),
            (INTERACTIVE, "S-1-5-4"),
            (SERVICE, "S-1-5-6"),
            (ANONYMOUS, "S-1-5-7"),
            (PRINCIPAL_SELF, "S-1-5-10"),
            (AUTHENTICATED_USERS, "S-1-5-11"),
            (RESTRICTED_CODE, "S-1-5-12"),
            (SYSTEM, "S-1-5-18"),
            (LOCAL_SERVICE, "S-1-5-19"),
            (NETWORK_SERVICE, "S-1-5-20"),
            (WRITE_RESTRICTED, "S-1-5-33"),
            (ADMINISTRATORS, "S-1-5-32-544"),
            (USERS, "S-1-5-32-545"),
            (GUESTS, "S-1-5-32-546"),
            (ALL_SERVICES, "S-1-5-80-0"),
            (UNTRUSTED_LABEL, "S-1-16-0"),
            (LOW_LABEL, "S-1-16-4096"),
            (MEDIUM_LABEL, "S-1-16-8192"),
            (MEDIUM_PLUS_LABEL, "S-1-16-8448"),
            (HIGH_LABEL, "S-1-16-12288"),
            (SYSTEM_LABEL, "S-1-16-16384"),
            (logon(0, 0x1_2345), "S-1-5-5-0-74565"),
        ] {
            assert_eq!(sid.to_string(), text);
        }
    }

    #[test]
    fn a_service_has_the_sid_that_windows_gives_it() {
        // TrustedInstaller, whose SID is in the descriptor of every system file; SHA-1 of "TRUSTEDINSTALLER".
        let digest = [
            0xb5, 0x89, 0xfb, 0x38, 0x19, 0x84, 0xc2, 0xcb, 0x5c, 0x6c, 0x23, 0x6d, 0x57, 0x00,
            0x77, 0x6e, 0xc0, 0x02, 0x64, 0x87,
        ];
        assert_eq!(
            service(&digest).to_string(),
            "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
        );
    }

    #[test]
    fn only_labels_have_a_level() {
        assert_eq!(label_level(HIGH_LABEL.as_sid()), Some(0x3000));
        assert_eq!(label_level(SYSTEM.as_sid()), None);
    }
}
