//! The model's registers, as each version shows them.

use gic::{Registers, SystemRegisters};

use super::{Model, Shape};

/// Version 2's distributor, as one processor sees it.
pub(crate) struct Distributor2(pub(crate) Model, pub(crate) usize);
/// Version 2's CPU interface.
pub(crate) struct Interface2(pub(crate) Model, pub(crate) usize);
/// Either of the two, so that both can be one type.
pub(crate) enum Block2 {
    Distributor(Distributor2),
    Interface(Interface2),
}
/// Version 3's distributor.
pub(crate) struct Distributor3(pub(crate) Model);
/// Version 3's redistributor of a processor.
pub(crate) struct Redistributor3(pub(crate) Model, pub(crate) usize);
/// Version 3's system registers of a processor.
pub(crate) struct System3(pub(crate) Model, pub(crate) usize);

fn typer(shape: Shape) -> u32 {
    (shape.lines.div_ceil(32) - 1) | (shape.processors.min(8) as u32 - 1) << 5
}

impl Registers for Block2 {
    fn read32(&self, offset: u64) -> u32 {
        match self {
            Self::Distributor(Distributor2(model, processor)) => {
                let mut state = model.0.borrow_mut();
                match offset {
                    0x000 => u32::from(state.distributor_enabled),
                    0x004 => typer(state.shape),
                    _ => state.read_common(*processor, offset),
                }
            }
            Self::Interface(Interface2(model, processor)) => {
                let mut state = model.0.borrow_mut();
                match offset {
                    0x04 => u32::from(state.show_mask(*processor)),
                    0x0C => state.acknowledge(*processor),
                    _ => panic!("read of {offset:#x}"),
                }
            }
        }
    }

    fn write32(&self, offset: u64, value: u32) {
        match self {
            Self::Distributor(Distributor2(model, processor)) => {
                let mut state = model.0.borrow_mut();
                match offset {
                    0x000 => state.distributor_enabled = value & 1 != 0,
                    0xF00 => {
                        state.sent.push(u64::from(value));
                        for target in (0..8).filter(|target| value >> 16 & 1 << target != 0) {
                            state.processors[target].private[value as usize & 15].senders |=
                                1 << processor;
                        }
                    }
                    _ => state.write_common(*processor, offset, value),
                }
            }
            Self::Interface(Interface2(model, processor)) => {
                let mut state = model.0.borrow_mut();
                match offset {
                    0x00 => state.processors[*processor].enabled = value & 1 != 0,
                    0x04 => state.set_mask(*processor, value as u8),
                    // The smallest value leaves all implemented bits.
                    0x08 => {
                        state.processors[*processor].binary_point =
                            value.max(7 - state.shape.priority_bits)
                    }
                    0x10 => state.end(*processor, value),
                    _ => panic!("write of {offset:#x}"),
                }
            }
        }
    }

    fn read64(&self, _: u64) -> u64 {
        panic!("version 2 has no 64-bit registers")
    }

    fn write64(&self, _: u64, _: u64) {
        panic!("version 2 has no 64-bit registers")
    }
}

impl Registers for Distributor3 {
    fn read32(&self, offset: u64) -> u32 {
        let mut state = self.0.0.borrow_mut();
        match offset {
            0x0000 => {
                u32::from(state.distributor_enabled) << 1
                    | 1 << 4
                    | u32::from(!state.shape.non_secure) << 6
            }
            0x0004 => typer(state.shape),
            _ => state.read_common(0, offset),
        }
    }

    fn write32(&self, offset: u64, value: u32) {
        let mut state = self.0.0.borrow_mut();
        match offset {
            0x0000 => state.distributor_enabled = value & 0x12 == 0x12,
            _ => state.write_common(0, offset, value),
        }
    }

    fn read64(&self, offset: u64) -> u64 {
        self.0
            .0
            .borrow_mut()
            .interrupt(0, ((offset - 0x6000) / 8) as u32)
            .route
    }

    fn write64(&self, offset: u64, value: u64) {
        self.0
            .0
            .borrow_mut()
            .interrupt(0, ((offset - 0x6000) / 8) as u32)
            .route = value;
    }
}

impl Registers for Redistributor3 {
    fn read32(&self, offset: u64) -> u32 {
        let mut state = self.0.0.borrow_mut();
        match offset {
            0x0000 => 0,
            0x0014 => u32::from(state.processors[self.1].asleep) * 6,
            0x1_0000.. => state.read_common(self.1, offset - 0x1_0000),
            _ => panic!("read of {offset:#x}"),
        }
    }

    fn write32(&self, offset: u64, value: u32) {
        let mut state = self.0.0.borrow_mut();
        match offset {
            0x0014 => state.processors[self.1].asleep = value & 2 != 0,
            0x1_0000.. => state.write_common(self.1, offset - 0x1_0000, value),
            _ => panic!("write of {offset:#x}"),
        }
    }

    fn read64(&self, offset: u64) -> u64 {
        panic!("read of {offset:#x}")
    }

    fn write64(&self, offset: u64, _: u64) {
        panic!("write of {offset:#x}")
    }
}

impl SystemRegisters for System3 {
    fn system_register_enable(&self) -> u64 {
        u64::from(self.0.0.borrow().processors[self.1].system_registers)
    }

    fn set_system_register_enable(&self, value: u64) {
        self.0.0.borrow_mut().processors[self.1].system_registers = value & 1 != 0;
    }

    fn priority_mask(&self) -> u64 {
        u64::from(self.0.0.borrow().show_mask(self.1))
    }

    fn set_priority_mask(&self, value: u64) {
        self.0.0.borrow_mut().set_mask(self.1, value as u8);
    }

    fn set_binary_point(&self, value: u64) {
        let mut state = self.0.0.borrow_mut();
        let least = 7 - state.shape.priority_bits;
        state.processors[self.1].binary_point = (value as u32).max(least);
    }

    fn control(&self) -> u64 {
        u64::from(self.0.0.borrow().shape.priority_bits - 1) << 8
    }

    fn set_control(&self, value: u64) {
        assert_eq!(value & 3, 0);
    }

    fn set_group_enable(&self, value: u64) {
        self.0.0.borrow_mut().processors[self.1].enabled = value & 1 != 0;
    }

    fn acknowledge(&self) -> u64 {
        u64::from(self.0.0.borrow_mut().acknowledge(self.1))
    }

    fn end(&self, value: u64) {
        self.0.0.borrow_mut().end(self.1, value as u32);
    }

    fn send(&self, value: u64) {
        let mut state = self.0.0.borrow_mut();
        state.sent.push(value);
        let cluster = (value >> 16 & 0xFF) << 8
            | (value >> 32 & 0xFF) << 16
            | (value >> 48 & 0xFF) << 32
            | (value >> 44 & 0xF) << 4;
        for bit in (0..16).filter(|bit| value & 1 << bit != 0) {
            if let Some(target) = state
                .processors
                .iter_mut()
                .find(|one| one.affinity == cluster | bit)
            {
                target.private[(value >> 24 & 15) as usize].pending = true;
            }
        }
    }
}
