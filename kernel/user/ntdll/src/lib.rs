//! ntdll.dll.
#![deny(unsafe_code)]
