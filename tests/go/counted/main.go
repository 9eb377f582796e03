// Counts its own appends, for a comparison with what geist counted of them: a line for each function.
//
//	counted [GOROUTINES [wait]]    "wait" says "ready PID" and begins when its input ends
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

type counts struct{ inPlace, grows, bytes int }

type wide struct{ a, b, c int64 }

// look is called with the capacity before an append and after it, and the bytes that a growth copies.
func (c *counts) look(before, after, copied int) {
	if before == after {
		c.inPlace++
		return
	}
	c.grows++
	c.bytes += copied
}

//go:noinline
func words(n int, c *counts) int {
	var s []int
	for i := 0; i < n; i++ {
		before, length := cap(s), len(s)
		s = append(s, i)
		c.look(before, cap(s), length*8)
	}
	return s[n-1]
}

//go:noinline
func wides(n int, c *counts) int64 {
	s := make([]wide, 0, 3)
	for i := 0; i < n; i++ {
		if len(s) == 100 {
			s = s[:7]
		}
		before, length := cap(s), len(s)
		s = append(s, wide{a: int64(i)})
		c.look(before, cap(s), length*24)
	}
	return s[len(s)-1].a
}

//go:noinline
func lines(n int, c *counts) int {
	var s []byte
	for i := 0; i < n; i++ {
		if i%50 == 0 {
			s = s[:0]
		}
		before, length := cap(s), len(s)
		s = append(s, "a line of text\n"[:1+i%15]...)
		c.look(before, cap(s), length)
	}
	return len(s)
}

//go:noinline
func texts(n int, c *counts) string {
	var s []string
	for i := 0; i < n; i++ {
		if i%33 == 32 {
			s = nil
		}
		before, length := cap(s), len(s)
		s = append(s, "x", "y")
		c.look(before, cap(s), length*16)
	}
	return s[0]
}

func main() {
	goroutines := 1
	if len(os.Args) > 1 {
		goroutines, _ = strconv.Atoi(os.Args[1])
	}
	if len(os.Args) > 2 {
		fmt.Println("ready", os.Getpid())
		_, _ = io.ReadAll(os.Stdin)
	}
	const rounds, perRound = 40, 5000
	names := []string{"words", "wides", "lines", "texts"}
	all := make([][4]counts, goroutines)
	var wait sync.WaitGroup
	for g := range all {
		wait.Add(1)
		go func(mine *[4]counts) {
			defer wait.Done()
			for r := 0; r < rounds; r++ {
				words(perRound, &mine[0])
				wides(perRound, &mine[1])
				lines(perRound, &mine[2])
				texts(perRound, &mine[3])
			}
		}(&all[g])
	}
	wait.Wait()
	for i, name := range names {
		var sum counts
		for g := range all {
			sum.inPlace += all[g][i].inPlace
			sum.grows += all[g][i].grows
			sum.bytes += all[g][i].bytes
		}
		fmt.Println("main."+name, sum.inPlace, sum.grows, sum.bytes)
	}
}
