// The last of three DLLs: throws things, and calls back into the program.
#include "cxx_dlls.h"

struct Derived : Base {
    int derived = 77;
    int who() const override { return 3; }
};

Base::Base() { living++; }
Base::Base(const Base &other) : base(other.base) { living++; }
Base::~Base() { living--; }
int Base::who() const { return 1; }
int Base::living;

int c_living(void) { return Base::living; }

int c_call(int what, note_function note, callback_function callback) {
    Noting noting = {note, 'c'};
    switch (what) {
    case THROW_INT:
        throw 5;
    case THROW_DERIVED:
        throw Derived();
    case THROW_POINTER: {
        static Derived derived;
        throw static_cast<Base *>(&derived);
    }
    case CALL_BACK:
        return callback(what) + 1;
    case CATCH_IN_C:
        try {
            return callback(what);
        } catch (const Base &caught) {
            note('C');
            return 100 + caught.who();
        }
    case PASS_AGAIN:
        try {
            return callback(what);
        } catch (...) {
            note('1');
            throw;
        }
    default:
        return 0;
    }
}
