//! Memory until there is none.

use arch::Machine;
use arch::contract::Processor;
use ex::pool::{self, PoolTag, PoolVec};
use ke::info;
use mm::{KernelStack, balance, frames, pool_growth};

const TAG: PoolTag = PoolTag(*b"Test");
const CHUNK: usize = 1 << 20;

/// Takes pool memory until it is refused; all of it is distinct; a refusal is a status; what goes back can be had again.
pub(crate) fn pool_exhaustion() -> Result<(), &'static str> {
    without_interrupts()?;
    let mut chunks =
        PoolVec::with_capacity(TAG, 16 * 1024).map_err(|_| "no memory for the list")?;
    let first = exhaust(&mut chunks)?;
    let left = frames::counts().free;
    let (held, most) = (pool_growth::held(), pool_growth::most());
    info!("{first} MiB taken, {left} page frames left, {held} of {most} bytes");
    if held + 2 * CHUNK as u64 <= most {
        return Err("the pool refused although there was memory");
    }
    if held > most || left < most / 4096 / 2 {
        return Err("the pool took more than its part of the memory");
    }
    if PoolVec::<u64>::with_capacity(TAG, CHUNK).is_ok() {
        return Err("the exhausted pool gave eight MiB");
    }
    let stack = KernelStack::create();
    let used = left - frames::counts().free;
    if used < if stack.is_ok() { 6 } else { 0 } {
        return Err("a stack has no frames of its own");
    }
    drop(stack);
    while chunks.pop().is_some() {}
    // What the pools use no more goes back to who wants frames.
    balance::balance();
    if pool_growth::held() > held / 4 {
        return Err("the pools keep what they do not use");
    }
    if frames::counts().free < left + most / 4096 / 2 {
        return Err("what the pools gave back is nobody's");
    }
    let second = exhaust(&mut chunks)?;
    info!("{second} MiB taken again");
    if second == first {
        Ok(())
    } else {
        Err("memory that was given back could not be had again")
    }
}

/// Where interrupts are off the pools do not grow, but what they have and do not use serves there too, until it is given
/// back.
fn without_interrupts() -> Result<(), &'static str> {
    /// More than a step of the pools has: what is so large gets one of its own.
    const LARGE: usize = 8 * CHUNK / 8;
    let take = || PoolVec::<u64>::with_capacity(TAG, LARGE);
    let block = take().map_err(|_| "no memory for eight MiB")?;
    let held = pool_growth::held();
    // Nobody comes between who gives it back and who wants as much.
    let enabled = Machine::disable_interrupts();
    drop(block);
    let again = take();
    Machine::restore_interrupts(enabled);
    let mut again = again.map_err(|_| "what nobody uses is not used with interrupts off")?;
    if pool_growth::held() > held {
        return Err("what nobody uses is not used again");
    }
    for number in 0..LARGE as u64 {
        again
            .push(number)
            .map_err(|_| "a list had less room than it said")?;
    }
    if again.iter().zip(0..).any(|(word, number)| *word != number) {
        return Err("memory that is used again is somebody else's");
    }
    // One step stays with the pools: a smaller one, which was there first.
    drop(PoolVec::<u64>::with_capacity(TAG, LARGE / 2));
    drop(again);
    balance::balance();
    if pool_growth::held() + 2 * CHUNK as u64 > held {
        return Err("the pools keep what nobody uses any more");
    }
    let enabled = Machine::disable_interrupts();
    let refused = take();
    Machine::restore_interrupts(enabled);
    if refused.is_ok() {
        return Err("the pools grow with interrupts off, or give what is no longer theirs");
    }
    match take() {
        Ok(_) => Ok(()),
        Err(_) => Err("what was given back cannot be had again"),
    }
}

fn exhaust(chunks: &mut PoolVec<PoolVec<u64>>) -> Result<usize, &'static str> {
    const WORDS: usize = CHUNK / 8;
    while let Ok(mut chunk) = PoolVec::with_capacity(TAG, WORDS) {
        let number = chunks.len() as u64;
        for _ in 0..WORDS / 512 {
            chunk
                .push(number)
                .map_err(|_| "a list had less room than it said")?;
        }
        chunks.push(chunk).map_err(
            |_| "the list of chunks is full: the machine has too much memory for this test",
        )?;
    }
    let kept =
        |(number, chunk): (usize, &PoolVec<u64>)| chunk.iter().all(|word| *word == number as u64);
    if !chunks.iter().enumerate().all(kept) {
        return Err("two allocations share memory");
    }
    if pool::usage(TAG).bytes < (chunks.len() * CHUNK) as u64 {
        return Err("the tag is not charged for what it has");
    }
    Ok(chunks.len())
}

/// A thousand stacks come and go without a frame being lost.
pub(crate) fn kernel_stacks() -> Result<(), &'static str> {
    // The first ones pay for page tables, which stay.
    drop(stacks(100)?);
    let before = frames::counts();
    for _ in 0..10 {
        drop(stacks(100)?);
    }
    if frames::counts() == before {
        Ok(())
    } else {
        Err("frames are missing after the stacks went back")
    }
}

fn stacks(count: usize) -> Result<PoolVec<KernelStack>, &'static str> {
    let mut all = PoolVec::with_capacity(TAG, count).map_err(|_| "no memory for the list")?;
    for _ in 0..count {
        all.push(KernelStack::create().map_err(|_| "no memory for a stack")?)
            .map_err(|_| "the list is full")?;
    }
    Ok(all)
}
