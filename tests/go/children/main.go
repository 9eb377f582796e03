// Starts children in all the ways Go has: a shell, itself, many at once, and itself by exec.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

func child(n string) string {
	cmd := exec.Command(os.Args[0], "child", n)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = os.Stderr
	err := cmd.Run()
	return fmt.Sprint(out.String(), " ", err)
}

func main() {
	buf := make([]byte, 0, 32)
	for i := 0; i < 50; i++ {
		buf = append(buf[:0], fmt.Sprint("round ", i)...)
	}
	if len(os.Args) > 2 && os.Args[1] == "child" {
		fmt.Printf("child %s after %s", os.Args[2], buf)
		os.Exit(len(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == "last" {
		fmt.Printf("last: %s\n", buf)
		os.Exit(4)
	}
	out, err := exec.Command("/bin/sh", "-c", "echo from a shell; exit 3").CombinedOutput()
	fmt.Printf("%s %v\n", out, err)
	lost := exec.Command(os.Args[0])
	lost.Dir = "/no/such/folder" // fails in the child, between fork and exec
	fmt.Println(lost.Run() != nil)
	fmt.Println(child("one"))
	results := make([]string, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			results[i] = child(fmt.Sprint("par", i))
		}(i)
	}
	wg.Wait()
	for _, r := range results {
		fmt.Println(r)
	}
	if len(os.Args) > 1 && os.Args[1] == "exec" {
		syscall.Exec("/proc/self/exe", []string{os.Args[0], "last"}, os.Environ())
	}
}
