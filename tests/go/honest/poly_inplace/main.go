// Polynomials, trimmed by cutting and extended by appending zeros.
package main

import "fmt"

type poly []int

func (p poly) trim() poly {
	for len(p) > 0 && p[len(p)-1] == 0 {
		p = p[:len(p)-1]
	}
	return p
}
func (p poly) add(q poly) poly {
	for len(p) < len(q) {
		p = append(p, 0)
	}
	for i, c := range q {
		p[i] += c
	}
	return p.trim()
}
func (p poly) mul(q poly) poly {
	r := make(poly, len(p)+len(q))
	for i, a := range p {
		for j, b := range q {
			r[i+j] += a * b
		}
	}
	return r.trim()
}
func main() {
	p := poly{1}
	for i := 0; i < 12; i++ {
		p = p.mul(poly{1, 1})
		p = p.add(poly{0, 0, -i})
		p = p.trim()
	}
	fmt.Println(p)
}
