// Buffers from a pool that several goroutines render with: each takes a string, which is a copy, before it gives the buffer back.
package main

import (
	"bytes"
	"fmt"
	"sync"
)

var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 256)) }}

func render(worker, n int) string {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	for i := 0; i < 5; i++ {
		fmt.Fprintf(b, "<%d.%d.%d>", worker, n, i)
	}
	view := b.Bytes()
	if len(view) == 0 || view[0] != '<' {
		return ""
	}
	return b.String()
}

func main() {
	const workers, each = 4, 200
	results := make([][]string, workers)
	var wg sync.WaitGroup
	for w := 0; w < workers; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			for n := 0; n < each; n++ {
				results[w] = append(results[w], render(w, n))
			}
		}(w)
	}
	wg.Wait()
	for w, own := range results {
		for n, s := range own {
			if want := fmt.Sprintf("<%d.%d.0>", w, n); s[:len(want)] != want {
				fmt.Println("WRONG:", s)
				return
			}
		}
	}
	fmt.Println("OK", len(results)*each)
}
