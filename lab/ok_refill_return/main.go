// The refill goes through a function: x.buf = encode(x.buf[:0], v). Between the append and the store
// the field still has the old header, which has the same length as the new one.
package main

import "fmt"

type record struct {
	buf []byte
	n   int
}

func encode(dst []byte, v int) []byte {
	for i := 0; i < 4; i++ {
		dst = append(dst, byte('a'+v%26))
		v /= 26
	}
	return dst
}

func main() {
	records := map[string]*record{"x": {}, "y": {}}
	for i := 0; i < 300; i++ {
		for _, r := range records {
			r.buf = encode(r.buf[:0], i)
			r.n += len(r.buf)
		}
	}
	x, y := records["x"], records["y"]
	if string(x.buf) != "nlaa" || string(y.buf) != "nlaa" || x.n != 1200 {
		fmt.Printf("WRONG: %s %s %d\n", x.buf, y.buf, x.n)
		return
	}
	fmt.Println("OK")
}
