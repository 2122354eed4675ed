//! What the first process does.

use core::fmt::Write as _;

use c_interface::{Ptr, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{
    Peb, ProcessBasicInformation, RtlUserProcessInformation, RtlUserProcessParameters,
    UnicodeString,
};
use nt_abi::services::arguments::ProcessInformationClass;
use ntdll_imports::{
    CURRENT_PROCESS, NULL, NtDisplayString, NtQueryInformationProcess, NtResumeThread,
    NtTerminateProcess, NtWaitForSingleObject, RtlCreateEnvironment, RtlCreateProcessParametersEx,
    RtlCreateUserProcess, RtlInitUnicodeString, RtlSetEnvironmentVariable,
};

/// `ProcessBasicInformation`.
const BASIC: ProcessInformationClass = ProcessInformationClass(0);
/// The size of what [`BASIC`] gives.
#[allow(clippy::cast_possible_truncation, reason = "it is some 50 bytes")]
const BASIC_SIZE: u32 = size_of::<ProcessBasicInformation>() as u32;
/// `RTL_USER_PROC_PARAMS_NORMALIZED`.
const NORMALIZED: u32 = 1;

/// The variables of the environment that every process inherits.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("ComSpec", r"C:\Windows\System32\cmd.exe"),
    ("NUMBER_OF_PROCESSORS", ""),
    ("OS", "Windows_NT"),
    ("Path", r"C:\Windows\System32;C:\Windows"),
    ("PATHEXT", ".COM;.EXE;.BAT;.CMD"),
    ("SystemDrive", "C:"),
    ("SystemRoot", r"C:\Windows"),
    ("TEMP", r"C:\Windows\Temp"),
    ("windir", r"C:\Windows"),
];

/// Handles of the console, as Windows had them before its console had a driver: the low two bits say that they are none of
/// the kernel's. kernelbase knows them.
const CONSOLE_INPUT: usize = 3;
const CONSOLE_OUTPUT: usize = 7;
const CONSOLE_ERROR: usize = 11;

/// A short text in UTF-16, terminated.
struct Wide {
    units: [u16; 64],
}

impl Wide {
    fn new(text: &str) -> Self {
        let mut units = [0; 64];
        // The last unit stays zero.
        for (place, unit) in units.iter_mut().take(63).zip(text.encode_utf16()) {
            *place = unit;
        }
        Self { units }
    }

    fn counted(&mut self) -> UnicodeString {
        let mut string = UnicodeString::default();
        let units = Ptr::of(&mut self.units).cast();
        RtlInitUnicodeString(Ptr::of(&mut string), units);
        string
    }
}

/// Text on its way to the console.
struct Console;

impl core::fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        // Pieces are cut between letters.
        for letter in text.chars() {
            let mut pair = [0; 2];
            let mut wide = Wide { units: [0; 64] };
            let encoded = letter.encode_utf16(&mut pair);
            wide.units[..encoded.len()].copy_from_slice(encoded);
            let _ = NtDisplayString(&wide.counted());
        }
        Ok(())
    }
}

/// Ends this process, and with it the machine.
fn end(status: NtStatus) -> ! {
    loop {
        let _refused = NtTerminateProcess(CURRENT_PROCESS, status);
    }
}

fn fail(what: &str, status: NtStatus) -> ! {
    // Without a console there is nobody to tell.
    let _ = writeln!(Console, "smss.exe: {what}: {status}");
    end(status)
}

fn check(what: &str, status: NtStatus) {
    if !status.is_success() {
        fail(what, status);
    }
}

exports! {
    /// Where the kernel's loader starts this program.
    fn NtProcessStartup(peb: Ptr<Peb>) -> u32 {
        let own = field!(peb, Peb, process_parameters).read();
        let own = Ptr::<RtlUserProcessParameters>::at(own).read();
        let line = Ptr::<u16>::at(own.command_line.buffer)
            .slice(usize::from(own.command_line.length / 2));
        let line = behind_first_word(line);
        if line.is_empty() {
            fail("no program is named", NtStatus::INVALID_PARAMETER);
        }
        let environment = make_environment(peb);
        end(run(line, environment))
    }
}

fn make_environment(peb: Ptr<Peb>) -> Ptr<u16> {
    let mut environment = Ptr::<u16>::NULL;
    let place = Ptr::of(&mut environment).cast();
    check(
        "the environment cannot be made",
        RtlCreateEnvironment(0, place),
    );
    let processors = field!(peb, Peb, number_of_processors).read();
    for (name, value) in ENVIRONMENT {
        let mut name = Wide::new(name);
        let mut value = Wide::new(value);
        if value.units[0] == 0 {
            value = number(processors);
        }
        let status = RtlSetEnvironmentVariable(
            place.cast(),
            Ptr::of(&mut name.counted()),
            Ptr::of(&mut value.counted()),
        );
        check("the environment cannot be filled", status);
    }
    environment
}

/// A number in decimal digits.
fn number(value: u32) -> Wide {
    let mut digits = [0u8; 10];
    let mut first = digits.len();
    let mut rest = value;
    loop {
        first -= 1;
        digits[first] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            return Wide::new(core::str::from_utf8(&digits[first..]).unwrap_or("1"));
        }
    }
}

/// A command line without its first word.
fn behind_first_word(line: &[u16]) -> &[u16] {
    let (_, rest) = first_word(line);
    rest
}

/// The first word of a command line, without quotes, and what follows it.
fn first_word(line: &[u16]) -> (&[u16], &[u16]) {
    let is = |unit: u16, letter: u8| unit == u16::from(letter);
    let skip = |line: &[u16]| line.iter().take_while(|unit| is(**unit, b' ')).count();
    let line = &line[skip(line)..];
    let (word, rest) = match line.split_first() {
        Some((quote, quoted)) if is(*quote, b'"') => {
            let end = quoted.iter().position(|unit| is(*unit, b'"'));
            let end = end.unwrap_or(quoted.len());
            (&quoted[..end], quoted.get(end + 1..).unwrap_or_default())
        }
        _ => {
            let end = line.iter().position(|unit| is(*unit, b' '));
            line.split_at(end.unwrap_or(line.len()))
        }
    };
    (word, &rest[skip(rest)..])
}

fn counted(units: &[u16]) -> UnicodeString {
    let bytes = u16::try_from(units.len() * 2).unwrap_or(0xFFFE);
    UnicodeString {
        length: bytes,
        maximum_length: bytes,
        buffer: Ptr::<u16>::of_shared(units.first().unwrap_or(&0)).raw(),
        ..UnicodeString::default()
    }
}

/// The longest path of a program, in units.
const LONGEST_PATH: usize = 260;

/// Where programs believe that they are.
const FOLDER: &str = r"C:\";

/// Runs a program to its end; gives what it ended with.
fn run(line: &[u16], environment: Ptr<u16>) -> NtStatus {
    let (program, _) = first_word(line);
    let mut path = [0u16; LONGEST_PATH];
    let mut length = 0;
    for unit in FOLDER.encode_utf16().chain(program.iter().copied()) {
        if let Some(place) = path.get_mut(length) {
            *place = unit;
            length += 1;
        }
    }
    let mut path = counted(&path[..length]);
    let mut line = counted(line);
    let mut folder = Wide::new(FOLDER);
    let mut folder = folder.counted();
    let mut parameters = Ptr::<RtlUserProcessParameters>::NULL;
    let status = RtlCreateProcessParametersEx(
        Ptr::of(&mut parameters),
        Ptr::of(&mut path),
        Ptr::NULL,
        Ptr::of(&mut folder),
        Ptr::of(&mut line),
        environment,
        Ptr::NULL,
        Ptr::NULL,
        Ptr::NULL,
        Ptr::NULL,
        NORMALIZED,
    );
    check("the program's parameters cannot be made", status);
    let handle = |place: Ptr<u64>, value: usize| place.write(value as u64);
    handle(
        field!(parameters, RtlUserProcessParameters, standard_input),
        CONSOLE_INPUT,
    );
    handle(
        field!(parameters, RtlUserProcessParameters, standard_output),
        CONSOLE_OUTPUT,
    );
    handle(
        field!(parameters, RtlUserProcessParameters, standard_error),
        CONSOLE_ERROR,
    );
    let mut made = RtlUserProcessInformation::default();
    let status = RtlCreateUserProcess(
        Ptr::of(&mut path),
        0,
        parameters,
        Ptr::NULL,
        Ptr::NULL,
        0,
        0,
        0,
        0,
        Ptr::of(&mut made),
    );
    check("the program cannot be started", status);
    check("the program cannot run", NtResumeThread(made.thread, NULL));
    check(
        "the program cannot be waited for",
        NtWaitForSingleObject(made.process, false, NULL),
    );
    let mut basic = ProcessBasicInformation::default();
    let status = NtQueryInformationProcess(made.process, BASIC, &mut basic, BASIC_SIZE, NULL);
    check("the program's end cannot be asked for", status);
    NtStatus(basic.exit_status)
}

#[panic_handler]
fn panic(what: &core::panic::PanicInfo<'_>) -> ! {
    let _ = writeln!(Console, "smss.exe: {what}");
    end(NtStatus::ASSERTION_FAILURE)
}
