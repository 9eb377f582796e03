// Values of many kinds through encoding/gob and back, with interfaces, pointers, maps and slices of them.
package main

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"sort"
)

type shape interface{ Area() int }
type Square struct{ Side int }
type Box struct {
	W, H int
	Name string
}

func (s Square) Area() int { return s.Side * s.Side }
func (b *Box) Area() int   { return b.W * b.H }

type Everything struct {
	Zs   []shape
	Ints []int32
	Map  map[string][]float64
	Ptr  *Everything
	Text []byte
	Cx   complex128
	Arr  [3]string
	U    uint
	ok   bool
}

func main() {
	gob.Register(Square{})
	gob.Register(&Box{})
	var last *Everything
	for i := 0; i < 8; i++ {
		v := Everything{Ptr: last, U: uint(i), Cx: complex(float64(i), 1), Arr: [3]string{"a", fmt.Sprint(i), ""}}
		for k := 0; k <= i; k++ {
			v.Zs = append(v.Zs, Square{k}, &Box{k, i, "b"})
			v.Ints = append(v.Ints, int32(k*k-i))
			v.Text = append(v.Text, byte('a'+k))
		}
		v.Map = map[string][]float64{"x": {1, 2, float64(i)}, "y": nil, fmt.Sprint(i): {0.5}}
		var b bytes.Buffer
		var back Everything
		err := gob.NewEncoder(&b).Encode(v)
		err2 := gob.NewDecoder(&b).Decode(&back)
		area, keys := 0, []string{}
		for _, s := range back.Zs {
			area += s.Area()
		}
		for k, f := range back.Map {
			keys = append(keys, fmt.Sprint(k, f))
		}
		sort.Strings(keys)
		fmt.Println(area, keys, string(back.Text), back.Ints, back.Cx, back.Arr, back.U, back.ok, err, err2)
		back.Zs = back.Zs[:1]
		last = &back
	}
}
