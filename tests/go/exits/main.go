// Ends in the way its first argument names, after some appends that overwrite a reused buffer.
package main

import (
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type node struct {
	next *node
	buf  []byte
}

func work() int {
	n := &node{}
	for i := 0; i < 100; i++ {
		n.buf = append(n.buf[:0], strconv.Itoa(i)...)
	}
	return len(n.buf)
}

func recurse(n *node) int { return 1 + recurse(&node{next: n}) }

// die sends itself the signal; Go ignores some of those that would end other programs.
func die(sig syscall.Signal) {
	syscall.Kill(syscall.Getpid(), sig)
	time.Sleep(300 * time.Millisecond)
	fmt.Println("survived")
}

func main() {
	how := "return"
	if len(os.Args) > 1 {
		how = os.Args[1]
	}
	fmt.Println("work", work())
	fmt.Fprintln(os.Stderr, "about to", how)
	switch how {
	case "return":
	case "exit":
		code, _ := strconv.Atoi(os.Args[2])
		os.Exit(code)
	case "exit-goroutine":
		go func() { os.Exit(5) }()
		select {}
	case "panic":
		panic("on purpose")
	case "panic-error":
		panic(fmt.Errorf("wrapped: %w", os.ErrNotExist))
	case "panic-goroutine":
		go func() { panic("in a goroutine") }()
		select {}
	case "recover":
		func() {
			defer func() { fmt.Println("recovered", recover()) }()
			var s []int
			_ = s[work()]
		}()
	case "nil":
		var n *node
		fmt.Println(n.next)
	case "recover-nil":
		func() {
			defer func() { fmt.Println("recovered", recover()) }()
			var n *node
			fmt.Println(n.next)
		}()
	case "map":
		var m map[string]int
		m["x"] = work()
	case "deadlock":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	case "goexit":
		go func() {
			time.Sleep(20 * time.Millisecond)
			os.Exit(6)
		}()
		runtime.Goexit()
	case "fatal":
		log.SetFlags(0)
		log.Fatal("fatal")
	case "overflow":
		fmt.Println(recurse(nil))
	case "signal":
		n, _ := strconv.Atoi(os.Args[2])
		die(syscall.Signal(n))
	default:
		fmt.Println("what is", how)
		os.Exit(99)
	}
}
