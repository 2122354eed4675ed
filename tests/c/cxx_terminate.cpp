// The ways in which C++ ends a program: the argument names one. The handler of set_terminate is called, once, and ends the
// process with 33; what was destroyed before is said as letters. Expectations are those of the C++ standard and of Microsoft's documentation.
#include <stdlib.h>
#include <string.h>

#include <exception>

#include "cxx_checks.h"

static void ended() {
    printf("terminate behind \"%s\"\n", story);
    exit(33);
}

struct Throws {
    ~Throws() noexcept(false) {
        tell('t');
        throw 2;
    }
};

__declspec(noinline) static void raise(int what) {
    Local a('a');
    if (what)
        throw what;
}

// The exception of a destructor leaves it while another one is on its way.
__declspec(noinline) static void destructor() {
    try {
        Throws throws;
        raise(1);
    } catch (int) {
        tell('c');
    }
}

// A destructor lets nothing out, unless it says so.
struct Silent {
    ~Silent() { raise(3); }
};
__declspec(noinline) static void silent_destructor() {
    try {
        Silent silent;
    } catch (int) {
        tell('c');
    }
}

__declspec(noinline) static void lets_nothing_out() noexcept {
    Local b('b');
    raise(1);
}
__declspec(noinline) static void no_exceptions() {
    try {
        lets_nothing_out();
    } catch (int) {
        tell('c');
    }
}

// The same where the compiler does not see what is called, and thinks that the block may be needed.
static void (*volatile hidden)() = reinterpret_cast<void (*)()>(lets_nothing_out);
__declspec(noinline) static void hidden_no_exceptions() {
    try {
        hidden();
    } catch (int) {
        tell('c');
    }
}

__declspec(noinline) static void nothing_to_throw() { throw; }

struct Copied {
    bool throws;
    explicit Copied(bool throws) : throws(throws) {}
    Copied(const Copied &other) noexcept(false) : throws(other.throws) {
        if (throws)
            raise(4);
    }
};
__declspec(noinline) static void copy() {
    static Copied copied(false);
    try {
        throw copied;
    } catch (Copied &caught) {
        caught.throws = true;
        try {
            throw;
        } catch (Copied again) {
            tell('x');
        }
    }
}

__declspec(noinline) static void direct() { std::terminate(); }

// No handler: the process ends with what the library has for it.
__declspec(noinline) static void no_handler() {
    std::set_terminate(nullptr);
    lets_nothing_out();
}

struct Interface {
    Interface();
    virtual void act() = 0;
    virtual ~Interface() {}
};
__declspec(noinline) static void act_on(Interface *on) { on->act(); }
Interface::Interface() { act_on(this); }
struct Implementation : Interface {
    void act() override { tell('i'); }
};
extern "C" void *_set_purecall_handler(void (*)());
__declspec(noinline) static void pure_call() {
    _set_purecall_handler(ended);
    Implementation implementation;
}

static const struct {
    const char *name;
    void (*function)();
} ways[] = {
    {"destructor", destructor},       {"silent", silent_destructor}, {"noexcept", no_exceptions},
    {"hidden", hidden_no_exceptions}, {"nothing", nothing_to_throw}, {"copy", copy},
    {"direct", direct},               {"default", no_handler},       {"pure", pure_call},
};

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    std::set_terminate(ended);
    for (const auto &way : ways) {
        if (strcmp(argv[1], way.name) == 0) {
            way.function();
            printf("it goes on behind \"%s\"\n", story);
            return 1;
        }
    }
    return 2;
}
