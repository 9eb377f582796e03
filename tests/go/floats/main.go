// Floating point values and flags live across appends: a clobbered vector register or flag changes the
// printed bits.
package main

import (
	"fmt"
	"math"
	"math/big"
)

type point struct{ x, y, z float64 }

func series(out []point, n int) ([]point, float64) {
	a, b, c, d := 1.0, math.Sqrt2, math.Pi, 1e-9
	e, f, g, h := 0.5, -3.25, 7.75, 1e300
	for i := 1; i <= n; i++ {
		a += 1 / float64(i)
		b = b*0.999 + c
		out = append(out[:i%7], point{a, b, c})
		c = math.Mod(c*1.37+a, 11)
		d += a * b
		out = append(out, point{d, e, f})
		e, f = f*0.5+g, e*0.25-a
		g = math.FMA(g, 0.25, e*0.125)
		h = h*0.999 + d
		if len(out) > 3 == (a > b) {
			out = append(out[:2], point{g, h, e})
		}
	}
	return out, a + b + c + d + e + f + g + h
}

func carry(digits []uint32, n uint32) []uint32 {
	for len(digits) < 40 {
		sum := uint64(n) * 4294967291
		digits = append(digits, uint32(sum))
		n = uint32(sum>>32) + n + 1
		if n%5 == 0 {
			digits = append(digits[:len(digits)/2], n, n^1)
			n++
		}
		if len(digits) > 20 && n%3 == 0 {
			break
		}
	}
	return digits
}

func main() {
	out, sum := series(make([]point, 0, 16), 5000)
	fmt.Printf("%x %x\n", math.Float64bits(sum), out)
	total := uint64(0)
	digits := []uint32{}
	for i := uint32(1); i < 200; i++ {
		digits = carry(digits[:0], i)
		for _, d := range digits {
			total = total*31 + uint64(d)
		}
	}
	fmt.Printf("%x\n", total)
	x := big.NewInt(3)
	for i := 0; i < 12; i++ {
		x.Mul(x, x).Add(x, big.NewInt(7))
	}
	fmt.Printf("%x\n", x.Bytes()[:16])
}
