/* Output: a line at a time, so that lines of several threads stay whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

struct kit_file {
    DWORD which;
    SRWLOCK lock;
    size_t used;
    char text[1024];
};

static struct kit_file output = {.which = STD_OUTPUT_HANDLE}, error = {.which = STD_ERROR_HANDLE};
FILE *const kit_stdout = &output;
FILE *const kit_stderr = &error;

/* With the file's lock. */
static int flush(FILE *file) {
    size_t done = 0;
    while (done < file->used) {
        DWORD written = 0;
        if (!WriteFile(GetStdHandle(file->which), file->text + done, (DWORD)(file->used - done), &written, NULL) ||
            !written) {
            file->used = 0;
            return EOF;
        }
        done += written;
    }
    file->used = 0;
    return 0;
}

size_t fwrite(const void *from, size_t size, size_t count, FILE *file) {
    const char *bytes = from;
    size_t length = size * count;
    int failed = 0;
    AcquireSRWLockExclusive(&file->lock);
    for (size_t i = 0; i < length; i++) {
        if (file->used == sizeof file->text)
            failed |= flush(file);
        file->text[file->used++] = bytes[i];
        if (bytes[i] == '\n')
            failed |= flush(file);
    }
    ReleaseSRWLockExclusive(&file->lock);
    return failed ? 0 : count;
}

int fflush(FILE *file) {
    if (!file)
        return fflush(kit_stdout) | fflush(kit_stderr);
    AcquireSRWLockExclusive(&file->lock);
    int result = flush(file);
    ReleaseSRWLockExclusive(&file->lock);
    return result;
}

/* What was printed is shown even if no line was ended. */
static void flush_all(void) { fflush(NULL); }

static int at_start(void) { return atexit(flush_all); }
#pragma section(".CRT$XIU", read)
__declspec(allocate(".CRT$XIU")) int (*const flush_at_exit)(void) = at_start;

int vsnprintf(char *to, size_t size, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = size ? _vsnprintf(to, size, format, arguments) : -1;
    if (length < 0 || (size_t)length >= size) {
        if (size)
            to[size - 1] = 0;
        /* ntdll's function says no length when there is not enough room. */
        length = _vsnprintf(NULL, 0, format, again);
    }
    va_end(again);
    return length;
}

int snprintf(char *to, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return length;
}

int vfprintf(FILE *file, const char *format, va_list arguments) {
    char text[2048];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0)
        return length;
    size_t shown = (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
    return fwrite(text, 1, shown, file) == shown ? length : EOF;
}

int fprintf(FILE *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vfprintf(file, format, arguments);
    va_end(arguments);
    return length;
}

int vprintf(const char *format, va_list arguments) { return vfprintf(kit_stdout, format, arguments); }

int printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vfprintf(kit_stdout, format, arguments);
    va_end(arguments);
    return length;
}

int fputs(const char *text, FILE *file) {
    size_t length = strlen(text);
    return fwrite(text, 1, length, file) == length ? 0 : EOF;
}

int puts(const char *text) {
    return fputs(text, kit_stdout) == EOF || putchar('\n') == EOF ? EOF : 0;
}

int putchar(int letter) {
    char byte = (char)letter;
    return fwrite(&byte, 1, 1, kit_stdout) == 1 ? (unsigned char)byte : EOF;
}
