// A program with one bug that puts itself into an unusual situation first: another process, other rights, a filter, a root folder.
// What it prints is the same in each; what it damages too.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

type order struct {
	customer string
	items    []string
}

func newOrder(customer string, basket []string, extra string) *order {
	return &order{customer, append(basket, extra)} // want: ghost-write victim=items before="gift" after="receipt"
}

func damage() {
	var basket []string
	for _, item := range strings.Fields("tea milk sugar") {
		basket = append(basket, item) // len 3, cap 4 in the end
	}
	orders := map[string]*order{}
	orders["ann"] = newOrder("ann", basket, "gift")
	orders["bob"] = newOrder("bob", basket, "receipt")
	fmt.Println("ann gets", strings.Join(orders["ann"].items, " "))
	if orders["ann"].items[3] != "gift" {
		fmt.Println("WRONG: not what ann ordered")
	}
}

func must(what string, err error) {
	if err != nil {
		fmt.Println(what, err)
		os.Exit(9)
	}
}

func prctl(option, argument uintptr, pointer unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall6(syscall.SYS_PRCTL, option, argument, uintptr(pointer), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// filter forbids what a sandboxed service does not need: ptrace, reading other processes, perf, starting programs.
func filter() error {
	type instruction struct {
		code   uint16
		jt, jf uint8
		k      uint32
	}
	program := []instruction{{0x20, 0, 0, 0}} // load the number of the system call
	for _, number := range []uint32{101, 310, 311, 298, 59, 319} {
		program = append(program, instruction{0x15, 0, 1, number}, instruction{0x06, 0, 0, 0x00050000 | 1})
	}
	program = append(program, instruction{0x06, 0, 0, 0x7fff0000})
	const noNewPrivileges, setSeccomp, modeFilter = 38, 22, 2
	if err := prctl(noNewPrivileges, 1, nil); err != nil {
		return err
	}
	head := struct {
		count uint16
		first *instruction
	}{uint16(len(program)), &program[0]}
	return prctl(setSeccomp, modeFilter, unsafe.Pointer(&head))
}

func child(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(name, arguments...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

func main() {
	self, err := os.Executable()
	must("self", err)
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	runtime.LockOSThread()
	switch mode {
	case "shell": // a child that is no Go program
		must("shell", child("/bin/sh", "-c", "echo from a shell").Run())
	case "drop": // as a service that needed root to open a port
		must("setgid", syscall.Setgid(65534))
		must("setuid", syscall.Setuid(65534))
	case "undumpable":
		must("prctl", prctl(4, 0, nil))
	case "seccomp":
		must("seccomp", filter())
	case "chroot":
		must("chroot", syscall.Chroot(os.Args[2]))
		must("chdir", syscall.Chdir("/"))
	case "exec": // the damage is done by what takes its place
		must("exec", syscall.Exec(self, []string{os.Args[0]}, os.Environ()))
	case "child": // by a child, which is the same program
		must("child", child(self).Run())
		return
	case "shell-child": // by a grandchild, behind a shell
		must("shell", child("/bin/sh", "-c", "\"$0\"; echo done", self).Run())
		return
	case "daemon": // by a child that outlives its parent, in a session of its own
		cmd := child(self)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		must("daemon", cmd.Start())
		return
	}
	damage()
}
