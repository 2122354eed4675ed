//! `ke::wait`, as far as locks ask for it: how a thread waits is of no consequence to a model.

/// How a thread waits.
#[derive(Clone, Copy)]
pub struct WaitOptions {
    /// For what.
    pub reason: u8,
    /// Whether an alert ends it.
    pub alertable: bool,
}

impl WaitOptions {
    /// Neither alertable nor limited.
    pub const fn kernel() -> Self {
        Self {
            reason: 0,
            alertable: false,
        }
    }
}

/// What is waited for.
pub mod reason {
    /// A push lock.
    pub const PUSH_LOCK: u8 = 1;
}
