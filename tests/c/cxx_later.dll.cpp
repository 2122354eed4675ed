// A DLL that a program loads when it runs: throws the number that it is given.
#include "cxx_dlls.h"

extern "C" EXPORT int later_call(int what, note_function note, callback_function) {
    Noting noting = {note, 'l'};
    if (what)
        throw what;
    return 0;
}
