// Builds a heap whose content is known, prints what it is as "truth KEY VALUE" lines, and waits.
//
// Every count is of objects that nothing else in the program makes: types of this package, and
// arrays of sizes that the runtime does not use.
package main

import (
	"bufio"
	"container/list"
	"container/ring"
	"fmt"
	"os"
	"runtime"
	"sync"
)

type Leaf struct { // without pointers, 40 bytes: size class 48
	a, b, c, d, e uint64
}

type Node struct { // 32 bytes with pointers
	next *Node
	leaf *Leaf
	id   int
	name string
}

type Session struct {
	user string
	buf  []byte
	tags []string
}

type Big struct { // above 512 bytes: a malloc header since go1.22
	next *Big
	body [700]byte
}

type Stack struct {
	items []*Leaf
}

type Ring struct { // pops move an index and leave the slot as it was
	slots      []*[4096]byte
	head, tail int
	count      int
}

type Kept struct{ k1, k2, k3, k4, k5, k6, k7, k8, k9 int64 } // 72 bytes: size class 80
type Pooled struct {
	next *Pooled
	body [9]int64
}

// A list that ends with nil at both ends, like those of ordered maps.
type Link struct {
	next, prev *Link
	key        int
}
type Chain struct{ first, last *Link }

func (c *Chain) push(key int) {
	l := &Link{prev: c.last, key: key}
	if c.last == nil {
		c.first = l
	} else {
		c.last.next = l
	}
	c.last = l
}

func (c *Chain) remove(l *Link) {
	if l.prev != nil {
		l.prev.next = l.next
	} else {
		c.first = l.next
	}
	if l.next != nil {
		l.next.prev = l.prev
	} else {
		c.last = l.prev
	}
	l.next, l.prev = nil, nil
}

// Removes what it stands on and goes on from there: the loop ends at once.
//
//go:noinline
func (c *Chain) removeAll(ready chan<- bool, stop <-chan bool) {
	for here := c.first; here != nil; here = here.next {
		c.remove(here)
		ready <- true
		<-stop
	}
}

type Shape interface{ Area() int }
type Square struct{ side, id, w1, w2, w3, w4, w5 int } // 56 bytes: size class 64

func (s *Square) Area() int { return s.side * s.side }

type Boxed struct {
	p       *Leaf
	x, y, z int
} // by value in an interface

var (
	chain    *Node
	sessions map[string]*Session
	numbers  map[int]*Leaf
	many     = map[int]*Leaf{}
	bigs     *Big
	shapes   []Shape
	boxes    []any
	shared   struct{ whole, part, copied []*Square }
	latent   struct{ prefix, all []int64 }
	pinned   []byte
	sub      string
	popped   Stack
	fifo     Ring
	queue    chan *Leaf
	events   *list.List
	circle   *ring.Ring
	broken   *list.List
	calls    []func() int
	huge     []*Leaf
	emptied  []byte
	links    Chain
	synced   sync.Map
	pools    = []*sync.Pool{{New: func() any { return new(Pooled) }}} // laid out by the compiler, without a name
)

func truth(key string, value any) { fmt.Println("truth", key, value) }

func build() {
	for i := 0; i < 1000; i++ {
		chain = &Node{next: chain, leaf: new(Leaf), id: i}
	}
	truth("count main.Node", 1000)
	leaves := 1000

	sessions = make(map[string]*Session)
	for i := 0; i < 200; i++ {
		s := &Session{user: fmt.Sprintf("user number %06d", i), buf: make([]byte, 10, 3000), tags: make([]string, 9)}
		sessions[s.user] = s
	}
	truth("count main.Session", 200)

	numbers = make(map[int]*Leaf)
	for i := 0; i < 5; i++ {
		numbers[i] = new(Leaf)
	}
	leaves += 5

	// So many that the map has several tables.
	for i := 0; i < 5000; i++ {
		many[i] = new(Leaf)
	}
	leaves += 5000

	for i := 0; i < 30; i++ {
		bigs = &Big{next: bigs}
	}
	truth("count main.Big", 30)

	for i := 0; i < 50; i++ {
		shapes = append(shapes, &Square{side: i})
	}
	squares := 50
	for i := 0; i < 40; i++ {
		boxes = append(boxes, Boxed{p: new(Leaf), x: i})
	}
	truth("count main.Boxed", 40)
	leaves += 40

	array := make([]*Square, 10, 10)
	for i := range array {
		array[i] = &Square{}
	}
	squares += 10
	shared.whole, shared.part, shared.copied = array, array[2:5:5], array
	truth("count main.Square", squares)

	ints := make([]int64, 4, 6)
	latent.prefix, latent.all = ints[:2], ints

	pinned = make([]byte, 1<<20)[100:140:140]
	text := make([]byte, 1<<19)
	for i := range text {
		text[i] = 'x'
	}
	sub = string(text)[10:30]
	emptied = make([]byte, 1<<18)[:0]

	items := make([]*Leaf, 64)
	for i := range items {
		items[i] = new(Leaf)
	}
	leaves += 64
	popped.items = items[48:]

	fifo.slots = make([]*[4096]byte, 16)
	for i := range fifo.slots {
		fifo.slots[i] = new([4096]byte)
	}
	fifo.count = 4
	fifo.head = 2
	fifo.tail = 6

	queue = make(chan *Leaf, 8)
	for i := 0; i < 3; i++ {
		queue <- new(Leaf)
	}
	leaves += 3

	events = list.New()
	for i := 0; i < 12; i++ {
		events.PushBack(i)
	}
	circle = ring.New(7)
	broken = list.New()
	kept := broken.PushBack("kept")
	*broken = list.List{}
	broken.Remove(kept) // the length becomes -1: go.dev/issue/50152

	for i := 0; i < 25; i++ {
		leaf, n := new(Leaf), i
		calls = append(calls, func() int { n++; return n + int(leaf.a) })
	}
	leaves += 25
	truth("captured main.Leaf", 25)

	huge = make([]*Leaf, 10000)
	huge[9999] = new(Leaf)
	leaves++
	truth("count main.Leaf", leaves)

	for i := 0; i < 300; i++ {
		synced.Store(i, &Kept{k1: int64(i)})
	}
	truth("count main.Kept", 300)
}

// Not before the last collection, which empties pools.
func fillPool() {
	for i := 0; i < 20; i++ {
		pools[0].Put(&Pooled{})
	}
	truth("count main.Pooled", 20)
}

//go:noinline
func hold(ready chan<- bool, stop <-chan bool, leaf *Leaf) {
	local := &Node{leaf: leaf, id: -1}
	ready <- true
	<-stop
	local.id++
	runtime.KeepAlive(local)
}

func main() {
	build()
	ready, stop := make(chan bool), make(chan bool)
	for i := 0; i < 20; i++ {
		go hold(ready, stop, nil)
	}
	for i := 0; i < 20; i++ {
		<-ready
	}
	for i := 0; i < 6; i++ {
		links.push(i)
	}
	truth("count main.Link", 6)
	go links.removeAll(ready, stop)
	<-ready
	truth("goroutines main.hold", 20)
	runtime.GC()
	runtime.GC()
	fillPool()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	truth("heap_alloc", stats.HeapAlloc)
	truth("heap_objects", stats.Mallocs-stats.Frees)
	fmt.Println("ready", os.Getpid())
	bufio.NewReader(os.Stdin).ReadString('\n')
	close(stop)
	runtime.KeepAlive(chain)
}
