// For ARM64: packed and full unwind data.
    .text
    .globl entry, full, split
entry:
    .seh_proc entry
    stp x29, x30, [sp, #-32]!
    .seh_save_fplr_x 32
    mov x29, sp
    .seh_set_fp
    .seh_endprologue
    nop
    .seh_startepilogue
    ldp x29, x30, [sp], #32
    .seh_save_fplr_x 32
    .seh_endepilogue
    ret
    .seh_endfunclet
    .seh_endproc
full:
    .seh_proc full
    .seh_handler handler, @except, @unwind
    sub sp, sp, #0x8000
    .seh_stackalloc 0x8000
    stp x19, x20, [sp, #16]
    .seh_save_regp x19, 16
    str x21, [sp, #32]
    .seh_save_reg x21, 32
    stp d8, d9, [sp, #48]
    .seh_save_fregp d8, 48
    str d10, [sp, #64]
    .seh_save_freg d10, 64
    stp x23, x30, [sp, #80]
    .seh_save_lrpair x23, 80
    add x29, sp, #96
    .seh_add_fp 96
    .seh_nop
    nop
    .seh_endprologue
    cbz x0, 1f
    nop
    .seh_startepilogue
    sub sp, x29, #96
    .seh_add_fp 96
    add sp, sp, #0x8000
    .seh_stackalloc 0x8000
    .seh_endepilogue
    ret
1:  nop
    .seh_startepilogue
    add sp, sp, #0x8000
    .seh_stackalloc 0x8000
    .seh_endepilogue
    ret
    .seh_handlerdata
    .long 0x12345678
    .text
    .seh_endproc
split:
    .seh_proc split
    stp x19, x20, [sp, #-64]!
    .seh_save_r19r20_x 64
    stp x21, x22, [sp, #16]
    .seh_save_next
    stp d8, d9, [sp, #-16]!
    .seh_save_fregp_x d8, 16
    str d14, [sp, #-16]!
    .seh_save_freg_x d14, 16
    str x28, [sp, #-16]!
    .seh_save_reg_x x28, 16
    stp x24, x25, [sp, #-32]!
    .seh_save_regp_x x24, 32
    sub sp, sp, #32
    .seh_stackalloc 32
    sub sp, sp, #0x100000
    .seh_stackalloc 0x100000
    .seh_endprologue
    ret
    .seh_endproc
handler:
    ret
    .section .rdata,"dr"
table: .xword entry, full
