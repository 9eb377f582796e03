// Appends of every element size and kind against a reference that never appends. The destination is
// dirty each time, so that the slow path of a watched append runs.
package main

import (
	"fmt"
	"hash/fnv"
)

type sized interface {
	[0]byte | [1]byte | [2]byte | [3]byte | [5]byte | [8]byte | [12]byte | [16]byte | [24]byte |
		[31]byte | [32]byte | [33]byte | [40]byte | [64]byte | [100]byte | [200]byte | [256]byte | [257]byte | [1000]byte
}

type mixed struct {
	name string
	next *mixed
	n    int32
	tag  any
}

var failed int

func check(what string, ok bool) {
	if !ok {
		failed++
		fmt.Println("WRONG at", what)
	}
}

// rounds cuts and extends s by 0 to 3 elements at a time and mirrors every step in an array.
func rounds[T sized](what string, make1 func(i int) T) {
	var mirror [64]T
	n := 0
	var s []T
	var none []T
	s = append(s, none...)
	check(what, s == nil)
	for i := 0; i < 200; i++ {
		a, b, c := make1(i), make1(i+1), make1(i+2)
		switch i % 5 {
		case 0:
			s = append(s, none...)
		case 1:
			s = append(s, a)
			mirror[n] = a
			n++
		case 2:
			s = append(s, a, b)
			mirror[n], mirror[n+1] = a, b
			n += 2
		case 3:
			s = append(s, []T{a, b, c}...)
			mirror[n], mirror[n+1], mirror[n+2] = a, b, c
			n += 3
		case 4:
			s = append(s[:n/2], s[n/2+1:]...)
			copy(mirror[n/2:], mirror[n/2+1:n])
			n--
		}
		if n > 40 {
			n = i % 7
			s = s[:n]
		}
		check(what, len(s) == n)
		for j := 0; j < n; j++ {
			check(what, s[j] == mirror[j])
		}
	}
}

func overlap() {
	s := make([]int, 0, 32)
	for i := 0; i < 8; i++ {
		s = append(s, i)
	}
	s = append(s, s...)
	s = append(s[:4], s[2:12]...)
	check("overlap", fmt.Sprint(s) == "[0 1 2 3 2 3 4 5 6 7 0 1 2 3]")
	b := append(make([]byte, 0, 64), "0123456789"...)
	b = append(b[:2], b[5:]...)
	b = append(b, string(b)...)
	b = append(b[:3], "xyz"...)
	check("bytes", string(b) == "015xyz")
	b = append(b, make([]byte, 4)...)
	check("extend", string(b) == "015xyz\x00\x00\x00\x00")
}

func kinds() uint64 {
	h := fnv.New64a()
	var list []mixed
	var funcs []func() int
	var chans []chan int
	var nested [][]string
	var tags []any
	for i := 0; i < 300; i++ {
		i := i
		if i%9 == 8 {
			list, funcs, chans, nested, tags = list[:i%3], funcs[:2], chans[:1], nested[:i%2], tags[:0]
		}
		m := mixed{fmt.Sprint("m", i), nil, int32(i), i % 4}
		if len(list) > 0 {
			m.next = &list[0]
		}
		list = append(list, m)
		funcs = append(funcs, func() int { return i * i }, func() int { return -i })
		chans = append(chans, make(chan int, i%3+1))
		nested = append(nested, []string{m.name, "x"}, nested2(nested))
		tags = append(tags, m.name, i, nil, list[0].name)
		for _, f := range funcs {
			fmt.Fprint(h, f())
		}
		fmt.Fprint(h, len(list), list[len(list)-1].name, cap(chans[len(chans)-1]), nested, tags)
	}
	return h.Sum64()
}

func nested2(n [][]string) []string {
	if len(n) == 0 {
		return nil
	}
	return n[0][:1]
}

func main() {
	fill := func(b []byte, i int) {
		for j := range b {
			b[j] = byte(i*7 + j + 1)
		}
	}
	rounds("0", func(i int) (x [0]byte) { return })
	rounds("1", func(i int) (x [1]byte) { fill(x[:], i); return })
	rounds("2", func(i int) (x [2]byte) { fill(x[:], i); return })
	rounds("3", func(i int) (x [3]byte) { fill(x[:], i); return })
	rounds("5", func(i int) (x [5]byte) { fill(x[:], i); return })
	rounds("8", func(i int) (x [8]byte) { fill(x[:], i); return })
	rounds("12", func(i int) (x [12]byte) { fill(x[:], i); return })
	rounds("16", func(i int) (x [16]byte) { fill(x[:], i); return })
	rounds("24", func(i int) (x [24]byte) { fill(x[:], i); return })
	rounds("31", func(i int) (x [31]byte) { fill(x[:], i); return })
	rounds("32", func(i int) (x [32]byte) { fill(x[:], i); return })
	rounds("33", func(i int) (x [33]byte) { fill(x[:], i); return })
	rounds("40", func(i int) (x [40]byte) { fill(x[:], i); return })
	rounds("64", func(i int) (x [64]byte) { fill(x[:], i); return })
	rounds("100", func(i int) (x [100]byte) { fill(x[:], i); return })
	rounds("200", func(i int) (x [200]byte) { fill(x[:], i); return })
	rounds("256", func(i int) (x [256]byte) { fill(x[:], i); return })
	rounds("257", func(i int) (x [257]byte) { fill(x[:], i); return })
	rounds("1000", func(i int) (x [1000]byte) { fill(x[:], i); return })
	overlap()
	fmt.Printf("kinds %x\n", kinds())
	if failed == 0 {
		fmt.Println("OK")
	}
}
