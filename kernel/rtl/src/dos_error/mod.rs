//! Statuses of NT as the errors that Win32 programs see.
//!
//! Most of it is a table. Around it: a status with the customer bit is nobody's but the program's and stays as it is; one
//! that was made from an error carries that error in its low half; what has no row is an error whose message is unknown.

mod table;

use nt_abi::NtStatus;

/// `ERROR_MR_MID_NOT_FOUND`: the error of a status that has none.
pub const ERROR_MR_MID_NOT_FOUND: u32 = 317;

/// The bit of statuses that a program made itself.
const CUSTOMER: u32 = 0x2000_0000;
/// The top half of errors that became statuses: those of DOS, of Win32 as an `HRESULT`, of Win32 as a status.
const WITH_AN_ERROR: [u32; 3] = [0xC001, 0x8007, 0xC007];

/// The Win32 error that stands for a status.
///
/// # NT
/// `RtlNtStatusToDosErrorNoTeb`. A status that was made an `HRESULT` by `HRESULT_FROM_NT` is one still.
pub fn dos_error(status: NtStatus) -> u32 {
    let NtStatus(mut status) = status;
    if status & CUSTOMER != 0 {
        return status;
    }
    // `HRESULT_FROM_NT` of an error sets a bit that no status has.
    if status >> 28 == 0xD {
        status &= !0x1000_0000;
    }
    if WITH_AN_ERROR.contains(&(status >> 16)) {
        return status & 0xFFFF;
    }
    table::ROWS
        .binary_search_by_key(&status, |row| row.0)
        .map_or(ERROR_MR_MID_NOT_FOUND, |row| table::ROWS[row].1)
}

/// What [`dos_error`] finds rows by.
const _: () = {
    let mut row = 1;
    while row < table::ROWS.len() {
        assert!(table::ROWS[row - 1].0 < table::ROWS[row].0, "in order");
        row += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_that_programs_look_for() {
        // Each is named in the documentation of a Win32 function as what it fails with.
        for (status, error) in [
            (NtStatus::SUCCESS, 0),
            (NtStatus::OBJECT_NAME_NOT_FOUND, 2),
            (NtStatus::OBJECT_PATH_NOT_FOUND, 3),
            (NtStatus::ACCESS_DENIED, 5),
            (NtStatus::INVALID_HANDLE, 6),
            (NtStatus::NO_MEMORY, 8),
            (NtStatus::NO_MORE_FILES, 18),
            (NtStatus::SHARING_VIOLATION, 32),
            (NtStatus::END_OF_FILE, 38),
            (NtStatus::NOT_SUPPORTED, 50),
            (NtStatus::INVALID_PARAMETER, 87),
            (NtStatus::BUFFER_TOO_SMALL, 122),
            (NtStatus::DLL_NOT_FOUND, 126),
            (NtStatus::ENTRYPOINT_NOT_FOUND, 127),
            (NtStatus::OBJECT_NAME_COLLISION, 183),
            (NtStatus::BUFFER_OVERFLOW, 234),
            (NtStatus::MUTANT_NOT_OWNED, 288),
            (NtStatus::CONFLICTING_ADDRESSES, 487),
            (NtStatus::PENDING, 997),
            (NtStatus::ACCESS_VIOLATION, 998),
            (NtStatus::PRIVILEGE_NOT_HELD, 1314),
            (NtStatus::TIMEOUT, 1460),
            (NtStatus(0xC019_0001), 6800),
        ] {
            assert_eq!(dos_error(status), error, "{status}");
        }
    }

    #[test]
    fn the_rules_around_the_table() {
        for (status, error) in [
            (0x2000_0001, 0x2000_0001),
            (0xF000_0001, 0xF000_0001),
            (0xC001_1234, 0x1234),
            (0x8007_0005, 5),
            (0xC007_0005, 5),
            (0x4007_0005, ERROR_MR_MID_NOT_FOUND),
            (0xD000_0022, 5),
            (0x9000_0005, ERROR_MR_MID_NOT_FOUND),
            (0xC000_0999, ERROR_MR_MID_NOT_FOUND),
            (0x0001_2345, ERROR_MR_MID_NOT_FOUND),
        ] {
            assert_eq!(dos_error(NtStatus(status)), error, "{status:#x}");
        }
    }
}
