/* C's output, on the console: what the kit's library has of <stdio.h>. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
typedef struct kit_file FILE;
extern FILE *const kit_stdout;
extern FILE *const kit_stderr;
#define stdout kit_stdout
#define stderr kit_stderr
#define EOF (-1)
int printf(const char *format, ...);
int fprintf(FILE *file, const char *format, ...);
int vprintf(const char *format, va_list arguments);
int vfprintf(FILE *file, const char *format, va_list arguments);
int snprintf(char *to, size_t size, const char *format, ...);
int vsnprintf(char *to, size_t size, const char *format, va_list arguments);
int puts(const char *text);
int putchar(int letter);
int fputs(const char *text, FILE *file);
size_t fwrite(const void *from, size_t size, size_t count, FILE *file);
int fflush(FILE *file);
#ifdef __cplusplus
}
#endif
