//! The one table of system services.
//!
//! A service is declared once, as a row of [`with_system_services!`](crate::with_system_services): name, typed
//! arguments, one sentence. Whatever needs to know the services takes the table as tokens and makes its own thing of
//! it: the kernel its dispatcher ([`define_service_dispatch!`](crate::define_service_dispatch)), user mode its entry
//! stubs, the WoW64 layer its thunks, the tracer its lines. This module makes the plain data, [`SERVICES`], for
//! those who want to look services up while running.
//!
//! A row reads
//!
//! ```text
//! /// Closes a handle.
//! planned NtClose = nt_close(handle: Handle);
//! ```
//!
//! Further lines of its comment say, of a service that is done, what of it is not. The first word is `done` or `planned` (the kernel answers `STATUS_NOT_IMPLEMENTED`), then come NT's name, the name
//! of the Rust function behind it, and its arguments with the types of [`arguments`].
//! Rows stand in groups, one for each component of NT, and in alphabetical order inside a group.
//!
//! A service's **number** is its place in the table. Numbers are private to one build of kernel and native ntdll and
//! change when a row is added; whoever comes from elsewhere, as a 32-bit ntdll does, is looked up [by name](by_name).

pub mod arguments;
mod dispatch;
mod pointees;
mod table;
mod trace;

#[cfg(test)]
mod ntdll_i386;
#[cfg(test)]
mod tests;

pub use dispatch::RawArguments;
pub use trace::{CallerMemory, NoMemory, format_call, format_results};

use arguments::ArgumentKind;

/// The largest number of arguments that a service has (`NtAccessCheckByTypeResultListAndAuditAlarmByHandle`).
pub const MAXIMUM_ARGUMENTS: usize = 17;

/// The part of NT that a service belongs to; a Rust crate or module has the same name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Component {
    /// Ports and messages: ALPC and the older LPC on top of it.
    Alpc,
    /// The configuration manager: the registry.
    Cm,
    /// Debug objects: user-mode debugging.
    Dbgk,
    /// Event tracing.
    Etw,
    /// The executive's own objects and settings: events, timers, atoms, locales, system information.
    Ex,
    /// Files, devices, completion ports, drivers.
    Io,
    /// The kernel core: contexts, exceptions, yielding.
    Ke,
    /// Memory: virtual memory, sections, paging files.
    Mm,
    /// Objects: handles, directories, waits on any object.
    Ob,
    /// Power and Plug and Play.
    Po,
    /// Processes, threads, jobs.
    Ps,
    /// Security: tokens, access checks, audits.
    Se,
    /// The kernel transaction manager.
    Tm,
    /// The Windows notification facility: published states.
    Wnf,
    /// Services of a 32-bit ntdll alone; the WoW64 layer answers them from others and the kernel never does.
    Wow64,
}

/// How far a service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The kernel has it.
    Done,
    /// The kernel answers `STATUS_NOT_IMPLEMENTED`.
    Planned,
}

/// One argument of a service.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name in the table.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgumentKind,
}

/// One system service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its place in the table.
    pub number: u16,
    /// NT's name for it, with the prefix `Nt`.
    pub name: &'static str,
    /// The component it belongs to.
    pub component: Component,
    /// Whether the kernel has it.
    pub state: State,
    /// Its arguments, in order.
    pub arguments: &'static [Argument],
}

impl Service {
    /// What it does, in a sentence.
    pub fn summary(&self) -> &'static str {
        SUMMARIES
            .get(usize::from(self.number))
            .copied()
            .unwrap_or_default()
    }

    /// What of a service that is done is not, or is otherwise than in NT; empty if it is whole.
    pub fn note(&self) -> &'static str {
        NOTES
            .get(usize::from(self.number))
            .copied()
            .unwrap_or_default()
    }
}

/// Finds a service by its number.
pub fn by_number(number: u16) -> Option<&'static Service> {
    SERVICES.get(usize::from(number))
}

/// Finds a service by NT's name for it, which begins with `Nt` (the `Zw` names are aliases of these).
///
/// The table is sorted inside each component, so this is a binary search in each.
pub fn by_name(name: &str) -> Option<&'static Service> {
    SERVICES
        .chunk_by(|left, right| left.component == right.component)
        .find_map(|group| {
            let place = group
                .binary_search_by(|service| service.name.cmp(name))
                .ok()?;
            group.get(place)
        })
}

/// The component whose group of rows has this name.
macro_rules! component {
    (alpc) => {
        Component::Alpc
    };
    (cm) => {
        Component::Cm
    };
    (dbgk) => {
        Component::Dbgk
    };
    (etw) => {
        Component::Etw
    };
    (ex) => {
        Component::Ex
    };
    (io) => {
        Component::Io
    };
    (ke) => {
        Component::Ke
    };
    (mm) => {
        Component::Mm
    };
    (ob) => {
        Component::Ob
    };
    (po) => {
        Component::Po
    };
    (ps) => {
        Component::Ps
    };
    (se) => {
        Component::Se
    };
    (tm) => {
        Component::Tm
    };
    (wnf) => {
        Component::Wnf
    };
    (wow64) => {
        Component::Wow64
    };
}

/// The state that a row's first word says.
macro_rules! state {
    (done) => {
        State::Done
    };
    (planned) => {
        State::Planned
    };
}

/// Makes the plain data out of the rows.
macro_rules! plain_data {
    ($($component:ident {
        $(
            #[doc = $summary:literal]
            $(#[doc = $note:literal])*
            $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
        )*
    })*) => {
        /// All system services; a service's number is its place here.
        pub static SERVICES: &[Service] = {
            use arguments::*;
            &[$($(Service {
                number: number::$name,
                name: stringify!($name),
                component: component!($component),
                state: state!($state),
                arguments: &[$(Argument {
                    name: stringify!($argument),
                    kind: <$type as ServiceArgument>::KIND,
                }),*],
            },)*)*]
        };

        /// What each service does. Apart from the rest, because the kernel has no use for it, and so not in its image.
        static SUMMARIES: &[&str] = &[$($($summary.trim_ascii(),)*)*];

        /// What is not done of each service, apart for the same reason.
        static NOTES: &[&str] = &[$($(concat!($($note),*).trim_ascii(),)*)*];

        /// The number of each service, under NT's name for the service.
        #[expect(non_upper_case_globals, reason = "the names are NT's")]
        pub mod number {
            /// Counts: the n-th name has the value n.
            #[repr(u16)]
            #[derive(Clone, Copy)]
            enum Place {
                $($($name,)*)*
            }

            $($(#[doc = $summary] pub const $name: u16 = Place::$name as u16;)*)*
        }

        /// The names of the Rust functions, which follow NT's names; for the tests only.
        #[cfg(test)]
        const FUNCTION_NAMES: &[&str] = &[$($(stringify!($function),)*)*];
    };
}

crate::with_system_services!(plain_data);
