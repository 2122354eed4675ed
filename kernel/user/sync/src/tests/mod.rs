//! The locks under real threads. Orders of memory that this machine does not show are the models' (`tests/models`).

mod addresses;
mod conditions;
mod host;
mod locks;
mod sections;
