// Maps that are used in known ways. Prints what was done with each as JSON, a line a map, for `geist run --mix` to count
// the same.
//
//	map_mix          all of it, to the end
//	map_mix serve    says "ready PID" and uses main.prices until its input ends: of 36 reads of each goroutine there are 2
//	                 updates, an insert and a delete; then prints "failed 0"
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
)

type counts struct {
	Name    string `json:"name"`
	Reads   int64  `json:"reads"`
	Updates int64  `json:"updates"`
	Inserts int64  `json:"inserts"`
	Deletes int64  `json:"deletes"`
	Ranges  int64  `json:"ranges"`
	Workers int64  `json:"goroutines"`
	Maps    int64  `json:"maps"`
	Entries int64  `json:"entries"`
}

func tell(c counts) {
	text, _ := json.Marshal(c)
	fmt.Println(string(text))
}

var (
	prices = map[string]int{} // strings, read by eight and now and then written, under a lock of readers
	lock   sync.RWMutex
	sum    atomic.Int64
)

const workers, rounds, names = 8, 2000, 64

func name(i int) string { return fmt.Sprint("name", i) }

func usePrices() {
	for i := 0; i < names; i++ {
		prices[name(i)] = i
	}
	var wait sync.WaitGroup
	for w := 0; w < workers; w++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := 0; i < rounds; i++ {
				if i%10 == 0 {
					lock.Lock()
					prices[name(i%names)] = i
					lock.Unlock()
					continue
				}
				lock.RLock()
				sum.Add(int64(prices[name(i%names)]))
				lock.RUnlock()
			}
		}()
	}
	wait.Wait()
	for i := 0; i < 5; i++ {
		for _, price := range prices {
			sum.Add(int64(price))
		}
	}
	tell(counts{"main.prices", workers * rounds * 9 / 10, workers * rounds / 10, names, 0, 5, workers + 1, 1, names})
}

// A queue of what is open: two goroutines insert, look and delete. Keys are integers.
type desk struct {
	mu   sync.Mutex
	open map[int]string
}

var front = &desk{open: map[int]string{}}

func useDesk() {
	var wait sync.WaitGroup
	for w := 0; w < 2; w++ {
		wait.Add(1)
		go func(w int) {
			defer wait.Done()
			for i := 0; i < 1000; i++ {
				front.mu.Lock()
				front.open[w*1000+i] = "open"
				sum.Add(int64(len(front.open[w*1000+i])))
				if i%2 == 1 {
					delete(front.open, w*1000+i)
				}
				front.mu.Unlock()
			}
		}(w)
	}
	wait.Wait()
	sum.Add(int64(len(front.open[0]))) // so that the last insert is seen
	tell(counts{"main.front.open", 2001, 0, 2000, 1000, 0, 3, 1, 1000})
}

// Keys that have no function of their own, and reflection, which has: by one goroutine.
type point struct{ x, y int16 }

var grid = map[point]int8{}

func useGrid() {
	for i := 0; i < 300; i++ {
		grid[point{int16(i % 100), 1}]++ // one operation: a write
	}
	value := reflect.ValueOf(grid)
	for i := 0; i < 50; i++ {
		value.SetMapIndex(reflect.ValueOf(point{int16(i), 2}), reflect.ValueOf(int8(1)))
		sum.Add(value.MapIndex(reflect.ValueOf(point{int16(i), 1})).Int())
	}
	for iter := value.MapRange(); iter.Next(); {
		sum.Add(iter.Value().Int())
	}
	tell(counts{"main.grid", 50, 200, 150, 0, 1, 1, 1, 150})
}

// One map a call, soon forgotten.
func tally(words []string) int {
	seen := make(map[string]int)
	for _, word := range words {
		seen[word]++
	}
	kept = seen
	return len(seen)
}

var kept map[string]int

func useMany() {
	words := []string{"a", "b", "a", "c", "d", "e", "f", "g", "h", "i", "j", "a"}
	for i := 0; i < 500; i++ {
		sum.Add(int64(tally(words)))
	}
	tell(counts{"main.tally", 0, 500 * 2, 500 * 10, 0, 0, 1, 500, 500 * 10})
}

func serve() {
	var stop atomic.Bool
	var wait sync.WaitGroup
	for w := 0; w < 4; w++ {
		wait.Add(1)
		go func(w int) {
			defer wait.Done()
			for i := 0; !stop.Load(); i++ {
				lock.RLock()
				sum.Add(int64(prices[name(i%names)]))
				lock.RUnlock()
				if i%18 != 0 {
					continue
				}
				lock.Lock()
				prices[name(i%names)] = i
				if i%36 == 0 {
					delete(prices, name(1000*(w+1)))
				} else {
					prices[name(1000*(w+1))] = i
				}
				lock.Unlock()
			}
		}(w)
	}
	for i := 0; i < names; i++ {
		lock.Lock()
		prices[name(i)] = i
		lock.Unlock()
	}
	fmt.Println("ready", os.Getpid())
	io.Copy(io.Discard, os.Stdin)
	stop.Store(true)
	wait.Wait()
	fmt.Println("failed 0")
}

func main() {
	if len(os.Args) > 1 {
		serve()
		return
	}
	usePrices()
	useDesk()
	useGrid()
	useMany()
}
