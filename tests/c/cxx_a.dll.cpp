// build: cxx_b.dll cxx_c.dll
// The first of three DLLs: catches what nobody knows of here, and what the program does not see.
#include "cxx_dlls.h"

int a_call(int what, note_function note, callback_function callback) {
    Noting noting = {note, 'a'};
    try {
        return b_call(what, note, callback);
    } catch (double) {
        note('?');
        return -1;
    } catch (const Unrelated &caught) {
        note('A');
        return caught.number;
    }
}
