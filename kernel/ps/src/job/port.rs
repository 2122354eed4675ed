//! What a job tells its completion port.
//!
//! Packets have the key that came with the port; their value is the number of the process that the message is about, or 0;
//! the count of bytes is the message.

use nt_abi::job::JobObjectMessage;
use nt_abi::{NtResult, NtStatus};
use ob::AnyObject;

use super::{HIERARCHY, Job};

/// The port of a job.
#[derive(Clone)]
pub struct Port {
    /// The completion port.
    pub port: AnyObject,
    /// What its packets' key is.
    pub key: u64,
}

/// A packet for a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    /// The key that came with the port.
    pub key: u64,
    /// The number of a process, or 0.
    pub process: u32,
    /// What happened.
    pub message: JobObjectMessage,
}

/// Puts a packet into a completion port; one that cannot be put in is lost.
pub type Sender = fn(&AnyObject, &Message);

static SENDER: spin::Once<Sender> = spin::Once::new();

/// Names who knows completion ports. The first call counts.
pub fn set_sender(sender: Sender) {
    SENDER.call_once(|| sender);
}

/// What processes that end in a way of their own end with.
const ABNORMAL: [NtStatus; 20] = [
    NtStatus::GUARD_PAGE_VIOLATION,
    NtStatus::DATATYPE_MISALIGNMENT,
    NtStatus::BREAKPOINT,
    NtStatus::SINGLE_STEP,
    NtStatus::ACCESS_VIOLATION,
    NtStatus::IN_PAGE_ERROR,
    NtStatus::ILLEGAL_INSTRUCTION,
    NtStatus::NONCONTINUABLE_EXCEPTION,
    NtStatus::INVALID_DISPOSITION,
    NtStatus::ARRAY_BOUNDS_EXCEEDED,
    NtStatus::FLOAT_DENORMAL_OPERAND,
    NtStatus::FLOAT_DIVIDE_BY_ZERO,
    NtStatus::FLOAT_INEXACT_RESULT,
    NtStatus::FLOAT_INVALID_OPERATION,
    NtStatus::FLOAT_OVERFLOW,
    NtStatus::FLOAT_STACK_CHECK,
    NtStatus::INTEGER_DIVIDE_BY_ZERO,
    NtStatus::INTEGER_OVERFLOW,
    NtStatus::PRIVILEGED_INSTRUCTION,
    NtStatus::STACK_OVERFLOW,
];

/// What a job says of a process that ended with that status.
pub(super) fn message_of_end(status: NtStatus) -> JobObjectMessage {
    let also = [NtStatus::FLOAT_UNDERFLOW, NtStatus::CONTROL_C_EXIT];
    if ABNORMAL.contains(&status) || also.contains(&status) {
        JobObjectMessage::ABNORMAL_EXIT_PROCESS
    } else {
        JobObjectMessage::EXIT_PROCESS
    }
}

impl Job {
    /// Tells the port, if there is one.
    pub(super) fn tell(&self, message: JobObjectMessage, process: u32) {
        let port = self.state.acquire().port.clone();
        if let (Some(Port { port, key }), Some(send)) = (port, SENDER.get()) {
            send(
                &port,
                &Message {
                    key,
                    process,
                    message,
                },
            );
        }
    }

    /// Whether it has a port.
    pub(super) fn has_port(&self) -> bool {
        self.state.acquire().port.is_some()
    }

    /// Gives the port that it had.
    pub(super) fn replace_port(&self, port: Option<Port>) -> Option<Port> {
        core::mem::replace(&mut self.state.acquire().port, port)
    }

    /// Names the port that hears of it, which is told at once which processes there are; or none any more.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if it has one already; `INSUFFICIENT_RESOURCES`.
    pub fn set_port(&self, port: Option<Port>) -> NtResult {
        let _hierarchy = HIERARCHY.acquire();
        let Some(port) = port else {
            drop(self.replace_port(None));
            return Ok(());
        };
        if self.has_port() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let members = self.member_ids()?;
        drop(self.replace_port(Some(port)));
        for member in members {
            self.tell(JobObjectMessage::NEW_PROCESS, member);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exceptions_are_abnormal_ends() {
        let abnormal = JobObjectMessage::ABNORMAL_EXIT_PROCESS;
        assert_eq!(message_of_end(NtStatus::ACCESS_VIOLATION), abnormal);
        assert_eq!(message_of_end(NtStatus::CONTROL_C_EXIT), abnormal);
        for status in [NtStatus::SUCCESS, NtStatus(1), NtStatus::UNSUCCESSFUL] {
            assert_eq!(message_of_end(status), JobObjectMessage::EXIT_PROCESS);
        }
    }
}
