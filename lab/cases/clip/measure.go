package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"testing"
)

// reached appends to a part of a list until it is moved, and counts what changed in the list behind the part.
func reached(part, whole []int) int {
	first := &part[0]
	for {
		next := append(part, -1)
		if &next[0] != first {
			break
		}
		part = next
	}
	changed := 0
	for _, v := range whole {
		changed += number(v == -1)
	}
	return changed
}

func list() []int { return []int{0, 1, 2, 3, 4, 5} }

var sink []int

func measure() {
	for room := 0; room <= 4; room++ {
		whole := list()
		fmt.Printf("fact reached[%d] %d\nfact room[%d] %d\n", room, reached(whole[0:2:2+room], whole), room, room)
	}
	whole := list()
	_ = append(whole[0:2], -1)
	fmt.Printf("fact reached_open %d\n", number(whole[2] == -1))
	allocs := testing.AllocsPerRun(100, func() { sink = whole[0:2:2] })
	fmt.Printf("fact clip_allocs %g\nfact clip_same_address %s\n", allocs, yes(&sink[0] == &whole[0]))
	whole[0:2:2][0] = 9
	fmt.Printf("fact write_seen %s\n", yes(whole[0] == 9))
	fmt.Printf("fact beyond_panics %s\n", yes(panics(func() { k := cap(whole) + 1; sink = whole[0:2:k] })))
	python()
}

// A write to the whole, seen through a slice of it. bytes cannot be written to by the language, so there the question is where
// the slice's bytes lie.
const script = `
import sys, ctypes
print("fact py_version python", sys.version.split()[0])
def tell(name, shares): print("fact py_shares[%s] %s" % (name, "yes" if shares else "no"))
whole = bytes(range(200))
part = whole[50:150]
def at(b): return ctypes.cast(ctypes.c_char_p(b), ctypes.c_void_p).value
tell("bytes", at(whole) <= at(part) < at(whole) + len(whole))
whole = list(range(200)); part = whole[50:150]; whole[50] = -1
tell("list", part[0] == -1)
whole = bytearray(200); part = whole[50:150]; whole[50] = 7
tell("bytearray", part[0] == 7)
whole = bytearray(200); part = memoryview(whole)[50:150]; whole[50] = 7
tell("memoryview", part[0] == 7)
`

func python() {
	path, err := exec.LookPath("python3")
	if err != nil {
		fmt.Println("cannot py_shares no python3 in PATH")
		return
	}
	command := exec.Command(path, "-c", script)
	var errors bytes.Buffer
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		line, _ := bufio.NewReader(&errors).ReadString('\n')
		fmt.Printf("cannot py_shares python3 fails: %v %s\n", err, line)
		return
	}
	fmt.Print(string(out))
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
