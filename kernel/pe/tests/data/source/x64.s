# Everything at once for x64: exports, imports, delayed imports, TLS, load configuration, unwind data.
    .text
    .globl entry, plain, framed, guarded
entry:
    .seh_proc entry
    subq $40, %rsp
    .seh_stackalloc 40
    .seh_endprologue
    callq *__imp_Alpha(%rip)
    callq *__imp_Hidden(%rip)
    callq Later
    callq Latest
    addq $40, %rsp
    ret
    .seh_endproc
plain:
    ret
    .p2align 4
framed:
    .seh_proc framed
    pushq %rbp
    .seh_pushreg %rbp
    pushq %rsi
    .seh_pushreg %rsi
    subq $0x12340, %rsp
    .seh_stackalloc 0x12340
    leaq 0x80(%rsp), %rbp
    .seh_setframe %rbp, 0x80
    movq %rbx, 0x100(%rsp)
    .seh_savereg %rbx, 0x100
    movaps %xmm6, 0x90(%rsp)
    .seh_savexmm %xmm6, 0x90
    movaps %xmm7, 0x123400(%rsp)
    .seh_savexmm %xmm7, 0x123400
    .seh_endprologue
    ret
    .seh_endproc
    .p2align 4
guarded:
    .seh_proc guarded
    .seh_handler handler, @except, @unwind
    subq $0x100000, %rsp
    .seh_stackalloc 0x100000
    .seh_endprologue
    nop
    addq $0x100000, %rsp
    ret
    .seh_handlerdata
    .long 1
    .rva guarded, guarded + 4
    .long 1
    .rva guarded + 8
    .text
    .seh_endproc
chained:
    nop
    ret
chained_end:
handler:
    ret

    .section .xdata,"dr"
    .p2align 2
chained_info:
    .byte 0x21, 0, 0, 0
    .rva framed, guarded, framed_info
framed_info:
    .byte 1, 0, 1, 0
    .short 0x0a00, 0
    .section .pdata,"dr"
    .rva chained, chained_end, chained_info

    .section .rdata,"dr"
    .p2align 3
    .globl _load_config_used
_load_config_used:
    .long 0x94, 0x11223344
    .short 6, 5
    .long 0x10, 0x20, 0x1388
    .quad 0, 0, 0, 0, 0
    .quad 3
    .long 0x40
    .short 0, 0
    .quad 0
    .quad cookie
    .quad 0, 0
    .quad guard_check, guard_dispatch
    .quad guard_table, 2
    .long 0x10000500
guard_check: .quad plain
guard_dispatch: .quad plain
guard_table:
    .rva plain
    .byte 0
    .rva handler
    .byte 2

    .globl _tls_used
    .p2align 3
_tls_used:
    .quad tls_start, tls_end, tls_index, tls_callbacks
    .long 16, 0x500000
tls_callbacks: .quad plain, handler, 0

    .data
cookie: .quad 0x2B992DDFA232
tls_index: .long 0
tls_start: .ascii "template"
tls_end:
    .p2align 3
    # A relocation across two pages: the page is 0x1000 bytes, the section begins with 20 bytes.
    .zero 4092 - 24
straddling: .quad plain
    .bss
    .zero 0x2000
    .section .shr,"dsw"
    .long 1
