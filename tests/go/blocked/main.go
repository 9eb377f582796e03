// Waits in system calls of its own and looks at what they return: a stop by ptrace must not show, so no EINTR. Starts
// threads all the time; with "children" processes (vfork), whose ends send signals, so that nothing is asked of the calls
// then. With "leave" the main thread ends and the others go on.
//
// Prints "ready PID", runs until standard input ends, then how many calls failed.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

var failed atomic.Int64
var over atomic.Bool

func complain(call string, err error) {
	if over.Load() {
		return
	}
	failed.Add(1)
	fmt.Fprintln(os.Stderr, "failed:", call, err)
}

func sleep() {
	for !over.Load() {
		start := time.Now()
		t := syscall.NsecToTimespec(int64(50 * time.Millisecond))
		var left syscall.Timespec
		if _, _, e := syscall.Syscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), uintptr(unsafe.Pointer(&left)), 0); e != 0 {
			complain("nanosleep", e)
		}
		if d := time.Since(start); d < 50*time.Millisecond {
			complain("nanosleep", fmt.Errorf("slept %v of 50 ms", d))
		}
	}
}

// Each waits forever in its call; that it comes back at all is wrong.
func read(fd int) {
	var b [1]byte
	n, _, e := syscall.Syscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b)), 1)
	complain("read", fmt.Errorf("%d, %v", int(n), e))
}

func futex(word *uint32) {
	const wait = 0
	n, _, e := syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), wait, 0, 0, 0, 0)
	complain("futex", fmt.Errorf("%d, %v", int(n), e))
}

func epoll(fd int) {
	var events [1]syscall.EpollEvent
	n, err := syscall.EpollWait(fd, events[:], -1)
	complain("epoll_wait", fmt.Errorf("%d, %v", n, err))
}

func children() {
	for !over.Load() {
		if err := exec.Command("/bin/true").Run(); err != nil {
			complain("exec", err)
		}
	}
}

func threads() {
	for !over.Load() {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
			var s []byte
			for i := 0; i < 1000; i++ {
				s = append(s[:i%10], byte(i))
			}
			close(done)
		}()
		<-done
		time.Sleep(2 * time.Millisecond)
	}
}

func init() { runtime.LockOSThread() }

func main() {
	// By Syscall, not RawSyscall: Go itself interrupts a thread that is in the latter for long, to preempt its goroutine.
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		panic(err)
	}
	ep, err := syscall.EpollCreate1(0)
	if err != nil {
		panic(err)
	}
	var word uint32
	if len(os.Args) > 1 && os.Args[1] == "children" {
		go children()
	} else {
		go read(p[0])
		go futex(&word)
		go epoll(ep)
		go sleep()
	}
	go threads()
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready", os.Getpid())
	if len(os.Args) > 1 && os.Args[1] == "leave" {
		syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
	}
	io.Copy(io.Discard, os.Stdin)
	over.Store(true)
	fmt.Println("failed", failed.Load())
}
