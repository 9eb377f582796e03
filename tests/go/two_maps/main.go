// Two goroutines and a map: three ways to be wrong, and the same three made right. What one of them is wrong about
// is also here and there right by chance, so that a run seldom dies.
//
//	two_maps cache|registry|totals        nothing keeps the two apart
//	two_maps mutex|rwmutex|handover       a lock, a lock of readers, one owner at a time
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

const rounds = 150

var wait sync.WaitGroup

// both runs the two beside each other, again and again, a little out of step.
func both(first, second func(i int)) {
	wait.Add(2)
	go func() {
		defer wait.Done()
		for i := 0; i < rounds; i++ {
			first(i)
			time.Sleep(150 * time.Microsecond)
		}
	}()
	go func() {
		defer wait.Done()
		for i := 0; i < rounds; i++ {
			second(i)
			time.Sleep(170 * time.Microsecond)
		}
	}()
	wait.Wait()
}

var cache = map[string]int{"zero": 0}

func store(i int)  { cache[fmt.Sprint("key", i%8)] = i }     // cache: writes
func lookup(i int) { seen += cache[fmt.Sprint("key", i%8)] } // cache: reads

var seen int

type registry struct {
	mu       sync.Mutex
	handlers map[int]func()
}

// Who adds takes the lock, who lists does not.
func (r *registry) add(i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handlers[i%16] = func() {} // registry: writes
}
func (r *registry) list(int) {
	for id := range r.handlers { // registry: ranges over
		seen += id
	}
}

type pair struct{ a, b int }

type report struct{ totals map[pair]int }

func (r *report) count(i int) { r.totals[pair{i % 4, i % 3}]++ }        // totals: writes
func (r *report) drop(i int)  { delete(r.totals, pair{i % 3, i % 4}) } // totals: deletes from

type safe struct {
	mu sync.RWMutex
	m  map[string]int
}

func (s *safe) set(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[fmt.Sprint("key", i%8)] = i
}
func (s *safe) get(i int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.m) > 0 && s.m[fmt.Sprint("key", i%8)] < 0 {
		panic("negative")
	}
}

func handover() {
	there, back := make(chan map[int]int), make(chan map[int]int)
	go func() {
		for m := range there {
			m[1]++
			back <- m
		}
		close(back)
	}()
	m := map[int]int{}
	for i := 0; i < 20*rounds; i++ {
		m[1]++
		there <- m
		m = <-back
	}
	close(there)
	<-back
	if m[1] != 40*rounds {
		panic("lost")
	}
}

func main() {
	var mu sync.Mutex
	m := map[int]int{}
	s := &safe{m: map[string]int{}}
	r := &registry{handlers: map[int]func(){1: nil}}
	t := &report{totals: map[pair]int{}}
	switch os.Args[1] {
	case "cache":
		both(store, lookup)
	case "registry":
		both(r.add, r.list)
	case "totals":
		both(t.count, t.drop)
	case "mutex":
		locked := func(i int) {
			mu.Lock()
			defer mu.Unlock()
			m[i%10]++
		}
		both(locked, locked)
	case "rwmutex":
		both(s.set, s.get)
	case "handover":
		handover()
	}
	fmt.Println("done")
}
