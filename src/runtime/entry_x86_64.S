// Where trampolines enter the runtime, in the middle of a Go function, by JMP.
//
// The trampoline has made room below SP and saved RAX there; RAX holds the address of the abi::Site:
//
//   SP+136  resume address        SP+128  flags        SP+0 … SP+127  registers by hardware number (RAX at SP+0)
//
// Everything is saved, the stack switched to a private one (goroutine stacks are small: 800 bytes are sure), the handler
// called, everything restored, and control goes on at Site.resume with the machine state it had, flags included. No
// vector register is touched anywhere (-mgeneral-regs-only), no return address of ours is ever on a goroutine stack.
// Offsets are asserted in overwrite.cc.

        .intel_syntax noprefix

#define SITE_RESUME        8
#define SITE_SKIP          24
#define STATE_FREE_STACKS  0
#define STATE_CONTROL      8
#define STATE_STACKS       262176
#define STACK_SHIFT        13
#define CONTROL_NO_STACK   136
#define FRAME_BYTES        144

        .section .text.entry, "ax"
        // Objects, so that nobody takes them for instructions.
        .globl  geist_blob_header
        .type   geist_blob_header, @object
        .type   geist_blob_state, @object
geist_blob_header:
        .quad   0x626f6c6274736967              // magic
        .long   12                              // version
        .long   geist_blob_end - geist_blob_header
        .quad   0                               // build, written by the tool
        .long   geist_entry_event - geist_blob_header
        .long   geist_entry_exit - geist_blob_header
        .long   geist_entry_main - geist_blob_header
        .long   geist_entry_move - geist_blob_header
        .long   geist_entry_point - geist_blob_header
        .long   geist_entry_copy - geist_blob_header
        .size   geist_blob_header, . - geist_blob_header
geist_blob_state:
        .quad   0                               // address of State, written by the tool
        .long   0                               // region_size, written by the tool
        .long   0
        .size   geist_blob_state, . - geist_blob_state

        .macro  entry name, handler
        .globl  \name
\name:
        mov     [rsp + 8], rcx
        mov     rcx, [rax + SITE_SKIP]
        jrcxz   1f                              // the only test that leaves the flags alone
        lea     rcx, [rcx - 1]
        mov     [rax + SITE_SKIP], rcx          // not atomic: a lost decrement costs nothing
        jmp     geist_leave
1:
        mov     [rsp + 16], rdx
        mov     [rsp + 24], rbx
        lea     rcx, [rsp + FRAME_BYTES]
        mov     [rsp + 32], rcx                 // SP as the program had it
        mov     [rsp + 40], rbp
        mov     [rsp + 48], rsi
        mov     [rsp + 56], rdi
        mov     [rsp + 64], r8
        mov     [rsp + 72], r9
        mov     [rsp + 80], r10
        mov     [rsp + 88], r11
        mov     [rsp + 96], r12
        mov     [rsp + 104], r13
        mov     [rsp + 112], r14
        mov     [rsp + 120], r15
        pushfq
        pop     qword ptr [rsp + 128]
        mov     rcx, [rax + SITE_RESUME]
        mov     [rsp + 136], rcx
        mov     rdi, rax
        mov     rsi, rsp
        lea     r14, [rip + \handler]
        jmp     geist_enter
        .endm

        entry   geist_entry_event, geist_on_overwrite
        entry   geist_entry_exit, geist_on_exit
        entry   geist_entry_main, geist_on_main_return
        entry   geist_entry_move, geist_on_stack_moved
        entry   geist_entry_point, geist_on_point
        entry   geist_entry_copy, geist_on_copy

// A hot site's append that is not looked at: RAX and RCX are all that was touched.
geist_leave:
        mov     rcx, [rax + SITE_RESUME]
        mov     [rsp + 136], rcx
        mov     rcx, [rsp + 8]
        mov     rax, [rsp + 0]
        lea     rsp, [rsp + FRAME_BYTES]
        jmp     [rsp - 8]

// RDI site, RSI saved registers (= SP), R14 handler.
geist_enter:
        mov     rbx, [rip + geist_blob_state]
        mov     rax, [rbx + STATE_FREE_STACKS]
1:      test    rax, rax
        jz      3f
        bsf     rcx, rax
        mov     rdx, rax
        btr     rdx, rcx
        lock cmpxchg [rbx + STATE_FREE_STACKS], rdx
        jne     1b                              // RAX now holds the newer value
        mov     r12, rsp
        mov     r13, rcx
        inc     rcx
        shl     rcx, STACK_SHIFT
        lea     rsp, [rbx + rcx + STATE_STACKS]
        mov     rdx, rbx
        call    r14                             // handler(site, registers, state)
        mov     rsp, r12
        mov     eax, 1
        mov     rcx, r13
        shl     rax, cl
        lock or [rbx + STATE_FREE_STACKS], rax
2:      push    qword ptr [rsp + 128]
        popfq
        mov     rax, [rsp + 0]
        mov     rcx, [rsp + 8]
        mov     rdx, [rsp + 16]
        mov     rbx, [rsp + 24]
        mov     rbp, [rsp + 40]
        mov     rsi, [rsp + 48]
        mov     rdi, [rsp + 56]
        mov     r8, [rsp + 64]
        mov     r9, [rsp + 72]
        mov     r10, [rsp + 80]
        mov     r11, [rsp + 88]
        mov     r12, [rsp + 96]
        mov     r13, [rsp + 104]
        mov     r14, [rsp + 112]
        mov     r15, [rsp + 120]
        lea     rsp, [rsp + FRAME_BYTES]        // LEA leaves the flags alone
        jmp     [rsp - 8]
3:      mov     rcx, [rbx + STATE_CONTROL]
        test    rcx, rcx                        // a forked child: nobody watches it, nothing is counted
        jz      2b
        lock inc qword ptr [rcx + CONTROL_NO_STACK]
        jmp     2b

        .section .note.GNU-stack, "", @progbits
