//! `LdrUnloadDll`: the last reference goes, and everything that only this module needed goes with it.
//!
//! What goes is known at once, by counting. Then each module is told, in the reverse order of initialisation, and before what it
//! needs even if that came later; only when all have heard it are they unmapped, since one's entry point may call into another.
//!
//! An entry point that hears that its module goes may load and free modules itself. What it frees is added to what
//! goes, and the outermost unload sees to it. A module that it loads and that is on the way out stays: when all
//! have been told, such modules are taken back, with what they need, and told that they came.
//!
//! # Differs
//! A module is never freed more often than it was loaded: the references of modules that import from it are not the
//! caller's. Windows lets go of them as well, and the process crashes later.

use core::sync::atomic::Ordering;

use c_interface::Ptr;
use nt_abi::loader::{DllReason, LdrDdagState, LdrEntryFlags, LdrNotificationReason};
use nt_abi::{NtResult, NtStatus};

use crate::graph::Node;
use crate::list;
use crate::loader::Loader;
use crate::module::{Module, Phase, own};
use crate::registry::{Registry, block};
use crate::system::System;

impl<S: System> Loader<S> {
    /// Gives up one reference to a module.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`: no module has this base.
    ///
    /// # Locks
    /// Takes the loader lock, and holds it over callbacks.
    #[doc(alias = "LdrUnloadDll")]
    pub fn unload_dll(&self, base: Ptr<u8>) -> NtResult {
        let _lock = self.lock();
        let registry = self.modules()?;
        let module = registry.by_base(base).ok_or(NtStatus::DLL_NOT_FOUND)?;
        if self.ending.load(Ordering::Relaxed) == 0 {
            self.drop_reference(registry, module);
        }
        Ok(())
    }

    /// Gives up one reference of a caller.
    pub(crate) fn drop_reference(&self, registry: Registry, module: Module) {
        let node = module.node();
        if !node.is_pinned() && node.unacquire_explicit() == Some(true) {
            self.let_go(registry, node);
        }
    }

    /// Lets a node go that has no references, with all that only it needs.
    pub(crate) fn let_go(&self, registry: Registry, node: Node) {
        if node.state() == LdrDdagState::UNLOADING {
            return;
        }
        start_leaving(node);
        if self.unloading.load(Ordering::Relaxed) == 0 {
            self.unloading.store(1, Ordering::Relaxed);
            self.finish_leaving(registry);
            self.unloading.store(0, Ordering::Relaxed);
        }
    }

    /// Tells and unmaps everything that is on the way out.
    fn finish_leaving(&self, registry: Registry) {
        loop {
            while let Some(module) = next_to_tell(registry) {
                module.set_phase(Phase::DETACHED);
                if module.has(LdrEntryFlags::PROCESS_ATTACH_CALLED) {
                    self.system
                        .trace(format_args!("detach {}", module.base_name()));
                    self.tell(module, DllReason::PROCESS_DETACH, 0);
                }
            }
            if self.take_back(registry) {
                continue;
            }
            let Some(module) = self.last_leaving(registry) else {
                return;
            };
            self.unlink_and_discard(registry, module);
        }
    }

    /// The module on the way out that came last.
    fn last_leaving(&self, registry: Registry) -> Option<Module> {
        let mut last = None;
        for module in registry
            .in_load_order()
            .filter(|module| is_leaving(*module))
        {
            last = Some(module);
        }
        last
    }

    fn unlink_and_discard(&self, registry: Registry, module: Module) {
        list::remove(own!(module, pending));
        let base = module.base();
        self.release_tls(registry, module);
        self.remove_function_table(module);
        {
            // Nobody finds it any more, so nobody takes it while others hear that it goes.
            let _lists = self.write_modules();
            registry.remove(module);
        }
        if module.has(LdrEntryFlags::LOAD_NOTIFICATIONS_SENT) {
            self.send_notifications(registry, module, LdrNotificationReason::UNLOADED);
        }
        self.forget(module);
        self.system.unmap(base);
    }

    /// Takes modules back that somebody wanted while they were on the way out. Says whether there were any.
    fn take_back(&self, registry: Registry) -> bool {
        let wanted = |module: &Module| is_leaving(*module) && module.node().load_count() != 0;
        let mut any = false;
        while let Some(module) = registry.in_load_order().find(wanted) {
            any = true;
            stay(module.node());
            // In this order each is behind what it needs.
            for module in registry.in_initialization_order() {
                if module.phase() == Phase::DETACHED && !is_leaving(module) {
                    module.set_phase(Phase::SNAPPED);
                    module.set(LdrEntryFlags::PROCESS_ATTACH_CALLED, false);
                    list::insert_tail(block!(registry, pending), own!(module, pending));
                }
            }
            // Nobody waits for the answer: whoever wanted it has its base already.
            let _ = self.initialize_reachable(registry, module, 0);
        }
        any
    }
}

/// The module to tell next: the one that was initialised last of those that nobody needs who has not been told. That
/// is the one initialised last of all, unless a module came to need another one after it was initialised itself.
fn next_to_tell(registry: Registry) -> Option<Module> {
    let waits = |module: Module| {
        is_leaving(module) && (Phase::INITIALIZING..=Phase::READY).contains(&module.phase())
    };
    let needed = |module: Module| {
        let node = module.node();
        node.dependents()
            .any(|other| other != node && other.modules().any(waits))
    };
    registry
        .initialized_last(|module| waits(module) && !needed(module))
        .or_else(|| registry.initialized_last(waits))
}

fn is_leaving(module: Module) -> bool {
    module.node().state() == LdrDdagState::UNLOADING
}

/// Marks a node that has no references, and all that only it needs.
fn start_leaving(node: Node) {
    let mut stack = node;
    node.set_state(LdrDdagState::UNLOADING);
    node.set_link(Node::NULL);
    while stack != Node::NULL {
        let leaving = stack;
        stack = leaving.link();
        for module in leaving.modules() {
            module.set(LdrEntryFlags::MARKED_FOR_REMOVAL, true);
        }
        for needed in leaving.dependencies() {
            if needed.unacquire() && needed.state() != LdrDdagState::UNLOADING {
                needed.set_state(LdrDdagState::UNLOADING);
                needed.set_link(stack);
                stack = needed;
            }
        }
    }
}

/// The opposite of [`start_leaving`]: a node has references again.
fn stay(node: Node) {
    let mut stack = node;
    settle(node);
    node.set_link(Node::NULL);
    while stack != Node::NULL {
        let staying = stack;
        stack = staying.link();
        for needed in staying.dependencies() {
            needed.acquire();
            if needed.state() == LdrDdagState::UNLOADING {
                settle(needed);
                needed.set_link(stack);
                stack = needed;
            }
        }
    }
}

/// Gives a node that stays the state that it has by its modules.
fn settle(node: Node) {
    node.set_wanted_while_unloading(0);
    let mut ready = true;
    for module in node.modules() {
        module.set(LdrEntryFlags::MARKED_FOR_REMOVAL, false);
        ready &= module.phase() == Phase::READY;
    }
    node.set_state(if ready {
        LdrDdagState::READY_TO_RUN
    } else {
        LdrDdagState::READY_TO_INIT
    });
}
