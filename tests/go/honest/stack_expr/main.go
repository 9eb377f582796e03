// A stack of operands, with trials that are undone by cutting it.
package main

import "fmt"

type eval struct {
	st    []float64
	saved [][]float64
}

func (e *eval) push(x float64) { e.st = append(e.st, x) }
func (e *eval) bin(f func(a, b float64) float64) {
	n := len(e.st)
	a, b := e.st[n-2], e.st[n-1]
	e.st = append(e.st[:n-2], f(a, b))
}
func (e *eval) try(f func()) { base := e.st; n := len(e.st); f(); e.st = base[:n] }
func main() {
	e := &eval{}
	tot := 0.0
	for i := 1; i < 200; i++ {
		e.push(float64(i))
		e.push(2)
		e.try(func() {
			e.push(7)
			e.push(9)
			e.bin(func(a, b float64) float64 { return a * b })
			tot += e.st[len(e.st)-1]
		})
		e.bin(func(a, b float64) float64 { return a + b })
		if len(e.st) > 8 {
			for len(e.st) > 1 {
				e.bin(func(a, b float64) float64 { return a - b/2 })
			}
		}
	}
	fmt.Printf("%.3f %v\n", tot, e.st)
}
