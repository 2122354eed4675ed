/* Writes where there is nothing, and has no handler. */
__declspec(noinline) static void write_to(volatile int *place) { *place = 1; }

int main(void) {
    write_to((volatile int *)0x30);
    return 0;
}
