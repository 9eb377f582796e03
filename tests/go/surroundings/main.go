// Prints what a process can see of its surroundings: arguments, environment, folder, open files,
// signal masks, limits, tracer. Nothing of it may differ when the program is watched.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"syscall"
)

func files() (list []string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || strings.HasPrefix(target, "/proc/") {
			continue // the folder that is being read
		}
		if i := strings.IndexByte(target, '['); i > 0 {
			target = target[:i] // pipe:[12345]
		}
		list = append(list, e.Name()+" "+target)
	}
	return list
}

func main() {
	fmt.Printf("args %q\n", os.Args)
	env := os.Environ()
	sort.Strings(env)
	for _, e := range env {
		fmt.Printf("env %q\n", e)
	}
	dir, _ := os.Getwd()
	mask := syscall.Umask(0)
	fmt.Println("dir", dir, "umask", mask)
	for _, f := range files() {
		fmt.Println("fd", f)
	}
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		for _, key := range []string{"TracerPid", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "Seccomp:", "CapEff", "Cpus_allowed_list"} {
			if strings.HasPrefix(line, key) {
				fmt.Println(line)
			}
		}
	}
	for _, limit := range []int{syscall.RLIMIT_CORE, syscall.RLIMIT_STACK, syscall.RLIMIT_DATA, syscall.RLIMIT_NOFILE} {
		var r syscall.Rlimit
		syscall.Getrlimit(limit, &r)
		fmt.Println("limit", limit, r.Cur, r.Max)
	}
	session, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	fmt.Println("group", syscall.Getpgrp(), "session", session)
	exe, _ := os.Readlink("/proc/self/exe")
	comm, _ := os.ReadFile("/proc/self/comm")
	fmt.Println("exe", exe, "comm", strings.TrimSpace(string(comm)))
}
