#!/usr/bin/env python3
"""confined.py CALL[,CALL...] COMMAND [ARG...]: runs the command with these system calls forbidden by a seccomp filter, as a
container forbids them: they fail with EPERM. Numbers are those of x86-64."""
import ctypes
import os
import struct
import sys

NUMBERS = {'ptrace': 101, 'perf_event_open': 298, 'process_vm_readv': 310, 'memfd_create': 319}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
ALLOW, EPERM = 0x7fff0000, 0x00050001   # linux/seccomp.h: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM


def forbid(calls):
    program = [(LOAD, 0, 0, 0)]  # the number
    for i, call in enumerate(calls):
        program.append((EQUAL, len(calls) - i, 0, NUMBERS[call]))
    program += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, EPERM)]
    code = ctypes.create_string_buffer(b''.join(struct.pack('<HBBI', *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack('<HxxxxxxQ', len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(header), 0, 0) != 0:
        sys.exit(f'confined.py: {os.strerror(ctypes.get_errno())}')


if __name__ == '__main__':
    forbid(sys.argv[1].split(','))
    os.execvp(sys.argv[2], sys.argv[2:])
