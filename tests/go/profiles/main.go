// Profiles for the tests and the measurement of `geist pprof`.
//
//	profiles FOLDER             heap, allocs, cpu, mutex, block, goroutine and heap text of this program under load
//	profiles -large FILE        one of 30 MB or more, as of a service with many goroutines and labels
//	profiles -labels FILE       one of 2000 samples with labels: texts, numbers, units
//	profiles -small FILE        the same with 6 samples, for fuzzing
//	profiles -serve             net/http/pprof on a free port, which it prints; until standard input ends
//
// The large one is made by the encoder below, with the same seed each time.
package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"
)

var (
	held  [][]byte
	names []string
	kept  = map[int]*record{}
	lock  sync.Mutex
	wall  sync.RWMutex
)

type record struct {
	name string
	tags []string
	next *record
}

//go:noinline
func growNames(n int) {
	var list []string
	for i := 0; i < n; i++ {
		list = append(list, fmt.Sprint("name-", i))
	}
	names = list
}

//go:noinline
func makeBuffers(n int) {
	for i := 0; i < n; i++ {
		held = append(held, make([]byte, 4096+i%512))
	}
}

func link(r *record, tag string) *record { // inlined
	r.tags = append(r.tags, tag, "second")
	return &record{name: tag, next: r}
}

//go:noinline
func buildRecords(n int) {
	lock.Lock()
	defer lock.Unlock()
	for i := 0; i < n; i++ {
		kept[i] = link(&record{name: "head"}, "tag")
	}
}

type sorter[T any] struct{ rows []T }

//go:noinline
func (s *sorter[T]) run(less func(a, b T) bool) {
	sort.Slice(s.rows, func(i, j int) bool { return less(s.rows[i], s.rows[j]) })
}

//go:noinline
func sortWords(n int) int {
	s := &sorter[string]{}
	for i := 0; i < n; i++ {
		s.rows = append(s.rows, strings.Repeat(string(rune('a'+i*7%26)), i%17))
	}
	s.run(func(a, b string) bool { return a < b })
	return len(s.rows)
}

func recurse(depth int) int {
	if depth == 0 {
		return sortWords(2000)
	}
	return recurse(depth-1) + 1
}

func contend() {
	var done sync.WaitGroup
	for i := 0; i < 4; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for j := 0; j < 200; j++ {
				wall.Lock()
				time.Sleep(20 * time.Microsecond)
				wall.Unlock()
			}
		}()
	}
	done.Wait()
}

func work(until time.Time) {
	for time.Now().Before(until) {
		growNames(3000)
		makeBuffers(50)
		buildRecords(500)
		recurse(5)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func create(path string, write func(io.Writer) error) {
	file, err := os.Create(path)
	must(err)
	must(write(file))
	must(file.Close())
}

func writeAll(folder string) {
	runtime.MemProfileRate = 4096
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	stop := make(chan bool)
	for i := 0; i < 5; i++ {
		go func() { <-stop }()
	}
	cpu, err := os.Create(filepath.Join(folder, "cpu"))
	must(err)
	must(pprof.StartCPUProfile(cpu))
	work(time.Now().Add(600 * time.Millisecond))
	contend()
	pprof.StopCPUProfile()
	must(cpu.Close())
	runtime.GC()
	write := func(name, file string, debug int) {
		create(filepath.Join(folder, file), func(w io.Writer) error { return pprof.Lookup(name).WriteTo(w, debug) })
	}
	write("heap", "heap-before", 0)
	work(time.Now().Add(100 * time.Millisecond))
	runtime.GC()
	for _, name := range []string{"heap", "allocs", "mutex", "block", "goroutine", "threadcreate"} {
		write(name, name, 0)
	}
	write("heap", "heap.txt", 1)
	close(stop)
}

func serve() {
	runtime.MemProfileRate = 4096
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(listener.Addr())
	go func() { must(http.Serve(listener, nil)) }()
	go work(time.Now().Add(time.Hour))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "-large":
		create(os.Args[2], func(w io.Writer) error { return writeProfile(w, 450000, 40000) })
	case len(os.Args) == 3 && os.Args[1] == "-labels":
		create(os.Args[2], func(w io.Writer) error { return writeProfile(w, 2000, 300) })
	case len(os.Args) == 3 && os.Args[1] == "-small":
		create(os.Args[2], func(w io.Writer) error { return writeProfile(w, 6, 12) })
	case len(os.Args) == 2 && os.Args[1] == "-serve":
		serve()
	case len(os.Args) == 2:
		writeAll(os.Args[1])
	default:
		fmt.Fprintln(os.Stderr, "usage: profiles FOLDER | -large FILE | -labels FILE | -serve")
		os.Exit(2)
	}
}

// What follows writes profile.proto by hand: github.com/google/pprof is no dependency of the tests.

type message struct{ bytes []byte }

func (m *message) varint(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		m.bytes = append(m.bytes, byte(v)|0x80)
	}
	m.bytes = append(m.bytes, byte(v))
}

func (m *message) number(field int, v uint64) {
	if v != 0 {
		m.varint(uint64(field) << 3)
		m.varint(v)
	}
}

func (m *message) data(field int, data []byte) {
	m.varint(uint64(field)<<3 | 2)
	m.varint(uint64(len(data)))
	m.bytes = append(m.bytes, data...)
}

const depth = 48

// Stacks grow from a few roots; callees of a function are few, as in a real program, so that edges are.
func randomStack(random *rand.Rand, functions uint64, stack []uint64) []uint64 {
	stack = stack[:0]
	at := uint64(random.Intn(50)) % functions
	for n := 8 + random.Intn(depth-8); n > 0; n-- {
		stack = append(stack, at+1)
		at = (at*31 + uint64(random.Intn(6))*977 + 13) % functions
	}
	for i, j := 0, len(stack)-1; i < j; i, j = i+1, j-1 {
		stack[i], stack[j] = stack[j], stack[i]
	}
	return stack
}

func writeProfile(w io.Writer, samples int, functions uint64) error {
	random := rand.New(rand.NewSource(1))
	packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(packed, 1<<20)
	var m, body, part message
	flush := func() {
		_, _ = out.Write(m.bytes)
		m.bytes = m.bytes[:0]
	}
	text := []string{"", "alloc_objects", "count", "alloc_space", "bytes", "/usr/bin/service", "route", "tenant", "request", "latency", "ms"}
	typ := func(field int, a, b uint64) {
		part.bytes = part.bytes[:0]
		part.number(1, a)
		part.number(2, b)
		m.data(field, part.bytes)
	}
	typ(1, 1, 2)
	typ(1, 3, 4)
	firstRoute := uint64(len(text))
	routes, packages := min(functions, 300), min(functions, 700)
	for i := uint64(0); i < routes; i++ {
		text = append(text, fmt.Sprintf("/api/v%d/route%d", i%3, i))
	}
	firstName := uint64(len(text))
	for i := uint64(0); i < functions; i++ {
		text = append(text, fmt.Sprintf("example.com/service/package%d.(*Type%d).Method%d", i%packages, i%91, i))
	}
	firstFile := uint64(len(text))
	for i := uint64(0); i < packages; i++ {
		text = append(text, fmt.Sprintf("/src/example.com/service/package%d/file.go", i))
	}
	var stack []uint64
	for i := 0; i < samples; i++ {
		body.bytes, part.bytes = body.bytes[:0], part.bytes[:0]
		stack = randomStack(random, functions, stack)
		for _, id := range stack {
			part.varint(id)
		}
		body.data(1, part.bytes)
		part.bytes = part.bytes[:0]
		count := uint64(1 + random.Intn(1000))
		part.varint(count)
		part.varint(count * uint64(16<<random.Intn(8)))
		body.data(2, part.bytes)
		label := func(key, str, number, unit uint64) {
			part.bytes = part.bytes[:0]
			part.number(1, key)
			part.number(2, str)
			part.number(3, number)
			part.number(4, unit)
			body.data(3, part.bytes)
		}
		label(6, firstRoute+uint64(random.Intn(int(routes))), 0, 0)
		if i%3 == 0 {
			label(8, 0, uint64(16<<random.Intn(12)), 0)
			label(9, 0, uint64(random.Intn(5000)), 10)
		}
		m.data(2, body.bytes)
		flush()
	}
	body.bytes = body.bytes[:0]
	body.number(1, 1)
	body.number(2, 0x400000)
	body.number(3, 0x4000000)
	body.number(5, 5)
	for field := 7; field <= 10; field++ {
		body.number(field, 1)
	}
	m.data(3, body.bytes)
	for i := uint64(1); i <= functions; i++ {
		body.bytes = body.bytes[:0]
		body.number(1, i)
		body.number(2, 1)
		body.number(3, 0x400000+i*64)
		line := func(function, number uint64) {
			part.bytes = part.bytes[:0]
			part.number(1, function)
			part.number(2, number)
			body.data(4, part.bytes)
		}
		if i%5 == 0 { // inlined into the next function
			line(i, 10+i%100)
			line(i%functions+1, 200+i%100)
		} else {
			line(i, 10+i%100)
		}
		m.data(4, body.bytes)
		body.bytes = body.bytes[:0]
		body.number(1, i)
		body.number(2, firstName+i-1)
		body.number(3, firstName+i-1)
		body.number(4, firstFile+(i-1)%packages)
		body.number(5, 5)
		m.data(5, body.bytes)
		flush()
	}
	for _, t := range text {
		m.data(6, []byte(t))
	}
	m.number(9, 1700000000000000000)
	typ(11, 3, 4)
	m.number(12, 524288)
	m.number(14, 3)
	flush()
	if err := out.Flush(); err != nil {
		return err
	}
	return packed.Close()
}
