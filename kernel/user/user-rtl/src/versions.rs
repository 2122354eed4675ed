//! Which Windows this is: asked, and compared with what a program wants.

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::Peb;
use nt_abi::user_shared_data::{KuserSharedData, NtProductType};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::given;

/// `RTL_OSVERSIONINFOEXW`; the shorter `RTL_OSVERSIONINFOW` is its start.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct VersionInfo {
    /// The size that the caller knows.
    pub size: u32,
    /// 10.
    pub major: u32,
    /// 0.
    pub minor: u32,
    /// Such as 19041.
    pub build: u32,
    /// 2: NT.
    pub platform: u32,
    /// The service pack's name, terminated.
    pub service_pack: [u16; 128],
    /// The service pack's number.
    pub service_pack_major: u16,
    /// The service pack's second number.
    pub service_pack_minor: u16,
    /// `VER_SUITE_*`.
    pub suite_mask: u16,
    /// `VER_NT_*`.
    pub product_type: u8,
    /// Nothing.
    pub reserved: u8,
}

/// The size of `RTL_OSVERSIONINFOW`.
const SHORT: usize = 276;
const _: () = assert!(size_of::<VersionInfo>() == 284);
const _: () = assert!(core::mem::offset_of!(VersionInfo, service_pack_major) == SHORT);

/// Of a build that is no debugging one.
const FREE_BUILD: u32 = 0xF000_0000;

// What a version is compared by (`VER_*`), in the order of their bits.
const MINOR: u32 = 0x01;
const MAJOR: u32 = 0x02;
const BUILD: u32 = 0x04;
const PLATFORM: u32 = 0x08;
const SERVICE_PACK_MINOR: u32 = 0x10;
const SERVICE_PACK_MAJOR: u32 = 0x20;
const SUITE: u32 = 0x40;
const PRODUCT_TYPE: u32 = 0x80;

/// How a number is compared (`VER_EQUAL` to `VER_OR`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    And,
    Or,
}

impl Condition {
    /// The one for a kind of number; `None`: the mask has none.
    fn of(mask: u64, kind: u32) -> Option<Self> {
        Some(match mask >> (3 * kind.trailing_zeros()) & 7 {
            1 => Self::Equal,
            2 => Self::Greater,
            3 => Self::GreaterEqual,
            4 => Self::Less,
            5 => Self::LessEqual,
            6 => Self::And,
            7 => Self::Or,
            _ => return None,
        })
    }

    /// Whether this number of the system's is what is wanted.
    fn holds(self, is: u32, wanted: u32) -> bool {
        match self {
            Self::Equal => is == wanted,
            Self::Greater => is > wanted,
            Self::GreaterEqual => is >= wanted,
            Self::Less => is < wanted,
            Self::LessEqual => is <= wanted,
            Self::And | Self::Or => false,
        }
    }

    fn is_upward(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterEqual)
    }
}

/// The system's version, as the PEB says it: it may be an older one, for a program's sake.
fn version() -> VersionInfo {
    let mut version = VersionInfo::new_zeroed();
    let shared = given::shared_data();
    if let Some(peb) = given::peb() {
        version.major = field!(peb, Peb, os_major_version).read();
        version.minor = field!(peb, Peb, os_minor_version).read();
        version.build = u32::from(field!(peb, Peb, os_build_number).read());
        version.platform = field!(peb, Peb, os_platform_id).read();
        let [minor, major] = field!(peb, Peb, os_csd_version).read().to_le_bytes();
        version.service_pack_major = u16::from(major);
        version.service_pack_minor = u16::from(minor);
        let name = field!(peb, Peb, csd_version).read();
        let units = Ptr::<u16>::at(name.buffer);
        let count = if units.is_null() {
            0
        } else {
            usize::from(name.length / 2).min(127)
        };
        for (index, unit) in version.service_pack[..count].iter_mut().enumerate() {
            *unit = units.add(index).read();
        }
    }
    let [low, high, ..] = field!(shared, KuserSharedData, suite_mask)
        .read()
        .to_le_bytes();
    version.suite_mask = u16::from_le_bytes([low, high]);
    version.product_type = product_type().0.to_le_bytes()[0];
    version
}

fn product_type() -> NtProductType {
    let shared = given::shared_data();
    match field!(shared, KuserSharedData, product_type_is_valid).read() {
        0 => NtProductType::WIN_NT,
        _ => field!(shared, KuserSharedData, nt_product_type).read(),
    }
}

/// Compares numbers that stand alone.
///
/// # Errors
/// `REVISION_MISMATCH`, `INVALID_PARAMETER`.
fn verify_alone(
    is: &VersionInfo,
    wanted: &VersionInfo,
    kinds: u32,
    mask: u64,
) -> Result<(), NtStatus> {
    let check = |holds| {
        if holds {
            Ok(())
        } else {
            Err(NtStatus::REVISION_MISMATCH)
        }
    };
    if kinds & SUITE != 0 {
        let common = is.suite_mask & wanted.suite_mask;
        check(match Condition::of(mask, SUITE) {
            Some(Condition::And) => common == wanted.suite_mask,
            Some(Condition::Or) => common != 0,
            _ => return Err(NtStatus::INVALID_PARAMETER),
        })?;
    }
    for (kind, is, wanted) in [
        (
            PRODUCT_TYPE,
            u32::from(is.product_type),
            u32::from(wanted.product_type),
        ),
        (PLATFORM, is.platform, wanted.platform),
        (BUILD, is.build, wanted.build),
    ] {
        if kinds & kind != 0 {
            let condition = Condition::of(mask, kind).ok_or(NtStatus::INVALID_PARAMETER)?;
            check(condition.holds(is, wanted))?;
        }
    }
    Ok(())
}

/// Compares numbers of which each matters only where those before it are equal: 10.0 is more than 6.3. The first condition
/// that is not for equality gives the direction; one of the other direction is taken for it.
///
/// # Errors
/// `REVISION_MISMATCH`, `INVALID_PARAMETER`.
fn verify_in_turn(
    is: &VersionInfo,
    wanted: &VersionInfo,
    kinds: u32,
    mask: u64,
) -> Result<(), NtStatus> {
    let mut direction = None;
    let mut holds = true;
    for (kind, is, wanted) in [
        (MAJOR, is.major, wanted.major),
        (MINOR, is.minor, wanted.minor),
        (
            SERVICE_PACK_MAJOR,
            u32::from(is.service_pack_major),
            u32::from(wanted.service_pack_major),
        ),
        (
            SERVICE_PACK_MINOR,
            u32::from(is.service_pack_minor),
            u32::from(wanted.service_pack_minor),
        ),
    ] {
        if kinds & kind == 0 {
            continue;
        }
        let mut condition = Condition::of(mask, kind).ok_or(NtStatus::INVALID_PARAMETER)?;
        match direction {
            None | Some(Condition::Equal) => direction = Some(condition),
            Some(first)
                if condition != Condition::Equal && condition.is_upward() != first.is_upward() =>
            {
                condition = first;
            }
            Some(_) => {}
        }
        holds = condition.holds(is, wanted);
        if is != wanted {
            break;
        }
    }
    if holds {
        Ok(())
    } else {
        Err(NtStatus::REVISION_MISMATCH)
    }
}

fn verify(wanted: &VersionInfo, kinds: u32, mask: u64) -> NtStatus {
    if kinds == 0 || mask == 0 {
        return NtStatus::INVALID_PARAMETER;
    }
    let is = version();
    let outcome = verify_alone(&is, wanted, kinds, mask)
        .and_then(|()| verify_in_turn(&is, wanted, kinds, mask));
    match outcome {
        Ok(()) => NtStatus::SUCCESS,
        Err(status) => status,
    }
}

exports! {
    /// The system's version, in a structure whose size field says how much of it the caller knows.
    fn RtlGetVersion(info: Ptr<VersionInfo>) -> NtStatus {
        let size = field!(info, VersionInfo, size).read();
        let version = VersionInfo { size, ..version() };
        let long = usize::try_from(size).is_ok_and(|size| size >= size_of::<VersionInfo>());
        let bytes = if long { size_of::<VersionInfo>() } else { SHORT };
        info.cast::<u8>().write_array(&version.as_bytes()[..bytes]);
        NtStatus::SUCCESS
    }

    /// Whether the system is what a program wants, in the kinds of number that `kinds` names (`VER_*`), each compared as
    /// `VerSetConditionMask` said.
    ///
    /// # Errors
    /// `REVISION_MISMATCH` if it is not; `INVALID_PARAMETER` without kinds, or without a condition for one.
    fn RtlVerifyVersionInfo(wanted: Ptr<VersionInfo>, kinds: u32, mask: u64) -> NtStatus {
        verify(&wanted.read(), kinds, mask)
    }

    /// Adds to a mask how a kind of number is to be compared; of several kinds the last one counts.
    fn VerSetConditionMask(mask: u64, kinds: u32, condition: u8) -> u64 {
        match (kinds & 0xFF).checked_ilog2() {
            Some(kind) => mask | u64::from(condition & 7) << (3 * kind),
            None => mask,
        }
    }

    /// The system's version, whatever the program is told else. The build's top bits are those of a free build.
    fn RtlGetNtVersionNumbers(major: Ptr<u32>, minor: Ptr<u32>, build: Ptr<u32>) {
        let shared = given::shared_data();
        major.write_optional(field!(shared, KuserSharedData, nt_major_version).read());
        minor.write_optional(field!(shared, KuserSharedData, nt_minor_version).read());
        let number = field!(shared, KuserSharedData, nt_build_number).read();
        build.write_optional(number & 0xFFFF | FREE_BUILD);
    }

    /// The kind of system; 0 if it is not known yet (`BOOLEAN`).
    fn RtlGetNtProductType(kind: Ptr<u32>) -> u8 {
        kind.write(product_type().0);
        u8::from(field!(given::shared_data(), KuserSharedData, product_type_is_valid).read() != 0)
    }

    /// `VER_SUITE_*` of the system.
    fn RtlGetSuiteMask() -> u32 {
        field!(given::shared_data(), KuserSharedData, suite_mask).read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::testing;

    /// Makes this thread's process believe in Windows 7 SP 1, as the Wine that was asked does.
    fn begin() -> VersionInfo {
        testing::begin();
        let peb = given::peb().expect("there is one");
        field!(peb, Peb, os_major_version).write(6);
        field!(peb, Peb, os_minor_version).write(1);
        field!(peb, Peb, os_build_number).write(7601);
        field!(peb, Peb, os_platform_id).write(2);
        field!(peb, Peb, os_csd_version).write(0x100);
        let mut info = VersionInfo::new_zeroed();
        info.size = 284;
        assert_eq!(RtlGetVersion(Ptr::of(&mut info)), NtStatus::SUCCESS);
        info
    }

    #[test]
    fn the_version_is_written_as_far_as_the_caller_knows_it() {
        let mut info = begin();
        assert_eq!(
            (info.major, info.minor, info.build, info.platform),
            (6, 1, 7601, 2)
        );
        assert_eq!(
            (
                info.service_pack_major,
                info.service_pack_minor,
                info.product_type
            ),
            (1, 0, 1)
        );
        info.size = 276;
        info.major = 0;
        info.service_pack_major = 77;
        RtlGetVersion(Ptr::of(&mut info));
        assert_eq!(
            (info.size, info.major, info.service_pack_major),
            (276, 6, 77)
        );
    }

    #[test]
    fn a_mask_has_three_bits_for_each_kind() {
        // As Wine gives them.
        for (kinds, mask) in [
            (1, 0x7),
            (2, 0x38),
            (4, 0x1C0),
            (8, 0xE00),
            (0x10, 0x7000),
            (0x20, 0x3_8000),
            (0x40, 0x1C_0000),
            (0x80, 0xE0_0000),
            (3, 0x38),
            (0x22, 0x3_8000),
            (0x81, 0xE0_0000),
            (0x100, 0),
            (0, 0),
        ] {
            assert_eq!(VerSetConditionMask(0, kinds, 7), mask, "{kinds:#x}");
        }
        assert_eq!(VerSetConditionMask(0, 2, 0xB), 0x18);
        assert_eq!(VerSetConditionMask(1, 2, 0), 1);
    }

    /// Knuth's generator, as the program for Wine had it.
    fn below(state: &mut u64, end: u64) -> u32 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((*state >> 33) % end).expect("small")
    }

    #[test]
    fn wine_decides_the_same() {
        let is = begin();
        let (mut state, mut hash) = (42, 0u64);
        for _ in 0..4000 {
            let mut wanted = is;
            let (mut kinds, mut mask) = (0, 0);
            let mut difference = [0u32; 4];
            for (difference, kind) in difference.iter_mut().zip([2, 1, 0x20, 0x10]) {
                let condition = 1 + below(&mut state, 5);
                *difference = below(&mut state, 3).wrapping_sub(1);
                if below(&mut state, 4) != 0 {
                    kinds |= kind;
                    mask = VerSetConditionMask(mask, kind, condition.to_le_bytes()[0]);
                }
            }
            let short = |number: u32| u16::try_from(number & 0xFFFF).expect("16 bits");
            wanted.major = wanted.major.wrapping_add(difference[0]);
            wanted.minor = wanted.minor.wrapping_add(difference[1]);
            wanted.service_pack_major =
                wanted.service_pack_major.wrapping_add(short(difference[2]));
            wanted.service_pack_minor =
                wanted.service_pack_minor.wrapping_add(short(difference[3]));
            let status = RtlVerifyVersionInfo(Ptr::of(&mut wanted), kinds, mask);
            for byte in status.0.to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
            }
        }
        assert_eq!(hash, 0xdc06_c33a_d46a_321d, "{hash:#x}");
    }

    #[test]
    fn kinds_that_stand_alone() {
        // As Wine decides: the columns are what is wanted less what is: -1, 0, 1.
        let is = begin();
        let bad = NtStatus::INVALID_PARAMETER;
        let (no, yes) = (NtStatus::REVISION_MISMATCH, NtStatus::SUCCESS);
        for (condition, expected) in [
            (0, [bad; 3]),
            (1, [no, yes, no]),
            (2, [yes, no, no]),
            (3, [yes, yes, no]),
            (4, [no, no, yes]),
            (5, [no, yes, yes]),
            (6, [no; 3]),
            (7, [no; 3]),
        ] {
            for kind in [BUILD, PLATFORM, PRODUCT_TYPE] {
                let mask = VerSetConditionMask(0, kind, condition);
                let found = [-1i8, 0, 1].map(|more| {
                    let mut wanted = is;
                    wanted.build = is.build.wrapping_add_signed(more.into());
                    wanted.platform = is.platform.wrapping_add_signed(more.into());
                    wanted.product_type = is.product_type.wrapping_add_signed(more);
                    RtlVerifyVersionInfo(Ptr::of(&mut wanted), kind, mask)
                });
                assert_eq!(found, expected, "{condition} {kind:#x}");
            }
        }
        let mut wanted = VersionInfo {
            suite_mask: 0x10,
            ..is
        };
        let suite = |wanted: &mut VersionInfo, condition| {
            RtlVerifyVersionInfo(
                Ptr::of(wanted),
                SUITE,
                VerSetConditionMask(0, SUITE, condition),
            )
        };
        assert_eq!(
            [
                suite(&mut wanted, 6),
                suite(&mut wanted, 7),
                suite(&mut wanted, 1)
            ],
            [no, no, bad]
        );
        wanted.suite_mask = 0;
        assert_eq!([suite(&mut wanted, 6), suite(&mut wanted, 7)], [yes, no]);
        assert_eq!(RtlVerifyVersionInfo(Ptr::of(&mut wanted), 0, 1), bad);
    }

    #[test]
    fn the_true_version_is_the_kernels() {
        testing::begin();
        let page = given::shared_data();
        field!(page, KuserSharedData, nt_major_version).write(10);
        field!(page, KuserSharedData, nt_build_number).write(19041);
        let (mut major, mut build) = (0, 0);
        RtlGetNtVersionNumbers(Ptr::of(&mut major), Ptr::NULL, Ptr::of(&mut build));
        assert_eq!((major, build), (10, 0xF000_4A61));
        let mut kind = 0;
        assert_eq!(RtlGetNtProductType(Ptr::of(&mut kind)), 0, "not known yet");
        assert_eq!(kind, 1);
    }
}
