// Eight threads raise exceptions without a pause, 100,000 each or as many as the argument says: of C++ and of the system,
// through frames of both kinds, as many as a generator with a known seed says. Each handler, filter, __finally block and
// destructor is counted, and the generator says how many there must be.
#include <stdlib.h>
#include <windows.h>

#include "checks.h"

#define OWN 0xE0001234
#define DEEPEST 12

enum { THREADS = 8 };

struct Counts {
    ULONGLONG handlers, filters, finals, destructors, resumed;
    bool operator==(const Counts &other) const {
        return handlers == other.handlers && filters == other.filters && finals == other.finals &&
               destructors == other.destructors && resumed == other.resumed;
    }
};

struct Thread {
    unsigned seed;
    unsigned rounds;
    Counts seen, expected;
    // What goes wrong otherwise.
    ULONGLONG wrong;
    // The frames of the round, a bit for each: 1 for one of C.
    unsigned frames;
    int value;
};

enum Kind { CXX, CXX_AGAIN, CXX_IN_CATCH, SYSTEM, SYSTEM_CONTINUED, KINDS };

static unsigned next(Thread &thread) {
    unsigned x = thread.seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return thread.seed = x;
}

struct Counted {
    Thread &thread;
    explicit Counted(Thread &thread) : thread(thread) {}
    ~Counted() { thread.seen.destructors++; }
};

struct Thrown {
    int value;
    Thread &thread;
    Thrown(int value, Thread &thread) : value(value), thread(thread) {}
    Thrown(const Thrown &other) = default;
    ~Thrown() { thread.seen.destructors++; }
};

__declspec(noinline) static void raise(Thread &thread, Kind kind) {
    const ULONG_PTR parameters[] = {static_cast<ULONG_PTR>(thread.value)};
    switch (kind) {
    case SYSTEM:
        RaiseException(OWN, EXCEPTION_NONCONTINUABLE, 1, parameters);
        break;
    case SYSTEM_CONTINUED:
        RaiseException(OWN, 0, 1, parameters);
        thread.seen.resumed++;
        return;
    default:
        throw Thrown(thread.value, thread);
    }
    thread.wrong++;
}

static void descend(Thread &thread, Kind kind, unsigned depth);

__declspec(noinline) static void cxx_frame(Thread &thread, Kind kind, unsigned depth) {
    Counted counted(thread);
    descend(thread, kind, depth);
}

__declspec(noinline) static void c_frame(Thread &thread, Kind kind, unsigned depth) {
    __try {
        descend(thread, kind, depth);
    } __finally {
        thread.seen.finals++;
    }
}

static void descend(Thread &thread, Kind kind, unsigned depth) {
    if (depth == 0)
        raise(thread, kind);
    else if (thread.frames >> depth & 1)
        c_frame(thread, kind, depth - 1);
    else
        cxx_frame(thread, kind, depth - 1);
}

__declspec(noinline) static void caught(Thread &thread, const Thrown &thrown) {
    thread.seen.handlers++;
    if (thrown.value != thread.value || &thrown.thread != &thread)
        thread.wrong++;
}

__declspec(noinline) static void with_catch(Thread &thread, Kind kind, unsigned depth) {
    try {
        descend(thread, kind, depth);
        if (kind < SYSTEM)
            thread.wrong++;
    } catch (const Thrown &thrown) {
        caught(thread, thrown);
        if (kind == CXX_AGAIN)
            throw;
        if (kind == CXX_IN_CATCH) {
            Counted counted(thread);
            throw Thrown(thread.value, thread);
        }
    }
}

__declspec(noinline) static void with_two(Thread &thread, Kind kind, unsigned depth) {
    try {
        with_catch(thread, kind, depth);
        if (kind == CXX_AGAIN || kind == CXX_IN_CATCH)
            thread.wrong++;
    } catch (Thrown thrown) {
        caught(thread, thrown);
    }
}

static int filter(Thread &thread, Kind kind, EXCEPTION_POINTERS *pointers) {
    EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    thread.seen.filters++;
    if (record->ExceptionCode != OWN || record->ExceptionInformation[0] != static_cast<ULONG_PTR>(thread.value))
        thread.wrong++;
    return kind == SYSTEM ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_EXECUTION;
}

__declspec(noinline) static void with_except(Thread &thread, Kind kind, unsigned depth) {
    __try {
        with_two(thread, kind, depth);
    } __except (filter(thread, kind, GetExceptionInformation())) {
        thread.seen.handlers++;
    }
}

// What the round must count.
static void expect(Counts &counts, Kind kind, unsigned frames, unsigned depth) {
    unsigned c = 0;
    for (unsigned level = 1; level <= depth; level++)
        c += frames >> level & 1;
    counts.finals += c;
    if (kind != SYSTEM)
        counts.destructors += depth - c;
    switch (kind) {
    case CXX:
        // The object.
        counts.destructors++;
        counts.handlers++;
        break;
    case CXX_AGAIN:
        // It and its copy.
        counts.destructors += 2;
        counts.handlers += 2;
        break;
    case CXX_IN_CATCH:
        // Two objects, a copy, and the local of the block.
        counts.destructors += 4;
        counts.handlers += 2;
        break;
    case SYSTEM:
        counts.filters++;
        counts.handlers++;
        break;
    default:
        counts.filters++;
        counts.resumed++;
        break;
    }
}

static DWORD WINAPI run(LPVOID argument) {
    Thread &thread = *static_cast<Thread *>(argument);
    for (unsigned round = 0; round < thread.rounds; round++) {
        const unsigned random = next(thread);
        const Kind kind = static_cast<Kind>(random % KINDS);
        const unsigned depth = random / KINDS % DEEPEST;
        thread.frames = next(thread);
        thread.value = static_cast<int>(round);
        expect(thread.expected, kind, thread.frames, depth);
        with_except(thread, kind, depth);
    }
    return 0;
}

int main(int argc, char **argv) {
    static Thread threads[THREADS];
    HANDLE handles[THREADS];
    const unsigned rounds = argc > 1 ? static_cast<unsigned>(atoi(argv[1])) : 100000;
    for (int i = 0; i < THREADS; i++) {
        threads[i].seed = 12345u + 7919u * static_cast<unsigned>(i);
        threads[i].rounds = rounds;
        handles[i] = CreateThread(nullptr, 0, run, &threads[i], 0, nullptr);
        check(handles[i] != nullptr, "a thread starts");
    }
    Counts all = {};
    for (int i = 0; i < THREADS; i++) {
        check(WaitForSingleObject(handles[i], INFINITE) == WAIT_OBJECT_0, "and ends");
        check(threads[i].seen == threads[i].expected, "handlers, filters, __finally blocks and destructors as often as expected");
        check(threads[i].wrong == 0, "and nothing else");
        all.handlers += threads[i].seen.handlers;
        all.finals += threads[i].seen.finals;
        all.destructors += threads[i].seen.destructors;
        all.resumed += threads[i].seen.resumed;
    }
    printf("%llu handlers, %llu __finally blocks, %llu destructors, %llu continued\n", all.handlers, all.finals,
           all.destructors, all.resumed);
    return finish();
}
