// Many goroutines append to buffers of their own and to shared ones under a lock, on few threads and on
// many.
package main

import (
	"fmt"
	"sort"
	"sync"
)

type shared struct {
	mu   sync.Mutex
	rows []string
	seen map[string]int
}

func (s *shared) add(row string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, row)
	if len(s.rows) == 50 {
		for _, r := range s.rows {
			s.seen[r]++
		}
		s.rows = s.rows[:0]
	}
}

func main() {
	s := &shared{seen: map[string]int{}}
	results := make(chan string, 16)
	var wg sync.WaitGroup
	for g := 0; g < 200; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			var buf []byte
			for i := 0; i < 20; i++ {
				buf = append(buf[:0], fmt.Sprintf("g%03d-%02d", g, i)...)
				s.add(string(buf))
			}
			results <- string(buf)
		}(g)
	}
	go func() { wg.Wait(); close(results) }()
	var all []string
	for r := range results {
		all = append(all, r)
	}
	sort.Strings(all)
	if len(all) != 200 || all[199] != "g199-19" || len(s.seen) != 4000 || len(s.rows) != 0 {
		fmt.Println("WRONG:", len(all), len(s.seen), len(s.rows))
		return
	}
	fmt.Println("OK")
}
