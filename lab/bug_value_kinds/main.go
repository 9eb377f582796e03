// geist: --budget=100
//
// Elements of many types, each printed as a Go programmer would write it: what is in an interface with its type, and a pointer
// that is nil with the type that it is nil of.
package main

import (
	"fmt"
	"time"
)

type name string
type level int
type point struct{ x, y int }
type fault struct{ code int }

func (f *fault) Error() string { return "fault" }

type bag[T any] struct{ items []T }

func (b *bag[T]) room(v ...T) { b.items = append(make([]T, 0, len(v)+1), v...) }

//go:noinline
func names(b *bag[any], v any) *bag[any] {
	return &bag[any]{append(b.items, v)} // want: ghost-write before='main.name("ann")' after='main.name("bob")' victim=ann.items
}

//go:noinline
func levels(b *bag[fmt.Stringer], v fmt.Stringer) *bag[fmt.Stringer] {
	return &bag[fmt.Stringer]{append(b.items, v)} // want: ghost-write victim=three.items before=main.level(3) after=main.level(4)
}

//go:noinline
func points(b *bag[any], v any) *bag[any] {
	return &bag[any]{append(b.items, v)} // want: ghost-write before="main.point{x: 1, y: 2}" after="main.point{x: 3, y: 4}"
}

//go:noinline
func faults(b *bag[error], v error) *bag[error] {
	return &bag[error]{append(b.items, v)} // want: ghost-write before="&main.fault{code: 7}" after=(*main.fault)(nil)
}

//go:noinline
func tables(b *bag[map[string]int], v map[string]int) *bag[map[string]int] {
	return &bag[map[string]int]{append(b.items, v)} // want: ghost-write before="map[string]int len 2" after="map[string]int len 1"
}

//go:noinline
func waves(b *bag[complex128], v complex128) *bag[complex128] {
	return &bag[complex128]{append(b.items, v)} // want: ghost-write before=(1-2i) after=(3+4i)
}

func (l level) String() string { return "level" }

func main() {
	wrong := 0
	check := func(what string, same bool) {
		time.Sleep(30 * time.Millisecond) // six bugs within a millisecond would be more than is looked at
		if !same {
			fmt.Println(what, "changed")
			wrong++
		}
	}
	var b bag[any]
	b.room("x")
	ann := names(&b, name("ann"))
	names(&b, name("bob"))
	check("name", ann.items[1] == any(name("ann")))

	var s bag[fmt.Stringer]
	s.room(level(1))
	three := levels(&s, level(3))
	levels(&s, level(4))
	check("level", three.items[1] == fmt.Stringer(level(3)))

	var p bag[any]
	p.room("x")
	one := points(&p, point{1, 2})
	points(&p, point{3, 4})
	check("point", one.items[1] == any(point{1, 2}))

	var e bag[error]
	e.room(&fault{1})
	seven := faults(&e, &fault{7})
	faults(&e, (*fault)(nil))
	check("fault", seven.items[1].(*fault) != nil)

	var m bag[map[string]int]
	m.room(nil)
	two := tables(&m, map[string]int{"a": 1, "b": 2})
	tables(&m, map[string]int{"c": 3})
	check("table", len(two.items[1]) == 2)

	var w bag[complex128]
	w.room(0)
	down := waves(&w, 1-2i)
	waves(&w, 3+4i)
	check("wave", down.items[1] == 1-2i)

	if wrong > 0 {
		fmt.Println("WRONG:", wrong, "values changed")
		return
	}
	fmt.Println("OK")
}
