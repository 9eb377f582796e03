// Scratch space inside a struct: an array field, sliced to zero for each use, and a second slice field
// that is kept over it only while it is needed.
package main

import "fmt"

type formatter struct {
	scratch [32]byte
	current []byte
	out     []string
}

func (f *formatter) number(n int) {
	f.current = f.scratch[:0]
	for d := 1000; d > 0; d /= 10 {
		f.current = append(f.current, byte('0'+n/d%10))
	}
	f.out = append(f.out, string(f.current))
}

func main() {
	f := &formatter{}
	for i := 0; i < 300; i++ {
		f.number(i)
	}
	if f.out[0] != "0000" || f.out[299] != "0299" || string(f.current) != "0299" {
		fmt.Println("WRONG:", f.out[0], f.out[299])
		return
	}
	fmt.Println("OK")
}
