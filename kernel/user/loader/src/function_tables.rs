//! Function tables for unwinding: whose code an address is in.

use crate::loader::Loader;
use crate::module::Module;
use crate::system::System;

impl<S: System> Loader<S> {
    pub(crate) fn add_function_table(&self, _module: Module) {}

    pub(crate) fn remove_function_table(&self, _module: Module) {}
}
