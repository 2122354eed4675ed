//! `kit`: what a person needs to build programs of their own.

use anyhow::Result;

use crate::board::{Board, Image};
use crate::build::{kit, programs};
use crate::setup;
use crate::workspace::Workspace;

/// Makes the kits of a board, or of all, and says how they are used.
pub(crate) fn command(workspace: &Workspace, board: &str) -> Result<()> {
    let images = match board {
        "all" => Image::names(workspace)?,
        name => vec![Board::load(workspace, name)?.image],
    };
    let tools = setup::ensure(&setup::TO_BUILD)?;
    for name in images {
        let image = Image::load(workspace, &name)?;
        let kit = programs::kit(workspace, &tools, &image)?;
        let clang = tools.path(setup::Need::Clang).display();
        let folder = kit.folder().display();
        println!("{}: {folder}", image.user.title);
        println!(
            "  C:    {clang} --config {folder}/{} hello.c -o hello.exe",
            kit::CLANG
        );
        println!(
            "  Rust: RUSTC_BOOTSTRAP=1 cargo build --release --config {folder}/{} -Z build-std=std,panic_unwind",
            kit::CARGO
        );
    }
    Ok(())
}
