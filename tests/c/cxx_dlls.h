/* What three DLLs and a program know of each other: the program calls a_call, which calls b_call, which calls c_call. */
#pragma once

#define EXPORT __declspec(dllexport)

enum { THROW_INT, THROW_DERIVED, THROW_POINTER, CALL_BACK, CATCH_IN_C, PASS_AGAIN, NOTHING };

typedef void (*note_function)(char what);
typedef int (*callback_function)(int what);

/* Each image has its own functions of this class. */
struct Unrelated {
    int number;
    virtual ~Unrelated() {}
};

/* The functions of this class are in the last DLL, and nobody else's. */
struct Base {
    static int living;
    int base = 10;
    Base();
    Base(const Base &other);
    virtual ~Base();
    virtual int who() const;
};

/* Notes when it goes. */
struct Noting {
    note_function note;
    char what;
    ~Noting() { note(what); }
};

extern "C" {
EXPORT int a_call(int what, note_function note, callback_function callback);
EXPORT int b_call(int what, note_function note, callback_function callback);
EXPORT int c_call(int what, note_function note, callback_function callback);
EXPORT int c_living(void);
}
