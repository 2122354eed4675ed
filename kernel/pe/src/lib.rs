//! The PE/COFF reader: headers, sections, relocations, imports, exports, unwind data.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
