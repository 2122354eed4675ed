@ For 32-bit ARM: the address in a pair of MOVW and MOVT.
    .syntax unified
    .thumb
    .text
    .globl entry
    .def entry; .type 32; .scl 2; .endef
    .thumb_func
entry:
    movw r0, :lower16:counter
    movt r0, :upper16:counter
    ldr r0, [r0]
    bx lr
    .data
    .globl counter
    .long 1, 2
counter: .long counter
