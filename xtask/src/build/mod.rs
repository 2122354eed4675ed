//! Builds kernel images and programs: Cargo with the library's source, symbols put in, the file that
//! the boot loader wants.

pub(crate) mod c_programs;
pub(crate) mod cargo;
mod copies;
mod image;
pub(crate) mod kit;
mod mutants;
pub(crate) mod programs;
pub(crate) mod rust_programs;
mod symbols;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::board::{Board, Format, Image};
use crate::progress::Step;
use crate::setup::{self, Tools};
use crate::workspace::Workspace;

/// The product.
pub(crate) const KERNEL: &str = "ntoskrnl";
/// The kernel that runs tests in a machine.
pub(crate) const TEST_KERNEL: &str = "kernel-tests";

/// Two passes suffice: a third is for a source file that was changed between them.
const MOST_PASSES: usize = 4;

/// A kernel that was built.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The file that the boot loader starts.
    pub(crate) file: PathBuf,
    /// The linked file with its symbols, for a debugger.
    pub(crate) elf: PathBuf,
    /// The size of `file`.
    pub(crate) bytes: u64,
}

/// `cargo xtask build`: builds the images of one board, or of all.
pub(crate) fn command(workspace: &Workspace, board: &str) -> Result<()> {
    let tools = setup::ensure(&setup::TO_BUILD)?;
    let names = match board {
        "all" => Image::names(workspace)?,
        one => vec![Board::load(workspace, one)?.image],
    };
    for name in names {
        let image = Image::load(workspace, &name)?;
        let built = kernel(workspace, &tools, &image, KERNEL)?;
        println!(
            "{name}: {} ({} bytes, limit {})",
            workspace.relative(&built.file).display(),
            built.bytes,
            image.max_bytes
        );
    }
    Ok(())
}

/// Builds one kernel of one image, with its own symbols in it.
///
/// The table of symbols is part of what is linked, and is made from it: so it is built,
/// read, and built again, until what is in the image is what the image has. The table lies
/// behind the code, which therefore stays where it is, and the second time is the last.
/// When nothing changed the first time is.
pub(crate) fn kernel(
    workspace: &Workspace,
    tools: &Tools,
    image: &Image,
    package: &str,
) -> Result<Built> {
    let step = Step::start(format!("building {package} for {}", image.name));
    let folder = workspace.kernel_target().join("images").join(&image.name);
    fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    // Another run of this tool would put its own table between the passes of this one.
    let _turn = take_turn(&folder, &step)?;
    let table_file = folder.join(format!("{package}.symbols"));
    if !table_file.exists() {
        write(&table_file, &symbols::empty_table())?;
    }
    let elf = workspace
        .kernel_target()
        .join(&image.target)
        .join("release")
        .join(package);
    relink_after_script_change(&image.linker_script(), &elf, &table_file)?;
    let contents = settle(workspace, tools, image, package, &elf, &table_file, &step)?;
    let file = folder.join(format!("{package}.{}", extension(image.format)));
    write(&file, &contents)?;
    step.done();
    let built = Built {
        file,
        elf,
        bytes: u64::try_from(contents.len()).context("the image is too large")?,
    };
    check_size(image, package, built.bytes)?;
    Ok(built)
}

/// Builds until the table in the image is the image's own; gives what the boot loader starts.
fn settle(
    workspace: &Workspace,
    tools: &Tools,
    image: &Image,
    package: &str,
    elf: &Path,
    table_file: &Path,
    step: &Step,
) -> Result<Vec<u8>> {
    for _ in 0..MOST_PASSES {
        let mut command = cargo::kernel_command(workspace, tools, image, table_file)?;
        command.args(["build", "--release", "--package", package]);
        let said = step
            .run_checked(&mut command)
            .with_context(|| format!("{package} does not build for {}", image.name))?;
        cargo::show_warnings(&said);
        let bytes = fs::read(elf).with_context(|| format!("Cargo made no {}", elf.display()))?;
        let contents = match image.format {
            Format::LinuxImage => image::flat(&bytes)?,
            Format::Elf => image::stripped(&bytes)?,
        };
        let table = symbols::table(&bytes)?;
        // The file alone proves nothing: the image must have been linked with it.
        if symbols::is_within(&contents, &table) {
            return Ok(contents);
        }
        write(table_file, &table)?;
        touch(table_file)?;
    }
    bail!(
        "the symbols of {package} do not settle: let it include TARN_SYMBOLS, and in {} place them behind the code",
        workspace.relative(&image.linker_script()).display()
    )
}

/// Waits until no other run of this tool builds the same image.
fn take_turn(folder: &Path, step: &Step) -> Result<File> {
    let path = folder.join("lock");
    let cannot = || format!("{} cannot be locked", path.display());
    let file = File::create(&path).with_context(cannot)?;
    if file.try_lock().is_err() {
        step.note("waiting for another build of the same image");
        file.lock().with_context(cannot)?;
    }
    Ok(file)
}

fn touch(path: &Path) -> Result<()> {
    let file = File::options().write(true).open(path);
    let touched = file.and_then(|file| file.set_modified(SystemTime::now()));
    touched.with_context(|| format!("{} cannot be written", path.display()))
}

fn extension(format: Format) -> &'static str {
    match format {
        Format::LinuxImage => "img",
        Format::Elf => "elf",
    }
}

fn check_size(image: &Image, package: &str, bytes: u64) -> Result<()> {
    // Only the product is held to the limit: tests carry their patterns and tables along.
    if package == KERNEL && bytes >= image.max_bytes {
        bail!(
            "{package} for {} has {bytes} bytes, and must have fewer than {}: see what grew with `llvm-nm --size-sort`",
            image.name,
            image.max_bytes
        );
    }
    Ok(())
}

/// Cargo does not know the linker script. The table of symbols it does know.
fn relink_after_script_change(script: &Path, elf: &Path, table_file: &Path) -> Result<()> {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    let Ok(script_changed) = changed(script) else {
        bail!("the linker script {} is not there", script.display());
    };
    if changed(elf).is_ok_and(|linked| linked < script_changed) {
        touch(table_file)?;
    }
    Ok(())
}

/// Writes a file whole, and leaves it alone if it is right already.
fn write(path: &Path, contents: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(());
    }
    let cannot = || format!("{} cannot be written", path.display());
    let dir = path.parent().with_context(cannot)?;
    let mut file = tempfile::NamedTempFile::new_in(dir).with_context(cannot)?;
    std::io::Write::write_all(&mut file, contents).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}
