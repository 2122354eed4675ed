# For x86: SafeSEH, 32-bit relocations, an import by name, TLS.
    .text
    .globl @feat.00
    .set @feat.00, 1
    .globl _entry, _other
    .safeseh _handler
    .safeseh _handler2
_entry:
    pushl $_text
    calll *__imp__Beta
    movl _counter, %eax
    ret
_handler: ret
_handler2: ret
    .def _handler; .type 32; .endef
    .def _handler2; .type 32; .endef
_other: ret
    .section .rdata,"dr"
_text: .asciz "text"
    .p2align 2
    .globl __load_config_used
__load_config_used:
    .long 0x48, 0
    .short 0, 0
    .long 0, 0, 0, 0, 0, _locks, 0, 0, 0, 0
    .short 0, 0
    .long 0
    .long _counter
    .long ___safe_se_handler_table
    .long ___safe_se_handler_count
_locks: .long _entry, 0
    .globl __tls_used
__tls_used:
    .long 0, 0, _counter, _callbacks, 0, 0
_callbacks: .long _other, 0
    .data
_counter: .long 5
    .zero 0x200
