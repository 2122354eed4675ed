//! Win32's own structures, in the width of the process (`minwinbase.h`, `processthreadsapi.h`, `sysinfoapi.h` and others, as
//! Microsoft Learn has them).

use nt_abi::native::{Handle, Only64, Pointer, Size};

macro_rules! structures {
    ($(
        $(#[$doc:meta])*
        pub struct $name:ident ($size64:literal, $size32:literal) {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::Immutable,
            zerocopy::KnownLayout,
        )]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* #[doc = concat!("`", stringify!($field), "`.")] pub $field: $type,)*
        }

        impl Default for $name {
            /// All zeros.
            fn default() -> Self {
                zerocopy::FromZeros::new_zeroed()
            }
        }

        impl $name {
            /// Its size in bytes, as structures of Win32 say it themselves.
            #[allow(dead_code, reason = "not every structure says its size")]
            #[allow(clippy::cast_possible_truncation, reason = "structures are small")]
            pub const SIZE: u32 = size_of::<Self>() as u32;
        }

        #[cfg(target_pointer_width = "64")]
        const _: () = assert!(size_of::<$name>() == $size64, "size");
        #[cfg(target_pointer_width = "32")]
        const _: () = assert!(size_of::<$name>() == $size32, "size");
    )*};
}
pub(crate) use structures;

structures! {
    /// `SECURITY_ATTRIBUTES`.
    pub struct SecurityAttributes (0x18, 0x0C) {
        length: u32,
        reserved0: Only64<u32>,
        security_descriptor: Pointer,
        inherit_handle: u32,
        reserved1: Only64<u32>,
    }

    /// `PROCESS_HEAP_ENTRY`; what follows the flags is of a region.
    pub struct ProcessHeapEntry (0x28, 0x1C) {
        data: Pointer,
        size: u32,
        overhead: u8,
        region_index: u8,
        flags: u16,
        committed_size: u32,
        uncommitted_size: u32,
        first_block: Pointer,
        last_block: Pointer,
    }

    /// `STARTUPINFO`, in both forms: only where its pointers lead differs.
    pub struct StartupInfo (0x68, 0x44) {
        size: u32,
        reserved0: Only64<u32>,
        reserved: Pointer,
        desktop: Pointer,
        title: Pointer,
        x: u32,
        y: u32,
        x_size: u32,
        y_size: u32,
        x_count_chars: u32,
        y_count_chars: u32,
        fill_attribute: u32,
        flags: u32,
        show_window: u16,
        size_of_reserved2: u16,
        reserved1: Only64<u32>,
        reserved2: Pointer,
        standard_input: Handle,
        standard_output: Handle,
        standard_error: Handle,
    }

    /// `STARTUPINFOEX`.
    pub struct StartupInfoEx (0x70, 0x48) {
        startup_info: StartupInfo,
        /// The process's and thread's attributes.
        attribute_list: Pointer,
    }

    /// `PROCESS_INFORMATION`.
    pub struct ProcessInformation (0x18, 0x10) {
        process: Handle,
        thread: Handle,
        process_id: u32,
        thread_id: u32,
    }

    /// `FILETIME`: a time in 100 ns since 1601, at a multiple of four.
    pub struct FileTime (8, 8) {
        low: u32,
        high: u32,
    }

    /// `SYSTEMTIME`.
    pub struct SystemTime (0x10, 0x10) {
        year: u16,
        month: u16,
        /// From Sunday, 0.
        day_of_week: u16,
        day: u16,
        hour: u16,
        minute: u16,
        second: u16,
        milliseconds: u16,
    }

    /// `TIME_ZONE_INFORMATION`.
    pub struct TimeZoneInformation (0xAC, 0xAC) {
        /// In minutes, UTC less local time.
        bias: i32,
        standard_name: [u16; 32],
        standard_date: SystemTime,
        standard_bias: i32,
        daylight_name: [u16; 32],
        daylight_date: SystemTime,
        daylight_bias: i32,
    }

    /// `DYNAMIC_TIME_ZONE_INFORMATION`.
    pub struct DynamicTimeZoneInformation (0x1B0, 0x1B0) {
        zone: TimeZoneInformation,
        /// The key in the registry.
        key_name: [u16; 128],
        daylight_disabled: u8,
        reserved: [u8; 3],
    }

    /// `SYSTEM_INFO`.
    pub struct SystemInfo (0x30, 0x24) {
        processor_architecture: u16,
        reserved: u16,
        page_size: u32,
        minimum_application_address: Pointer,
        maximum_application_address: Pointer,
        active_processor_mask: Size,
        number_of_processors: u32,
        processor_type: u32,
        allocation_granularity: u32,
        processor_level: u16,
        processor_revision: u16,
    }

    /// `MEMORYSTATUSEX`.
    pub struct MemoryStatusEx (0x40, 0x40) {
        length: u32,
        /// In per cent.
        memory_load: u32,
        total_phys: u64,
        avail_phys: u64,
        total_page_file: u64,
        avail_page_file: u64,
        total_virtual: u64,
        avail_virtual: u64,
        avail_extended_virtual: u64,
    }

    /// `MEMORYSTATUS`.
    pub struct MemoryStatus (0x38, 0x20) {
        length: u32,
        /// In per cent.
        memory_load: u32,
        total_phys: Size,
        avail_phys: Size,
        total_page_file: Size,
        avail_page_file: Size,
        total_virtual: Size,
        avail_virtual: Size,
    }

    /// `OVERLAPPED`.
    pub struct Overlapped (0x20, 0x14) {
        /// The status of the operation.
        internal: Size,
        /// How many bytes were moved.
        internal_high: Size,
        offset: u32,
        offset_high: u32,
        event: Handle,
    }

    /// `OVERLAPPED_ENTRY`.
    pub struct OverlappedEntry (0x20, 0x10) {
        key: Size,
        overlapped: Pointer,
        internal: Size,
        bytes: u32,
        reserved: Only64<u32>,
    }

    /// `CPINFO`, with two bytes at its end that C's compilers put there.
    pub struct CpInfo (0x14, 0x14) {
        max_char_size: u32,
        default_char: [u8; 2],
        lead_byte: [u8; 12],
        reserved: [u8; 2],
    }

    /// `NUMBERFMT`.
    pub struct NumberFormat (0x28, 0x18) {
        digits: u32,
        leading_zero: u32,
        grouping: u32,
        reserved0: Only64<u32>,
        decimal: Pointer,
        thousand: Pointer,
        negative: u32,
        reserved1: Only64<u32>,
    }

    /// `CURRENCYFMT`.
    pub struct CurrencyFormat (0x30, 0x20) {
        digits: u32,
        leading_zero: u32,
        grouping: u32,
        reserved0: Only64<u32>,
        decimal: Pointer,
        thousand: Pointer,
        negative: u32,
        positive: u32,
        currency: Pointer,
    }

    /// `BY_HANDLE_FILE_INFORMATION`.
    pub struct ByHandleFileInformation (0x34, 0x34) {
        attributes: u32,
        creation_time: FileTime,
        last_access_time: FileTime,
        last_write_time: FileTime,
        volume_serial_number: u32,
        size_high: u32,
        size_low: u32,
        number_of_links: u32,
        index_high: u32,
        index_low: u32,
    }

    /// `WIN32_FILE_ATTRIBUTE_DATA`.
    pub struct FileAttributeData (0x24, 0x24) {
        attributes: u32,
        creation_time: FileTime,
        last_access_time: FileTime,
        last_write_time: FileTime,
        size_high: u32,
        size_low: u32,
    }

    /// `WIN32_FIND_DATAW`.
    pub struct FindData (0x250, 0x250) {
        file: FileAttributeData,
        /// The tag, if it is a reparse point.
        reserved0: u32,
        reserved1: u32,
        file_name: [u16; 260],
        alternate_file_name: [u16; 14],
    }

    /// `WIN32_FIND_DATAA`.
    pub struct FindDataA (0x140, 0x140) {
        file: FileAttributeData,
        /// The tag, if it is a reparse point.
        reserved0: u32,
        reserved1: u32,
        file_name: [u8; 260],
        alternate_file_name: [u8; 14],
        reserved2: [u8; 2],
    }
}

impl FileTime {
    /// A time in its form.
    pub const fn new(time: i64) -> Self {
        let [a, b, c, d, e, f, g, h] = time.to_le_bytes();
        Self {
            low: u32::from_le_bytes([a, b, c, d]),
            high: u32::from_le_bytes([e, f, g, h]),
        }
    }

    /// The time.
    pub const fn time(self) -> i64 {
        let [a, b, c, d] = self.low.to_le_bytes();
        let [e, f, g, h] = self.high.to_le_bytes();
        i64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}
