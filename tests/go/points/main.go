// Points that are no appends, each passed a number of times that the program knows: it prints
// them, and ends in a way that shows whether panics, growing stacks, preemption and the collector
// still work where code has been patched.
package main

import (
	"bufio"
	"bytes"
	"container/list"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

type node struct {
	key   int
	names [4]string
}

// The stack grows in here many times; each call is one.
//
//go:noinline
func deep(n int, with [8]int) int {
	if n == 0 {
		return with[0]
	}
	with[n%8]++
	return deep(n-1, with) + with[n%8]
}

// A frame above 4096 bytes, whose check begins otherwise.
//
//go:noinline
func wide(n int) int {
	var room [1000]int
	for i := range room {
		room[i] = i * n
	}
	if n == 0 {
		return room[len(room)-1]
	}
	return wide(n-1) + room[n]
}

//go:noinline
func leaf(a, b int) int { return a*2 + b }

//go:noinline
func two(a int) (int, string) {
	if a%2 == 0 {
		return a / 2, "even"
	}
	if a%3 == 0 {
		return a, "three"
	}
	return 3*a + 1, "odd"
}

//go:noinline
func risky(a []int, i int) (got int) {
	defer func() {
		if err := recover(); err != nil {
			got = -1
		}
	}()
	return a[i]
}

func maps() int {
	m := map[string]int{}
	byInt := map[int]*node{}
	for i := 0; i < 2000; i++ {
		m[fmt.Sprint(i%500)] += i
		byInt[i] = &node{key: i}
	}
	for i := 0; i < 2000; i += 3 {
		delete(byInt, i)
	}
	sum := len(byInt) + m["7"]
	for i := 0; i < 2000; i++ {
		if n, ok := byInt[i]; ok {
			sum += n.key
		}
	}
	for _, v := range m {
		sum += v
	}
	for k, v := range byInt {
		sum += k - v.key
	}
	return sum
}

const removed = 300

func lists() int {
	l := list.New()
	for i := 0; i < 2*removed; i++ {
		l.PushBack(i)
	}
	for e := l.Front(); e != nil; {
		next := e.Next()
		if e.Value.(int)%2 == 0 {
			l.Remove(e)
		}
		e = next
	}
	sum := 0
	for e := l.Front(); e != nil; e = e.Next() {
		sum += e.Value.(int)
	}
	return sum
}

const puts = 700

func pools() int {
	pool := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	sum := 0
	for i := 0; i < puts; i++ {
		b := pool.Get().(*bytes.Buffer)
		b.Reset()
		fmt.Fprintf(b, "%d-%s", i, "x")
		sum += b.Len()
		pool.Put(b)
	}
	return sum
}

const lines = 1000

func files() int {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go func() {
		for i := 0; i < lines; i++ {
			fmt.Fprintf(w, "line %d\n", i)
		}
		w.Close()
	}()
	sum := 0
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		sum += len(scanner.Text())
	}
	return sum
}

// Threads that are interrupted anywhere, while the collector runs and stacks move.
func together() int {
	var wg sync.WaitGroup
	results := make([]int, 8)
	stop := make(chan bool)
	for i := range results {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			m := map[int]int{}
			for k := 0; k < 20000; k++ {
				m[k%97] += k
				results[i] += leaf(k, i) + len(m)
			}
			results[i] += deep(500+i, [8]int{i}) + wide(20)
		}(i)
	}
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
		}
	}()
	wg.Wait()
	close(stop)
	sum := 0
	for _, r := range results {
		sum += r
	}
	return sum
}

func capacities() []int {
	var s []int
	var caps []int
	for i := 0; i < 40; i++ {
		s = append(s, i)
		if len(caps) == 0 || caps[len(caps)-1] != cap(s) {
			caps = append(caps, cap(s))
		}
	}
	runtime.KeepAlive(&s)
	return caps
}

func main() {
	fmt.Println("deep", deep(3000, [8]int{1}), wide(50))
	sum := 0
	for i := 0; i < 5000; i++ {
		n, kind := two(i)
		sum ^= n + len(kind)
		sum += leaf(n, i)
	}
	fmt.Println("two", sum)
	for i := 0; i < 100; i++ {
		sum += risky([]int{1, 2, 3}, i%5)
	}
	fmt.Println("risky", sum)
	fmt.Println("maps", maps())
	fmt.Println("lists", lists())
	fmt.Println("pools", pools())
	fmt.Println("files", files())
	fmt.Println("together", together())
	if len(os.Args) > 1 {
		fmt.Println("capacities", capacities())
	}
	fmt.Fprintln(os.Stderr, "done")
	os.Exit(3)
}
