//! Greets, prints its arguments, and ends with their number.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("Hello from Rust.");
    let mut count = 0;
    for argument in env::args().skip(1) {
        count += 1;
        println!("argument {count}: {argument}");
    }
    ExitCode::from(count)
}
