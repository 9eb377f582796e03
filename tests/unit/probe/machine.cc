// See machine.h.
#include "machine.h"

asm(R"(
        .intel_syntax noprefix
        .text
        .globl geist_test_enter
        .globl geist_test_exit
geist_test_enter:
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        mov [rip + geist_test_sp], rsp
        mov [rip + geist_test_state], rdi
        mov [rip + geist_test_target], rsi
        mov [rip + geist_test_stack], rdx
        mov rsp, rdx
        mov rax, [rdi]
        mov rcx, [rdi + 8]
        mov rdx, [rdi + 16]
        mov rbx, [rdi + 24]
        mov rbp, [rdi + 40]
        mov rsi, [rdi + 48]
        mov r8, [rdi + 64]
        mov r9, [rdi + 72]
        mov r10, [rdi + 80]
        mov r11, [rdi + 88]
        mov r12, [rdi + 96]
        mov r13, [rdi + 104]
        mov r14, [rdi + 112]
        mov r15, [rdi + 120]
        mov rdi, [rdi + 56]
        jmp [rip + geist_test_target]
geist_test_exit:
        pushfq
        push rax
        mov rax, [rip + geist_test_state]
        mov [rax + 8], rcx
        pop rcx
        mov [rax], rcx
        pop rcx
        mov [rax + 128], rcx
        pop rcx
        mov [rax + 136], rcx
        mov [rax + 16], rdx
        mov [rax + 24], rbx
        mov rcx, rsp
        sub rcx, [rip + geist_test_stack]
        mov [rax + 32], rcx
        mov [rax + 40], rbp
        mov [rax + 48], rsi
        mov [rax + 56], rdi
        mov [rax + 64], r8
        mov [rax + 72], r9
        mov [rax + 80], r10
        mov [rax + 88], r11
        mov [rax + 96], r12
        mov [rax + 104], r13
        mov [rax + 112], r14
        mov [rax + 120], r15
        mov rsp, [rip + geist_test_sp]
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        cld
        ret
        .local geist_test_sp
        .comm geist_test_sp, 8, 8
        .local geist_test_state
        .comm geist_test_state, 8, 8
        .local geist_test_target
        .comm geist_test_target, 8, 8
        .local geist_test_stack
        .comm geist_test_stack, 8, 8
        .att_syntax
)");
