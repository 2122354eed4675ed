/* Where programs in C begin: initialisers and arguments. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

int main(int argc, char **argv, char **environment);

typedef int (*initialiser)(void);
typedef void (*constructor)(void);
extern const initialiser __xi_a, __xi_z;
extern const constructor __xc_a, __xc_z;

static int initialise(void) {
    for (const initialiser *each = &__xi_a; each < &__xi_z; each++)
        if (*each && (*each)() != 0)
            return 0;
    for (const constructor *each = &__xc_a; each < &__xc_z; each++)
        if (*each)
            (*each)();
    return 1;
}

/* The next argument of a command line, by the rules of Microsoft's library; `first` for the program's name, in which a
   backslash means nothing. Writes it to `to`, and gives what follows. */
static const WCHAR *take_argument(const WCHAR *from, WCHAR *to, int first) {
    int quoted = 0;
    for (; *from && (quoted || (*from != ' ' && *from != '\t')); from++) {
        size_t slashes = 0;
        while (!first && from[slashes] == '\\')
            slashes++;
        if (slashes && from[slashes] == '"') {
            for (size_t i = 0; i < slashes / 2; i++)
                *to++ = '\\';
            if (slashes % 2) {
                *to++ = '"';
                from += slashes;
                continue;
            }
            from += slashes;
        } else if (slashes) {
            for (size_t i = 0; i < slashes; i++)
                *to++ = '\\';
            from += slashes - 1;
            continue;
        }
        if (*from == '"') {
            if (quoted && !first && from[1] == '"') {
                *to++ = '"';
                from++;
            } else {
                quoted = !quoted;
            }
            continue;
        }
        *to++ = *from;
    }
    *to = 0;
    while (*from == ' ' || *from == '\t')
        from++;
    return from;
}

static char *narrow(const WCHAR *wide) {
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = size > 0 ? malloc((size_t)size) : NULL;
    if (text)
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    return text;
}

/* Starts a program; arguments are given in UTF-8. */
void mainCRTStartup(void) {
    const WCHAR *line = GetCommandLineW();
    size_t length = wcslen(line);
    WCHAR *word = malloc((length + 1) * sizeof *word);
    char **argv = malloc((length + 2) * sizeof *argv);
    int argc = 0;
    if (!word || !argv)
        ExitProcess(STATUS_NO_MEMORY);
    do {
        line = take_argument(line, word, argc == 0);
        argv[argc] = narrow(word);
        if (!argv[argc])
            ExitProcess(STATUS_NO_MEMORY);
        argc++;
    } while (*line);
    argv[argc] = NULL;
    free(word);
    if (!initialise())
        ExitProcess(255);
    exit(main(argc, argv, NULL));
}
