// Capacities that append gives, for elements of many sizes, and what is in the room behind the length: nothing. Lines that begin with
// "capacity" differ between policies of growth; no other line may.
package main

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

var lengths = []int{1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 255, 256, 257, 700}

// show says how many elements are as they were put, whether all of the spare room is zero, and where the capacity is not legal.
func show[T comparable](name string, s []T, put func(int) T) {
	var zero T
	right := 0
	for i, v := range s {
		if v == put(i) {
			right++
		}
	}
	spare := s[len(s):cap(s)]
	dirty := 0
	for _, v := range spare {
		if v != zero {
			dirty++
		}
	}
	fmt.Printf("contents %s: %d of %d right, dirty spare: %d\n", name, right, len(s), dirty)
	fmt.Printf("capacity %s %d %d %d\n", name, int(reflect.TypeOf(zero).Size()), len(s), cap(s))
}

//go:noinline
func oneByOne[T any](s []T, n int, put func(int) T) []T {
	for i := 0; i < n; i++ {
		s = append(s, put(i))
	}
	return s
}

//go:noinline
func local[T any](n int, put func(int) T) []T {
	var s []T // from Go 1.25 on it may begin in a buffer on the stack, and moves when it is returned
	for i := 0; i < n; i++ {
		s = append(s, put(i))
	}
	return s
}

//go:noinline
func together[T any](s []T, n int, put func(int) T) []T {
	more := make([]T, n)
	for i := range more {
		more[i] = put(i)
	}
	return append(s, more...)
}

func all[T comparable](name string, put func(int) T) {
	for _, n := range lengths {
		show(fmt.Sprintf("%s nil %d", name, n), oneByOne(nil, n, put), put)
		show(fmt.Sprintf("%s empty %d", name, n), oneByOne([]T{}, n, put), put)
		show(fmt.Sprintf("%s local %d", name, n), local(n, put), put)
		show(fmt.Sprintf("%s together %d", name, n), together(nil, n, put), put)
		grown := slices.Grow([]T{put(0)}, n)
		show(fmt.Sprintf("%s slices.Grow %d", name, n), grown, put)
		v := reflect.ValueOf([]T{})
		for i := 0; i < n; i++ {
			v = reflect.Append(v, reflect.ValueOf(put(i)))
		}
		show(fmt.Sprintf("%s reflect %d", name, n), v.Interface().([]T), put)
	}
	if s := append([]T(nil), []T(nil)...); s != nil {
		fmt.Println("nothing appended to nil is not nil")
	}
}

// huge arrays are beyond what roomy gives room for.
func huge() {
	const size = 20 << 20
	s := append(make([]byte, size, size), 7)
	zero := 0
	for _, b := range s[:cap(s)] {
		if b == 0 {
			zero++
		}
	}
	fmt.Printf("contents huge: %d, last %d, zero but one: %v\n", len(s), s[size], zero == cap(s)-1)
	fmt.Printf("capacity huge 1 %d %d\n", len(s), cap(s))
}

type wide struct {
	at int
	of [24]int64
}

type page struct {
	at int
	of [511]int64
}

type triple struct {
	a, b, c int64
}

type refs struct {
	name string
	at   *int
}

var numbers = func() (all [1000]int) {
	for i := range all {
		all[i] = i
	}
	return all
}()

func main() {
	all("struct{}", func(int) struct{} { return struct{}{} })
	all("byte", func(i int) byte { return byte(i%251 + 1) })
	all("int64", func(i int) int64 { return int64(i) + 1 })
	all("triple", func(i int) triple { return triple{int64(i) + 1, 2, 3} })
	all("wide", func(i int) wide { return wide{at: i + 1} })
	all("page", func(i int) page { return page{at: i + 1} })
	all("pointer", func(i int) *int { return &numbers[i] })
	all("refs", func(i int) refs { return refs{strings.Repeat("x", i%3+1), &numbers[i]} })
	huge()
	runtime.GC()
	var buffer bytes.Buffer
	var builder strings.Builder
	for i := 0; i < 1000; i++ {
		fmt.Fprintf(&buffer, "%d,", i)
		fmt.Fprintf(&builder, "%d,", i)
	}
	fmt.Println("contents buffer:", buffer.String() == builder.String(), buffer.Len())
	list := slices.Insert([]int{1, 2, 3}, 1, 9, 8, 7)
	fmt.Println("contents insert:", list, slices.Equal(list, []int{1, 9, 8, 7, 2, 3}))
	defer func() { fmt.Println("contents panic:", recover()) }()
	var none []int
	_ = none[len(append(none, 1))]
}
