// Runs for about the milliseconds given (a fixed amount of work for each), overwrites reused buffers all
// the time and has one real ghost write. The result does not depend on time.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

type account struct {
	history []int
	line    []byte
}

func (a *account) book(v int) {
	if len(a.history) == 32 {
		a.history = append(a.history[:0], a.history[16:]...)
	}
	a.history = append(a.history, v)
	a.line = strconv.AppendInt(a.line[:0], int64(v), 10)
}

func (a *account) hash() (h uint64) {
	for _, v := range a.history {
		h = h*1099511628211 + uint64(v)
	}
	return h*31 + uint64(len(a.line))
}

type route struct{ chain []string }

func main() {
	ms := 200
	if len(os.Args) > 1 {
		ms, _ = strconv.Atoi(os.Args[1])
	}
	fmt.Println("started")
	base := append(make([]string, 0, 4), "log", "gzip")
	routes := []*route{{append(base, "admin")}, {append(base, "public")}}

	hashes := make([]uint64, 2)
	var wg sync.WaitGroup
	for g := range hashes {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			a := &account{}
			for i := 0; i < ms*20000; i++ {
				a.book(i * (g + 3))
				if i%1000 == 0 {
					hashes[g] = hashes[g]*7 + a.hash()
				}
			}
		}(g)
	}
	wg.Wait()
	fmt.Println(routes[0].chain[2], routes[1].chain[2], hashes)
}
