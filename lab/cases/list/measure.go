package main

import (
	"bufio"
	"container/list"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

const (
	megabyte = 1 << 20
	held     = 1000
)

func measure() {
	removed()
	loop()
	foreign()
	kept()
	snap()
}

func said(e any) string {
	if e == (*list.Element)(nil) {
		return "nil"
	}
	return "there"
}

func removed() {
	l := list.New()
	l.PushBack("a")
	e := l.PushBack("b")
	l.PushBack("c")
	l.Remove(e)
	value := "lost"
	if e.Value == "b" {
		value = "still there"
	}
	fmt.Printf("fact value_after %s\nfact next_after %s\nfact prev_after %s\nfact len_after_first %d\n", value, said(e.Next()), said(e.Prev()), l.Len())
	fmt.Printf("fact second_remove_panics %d\n", panics(func() { l.Remove(e) }))
	fmt.Printf("fact len_after_second %d\n", l.Len())
}

func loop() {
	const from = 10
	l := list.New()
	for i := 0; i < from; i++ {
		l.PushBack(i)
	}
	for e := l.Front(); e != nil; e = e.Next() {
		l.Remove(e)
	}
	fmt.Printf("fact loop_from %d\nfact loop_left %d\n", from, l.Len())
}

func foreign() {
	one, two := list.New(), list.New()
	one.PushBack("a")
	mark := two.PushBack("b")
	result := "nil"
	did := panics(func() { result = said(one.InsertAfter("c", mark)) })
	fmt.Printf("fact foreign_panics %d\nfact foreign_result %s\nfact foreign_lens %d-and-%d\n", did, result, one.Len(), two.Len())
}

// heapMB is what is in use after a collection.
func heapMB() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / megabyte
}

type big struct{ data [8 * megabyte]byte }

// Removes an element with a large value and hands it to a holder; what is there afterwards, beyond what was before.
func keptBy(hold func(e *list.Element) any) float64 {
	before := heapMB()
	l := list.New()
	l.PushBack("a")
	e := l.PushBack(&big{})
	l.Remove(e)
	holder := hold(e)
	e = nil
	after := heapMB()
	runtime.KeepAlive(holder)
	runtime.KeepAlive(l)
	return after - before
}

func kept() {
	closure := func(e *list.Element) any { return func() any { return e.Value } }
	channel := func(e *list.Element) any { c := make(chan *list.Element, 1); c <- e; return c }
	nobody := func(e *list.Element) any { return nil }
	copied := func(e *list.Element) any { name := fmt.Sprint("copied"); return func() string { return name } }
	fmt.Printf("fact kept_mb[closure] %.1f\n", keptBy(closure))
	fmt.Printf("fact kept_mb[channel] %.1f\n", keptBy(channel))
	fmt.Printf("fact kept_mb[closure-over-a-copy] %.1f\n", keptBy(copied))
	fmt.Printf("fact kept_mb[nobody] %.1f\n", keptBy(nobody))

	before := heapMB()
	l := list.New()
	e := l.PushBack("small")
	l.PushBack(&big{})
	l.Remove(e)
	l = nil
	after := heapMB()
	runtime.KeepAlive(e)
	fmt.Printf("fact rest_mb %.1f\n", after-before)
}

// hold is a process that keeps removed elements until its input ends.
func hold() {
	l := list.New()
	var elements []*list.Element
	for i := 0; i < held; i++ {
		e := l.PushBack(i)
		l.Remove(e)
		elements = append(elements, e)
	}
	fmt.Println("ready", l.Len())
	bufio.NewReader(os.Stdin).ReadString('\n')
	runtime.KeepAlive(elements)
}

// snap asks geist what the heap of such a process holds.
func snap() {
	geist := os.Getenv("GEIST_LAB_GEIST")
	if geist == "" {
		fmt.Println("cannot snap_elements geist lab did not say where geist is")
		return
	}
	victim := exec.Command(os.Args[0], "hold")
	input, err := victim.StdinPipe()
	if err != nil {
		panic(err)
	}
	output, err := victim.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := victim.Start(); err != nil {
		panic(err)
	}
	defer victim.Wait()
	defer input.Close()
	bufio.NewReader(output).ReadString('\n')
	command := exec.Command(geist, "snap", "--json", fmt.Sprint(victim.Process.Pid), "types")
	var errors strings.Builder
	command.Stderr = &errors
	text, err := command.Output()
	if err != nil {
		line, _, _ := strings.Cut(errors.String(), "\n")
		fmt.Printf("cannot snap_elements geist snap: %s\n", line)
		return
	}
	var answer struct {
		Types []struct {
			Type    string
			Objects int
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		fmt.Printf("cannot snap_elements geist snap: %v\n", err)
		return
	}
	count := 0
	for _, t := range answer.Types {
		if strings.HasSuffix(t.Type, "list.Element") && !strings.HasPrefix(t.Type, "*") && !strings.HasPrefix(t.Type, "[") {
			count += t.Objects
		}
	}
	fmt.Printf("fact snap_elements %d\nfact snap_real %d\n", count, held)
}

func panics(f func()) (did int) {
	defer func() {
		if recover() != nil {
			did = 1
		}
	}()
	f()
	return 0
}
