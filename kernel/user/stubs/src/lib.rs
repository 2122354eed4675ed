//! ntdll's entry stubs: one function for each system service, made from the table.
#![no_std]
