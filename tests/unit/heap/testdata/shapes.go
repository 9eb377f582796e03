// One of each shape of heap object and of each place a slice header can be in. The program says where
// everything is, then obeys lines on stdin:
//
//	gc        collect twice, answer "done"
//	drop      forget what the names in dropped_* stand for, answer "done"
//	spin      start two goroutines that never yield, on one P; answer "done"
//
// and ends with stdin.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

type node struct {
	next *node
	name string
}

type holder struct {
	pad  [3]uint64
	view []int
	name string
}

// 1000 bytes with pointers: above 512 bytes, objects have a malloc header from Go 1.22 on.
type big struct {
	first *int
	pad   [123]uint64
	view  *int
}

type tail struct {
	pad  [2]uint64
	last unsafe.Pointer
}

var (
	globalView   []int
	globalString string
	globalNode   *node
	dataView     = []int{1, 2, 3}
	keep         []any
	dropped      *holder
	droppedNode  *node
	spins        [2]uint64
)

func say(name string, p unsafe.Pointer, size uintptr) {
	fmt.Printf("at %s %d %d\n", name, uintptr(p), size)
}

//go:noinline
func parkInner(c chan int, view []int) int {
	n := <-c
	return n + len(view) + cap(view) + view[0]
}

//go:noinline
func second(view []int) []int { return view[1:3] }

//go:noinline
func fill(h *holder, view []int) { h.view = view }

//go:noinline
func sum(h *holder) int { return h.view[0] + h.view[1] }

// The object dies here; its address stays behind in stack slots that nobody reads again.
//
//go:noinline
func leaveBehind() {
	n := &node{name: "stale"}
	globalNode = n
	say("stale", unsafe.Pointer(n), 24)
	globalNode = nil
}

// Numbers that happen to be the addresses of objects, in an object with pointers and in a global.
type numbered struct {
	self   *numbered
	number uintptr
}

var (
	globalNumbered *numbered
	globalNumber   struct {
		number uintptr
		name   *string
	}
)

//go:noinline
func numbers() {
	inObject, inGlobal := &node{name: "number in an object"}, &node{name: "number in a global"}
	globalNode = inObject
	globalNumbered = &numbered{number: uintptr(unsafe.Pointer(inObject))}
	globalNumbered.self = globalNumbered
	globalNode = inGlobal
	globalNumber.number = uintptr(unsafe.Pointer(inGlobal))
	globalNode = nil
	say("number_in_object", unsafe.Pointer(inObject), 24)
	say("number_in_global", unsafe.Pointer(inGlobal), 24)
}

//go:noinline
func parkOuter(c chan int, view []int) int {
	local := second(view)
	var box holder // its address is taken, so it is a stack object
	fill(&box, view[10:12])
	n := parkInner(c, local)
	return n + local[0] + view[0] + sum(&box)
}

//go:noinline
func spin(counter *uint64, view []int) {
	for i := 0; ; i++ {
		*counter += uint64(view[i%len(view)])
	}
}

func objects() {
	noscan := new([64]byte)
	small := &node{name: "small"}
	withHeader := &big{}
	large := make([]*int, 10000)
	largeBytes := make([]byte, 100001)
	tiny := new(uint16)
	words := make([]uint64, 3)
	pages := make([]*node, 1024) // 8192 bytes
	keep = append(keep, noscan, small, withHeader, large, largeBytes, tiny, words, pages)
	say("noscan", unsafe.Pointer(noscan), 64)
	say("small", unsafe.Pointer(small), 24)
	say("with_header", unsafe.Pointer(withHeader), unsafe.Sizeof(*withHeader))
	say("large", unsafe.Pointer(&large[0]), 80000)
	say("large_bytes", unsafe.Pointer(&largeBytes[0]), 100001)
	say("tiny", unsafe.Pointer(tiny), 2)
	say("words", unsafe.Pointer(&words[0]), 24)
	say("pages", unsafe.Pointer(&pages[0]), 8192)
}

func views() []int {
	array := make([]int, 64)
	for i := range array {
		array[i] = i + 1
	}
	say("array", unsafe.Pointer(&array[0]), 512)
	globalView = array[1:5:9]
	dataView = array[2:4]
	say("global_view", unsafe.Pointer(&globalView), 24)
	say("data_view", unsafe.Pointer(&dataView), 24)
	h := &holder{view: array[3:6]}
	say("holder", unsafe.Pointer(h), unsafe.Sizeof(*h))
	say("holder_view", unsafe.Pointer(&h.view), 24)
	b := &big{view: &array[63]}
	say("big_view", unsafe.Pointer(&b.view), 8)
	list := [][]int{array[4:7], array[5:8:8]}
	say("list_view", unsafe.Pointer(&list[1]), 24)
	var boxed any = array[6:9]
	say("boxed_view", (*[2]unsafe.Pointer)(unsafe.Pointer(&boxed))[1], 24)
	byName := map[string][]int{"x": array[7:10]}
	end := &tail{last: unsafe.Pointer(&array[8])}
	say("tail_view", unsafe.Pointer(&end.last), 8)
	keep = append(keep, h, b, list, boxed, byName, end)

	bytes := []byte("a string's bytes, long enough to be no tiny object")
	say("string_array", unsafe.Pointer(&bytes[0]), uintptr(len(bytes)))
	globalString = unsafe.String(&bytes[2], 6)
	say("global_string", unsafe.Pointer(&globalString), 16)
	keep = append(keep, bytes)
	return array
}

func chain() {
	globalNode = &node{next: &node{next: &node{name: "third"}}}
	say("chain_third", unsafe.Pointer(globalNode.next.next), 24)
	dropped = &holder{name: "dropped"}
	droppedNode = &node{next: &node{name: "second"}}
	say("dropped_holder", unsafe.Pointer(dropped), 64)
	say("dropped_second", unsafe.Pointer(droppedNode.next), 24)
}

func main() {
	runtime.GOMAXPROCS(1)
	objects()
	array := views()
	leaveBehind()
	numbers()
	// On a stack of its own, which is gone afterwards: no stale slot keeps what is dropped.
	chained := make(chan bool)
	go func() {
		chain()
		chained <- true
	}()
	<-chained
	c := make(chan int)
	go parkOuter(c, array)
	for i := 0; i < 10; i++ {
		go parkOuter(c, array)
	}
	time.Sleep(20 * time.Millisecond)
	fmt.Println("version", runtime.Version())
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch strings.TrimSpace(in.Text()) {
		case "gc":
			runtime.GC()
			runtime.GC()
		case "drop":
			dropped = nil
			droppedNode = nil
		case "spin":
			go spin(&spins[0], array)
			go spin(&spins[1], array)
			time.Sleep(50 * time.Millisecond)
		}
		fmt.Println("done")
	}
	runtime.KeepAlive(array)
	runtime.KeepAlive(keep)
}
