//! Building images of C++ with LLVM's tools, and asking other tools what is in there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A machine that images are built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    X64,
    Arm64,
}

impl Target {
    pub(crate) const BOTH: [Self; 2] = [Self::X64, Self::Arm64];

    fn triple(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// From the return address of a call to where a walk says that control left: an address inside of the call, where
    /// return addresses may belong to what comes behind.
    pub(crate) fn left_at(self, return_address: u32) -> u32 {
        match self {
            Self::X64 => return_address,
            Self::Arm64 => return_address - 4,
        }
    }
}

/// What every image has: what compiled code refers to, and a place of its own for each.
const REST: &str = "
    .globl __CxxFrameHandler3, _CxxThrowException, __std_terminate, _fltused, __chkstk, memset, memcpy
    .text
__CxxFrameHandler3: ret
_CxxThrowException: ret
__std_terminate: ret
__chkstk: ret
memset: ret
memcpy: ret
    .data
_fltused: .long 0
    .globl \"??_7type_info@@6B@\"
\"??_7type_info@@6B@\": .quad 0
";

/// Runs a tool; gives what it prints. A tool that is missing fails the test: without it nothing would be tested.
fn run(program: &str, package: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} cannot be started ({error}): install Debian's package {package}")
    });
    assert!(
        output.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What `llvm-undname` makes of names.
pub(crate) fn undname(names: &[&str]) -> String {
    run("llvm-undname-19", "llvm-19", names)
}

/// An image that was built, and what other tools say of it.
pub(crate) struct Built {
    pub(crate) target: Target,
    pub(crate) bytes: Vec<u8>,
    /// The compiler's own text of what it made.
    pub(crate) assembly: String,
    /// Symbols by their places, relative to the image.
    symbols: BTreeMap<u32, Vec<String>>,
    /// Each call: the return address, the name that is called, and the instructions before it.
    calls: Vec<Called>,
}

/// A call in the code.
pub(crate) struct Called {
    /// Behind it, relative to the image.
    pub(crate) return_address: u32,
    /// What is called.
    pub(crate) name: String,
    /// The last number that was put into a register before.
    pub(crate) number: Option<u32>,
}

impl Built {
    /// Compiles a text. `name` is the folder's, and no other test's.
    pub(crate) fn new(target: Target, name: &str, text: &str, flags: &[&str]) -> Self {
        Self::with_rest(target, name, text, flags, &[])
    }

    /// The same, with functions that the text calls and does not have.
    pub(crate) fn with_rest(
        target: Target,
        name: &str,
        text: &str,
        flags: &[&str],
        missing: &[&str],
    ) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{target:?}"));
        std::fs::create_dir_all(&folder).unwrap();
        let path = |file: &str| -> String { folder.join(file).display().to_string() };
        std::fs::write(path("source.cpp"), text).unwrap();
        let functions: String = missing
            .iter()
            .map(|name| format!("    .globl \"{name}\"\n\"{name}\": ret\n"))
            .collect();
        std::fs::write(path("rest.s"), format!("{REST}    .text\n{functions}")).unwrap();
        let triple = format!("--target={}", target.triple());
        let source = path("source.cpp");
        let mut compile: Vec<&str> = vec![&triple, "-fms-extensions", "-fexceptions"];
        compile.extend(["-fcxx-exceptions", "-std=c++17", "-w", &source]);
        compile.extend(flags);
        let assembly = path("source.s");
        let object = path("source.obj");
        for (kind, out) in [("-S", &assembly), ("-c", &object)] {
            let arguments = [&compile[..], &[kind, "-o", out]].concat();
            run("clang-19", "clang-19", &arguments);
        }
        let rest = path("rest.obj");
        run(
            "clang-19",
            "clang-19",
            &[&triple, "-c", &path("rest.s"), "-o", &rest],
        );
        let image = folder.join("image.dll");
        let out = format!("/out:{}", image.display());
        let arguments = [
            "/dll",
            "/noentry",
            "/nodefaultlib",
            "/opt:noref,noicf",
            "/debug:symtab",
            "/brepro",
            &out,
            &object,
            &rest,
        ];
        run("lld-link-19", "lld-19", &arguments);
        Self::look_at(target, &image, std::fs::read_to_string(assembly).unwrap())
    }

    fn look_at(target: Target, image: &PathBuf, assembly: String) -> Self {
        let path = image.display().to_string();
        let bytes = std::fs::read(image).unwrap();
        let base = super::image::preferred_base(&bytes);
        let relative = |hex: &str| u64::from_str_radix(hex, 16).unwrap().wrapping_sub(base);
        let mut symbols: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for line in run("llvm-nm-19", "llvm-19", &[&path]).lines() {
            let mut words = line.split_whitespace();
            if let (Some(place), Some(_), Some(name)) = (words.next(), words.next(), words.next())
                && let Ok(place) = u32::try_from(relative(place))
                // Names inside of functions: where a block goes on.
                && !name.starts_with("$ehgcr")
            {
                symbols.entry(place).or_default().push(name.to_owned());
            }
        }
        let listing = run(
            "llvm-objdump-19",
            "llvm-19",
            &["-d", "--no-show-raw-insn", "--x86-asm-syntax=intel", &path],
        );
        Self {
            target,
            bytes,
            assembly,
            symbols,
            calls: calls(&listing, &relative),
        }
    }

    /// Where a symbol is.
    pub(crate) fn symbol(&self, name: &str) -> u32 {
        self.find(name)
            .unwrap_or_else(|| panic!("there is no symbol {name}"))
    }

    /// Where a symbol is, if it is there.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        let here = |names: &[String]| names.iter().any(|one| one == name);
        self.symbols
            .iter()
            .find_map(|(&place, names)| here(names).then_some(place))
    }

    /// The function that a place is in: where the last symbol before it is.
    pub(crate) fn function_of(&self, place: u32) -> u32 {
        *self.symbols.range(..=place).next_back().unwrap().0
    }

    /// The calls that return to a place in a function.
    pub(crate) fn calls_in(&self, function: u32) -> impl Iterator<Item = &Called> {
        // A call may be the last instruction.
        self.calls
            .iter()
            .filter(move |call| self.function_of(call.return_address - 1) == function)
    }

    /// The calls of a function with a number.
    pub(crate) fn calls_with(&self, name: &str, number: u32) -> Vec<&Called> {
        let wanted = |call: &&Called| call.name == name && call.number == Some(number);
        self.calls.iter().filter(wanted).collect()
    }
}

/// The calls of a disassembly.
fn calls(listing: &str, relative: &dyn Fn(&str) -> u64) -> Vec<Called> {
    let mut calls: Vec<Called> = Vec::new();
    let mut number = None;
    let mut open: Option<String> = None;
    for line in listing.lines() {
        let Some((place, instruction)) = line.split_once(':') else {
            continue;
        };
        let place = place.trim();
        if place.is_empty() || !place.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        if let Some(name) = open.take() {
            calls.push(Called {
                return_address: u32::try_from(relative(place)).unwrap(),
                name,
                number: std::mem::take(&mut number),
            });
        }
        let words: Vec<&str> = instruction.split_whitespace().collect();
        match words.first().copied() {
            Some("call" | "bl") => {
                let name = instruction.split_once('<').map_or("", |(_, rest)| rest);
                open = Some(name.trim_end_matches('>').to_owned());
            }
            Some("mov") if matches!(words.get(1), Some(&"ecx," | &"w0,")) => {
                number = words.get(2).and_then(|text| immediate(text));
            }
            _ => {}
        }
    }
    calls
}

fn immediate(text: &str) -> Option<u32> {
    let text = text.trim_start_matches('#');
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
