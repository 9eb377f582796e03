// Buffers from a sync.Pool: taken, filled, copied out, put back.
package main

import (
	"fmt"
	"strings"
	"sync"
)

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 64); return &b }}

func render(name string, n int) string {
	bp := buffers.Get().(*[]byte)
	defer buffers.Put(bp)
	b := (*bp)[:0]
	b = append(b, "hello "...)
	b = append(b, name...)
	for i := 0; i < n; i++ {
		b = append(b, '!')
	}
	*bp = b
	return string(b)
}

func main() {
	var wg sync.WaitGroup
	results := make([][]string, 4)
	for w := range results {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			for i := 0; i < 100; i++ {
				results[w] = append(results[w], render(fmt.Sprintf("worker-%d", w), i%5))
			}
		}(w)
	}
	wg.Wait()
	for w, lines := range results {
		if got := strings.Count(strings.Join(lines, ""), fmt.Sprintf("hello worker-%d", w)); got != 100 {
			fmt.Println("WRONG:", w, got)
			return
		}
	}
	fmt.Println("OK")
}
