//! What can go wrong, inside of the heap and for its callers.

use nt_abi::NtStatus;

/// What is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorruptionKind {
    /// The address is no block of this heap: another heap's, the middle of a block, or nobody's.
    NotABlock,
    /// The block is free already.
    DoubleFree,
    /// The bytes before a block were overwritten.
    BlockHeader,
    /// A free block was written to, where its links are.
    FreeList,
    /// The head of a run of small blocks was overwritten.
    SpanHeader,
    /// The heap's record of a segment or of its pages was overwritten.
    Segment,
    /// The heap's own header was overwritten.
    HeapHeader,
    /// The heap's record of a large block was overwritten.
    LargeRecord,
}

/// Damage of a heap that a function met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corruption {
    /// Where: the block that was handed in, or the place whose content is wrong.
    pub address: usize,
    /// What it is.
    pub kind: CorruptionKind,
}

/// Why a function failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The status that says why.
    pub status: NtStatus,
    /// Whether the caller wants the status as an exception (`HEAP_GENERATE_EXCEPTIONS`).
    pub raise: bool,
    /// The damage, if that is the reason. With `HeapEnableTerminationOnCorruption` the process ends with
    /// `STATUS_HEAP_CORRUPTION`.
    pub corruption: Option<Corruption>,
}

/// Why something inside of the heap failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no memory, or the heap may not grow.
    NoMemory,
    /// The caller asks for what there is not.
    Refused,
    /// Something is damaged.
    Damage(Corruption),
}

/// What an operation inside of the heap gives.
pub(crate) type Done<T = ()> = Result<T, Fault>;

/// Damage, as an error.
#[cold]
pub(crate) fn damage(kind: CorruptionKind, address: usize) -> Fault {
    Fault::Damage(Corruption { address, kind })
}

impl Fault {
    /// The error as callers see it.
    ///
    /// The documentation of `HeapAlloc` has two exceptions: `STATUS_NO_MEMORY`, and `STATUS_ACCESS_VIOLATION` for damage
    /// and wrong arguments. Functions that only fail do so with `STATUS_INVALID_PARAMETER` for those.
    #[cold]
    pub(crate) fn failure(self, raise: bool) -> Failure {
        let wrong = if raise {
            NtStatus::ACCESS_VIOLATION
        } else {
            NtStatus::INVALID_PARAMETER
        };
        let (status, corruption) = match self {
            Self::NoMemory => (NtStatus::NO_MEMORY, None),
            Self::Refused => (wrong, None),
            Self::Damage(corruption) => (wrong, Some(corruption)),
        };
        Failure {
            status,
            raise,
            corruption,
        }
    }
}
