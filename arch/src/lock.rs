//! The lock of the floor itself: spins with interrupts off.
//!
//! Above the floor locks know their level (`ke::SpinLock`). The floor's few
//! locks (the console, the page tables, the heap) must also work before there
//! are levels and inside any interrupt, so they simply keep interrupts out.
//! What is done under one is short. Order, outermost first: the log's ring; an
//! interrupt's slot (`ke`); a machine's routes and its start page; a DPC queue; a
//! DPC's state; the kernel's root table; the heap; the console. Nobody takes one
//! that stands further to the front while holding one further to the back, and
//! guards are dropped in the reverse order, as scopes do by themselves: a guard
//! dropped out of order would let interrupts in while another is held.

use core::ops::{Deref, DerefMut};

use spin::mutex::{SpinMutex, SpinMutexGuard};
use spin::relax::RelaxStrategy;

use crate::Machine;
use crate::contract::Processor;

/// Spins as the machine likes it.
pub struct MachineRelax;

impl RelaxStrategy for MachineRelax {
    fn relax() {
        Machine::relax();
    }
}

/// A lock that keeps interrupts off while it is held.
pub struct FloorLock<T> {
    value: SpinMutex<T, MachineRelax>,
}

/// The right to the value; interrupts return to what they were when it is dropped.
pub struct FloorLockGuard<'a, T> {
    // Dropped in this order: first the lock is free, then interrupts come back.
    value: SpinMutexGuard<'a, T, MachineRelax>,
    _interrupts: InterruptsOff,
}

struct InterruptsOff {
    were_enabled: bool,
}

impl InterruptsOff {
    fn new() -> Self {
        Self {
            were_enabled: Machine::disable_interrupts(),
        }
    }
}

impl Drop for InterruptsOff {
    fn drop(&mut self) {
        Machine::restore_interrupts(self.were_enabled);
    }
}

impl<T> FloorLock<T> {
    /// Makes a free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            value: SpinMutex::new(value),
        }
    }

    /// Waits for the lock.
    pub fn acquire(&self) -> FloorLockGuard<'_, T> {
        let interrupts = InterruptsOff::new();
        FloorLockGuard {
            value: self.value.lock(),
            _interrupts: interrupts,
        }
    }

    /// Takes the lock if it becomes free within `tries` looks, for reports from a machine that may hold it for ever.
    pub fn acquire_within(&self, tries: u32) -> Option<FloorLockGuard<'_, T>> {
        let interrupts = InterruptsOff::new();
        for _ in 0..tries {
            if let Some(value) = self.value.try_lock() {
                return Some(FloorLockGuard {
                    value,
                    _interrupts: interrupts,
                });
            }
            Machine::relax();
        }
        None
    }
}

impl<T> Deref for FloorLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for FloorLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
