// forks: makes a child by fork that does not exec, as C code may. The child overwrites slots a thousand times and exits,
// once by itself and once through os.Exit; it shares nothing with its parent but what is mapped shared. The parent then
// overwrites ten.
package main

import (
	"fmt"
	"os"
	"syscall"
)

//go:noinline
func refill(buf []uint64, n uint64) (sum uint64) {
	for i := uint64(0); i < n; i++ {
		buf = append(buf[:0], i, sum+1)
		sum += buf[0] ^ buf[1]
	}
	return sum
}

func forked(buf []uint64, politely bool) syscall.WaitStatus {
	pid, _, errno := syscall.RawSyscall(syscall.SYS_FORK, 0, 0, 0)
	if errno != 0 {
		panic(errno)
	}
	if pid == 0 { // one thread, no collector: only what needs neither
		code := int(refill(buf, 1000) % 100)
		if politely {
			os.Exit(code)
		}
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(code), 0, 0)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(int(pid), &status, 0, nil); err != nil {
		panic(err)
	}
	return status
}

func main() {
	buf := append(make([]uint64, 0, 4), 1, 2, 3)
	want := int(refill(buf, 1000) % 100)
	for _, politely := range []bool{false, true} {
		if status := forked(buf, politely); status.ExitStatus() != want {
			fmt.Println("child", politely, status)
		}
	}
	fmt.Println("parent", refill(buf, 10))
}
