// A shop that hands each worker a chunk of one array of orders; a chunk's append reaches into the next one.
package main

import (
	"fmt"
	"net/http"
	_ "net/http/pprof"
	"os"
	"sync"
	"time"
)

type order struct {
	id     int
	worker int
}

type shop struct {
	mu     sync.Mutex
	wrong  int
	served int
}

//go:noinline
func split(orders []order, chunks int) [][]order {
	var out [][]order
	size := len(orders) / chunks
	for i := 0; i < chunks; i++ {
		out = append(out, orders[i*size:(i+1)*size])
	}
	return out
}

//go:noinline
func process(chunk []order, worker int) []order {
	for i := range chunk {
		chunk[i].worker = worker
	}
	return append(chunk, order{id: -1, worker: worker}) // the summary line: lands in the next chunk
}

//go:noinline
func label(parts []string) []string {
	labels := make([]string, 0, 8)
	for _, part := range parts {
		labels = append(labels, part)
	}
	return labels
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	orders := make([]order, 0, 64)
	for i := 0; i < 64; i++ {
		orders = append(orders, order{id: i})
	}
	var wg sync.WaitGroup
	chunks := split(orders, 4)
	for i, chunk := range chunks {
		wg.Add(1)
		go func(chunk []order, worker int) { defer wg.Done(); process(chunk, worker) }(chunk, i)
	}
	wg.Wait()
	wrong := 0
	for _, chunk := range chunks {
		for _, o := range chunk {
			if o.id < 0 {
				wrong++
			}
		}
	}
	s.mu.Lock()
	s.wrong += wrong
	s.served++
	s.mu.Unlock()
	fmt.Fprintln(w, wrong, label([]string{"a", "b"}))
}

func main() {
	s := &shop{}
	http.HandleFunc("/orders", s.serve)
	fmt.Println("ready")
	go func() {
		for {
			resp, err := http.Get("http://" + os.Args[1] + "/orders")
			if err == nil {
				resp.Body.Close()
			} else {
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	fmt.Println(http.ListenAndServe(os.Args[1], nil))
}
