//! The locks under real threads. Orders of memory that this machine does not show are the models' (`tests/models`).

mod addresses;
mod barriers;
mod conditions;
mod host;
mod lists;
mod locks;
mod once;
mod pool_host;
mod pool_timers;
mod pool_waits;
mod pools;
mod resources;
mod sections;
