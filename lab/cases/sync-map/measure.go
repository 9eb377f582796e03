package main

import (
	"fmt"
	"sort"
	"sync"
	"time"
)

const (
	keys   = 1024
	steps  = 30000 // of all goroutines together
	rounds = 5
)

type lockedMap struct {
	mutex sync.RWMutex
	m     map[int]int
}

func (l *lockedMap) store(k, v int) {
	l.mutex.Lock()
	l.m[k] = v
	l.mutex.Unlock()
}

func (l *lockedMap) load(k int) (int, bool) {
	l.mutex.RLock()
	v, ok := l.m[k]
	l.mutex.RUnlock()
	return v, ok
}

func (l *lockedMap) remove(k int) {
	l.mutex.Lock()
	delete(l.m, k)
	l.mutex.Unlock()
}

type sharedMap struct{ m sync.Map }

func (s *sharedMap) store(k, v int) { s.m.Store(k, v) }
func (s *sharedMap) load(k int) (int, bool) {
	v, ok := s.m.Load(k)
	if !ok {
		return 0, false
	}
	return v.(int), true
}
func (s *sharedMap) remove(k int) { s.m.Delete(k) }

type either interface {
	store(k, v int)
	load(k int) (int, bool)
	remove(k int)
}

type mix struct{ reads, writes, deletes int } // of a hundred

// spend is the time of the mix, without what it takes to fill the map.
func spend(m either, x mix, goroutines int) time.Duration {
	for k := 0; k < keys; k++ {
		m.store(k, k)
	}
	var wg sync.WaitGroup
	start := make(chan bool)
	for g := 0; g < goroutines; g++ {
		wg.Add(1)
		go func(seed uint32) {
			defer wg.Done()
			<-start
			for i := 0; i < steps/goroutines; i++ {
				seed = seed*1664525 + 1013904223
				key := int(seed>>8) % keys
				switch what := int(seed>>20) % 100; {
				case what < x.reads:
					m.load(key)
				case what < x.reads+x.writes:
					m.store(key, i)
				default:
					m.remove(key)
				}
			}
		}(uint32(g + 1))
	}
	begin := time.Now()
	close(start)
	wg.Wait()
	return time.Since(begin)
}

func median(times []time.Duration) float64 {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	return float64(times[len(times)/2])
}

func measure() {
	mixes := []mix{{100, 0, 0}, {99, 1, 0}, {90, 10, 0}, {50, 50, 0}, {10, 90, 0}, {50, 25, 25}}
	for _, x := range mixes {
		wins, ratios := 0, ""
		for _, goroutines := range []int{1, 2, 4, 8} {
			var shared, locked []time.Duration
			for round := 0; round < rounds; round++ { // one beside the other, for the machine has other work, too
				shared = append(shared, spend(&sharedMap{}, x, goroutines))
				locked = append(locked, spend(&lockedMap{m: map[int]int{}}, x, goroutines))
			}
			ratio := median(shared) / median(locked)
			ratios += fmt.Sprintf(" %.2f", ratio)
			if ratio < 1 {
				wins++
			}
			switch x {
			case mix{99, 1, 0}:
				fmt.Printf("fact read_mostly[%d] %.2f\n", goroutines, ratio)
			case mix{50, 50, 0}:
				fmt.Printf("fact half_writes[%d] %.2f\n", goroutines, ratio)
			}
		}
		fmt.Printf("fact wins[%d/%d/%d] %d\nfact ratios[%d/%d/%d]%s\n", x.reads, x.writes, x.deletes, wins, x.reads, x.writes, x.deletes, ratios)
	}
}
