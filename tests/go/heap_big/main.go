// heap_big OBJECTS: builds a heap of about 90 bytes an object (12 million: 1 GiB), says so and waits.
// Half of the objects hold pointers: records in maps, lists and slices; the rest are strings and
// buffers.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
)

type record struct {
	next   *record
	name   string
	values []int64
	tag    any
	id     int
}

type tag struct {
	owner *record
	label string
}

var (
	byName = map[string]*record{}
	lists  [1024]*record
	all    []*record
)

func main() {
	objects := 12_000_000
	if len(os.Args) > 1 {
		objects, _ = strconv.Atoi(os.Args[1])
	}
	// A record has four objects: itself, its name, its values, its tag.
	for i := 0; i < objects/4; i++ {
		r := &record{name: "a record with number " + strconv.Itoa(i), values: make([]int64, i%48+1), id: i}
		r.tag = &tag{owner: r, label: r.name[:8]}
		r.next, lists[i%len(lists)] = lists[i%len(lists)], r
		if i%16 == 0 {
			byName[r.name] = r
		}
		all = append(all, r)
	}
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("heap_alloc", stats.HeapAlloc)
	fmt.Println("heap_objects", stats.Mallocs-stats.Frees)
	fmt.Println("ready", os.Getpid())
	bufio.NewReader(os.Stdin).ReadString('\n')
	runtime.KeepAlive(all)
}
