//! What is set of processes and threads and only looked at by those who ask for it, or handed to the scheduler.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use ex::{Quota, QuotaCharge, QuotaKind};
use ke::SpinLock;
use nt_abi::NtResult;
use rtl::Utf16Str;
use rtl::utf16::Utf16String;

/// The priority class of a process: where its base priority is.
///
/// # NT
/// `PROCESS_PRIORITY_CLASS_*`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum PriorityClass {
    /// None was set: that of ordinary processes.
    Unknown = 0,
    /// 4.
    Idle = 1,
    /// 8.
    #[default]
    Normal = 2,
    /// 13.
    High = 3,
    /// 24.
    Realtime = 4,
    /// 6.
    BelowNormal = 5,
    /// 10.
    AboveNormal = 6,
}

impl PriorityClass {
    /// The class with that number, of those that can be set.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Idle,
            2 => Self::Normal,
            3 => Self::High,
            4 => Self::Realtime,
            5 => Self::BelowNormal,
            6 => Self::AboveNormal,
            _ => return None,
        })
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The base priority of its processes.
    pub const fn base_priority(self) -> u8 {
        match self {
            Self::Idle => 4,
            Self::BelowNormal => 6,
            Self::Unknown | Self::Normal => 8,
            Self::AboveNormal => 10,
            Self::High => 13,
            Self::Realtime => 24,
        }
    }
}

/// What is set of a process.
#[derive(Debug)]
pub struct ProcessSettings {
    class: AtomicU8,
    foreground: AtomicBool,
    /// How failures of the system's are reported: `SEM_*`.
    pub hard_error_mode: AtomicU32,
    /// What may be executed: `MEM_EXECUTE_OPTION_*`.
    pub execute_options: AtomicU32,
    /// The system stops when it ends.
    pub break_on_termination: AtomicBool,
    /// Its children are debugged as well.
    pub debug_inherit: AtomicBool,
    /// Unaligned accesses are not reported.
    pub alignment_fixup: AtomicBool,
    /// Its threads' affinity follows that of its processors' groups.
    pub affinity_update: AtomicU32,
    /// Priority of its I/O, 0 to 2.
    pub io_priority: AtomicU32,
    /// Priority of its pages, 1 to 5.
    pub page_priority: AtomicU32,
    cookie: AtomicU32,
    /// Handles that it has had at most, as far as somebody looked.
    pub most_handles: AtomicU32,
}

/// `MEM_EXECUTE_OPTION_DISABLE | IMAGE_DISPATCH... | PERMANENT`: what every 64-bit process has.
const EXECUTE_OPTIONS: u32 = 0x0D;

impl ProcessSettings {
    /// What a process begins with.
    pub const fn new() -> Self {
        Self {
            class: AtomicU8::new(PriorityClass::Normal as u8),
            foreground: AtomicBool::new(false),
            hard_error_mode: AtomicU32::new(1),
            execute_options: AtomicU32::new(EXECUTE_OPTIONS),
            break_on_termination: AtomicBool::new(false),
            debug_inherit: AtomicBool::new(true),
            alignment_fixup: AtomicBool::new(false),
            affinity_update: AtomicU32::new(0),
            io_priority: AtomicU32::new(2),
            page_priority: AtomicU32::new(5),
            cookie: AtomicU32::new(0),
            most_handles: AtomicU32::new(0),
        }
    }

    /// What a new process takes over from the one that makes it.
    pub fn inherit(&self, from: &Self) {
        let mode = from.hard_error_mode.load(Ordering::Relaxed);
        self.hard_error_mode.store(mode, Ordering::Relaxed);
        for (to, from) in [
            (&self.io_priority, &from.io_priority),
            (&self.page_priority, &from.page_priority),
        ] {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        // Only the two classes below the usual one are inherited.
        if let class @ (PriorityClass::Idle | PriorityClass::BelowNormal) = from.class() {
            self.class.store(class.number(), Ordering::Relaxed);
        }
    }

    /// Its priority class.
    pub fn class(&self) -> PriorityClass {
        PriorityClass::from_number(self.class.load(Ordering::Relaxed))
            .unwrap_or(PriorityClass::Unknown)
    }

    /// Whether it is what the user works with.
    pub fn is_foreground(&self) -> bool {
        self.foreground.load(Ordering::Relaxed)
    }

    pub(crate) fn set_class(&self, class: PriorityClass) {
        self.class.store(class.number(), Ordering::Relaxed);
    }

    pub(crate) fn set_foreground(&self, foreground: bool) {
        self.foreground.store(foreground, Ordering::Relaxed);
    }

    /// A number that is hard to guess and stays the same: `candidate` the first time. Never 0.
    pub fn cookie(&self, candidate: u32) -> u32 {
        let first =
            self.cookie
                .compare_exchange(0, candidate.max(1), Ordering::Relaxed, Ordering::Relaxed);
        first.map_or_else(|present| present, |_| candidate.max(1))
    }
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self::new()
    }
}

/// What a thread is called. Its process is charged for the letters, which the pools have.
pub struct ThreadName {
    text: Utf16String,
    _charge: QuotaCharge,
}

impl ThreadName {
    /// A name of a thread of the process with that quota. While a new name takes the place of an old one, both are charged.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`.
    pub fn new(text: Utf16String, quota: &Quota) -> NtResult<Self> {
        let bytes = text.len() as u64 * 2;
        Ok(Self {
            text,
            _charge: quota.charge(QuotaKind::PagedPool, bytes)?,
        })
    }

    /// The name.
    pub fn text(&self) -> Utf16Str<'_> {
        self.text.as_str()
    }
}

/// What is set of a thread.
pub struct ThreadSettings {
    /// Its name, for people.
    pub name: SpinLock<Option<ThreadName>>,
    /// Debuggers do not hear of it.
    pub hidden_from_debugger: AtomicBool,
    /// The system stops when it ends.
    pub break_on_termination: AtomicBool,
    /// Priority of its I/O, 0 to 4.
    pub io_priority: AtomicU32,
    /// Priority of its pages, 0 to 5.
    pub page_priority: AtomicU32,
    /// It runs on behalf of an array of TLS slots: kept for who asks.
    pub tls_array: AtomicU64,
}

impl ThreadSettings {
    /// What a thread begins with.
    pub const fn new() -> Self {
        Self {
            name: SpinLock::new(None),
            hidden_from_debugger: AtomicBool::new(false),
            break_on_termination: AtomicBool::new(false),
            io_priority: AtomicU32::new(2),
            page_priority: AtomicU32::new(5),
            tls_array: AtomicU64::new(0),
        }
    }
}

impl Default for ThreadSettings {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_their_numbers_and_priorities() {
        let all = (0..=7).map(PriorityClass::from_number);
        let priorities: Vec<_> = all
            .map(|class| class.map(PriorityClass::base_priority))
            .collect();
        let expected = [4, 8, 13, 24, 6, 10].map(Some);
        assert_eq!(priorities[1..7], expected);
        assert_eq!([priorities[0], priorities[7]], [None, None]);
        for number in 1..=6 {
            let class = PriorityClass::from_number(number);
            assert_eq!(class.map(PriorityClass::number), Some(number));
        }
    }

    #[test]
    fn only_low_classes_are_inherited() {
        for (parent, child) in [
            (PriorityClass::Idle, PriorityClass::Idle),
            (PriorityClass::BelowNormal, PriorityClass::BelowNormal),
            (PriorityClass::High, PriorityClass::Normal),
            (PriorityClass::Realtime, PriorityClass::Normal),
        ] {
            let (from, to) = (ProcessSettings::new(), ProcessSettings::new());
            from.set_class(parent);
            to.inherit(&from);
            assert_eq!(to.class(), child);
        }
    }

    #[test]
    fn a_cookie_stays() {
        let settings = ProcessSettings::new();
        assert_eq!(settings.cookie(0), 1);
        let other = ProcessSettings::new();
        assert_eq!([other.cookie(7), other.cookie(9)], [7, 7]);
    }
}
