// The mean of all samples but one, for each of them: what is left out is shifted away in the samples
// themselves, again and again, each time over what the time before has changed but for its first
// element.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

type probe struct{ samples []float64 }

func (p *probe) without(i int) []float64 {
	return append(p.samples[:i], p.samples[i+1:]...) // want: ghost-write victim=samples
}

func mean(samples []float64) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += s
	}
	return sum / float64(len(samples))
}

func main() {
	p := &probe{}
	for _, field := range strings.Fields("1 2 4 8 16 32") {
		f, err := strconv.ParseFloat(field, 64)
		if err != nil {
			panic(err)
		}
		p.samples = append(p.samples, f)
	}
	before := mean(p.samples)
	for i := range p.samples {
		fmt.Printf("without %d: %.2f\n", i, mean(p.without(i)))
	}
	first := p.samples[0]
	if first != 1 {
		fmt.Printf("WRONG: the first is %g, the mean %.2f and was %.2f\n", first, mean(p.samples), before)
		return
	}
	fmt.Println("OK")
}
