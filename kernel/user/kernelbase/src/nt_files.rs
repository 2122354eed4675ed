//! What NT tells of files and volumes: classes and structures of `NtQueryInformationFile` and its like ([MS-FSCC] 2.4 and
//! 2.5; `ntifs.h`).

use nt_abi::native::{Handle, Only64};

use crate::structures::structures;

/// `FILE_INFORMATION_CLASS`.
pub mod class {
    /// [`FileBothDirInformation`](super::FileBothDirInformation) and a name.
    pub const BOTH_DIRECTORY: u32 = 3;
    /// [`FileBasicInformation`](super::FileBasicInformation).
    pub const BASIC: u32 = 4;
    /// [`FileStandardInformation`](super::FileStandardInformation).
    pub const STANDARD: u32 = 5;
    /// An index, 64 bits.
    pub const INTERNAL: u32 = 6;
    /// Length in bytes and a name.
    pub const NAME: u32 = 9;
    /// [`FileRenameInformation`](super::FileRenameInformation) and a name.
    pub const RENAME: u32 = 10;
    /// The same.
    pub const LINK: u32 = 11;
    /// 8 bits: whether the file goes when it is closed.
    pub const DISPOSITION: u32 = 13;
    /// An offset, 64 bits.
    pub const POSITION: u32 = 14;
    /// Flags of the open, 32 bits.
    pub const MODE: u32 = 16;
    /// Room on the volume, 64 bits.
    pub const ALLOCATION: u32 = 19;
    /// A length, 64 bits.
    pub const END_OF_FILE: u32 = 20;
    /// Length in bytes and a short name.
    pub const ALTERNATE_NAME: u32 = 21;
    /// Streams, one after the other.
    pub const STREAM: u32 = 22;
    /// [`FilePipeInformation`](super::FilePipeInformation).
    pub const PIPE: u32 = 23;
    /// [`FilePipeLocalInformation`](super::FilePipeLocalInformation).
    pub const PIPE_LOCAL: u32 = 24;
    /// [`FileCompressionInformation`](super::FileCompressionInformation).
    pub const COMPRESSION: u32 = 28;
    /// A port and a key.
    pub const COMPLETION: u32 = 30;
    /// [`FileNetworkOpenInformation`](super::FileNetworkOpenInformation).
    pub const NETWORK_OPEN: u32 = 34;
    /// [`FileAttributeTagInformation`](super::FileAttributeTagInformation).
    pub const ATTRIBUTE_TAG: u32 = 35;
    /// Entries of a directory with their indexes.
    pub const ID_BOTH_DIRECTORY: u32 = 37;
    /// A length, 64 bits.
    pub const VALID_DATA_LENGTH: u32 = 39;
    /// Flags of completion, 32 bits.
    pub const COMPLETION_NOTIFICATION: u32 = 41;
    /// [`FileIdInformation`](super::FileIdInformation).
    pub const ID: u32 = 59;
}

/// `FSINFOCLASS`.
pub mod volume_class {
    /// [`FileFsVolumeInformation`](super::FileFsVolumeInformation) and a label.
    pub const VOLUME: u32 = 1;
    /// Length in bytes and a label.
    pub const LABEL: u32 = 2;
    /// [`FileFsSizeInformation`](super::FileFsSizeInformation).
    pub const SIZE: u32 = 3;
    /// [`FileFsDeviceInformation`](super::FileFsDeviceInformation).
    pub const DEVICE: u32 = 4;
    /// [`FileFsAttributeInformation`](super::FileFsAttributeInformation) and a name.
    pub const ATTRIBUTE: u32 = 5;
    /// [`FileFsFullSizeInformation`](super::FileFsFullSizeInformation).
    pub const FULL_SIZE: u32 = 7;
}

/// Options of `NtCreateFile` and `NtOpenFile`.
pub mod options {
    /// `FILE_DIRECTORY_FILE`.
    pub const DIRECTORY_FILE: u32 = 0x1;
    /// `FILE_WRITE_THROUGH`.
    pub const WRITE_THROUGH: u32 = 0x2;
    /// `FILE_SEQUENTIAL_ONLY`.
    pub const SEQUENTIAL_ONLY: u32 = 0x4;
    /// `FILE_NO_INTERMEDIATE_BUFFERING`.
    pub const NO_INTERMEDIATE_BUFFERING: u32 = 0x8;
    /// `FILE_SYNCHRONOUS_IO_NONALERT`.
    pub const SYNCHRONOUS_IO_NONALERT: u32 = 0x20;
    /// `FILE_NON_DIRECTORY_FILE`.
    pub const NON_DIRECTORY_FILE: u32 = 0x40;
    /// `FILE_RANDOM_ACCESS`.
    pub const RANDOM_ACCESS: u32 = 0x800;
    /// `FILE_DELETE_ON_CLOSE`.
    pub const DELETE_ON_CLOSE: u32 = 0x1000;
    /// `FILE_OPEN_FOR_BACKUP_INTENT`.
    pub const OPEN_FOR_BACKUP_INTENT: u32 = 0x4000;
    /// `FILE_OPEN_FOR_FREE_SPACE_QUERY`.
    pub const OPEN_FOR_FREE_SPACE_QUERY: u32 = 0x80_0000;
    /// `FILE_OPEN_REPARSE_POINT`.
    pub const OPEN_REPARSE_POINT: u32 = 0x20_0000;
    /// `FILE_OPEN_NO_RECALL`.
    pub const OPEN_NO_RECALL: u32 = 0x40_0000;
}

/// Access rights of files.
pub mod rights {
    /// `FILE_READ_DATA`, `FILE_LIST_DIRECTORY`.
    pub const READ_DATA: u32 = 0x1;
    /// `FILE_READ_ATTRIBUTES`.
    pub const READ_ATTRIBUTES: u32 = 0x80;
    /// `FILE_WRITE_ATTRIBUTES`.
    pub const WRITE_ATTRIBUTES: u32 = 0x100;
    /// `DELETE`.
    pub const DELETE: u32 = 0x1_0000;
    /// `SYNCHRONIZE`.
    pub const SYNCHRONIZE: u32 = 0x10_0000;
    /// Others may read, write and delete.
    pub const SHARE_ALL: u32 = 7;
}

structures! {
    /// `FILE_BASIC_INFORMATION`.
    pub struct FileBasicInformation (0x28, 0x28) {
        creation_time: i64,
        last_access_time: i64,
        last_write_time: i64,
        change_time: i64,
        attributes: u32,
        reserved: u32,
    }

    /// `FILE_STANDARD_INFORMATION`.
    pub struct FileStandardInformation (0x18, 0x18) {
        allocation_size: i64,
        end_of_file: i64,
        number_of_links: u32,
        delete_pending: u8,
        directory: u8,
        reserved: [u8; 2],
    }

    /// `FILE_NETWORK_OPEN_INFORMATION`.
    pub struct FileNetworkOpenInformation (0x38, 0x38) {
        creation_time: i64,
        last_access_time: i64,
        last_write_time: i64,
        change_time: i64,
        allocation_size: i64,
        end_of_file: i64,
        attributes: u32,
        reserved: u32,
    }

    /// `FILE_ATTRIBUTE_TAG_INFORMATION`.
    pub struct FileAttributeTagInformation (8, 8) {
        attributes: u32,
        reparse_tag: u32,
    }

    /// `FILE_COMPRESSION_INFORMATION`.
    pub struct FileCompressionInformation (0x10, 0x10) {
        compressed_size: i64,
        format: u16,
        unit_shift: u8,
        chunk_shift: u8,
        cluster_shift: u8,
        reserved: [u8; 3],
    }

    /// `FILE_ID_INFORMATION`.
    pub struct FileIdInformation (0x18, 0x18) {
        volume_serial_number: u64,
        file_id: [u8; 16],
    }

    /// `FILE_RENAME_INFORMATION`, and `FILE_LINK_INFORMATION`; the name's units follow at 0x14 (32-bit: 0x0C).
    pub struct FileRenameInformation (0x18, 0x10) {
        /// Or flags.
        replace_if_exists: u32,
        reserved0: Only64<u32>,
        root_directory: Handle,
        /// In bytes.
        file_name_length: u32,
        reserved1: u32,
    }

    /// `FILE_BOTH_DIR_INFORMATION`; the name's units follow at 0x5E.
    pub struct FileBothDirInformation (0x60, 0x60) {
        next_entry_offset: u32,
        file_index: u32,
        creation_time: i64,
        last_access_time: i64,
        last_write_time: i64,
        change_time: i64,
        end_of_file: i64,
        allocation_size: i64,
        attributes: u32,
        /// In bytes.
        file_name_length: u32,
        /// Or the tag of a reparse point.
        ea_size: u32,
        /// In bytes.
        short_name_length: u8,
        reserved: u8,
        short_name: [u16; 12],
        reserved1: u16,
    }

    /// `FILE_PIPE_INFORMATION`.
    pub struct FilePipeInformation (8, 8) {
        /// 0 bytes, 1 messages.
        read_mode: u32,
        /// 0 waits, 1 does not.
        completion_mode: u32,
    }

    /// `FILE_PIPE_LOCAL_INFORMATION`.
    pub struct FilePipeLocalInformation (0x28, 0x28) {
        /// 0 bytes, 1 messages.
        pipe_type: u32,
        /// 0 inbound, 1 outbound, 2 both.
        configuration: u32,
        maximum_instances: u32,
        current_instances: u32,
        inbound_quota: u32,
        read_data_available: u32,
        outbound_quota: u32,
        write_quota_available: u32,
        state: u32,
        /// 0 the client's end, 1 the server's.
        end: u32,
    }

    /// `FILE_FS_VOLUME_INFORMATION`; the label's units follow at 0x12.
    pub struct FileFsVolumeInformation (0x18, 0x18) {
        creation_time: i64,
        serial_number: u32,
        /// In bytes.
        label_length: u32,
        supports_objects: u8,
        reserved: [u8; 7],
    }

    /// `FILE_FS_SIZE_INFORMATION`.
    pub struct FileFsSizeInformation (0x18, 0x18) {
        total_units: i64,
        available_units: i64,
        sectors_per_unit: u32,
        bytes_per_sector: u32,
    }

    /// `FILE_FS_FULL_SIZE_INFORMATION`.
    pub struct FileFsFullSizeInformation (0x20, 0x20) {
        total_units: i64,
        caller_available_units: i64,
        actual_available_units: i64,
        sectors_per_unit: u32,
        bytes_per_sector: u32,
    }

    /// `FILE_FS_DEVICE_INFORMATION`.
    pub struct FileFsDeviceInformation (8, 8) {
        /// `FILE_DEVICE_*`.
        device_type: u32,
        characteristics: u32,
    }

    /// `FILE_FS_ATTRIBUTE_INFORMATION`; the name's units follow.
    pub struct FileFsAttributeInformation (0x0C, 0x0C) {
        attributes: u32,
        maximum_component_length: u32,
        /// In bytes.
        name_length: u32,
    }
}

/// Where the name of a rename begins.
pub const RENAME_NAME: usize = size_of::<FileRenameInformation>() - 4;
/// Where the name of a directory's entry begins.
pub const ENTRY_NAME: usize = 0x5E;
/// Where the label of a volume begins.
pub const VOLUME_LABEL: usize = 0x12;
