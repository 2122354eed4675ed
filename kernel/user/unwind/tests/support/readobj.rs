//! What `llvm-readobj --unwind` prints, taken apart.

/// A function of x64, with its lines.
#[derive(Debug, Default)]
pub(crate) struct X64Function {
    pub(crate) begin_rva: u32,
    pub(crate) end_rva: u32,
    pub(crate) version: u8,
    pub(crate) prolog_size: u32,
    /// Such as `0x0C: ALLOC_LARGE size=1528`.
    pub(crate) codes: Vec<String>,
    pub(crate) has_handler: bool,
    pub(crate) is_chained: bool,
}

/// A function of ARM64.
#[derive(Debug, Default)]
pub(crate) struct Arm64Function {
    pub(crate) begin_rva: u32,
    pub(crate) length: u32,
    pub(crate) is_packed: bool,
    pub(crate) fragment: bool,
    /// The instructions of the prolog, the last one first, such as `stp x29, x30, [sp, #-32]!`.
    pub(crate) prolog: Vec<String>,
    /// Where an epilog begins, and its instructions, if they are not the prolog's.
    pub(crate) epilogs: Vec<(Option<u32>, Vec<String>)>,
    /// The epilog is at the function's end.
    pub(crate) epilog_at_end: bool,
    pub(crate) has_handler: bool,
}

/// The pieces of the output, one for each function, as lines without their margin.
fn functions(text: &str) -> Vec<Vec<&str>> {
    let mut all: Vec<Vec<&str>> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line == "RuntimeFunction {" {
            all.push(Vec::new());
        } else if let Some(function) = all.last_mut() {
            function.push(line);
        }
    }
    all
}

fn field<'a>(lines: &[&'a str], name: &str) -> Option<&'a str> {
    let found = lines
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.map(str::trim)
}

fn number(text: &str) -> u32 {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let number = parsed.unwrap_or_else(|_| panic!("{text:?} is no number"));
    // Addresses are printed with the base that the linker chose.
    (number & 0xFFF_FFFF) as u32
}

/// The number in the last brackets: `name +0x10 (0x180001010)`.
fn address(text: &str) -> u32 {
    let inside = text.rsplit_once('(').map_or(text, |(_, rest)| rest);
    number(inside.trim_end_matches(')'))
}

fn list<'a>(lines: &[&'a str], name: &str) -> Vec<&'a str> {
    let start = format!("{name} [");
    let inside = lines.iter().skip_while(|line| **line != start).skip(1);
    inside.take_while(|line| **line != "]").copied().collect()
}

/// What it prints of an x64 image.
pub(crate) fn x64(text: &str) -> Vec<X64Function> {
    functions(text)
        .iter()
        .map(|lines| X64Function {
            begin_rva: address(field(lines, "StartAddress").unwrap()),
            end_rva: address(field(lines, "EndAddress").unwrap()),
            version: number(field(lines, "Version").unwrap()) as u8,
            prolog_size: number(field(lines, "PrologSize").unwrap()),
            codes: list(lines, "UnwindCodes")
                .into_iter()
                .map(String::from)
                .collect(),
            has_handler: field(lines, "Handler").is_some(),
            is_chained: lines.contains(&"Chained {"),
        })
        .collect()
}

/// The instruction of a line `0xd2c1 ; str x30, [sp, #8]`; of a packed function a line is the instruction alone.
fn instructions(lines: Vec<&str>) -> Vec<String> {
    let instruction = |line: &str| {
        line.split_once("; ")
            .map_or(line, |(_, rest)| rest)
            .to_string()
    };
    lines.into_iter().map(instruction).collect()
}

/// What it prints of an ARM64 image.
pub(crate) fn arm64(text: &str) -> Vec<Arm64Function> {
    functions(text)
        .iter()
        .map(|lines| {
            let is_packed = field(lines, "CR").is_some();
            let mut function = Arm64Function {
                begin_rva: address(field(lines, "Function").unwrap()),
                length: number(field(lines, "FunctionLength").unwrap()),
                is_packed,
                fragment: field(lines, "Fragment").is_some_and(|value| value != "No"),
                prolog: instructions(list(lines, "Prologue")),
                epilogs: Vec::new(),
                epilog_at_end: field(lines, "EpiloguePacked") == Some("Yes"),
                has_handler: field(lines, "ExceptionHandler").is_some()
                    || lines.contains(&"ExceptionHandler ["),
            };
            if lines.contains(&"Epilogue [") {
                function
                    .epilogs
                    .push((None, instructions(list(lines, "Epilogue"))));
            }
            let mut rest = lines.as_slice();
            while let Some(place) = rest.iter().position(|line| *line == "EpilogueScope {") {
                rest = &rest[place + 1..];
                let end = rest.iter().position(|line| *line == "}").unwrap();
                let start = field(&rest[..end], "StartOffset").map(number);
                let opcodes = instructions(list(&rest[..end], "Opcodes"));
                function.epilogs.push((start, opcodes));
            }
            function
        })
        .collect()
}
