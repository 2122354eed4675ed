//! The format's sets of flags. Bits without a name here are kept: Windows passes them on.

bitflags::bitflags! {
    /// `IMAGE_FILE_*`: what the file header says of the file.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct FileCharacteristics: u16 {
        /// There are no base relocations; the image runs at its preferred base only.
        const RELOCS_STRIPPED = 0x0001;
        /// The linker left nothing unresolved.
        const EXECUTABLE_IMAGE = 0x0002;
        /// The program can have addresses above 2 GiB.
        const LARGE_ADDRESS_AWARE = 0x0020;
        /// For a machine with 32-bit words.
        const MACHINE_32BIT = 0x0100;
        /// The debugging information was removed.
        const DEBUG_STRIPPED = 0x0200;
        /// To be copied to the page file when it lies on a removable medium.
        const REMOVABLE_RUN_FROM_SWAP = 0x0400;
        /// To be copied to the page file when it lies on the net.
        const NET_RUN_FROM_SWAP = 0x0800;
        /// A system file, not a program.
        const SYSTEM = 0x1000;
        /// A library.
        const DLL = 0x2000;
        /// For machines with one processor only.
        const UP_SYSTEM_ONLY = 0x4000;
        const _ = !0;
    }

    /// `IMAGE_DLLCHARACTERISTICS_*`: what the image can bear, programs too in spite of the name.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct DllCharacteristics: u16 {
        /// Its 64-bit addresses may be anywhere.
        const HIGH_ENTROPY_VA = 0x0020;
        /// It may be moved even if nothing is in its way.
        const DYNAMIC_BASE = 0x0040;
        /// Its signature is checked whenever it is mapped.
        const FORCE_INTEGRITY = 0x0080;
        /// Its data need not be executable.
        const NX_COMPAT = 0x0100;
        /// No activation context is made for it.
        const NO_ISOLATION = 0x0200;
        /// No exception handler of it may be called.
        const NO_SEH = 0x0400;
        /// Its imports must not be bound.
        const NO_BIND = 0x0800;
        /// It must run in an app container.
        const APPCONTAINER = 0x1000;
        /// A WDM driver.
        const WDM_DRIVER = 0x2000;
        /// It has control-flow guard data.
        const GUARD_CF = 0x4000;
        /// It knows of terminal servers.
        const TERMINAL_SERVER_AWARE = 0x8000;
        const _ = !0;
    }

    /// `IMAGE_SCN_*`: what a section is.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct SectionCharacteristics: u32 {
        /// Holds code.
        const CODE = 0x0000_0020;
        /// Holds data with values.
        const INITIALIZED_DATA = 0x0000_0040;
        /// Holds data that is zero at first.
        const UNINITIALIZED_DATA = 0x0000_0080;
        /// Not needed once the program runs.
        const DISCARDABLE = 0x0200_0000;
        /// Not cached.
        const NOT_CACHED = 0x0400_0000;
        /// Not pageable.
        const NOT_PAGED = 0x0800_0000;
        /// One copy for all processes.
        const SHARED = 0x1000_0000;
        /// Can be executed.
        const EXECUTE = 0x2000_0000;
        /// Can be read.
        const READ = 0x4000_0000;
        /// Can be written.
        const WRITE = 0x8000_0000;
        const _ = !0;
    }

    /// `IMAGE_GUARD_*`: which control-flow guard data a load configuration has.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct GuardFlags: u32 {
        /// Indirect calls are checked.
        const CF_INSTRUMENTED = 0x0000_0100;
        /// Indirect writes are checked.
        const CFW_INSTRUMENTED = 0x0000_0200;
        /// There is a table of valid targets.
        const CF_FUNCTION_TABLE_PRESENT = 0x0000_0400;
        /// The security cookie is not used.
        const SECURITY_COOKIE_UNUSED = 0x0000_0800;
        /// The delay-load table may be made read-only.
        const PROTECT_DELAYLOAD_IAT = 0x0000_1000;
        /// The delay-load table has a section of its own.
        const DELAYLOAD_IAT_IN_ITS_OWN_SECTION = 0x0000_2000;
        /// There is a table of suppressed exports.
        const CF_EXPORT_SUPPRESSION_INFO_PRESENT = 0x0000_4000;
        /// Exports are suppressed.
        const CF_ENABLE_EXPORT_SUPPRESSION = 0x0000_8000;
        /// There is a table of `longjmp` targets.
        const CF_LONGJUMP_TABLE_PRESENT = 0x0001_0000;
        /// There is a table of exception continuation targets.
        const EH_CONTINUATION_TABLE_PRESENT = 0x0040_0000;
        const _ = !0;
    }
}
