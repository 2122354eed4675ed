//! What the memory manager checks of a machine that has just booted.

use arch::Machine;
use arch::contract::{MemoryType, Protection, Translation};
use arch::memory::{MappedLeaf, kernel_leaves, layout};

/// Walks the kernel's tables: nothing is writable and executable, code is where it belongs, no page of it has a writable
/// alias, user mode may touch nothing.
///
/// # Errors
/// One sentence: the first thing that is not so.
pub fn tables_are_sound() -> Result<(), &'static str> {
    let image = Machine::image();
    let code_start = Machine::image_physical(image.text.start).0;
    let code_end = Machine::image_physical(image.rodata.end).0;
    let mut found = Ok(());
    let mut code_bytes = 0;
    kernel_leaves(&mut |leaf| {
        if leaf.protection == Protection::Execute {
            code_bytes += leaf.length;
        }
        found = found.and(check(&leaf, code_start, code_end));
    });
    found?;
    if code_bytes != image.text.length() {
        return Err("executable memory is not exactly the kernel's code");
    }
    Ok(())
}

fn check(leaf: &MappedLeaf, code_start: u64, code_end: u64) -> Result<(), &'static str> {
    let image = Machine::image();
    let touches_code = leaf.physical.0 < code_end && code_start < leaf.physical.0 + leaf.length;
    match leaf.protection {
        Protection::Execute if !image.text.contains(leaf.address) => {
            return Err("memory outside the kernel's code is executable");
        }
        Protection::ReadWrite if touches_code => {
            return Err("the kernel's code or constants have a writable alias");
        }
        _ => {}
    }
    if leaf.user {
        return Err("a page of the kernel is open to user mode");
    }
    if leaf.memory_type == MemoryType::Device && layout::POOL.contains(leaf.address) {
        return Err("a device is mapped where the pools are");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arch::sim;

    use super::*;

    #[test]
    fn the_simulated_machine_is_sound() {
        let _machine = sim::boot(1);
        assert_eq!(tables_are_sound(), Ok(()));
    }

    #[test]
    fn a_writable_alias_of_code_is_found() {
        let _machine = sim::boot(1);
        let image = Machine::image();
        let leaf = MappedLeaf {
            address: layout::PHYSICAL_MAP,
            length: 2 << 20,
            physical: Machine::image_physical(image.text.start),
            protection: Protection::ReadWrite,
            memory_type: MemoryType::Normal,
            user: false,
        };
        let start = leaf.physical.0;
        assert!(check(&leaf, start, start + 4096).is_err());
        assert!(
            check(
                &MappedLeaf {
                    protection: Protection::Execute,
                    ..leaf
                },
                start,
                start + 4096
            )
            .is_err()
        );
        assert!(
            check(
                &MappedLeaf {
                    physical: arch::contract::PhysAddr(start + (4 << 20)),
                    ..leaf
                },
                start,
                start + 4096
            )
            .is_ok()
        );
        assert!(
            check(
                &MappedLeaf {
                    physical: arch::contract::PhysAddr(0),
                    user: true,
                    ..leaf
                },
                start,
                start + 4096
            )
            .is_err()
        );
    }
}
