// Two goroutines read pipes line by line. Of each line the words are looked at while it is there, and counted under copies.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

func write(to io.WriteCloser, who int) {
	for i := 0; i < 300; i++ {
		fmt.Fprintf(to, "worker %d has done step %d of the plan\n", who, i)
	}
	to.Close()
}

type counter struct {
	line  []byte // the one at hand
	words map[string]int
}

func (c *counter) read(from io.Reader) {
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		c.line = line
		for _, word := range bytes.Fields(c.line) {
			c.words[string(word)]++
		}
	}
}

func main() {
	var group sync.WaitGroup
	counters := make([]*counter, 2)
	for i := range counters {
		from, to, err := os.Pipe()
		if err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		c := &counter{words: map[string]int{}}
		counters[i] = c
		group.Add(2)
		go func(who int) { defer group.Done(); write(to, who) }(i)
		go func() { defer group.Done(); c.read(from) }()
	}
	group.Wait()
	for i, c := range counters {
		if c.words["worker"] != 300 || c.words[fmt.Sprint(i)] < 300 || c.words["299"] != 1 {
			fmt.Println("WRONG: words are missing")
			return
		}
	}
	fmt.Println("OK")
}
