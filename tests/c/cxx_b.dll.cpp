// build: cxx_c.dll
// The second of three DLLs: hands on, and throws again.
#include "cxx_dlls.h"

int b_call(int what, note_function note, callback_function callback) {
    Noting noting = {note, 'b'};
    if (what != PASS_AGAIN)
        return c_call(what, note, callback);
    try {
        return c_call(what, note, callback);
    } catch (Base &caught) {
        note('2');
        caught.base++;
        throw;
    }
}
