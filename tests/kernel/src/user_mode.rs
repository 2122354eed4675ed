//! User mode is entered, and left for every reason.

use arch::Machine;
use arch::contract::{
    Access, Clock, ExceptionClass, FaultReason, PAGE_SIZE, Translation, UserCode, UserExit,
    UserProtection, UserState as _, VirtAddr,
};
use arch::thread::{Context, UserState};
use arch::user::copy_in;
use ke::{error, info};

use crate::process::{CODE, DATA, Process, STACK, run};

static MAIN: Context = Context::new();

/// Every reason for leaving user mode arrives with what belongs to it.
pub(crate) fn every_exit() -> Result<(), &'static str> {
    MAIN.adopt(0)
        .map_err(|_| "the running code was not adopted")?;
    MAIN.become_user_thread();
    system_calls()?;
    accesses()?;
    exceptions()?;
    teb()
}

/// Runs the test in a process with that code; nothing to do where the machine has no such code.
fn with(
    code: UserCode,
    test: impl FnOnce(&mut Process) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let Some(mut process) = Process::with(code)? else {
        info!("{code:?}: not on this machine");
        return Ok(());
    };
    process.enter()?;
    test(&mut process)?;
    info!("{code:?}: as it should be");
    process.end()
}

fn expect(found: UserExit, expected: UserExit, why: &'static str) -> Result<(), &'static str> {
    if found == expected {
        return Ok(());
    }
    error!(
        "{found:x?} instead of {expected:x?}, sp {}",
        MAIN.user().sp()
    );
    Err(why)
}

/// The exit is an exception of that class, at that instruction, about that address.
fn expect_exception(
    found: UserExit,
    class: ExceptionClass,
    pc: Option<VirtAddr>,
    address: Option<VirtAddr>,
) -> Result<(), &'static str> {
    match found {
        UserExit::Exception(exception)
            if exception.class == class
                && exception.from_user
                && exception.address == address
                && exception.pc == MAIN.user().pc()
                && pc.is_none_or(|pc| pc == exception.pc) =>
        {
            Ok(())
        }
        _ => {
            error!("{found:x?} instead of {class:?} at {pc:?}, address {address:?}");
            Err("an exception of user mode is not reported as it was")
        }
    }
}

fn argument(index: usize) -> Result<u64, &'static str> {
    let user = MAIN.user();
    if index < UserState::REGISTER_ARGUMENTS {
        return Ok(user.argument(index));
    }
    let offset = (index - UserState::REGISTER_ARGUMENTS) as u64 * 8;
    let mut bytes = [0; 8];
    copy_in(&mut bytes, VirtAddr(user.stack_arguments().0 + offset))
        .map_err(|_| "arguments on the user's stack were not read")?;
    Ok(u64::from_le_bytes(bytes))
}

fn system_calls() -> Result<(), &'static str> {
    with(UserCode::SystemCalls, |_| {
        let mut exit = run(&MAIN, 0, 0);
        for round in 0..1000 {
            expect(exit, UserExit::SystemCall(7), "system call 7 did not come")?;
            for index in 0..10 {
                if argument(index)? != 0x100 + index as u64 {
                    error!("argument {index} is {:#x}", argument(index)?);
                    return Err("an argument of a system call is not what user mode gave");
                }
            }
            MAIN.user().set_result(0xFEDC_BA98_0000_0000 + round);
            expect(
                MAIN.run_user(),
                UserExit::SystemCall(8),
                "system call 8 did not come",
            )?;
            if argument(0)? != 0xFEDC_BA98_0000_0000 + round {
                return Err("the result of a system call did not arrive");
            }
            if MAIN.user().sp() != VirtAddr(STACK.0 + PAGE_SIZE) {
                return Err("the stack pointer is not what it was");
            }
            exit = MAIN.run_user();
        }
        // Wanted attention keeps the thread out of user mode.
        let before = MAIN.user().pc();
        MAIN.user()
            .attention()
            .store(1, core::sync::atomic::Ordering::Relaxed);
        expect(
            MAIN.run_user(),
            UserExit::Interrupted,
            "user mode ran although its attention was wanted",
        )?;
        MAIN.user()
            .attention()
            .store(0, core::sync::atomic::Ordering::Relaxed);
        if MAIN.user().pc() == before {
            Ok(())
        } else {
            Err("user mode ran")
        }
    })?;
    with(UserCode::OldSystemCall, |_| {
        expect(
            run(&MAIN, 0, 0),
            UserExit::SystemCall(7),
            "the old way of calling the system did not come",
        )
    })
}

const UNMAPPED: VirtAddr = VirtAddr(0x1234_5000);
const READ_ONLY: VirtAddr = VirtAddr(0x3000_0000);

const fn fault(access: Access, reason: FaultReason) -> ExceptionClass {
    ExceptionClass::PageFault { access, reason }
}

fn accesses() -> Result<(), &'static str> {
    use Access::{Execute, Read, Write};
    use FaultReason::{NotMapped, Permission};
    let kernel = Machine::image().text.start;
    let done = UserExit::SystemCall(1);
    with(UserCode::Read, |process| {
        let frame = process.map(READ_ONLY, UserProtection::Read, &[1, 2, 3, 4, 5, 6, 7, 8])?;
        expect(run(&MAIN, READ_ONLY.0, 0), done, "a page was not read")?;
        if argument(0)? != 0x0807_0605_0403_0201 {
            return Err("user mode read something else");
        }
        let refused = [(UNMAPPED, NotMapped), (kernel, Permission)];
        for (address, reason) in refused {
            let exit = run(&MAIN, address.0, 0);
            expect_exception(exit, fault(Read, reason), Some(CODE), Some(address))?;
        }
        if arch::memory::Frame::reclaim(frame).is_some() {
            return Err("a frame that user mode sees was taken back");
        }
        process.unmap(READ_ONLY);
        let exit = run(&MAIN, READ_ONLY.0, 0);
        expect_exception(exit, fault(Read, NotMapped), Some(CODE), Some(READ_ONLY))
    })?;
    with(UserCode::Write, |process| {
        process.map(READ_ONLY, UserProtection::Read, &[])?;
        let exit = run(&MAIN, DATA.0 + 8, 0x1122_3344_5566_7788);
        expect(exit, done, "a page was not written")?;
        let mut bytes = [0; 8];
        arch::memory::user_frame::read(process.data, 8, &mut bytes)
            .map_err(|_| "a user frame was not read")?;
        if u64::from_le_bytes(bytes) != 0x1122_3344_5566_7788 {
            return Err("user mode wrote something else");
        }
        let refused = [
            (READ_ONLY, Permission),
            (CODE, Permission),
            (UNMAPPED, NotMapped),
            (kernel, Permission),
        ];
        for (address, reason) in refused {
            let exit = run(&MAIN, address.0, 0);
            expect_exception(exit, fault(Write, reason), Some(CODE), Some(address))?;
        }
        Ok(())
    })?;
    with(UserCode::Execute, |_| {
        let refused = [
            (DATA, Permission),
            (UNMAPPED, NotMapped),
            (kernel, Permission),
        ];
        for (address, reason) in refused {
            let exit = run(&MAIN, address.0, 0);
            expect_exception(exit, fault(Execute, reason), Some(address), Some(address))?;
        }
        Ok(())
    })
}

fn exceptions() -> Result<(), &'static str> {
    with(UserCode::IllegalInstruction, |_| {
        let class = ExceptionClass::IllegalInstruction;
        expect_exception(run(&MAIN, 0, 0), class, Some(CODE), None)?;
        // Where no program counter can be, user mode's next instruction cannot be fetched.
        crate::process::prepare(&MAIN, 0, 0);
        for nowhere in [VirtAddr(0x0000_8000_0000_0000), VirtAddr(1 << 63)] {
            MAIN.user().set_pc(nowhere);
            match MAIN.run_user() {
                UserExit::Exception(exception)
                    if exception.address == Some(nowhere)
                        && matches!(
                            exception.class,
                            ExceptionClass::PageFault {
                                access: Access::Execute,
                                ..
                            }
                        ) => {}
                exit => {
                    error!("{exit:x?}");
                    return Err("an impossible program counter is not reported as such");
                }
            }
        }
        Ok(())
    })?;
    with(UserCode::Breakpoint, |_| {
        expect_exception(
            run(&MAIN, 0, 0),
            ExceptionClass::Breakpoint,
            Some(CODE),
            None,
        )
    })?;
    with(UserCode::SingleStep, |_| {
        expect_exception(run(&MAIN, 0, 0), ExceptionClass::DebugTrap, None, None)?;
        // One instruction further.
        let pc = MAIN.user().pc();
        expect_exception(
            MAIN.run_user(),
            ExceptionClass::IllegalInstruction,
            Some(pc),
            None,
        )
    })?;
    with(UserCode::BadSelector, |_| {
        let class = ExceptionClass::PrivilegedInstruction;
        expect_exception(run(&MAIN, 0, 0), class, None, None)
    })?;
    with(UserCode::ThirtyTwoBit, |_| {
        let class = ExceptionClass::IllegalInstruction;
        expect(
            run(&MAIN, 0, 0),
            UserExit::SystemCall(9),
            "a system call of 32-bit code did not come",
        )?;
        let pc = MAIN.user().pc();
        expect_exception(MAIN.run_user(), class, Some(pc), None)?;
        // Behind the refused instruction there is another one, still in 32-bit code; beyond 4 GiB that has nothing.
        let next = VirtAddr(pc.0 + 2);
        MAIN.user().set_pc(next);
        expect_exception(MAIN.run_user(), class, Some(next), None)?;
        let beyond = VirtAddr(next.0 + (1 << 32));
        MAIN.user().set_pc(beyond);
        let class = fault(Access::Execute, FaultReason::NotMapped);
        expect_exception(MAIN.run_user(), class, Some(beyond), Some(beyond))
    })
}

fn teb() -> Result<(), &'static str> {
    with(UserCode::ReadTeb, |process| {
        arch::memory::user_frame::write(process.data, 0x40, &0xABCD_u64.to_le_bytes())
            .map_err(|_| "a user frame was not written")?;
        crate::process::prepare(&MAIN, 0, 0);
        MAIN.user().set_teb(VirtAddr(DATA.0 + 0x40));
        expect(
            MAIN.run_user(),
            UserExit::SystemCall(1),
            "the TEB was not read",
        )?;
        if argument(0)? == 0xABCD {
            Ok(())
        } else {
            Err("user mode found another TEB")
        }
    })
}

/// How many instructions a system call that does nothing costs, user mode's two included. The machine counts instructions
/// for time.
pub(crate) fn cost() -> Result<(), &'static str> {
    const CALLS: u64 = 100_000;
    MAIN.adopt(0)
        .map_err(|_| "the running code was not adopted")?;
    MAIN.become_user_thread();
    with(UserCode::NullSystemCalls, |_| {
        expect(
            run(&MAIN, 0, 0),
            UserExit::SystemCall(5),
            "the system call did not come",
        )?;
        Machine::stop_clock();
        let start = Machine::counter();
        for _ in 0..CALLS {
            if MAIN.run_user() != UserExit::SystemCall(5) {
                return Err("the system call did not come");
            }
        }
        let ticks = Machine::counter() - start;
        let instructions = ticks * 1_000_000_000 / Machine::counter_frequency() / CALLS;
        info!("a null system call: {instructions} instructions, there and back");
        if instructions < 110 {
            Ok(())
        } else {
            Err("a null system call costs too much")
        }
    })
}
