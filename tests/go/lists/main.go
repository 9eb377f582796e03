// Lists that are used wrongly, each in a way of its own, and such that are not. What is wrong is in every run the same, and
// printed.
//
//	lists sweep|backwards|hook|timers|typed|last  Next or Prev of an element that was removed
//	lists copied|cleared                          an element that the list does not have
//	lists queues|pins                             an element of another list
//	lists keepnext|lru|drain|requeue|splice       nothing wrong
package main

import (
	"container/list"
	"fmt"
	"os"

	"geist.example/tests/lists/chain"
)

func numbers(n int) *list.List {
	l := list.New()
	for i := 0; i < n; i++ {
		l.PushBack(i)
	}
	return l
}

func show(l *list.List) {
	for e := l.Front(); e != nil; e = e.Next() {
		fmt.Print(e.Value, " ")
	}
	fmt.Println(l.Len())
}

// sweep removes the odd ones: only the first goes.
func sweep() {
	l := numbers(7)
	for e := l.Front(); e != nil; e = e.Next() { // sweep: takes Next of
		if e.Value.(int)%2 == 1 {
			l.Remove(e) // sweep: had removed
		}
	}
	show(l)
}

type session struct {
	name string
	left int
}

// backwards expires sessions from the youngest on.
func backwards() {
	l := list.New()
	for i, name := range []string{"ann", "bob", "cid", "dee"} {
		l.PushBack(&session{name, i})
	}
	e := l.Back()
	for e != nil {
		s := e.Value.(*session)
		if s.left > 1 {
			l.Remove(e) // backwards: had removed
		}
		e = e.Prev() // backwards: takes Prev of
	}
	fmt.Println(l.Len())
}

type hub struct {
	hooks list.List
}

func (h *hub) on(f func()) func() {
	e := h.hooks.PushBack(f)
	return func() { h.hooks.Remove(e) } // hook: had removed
}

//go:noinline
func (h *hub) fire() {
	for e := h.hooks.Front(); e != nil; e = e.Next() { // hook: takes Next of
		e.Value.(func())()
	}
}

// hook is called once and takes itself off while it is called: those after it are not called.
func hook() {
	h := &hub{}
	h.hooks.Init()
	called := 0
	var off func()
	off = h.on(func() { called++; off() })
	h.on(func() { called += 10 })
	h.on(func() { called += 100 })
	h.fire()
	fmt.Println(called)
}

type timer struct {
	at int
}

type wheel struct {
	slots [4]*list.List
}

//go:noinline
func (w *wheel) cancel(l *list.List, e *list.Element) *timer {
	return l.Remove(e).(*timer) // timers: had removed
}

// timers that are due are moved to the next slot, by the successor of one that has left.
func timers() {
	w := &wheel{}
	for i := range w.slots {
		w.slots[i] = list.New()
	}
	for i := 0; i < 6; i++ {
		w.slots[0].PushBack(&timer{i})
	}
	for e := w.slots[0].Front(); e != nil; {
		t := e.Value.(*timer)
		if t.at < 4 {
			w.slots[1].PushBack(w.cancel(w.slots[0], e))
		}
		if e = e.Next(); e == nil { // timers: takes Next of
			break
		}
	}
	fmt.Println(w.slots[0].Len(), w.slots[1].Len())
}

func typed() {
	c := chain.New[string]()
	for _, s := range []string{"a", "", "b", "", "c"} {
		c.PushBack(s)
	}
	for l := c.Front(); l != nil; l = l.Next() { // typed: takes Next of
		if l.Value == "" {
			c.Remove(l) // typed: had removed
		}
	}
	fmt.Println(c.Len())
}

// last removes the only one that there is to remove: nil is what Next would have given.
func last() {
	l := numbers(4)
	for e := l.Front(); e != nil; e = e.Next() { // last: takes Next of
		if e.Value == 3 {
			l.Remove(e) // last: had removed
		}
	}
	show(l)
}

type page struct {
	id   int
	node list.Element
}

// copied keeps elements by value.
func copied() {
	order := list.New()
	var pages []*page
	for i := 0; i < 4; i++ {
		p := &page{id: i}
		p.node = *order.PushBack(p)
		pages = append(pages, p)
	}
	order.MoveToFront(&pages[2].node) // copied: calls MoveToFront with a copy of an element
	fmt.Println(order.Front().Value.(*page).id, order.Len())
}

// cleared keeps an element over Init.
func cleared() {
	l := numbers(3)
	kept := l.Front()
	l.Init()
	l.PushBack(10)
	l.Remove(kept) // cleared: calls Remove with an element
	show(l)
}

// queues takes a job from the queue that it was in before.
func queues() {
	waiting, running := numbers(3), list.New()
	first := waiting.Front()
	job := running.PushBack(waiting.Remove(first))
	waiting.Remove(job) // queues: calls Remove with an element
	fmt.Println(waiting.Len(), running.Len())
}

func pins() {
	pinned, rest := numbers(2), numbers(3)
	e := rest.Back()
	pinned.MoveToFront(e) // pins: calls MoveToFront with an element
	show(pinned)
}

func keepnext() {
	l := numbers(7)
	for e := l.Front(); e != nil; {
		next := e.Next()
		if e.Value.(int)%2 == 1 {
			l.Remove(e)
		}
		e = next
	}
	show(l)
}

func lru() {
	order, at := list.New(), map[int]*list.Element{}
	for i := 0; i < 500; i++ {
		key := i * i % 37
		if e, is := at[key]; is {
			order.MoveToFront(e)
			continue
		}
		at[key] = order.PushFront(key)
		if order.Len() > 8 {
			delete(at, order.Remove(order.Back()).(int))
		}
	}
	show(order)
}

func drain() {
	l := numbers(5)
	sum := 0
	for l.Len() > 0 {
		sum += l.Remove(l.Front()).(int)
	}
	fmt.Println(sum)
}

// requeue removes an element twice, which is allowed, and goes on from its neighbour.
func requeue() {
	l := numbers(5)
	e := l.Front().Next()
	next := e.Next()
	v := l.Remove(e)
	l.Remove(e)
	l.InsertAfter(v, next)
	l.MoveBefore(l.Back(), l.Front())
	l.MoveAfter(l.Front(), l.Front().Next())
	show(l)
}

func splice() {
	a, b := numbers(3), numbers(4)
	a.PushBackList(b)
	b.Init()
	for e := a.Back(); e != nil; e = e.Prev() {
		if e.Value.(int) == 2 {
			a.Remove(e)
			break
		}
	}
	show(a)
}

func main() {
	modes := map[string]func(){"sweep": sweep, "backwards": backwards, "hook": hook, "timers": timers, "typed": typed, "last": last,
		"copied": copied, "cleared": cleared, "queues": queues, "pins": pins, "keepnext": keepnext, "lru": lru, "drain": drain,
		"requeue": requeue, "splice": splice}
	modes[os.Args[1]]()
}
