// What is destroyed and in which order, when blocks are inside of blocks, loops and calls. Expectations are those of the C++
// standard, and a run-time for x86 that is compatible with Windows' meets them.
#include "cxx_checks.h"

extern "C" __declspec(dllimport) int __uncaught_exceptions(void);

__declspec(noinline) static void raise(int what) {
    if (what)
        throw what;
}

__declspec(noinline) static void order() {
    try {
        Local a('a');
        {
            Local b('b');
        }
        Local c('c');
        raise(1);
        Local d('d');
    } catch (int) {
        Local e('e');
        tell('1');
    }
    check(was("bca1e"), "the last constructed goes first, what was not constructed does not");

    for (int round = 0; round < 3; round++) {
        Local a('a');
        try {
            Local b('b');
            raise(round);
            tell('n');
        } catch (int what) {
            tell_number(what);
            if (round == 1)
                continue;
            break;
        }
        tell('-');
    }
    check(was("nb-ab1ab2a"), "blocks may be left by continue and break");
}

struct Member {
    Local first, second;
    explicit Member(int fail) : first('f'), second('s') { raise(fail); }
    ~Member() { tell('M'); }
};

struct Derived : Local {
    Member member;
    explicit Derived(int fail) try : Local('L'), member(fail) {
    } catch (int) {
        tell('H');
    }
};

struct Element {
    static int made;
    int number;
    Element() : number(made) {
        raise(made == 3 ? 5 : 0);
        made++;
    }
    ~Element() { tell_number(number); }
};
int Element::made;

__declspec(noinline) static void constructors() {
    try {
        Member member(1);
        tell('x');
    } catch (int) {
        tell('c');
    }
    check(was("sfc"), "of an object that was not made the members go, but not the object");
    try {
        Derived derived(2);
        tell('x');
    } catch (int) {
        tell('c');
    }
    check(was("sfLHc"), "a constructor's own handler comes behind members and bases, and throws again");
    try {
        Element elements[5];
        tell('x');
    } catch (int) {
        tell('c');
    }
    check(was("210c"), "of an array what was made goes backwards");
}

// Handles an exception of its own while another one is on its way.
struct Busy {
    ~Busy() {
        tell_number(__uncaught_exceptions());
        try {
            Local inner('i');
            throw 2.5;
        } catch (double) {
            tell_number(__uncaught_exceptions());
        }
        tell('B');
    }
};

__declspec(noinline) static void in_destructors() {
    check(__uncaught_exceptions() == 0, "nothing is on its way");
    try {
        Busy one;
        Busy two;
        raise(1);
    } catch (int) {
        tell_number(__uncaught_exceptions());
    }
    check(was("1i1B1i1B0"), "a destructor may handle exceptions while one is on its way");
}

__declspec(noinline) static void again() { throw; }

__declspec(noinline) static void nesting() {
    try {
        Local a('a');
        try {
            Local b('b');
            try {
                Local c('c');
                raise(1);
            } catch (double) {
                tell('x');
            }
        } catch (int what) {
            tell_number(what);
            Local d('d');
            try {
                Local e('e');
                raise(2);
            } catch (int inner) {
                tell_number(inner);
                Local f('f');
                raise(3);
            }
            tell('x');
        }
    } catch (int what) {
        tell_number(what);
    }
    check(was("cb1e2fda3"), "blocks in blocks, each left by another exception");

    try {
        try {
            raise(1);
        } catch (int) {
            try {
                raise(2);
            } catch (int) {
                tell('2');
            }
            tell('a');
            again();
        }
    } catch (int what) {
        tell_number(what);
    }
    check(was("2a1"), "throw; in a function throws what the innermost block that runs handles");

    try {
        try {
            raise(4);
        } catch (int) {
            try {
                throw;
            } catch (int what) {
                tell_number(what);
                try {
                    throw;
                } catch (...) {
                    tell('e');
                }
            }
            tell('b');
        }
        tell('c');
        raise(5);
    } catch (int what) {
        tell_number(what);
    }
    check(was("4ebc5"), "the same exception, three blocks deep");
}

__declspec(noinline) static int returns(int what) {
    Local a('a');
    try {
        Local b('b');
        raise(what);
    } catch (int inner) {
        Local c('c');
        try {
            raise(inner - 1);
        } catch (int) {
            return 10 + inner;
        }
        return 20 + inner;
    }
    return 30;
}

__declspec(noinline) static void returning() {
    check(returns(0) == 30 && was("ba"), "nothing thrown");
    check(returns(1) == 21 && was("bca"), "a return from a block");
    check(returns(2) == 12 && was("bca"), "a return from a block in a block");
}

static int deepest;

__declspec(noinline) static int recursive(int depth) {
    struct Count {
        ~Count() { deepest++; }
    } count;
    if (depth == 0)
        throw 77;
    return recursive(depth - 1) + 1;
}

// An exception at every level, each caught one level up.
__declspec(noinline) static int ladder(int depth) {
    if (depth == 0)
        throw 1;
    try {
        return ladder(depth - 1);
    } catch (int what) {
        throw what + 1;
    }
}

__declspec(noinline) static void depths() {
    try {
        recursive(300);
        check(false, "the recursion throws");
    } catch (int what) {
        check(what == 77 && deepest == 301, "300 frames are unwound");
    }
    try {
        ladder(20);
        check(false, "the ladder throws");
    } catch (int what) {
        check(what == 21, "20 blocks, one in the other's call");
    }
}

// What is in registers that functions keep stays there.
__declspec(noinline) static double kept(int rounds, double a, double b, double c, double d) {
    long long i = rounds, j = rounds * 3, k = rounds * 5, l = rounds * 7;
    for (int round = 0; round < rounds; round++) {
        a += 0.5;
        b += a;
        i += j ^ round;
        try {
            raise(round & 1);
            c += 1.0;
            k += 3;
        } catch (int) {
            d += 2.0;
            l += i;
        }
        j += l - k;
    }
    return a + b + c + d + static_cast<double>((i ^ j ^ k ^ l) & 0xFFFF);
}

__declspec(noinline) static double expected(int rounds, double a, double b, double c, double d) {
    long long i = rounds, j = rounds * 3, k = rounds * 5, l = rounds * 7;
    for (int round = 0; round < rounds; round++) {
        a += 0.5;
        b += a;
        i += j ^ round;
        if (round & 1) {
            d += 2.0;
            l += i;
        } else {
            c += 1.0;
            k += 3;
        }
        j += l - k;
    }
    return a + b + c + d + static_cast<double>((i ^ j ^ k ^ l) & 0xFFFF);
}

// A frame whose size is known at run time alone, with something that wants more alignment than the stack has.
__declspec(noinline) static int frames(int size) {
    alignas(128) volatile char aligned[128];
    volatile char *dynamic = static_cast<volatile char *>(__builtin_alloca(static_cast<size_t>(size)));
    for (int i = 0; i < size; i++)
        dynamic[i] = static_cast<char>(i);
    aligned[5] = 42;
    Local a('a');
    try {
        Local b('b');
        raise(size);
    } catch (int what) {
        int sum = what + aligned[5];
        for (int i = 0; i < size; i++)
            sum += dynamic[i];
        try {
            raise(sum);
        } catch (int again) {
            return again + static_cast<int>(reinterpret_cast<size_t>(aligned) & 127);
        }
    }
    return 0;
}

struct Big {
    char bytes[3000];
    int value;
};

__declspec(noinline) static int big(int value) {
    try {
        Big big = {};
        big.value = value;
        throw big;
    } catch (Big caught) {
        Big other = caught;
        try {
            throw other;
        } catch (const Big &reference) {
            return reference.value + caught.bytes[2999];
        }
    }
}

int main() {
    order();
    constructors();
    in_destructors();
    nesting();
    returning();
    depths();
    check(kept(1000, 1, 2, 3, 4) == expected(1000, 1, 2, 3, 4), "registers stay over a thousand rounds");
    check(frames(100) == 100 + 42 + 4950 && was("ba"), "a frame of any size");
    check(big(5) == 5, "an object larger than a page, twice");
    return finish();
}
