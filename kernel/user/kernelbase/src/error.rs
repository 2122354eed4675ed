//! Win32's error codes, as far as functions here give them themselves ([MS-ERREF] 2.2).

/// Why a function failed: the thread's last error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error(pub u32);

/// What a function gives, or why it does not.
pub type Win<T = ()> = Result<T, Error>;

macro_rules! errors {
    ($($name:ident = $value:literal;)*) => {
        impl Error {
            $(#[doc = concat!("`ERROR_", stringify!($name), "`.")] pub const $name: Self = Self($value);)*
        }
    };
}

errors! {
    SUCCESS = 0;
    INVALID_FUNCTION = 1;
    FILE_NOT_FOUND = 2;
    PATH_NOT_FOUND = 3;
    ACCESS_DENIED = 5;
    INVALID_HANDLE = 6;
    NOT_ENOUGH_MEMORY = 8;
    BAD_FORMAT = 11;
    INVALID_DATA = 13;
    OUT_OF_MEMORY = 14;
    INVALID_DRIVE = 15;
    NOT_SAME_DEVICE = 17;
    NO_MORE_FILES = 18;
    GEN_FAILURE = 31;
    HANDLE_EOF = 38;
    NOT_SUPPORTED = 50;
    FILE_EXISTS = 80;
    INVALID_PARAMETER = 87;
    BUFFER_OVERFLOW = 111;
    CALL_NOT_IMPLEMENTED = 120;
    SEM_TIMEOUT = 121;
    INSUFFICIENT_BUFFER = 122;
    INVALID_NAME = 123;
    MOD_NOT_FOUND = 126;
    PROC_NOT_FOUND = 127;
    NEGATIVE_SEEK = 131;
    DISCARDED = 157;
    NOT_LOCKED = 158;
    BAD_ARGUMENTS = 160;
    BAD_PATHNAME = 161;
    ALREADY_EXISTS = 183;
    ENVVAR_NOT_FOUND = 203;
    FILENAME_EXCED_RANGE = 206;
    MORE_DATA = 234;
    NO_WORK_DONE = 235;
    NO_MORE_ITEMS = 259;
    DIRECTORY = 267;
    INVALID_ADDRESS = 487;
    IO_INCOMPLETE = 996;
    IO_PENDING = 997;
    NOACCESS = 998;
    INVALID_FLAGS = 1004;
    NO_UNICODE_TRANSLATION = 1113;
    DLL_INIT_FAILED = 1114;
    ALREADY_FIBER = 1280;
    ALREADY_THREAD = 1281;
    NO_TOKEN = 1008;
    NOT_FOUND = 1168;
    NO_SYSTEM_RESOURCES = 1450;
    INTERNAL_ERROR = 1359;
    TIMEOUT = 1460;
    RESOURCE_DATA_NOT_FOUND = 1812;
    RESOURCE_TYPE_NOT_FOUND = 1813;
    RESOURCE_NAME_NOT_FOUND = 1814;
    RESOURCE_LANG_NOT_FOUND = 1815;
    MR_MID_NOT_FOUND = 317;
}
