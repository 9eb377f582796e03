// Gives up its rights in the ways that servers do, and works on: another user, not dumpable, no new
// privileges.
package main

import (
	"fmt"
	"strconv"
	"syscall"
)

func main() {
	if syscall.Getuid() == 0 {
		fmt.Println(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534))
	}
	const setDumpable, setNoNewPrivs = 4, 38
	_, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, setDumpable, 0, 0, 0, 0, 0)
	fmt.Println(err)
	_, _, err = syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0)
	fmt.Println(err)
	var buf []byte
	sum := 0
	for i := 0; i < 100000; i++ {
		buf = strconv.AppendInt(buf[:0], int64(i), 10)
		sum += len(buf)
	}
	fmt.Println(sum, syscall.Getuid())
}
