//! Calling entry points: what is needed first, then who needs it.
//!
//! The modules whose entry points were not called yet are in one list, in the order in which they may be. An operation takes
//! from it what its root can reach. An entry point may load other modules: such a nested operation takes its own part,
//! which may be some that the outer one was about to take; the outer one goes on with what is left.
//!
//! Within a circle nothing is first. There the order is that in which a walk along the imports comes back from them: of two
//! modules that import each other, the one that was not asked for.
//!
//! # NT
//! TLS callbacks of a module come before its entry point. The program's own TLS callbacks come when all DLLs are
//! ready; it has no entry point in this sense.

use c_interface::Ptr;
use nt_abi::loader::{DllReason, LdrDdagState, LdrEntryFlags};
use nt_abi::native::{LdrDllNotificationData, ListEntry};
use nt_abi::{NtResult, NtStatus};

use crate::graph::{Condenser, Node};
use crate::list;
use crate::loader::Loader;
use crate::module::{Module, Phase, entry, own};
use crate::number::index;
use crate::registry::{Registry, block};
use crate::system::{LoadFailure, System};

impl<S: System> Loader<S> {
    /// Joins the circles of what was loaded, and queues the modules for their entry points.
    pub(crate) fn queue(&self, registry: Registry, root: Node) {
        let everything = self.take_widened();
        let pending = block!(registry, pending);
        Condenser::new(&self.system, self.next_epoch()).run(
            root,
            |node| {
                node.state() != LdrDdagState::UNLOADING
                    && (everything || node.state() < LdrDdagState::CONDENSED)
            },
            |node| {
                let mut waits = false;
                for module in node.modules() {
                    let links = own!(module, pending);
                    if module.phase() == Phase::SNAPPED && links.read().flink == 0 {
                        list::insert_tail(pending, links);
                        waits = true;
                    }
                }
                if waits {
                    node.set_state(LdrDdagState::READY_TO_INIT);
                }
            },
        );
    }

    /// Joins circles that a new edge of a module may have closed.
    pub(crate) fn condense_again(&self, module: Module) {
        if self.take_widened() {
            let node = module.node();
            if node.state() != LdrDdagState::UNLOADING {
                let within = |node: Node| node.state() != LdrDdagState::UNLOADING;
                Condenser::new(&self.system, self.next_epoch()).run(node, within, |_| {});
            }
        }
    }

    /// Calls the entry points of a module and of all that it needs, as far as that was not done.
    ///
    /// `context` is what entry points get: not null while the process starts. The root is held meanwhile, since an entry
    /// point may give up its last reference; if one did, it is let go in the end.
    ///
    /// # Errors
    /// `DLL_INIT_FAILED` if one returned `FALSE`, the code of its exception if it raised one. The rest is not called.
    pub(crate) fn initialize_reachable(
        &self,
        registry: Registry,
        root: Module,
        context: usize,
    ) -> NtResult {
        root.node().acquire();
        let result = self.initialize_marked(registry, root, context);
        // Another one than before if a circle was closed.
        let node = root.node();
        if node.unacquire() {
            self.let_go(registry, node);
        }
        result
    }

    fn initialize_marked(&self, registry: Registry, root: Module, context: usize) -> NtResult {
        let mut mark = self.mark_reachable(root);
        while let Some(module) = next_marked(registry, mark) {
            self.initialize(registry, module, context)?;
            if self.marks() != mark {
                // A nested operation marked its own.
                mark = self.mark_reachable(root);
            }
        }
        Ok(())
    }

    /// Marks the waiting modules that one needs, and itself, with a number that no other mark has.
    fn mark_reachable(&self, root: Module) -> u32 {
        let mark = self.next_mark();
        let epoch = self.next_epoch();
        let mut stack = root.node();
        stack.set_epoch(epoch);
        stack.set_link(Node::NULL);
        while stack != Node::NULL {
            let node = stack;
            stack = node.link();
            for module in node.modules() {
                own!(module, mark).write(mark);
            }
            for needed in node.dependencies() {
                // Whoever is ready has what it needs; who is on the way out gets no entry point called.
                let state = needed.state();
                let waits = state < LdrDdagState::READY_TO_RUN && state != LdrDdagState::UNLOADING;
                if needed.epoch() != epoch && waits {
                    needed.set_epoch(epoch);
                    needed.set_link(stack);
                    stack = needed;
                }
            }
        }
        mark
    }

    fn initialize(&self, registry: Registry, module: Module, context: usize) -> NtResult {
        list::remove(own!(module, pending));
        module.set_phase(Phase::INITIALIZING);
        module
            .node()
            .set_state_unless_leaving(LdrDdagState::INITIALIZING);
        if module.has(LdrEntryFlags::IMAGE_DLL) {
            own!(module, sequence).write(self.next_sequence());
            {
                let _lists = self.write_modules();
                registry.append_initialized(module);
            }
            if let Err(status) = self.attach(module, context) {
                module.set(LdrEntryFlags::PROCESS_ATTACH_FAILED, true);
                module
                    .node()
                    .set_state_unless_leaving(LdrDdagState::INIT_ERROR);
                // Whoever asked for a DLL is answered; of a process that does not start nobody else would tell.
                if context != 0 {
                    let name = module.base_name();
                    self.report(&LoadFailure::InitFailed { name });
                }
                return Err(status);
            }
        }
        module.set_phase(Phase::READY);
        module.set(LdrEntryFlags::LOAD_IN_PROGRESS, false);
        let node = module.node();
        if node.modules().all(|module| module.phase() >= Phase::READY) {
            node.set_state_unless_leaving(LdrDdagState::READY_TO_RUN);
        }
        Ok(())
    }

    fn attach(&self, module: Module, context: usize) -> NtResult {
        let reason = DllReason::PROCESS_ATTACH;
        self.call_tls_callbacks(module, reason, context)?;
        let entry = module.entry_point();
        let result = if entry.is_null() {
            Ok(true)
        } else {
            self.system
                .trace(format_args!("attach {}", module.base_name()));
            self.system
                .call_entry_point(entry, module.base(), reason.0, context)
        };
        // One that raised an exception is not called again.
        let good = result?;
        module.set(LdrEntryFlags::PROCESS_ATTACH_CALLED, true);
        if good {
            Ok(())
        } else {
            Err(NtStatus::DLL_INIT_FAILED)
        }
    }

    /// Tells a module that something goes, or that a thread comes; whatever it answers.
    pub(crate) fn tell(&self, module: Module, reason: DllReason, context: usize) {
        // There is nobody to tell what an exception there was.
        let _ = self.call_tls_callbacks(module, reason, context);
        let entry = module.entry_point();
        if !entry.is_null() && module.has(LdrEntryFlags::IMAGE_DLL) {
            let base = module.base();
            let _ = self.system.call_entry_point(entry, base, reason.0, context);
        }
    }

    /// Calls the callbacks of a module's TLS directory.
    ///
    /// # Errors
    /// The code of an exception that one raised.
    pub(crate) fn call_tls_callbacks(
        &self,
        module: Module,
        reason: DllReason,
        context: usize,
    ) -> NtResult {
        if own!(module, tls).read().rva == 0 {
            return Ok(());
        }
        let mut number = 0;
        while let Some(callback) = tls_callback(module, number) {
            self.system
                .call_tls_callback(callback, module.base(), reason.0, context)?;
            number += 1;
        }
        Ok(())
    }

    /// Tells those who asked that a module came or goes.
    pub(crate) fn send_notifications(
        &self,
        registry: Registry,
        module: Module,
        reason: nt_abi::loader::LdrNotificationReason,
    ) {
        let head = block!(registry, notifications);
        if list::next(head) == head {
            return;
        }
        let mut data = LdrDllNotificationData {
            full_dll_name: entry!(module, full_dll_name).raw(),
            base_dll_name: entry!(module, base_dll_name).raw(),
            dll_base: module.base().raw(),
            size_of_image: module.size(),
            ..LdrDllNotificationData::default()
        };
        let data = Ptr::of(&mut data);
        for links in list::entries(head) {
            let (function, context) = crate::notifications::parts(links);
            self.system.notify(function, reason.0, data, context);
        }
    }
}

/// The first waiting module with a mark.
fn next_marked(registry: Registry, mark: u32) -> Option<Module> {
    list::entries(block!(registry, pending))
        .map(of_pending_links)
        .find(|module| {
            // An entry point may have let go of those that come after it.
            own!(module, mark).read() == mark && module.node().state() != LdrDdagState::UNLOADING
        })
}

pub(crate) fn of_pending_links(links: Ptr<ListEntry>) -> Module {
    let offset = core::mem::offset_of!(crate::module::ModuleRecord, pending);
    Module(links.byte_sub(offset).cast())
}

/// A callback of a module's TLS directory, by its number. The image is read anew each time: a callback may change the
/// list, and some programs append to it.
fn tls_callback(module: Module, number: u32) -> Option<Ptr<u8>> {
    let view = module.view();
    let directory = own!(module, tls).read();
    let field = directory.rva.checked_add(3 * crate::view::POINTER)?;
    let list = usize::try_from(view.pointer(field).ok()?).ok()?;
    let rva = view.rva_of(list)?;
    let at = rva.checked_add(number.checked_mul(crate::view::POINTER)?)?;
    let callback = usize::try_from(view.pointer(at).ok()?).ok()?;
    let offset = callback.checked_sub(view.base.address())?;
    // A callback may be anywhere in the image; elsewhere it is none of this module's.
    (offset != 0 && offset < index(module.size())).then(|| Ptr::new(callback))
}
