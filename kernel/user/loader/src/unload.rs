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
        let unloads = self.unloading.load(Ordering::Relaxed);
        // The number says to the outermost unload that there is more to do.
        self.unloading
            .store(unloads.wrapping_add(1).max(1), Ordering::Relaxed);
        if unloads == 0 {
            self.finish_leaving(registry);
            self.unloading.store(0, Ordering::Relaxed);
        }
    }

    /// Tells and unmaps everything that is on the way out.
    fn finish_leaving(&self, registry: Registry) {
        loop {
            self.tell_leaving(registry);
            if !self.take_back(registry) && !self.discard_leaving(registry) {
                return;
            }
        }
    }

    /// Tells all modules on the way out: the one that was initialised last of those that nobody needs who has not been
    /// told. That is the one initialised last of all, unless a module came to need another one after it was initialised
    /// itself.
    fn tell_leaving(&self, registry: Registry) {
        let head = block!(registry, ldr.in_initialization_order_module_list);
        loop {
            let (mut told, mut put_off) = (false, None);
            let mut at = list::previous(head);
            while at != head {
                let module = Module::of_initialization_links(at);
                // Nothing before a module is removed while it is told: what goes waits for us.
                at = list::previous(at);
                if !waits(module) {
                    continue;
                }
                if is_needed(module) {
                    put_off = put_off.or(Some(module));
                    continue;
                }
                told = true;
                let before = self.unloading.load(Ordering::Relaxed);
                self.tell_leaves(module);
                if self.unloading.load(Ordering::Relaxed) != before {
                    break;
                }
            }
            match (told, put_off) {
                (true, _) => {}
                // Modules that need each other in a way that was never joined.
                (false, Some(module)) => self.tell_leaves(module),
                (false, None) => return,
            }
        }
    }

    fn tell_leaves(&self, module: Module) {
        module.set_phase(Phase::DETACHED);
        if module.has(LdrEntryFlags::PROCESS_ATTACH_CALLED) {
            let name = module.base_name();
            self.system.trace(format_args!("detach {name}"));
            self.tell(module, DllReason::PROCESS_DETACH, 0);
        }
    }

    /// Unmaps all modules on the way out, the last one that came first. Says whether there were any.
    fn discard_leaving(&self, registry: Registry) -> bool {
        let head = block!(registry, ldr.in_load_order_module_list);
        let mut any = false;
        let mut at = list::previous(head);
        while at != head {
            let module = Module::of_load_links(at);
            // A notification may load and free others; what it frees waits, and what fails to load came later.
            at = list::previous(at);
            if is_leaving(module) && !waits(module) && module.node().load_count() == 0 {
                any = true;
                self.unlink_and_discard(registry, module);
            }
        }
        any
    }

    fn unlink_and_discard(&self, registry: Registry, module: Module) {
        let base = module.base();
        self.release_tls(registry, module);
        // Nobody finds it any more, so nobody takes it while others hear that it goes.
        self.unlink_module(module);
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
            // It may have come to need others meanwhile, in circles that could not be joined while it was leaving.
            self.widen_condensing();
            self.condense_again(module);
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

/// Whether a module is on the way out and has not been told; one that was never initialised is not.
fn waits(module: Module) -> bool {
    is_leaving(module)
        && own!(module, sequence).read() != 0
        && (Phase::INITIALIZING..=Phase::READY).contains(&module.phase())
}

/// Whether another module needs it that has not been told.
fn is_needed(module: Module) -> bool {
    let node = module.node();
    node.dependents()
        .any(|other| other != node && other.modules().any(waits))
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
